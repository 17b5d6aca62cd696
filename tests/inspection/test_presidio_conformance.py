"""On the same sentences: whatever Presidio's own recognisers find, ours cover; what they miss is counted beside it."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from faker import Faker

from sidecar.inspection.catalogue import COUNTRIES, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.spans import Span

ENGINE = Engine(Settings(countries=(*COUNTRIES, "ca", "au", "in", "sg")))

LEFT_OUT = {
    "UrlRecognizer": "URLs are no personal data unless they carry a secret",
    "DateRecognizer": "dates are no personal data unless they are dates of birth",
    "PhoneRecognizer": "compared in test_phones_and_cost.py with libphonenumber itself",
    "UuidRecognizer": "a random identifier",
}
WEAK = 0.5
"""Presidio's default threshold is 0 and its weak patterns need context, which it adds outside its recognisers."""
SENTENCES = (
    "Please charge card {credit_card_number} for {name}, mail {email}.",
    "SSN {ssn}, account {iban}, host {ipv4} or {ipv6}, mac {mac_address}.",
    '{{"email": "{email}", "iban": "{iban}", "ip": "{ipv4}"}}',
    "INFO {ipv4} - {email} paid with {credit_card_number}",
    "{name} lives somewhere; write to {company_email} or {safe_email}",
)
NATIONAL = {
    "DeTaxIdRecognizer": ("de_DE", "Steuer-ID {}", ["86095742719", "47036892816"]),
    "EsNifRecognizer": ("es_ES", "DNI {}", ["12345678Z"]),
    "PlPeselRecognizer": ("pl_PL", "PESEL {}", ["44051401359"]),
    "ItFiscalCodeRecognizer": ("it_IT", "CF {}", ["RSSMRA85T10A562S"]),
    "FiPersonalIdentityCodeRecognizer": ("fi_FI", "hetu {}", ["131052-308T"]),
    "SePersonnummerRecognizer": ("sv_SE", "personnummer {}", ["811228-9874"]),
    "NhsRecognizer": ("en_GB", "NHS {}", ["943 476 5919"]),
    "CryptoRecognizer": ("en_US", "send to {}", ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"]),
}


def _texts() -> list[str]:
    faker = Faker("en_US")
    faker.seed_instance(5)

    class Values(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return str(getattr(faker, key)())

    return [sentence.format_map(Values()) for sentence in SENTENCES for _ in range(15)]


def _missed(text: str, results: list[Any], spans: list[Span]) -> list[str]:
    return [
        f"{result.entity_type} {text[result.start : result.end]!r}"
        for result in results
        if result.score >= WEAK and not any(s.start <= result.start and s.end >= result.end for s in spans)
    ]


def test_nothing_presidio_finds_is_lost(presidio: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        registry = presidio.RecognizerRegistry()
        registry.load_predefined_recognizers(languages=["en"])
    recognisers = [one for one in registry.recognizers if one.name not in LEFT_OUT and hasattr(one, "patterns")]
    assert len(recognisers) > 8
    missed = []
    for text in _texts():
        results = [result for one in recognisers for result in one.analyze(text, one.supported_entities, None)]
        missed += _missed(text, results, ENGINE.find(text))
    assert missed == []


@pytest.mark.parametrize("name", NATIONAL)
def test_national_numbers_too(name: str, presidio: Any) -> None:
    _, template, values = NATIONAL[name]
    recogniser = getattr(presidio.predefined_recognizers, name)()
    for text in map(template.format, values):
        results = recogniser.analyze(text, recogniser.supported_entities, None)
        assert results
        assert _missed(text, results, ENGINE.find(text)) == []
