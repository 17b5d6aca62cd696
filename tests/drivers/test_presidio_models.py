"""Models behind Presidio's own recognisers read all of a text, or refuse it.

The models here are stand-ins, for torch is too big to be installed for tests: they cut off and raise where transformers
5.16 and GLiNER 0.2.29 do, and everything between them and us is Presidio's.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.drivers import presidio, presidio_models
from sidecar.drivers.presidio_models import halves

NAME = "Anna"
JSON = '{"a":"' + '","'.join(["order"] * 600) + f'","name":"{NAME}","b":"' + '","'.join(["order"] * 200) + '"}'
CHINESE = "订单已经到了" * 200 + NAME + "订单已经到了" * 20
PROSE = "The order is late. " * 300 + f"Write to {NAME} today."
TEXTS = {"json": JSON, "chinese": CHINESE, "prose": PROSE}


class Tokenizer:
    """A token is a word, but each Chinese character is one by itself."""

    is_fast = True

    def __init__(self, limit: int = 512) -> None:
        self.model_max_length = limit

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in re.finditer(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]", text)]

    def tokenize(self, text: str) -> list[str]:
        return [text[start:end] for start, end in self.tokens(text)]


class Pipeline:
    """Of transformers: cut at the tokenizer's limit without a word, unless there is a stride; longer than its positions
    is an error."""

    def __init__(self, limit: int = 512, labels: tuple[str, ...] = ("O", "B-PER", "I-PER")) -> None:
        config = SimpleNamespace(id2label=dict(enumerate(labels)), max_position_embeddings=512)
        self.model, self.tokenizer = SimpleNamespace(config=config), Tokenizer(limit)
        self.label = labels[-1].removeprefix("I-")

    def __call__(self, text: str, stride: int = 0) -> list[dict[str, Any]]:
        tokens, limit = self.tokenizer.tokens(text), self.tokenizer.model_max_length
        step = limit - stride if stride else len(tokens)
        found: dict[int, dict[str, Any]] = {}
        for first in range(0, len(tokens), max(1, step)):
            found |= {row["start"]: row for row in self.window(text, tokens[first : first + limit])}
        return list(found.values())

    def window(self, text: str, tokens: list[tuple[int, int]]) -> list[dict[str, Any]]:
        if len(tokens) > 512:
            raise IndexError("index out of range in self")
        named = [span for span in tokens if text[slice(*span)] == NAME]
        return [{"entity_group": self.label, "start": start, "end": end, "score": 0.9} for start, end in named]


class Gliner:
    """Of the package's class: reads `max_len` words, and no more tokens than its tokenizer passes."""

    def __init__(self, limit: int = 512) -> None:
        self.config = SimpleNamespace(max_len=384)
        self.data_processor = SimpleNamespace(transformer_tokenizer=Tokenizer(limit))

    def predict_entities(self, text: str, labels: list[str], **_: Any) -> list[dict[str, Any]]:
        limit = min(384, self.data_processor.transformer_tokenizer.model_max_length - 4 * len(labels))
        read = self.data_processor.transformer_tokenizer.tokens(text)[:limit]
        named = [(start, end) for start, end in read if text[start:end] == NAME]
        return [{"start": start, "end": end, "label": labels[0], "score": 0.9} for start, end in named]


def huggingface(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline, **options: Any) -> Any:
    module = "presidio_analyzer.predefined_recognizers.ner.huggingface_ner_recognizer"
    monkeypatch.setattr(f"{module}.torch", object())
    monkeypatch.setattr(f"{module}.hf_pipeline", lambda *_, **__: pipeline)
    options = {"model_name": "here", "device": "cpu", **options}
    return presidio.load(
        {"kind": "recognizer", "class": "HuggingFaceNerRecognizer", "options": options, "entities": ["PERSON"]}
    )


def gliner(monkeypatch: pytest.MonkeyPatch, model: Gliner, **options: Any) -> Any:
    module = "presidio_analyzer.predefined_recognizers.ner.gliner_recognizer"
    monkeypatch.setattr(f"{module}.GLiNER", SimpleNamespace(from_pretrained=lambda *_, **__: model))
    options = {"model_name": "here", "map_location": "cpu", "supported_entities": ["PERSON"], **options}
    return presidio.load(
        {"kind": "recognizer", "class": "GLiNERRecognizer", "options": options, "entities": ["PERSON"]}
    )


def spacy_of(monkeypatch: pytest.MonkeyPatch, folder: Path, pipeline: Pipeline) -> Any:
    import spacy
    from presidio_analyzer.nlp_engine import TransformersNlpEngine, huggingface_token_pipe

    monkeypatch.setattr(TransformersNlpEngine, "is_available", True)
    monkeypatch.setattr(huggingface_token_pipe, "_pipeline_device", lambda: -1)
    monkeypatch.setattr(huggingface_token_pipe, "hf_pipeline", lambda **_: pipeline)
    spacy.blank("en").to_disk(folder / "blank")
    models = [{"lang_code": "en", "model_name": {"spacy": str(folder / "blank"), "transformers": "here"}}]
    configuration = {"nlp_engine_name": "transformers", "models": models}
    return presidio.load({"kind": "nlp", "configuration": configuration, "entities": ["PERSON"]})


Make = Callable[[int], Any]


@pytest.fixture(params=["huggingface", "gliner", "spacy"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Make:
    """By the limit that the model's tokenizer states."""
    warnings.simplefilter("ignore")  # spaCy's own
    made: dict[str, Make] = {
        "huggingface": lambda limit: huggingface(monkeypatch, Pipeline(limit)),
        "gliner": lambda limit: gliner(monkeypatch, Gliner(limit)),
        "spacy": lambda limit: spacy_of(monkeypatch, tmp_path, Pipeline(limit)),
    }
    return made[request.param]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("limit", [512, 10**30, 128])
def test_the_tail_of_a_text_without_spaces_is_read(make: Make, limit: int, text: str) -> None:
    """It was cut off at the model's limit, or the model's error was taken for a text without names."""
    at = text.index(NAME)
    assert any(span.start <= at and at + 4 <= span.end for span in make(limit).find(text))


def failing(*_: Any, **__: Any) -> Any:
    raise IndexError("index out of range in self")


@pytest.mark.parametrize("kind", ["huggingface", "spacy"])
def test_what_the_model_raises_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    warnings.simplefilter("ignore")
    pipeline = Pipeline()
    finder = huggingface(monkeypatch, pipeline) if kind == "huggingface" else spacy_of(monkeypatch, tmp_path, pipeline)
    monkeypatch.setattr(Pipeline, "window", failing)
    with pytest.raises(IndexError):
        list(finder.find("Anna here"))


def test_a_window_that_is_more_than_gliner_reads_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="more than the model reads"):
        list(gliner(monkeypatch, Gliner(30)).find("订" * 400))


def test_labels_that_are_mapped_to_nothing_wanted_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names were found as NAME, and left out, for PERSON was looked for."""
    odd = Pipeline(labels=("O", "B-NAME", "I-NAME"))
    with pytest.raises(ValueError, match="does not find PERSON but NAME"):
        huggingface(monkeypatch, odd)
    mapped = huggingface(monkeypatch, odd, label_mapping={"NAME": "PERSON"})
    assert [(span.start, span.entity) for span in mapped.find("To Anna")] == [(3, "PERSON")]


def test_a_tokenizer_without_offsets_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finding came without its place, and was left out."""
    monkeypatch.setattr(Tokenizer, "is_fast", False)
    with pytest.raises(ValueError, match="fast one"):
        huggingface(monkeypatch, Pipeline())


def test_a_text_chunker_is_written_as_in_presidios_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start took it, and every call was refused."""
    chunker = {"chunker_type": "character", "chunk_size": 100, "chunk_overlap": 20}
    assert list(gliner(monkeypatch, Gliner(), text_chunker=chunker).find(PROSE))


@pytest.mark.parametrize("raised", [OSError("We couldn't connect"), ValueError("Repo id must be in the form")])
def test_a_model_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch, raised: Exception) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise raised

    monkeypatch.setattr(Gliner, "__init__", missing)
    module = "presidio_analyzer.predefined_recognizers.ner.gliner_recognizer"
    monkeypatch.setattr(f"{module}.GLiNER", SimpleNamespace(from_pretrained=missing))
    options = {"model_name": "/no/such/model", "map_location": "cpu"}
    config = {"kind": "recognizer", "class": "GLiNERRecognizer", "options": options, "entities": ["PERSON"]}
    with pytest.raises(ValueError, match="/no/such/model is no folder here"):
        presidio.load(config)


def test_a_pipeline_without_anything_that_finds_names_stops_the_start(tmp_path: Path) -> None:
    """Records said that PERSON was looked for, and nobody did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spacy

        spacy.blank("en").to_disk(tmp_path / "blank")
        models = [{"lang_code": "en", "model_name": str(tmp_path / "blank")}]
        configuration = {"nlp_engine_name": "spacy", "models": models}
        with pytest.raises(ValueError, match="does not find PERSON"):
            presidio.load({"kind": "nlp", "configuration": configuration, "entities": ["PERSON"]})


def test_halves_leave_nothing_out_and_overlap() -> None:
    spans = list(halves("x" * 3001, 0, 3001, lambda text: len(text) <= 384))
    assert spans[0][0] == 0 and spans[-1][1] == 3001
    assert all(later[0] <= earlier[1] - 2 * presidio_models.OVERLAP for earlier, later in pairwise(spans))
    assert all(end - start <= 384 for start, end in spans)
