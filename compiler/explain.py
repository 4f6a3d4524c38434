"""A plan in words: what runs and why, rows, calls, tokens, expected and worst case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .cost import BASES, Basis, Estimates, Number, StepEstimate, weakest
from .identity import difference
from .plan import Plan, PlanNode
from .quantities import show_count, show_duration, show_share

Last = tuple[str, Plan]
"""Id of the last run of the recipe, and its plan."""


def explain(
    plan: Plan,
    estimates: Estimates | None,
    last: Last | None,
    missing: Mapping[str, str],
    *,
    width: int = 80,
) -> str:
    """The plan as text.

    Args:
        plan: What would run.
        estimates: None where nothing was measured.
        last: The last run to compare with.
        missing: Models that are not here, and what to type.
        width: Columns of the terminal.
    """
    compared = f"   compared with {last[0]}" if last else ""
    lines = [f"{plan.recipe['name']}  plan {plan.digest[:12]}{compared}", ""]
    actions = {n.name: action(n, plan, last[1] if last else None) for n in plan.nodes}
    lines += _table(plan, estimates, actions, width)
    lines += _totals(plan, estimates)
    if plan.applied:
        lines += ["", *(f"  rule {name}: {sentence}" for name, sentence in plan.applied)]
    if estimates:
        lines += _mix(plan, estimates) + _legend(estimates)
    lines += [f"\n{why}" for why in missing.values()]
    lines += ["", _summary(actions, estimates)]
    return "\n".join(lines)


def action(node: PlanNode, plan: Plan, last: Plan | None) -> tuple[str, str]:
    """A symbol and the reason for it: `=` unchanged, `+` new, `~` changed, `↻` fed by a change."""
    old = next((n for n in last.nodes if n.name == node.name), None) if last else None
    if old is None:
        return "+", "new step" if node.stage != "scan" else "new source"
    if old.fingerprint == node.fingerprint:
        return "=", "unchanged"
    changed = difference(
        {"op": old.op, "version": old.version, **old.definition},
        {"op": node.op, "version": node.version, **node.definition},
    )
    if changed is None:
        return "↻", f"upstream {_changed_upstream(node, plan, last)}"
    path, before, after = changed
    if path == "data":
        return "~", "data changed"
    return "~", f"{path.removeprefix('params.')}: {_short(before)} → {_short(after)}"


def _changed_upstream(node: PlanNode, plan: Plan, last: Plan | None) -> str:
    old = {n.name: n.fingerprint for n in last.nodes} if last else {}
    for name, _ in node.inputs:
        if old.get(name) != plan.node(name).fingerprint:
            return name
    return "inputs"


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 18 else text[:17] + "…"


def _table(
    plan: Plan,
    estimates: Estimates | None,
    actions: Mapping[str, tuple[str, str]],
    width: int,
) -> list[str]:
    heads = ["step", "why", "rows in → out", "calls", "tok in", "tok out"]
    rows = [[n.name, actions[n.name][1], *_cells(estimates, n.name)] for n in plan.nodes]
    sizes = [max(len(r[i]) for r in [heads, *rows]) for i in range(len(heads))]
    room = width - 3 - sum(s for i, s in enumerate(sizes) if i != 1) - 2 * (len(heads) - 1)
    sizes[1] = max(8, min(sizes[1], room))
    lines = ["   " + _line(heads, sizes)]
    for node, row in zip(plan.nodes, rows, strict=True):
        lines.append(f" {actions[node.name][0]} {_line(row, sizes)}")
    return lines


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    made = []
    for i, (cell, size) in enumerate(zip(cells, sizes, strict=True)):
        cut = cell if len(cell) <= size else cell[: size - 1] + "…"
        made.append(cut.ljust(size) if i < 3 else cut.rjust(size))
    return "  ".join(made).rstrip()


def _cells(estimates: Estimates | None, name: str) -> list[str]:
    if estimates is None or name not in estimates.steps:
        return ["?", "–", "–", "–"]
    step = estimates.steps[name]
    rows = f"{show(step.rows_in)} → {show(step.rows_out)}"
    if step.calls is None:
        return [rows, "–", "–", "–"]
    return [rows, show(step.calls), show(step.prompt_tokens), show(step.reply_tokens)]


def show(number: Number | None) -> str:
    """A number with the letter of where it came from; exact ones have none."""
    if number is None:
        return "–"
    if number.value is None:
        return "?"
    letter = "" if number.basis == "e" else number.basis
    return f"{show_count(number.value)}{letter}"


def _total(numbers: Sequence[Number | None]) -> Number:
    given = [n for n in numbers if n is not None]
    if any(n.value is None for n in given):
        return Number(None, "?")
    return Number(sum(n.value or 0.0 for n in given), weakest("e", *(n.basis for n in given)))


def _totals(plan: Plan, estimates: Estimates | None) -> list[str]:
    calling = [s for s in estimates.steps.values() if s.calls is not None] if estimates else []
    if not calling:
        return []

    def line(name: str, calls: str, prompt: str, reply: str, time: str = "") -> str:
        return f"   {name:<12}calls {calls:<8} tokens in {prompt:<8} tokens out {reply:<8}{time}".rstrip()

    def of(field: str) -> str:
        return show(_total([getattr(s, field) for s in calling]))

    seconds = _total([s.seconds for s in calling])
    time = "" if seconds.value is None else f" time {show_duration(seconds.value)}{seconds.basis}"
    return [
        "",
        line("expected", of("calls"), of("prompt_tokens"), of("reply_tokens"), time),
        line("worst case", of("worst_calls"), of("worst_prompt"), of("worst_reply")),
        "   (worst case: every rung of every ladder, every reply at max_tokens)",
    ]


def _mix(plan: Plan, estimates: Estimates) -> list[str]:
    if plan.mix is None:
        return []
    total = plan.mix["total"]
    wanted = f"{show_count(total)} tokens wanted" if total else "as many tokens as the shares allow"
    lines = ["", f"Mix  ({wanted}, by the tokenizer of {plan.tokenizer})"]
    for name, part in plan.mix["parts"].items():
        supply = estimates.supply.get(name)
        taken = estimates.taken.get(name)
        shown = "?" if taken is None else show_count(taken)
        lines.append(
            f"   {name:<16}{show_share(part['weight']):>6}   {shown:>8} of {show(supply):<9}tokens"
        )
    human = estimates.human_share
    if human is not None:
        lines.append(f"   human parts {show_share(human)} (min {show_share(plan.mix['min_human'])})")
    if total and estimates.taken and sum(estimates.taken.values()) < total * 0.999:
        policy = plan.mix["on_shortfall"]
        lines.append(f"   short of the total: on_shortfall is {policy}")
    return lines


def _legend(estimates: Estimates) -> list[str]:
    used: set[Basis] = set()
    for step in estimates.steps.values():
        used |= {n.basis for n in _numbers(step)}
    used |= {n.basis for n in estimates.supply.values()}
    shown = [f"{b} {BASES[b]}" for b in "slha?" if b in used]
    return ["", "   " + "   ".join(["no letter: exact", *shown])] if shown else []


def _numbers(step: StepEstimate) -> list[Number]:
    fields = (step.rows_in, step.rows_out, step.calls, step.prompt_tokens, step.reply_tokens)
    return [n for n in fields if n is not None]


def _summary(actions: Mapping[str, tuple[str, str]], estimates: Estimates | None) -> str:
    counted = {s: sum(1 for a, _ in actions.values() if a == s) for s in "+~↻="}
    words = {"+": "new", "~": "changed", "↻": "run again", "=": "unchanged"}
    parts = [f"{n} {words[s]}" for s, n in counted.items() if n]
    reused = [s.reused for s in estimates.steps.values() if s.calls is not None] if estimates else []
    tail = ""
    if reused and max(reused) > 0:
        tail = f" The ledger holds about {show_share(min(reused))} of the calls."
    return f"Plan: {', '.join(parts)}.{tail}"
