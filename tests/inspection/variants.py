"""One valid value of every type that the engine reports, and what people disguise values with.

`measured` says which disguised values are not found; docs/threat-model.md lists them, and tests/inspection/
test_variants.py holds the list equal to what is measured. Found means that every letter and digit of the disguised
value lies inside some span, whatever its type: that is what keeps it from leaving.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from quopri import encodestring
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from sidecar.inspection.catalogue import COUNTRIES, SPECIAL, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.spans import Span

EVERYWHERE = (*COUNTRIES, "ch", "no", "lu", "ca", "au", "in", "sg")

KEY = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format(
    "\n".join(["MIIEowIBAAKCAQEA7bq8gT4kXl2Vn5cYd0fW9sQ3rJ6uHzE1pLmKoNiBvCxZaSdF"] * 6)
)
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ."
    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"

WRITTEN = {
    "ABA_ROUTING_NUMBER": "ABA routing |021000021",
    "API_KEY": "token |ghp_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5",
    "AT_LICENSE_PLATE": "Kennzeichen |KU-581 M",
    "AT_PASSPORT": "Reisepass |P1234567",
    "AT_SOCIAL_SECURITY": "SVNR |1237 010180",
    "AT_TAX_ID": "Abgabenkontonummer |12 345/6789",
    "AT_VAT_ID": "UID |ATU13585627",
    "AU_ABN": "ABN |51 824 753 556",
    "AU_ACN": "ACN |005 749 986",
    "AU_MEDICARE": "medicare |2123 45670 1",
    "AU_TFN": "TFN |876 543 210",
    "BE_ID_CARD": "carte d'identité |591-6669725-10",
    "BE_LICENSE_PLATE": "plaque |1-ABC-123",
    "BE_NATIONAL_NUMBER": "rijksregister |85.07.30-033.28",
    "BE_VAT_ID": "BTW |BE 0403.019.261",
    "CA_POSTAL_CODE": "postal code |K1A 0B1",
    "CA_SIN": "SIN |130-692-544",
    "CARD_SECURITY_CODE": "CVV |123",
    "CH_AHV": "AHV |756.9217.0769.85",
    "CREDIT_CARD": "card |4111 1111 1111 1111",
    "CRYPTO": "send it to |1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "DATE_OF_BIRTH": "born on |12 March 1984",
    "DE_BANK_ACCOUNT": "Kontonummer |1234567",
    "DE_BANK_CODE": "BLZ |370 400 44",
    "DE_BSNR": "Betriebsstättennummer |021234568",
    "DE_FUEHRERSCHEIN": "Führerscheinnummer |BO73464686X",
    "DE_HANDELSREGISTER": "Amtsgericht München, |HRB 12345",
    "DE_HEALTH_INSURANCE": "KVNR |A123456780",
    "DE_ID_CARD": "Personalausweis |L01X00T47",
    "DE_KFZ": "Kennzeichen |M-AB 1234",
    "DE_LANR": "Arztnummer |990695848",
    "DE_PASSPORT": "Reisepass |C01X00T47",
    "DE_PLZ": "PLZ |10115",
    "DE_POLICY_NUMBER": "Kundennummer |KD1234567",
    "CUSTOMER_NUMBER": "policy no. |PX/5583920/04",
    "IDENTITY_NUMBER": "CPF |529.982.247-25",
    "SE_POSTCODE": "postnummer |831 41",
    "DE_SOCIAL_SECURITY": "Rentenversicherungsnummer |15070649C103",
    "DE_TAX_ID": "Steuer-ID |86095742719",
    "DE_TAX_NUMBER": "Steuernummer |181/815/08155",
    "DE_VAT_ID": "USt-IdNr. |DE136695976",
    "DK_CPR": "CPR |211062-5629",
    "DK_CVR": "CVR |13585628",
    "DK_LICENSE_PLATE": "nummerplade |AB 12 345",
    "AT_COMPANY_NUMBER": "Firmenbuchnummer |FN 238615i",
    "AT_DRIVER_LICENSE": "Führerschein Nr. |74412589",
    "AT_ID_CARD": "Personalausweis Nr. |71889413",
    "BE_MEDICAL_LICENSE": "RIZIV |1-43856-08-364",
    "DK_BANK_ACCOUNT": "kontonummer |7407 6664572942",
    "DK_DRIVER_LICENSE": "kørekort |54235280",
    "ES_BANK_ACCOUNT": "cuenta bancaria |2100 0418 45 0200051332",
    "FI_ID_CARD": "henkilökortti |71398507A",
    "FR_BANK_ACCOUNT": "RIB |20041 01005 0500013M026 06",
    "FR_RESIDENCE_PERMIT": "titre de séjour |1157684514",
    "IE_COMPANY_NUMBER": "CRO number |659992",
    "IE_DRIVER_LICENSE": "driver number |403795552",
    "NL_COMPANY_NUMBER": "KvK |67223572",
    "NL_RESIDENCE_PERMIT": "V-nummer |9545486514",
    "PL_DRIVER_LICENSE": "prawo jazdy nr |53906/43/1744",
    "PL_KRS": "KRS |0000127206",
    "PT_BANK_ACCOUNT": "NIB |0002 0123 12345678901 54",
    "PT_DRIVER_LICENSE": "carta de condução |L-2907288",
    "SE_BANK_ACCOUNT": "kontonummer |8327-9 39 392 2412",
    "UK_COMPANY_NUMBER": "company number |SC648151",
    "UK_RESIDENCE_PERMIT": "BRP |ZU3576370",
    "US_ALIEN_NUMBER": "A-Number |A343389420",
    "DK_PASSPORT": "pasnummer |205123456",
    "DK_VAT_ID": "moms |DK13585628",
    "EMAIL_ADDRESS": "mail |anna.schmidt@corp.example",
    "ES_CIF": "CIF |A58818501",
    "ES_LICENSE_PLATE": "matrícula |1234 BCD",
    "ES_MEDICAL_LICENSE": "colegiado |28 28 12345",
    "FR_MEDICAL_LICENSE": "RPPS |10005510234",
    "FR_STUDENT_NUMBER": "INE |055102377KB",
    "IT_RESIDENCE_PERMIT": "permesso di soggiorno |I05510234",
    "NL_MEDICAL_LICENSE": "BIG-nummer |39055102301",
    "PASSPORT": "paspoortnummer |KLM77123C",
    "ES_NIE": "NIE |X1234567L",
    "ES_NIF": "DNI |12345678Z",
    "ES_PASSPORT": "pasaporte |AAA123456",
    "ES_POSTCODE": "código postal |28013",
    "ES_SOCIAL_SECURITY": "NUSS |281234567840",
    "ES_VAT_ID": "IVA |ESA58818501",
    "FI_BUSINESS_ID": "Y-tunnus |2077474-0",
    "FI_LICENSE_PLATE": "rekisteritunnus |ABC-123",
    "FI_PASSPORT": "passi |AB1234567",
    "FI_PERSONAL_IDENTITY_CODE": "hetu |131052-308T",
    "FI_VAT_ID": "vero |FI20774740",
    "FR_DRIVER_LICENSE": "permis de conduire |123456789012",
    "FR_ID_CARD": "carte nationale d'identité |880692310285",
    "FR_LICENSE_PLATE": "immatriculation |AB-123-CD",
    "FR_NIR": "NIR |2 55 08 14 168 025 38",
    "FR_PASSPORT": "passeport |12AB34567",
    "FR_POSTCODE": "code postal |75008",
    "US_ZIP_CODE": "zip code |94107",
    "FR_SIREN": "SIREN |303 265 045",
    "FR_SIRET": "SIRET |303 265 045 64942",
    "FR_TAX_ID": "numéro fiscal |30 23 217 600 053",
    "FR_VAT_ID": "TVA |FR40303265045",
    "GEO_COORDINATES": "GPS |52.520008, 13.404954",
    "IBAN_CODE": "IBAN |DE89 3704 0044 0532 0130 00",
    "IE_EIRCODE": "Eircode |A65 F4E2",
    "IE_LICENSE_PLATE": "car |12-D-34567",
    "IE_PPS": "PPS |6433435F",
    "IE_VAT_ID": "VAT |IE6433435F",
    "IMEI": "IMEI |35-209900-176148-1",
    "IN_AADHAAR": "aadhaar |2345 6789 0124",
    "IN_GSTIN": "GSTIN |27AAPFU0939F1ZV",
    "IN_PAN": "PAN |ABCPE1234F",
    "IN_PASSPORT": "indian passport |A21 90761",
    "IN_VOTER": "voter |ABC1234567",
    "IP_ADDRESS": "host |192.168.17.43",
    "IT_DRIVER_LICENSE": "patente |AA1234567B",
    "IT_FISCAL_CODE": "codice fiscale |RSSMRA85T10A562S",
    "IT_HEALTH_CARD": "tessera sanitaria |80380313433422904205",
    "IT_IDENTITY_CARD": "carta d'identità |CA12345AB",
    "IT_LICENSE_PLATE": "targa |AB 123 CD",
    "IT_PASSPORT": "passaporto |YA1234567",
    "IT_POSTCODE": "CAP |00184",
    "IT_VAT_CODE": "partita IVA |00743110157",
    "IT_VAT_ID": "IVA |IT00743110157",
    "JWT": f"Authorization: Bearer |{JWT}",
    "LU_ID": "matricule |1893120105732",
    "MAC_ADDRESS": "mac |00:1B:44:11:3A:B7",
    "MEDICAL_LICENSE": "DEA |AB2257118",
    "MEDICAL_RECORD_NUMBER": "MRN |00451277",
    "MINOR": "she is |12 years old",
    "NL_BSN": "BSN |111222333",
    "NL_DRIVER_LICENSE": "rijbewijs |1234567890",
    "NL_ID_DOCUMENT": "paspoort |NWK9PR4F1",
    "NL_LICENSE_PLATE": "kenteken |12-ABC-3",
    "NL_POSTCODE": "postcode |1012 AB",
    "NL_VAT_ID": "btw |NL004495445B01",
    "NO_BIRTH_NUMBER": "fødselsnummer |151086 95088",
    "PASSPORT_MRZ": f"passport:\n|{MRZ}",
    "PASSWORD": "my password is |Tr0ub4dor&3",
    "PHONE_NUMBER": "call |+49 30 901820",
    "PL_ID_CARD": "dowód |ABA300000",
    "PL_LICENSE_PLATE": "rejestracja |WPI5A12",
    "PL_NIP": "NIP |526-10-40-828",
    "PL_PASSPORT": "paszport |AS2596842",
    "PL_PESEL": "PESEL |44051401359",
    "PL_POSTCODE": "kod pocztowy |00-950",
    "PL_REGON": "REGON |123456785",
    "PRIVATE_KEY": f"key:\n|{KEY}",
    "PT_CITIZEN_CARD": "cartão de cidadão |00000000 0 ZZ4",
    "PT_HEALTH_NUMBER": "utente |123 456 788",
    "PT_LICENSE_PLATE": "matrícula |12-AB-34",
    "PT_NIF": "NIF |123456789",
    "PT_PASSPORT": "passaporte |N123456",
    "PT_POSTCODE": "código postal |1100-148",
    "PT_SOCIAL_SECURITY": "NISS |18835440755",
    "PT_VAT_ID": "IVA |PT123456789",
    "SE_LICENSE_PLATE": "bil |ABC 12D",
    "SE_ORGANISATIONSNUMMER": "organisationsnummer |556036-0793",
    "SE_PASSPORT": "pass |12345678",
    "SE_PERSONNUMMER": "personnummer |811228-9874",
    "SE_VAT_ID": "moms |SE556036079301",
    "SG_NRIC_FIN": "NRIC |S1234567D",
    "SPECIAL_HEALTH": "she was told it is |diabetes",
    "SPECIAL_ORIENTATION": "he says he is |bisexual",
    "SPECIAL_POLITICS": "her neighbour is a |communist",
    "SPECIAL_RELIGION": "he goes to the |synagogue",
    "SPECIAL_UNION": "she joined the |trade union",
    "STREET_ADDRESS": "he lives at |Hauptstraße 5, 10115 Berlin",
    "UK_BANK_ACCOUNT": "account |31926819",
    "UK_DRIVING_LICENCE": "driving licence |MORGA657054SM9IJ",
    "UK_NHS": "NHS number |943 476 5919",
    "UK_NINO": "National Insurance |AB 12 34 56 C",
    "UK_PASSPORT": "UK passport |AB1234567",
    "UK_MEDICAL_LICENSE": "GMC |7055102",
    "UK_POSTCODE": "postcode |SW1A 1AA",
    "UK_SORT_CODE": "sort code |60-16-13",
    "UK_UTR": "UTR |1955839661",
    "UK_VAT_ID": "VAT |GB 980 7806 84",
    "UK_VEHICLE_REGISTRATION": "number plate |AB12 CDE",
    "URL": "open |https://bob:hunter2@host.example/x",
    "USERNAME": "username: |j.doe42",
    "US_BANK_NUMBER": "bank account |945456787654",
    "US_CLAIM_NUMBER": "medical claim |CLM-1234567",
    "US_DRIVER_LICENSE": "driver license |A1234567",
    "US_EIN": "EIN |12-3456789",
    "US_HEALTH_INSURANCE_MEMBER_ID": "insurance member id |XYZ-123456789",
    "US_ITIN": "ITIN |912-71-1234",
    "US_LICENSE_PLATE": "license plate |7ABC123",
    "US_MBI": "Medicare |1EG4-TE5-MK73",
    "US_NPI": "NPI |1749488403",
    "US_PASSPORT": "passport |123456788",
    "US_PRESCRIPTION_NUMBER": "prescription |RX-1234567",
    "US_PRIOR_AUTHORIZATION_NUMBER": "prior authorization |PA-1234567",
    "US_PROVIDER_TAX_ID": "billing provider tin |12-3456789",
    "US_REFERRAL_NUMBER": "referral |REF-1234567",
    "US_SSN": "SSN |219-09-9999",
    "VIN": "VIN |1M8GDM9AXKP042788",
}
"""Type -> what stands before the value, `|`, the value."""

NAMES = {
    "PERSON": (
        "|Margaret Thatcher| met him on Tuesday.",
        "Gestern traf |Angela Merkel| den Bürgermeister von Dresden.",
        "Le peintre |Claude Monet| est né à Paris en 1840.",
        "El escritor |Pablo Neruda| vivió muchos años en Madrid.",
        "Il regista |Federico Fellini| nacque a Rimini e visse a Roma.",
        "De schilder |Vincent van Gogh| woonde in Amsterdam.",
    ),
    "LOCATION": (
        "Margaret Thatcher met him in |London| on Tuesday.",
        "Gestern traf Angela Merkel den Bürgermeister von |Dresden|.",
        "Le peintre Claude Monet est né à |Paris| en 1840.",
        "El escritor Pablo Neruda vivió muchos años en |Madrid|.",
        "Il regista Federico Fellini nacque a |Rimini| e visse a Roma.",
        "De schilder Vincent van Gogh woonde in |Amsterdam|.",
    ),
    "ORGANIZATION": (
        "She has worked for |Siemens| in Munich since May.",
        "Er arbeitet seit Jahren bei der |Deutschen Bank| in Frankfurt.",
        "Elle travaille chez |Renault| à Paris.",
        "Ha fichado por el |Real Madrid|.",
        "Lavora per la |Banca d'Italia| a Roma.",
        "Zij werkt bij |Philips| in Eindhoven.",
    ),
}
"""For the names model: a sentence in each of its languages, its name between bars."""


class Planted(NamedTuple):
    """A text and where its value stands, in code points."""

    text: str
    start: int
    end: int


def planted(entity: str) -> tuple[str, str, str]:
    """What stands before the value, the value, what stands after it."""
    before, _, value = WRITTEN[entity].partition("|")
    return before, value, " as agreed."


FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
MATHEMATICAL = {ord("0") + digit: 0x1D7CE + digit for digit in range(10)}
ARABIC = {ord("0") + digit: 0x0660 + digit for digit in range(10)}
LOOKALIKE = str.maketrans("aeopcxysijABEKMHOPCTYXISJ", "аеорсхуѕіјАВЕКМНОРСТУХІЅЈ")
BETWEEN_DIGITS = re.compile(r"(?<=[0-9])(?=[0-9])")
NUMBER = re.compile(r"[+0-9 ./-]+")

Write = Callable[[str, str, str], Planted]


def value_only(change: Callable[[str], str]) -> Write:
    """A disguise of the value; the words around it stay as they are."""

    def write(before: str, value: str, after: str) -> Planted:
        changed = change(value)
        return Planted(before + changed + after, len(before), len(before) + len(changed))

    return write


def whole(change: Callable[[str], str], frame: str = "{}") -> Write:
    """A disguise of every character by itself, of the value and of what stands around it."""

    def write(before: str, value: str, after: str) -> Planted:
        lead, _, tail = frame.partition("{}")
        start = len(lead) + len(change(before))
        return Planted(lead + change(before + value + after) + tail, start, start + len(change(value)))

    return write


def split(mark: str) -> Write:
    """A mark between any two digits; a number's own separators make way for it."""

    def change(value: str) -> str:
        if NUMBER.fullmatch(value):
            value = "+" * value.startswith("+") + "".join(filter(str.isdigit, value))
        return BETWEEN_DIGITS.sub(mark, value)

    return value_only(change)


def in_base64(before: str, value: str, after: str) -> Planted:
    """The value and the words around it as one base64 string; the block as a whole must be found."""
    lead, block = '{"data": "', b64encode(f"{before}{value}{after}".encode()).decode()
    return Planted(f'{lead}{block}"}}', len(lead), len(lead) + len(block.rstrip("=")))


def value_in_base64(before: str, value: str, _after: str) -> Planted:
    """Only the value as base64, the words before it as the key."""
    lead, block = json.dumps({before.strip(): ""}, ensure_ascii=False)[:-2], b64encode(value.encode()).decode()
    return Planted(f'{lead}{block}"}}', len(lead), len(lead) + len(block.rstrip("=")))


def quoted(text: str) -> str:
    """Quoted-printable in one line."""
    return encodestring(text.encode()).decode().replace("=\n", "")


def in_a_mail(before: str, value: str, after: str) -> Planted:
    """A body in quoted-printable, in which a line ends within the value."""
    lead = f"Content-Transfer-Encoding: quoted-printable\n\n{quoted(before)}"
    middle = len(value) // 2
    broken = f"{quoted(value[:middle])}=\n{quoted(value[middle:])}"
    return Planted(f"{lead}{broken}{quoted(after)}", len(lead), len(lead) + len(broken))


def q_signs(text: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else quoted_sign(char) for char in text)


def quoted_sign(char: str) -> str:
    return "_" if char == " " else "".join(f"={byte:02X}" for byte in char.encode())


def in_a_header(before: str, value: str, after: str) -> Planted:
    """The sentence as one word of a header in base64."""
    lead, block = "Subject: ", b64encode(f"{before}{value}{after}".encode()).decode()
    word = f"=?utf-8?B?{block}?="
    return Planted(f"{lead}{word} <x@corp.example>", len(lead), len(lead) + len(word))


VARIANTS: Mapping[str, Write] = {
    "look-alike letters (Cyrillic)": value_only(lambda value: value.translate(LOOKALIKE)),
    "full-width letters and digits": value_only(lambda value: value.translate(FULL_WIDTH)),
    "mathematical digits": value_only(lambda value: value.translate(MATHEMATICAL)),
    "Arabic digits": value_only(lambda value: value.translate(ARABIC)),
    "zero-width spaces between all characters": value_only("\u200b".join),
    "soft hyphens between all characters": value_only("\u00ad".join),
    "a space between all digits": split(" "),
    "a hyphen between all digits": split("-"),
    "URL-encoded sentence": whole(lambda text: quote(text, safe=""), "GET /ask?q={}&lang=en"),
    "URL-encoded, every character of the value": value_only(
        lambda value: "".join(f"%{byte:02X}" for byte in value.encode())
    ),
    "JSON escapes for every character": value_only(lambda value: "".join(f"\\u{ord(char):04x}" for char in value)),
    "base64 of the sentence in JSON": in_base64,
    "base64 of the value alone in JSON": value_in_base64,
    "form encoding of the sentence": whole(quote_plus, "name=Anna&text={}&lang=en"),
    "quoted-printable, the value broken over two lines": in_a_mail,
    "encoded word of a mail's header, quoted": whole(q_signs, "Subject: =?utf-8?Q?{}?="),
    "encoded word of a mail's header, base64": in_a_header,
    "`\\x` escapes for every character": value_only(lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode())),
    "keycap digits": value_only(lambda value: re.sub("([0-9])", "\\1\ufe0f\u20e3", value)),
    "a strike-through over all characters": value_only(lambda value: "".join(f"{char}\u0336" for char in value)),
    "Markdown escapes": value_only(lambda value: re.sub(r"([-._])", r"\\\1", value)),
    "URL-encoded twice, the sentence": whole(
        lambda text: quote(quote(text, safe=""), safe=""), "GET /ask?q={}&lang=en"
    ),
    "hexadecimal of the sentence in JSON": whole(lambda text: text.encode().hex(), '{"data": "{}"}'),
}


def is_covered(place: Planted, spans: Iterable[Span]) -> bool:
    """Whether every letter and digit of the value lies inside some span."""
    inside = {at for span in spans for at in range(span.start, span.end)}
    return all(at in inside for at in range(place.start, place.end) if place.text[at].isalnum())


@cache
def usual() -> Engine:
    """The types and countries of the defaults, and the special categories, which are looked for when named."""
    return Engine(Settings(entities=Engine(Settings()).entities | set(SPECIAL)))


@cache
def everywhere() -> Engine:
    return Engine(Settings(countries=EVERYWHERE))


def engine_for(entity: str) -> Engine:
    """The usual one, where it knows the type: what other countries' rules catch by chance is not counted."""
    return usual() if entity in usual().entities else everywhere()


def types() -> list[str]:
    return sorted(usual().entities | everywhere().entities)


class Measured(NamedTuple):
    """Of the types that a disguise changes: how many there are, and those whose value is not wholly found."""

    tried: int
    missed: list[str]


Find = Callable[[str], Iterable[Span]]


def measured(name: str) -> Measured:
    """What the rules find of every type in one disguise."""
    missed, tried = [], 0
    for entity in types():
        before, value, after = planted(entity)
        place = VARIANTS[name](before, value, after)
        if place.text != before + value + after:
            tried += 1
            if not is_covered(place, engine_for(entity).find(place.text)):
                missed.append(entity)
    return Measured(tried, missed)


def measured_names(name: str, find: Find) -> dict[str, Measured]:
    """What is found of people, places and organisations in one disguise; `missed` are the sentences."""
    found = {}
    for entity, sentences in NAMES.items():
        before_after = [sentence.split("|") for sentence in sentences]
        places = [VARIANTS[name](before, value, after) for before, value, after in before_after]
        changed = [place for place, parts in zip(places, before_after, strict=True) if place.text != "".join(parts)]
        missed = [place.text for place in changed if not is_covered(place, find(place.text))]
        found[entity] = Measured(len(changed), missed)
    return found
