"""Which entry each comment belongs to.

A comment at the end of a line belongs to what the line says. One on a line of its own belongs to
the entry below it; if it stands deeper than that entry, to the end of the map or list whose column
it keeps. What stands above the first key is the head of the file and stays there.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from .comments import Comment, blank_above
from .tree import Branch, Entry


@dataclass(slots=True)
class Layout:
    """The tree of a file with everything in its place.

    Attributes:
        text: The file.
        root: Its map.
        head: Comments above the first key.
        gap: Whether a blank line follows the head.
    """

    text: str
    root: Branch
    head: list[Comment] = field(default_factory=list)
    gap: bool = False

    def attach(self, comments: list[Comment]) -> None:
        """Give each comment its place, then each blank line."""
        for comment in comments:
            if comment.start < self.root.start:
                self.head.append(comment)
            elif comment.start < self.root.end:
                self._within(comment, self.root, None)
            else:
                self._below(comment)
        self._blanks(self.root, 0, [c.end for c in comments])
        if self.head and self.root.entries:
            self.gap, self.root.entries[0].blank = self.root.entries[0].blank, False

    def _below(self, comment: Comment) -> None:
        """Below the last entry of the file."""
        if not comment.own and not self.root.flow and self.root.entries:
            _on_line(_last(self.root.entries[-1]), comment)
        else:
            closing = _closing(self.root.entries[-1:], comment)
            (closing[-1] if closing else self.root).after.append(comment)

    def _within(self, comment: Comment, branch: Branch, owner: Entry | None) -> None:
        at = branch.entry_before(comment.start)
        here = branch.entries[at] if at >= 0 else None
        below = branch.entries[at + 1] if at + 1 < len(branch.entries) else None
        if here is None:
            self._first(comment, branch, owner, below)
        elif comment.start < here.end:
            self._inside(comment, here)
        elif comment.own:
            closing = _closing([here], comment)
            if below is None:
                branch.after.append(comment)
            elif closing and not branch.flow and comment.column > branch.column:
                closing[-1].after.append(comment)
            else:
                below.before.append(comment)
        else:
            dash = below and below.key is None and "\n" in self.text[here.end : comment.start]
            _on_line(below if below and dash and not branch.flow else _last(here), comment)

    def _first(
        self, comment: Comment, branch: Branch, owner: Entry | None, below: Entry | None
    ) -> None:
        """Between the bracket or dash that opens a branch and its first entry."""
        if below and (comment.own or not branch.flow):
            if comment.own:
                below.before.append(comment)
            else:
                _on_line(below, comment)
        elif owner is None:
            self.head.append(comment)
        elif comment.own:
            owner.before.append(comment)
        else:
            _on_line(owner, comment)

    def _inside(self, comment: Comment, entry: Entry) -> None:
        value = entry.value
        if isinstance(value, Branch) and comment.start >= value.start:
            self._within(comment, value, entry)
        elif not comment.own:
            _on_line(entry, comment)
        elif isinstance(value, Branch) and not value.flow and value.entries:
            value.entries[0].before.append(comment)
        else:
            entry.before.append(comment)

    def _blanks(self, branch: Branch, since: int, ends: list[int]) -> None:
        for entry in branch.entries:
            last = bisect_left(ends, entry.start) - 1
            entry.blank = blank_above(
                self.text, max(since, ends[last] if last >= 0 else 0), entry.start
            )
            if isinstance(entry.value, Branch):
                self._blanks(entry.value, entry.start, ends)
            since = entry.end


def _on_line(entry: Entry, comment: Comment) -> None:
    if entry.line is None:
        entry.line = comment
    else:
        entry.before.append(comment)


def _last(entry: Entry) -> Entry:
    """The entry whose text is the last of an entry's."""
    while isinstance(entry.value, Branch) and not entry.value.flow and entry.value.entries:
        entry = entry.value.entries[-1]
    return entry


def _closing(entries: list[Entry], comment: Comment) -> list[Branch]:
    """Blocks that end with an entry and whose column a comment keeps, the outermost first."""
    found: list[Branch] = []
    while entries:
        value = entries[-1].value
        if not isinstance(value, Branch) or value.flow or value.column > comment.column:
            break
        found.append(value)
        entries = value.entries
    return found
