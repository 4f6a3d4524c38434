"""From the fields of a row to training text, by a render template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import DictLoader

from ..compiler.prompts.canonical import trim_edges
from ..compiler.prompts.text_template import TextTemplate, read_template
from ..compiler.types import ANY
from .control_tokens import breaker, neutralise
from .prompting import Sandbox, collect, context_of


def text_of(template: TextTemplate, row: Mapping[str, Any], special: Sequence[str] = ()) -> str:
    """The training text of a row.

    Null renders as nothing, `true` and `false` as these words, lists and structs as JSON. Blank
    lines at the beginning and end are dropped.

    What a row holds goes into the text to the letter, so that what was executed or checked is what
    is trained on. There is one exception: a template that writes control tokens itself
    (`<|im_start|>`) makes turns of the text, and there those inside values are broken as in prompts
    (`control_tokens`), so that no row can end a turn.

    Args:
        template: From `read_template`.
        row: Has the columns that the template reads.
        special: Control tokens of the tokenizer that the text is for; the general ones are known.

    Raises:
        RenderError: The row lacks a column, or its text would be far too long.
    """
    return _compiled(template, tuple(special)).text(row)


def load_template(carried: Mapping[str, Any], files: Mapping[str, str]) -> TextTemplate:
    """A template as a plan carries it; the types of its columns were checked when it was made.

    Args:
        carried: Its `path`, and the columns that it `reads`.
        files: Texts by path.

    Raises:
        ValueError: It does not read.
    """
    columns = dict.fromkeys(carried["reads"], ANY)
    template, problems = read_template(carried["path"], files.__getitem__, columns)
    if template is None:
        raise ValueError(f"the plan's template does not read: {problems}")
    return template


class _Compiled:
    def __init__(self, template: TextTemplate, special: Sequence[str]) -> None:
        self._names = template.reads
        sandbox = Sandbox(loader=DictLoader(dict(template.includes)))
        self._template = sandbox.from_string(template.text)
        own = (template.text, *dict(template.includes).values())
        turns = any(neutralise(text, special) != text for text in own)
        self._break = breaker(special) if turns else None

    def text(self, row: Mapping[str, Any]) -> str:
        text, outside = collect(self._template, context_of(self._names, row))
        return trim_edges(self._break(text, outside) if self._break else text)


@lru_cache(maxsize=64)
def _compiled(template: TextTemplate, special: tuple[str, ...]) -> _Compiled:
    return _Compiled(template, special)
