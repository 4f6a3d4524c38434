"""What a reply is made of: parts that become columns, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...types import STR, Type

Shape = Literal["text", "tag", "section", "fence", "boxed"]
SHAPES: tuple[Shape, ...] = ("text", "tag", "section", "fence", "boxed")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a reply, and the column that it becomes.

    Attributes:
        column: The column, of type str.
        shape: `text` is the whole reply, or what the other parts leave of it.
        name: The tag, the heading, or the language of a fence (empty: of any language).
        optional: Whether a reply may lack it; the column is then null.
    """

    column: str
    shape: Shape
    name: str = ""
    optional: bool = False

    @property
    def written(self) -> str:
        """As the front matter writes it, the name filled in."""
        return f"{self.shape}{'?' if self.optional else ''} {self.name}".rstrip()

    @property
    def wanted(self) -> str:
        """What the model has to write.

        >>> Part("answer", "tag", "answer").wanted
        '<answer>…</answer>'
        """
        match self.shape:
            case "tag":
                return f"<{self.name}>…</{self.name}>"
            case "section":
                return f"## {self.name}"
            case "fence":
                return f"```{self.name}"
            case "boxed":
                return "\\boxed{…}"
            case _:
                return "text"


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON object that a reply holds.

    Attributes:
        text: Its JSON Schema, references resolved, as it is sent to engines: properties in the
            order of the file, which is the order in which a held model writes them.
        columns: Top-level properties and their types; nullable where they may be absent.
    """

    text: str
    columns: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The shape of a whole reply; without parts and schema, its text becomes `text`."""

    parts: tuple[Part, ...] = ()
    schema: Schema | None = None

    @property
    def columns(self) -> tuple[tuple[str, Type], ...]:
        """The declared columns and their types; none where nothing is declared."""
        made = tuple((p.column, STR.maybe(p.optional)) for p in self.parts)
        return (*made, *(self.schema.columns if self.schema else ()))

    @property
    def whole(self) -> str | None:
        """The column that takes the reply as it stands, if one does."""
        if not self.parts and self.schema is None:
            return "text"
        alone = len(self.parts) == 1 and self.schema is None
        return self.parts[0].column if alone and self.parts[0].shape == "text" else None

    def canonical(self) -> Mapping[str, Any]:
        """JSON-like, for identity; the order of parts has no meaning."""
        made: dict[str, Any] = {p.column: p.written for p in self.parts}
        return {**made, "json": self.schema.text} if self.schema else made
