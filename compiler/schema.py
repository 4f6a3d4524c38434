"""The JSON Schema of a recipe in pieces: those that operators share, and the fixed places.

Pieces are plain dicts, closed (`additionalProperties: false`) and described. A short form is one
more entry of `type`, since `pattern`, `minimum`, `properties` and `items` each bind one type only;
so there is no `anyOf`, whose errors say nothing. `shape.py` checks with the pieces one at a time;
`editor.py` joins them into one. The keyword `format` names what a value stands for; JSON Schema
readers that do not know a name ignore it.
"""

from __future__ import annotations

from typing import Any

from .codes import CODES
from .registry import Operator

Schema = dict[str, Any]

NAME = r"^(?!(?:on|off|yes|no|y|n)$)[a-z][a-z0-9_]*$"
PORT = r"^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?$"


def closed(about: str, properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:
    """A map with just these keys."""
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def named(about: str, value: Schema, names: str = NAME, **more: Any) -> Schema:
    """A map from names that the user chooses."""
    return {
        "description": about,
        "type": "object",
        "propertyNames": {"pattern": names},
        "additionalProperties": value,
        **more,
    }


def text(about: str, **more: Any) -> Schema:
    """A string."""
    return {"description": about, "type": "string", "minLength": 1, **more}


def number(about: str, low: float, high: float | None = None, kind: str = "number") -> Schema:
    """A number between two bounds, both allowed."""
    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return {"description": about, "type": kind, **bounds}


def share(about: str) -> Schema:
    """A share: `0.5` or `50%`."""
    return {"description": about, "type": ["number", "string"], "format": "share"}


SAMPLING_SCHEMA: Schema = closed(
    "How a reply is drawn. What is absent is the model's, then the engine's default.",
    {
        "temperature": number("0 is greedy.", 0, 5),
        "top_p": number("Smallest set of tokens with this much probability.", 0, 1),
        "top_k": number("Only the k likeliest tokens.", 1, kind="integer"),
        "min_p": number("Drop tokens below this share of the likeliest one's probability.", 0, 1),
        "repetition_penalty": number("Above 1 discourages tokens that came before.", 0.1, 10),
        "stop": {
            "description": "Texts that end a reply.",
            "type": ["string", "array"],
            "minLength": 1,
            "items": {"type": "string", "minLength": 1},
        },
        "max_tokens": number("Longest reply, in tokens.", 1, kind="integer"),
    },
    format="sampling",
)

CHUNK_SCHEMA: Schema = closed(
    "Cut each document, treat the pieces one by one, join them again.",
    {
        "by": {"description": "Where to cut.", "enum": ["sentence", "paragraph"]},
        "max": {
            "description": "Longest piece: `60 tokens`.",
            "type": ["string", "number"],
            "format": "tokens",
        },
    },
    ("by", "max"),
    format="chunk",
)

_RETRY: Schema = closed(
    "Ask again, with a new draw: how often, or `{ times, sampling, for }`.",
    {
        "times": number("How often.", 1, 100, "integer"),
        "sampling": SAMPLING_SCHEMA,
        "for": {
            "description": "Only when one of these checks failed.",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
        },
    },
    ("times",),
    type=["integer", "object"],
    minimum=1,
    maximum=100,
)
_REPAIR: Schema = closed(
    "Ask for a repair, told what failed and why: a prompt, or `{ times, prompt, model, … }`.",
    {
        "times": number("How often; once if absent.", 1, 100, "integer"),
        "prompt": text(
            "The prompt: it sees the row, `check`, `reason`, `evidence` and the failed `reply`.",
            format="prompt",
        ),
        "model": text("Who repairs; the step's own model if absent.", format="model"),
        "sampling": SAMPLING_SCHEMA,
        "for": {
            "description": "Only when one of these checks failed.",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
        },
    },
    ("prompt",),
    type=["string", "object"],
    minLength=1,
)
_RUNG: Schema = closed(
    "`retry: 1`, `repair: prompts/fix.md.j2`, `fallback: input`, `route` or `reject`.",
    {
        "retry": _RETRY,
        "repair": _REPAIR,
        "fallback": {
            "description": "Take the text that was given instead; it is human again.",
            "enum": ["input"],
        },
    },
    type=["string", "object"],
    pattern="^(?:route|reject)$",
    minProperties=1,
    maxProperties=1,
    format="rung",
)
FORM_REASONS = ("empty", "truncated", "unparsed")
"""What a reply fails for before any check sees it; `for:` of a rung may name them."""

LADDER_SCHEMA: Schema = {
    **_RUNG,
    "description": "What to do when a check fails, tried in order; at the end the row is rejected.",
    "type": ["string", "object", "array"],
    "minItems": 1,
    "items": _RUNG,
    "format": "ladder",
}

UNTIL_SCHEMA: Schema = closed(
    "When to stop drawing: `{ accepted: 4 }` or `{ vote: answer }`.",
    {
        "accepted": number("So many draws have passed the step's checks.", 1, kind="integer"),
        "spread": {
            "description": "As many accepted draws of each row, or more of hard ones.",
            "enum": ["uniform", "hard"],
        },
        "pilot": number("Draws that tell how hard a row is; 4 if absent.", 1, kind="integer"),
        "vote": text("The vote over this column is decided."),
        "agree": share("Share of all draws that the winner needs."),
        "compare": {
            "description": "What makes two values one vote.",
            "enum": ["answer", "text"],
        },
    },
    format="until",
    minProperties=1,
)

JSON_SCHEMA: Schema = {
    "description": "A JSON Schema: a file of the recipe, or the schema itself.",
    "type": ["string", "object"],
    "minLength": 1,
    "format": "json_schema",
}

COLUMNS_SCHEMA: Schema = {
    "description": "A column, or several: [reasoning, answer].",
    "type": ["string", "array"],
    "minLength": 1,
    "minItems": 1,
    "items": {"type": "string", "minLength": 1},
    "format": "columns",
}

SWAP_SCHEMA: Schema = {
    "description": "Two columns that a prompt shows, and that are shown in both orders: [a, b].",
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "minItems": 2,
    "maxItems": 2,
}

CHECKS_SCHEMA: Schema = named(
    "Name → parameters of the check of that kind, or of `kind:`.",
    {
        "type": "object",
        "properties": {"kind": text("The kind of check, where the name is another.")},
    },
    format="checks",
    minProperties=1,
)

SET_SCHEMA: Schema = named(
    "Computed columns: new → a value, or an expression that begins with `=`.",
    {"type": ["string", "number", "boolean"]},
    format="set",
    minProperties=1,
)

_WHEN: Schema = {
    "description": "The rows that the step applies to, as an expression; the rest pass unchanged.",
    "type": ["string", "boolean"],
    "format": "expression",
}
_FROM: Schema = {
    "description": "The step or source it reads (`good`, `good.rejected`); a list is a union.",
    "type": ["string", "array"],
    "pattern": PORT,
    "minItems": 1,
    "items": {"type": "string", "pattern": PORT},
}
STEP_KEYS: Schema = {
    "op": text("The operator."),
    "from": _FROM,
    "when": _WHEN,
    "set": SET_SCHEMA,
    "limit": number("Only the first N rows, by document.", 1, kind="integer"),
}

_USE: Schema = {
    "description": "engine/model, as in local/smollm2-135m.",
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]*/\S.*$",
    "format": "engine",
}
OPTIONS: Schema = {
    "api": {
        "description": "What is sent: turns of a chat, or one text to go on with.",
        "enum": ["chat", "completion"],
    },
    "thinking": {
        "description": "Whether a model that can think before it replies does so.",
        "type": "boolean",
    },
    "task": {
        "description": "What the model does: write, rate a reply or a pair of texts, say whether a "
        "text follows from another, or embed one.",
        "enum": ["generate", "reward", "score", "nli", "embed"],
    },
    "revision": text("Branch, tag or commit of the weights on a hub."),
    "lora": text("Folder or hub name of a LoRA adapter."),
    "dtype": {
        "description": "Number format of the weights while running.",
        "enum": ["auto", "bfloat16", "float16", "float32"],
    },
    "quantization": text("How weights are quantised while loading: fp8."),
}
"""Keys of a model that are part of its identity. Each engine says which of them it knows."""

_PRICED = ["number", "string"]
PRICE: Schema = closed(
    "What its tokens cost, in US dollars. Never part of identity.",
    {
        "input": {"description": "Of `per` input tokens.", "type": _PRICED, "format": "price"},
        "output": {"description": "Of `per` output tokens.", "type": _PRICED, "format": "price"},
        "cached_input": {
            "description": "Of `per` input tokens that the server says it had seen before.",
            "type": _PRICED,
            "format": "price",
        },
        "per": {
            "description": "How many tokens a price is for; `1M tokens` if absent.",
            "type": "string",
            "format": "tokens",
        },
        "as_of": {
            "description": "The day that the prices are of: 2026-11-01.",
            "type": "string",
            "format": "day",
        },
    },
    ("input", "output"),
)
HARDWARE: Schema = closed(
    "What the run's own engines run on, and what it costs. Never part of identity.",
    {
        "gpu": text("Kind of GPU: H200; `auto` is what is found."),
        "count": number("How many of them.", 1, kind="integer"),
        "usd_per_gpu_hour": {
            "description": "What an hour of one costs; null where nobody knows.",
            "type": ["number", "string", "null"],
            "format": "price",
        },
    },
)

MODEL: Schema = closed(
    "A named engine, weights and sampling; in short engine/model.",
    {
        "use": _USE,
        "url": {
            "description": "Address of an `http` model, or a list of equal servers; "
            "`${NAME}` is an environment variable.",
            "type": ["string", "array"],
            "minLength": 1,
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
        },
        "key": text("Name of the secret: `${NAME}`. Never stored, hashed or printed."),
        "sampling": SAMPLING_SCHEMA,
        **OPTIONS,
        "price": PRICE,
        "placement": {
            "description": "Engine settings that never change a reply.",
            "type": "object",
        },
    },
    ("use",),
    type=["string", "object"],
    pattern=_USE["pattern"],
    format="engine",
)

_COLUMN = text("A column's name.")
SOURCE: Schema = closed(
    "Where rows come from.",
    {
        "path": text(
            "Files, as a pattern from the recipe, or an address: `pages/*.jsonl.gz`, `hf://…`."
        ),
        "text": text("The column that is the document; `text` if absent."),
        "columns": named("Columns to take: new → from.", _COLUMN),
        "key": text("The column that names the document, and keeps its identity across edits."),
        "format": {
            "description": "Of its files, where their suffix does not say.",
            "enum": ["jsonl", "parquet", "arrow", "csv", "tsv", "text"],
        },
        "delimiter": text(
            "What stands between the fields of a CSV file: `;`.", pattern=r"^[^\"\r\n]$"
        ),
        "license": text("As an SPDX identifier: CC-BY-4.0. `unknown` must be acknowledged."),
        "origin": {
            "description": "Who wrote the text.",
            "enum": ["human", "synthetic", "mixed"],
        },
        "limit": number("Only the first N rows, by document.", 1, kind="integer"),
        "acknowledge": {
            "description": "Diagnostics that are known and accepted: [G702].",
            "type": "array",
            "items": {"enum": sorted(c for c in CODES if c.startswith("G"))},
        },
    },
    ("path", "license", "origin"),
)

_LIMIT_TYPES = ["number", "string"]
PARAM: Schema = closed(
    "A parameter: its value, or `{ default, min, max, one_of, about }`. Read as `= params.name`.",
    {
        "default": {
            "description": "Its value unless a profile or --set gives another; says its type.",
            "type": ["number", "string", "boolean"],
        },
        "min": {"description": "The least it may be.", "type": _LIMIT_TYPES},
        "max": {"description": "The most it may be.", "type": _LIMIT_TYPES},
        "one_of": {
            "description": "All that it may be.",
            "type": "array",
            "minItems": 1,
            "items": {"type": ["number", "string", "boolean"]},
        },
        "about": text("What it decides, in a sentence."),
    },
    ("default",),
    type=["number", "string", "boolean", "object"],
)

PART: Schema = closed(
    "Its share of the tokens, or `{ weight, max_epochs, render }`.",
    {
        "weight": share("Its share of the tokens."),
        "max_epochs": number("How often its rows may repeat to reach it.", 1),
        "render": text("The template (`*.j2`) that makes a row's text.", format="template"),
    },
    ("weight",),
    type=["number", "string", "object"],
    format="share",
)
MIX: Schema = closed(
    "The shares of the final data set, in tokens.",
    {
        "total": {
            "description": "Size of the data set: `2M tokens`.",
            "type": ["string", "number"],
            "format": "tokens",
        },
        "parts": named("Step or source → its share.", PART, PORT, minProperties=1),
        "max_source": named(
            "Source → the most of the data set's tokens that may come from it.",
            share("The most of the data set's tokens that may come from this source."),
            minProperties=1,
        ),
        "min_human": share("Least share of human text; no shortfall policy lowers it."),
        "on_shortfall": {
            "description": "What to do when a part cannot fill its share.",
            "enum": ["error", "reweight", "repeat", "shrink"],
        },
    },
    ("total", "parts"),
)
SPLIT: Schema = {
    "description": "Name → share of the documents; what is made of one stays with it.",
    "type": "object",
    "propertyNames": {"pattern": NAME},
    "properties": {"by": {"description": "What is never torn apart.", "enum": ["document", "row"]}},
    "additionalProperties": share("Its share of the documents."),
    "minProperties": 1,
}
OUTPUT: Schema = closed(
    "Where and how the data set is written.",
    {
        "path": text("Folder; `out/<name>` if absent."),
        "format": {"description": "File format.", "enum": ["parquet", "jsonl"]},
        "shard": {
            "description": "Size of a file: `256MB`.",
            "type": ["string", "number"],
            "format": "bytes",
        },
        "columns": {
            "description": "Columns to write; the text and all that the recipe names if absent.",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
        },
    },
)

_SPENT: Schema = {
    "usd": {
        "description": "Money: 150 or $150.",
        "type": ["number", "string"],
        "format": "dollars",
    },
    "tokens": {
        "description": "Output tokens: 3B.",
        "type": ["number", "string"],
        "format": "cap",
    },
    "input_tokens": {
        "description": "Input tokens: 10B.",
        "type": ["number", "string"],
        "format": "cap",
    },
    "requests": {
        "description": "Requests sent, whatever became of them: 30k.",
        "type": ["number", "string"],
        "format": "count",
    },
}
_BREAKER: Schema = closed(
    "Stops the run when the rows of a step go wrong.",
    {
        "after": {
            "description": "Rows of the step, from its first, before it may trip: 500.",
            "type": ["number", "string"],
            "format": "count",
        },
        "when": {
            "description": "An expression over shares of the rows done: `rejected`, `errors`, "
            "`accepted`, `truncated`.",
            "type": ["string", "boolean"],
            "minLength": 1,
            "format": "expression",
        },
        "step": {
            "description": "The step that it watches; every model step if absent.",
            "type": "string",
            "pattern": NAME,
        },
    },
    ("after", "when"),
)
BUDGET: Schema = closed(
    "Caps on what a data set may cost, over all its runs. Never part of identity.",
    {
        **_SPENT,
        "gpu_hours": {
            "description": "Hours of GPUs while an engine of the run's own is up: 40.",
            "type": ["number", "string"],
            "format": "hours",
        },
        "wall": {
            "description": "Time that runs may take: 24h.",
            "type": ["number", "string"],
            "format": "duration",
        },
        "steps": named(
            "Step → caps of its own.",
            closed("Caps of one step.", _SPENT, minProperties=1),
            minProperties=1,
        ),
        "breakers": {
            "description": "When to stop for what becomes of rows; `[]` for never.",
            "type": "array",
            "items": _BREAKER,
        },
    },
    minProperties=1,
)

TOP: Schema = closed(
    "A Mashbill recipe.",
    {
        "mashbill": {"description": "Version of this format.", "const": 1},
        "name": {"description": "Name of the recipe.", "type": "string", "pattern": NAME},
        "about": text("What the data set is, in a sentence."),
        "version": text("Version of the data set; goes on its card. A string: '1.0'."),
        "license": text("Licence of the data set, as an SPDX identifier."),
        "seed": {
            "description": "Every draw derives from it.",
            "type": "integer",
            "minimum": 0,
        },
        "params": named(
            "Name → value, or more about it; read as `= params.name`.", PARAM, minProperties=1
        ),
        "profiles": named(
            "Name → changes that `--profile` lays over the recipe: dotted path → value.",
            {"type": "object", "minProperties": 1},
        ),
        "hardware": HARDWARE,
        "tokenizer": text("The unit of token counts: a model of this recipe, or a tokenizer."),
        "models": named("Name → engine/model, or more about it.", MODEL),
        "sources": named("Name → where rows come from.", SOURCE, minProperties=1),
        "steps": named("Name → one operator applied to rows of others.", {"type": "object"}),
        "mix": MIX,
        "split": SPLIT,
        "output": OUTPUT,
        "budget": BUDGET,
    },
    ("mashbill", "name", "sources"),
)


def step_schema(operator: Operator) -> Schema:
    """The closed schema of a step with this operator."""
    own = operator.schema
    properties = {**STEP_KEYS, "op": {"description": "The operator.", "const": operator.name}}
    described = {
        k: {"description": f"See `{operator.name}`.", **v} for k, v in own["properties"].items()
    }
    required = ("op", "from", *own["required"])
    return closed(operator.about, {**properties, **described}, required)


def kind_schema(operator: Operator) -> Schema:
    """The closed schema of the parameters of a check of one kind."""
    own = operator.schema
    properties = {
        k: {"description": f"See `{operator.name}`.", **v} for k, v in own["properties"].items()
    }
    kind = {"kind": {"description": "The kind of check.", "const": operator.name}}
    return closed(operator.about, {**kind, **properties}, tuple(own["required"]))
