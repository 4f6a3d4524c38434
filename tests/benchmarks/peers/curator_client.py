"""bespokelabs-curator with its response cache. PORT FLIGHT FILE FOLDER"""
# pyright: reportMissingImports=false

import os
import sys
from pathlib import Path

PORT, FLIGHT, FILE, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ |= {
    "CURATOR_CACHE_DIR": f"{FOLDER}/cache",
    "OPENAI_API_KEY": "none",
    "TELEMETRY_ENABLED": "0",
    "CURATOR_DISABLE_RICH_DISPLAY": "1",
    "HF_HUB_OFFLINE": "1",
    # tiktoken would download its vocabulary; litellm has it inside.
    "TIKTOKEN_CACHE_DIR": str(
        next(Path(sys.prefix).glob("lib/*/site-packages/litellm/litellm_core_utils/tokenizers"))
    ),
}

from bespokelabs import curator  # noqa: E402
from datasets import load_dataset  # noqa: E402


class Rewrite(curator.LLM):  # type: ignore[misc]
    """One request a row."""

    system_prompt = "Rewrite the paragraph in plain words. Keep all facts."

    def prompt(self, row: dict[str, str]) -> str:
        """The user's turn."""
        return row["text"]

    def parse(self, row: dict[str, str], response: str) -> list[dict[str, str]]:
        """A row of the output."""
        return [{"text": row["text"], "said": response}]


if __name__ == "__main__":
    rows = load_dataset("json", data_files=FILE, split="train", cache_dir=f"{FOLDER}/hf")
    made = Rewrite(
        model_name="gpt-4o-mini",
        backend="openai",
        backend_params={
            "base_url": f"http://127.0.0.1:{PORT}/v1",
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
            "max_concurrent_requests": FLIGHT,
        },
        generation_params={"temperature": 0.7, "top_p": 1.0, "max_tokens": 512},
    )(rows)
    made.dataset.to_parquet(f"{FOLDER}/out.parquet")
