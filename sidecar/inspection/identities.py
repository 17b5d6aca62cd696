"""Numbers of identity, tax, insurance, residence and driving, of any country, by the word for them.

Where a country's numbers are looked for, rules know their form and check it. Everybody else's stand in the same letters
("meu CPF é 529.982.247-25", "Aadhaar: 2341 2341 2346"), and of driving licences each state has a form of its own. So
the word says what the number is, and at least six digits stand right behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.keywords import listed
from sidecar.inspection.numbered import IS, NO_DATE
from sidecar.inspection.spans import Span
from sidecar.inspection.tokens import places

IDENTITY_NUMBER = "IDENTITY_NUMBER"
NAMED = listed(
    "aadhaar aadhar cnpj curp cuit cuil emirates_id voter_id tckn tc_kimlik t.c._kimlik teudat_zehut hkid mykad cnic "
    "nric npwp jmbg rodné_číslo rodne_cislo kennitala isikukood asmens_kodas personas_kods emšo fødselsnummer "
    "fodselsnummer ahv-nr ahv_nummer título_de_eleitor titulo_de_eleitor cédula cedula "
    "resident_registration my_number social_insurance_number national_id nationalid national_identity identity_card "
    "identity_number identification_card id_card idcard seaman's_book "
    "medicare_card medicare_number medicare_no medicaid_number medicaid_id medicaid_no health_card "
    "health_insurance_number beneficiary_number alien_registration alien_number a-number i-94 uscis_online_account "
    "green_card permanent_resident_card residence_permit visa_number visa_no "
    "aufenthaltstitel titre_de_séjour karta_pobytu karty_pobytu verblijfsvergunning uppehållstillstånd "
    "tax_id taxid tax_identification taxpayer tax_file_number "
    "prawo_jazdy prawa_jazdy körkort kørekort førerkort rijbewijs führerschein "
    "permis_de_conduire permiso_de_conducir licencia_de_conducir licencia_de_conducción carné_de_conducir "
    "carnet_de_conducir patente_di_guida carta_de_condução carteira_de_motorista "
    "driving_licen driver_licen drivers_licen driver's_licen driver’s_licen driverlicen driverslicen license_number "
    "licence_number license_no licence_no"
)
"""Each the name of nothing else that has six digits behind it; `_` is a space, and the sign of a key's."""
ACRONYMS = listed(
    "cpf rut nit rfc rg cnh pis sin tfn egn cnp oib ahv avs rrn nik bvn nin tin brp clabe dni taj fnr pan nic dl"
)
"""In capitals, or as a key: some are words of a language."""
ID = " id"
NATION = re.compile(
    r"(?<![^\W_])(?:(?i:national|personal|citizen|government|my|his|her|your)|[A-Z][a-z]{2,12}(?:an|ish|ese|eli|ian))\Z"
)
"""Before `ID`, as in `Turkish ID 10000000146`."""
WORDS = (*dict.fromkeys((*NAMED, *(name.replace(" ", "_") for name in NAMED))), *ACRONYMS, ID)

FILLER = (
    r"(?:[ _-]{0,2}(?:id|no|nr|num(?:ber)?|nummer|n[uú]mero|n[°º]|card|code|[cs]es?|de identidad|de ciudadan[ií]a"
    r"|nacional|kimlik))"
)
NUMBER = (
    r"(?P<value>(?:[A-Z]{1,5}[-/.]?|(?-i:[A-Z]{1,3}) )?\d[0-9A-Z]{0,19}"
    r"(?:[-/.][0-9A-Z]{1,12}|[ ]\d{2,6}(?!\w|[.,:/-]\d)|[ ](?:\d|(?-i:[A-Z]{2}\d|[A-Z]))(?=[,.;)\"\n]|\Z)){0,6})"
    r"(?![\w%€$£°]|[-/.,:]\d)"
)
BEHIND = re.compile(
    rf"{FILLER}{{0,3}}\.?(?:[ ]?\([^()\n\d]{{1,20}}\))?\\?[\"'*]{{0,3}}[ \t]{{0,3}}[:=#|]?[ :\t]{{0,3}}{IS}"
    rf"\\?[\"'(*]{{0,3}}{NO_DATE}{NUMBER}",
    re.IGNORECASE,
)
FORMS = {
    "rfc": re.compile(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}", re.IGNORECASE),
    "pan": re.compile(r"[A-Z]{5}\d{4}[A-Z]"),
    "dni": re.compile(r"\d{7,8}|\d{1,2}\.\d{3}\.\d{3}"),
}
"""Of acronyms that name something else, too, or numbers that a rule checks; Peru and Argentina have no letter."""
LEAST, LEAST_OF_ID = 6, 8
SCORE = 0.39
"""Below that of every rule that knows the number's own form."""
DETECTOR = "rules/identity"


def identities(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        for at in places(low, word):
            match = BEHIND.match(text, at + len(word)) if _is_named(text, at, word) else None
            if match is not None and _is_number(match["value"], word):
                yield Span(*match.span("value"), IDENTITY_NUMBER, SCORE, DETECTOR)


def _is_named(text: str, at: int, word: str) -> bool:
    if word == ID:
        return (
            not text[at + len(ID) : at + len(ID) + 1].isalpha() and NATION.search(text, max(0, at - 20), at) is not None
        )
    before, end = text[at - 1 : at], at + len(word)
    if before.isalnum() and not (before.islower() and text[at].isupper()):
        return False
    return word not in ACRONYMS or text[at:end].isupper() or text[end : end + 1] in ('"', ":", "=", "_", "'")


def _is_number(value: str, word: str) -> bool:
    if word in FORMS:
        return FORMS[word].fullmatch(value) is not None
    return sum(map(str.isdigit, value)) >= (LEAST_OF_ID if word == ID else LEAST)
