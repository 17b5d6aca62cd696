"""Dates of birth as people of fourteen countries write them, beside the word for it."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())

FORMS = [
    "geboren am 12.03.1984", "geb. 12. März 1984", "DOB 03/12/1984", "born on March 12, 1984", "born 12 March 1984",
    "née le 12 mars 1984", "né le 12/03/1984", "fecha de nacimiento: 12/03/1984", "nacida el 12 de marzo de 1984",
    "nato il 12 marzo 1984", "nata a Roma il 12/03/1984", "geboren op 12 maart 1984", "geboortedatum: 12-03-1984",
    "birthday: 12 Mar 84", "dob=19840312", "data di nascita 12.03.84", "urodzony 12.03.1984",
    "urodzona 12 marca 1984",
    "född 1984-03-12", "syntymäaika 12.3.1984", "født 12. marts 1984", "nascido em 12/03/1984",
    "F.Nac 12/03/1984", "F. Nac.: 12/03/1984", "Fecha Nac. 12-03-1984", "DDN 12/03/1984", "GebDat: 12.3.1984",
    "data nasc. 12/03/1984", "data de nascimento 12-03-1984", '"birthDate":"1984-03-12', '"date_of_birth": "1984-03-12',
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_the_date_is_found_to_its_end(text: str) -> None:
    found = [span for span in ENGINE.find(text) if span.entity == "DATE_OF_BIRTH"]
    assert [span.end for span in found] == [len(text)]
    assert text[found[0].start].isdigit() or text[found[0].start] == "M"


@pytest.mark.parametrize(
    "text",
    ["The meeting is on 12.03.2024.", "version 20240312", "born in Rome", "dob format: YYYYMMDD", "cognac. 12.03.1984"],
)
def test_other_dates_are_none(text: str) -> None:
    assert [span for span in ENGINE.find(text) if span.entity == "DATE_OF_BIRTH"] == []
