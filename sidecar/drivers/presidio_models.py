"""Models behind Presidio's recognisers, made to read all of a text, or to say that they did not.

Presidio 2.2.366 takes a model's failure for a text without findings (`_predict_chunk` of HuggingFaceNerRecognizer,
`_predict_one` of its spaCy component); transformers and GLiNER leave out, without a word, what goes beyond their limit,
and Presidio's windows end at spaces, which minified JSON, Chinese and Japanese do not have. A model whose labels are
not mapped to what is looked for finds nothing, and looks like one that has nothing to find.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

MOST_TOKENS = 512
"""Of one window, also where a model could take more: its cost grows with the square."""
RESERVED = 2
"""Positions that a model may keep for itself: RoBERTa has 514 for 512 tokens."""
SPARE = 8
"""Tokens that GLiNER writes around its labels and the text, and then some."""
OVERLAP = 32
"""Code points on either side of a cut within a run without spaces."""
WARM_UP = "Warm up, please."

Labels = frozenset[str]


class Unread(BaseException):
    """What a model raised; no `except Exception` on the way makes nothing of it."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault


def is_model(recognizer: Any) -> bool:
    return any(getattr(recognizer, name, None) is not None for name in ("ner_pipeline", "gliner"))


def of_recognizer(recognizer: Any) -> Labels | None:
    """Secures a recogniser that `is_model`. The types it can find, None where that is not known."""
    if getattr(recognizer, "ner_pipeline", None) is not None:
        types = _types(recognizer)
        recognizer.ner_pipeline = token_pipeline(recognizer.ner_pipeline)
        return types
    _cut_by_gliners_limits(recognizer)
    return None


def of_spacy(pipeline: Any, mapping: Mapping[str, str]) -> Labels | None:
    """Secures a spaCy pipeline. The types it can find, None where a component that is not spaCy's own may find any."""
    labels: set[str] = set()
    for name, component in pipeline.pipeline:
        own = getattr(component, "pipeline", None)
        if own is not None and hasattr(own, "tokenizer"):
            labels.update(_stripped(own.model.config.id2label.values()))
            component.pipeline = token_pipeline(own)
        elif not type(component).__module__.startswith("spacy."):
            return None
        elif "doc.ents" in pipeline.get_pipe_meta(name).assigns:
            labels.update(component.labels)
    return frozenset(mapping.get(label, label) for label in labels)


def _types(recognizer: Any) -> Labels:
    labels = _stripped(recognizer.ner_pipeline.model.config.id2label.values(), recognizer.label_prefixes)
    return frozenset(recognizer.label_mapping.get(label) or label for label in labels)


def _stripped(labels: Collection[str], prefixes: Collection[str] = ("B-", "I-")) -> Iterator[str]:
    for label in labels:
        if label != "O":
            prefix = next((prefix for prefix in prefixes if label.startswith(prefix)), "")
            yield label[len(prefix) :]


def token_pipeline(pipeline: Any) -> Callable[[str], Any]:
    """A pipeline of transformers that reads windows with overlap, by its own tokens. The result raises Unread."""
    tokenizer = pipeline.tokenizer
    if not tokenizer.is_fast:
        raise ValueError("its tokenizer cannot say where a token stands; save it as a fast one (tokenizer.json)")
    positions = getattr(pipeline.model.config, "max_position_embeddings", None) or 0
    room = positions - RESERVED if positions > RESERVED else MOST_TOKENS
    tokenizer.model_max_length = min(tokenizer.model_max_length, room, MOST_TOKENS)
    stride = tokenizer.model_max_length // 4

    def read(text: str) -> Any:
        try:
            return pipeline(text, stride=stride)
        except Exception as fault:  # noqa: BLE001  raised on, past those who would swallow it
            raise Unread(fault) from None

    return read


def _cut_by_gliners_limits(recognizer: Any) -> None:
    """Its windows, and where one is longer than GLiNER reads, halves of that."""
    chunker, labels = recognizer.text_chunker, recognizer.gliner_labels
    chunks, fits = chunker.chunk, _fits(recognizer.gliner, labels)

    def chunk(text: str) -> list[Any]:
        return [
            type(long)(text=text[start:end], start=start, end=end)
            for long in chunks(text)
            for start, end in halves(text, long.start, long.end, fits)
        ]

    chunker.chunk = chunk


def _fits(model: Any, labels: Collection[str]) -> Callable[[str], bool]:
    """Whether the model reads all of a text: no more words than its configuration says, no more tokens than its
    tokenizer lets pass beside the labels."""
    words, tokenizer = model.config.max_len, getattr(model.data_processor, "transformer_tokenizer", None)
    if tokenizer is None:
        return lambda text: len(text) <= words
    room = tokenizer.model_max_length - sum(len(tokenizer.tokenize(label)) + 1 for label in labels) - SPARE
    return lambda text: len(text) <= words and (room > 1 << 20 or len(tokenizer.tokenize(text)) <= room)


def halves(text: str, start: int, end: int, fits: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """The span, or its halves and theirs that fit, each with `OVERLAP` on either side of a cut. Raises ValueError."""
    if fits(text[start:end]):
        yield start, end
        return
    if end - start <= 4 * OVERLAP:
        raise ValueError("a short window of this text is more than the model reads")
    middle = (start + end) // 2
    yield from halves(text, start, middle + OVERLAP, fits)
    yield from halves(text, middle - OVERLAP, end, fits)
