"""`sidecar audit ...`: flags for the auditor's side. Nothing of the proxy is imported here."""

from __future__ import annotations

import argparse
import io
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar import config
from sidecar.cli_values import filters_of, limit, name, share
from sidecar.errors import SidecarError
from sidecar.ledger.report import Report, Told, printable
from sidecar.ledger.source import SourceDamaged
from sidecar.wiring import auditing

if TYPE_CHECKING:
    from sidecar.console.query import Page, Row
    from sidecar.drivers.store_query import Filters
    from sidecar.drivers.store_reader import Reader
    from sidecar.ledger.note import Verifier

POLL_SECONDS = 0.5
FAILED, USAGE = 1, 2

QUERY = """\
List exchanges, newest first, with totals. Filters may be combined. Times are UTC.

A table shows the newest 50 and says how many there are, and with which codes; --json and --csv (UTF-8) give all.
--limit N sets another bound, 0 none; where it cuts --json or --csv short, stderr says so.

    sidecar audit query --since 1h
    sidecar audit query --obligation human_review --since 7d
    sidecar audit query --verdict deny --code UNINSPECTABLE_CONTENT
    sidecar audit query --caller claims/triage --confidence-max 0.7 --json"""

SHOW = """\
Show one exchange, whole: who called, what was found and not inspected, which rules fired and why the others did not,
what came back, where confidence and rationale come from, and where in the log the proof stands.

    sidecar audit show 01a20385-d9ca                   the id of an answer's x-sidecar-record, or how it begins
    sidecar audit show --last --json | jq .policy      the decision: codes, obligations, the input it was made of"""

TAIL = """\
Follow exchanges as they come, oldest first, until interrupted. Filters are those of `sidecar audit query`.

    sidecar audit tail --verdict deny
    sidecar audit tail --since 10m --json | jq -r .id"""

VERIFY = """\
Prove that nothing was altered, removed, reordered or added since it was signed.

    sidecar audit verify                                        the store of --state
    sidecar audit verify --export DIR --key VKEY                an export, offline
    sidecar audit verify --checkpoint FILE --key VKEY           against what you kept elsewhere

Exit status: 0 verified, 1 failed, 2 cannot be checked, 3 verified except ranges that recorded policy erased or pruned,
or policy bundles that are gone or altered.
What cannot be known without a kept checkpoint or key is printed."""

EXPORT = """\
Write the log as a C2SP tlog-tiles tree, with records for people and the key, so that others verify it with their own
tools. The folder's README says how.

    sidecar audit export --to /export/2026-11-22
    sidecar audit verify --export /export/2026-11-22 --key log.vkey"""

BACKUP = """\
Copy a state folder, keys and policy bundles included, into a new folder that verifies, while a sidecar writes to it.

    sidecar audit backup --to /backup/2026-11-22
    sidecar audit verify --state /backup/2026-11-22

The copy holds the private keys: keep it as safe as the folder itself. docs/operations.md says when it may be served."""

RECEIPT = """\
Print a tlog-proof, or hold a kept one against the log.

    sidecar audit receipt 01a20385-d9ca > receipt                        keep it elsewhere
    sidecar audit receipt 01a20385-d9ca --check receipt --key log.vkey   later: is it still of that entry?

Exit status of --check: 0 the receipt is of that entry, 1 it is not, or was altered, 2 cannot be checked: the file is no
receipt, or the store cannot be read."""


def add_parsers(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommands of `sidecar audit`."""
    _filters(_parser(group, "query", "list exchanges", QUERY, query), tail=False)
    _filters(_parser(group, "tail", "follow exchanges as they come", TAIL, tail), tail=True)
    shown = _parser(group, "show", "one exchange, whole", SHOW, show)
    shown.add_argument("id", nargs="?", help="the record's id, or how it begins")
    shown.add_argument("--last", action="store_true", help="the newest one")
    shown.add_argument("--json", action="store_true", help="for programs")
    exported = _parser(group, "export", "the log for others' tools", EXPORT, export)
    exported.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    copied = _parser(group, "backup", "a copy that verifies, of a folder at work", BACKUP, backup)
    copied.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    checked = _parser(group, "verify", "prove that nothing was changed", VERIFY, verify)
    checked.add_argument("--export", type=Path, metavar="DIR", help="verify an export instead of a store")
    checked.add_argument("--checkpoint", type=Path, metavar="FILE", help="a checkpoint that you kept elsewhere")
    checked.add_argument("--key", metavar="VKEY", help="the verifier key that you kept, or a file that holds it")
    checked.add_argument("--json", action="store_true", help="for programs")
    receipt_ = _parser(group, "receipt", "the proof of one entry, as a tlog-proof", RECEIPT, receipt)
    receipt_.add_argument("id", help="the record's id, or how it begins")
    receipt_.add_argument("--kind", choices=["intent", "outcome"], default="outcome", help="which entry (outcome)")
    check = "instead: is this kept receipt (tlog-proof, or the JSON of the admin port) of that entry?"
    receipt_.add_argument("--check", type=Path, metavar="FILE", help=check)
    receipt_.add_argument("--key", metavar="VKEY", help="the verifier key that you kept, or a file that holds it")


def _parser(group: Any, name: str, help_: str, text: str, run: Callable[[argparse.Namespace], int]) -> Any:
    parser = group.add_parser(name, help=help_, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=lambda options: _told(run, options))
    parser.add_argument("--state", type=Path, metavar="DIR", help="state folder (SIDECAR_STATE, else sidecar-state)")
    return parser


def _filters(parser: argparse.ArgumentParser, *, tail: bool) -> None:
    flag = parser.add_argument
    flag("--since", metavar="WHEN", help="1h, 30m, 7d, or a date and time (ISO 8601; UTC unless it names a zone)")
    if not tail:
        flag("--until", metavar="WHEN", help="as --since; exclusive")
        flag("--limit", type=limit, metavar="N", help="rows at most; 0: all (table: 50; --json, --csv: all)")
    flag("--caller", type=name, help="tenant, application or user, or tenant/app/user")
    flag("--subject", type=name, help="whom the application said the call is about")
    flag("--conversation", type=name, help="the application's conversation id")
    flag("--model", type=name, help="requested or served; may end in *")
    flag("--prompt", type=name, help="prompt name")
    flag("--prompt-version", type=name, help="prompt version")
    flag("--verdict", choices=["allow", "deny"], help="what policy said of the call, or of its reply")
    flag("--code", type=name, help="reason code, e.g. UNINSPECTABLE_CONTENT")
    flag("--entity", type=name, help="type of personal data found, e.g. IBAN_CODE")
    flag("--obligation", type=name, help="what policy demanded, e.g. human_review")
    flag("--confidence-min", type=share, metavar="P", help="0 to 1")
    flag("--confidence-max", type=share, metavar="P", help="0 to 1")
    flag("--state-is", choices=["open", "answered", "refused", "failed", "aborted"], help="how the exchange stands")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one object a line")
    form.add_argument("--csv", action="store_true", help="comma-separated values")


def _told(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Faults on one line, with advice, and exit status 2: nothing could be said."""
    options.state = config.state_folder(options.state)
    _spell(programs=run is receipt or getattr(options, "json", False) or getattr(options, "csv", False))
    try:
        return run(options)
    except SidecarError as error:
        _say(f"{error.code}: {error.advice}")
    except (sqlite3.Error, SourceDamaged) as fault:
        unread = _unreadable(fault, options.state)
        _say(f"{unread.code}: {unread.advice}")
    except ValueError as error:
        _say(str(error))
    return USAGE


def _spell(*, programs: bool) -> None:
    """JSON, CSV and signed notes are UTF-8 whatever the locale."""
    if programs and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", encoding="utf-8")


def _say(text: str) -> None:
    print(f"sidecar: {printable(text)}", file=sys.stderr)


def _unreadable(fault: Exception, state: Path) -> SidecarError:
    """A store that cannot be read to the end, as an error without what SQLite quotes of statements and values."""
    from sidecar.drivers.store_faults import store_fault
    from sidecar.drivers.store_folder import StateFolder

    return store_fault(StateFolder(state).store, fault.__cause__ if isinstance(fault.__cause__, Exception) else fault)


@contextmanager
def reading(options: argparse.Namespace) -> Iterator[Reader]:
    from sidecar.drivers.store_reader import Reader

    with Reader.open(options.state) as reader:
        yield reader


def query(options: argparse.Namespace) -> int:
    from sidecar.console import query as console
    from sidecar.console import render
    from sidecar.console.opened import opened

    filters = filters_of(options)
    with reading(options) as reader:
        if wrong := _unknown(options, reader, filters):
            raise ValueError(wrong)
        with _watched("records") as told:
            filters, closed = opened(reader, filters, told)
        for missing in (*console.not_covered(reader, filters), *closed):
            _say(missing)
        if options.json or options.csv:
            return _list(console.pages(reader, filters), options)
        page = console.query(reader, filters)
    sys.stdout.write(render.table(page, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    return 0


def _list(pages: Iterator[Page], options: argparse.Namespace) -> int:
    """All pages, for programs; where the list was cut short stderr says so, for the list itself cannot."""
    from sidecar.console import render

    shown = 0
    for page in pages:
        sys.stdout.writelines(_spelt(page.rows, options, header=not shown))
        shown += len(page.rows)
    if short := render.cut_short(page, shown):
        _say(short)
    return 0


def _unknown(options: argparse.Namespace, reader: Reader, filters: Filters) -> str | None:
    from sidecar.console.known import unknown

    return unknown(reader, filters, lambda: auditing.policy_codes(options.state))


def tail(options: argparse.Namespace) -> int:
    from sidecar.console import query as console

    filters = filters_of(options)
    with reading(options) as reader:
        if wrong := _unknown(options, reader, filters):
            _say(f"{wrong} (waiting for it)")  # a word list may bring a type that was never found so far
        if options.csv:
            sys.stdout.writelines(_spelt((), options, header=True))
        start = 0 if options.since else reader.size()
        while True:
            found = console.tail(reader, start, filters)
            sys.stdout.writelines(_spelt(found.rows, options))
            sys.stdout.flush()
            if found.next == start:  # else there is more to look through, though nothing of it matched
                time.sleep(POLL_SECONDS)
            start = found.next


def _spelt(rows: Sequence[Row], options: argparse.Namespace, *, header: bool = False) -> Iterable[str]:
    from sidecar.console import render

    if options.json:
        return render.json_lines(rows)
    return [render.csv_text(rows, header=header) if options.csv else render.lines(rows)]


def show(options: argparse.Namespace) -> int:
    from sidecar.console import show as console

    if (options.id is None) is not options.last:
        raise ValueError("say which exchange: either an id (or how it begins) or --last")
    with reading(options) as reader:
        exchange = auditing.record_id(reader, options.id)
        shown = console.show_json_text if options.json else console.show_text
        sys.stdout.write(shown(reader, exchange, auditing.explainer(options.state)))
    return 0


def export(options: argparse.Namespace) -> int:
    from sidecar.drivers.store_export import export as write

    with reading(options) as reader, _watched() as told:
        done = write(reader, options.to, told)
    print(f"{done.entries} entries, {done.records} records written to {options.to}; its README.md says how to verify")
    return 0


def backup(options: argparse.Namespace) -> int:
    from sidecar.drivers.store_backup import backup as copy

    done = copy(options.state, options.to)
    print(f"{done.entries} entries, {done.bundles} policy bundles copied to {options.to}; check it with audit verify")
    return 0


def receipt(options: argparse.Namespace) -> int:
    with reading(options) as reader:
        exchange = auditing.record_id(reader, options.id)
        if options.check is None:
            sys.stdout.write(reader.receipt(exchange, options.kind))
            return 0
        number, body = reader.entry(exchange, options.kind)
        entry = f"entry {number} ({printable(exchange)}, {options.kind})"
        return _check_receipt(options, entry, body, reader.vkey())


def _check_receipt(options: argparse.Namespace, entry: str, body: bytes, beside: Verifier) -> int:
    """Hold a kept receipt against the entry as the log has it today. Raises ValueError where it is no receipt."""
    from sidecar.ledger.checkpoint import verify_receipt
    from sidecar.ledger.note import NoteError

    kept, key = auditing.kept_receipt(options.check, options.kind), _key(options.key) or beside
    try:
        _, checkpoint = verify_receipt(body, kept, key)
    except NoteError as fault:
        print(f"FAILED {entry}: {fault.reason}  {fault}")
        return FAILED
    print(f"VERIFIED: {entry} is in the log of {checkpoint.size} entries that {checkpoint.origin} signed")
    return 0


def _key(text: str | None) -> Verifier | None:
    """A verifier key, or that of a file. Raises ValueError or OwnError."""
    from sidecar.drivers.keys import load_vkey
    from sidecar.ledger.note import NoteError, Verifier

    if text is None:
        return None
    if Path(text).is_file():
        return load_vkey(Path(text))
    try:
        return Verifier.parse(text)
    except NoteError as fault:
        raise ValueError(f"--key: neither a file nor a verifier key such as log.vkey holds ({fault})") from None


@contextmanager
def _watched(what: str = "entries") -> Iterator[Told | None]:
    """How far long work has come, where somebody looks on; afterwards the line is gone."""
    if not sys.stderr.isatty():
        yield None
        return

    def told(done: int, size: int) -> None:
        sys.stderr.write(f"\r{done:,} of {size:,} {what}")
        sys.stderr.flush()

    try:
        yield told
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def verify(options: argparse.Namespace) -> int:
    with _watched() as told:
        report = _report(options, told)
    if options.json:
        import orjson

        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        sys.stdout.write(report.as_text())
    return report.exit_code


def _report(options: argparse.Namespace, told: Told | None) -> Report:
    from sidecar.drivers import store_export, store_verify
    from sidecar.drivers.keys import VKEY, load_vkey

    kept = options.checkpoint.read_bytes() if options.checkpoint else None
    key = _key(options.key)
    if options.export:
        known = key or load_vkey(options.export / VKEY)
        return store_export.verify_folder_export(
            options.export, key=known, pinned=key is not None, kept=kept, told=told
        )
    spread = store_verify.over_processes(options.state, told)
    return store_verify.verify_path(options.state, key=key, kept=kept, spread=spread)
