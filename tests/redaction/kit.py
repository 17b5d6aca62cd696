"""What the redaction tests share: parts and findings by hand, and random hostile requests and replies."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from sidecar.model import Channel, Edit, Finding, Part, Place, PlaceKind, RedactMode, Role
from sidecar.redaction import NUMBERED, Redaction, Restorer, Style, Vault, redact

ALL = {"*": RedactMode.SURROGATE}
TEXT = Channel(0, "content")
JSON = Channel(0, "tool_calls.arguments", 0, True)


def part(text: str, *, at: int = 0, kind: PlaceKind = PlaceKind.TEXT, role: Role = Role.USER) -> Part:
    return Part(place=Place(path=("messages", at), kind=kind, label=f"messages[{at}]"), role=role, text=text)


def mark(part: Part, start: int, end: int, entity: str = "PERSON") -> Finding:
    return Finding(place=part.place, start=start, end=end, entity=entity, score=1.0, detector="test")


def marks(part: Part, values: Mapping[str, str]) -> list[Finding]:
    """Every occurrence of each value, left to right, the longest first, with its entity."""
    found, at = [], 0
    ordered = sorted(values, key=len, reverse=True)
    while at < len(part.text):
        value = next((value for value in ordered if part.text.startswith(value, at)), None)
        if value is not None:
            found.append(mark(part, at, at + len(value), values[value]))
        at += len(value or "x")
    return found


def redacted(
    texts: Sequence[str | Part],
    values: Mapping[str, str],
    rules: Mapping[str, RedactMode] = ALL,
    *,
    style: Style = NUMBERED,
) -> tuple[list[str], Redaction]:
    """The texts as the upstream gets them, and the redaction."""
    parts = [part(text, at=at) if isinstance(text, str) else text for at, text in enumerate(texts)]
    result = redact(parts, [finding for each in parts for finding in marks(each, values)], rules, style=style)
    return edited(parts, result.edits), result


def edited(parts: Iterable[Part], edits: Iterable[Edit]) -> list[str]:
    new = {edit.place: edit.text for edit in edits}
    return [new.get(part.place, part.text) for part in parts]


def vault_of(**values: str) -> Vault:
    """A vault by entity and value: `vault_of(PERSON="Anna")` has `<PERSON_1>`."""
    return redacted([" ; ".join(values.values())], {value: entity for entity, value in values.items()})[1].vault


def stream(restorer: Restorer, pieces: Iterable[str], channel: Channel = TEXT) -> str:
    return "".join([*(restorer.feed(channel, piece) for piece in pieces), restorer.finish(channel)])


def counts(restorer: Restorer) -> tuple[object, ...]:
    return dict(restorer.restored), dict(restorer.withheld), restorer.unknown, restorer.ambiguous


def cut(source: random.Random, text: str, most: int = 8) -> list[str]:
    """The text at random cuts."""
    edges = sorted(source.sample(range(len(text) + 1), min(len(text), source.randint(0, most))))
    return [text[start:end] for start, end in pairwise([0, *edges, len(text)])]


def splits(text: str, *, seed: int = 0, rounds: int = 3) -> Iterator[list[str]]:
    """The text whole, code point by code point, in two at every place (of a long one at 80), and at random cuts."""
    yield [text]
    yield list(text)
    source = random.Random(seed)
    places = range(len(text) + 1)
    yield from ([text[:at], text[at:]] for at in (places if len(text) < 80 else source.sample(places, 80)))
    yield from (cut(source, text) for _ in range(rounds))


def everywhere(vault: Vault, text: str, channel: Channel = TEXT, **policy: object) -> str:
    """The restored text, once it is sure that it does not depend on how the stream was cut."""
    results = set()
    for pieces in splits(text):
        restorer = Restorer(vault, **policy)  # type: ignore[arg-type]
        results.add((stream(restorer, pieces, channel), str(counts(restorer))))
    assert len(results) == 1, results
    return results.pop()[0]


VALUES = {
    "Anna Smith": "PERSON",
    'J"r\\\n\t\x01': "PERSON",
    "<PERSON_1>": "PERSON",
    ".*+?[](){}|^$\\": "PERSON",
    "\U0001f600é": "LOCATION",
    "bob@x.com": "EMAIL_ADDRESS",
    "Bob@x.com": "EMAIL_ADDRESS",
    "10.0.0.7": "IP_ADDRESS",
    "bob": "US_PERSON",
    "4242424242424242": "CREDIT_CARD",
    "+49 30 1234567": "PHONE_NUMBER",
}

_WORDS = r"""PERSON person US_PERSON PERSON_1 PERSON_2 US_PERSON_1 LITERAL_1 <PERSON_1> <person_1> <PERSON_2>
<LITERAL_1> &lt;PERSON_1&gt; &lt;PERSON_1> <PERSON\_1> <PERSON\\_2\> \u003cPERSON_1\u003e
%3CPERSON_1%3E %3cPERSON_2> % %3 %3C %3E %25
\\u003cPERSON_2\\u003e \\\u003cPERSON_1> <PERSON_1 PERSON_1> PERSON_1> </PERSON_1> <PERSON_01>
<PERSON_١> <PERSON_99> \<PERSON_1\> \\<PERSON\_2\\> \> \< <mailto: <a ＜ ＞
<EMAIL_ADDRESS_1> EMAIL_ADDRESS_1 <PERSON_ <PERS < << > & &lt &lt; &gt; \ \\ \u
\u00 \u003 _ _1 1 P PE <P <EM <IP_ADDRESS_1> IP_ADDRESS_1 <PHONE_NUMBER_1> <US_PERSON_1>
<US_US_PERSON_1> get_PERSON_1 get_US_PERSON_1_x MY_PERSON_1 - . , : ; ! ( ) [ ] { } " \" ' = / //
https:// https://evil.example/?q= https://ok.example/ http: https:\/\/ok.example\/ www.ok.example/
ok.example @ # ? ok.example.evil user0001@example.com user0002@example.com user0001@example 192.0.2.1
192.0.2. +1-202-555-0100 4111110000000016 a b é 7"""

WORDS = _WORDS.split()
"""Fragments of hostile text: spellings of surrogates whole and torn, URLs, JSON, lifelike values."""

GAPS = ("", "", "", " ", "\n", "\\n", " ")


def hostile(source: random.Random, pieces: int = 12, words: Sequence[str] = ()) -> str:
    """Random text of fragments, some of which run into each other."""
    pool = [*WORDS, *words]
    return "".join(source.choice(pool) + source.choice(GAPS) for _ in range(source.randint(1, pieces)))


def request(source: random.Random) -> tuple[list[Part], list[Finding]]:
    """A random request: hostile texts with values in them, in every kind of place and role."""
    values = list(VALUES)
    parts, findings = [], []
    for at in range(source.randint(1, 4)):
        kind = source.choice([PlaceKind.TEXT, PlaceKind.TEXT, PlaceKind.KEY, PlaceKind.IDENTIFIER])
        chosen = source.sample(values, source.randint(0, 4))
        text = hostile(source, 10, chosen * 8)
        if kind is PlaceKind.IDENTIFIER:  # a provider takes no other characters
            text = re.sub(r"[^A-Za-z0-9_\-]+", "", text)
        made = part(text, at=at, kind=kind, role=source.choice(list(Role)))
        parts.append(made)
        findings += marks(made, {value: VALUES[value] for value in chosen})
    return parts, findings
