"""Binding of render templates: their columns, and whose words the text then holds."""

from __future__ import annotations

from .asking import reader_for, siblings_of
from .document import Node, plain
from .graph import Edge, Render, Rows
from .prompts.text_template import TextTemplate, read_template
from .prompts.use import used_by
from .recipe import Origin, PartDecl
from .scope import Binding
from .types import Columns


def bind_template(
    node: Node,
    columns: Columns,
    binding: Binding,
    files: dict[str, str],
    *,
    unsure: bool,
    user: str,
) -> TextTemplate | None:
    """Read and check the render template that a node of the recipe names.

    Args:
        node: Its path.
        columns: Of the rows that it is rendered for.
        binding: Gets what is wrong.
        files: Gets the text of each file that the template was read from, by path.
        unsure: Whether there may be columns that `columns` does not name.
        user: What names it, for people: "part `math`".

    Returns:
        None if it is wrong, and that has been said.
    """
    path = str(plain(node))
    read = reader_for(path, node, binding, files, "render template")
    if read is None:
        return None
    template, problems = read_template(
        path,
        read,
        columns,
        unsure=unsure,
        shown=binding.world.shown(path),
        siblings=siblings_of(binding),
    )
    told = used_by("", node.span, problems, words=f"{user} uses this template")
    binding.diagnostics.extend(told)
    return template


def bind_render(part: PartDecl, rows: Rows, binding: Binding, *, unsure: bool) -> Render | None:
    """The render template of a part of the mix; None if it has none, or it is wrong."""
    if part.render is None or binding.faulty(part.render.span):
        return None
    files: dict[str, str] = {}
    user = f"part `{Edge(part.input.name, part.input.port)}`"
    template = bind_template(part.render, rows.columns, binding, files, unsure=unsure, user=user)
    if template is None:
        return None
    # Whether the words of `text` itself are a model's, each row says.
    modelled = tuple(c for c in template.reads if c in rows.modelled and c != "text")
    return Render(template, files, modelled, _origin(rows, modelled))


def _origin(rows: Rows, modelled: tuple[str, ...]) -> Origin:
    """Of the rendered text: a column that is null in some rows puts no model's words in those."""
    if not modelled or rows.origin == "synthetic":
        return rows.origin
    return "mixed" if all(rows.columns[c].nullable for c in modelled) else "synthetic"
