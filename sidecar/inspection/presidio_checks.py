"""Exact copies of the checks in Presidio's recognisers, which cannot be imported without spaCy (docs/decisions/0010).

Each answers as `validate_result` with `invalidate_result` folded in: True proven, False no, None no opinion.
tests/inspection/test_presidio_checks.py compares them with the installed classes on generated values.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from sidecar.inspection import checksums
from sidecar.inspection.checksums import compact, digits, weighted
from sidecar.inspection.rules import Check

SAMPLE_SSNS = frozenset({"123456789", "987654320", "078051120"})


def us_ssn(text: str) -> bool | None:
    if ("." in text) + ("-" in text) + (" " in text) > 1:
        return False
    number = "".join(filter(str.isdigit, text))
    dead = len(set(number)) == 1 or number[3:5] == "00" or number[5:] == "0000" or number[:3] in ("000", "666")
    return False if dead or number in SAMPLE_SSNS else None


def aba_routing(text: str) -> bool:
    return weighted(digits(text), (3, 7, 1) * 3) % 10 == 0


def us_npi(text: str) -> bool:
    number = compact(text)
    return len(set(number[:-1])) > 1 and checksums.luhn("80840" + number)


def medical_license(text: str) -> bool:
    """The DEA check digit, with Presidio's parity."""
    *values, check = digits(compact(text)[2:])
    return (2 * sum(values[-1::-2]) + sum(values[-2::-2]) - check) % 10 == 0


def uk_nhs(text: str) -> bool:
    return weighted(digits(text), range(10, 0, -1)) % 11 == 0


def uk_vehicle(text: str) -> bool | None:
    if not (text.isupper() or text.islower()):  # "FP16 was"
        return False
    plate = compact(text)
    if len(plate) == 7 and plate[:2].isalpha() and plate[2:4].isdigit():
        return 2 <= int(plate[2:4]) <= 29 or 51 <= int(plate[2:4]) <= 79
    return None


def uk_driving(text: str) -> bool | None:
    return None if re.match(r"[A-Z]+9*$", text[:5].upper()) else False


def de_tax_id(text: str) -> bool:
    values = digits(text)
    return (
        len(text) == len(values) == 11
        and values[0] != 0
        and max(Counter(values[:10]).values()) <= 3
        and checksums.mod11_10(values)
    )


def _quersumme(values: list[int], weights: tuple[int, ...]) -> int:
    return sum(sum(divmod(value * weight, 10)) for value, weight in zip(values, weights, strict=True)) % 10


def _letter(char: str) -> list[int]:
    return list(divmod(ord(char.upper()) - 64, 10))


def de_health_insurance(text: str) -> bool:
    """§ 290 SGB V."""
    values = digits(text)
    return _quersumme(_letter(text[0]) + values[:8], (1, 2) * 5) == values[8]


def de_id_card(text: str) -> bool | None:
    if text[0] in "Tt" and text[1:].isdigit():
        return None
    return checksums.icao(text[:-1]) == int(text[-1])


def de_passport(text: str) -> bool:
    if any(char in "ABDEIOQSU" for char in text[:-1].upper()):
        return False
    return checksums.icao(text[:-1]) == int(text[-1])


def de_social_security(text: str) -> bool:
    """VKVV § 4."""
    day, month = int(text[2:4]), int(text[4:6])
    if not ((1 <= day <= 31 or 51 <= day <= 81) and 1 <= month <= 12):
        return False
    values = digits(text[:8]) + _letter(text[8]) + digits(text[9:11])
    return _quersumme(values, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) == int(text[11])


def de_vat_id(text: str) -> bool | None:
    return checksums.mod11_10(digits(text)) or None


def de_lanr(text: str) -> bool:
    values = digits(text)
    return (10 - weighted(values[:6], (4, 9) * 3) % 10) % 10 == values[6]


def de_bsnr(text: str) -> bool | None:
    return False if text == "000000000" else None


SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_nif(text: str) -> bool:
    number = compact(text)
    return number[-1] == SPANISH_LETTERS[int("".join(filter(str.isdigit, number))) % 23]


def es_nie(text: str) -> bool:
    number = compact(text)
    if number[0] not in "XYZ" or not number[1:-1].isdigit() or not 8 <= len(number) <= 9:
        return False
    return number[-1] == SPANISH_LETTERS[int(str("XYZ".index(number[0])) + number[1:-1]) % 23]


def pl_pesel(text: str) -> bool:
    values = digits(text)
    return (10 - weighted(values[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == values[10]


FINNISH_CENTURIES = {"+": 1800} | dict.fromkeys("-YXWVU", 1900)
FINNISH_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def fi_hetu(text: str) -> bool:
    if len(text) != 11 or not is_date(
        FINNISH_CENTURIES.get(text[6], 2000) + int(text[4:6]), int(text[2:4]), int(text[:2])
    ):
        return False
    return FINNISH_CHECK[int(text[:6] + text[7:10]) % 31] == text[10].upper()


def is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def se_personnummer(text: str) -> bool:
    values = digits(text)[-10:]
    if len(values) != 10:
        return False
    month, day = values[2] * 10 + values[3], values[4] * 10 + values[5]
    day -= 60 if day >= 61 else 0
    return 1 <= month <= 12 and 1 <= day <= 31 and checksums.luhn("".join(map(str, values)))


def se_organisation(text: str) -> bool:
    values = digits(text)
    return len(values) == 10 and values[2] >= 2 and checksums.luhn(text)


ITALIAN_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_fiscal_code(text: str) -> bool | None:
    code = text.upper()
    values = [int(char) if char.isdigit() else ord(char) - 65 for char in code[:-1]]
    total = sum(ITALIAN_ODD[value] for value in values[0::2]) + sum(values[1::2])
    return chr(65 + total % 26) == code[-1] or None


def it_vat(text: str) -> bool:
    values = digits(text)
    return len(values) == 11 and any(values) and checksums.luhn("".join(map(str, values)))


def ca_sin(text: str) -> bool | None:
    return None if checksums.luhn(text) else False


def au_abn(text: str) -> bool:
    values = digits(text)
    values[0] -= 1
    return weighted(values, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def au_acn(text: str) -> bool:
    values = digits(text)
    return (10 - weighted(values[:8], range(8, 0, -1)) % 10) % 10 == values[8]


def au_medicare(text: str) -> bool:
    values = digits(text)
    return weighted(values[:8], (1, 3, 7, 9) * 2) % 10 == values[8]


def au_tfn(text: str) -> bool:
    return weighted(digits(text), (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def in_aadhaar(text: str) -> bool:
    values = digits(text)
    return len(values) == 12 and values[0] >= 2 and values != values[::-1] and checksums.verhoeff(values)


GSTIN = re.compile(r"(?:0[1-9]|[12]\d|3[0-7])[A-Z0-9]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]")


def in_gstin(text: str) -> bool:
    code = text.upper()
    return bool(GSTIN.fullmatch(code)) and sum(char.isalpha() for char in code[2:7]) >= 3


CHECKS: dict[str, Check] = {
    "AbaRoutingRecognizer": aba_routing,
    "AuAbnRecognizer": au_abn,
    "AuAcnRecognizer": au_acn,
    "AuMedicareRecognizer": au_medicare,
    "AuTfnRecognizer": au_tfn,
    "CaSinRecognizer": ca_sin,
    "DeBsnrRecognizer": de_bsnr,
    "DeHealthInsuranceRecognizer": de_health_insurance,
    "DeIdCardRecognizer": de_id_card,
    "DeLanrRecognizer": de_lanr,
    "DePassportRecognizer": de_passport,
    "DeSocialSecurityRecognizer": de_social_security,
    "DeTaxIdRecognizer": de_tax_id,
    "DeVatIdRecognizer": de_vat_id,
    "EsNieRecognizer": es_nie,
    "EsNifRecognizer": es_nif,
    "FiPersonalIdentityCodeRecognizer": fi_hetu,
    "InAadhaarRecognizer": in_aadhaar,
    "InGstinRecognizer": in_gstin,
    "ItFiscalCodeRecognizer": it_fiscal_code,
    "ItVatCodeRecognizer": it_vat,
    "MedicalLicenseRecognizer": medical_license,
    "NhsRecognizer": uk_nhs,
    "PlPeselRecognizer": pl_pesel,
    "SeOrganisationsnummerRecognizer": se_organisation,
    "SePersonnummerRecognizer": se_personnummer,
    "UkDrivingLicenceRecognizer": uk_driving,
    "UkVehicleRegistrationRecognizer": uk_vehicle,
    "UsNpiRecognizer": us_npi,
    "UsSsnRecognizer": us_ssn,
}
