"""A model of `transformers` that scores, infers or embeds, in batches. Runs in the child process.

The score of a pair goes through a sigmoid (0 to 1, as vLLM and sentence-transformers give it); a
reward is the number that the model gives, without bounds.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..requests import EngineError
from .layout import Pooling, nli_labels

Answer = dict[str, Any]
"""`{"value": …, "tokens": n}`, or `{"overlong": n}`."""


@dataclass(slots=True)
class Classifier:
    """A loaded model.

    Attributes:
        task: `reward`, `score`, `nli` or `embed`.
        limit: Tokens of a question at most.
        pooling: How the vectors of tokens become one.
        labels: Of `nli`: output by what it says.
    """

    torch: Any
    tokenizer: Any
    model: Any
    device: Any
    task: str
    limit: int | None
    pooling: Pooling
    labels: Mapping[str, int]

    def answer(self, questions: Sequence[Sequence[Sequence[str]]]) -> list[Answer]:
        """Answer questions, each a list of `(role, text)`, in order."""
        encoded = [self._encode([(q[0], q[1]) for q in question]) for question in questions]
        answers: list[Answer] = [{"overlong": len(e["input_ids"])} for e in encoded]
        fit = [
            at
            for at, e in enumerate(encoded)
            if self.limit is None or len(e["input_ids"]) <= self.limit
        ]
        # Those of one length next to each other, so that little is padded.
        fit.sort(key=lambda at: len(encoded[at]["input_ids"]))
        for start in range(0, len(fit), 16):
            group = fit[start : start + 16]
            values = self._run([encoded[at] for at in group])
            for at, value in zip(group, values, strict=True):
                answers[at] = {"value": value, "tokens": len(encoded[at]["input_ids"])}
        return answers

    def _encode(self, turns: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
        if self.task == "reward" and self.tokenizer.chat_template:
            said = [{"role": role, "content": text} for role, text in turns]
            return dict(self.tokenizer.apply_chat_template(said, tokenize=True, return_dict=True))
        texts = [text for _, text in turns]
        if len(texts) > 2:  # a model without turns of its own reads what is asked, and the reply
            texts = ["\n".join(texts[:-1]), texts[-1]]
        return dict(self.tokenizer(*texts))

    def _run(self, group: Sequence[Mapping[str, list[int]]]) -> list[Any]:
        torch = self.torch
        padded = self.tokenizer.pad([dict(e) for e in group], return_tensors="pt").to(self.device)
        with torch.inference_mode():
            made = self.model(**padded)
            if self.task == "embed":
                found = self._pooled(made.last_hidden_state.float(), padded["attention_mask"])
                return list(torch.nn.functional.normalize(found, dim=-1).tolist())
            logits = made.logits.float()
            if self.task == "nli":
                shares = logits.softmax(-1).tolist()
                return [{name: row[at] for name, at in self.labels.items()} for row in shares]
            if self.task == "score":
                logits = logits.sigmoid()
            return [row[0] for row in logits.tolist()]

    def _pooled(self, states: Any, mask: Any) -> Any:
        if self.pooling == "cls":
            return states[:, 0]
        if self.pooling == "last":
            ends = mask.cumsum(-1).argmax(-1)
            return states[self.torch.arange(states.shape[0]), ends]
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def load_classifier(config: Mapping[str, Any]) -> Classifier:
    """Load a model from its folder.

    Args:
        config: `folder`, `task`, `limit`, `pooling`, `dtype`, `device`, `threads`.

    Raises:
        EngineError: `load`, if the model is not of the kind that its task wants.
    """
    # By name: types are not needed, and type checkers need not have them at all.
    torch, library = importlib.import_module("torch"), importlib.import_module("transformers")
    library.utils.logging.set_verbosity_error()
    if config["threads"]:
        torch.set_num_threads(config["threads"])
    device = config["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    task, folder = str(config["task"]), str(config["folder"])
    dtype = "auto" if config["dtype"] == "auto" else getattr(torch, config["dtype"])
    kind = library.AutoModel if task == "embed" else library.AutoModelForSequenceClassification
    model, told = kind.from_pretrained(folder, dtype=dtype, output_loading_info=True)
    if task != "embed" and (made := _made_up(told)):
        raise EngineError(
            "load",
            f"its weights lack {made}: it is no classifier, and `task: {task}` needs one",
            retryable=False,
        )
    outputs = getattr(model.config, "num_labels", 0)
    if task in ("reward", "score") and outputs != 1:
        raise EngineError(
            "load",
            f"it has {outputs} outputs; one with `task: {task}` has 1",
            retryable=False,
        )
    labels = nli_labels(dict(model.config.id2label)) if task == "nli" else {}
    tokenizer = library.AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    tokenizer.padding_side = "right"
    return Classifier(
        torch=torch,
        tokenizer=tokenizer,
        model=model.eval().to(device),
        device=device,
        task=task,
        limit=config["limit"],
        pooling=config["pooling"],
        labels=labels,
    )


def _made_up(told: Mapping[str, Any]) -> str:
    """Weights that the file does not hold, and that would be random numbers; a few of them."""
    return ", ".join(sorted(str(name) for name in told.get("missing_keys") or ())[:3])
