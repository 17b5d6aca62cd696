"""Merges the obligations of one decision into Duties (docs/policies.md, "What policy may demand").

One function per obligation type reads its parameters and adds them to what was demanded before; the stricter demand
wins. A type that is not in the table of its phase, or parameters that are not known or cannot be read, is
`Unfulfillable`: a deny, unless the obligation says `critical: false` (guarantee 3). A parameter passed over would be
the weaker demand: with `modes: drop` a surrogate would leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sidecar.model import STRICTNESS, Deny, Duties, Obligation, RedactMode, Release, ReleaseMode, Review

Mode = TypeVar("Mode", RedactMode, ReleaseMode)

ANY = "*"
WORD = re.compile(r"[A-Za-z0-9_.:/+-]{1,128}")
HOLD_LIMIT = 65_536
DEFAULT_HOLD = 256
"""Code points a window keeps back when policy names no number: longer than any entity a pattern detector marks."""

MODES = {mode.value: mode for mode in RedactMode}
RELEASES = {mode.value: mode for mode in ReleaseMode}
LATENESS = {mode: rank for rank, mode in enumerate(ReleaseMode)}


class Unfulfillable(Exception):
    """This version cannot do what the obligation demands, or cannot read it."""


class Conflict(Exception):
    """Two obligations demand what excludes each other; the argument is the code."""


@dataclass(slots=True)
class Sum:
    """What has been demanded so far."""

    redact: dict[str, RedactMode] = field(default_factory=dict)
    cap_tokens: int | None = None
    model: str | None = None
    queues: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    notices: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    annotations: dict[str, list[Any]] = field(default_factory=dict)
    retain_days: int | None = None
    disable_tools: set[str] = field(default_factory=set)
    release: Release = Release()


def merge(obligations: Iterable[Obligation], phase: str) -> tuple[Duties, tuple[Deny, ...]]:
    """All demands as one, and a deny for each that cannot be met. The order of the obligations does not matter."""
    total, denies, table = Sum(), list[Deny](), FULFILLED[phase]
    for obligation in obligations:
        try:
            _reader(table, obligation)(total, obligation.params)
        except Unfulfillable:
            if obligation.critical:
                denies.append(Deny("OBLIGATION_UNSUPPORTED", {"type": obligation.type, "id": obligation.id}))
        except Conflict as conflict:
            denies.append(Deny(conflict.args[0]))
    return _duties(total), tuple(denies)


def _reader(table: Mapping[str, Reader], obligation: Obligation) -> Reader:
    reader, known = table.get(obligation.type), PARAMS.get(obligation.type)
    if reader is None or (known is not None and not known.issuperset(obligation.params)):
        raise Unfulfillable
    return reader


def _redact(total: Sum, params: Mapping[str, Any]) -> None:
    """{entities: [type, ...] or ["*"], mode}: union of the types, strictest mode of each."""
    mode = _choice(params.get("mode", RedactMode.SURROGATE.value), MODES)
    for entity in _words(params.get("entities")):
        total.redact[entity] = max(mode, total.redact.get(entity, mode), key=STRICTNESS.__getitem__)


def _cap_tokens(total: Sum, params: Mapping[str, Any]) -> None:
    """{max}: the lowest wins."""
    cap = _whole(params.get("max"), 1, 10**9)
    total.cap_tokens = cap if total.cap_tokens is None else min(cap, total.cap_tokens)


def _route(total: Sum, params: Mapping[str, Any]) -> None:
    """{model}: all must agree. `tier` is not fulfilled: this version keeps no table of tiers."""
    model = _word(params.get("model"))
    if total.model not in (None, model):
        raise Conflict("ROUTE_CONFLICT")
    total.model = model


def _human_review(total: Sum, params: Mapping[str, Any]) -> None:
    """{queue, mode: "after", reason}: queues and reasons unite. `hold` is not fulfilled: nothing here keeps a call."""
    if params.get("mode") != "after":
        raise Unfulfillable
    queue, reason = _word(params.get("queue", "default")), params.get("reason")
    total.reasons |= set() if reason is None else {_word(reason)}
    total.queues.add(queue)


def _notice(total: Sum, params: Mapping[str, Any]) -> None:
    """{text_id, placement: "header"}: union. The other placements would edit the reply's body."""
    if params.get("placement", "header") != "header":
        raise Unfulfillable
    text_id = _word(params.get("text_id"))
    total.notices[text_id] = {"text_id": text_id, "placement": "header"}


def _annotate(total: Sum, params: Mapping[str, Any]) -> None:
    """{key: value, ...}: union; different values of one key become a list."""
    for key, value in [(_word(key), _annotation(value)) for key, value in params.items()]:
        values = total.annotations.setdefault(key, [])
        values.extend(item for item in value if not any(type(old) is type(item) and old == item for old in values))


def _retain(total: Sum, params: Mapping[str, Any]) -> None:
    """{content: "none", days}: the longest wins, since what was erased too early cannot be brought back."""
    if params.get("content", "none") != "none":
        raise Unfulfillable
    total.retain_days = max(_whole(params.get("days"), 1, 36_525), total.retain_days or 0)


def _disable_tools(total: Sum, params: Mapping[str, Any]) -> None:
    """{names}: union; `*` is every tool."""
    total.disable_tools |= _words(params.get("names"))


def _release(total: Sum, params: Mapping[str, Any]) -> None:
    """{mode: pass|windowed|whole, hold}: the latest release wins, with the longest hold. Windows that keep nothing back
    would see no value that stands in two events."""
    mode = _choice(params.get("mode"), RELEASES)
    least, usual = (1, DEFAULT_HOLD) if mode is ReleaseMode.WINDOWED else (0, 0)
    hold = _whole(params.get("hold", usual), least, HOLD_LIMIT)
    latest = max(mode, total.release.mode, key=LATENESS.__getitem__)
    total.release = Release(latest, max(hold, total.release.hold))


def _duties(total: Sum) -> Duties:
    everything = total.redact.get(ANY, RedactMode.SURROGATE)
    strict = {name: max(mode, everything, key=STRICTNESS.__getitem__) for name, mode in total.redact.items()}
    return Duties(
        redact=strict,
        cap_tokens=total.cap_tokens,
        model=total.model,
        review=_review(total),
        notices=tuple(total.notices[name] for name in sorted(total.notices)),
        annotations={key: _one_or_list(total.annotations[key]) for key in sorted(total.annotations)},
        retain_days=total.retain_days,
        disable_tools=frozenset(total.disable_tools),
        release=total.release,
    )


def _review(total: Sum) -> Review | None:
    if not total.queues:
        return None
    return Review(queues=tuple(sorted(total.queues)), reasons=tuple(sorted(total.reasons)))


def _one_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else sorted(values, key=lambda value: (type(value).__name__, value))


def _whole(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Unfulfillable
    return value


def _word(value: object) -> str:
    if not isinstance(value, str) or not WORD.fullmatch(value):
        raise Unfulfillable
    return value


def _words(value: object) -> set[str]:
    if not isinstance(value, list | tuple):
        raise Unfulfillable
    return {ANY if item == ANY else _word(item) for item in value}


def _choice(value: object, table: Mapping[str, Mode]) -> Mode:
    if not isinstance(value, str) or value not in table:
        raise Unfulfillable
    return table[value]


def _annotation(value: object) -> list[Any]:
    """A scalar, or a list of them, as the ledger's closed profile allows: text, integer or boolean."""
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, str | int | bool) for item in items):
        raise Unfulfillable
    return items


Reader = Callable[[Sum, Mapping[str, Any]], None]

PARAMS: Mapping[str, frozenset[str]] = {
    "cap_tokens": frozenset({"max"}),
    "disable_tools": frozenset({"names"}),
    "human_review": frozenset({"mode", "queue", "reason"}),
    "notice": frozenset({"placement", "text_id"}),
    "redact": frozenset({"entities", "mode"}),
    "release": frozenset({"hold", "mode"}),
    "retain": frozenset({"content", "days"}),
    "route": frozenset({"model"}),
}
"""All that an obligation may say, by type; `annotate` says what it likes."""

_ANYWHERE: Mapping[str, Reader] = {
    "annotate": _annotate,
    "human_review": _human_review,
    "redact": _redact,
    "retain": _retain,
}
_REQUEST: Mapping[str, Reader] = {
    **_ANYWHERE,
    "cap_tokens": _cap_tokens,
    "disable_tools": _disable_tools,
    "notice": _notice,
    "release": _release,
    "route": _route,
}
FULFILLED: Mapping[str, Mapping[str, Reader]] = {
    "request": _REQUEST,
    "response": _ANYWHERE,
    "response_window": _ANYWHERE,
}
"""What this version fulfils, by phase. Once a reply has begun, its head, its model and its tools are settled."""
