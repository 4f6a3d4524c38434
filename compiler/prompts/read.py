"""Reading a prompt file: front matter, template, blocks; all problems in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from ..diagnostics import Diagnostic, Edit, in_order
from ..suggest import nearest
from .braces import single_braces
from .control import beginning_of_sequence, control_tokens
from .delimiters import undelimited
from .files import Files, Siblings, no_siblings
from .front import Front, read_front
from .overflow import fewest_tokens
from .places import skip_space
from .prefix import unstable_prefix
from .record import PromptFile, Reader, Use
from .replies.declare import unmentioned
from .source import Source, drop_allowed, open_source
from .template import Parsed, block_sources, parse
from .whitelist import BLOCKS, Walk


def read_prompt(
    path: str,
    read: Reader,
    *,
    shown: str | None = None,
    siblings: Siblings = no_siblings,
    constant: Collection[str] = (),
) -> tuple[PromptFile | None, tuple[Diagnostic, ...]]:
    """Read and check a prompt file with what it includes.

    Args:
        path: As the recipe names it.
        read: Gives the text of a path; asked for includes, example files and schemas too.
        shown: The path as the user should see it; spans carry it.
        siblings: Lists a folder of the recipe, to name the file that was meant.
        constant: Inputs that are known to be equal in every row.

    Returns:
        The prompt, None where it cannot be relied on, and what is wrong. A file that cannot be read
        is `R111`, without a place: the caller knows who named it.
    """
    shown = shown or path
    prefix = shown.removesuffix(path) if shown.endswith(path) else ""
    files = Files(read, prefix, siblings, str(PurePosixPath(path).parent))
    lost: list[Diagnostic] = []
    text = files.text(path, None, lost)
    if text is None:
        return None, tuple(lost)
    source = open_source(text, shown)
    front, problems = read_front(source, text, files)
    if front is None:
        return None, in_order(drop_allowed(problems, {shown: text}))
    parsed, unreadable = parse(source, front.body)
    if parsed is None:
        return None, in_order((*problems, *unreadable))
    walk = Walk(dict(front.inputs), files, [path])
    walk.prompt(parsed)
    blocks = block_sources(parsed)
    examples = front.examples
    unknown = () if front.unsure else walk.found.unknown
    found = [
        *_unexplained(problems, {use.name for use in unknown}, text),
        *walk.found.diagnostics,
        *_undeclared(unknown, front),
        *_missing_user(source, front, list(blocks)),
        *(d for p in (parsed, *walk.parsed.values()) for d in single_braces(p, walk.inputs)),
        *_unused(front, walk),
    ]
    if not any(d.severity == "error" for d in found):
        found += _advice(parsed, front, walk, constant)
    texts = {shown: text, **{prefix + p: t for p, t in walk.includes.items()}}
    diagnostics = in_order(drop_allowed(found, texts))
    if any(d.severity == "error" and d.code != "P203" for d in diagnostics):
        return None, diagnostics
    prompt = PromptFile(
        path=path,
        text=text,
        inputs=front.inputs,
        shape=front.reply.reply,
        examples=examples.examples,
        example_k=examples.k,
        max_tokens=front.max_tokens,
        blocks=tuple((name, blocks[name]) for name in BLOCKS if name in blocks),
        uses=tuple(walk.found.uses),
        includes=tuple(sorted(walk.includes.items())),
        fewest_tokens=fewest_tokens(parsed, examples, walk.parsed),
    )
    return prompt, diagnostics


def _advice(
    parsed: Parsed, front: Front, walk: Walk, constant: Collection[str]
) -> Iterator[Diagnostic]:
    """Warnings about a prompt that can be used as it is."""
    included = walk.parsed
    yield from undelimited(parsed, walk.inputs, included)
    doubled = tuple(beginning_of_sequence(parsed))
    yield from doubled
    yield from control_tokens((parsed, *included.values()), doubled)
    yield from unstable_prefix(parsed, walk.inputs, constant, front.examples, included)
    if not front.examples.examples:  # they show the shape
        said = (parsed.source.text[parsed.start :], *walk.includes.values())
        yield from unmentioned(front.reply, "\n".join(said))


def _unexplained(
    problems: Iterable[Diagnostic], unknown: Collection[str], text: str
) -> Iterable[Diagnostic]:
    """Problems of the front matter, without examples of an input that only `inputs` lacks."""
    for d in problems:
        of = text[d.span.start : d.span.end].strip("'\"") if d.span else ""
        if d.code != "S002" or of not in unknown:
            yield d


def _undeclared(unknown: Iterable[Use], front: Front) -> Iterable[Diagnostic]:
    """Variables that `inputs` does not declare; one diagnostic if it declares none at all."""
    names = [name for name, _ in front.inputs]
    unknown = tuple(unknown)
    if unknown and not names:
        wanted = ", ".join(f"{n}: str" for n in dict.fromkeys(u.name for u in unknown))
        hint = f"write `inputs: {{ {wanted} }}` in the front matter, between lines `---`"
        message = "the prompt uses variables and declares no inputs"
        return (Diagnostic("P201", message, unknown[0].span, help=hint),)
    return (_undeclared_one(use, names) for use in unknown)


def _undeclared_one(use: Use, names: list[str]) -> Diagnostic:
    close = nearest(use.name, names)
    return Diagnostic(
        "P201",
        f"prompt uses variable `{use.name}`, which its `inputs` do not declare",
        use.span,
        f"inputs: {', '.join(names)}",
        help=f"did you mean `{close}`?" if close else f"add `{use.name}: str` under `inputs`",
        fix=(Edit(use.span, close),) if close else (),
    )


def _missing_user(source: Source, front: Front, blocks: list[str]) -> Iterable[Diagnostic]:
    if "user" in blocks:
        return
    text = source.text
    close = next((b for b in blocks if b not in BLOCKS and nearest(b, BLOCKS) == "user"), None)
    if close:
        tag = text.find("block", front.body)
        while not text[tag + 5 :].lstrip().startswith(close):
            tag = text.find("block", tag + 1)
        at = text.find(close, tag + 5)
        span = source.span(at, at + len(close))
        fix = (Edit(span, "user"),)
        yield Diagnostic(
            "P204", "prompt has no `user` block", span, help="did you mean `user`?", fix=fix
        )
        return
    at = skip_space(text, front.body)
    line = text[at:].split("\n", 1)[0].rstrip()
    yield Diagnostic(
        "P204",
        "prompt has no `user` block",
        source.span(at, at + len(line)),
        help="write `{% block user %}…{% endblock %}` around what the model is asked",
    )


def _unused(front: Front, walk: Walk) -> Iterable[Diagnostic]:
    """Inputs that are never used. Silent where single braces or a slip explain it."""
    if walk.found.deep:
        return
    used = {use.name for use in walk.found.uses}
    meant = {nearest(use.name, [n for n, _ in front.inputs]) for use in walk.found.unknown}
    for key in front.keys:
        name = str(key.value)
        if name in used or name in meant:
            continue
        yield Diagnostic(
            "P202",
            f"input `{name}` is declared but the prompt never uses it",
            key.span,
            help=f"use `{{{{ {name} }}}}` or remove it from `inputs`",
        )
