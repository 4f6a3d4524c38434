"""From a prompt and a row to the turns that a model is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import xxhash
from jinja2 import (
    DictLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    Undefined,
    nodes,
)
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..compiler.prompts import FILTERS, OPTIONS, PromptFile
from ..compiler.prompts.canonical import trim_edges
from ..compiler.prompts.record import REPLY
from .control_tokens import breaker
from .requests import Message, Role

MAX_CHARACTERS = 16_000_000
"""A rendered block is never longer: more than any model reads, and little enough to hold."""

MAX_PIECES = 1_000_000
"""Nor is it made of more pieces …"""

MAX_STEPS = 1_000_000
"""… or by looking at more items of lists, so that a loop over a loop ends, if it prints or not."""


class RenderError(Exception):
    """A prompt cannot be rendered for a row: a value is missing, mistyped or far too long."""


class _Value(str):
    """Text that a row gave, as opposed to the prompt's own."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


class Renderer:
    """A prompt, compiled once, that makes turns for rows.

    Null renders as nothing, `true` and `false` as these words, lists and structs as JSON. Blank
    lines at the beginning and end of a turn are dropped. Control tokens inside row values are
    broken (`control_tokens`), also those that exist only after rendering; the prompt's own text and
    its examples are the author's and are left as they are.
    """

    def __init__(self, prompt: PromptFile, special: Sequence[str] = ()) -> None:
        """Compile a prompt.

        Args:
            prompt: From `read_prompt`, which has refused what must not be rendered.
            special: Control tokens of the model's chat template.
        """
        environment = Sandbox(loader=DictLoader(dict(prompt.includes)))
        self._blocks = {n: environment.from_string(source) for n, source in prompt.blocks}
        self._names = tuple(name for name, _ in prompt.inputs)
        self._break = breaker(special)
        self._k = prompt.example_k
        self._fixed: dict[str, str | None] = {}
        rows = prompt.rows()
        asked = (self._render("user", row, trusted=True) for row in rows)
        self._examples = tuple((q or "", str(r[REPLY])) for q, r in zip(asked, rows, strict=True))
        empty = dict.fromkeys(self._names)
        blocks = dict(prompt.blocks)
        fixed = [r for r in get_args(Role) if r in blocks and _is_fixed(environment, blocks[r])]
        self._fixed = {role: self._render(role, empty) for role in fixed}

    def messages(
        self, values: Mapping[str, Any], draw_examples: str | None = None
    ) -> tuple[Message, ...]:
        """The turns for a row: system, examples, user, and the beginning of the reply, if given.

        Args:
            values: The row; only declared inputs are looked at.
            draw_examples: What decides which `k` examples are drawn, and their order, if the prompt
                asks for fewer than there are; None takes the first ones.

        Raises:
            RenderError: The row cannot be rendered.
        """
        turns: list[Message] = []
        if system := self._render("system", values):
            turns.append(Message("system", system))
        for question, reply in self._drawn(draw_examples):
            turns += [Message("user", question), Message("assistant", reply)]
        turns.append(Message("user", self._render("user", values) or ""))
        if prefill := self._render("assistant", values):
            turns.append(Message("assistant", prefill))
        return tuple(turns)

    def _drawn(self, draw: str | None) -> Sequence[tuple[str, str]]:
        if self._k is None or self._k >= len(self._examples):
            return self._examples
        if draw is None:
            return self._examples[: self._k]
        digest = xxhash.xxh3_64_intdigest
        order = sorted(range(len(self._examples)), key=lambda i: digest(f"{i}:{draw}".encode()))
        return [self._examples[i] for i in order[: self._k]]

    def _render(
        self, block: Role, values: Mapping[str, Any], *, trusted: bool = False
    ) -> str | None:
        template = self._blocks.get(block)
        if template is None:
            return None
        if block in self._fixed and not trusted:
            return self._fixed[block]
        text, outside = collect(template, context_of(self._names, values))
        return trim_edges(text if trusted else self._break(text, outside))


def context_of(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The named values of a row; a dotted one becomes a field of what stands before the dot.

    Raises:
        RenderError: The row lacks one.
    """
    context: dict[str, Any] = {}
    for name in names:
        if name not in values:
            raise RenderError(f"the row has no `{name}`")
        *path, last = name.split(".")
        inner = context
        for part in path:
            if not isinstance(inner.get(part), _Fields):
                inner[part] = _Fields(inner.get(part) or {})
            inner = inner[part]
        inner[last] = values[name]
    steps = [MAX_STEPS]
    return {name: _metered(value, steps) for name, value in context.items()}


def _is_fixed(environment: Environment, source: str) -> bool:
    """Whether a block is the same for every row: it reads no input, and includes nothing."""
    tree = environment.parse(source)
    return not find_undeclared_variables(tree) and not any(tree.find_all(nodes.Include))


class _Fields(dict[str, Any]):
    """What dotted inputs share before their dot."""


class _Items(list[Any]):
    """A list whose looking through is counted, over all lists of one rendering."""

    def __init__(self, items: Iterable[Any], steps: list[int]) -> None:
        super().__init__(items)
        self._steps = steps

    def __iter__(self) -> Iterator[Any]:
        self._take()
        return super().__iter__()

    def __contains__(self, item: object) -> bool:
        self._take()
        return super().__contains__(item)

    def _take(self) -> None:
        self._steps[0] -= len(self) + 1
        if self._steps[0] < 0:
            raise RenderError(f"its loops look at more than {MAX_STEPS:,} items")


def _metered(value: Any, steps: list[int]) -> Any:
    if isinstance(value, list | tuple):
        return _Items((_metered(v, steps) for v in value), steps)
    if isinstance(value, Mapping):
        return {name: _metered(v, steps) for name, v in value.items()}
    return value


def collect(template: Template, context: dict[str, Any]) -> tuple[str, list[tuple[int, int]]]:
    """The rendered text, and which ranges of it came from values. Raises `RenderError`."""
    pieces: list[str] = []
    outside: list[tuple[int, int]] = []
    size = 0
    try:
        for piece in template.root_render_func(template.new_context(context)):
            if not piece:
                continue
            pieces.append(piece)
            if isinstance(piece, _Value):
                outside.append((size, size + len(piece)))
            size += len(piece)
            if size > MAX_CHARACTERS or len(pieces) > MAX_PIECES:
                raise RenderError(f"the prompt is longer than {MAX_CHARACTERS:,} characters")
    except TemplateError as error:
        raise RenderError(error.message or type(error).__name__) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise RenderError(str(error)) from None
    return "".join(pieces), outside


class Sandbox(ImmutableSandboxedEnvironment):
    """Renders what the whitelist allows and nothing else, even if something slipped through it."""

    def __init__(self, loader: DictLoader) -> None:
        super().__init__(
            **OPTIONS, loader=loader, undefined=StrictUndefined, finalize=_finalize, optimized=True
        )
        self.globals.clear()
        self.tests = {"none": self.tests["none"]}
        self.filters = {name: _FILTERS[name] for name in FILTERS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a struct, null if it has none; never an attribute of a Python object."""
        if isinstance(obj, Mapping):
            return obj.get(attribute)
        if type(obj).__name__ == "LoopContext":
            return super().getattr(obj, attribute)
        return None if obj is None else self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item or a field; null where there is none."""
        if isinstance(obj, Mapping):
            return obj.get(argument)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return None

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing may be called."""
        return False


def _finalize(value: Any) -> Any:
    # Undefined must reach `str`, which says what is missing.
    return value if isinstance(value, Undefined) else _Value(_show(value))


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    import orjson

    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Iterable):
        return list(value)
    return str(value)


def _join(value: Any, separator: str = "") -> str:
    if value is None:
        return ""
    shown = [_show(v) for v in value if v is not None]
    if sum(map(len, shown)) + len(separator) * len(shown) > MAX_CHARACTERS:
        raise RenderError(f"the prompt is longer than {MAX_CHARACTERS:,} characters")
    return separator.join(shown)


_FILTERS: Mapping[str, Any] = {
    "trim": lambda v: _show(v).strip(),
    "lower": lambda v: _show(v).lower(),
    "upper": lambda v: _show(v).upper(),
    "join": _join,
    "length": lambda v: None if v is None else len(v),
}
