"""Names that the leaf withholds are found where the data key is at hand, in every list and every total."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.cli import main
from sidecar.console import opened as room
from sidecar.console.opened import opened
from sidecar.console.query import not_covered, query, tail
from sidecar.drivers.store_query import Filters
from sidecar.drivers.store_reader import Reader
from sidecar.model import Asserted
from tests.ledger.factory import DENY, exchange_id, make_intent, make_outcome, start

OURS, PROMPT, SERVED, PLAIN = "Anna Smith's model", "Anna Smith's prompt", "Served for Anna", "gpt-plain"
EXCHANGES = 9
ASKED: list[tuple[dict[str, Any], list[int]]] = [
    ({"model": OURS}, [8, 7, 1]),
    ({"model": "anna smith*"}, [8, 7, 1]),
    ({"model": "Anna Smith"}, []),
    ({"model": SERVED}, [3]),
    ({"model": PLAIN}, [2]),
    ({"prompt": PROMPT}, [7, 4]),
    ({"prompt": f"{PROMPT}*"}, []),
    ({"model": OURS, "prompt": PROMPT}, [7]),
    ({"model": OURS, "verdict": "deny"}, [8]),
    ({"model": OURS, "caller": "nobody"}, []),
    ({"model": "*"}, [8, 7, 6, 5, 4, 3, 2, 1, 0]),
]


async def write(folder: Path) -> None:
    """The seventh withholds both names; the ninth has no outcome."""
    named = {1: {"model_requested": OURS}, 2: {"model_requested": PLAIN}, 7: {"model_requested": OURS}}
    async with await start(folder) as ledger:
        for number in range(EXCHANGES):
            facts: dict[str, Any] = dict(named.get(number, {}))
            if number in (4, 7):
                facts |= {"asserted": Asserted(), "prompt_name": PROMPT}
            if number == 8:
                facts = {"model_requested": OURS, "decision": DENY}
            await ledger.open(make_intent(number, **facts))
            reply = replace(make_outcome().reply, model_served=SERVED if number == 3 else "gpt-served")
            if number < 8:
                await ledger.close(make_outcome(number, reply=reply))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("opened") / "state"
    asyncio.run(write(path))
    return path


def numbers(ids: list[str]) -> list[int]:
    return [int(each[4:], 16) for each in ids]


@pytest.mark.parametrize(("filters", "expected"), ASKED)
def test_they_are_found(folder: Path, filters: dict[str, Any], expected: list[int]) -> None:
    with Reader.open(folder) as reader:
        asked, said = opened(reader, Filters(**filters))
        page = query(reader, asked)
        assert numbers([row.id for row in page.rows]) == expected
        assert page.total == len(expected) == sum(page.verdicts.values())
        assert said == not_covered(reader, asked) == []
        followed = tail(reader, 0, Filters(**filters)).rows
        assert numbers([row.id for row in followed]) == expected[::-1]


@pytest.mark.parametrize("size", [["--limit", "2"], []])
def test_every_form_of_the_list_has_them(folder: Path, size: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def said(*flags: str) -> str:
        assert main(["audit", "query", "--state", str(folder), "--model", OURS, *size, *flags]) == 0
        return capsys.readouterr().out

    expected = [8, 7, 1][: 2 if size else 3]
    assert numbers([orjson.loads(line)["id"] for line in said("--json").splitlines()]) == expected
    assert numbers([line["id"] for line in csv.DictReader(io.StringIO(said("--csv")))]) == expected
    shown = said()
    assert all(exchange_id(number) in shown for number in expected) and "3 exchanges" in shown


def test_without_the_key_it_is_said_that_there_may_be_more(folder: Path) -> None:
    with Reader.open(folder, disclosures=False) as reader:
        asked, said = opened(reader, Filters(model=OURS))
        assert (query(reader, asked).total, said) == (0, [])
        assert not_covered(reader, asked) == [
            "3 of 9 exchanges name the model that was asked for in their record only, or none: data.key opens it"
        ]


def test_what_was_erased_is_found_no_more(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as connection:
        intent = "SELECT intent_number FROM exchange WHERE id = ?"
        for table in ("box", "datakey"):
            connection.execute(f"DELETE FROM {table} WHERE number = ({intent})", (exchange_id(7),))
    with Reader.open(copy) as reader:
        asked, said = opened(reader, Filters(model=OURS))
        assert numbers([row.id for row in query(reader, asked).rows]) == [8, 1]
        assert said == ["1 exchanges had a model name in their record only, and were erased or are damaged"]


def test_only_so_many_are_opened_the_newest_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 2)
    told: list[tuple[int, int]] = []
    with Reader.open(folder) as reader:
        asked, said = opened(reader, Filters(model=OURS), lambda done, size: told.append((done, size)))
        assert numbers([row.id for row in query(reader, asked).rows]) == [8, 7]
    assert len(said) == 1 and said[0].startswith("2 older exchanges have a model name in their record only")
    assert told == [(0, 2)]


def test_no_record_is_opened_that_withholds_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    with Reader.open(folder) as reader:
        record_at = reader.record_at
        monkeypatch.setattr(reader, "record_at", lambda *entries: read.append(entries[0]) or record_at(*entries))
        opened(reader, Filters(prompt=PROMPT))
        opened(reader, Filters(verdict="deny"))
    assert len(read) == 2
