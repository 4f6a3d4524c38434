"""The data set's card: a README with the front matter that data set hubs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..compiler.plan import Plan
from ..compiler.quantities import show_share


def write_card(plan: Plan, record: Mapping[str, Any]) -> str:
    """The card of a finished run, in Markdown."""
    recipe = plan.recipe
    output = record["output"]
    lines = ["---"]
    if recipe.get("license"):
        lines.append(f"license: {str(recipe['license']).lower()}")
    lines += [
        "tags: [mashbill]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *(f"  - {{split: {n}, path: {n}-*.{plan.output['format']}}}" for n in _splits(output)),
        "---",
        "",
        f"# {recipe['name']}",
        "",
    ]
    if recipe.get("about"):
        lines += [str(recipe["about"]), ""]
    lines += [
        f"Made by Mashbill, run {record['run']}, plan `{record['plan'][:12]}`. "
        f"{output['rows']:,} rows.",
        "",
        "## Sources",
        "",
        "| source | licence | origin |",
        "|---|---|---|",
        *(f"| {n} | {s['license']} | {s['origin']} |" for n, s in sorted(plan.sources.items())),
        "",
    ]
    lines += _mix(record.get("mix")) + _split_table(plan, output) + _steps(record) + _models(plan)
    lines += [
        "## Columns",
        "",
        "`_doc` names the document that a row comes from, `_id` the row, `_source` its source, and "
        "`_origin` whether its text is human or holds a model's words (`synthetic`).",
        "",
        "## Limitations",
        "",
        "Checks reject what they can see; they do not make text true. A model's words may still be "
        "wrong where no check looks.",
        "",
    ]
    return "\n".join(lines)


def _splits(output: Mapping[str, Any]) -> list[str]:
    """Names of the splits, the largest first, as data set hubs show them."""
    rows: dict[str, int] = {}
    for shard in output["shards"]:
        rows[shard["split"]] = rows.get(shard["split"], 0) + shard["rows"]
    return sorted(rows, key=lambda n: (-rows[n], n))


def _split_table(plan: Plan, output: Mapping[str, Any]) -> list[str]:
    if not plan.split:
        return []
    rows = [
        f"| {n} | {sum(s['rows'] for s in output['shards'] if s['split'] == n):,} "
        f"| {show_share(plan.split[n])} |"
        for n in _splits(output)
    ]
    return [
        "## Splits",
        "",
        "By document: what is made of one stays with it.",
        "",
        "| split | rows | share of documents |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _mix(mix: Mapping[str, Any] | None) -> list[str]:
    if not mix:
        return []
    rows = [
        f"| {n} | {p['taken_rows']:,} | {p['taken']:,} | {show_share(p['share'])} "
        f"| {p['epochs']:.2f} |"
        for n, p in sorted(mix["parts"].items())
    ]
    return [
        "## Mix",
        "",
        f"{mix['tokens']:,} tokens, of which {show_share(mix['human_share'])} human.",
        "",
        "| part | rows | tokens | share | epochs |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _steps(record: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, a in record["steps"].items():
        reasons = ", ".join(f"{k} {v:,}" for k, v in a["rejected"].items()) or "–"
        rows.append(f"| {name} | {a['in']:,} | {a['out']:,} | {reasons} |")
    return [
        "## Steps",
        "",
        "| step | rows in | rows out | rejected |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _models(plan: Plan) -> list[str]:
    used = {m for n in plan.nodes for m in n.asked}
    if not used:
        return []
    rows = [
        f"| {name} | {m['engine']}/{m['model']} | `{m['digest'][:16]}` |"
        for name, m in sorted(plan.models.items())
        if name in used
    ]
    return ["## Models", "", "| name | model | digest |", "|---|---|---|", *rows, ""]
