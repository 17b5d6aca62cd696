"""Classes that texts in the manner of public benchmarks showed: numbers of other countries, customers' IDs, dictated
numbers, wallets of other chains, codes that open something; each with what looks like it and is none."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.spans import Span, Strength, whole

ENGINE = Engine(Settings())


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


def values(text: str) -> list[str]:
    return [value for _, value in found(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("meu CPF é 529.982.247-25", "529.982.247-25"),
        ('{"cpf": "529.982.247-25"}', "529.982.247-25"),
        ("Aadhaar 2341 2341 2346, wife's to follow", "2341 2341 2346"),
        ("PAN: AFZPK7190K", "AFZPK7190K"),
        ("mi DNI es 45871236.", "45871236"),
        ("Cédula de ciudadanía No. 1.020.345.678", "1.020.345.678"),
        ("CURP: BECF800101HDFLNR09", "BECF800101HDFLNR09"),
        ("RFC BECF800101AB1", "BECF800101AB1"),
        ("AHV-Nr. 756.9217.0769.85", "756.9217.0769.85"),
        ("her Turkish ID 10000000146", "10000000146"),
        ("ID card no. 11010519491231002X", "11010519491231002X"),
        ("Medicare card no. 2123 45670 1", "2123 45670 1"),
        ("Alien Registration Number: A-214-889-330", "A-214-889-330"),
        ("I-94 number 94820117Z30", "94820117Z30"),
        ("Driver's license: D123-4567-8901", "D123-4567-8901"),
        ("my drivers license is S530-4607-9912 from there", "S530-4607-9912"),
        ("driver licence NSW 12345678", "NSW 12345678"),
        ("prawo jazdy 00123/19/1465", "00123/19/1465"),
        ('"driver_license": "S530-4607-9912"', "S530-4607-9912"),
    ],
)
def test_a_number_of_any_country_is_found_by_its_name(text: str, value: str) -> None:
    assert value in values(text)


@pytest.mark.parametrize(
    "text",
    [
        "See RFC 5545 and RFC 123456.",
        "sin 123456 euros, rut 1234567 and tin 12345678",
        "The id card costs 25 euros, the national ID lasts 10 years.",
        "driving licence valid from 12-03-2024",
        "process id 12345678, order ID 12345678",
        "tax id required since 2024-01-01",
    ],
)
def test_what_only_looks_like_a_number_with_a_name_is_left(text: str) -> None:
    assert "IDENTITY_NUMBER" not in [entity for entity, _ in found(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Employee ID EMP-20331 was paid", "EMP-20331"),
        ("patient_id: PT-8831", "PT-8831"),
        ('{"customerId": 8821377}', "8821377"),
        ("badge B-77120 was lost", "B-77120"),
        ("your employee number (0045512)", "0045512"),
        ("an application (no. 36110/97) against", "36110/97"),
        ("Record #582-91-04", "582-91-04"),
        ("numer klienta: 4471902", "4471902"),
        ("medlemsnummer 4471902", "4471902"),
        ("une requête (no 44302/02) contre la France", "44302/02"),
        ("Kd.-Nr. 119204", "119204"),
        ("MR#: 4471902", "4471902"),
        ("| Name | Badge |\n|---|---|\n| Orla | B-20914 |", "B-20914"),
        ("employee_id;surname\nE20419;Brankovic", "E20419"),
        ("apólice número 4471902, nº de cliente 551023", "551023"),
    ],
)
def test_a_persons_number_with_a_firm_is_found(text: str, value: str) -> None:
    assert value in values(text)


def test_a_few_figures_and_an_id_of_a_program_are_no_customers() -> None:
    assert found("customer id 12, employee_id = 2024, member id: 7") == []
    assert found('{"client_id": "123456"}') == []
    assert found("customer_id,total\n1001,20.5\n1002,30") == []


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        (
            "it is four one one one, one one one one, one one one one, one one one one and",
            "CREDIT_CARD",
            "four one one one, one one one one, one one one one, one one one one",
        ),
        (
            "My number is two one two five double five oh one eight three.",
            "PHONE_NUMBER",
            "two one two five double five oh one eight three",
        ),
        ("sure, five five oh two, one nine eight", "CUSTOMER_NUMBER", "five five oh two, one nine eight"),
        ("Nummer null eins sieben zwei vier vier", "CUSTOMER_NUMBER", "null eins sieben zwei vier vier"),
        ("mail j dot petrosyan at gmail dot com please", "EMAIL_ADDRESS", "j dot petrosyan at gmail dot com"),
        ("anna punkt weber ät web punkt de", "EMAIL_ADDRESS", "anna punkt weber ät web punkt de"),
    ],
)
def test_what_is_dictated_is_found(text: str, entity: str, value: str) -> None:
    assert found(text) == [(entity, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Count: one two three four five six seven, then nine eight seven six five four.",
        "three, two, one, zero, go; one one one one one one one",
        "One of the two, or all three: four were late and five or six came.",
        "Find us at example dot com, or look at docs dot python dot org.",
        "meet at noon dot, at five",
    ],
)
def test_counting_and_sites_are_not_dictated(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "address",
    [
        "LQTpS3VaYTjCr4s9Y1t5zbeY26zevf7Fb3",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
        "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
        "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh",
        "ltc1qg42tkwuuxefutzxezdkdel39gfstuap288mfea",
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
    ],
)
def test_addresses_of_other_chains_prove_themselves(address: str) -> None:
    assert found(f"send it to {address} now") == [("CRYPTO", address)]
    assert found(f"send it to {address[:-1]}x now") == [] or len(address) > 90


def test_a_mistyped_wallet_is_found_beside_its_word() -> None:
    address = "1cNUyGLVnDJxA4vdNUt3Ykk7uuvxr"
    assert found(f"to my bitcoin address {address}") == [("CRYPTO", address)]
    assert found(f"to the commit {address}") == []


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("Ur OTP is 482913. Do not share.", "PASSWORD", "482913"),
        ("Portkod 4471", "PASSWORD", "4471"),
        ("her door code is 2580", "PASSWORD", "2580"),
        ("PIN de la tarjeta 9031", "PASSWORD", "9031"),
        ("with passcode 0611", "PASSWORD", "0611"),
        ("The password for the Henriksen account is Tr0ub4dor&3; ask", "PASSWORD", "Tr0ub4dor&3"),
        ("Passwort für m.oberhuber: Apfel#Baum9", "PASSWORD", "Apfel#Baum9"),
        ('192.0.2.44 - jkowal92 [02/Feb/2024:10:00:01 +0100] "POST', "USERNAME", "jkowal92"),
        ("mit dem Benutzernamen kwiatkowski.t und dem Passwort x", "USERNAME", "kwiatkowski.t"),
        ("She logs in as nurse_jackie today", "USERNAME", "nurse_jackie"),
        ("discord darkwolf#4471", "USERNAME", "darkwolf#4471"),
        ("Skype: hwseo.dev", "USERNAME", "hwseo.dev"),
        ("telegram: anna_b82", "USERNAME", "anna_b82"),
        ("she tweets at @hmb_writes.", "USERNAME", "hmb_writes"),
        ("write to weizhang_8@163.com", "EMAIL_ADDRESS", "weizhang_8@163.com"),
    ],
)
def test_codes_and_accounts_are_found(text: str, entity: str, value: str) -> None:
    assert (entity, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "telegram: bot_token, twitter: v2.api, discord: webhook_url",
        "He logged in as a guest; logged in as admin",
        "npm install left-pad@163.1 react@18.2.0",
        "error code 4042, no access code needed since 2024",
        "Skype is: a program",
        "The password for the user is required, the password of the database: see config.yaml",
    ],
)
def test_settings_and_prose_are_no_codes_or_accounts(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mi cel 999888777", "999888777"),
        ('{"phone": "998877665"}', "998877665"),
        ("name,phone\nAl,998877665\nBo,998877644", "998877644"),
        ("this is my new nr 0612345678", "0612345678"),
        ("mi nuevo num es 55 1234 5678", "55 1234 5678"),
    ],
)
def test_a_foreign_number_behind_a_word_for_a_phone_is_found(text: str, value: str) -> None:
    assert ("PHONE_NUMBER", value) in found(text)


def test_a_port_and_a_count_are_no_phones() -> None:
    assert found("port 12345678, call 12345678 times, a new number of 1234567 items") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The Old Forge, Great Missenden, HP16 0BD", "HP16 0BD"),
        ("19 Banksia Crescent, Newcastle NSW 2300", "19 Banksia Crescent, Newcastle NSW 2300"),
        ("4520 Main Street, Toronto (ON) M5V 2T6", "4520 Main Street, Toronto (ON) M5V 2T6"),
        ("15 Jacaranda Street, Pretoria, 0083", "15 Jacaranda Street, Pretoria, 0083"),
        ('{"postnummer": "831 41"}', "831 41"),
    ],
)
def test_postcodes_of_more_countries_close_an_address(text: str, value: str) -> None:
    assert value in values(text)


def test_a_year_and_a_part_number_are_no_postcodes() -> None:
    assert values("He lived at 12 Park Street, London 2012") == ["12 Park Street"]
    assert found("the parts QX1 2AB, Model X3 4CV and grid cells B3 4AX") == []


def test_coordinates_are_told_by_the_heading_of_their_column() -> None:
    far = "x" * 120
    text = f'name,coordinates\na,"37.6872, -97.3301"\n{far},"52.6309, 1.2974"'
    assert [value for entity, value in found(text) if entity == "GEO_COORDINATES"] == [
        "37.6872, -97.3301",
        "52.6309, 1.2974",
    ]


def test_a_models_name_goes_on_behind_its_hyphen() -> None:
    text = "Hyun-woo came"
    assert whole(Span(0, 5, "PERSON", 0.9, "names", Strength.MODEL), text).end == 8
