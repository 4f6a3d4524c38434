"""What a judge says of a rewrite: which sentences the source bears out, which key points are kept.

Steps 8 and 9 of the fact gate in `published-recipes.md` (section 10.2). The key points of a source
are the same question for each of its rewrites, so they are paid for once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ..outcome import all_of
from ..prompting import Renderer
from ..replies import reader_of, schema_of
from ..verdict import Verdict
from .model_prompts import LABEL, POINTS, shipped
from .model_windows import sentences_of

if TYPE_CHECKING:
    from ...compiler.prompts import PromptFile
    from ..consult import Consult

Label = Literal["supported", "contradicted", "omitted"]

MOST_POINTS = 8
_YES = re.compile(r"\W*(?:yes|true|supported|1)\b", re.IGNORECASE)
_NO = re.compile(r"\W*(?:no|false|unsupported|not supported|0)\b", re.IGNORECASE)
_POINT = re.compile(r"\s*(?:[-*•]|\d+[.)])\s+(.*\w.*)")
_LABEL = re.compile(r"\W*(supported|contradicted|omitted)\b", re.IGNORECASE)
_SHOWN = 200
_FEW = 8


async def judge_sentences(
    got: str,
    source: str,
    least: float,
    prompt: PromptFile,
    row: Mapping[str, Any],
    consult: Consult,
) -> Verdict:
    """Whether a judge finds enough sentences borne out by the source. Raises `EngineError`."""
    sentences = sentences_of(got)

    async def one(sentence: str) -> bool | None:
        fields = await ask(prompt, {**row, "passage": source, "sentence": sentence}, consult)
        return _yes(fields.get("supported"))

    said = await all_of(one(sentence) for sentence in sentences)
    if not any(s is not None for s in said):
        return Verdict(False, "unparsed", {"sentences": len(said)})
    share = said.count(True) / len(said)
    seen = {"supported": round(share, 3)}
    if share >= least:
        return Verdict(True, evidence=seen)
    lacking = [s[:_SHOWN] for s, yes in zip(sentences, said, strict=True) if not yes]
    return Verdict(
        False, "unsupported", {**seen, "sentence": lacking[0], "unsupported": len(lacking)}
    )


async def judge_points(got: str, source: str, least: float, consult: Consult) -> Verdict:
    """Whether a rewrite keeps enough of the source's key points, and denies none.

    Raises:
        EngineError: The judge failed.
    """
    points = await key_points(source, consult)
    if not points:
        return Verdict(False, "unparsed", {"points": 0})

    async def one(point: str) -> Label | None:
        fields = await ask(shipped(LABEL), {"passage": got, "point": point}, consult)
        found = _LABEL.match(str(fields.get("label") or ""))
        return _LABELS[found[1].lower()] if found else None

    labels = dict(zip(points, await all_of(one(point) for point in points), strict=True))
    recall = sum(label == "supported" for label in labels.values()) / len(labels)
    seen: dict[str, Any] = {"points": len(labels), "recall": round(recall, 3)}
    for label, reason in (("contradicted", "point_contradicted"), ("omitted", "point_omitted")):
        if found := [p[:_SHOWN] for p, said in labels.items() if said == label]:
            seen[label] = found[:_FEW]
            if label == "contradicted" or recall < least:
                return Verdict(False, reason, seen)
    if recall < least:
        return Verdict(False, "unparsed", seen)
    return Verdict(True, evidence=seen)


async def key_points(source: str, consult: Consult) -> tuple[str, ...]:
    """The statements that a source is about, by a judge, each once. Raises `EngineError`."""
    fields = await ask(shipped(POINTS), {"passage": source}, consult)
    lines = (_POINT.fullmatch(line) for line in str(fields.get("points") or "").splitlines())
    points = (" ".join(found[1].split()) for found in lines if found)
    return tuple(dict.fromkeys(points))[:MOST_POINTS]


async def ask(prompt: PromptFile, row: Mapping[str, Any], consult: Consult) -> Mapping[str, Any]:
    """The fields of the judge's reply; none, where it has not the shape. Raises `EngineError`."""
    renderer = _renderer(prompt, tuple(consult.tokens("judge").special))
    messages = renderer.messages(row, str(row.get("_doc", "")))
    sampling: dict[str, Any] = {"temperature": 0.0}
    if prompt.max_tokens:
        sampling["max_tokens"] = prompt.max_tokens
    if schema := schema_of(prompt):
        sampling["schema"] = schema
    entry = await consult.ask("judge", messages, sampling=sampling)
    text = entry.text
    if entry.finish == "length":  # its last line was never finished
        text = text.rpartition("\n")[0]
    return reader_of(prompt.shape, messages)(text).values


@lru_cache(maxsize=8)
def _renderer(prompt: PromptFile, special: tuple[str, ...]) -> Renderer:
    return Renderer(prompt, special)


_LABELS: Mapping[str, Label] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "omitted": "omitted",
}


def _yes(said: object) -> bool | None:
    if isinstance(said, bool):
        return said
    text = "" if said is None else str(said)
    if _NO.match(text):
        return False
    return True if _YES.match(text) else None
