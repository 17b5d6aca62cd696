"""libphonenumber's own example numbers; and the cost of length."""

from __future__ import annotations

import warnings

import pytest

from sidecar.inspection.catalogue import COUNTRIES, Settings
from sidecar.inspection.engine import Engine
from tests.inspection.cost import assert_linear, cost

ENGINE = Engine(Settings())


def covered(text: str, value: str) -> bool:
    start = text.index(value)
    return any(span.start <= start and span.end >= start + len(value) for span in ENGINE.find(text))


def test_example_numbers_of_every_country_with_a_plus() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import phonenumbers
    styles = (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    total, missed = 0, []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            for style in styles if example else ():
                value = phonenumbers.format_number(example, style)
                total += 1
                if not covered(f"Hello, it is {value}.", value):
                    missed.append(value)
    assert total > 800
    assert len(missed) / total <= 0.01, missed


def test_example_numbers_as_they_are_written_at_home() -> None:
    import phonenumbers

    total, missed = 0, []
    for region in map(str.upper, COUNTRIES):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            value = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
            total += 1
            if not covered(f"Tel. {value}, thank you", value):
                missed.append((region, value))
    assert len(missed) / total <= 0.05, missed


@pytest.mark.parametrize("value", ["06.12306647", "0664.195875", "612.35.68.17", "512.343.738", "01 42 68 53.00"])
def test_numbers_written_with_dots_beside_a_word_that_says_so(value: str) -> None:
    assert covered(f"tel. {value}", value)
    assert covered(f'{{"phone": "{value}"}}', value)


@pytest.mark.parametrize(
    "text",
    [
        "Umsatz 512.343.738 EUR",
        "version 10.20.30.40",
        "0.12306647",
        "call it 512343.738",
        "ratio 6.12306647",
        "Date:   Sun Apr 3 09:22:14 2022 -0700",
        "rtmpdump 2.4+20151223",
        "MAN-RECODE 1 2023-01-08 2.11.2",
        "Copyright 2011-2012 Free Software",
        "Temperatures: 12 14 15 18 21 22 23 24 25",
    ],
)
def test_figures_with_dots_are_no_numbers_to_call(text: str) -> None:
    assert [span for span in ENGINE.find(text) if span.entity == "PHONE_NUMBER"] == []


DENSE = (
    "mail a.b@corp.example tel +49 30 901820 ssn 219-09-9999 ip 10.1.2.3 "
    "card 4111111111111111 iban DE89370400440532013000 "
)
PROSE = "The quick brown fox, who had been to three meetings in 2024, wrote a long report on the matter. "
NASTY = {
    "dense": DENSE,
    "prose": PROSE,
    "digits": "1234567890 ",
    "one digit run": "1",
    "dots and digits": "1.",
    "at signs": "a@",
    "colons": "a:b:",
    "key words": "-----begin ey password token key secret ",
    "begins of keys": "-----BEGIN RSA PRIVATE KEY-----\n",
    "one long word": "x",
    "percent": "%41",
    "escapes": "\\x41",
    "Markdown": "1\\-",
    "forms": "a+1&a=",
    "one long field": "+1a",
    "fields without end": "&a=" + "+aB" * 99,
    "queries": "?a=1+",
    "quoted-printable": "=41",
    "quoted letters": "=C3=BC ",
    "broken lines": "a b=\n",
    "words of a header": "=?utf-8?q?=41_?= ",
    "words in base64": "=?utf-8?b?QUFB?=\n",
    "begins of words": "=?utf-8?q?",
    "keycaps": "1\ufe0f\u20e3",
    "marks": "\u0336",
    "a letter and its marks": "u" + "\u0308" * 99,
    "zero width": "a\u200b",
    "curl": "curl ",
    "headers": "authorization: bearer ",
    "mysql": "mysql -u ",
    "key heads": "sk-proj-",
    "homes": "/home/ab",
    "hyphens": "12-",
    "brackets": "(1",
    "streets": "12 Main Street ",
    "towns": "Aa 12 12345 Berlin Berlin A",
    "streets of": "Straße der Aa 1/2 A 5 /Top 5 ",
    "births": "born 12 mar mar am 1.1.1985 a geboren ",
    "signs of birth": "* 1* 1 s. 1f. 1b. 1 ",
    "ages": "son Max Max 5 year old age 1yo five year-old ",
    "phones in a row": "0171 1234567 ",
    "a row of phones": "0123456789,",
    "rows under a heading": 'phone,"a"\n' + '"0123456789",' * 30 + "\n",
    "headings": "phone,tel\n1234567890\n",
}


@pytest.mark.parametrize("kind", NASTY)
def test_twice_the_text_costs_about_twice_the_time(kind: str) -> None:
    assert_linear(ENGINE, NASTY[kind])


def test_a_number_of_years_costs_little_more_than_one_of_anything_else() -> None:
    """Each was looked at for a hundred words without regard to case: 8 times the cost of other words."""
    years, pears = (min(cost(ENGINE, unit * 1024) for _ in range(3)) for unit in ("5 years ", "5 pears "))
    assert years < 5 * pears, (years, pears)
