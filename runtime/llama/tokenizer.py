"""A model's own tokenizer, built from the metadata of its GGUF file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..requests import Message
from .template import CHATML, render_chat

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Word patterns of the byte-level BPE families, as the models' own `tokenizer.json` files state
# them; the names are those of `tokenizer.ggml.pre`, as llama.cpp reads it (`src/llama-vocab.cpp`).
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_PATTERN = (
    _CONTRACTIONS + r"|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}"
    r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLIT = {
    "llama-bpe": _PATTERN.format(digits=r"\p{N}{1,3}"),
    "qwen2": _PATTERN.format(digits=r"\p{N}"),
}
_DIGITS_APART = frozenset({"smollm"})
_PLAIN = frozenset({"gpt-2"})
_BOS_BY_DEFAULT = frozenset({"llama-bpe"})
_CONTROL = 3


@dataclass(frozen=True, slots=True)
class ChatTokens:
    """Counts with a tokenizer and a chat template. Meets `engines.base.Tokens`.

    Attributes:
        tokenizer: Special tokens known to it, so that they count as one wherever they stand.
        template: The chat template's source.
        special: Control tokens.
        bos: Text of the token that opens every prompt, or empty.
        eos: Text of the token that ends a turn, or empty.
        adds_bos: Whether the engine puts `bos` before a prompt that lacks it.
    """

    tokenizer: Tokenizer
    template: str
    special: tuple[str, ...] = ()
    bos: str = ""
    eos: str = ""
    adds_bos: bool = False

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, no special tokens added."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(e.ids) for e in encoded]

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Prompt tokens of each conversation, chat template and generation prompt included."""
        prompts = [render_chat(self.template, c, bos=self.bos, eos=self.eos) for c in chats]
        counts = self.count(prompts)
        if not (self.adds_bos and self.bos):
            return counts
        return [n + (not p.startswith(self.bos)) for n, p in zip(counts, prompts, strict=True)]


def build_tokens(meta: Mapping[str, Any]) -> ChatTokens | None:
    """The tokenizer that GGUF metadata describes, or None if its kind is not known exactly.

    Known are the byte-level BPE vocabularies with the word patterns of GPT-2, SmolLM, Llama 3 and
    Qwen 2. One of 49,152 tokens takes about 0.2 s.
    """
    pre = meta.get("tokenizer.ggml.pre", "")
    known = pre in _SPLIT or pre in _DIGITS_APART or pre in _PLAIN
    if meta.get("tokenizer.ggml.model") != "gpt2" or not known:
        return None
    words: list[str] = meta["tokenizer.ggml.tokens"]
    kinds: list[int] = meta.get("tokenizer.ggml.token_type", [])
    special = tuple(w for w, kind in zip(words, kinds, strict=False) if kind == _CONTROL)

    def word(key: str) -> str:
        index = meta.get(f"tokenizer.ggml.{key}_token_id")
        return words[index] if index is not None and 0 <= index < len(words) else ""

    return ChatTokens(
        tokenizer=_byte_level(words, kinds, meta["tokenizer.ggml.merges"], pre),
        template=meta.get("tokenizer.chat_template") or CHATML,
        special=special,
        bos=word("bos"),
        eos=word("eos"),
        adds_bos=bool(meta.get("tokenizer.ggml.add_bos_token", pre in _BOS_BY_DEFAULT)),
    )


def _byte_level(
    words: Sequence[str], kinds: Sequence[int], merges: Sequence[str], pre: str
) -> Tokenizer:
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

    # Looked for from the second character on, as a token may itself be a space in some files.
    pairs = [(m[:cut], m[cut + 1 :]) for m in merges if (cut := m.find(" ", 1)) > 0]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=pairs, ignore_merges=pre in _BOS_BY_DEFAULT))
    if pre in _SPLIT:
        steps = [
            Split(Regex(_SPLIT[pre]), behavior="isolated"),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    elif pre in _DIGITS_APART:
        steps = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    else:
        steps = [ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = Sequence(steps)
    # Control (3) and user-defined (4) tokens are matched in the text before words are split.
    whole = [w for w, kind in zip(words, kinds, strict=False) if kind in (_CONTROL, 4)]
    tokenizer.add_special_tokens([AddedToken(w, special=True, normalized=False) for w in whole])
    return tokenizer
