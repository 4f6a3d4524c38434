"""The fact gate: on labelled rewrites of a small model, on planted errors, on edited claims.

    make bench NAME=verifiers ARGS="facts"
    make bench NAME=verifiers ARGS="facts -- --passing --examples 3"

Rows that hit the length cap count as rejected, in recall too. φ is the share of good rows that are
kept, ψ that of bad ones. `--passing` lists the labelled rows that pass and should not, with the
reader's words why; `--examples` planted errors that pass, of each kind.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean, pstdev

from mashbill.runtime.facts.gate import LADDER, STYLES, judge

from . import claims, labelled, planted
from .planted import Planted


def run(arguments: list[str]) -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="facts")
    parser.add_argument("--passing", action="store_true", help="list what passes and should not")
    parser.add_argument("--examples", type=int, default=0, help="planted errors to list of a kind")
    parser.add_argument("--folds", type=int, default=5, help="folds of the cross-validation")
    asked = parser.parse_args(arguments)
    rows = labelled.load()
    show_labelled(rows)
    show_steps(rows)
    show_folds(rows, asked.folds)
    show_reasons(rows)
    if asked.passing:
        show_passing(rows)
    show_planted(planted.rows(), asked.examples)
    show_claims()
    show_speed(rows)


def show_labelled(rows: Sequence[labelled.Rewrite]) -> None:
    """Precision and recall of the gate as shipped, beside two plain ones."""
    print("labelled rewrites: precision at recall of the faithful")
    print("split    part        n  faithful  " + "  ".join(f"{n:>14}" for n in labelled.GATES))
    for name, side in (("half 0", 0), ("half 1", 1), ("all", None)):
        for part in labelled.PARTS:
            inside = [
                r for r in rows if labelled.part(r) == part and side in (None, labelled.fold(r, 2))
            ]
            scores = [labelled.score(inside, gate) for gate in labelled.GATES.values()]
            cells = "  ".join(f"{s!s:>14}" for s in scores)
            print(f"{name:8} {part:9} {len(inside):4} {scores[0].faithful:9}  {cells}")
    keep = [row for row in rows if row["keep"]]
    kept = labelled.score(keep, labelled.shipped).passed
    print(f"worth keeping as rewrites: {kept} of {len(keep)} pass")


def show_steps(rows: Sequence[labelled.Rewrite]) -> None:
    """What each step of the ladder adds."""
    print("\ngain of each step   " + "  ".join(f"{part:>14}" for part in labelled.PARTS))
    for step in LADDER:
        gate = labelled.up_to(step)
        cells = [
            str(labelled.score([r for r in rows if labelled.part(r) == part], gate))
            for part in labelled.PARTS
        ]
        print(f"up to {step:12}  " + "  ".join(f"{cell:>14}" for cell in cells))


def show_folds(rows: Sequence[labelled.Rewrite], folds: int) -> None:
    """The fitted limits decided on rows that they were not fitted on, over ten divisions."""
    passes = labelled.passing(rows)
    found: dict[str, list[labelled.Score]] = defaultdict(list)
    chosen: Counter[labelled.Fitted] = Counter()
    for seed in range(10):
        scores, limits = labelled.cross_validated(rows, passes, folds, seed)
        chosen += limits
        for part, one in scores.items():
            found[part].append(one)
    print(f"\nnovelty, disorder and repetition fitted on {folds - 1} folds of {folds} by source,")
    print("decided on the other; ten divisions")
    for part, scores in found.items():
        precision, recall = [s.precision for s in scores], [s.recall for s in scores]
        goal = labelled.GOALS[part]
        print(
            f"  {part}: precision {mean(precision):.3f} ± {pstdev(precision):.3f}, "
            f"recall {mean(recall):.3f} ± {pstdev(recall):.3f}; goal {goal[0]} at {goal[1]}"
        )
    print("  most chosen:", chosen.most_common(4))


def show_reasons(rows: Sequence[labelled.Rewrite]) -> None:
    """Which rule rejects which labelled error."""
    print("\nreason            rejected  of them faithful  labelled errors of the others")
    seen: dict[str, list[labelled.Rewrite]] = defaultdict(list)
    for row in rows:
        capped = row["finish_reason"] == "length"
        verdict = judge(row["rewrite"], row["source"], labelled.limits_of(row))
        seen["(length cap)" if capped else verdict.reason or "(passed)"].append(row)
    for reason, hit in sorted(seen.items(), key=lambda item: -len(item[1])):
        errors = Counter(e for row in hit if not row["faithful"] for e in row["errors"])
        told = ", ".join(f"{name} {n}" for name, n in errors.most_common(4))
        print(f"{reason:17} {len(hit):8} {sum(r['faithful'] for r in hit):16}   {told}")


def show_passing(rows: Sequence[labelled.Rewrite]) -> None:
    """What passes and should not, and why it is wrong."""
    print("\nstill passes")
    for row in rows:
        if row["finish_reason"] != "length" and not row["faithful"] and labelled.shipped(row):
            print(f"  {row['id']} {row['style']:9} {', '.join(row['errors'])}: {row['why']}")


def show_planted(rows: Sequence[Planted], examples: int) -> None:
    """φ, ψ and balanced accuracy for each kind of planted error, beside a plain gate."""
    gates: dict[str, Callable[[Planted], bool]] = {
        "gate": lambda r: judge(r.rewrite, r.source, STYLES[r.style]).passed,
        "clauses: 90%": lambda r: (
            judge(r.rewrite, r.source, replace(STYLES[r.style], clauses=0.9)).passed
        ),
        "numbers+names": lambda r: labelled.numbers_and_names(
            {"rewrite": r.rewrite, "source": r.source}
        ),
    }
    kept = {name: [gate(row) for row in rows] for name, gate in gates.items()}
    for style in ("rewrite", "sentence"):
        counts: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
        for i, row in enumerate(rows):
            if row.style == style:
                for name in gates:
                    counts[row.error][name].append(kept[name][i])
        good = counts.pop("")
        phi = {name: mean(good[name]) for name in gates}
        many = len(good["gate"])
        print(f"\nplanted errors, style {style}: {many} true rewrites")
        print(f"{'':15}    n  " + "  ".join(f"{name:>17}" for name in gates))
        print(f"{'φ':15} {many:4}  " + "  ".join(f"{phi[name]:17.3f}" for name in gates))
        for kind, found in counts.items():
            cells = []
            for name in gates:
                psi = mean(found[name])
                cells.append(f"ψ {psi:.3f} bal {(phi[name] + 1 - psi) / 2:.3f}")
            print(f"{kind:15} {len(found['gate']):4}  " + "  ".join(f"{c:>17}" for c in cells))
    shown: Counter[str] = Counter()
    for row, passed in zip(rows, kept["gate"], strict=True):
        if passed and row.error and shown[row.error] < examples:
            shown[row.error] += 1
            print(f"\npasses: {row.error}\n  source  {row.source}\n  rewrite {row.rewrite}")


def show_claims() -> None:
    """SummEdits: the style `claim` as shipped, against number × entity recall."""
    found = [claims.judged(row) for row in claims.load()]
    rows = [one.row for one in found]
    good = [bool(row["consistent"]) for row in rows]
    kept = [not one.broken for one in found]
    recall = [one.recall for one in found]
    broken = [-float(len(one.broken)) for one in found]
    print(f"\nclaims of SummEdits: {len(rows)}, {sum(good)} of them borne out")
    print("                          φ      ψ  balanced    AUC")
    for name, decided, scores in (
        ("style claim", kept, broken),
        ("number × entity recall", claims.folded(rows, recall), recall),
    ):
        phi, psi, balanced = claims.balanced(decided, good)
        auc = claims.area(scores, good)
        print(f"{name:22} {phi:.3f}  {psi:.3f}     {balanced:.3f}  {auc:.3f}")
    kinds = sorted({kind for row in rows for kind in row["edit_types"]})
    for kind in [*kinds, "no kind given"]:
        hit = [
            keep
            for keep, row in zip(kept, rows, strict=True)
            if not row["consistent"]
            and (kind in row["edit_types"] or not row["edit_types"])
            and bool(row["edit_types"]) == (kind != "no kind given")
        ]
        print(f"  ψ {kind:28} {len(hit):4}  {mean(hit):.3f}")


def show_speed(rows: Sequence[labelled.Rewrite]) -> None:
    """Rows a second of CPU time in one process, beside the plain gate."""
    print("\nspeed, rows/s on one core (best of 3)")
    rates = {}
    for name, gate in labelled.GATES.items():
        best = min(_seconds(rows, gate) for _ in range(3))
        rates[name] = len(rows) / best
    for name, rate in rates.items():
        print(f"  {name:14} {rate:6.0f}   {rates['gate'] / rate:.2f} of it by the gate")


def _seconds(rows: Sequence[labelled.Rewrite], gate: labelled.Gate) -> float:
    start = time.process_time()
    for row in rows:
        gate(row)
    return time.process_time() - start
