"""Secrets that stand in a file which is meant to be shared.

The forms are those that issuers document, so that scanners can find them: a fixed prefix and a
length. What has no form of its own (a password in a sentence) is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .diagnostics import Diagnostic, Span
from .nodes import TYPED

_FORMS: tuple[tuple[str, str], ...] = (
    ("an API key", r"sk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{20,}"),
    ("a Hugging Face token", r"hf_[A-Za-z0-9]{30,}"),
    ("a GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,}"),
    ("an AWS access key", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("a Google API key", r"AIza[0-9A-Za-z_-]{35}"),
    ("a Slack token", r"xox[abprs]-[0-9A-Za-z-]{20,}"),
    ("an NVIDIA API key", r"nvapi-[A-Za-z0-9_-]{40,}"),
    ("a Groq API key", r"gsk_[A-Za-z0-9]{40,}"),
    ("a JSON web token", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    (
        "an address with a password",
        r"[a-z][a-z0-9+.-]{1,15}://[^\s/:@\"'{}]{1,64}:[^\s/@\"'{}$]{4,256}@",
    ),
)
# Not the tail of a longer word, which also keeps the search linear.
_ANY = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    + "|".join(f"(?P<_{i}>{form})" for i, (_, form) in enumerate(_FORMS))
    + ")"
)


def find_secrets(files: Mapping[str, str], known: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """G704 for each secret in the files, unless one at its place is known already."""
    told = [d.span for d in known if d.code == "G704" and d.span]
    for file, text in files.items():
        if file.startswith(TYPED):
            continue
        for match in _ANY.finditer(text):
            start, end = match.span()
            if any(s.file == file and s.start < end and start < s.end for s in told):
                continue
            what = next(_FORMS[int(n[1:])][0] for n, v in match.groupdict().items() if v)
            yield Diagnostic(
                "G704",
                f"this looks like {what}",
                Span(file, start, end),
                help="name an environment variable: `${NAME}`; revoke it if it was ever pushed",
            )
