"""Logs that their own key signed and that are wrong all the same: what a sequence of entries must mean is checked.

Against the key's holder a tree and its signature prove nothing; what he may not do is written in the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.keys import load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import open_store
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.drivers.store_writer import Item
from sidecar.ledger import entries
from sidecar.ledger.canon import dumps
from sidecar.ledger.chain import Chain
from sidecar.ledger.entries import Entry, build, heartbeat, log_open
from sidecar.ledger.facts import Outcome, State
from sidecar.ledger.note import Verifier
from sidecar.ledger.report import FAILED, Report
from tests.ledger.factory import START, exchange_id, make_intent, make_outcome

ENTROPY = SystemEntropy()
Story = Callable[["Teller"], list[Entry]]


class Teller:
    """Makes entries of one log, each a second after the last unless it is told otherwise."""

    def __init__(self, verifier: Verifier, data_key_id: str) -> None:
        self.verifier, self.data_key_id = verifier, data_key_id
        self.sidecar = verifier.name.rpartition("/")[2]
        self.t = START

    def now(self, later: int = 1_000_000) -> int:
        self.t += later
        return self.t

    def opening(self, **other: Any) -> Entry:
        fields = log_open(self.verifier.name, self.verifier.vkey, self.data_key_id, {})
        return self.plain("log.open", {**fields, **other})

    def plain(
        self, typ: str, fields: Mapping[str, Any], *, later: int = 1_000_000, sidecar: str | None = None
    ) -> Entry:
        return build(typ, ENTROPY.token(16).hex(), self.now(later), sidecar or self.sidecar, fields)

    def beat(self, **told: Any) -> Entry:
        return self.plain("heartbeat", heartbeat("beat", {}), **told)

    def close(self) -> Entry:
        return self.plain("log.close", {"reason": "rotated"})

    def intent(self, number: int) -> Entry:
        return entries.intent_entry(make_intent(number), self.now(), self.sidecar, ENTROPY.token)

    def outcome(self, number: int) -> Entry:
        return entries.outcome_entry(make_outcome(number), self.now(), self.sidecar, ENTROPY.token)

    def lost(self, number: int) -> Entry:
        """An outcome of which nothing is disclosed."""
        told = Outcome(id=exchange_id(number), at=self.t, state=State.ABORTED, status=None, aborted_by="crash")
        return entries.outcome_entry(told, self.now(), self.sidecar, ENTROPY.token)


STORIES: dict[str, tuple[Story, set[tuple[int | None, str]]]] = {
    "all is well": (lambda log: [log.opening(), log.intent(1), log.outcome(1), log.beat(), log.close()], set()),
    "no beginning": (lambda log: [log.beat(), log.beat()], {(0, "first-entry")}),
    "two beginnings": (lambda log: [log.opening(), log.beat(), log.opening()], {(2, "first-entry")}),
    "another log's beginning": (lambda log: [log.opening(origin="x.example/audit/1")], {(0, "entry-foreign")}),
    "another format": (lambda log: [log.opening(format="sidecar-ledger/2")], {(0, "entry-foreign")}),
    "another key": (lambda log: [log.opening(vkey="x+00000000+AAAA")], {(0, "key-mismatch")}),
    "another log's entry": (lambda log: [log.opening(), log.beat(sidecar="0" * 32)], {(1, "entry-foreign")}),
    "time runs backwards": (lambda log: [log.opening(), log.beat(), log.beat(later=-1)], {(2, "time-backwards")}),
    "two at one time": (lambda log: [log.opening(), log.beat(later=0), log.beat(later=0)], set()),
    "it goes on behind its end": (
        lambda log: [log.opening(), log.close(), log.beat(), log.close()],
        {(2, "entry-after-close"), (3, "entry-after-close")},
    ),
    "begun twice": (lambda log: [log.opening(), log.intent(1), log.intent(1)], {(2, "intent-duplicate")}),
    "ended, never begun": (lambda log: [log.opening(), log.outcome(1)], {(1, "outcome-without-intent")}),
    "ended twice": (
        lambda log: [log.opening(), log.intent(1), log.outcome(1), log.outcome(1)],
        {(3, "outcome-without-intent")},
    ),
    "ended before it began": (
        lambda log: [log.opening(), log.outcome(1), log.intent(1)],
        {(1, "outcome-without-intent")},
    ),
}
UNINDEXED = {"begun twice"}
"""Of these the store itself does not take the entries: two rows of its index would have one id."""


def verifier_of() -> tuple[Verifier, str]:
    return Verifier("ledger.example/audit/" + "a" * 32, bytes(32)), "0" * 16


@pytest.mark.parametrize(("story", "wanted"), STORIES.values(), ids=STORIES)
def test_what_entries_must_mean(story: Story, wanted: set[tuple[int | None, str]]) -> None:
    verifier, data_key_id = verifier_of()
    report = Report()
    chain = Chain(report, verifier)
    for number, entry in enumerate(story(Teller(verifier, data_key_id))):
        assert chain.feed(number, entry.body) is not None
    chain.finish()
    assert {(failure.index, failure.reason) for failure in report.failures} == wanted


def written(folder: Path, story: Story) -> None:
    """The story as a store, by the one writer there is: it signs what it is given."""
    opened = open_store(StateFolder(folder), domain="ledger.example", entropy=ENTROPY)
    log = Teller(opened.writer.signer.verifier, opened.keyring.id)
    assert not opened.writer.stage([Item(entry) for entry in story(log)])
    opened.writer.commit()
    opened.writer.close()


@pytest.mark.parametrize("name", [name for name in STORIES if name not in UNINDEXED])
def test_a_store_and_its_export_are_read_alike(name: str, tmp_path: Path) -> None:
    """Without disclosures, which are not of the story; so both say more, and of all of it that."""
    story, wanted = STORIES[name]
    written(tmp_path / "state", story)
    (tmp_path / "state" / "data.key").unlink()
    reports = [verify_path(tmp_path / "state")]
    with Reader.open(tmp_path / "state") as reader:
        export(reader, tmp_path / "out")
    reports.append(verify_folder_export(tmp_path / "out", key=load_vkey(tmp_path / "out" / "log.vkey")))
    for report in reports:
        beside = ("disclosure-missing", "data-key-missing", "index-altered", "head-altered")
        found = {(failure.index, failure.reason) for failure in report.failures if failure.reason not in beside}
        assert found == wanted, report.as_text()
        assert report.exit_code == FAILED or not wanted


def test_an_outcome_that_discloses_nothing_has_no_box(tmp_path: Path) -> None:
    """One beside it is nobody's: the leaf commits to none."""

    def story(log: Teller) -> list[Entry]:
        return [log.opening(), log.lost(1)]

    written(tmp_path / "plain", story)
    assert {failure.reason for failure in verify_path(tmp_path / "plain").failures} == {"outcome-without-intent"}
    opened = open_store(StateFolder(tmp_path / "boxed"), domain="ledger.example", entropy=ENTROPY)
    log = Teller(opened.writer.signer.verifier, opened.keyring.id)
    start, end = story(log)
    opened.writer.stage([Item(start), Item(log.intent(1), box=b"b", wrapped=b"w"), Item(end, box=b"nobody's")])
    opened.writer.commit()
    opened.writer.close()
    (tmp_path / "boxed" / "data.key").unlink()
    found = {(failure.index, failure.reason) for failure in verify_path(tmp_path / "boxed").failures}
    assert (2, "disclosure-extra") in found


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"t": "1"}, {"t": True}, {"id": 7}, {"typ": "heartbeats"}, {"typ": None}, {"typ": ["intent"]}],
)
def test_an_entry_of_another_version_or_type_is_malformed(change: Mapping[str, Any]) -> None:
    verifier, data_key_id = verifier_of()
    entry = Teller(verifier, data_key_id).beat()
    report = Report()
    assert Chain(report, verifier).feed(4, dumps({**entry.fields, **change})) is None
    assert [(failure.index, failure.reason) for failure in report.failures] == [(4, "entry-malformed")]


@pytest.mark.parametrize("typ", sorted(entries.SHAPES))
def test_an_entry_that_lacks_a_field_is_malformed(typ: str) -> None:
    """Each name of each shape."""
    verifier, data_key_id = verifier_of()
    log = Teller(verifier, data_key_id)
    made = {"intent": log.intent(1), "outcome": log.outcome(1)}.get(typ)
    fields = dict(made.fields) if made else dict.fromkeys(entries.SHAPES[typ], "x")
    whole = {**fields, "v": 1, "typ": typ, "id": "a", "t": START, "sidecar": log.sidecar}
    assert entries.parse(dumps(whole)) and entries.parse(dumps(whole), signed=True)
    for name in entries.SHAPES[typ] | entries.COMMON:
        less = dumps({key: value for key, value in whole.items() if key != name})
        for signed in (False, True):
            with pytest.raises(ValueError, match="entry"):
                entries.parse(less, signed=signed)


def test_no_entry_is_made_that_lacks_a_field() -> None:
    for typ in ("heartbeat", "erasure", "log.open"):
        with pytest.raises(ValueError, match="lacks a field"):
            build(typ, "a", START, "0" * 32, {})


def test_the_shapes_name_all_that_is_always_there() -> None:
    """What only some entries have is not asked of each: names that were withheld, an outcome's disclosures."""
    verifier, data_key_id = verifier_of()
    log = Teller(verifier, data_key_id)
    for entry, sometimes in ((log.intent(1), set()), (log.outcome(1), {"_sd"}), (log.lost(1), set())):
        assert entries.SHAPES[entry.typ] | entries.COMMON == entry.fields.keys() - sometimes
