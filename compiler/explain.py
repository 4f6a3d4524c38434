"""A plan in words: what runs and why, rows, calls, tokens, expected and worst case."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from .changes import StepChange, compare, reason
from .cost import BASES, UNKNOWN, Basis, Estimates, Number, StepEstimate, total
from .meaning import Meaning, meaning_of
from .plan import Plan, PlanNode
from .quantities import show_count, show_duration, show_share
from .render import clean

Last = tuple[str, Plan | Meaning]
"""Id of the last run of the recipe, and what decided its results (or its plan, which says most)."""

HEADS = ("step", "why", "rows in → out", "calls", "tok in", "tok out")
NARROWEST = 8
"""Columns of text (step, why) are cut to this before a line is."""


def explain(
    plan: Plan,
    estimates: Estimates | None,
    last: Last | None,
    missing: Mapping[str, str],
    *,
    meaning: Meaning | None = None,
    lock: str = "",
    width: int = 80,
) -> str:
    """The plan as text.

    Args:
        plan: What would run.
        estimates: None where nothing was measured.
        last: The last run to compare with.
        missing: Models that are not here, and what to type.
        meaning: What decides the plan's results; without it the plan says, in which rewriting may
            show.
        lock: What to say of the lock.
        width: Columns of the terminal; no line is longer.
    """
    locked = f"   {lock}" if lock else ""
    compared = f"   compared with {last[0]}" if last else ""
    changes = compare(_meant(last), meaning or meaning_of(plan))
    actions = {n.name: _action(n, changes) for n in plan.nodes}
    lines = [f"{plan.recipe['name']}  plan {plan.digest[:12]}{locked}{compared}", ""]
    gone = [name for name, change in changes.items() if change.symbol == "-"]
    lines += _table(plan, estimates, actions, gone, width)
    lines += _totals(estimates)
    if plan.applied:
        lines += ["", *(f"  rule {name}: {sentence}" for name, sentence in plan.applied)]
    if estimates:
        lines += _mix(plan, estimates, width) + _legend(plan, estimates)
    for why in missing.values():
        lines += ["", *why.splitlines()]
    lines += ["", _summary(actions, estimates, len(gone))]
    return "\n".join(part for line in lines for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    line = clean(line)
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line, width, subsequent_indent=f"{indent}  ", break_on_hyphens=False, drop_whitespace=True
    )


def _meant(last: Last | None) -> Meaning | None:
    if last is None:
        return None
    return meaning_of(last[1]) if isinstance(last[1], Plan) else last[1]


def _action(node: PlanNode, changes: Mapping[str, StepChange]) -> tuple[str, str]:
    change = changes.get(node.name, StepChange(node.name, "+"))
    return change.symbol, reason(change, source=node.stage == "scan")


# -- the table


def _table(
    plan: Plan,
    estimates: Estimates | None,
    actions: Mapping[str, tuple[str, str]],
    gone: Sequence[str],
    width: int,
) -> list[str]:
    rows = [[n.name, clean(actions[n.name][1]), *_cells(estimates, n)] for n in plan.nodes]
    rows += [[name, "dropped", *[""] * (len(HEADS) - 2)] for name in gone]
    sizes = [max(len(r[i]) for r in [HEADS, *rows]) for i in range(len(HEADS))]
    room = width - 3 - sum(sizes[2:]) - 2 * (len(HEADS) - 1)
    sizes[0] = min(sizes[0], max(NARROWEST, room - NARROWEST))
    sizes[1] = min(sizes[1], max(NARROWEST, room - sizes[0]))
    lines = ["   " + _line(HEADS, sizes)]
    symbols = [*(actions[n.name][0] for n in plan.nodes), *("-" for _ in gone)]
    for symbol, row in zip(symbols, rows, strict=True):
        lines.append(f" {symbol} {_line(row, sizes)}")
    return [_cut(line, width) for line in lines]


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    made = []
    for i, (cell, size) in enumerate(zip(cells, sizes, strict=True)):
        cut = _cut(cell, size)
        made.append(cut.ljust(size) if i < 3 else cut.rjust(size))
    return "  ".join(made).rstrip()


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _cells(estimates: Estimates | None, node: PlanNode) -> list[str]:
    calling = bool(node.asked)
    if estimates is None or node.name not in estimates.steps:
        return ["?", *(["?" if calling else "–"] * 3)]
    step = estimates.steps[node.name]
    rows = f"{show(step.rows_in)} → {show(step.rows_out)}"
    return [rows, show(step.calls), show(step.prompt_tokens), show(step.reply_tokens)]


def show(number: Number | None) -> str:
    """A number with the letter of where it came from; exact ones have none."""
    if number is None:
        return "–"
    if number.value is None:
        return "?"
    letter = "" if number.basis == "e" else number.basis
    return f"{show_count(number.value)}{letter}"


# -- below it


def _totals(estimates: Estimates | None) -> list[str]:
    calling = [s for s in estimates.steps.values() if s.calls is not None] if estimates else []
    if not calling:
        return []

    def of(field: str) -> Number:
        return total([getattr(s, field) or UNKNOWN for s in calling])

    def line(name: str, *fields: str) -> str:
        calls, prompt, reply = (show(of(field)) for field in fields)
        return f"   {name:<12}calls {calls:<8} tokens in {prompt:<8} tokens out {reply:<8}"

    seconds = of("seconds")
    time = "" if seconds.value is None else f" time {show_duration(seconds.value)}{seconds.basis}"
    return [
        "",
        f"{line('expected', 'calls', 'prompt_tokens', 'reply_tokens')}{time}".rstrip(),
        line("worst case", "worst_calls", "worst_prompt", "worst_reply").rstrip(),
        "   (worst case: every rung of every ladder, every reply at max_tokens)",
    ]


def _mix(plan: Plan, estimates: Estimates, width: int) -> list[str]:
    if plan.mix is None:
        return []
    wanted = plan.mix["total"]
    size = f"{show_count(wanted)} tokens wanted" if wanted else "as many tokens as the shares allow"
    lines = ["", f"Mix  ({size}, by the tokenizer of {plan.tokenizer})"]
    names = {name: _cut(name, max(16, width - 48)) for name in sorted(plan.mix["parts"])}
    longest = max(16, *map(len, names.values()))
    for name, shown in names.items():
        taken = estimates.taken.get(name)
        tokens = "?" if taken is None else show_count(taken)
        supply = show(estimates.supply.get(name, UNKNOWN))
        weight = show_share(plan.mix["parts"][name]["weight"])
        line = f"   {shown:<{longest}}{weight:>6}   {tokens:>8} of {supply:<9}tokens"
        by = f"   {plan.renders[name]['path']}" if name in plan.renders else ""
        lines.append(line + by if len(line) + len(by) <= width else line)
    human = estimates.human_share
    if human is not None:
        lines.append(
            f"   human parts {show_share(human)} (min {show_share(plan.mix['min_human'])})"
        )
    if wanted and estimates.taken and sum(estimates.taken.values()) < wanted * 0.999:
        policy = plan.mix["on_shortfall"]
        lines.append(f"   short of the total: on_shortfall is {policy}")
    return lines


def _legend(plan: Plan, estimates: Estimates) -> list[str]:
    used: set[Basis] = set()
    for step in estimates.steps.values():
        used |= {n.basis for n in _numbers(step)}
    if plan.mix:
        used |= {n.basis for n in estimates.supply.values()}
    shown = [f"{b} {BASES[b]}" for b in "slha?" if b in used]
    return ["", "   " + "   ".join(["no letter: exact", *shown])] if shown else []


def _numbers(step: StepEstimate) -> list[Number]:
    fields = (step.rows_in, step.rows_out, step.calls, step.prompt_tokens, step.reply_tokens)
    time = step.seconds if step.seconds and step.seconds.value is not None else None
    return [n for n in (*fields, time) if n is not None]


def _summary(
    actions: Mapping[str, tuple[str, str]], estimates: Estimates | None, dropped: int
) -> str:
    counted = {s: sum(1 for a, _ in actions.values() if a == s) for s in "+~↻="} | {"-": dropped}
    words = {"+": "new", "~": "changed", "↻": "run again", "=": "unchanged", "-": "dropped"}
    parts = [f"{n} {words[s]}" for s, n in counted.items() if n]
    reused = (
        [s.reused for s in estimates.steps.values() if s.calls is not None] if estimates else []
    )
    tail = ""
    if reused and max(reused) > 0:
        least, most = show_share(min(reused)), show_share(max(reused))
        held = (
            f"about {most} of the calls" if least == most else f"{least} to {most} of their calls"
        )
        tail = f" The ledger holds {held}."
    return f"Plan: {', '.join(parts)}.{tail}"
