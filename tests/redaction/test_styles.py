"""Numbered, keyed and lifelike surrogates: what they look like, and that no two values share one."""

from __future__ import annotations

import ipaddress
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.model import Channel, PlaceKind
from sidecar.redaction import LIFELIKE, Restorer, keyed, redact
from sidecar.redaction.styles import LIFELIKE_TOKEN, SPELLED, core, iban_check, luhn_digit, stands_alone
from tests.redaction.kit import ALL, JSON, TEXT, counts, everywhere, mark, part, redacted, stream

KEY = b"0123456789abcdef"


def luhn(number: str) -> bool:
    return luhn_digit(number[:-1]) == number[-1]


def iban(text: str) -> bool:
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def minted(entity: str, *values: str) -> list[str]:
    return redacted(list(values), dict.fromkeys(values, entity), style=LIFELIKE)[0]


def test_keyed_surrogates_are_the_same_in_every_exchange_under_a_key() -> None:
    first, _ = redacted(["Bob and Anna"], {"Anna": "PERSON", "Bob": "PERSON"}, style=keyed(KEY))
    again, result = redacted(["Anna"], {"Anna": "PERSON"}, style=keyed(KEY))
    other, _ = redacted(["Anna"], {"Anna": "PERSON"}, style=keyed(KEY[::-1]))
    assert re.fullmatch("<PERSON_0[0-9a-f]{16}>", again[0])
    assert first[0].endswith(again[0])
    assert again != other
    assert everywhere(result.vault, f"Hi {again[0]} {again[0].upper()}") == "Hi Anna Anna"


def test_a_keyed_surrogate_that_is_taken_is_not_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 bits collide once in 10^9 exchanges of 10^5 values; then the next of the series is used."""
    sums = iter([b"same" * 8, b"same" * 8, b"else" * 8])
    monkeypatch.setattr("sidecar.redaction.styles.hmac.digest", lambda *_: next(sums))
    texts, _ = redacted(["Anna", "Bob"], {"Anna": "PERSON", "Bob": "PERSON"}, style=keyed(KEY))
    assert texts[0] != texts[1]


def test_a_key_has_to_be_one() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        keyed(b"short")
    assert "0123" not in repr(keyed(KEY))


def test_keyed_identifiers_stay_within_the_providers_characters() -> None:
    name = part("Anna", kind=PlaceKind.IDENTIFIER)
    text = redact([name], [mark(name, 0, 4)], ALL, style=keyed(KEY)).edits[0].text
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", text)


def test_emails_are_at_a_domain_that_nobody_has() -> None:
    assert minted("EMAIL_ADDRESS", "a@b.c", "d@e.f", "a@b.c") == [
        "user0001@example.com",
        "user0002@example.com",
        "user0001@example.com",
    ]


def test_phone_numbers_are_fictitious_and_come_to_an_end() -> None:
    values = [f"+49 30 {number}" for number in range(1000000, 1001610)]
    texts = minted("PHONE_NUMBER", *values)
    assert all(re.fullmatch(r"\+1-[2-9][0-9]{2}-555-01[0-9]{2}", text) for text in texts[:1600])
    assert texts[1600] == "<PHONE_NUMBER_1601>"
    assert len(set(texts)) == len(values)


def test_addresses_are_those_of_documentation() -> None:
    texts = minted("IP_ADDRESS", *(f"10.0.{high}.{low}" for high in range(3) for low in range(250)))
    nets = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    assert all(any(ipaddress.ip_address(text) in net for net in nets) for text in texts)
    six = minted("IP_ADDRESS", "fe80::1", "10.0.0.1", "fe80::2")
    assert six == ["2001:db8::1", "192.0.2.1", "2001:db8::2"]


def test_cards_are_valid_and_in_the_networks_test_range() -> None:
    texts = minted("CREDIT_CARD", *(f"4242 4242 4242 {number}" for number in range(4000, 4050)))
    assert all(luhn(text) and text.startswith("411111") and len(text) == 16 for text in texts)
    assert luhn("4242424242424242")
    assert not luhn("4242424242424241")


IBANS = ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947"]


@pytest.mark.parametrize("value", [*IBANS, "bad"])
def test_ibans_are_valid_and_of_the_same_country(value: str) -> None:
    texts = minted("IBAN_CODE", value, f"{value}0")
    country = value[:2] if value != "bad" else "DE"
    assert texts[0] != texts[1]
    for text in texts:
        assert iban(text)
        assert text.startswith(country)
        assert len(text) in (len(value.replace(" ", "")), len(value.replace(" ", "")) + 1, 22)
    assert country + iban_check(country, texts[0][4:]) == texts[0][:4]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("BE68539007547034", "BE43000000000101 BE32000000000202"),
        ("ES9121000418450200051332", "ES3600000000050000000001 ES6300000000010000000002"),
        ("FI2112345600000785", "FI0500000000000018 FI8000000000000026"),
        ("FR1420041010050500013M02606", "FR74000000000000000X0000147 FR74000000000000000X0000244"),
        ("NO9386011117947", "NO8800000000299 NO9800000000604"),
        ("PT50000201231234567890154", "PT50000000000000000000195 PT50000000000000000000292"),
    ],
)
def test_an_account_has_its_own_check_digits(value: str, expected: str) -> None:
    """Valid by python-stdnum 2.2 (`iban.validate`, which asks the country's rules too) and schwifty 2026.10."""
    assert " ".join(minted("IBAN_CODE", value, f"{value[:4]} {value[4:]}")) == expected


@pytest.mark.parametrize(
    "value", ["BE6853900754703X", "NO938601111794", "NO93860111179X7", "FR14XX", "ES91XXXX0418450200051332"]
)
def test_an_account_that_is_none_of_its_country_is_written_all_the_same(value: str) -> None:
    [text] = minted("IBAN_CODE", value)
    assert text == "<IBAN_CODE_1>" or iban(text)


def test_a_value_of_the_request_is_never_used_for_another() -> None:
    """The caller's own example address must stay his: it is reserved, redacted like any other, and comes back."""
    values = {"user0001@example.com": "EMAIL_ADDRESS", "a@b.c": "EMAIL_ADDRESS"}
    texts, result = redacted(["a@b.c, not user0001@example.com"], values, style=LIFELIKE)
    assert texts == ["user0002@example.com, not user0003@example.com"]
    assert stream(Restorer(result.vault), texts) == "a@b.c, not user0001@example.com"
    texts, _ = redacted(["a@b.c, not user0001@example.com"], {"a@b.c": "EMAIL_ADDRESS"}, style=LIFELIKE)
    assert texts == ["user0002@example.com, not user0001@example.com"]


def test_one_that_would_run_into_its_neighbours_is_bracketed() -> None:
    values = {"a@b.c": "EMAIL_ADDRESS", "10.0.0.1": "IP_ADDRESS"}
    texts, result = redacted(["a@b.c a@b.com 10.0.0.1.5 a@b.c10.0.0.1"], values, style=LIFELIKE)
    assert texts == ["user0001@example.com <EMAIL_ADDRESS_1>om <IP_ADDRESS_1>.5 <EMAIL_ADDRESS_1><IP_ADDRESS_1>"]
    assert everywhere(result.vault, texts[0]) == "a@b.c a@b.com 10.0.0.1.5 a@b.c10.0.0.1"


def test_in_an_identifier_it_is_a_name_for_no_provider_takes_an_at_sign() -> None:
    name, text = part("a-b", kind=PlaceKind.IDENTIFIER), part("a-b", at=1)
    findings = [mark(name, 0, 3, "EMAIL_ADDRESS"), mark(text, 0, 3, "EMAIL_ADDRESS")]
    result = redact([name, text], findings, ALL, style=LIFELIKE)
    assert [edit.text for edit in result.edits] == ["EMAIL_ADDRESS_1", "user0001@example.com"]


@settings(deadline=None)  # each example is cut in a hundred ways
@given(
    st.sampled_from(["Re: ", '"', "(", "a,", "<", "mailto:", ""]), st.sampled_from(['"', ". ", ", ", ")", "!", ">", ""])
)
def test_what_stands_alone_is_found_again_in_text_and_json(before: str, after: str) -> None:
    values = {"a@b.c": "EMAIL_ADDRESS", "10.0.0.1": "IP_ADDRESS"}
    texts, result = redacted([f"{before}a@b.c{after}\n10.0.0.1"], values, style=LIFELIKE)
    assert texts == [f"{before}user0001@example.com{after}\n192.0.2.1"]
    assert everywhere(result.vault, texts[0]) == f"{before}a@b.c{after}\n10.0.0.1"
    assert everywhere(result.vault, '{"k": "x\\nuser0001@example.com"}', JSON) == '{"k": "x\\na@b.c"}'


@pytest.mark.parametrize("entity", LIFELIKE.shapes)
@pytest.mark.parametrize("value", ["1", "fe80::1", "FR1420041010050500013M02606", "GB29NWBK60161331926819"])
def test_the_pattern_knows_every_shape(entity: str, value: str) -> None:
    for _, token in zip(range(300), LIFELIKE.shapes[entity](value), strict=False):
        assert re.fullmatch(LIFELIKE_TOKEN, token)
        assert re.fullmatch(SPELLED, token)
        assert stands_alone("", token, "")
        assert not stands_alone("x", token, "")
        assert not stands_alone("", token, "0")


OWN = {
    "anna@corp.internal": "EMAIL_ADDRESS",
    "+49 171 1234567": "PHONE_NUMBER",
    "2001:470:1f0b::5": "IP_ADDRESS",
    "5500005555555559": "CREDIT_CARD",
    "DE89 3704 0044 0532 0130 00": "IBAN_CODE",
    "AT611904300234573201": "IBAN_CODE",
}
UPSTREAM, FAKED = redacted([", ".join(OWN)], OWN, style=LIFELIKE)
VAULT = FAKED.vault
MAIL, PHONE, ADDRESS, CARD, GERMAN, AUSTRIAN = UPSTREAM[0].split(", ")


def fours(text: str, gap: str = " ") -> str:
    return gap.join(text[at : at + 4] for at in range(0, len(text), 4))


SPELLINGS = {
    MAIL: [MAIL, MAIL.upper(), MAIL.capitalize(), MAIL.title()],
    PHONE: [
        PHONE, "(202) 555-0100", "(202)555-0100", "+1 202 555 0100", "+1 (202) 555-0100", "202-555-0100",
        "202.555.0100", "1-202-555-0100", "1 (202) 555-0100", "1 202 555 0100", "2025550100", "+12025550100",
        "+1\u00a0202\u202f555-0100",
    ],
    ADDRESS: [ADDRESS, ADDRESS.upper()],
    CARD: [CARD, fours(CARD), fours(CARD, "-"), fours(CARD, "\u00a0")],
    GERMAN: [GERMAN, fours(GERMAN), fours(GERMAN, "-"), fours(GERMAN).lower(), f"{GERMAN[:4]} {' '.join(GERMAN[4:])}"],
    AUSTRIAN: [AUSTRIAN, fours(AUSTRIAN), fours(AUSTRIAN, "\u00a0")],
}  # fmt: skip
AROUND = [
    ("It is ", ", as agreed."),
    ("(", ")"),
    ("", ""),
    ("**", "** and 5 others"),
    ("tel:", " 2024 was"),
    ("<", ">. "),
]


@pytest.mark.parametrize(("token", "spelled"), [(token, each) for token, every in SPELLINGS.items() for each in every])
def test_a_models_spelling_comes_back_at_any_cut_in_text_and_json(token: str, spelled: str) -> None:
    value = dict(zip(SPELLINGS, OWN, strict=True))[token]
    for before, after in AROUND:
        assert everywhere(VAULT, f"{before}{spelled}{after}") == f"{before}{value}{after}"
    assert everywhere(VAULT, f'{{"k": "\\n{spelled}", "u": 5}}', JSON) == f'{{"k": "\\n{value}", "u": 5}}'
    assert everywhere(VAULT, f"{spelled} {fours(AUSTRIAN)} {fours(CARD)}").startswith(
        f"{value} AT611904300234573201 5500"
    )


def test_a_number_with_its_country_is_ours_whatever_number_stands_before_it() -> None:
    assert everywhere(VAULT, "room 5 +1 202 555 0100, 3 2025550100") == "room 5 +49 171 1234567, 3 2025550100"


@pytest.mark.parametrize(
    ("text", "ambiguous"),
    [
        ("+49 202 555 0100, 0049 (202) 555-0100, (0049) 202-555-0100", 3),
        ("+49-202-555-0100 12025550100x 202-555-01000 1202-555-0100x", 0),
        ("(202) 555-0101 +1 212 555 0100 555-0100", 0),
        ("4111 1100 0000 0024 and 4111 1100 0000 00166", 0),
        ("DE10 0000 0000 0000 0000 01 XDE09 0000 0000 0000 0000 01", 0),
        ("USER0002@EXAMPLE.COM XUSER0001@EXAMPLE.COM USER0001@EXAMPLE.COMPANY USER0001@EXAMPLE.COM.AU", 0),
        (f"{ADDRESS.upper()}1 {ADDRESS}:2", 0),
    ],
)
def test_what_may_be_anothers_stays_and_is_counted_if_it_could_be_ours(text: str, ambiguous: int) -> None:
    assert everywhere(VAULT, text) == text
    restorer = Restorer(VAULT)
    stream(restorer, [text])
    assert (restorer.ambiguous, dict(restorer.restored)) == (ambiguous, {})


@pytest.mark.parametrize(
    ("entity", "typed"),
    [
        ("EMAIL_ADDRESS", "USER0001@EXAMPLE.COM"),
        ("PHONE_NUMBER", "(202) 555-0100"),
        ("PHONE_NUMBER", "+49 202 555 0100"),
        ("CREDIT_CARD", fours(CARD)),
        ("IBAN_CODE", f"{fours(GERMAN).lower()} 5"),
    ],
)
def test_what_the_request_holds_in_any_spelling_stands_for_nobody_else(entity: str, typed: str) -> None:
    value = next(value for value, kind in OWN.items() if kind == entity)
    texts, result = redacted([f"{value} is not {typed}"], {value: entity}, style=LIFELIKE)
    token = texts[0].split(" is not ")[0]
    assert core(token)[0] not in {core(each)[0] for each in SPELLINGS}
    assert everywhere(result.vault, f"{token}, {typed}") == f"{value}, {typed}"


PIECES = st.sampled_from(
    [
        *(each for every in SPELLINGS.values() for each in every),
        *(
            " ",
            "",
            "-",
            "(",
            ")",
            "+",
            "1",
            "4111",
            " 11",
            "00 00",
            "AT",
            "u",
            "<PERSON_1>",
            ". ",
            "https://x.example/?q=",
        ),
    ]
)
CUTS = st.lists(st.integers(0, 200), max_size=12)


@given(st.lists(PIECES, max_size=8).map("".join), CUTS, st.sampled_from([TEXT, JSON]))
def test_spellings_run_together_read_the_same_at_any_cut(text: str, edges: list[int], channel: Channel) -> None:
    whole = Restorer(VAULT)
    expected = stream(whole, [text], channel)
    places = sorted({0, len(text), *(edge for edge in edges if edge < len(text))})
    for pieces in (list(text), [text[start:end] for start, end in pairwise(places)]):
        restorer = Restorer(VAULT)
        assert stream(restorer, pieces, channel) == expected
        assert counts(restorer) == counts(whole)


def test_a_spelling_that_adjoins_a_value_is_the_callers_own_too() -> None:
    text = "Bob@x.comUSER0001@EXAMPLE.COM bob@x.com"
    texts, result = redacted([text], {"Bob@x.com": "EMAIL_ADDRESS", "bob@x.com": "EMAIL_ADDRESS"}, style=LIFELIKE)
    assert texts == ["<EMAIL_ADDRESS_1>USER0001@EXAMPLE.COM user0003@example.com"]
    assert everywhere(result.vault, texts[0]) == text


def test_the_end_of_a_name_is_no_beginning_of_a_number() -> None:
    _, result = redacted(
        ["Anna, +49 171 1234567"], {"Anna": "PERSON", "+49 171 1234567": "PHONE_NUMBER"}, style=LIFELIKE
    )
    assert everywhere(result.vault, "PERSON_1 <PERSON_1, 202.555.0100 x") == "Anna Anna, +49 171 1234567 x"


def test_only_what_may_become_one_is_held_back() -> None:
    restorer = Restorer(VAULT)
    assert restorer.feed(TEXT, "call (202) 55") == "call "
    assert restorer.feed(TEXT, "7, or DE09 0000 00") == "(202) 557, or "
    assert restorer.feed(TEXT, "00 0000 0000 01") == ""
    assert restorer.feed(TEXT, " today.") == "DE89 3704 0044 0532 0130 00 today."
    assert len("00000000000000000000 " * 9) - len(restorer.feed(TEXT, "00000000000000000000 " * 9)) <= VAULT.longest
