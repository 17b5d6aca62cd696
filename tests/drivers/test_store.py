"""The ledger behind ports.Record: durable when it returns, in order, once each, and never quietly broken."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers import store as store_module
from sidecar.drivers import store_commits, store_sql
from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.store import Ledger
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_tables import ddl
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import open_checkpoint, peek_checkpoint, verify_receipt
from sidecar.ledger.entries import parse
from sidecar.ledger.facts import State
from sidecar.ledger.note import Verifier
from sidecar.ledger.record import ERASED, SEALED
from sidecar.ledger.report import VERIFIED, VERIFIED_EXCEPT
from sidecar.model import Caller, Uninspectable
from sidecar.testing import FakeClock, FakeEntropy
from tests.ledger.factory import DENY, POLICY, exchange_id, make_intent, make_outcome, start


def leaves(folder: Path) -> list[dict[str, Any]]:
    with Reader.open(folder) as reader:
        return [parse(body) for body in reader.bodies(0, reader.size())]


def code_of(fault: pytest.ExceptionInfo[OwnError]) -> str:
    return fault.value.code


def test_the_schema_is_what_sqlmodel_says() -> None:
    def squeeze(statement: str) -> str:
        return "".join(statement.split())

    assert sorted(map(squeeze, store_sql.SCHEMA)) == sorted(map(squeeze, ddl()))


async def test_an_exchange_is_two_entries_and_durable_when_open_returns(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        await ledger.policy_loaded(POLICY, "start")
        await ledger.open(make_intent(1))
        with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as other:  # another connection already sees it
            assert other.execute("SELECT state FROM exchange").fetchall() == [("open",)]
        signed = open_checkpoint(ledger.checkpoint.encode(), Verifier.parse(ledger.vkey))
        assert signed.size == ledger.size == 4
        async with asyncio.timeout(5):
            while (tmp_path / "checkpoint").read_text() != ledger.checkpoint:
                await asyncio.sleep(0.001)  # the file follows the answer
        await ledger.close(make_outcome(1))
        assert ledger.pending == 0
    types = [leaf["typ"] for leaf in leaves(tmp_path)]
    assert types == ["log.open", "heartbeat", "policy.load", "intent", "outcome", "heartbeat"]
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_nothing_of_a_person_is_in_a_leaf_or_readable_in_the_file(tmp_path: Path) -> None:
    secrets = ["zanzibar-user", "zanzibar-subject", "zanzibar-conv", "zanzibar-app", "zanzibar@person.example"]
    intent = make_intent(
        1,
        caller=Caller(tenant="zanzibar-tenant", app=secrets[3], user=secrets[0], auth="api_key"),
        asserted=replace(make_intent().asserted, subject=secrets[1], conversation=secrets[2]),
        model_requested=secrets[4],
        prompt_name="call +49 170 1234567 zanzibar",
    )
    async with await start(tmp_path) as ledger:
        await ledger.open(intent)
        await ledger.close(make_outcome(1, rationale="zanzibar said so"))
        wal = (tmp_path / "ledger.sqlite-wal").read_bytes()
    for data in (wal, (tmp_path / "ledger.sqlite").read_bytes()):
        assert b"zanzibar" not in data
        assert intent.request_sha256.hex().encode() not in data and intent.request_sha256 not in data
    leaf = leaves(tmp_path)[2]
    assert leaf["withheld"] == ["model_requested", "prompt_name"] and leaf["model_requested"] is None
    with Reader.open(tmp_path) as reader:
        record = reader.record(intent.id)
        assert record.disclosed["user"] == secrets[0] and record.disclosed["model_requested"] == secrets[4]
        assert record.reply_disclosed["rationale"] == "zanzibar said so"
        assert "zanzibar" not in repr(record)
    assert "zanzibar" not in repr(intent.caller)


async def test_without_the_data_key_disclosures_stay_sealed(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        await ledger.open(make_intent(1))
    with Reader.open(tmp_path, disclosures=False) as reader:
        record = reader.record(exchange_id(1))
    assert (record.disclosures, dict(record.disclosed), record.state) == (SEALED, {}, "open")


async def test_erasing_is_deleting_rows_and_saying_so(tmp_path: Path) -> None:
    """The format needs nothing new for it: rows and key go, the certificate is an entry, the tree still verifies."""
    async with await start(tmp_path) as ledger:
        for number in (1, 2):
            await ledger.open(make_intent(number))
            await ledger.close(make_outcome(number))
        certificate = store_module.entries.erasure(
            [exchange_id(1)], reason="art17", request_ref="r-1", backups_until=None
        )
        await ledger._append("erasure", certificate)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("DELETE FROM datakey WHERE number = 2")
        connection.execute("DELETE FROM box WHERE number = 2")
        refs = ", ".join(
            f"{name}_ref = NULL" for name in ("tenant", "app", "user", "subject", "conversation", "prompt")
        )
        connection.execute(f"UPDATE exchange SET {refs} WHERE intent_number = 2")
    half = verify_path(tmp_path)
    assert {failure.reason for failure in half.failures} == {"erasure-incomplete"}  # the outcome's box is still there
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM box WHERE number = 3")
    report = verify_path(tmp_path)
    assert (report.exit_code, report.erased) == (VERIFIED_EXCEPT, [exchange_id(1)]), report.as_text()
    with Reader.open(tmp_path) as reader:
        assert reader.record(exchange_id(1)).disclosures == ERASED


async def test_a_cancelled_wait_does_not_cancel_the_entry(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        task = asyncio.get_running_loop().create_task(ledger.open(make_intent(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ledger.close(make_outcome(1, state=State.ABORTED, aborted_by="client"))
    assert [leaf["typ"] for leaf in leaves(tmp_path)][2:4] == ["intent", "outcome"]
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_each_intent_has_one_outcome(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        with pytest.raises(OwnError) as fault:
            await ledger.close(make_outcome(1))
        assert code_of(fault) == "LEDGER_ORDER"
        await ledger.open(make_intent(1))
        with pytest.raises(OwnError) as fault:
            await ledger.open(make_intent(1))
        assert code_of(fault) == "LEDGER_ORDER"
        await ledger.close(make_outcome(1))
        with pytest.raises(OwnError) as fault:
            await ledger.close(make_outcome(1))
        assert code_of(fault) == "LEDGER_ORDER"


async def test_an_id_used_again_fails_alone_in_its_batch(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        await ledger.open(make_intent(1))
        await ledger.close(make_outcome(1))
        results = await asyncio.gather(
            *(ledger.open(make_intent(number)) for number in (2, 1, 3)), return_exceptions=True
        )
        assert [getattr(result, "code", result) for result in results] == [None, "LEDGER_ORDER", None]
        assert ledger.failed is None
        for number in (2, 3):
            await ledger.close(make_outcome(number))
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_many_at_once_are_committed_in_groups_in_the_order_of_the_calls(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        await asyncio.gather(*(ledger.open(make_intent(number)) for number in range(700)))
        await asyncio.gather(*(ledger.close(make_outcome(number)) for number in range(700)))
    ids = [leaf["id"] for leaf in leaves(tmp_path) if leaf["typ"] == "intent"]
    assert ids == [exchange_id(number) for number in range(700)]
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_a_second_writer_is_told_to_go_elsewhere(tmp_path: Path) -> None:
    async with await start(tmp_path):
        with pytest.raises(OwnError) as fault:
            await start(tmp_path)
        assert code_of(fault) == "LEDGER_LOCKED"
    async with await start(tmp_path):
        pass


async def crash(folder: Path, *, opened: int, finished: int) -> None:
    """Leave a store as a killed process does: no goodbye, intents without outcomes."""
    ledger = await start(folder)
    for number in range(opened):
        await ledger.open(make_intent(number))
    for number in range(finished):
        await ledger.close(make_outcome(number))
    await ledger.stop(clean=False)


async def test_a_restart_closes_what_a_crash_left_open(tmp_path: Path) -> None:
    await crash(tmp_path, opened=5, finished=2)
    assert verify_path(tmp_path).open == 3
    async with await start(tmp_path):
        pass
    closed = [leaf for leaf in leaves(tmp_path) if leaf["typ"] == "outcome"][2:]
    assert {leaf["id"] for leaf in closed} == {exchange_id(number) for number in (2, 3, 4)}
    assert {(leaf["state"], leaf["aborted_by"]) for leaf in closed} == {("aborted", "crash")}
    started = [leaf for leaf in leaves(tmp_path) if leaf["typ"] == "heartbeat" and leaf["event"] == "start"]
    assert [leaf["orphans"] for leaf in started] == [0, 3]
    report = verify_path(tmp_path)
    assert (report.exit_code, report.open) == (VERIFIED, 0)


async def test_time_never_goes_backwards_in_the_log(tmp_path: Path) -> None:
    async with await start(tmp_path, clock=FakeClock(1_900_000_000_000_000), entropy=FakeEntropy(1)) as ledger:
        await ledger.open(make_intent(1))
    async with await start(tmp_path, clock=FakeClock(1_000_000_000_000_000), entropy=FakeEntropy(2)):
        pass
    times = [leaf["t"] for leaf in leaves(tmp_path)]
    assert times == sorted(times) and times[0] >= 1_900_000_000_000_000
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_the_times_of_a_record_are_the_machines_and_the_log_still_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours ahead for one exchange, then right again: only `t`, which the tree's order needs, stays behind."""
    wall, begun = time.time_ns, time.time_ns() // 1000
    clock = SystemClock()
    async with await start(tmp_path, clock=clock) as ledger:
        for number, ahead_s in enumerate((0, 7200, 0, 0)):
            monkeypatch.setattr(time, "time_ns", lambda ahead_s=ahead_s: wall() + ahead_s * 10**9)
            await ledger.open(make_intent(number, at=clock.now()))
            await ledger.close(make_outcome(number, at=clock.now()))
        await ledger.open(make_intent(9, at=clock.now()))
        await ledger.stop(clean=False)
    async with await start(tmp_path, clock=clock):  # closes the open one
        pass
    found = leaves(tmp_path)
    minutes = [round((leaf["at"] - begun) / 6e7) for leaf in found if "at" in leaf]
    assert minutes == [0, 0, 120, 120, 0, 0, 0, 0, 0, 0]
    assert [leaf["t"] for leaf in found] == sorted(leaf["t"] for leaf in found)
    assert verify_path(tmp_path).exit_code == VERIFIED


class SlowDisk:
    """A connection whose commits take as long as the test says."""

    def __init__(self, path: Path) -> None:
        self.connection = store_sql.STDLIB.connect(path)
        self.pause = 0.0
        self.commits = 0

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        if sql == "COMMIT":
            self.commits += 1
            time.sleep(self.pause)
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self.connection.executemany(sql, rows)

    def close(self) -> None:
        self.connection.close()


async def slow_ledger(folder: Path) -> tuple[Ledger, SlowDisk]:
    disks: list[SlowDisk] = []

    def connect(path: Path) -> SlowDisk:
        disks.append(SlowDisk(path))
        return disks[-1]

    return await start(folder, engine=store_sql.Engine(connect)), disks[0]


async def test_a_commit_that_takes_too_long_refuses_and_is_closed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_commits, "DEADLINE", 0.2)
    ledger, disk = await slow_ledger(tmp_path)
    disk.pause = 0.8
    began = time.monotonic()
    with pytest.raises(OwnError) as fault:
        await ledger.open(make_intent(1))
    assert code_of(fault) == "LEDGER_UNAVAILABLE" and 0.15 < time.monotonic() - began < 0.7
    with pytest.raises(OwnError) as fault:  # while the disk hangs, nobody else waits for it
        await ledger.open(make_intent(2))
    assert code_of(fault) == "LEDGER_UNAVAILABLE" and time.monotonic() - began < 0.7
    await asyncio.sleep(0.8)
    disk.pause = 0.0
    while ledger.pending:
        await asyncio.sleep(0.02)
    await ledger.open(make_intent(3))
    await ledger.close(make_outcome(3))
    await ledger.stop()
    late = next(leaf for leaf in leaves(tmp_path) if leaf["typ"] == "outcome")
    assert (late["id"], late["state"], late["error"]) == (exchange_id(1), "failed", "LEDGER_UNAVAILABLE")
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_a_busy_loop_gathers_what_comes_in_its_next_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one_a_turn(numbers: range) -> int:
        before, tasks = disk.commits, []
        for number in numbers:
            tasks.append(asyncio.ensure_future(ledger.open(make_intent(number))))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return disk.commits - before

    monkeypatch.setattr(store_commits, "GATHER", 5.0)
    ledger, disk = await slow_ledger(tmp_path)
    disk.pause = 0.05
    assert await one_a_turn(range(1)) == 1
    assert await one_a_turn(range(10, 16)) == 2  # the first is alone in its commit: nothing says that others come
    assert await one_a_turn(range(20, 26)) == 1
    monkeypatch.setattr(store_commits, "GATHER", 0.0)
    assert await one_a_turn(range(30, 36)) == 2  # the first has waited long enough at once
    await ledger.stop()
    assert [leaf["id"] for leaf in leaves(tmp_path)[2:-1]] == [
        exchange_id(n) for n in (0, *range(10, 16), *range(20, 26), *range(30, 36))
    ]


async def test_a_full_queue_refuses_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_commits, "QUEUE", 3)
    ledger, disk = await slow_ledger(tmp_path)
    disk.pause = 0.2
    results = await asyncio.gather(*(ledger.open(make_intent(n)) for n in range(5)), return_exceptions=True)
    assert [getattr(result, "code", None) for result in results] == [None] * 3 + ["LEDGER_UNAVAILABLE"] * 2
    disk.pause = 0.0
    await ledger.stop()
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_a_failed_commit_ends_the_ledger(tmp_path: Path) -> None:
    ledger, disk = await slow_ledger(tmp_path)
    await ledger.open(make_intent(1))
    disk.connection.execute("DROP TABLE box")  # as good as any error that is not a duplicate
    with pytest.raises(OwnError) as fault:
        await ledger.open(make_intent(2))
    assert code_of(fault) == "LEDGER_UNAVAILABLE" and ledger.failed
    for attempt in (ledger.open(make_intent(3)), ledger.close(make_outcome(1))):
        with pytest.raises(OwnError) as fault:
            await attempt
        assert code_of(fault) == "LEDGER_UNAVAILABLE"
    await ledger.stop()


async def test_another_writer_is_noticed_by_compare_and_swap(tmp_path: Path) -> None:
    ledger, disk = await slow_ledger(tmp_path)
    disk.connection.execute("UPDATE head SET size = size - 1")
    with pytest.raises(OwnError):
        await ledger.open(make_intent(1))
    assert ledger.failed and "head moved" in ledger.failed
    await ledger.stop()


@pytest.mark.parametrize(
    "facts", [{"id": "has space"}, {"id": "x" * 65}, {"request_bytes": 2**60}, {"timings_us": {"parse": 0.5}}]
)
async def test_facts_that_make_no_entry_are_refused(tmp_path: Path, facts: dict[str, Any]) -> None:
    async with await start(tmp_path) as ledger:
        with pytest.raises(OwnError) as fault:
            await ledger.open(make_intent(1, **facts))
        assert code_of(fault) == "LEDGER_ENTRY"
        await ledger.open(make_intent(2, decision=DENY))
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    places = tuple(Uninspectable(f"messages[{n}].content", "image") for n in range(5000))
    async with await start(tmp_path) as ledger:
        await ledger.open(make_intent(1, uninspectable=places))
        await ledger.close(make_outcome(1, rationale="because " * 20_000))
    intent, outcome = leaves(tmp_path)[2:4]
    assert intent["not_inspected"]["more"] == 5000 - 64 and intent["not_inspected"]["kinds"] == {"image": 5000}
    assert outcome["rationale_chars"] == 160_000


async def test_receipts_prove_entries_to_strangers(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        for number in range(20):
            await ledger.open(make_intent(number))
            await ledger.close(make_outcome(number))
        with Reader.open(tmp_path) as reader:  # beside the running writer
            for kind in ("intent", "outcome"):
                receipt = reader.receipt(exchange_id(7), kind).encode()
                record = reader.record(exchange_id(7))
                number = record.intent_number if kind == "intent" else record.outcome_number
                assert number is not None
                body = reader.bodies(number, number + 1)[0]
                assert verify_receipt(body, receipt, Verifier.parse(ledger.vkey))[0] == number
            with pytest.raises(OwnError) as fault:
                reader.receipt("unknown")
            assert (code_of(fault), fault.value.status) == ("RECORD_UNKNOWN", 404)
        assert verify_path(tmp_path).exit_code == VERIFIED


async def test_a_frozen_log_takes_no_more(tmp_path: Path) -> None:
    ledger = await start(tmp_path)
    await ledger.freeze("rotated")
    with pytest.raises(OwnError):
        await ledger.open(make_intent(1))
    await ledger.stop()
    assert leaves(tmp_path)[-1]["typ"] == "log.close"
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_a_closed_log_stays_closed_when_it_is_started_again(tmp_path: Path) -> None:
    ledger = await start(tmp_path)
    await ledger.freeze("rotated")
    await ledger.stop()
    for _ in range(2):
        with pytest.raises(OwnError) as fault:
            await start(tmp_path)
        assert code_of(fault) == "LEDGER_CLOSED"
        assert "start with a new one" in fault.value.advice
    assert leaves(tmp_path)[-1]["typ"] == "log.close"
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_nothing_comes_between_the_end_of_a_log_and_its_exchanges(tmp_path: Path) -> None:
    ledger = await start(tmp_path)
    await ledger.open(make_intent(1))
    with pytest.raises(OwnError) as fault:
        await ledger.freeze("rotated")
    assert code_of(fault) == "LEDGER_ORDER"
    await ledger.close(make_outcome(1))
    closing = asyncio.ensure_future(ledger.freeze("rotated"))
    await asyncio.sleep(0)  # handed over, and not yet durable
    with pytest.raises(OwnError):
        await ledger.open(make_intent(2))
    await closing
    await ledger.stop()
    assert leaves(tmp_path)[-1]["typ"] == "log.close"
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_the_wal_is_folded_in_when_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_commits, "CHECKPOINT_PAGES", 10)
    monkeypatch.setattr("sidecar.drivers.store_writer.CHECKPOINT_PAGES", 10)
    async with await start(tmp_path) as ledger:
        await asyncio.gather(*(ledger.open(make_intent(number)) for number in range(20)))
        before = (tmp_path / "ledger.sqlite").stat().st_size
        await asyncio.sleep(0.3)
        assert (tmp_path / "ledger.sqlite").stat().st_size > before


async def test_a_reader_without_write_access_reads_a_store_at_rest(tmp_path: Path) -> None:
    await crash(tmp_path / "s", opened=2, finished=2)
    (tmp_path / "s" / "ledger.sqlite").chmod(0o444)
    (tmp_path / "s").chmod(0o555)
    try:
        assert verify_path(tmp_path / "s").exit_code == VERIFIED
    finally:
        (tmp_path / "s").chmod(0o755)


async def test_reopening_a_store_finds_damage_before_writing(tmp_path: Path) -> None:
    await crash(tmp_path, opened=3, finished=3)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE entry SET body = replace(body, 'intent', 'intend') WHERE number = 3")
    with pytest.raises(OwnError) as fault:
        await start(tmp_path)
    assert code_of(fault) == "LEDGER_DAMAGED"
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(OwnError) as fault:
        await start(tmp_path)
    assert code_of(fault) == "LEDGER_DAMAGED"
    (tmp_path / "ledger.sqlite").unlink()
    with pytest.raises(OwnError) as fault:
        await start(tmp_path)
    assert code_of(fault) == "LEDGER_MISSING"


async def test_a_torn_checkpoint_file_is_mended_and_mentioned(tmp_path: Path) -> None:
    await crash(tmp_path, opened=1, finished=1)
    whole = (tmp_path / "checkpoint").read_bytes()
    (tmp_path / "checkpoint").write_bytes(whole[:40] + bytes(60))
    async with await start(tmp_path):
        pass
    found = [leaf["checkpoint_file"] for leaf in leaves(tmp_path) if leaf.get("event") == "start"]
    assert found == ["none", "unreadable"]
    assert peek_checkpoint((tmp_path / "checkpoint").read_bytes()).size > 4
    assert verify_path(tmp_path).exit_code == VERIFIED


def test_clock_and_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[float] = []
    clock = SystemClock(steps.append)
    first, wall, ticks = clock.now(), time.time_ns, time.monotonic_ns
    for ahead_s in (7200, 7200, 0, 0, 1, 0):  # set forward, set back, and moved by less than is worth a line
        monkeypatch.setattr(time, "time_ns", lambda ahead_s=ahead_s: wall() + ahead_s * 10**9)
        assert abs(clock.now() - first - ahead_s * 10**6) < 60_000_000
    assert [round(step / 60) for step in steps] == [120, -120]
    monkeypatch.setattr(time, "monotonic_ns", lambda: ticks() + 3600 * 10**9)
    monkeypatch.setattr(time, "time_ns", lambda: wall() + 3600 * 10**9)
    clock.now()
    assert len(steps) == 2, "an hour went by"
    monkeypatch.undo()
    entropy = SystemEntropy()
    tokens = [entropy.token(size) for size in (1, 32, 33, 4000, 10_000) for _ in range(50)]
    assert len(set(tokens[50:])) == len(tokens) - 50
    assert [len(token) for token in tokens[::50]] == [1, 32, 33, 4000, 10_000]
    before = entropy.token(16)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, entropy.token(16))
        os._exit(0)
    os.waitpid(child, 0)
    assert len({before, entropy.token(16), os.read(read, 16)}) == 3
    os.close(read)
    os.close(write)
