"""The rules of the gate: each looks at a pair and gives the evidence of a break, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import (
    clauses,
    copies,
    derived,
    directions,
    form,
    hedges,
    kept,
    loops,
    references,
    shape,
    support,
    swaps,
    turns,
)
from .pair import Pair
from .support import Aligned

Evidence = Mapping[str, str | float | list[str]]
Rule = Callable[[Pair], Evidence | None]
Turn = Callable[[Aligned], str]


ALONE = 2.0
"""A single new word may be so many times the allowed share: a short sentence may change one."""


def _said(key: str, found: Callable[[str, str], str]) -> Rule:
    """A rule on the two texts as written."""

    def rule(pair: Pair) -> Evidence | None:
        said = found(pair.said.raw, pair.theirs.raw)
        return {key: said} if said else None

    return rule


def _turned(turn: Turn) -> Rule:
    """A rule on each sentence beside its place in the source."""

    def rule(pair: Pair) -> Evidence | None:
        for one in pair.aligned:
            if word := turn(one):
                return {"word": word, "sentence": one.sentence.raw}
        return None

    return rule


def _loop(pair: Pair) -> Evidence | None:
    again = loops.looped(pair.said, pair.theirs)
    return {"sentence": again} if again else None


def _language(pair: Pair) -> Evidence | None:
    other = shape.language(pair.said, pair.theirs)
    return {"language": other} if other else None


def _too_short(pair: Pair) -> Evidence | None:
    ratio = shape.length(pair.ours, pair.theirs)
    return {"ratio": ratio} if ratio < pair.limits.shortest else None


def _too_long(pair: Pair) -> Evidence | None:
    ratio = shape.length(pair.ours, pair.theirs)
    return {"ratio": ratio} if ratio > pair.limits.longest else None


def _number_invented(pair: Pair) -> Evidence | None:
    invented = kept.numbers_invented(pair.said, pair.theirs)
    if invented and pair.limits.reckons:
        values = derived.borne_out(pair.said.raw, pair.theirs.numbers)
        invented = [number for number in invented if not derived.holds(number, values)]
    return {"invented": [number.raw for number in invented]} if invented else None


def _number_lost(pair: Pair) -> Evidence | None:
    lost, share = kept.numbers_lost(pair.ours, pair.retold)
    return {"lost": lost, "kept": share} if share < pair.limits.numbers else None


def _number_moved(pair: Pair) -> Evidence | None:
    for one in pair.aligned:
        if word := swaps.number_moved(one, pair.theirs):
            return {"word": word, "sentence": one.sentence.raw}
    return None


def _name_invented(pair: Pair) -> Evidence | None:
    invented = kept.names_invented(pair.said, pair.theirs)
    return {"invented": invented} if invented else None


def _name_lost(pair: Pair) -> Evidence | None:
    lost, share = kept.names_lost(pair.ours, pair.retold)
    return {"lost": lost, "kept": share} if share < pair.limits.names else None


def _adrift(pair: Pair) -> Evidence | None:
    sentence = references.adrift(pair.ours, pair.theirs, pair.aligned)
    return {"sentence": sentence} if sentence else None


def _copied(pair: Pair) -> Evidence | None:
    limits = pair.limits
    if limits.copied >= 1 and limits.fresh >= 1 and not limits.span:
        return None
    share, span = copies.copied(pair.said.raw, pair.theirs.raw)
    words = len(span.split())
    if share > limits.copied or 0 < limits.span < words:
        return {"share": share, "words": words, "longest": span}
    return {"share": share, "words": words} if 1 - share > limits.fresh else None


def _coverage(pair: Pair) -> Evidence | None:
    covered = support.coverage(pair.ours, pair.theirs)
    return {"covered": covered} if covered < pair.limits.coverage else None


def _clause_dropped(pair: Pair) -> Evidence | None:
    if not pair.limits.clauses:
        return None
    dropped, share = clauses.dropped(pair.ours, pair.theirs)
    return {"dropped": dropped, "kept": share} if share < pair.limits.clauses else None


def _novelty(pair: Pair) -> Evidence | None:
    for one in pair.aligned:
        allowed = pair.limits.novelty * (ALONE if len(one.missing) == 1 else 1)
        if one.novelty > allowed:
            added = one.sentence.written(one.missing)
            return {"share": one.novelty, "added": added, "sentence": one.sentence.raw}
    return None


def _garbled(pair: Pair) -> Evidence | None:
    for one in pair.aligned:
        if (share := support.disorder(one, pair.pairs)) > pair.limits.disorder:
            return {"share": share, "sentence": one.sentence.raw}
    return None


def _repetition(pair: Pair) -> Evidence | None:
    for one in pair.aligned:
        share, words = loops.repeated(one)
        if share > pair.limits.repetition:
            said = one.sentence.written(words)
            return {"share": share, "words": said, "sentence": one.sentence.raw}
    return None


def _score(pair: Pair) -> Evidence | None:
    score = pair.measures.score
    return {"score": score} if score < pair.limits.score else None


LADDER: Mapping[str, Mapping[str, Rule]] = {
    "form": {
        "refusal": _said("said", form.refusal),
        "meta_talk": _said("said", form.meta_talk),
        "unfinished": _said("end", shape.unfinished),
        "loop": _loop,
        "language": _language,
    },
    "length": {"too_short": _too_short, "too_long": _too_long},
    "numbers": {
        "number_invented": _number_invented,
        "number_lost": _number_lost,
        "number_moved": _number_moved,
    },
    "names": {
        "name_invented": _name_invented,
        "name_lost": _name_lost,
        "name_moved": _turned(swaps.name_moved),
    },
    "turns": {
        "negation": _turned(turns.negation),
        "direction": _turned(directions.turned),
        "role": _turned(swaps.role),
        "hedge": _turned(hedges.hedge),
        "overstated": _turned(hedges.overstated),
        "obligation": _turned(turns.obligation),
        "claim": _turned(turns.claim),
        "person": _turned(turns.person),
        "reference": _adrift,
    },
    "copy": {"copied": _copied},
    "content": {
        "coverage": _coverage,
        "clause_dropped": _clause_dropped,
        "novelty": _novelty,
        "garbled": _garbled,
        "repetition": _repetition,
        "score": _score,
    },
}
"""The steps, cheap to dear, and the rules of each by the reason that they give."""
