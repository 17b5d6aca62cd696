"""Presidio's own patterns, by country, as rules of this engine.

The table `presidio_patterns.json` is derived from the installed package (tests/training/presidio_tables.py). What is
said here is only where each may start, and which checks are too weak to stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sidecar.inspection import national_checks
from sidecar.inspection.context import Context
from sidecar.inspection.presidio_checks import CHECKS
from sidecar.inspection.rules import GENERAL_WORDS, NEVER, NOT_INSIDE, NOT_ON, Check, Rule
from sidecar.inspection.shipped import shipped

WEAK_PROOF = 0.35
"""A check digit that one random number in ten passes, on a bare run of digits, is no proof: it needs a word nearby
(balanced), or the strict mode, whose threshold lies below this."""

LABELLED = 0.05
"""The score of a pattern whose label Presidio demands by look-behind; here the label is a context word."""


class Start(NamedTuple):
    """Where a recogniser may start (see rules.Rule), and whether its check digit is weak."""

    country: str
    numeric: Iterable[int] = NEVER
    mixed: Iterable[int] = NEVER
    lead: bool = False
    weak: bool = False


STARTS: dict[str, tuple[Start, ...]] = {
    "AbaRoutingRecognizer": (Start("us", (4, 9), weak=True),),
    "MedicalLicenseRecognizer": (Start("us", mixed=(9,), weak=True),),
    "UsBankRecognizer": (Start("us", range(8, 18)),),
    "UsClaimNumberRecognizer": (Start("us", range(6, 16), range(9, 19)), Start("us", range(6, 16), lead=True)),
    "UsHealthInsuranceMemberIdRecognizer": (
        Start("us", mixed=range(6, 21)),
        Start("us", range(5, 15), range(5, 15), lead=True),
    ),
    "UsItinRecognizer": (Start("us", (3, 5, 9)),),
    "UsLicenseRecognizer": (Start("us", (*range(6, 15), 16), range(4, 21)),),
    "UsMbiRecognizer": (Start("us", mixed=(4, 11)),),
    "UsNpiRecognizer": (Start("us", (4, 10), weak=True),),
    "UsPassportRecognizer": (Start("us", (9,), (9,)),),
    "UsPrescriptionNumberRecognizer": (Start("us", range(6, 13), range(8, 15)), Start("us", range(6, 13), lead=True)),
    "UsPriorAuthorizationNumberRecognizer": (
        Start("us", range(6, 13), range(8, 15)),
        Start("us", range(6, 13), lead=True),
    ),
    "UsProviderTaxIdRecognizer": (Start("us", (2,)),),
    "UsReferralNumberRecognizer": (Start("us", range(6, 13), range(9, 16)), Start("us", range(6, 13), lead=True)),
    "UsSsnRecognizer": (Start("us", (3, 5, 9)),),
    "NhsRecognizer": (Start("gb", (10, 3, 6), weak=True),),
    "UkDrivingLicenceRecognizer": (Start("gb", mixed=(16,)),),
    "UkNinoRecognizer": (Start("gb", mixed=(4, 6, 8, 9)), Start("gb", (2, 4, 6), (3, 5, 7), lead=True)),
    "UkPassportRecognizer": (Start("gb", mixed=(9,)),),
    "UkPostcodeRecognizer": (Start("gb", mixed=(2, 3, 4, 5, 6, 7)), Start("gb", mixed=(3,), lead=True)),
    "UkVehicleRegistrationRecognizer": (
        Start("gb", mixed=(2, 3, 4, 5, 6, 7)),
        Start("gb", (1, 2, 3), (2, 3, 4), lead=True),
    ),
    "DeBsnrRecognizer": (Start("de", (9,)),),
    "DeFuehrerscheinRecognizer": (Start("de", mixed=(11,)),),
    "DeHandelsregisterRecognizer": (Start("de", mixed=range(4, 10)), Start("de", range(1, 7), lead=True)),
    "DeHealthInsuranceRecognizer": (Start("de", mixed=(10,)),),
    "DeIdCardRecognizer": (Start("de", mixed=(9,)),),
    "DeKfzRecognizer": (Start("de", range(1, 5), range(2, 6), lead=True),),
    "DeLanrRecognizer": (Start("de", (9,), weak=True),),
    "DePassportRecognizer": (Start("de", mixed=(9,)),),
    "DePlzRecognizer": (Start("de", (5,)),),
    "DeSocialSecurityRecognizer": (Start("de", mixed=(12,)),),
    "DeTaxIdRecognizer": (Start("de", (11,)),),
    "DeTaxNumberRecognizer": (Start("de", (2, 3, 13)),),
    "DeVatIdRecognizer": (Start("de", mixed=(5, 8, 11)), Start("de", (3, 6, 9), lead=True)),
    "EsNieRecognizer": (Start("es", (7, 8), (8, 9, 10)),),
    "EsNifRecognizer": (Start("es", (7, 8), (8, 9)),),
    "EsPassportRecognizer": (Start("es", mixed=(9,)),),
    "ItDriverLicenseRecognizer": (Start("it", mixed=(10,)),),
    "ItFiscalCodeRecognizer": (Start("it", mixed=(16,)),),
    "ItIdentityCardRecognizer": (Start("it", mixed=(9,)), Start("it", (7,), lead=True)),
    "ItPassportRecognizer": (Start("it", mixed=(9,)),),
    "ItVatCodeRecognizer": (Start("it", (11,), weak=True),),
    "PlPeselRecognizer": (Start("pl", (11,)),),
    "SeOrganisationsnummerRecognizer": (Start("se", (6, 10), weak=True),),
    "SePersonnummerRecognizer": (Start("se", (6, 8, 10, 12)),),
    "FiPersonalIdentityCodeRecognizer": (Start("fi", (6,), (11,)),),
    "CaPostalCodeRecognizer": (Start("ca", mixed=(3, 6)),),
    "CaSinRecognizer": (Start("ca", (3, 9)),),
    "AuAbnRecognizer": (Start("au", (2, 11)),),
    "AuAcnRecognizer": (Start("au", (3, 9), weak=True),),
    "AuMedicareRecognizer": (Start("au", (4, 10), weak=True),),
    "AuTfnRecognizer": (Start("au", (3, 9), weak=True),),
    "InAadhaarRecognizer": (Start("in", (4, 12), weak=True),),
    "InGstinRecognizer": (Start("in", mixed=(15,)),),
    "InPanRecognizer": (Start("in", mixed=(10,)),),
    "InPassportRecognizer": (Start("in", mixed=(3, 8)),),
    "InVoterRecognizer": (Start("in", mixed=(10,)),),
    "SgFinRecognizer": (Start("sg", mixed=(9,)),),
}

STRICTER: dict[str, Check] = {
    "DeTaxIdRecognizer": national_checks.de_tax_id,
    "ItVatCodeRecognizer": national_checks.it_vat,
}
"""In place of Presidio's checks, which leave out a half of the rule."""
OTHER_SCORE = {r"\b(0[1-9]|1[0-6])\d{11}\b": 0.1}
"""A German tax number in ELSTER's form begins with its tax office, not with the state (`national`); what Presidio takes
for it are the milliseconds of every day from 2001 to 2023."""
OTHER_CONTEXT = {
    "UsHealthInsuranceMemberIdRecognizer": ("insurance", "subscriber", "member id", "member number", "policy number"),
    "UsPriorAuthorizationNumberRecognizer": ("prior authorization", "preauthorization"),
}
"""In place of Presidio's: "member" and "policy" make an insurance number of `base64` and `sha256`."""
EXTRA_CONTEXT = {
    "DeHealthInsuranceRecognizer": ("krankenkassennummer", "versichertennr", "versicherten nr", "kv nr"),
    "DeIdCardRecognizer": ("personalausweisnr", "ausweisnr", "perso"),
    "DeKfzRecognizer": ("plate", "licenseplate", "autokennzeichen", "kfzkennzeichen", "nummernschilder"),
    "DePassportRecognizer": ("passnr", "reisepassnr"),
    "DeSocialSecurityRecognizer": ("rentenversicherungsnr", "sozialversicherungsnr", "versicherungsnr", "sv nr"),
    "DeTaxIdRecognizer": ("steuer id", "steueridnr", "steueridentnummer", "steueridentifikationsnr"),
    "DeTaxNumberRecognizer": ("steuernr", "steuer nummer", "steuernummern", "stnr"),
    "DeVatIdRecognizer": ("ustid", "ust id nr", "ust nr"),
    "EsNieRecognizer": ("n i e",),
    "EsNifRecognizer": ("d n i", "n i f"),
    "ItFiscalCodeRecognizer": ("codicefiscale", "cod fisc", "c f"),
    "ItVatCodeRecognizer": ("p iva", "partitaiva", "codice fiscale", "codicefiscale", "cod fisc", "cf", "c f"),
    "SeOrganisationsnummerRecognizer": ("organisationsnr",),
    "SePersonnummerRecognizer": ("personnr", "pnr"),
    "UsClaimNumberRecognizer": ("medical claim", "healthcare claim"),
    "UsPrescriptionNumberRecognizer": ("rx", "prescription"),
    "UsPriorAuthorizationNumberRecognizer": ("prior auth", "pre auth"),
    "UsReferralNumberRecognizer": ("referral",),
}


def table() -> dict[str, Any]:
    return shipped("presidio")


def presidio_rules(countries: Iterable[str]) -> list[Rule]:
    chosen = set(countries)
    return [
        rule
        for name, starts in STARTS.items()
        for start in starts
        if start.country in chosen
        for rule in _rules(name, start, table()["recognisers"][name])
    ]


def _rules(name: str, start: Start, recogniser: dict[str, Any]) -> list[Rule]:
    words = OTHER_CONTEXT.get(name, recogniser["context"])
    context = Context([*words, *EXTRA_CONTEXT.get(name, ())])
    return [
        Rule(
            name=f"presidio/{name}",
            entity=recogniser["entity"],
            pattern=anchored(regex),
            score=LABELLED if regex.startswith("(?<=\\b") else OTHER_SCORE.get(regex, score),
            proven_score=WEAK_PROOF if start.weak else 1.0,
            check=STRICTER.get(name) or CHECKS.get(name),
            context=context,
            label=context.without(GENERAL_WORDS.split()),
            numeric=frozenset(start.numeric),
            mixed=frozenset(start.mixed),
            lead=start.lead,
        )
        for _, score, regex in recogniser["patterns"]
    ]


EDGE = r"(?:(?<![^\W_])(?=[^\W_])|(?<=[^\W_])(?![^\W_]))"
"""`\\b`, with `_` no letter."""


@cache
def anchored(regex: str) -> re.Pattern[str]:
    """Presidio's regex for `match` at a token's start: `_` ends a word (`user_4111...`), a label's look-behind goes."""
    bare = regex.replace("(?i)", "")
    if bare.startswith(r"(?<=\b"):
        bare = bare[_closing(bare) + 1 :]
    bare = bare.replace("(?=[A-Z0-9-]*", "(?=[A-Z0-9-]{0,20}")  # unbounded, it looks to the end of `12-12-12-...`
    bare = bare.removeprefix(r"\b").removesuffix(r"\b").replace(r"\b", EDGE)
    return re.compile(f"{NOT_INSIDE}(?:{bare}){NOT_ON}", re.IGNORECASE)


def _closing(regex: str) -> int:
    depth = 0
    for at, char in enumerate(regex):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at
    raise ValueError(regex)
