"""Documents as teams paste them: names of code, aligned settings, labels in cells, addresses over lines."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings())


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


@pytest.mark.parametrize(
    ("key", "value", "entity"),
    [
        ("passportNumber", "483920175", "US_PASSPORT"),
        ("socialSecurityNumber", "219539123", "US_SSN"),
        ("nhsNumber", "9434765919", "UK_NHS"),
        ("bsnNummer", "123456782", "NL_BSN"),
        ("bsnnummer", "123456782", "NL_BSN"),
        ("nipNumber", "5261040828", "PL_NIP"),
        ("nifCliente", "245678905", "PT_NIF"),
        ("driverLicense", "D1234567", "US_DRIVER_LICENSE"),
        ("bankAccount", "31926819", "UK_BANK_ACCOUNT"),
        ("patientId", "00482913", "MEDICAL_RECORD_NUMBER"),
        ("einNumber", "12-3456789", "US_EIN"),
        ("homePhone", "0612345678", "PHONE_NUMBER"),
        ("nrTelefonu", "601234567", "PHONE_NUMBER"),
    ],
)
def test_names_of_code_are_read_as_words(key: str, value: str, entity: str) -> None:
    assert found(f'{{"{key}": "{value}", "sum": 12}}') == [(entity, value)]
    assert found(f"<{key}>{value}</{key}>") == [(entity, value)]


@pytest.mark.parametrize(
    "line",
    [
        'password             = "{}"', "spring.mail.password   = {}", "password:          {}",
        '"password"     :     "{}"',
        'db_password\t\t\t= "{}"', 'password              =>   "{}"',
    ],
)  # fmt: skip
def test_aligned_settings(line: str) -> None:
    assert found("\n" + line.format("Zx9!kLm2#pQ") + "\n") == [("PASSWORD", "Zx9!kLm2#pQ")]


@pytest.mark.parametrize("mark", ["", "+", "> "])
def test_names_and_values_on_two_lines_of_a_patch_or_a_quote(mark: str) -> None:
    lines = ["- name: DB_PASSWORD", '  value: "S3cr3t-Paw0rd"', "- name: JWT_SECRET", "  value: s3cr3t-jwt-s1gning-key"]
    text = "".join(f"{mark}        {line}\n" for line in lines)
    assert found(text) == [("PASSWORD", "S3cr3t-Paw0rd"), ("API_KEY", "s3cr3t-jwt-s1gning-key")]


@pytest.mark.parametrize(
    "text", ["PIN der EC-Karte ist 7391", "the pin for my card is 7391", "PIN für das Handy: 7391"]
)
def test_a_pin_in_a_sentence(text: str) -> None:
    assert found(text) == [("PASSWORD", "7391")]


def test_a_pin_of_a_plug_is_none() -> None:
    assert found("pin 4 to ground is 1234 ohm, pin of the connector is 3300") == []


@pytest.mark.parametrize("size", range(0, 120, 7))
def test_compact_json_keeps_its_words_wherever_the_neighbourhood_begins(size: int) -> None:
    text = (
        f'{{"a":"{"x" * size}","identifier":[{{"system":"http://fhir.nl/fhir/NamingSystem/bsn","value":"123456782"}}]}}'
    )
    assert found(text) == [("NL_BSN", "123456782")]


def test_where_a_shell_is_is_no_password() -> None:
    assert found("PWD=/srv/app1\nOLDPWD=/usr/src/app2 pwd=/opt/x3/") == []
    assert found("sudo: lvogt : TTY=pts/0 ; PWD=/home/lvogt/app ; USER=root") == [("USERNAME", "lvogt")] * 2
    assert found("PWD=/Zx9!kLm2#pQ") == [("PASSWORD", "/Zx9!kLm2#pQ")]


@pytest.mark.parametrize(
    "label",
    [
        "Tfno.", "Telf.", "Telef.", "Telem.", "Telefax", "Durchwahl", "Rückrufnummer", "Télécopie", "Kännykkä",
        "Matkapuhelin", "Móvel", "Mobielnr", "Ph.", "Cel.", "Port.", "Mob.", "Fijo", "Contacto", "kom.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("between", [" ", ": ", ":\t", "\n", "</td><td>", "**: "])
def test_labels_of_phones_wherever_the_number_stands(label: str, between: str) -> None:
    assert ("PHONE_NUMBER", "612345678") in found(f"<b>Name X\n{label}{between}612345678\nUlm")


@pytest.mark.parametrize(
    "text",
    [
        "Leistungszeitraum 04.08.-08.08.2025, 04.08. - 08.08.2025", "Dates 01/15/2026-01/19/2026",
        "+2026/03/12 10:15:31 added", "+12.03.2026 x", "Call us. Build 20260312, phone below", "Revenue ref 12345/2025",
        "Tel. siehe oben. Schaden 25/0098123", "app:1.24.3@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
        "EAN 4006381333931, GLN 4012345500004", "Zoom Meeting-ID: 834 552 119", "referência 123 456 789",
    ],
)  # fmt: skip
def test_days_numbers_of_papers_and_of_things_are_none(text: str) -> None:
    assert found(text) == []


def test_an_article_number_beside_a_word_for_cards_may_be_one() -> None:
    assert found("card number 4012345500004") == [("CREDIT_CARD", "4012345500004")]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("Please call me. My passport: 925665416", "US_PASSPORT", "925665416"),
        ("Telefon ( tagsüber ) 0 70 22 / 9 03 45 12", "PHONE_NUMBER", "0 70 22 / 9 03 45 12"),
        ("GET /orders/45?email=bob@example.com HTTP/1.1", "EMAIL_ADDRESS", "bob@example.com"),
        ("NI AB123456C, driving licence", "UK_NINO", "AB123456C"),
        ("geb 12.3.85", "DATE_OF_BIRTH", "12.3.85"),
        ("Nº colegiada 282845671", "ES_MEDICAL_LICENSE", "282845671"),
        ("nr rej. WA 12345", "PL_LICENSE_PLATE", "WA 12345"),
        ("curl -u admin:S3cur3P4ss https://x.example/", "PASSWORD", "admin:S3cur3P4ss"),
    ],
)
def test_found_whole_with_its_type(text: str, entity: str, value: str) -> None:
    assert found(text) == [(entity, value)]


def test_german_travel_documents() -> None:
    passport = f"{'P<D<<KROEGER<<SABINE':<<44}\n{'C01X0006H0D<<8503126F2808142':<<42}04"
    card = f"{'IDD<<L01X00T471':<<30}\n{'8503126<2808142D':<<29}4\n{'KROEGER<<SABINE':<<30}"
    assert found(passport) == [("PASSPORT_MRZ", passport)]
    assert found(card) == [("PASSPORT_MRZ", card)]


ADDRESSES = [
    "Lindenweg 7a\n72622 Nürtingen", "Lindenweg 7a\r\n72622 Nürtingen", "Lindenweg 7a,\n    72622 Nürtingen",
    "Lindenweg 7a\n> 72622 Nürtingen", "Gartenstr. 3 · 89073 Ulm", "Gartenstr. 3 | 89073 Ulm",
    "Gartenstr. 3 – 89073 Ulm",
    "Mariahilfer Straße 88a/2/14, 1070 Wien", "al. Jerozolimskie 123A/45, 02-017 Warszawa",
    "Keizersgracht 245-B, 1015 CJ Amsterdam", "Nørregade 12, 2. tv., 1165 København",
    "Kungsgatan 12, 3 tr, 111 35 Stockholm",
    "Av. da Liberdade 110, 4.º andar, 1269-046 Lisboa", "Corso Vittorio Emanuele II, 15 - 10123 Torino",
    "8 allée des Tilleuls 21000 Dijon", "1600 W Addison St Apt 4B\r\nChicago, IL 60613",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("behind", ["", '"', "</td>", ". Rechnung 2026-431", "\nRechnung 12"])
def test_addresses_whole_and_no_more(address: str, behind: str) -> None:
    assert found(f"{address}{behind}") == [("STREET_ADDRESS", address)]


def test_a_call_is_no_street() -> None:
    assert found("Ring 070 123 45 67") == [("PHONE_NUMBER", "070 123 45 67")]


@pytest.mark.parametrize(
    "unit",
    [
        "password" + " " * 32 + "=", "key" + " " * 31 + "= ", "PWD=/" + "a/" * 20 + " ", "Weg 88a/2/14/", "Allee 5-B-",
        "Lindenweg 7a\r\n   ", "Nørregade 12, 2. tv.,", "Ring 5 | 12345 A B C ", "0 70 22 / 9 03 45 12 ", "?email=",
        "a&b?c;d=e@", "P<D<<AAAA<", "passportNumber ", "bsnnummernummer ", "04.08.-08.08.2025 ", "25/0098123 ",
    ],
)  # fmt: skip
def test_cost_is_linear_in_layouts(unit: str) -> None:
    assert_linear(ENGINE, unit)
