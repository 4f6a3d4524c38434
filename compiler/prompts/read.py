"""Reading a prompt file: front matter, template, blocks; all problems in one pass."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic, Edit, in_order
from ..suggest import nearest
from .braces import single_braces
from .front import Front, read_front
from .places import skip_space
from .record import PromptFile, Reader, Use
from .source import Source, drop_allowed, open_source
from .template import block_sources, parse
from .whitelist import BLOCKS, Walk, read_file


def read_prompt(
    path: str, read: Reader, *, shown: str | None = None
) -> tuple[PromptFile | None, tuple[Diagnostic, ...]]:
    """Read and check a prompt file with what it includes.

    Args:
        path: As the recipe names it.
        read: Gives the text of a path; asked for includes and example files too.
        shown: The path as the user should see it; spans carry it.

    Returns:
        The prompt, None where it cannot be relied on, and what is wrong. A file that cannot be read
        is `R111`, without a place: the caller knows who named it.
    """
    shown = shown or path
    lost: list[Diagnostic] = []
    text = read_file(path, read, None, lost)
    if text is None:
        return None, tuple(lost)
    prefix = shown.removesuffix(path) if shown.endswith(path) else ""
    source = open_source(text, shown)
    front, problems = read_front(source, text, read, prefix)
    if front is None:
        return None, in_order(drop_allowed(problems, {shown: text}))
    parsed, unreadable = parse(source, front.body)
    if parsed is None:
        return None, in_order((*problems, *unreadable))
    walk = Walk(dict(front.inputs), read, prefix, [path])
    walk.prompt(parsed)
    blocks = block_sources(parsed)
    found = [
        *problems,
        *walk.found.diagnostics,
        *_undeclared(walk.found.unknown, front),
        *_missing_user(source, front, list(blocks)),
        *single_braces(parsed, walk.inputs),
        *_unused(front, walk),
    ]
    files = {shown: text, **{prefix + p: t for p, t in walk.includes.items()}}
    prompt = PromptFile(
        path=path,
        text=text,
        inputs=front.inputs,
        reply=front.reply,
        examples=front.examples.examples,
        example_k=front.examples.k,
        max_tokens=front.max_tokens,
        blocks=tuple((name, blocks[name]) for name in BLOCKS if name in blocks),
        uses=tuple(walk.found.uses),
        includes=tuple(sorted(walk.includes.items())),
    )
    diagnostics = in_order(drop_allowed(found, files))
    usable = not any(d.severity == "error" and d.code != "P203" for d in diagnostics)
    return prompt if usable else None, diagnostics


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
