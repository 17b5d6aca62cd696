"""Fields of persons in the records of machines: a field's place says what it holds."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.named import names_by_place
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings())
PID = (
    "PID|1||PATID1234^5^M11^ADT1^MR~219099999^^^USSSA^SS||JONES^WILLIAM^A^III||19610615|M-||2106-3"
    "|1200 N ELM STREET^^GREENSBORO^NC^27401-1020|GL|(919)379-1212|(919)271-3434||S||PATID12345001^2^M10|219099999"
    "|987654^NC"
)
MT940 = (
    ":25:37040044/0532013000\n:86:166?00GUTSCHRIFT?109310?20SVWZ+RECHNUNG?30GENODEF1ABC"
    "?31DE89370400440532013000?32ERIKA MUSTERFRAU?34888\n:86:105?30COBADEFF?31532013000?32HANS WEBER"
)
EDIFACT = (
    "UNH+1+ORDERS:D:96A:UN'NAD+BY+4711++KRAUSE SABINE+BERGSTRASSE 17+STUTTGART++70173+DE'CTA+IC+:SABINE KRAUSE'"
    "COM+07115551234:TE'COM+?+4971155512345:TE'UNT+9+1'"
)
X12 = (
    "NM1*IL*1*SMITH*JOHN*Q***MI*1EG4TE5MK73~N3*123 MAIN ST~N4*MIAMI*FL*33101~DMG*D8*19430501*M~REF*SY*219099999~"
    "PER*IC*JERRY HELPER*TE*3055552222*EM*jh@example.com~"
)
VCARD = (
    "BEGIN:VCARD\nVERSION:3.0\nN:Gump;Forrest;;Mr.;\nFN:Forrest Gump\n"
    "ADR;TYPE=HOME:;;42 Plantation Row;Baytown;LA;30314;USA\nEND:VCARD\n"
)
NEXT_OF_KIN = f"NK1|1|NUCLEAR^NELDA|SPO|12 ELM ST^^AKRON^OH^44308|(330)555-1212|(330)555-3434{'|' * 10}19480203"
FOUND = {
    PID: [
        ("MEDICAL_RECORD_NUMBER", "PATID1234"), ("US_SSN", "219099999"), ("DATE_OF_BIRTH", "19610615"),
        ("STREET_ADDRESS", "1200 N ELM STREET^^GREENSBORO^NC^27401-1020"), ("PHONE_NUMBER", "(919)379-1212"),
        ("PHONE_NUMBER", "(919)271-3434"), ("MEDICAL_RECORD_NUMBER", "PATID12345001"), ("US_SSN", "219099999"),
        ("US_DRIVER_LICENSE", "987654"),
    ],
    MT940: [
        ("DE_BANK_ACCOUNT", "0532013000"), ("IBAN_CODE", "DE89370400440532013000"), ("DE_BANK_ACCOUNT", "532013000"),
    ],
    EDIFACT: [
        ("STREET_ADDRESS", "BERGSTRASSE 17+STUTTGART++70173+DE"), ("PHONE_NUMBER", "07115551234"),
        ("PHONE_NUMBER", "+4971155512345"),
    ],
    X12: [
        ("US_HEALTH_INSURANCE_MEMBER_ID", "1EG4TE5MK73"), ("STREET_ADDRESS", "123 MAIN ST"),
        ("STREET_ADDRESS", "MIAMI*FL*33101"), ("DATE_OF_BIRTH", "19430501"), ("US_SSN", "219099999"),
        ("PHONE_NUMBER", "3055552222"), ("EMAIL_ADDRESS", "jh@example.com"),
    ],
    VCARD: [("STREET_ADDRESS", "42 Plantation Row;Baytown;LA;30314")],
    NEXT_OF_KIN: [
        ("STREET_ADDRESS", "12 ELM ST^^AKRON^OH^44308"), ("PHONE_NUMBER", "(330)555-1212"),
        ("PHONE_NUMBER", "(330)555-3434"), ("DATE_OF_BIRTH", "19480203"),
    ],
    "MRG|7412589^^^KIS|||7412590": [("MEDICAL_RECORD_NUMBER", "7412589"), ("MEDICAL_RECORD_NUMBER", "7412590")],
    f"PID|1||  7412589 ^^^KIS{'|' * 17}UNKNOWN^NC": [("MEDICAL_RECORD_NUMBER", "7412589")],
    "dn: cn=x\nhomePostalAddress: 742 Evergreen Way$Springfield$62704\nuserPassword: {SSHA}dkfljlk34r2kljdsfk9\n": [
        ("STREET_ADDRESS", "742 Evergreen Way$Springfield$62704"), ("PASSWORD", "{SSHA}dkfljlk34r2kljdsfk9"),
    ],
}  # fmt: skip
NAMES = {
    PID: ["JONES", "WILLIAM"],
    "NK1|1|NUCLEAR^NELDA^W|SPO^SPOUSE||(555)555-1212|NK^NEXT OF KIN": ["NUCLEAR", "NELDA"],
    "PV1|1|I|2000^2012^01||||004777^ATTEND^AARON^A|||SUR": ["ATTEND", "AARON"],
    MT940: ["ERIKA MUSTERFRAU", "HANS WEBER"],
    EDIFACT: ["SABINE KRAUSE"],
    X12: ["SMITH", "JOHN", "JERRY HELPER"],
    VCARD: ["Gump", "Forrest", "Forrest Gump"],
}


@pytest.mark.parametrize("text", FOUND)
def test_fields_are_found_by_their_place(text: str) -> None:
    spans = ENGINE.find(text)
    assert [(span.entity, text[span.start : span.end]) for span in spans] == FOUND[text]
    assert all(0.5 < span.score <= 1.0 for span in spans)


@pytest.mark.parametrize("text", NAMES)
def test_names_are_found_by_their_place(text: str) -> None:
    assert sorted(text[span.start : span.end] for span in names_by_place(text)) == sorted(NAMES[text])


def test_segments_end_with_a_carriage_return_and_take_nothing_of_the_next() -> None:
    text = "MSH|^~\\&|A|B\rPID|||7412589^^^KIS^PI||M^A||19480312|F\rOBX|1|NM|19610615^x|y|z\r"
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == ["7412589", "19480312"]


@pytest.mark.parametrize(
    "text",
    [
        "if pid|tid|19610615|a^b|c: exit",
        "PID|1||||||||||",
        "a n3*4 b n4*12*33 c ref*2 d per*3",
        "x = N3*123 + N4*5*6*7",
        "time 12:25:30 and ?31 of 40",
        "COM+1 is a port; NAD+ is not",
    ],
)
def test_code_and_prose_are_no_records(text: str) -> None:
    assert ENGINE.find(text) == []
    assert names_by_place(text) == []


@pytest.mark.parametrize("unit", ["PID|1|", "NM1*IL*1*", "NAD+BY+", "BEGIN:VCARD\nN:a;b\n", "?31?32", "REF*SY*"])
def test_cost_is_linear(unit: str) -> None:
    assert_linear(ENGINE, unit)


@pytest.mark.parametrize("mark", "|^~*")
def test_an_address_ends_at_the_mark_that_parts_fields(mark: str) -> None:
    text = f"4711{mark}Anna{mark}anna@corp.example{mark}x"
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == ["anna@corp.example"]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ('{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "444222222"}', "US_SSN", "444222222"),
        ('{"name": "passport_number",\n "value": "483920175"}', "US_PASSPORT", "483920175"),
        ('[{"Key":"db_password","Value":"0ld-Bridge!"}]', "PASSWORD", "0ld-Bridge!"),
    ],
)
def test_of_a_pair_the_name_labels_the_value(text: str, entity: str, value: str) -> None:
    assert [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)] == [(entity, value)]
