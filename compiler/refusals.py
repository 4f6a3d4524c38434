"""What is wrong with a step as a whole, which no single parameter shows."""

from __future__ import annotations

from .bound import Bound
from .diagnostics import Diagnostic
from .ladders import is_greedy
from .recipe import StepDecl
from .registry import Operator
from .scope import Binding, Scope


def samples_of(bound: Bound) -> int:
    """How many replies a row is asked for."""
    samples = bound.params.get("samples")
    return samples if isinstance(samples, int) else 1


def refuse_more(
    operator: Operator, bound: Bound, scope: Scope, step: StepDecl, binding: Binding
) -> None:
    """What no single parameter shows to be wrong."""
    if operator.name == "rewrite" and "text" in scope.modelled and not bound.params.get("again"):
        binding.add(
            Diagnostic(
                "C507",
                f"`{step.name}` would rewrite text that a model wrote",
                step.inputs[0].span if step.inputs else step.span,
                help="read the step before the rewrite, or write `again: true` to allow it",
            )
        )
    samples = step.param("samples")
    if samples_of(bound) > 1 and samples and is_greedy(bound.params.get("sampling") or {}):
        binding.add(
            Diagnostic(
                "M253",
                "at temperature 0 every sample is the same text",
                samples.span,
                help="write `samples: 1`, or `sampling: { temperature: 0.8 }`",
            )
        )
    _refuse_shadows(bound, scope, step, binding)
    if "mode" in operator.later:
        _refuse_audit(bound, step, binding)
    reply = dict(bound.prompt.reply) if bound.prompt else {}
    prompt = step.param("prompt")
    for name in reply:
        if operator.writes and name not in operator.writes and prompt:
            binding.add(
                Diagnostic(
                    "P212",
                    f"the prompt's reply makes `{name}`, and `{operator.name}` makes `text` alone",
                    prompt.span,
                    help="use `op: generate`, or take `reply` out of the prompt",
                )
            )


def _refuse_audit(bound: Bound, step: StepDecl, binding: Binding) -> None:
    """An audit drops nothing, so it has no ladder; a gate judges every row, so it has no sample."""
    on_fail, sample = step.param("on_fail"), step.param("sample")
    audit = bound.params.get("mode") == "audit"
    if audit and on_fail:
        message = "an audit lets every row pass, so nothing is done when a check fails"
        help = "take `on_fail` out, or write `mode: gate`"
        binding.add(Diagnostic("S003", message, on_fail.span, help=help))
    if sample and not audit:
        message = "`sample` is for audits: a gate holds every row to its checks"
        help = "write `mode: audit`, or take `sample` out"
        binding.add(Diagnostic("S003", message, sample.span, help=help))


def _refuse_shadows(bound: Bound, scope: Scope, step: StepDecl, binding: Binding) -> None:
    """A reply that takes the place of a column which the prompt was not even given."""
    reply = dict(bound.prompt.reply) if bound.prompt else {}
    prompt = step.param("prompt")
    given = {name for name, _ in bound.prompt.inputs} if bound.prompt else set[str]()
    for name in reply:
        if prompt and name in scope.columns and name != "text" and name not in given:
            binding.add(
                Diagnostic(
                    "R105",
                    f"the reply's `{name}` overwrites a column that is there already",
                    prompt.span,
                    secondary=scope.upstream(),
                    help="give the reply's column another name, or the one before it",
                )
            )
