"""Files that a prompt names: includes, and what is said when one is missing or is not one."""

from __future__ import annotations

import pytest

from .reading import good, places, read, said, user

PARTS = {"prompts/rules.md": "Keep all facts:", "shared/tone.md": "Be kind:"}


def including(path: str) -> str:
    return user(f"{{% include '{path}' %}}\n\n{{{{ text }}}}")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("prompts/rulse.md", "prompts/rules.md"),
        ("rules.md", "prompts/rules.md"),
        ("shared/tune.md", "shared/tone.md"),
        ("prompts/other.md", None),
        ("nowhere/x.md", None),
    ],
)
def test_a_missing_file_and_what_was_meant(path: str, meant: str | None) -> None:
    (found,) = said(including(path), PARTS)
    assert (found.code, found.message) == ("R111", f"no such file: {path}")
    assert found.help == (f"did you mean `{meant}`?" if meant else None)
    text = including(path)
    for edit in found.fix:
        mended = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
        assert said(mended, PARTS) == []
    assert bool(found.fix) == bool(meant)


def test_a_cycle_is_drawn() -> None:
    files = {"a.md": "{% include 'b.md' %}", "b.md": "{% include 'a.md' %}"}
    (found,) = said(including("a.md"), files)
    assert (found.code, found.message) == ("P211", "`a.md` includes itself")
    assert found.notes == ("a.md → b.md → a.md",)
    assert found.span is not None
    assert found.span.file == "b.md"


def test_what_is_wrong_in_an_included_file_says_who_includes_it() -> None:
    text = including("a.md")
    (found,) = [d for d in said(text, {"a.md": "{{ txt }}"}) if d.code == "P211"] or [None]
    assert found is None
    (wrong,) = said(text, {"a.md": "{{ text | title }}"})
    (label,) = wrong.secondary
    assert label.text == "included here"
    assert text[label.span.start : label.span.end] == "'a.md'"


def test_a_fragment_has_no_front_matter() -> None:
    fragment = "---\ninputs: { text: str }\n---\nKeep."
    assert places(including("a.md"), {"a.md": fragment}) == [("P212", "---")]
    # A rule is no front matter.
    assert places(including("a.md"), {"a.md": "---\nKeep all facts.\n---\n"}) == []


def test_a_fragment_has_no_blocks() -> None:
    fragment = "{% block user %}x{% endblock %}"
    assert places(including("a.md"), {"a.md": fragment}) == [("P211", "block")]


def test_includes_nest_as_deep_as_identity_follows_them() -> None:
    def chain(depth: int, end: str) -> dict[str, str]:
        files = {f"f{i}.md": f"{{% include 'f{i + 1}.md' %}}" for i in range(depth)}
        return {**files, f"f{depth}.md": end}

    one, other = (good(including("f0.md"), chain(7, end)).canonical() for end in ("a", "b"))
    assert one != other
    (found,) = said(including("f0.md"), chain(8, "a"))
    assert found.message == "includes nest at most 8 deep"


def test_a_broken_fragment_is_told_of_once() -> None:
    twice = user("{% include 'a.md' %}{% include 'a.md' %}\n\n{{ text }}")
    assert [c for c, _ in places(twice, {"a.md": "{% if %}"})] == ["P211"]


def test_a_fragment_sees_the_loop_it_stands_in() -> None:
    text = user(
        "{% for t in tags %}{% include 'a.md' %}{% endfor %}", 'inputs: { tags: "list[str]" }'
    )
    assert read(text, {"a.md": "- {{ t }}\n"})[1] == ()  # fmt: skip
