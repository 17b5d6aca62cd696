"""The names model at run time: people, places, organisations and street addresses in six languages.

A small encoder (int8, see names/MODEL_CARD.md) labels words; a span is a run of labelled words. No network, no
threads of its own; onnxruntime releases the GIL while it computes, so call `find` from a worker thread. A text is
read once, in windows of whole sentences or lines: cost grows in step with its length.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.drivers.names.pieces import Encoded, Lexicon, Pieces, Word, words_of
from sidecar.drivers.names_files import document_words
from sidecar.drivers.names_lines import unwrapped
from sidecar.drivers.names_words import WORDS
from sidecar.inspection.catalogue import Mode
from sidecar.inspection.spans import Span, Strength

DETECTOR = "model/names"
ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS")
HOME = Path(__file__).parent / "names"
WINDOW = 126
MARGIN, AHEAD = 18, 14
"""Pieces before and behind a cut within a sentence that both of its windows read."""
STOPS = frozenset(".!?…;:")
TITLES = frozenset({"capt", "dipl", "dott", "messrs", "mevr", "mlle", "mmes", "prof", "sigg", "univ"})
"""Abbreviations of more than three letters that stand before names: a name alone is easily missed."""
NO_NAME = re.compile(r"(?:The|This|That|These|Our|An?|It|They|We)(?: [a-z]+)*")
"""At the beginning of a sentence: `The committee`, `It`."""
CAPITALS = frozenset((2, 3, 4, 5))  # casing classes of words with a capital letter


class Verdict(NamedTuple):
    """What the model says of one word: its label, and how likely it is part of a name."""

    label: int
    sure: float


Run = Callable[[list[Encoded]], list[Verdict]]


class NamesModel:
    """Loads the model on the first text, or when told to; safe to call from several threads at once."""

    entities = ENTITIES

    def __init__(self, *, mode: Mode = Mode.BALANCED) -> None:
        """Read the small files; `strict` finds more names and more that are none."""
        config = json.loads((HOME / "config.json").read_text("utf-8"))
        self.version: str = config["version"]
        self._labels: list[str] = config["labels"]
        self._bias = [float(config["bias"][mode].get(label[2:], 0.0)) for label in self._labels]
        self._lower = [float(config["bias"]["lower"].get(label[2:], 0.0)) for label in self._labels]

    def load(self) -> None:
        """Load weights and vocabulary now, and run once: the first run is the dearest."""
        self.find("Warm up, please.")

    def find(self, text: str) -> list[Span]:
        """Return the spans of a text, in order, none overlapping another."""
        found = self._read(text, unwrapped(text, words_of(text)))
        if named := self._read(text, document_words(text)):
            return merged([*found, *named])
        return found

    def _read(self, text: str, words: list[Word]) -> list[Span]:
        if not any(word.text[0].isalpha() for word in words):
            return []
        pieces, run = self._loaded
        encoded = [pieces.encode(word.text) for word in words]
        verdicts: list[Verdict] = []
        for start, end, keep, cut in windows(words, encoded):
            verdicts += run(encoded[start:end])[keep - start : cut - start]
        return [span for span in self._spans(text, words, verdicts) if not is_word(text[span.start : span.end])]

    def _spans(self, text: str, words: list[Word], verdicts: list[Verdict]) -> Iterator[Span]:
        """Join labelled words to spans."""
        at = 0
        while at < len(words):
            if not verdicts[at].label:
                at += 1
                continue
            end = at + 1
            while end < len(words) and self._labels[verdicts[end].label].startswith("I-"):
                end += 1
            first, last = trimmed(words, at, end - 1)
            if first <= last and any(mark.isalpha() for mark in text[words[first].start : words[last].end]):
                score = sum(one.sure for one in verdicts[first : last + 1]) / (last + 1 - first)
                entity = self._labels[verdicts[at].label][2:]
                yield Span(words[first].start, words[last].end, entity, round(score, 4), DETECTOR, Strength.MODEL)
            at = end

    @cached_property
    def _loaded(self) -> tuple[Pieces, Run]:
        """Vocabulary and weights, read once."""
        pieces = Pieces((HOME / "vocab.txt").read_text("utf-8").split("\n"), Lexicon.load(HOME / "lexicon.bin"))
        return pieces, session(HOME / "model.onnx", pieces, self._bias, self._lower)


def is_word(said: str) -> bool:
    """Whether what the model takes for a name is a label of a form, or the beginning of a sentence."""
    return WORDS.issuperset(said.split()) or NO_NAME.fullmatch(said) is not None


def merged(spans: list[Span]) -> list[Span]:
    """Spans in order; those that overlap become one that covers both, and is what the surer of them says."""
    settled: list[Span] = []
    for span in sorted(spans, key=attrgetter("start")):
        if settled and span.start < settled[-1].end:
            before = settled.pop()
            surer = max(before, span, key=attrgetter("score"))
            settled.append(surer._replace(start=before.start, end=max(before.end, span.end)))
        else:
            settled.append(span)
    return settled


def trimmed(words: Sequence[Word], first: int, last: int) -> tuple[int, int]:
    """Take marks off both ends of a span, but not the full stop of an initial nor a bracket it opened."""
    while first <= last and not words[first].text[0].isalnum():
        first += 1
    while last > first and not words[last].text[0].isalnum():
        before = words[last - 1]
        if words[last].text == "." and len(before.text) <= 3 and words[last].start == before.end:
            break
        if words[last].text == ")" and any(word.text == "(" for word in words[first:last]):
            break
        last -= 1
    return first, last


def session(path: Path, pieces: Pieces, bias: Sequence[float], lower: Sequence[float]) -> Run:
    """Open the model on one thread; the returned function scores the words of one window.

    `bias` is added to the scores of every word, `lower` too where a window has no capital letter to go by.
    """
    import numpy

    engine: Any = importlib.import_module("onnxruntime")
    options = engine.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = True
    options.log_severity_level = 3
    model: Any = engine.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    usual = numpy.array(bias, dtype=numpy.float32)
    small = usual + numpy.array(lower, dtype=numpy.float32)

    def run(window: list[Encoded]) -> list[Verdict]:
        rows, firsts = rows_of(pieces, window)
        feed = {name: numpy.array([row], dtype=numpy.int64) for name, row in rows.items()}
        found, kept = model.run(None, {**feed, "firsts": numpy.array(firsts, dtype=numpy.int64)})
        scores = found[0][1:] + (usual if CAPITALS.intersection(rows["casing"]) else small)
        odds = numpy.exp(scores - scores.max(1, keepdims=True))
        odds /= odds.sum(1, keepdims=True)
        every = numpy.zeros((len(window), len(usual)), dtype=numpy.float32)
        every[:, 0] = 1.0  # what the model did not look at is no name
        every[kept] = odds
        labels = every.argmax(1).tolist()
        if not is_sequence(labels):
            labels = likeliest(numpy.log(every + 1e-9).tolist())
        return list(map(Verdict, labels, (1 - every[:, 0]).tolist()))

    return run


def rows_of(pieces: Pieces, window: Sequence[Encoded]) -> tuple[dict[str, list[int]], list[int]]:
    """What the model reads of a window, by name of its input, and where each word begins in it."""
    ids, casing, lex, firsts = [pieces.cls], [0], [0], []
    for word in window:
        firsts.append(len(ids))
        ids += word.ids
        casing += [word.casing] * len(word.ids)
        lex += [word.lex] * len(word.ids)
    return {"ids": [*ids, pieces.sep], "casing": [*casing, 0], "lex": [*lex, 0]}, firsts


def is_sequence(labels: Sequence[int]) -> bool:
    """Whether every inner label (even: I-) goes on with the entity that the word before it has."""
    before = 0
    for label in labels:
        if label and not label % 2 and label - before not in (0, 1):
            return False
        before = label
    return True


def likeliest(rows: Sequence[Sequence[float]]) -> list[int]:
    """The likeliest sequence of labels that is one (Viterbi 1967), from the log odds of the labels of each word.

    Where the likeliest label of each word makes a sequence, that is it; so this is asked only where they make none.
    """
    count = len(rows[0])
    best = [-1e9 if label and not label % 2 else odds for label, odds in enumerate(rows[0])]
    came: list[list[int]] = []
    for row in rows[1:]:
        top = max(range(count), key=best.__getitem__)
        back = [
            top if label % 2 or not label else label if best[label] > best[label - 1] else label - 1
            for label in range(count)
        ]
        best = [best[back[label]] + row[label] for label in range(count)]
        came.append(back)
    path = [max(range(count), key=best.__getitem__)]
    for back in reversed(came):
        path.append(back[path[-1]])
    return path[::-1]


def windows(words: Sequence[Word], encoded: Sequence[Encoded]) -> Iterator[tuple[int, int, int, int]]:
    """Cut words into windows (start, end) of about WINDOW pieces, at line or sentence ends; the words from `keep` to
    `cut` are a window's own.

    Where a stretch has no end to cut at, windows overlap: a name at a cut is read with what stands on either side.
    """
    start = keep = 0
    total = len(words)
    while keep < total:
        size = sum(len(one.ids) for one in encoded[start:keep])
        end, closed = keep, 0
        while end < total and (end == keep or size + len(encoded[end].ids) <= WINDOW):
            size += len(encoded[end].ids)
            end += 1
            if size > WINDOW // 3 and end < total and closes(words, end - 1):
                closed = end
        if end == total:
            yield start, end, keep, end
            return
        if closed:
            yield start, closed, keep, closed
            start = keep = closed
        else:
            cut = before(encoded, end, AHEAD, keep + 1)
            yield start, end, keep, cut
            start, keep = before(encoded, cut, MARGIN, keep), cut


def before(encoded: Sequence[Encoded], at: int, pieces: int, least: int) -> int:
    """The word so many pieces before another, and none before `least`."""
    while at > least and len(encoded[at - 1].ids) <= pieces:
        at -= 1
        pieces -= len(encoded[at].ids)
    return at


def closes(words: Sequence[Word], at: int) -> bool:
    """Tell whether a line or a sentence ends with a word: a mark, then space, and no abbreviation before it."""
    if words[at].text == "\n":
        return True
    if words[at].text not in STOPS or words[at + 1].start <= words[at].end or at == 0:
        return False
    before_it = words[at - 1].text
    return len(before_it) > 3 and not (words[at].text == "." and before_it.lower() in TITLES)

