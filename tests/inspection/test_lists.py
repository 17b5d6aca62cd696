"""The customer's own lists: what they say a word is, which signs are a part of it, what they allow everywhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest

from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.inspection import phrases
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.normalise import Copy, normalised
from sidecar.inspection.phrases import PLAIN, Phrases
from sidecar.inspection.spans import Span, Strength
from sidecar.model import Part, Place, Role

Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, Form] = ("NFC", "NFD")


async def found(texts: Sequence[str], settings: Settings, *, names: bool = True) -> list[str]:
    """Type and value of each finding, by the inspector as it is served, worker included."""
    made = Inspector(secret=b"s" * 32, clock=SystemClock(), deadline_s=60, settings=settings, names=names)
    parts = [
        Part(place=Place(path=(at,), label=f"messages[{at}].content"), role=Role.USER, text=text)
        for at, text in enumerate(texts)
    ]
    try:
        findings = (await made.inspect(parts)).findings
    finally:
        await made.close()
    return [f"{f.entity} {texts[int(f.place.path[0])][f.start : f.end]}" for f in findings]


@pytest.mark.parametrize(
    ("deny", "text", "values"),
    [
        ({"PROJECT": ["Falke", "Nordstern"]}, "Falke ist verspätet. Das Vorhaben Nordstern startet in Hamburg.",
         ["PROJECT Falke", "PROJECT Nordstern", "LOCATION Hamburg"]),
        ({"EMPLOYEE": ["Anna Schmidt"]}, "Anna Schmidt hat gekündigt. anna schmidt kommt.",
         ["EMPLOYEE Anna Schmidt", "EMPLOYEE anna schmidt"]),
        ({"EMPLOYEE": ["Schmidt"]}, "Gestern kam Anna Schmidt nach Hamburg.",
         ["PERSON Anna", "EMPLOYEE Schmidt", "LOCATION Hamburg"]),
    ],
)  # fmt: skip
async def test_a_listed_word_keeps_its_type_beside_the_names_model(
    deny: dict[str, list[str]], text: str, values: list[str]
) -> None:
    assert await found([text], Settings(deny=tuple((entity, tuple(words)) for entity, words in deny.items()))) == values


def test_a_listed_word_stays_below_what_is_proven() -> None:
    text = "write to nordstern@corp.example about nordstern"
    engine = Engine(Settings(deny=(("PROJECT", ("Nordstern",)),)))
    assert [(span.entity, text[span.start : span.end]) for span in engine.find(text)] == [
        ("EMAIL_ADDRESS", "nordstern@corp.example"),
        ("PROJECT", "nordstern"),
    ]


def test_a_model_does_not_rename_a_listed_word() -> None:
    engine = Engine(Settings(deny=(("PROJECT", ("Falke",)),)))
    model = Span(0, 5, "PERSON", 1.0, "model", Strength.MODEL)
    assert [span.entity for span in engine.settled("Falke kommt", [*engine.find("Falke kommt"), model])] == ["PROJECT"]


async def test_what_is_allowed_is_not_found_again_because_a_longer_name_was() -> None:
    """One part, and several: the two ways through the inspector."""
    one = "Anna Schmidt kommt. Anna auch. Schmidt zahlt."
    allowed = Settings(allow=("Anna",))
    assert await found([one], allowed) == ["PERSON Anna Schmidt", "PERSON Schmidt"]
    assert await found([one, "anna und Anna sind da"], allowed) == [
        "PERSON Anna Schmidt",
        "PERSON Schmidt",
    ]


SIGNED = ("C++", "F#", ".NET", "A/B", "R&D", "@falke", "Node.js", "Acme Inc.", "Smith & Sons", "Blue Whale", "İstanbul")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("We use C++, R&D, F#, .NET and Node.js.", ["C++", "R&D", "F#", ".NET", "Node.js"]),
        ("(c++) f#! “.net” a/b-test; r & d", ["c++", "f#", ".net", "a/b", "r & d"]),
        ("Option C is better than plan F: net income, a b test, r d, falke", []),
        ("C+++ c++11 ASP.NET example.net ..NET .NETs C# bob@falke C/++", []),
        ("@Falke, acme inc, Acme, Inc. Smith Sons, BLUE-WHALE istanbul İSTANBUL",
         ["@Falke", "acme inc", "Acme, Inc", "Smith Sons", "BLUE-WHALE", "istanbul", "İSTANBUL"]),
        ("C++.NET", ["C++", ".NET"]),
        ("", []),
    ],
)  # fmt: skip
def test_signs_that_make_another_word_count(text: str, values: list[str]) -> None:
    assert [text[start:end] for start, end in Phrases(SIGNED).places(text)] == values


SPELLED = ("Проект Заря", "ИВАНОВ", "Ёлка", "Πρόγραμμα Ήλιος", "Takımı", "m² Haus", "Müller", "Nguyễn", "Straße 7b")


@pytest.mark.parametrize("listed_as", ["NFC", "NFD"])
@pytest.mark.parametrize("word", SPELLED)
def test_a_listed_word_of_any_script_is_found_in_whatever_case_and_form(word: str, listed_as: Form) -> None:
    """The copy that is searched has Latin letters for some Cyrillic ones; a Mac's list has its accents apart."""
    engine = Engine(Settings(deny=(("STAFF", (normalize(listed_as, word),)),)))
    spellings = [normalize(form, each) for each in (word, word.upper(), word.lower(), word.title()) for form in FORMS]
    missed = [each for each in spellings if [span[:3] for span in engine.find(each)] != [(0, len(each), "STAFF")]]
    assert not missed


CASES = [
    ("Ali Demir", "ALİ DEMİR"), ("İbrahim", "ibrahim"), ("ibrahim", "İBRAHİM"), ("Işık", "IŞIK"), ("IŞIK", "ışık"),
    ("Weißmann", "WEISSMANN"), ("WEIẞMANN", "weißmann"), ("Steﬁ", "STEFI"), ("Stefi", "Steﬁ"),
    ("Γιώργος Σωκράτης", "ΓΙΩΡΓΟΣ ΣΩΚΡΑΤΗΣ"), ("Σωκράτης", "ΣΩΚΡΆΤΗΣ"), ("АННА ТОЛСТОЙ", "Анна Толстой"),
    ("O’Brien", "O'BRIEN"),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("listed", "written"), CASES)
def test_a_listed_name_is_found_whole_in_other_cases(listed: str, written: str, form: Form) -> None:
    """`casefold` makes two letters of İ, and leaves ı; Greek capitals go without accents."""
    text = f"so, {normalize(form, written)}!"
    settings = Settings(entities=frozenset({"EMAIL_ADDRESS"}), word_files=(("EMPLOYEE", "a file"),))
    spans = Engine(settings, files=[("EMPLOYEE", [listed])]).find(text)
    assert [text[span.start : span.end] for span in spans] == [text[4:-1]]


def test_an_allowed_name_is_told_in_turkish_capitals_too() -> None:
    settings = Settings(deny=(("EMPLOYEE", ("ALİ DEMİR",)),), allow=("Ali Demir",))
    assert Engine(settings).find("ALİ DEMİR, ali demir") == []


def test_what_is_taken_for_its_own_copy_is() -> None:
    plain = [letter for letter in map(chr, range(0x250)) if PLAIN.fullmatch(letter)]
    assert len(plain) > 400
    assert all(normalised(normalize("NFC", letter)).text in (letter, "i") for letter in plain)
    assert [letter for letter in plain if normalised(letter).text != letter] == ["ı"]


def test_a_million_names_are_folded_word_by_word_if_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has two minutes to load; name by name, 10^6 Cyrillic ones took 150 s, and Latin ones 12."""
    folded = list[str]()

    def counting(text: str) -> Copy:
        folded.append(text)
        return normalised(text)

    monkeypatch.setattr(phrases, "normalised", counting)
    latin = [f"{first} {last}" for first in ("Anna", "José", "Marie-Luise") for last in ("Meyer", "O'Brien", "Żak")]
    phrases.WordList("EMPLOYEE", latin)
    assert not folded
    first, last = ([f"{start}{end}" for end in "абвгдежзик"] for start in ("Фо", "Ше"))
    phrases.WordList("EMPLOYEE", [f"{one} {two}" for one in first for two in last])
    assert len(folded) <= 10 * len({*first, *last})
    assert phrases._spellings.cache_info().currsize == 0  # what is kept of a list is no name


def test_an_allowed_value_is_told_by_its_words() -> None:
    """A detector's value may begin behind the sign that the setting was written with."""
    allowed = Phrases(["@falke", "+49 30 1234567", "C++"])
    assert all(value in allowed for value in ("falke", "@Falke", "49 30 1234567", "+49 30 1234567", "C++"))
    assert "+49 30 7654321" not in allowed


async def test_comments_and_signs_in_a_file_of_words(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\ufeff# comment\nC++\n  # another, indented\nF#\n\n.NET\nBlue Whale\n", encoding="utf-8")
    text = "No comment, another one: net income of plan F and C in C++, F# and .NET by blue whale"
    assert await found([text], Settings(word_files=(("TECH", str(words)),)), names=False) == [
        "TECH C++",
        "TECH F#",
        "TECH .NET",
        "TECH blue whale",
    ]


@pytest.mark.parametrize("unit", ["c+", "c++", "a/", "+", "a "])
def test_signs_cost_in_step_with_the_text(unit: str) -> None:
    """From 4 to 32 KB: a quadratic step would cost 64 times as much."""
    phrases = Phrases(SIGNED)

    def cost(size: int) -> float:
        began = time.process_time()
        list(phrases.places(unit * (size // len(unit))))
        return time.process_time() - began

    assert min(cost(32_768) for _ in range(2)) < max(20 * min(cost(4_096) for _ in range(3)), 0.1)
