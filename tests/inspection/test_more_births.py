"""Dates of birth and ages of children as letters, forms, registers and JSON of eleven languages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection import ages
from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())


def found(text: str, entity: str) -> list[str]:
    return [text[span.start : span.end] for span in ENGINE.find(text) if span.entity == entity]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("pan Jan Kowalski, ur. 12.03.1985 r. w Krakowie", "12.03.1985"),
        ("data ur. 1985-03-12", "1985-03-12"),
        ("ur. 12 marca 1985", "12 marca 1985"),
        ("ur. w Gdańsku dnia 3 maja 1990 r.", "3 maja 1990"),
        ("urodziłam się 12 III 1985", "12 III 1985"),
        ("data_ur=1985-03-12", "1985-03-12"),
        ("synt. 12.03.1985", "12.03.1985"),
        ("Matti Virtanen, s. 12.3.1985 Turussa", "12.3.1985"),
        ("synnyin 12. maaliskuuta 1985", "12. maaliskuuta 1985"),
        ("född 850312", "850312"),
        ("född den 12 augusti 1985", "12 augusti 1985"),
        ("Anna, f. 12.03.1985 i Lund", "12.03.1985"),
        ("født 12/3-1985", "12/3-1985"),
        ("Anna Müller (*12.03.1985)", "12.03.1985"),
        ("Müller, Anna, * 12.03.1985 in Köln", "12.03.1985"),
        ("ich bin am 3.5.1990 geboren", "3.5.1990"),
        ("Sie wurde am 12. März 1985 in Ulm geboren.", "12. März 1985"),
        ("is op 12 maart 1985 te Gent geboren", "12 maart 1985"),
        ("geb. am 12. Dez. 1985", "12. Dez. 1985"),
        ("nato il 1° gennaio 1980", "1° gennaio 1980"),
        ("Nato/a il 12 dic. 1985", "12 dic. 1985"),
        ("Né(e) le : 12/03/1985", "12/03/1985"),
        ("née le 1er avr. 1985", "1er avr. 1985"),
        ("nació el 12 de marzo del 1985", "12 de marzo del 1985"),
        ("fecha_nac: 12-mar-1985", "12-mar-1985"),
        ("D.N.: 12/03/1985", "12/03/1985"),
        ("nasceu a 12 de dezembro de 1985", "12 de dezembro de 1985"),
        ('{"date_of_birth":"1985-03-12T00:00:00Z"}', "1985-03-12T00:00:00Z"),
        ("birthDate: 1985-03-12T00:00:00", "1985-03-12T00:00:00"),
        ('{"dateOfBirth": "1985-03-12T00:00:00.000+01:00"}', "1985-03-12T00:00:00.000+01:00"),
        ("('Ann', dob '1985-03-12 00:00:00')", "1985-03-12 00:00:00"),
        ('{"dateofbirth":"12.03.1985"}', "12.03.1985"),
        ("bday: 03/12/1985", "03/12/1985"),
        ("DOB: 12031985", "12031985"),
        ("DOB 12-MAR-85", "12-MAR-85"),
        ("b. 12 Mar 1985", "12 Mar 1985"),
        ("born on the 3rd of May 1990", "3rd of May 1990"),
        ("born 12 March '85", "12 March '85"),
        ("dob=date(1985, 3, 12)", "1985, 3, 12"),
    ],
)
def test_the_date_is_found(text: str, date: str) -> None:
    assert found(text, "DATE_OF_BIRTH") == [date]


@pytest.mark.parametrize(
    "text",
    [
        "* 12.03.2024 Release 2.1",
        " * 12.03.2024: fixed the parser",
        "Changes:\n* 03.12.2024 second\n* 04.12.2024 third",
        "die *12.03.2024* fett",
        "**12.03.2024**",
        "2 * 12.03",
        "our 12.03.2024 meeting, four. 12.03.2024",
        "see pp. 12 f. 2024-03-12",
        "notes. 12.03.2024",
        "x = [s.12, f.3]",
        "dn: cn=admin,dc=acme 2024-03-12",
        "reborn 12.03.2024",
        "birth rate 850 per 100000",
        "born_count = 850312345",
        "Am 12.03.2024 kam er. Geboren wurde er in Ulm.",
    ],
)
def test_other_dates_are_none(text: str) -> None:
    assert found(text, "DATE_OF_BIRTH") == []


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("mi hija de 6 años tiene fiebre", "6 años"),
        ("mijn zoon van 7 jaar", "7 jaar"),
        ("meine Tochter (9 Jahre)", "9 Jahre"),
        ("mein Sohn Max, 8 Jahre, hustet", "8 Jahre"),
        ("a five-year-old girl", "five-year-old"),
        ("She is seven years old.", "seven years old"),
        ("ein fünfjähriger Junge", "fünfjähriger"),
        ("syn, 8 lat", "8 lat"),
        ("córka ma 12 lat", "ma 12 lat"),
        ("min dotter, 7 år", "7 år"),
        ("ma fille a 8 ans", "8 ans"),
        ("mon fils Paul, 11 ans", "11 ans"),
        ("ma fille de cinq ans", "cinq ans"),
        ("mio figlio di 5 anni", "di 5 anni"),
        ("o meu filho tem 4 anos", "4 anos"),
        ("poikani, 6 vuotta", "6 vuotta"),
        ("Patient 9yo F", "9yo"),
        ("her son (15 years)", "15 years"),
    ],
)
def test_the_age_of_a_child_is_found(text: str, age: str) -> None:
    assert found(text, "MINOR") == [age]


@pytest.mark.parametrize(
    "text",
    [
        "my son has 5 years of experience",
        "her daughter, 3 years older than him",
        "my daughter moved there 5 years ago",
        "mein Sohn ist 8 Jahre älter",
        "mi hija de 26 años",
        "a five-year plan for ten years",
        "Zuverlässig seit fünf Jahren",
        "support lasts 8 years, the license 5 years",
        "person.age = 5; max_age: 7 years",
        "the child process ran 5 times a year",
    ],
)
def test_other_years_are_none(text: str) -> None:
    assert found(text, "MINOR") == []


AGE_PIECES = (
    "aged ", "age of ", "aged :", "12", "7", "five", "sieben", " ", "-", "years old", "year-old", "yrs old", "y/o",
    "y.o", "yo", "jahre alt", "jähriger", "jaar oud", "anos de idade", "år gammel", "åriga", "vuotias", "edad de ",
    "âgé de ", "ha ", " ans", " años", " anni", " lat",
)  # fmt: skip


@given(st.lists(st.sampled_from(AGE_PIECES), min_size=2, max_size=5).map("".join))
def test_what_is_looked_for_before_an_age_stands_in_every_age(text: str) -> None:
    age = ages.AGE.search(text)
    assert age is None or ages.AGED.search(text, *age.span())
