"""From examples to batches: noise on words, joining of texts, pieces, padding."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from names_data import IGNORE, INDEX, LABELS, Example
from names_gen import Generator
from pieces import Pieces, normal, words_of

WINDOW = 126
OCR = {
    "i": "l",
    "l": "1",
    "o": "0",
    "e": "c",
    "m": "rn",
    "n": "u",
    "s": "f",
    "c": "e",
    "t": "f",
    "h": "b",
    "S": "5",
    "B": "8",
    "I": "l",
    "O": "0",
}


def ocr(word: str, pick: random.Random) -> str:
    """Damage one or two letters of a word."""
    if len(word) < 3 or not word.isalpha():
        return word
    for _ in range(pick.choice((1, 1, 2))):
        at = pick.randrange(len(word))
        draw = pick.random()
        if draw < 0.6:
            word = word[:at] + OCR.get(word[at], word[at]) + word[at + 1 :]
        elif draw < 0.8:
            word = word[:at] + word[at + 1 :]
        else:
            word = word[:at] + pick.choice("abcdefghijklmnoprstuvw") + word[at:]
    return word or "x"


def noise(words: list[str], labels: list[int], pick: random.Random) -> list[str]:
    """Change the letter case or damage letters."""
    draw = pick.random()
    if draw < 0.25:
        return [word.lower() for word in words]
    if draw < 0.30:
        return [word.lower() if labels[at] > 0 else word for at, word in enumerate(words)]
    if draw < 0.33:
        return [word.upper() for word in words]
    if draw < 0.355:
        return [word.upper() if labels[at] > 0 else word for at, word in enumerate(words)]
    if draw < 0.38:
        return [word.title() if word.islower() else word for word in words]
    if draw < 0.42:
        return [ocr(word, pick) if pick.random() < 0.15 else word for word in words]
    return words


def swap(one: Example, gen: Generator, share: float) -> tuple[list[str], list[int]]:
    """Put another name in the place of some people and places of a real sentence."""
    words, labels = one.words, one.labels
    if gen.pick.random() > share:
        return words, labels
    new_words: list[str] = []
    new_labels: list[int] = []
    at = 0
    while at < len(words):
        label = labels[at]
        if label <= 0 or label % 2 == 0:
            new_words.append(words[at])
            new_labels.append(label)
            at += 1
            continue
        end = at + 1
        while end < len(words) and labels[end] == label + 1:
            end += 1
        kind = LABELS[label][2:]
        part = words[at:end]
        if words[at][0].isupper() and gen.pick.random() < 0.6 and kind in ("PERSON", "LOCATION"):
            if kind == "PERSON":
                text = (
                    gen.full(one.lang)
                    if end - at > 1
                    else gen.pick.choice((gen.surname, gen.surname, gen.given))(one.lang)
                )
            else:
                text = (
                    gen.city(one.lang)
                    if gen.pick.random() < 0.5
                    else gen.country(one.lang)
                    if gen.pick.random() < 0.5
                    else " ".join(part)
                )
            part = [word.text for word in words_of(text)]
        new_words += part
        new_labels += [label] + [label + 1] * (len(part) - 1)
        at = end
    return new_words, new_labels


def reword(words: list[str], labels: list[int], common: list[str], nouns: bool, pick: random.Random) -> list[str]:
    """Put other ordinary words in the place of some ordinary words: most words of a new text were never seen."""
    new = list(words)
    for at, word in enumerate(words):
        if labels[at] == 0 and len(word) > 3 and word.isalpha() and pick.random() < 0.3:
            if word.islower():
                new[at] = common[int(len(common) * pick.random() ** 2)]
            elif nouns and at and word.istitle():
                new[at] = common[int(len(common) * pick.random() ** 2)].title()
    return new


Row = tuple[list[int], list[int], list[int], list[int], float]


def encode(words: list[str], labels: list[int], weight: float, pieces: Pieces, pick: random.Random | None) -> Row:
    """Turn words into pieces, features and one label a word (on its first piece)."""
    ids, casing, lex, wanted = [pieces.cls], [0], [0], [IGNORE]
    blank = pick is not None and pick.random() < 0.15
    for word, label in zip(words, labels, strict=True):
        found = pieces.encode(word)
        mark = 0 if blank or (pick is not None and pick.random() < 0.04) else found.lex
        if len(ids) + len(found.ids) > WINDOW + 1:
            break
        ids += found.ids
        casing += [found.casing] * len(found.ids)
        lex += [mark] * len(found.ids)
        wanted += [label] + [IGNORE] * (len(found.ids) - 1)
    ids.append(pieces.sep)
    casing.append(0)
    lex.append(0)
    wanted.append(IGNORE)
    return ids, casing, lex, wanted, weight


def tensors(rows: list[Row]) -> tuple[torch.Tensor, ...]:
    """Pad rows to one size."""
    size = max(len(row[0]) for row in rows)
    ids, casing, lex, mask = (torch.zeros(len(rows), size, dtype=torch.long) for _ in range(4))
    wanted = torch.full((len(rows), size), IGNORE)
    weight = torch.tensor([row[4] for row in rows])
    for at, row in enumerate(rows):
        count = len(row[0])
        ids[at, :count] = torch.tensor(row[0])
        casing[at, :count] = torch.tensor(row[1])
        lex[at, :count] = torch.tensor(row[2])
        wanted[at, :count] = torch.tensor(row[3])
        mask[at, :count] = 1
    added = (1.0 - mask[:, None, None, :].float()) * -10_000.0
    return ids, casing, lex, added, wanted, weight


class Feed:
    """Endless batches: a share of generated texts, the rest drawn from the corpora by source weight."""

    def __init__(
        self,
        examples: list[Example],
        gen: Generator,
        pieces: Pieces,
        frequent: dict[str, list[str]],
        budget: int,
        share: float,
        seed: int,
    ) -> None:
        """Group the training examples by source and weigh the sources."""
        self.gen, self.pieces, self.budget, self.share = gen, pieces, budget, share
        self.pick = random.Random(seed)
        self.sources: dict[str, list[Example]] = {}
        for one in examples:
            if one.part == "train":
                self.sources.setdefault(one.source, []).append(one)
        weights = {
            "wikigold": 3.5, "germeval2014": 3.5, "btc": 3.0, "wnut17": 2.0, "sec_filings": 0.5, "re3d": 0.8,
            "presidio": 1.2,
            "german_ler": 0.9, "meddocan": 1.6, "europeana/enp_DE.lft.bio": 1.0, "europeana/enp_DE.onb.bio": 0.15,
            "europeana/enp_DE.sbb.bio": 0.8, "europeana/enp_FR.bnf.bio": 1.6, "europeana/enp_NL.kb.bio": 1.8,
            "source": 1.4,
        }  # fmt: skip
        self.order = list(self.sources)
        self.weights = [weights[name] for name in self.order]
        named = {normal(name) for names in gen.names.values() for part in names for name in part}
        self.common = {
            lang: [word for word in words[150:30_000] if len(word) > 3 and normal(word) not in named]
            for lang, words in frequent.items()
        }
        self.langs = {"en": 0.9, "de": 1.5, "fr": 1.3, "es": 1.4, "it": 1.7, "nl": 1.3}

    def one(self) -> Row:
        """Return one encoded text."""
        words: list[str] = []
        labels: list[int] = []
        made = self.pick.random() < self.share
        weight = 1.0
        lang = self.pick.choices(list(self.langs), list(self.langs.values()))[0]
        source = self.pick.choices(self.order, self.weights)[0]
        for turn in range(self.pick.choice((1, 1, 1, 2, 3))):
            if made:
                example = self.gen.example(lang)
                more, marks = example.words, example.labels
            else:
                example = self.pick.choice(self.sources[source])
                weight = example.weight
                more, marks = swap(example, self.gen, 0.25 if source != "german_ler" else 0.1)
            if self.pick.random() < (0.45 if made else 0.12):
                spoken = lang if made else example.lang
                more = reword(more, marks, self.common[spoken], spoken == "de", self.pick)
            if turn and (self.pick.random() < 0.3 or words[-1].isalnum()):
                words, labels = [*words, "\n"], [*labels, 0]
            words, labels = words + more, labels + marks
        if self.pick.random() < 0.06 and words[-1] == "." and labels[-1] == 0:
            words, labels = words[:-1], labels[:-1]
        return encode(noise(words, labels, self.pick), labels, weight, self.pieces, self.pick)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        while True:
            pool = sorted((self.one() for _ in range(1200)), key=lambda row: len(row[0]))
            batches: list[list[Row]] = [[]]
            for row in pool:
                if batches[-1] and (len(batches[-1]) + 1) * len(row[0]) > self.budget:
                    batches.append([])
                batches[-1].append(row)
            self.pick.shuffle(batches)
            for batch in batches:
                yield tensors(batch)


assert INDEX["O"] == 0
