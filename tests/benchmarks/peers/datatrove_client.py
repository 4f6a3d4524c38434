"""datatrove's InferenceRunner with checkpoints and its request cache on. PORT FLIGHT FILE FOLDER"""
# pyright: reportMissingImports=false

import sys

from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

SYSTEM = "Rewrite the paragraph in plain words. Keep all facts."


async def rollout(document: Document, generate):  # type: ignore[no-untyped-def]
    """One request a document."""
    return await generate(
        {
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": document.text},
            ],
            "temperature": 0.7,
            "top_p": 1.0,
            "max_tokens": 512,
        }
    )


def main(port: str, flight: int, file: str, folder: str) -> None:
    """Read, ask, write."""
    data, _, name = file.rpartition("/")
    LocalPipelineExecutor(
        pipeline=[
            JsonlReader(data, glob_pattern=name),
            InferenceRunner(
                rollout_fn=rollout,
                config=InferenceConfig(
                    server_type="endpoint",
                    model_name_or_path="some",
                    endpoint_url=f"http://127.0.0.1:{port}",
                    max_concurrent_generations=flight,
                ),
                output_writer=JsonlWriter(
                    f"{folder}/out", output_filename="${rank}_${chunk_index}.jsonl"
                ),
                checkpoints_local_dir=f"{folder}/checkpoints",
                records_per_chunk=1000,
            ),
        ],
        logging_dir=f"{folder}/logs",
        tasks=1,
    ).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
