"""Readers for the corpora: every one gives examples of (words, labels) over four entity types.

The test part of each set is fixed by a digest of the sentence (document, template) before anything
is looked at: one in ten is test, one in twenty is dev, the rest is train.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sidecar" / "drivers" / "names"))
from pieces import words_of

TYPES = ("PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS")
LABELS = ("O", *(f"{head}-{name}" for name in TYPES for head in "BI"))
INDEX = {label: at for at, label in enumerate(LABELS)}
IGNORE = -100
FILES = {
    "wnut17/wnut17train.conll": "en",
    "wnut17/emerging.dev.conll": "en",
    "wikigold/wikigold.conll.txt": "en",
    "btc/a.conll": "en",
    "btc/b.conll": "en",
    "btc/e.conll": "en",
    "btc/g.conll": "en",
    "btc/h.conll": "en",
    "sec_filings/FIN5.txt": "en",
    "re3d/re3d-train.conll": "en",
    "germeval2014/NER-de-dev.tsv": "de",
    "german_ler/ler_dev.conll": "de",
    "europeana/enp_DE.lft.bio": "de",
    "europeana/enp_DE.onb.bio": "de",
    "europeana/enp_DE.sbb.bio": "de",
    "europeana/enp_FR.bnf.bio": "fr",
    "europeana/enp_NL.kb.bio": "nl",
}
MAP = {
    "person": "PERSON", "per": "PERSON", "rr": "PERSON", "an": "PERSON",
    "location": "LOCATION", "loc": "LOCATION", "ld": "LOCATION", "st": "LOCATION",
    "lds": "LOCATION", "str": "STREET_ADDRESS",
    "org": "ORGANIZATION", "organisation": "ORGANIZATION", "corporation": "ORGANIZATION",
    "group": "ORGANIZATION", "grt": "ORGANIZATION", "inn": "ORGANIZATION", "un": "ORGANIZATION",
    "lit": "?", "rs": "?",
}  # fmt: skip
MEDDOCAN = {
    "TERRITORIO": "LOCATION", "PAIS": "LOCATION", "CALLE": "STREET_ADDRESS",
    "NOMBRE_SUJETO_ASISTENCIA": "PERSON", "NOMBRE_PERSONAL_SANITARIO": "PERSON",
    "HOSPITAL": "ORGANIZATION", "INSTITUCION": "ORGANIZATION", "CENTRO_SALUD": "ORGANIZATION",
}  # fmt: skip
PRESIDIO = {
    "PERSON": "PERSON", "LOCATION": "LOCATION", "ORGANIZATION": "ORGANIZATION",
    "ADDRESS": "STREET_ADDRESS",
}  # fmt: skip


@dataclass
class Example:
    """One text: its words, a label index for each, and where it is from."""

    words: list[str]
    labels: list[int]
    lang: str
    source: str
    part: str = "train"
    weight: float = 1.0


def part_of(key: str) -> str:
    """Return test, dev or train by the digest of a key."""
    value = int.from_bytes(hashlib.sha256(("split-1|" + key).encode()).digest()[:4], "big") % 20
    return "test" if value < 2 else "dev" if value == 2 else "train"


def kind_of(label: str) -> tuple[str, str]:
    """Return the head (B, I, O) and our type of a corpus label."""
    if label == "O" or "-" not in label:
        return "O", ""
    head, _, name = label.partition("-")
    if name.endswith(("part", "deriv")):
        return "O", ""
    kind = MAP.get(name.lower(), "")
    return (head, kind) if kind else ("O", "")


def from_tokens(tokens: list[str], heads: list[tuple[str, str]]) -> tuple[list[str], list[int]]:
    """Split corpus tokens into our words and give every word a label."""
    words: list[str] = []
    labels: list[int] = []
    before = ""
    for token, (head, kind) in zip(tokens, heads, strict=True):
        parts = [word.text for word in words_of(token)]
        start = head == "B" or kind != before
        for at, word in enumerate(parts):
            words.append(word)
            if kind == "?":
                labels.append(IGNORE)
            elif head == "O":
                labels.append(0)
            else:
                labels.append(INDEX[("B-" if start and at == 0 else "I-") + kind])
        before = kind if head != "O" else ""
    return words, trim(words, labels)


def trim(words: list[str], labels: list[int]) -> list[int]:
    """Take marks at the end of a span out of it (a dot after one letter, a bracket stay)."""
    for at in range(len(words)):
        last = at + 1 == len(words) or labels[at + 1] <= 0 or labels[at + 1] % 2 == 1
        back = at
        while last and labels[back] > 0 and not words[back][0].isalnum() and back > 0:
            if words[back] in ")." and labels[back] % 2 == 0 and len(words[back - 1]) <= 3:
                break
            labels[back] = 0
            back -= 1
    return labels


def conll(path: Path, lang: str, source: str) -> list[Example]:
    """Read a column file; Europeana, which has no sentence ends, is cut at full stops."""
    flat = source.startswith("europeana")
    examples: list[Example] = []
    tokens: list[str] = []
    heads: list[tuple[str, str]] = []

    def flush() -> None:
        if tokens:
            words, labels = from_tokens(tokens, heads)
            if words:
                part = part_of(source + "|" + " ".join(words))
                examples.append(Example(words, labels, lang, source, part))
        tokens.clear()
        heads.clear()

    for raw in path.read_text("utf-8", "replace").split("\n"):
        line = raw.strip("\r")
        if not line.strip() or line.startswith(("-DOCSTART-", "# ", "#\t")):
            flush()
            continue
        if path.suffix == ".tsv":
            cells = line.split("\t")
            token, label = cells[1], cells[2]
        else:
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) < 2:
                continue
            token, label = cells[0], cells[-1]
        tokens.append(token)
        heads.append(kind_of(label))
        if flat and (len(tokens) >= 60 or (len(tokens) >= 14 and token in ".!?")):
            flush()
    flush()
    if flat:
        examples = [one for one in examples if len(one.words) >= 4]
        for one in examples:
            one.weight = 0.5 if source != "europeana/enp_FR.bnf.bio" else 0.35
    return examples


def from_spans(text: str, spans: list[tuple[int, int, str]]) -> tuple[list[str], list[int]]:
    """Label the words of a text by character spans."""
    found = words_of(text)
    labels = [0] * len(found)
    for start, end, kind in spans:
        head = "B-"
        for at, word in enumerate(found):
            if word.end > start and word.start < end and word.text != "\n":
                labels[at] = INDEX[head + kind]
                head = "I-"
            elif word.text == "\n" and start < word.start < end:
                labels[at] = INDEX["I-" + kind]
    return [word.text for word in found], labels


def meddocan(path: Path) -> list[Example]:
    """Read the Spanish clinical documents, cut at line ends into windows of about 100 words."""
    examples: list[Example] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            spans = [(a, b, MEDDOCAN[kind]) for a, b, kind in record["spans"] if kind in MEDDOCAN]
            words, labels = from_spans(record["text"], spans)
            start = 0
            for at, word in enumerate(words):
                if (word in "\n" and at - start > 30) or at - start >= 100 or at + 1 == len(words):
                    part = part_of("meddocan|" + record["id"])
                    examples.append(Example(words[start : at + 1], labels[start : at + 1], "es", "meddocan", part))
                    start = at + 1
    return examples


def presidio(path: Path) -> list[Example]:
    """Read the generated English sentences; the held-out part is by template."""
    examples: list[Example] = []
    for record in json.loads(path.read_text("utf-8")):
        spans = sorted(
            (span["start_position"], span["end_position"], PRESIDIO[span["entity_type"]])
            for span in record["spans"]
            if span["entity_type"] in PRESIDIO
        )
        merged: list[tuple[int, int, str]] = []
        for start, end, kind in spans:
            gap = record["full_text"][merged[-1][1] : start] if merged else "x"
            if merged and kind == merged[-1][2] == "STREET_ADDRESS" and not gap.strip(" \n,"):
                merged[-1] = (merged[-1][0], end, kind)
            elif not merged or start >= merged[-1][1]:
                merged.append((start, end, kind))
        words, labels = from_spans(record["full_text"], merged)
        part = part_of(f"presidio|{record['template_id']}")
        examples.append(Example(words, labels, "en", "presidio", part))
    return examples


def corpora(root: Path) -> list[Example]:
    """Read every labelled set."""
    found: list[Example] = []
    for name, lang in FILES.items():
        source = name if name.startswith("europeana") else name.split("/")[0]
        found += conll(root / name, lang, source)
    found += meddocan(root / "meddocan_es" / "dev.jsonl.gz")
    found += presidio(root / "presidio_research" / "generated_large.json")
    return found


def organisations(root: Path) -> list[str]:
    """Return the company names."""
    with (root / "presidio_research/companies_and_organizations.csv").open(encoding="utf-8") as rows:
        names = [row["organization"].strip() for row in csv.DictReader(rows)]
    return [name for name in names if name and re.search(r"[A-Za-z]{2}", name) and len(name) < 60]


def places(root: Path) -> list[tuple[str, str, str]]:
    """Return (city, country, region)."""
    with (root / "gazetteers/world-cities.csv").open(encoding="utf-8") as rows:
        return [(row["name"], row["country"], row["subcountry"]) for row in csv.DictReader(rows)]


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every data file that is read."""
    names = [
        *FILES,
        "meddocan_es/dev.jsonl.gz",
        "presidio_research/generated_large.json",
        "presidio_research/companies_and_organizations.csv",
        "presidio_research/templates.txt",
        "gazetteers/world-cities.csv",
    ]
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in sorted(names)}
