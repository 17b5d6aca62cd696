"""National numbers: the issuers' own examples, and everything faker can make."""

from __future__ import annotations

import pytest
from faker import Faker

from sidecar.inspection import national_checks
from sidecar.inspection.catalogue import COUNTRIES, Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings(countries=(*COUNTRIES, "ch", "no", "lu", "ca", "au", "in", "sg")))

EXAMPLES = [
    ("FR_NIR", "NIR 2 55 08 14 168 025 38"),
    ("FR_NIR", "numéro 255081416802538"),
    ("FR_TAX_ID", "numéro fiscal 30 23 217 600 053"),
    ("FR_SIREN", "SIREN 303 265 045"),
    ("FR_VAT_ID", "TVA FR40303265045"),
    ("FR_LICENSE_PLATE", "immatriculation AB-123-CD"),
    ("FR_PASSPORT", "passeport 12AB34567"),
    ("ES_NIF", "DNI 12345678Z"),
    ("ES_NIE", "NIE X1234567L"),
    ("ES_CIF", "CIF A58818501"),
    ("ES_SOCIAL_SECURITY", "NUSS 281234567840"),
    ("ES_LICENSE_PLATE", "matrícula 1234 BCD"),
    ("IT_FISCAL_CODE", "codice fiscale RSSMRA85T10A562S"),
    ("IT_VAT_CODE", "partita IVA 00743110157"),
    ("IT_LICENSE_PLATE", "targa AB 123 CD"),
    ("NL_BSN", "BSN 111222333"),
    ("NL_VAT_ID", "btw NL004495445B01"),
    ("NL_LICENSE_PLATE", "kenteken 12-ABC-3"),
    ("PT_NIF", "NIF 123456789"),
    ("PT_CITIZEN_CARD", "cartão de cidadão 00000000 0 ZZ4"),
    ("PT_CITIZEN_CARD", "CC n.º 00000000 0 Z47"),
    ("PT_CITIZEN_CARD", "documento de identificação: 12345678-9-4Z2"),
    ("PT_LICENSE_PLATE", "matrícula 12-AB-34"),
    ("PL_PESEL", "PESEL 44051401359"),
    ("PL_NIP", "NIP 526-10-40-828"),
    ("PL_REGON", "REGON 123456785"),
    ("PL_ID_CARD", "dowód ABA300000"),
    ("SE_PERSONNUMMER", "personnummer 811228-9874"),
    ("SE_LICENSE_PLATE", "bil ABC 12D"),
    ("FI_PERSONAL_IDENTITY_CODE", "hetu 131052-308T"),
    ("FI_BUSINESS_ID", "Y-tunnus 2077474-0"),
    ("FI_LICENSE_PLATE", "rekisteritunnus ABC-123"),
    ("DK_CPR", "CPR 211062-5629"),
    ("DK_CVR", "CVR 13585628"),
    ("BE_NATIONAL_NUMBER", "rijksregister 85.07.30-033.28"),
    ("BE_VAT_ID", "BTW BE 0403.019.261"),
    ("BE_LICENSE_PLATE", "plaque 1-ABC-123"),
    ("AT_SOCIAL_SECURITY", "SVNR 1237 010180"),
    ("AT_VAT_ID", "UID ATU13585627"),
    ("IE_PPS", "PPS 6433435F"),
    ("IE_EIRCODE", "Eircode A65 F4E2"),
    ("DE_TAX_ID", "Steuer-ID 86095742719"),
    ("DE_TAX_ID", "Steuer-IdNr. 86 095 742 719"),
    ("DE_FUEHRERSCHEIN", "Führerschein B072RRE2I55"),
    ("IT_FISCAL_CODE", "codice fiscale RSS MRA 85T10 A562S"),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer 15070649C103"),
    ("DE_SOCIAL_SECURITY", "SV-Nr. 15 070649 C 103"),
    ("DE_HEALTH_INSURANCE", "KVNR A123456780"),
    ("DE_PASSPORT", "Reisepass C01X00T47"),
    ("DE_ID_CARD", "Personalausweis L01X00T47"),
    ("DE_VAT_ID", "USt-IdNr. DE136695976"),
    ("DE_KFZ", "Kennzeichen M-AB 1234"),
    ("DE_KFZ", "license_plate: B-MW 1234"),
    ("AT_LICENSE_PLATE", "Kennzeichen KU-581 M"),
    ("AT_LICENSE_PLATE", "Kennzeichen: W-12345A"),
    ("PL_LICENSE_PLATE", "numer rejestracyjny KR4658G"),
    ("PL_LICENSE_PLATE", "tablica rejestracyjna WA 12345"),
    ("SE_LICENSE_PLATE", "registreringsnummer ABC 123"),
    ("FI_LICENSE_PLATE", "rekisterinumero ABC-123"),
    ("DK_PASSPORT", "pasnummer 205123456"),
    ("US_LICENSE_PLATE", "licensePlate: 7ABC123"),
    ("US_LICENSE_PLATE", "license plate ABC-1234"),
    ("UK_NINO", "National Insurance AB 12 34 56 C"),
    ("UK_NHS", "NHS number 943 476 5919"),
    ("UK_UTR", "UTR 1955839661"),
    ("UK_VAT_ID", "VAT GB 980 7806 84"),
    ("UK_POSTCODE", "postcode SW1A 1AA"),
    ("US_SSN", "SSN 219-09-9999"),
    ("US_EIN", "EIN 12-3456789"),
    ("US_ITIN", "ITIN 912-71-1234"),
    ("US_PASSPORT", "passport 123456788"),
    ("MEDICAL_RECORD_NUMBER", "MRN 00451277"),
    ("CH_AHV", "AHV 756.9217.0769.85"),
    ("NO_BIRTH_NUMBER", "fødselsnummer 151086 95088"),
    ("LU_ID", "matricule 1893120105732"),
    ("AU_TFN", "TFN 876 543 210"),
    ("CA_SIN", "SIN 130-692-544"),
    ("IN_PAN", "PAN ABCPE1234F"),
]


@pytest.mark.parametrize(("entity", "text"), EXAMPLES, ids=[f"{entity}-{text}" for entity, text in EXAMPLES])
def test_the_issuers_example_is_found_beside_its_name(entity: str, text: str) -> None:
    found = [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]
    assert [name for name, _ in found] == [entity], found
    assert text.endswith(found[0][1])


PROVEN_ALONE = [
    "2 55 08 14 168 025 38", "RSSMRA85T10A562S", "NL004495445B01", "85.07.30-033.28", "86095742719", "15070649C103",
    "A123456780",
    "LY83002048000020100120361", "BI42 1000 0100 0100 0033 2045 181", "FK88SC123456789012",
    "MZ59000301080016367102371", "MG4600005030071289421016045", "DZ580002100001113000000570",
    "IR580540105180021273113007",
    "KM4600005000010010904400137", "GW04GW1430010181800637601",
    "131052-308T", "44051401359", "12345678Z", "X1234567L", "ATU13585627", "756.9217.0769.85", "211062-5629",
]  # fmt: skip


@pytest.mark.parametrize("value", PROVEN_ALONE)
def test_a_proven_number_needs_no_word_beside_it(value: str) -> None:
    text = f"see {value} for more"
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == [value]


@pytest.mark.parametrize(
    "text",
    ["Rechnung 123456789 vom Mai", "row 12345678 of 23456789", "a65f4e2 commit", "ABC-12 is a part", "issue 1234567-8"],
)
def test_shapes_alone_prove_nothing(text: str) -> None:
    assert ENGINE.find(text) == []


@pytest.mark.parametrize(
    ("locale", "make", "label"),
    [
        ("de_DE", "iban", "IBAN"), ("fr_FR", "iban", "IBAN"), ("pl_PL", "pesel", "PESEL"), ("pl_PL", "nip", "NIP"),
        ("it_IT", "ssn", "codice fiscale"),
        ("es_ES", "nif", "NIF"), ("es_ES", "nie", "NIE"), ("sv_SE", "ssn", "personnummer"), ("fi_FI", "ssn",
        "hetu"), ("nl_NL", "ssn", "BSN"),
        ("en_US", "credit_card_number", "card"), ("en_US", "ssn", "SSN"), ("fr_FR", "ssn", "NIR"), ("nl_BE", "ssn",
        "rijksregisternummer"),
        ("en_GB", "ssn", "national insurance"), ("de_AT", "ssn", "SVNR"), ("pt_PT", "vat_id", "VAT"), ("en_US",
        "email", "mail"), ("en_US", "ipv4", "host"),
        ("en_US", "ipv6", "host"), ("en_US", "mac_address", "mac"), ("de_DE", "vat_id", "VAT"), ("nl_BE", "vat_id",
        "VAT"), ("de_AT", "vat_id", "VAT"),
    ],
)  # fmt: skip
def test_generated_values_are_covered(locale: str, make: str, label: str) -> None:
    faker = Faker(locale)
    faker.seed_instance(11)
    values = [str(getattr(faker, make)()) for _ in range(200)]
    missed = [value for value in values if not _covered(f"{label}: {value}", value)]
    assert len(missed) <= 2, missed[:10]


def _covered(text: str, value: str) -> bool:
    start = text.index(value)
    return any(span.start <= start and span.end >= len(text) for span in ENGINE.find(text))


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ("fr_siret", "303 265 045 00003", "303 265 046 00019"),  # of the latter Luhn is right, but not of its SIREN
        ("fr_siret", "35600000000010", "35600000000011"),  # La Poste
        ("fr_vat", "FR30000339118", "FR31000339118"),  # Monaco
        ("pl_regon", "23511332857188", "23511332857187"),
        ("dk_cvr", "13585628", "04594533"),
        ("ie_pps", "6433435FW", "6433435GW"),
        ("ie_pps", "2375321IX", "1576361RX"),
        ("de_tax_id", "86095742719", "36917932122"),
        ("no_birth_number", "15108695088", "13135937910"),
    ],
)
def test_checks_are_those_of_the_issuers(check: str, right: str, wrong: str) -> None:
    """What another implementation (python-stdnum) and ours disagreed about, settled by the published rule."""
    assert getattr(national_checks, check)(right)
    assert not getattr(national_checks, check)(wrong)


def test_an_italian_vat_number_is_proven_by_its_office_too() -> None:
    assert national_checks.it_vat("00743110157") is True
    assert national_checks.it_vat("86208034750") is None
    assert national_checks.it_vat("00743110158") is False


def test_milliseconds_are_no_german_tax_number() -> None:
    for stamp in ("1571146724123", "1619939036000", "1689999999999"):
        assert not ENGINE.find(f'{{"at": {stamp}, "seq": 4}}')
    assert [found.entity for found in ENGINE.find("Steuernummer 2893081508152")] == ["DE_TAX_NUMBER"]
