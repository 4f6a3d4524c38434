"""Models of `transformers` with random weights, run for real where torch is installed."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import math
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import transformers as engine_module
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling
from mashbill.runtime.scoring.wire import pair, read_entailment, read_score, read_vector

if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
    pytest.skip('needs torch: pip install "mashbill[transformers]"', allow_module_level=True)

WORDS = ["the", "mill", "stood", "by", "a", "river", "and", "is", "wide", "corn", "it", "sea"]
NLI = ["contradiction", "entailment", "neutral"]
TEMPLATE = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"


def write(home: Path, outputs: int | None, labels: Sequence[str] = (), template: str = "") -> Path:
    """A BERT of one layer; `outputs` of None makes one that embeds."""
    torch, library = importlib.import_module("torch"), importlib.import_module("transformers")
    home.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "user", "assistant", *WORDS]
    tokenizers = importlib.import_module("tokenizers")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=24,
    )
    if template:
        tokenizer.chat_template = template
    torch.manual_seed(3)
    config = library.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.5,
        **({"num_labels": outputs} if outputs else {}),
        **({"id2label": dict(enumerate(labels))} if labels else {}),
    )
    kind = library.BertForSequenceClassification if outputs else library.BertModel
    kind(config).save_pretrained(home)
    tokenizer.save_pretrained(home)
    return home


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    write(home / "rater", 1)
    write(home / "chat", 1, template=TEMPLATE)
    write(home / "nli", 3, NLI)
    write(home / "embedder", None)
    return home


class Served:
    """A started engine and its event loop."""

    def __init__(self, home: Path, model: str, task: str, **placement: Any) -> None:
        self.loop = asyncio.new_event_loop()
        spec = ModelSpec(
            *("m", "transformers", f"./{model}"),
            placement={"threads": 1, "device": "cpu", **placement},
            options={"task": task},
            base=str(home),
        )
        self.engine = engine_module.TransformersEngine(spec)
        try:
            self.run(self.engine.start())
        except EngineError:
            self.close()
            raise

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def ask(self, *asked: Sequence[Message]) -> list[Any]:
        """All at once; errors stand where replies would."""

        async def all_() -> list[Any]:
            requests = (Request("m", tuple(m), Sampling(max_tokens=1)) for m in asked)
            asks = (self.engine.complete(r) for r in requests)
            return await asyncio.gather(*asks, return_exceptions=True)

        found: list[Any] = self.run(all_())
        return found

    def close(self) -> None:
        self.run(self.engine.close())
        self.loop.close()


@pytest.fixture(scope="module")
def rater(models: Path) -> Iterator[Served]:
    served = Served(models, "rater", "reward", batch=4)
    yield served
    served.close()


def logits(home: Path, *texts: str) -> Any:
    """What the library itself says, of one question without padding."""
    torch, library = importlib.import_module("torch"), importlib.import_module("transformers")
    model = library.AutoModelForSequenceClassification.from_pretrained(home).eval()
    tokenizer = library.AutoTokenizer.from_pretrained(home)
    with torch.inference_mode():
        return model(**tokenizer(*texts, return_tensors="pt")).logits[0]


def user(text: str) -> list[Message]:
    return [Message("user", text)]


def test_rewards_are_the_models_own_whatever_goes_with_them(models: Path, rater: Served) -> None:
    answers = [" ".join(WORDS[:n]) for n in (1, 9, 3, 12, 5, 2)]
    found = rater.ask(*(pair("the mill", answer) for answer in answers))
    for answer, reply in zip(answers, found, strict=True):
        assert isinstance(reply, Completion), reply
        assert read_score(reply.text) == pytest.approx(
            logits(models / "rater", "the mill", answer)[0].item(), abs=1e-4
        )
        assert reply.prompt_tokens == len(answer.split()) + 5
    assert len({reply.text for reply in found}) == len(found)


def test_a_question_that_is_too_long_is_an_error_and_the_others_are_answered(rater: Served) -> None:
    fine, long = rater.ask(pair("the mill", "stood"), pair("the mill", "corn " * 30))
    assert isinstance(fine, Completion)
    assert (long.kind, long.retryable) == ("overlong", False)
    assert "35 tokens do not fit into the model's 24" in str(long)


def test_a_crash_is_an_error_and_a_new_process(rater: Served) -> None:
    assert rater.engine.child is not None
    rater.engine.child.kill()
    rater.run(rater.engine.child.ended(5.0))
    found = rater.ask(pair("the mill", "stood"))
    assert isinstance(found[0], Completion)
    assert rater.engine.note() == "restarted 1×"


def test_a_conversation_goes_through_the_chat_template(models: Path) -> None:
    served = Served(models, "chat", "reward")
    try:
        (found,) = served.ask(
            [Message("user", "the mill"), Message("assistant", "stood"), Message("user", "a sea")]
        )
        assert isinstance(found, Completion), found
        assert found.prompt_tokens == 8  # the template brings all marks that there are
    finally:
        served.close()


def test_a_score_lies_between_0_and_1(models: Path) -> None:
    served = Served(models, "rater", "score")
    try:
        (found,) = served.ask(pair("the mill", "stood by a river"))
        logit = logits(models / "rater", "the mill", "stood by a river")[0].item()
        assert read_score(found.text) == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)
        (refused,) = served.ask(user("alone"))
        assert (refused.kind, refused.retryable) == ("request", False)
    finally:
        served.close()


def test_inference_by_the_names_of_the_labels(models: Path) -> None:
    served = Served(models, "nli", "nli")
    try:
        (found,) = served.ask(pair("the mill stood", "a mill"))
        shares = logits(models / "nli", "the mill stood", "a mill").softmax(-1).tolist()
        read = read_entailment(found.text)
        by_name = dict(zip(NLI, shares, strict=True))
        for name in NLI:
            assert getattr(read, name) == pytest.approx(by_name[name], abs=1e-5)
    finally:
        served.close()


def test_embeddings_are_the_mean_of_what_is_no_padding(models: Path) -> None:
    torch, library = importlib.import_module("torch"), importlib.import_module("transformers")
    served = Served(models, "embedder", "embed", batch=8)
    try:
        texts = ["the mill", "the mill stood by a river and it is wide"]
        short, long = served.ask(*map(user, texts))
        model = library.AutoModel.from_pretrained(models / "embedder").eval()
        tokenizer = library.AutoTokenizer.from_pretrained(models / "embedder")
        with torch.inference_mode():
            states = model(**tokenizer(texts[0], return_tensors="pt")).last_hidden_state[0]
        wanted = torch.nn.functional.normalize(states.mean(0), dim=-1).tolist()
        assert read_vector(short.text) == pytest.approx(wanted, abs=1e-4)
        assert math.fsum(v * v for v in read_vector(long.text)) == pytest.approx(1.0, abs=1e-3)
    finally:
        served.close()


@pytest.mark.parametrize(
    ("model", "task", "said"),
    [
        ("nli", "reward", "3 outputs"),
        ("rater", "nli", "entailment, neutral and contradiction"),
        ("embedder", "reward", "it is no classifier"),
    ],
)
def test_a_model_of_another_kind_is_refused(models: Path, model: str, task: str, said: str) -> None:
    with pytest.raises(EngineError, match=said) as caught:
        Served(models, model, task)
    assert (caught.value.kind, caught.value.retryable) == ("load", False)
