"""Tables: what the heading says holds for every row, not only for the first ones."""

from __future__ import annotations

import pytest

from sidecar.inspection import columns
from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.segments import joined, segments
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings())
ROWS = 40
VALUES = {
    "bsn": ("NL_BSN", "123456782"),
    "bsnnummer": ("NL_BSN", "123456782"),
    "ssn": ("US_SSN", "219539123"),
    "socialSecurityNumber": ("US_SSN", "219539123"),
    "nhs_number": ("UK_NHS", "9434765919"),
    "nip": ("PL_NIP", "5261040828"),
    "PESEL": ("PL_PESEL", "85031212343"),
    "nif": ("PT_NIF", "245678905"),
    "cpr": ("DK_CPR", "1203851231"),
    "account_number": ("UK_BANK_ACCOUNT", "31926819"),
    "passport_number": ("US_PASSPORT", "483920175"),
    "driver_license": ("US_DRIVER_LICENSE", "D1234567"),
    "Kontonummer": ("DE_BANK_ACCOUNT", "453201300"),
    "Steuernummer": ("DE_TAX_NUMBER", "59316/21564"),
    "PLZ": ("DE_PLZ", "72622"),
    "kenteken": ("NL_LICENSE_PLATE", "12-ABC-3"),
    "imei": ("IMEI", "356938035643809"),
    "vin": ("VIN", "WVWZZZ1KZAW123456"),
    "Telefon": ("PHONE_NUMBER", "070229034512"),
    "date_of_birth": ("DATE_OF_BIRTH", "12.03.1985"),
    "Geb.-Datum": ("DATE_OF_BIRTH", "1985-03-12"),
    "fecha_nacimiento": ("DATE_OF_BIRTH", "12/03/1985"),
    "cvv": ("CARD_SECURITY_CODE", "123"),
}


def table(heading: str, value: str, mark: str) -> str:
    lines = [f"id,name,city,{heading},status,amount"]
    lines += [f"{1000 + row},Anna,Ulm,{value},active,12.5" for row in range(ROWS)]
    text = "\n".join(lines)
    if mark == "insert":
        rows = ",\n".join(f"({1000 + row}, 'Boer, Anna', '{value}', NULL)" for row in range(ROWS))
        return f"INSERT INTO `people` (`id`, `name`, `{heading}`, `note`) VALUES\n{rows};"
    if mark == "create":
        rows = ",".join(f"({1000 + row},'Boer, Anna','{value}',NULL)" for row in range(ROWS))
        made = f"CREATE TABLE `p` (`id` int(11) NOT NULL, `name` text, `{heading}` varchar(40), note text, KEY k (id))"
        return f"{made}; INSERT INTO `p` VALUES {rows};"
    if mark == "html":
        cells = "".join(f"\n  <th>{name}</th>" for name in ("id", "name", heading, "note"))
        rows = "".join(
            f"<tr><td>{1000 + row}</td>\n<td>Boer, Anna</td>\n  <td class='x'>\n    <b>{value}</b></td><td></td></tr>"
            for row in range(ROWS)
        )
        return f"<table><thead><tr>{cells}</tr></thead>{rows}</table>"
    if mark == "copy":
        rows = "\n".join(f"{1000 + row}\tBoer, Anna\t{value}\t\\N" for row in range(ROWS))
        return f"COPY public.people (id, name, {heading}, note) FROM stdin;\n{rows}\n\\.\n"
    if mark == "psql":
        rows = "\n".join(f" {1000 + row} | Anna | {value:>16} | active" for row in range(ROWS))
        return f"  id  | name | {heading:^16} | status\n------+------+------------------+-------\n{rows}\n"
    if mark == "blanks":
        rows = "\n".join(f"{1000 + row}    Anna Boer    {value:<20}  active" for row in range(ROWS))
        return f"id      name         {heading:<20}  status\n{rows}\n"
    if mark == "markdown":
        lines.insert(1, ",".join(["---"] * 6))
        return "\n".join(f"| {line.replace(',', ' | ')} |" for line in lines)
    return text.replace(",", mark)


TABLES = [",", ";", "\t", "|", "markdown", "psql", "blanks", "html"]
STATEMENTS = ["insert", "copy", "create"]
"""Their columns have names of SQL."""


@pytest.mark.parametrize(
    ("heading", "mark"),
    [
        (heading, mark)
        for heading in VALUES
        for mark in (TABLES + STATEMENTS if heading.replace("_", "").isalpha() else TABLES)
    ],
)
def test_every_row_of_a_column_is_found(heading: str, mark: str) -> None:
    entity, value = VALUES[heading]
    text = table(heading, value, mark)
    found = [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]
    assert found == [(entity, value)] * ROWS


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "markdown", "psql", "insert", "copy"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_long_table_keeps_its_heading_in_every_piece(mark: str, ends: str) -> None:
    head, *rows = table("bsn", "123456782", mark).rstrip().split("\n")
    tail = [rows.pop()] if mark == "copy" else []
    text = ends.join(["See below.", "", head, *rows[:1], *rows[1:-1] * 20, rows[-1], *tail])
    pieces = segments(text)
    assert len(pieces) > 5
    spans = joined([(piece, ENGINE.find(piece.window(text))) for piece in pieces])
    assert {text[span.start : span.end] for span in spans} == {"123456782"}
    assert len(spans) == text.count("123456782")


def test_a_piece_behind_a_table_has_no_heading() -> None:
    rows = "".join(f"{1000 + row},123456782\n" for row in range(2000))
    pieces = segments(f"id,bsn\n{rows}\n" + "Some words, and others.\n" * 400)
    assert {piece.head for piece in pieces if 0 < piece.start < len(rows)} == {"id,bsn\n"}
    assert {piece.head for piece in pieces if piece.start > len(rows) + 8}.isdisjoint({"id,bsn\n"})
    assert segments(rows)[-1].head == ""


FAR = "Nothing is said of any of the figures in this line, long enough to part what comes from what went before.\n"


@pytest.mark.parametrize(
    "text",
    [
        "order_number,ean,total\n" + "4500123789,123456782,12.50\n" * 5,
        "| Artikel | Menge | Datum |\n|---|---|---|\n" + "| 123456782 | 12 | 12.03.1985 |\n" * 5,
        "date_of_birth,created\n" + ",2026-03-12\n" * 5,
        "Hello, your bsn is missing, thanks.\n" + FAR + "a, 123456782, y\n",
        "bsn,id\n\n" + FAR + "id,code\n" + "1,123456782\n" * 5,
        "    def f(bsn, count):\n" + FAR + "    g(a, 123456782)\n",
        "id,bsn,note\n" + FAR + "1,,see 123456782 and others\n",
    ],
)
def test_other_columns_and_what_is_no_heading_say_nothing(text: str) -> None:
    assert ENGINE.find(text) == []


def test_the_heading_decides_between_types_of_one_shape() -> None:
    rows = "\n".join("1,123456782,0612345678" for _ in range(20))
    text = f"id,bsn,telefoon\n{rows}"
    assert {(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)} == {
        ("NL_BSN", "123456782"), ("PHONE_NUMBER", "0612345678"),
    }  # fmt: skip


def test_a_mistyped_number_below_its_heading_in_strict_mode() -> None:
    text = "id,name,bsn\n" + "1,Anna Maria van der Boer-Jansen Smit,123456789\n" * 10
    assert len(Engine(Settings(mode=Mode.STRICT)).find(text)) == 10
    assert ENGINE.find(text) == []


@pytest.mark.parametrize(
    "unit",
    [
        "bsn,dob\n", "dob,x\n1985-03-12,2\n", "bsn,123456782,\n", "bsn  dob\n123456782  1985-03-12\n", '"bsn,',
        "|bsn|\n|123456782|\n", "insert into t (bsn) values ('123456782'),", "insert into t (bsn,dob) values (",
        "COPY t (bsn) FROM stdin;\n", "cvv,cvc\n123,456\n", "bsn,id\n" + "123456782,1\n" * 5,
    ],
)  # fmt: skip
def test_cost_is_linear_in_tables(unit: str) -> None:
    assert_linear(ENGINE, unit)


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><th>Login</th><th>Passwort</th></tr><tr><td>a</td><td>Sommer2019!</td></tr></table>",
        "CREATE TABLE u (login text, password varchar(60));\nINSERT INTO u VALUES ('a', 'Sommer2019!');",
    ],
)
def test_passwords_in_columns_named_elsewhere(text: str) -> None:
    assert [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)] == [("PASSWORD", "Sommer2019!")]


def test_the_rows_of_another_html_table_are_not_below_the_heading() -> None:
    first = "<table><tr><th>Date of birth</th></tr><tr><td>12.03.1985</td></tr></table>"
    text = f"{first}{'<p>x</p>' * 10}<table><tr><td>Delivered</td></tr><tr><td>14.05.2024</td></tr></table>"
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == ["12.03.1985"]


@pytest.mark.parametrize("unit", ["<td>12.03.1985</td>", "<tr><th>dob</th>", "CREATE TABLE t (dob date); "])
def test_tables_cost_in_step_with_the_text(unit: str) -> None:
    assert_linear(ENGINE, f"{unit}INSERT INTO t VALUES (1, 'dob 12.03.1985');")


def test_no_line_is_read_as_a_heading_where_no_number_begins_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """In prose with commas it would be every line, twice."""
    read: list[str] = []
    cells = columns.cells
    monkeypatch.setattr(columns, "cells", lambda line: read.append(line) or cells(line))
    ENGINE.find("Well, my phone, the old one, rings\nand says 030 1234567 or so, with\nthe BSN 123456782 behind\n" * 9)
    assert read == []
    assert ENGINE.find("name,phone\nAnna,030 1234567\n")
    assert set(read) == {"name,phone"}
