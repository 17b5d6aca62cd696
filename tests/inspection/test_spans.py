"""Overlaps: disjoint results that cover every letter and digit any detector marked."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine, undisguised
from sidecar.inspection.spans import Span, Strength, resolve, whole

TEXT = "ab, cd-ef gh.ij kl (mn) op qr: st uv; wx yz 12 34 56 78 90 ."


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    made = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.integers(0, len(TEXT) - 2))
        end = draw(st.integers(start + 1, min(len(TEXT), start + 20)))
        strength = draw(st.sampled_from(Strength))
        entity = draw(st.sampled_from(["A", "B", "PERSON", "STREET_ADDRESS"]))
        made.append(Span(start, end, entity, draw(st.floats(0.1, 1)), "t", strength))
    return made


@example([Span(1, 21, "A", 1.0, "t"), Span(2, 22, "STREET_ADDRESS", 1.0, "t")])  # leaves the n of a word: no label
@example([Span(0, 5, "A", 1.0, "t"), Span(1, 2, "STREET_ADDRESS", 1.0, "t", Strength.LIST)])  # on both sides of it
@given(spans())
def test_disjoint_in_order_and_nothing_marked_is_left_standing(marked: list[Span]) -> None:
    settled = resolve(marked, TEXT)
    assert all(left.end <= right.start for left, right in itertools.pairwise(settled))
    assert all(span.start < span.end for span in settled)
    covered = {at for span in settled for at in range(span.start, span.end)}
    wanted = {at for span in marked for at in range(span.start, span.end) if TEXT[at].isalnum()}
    assert wanted <= covered
    assert covered <= {at for span in marked for at in range(span.start, span.end)}


@given(spans())
def test_settling_twice_changes_nothing(marked: list[Span]) -> None:
    once = resolve(marked, TEXT)
    assert resolve(once, TEXT) == once


def test_of_numbers_the_stronger_one_names_the_span_and_is_widened_not_trimmed() -> None:
    text = "IBAN 12 DE89370400440532013000 34"
    weak = Span(5, 17, "PHONE_NUMBER", 0.5, "rules")
    proven = Span(8, 30, "IBAN_CODE", 1.0, "rules", Strength.PROVEN)
    assert resolve([weak, proven], text) == [proven._replace(start=5)]


def test_a_name_is_cut_at_what_a_rule_has_proven() -> None:
    text = "write to anna bob@corp.example today"
    name = Span(9, 17, "PERSON", 0.99, "model", Strength.MODEL)
    mail = Span(14, 30, "EMAIL_ADDRESS", 0.9, "rules", Strength.PROVEN)
    assert resolve([name, mail], text) == [name._replace(end=13), mail]


def test_punctuation_that_sticks_out_widens_nothing() -> None:
    text = "(bob@corp.example)."
    mail = Span(1, 17, "EMAIL_ADDRESS", 1.0, "rules", Strength.PROVEN)
    assert resolve([mail, Span(12, 19, "ORGANIZATION", 0.5, "model", Strength.MODEL)], text) == [mail]


def test_a_number_at_the_end_of_a_models_address_keeps_its_type() -> None:
    text = "Kerkstraat 5, Amsterdam, BSN 123456782."
    address = Span(0, 38, "STREET_ADDRESS", 0.99, "model", Strength.MODEL)
    number = Span(29, 38, "NL_BSN", 0.7, "rules")
    assert resolve([address, number], text) == [address._replace(end=23), number]
    inner = Span(11, 12, "NL_BSN", 0.7, "rules")
    assert resolve([address, inner], text) == [address]


FOUND = {"{": ("PERSON", Strength.MODEL), "[": ("STREET_ADDRESS", Strength.MODEL), "(": ("LOCATION", Strength.MODEL),
         "<": ("RULE", Strength.PROVEN), "~": ("GUESS", Strength.WEAK), "^": ("STREET_ADDRESS", Strength.LIST),
         "*": ("LISTED", Strength.OWN), "$": ("SPECIAL", Strength.LIST)}  # fmt: skip
ENDS = {"}": "{", "]": "[", ")": "(", ">": "<", "`": "~", "|": "^", "_": "*", "%": "$"}


def marked(drawn: str) -> tuple[str, list[Span]]:
    """A text and the spans drawn into it."""
    text, begun, found = "", dict[str, int](), []
    for mark in drawn:
        if mark in FOUND:
            begun[mark] = len(text)
        elif mark in ENDS:
            entity, strength = FOUND[ENDS[mark]]
            found.append(Span(begun[ENDS[mark]], len(text), entity, 0.9, "t", strength))
        else:
            text += mark
    return text, found


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        ("[Kerkstraat 5, Delft. Steuer-ID <86095742719>. USt-IdNr].",
         ["STREET_ADDRESS Kerkstraat 5, Delft", "RULE 86095742719"]),
        ("[Kerkstraat 5, BSN <123456782>, Delft]", ["STREET_ADDRESS Kerkstraat 5", "RULE 123456782",
                                                    "STREET_ADDRESS Delft"]),
        ("[Kerkstraat 5, BSN ~123456782`]", ["STREET_ADDRESS Kerkstraat 5", "GUESS 123456782"]),
        ("[Kerkstraat 5, Tel. ~0151 234`, ID ~777 888`]",
         ["STREET_ADDRESS Kerkstraat 5", "GUESS 0151 234", "GUESS 777 888"]),
        ("[Kerkstraat ~12345`, Delft]", ["STREET_ADDRESS Kerkstraat 12345, Delft"]),
        ("[Kerkstraat 5 ~0151] 234`", ["STREET_ADDRESS Kerkstraat 5", "GUESS 0151 234"]),
        ("^Kerkstraat 5 ~2611`| Delft", ["STREET_ADDRESS Kerkstraat 5 2611"]),
        ("^Kerkstraat 5, <86095742719>|", ["STREET_ADDRESS Kerkstraat 5", "RULE 86095742719"]),
        ("[^Kerkstraat 5|, 2611 AB] (Delft)", ["STREET_ADDRESS Kerkstraat 5, 2611 AB", "LOCATION Delft"]),
        ("^Kerkstraat 5, 2611 (Delft)|", ["STREET_ADDRESS Kerkstraat 5, 2611 Delft"]),
        ("({^Willy Brandt)} Platz 5|", ["STREET_ADDRESS Willy Brandt Platz 5"]),
        ("{Anna Schmidt, Tel. <0171 1234567>}", ["PERSON Anna Schmidt", "RULE 0171 1234567"]),
        ("{Anna Schmidt, E-Mail: <a@corp.example>}", ["PERSON Anna Schmidt", "RULE a@corp.example"]),
        ("{<0171 1234567>, Anna Schmidt}", ["RULE 0171 1234567", "PERSON Anna Schmidt"]),
        ("{Nummer <0171 1234567>, IBAN}", ["RULE 0171 1234567"]),
        ("{Anna *Schmidt_}", ["PERSON Anna", "LISTED Schmidt"]),
        ("{Anna *Schmidt}s_", ["PERSON Anna", "LISTED Schmidts"]),
        ("{Kreisverband $IG Metall% Ulm}", ["PERSON Kreisverband", "SPECIAL IG Metall", "PERSON Ulm"]),
        ("{$IG Metall%}", ["SPECIAL IG Metall"]),
        ("<anna.{schmidt}@corp.example>", ["RULE anna.schmidt@corp.example"]),
        ("~(GAP) AG 170`", ["GUESS GAP AG 170"]),
        ("~(GAP AG 170)`", ["GUESS GAP AG 170"]),
        ("<a@*nordstern_.example>", ["RULE a@nordstern.example"]),
    ],
)  # fmt: skip
def test_what_is_cut_and_what_is_taken_in(drawn: str, kept: list[str]) -> None:
    text, found = marked(drawn)
    assert [f"{span.entity} {text[span.start : span.end]}" for span in resolve(found, text)] == kept


@pytest.mark.parametrize(
    ("text", "cut", "wanted"),
    [
        ("Hauptstr. 93 10115 Berlin", "Hauptstr. 93 1011", "Hauptstr. 93 10115"),
        ("Anna Schmidts Auto", "na Schmidt", "Anna Schmidts"),
        ("Anna_Schmidt.pdf", "Anna", "Anna"),
        ("我叫张伟住在北京", "张伟", "张伟"),
        ("Anna Schmidt", "Anna Schmidt", "Anna Schmidt"),
    ],
)
def test_a_models_span_never_ends_within_a_number_or_a_word(text: str, cut: str, wanted: str) -> None:
    span = Span(text.index(cut), text.index(cut) + len(cut), "PERSON", 0.9, "model", Strength.MODEL)
    found = undisguised(text, lambda _: [span])
    assert [text[one.start : one.end] for one in found] == [wanted]


def test_a_run_without_end_is_not_read_for_each_span_in_it() -> None:
    text = "a" * 100_000
    assert whole(Span(5000, 5001, "A", 0.9, "t"), text).end < 5100


@pytest.mark.parametrize("kind", ["apart", "overlapping", "in one", "nested"])
def test_many_spans_cost_in_step_with_their_number(kind: str) -> None:
    """From 2,000 to 20,000: a quadratic step would cost 100 times as much."""

    def cost(count: int) -> float:
        text, found = many(count, kind)
        began = time.process_time()
        resolve(found, text)
        return time.process_time() - began

    assert min(cost(20_000) for _ in range(2)) < max(30 * min(cost(2_000) for _ in range(3)), 0.1)


def many(count: int, kind: str) -> tuple[str, list[Span]]:
    unit = "Hauptstr 12 Anna 12345 "
    size = count * len(unit)
    found = []
    for at in range(0, size, len(unit)):
        number = Span(at + 17, at + 22, "RULE", 0.9, "t", Strength.PROVEN if at % 2 else Strength.WEAK)
        long = at + {"apart": 11, "overlapping": 22, "in one": 11, "nested": size - 2 * at}[kind]
        found += [number, Span(at, max(long, at + 11), "STREET_ADDRESS", 0.9, "t", Strength.MODEL)]
    found += [Span(0, size, "PERSON", 0.9, "t", Strength.MODEL)] if kind == "in one" else []
    return unit * count, found


def test_a_houses_number_is_no_end_of_another_number() -> None:
    text = "Karen, Suite 680 36 4022 Oakridge Lane\nDallas TX 48486"
    (found,) = Engine(Settings()).find(text)
    assert (found.entity, text[found.start : found.end]) == ("STREET_ADDRESS", text[text.index("680") :])
