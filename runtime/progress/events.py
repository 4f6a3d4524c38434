"""What a run says while it goes, for programs: one JSON object a line.

Written to stderr where that is no terminal (or with `--format ndjson`), and always to
`.mashbill/runs/RUN/events.ndjson`. Every event has `event`, `time` (seconds since 1970) and `run`:

| event | when | and besides |
|---|---|---|
| `start` | once | `recipe`, `plan`, `passes`, `retry`, `estimates`, `go_on`: what to type |
| `progress` | every 15 s, and at the end | `seconds`, `steps`, `models`, `forecast`, speeds |
| `step` | a step is done | `step`: its counts, as in the run record |
| `stopping` | a signal, a cap or a breaker | `cause`, `message` |
| `warning` | `plan` noticed something | `code`, `message`, `place`; on stderr, before `start` |
| `warning` | the forecast left the plan (B557) | `code`, `message`; once for each quantity |
| `warning` | a model's thoughts are billed (M254), told at the end | `code`, `message` |
| `error` | the first row that a step lost to a kind of fault | `step`, `reason`, `doc`, `message` |
| `end` | once | `status`, `problem`, `seconds`, `rows`, `errors`, `path`, `go_on` |

A killed run has no `end`. Readers must pass over fields and events that they do not know.
"""

from __future__ import annotations

import time
from typing import Any

import orjson

Event = dict[str, Any]


def make_event(kind: str, run: str, **fields: Any) -> Event:
    """An event that happens now."""
    return {"event": kind, "time": round(time.time(), 3), "run": run, **fields}


def event_line(event: Event) -> bytes:
    """An event as its line."""
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n"
