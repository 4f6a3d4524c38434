"""A picture as lines of text from top to bottom, one step a line, as logs of versions are drawn.

Every arrow that is under way has a lane on the left. A step takes the lanes of what it reads and
opens one for each reader. Where there are more lanes than fit, they are left out: what a step reads
stands behind its name in any case.
"""

from __future__ import annotations

from collections.abc import Iterator

from .picture import Arrow, Picture, Vertex
from .words import words_of

_Lanes = list[Arrow | None]


def draw_lanes(picture: Picture, width: int) -> str:
    """The picture as text, of any size; lines are cut at so many columns."""
    leaving: dict[str, list[Arrow]] = {}
    arriving: dict[str, list[Arrow]] = {}
    for arrow in picture.arrows:
        leaving.setdefault(arrow.start, []).append(arrow)
        arriving.setdefault(arrow.end, []).append(arrow)
    names = {vertex.key: vertex.name for vertex in picture.vertices}
    lines: list[tuple[str, Vertex | None]] = []
    lanes: _Lanes = []
    ended: int | None = None
    for vertex in picture.vertices:
        onward = leaving.get(vertex.key, [])
        lines += _drawn(vertex, lanes, onward, ended)
        ended = None if onward else lines[-1][0].index("●") // 2
    widest = max((len(line) for line, _ in lines), default=0)
    if widest > width // 3:
        lines, widest = [], 1
        lines += (("●", vertex) for vertex in picture.vertices)
    longest = max((len(vertex.name) for vertex in picture.vertices), default=0)
    texts = []
    for drawn, of in lines:
        text = drawn
        if of is not None:
            about = _about(of, arriving.get(of.key, []), names)
            text = f"{drawn:<{widest}}  {of.name:<{longest}}  {about}"
        texts.append(_cut(text.rstrip(), width))
    return "\n".join(texts)


def _drawn(
    vertex: Vertex, lanes: _Lanes, leaving: list[Arrow], besides: int | None
) -> Iterator[tuple[str, Vertex | None]]:
    """The line of a vertex, and one below it if its rows part; lanes are moved on.

    A vertex that reads nothing does not stand in lane `besides`, below one that nothing reads.
    """
    taken = [i for i, arrow in enumerate(lanes) if arrow and arrow.end == vertex.key]
    at = taken[0] if taken else _free(lanes, 0, besides)
    # Where lanes meet, the vertex stands in the leftmost one.
    yield _line(lanes, at, set(taken[1:]), "●", "╯", "┴"), vertex
    for lane in taken:
        lanes[lane] = None
    opened = set[int]()
    for number, arrow in enumerate(leaving):
        lane = at if number == 0 else _free(lanes, at + 1)
        lanes[lane] = arrow
        if number:
            opened.add(lane)
    if opened:
        yield _line(lanes, at, opened, "├", "╮", "┬"), None
    while lanes and lanes[-1] is None:
        lanes.pop()


def _free(lanes: _Lanes, start: int, besides: int | None = None) -> int:
    """The first lane from `start` on that no arrow is in."""
    lane = start
    while lane == besides or (lane < len(lanes) and lanes[lane] is not None):
        lane += 1
    lanes.extend([None] * (lane + 1 - len(lanes)))
    return lane


def _line(lanes: _Lanes, at: int, joined: set[int], own: str, last: str, between: str) -> str:
    """Lanes with a level line from lane `at` to those that it joins; it passes below others."""
    end = max(joined, default=at)
    text = ""
    for lane, arrow in enumerate(lanes):
        if lane == at:
            text += own
        elif lane in joined:
            text += last if lane == end else between
        elif arrow is not None:
            text += "│"
        else:
            text += "─" if at < lane < end else " "
        text += "─" if at <= lane < end else " "
    return text.rstrip()


def _about(vertex: Vertex, arriving: list[Arrow], names: dict[str, str]) -> str:
    parts = [vertex.op, words_of(vertex).removeprefix(vertex.name).strip()]
    if vertex.model:
        parts.append(f"by {vertex.model}")
    if arriving:
        parts.append("← " + ", ".join(_read(arrow, names) for arrow in arriving))
    return "  ".join(part for part in parts if part)


def _read(arrow: Arrow, names: dict[str, str]) -> str:
    """`50% book.routed`."""
    port = f".{arrow.port}" if arrow.port else ""
    return f"{arrow.weight} {names[arrow.start]}{port}".strip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
