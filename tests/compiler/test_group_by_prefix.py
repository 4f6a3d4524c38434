"""When rows are grouped by what their prompts begin with, and each reason why they are not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.render import render
from mashbill.compiler.rules.group_by_prefix import group_by_prefix
from mashbill.compiler.spec import violations

from .world import compile_text

RULE = [("group_by_prefix", group_by_prefix)]

RECIPE = """\
mashbill: 1
name: first
models: { writer: fake/rewrite }
sources:
  docs:
    path: docs.jsonl
    columns: { lang: lang, meta: meta, tags: tags }
    license: CC0-1.0
    origin: human
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    set: { audience: "= choose(['pupil', 'student'])" }
"""
INPUTS = '{ text: str, audience: str, lang: any, meta: any, tags: "list[str]", source.text: str }'


def graph_of(system: str, user: str = "{{ text }}", front: str = "", **files: str) -> Graph:
    """A rewrite whose prompt has these blocks; inputs that it does not use are not declared."""
    whole = f"{system}{user}{''.join(files.values())}"
    pairs = (p.strip() for p in INPUTS.strip("{} ").split(", "))
    inputs = ", ".join(p for p in pairs if p.split(":")[0].split(".")[0] in whole)
    prompt = f"---\ninputs: {{ {inputs} }}\n{front}---\n"
    prompt += f"{{% block system %}}{system}{{% endblock %}}\n" if system else ""
    prompt += f"{{% block user %}}{user}{{% endblock %}}\n"
    given: Mapping[str, str] = {"prompts/book.md.j2": prompt, **files}
    compiled = compile_text(RECIPE, given)
    assert compiled.graph and compiled.report.ok, render(compiled.report)
    return compiled.graph


def prefix(graph: Graph) -> tuple[str, ...]:
    """By which columns rows are grouped; the graph stays sound."""

    def check(after: Graph) -> None:
        assert violations(after) == ()

    after, applied = optimise(graph, RULE, check)
    found = after.nodes["book"].tuning.prefix
    assert len(applied) == bool(found)
    return found


def test_fires() -> None:
    graph, applied = optimise(graph_of("Rewrite for a {{ audience }}."), RULE)
    assert [a.sentence for a in applied] == [
        "`book` takes rows of one `audience` together: their prompts begin alike"
    ]
    assert graph.nodes["book"].tuning.prefix == ("audience",)
    assert not optimise(graph, RULE)[1]


def test_fires_in_the_order_of_the_prompt() -> None:
    assert prefix(graph_of("{{ lang }} {{ audience | upper }}{{ lang }}")) == ("lang", "audience")


def test_fires_across_blocks_as_far_as_the_text() -> None:
    assert prefix(graph_of("{{ audience }}", "In {{ lang }}: {{ text }}")) == ("audience", "lang")
    assert prefix(graph_of("{{ audience }}", "{{ text }} in {{ lang }}")) == ("audience",)
    assert prefix(graph_of("", "For a {{ audience }}: {{ text }}")) == ("audience",)


def test_fires_for_what_a_prompt_asks_or_goes_over() -> None:
    assert prefix(graph_of("{% if audience == 'text' %}Simply.{% endif %}")) == ("audience",)
    loop = "{% for audience_ in tags %}{{ audience_ }}{% endfor %}"
    assert prefix(graph_of(loop)) == ("tags",)


def test_fires_for_a_field_of_a_struct() -> None:
    assert prefix(graph_of("{{ meta.lang }}")) == ("meta",)


def test_fires_for_what_stands_in_an_included_file() -> None:
    graph = graph_of('{% include "prompts/who.j2" %}', **{"prompts/who.j2": "For {{ audience }}."})
    assert prefix(graph) == ("audience",)


def test_fires_where_all_examples_stand_before_the_text() -> None:
    front = 'examples: [{ audience: pupil, text: "A.", reply: "B." }]\n'
    assert prefix(graph_of("Rewrite.", "{{ audience }}: {{ text }}", front)) == ("audience",)


# -- blocked


def test_blocked_when_nothing_but_the_text_varies() -> None:
    assert prefix(graph_of("Rewrite.")) == ()


def test_blocked_when_the_text_comes_first() -> None:
    assert prefix(graph_of("", "{{ text }} for {{ audience }}")) == ()
    assert prefix(graph_of("{{ source.text }}", "{{ audience }} {{ text }}")) == ()


def test_blocked_when_examples_drawn_by_row_come_first() -> None:
    rows = [
        {"lang": "en", "audience": a, "text": "A.", "reply": "B."} for a in ("pupil", "student")
    ]
    files = {"prompts/rows.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows)}
    front = "examples: { file: prompts/rows.jsonl, k: %d }\n"
    asked = "{{ audience }}: {{ text }}"
    assert prefix(graph_of("Rewrite.", asked, front % 1, **files)) == ()
    assert prefix(graph_of("{{ lang }}", asked, front % 1, **files)) == ("lang",)
    assert prefix(graph_of("Rewrite.", asked, front % 2, **files)) == ("audience",)


def test_blocked_for_a_step_that_asks_no_model() -> None:
    graph = graph_of("For {{ audience }}.")
    book = graph.nodes["book"]
    cheap = replace(book, traits=replace(book.traits, cost="cpu"))
    assert prefix(replace(graph, nodes={**graph.nodes, "book": cheap})) == ()


def test_blocked_when_what_it_reads_is_unknown() -> None:
    graph = graph_of("For {{ audience }}.")
    book = graph.nodes["book"]
    unknown = replace(book, traits=replace(book.traits, reads=None))
    assert prefix(replace(graph, nodes={**graph.nodes, "book": unknown})) == ()
