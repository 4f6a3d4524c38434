"""A preview as a page: one file that needs no network and runs no script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from .preview import FOLDER
from .runs import write_whole

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid; margin-top: 2rem; }
h2 { font-size: 1.1rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
@media (max-width: 50rem) { .pair { grid-template-columns: 1fr; } }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0; padding: .75rem;
  border: 1px solid; border-radius: .25rem; }
.lost { font-weight: bold; }
"""


def write_page(found: Mapping[str, Any], state: Path) -> Path | None:
    """Write `index.html` of a preview; None if the disk does not take it.

    Args:
        found: As `Preview.to_json` gives it.
        state: The project's `.mashbill`.
    """
    path = state / FOLDER / "index.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page(found))
    except OSError:
        return None
    return path


def page(found: Mapping[str, Any]) -> str:
    """The page's HTML; whatever rows and replies hold is escaped."""
    title = escape(f"{found['recipe']}: {len(found['rows'])} rows")
    body = "\n".join(part for row in found["rows"] for part in _row(row))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n"
        f"<p>{found['calls']:,} calls, {found['reused']:,} more from the ledger, "
        f"{found['prompt_tokens']:,} tokens in, {found['completion_tokens']:,} out.</p>\n"
        f"{body}\n</html>\n"
    )


def _row(row: Mapping[str, Any]) -> Iterator[str]:
    lost = "" if row["verdict"] == "kept" else ' class="lost"'
    yield f"<article><h2>{escape(row['source'])}:{escape(str(row['doc']))}</h2>"
    yield f"<p{lost}>{escape(row['verdict'])}</p>"
    yield f"<details><summary>source</summary>{_pre(row['text'])}</details>"
    for step in row["steps"]:
        for outcome in step["outcomes"]:
            yield from _outcome(step, outcome)
    yield "</article>"


def _outcome(step: Mapping[str, Any], outcome: Mapping[str, Any]) -> Iterator[str]:
    by = f" by {step['model']}" if step["model"] else ""
    end = "" if outcome["end"] == "out" else f": {outcome['end']} {outcome['reason']}"
    yield f"<h3>{escape(step['step'])}   {escape(step['op'] + by + end)}</h3>"
    if outcome["checks"]:
        yield _checks(outcome["checks"])
    if not outcome["units"]:
        changed = [row for row in outcome["changed"] if row]
        if changed:
            yield f'<div class="pair">{_pre(step["input"])}{_pre(_columns(changed))}</div>'
        return
    for unit in outcome["units"]:
        yield f'<div class="pair">{_pre(unit["input"])}<div>'
        for attempt in unit["attempts"]:
            told = "accepted"
            if attempt["failed"]:
                evidence = json.dumps(attempt["evidence"], ensure_ascii=False, default=str)
                told = f"refused by {attempt['failed']}: {attempt['reason']} {evidence}"
            yield f"{_pre(attempt['reply'])}<p>{escape(told)}</p>{_checks(attempt['checks'])}"
        yield f"</div></div><p>{escape(unit['end'])}</p>"
        turns = "\n\n".join(f"{m['role']}: {m['content']}" for m in unit["prompt"])
        yield f"<details><summary>prompt</summary>{_pre(turns)}</details>"


def _checks(found: list[Mapping[str, Any]]) -> str:
    items = []
    for check in found:
        state = "ok" if check["passed"] else check["reason"] or "failed"
        evidence = json.dumps(check["evidence"], ensure_ascii=False, default=str)
        items.append(f"<li>{escape(check['check'])} {escape(state)} {escape(evidence)}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _columns(rows: list[Mapping[str, Any]]) -> str:
    return "\n".join(f"{name}: {value}" for row in rows for name, value in row.items())


def _pre(text: object) -> str:
    return f"<pre>{escape(str(text or ''))}</pre>"
