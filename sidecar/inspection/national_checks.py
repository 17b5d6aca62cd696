"""Check digits of European identity, tax, social security and company numbers that Presidio does not know.

Each takes the matched text and answers whether its check digit (and date, where it holds one) is right. Sources are
named per number; test values in tests/inspection/test_national.py are the issuers' own examples or computed by them.
"""

from __future__ import annotations

import re
from collections import Counter

from sidecar.inspection import presidio_checks
from sidecar.inspection.checksums import ALNUM, compact, digits, luhn, weighted
from sidecar.inspection.presidio_checks import is_date, pl_pesel


def fr_nir(text: str) -> bool:
    """INSEE: 97 minus the first 13 digits mod 97; Corsica 2A counts as 19, 2B as 18. `clé` may stand before the key."""
    number = re.sub("CL[ÉE]F?", "", compact(text)).replace("2A", "19").replace("2B", "18")
    return len(number) == 15 and number.isdigit() and 97 - int(number[:13]) % 97 == int(number[13:])


def fr_spi(text: str) -> bool:
    """DGFiP numéro fiscal de référence: the first ten digits mod 511 are the last three."""
    number = compact(text)
    return int(number[:10]) % 511 == int(number[10:])


def fr_siret(text: str) -> bool:
    """Luhn, of the SIREN that it begins with, too; the digits of La Poste's add up to a multiple of five (INSEE)."""
    number = compact(text)
    return luhn(number[:9]) and (luhn(number) or (number[:9] == "356000000" and sum(digits(number)) % 5 == 0))


def fr_vat(text: str) -> bool:
    """12 + 3 x (SIREN mod 97), mod 97; Monaco's number begins with 000 and is no SIREN. Newer keys hold letters and are
    taken as they are when the SIREN is right."""
    number = compact(text)[2:]
    if not (luhn(number[2:]) or number[2:5] == "000"):
        return False
    return not number[:2].isdigit() or (12 + 3 * (int(number[2:]) % 97)) % 97 == int(number[:2])


RIB_LETTERS = {ord(char): str(at % 9 + 1 + (at > 17)) for at, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
"""A to I, J to R count 1 to 9, S to Z 2 to 9."""


def fr_rib(text: str) -> bool:
    """Bank, branch and account weigh 89, 15 and 3; 97 minus the sum mod 97 is the key (Banque de France)."""
    number = compact(text).translate(RIB_LETTERS)
    bank, branch, account, key = int(number[:5]), int(number[5:10]), int(number[10:21]), int(number[21:])
    return bank > 0 and 97 - (89 * bank + 15 * branch + 3 * account) % 97 == key


def es_account(text: str) -> bool:
    """Código cuenta cliente: a check digit of bank and branch, one of the account, mod 11."""
    values, weights = digits(text), (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    rests = [weighted(part, weights) % 11 for part in ([0, 0, *values[:8]], values[10:])]
    return any(values) and [rest if rest < 2 else 11 - rest for rest in rests] == values[8:10]


def pt_nib(text: str) -> bool:
    """Banco de Portugal: mod 97-10 over all."""
    number = compact(text)
    return int(number) > 0 and int(number) % 97 == 1


def es_cif(text: str) -> bool:
    """Orden EHA/451/2008: weighted sum, control digit or letter by kind of entity."""
    number = compact(text)
    values = digits(number[1:8])
    total = sum(values[1::2]) + sum(sum(divmod(2 * value, 10)) for value in values[0::2])
    control = (10 - total % 10) % 10
    return number[8] == str(control) or number[8] == "JABCDEFGHI"[control]


def es_nuss(text: str) -> bool:
    """Seguridad Social: province and number, mod 97; the province is added as ten millions to short numbers."""
    number = compact(text)
    province, serial, check = int(number[:2]), int(number[2:10]), int(number[10:])
    base = province * 10_000_000 + serial if serial < 10_000_000 else int(number[:10])
    return base % 97 == check


def nl_bsn(text: str) -> bool:
    """The eleven test: 9 8 7 6 5 4 3 2 -1."""
    values = digits(text)
    return any(values) and weighted(values, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def nl_vat(text: str) -> bool:
    """Old numbers hold a BSN; since 2020 ISO 7064 mod 97 over the whole (Belastingdienst)."""
    number = compact(text)
    return nl_bsn(number[2:11]) or int("".join(str(ALNUM[char]) for char in number)) % 97 == 1


def pt_nif(text: str) -> bool:
    """Portaria 377/2003 practice: weights 9 to 2, 11 minus the rest, 10 and 11 are 0."""
    values = digits(text)
    check = 11 - weighted(values[:8], range(9, 1, -1)) % 11
    return (0 if check >= 10 else check) == values[8]


def pt_niss(text: str) -> bool:
    values = digits(text)
    return 9 - weighted(values[:10], (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)) % 10 == values[10]


def pt_card(text: str) -> bool:
    """Cartão de Cidadão: Luhn over letters and digits (AMA, validação do número de documento)."""
    values = [ALNUM[char] for char in compact(text)]
    total = 0
    for place, value in enumerate(reversed(values)):
        doubled = value * 2 if place % 2 else value
        total += doubled - 9 if place % 2 and doubled > 9 else doubled
    return total % 10 == 0


def pl_pesel_date(text: str) -> bool:
    """Its check digit and a date of birth: the month holds the century (+80 1800s, +20 2000s, +40, +60)."""
    values = digits(text)
    year, month, day = (values[at] * 10 + values[at + 1] for at in (0, 2, 4))
    century = 1800 if month > 80 else 1900 + 100 * (month // 20)
    return is_date(century + year, month % 20, day) and pl_pesel(text)


def pl_nip(text: str) -> bool:
    values = digits(text)
    return weighted(values[:9], (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == values[9]


def pl_regon(text: str) -> bool:
    """A local unit's has fourteen digits: that of its company, and a check digit of all (GUS)."""
    values = digits(text)
    own = weighted(values[:8], (8, 9, 2, 3, 4, 5, 6, 7)) % 11 % 10 == values[8]
    return own and (
        len(values) == 9 or weighted(values, (2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8)) % 11 % 10 == values[13]
    )


def pl_id_card(text: str) -> bool:
    values = [ALNUM[char] for char in compact(text)]
    return weighted(values[:3] + values[4:], (7, 3, 1, 7, 3, 1, 7, 3)) % 10 == values[3]


def pl_passport(text: str) -> bool:
    values = [ALNUM[char] for char in compact(text)]
    return weighted(values[:2] + values[3:], (7, 3, 1, 7, 3, 1, 7, 3)) % 10 == values[2]


def fi_business(text: str) -> bool:
    values = digits(text)
    rest = weighted(values[:7], (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and (11 - rest) % 11 == values[7]


def dk_cpr(text: str) -> bool | None:
    """The date must be one; mod 11 is proof, but numbers since 2007 need not pass it (CPR-kontoret)."""
    values = digits(text)
    day, month, year = (values[at] * 10 + values[at + 1] for at in (0, 2, 4))
    if not (is_date(2000 + year, month, day) or is_date(1900 + year, month, day)):
        return False
    return weighted(values, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0 or None


def dk_cvr(text: str) -> bool:
    values = digits(text)
    return values[0] > 0 and weighted(values, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def be_national(text: str) -> bool:
    """97 minus the first nine digits mod 97; born from 2000 on, with a 2 before them (Rijksregister)."""
    number = compact(text)
    body, check = int(number[:9]), int(number[9:])
    return check in (97 - body % 97, 97 - (2_000_000_000 + body) % 97)


def be_vat(text: str) -> bool:
    """97 minus the first eight digits mod 97 (KBO/BCE); numbers of nine digits have a 0 before them."""
    number = "".join(map(str, digits(text))).zfill(10)
    return 97 - int(number[:8]) % 97 == int(number[8:])


def be_card(text: str) -> bool:
    number = compact(text)
    return (int(number[:10]) % 97 or 97) == int(number[10:])


def at_svnr(text: str) -> bool:
    """Hauptverband: weights 3 7 9 _ 5 8 4 2 1 6, mod 11; the last six digits are a birth date (month may be 13)."""
    values = digits(text)
    check = weighted(values[:3] + values[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    day, month = values[4] * 10 + values[5], values[6] * 10 + values[7]
    return check == values[3] and 1 <= day <= 31 and 1 <= month <= 15


def at_vat(text: str) -> bool | None:
    values = digits(text)
    total = sum(values[0:7:2]) + sum(sum(divmod(value * 2, 10)) for value in values[1:7:2])
    return (10 - (total + 4) % 10) % 10 == values[7] or None


def ie_pps(text: str) -> bool:
    """Weights 8 to 2, plus nine times the second letter, mod 23 is the letter; W, T and X of old count nothing
    (Revenue)."""
    number = compact(text)
    second = ord(number[8]) - 64 if len(number) > 8 and number[8] in "ABCDEFGHI" else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(digits(number[:7]), range(8, 1, -1)) + 9 * second) % 23] == number[7]


def gb_utr(text: str) -> bool:
    values = digits(text)
    return "21987654321"[weighted(values[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == str(values[0])


def gb_vat(text: str) -> bool:
    """HMRC: weights 8 to 2 and the two check digits, mod 97 is 0, or 55 for numbers since 2010."""
    values = digits(text)
    total = weighted(values[:7], range(8, 1, -1)) + values[7] * 10 + values[8]
    return total % 97 == 0 or (total + 55) % 97 == 0


def ch_ahv(text: str) -> bool:
    """EAN-13 with prefix 756 (Switzerland)."""
    values = digits(text)
    return weighted(values, (1, 3) * 7) % 10 == 0


def no_birth_number(text: str) -> bool:
    """Folkeregisteret: two check digits, mod 11, behind a date: its day 40 more for foreigners, its month 40 or 80 more
    for test persons."""
    values = digits(text)
    day, month = values[0] * 10 + values[1], values[2] * 10 + values[3]
    if not (1 <= day % 40 <= 31 and 1 <= month % 40 <= 12):
        return False
    first = weighted(values[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(values, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return first == 0 and second == 0


def lu_id(text: str) -> bool:
    values = digits(text)
    return luhn(text[:12]) and is_date(int(text[:4]), values[4] * 10 + values[5], values[6] * 10 + values[7])


def de_tax_id(text: str) -> bool:
    """§ 139b AO: of the first ten digits exactly one stands there twice or three times, so that one number in three
    hundred is one and not one in twelve (as Presidio has it)."""
    number = compact(text)
    repeated = [times for times in Counter(number[:10]).values() if times > 1]
    return len(repeated) == 1 and presidio_checks.de_tax_id(number)


def it_vat(text: str) -> bool | None:
    """Luhn; the eighth to tenth digits are the office's (D.M. 23/12/1976: the provinces, 120, 121, 888, 999)."""
    if not presidio_checks.it_vat(text):
        return False
    office = int(compact(text)[7:10])
    return 1 <= office <= 100 or office in (120, 121, 888, 999) or None


def it_health_card(text: str) -> bool:
    return luhn(text)
