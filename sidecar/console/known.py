"""Is a name that somebody asks for one that can be found? A misspelt one would be a calm "0 exchanges".

A type of personal data is known when a detector of ours gives it, or when it stands in the store: word lists and
recognisers of a deployment bring types of their own. A code is known when the catalogue or a kept policy bundle has it,
or when it stands in the store. A type of obligation is known when this version fulfils it, or when it stands there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches

from sidecar.drivers.store_query import Filters, obliged, recorded
from sidecar.drivers.store_reader import Reader
from sidecar.inspection.catalogue import UNSUPPORTED
from sidecar.inspection.countries import known_types
from sidecar.ledger.report import printable
from sidecar.policy import FAULTS
from sidecar.policy.duties import FULFILLED

SUGGESTIONS = 3


def unknown(reader: Reader, filters: Filters, policy_codes: Callable[[], Iterable[str]]) -> str | None:
    """What is wrong with the names asked for, and what may have been meant; None where nothing is.

    `policy_codes` gives the codes of the policy bundles at hand; it is asked only for a code that is not found else.
    """
    wrong = _entity(reader, filters.entity) or _code(reader, filters.code, policy_codes)
    return wrong or _obligation(reader, filters.obligation)


def entities() -> set[str]:
    """Every type that a detector of ours can give, whatever the settings, and those that others are expected to."""
    return {*known_types(), *UNSUPPORTED}


def _entity(reader: Reader, name: str | None) -> str | None:
    if name is None or name in (ours := entities()):
        return None
    stored = recorded(reader.connection, "entities", "reply_entities")
    return None if name in stored else _message("entity", name, ours | stored, stored)


def _code(reader: Reader, name: str | None, policy_codes: Callable[[], Iterable[str]]) -> str | None:
    if name is None or name in FAULTS:
        return None
    stored = recorded(reader.connection, "codes", "reply_codes", "error")
    known = {*FAULTS, *stored, *policy_codes()}
    return None if name in known else _message("code", name, known, stored)


def _obligation(reader: Reader, name: str | None) -> str | None:
    ours = {kind for phase in FULFILLED.values() for kind in phase}
    if name is None or name in ours:
        return None
    stored = obliged(reader.connection)
    return None if name in stored else _message("obligation", name, ours | stored, stored)


def _message(flag: str, name: str, known: Collection[str], stored: Collection[str]) -> str:
    meant = near(name, known)
    advice = f"did you mean {' or '.join(meant)}?" if meant else f"recorded here: {', '.join(sorted(stored)) or 'none'}"
    return printable(f"--{flag} {name}: neither known nor recorded here; {advice}")


def near(name: str, known: Iterable[str]) -> list[str]:
    """Names that somebody may have meant, best first: without regard to case, a part of the name, or misspelt."""
    asked, names = name.upper().replace("-", "_").replace(" ", "_"), sorted(known)
    whole = [other for other in names if other.upper() == asked]
    begun = [other for other in names if other.upper().startswith(f"{asked}_")]
    part = [other for other in names if asked in other.upper().split("_")]
    upper = {other.upper(): other for other in names}
    close = [upper[like] for like in get_close_matches(asked, upper, SUGGESTIONS, 0.75)]
    return whole or list(dict.fromkeys((*begun, *part, *close)))[:SUGGESTIONS]
