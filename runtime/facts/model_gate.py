"""The steps of the fact gate that ask models, after those that ask nobody, cheap to dear."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..scoring.wire import pair
from ..verdict import Row, Verdict
from .model_inference import judge_support
from .model_prompts import LABEL, POINTS, SUPPORT, shipped
from .model_reading import MOST_POINTS, judge_points, judge_sentences
from .model_similarity import asked, judge_similarity
from .model_windows import sentences_of

if TYPE_CHECKING:
    from ...compiler.prompts import PromptFile
    from ..consult import Consult
    from ..requests import Message

Step = Callable[[], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class ModelGate:
    """The whole gate, as the recipe has set it up.

    Attributes:
        got: Column of the rewrite.
        source: Column of what it was made from.
        free: Parameters of the gate that asks nobody.
        similarity: Bounds of the cosine, if there is an embedder.
        support: Least share of sentences that the source bears out.
        infers: Whether there is a model of natural language inference.
        judge_prompt: How a judge is asked about a sentence, if one is.
        key_points: Least share of the key points, if they are asked for.
    """

    got: str
    source: str
    free: Mapping[str, Any]
    similarity: tuple[float, float] | None = None
    support: float = 0.95
    infers: bool = False
    judge_prompt: PromptFile | None = None
    key_points: float | None = None

    async def __call__(self, row: Row, consult: Consult) -> Verdict:
        """Judge a row; the first step that fails decides. Raises `EngineError`."""
        verdict = await consult.judge("facts", self.free, row)
        evidence = dict(verdict.evidence)
        for step in self._steps(row, consult):
            if not verdict.passed:
                return verdict
            verdict = await step()
            evidence |= verdict.evidence
        return Verdict(True, evidence=evidence) if verdict.passed else verdict

    def prompts(self, row: Row) -> list[tuple[str, tuple[Message, ...]]]:
        """All that it asks of a row at worst, if the source can be read at once."""
        from ..prompting import Renderer

        got, source = self._texts(row)
        sentences = sentences_of(got) or ("",)
        made: list[tuple[str, tuple[Message, ...]]] = []
        if self.similarity is not None:
            made += [("embedder", asked(got)), ("embedder", asked(source))]
        if self.infers:
            made += [("nli", pair(source, sentence)) for sentence in sentences]
        if self.judge_prompt is not None:
            support = Renderer(self.judge_prompt)
            seen = {**row, "passage": source}
            made += [("judge", support.messages({**seen, "sentence": s})) for s in sentences]
        if self.key_points is not None:
            points = (sentences_of(source) or ("",)) * MOST_POINTS
            label = Renderer(shipped(LABEL))
            made.append(("judge", Renderer(shipped(POINTS)).messages({"passage": source})))
            made += [
                ("judge", label.messages({"passage": got, "point": point}))
                for point in points[:MOST_POINTS]
            ]
        return made

    def _texts(self, row: Row) -> tuple[str, str]:
        return str(row.get(self.got) or ""), str(row.get(self.source) or "")

    def _steps(self, row: Row, consult: Consult) -> list[Step]:
        got, source = self._texts(row)
        steps: list[Step] = []
        if (between := self.similarity) is not None:
            steps.append(lambda: judge_similarity(got, source, between, consult))
        if self.infers:
            steps.append(lambda: judge_support(got, source, self.support, consult))
        if (prompt := self.judge_prompt) is not None:
            steps.append(lambda: judge_sentences(got, source, self.support, prompt, row, consult))
        if (least := self.key_points) is not None:
            steps.append(lambda: judge_points(got, source, least, consult))
        return steps


def model_gate(
    got: str,
    source: str,
    free: Mapping[str, Any],
    *,
    embedder: str | None,
    similarity: list[float] | None,
    nli: str | None,
    judge: str | None,
    judge_prompt: PromptFile | None,
    support: float,
    key_points: float | None,
) -> ModelGate:
    """The gate with the models that a recipe gives it.

    Args:
        got: Column of the rewrite.
        source: Column of what it was made from.
        free: Parameters of the gate that asks nobody, got and source included.
        embedder: Given or not, as the next ones.
        similarity: Bounds of the cosine.
        nli: A model of natural language inference.
        judge: A model that writes.
        judge_prompt: How it is asked about a sentence; the shipped words, if absent.
        support: Least share of sentences that the source bears out.
        key_points: Least share of the source's key points.

    Raises:
        ValueError: If something is given that nobody would use.
    """
    if similarity is not None and (len(similarity) != 2 or similarity[0] > similarity[1]):
        raise ValueError("`similarity` is the least and the largest cosine: [0.8, 0.98]")
    if (similarity is None) != (embedder is None):
        raise ValueError("`embedder` and `similarity` come together: each has bounds of its own")
    if (key_points is not None or judge_prompt is not None) and judge is None:
        raise ValueError("`key_points` and `judge_prompt` need a `judge`")
    if judge_prompt is not None and "supported" not in dict(judge_prompt.reply):
        raise ValueError("the reply of `judge_prompt` has a field `supported`: yes or no")
    return ModelGate(
        got=got,
        source=source,
        free=free,
        similarity=(similarity[0], similarity[1]) if similarity else None,
        support=support,
        infers=nli is not None,
        judge_prompt=(judge_prompt or shipped(SUPPORT)) if judge is not None else None,
        key_points=key_points,
    )
