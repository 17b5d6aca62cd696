"""Where phone numbers stand: in columns, right behind a label, one after another; and what looks like them there."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine

ENGINE, STRICT = Engine(Settings()), Engine(Settings(mode=Mode.STRICT))


def phones(text: str, engine: Engine = ENGINE) -> list[str]:
    return [text[span.start : span.end] for span in engine.find(text) if span.entity == "PHONE_NUMBER"]


PLACES = [
    ("id,name,phone,city\n1,Anna Schmidt,0171 1234567,Ulm\n2,John Doe,415-555-2671,Boston\n",
     ["0171 1234567", "415-555-2671"]),
    ("id,phone,amount\n1,06 12 34 56 78,100\n2,06 98 76 54 32,250", ["06 12 34 56 78", "06 98 76 54 32"]),
    ("(1,0171 1234567,70173)", ["0171 1234567"]),
    ("7,Anna Schmidt,0711/123456,anna@firma.example", ["0711/123456"]),
    ("1,415-555-2671,10001", ["415-555-2671"]),
    ("12,612 345 678,28013", ["612 345 678"]),
    ("Rufnummern: 0171-1234567,0172-7654321 oder 030 901820", ["0171-1234567", "0172-7654321", "030 901820"]),
    ("Tel:0171/1234567", ["0171/1234567"]),
    ("phone:415-555-2671", ["415-555-2671"]),
    ("T:020 7946 0958", ["020 7946 0958"]),
    ("Mobil:0171-1234567", ["0171-1234567"]),
    ("gsm:0475 12 34 56", ["0475 12 34 56"]),
    ("tel.0612345678", ["0612345678"]),
    ("Tel.-Nr.0171 1234567", ["0171 1234567"]),
    ("Tel/0171-1234567", ["0171-1234567"]),
    ("{phone:0612345678}", ["0612345678"]),
    ("gsm 0475/12.34.56", ["0475/12.34.56"]),
    ("u kan mij bereiken op 02/123.45.67 na 18u", ["02/123.45.67"]),
    ("Notez le 09/123.45.67 svp", ["09/123.45.67"]),
    ("Tel. 347.1234567", ["347.1234567"]),
    ("il mio numero è 347.1234567", ["347.1234567"]),
    ("Mein Anschluss: 0171 / 123 45 67, danke", ["0171 / 123 45 67"]),
    ("Büro 089 / 1234 5678", ["089 / 1234 5678"]),
    ("Rufen Sie bitte zurück: 01711234567", ["01711234567"]),
    ("Sie erreichen mich unter 01711234567 ab 18 Uhr.", ["01711234567"]),
    ("Handynr 01711234567 danke", ["01711234567"]),
    ("mob 07400123456", ["07400123456"]),
    ("tlm 912345678", ["912345678"]),
    ("kom. 601234567", ["601234567"]),
    ("mon portable 0612345678", ["0612345678"]),
    ("mon portable est le 0612345678", ["0612345678"]),
    ("rappelez-moi au 0612345678 svp", ["0612345678"]),
    ("Puede llamarme al 612.345.678 por la tarde.", ["612.345.678"]),
    ("recapito: 3471234567", ["3471234567"]),
    ("du når mig på 0701234567 efter kl 18", ["0701234567"]),
    ("numeroni on 0401234567", ["0401234567"]),
    ("Tel: 0171 1234567 030 1234567", ["0171 1234567", "030 1234567"]),
    ("0171 1234567 030 1234567 0711 1234567", ["0171 1234567", "030 1234567", "0711 1234567"]),
    ("Tél. 01 42 68 05 06 06 12 34 56 78", ["01 42 68 05 06", "06 12 34 56 78"]),
    ("415-555-2671 415-555-2672", ["415-555-2671", "415-555-2672"]),
    ("Fragen zur Rechnung: 0171 1234567", ["0171 1234567"]),
    ("Orders: 0800 1234567", ["0800 1234567"]),
    ("Invoice 12, phone 2012-3456", ["2012-3456"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), PLACES)
def test_numbers_are_found_whole_where_they_stand(text: str, numbers: list[str]) -> None:
    assert phones(text) == numbers


FILLER = "".join(f"{at},Person {at},Ort {at},x\n" for at in range(12))
HEADED = [
    (f"id,name,city,Telefon\n{FILLER}99,Anna,Ulm,01711234567\n", ["01711234567"]),
    (f"Hier, bitte, die Liste:\nid,name,city,mobile_no\n{FILLER}99,Anna,Ulm,601234567\n", ["601234567"]),
    (f"{FILLER}\nid;tel;plz\n{FILLER.replace(',', ';')}1;347.1234567;70173", ["347.1234567"]),
    (f'"name, first","phone","zip"\n{FILLER}"Schmidt, Anna","601234567","70173"', ["601234567"]),
    (f"| Name | Handy | PLZ |\n|---|---|---|\n{FILLER}| Anna | 01711234567 | 70173 |", ["01711234567"]),
    (f"gsm\tnaam\n{FILLER}0475123456\tAn\n", ["0475123456"]),
]


@pytest.mark.parametrize(("text", "numbers"), HEADED)
def test_a_heading_speaks_for_its_column_far_below(text: str, numbers: list[str]) -> None:
    assert phones(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        f"id,name,phone,total\n{FILLER}99,Anna,,601234567\n",
        f"id,name,city,phone\n{FILLER}\n\nid,name,city,total\n{FILLER}99,Anna,Ulm,601234567\n",
        f"id,name,city,phone 0171 1234567\n{FILLER}99,Anna,Ulm,601234567\n",
        f"phone\n{'x' * 500},601234567",
    ],
)
def test_of_another_column_and_another_table_it_says_nothing(text: str) -> None:
    assert "601234567" not in phones(text)


OTHERS = [
    "Rechnung Nr. 2024-0815",
    "Bestellung 2024-000123",
    "Ticket 2024-1234 is still open",
    "Ticket 2024 1234",
    "Unser Zeichen 2024-0815, Ihr Schreiben vom Mai",
    "Order number 415-555-2671",
    "Auftragsnummer 0171-1234567",
    "Aktenzeichen 0123-456789",
    "Case No. 2024-12345",
    "facture n° 2024-00123",
    "commande nº 45 67 89 12",
    "Pedido nº 2024/00123",
    "Fattura n. 2024/0012",
    "ordine 347 1234567",
    "Bestelling 2024.00123",
    "factuur 20-12-34-56",
    "ISBN 0-306-40615-2",
    "Der Kurs liegt bei 1,08761234 heute",
    "Preis 1,20 12 34 56 Euro",
    "1,0171 1234567 und mehr",
    "1,234,567,890",
    "(48.775846,9.182932)",
    "2024-01-05T12:30:45,123456789",
    "id,date,amount\n1,2024-01-05 10:30,12",
    "range 10-20,30-40,50-60",
    "nginx:1.25.3-20240101",
    "-d con:30/10/600/150",
    "urn:oid:1.2.840.113549",
    "urn:isbn:0-306-40615-2",
    "CVE-2024-1234567 and RFC-1234567",
    "SKU-415-555-2671",
    "img.0171-1234567.png",
    "Seite 02 / 2024 1234",
    "ratio 342.1234567",
    "01 02 03 04 05 06 07 08 09 10",
    "c -1.644531 0 -1.355469 3 -3 v -8",
    "v 4 h 2 v -4 c 0 -1.117188 0.882812",
    "portable document 1234567890",
]


@pytest.mark.parametrize("text", OTHERS)
def test_numbers_of_other_things_are_none_to_call(text: str) -> None:
    assert phones(text) == []


@pytest.mark.parametrize("text", ["Rechnung Nr. 2024-0815", "Bestellung 2024-000123", "Ticket 2024-1234"])
def test_not_even_in_strict_mode(text: str) -> None:
    assert phones(text, STRICT) == []


@pytest.mark.parametrize(
    "text",
    [
        "Összesen 569 137 826 Ft",
        "235 921 496 euros de recettes",
        "Chrome version 126.0.7452.67",
        "art. 84-8892-1223",
        "n = 62 (1565/92720)",
        "between 01 10 2006 and 2007",
        "0/83 3/29 208 377",
    ],
)
def test_sums_versions_shares_and_days_are_no_phone_numbers(text: str) -> None:
    assert not any(span.entity == "PHONE_NUMBER" for span in Engine(Settings()).find(text))


def test_digits_alone_right_behind_a_word_for_phones_are_one_in_any_country() -> None:
    assert [span.entity for span in Engine(Settings()).find("Tel. 6912345678")] == ["PHONE_NUMBER"]
    assert Engine(Settings()).find("call 6912345678 handlers") == []
