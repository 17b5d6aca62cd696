"""National numbers behind their own word, in groups and case that no issuer prints."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.keywords import unaccented

ENGINE = Engine(Settings())


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("DE_TAX_ID", "Meine Steuer-ID lautet 86/095/742/719.", "86/095/742/719"),
        ("DE_SOCIAL_SECURITY", "RVNR: 15-070649-C-103", "15-070649-C-103"),
        ("DE_HEALTH_INSURANCE", "Versichertennummer a-123456780 stimmt nicht", "a-123456780"),
        ("DE_PASSPORT", '{"reisepassnummer": "c01x00t47"}', "c01x00t47"),
        ("FR_NIR", "Mon NIR est le 255 081 416 802 538.", "255 081 416 802 538"),
        ("ES_NIF", "Mi DNI es 12 345 678 z.", "12 345 678 z"),
        ("IT_FISCAL_CODE", "Il mio codice fiscale è rssmra-85t10-a562s.", "rssmra-85t10-a562s"),
        ("IT_FISCAL_CODE", "Il codice fiscale è RSSMRAURTMLARSNL.", "RSSMRAURTMLARSNL"),  # all digits as letters
        ("IT_FISCAL_CODE", "CF: rssmra ur tml arsnl", "rssmra ur tml arsnl"),
        ("IT_FISCAL_CODE", '{"codice_fiscale": "RSSMRA85T10A56NH"}', "RSSMRA85T10A56NH"),
        ("PL_PESEL", "Mój PESEL to 44 05 14 01359.", "44 05 14 01359"),
        ("PL_REGON", "REGON 235 113 328 57188", "235 113 328 57188"),
        ("SE_PERSONNUMMER", "Mitt personnummer är 1981-12-28-9874.", "1981-12-28-9874"),
        ("DK_CPR", "CPR 21.10.62-5629", "21.10.62-5629"),
        ("AT_VAT_ID", "UID: ATU 1358 5627", "ATU 1358 5627"),
        ("IE_PPS", "My PPS number is 6433 435 f.", "6433 435 f"),
        ("UK_UTR", "UTR 195 583 9661", "195 583 9661"),
        ("PASSPORT", "My passport is lb 9725282.", "lb 9725282"),
        ("FR_LICENSE_PLATE", "immatriculé ab-123-cd", "ab-123-cd"),
        ("PT_NIF", "nome,nif,cidade\nAna,123 456-789,Faro\nRui,,Porto\n", "123 456-789"),
    ],
)
def test_the_word_and_the_check_digit_say_what_it_is(entity: str, text: str, value: str) -> None:
    assert (entity, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mein PESEL lautet 44 05 14 01358.",  # its check digit is wrong
        "Il codice fiscale RSSMRAURTMLARSNX non esiste",  # no more is this one
        "Il codice fiscale del contribuente italiano",
        "Der REGONALE Wert 235 113 328 57188 zählt.",
        "La plaque de 2019 est posée.",
        "Kenteken uit 2004 is verlopen.",
        "The registration of 21 cars took 3 days.",
    ],
)
def test_what_only_looks_like_it_is_none(text: str) -> None:
    assert not any(detector == "rules/spelled" for *_, detector, _ in ENGINE.find(text))


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("FR_BANK_ACCOUNT", "RIB 20041 01005 0500013M026 06"),
        ("ES_BANK_ACCOUNT", "cuenta bancaria 2100 0418 45 0200051332"),
        ("PT_BANK_ACCOUNT", "NIB 0002 0123 12345678901 54"),
        ("SE_BANK_ACCOUNT", "kontonummer 8327-9 39 392 2412"),
        ("DK_DRIVER_LICENSE", '{"koerekortnummer": "54235280"}'),
        ("PL_DRIVER_LICENSE", "prawo jazdy nr 53906/43/1744"),
        ("PL_KRS", "KRS 0000 127 206"),
        ("AT_COMPANY_NUMBER", "FN 238615 i"),
        ("UK_RESIDENCE_PERMIT", "BRP ZU3576370"),
        ("US_ALIEN_NUMBER", "A-Number A 343 389 420"),
        ("DE_VAT_ID", "W-IdNr. DE312905272-00001"),
        ("FR_VAT_ID", "tva fr40303265045"),
    ],
)
def test_documents_and_accounts_at_home_are_found(entity: str, text: str) -> None:
    assert entity in [name for name, _ in found(text)]


def test_a_key_without_accents_is_the_same_word() -> None:
    assert unaccented("führerschein código") == "führerschein código fuehrerschein fuhrerschein codigo"
    assert found('{"numero_permis": "880912345678"}') == [("FR_DRIVER_LICENSE", "880912345678")]
