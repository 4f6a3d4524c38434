"""Which steps are like which: by model, prompt, operator, what its parameters ask, and hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.identity import digest

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode

PROMPTS = ("prompt",)
"""Parameters that stand in the prompt's digest."""


@dataclass(frozen=True, slots=True)
class Key:
    """What must be the same for the replies of two steps to be alike.

    Attributes:
        op: The operator and its version.
        model: Digest of the model that is asked; of a step that only its checks ask for, theirs.
        prompt: Digest of the text of its prompts, white space collapsed.
        path: File of its prompt, by which two wordings of one prompt are known as such.
        params: Digest of samples, chunks, sampling, checks and ladder.
        gpu: Name of the hardware; `cpu` for engine `local`, empty for hardware of others. What is
            replied does not hang on it, only how long that takes.
    """

    op: str
    model: str
    prompt: str
    path: str
    params: str
    gpu: str = ""

    def same(self, other: Key) -> bool:
        """Whether both ask the same of the same model, wherever it runs."""
        mine = (self.op, self.model, self.prompt, self.params)
        return mine == (other.op, other.model, other.prompt, other.params)

    def similar(self, other: Key) -> bool:
        """Whether both ask the same model by the same prompt file, in whatever words."""
        mine = (self.op, self.model, self.path)
        return bool(self.path) and mine == (other.op, other.model, other.path)


def key_of(plan: Plan, node: PlanNode) -> Key:
    """The key of a step that asks models."""
    digests = {place: str(plan.models[m].get("digest", "")) for place, m in node.models.items()}
    own = str(plan.models[node.model].get("digest", "")) if node.model else ""
    params = {k: v for k, v in (node.definition.get("params") or {}).items() if k not in PROMPTS}
    path = str((node.prompt or {}).get("path", ""))
    if not path and node.prompts:
        path = min(str(p["path"]) for p in node.prompts.values())
    return Key(
        f"{node.op}@{node.version}",
        own or digest(sorted(set(digests.values()))),
        digest(
            [_collapsed(node.prompt), *(_collapsed(p) for _, p in sorted(node.prompts.items()))]
        ),
        path,
        digest({"params": params, "models": digests}),
        gpu_of(plan, node.model or node.asked[0]),
    )


def gpu_of(plan: Plan, model: str) -> str:
    """The hardware that a model runs on."""
    engine = plan.models[model]["engine"]
    if engine == "local":
        return "cpu"
    return str((plan.hardware or {}).get("gpu") or "auto") if engine == "vllm" else ""


def _collapsed(prompt: Mapping[str, Any] | None) -> list[str]:
    """The texts of a prompt's files, whatever they are called and however they are laid out."""
    files = (prompt or {}).get("files") or {}
    return sorted(" ".join(str(text).split()) for text in files.values())
