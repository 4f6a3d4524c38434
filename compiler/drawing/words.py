"""The words and signs of the text pictures, and the same in ASCII."""

from __future__ import annotations

from .picture import Picture, Vertex

_ASCII = str.maketrans("─│┌┐└┘├┤┬┴┼╭╮╰╯●◆×←·…", "-|+++++++++++++o*x<.~")


def words_of(vertex: Vertex, most: int = 3) -> str:
    """A vertex in a few words: `cot ×8 ◆ math, proof`, with so many checks by name.

    >>> words_of(Vertex("b", "b", "step", samples=8, checks=("facts", "length")), most=1)
    'b ×8 ◆ facts +1'
    """
    words = vertex.name
    if vertex.samples > 1:
        words += f" ×{vertex.samples}"
    if vertex.checks:
        more = len(vertex.checks) - most
        named = ", ".join(vertex.checks[:most])
        words += " ◆" + f" {named}" * bool(named) + f" +{more}" * bool(named and more > 0)
    return words


def legend_of(picture: Picture) -> str:
    """What the signs of a picture mean; empty if it has none."""
    ports = sorted({f".{arrow.port}" for arrow in picture.arrows if arrow.port})
    signs = {
        "◆ verifier": any(v.checks for v in picture.vertices),
        "× samples": any(v.samples > 1 for v in picture.vertices),
        f"{', '.join(ports)} port{'s' * (len(ports) > 1)}": bool(ports),
    }
    return "   ".join(sign for sign, used in signs.items() if used)


def in_ascii(text: str) -> str:
    """The picture for terminals that know no other characters.

    >>> in_ascii("a ─┬─ b ×2 ◆ facts")
    'a -+- b x2 * facts'
    """
    return text.translate(_ASCII)
