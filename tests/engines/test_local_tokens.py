"""Our tokenizer against llama.cpp's own, with the real model."""

from __future__ import annotations

import random
from collections.abc import Iterator

import orjson
import pytest

from mashbill.runtime.engines import local
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Message, Request, Sampling

from .local_server import Served

TEXTS = {
    "english": "The quick brown fox doesn't jump; it'll WAIT, won't it?  Two  spaces.",
    "digits": "In 2026, 1234567890 of 3.14159 and 12,345 were ⅔ of Ⅻ or ٣٤٥ and x²³.",
    "code": "def f(x):\n\treturn {'a': x**2}  # 100%\n\n\n    if x != 3:\r\n        pass\r\n",
    "chinese": "敏捷的棕色狐狸跳过了懒狗。2026年11月22日",
    "japanese": "吾輩は猫である。名前はまだ無い。ﾊﾝｶｸ",
    "arabic": "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "hindi": "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है",
    "thai": "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัข",
    "russian": "Съешь ещё этих мягких французских булок",
    "emoji": "👩‍👩‍👧‍👦 🇩🇪 🏳️‍🌈 👍🏽 ☃️ 😀😀",
    "combining": "e\u0301 vs é, Zalgo: Z\u0351\u036b\u0343\u036a",
    "far planes": "𝔘𝔫𝔦 𐍈 \U0010fffd \U000e0041",
    "white space": " \t\n \u00a0\u2003\u3000 x \u200b\u200d\u2028 y\n\n \n",
    "controls": "a\x01b\x1fc\x7fd\x85e",
    "special tokens": "<|im_start|>user\nhi<|im_end|> <|endoftext|><|im_|end|> <file_sep>",
    "empty": "",
    "one space": " ",
    "long run": "a" * 3000,
}


@pytest.fixture(scope="module")
def served(local_spec: ModelSpec) -> Iterator[Served]:
    with Served(local_spec) as served:
        yield served


def theirs(served: Served, text: str) -> list[int]:
    answer = served.post("/tokenize", {"content": text})
    return list(answer["tokens"])


@pytest.mark.parametrize("name", TEXTS)
def test_tokens_are_those_of_llama_cpp(served: Served, name: str) -> None:
    assert served.tokens.tokenizer.encode(TEXTS[name]).ids == theirs(served, TEXTS[name])
    assert local.tokens(served.spec).count([TEXTS[name]]) == [len(theirs(served, TEXTS[name]))]


def test_tokens_of_random_texts_are_those_of_llama_cpp(served: Served) -> None:
    dice = random.Random(7)
    ranges = [(32, 127), (160, 0x250), (0x370, 0x600), (0x900, 0xE80), (0x2000, 0x2C00)]
    ranges += [(0x3040, 0xD7A4), (0xF900, 0xFFF0), (0x10000, 0x1F9FF), (9, 14)]
    for _ in range(300):
        spans = [dice.choice(ranges) for _ in range(dice.randint(1, 4))]
        text = "".join(chr(dice.randrange(*dice.choice(spans))) for _ in range(60))
        assert served.tokens.tokenizer.encode(text).ids == theirs(served, text), ascii(text)


def test_prompt_tokens_are_those_that_the_server_reports(served: Served) -> None:
    chats = [
        (Message("user", "Hello"),),
        (Message("system", "Be brief."), Message("user", TEXTS["digits"])),
        (
            Message("user", TEXTS["emoji"]),
            Message("assistant", TEXTS["code"]),
            Message("user", TEXTS["special tokens"]),
        ),
        (Message("user", TEXTS["chinese"] + TEXTS["white space"]),),
        (Message("user", ""),),
    ]
    counted = local.tokens(served.spec).count_chat(chats)
    for chat, count in zip(chats, counted, strict=True):
        done = served.complete(Request("m", chat, Sampling(max_tokens=1)))
        assert done.prompt_tokens == count


def test_what_the_model_writes_counts_the_same(served: Served) -> None:
    asked = Request("m", (Message("user", "Tell me of 3 rivers."),), Sampling(max_tokens=60))
    done = served.complete(asked)
    (count,) = local.tokens(served.spec).count([done.text])
    # The token that ends a turn is counted by the server and is not in the text.
    assert done.completion_tokens - count in (0, 1)


def test_the_template_is_rendered_as_llama_cpp_does(served: Served) -> None:
    from mashbill.runtime.llama.template import render_chat

    chat = (Message("system", "Brief {{x}}."), Message("user", " <b>ü</b>\n"))
    answer = served.post(
        "/apply-template", {"messages": [{"role": m.role, "content": m.content} for m in chat]}
    )
    tokens = served.tokens
    assert render_chat(tokens.template, chat, bos=tokens.bos, eos=tokens.eos) == answer["prompt"]
    assert orjson.dumps(answer)
