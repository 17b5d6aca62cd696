"""Cache, phrases, consistency, context, report, scoring: their own rules."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection import consistency, phrases, report, scoring
from sidecar.inspection.cache import SpanCache, Spans
from sidecar.inspection.catalogue import COUNTRIES
from sidecar.inspection.context import Context
from sidecar.inspection.national import national_rules
from sidecar.inspection.phrases import Phrases
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.inspection.rules import Buckets
from sidecar.inspection.serials import serial_rules
from sidecar.inspection.spans import Span, Strength
from sidecar.model import Finding, Place


def span(text: str, value: str, entity: str = "PERSON") -> Span:
    start = text.index(value)
    return Span(start, start + len(value), entity, 0.9, "model", Strength.MODEL)


def spread(texts: list[tuple[str, bool]], found: Sequence[Sequence[Span]]) -> list[list[Span]]:
    known, out = consistency.Known(), []
    for turn in consistency.turns([replies for _, replies in texts]):
        for at in turn:
            known.learn(texts[at][0], found[at])
        out += [finished(known.spread(texts[at][0], found[at])) for at in turn]
    return out


def finished(steps: consistency.Steps) -> list[Span]:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: list[Span] = done.value
            return answer


@given(
    st.text(alphabet="Ab Bcde.", min_size=8, max_size=60), st.lists(st.tuples(st.integers(0, 52), st.integers(1, 9)))
)
def test_a_text_by_itself_is_spread_as_one_of_a_conversation(text: str, drawn: list[tuple[int, int]]) -> None:
    found: list[Span] = []
    for start, size in sorted(drawn):
        if start + size <= len(text) and (not found or start >= found[-1].end):
            found.append(Span(start, start + size, "PERSON", 0.9, "model", Strength.MODEL))
    assert list(consistency.alone(text, found)) == spread([(text, False)], [found])[0]


def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    cache = SpanCache(10_000, b"secret", "v1")
    for number in range(100):
        cache.put(cache.key(f"text {number}"), ())
    assert cache.bytes <= 10_000
    assert cache.get(cache.key("text 0")) is None
    assert cache.get(cache.key("text 99")) == ()


def test_keys_depend_on_the_secret_and_on_the_versions() -> None:
    keys = {SpanCache(1, secret, purpose).key("x") for secret in (b"a", b"b") for purpose in ("1", "2")}
    assert len(keys) == 4


def test_the_cache_holds_no_text() -> None:
    cache = SpanCache(10_000, b"secret", "v1")
    cache.put(cache.key("planted value"), (Span(0, 7, "X", 1.0, "d"),))
    assert "planted" not in repr(cache._entries)


def test_findings_are_made_again_for_another_place_and_never_kept_with_the_callers_keys() -> None:
    spans = Spans([Span(0, 7, "X", 1.0, "d"), Span(9, 12, "Y", 0.5, "e")])
    first, second = (Place(path=("messages", at, "content"), label=f"messages[{at}].content") for at in (0, 1))
    assert spans.at(first) == (Finding(first, 0, 7, "X", 1.0, "d"), Finding(first, 9, 12, "Y", 0.5, "e"))
    assert spans.at(first) is spans.at(first)
    assert {found.place.label for found in spans.at(second)} == {"messages[1].content"}
    keyed = Place(path=("tools", 0, "Anna Kowalska"), label="tools[0].*")
    assert [found.place for found in spans.at(keyed)] == [keyed, keyed]
    assert "Kowalska" not in str(vars(spans)["_told"][0].path)
    assert Spans().at(first) == ()


def test_phrases_match_whole_words_in_any_case_longest_first() -> None:
    phrases = Phrases(["Apollo", "Apollo Thirteen", "O'Brien", "Straße"])
    text = "apollo-thirteen, Apollos, APOLLO; o’brien STRASSE apollo\n\n\n\n thirteen"
    assert [text[start:end] for start, end in phrases.places(text)] == [
        "apollo-thirteen", "APOLLO", "o’brien", "STRASSE", "apollo",
    ]  # fmt: skip
    assert "apollo  THIRTEEN" in phrases
    assert "thirteen" not in phrases


def test_phrases_that_overlap_are_one_so_that_nothing_of_either_stays() -> None:
    phrases = Phrases(["Anna Maria", "Maria Rossi", "Rossi", "Lab of .NET", ".NET Core", "C++", "Core C++"])
    text = "Anna Maria Rossi Rossi, the lab of .NET Core and .NET Core C++, Maria Anna"
    assert [text[start:end] for start, end in phrases.places(text)] == [
        "Anna Maria Rossi", "Rossi", "lab of .NET Core", ".NET Core C++",
    ]  # fmt: skip


def test_a_hundred_thousand_phrases_are_found_and_nothing_else() -> None:
    phrases = Phrases(f"project number{number}" for number in range(100_000))
    assert phrases.count == 100_000
    text = "is project number77777 like project number100000 or number5?"
    assert [text[start:end] for start, end in phrases.places(text)] == ["project number77777"]


@given(st.lists(st.sampled_from(["Apollo", "apollo", "Apollo 13", "C++", "c", ".NET", "net core", "O'Brien", "--"])))
def test_phrases_added_one_by_one_are_those_given_at_once(words: list[str]) -> None:
    added = Phrases(words[:1])
    for word in words[1:]:
        added.add(word)
    whole, text = Phrases(words), "apollo 13 c++ c .net core o'brien net -- Apollo"
    assert list(added.places(text)) == list(whole.places(text))
    assert added.count == whole.count


def test_a_long_conversation_looks_at_each_value_as_often_as_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(turns: int) -> int:
        looked: list[str] = []

        def counting(phrase: str) -> list[str]:
            looked.append(phrase)
            return phrases.folded(phrase)

        monkeypatch.setattr(consistency, "folded", counting)
        texts = [(f"From user{number}@example.org to user0@example.org", True) for number in range(turns)]
        texts = [each for text in texts for each in (("And?", False), text)]
        spans = [[span(text, text.split()[1], "EMAIL_ADDRESS")] if "@" in text else [] for text, _ in texts]
        found = spread(texts, spans)
        assert [len(each) for each in found[3::2]] == [2] * (turns - 1)
        return len(looked)

    assert seen(1200) <= 4 * seen(400)


def test_a_name_found_once_is_masked_everywhere_in_its_turn_and_later() -> None:
    texts = [
        ("Hello Anna Kowalska", False),
        ("Anna Kowalska wrote", False),
        ("To Anna Kowalska", True),
        ("annex", False),
    ]
    found = [[], [span(texts[1][0], "Anna Kowalska")], [], []]
    assert [len(spans) for spans in spread(texts, found)] == [1, 1, 1, 0]


def test_an_earlier_turn_is_not_changed_by_a_later_one() -> None:
    texts = [("Kowalska asks", False), ("Hi", True), ("I am Kowalska", False)]
    assert [len(spans) for spans in spread(texts, [[], [], [span(texts[2][0], "Kowalska")]])] == [0, 0, 1]


def test_a_person_named_in_full_is_known_by_each_name_afterwards() -> None:
    texts = [("Ask Anna Kowalska-Lem.", False), ("Kowalska-Lem wrote, signed: Anna. Kowalska is another.", False)]
    found = spread(texts, [[span(texts[0][0], "Anna Kowalska-Lem")], []])
    assert [texts[1][0][s.start : s.end] for s in found[1]] == ["Kowalska-Lem", "Anna"]
    assert {(s.entity, s.detector) for s in found[1]} == {("PERSON", "consistency")}


@pytest.mark.parametrize(
    "text",
    ["Mark Brown saw a brown dog. Brown it was.", "Dr. Al Li came; Al, Li and Dr. too.", "ANNA KOWALSKA, KOWALSKA"],
)
def test_a_word_that_may_be_another_is_no_name_by_itself(text: str) -> None:
    full = text[:10] if text.startswith("Mark") else text[:9] if text.startswith("Dr") else text[:13]
    found = spread([(text, False)], [[span(text, full)]])[0]
    assert [text[s.start : s.end] for s in found] == [full]


@pytest.mark.parametrize(
    ("first", "later", "found"),
    [
        ("Tom", "| Tom | inform |", ["Tom"]),
        ("Jan Hoekstra", "1. **Jan** is told", ["Jan"]),
        ("Wolf", "Wolfs Fax, Wolfsburg, Wolfi", ["Wolf"]),
        ("Nele Kirchhoff", "Kirchhoffs Antrag, Neles Stimme", ["Kirchhoff", "Nele"]),
        ("Hans", "Hanss", []),
        ("Mo", "Mo", []),
    ],
)
def test_short_names_and_genitives_are_known_again(first: str, later: str, found: list[str]) -> None:
    spans = spread([(first, False), (later, False)], [[span(first, first)], []])[1]
    assert [later[s.start : s.end] for s in spans] == found


def test_a_model_calls_one_name_by_one_type() -> None:
    text = "Anna Kowalska is here. Anna's phone is Anna's."
    at = text.index("Anna's")
    found = [span(text, "Anna Kowalska"), Span(at, at + 4, "ORGANIZATION", 0.9, "names", Strength.MODEL)]
    assert {s.entity for s in spread([(text, False)], [found])[0]} == {"PERSON"}


def test_only_people_are_known_by_a_part_of_their_name() -> None:
    text = "Kowalska Steel hired them. Kowalska pays."
    assert len(spread([(text, False)], [[span(text, "Kowalska Steel", "ORGANIZATION")]])[0]) == 1


def test_no_match_inside_a_word() -> None:
    texts = [("Anna met Annabel and Anna.", False)]
    assert [(s.start, s.end) for s in spread(texts, [[span(texts[0][0], "Anna")]])[0]] == [(0, 4), (21, 25)]


def test_many_values_are_spread_in_one_pass() -> None:
    names = [f"Name{number} Person" for number in range(300)]
    first, second = ", ".join(names), "; ".join(reversed(names))
    found = spread([(first, False), (second, False)], [[span(first, name) for name in names], []])
    assert [len(spans) for spans in found] == [300, 300]


@pytest.mark.parametrize(
    ("text", "near"),
    [("public duplicate 123", False), ("lic 123", True), ("123 (lic)", True), ("driver's permit: 123", True)],
)
def test_context_is_whole_words(text: str, near: bool) -> None:
    start = text.index("123")
    assert Context.of("lic", "driver s permit").near(text, start, start + 3) is near


def test_context_far_away_does_not_count() -> None:
    assert not Context.of("ssn").near("ssn " + "x " * 100 + "123", 204, 207)


def test_report_shapes() -> None:
    text = "I am Anna."
    spans = [span(text, "Anna")]
    assert report.as_json(spans) == {
        "findings": [{"start": 5, "end": 9, "entity": "PERSON", "score": 0.9, "detector": "model"}]
    }
    assert report.as_text(text, spans, colour=False) == "I am [PERSON: Anna]."
    assert "\x1b[" in report.as_text(text, spans, colour=True)
    assert "PERSON" in report.summary(spans, ("ORGANIZATION",))


def test_scoring_counts_leaks_not_labels() -> None:
    line = json.dumps({"text": "Anna Schmidt, 030 901820", "spans": [{"start": 0, "end": 12, "entity": "PER"}]})
    examples = list(scoring.examples(line))
    half = scoring.score(examples, lambda text: [scoring.Label(0, 4, "PERSON")])
    whole = scoring.score(examples, lambda text: [scoring.Label(0, 4, "X"), scoring.Label(5, 12, "Y")])
    assert half.types["PERSON"].coverage == 0.0
    assert whole.types["PERSON"].coverage == 1.0
    assert whole.types["PERSON"].recall == 0.0
    assert "PERSON" in whole.as_text()
    assert whole.as_json()["types"]["X"]["precision"] == 0.0


def test_scoring_reads_presidio_research() -> None:
    rows = [{"full_text": "x@y.example", "spans": [{"entity_type": "EMAIL", "start_position": 0, "end_position": 11}]}]
    assert next(scoring.examples(json.dumps(rows))).labels == (scoring.Label(0, 11, "EMAIL_ADDRESS"),)


def test_wilson_is_honest_about_small_numbers() -> None:
    low, high = scoring.wilson(5, 5)
    assert 0.5 < low < 0.6
    assert high == 1.0


@pytest.mark.parametrize("kind", ["numeric", "mixed"])
def test_rules_of_any_length_are_there_when_their_first_token_is_met(kind: str) -> None:
    rules = [*presidio_rules(COUNTRIES), *national_rules(COUNTRIES), *serial_rules()]
    made = Buckets(rules, kind, 0.4)
    assert not made
    for length, own in made.rules.items():
        bucket = made[length]
        assert bucket is not None
        assert {rule.name for side in bucket[:2] for _, rule in side.rules} == {rule.name for rule in own}
        assert made[length] is bucket
    known = len(made)
    assert [made[length] for length in range(200, 5000)] == [None] * 4800
    assert len(made) == known
