"""Random recipes, each run with its rewrite rules and without them: the same rows and reasons."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from mashbill.compiler.rules import RULES

from .both_ways import compared

KEEPS = [
    "lang == 'en'",
    "lang is not null",
    "hash01(_doc) < 0.6",
    "hash01(_id) < 0.7",
    "choose([true, true, false])",
    "words(text) > 5",
    "_source == 'web' or words(text) > 4",
    "chars(source.text) > 30",
    "_origin == 'human' or hash01(_doc) < 0.5",
]
LADDERS = [
    "[{ fallback: input }]",
    "[{ retry: 1 }, { fallback: input }]",
    "[{ retry: 1 }, { fallback: input }]",
    "[reject]",
    "[route]",
]


def random_steps(random: Random) -> str:
    """Three to seven steps over `docs` and `web`, and now and then a mix of two of them."""
    steps, names = "", ["pages", "web"]
    asides: list[str] = []
    for number in range(random.randint(3, 7)):
        name = f"step{number}"
        given = random.choice(names[-2:] if random.random() < 0.8 else names)
        if random.random() < 0.15:
            given = f"[{', '.join(random.sample(names, 2))}]"
        elif asides and random.random() < 0.1:
            given = random.choice(asides)
        body = filter_body(random) if random.random() < 0.5 else model_body(random)
        twins = [name, f"{name}b"] if "model:" in body and random.random() < 0.25 else [name]
        for twin in twins:
            steps += f"  {twin}:\n    from: {given}\n{body}"
        names += twins
        asides.append(f"{name}.rejected")
    if random.random() < 0.3:
        limit = random.choice([1, 5, 12, 30])
        steps += f"  few: {{ op: filter, from: {names[-1]}, limit: {limit} }}\n"
        names.append("few")
    if random.random() < 0.4:
        one, other = random.sample(names, 2)
        policy = random.choice(["shrink", "reweight"])
        parts = f"{{ {one}: 50%, {other}: 50% }}"
        steps += f"mix: {{ total: 700 tokens, parts: {parts}, on_shortfall: {policy} }}\n"
    elif random.random() < 0.5:
        column = random.choice(["lang", "source.text", "_source"])
        steps += f"output: {{ columns: [text, _id, _doc, _origin, {column}] }}\n"
    return steps


def filter_body(random: Random) -> str:
    body = f'    op: filter\n    keep: "{random.choice(KEEPS)}"\n'
    if random.random() < 0.25:
        column = random.choice(["other", "text", "lang"])
        value = random.choice(["lower(text)", "_doc", "_source"])
        body += f"    set:\n      {column}: = {value}\n"
        if random.random() < 0.3:
            body = body.replace(body.splitlines()[1], "    when: words(text) > 6")
    return body + ("    limit: 9\n" if random.random() < 0.2 else "")


def model_body(random: Random) -> str:
    rewrites = random.random() < 0.7
    body = "    op: rewrite\n    again: true\n" if rewrites else "    op: generate\n"
    styled = random.random() < 0.3
    prompt = ("book" if styled else "plain") if rewrites else "ask"
    body += f"    model: writer\n    prompt: prompts/{prompt}.md.j2\n"
    if random.random() < 0.3:
        body += "    samples: 2\n"
    if styled or random.random() < 0.2:
        body += "    set:\n      style: \"= choose(['a', 'b'])\"\n"
    elif random.random() < 0.2:
        body += "    when: chars(text) > 40\n"
    if random.random() < 0.6:
        body += "    checks: { length: { min: 0.9, max: 1.1 } }\n"
    body += f"    on_fail: {random.choice(LADDERS)}\n"
    return body + ("    limit: 15\n" if random.random() < 0.1 else "")


def run_seeds(seeds: range, folder: Path, patch: pytest.MonkeyPatch) -> set[str]:
    """Run a random recipe for each seed, both ways; the rules that fired."""
    fired: set[str] = set()
    for seed in seeds:
        found = compared(folder / str(seed), random_steps(Random(seed)), patch)
        fired |= found.fired if found else set()
    return fired


def test_a_few_random_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_seeds(range(1000, 1003), tmp_path, monkeypatch)


@pytest.mark.slow
def test_random_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_seeds(range(250), tmp_path, monkeypatch) == {name for name, _ in RULES}
