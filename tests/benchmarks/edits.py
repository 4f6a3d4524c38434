"""Which steps run again after an edit: wrong decisions over the edit corpus, by class of edit.

make bench NAME=edits
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.compiler import test_identity as corpus


def decisions() -> Iterator[tuple[str, str, bool, bool]]:
    """Class and name of each edit, whether it means something, and whether it was judged right."""
    base = corpus.BASE.graph
    assert base is not None
    before = corpus.prints(base)
    for change in [*corpus.NOTHING, *corpus.SOMETHING]:
        graph = corpus.compile_edit(change).graph
        assert graph is not None
        after = {change.renamed.get(n, n): p for n, p in corpus.prints(graph).items()}
        again = {name for name in after if after[name] != before.get(name)}
        semantic = bool(change.changed)
        kind = "by hand, semantic" if semantic else "by hand, cosmetic"
        yield kind, change.name, semantic, again == change.changed
    for at, edit in enumerate(corpus.GENERATED):
        meaning = corpus.meaning_after(at)
        found = corpus.compare(corpus.BEFORE, meaning)
        again = {name for name, step in found.items() if step.symbol != "="}
        data = (meaning.digest != corpus.BEFORE.digest) == edit.semantic
        yield edit.kind, edit.name, edit.semantic, again == edit.changed and data


def main() -> int:
    """Print the table and every wrong decision."""
    kinds: dict[str, list[bool]] = {}
    total = {True: 0, False: 0}
    wrong = []
    for kind, name, semantic, right in decisions():
        kinds.setdefault(kind, []).append(right)
        total[semantic] += 1
        if not right:
            wrong.append(f"{kind}: {name}")
    print(f"{'class':<20}{'edits':>8}{'wrong':>8}")
    for kind, found in kinds.items():
        print(f"{kind:<20}{len(found):>8}{found.count(False):>8}")
    print(f"{'all':<20}{sum(total.values()):>8}{len(wrong):>8}")
    print(f"\n{total[True]} semantic, {total[False]} cosmetic")
    print("\n".join(f"wrong: {line}" for line in wrong))
    missing = corpus.required_fields() - corpus.touched_fields()
    print(f"fields of identity that no edit touches: {', '.join(sorted(missing)) or 'none'}")
    return 1 if wrong or missing else 0


if __name__ == "__main__":
    sys.exit(main())
