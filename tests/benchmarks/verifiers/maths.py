"""Answers compared, beside math-verify in the same run; steps of arithmetic on GSM8K.

`--fast` leaves the peers out. Each method judges in a process of its own that is killed if a pair
takes more than ten seconds; a pair's time is that inside the process, with no reading cached.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import re
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data"
LIMIT_SECONDS = 10.0
MEMORY = 4 << 30

Pair = tuple[str, str, bool]
Method = Callable[[str, str], tuple[bool, str]]


def _ours(gold: str, got: str) -> tuple[bool, str]:
    from mashbill.runtime.maths.equality import equal
    from mashbill.runtime.maths.reading import read

    read.cache_clear()
    found = equal(gold, got)
    return found.equal, found.route


def _verified(gold: str, got: str) -> bool:
    from math_verify import parse, verify

    return bool(verify(parse(gold), parse(got)))


def _defaults(gold: str, got: str) -> tuple[bool, str]:
    return _verified(gold, got), "sympy"


def _wrapped(gold: str, got: str) -> tuple[bool, str]:
    return _verified(f"${gold}$", f"${got}$"), "sympy"


def _then_wrapped(gold: str, got: str) -> tuple[bool, str]:
    return _verified(gold, got) or _verified(f"${gold}$", f"${got}$"), "sympy"


METHODS: dict[str, Method] = {
    "math_equal": _ours,
    "math-verify, defaults": _defaults,
    "math-verify, wrapped in $": _wrapped,
    "math-verify, then wrapped in $": _then_wrapped,
}


def _serve(method: str, pipe: Connection) -> None:
    import logging

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    judge = METHODS[method]
    judge(r"\sin 2x", r"2\sin x\cos x")  # loads SymPy
    pipe.send("ready")
    while True:
        gold, got = pipe.recv()
        start = time.perf_counter()
        try:
            verdict: tuple[bool, str] | str = judge(gold, got)
        except BaseException as error:
            verdict = type(error).__name__
        pipe.send((verdict, time.perf_counter() - start))


@dataclass(slots=True)
class Score:
    """How a method did on some pairs."""

    pairs: int = 0
    right: int = 0
    false_equal: list[Pair] = field(default_factory=list)
    false_unequal: list[Pair] = field(default_factory=list)
    errors: int = 0
    timeouts: int = 0
    seconds: list[float] = field(default_factory=list)
    routes: Counter[str] = field(default_factory=Counter)

    def add(self, pair: Pair, verdict: tuple[bool, str] | str | None, seconds: float) -> None:
        """Count a verdict: an error's name, or None if it took too long, is not equal."""
        self.pairs += 1
        self.seconds.append(seconds)
        equal = isinstance(verdict, tuple) and verdict[0]
        if isinstance(verdict, tuple):
            self.routes[verdict[1]] += 1
        self.errors += isinstance(verdict, str)
        self.timeouts += verdict is None
        if equal == pair[2]:
            self.right += 1
        else:
            (self.false_equal if equal else self.false_unequal).append(pair)

    @property
    def row(self) -> str:
        """One line of the table."""
        ms = [1e3 * s for s in self.seconds]
        return (
            f"{100 * self.right / self.pairs:9.1f} {len(self.false_equal):9} "
            f"{len(self.false_unequal):9} {self.errors:7} {self.timeouts:9} "
            f"{statistics.mean(ms):9.2f} {statistics.median(ms):9.3f} {max(ms):9.0f}"
        )


def _judged(method: str, pairs: Iterable[Pair]) -> Score:
    context = multiprocessing.get_context("spawn")
    score = Score()
    process: Any = None
    pipe: Any = None
    for pair in pairs:
        if process is None:
            pipe, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(method, theirs), daemon=True)
            process.start()
            theirs.close()
            pipe.recv()
        pipe.send(pair[:2])
        start = time.perf_counter()
        try:
            answered = pipe.poll(LIMIT_SECONDS)
            verdict, seconds = pipe.recv() if answered else (None, time.perf_counter() - start)
        except EOFError:
            verdict, seconds = "killed", time.perf_counter() - start
        score.add(pair, verdict, seconds)
        if verdict is None or verdict == "killed":
            process.kill()
            process.join()
            process = None
    if process is not None:
        process.kill()
        process.join()
    return score


def _rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _equality(methods: Sequence[str]) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.maths.table import pairs

    own = [(p.gold, p.got, p.equal) for p in pairs() if p.kind != "second"]
    second = [(p.gold, p.got, p.equal) for p in pairs() if p.kind == "second"]
    sets = {"own cases": own, "second batch": second}
    if DATA.is_dir():
        labelled = [(r["expected"], r["predicted"], r["equal"]) for r in _rows("math_answer_pairs")]
        sets = {"math_answer_pairs": labelled, **sets}
    for title, chosen in sets.items():
        print(f"{title}: {len(chosen)} pairs, {sum(p[2] for p in chosen)} equal")
        print(
            f"{'':32}{'agree %':>9} {'false =':>9} {'false !=':>9} {'errors':>7} {'timeouts':>9} "
            f"{'ms mean':>9} {'median':>9} {'worst':>9}"
        )
        scores = {method: _judged(method, chosen) for method in methods}
        for method, score in scores.items():
            print(f"{method:32}{score.row}", flush=True)
        ours = scores["math_equal"]
        asked = ours.routes["sympy"]
        print(f"  needed SymPy: {asked} of {ours.pairs} ({100 * asked / ours.pairs:.1f} %)", end="")
        print(f", told by nothing: {ours.routes['none']}")
        for gold, got, equal in (*ours.false_equal, *ours.false_unequal):
            print(f"  disagrees: {gold!r} {'==' if equal else '!='} {got!r}")
        for method, score in scores.items():
            if method != "math_equal":
                ratio = sum(score.seconds) / sum(ours.seconds)
                median = statistics.median(score.seconds) / statistics.median(ours.seconds)
                print(f"  {method}: {ratio:.1f} times the time in sum, {median:.0f} at the median")
        print()


def _gsm8k() -> None:
    from mashbill.runtime.maths.equality import equal
    from mashbill.runtime.maths.extracting import extract
    from mashbill.runtime.maths.steps import find_steps

    rows = _rows("gsm8k_train_a")
    found = Counter[str]()
    for row in rows:
        body = row["answer"].split("####")[0].strip()
        for way, text in {
            "as it is, after ####": row["answer"],
            "boxed": f"{body}\nSo it is $\\boxed{{{row['final']}}}$.",
            "the answer is": f"{body}\nThe answer is ${row['final']}.",
            "last number": f"{body}\nTherefore {row['final']} of them are left.",
            "the solution alone": body,
        }.items():
            answer = extract(text)
            found[way] += answer is not None and equal(row["final"], answer.answer).equal
    print(f"GSM8K, final answers found, of {len(rows)}:")
    for way, many in found.items():
        print(f"  {way:24}{many:6} ({100 * many / len(rows):.2f} %)")
    start = time.perf_counter()
    judged = [(row, find_steps(row["answer"])) for row in rows]
    each = 1e3 * (time.perf_counter() - start) / len(rows)
    wrong = [(row, [s for s in steps if not s.holds]) for row, steps in judged]
    wrong = [(row, steps) for row, steps in wrong if steps]
    print(f"\narithmetic on {len(rows)} solutions, {sum(len(s) for _, s in judged)} steps:")
    print(f"  {100 - 100 * len(wrong) / len(rows):.2f} % pass, {each:.2f} ms each; not:")
    for row, steps in wrong:
        said = "; ".join(f"{s.shown} (is {s.true})" for s in steps)
        print(f"    {row['id']}: {said[:110]}")
    held = [row for row, steps in judged if steps and all(s.holds for s in steps)]
    for title, marks in (("with calculator marks", True), ("without", False)):
        print(f"  one number of a step changed, {title}: ", end="")
        print(_detected([r["answer"] for r in held], marks=marks, find=find_steps))


_MARK = re.compile(r"<<[^<>]*>>")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w,]|\.\d)")


def _detected(texts: Iterable[str], *, marks: bool, find: Callable[[str], Sequence[Any]]) -> str:
    """The share found wrong of texts of which one number beside an operator is changed."""
    draw = random.Random(20261122)
    tried = caught = 0
    for text in texts:
        body = text.split("####")[0]
        body = body if marks else _MARK.sub("", body)
        places = [
            m
            for m in _NUMBER.finditer(body)
            if (
                re.search(r"[=+*/-]\s*\$?$", body[: m.start()])
                and not re.match(r"\s*[A-Za-z]\b", body[m.end() :])
            )
            or re.match(r"\s*[=+*/]", body[m.end() :])
        ]
        if not places:
            continue
        place = draw.choice(places)
        changed = str(int(place[0]) + draw.choice((1, 2, 10, 100)))
        tried += 1
        steps = find(body[: place.start()] + changed + body[place.end() :])
        caught += any(not step.holds for step in steps)
    return f"{caught} of {tried} found ({100 * caught / max(1, tried):.1f} %)"


def run(arguments: list[str]) -> None:
    """Print the tables."""
    fast = "--fast" in arguments
    _equality(list(METHODS)[:1] if fast else list(METHODS))
    if DATA.is_dir():
        _gsm8k()
    else:
        print("needs shared/data beside the repository for GSM8K and the labelled pairs")
