"""The worker process of the inspector: texts in, spans out, on one socket (its standard input).

It exists so that a long text or a model never holds the event loop's interpreter lock, and so that a detector that
hangs can be killed. Frames are a four-byte length and a body; the first request is the plan, every other one texts,
each with its length; a reply is JSON, and bears the number of the request. Nothing is logged, nothing is kept.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sidecar.drivers.inspector_scan import fastest
from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine, undisguised
from sidecar.inspection.named import behind_person, names_by_place
from sidecar.inspection.spans import Span, is_label
from sidecar.inspection.towns import postcodes

LENGTH = struct.Struct("!I")
PLACES = ("LOCATION", "STREET_ADDRESS")
MOST_BYTES = 1 << 28
MOST_REASON = 300
UNSEEN = re.compile(r"\r(?!\n)|[\v\f\x85\u2028\u2029]|\x1b\[[0-9;]{0,16}m")
"""Line ends of old files, pages and editors, which a list of names may have, and colours of logs (`\\x1b[1mAnna`)."""
NICENESS = 5
"""Where cores are scarce, streams that wait for the event loop go before one long prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a worker runs: the rules, the names model if any, and configured recognisers (drivers/presidio.py)."""

    settings: Settings
    names: bool = False
    recognisers: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def is_heavy(self) -> bool:
        """Whether even a short text belongs in a worker."""
        return bool(self.names or self.recognisers or self.settings.word_files)

    def to_json(self) -> bytes:
        recognisers = list(map(dict, self.recognisers))
        plan = {"settings": asdict(self.settings), "names": self.names, "recognisers": recognisers}
        return json.dumps(plan, default=sorted).encode()  # the only one that JSON lacks is the set of types


def plan_from_json(body: bytes) -> Plan:
    data = json.loads(body)
    row = {name: _frozen(value) for name, value in data["settings"].items()}
    if row["entities"] is not None:
        row["entities"] = frozenset(row["entities"])
    settings = Settings(**row | {"mode": Mode(row["mode"])})
    return Plan(settings=settings, names=data["names"], recognisers=tuple(data["recognisers"]))


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class Unloaded(Exception):
    """A detector cannot be loaded: which setting asked for it, and why not. No text has been seen yet."""

    def __init__(self, setting: str, error: BaseException) -> None:
        super().__init__()
        self.raised = type(error).__name__
        tells = type(error).__module__ == "builtins"  # a library's own errors may quote options, keys among them
        why = f": {' '.join(str(error).split())[:MOST_REASON]}" if tells and str(error) else ""
        self.reason = f"{setting}: {self.raised}{why}"


@contextmanager
def _loading(setting: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  whatever it is, this worker cannot look for what it should
        raise Unloaded(setting, error) from None


class Detectors:
    """The rules and whatever else the plan names, as one `find`. All is loaded at once: a text's deadline is no time to
    load a model in. Raises Unloaded.
    """

    def __init__(self, plan: Plan) -> None:
        with _loading("detection.words"):
            files = [(entity, _lines(path)) for entity, path in plan.settings.word_files]
            self._engine = Engine(plan.settings, fastest()[1], files)
        with _loading("detection.names"):
            self._names = _names_model(plan.settings.mode) if plan.names else None
        self._recognisers = list(_recognisers(plan.recognisers))

    def find(self, text: str) -> list[Span]:
        found = self._engine.find(text)
        others = undisguised(UNSEEN.sub(_as_seen, text), self._others) if self._names or self._recognisers else []
        return self._engine.settled(text, [*found, *others]) if others else found

    def _others(self, text: str) -> Iterator[Span]:
        if not text or text.isspace():  # nobody's name, and a remote service may take it for a fault
            return
        yield from self._named(text)
        for recogniser in self._recognisers:
            yield from recogniser.find(text)

    def _named(self, text: str) -> Iterator[Span]:
        if self._names is None:
            return
        for span in self._names.find(text):
            if self._engine.settings.wants(span.entity) and not is_label(text, span.start, span.end):
                yield span
            theirs = behind_person(text, span.start, span.end) if span.entity == "PERSON" else ()
            yield from (each for each in theirs if self._engine.settings.wants(each.entity))
            codes = postcodes(text, span.start, span.end) if span.entity in PLACES else ()
            yield from (code for code in codes if self._engine.settings.wants(code.entity))
        yield from (each for each in names_by_place(text) if self._engine.settings.wants(each.entity))


def _lines(path: str) -> Iterator[str]:
    """Those that are no comments, without a byte order mark."""
    with Path(path).open(encoding="utf-8-sig") as lines:
        yield from (line for line in lines if not line.lstrip().startswith("#"))


def _names_model(mode: Mode) -> Any:
    from sidecar.drivers.names_model import NamesModel

    model = NamesModel(mode=mode)
    model.load()
    return model


def _recognisers(configs: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    for number, config in enumerate(configs):
        with _loading(f"detection.recognisers.{number}"):
            from sidecar.drivers import presidio

            loaded = presidio.load(config)
        yield loaded


def _as_seen(match: re.Match[str]) -> str:
    """As models know it, at the same length."""
    written = match.group()
    return "\n" if len(written) == 1 else " " * len(written)


def encode_texts(texts: Iterable[str]) -> bytes:
    blocks = [text.encode("utf-8", "surrogatepass") for text in texts]
    body = b"".join(LENGTH.pack(len(block)) + block for block in blocks)
    return LENGTH.pack(len(body)) + body


def decode_texts(body: bytes) -> Iterator[str]:
    at = 0
    while at < len(body):
        (size,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        yield body[at : at + size].decode("utf-8", "surrogatepass")
        at += size


def _read(connection: socket.socket, size: int) -> bytes:
    blocks = []
    while size:
        block = connection.recv(min(size, 1 << 20))
        if not block:
            raise EOFError
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def _frame(connection: socket.socket) -> bytes:
    (size,) = LENGTH.unpack(_read(connection, LENGTH.size))
    if size > MOST_BYTES:
        raise EOFError
    return _read(connection, size)


def _reply(detectors: Detectors, number: int, body: bytes) -> bytes:
    """The spans of each text; an error is only its type's name, for its message may quote the text."""
    try:
        found = [detectors.find(text) for text in decode_texts(body)]
    except Exception as error:  # noqa: BLE001  whatever a detector raises becomes a denied call in the parent
        return json.dumps({"number": number, "error": type(error).__name__}).encode()
    return json.dumps({"number": number, "found": found}).encode()


def serve(connection: socket.socket) -> None:
    try:
        detectors = Detectors(plan_from_json(_frame(connection)))
    except Unloaded as fault:
        _send(connection, json.dumps({"error": fault.raised, "unloaded": fault.reason}).encode())
        return
    _send(connection, b"{}")
    for number in count(1):
        _send(connection, _reply(detectors, number, _frame(connection)))


def _send(connection: socket.socket, reply: bytes) -> None:
    connection.sendall(LENGTH.pack(len(reply)) + reply)


def main() -> None:
    os.nice(NICENESS)
    with socket.socket(fileno=0) as connection:
        try:
            serve(connection)
        except (EOFError, ConnectionError, KeyboardInterrupt):
            return


if __name__ == "__main__":
    main()
