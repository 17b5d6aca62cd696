"""Values as people paste them, each of a class that an audit of prompts in six languages found missed."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())
FOUND = [
    ("[10:03] Melli: schick mir mal das pw fürs wlan\n[10:04] Jochen: Sonnenblume#22", "PASSWORD", "Sonnenblume#22"),
    ("A: c'est quoi le mdp du partage ?\nB: Soleil2024!\n", "PASSWORD", "Soleil2024!"),
    ("12/02/2024, 20:41 - X: password again\n12/02/2024, 20:43 - Y: Tango77Kilo!", "PASSWORD", "Tango77Kilo!"),
    ("usuario: agarcia contraseña: -", "USERNAME", "agarcia"),
    ("login: mschuster / pwd on paper", "USERNAME", "mschuster"),
    ("IPP 8837261, adressée par", "MEDICAL_RECORD_NUMBER", "8837261"),
    ("patiëntnr. 8837261, dhr.", "MEDICAL_RECORD_NUMBER", "8837261"),
    ("Vertrag (Kundennr. KD1234567)", "DE_POLICY_NUMBER", "KD1234567"),
    ("rijbewijs 1234567890, getuige tel. onbekend", "NL_DRIVER_LICENSE", "1234567890"),
    ("| Élève | Né(e) le |\n|---|---|\n| M. L. | 05/02/2013 |", "DATE_OF_BIRTH", "05/02/2013"),
    ("wohnt Schillerstraße 5, 3. OG rechts, 99423 Weimar.", "STREET_ADDRESS",
     "Schillerstraße 5, 3. OG rechts, 99423 Weimar"),
    ("id|first|born|tel\n7|Olga|1966-06-06|-\n", "DATE_OF_BIRTH", "1966-06-06"),
    ("<tel:+15551234567>", "PHONE_NUMBER", "+15551234567"),
    ("INSERT INTO staff (id, dob) VALUES (17,'1979-10-03')", "DATE_OF_BIRTH", "1979-10-03"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "entity", "value"), FOUND)
def test_a_pasted_value_is_found(text: str, entity: str, value: str) -> None:
    assert [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)] == [(entity, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Did you forget your password?\nNote: version 2.0 is out\n",
        "the password policy\n10:15 - server: listening",
        "login: Button, then a page",
        "password:\n  host: Abc123!x\n",
    ],
)
def test_what_follows_a_word_for_passwords_may_be_something_else(text: str) -> None:
    assert ENGINE.find(text) == []


def test_every_age_of_several_children() -> None:
    text = "verheiratet, 2 Kinder (12 Jahre, 9 Jahre); their sons, 7 and 4 years old"
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == ["12 Jahre", "9 Jahre", "4 years old"]


def test_a_status_and_a_size_are_no_phone_number() -> None:
    text = '- - [10/Oct/2023:13:55:36 +0000] "GET /profile?phone=%2B4915112345678 HTTP/1.1" 200 2326'
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == ["%2B4915112345678"]
