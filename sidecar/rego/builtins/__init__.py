"""The builtins this engine has. A plan that needs another is refused at load, by name and position.

Allow-list, not deny-list: a builtin is here when it is a pure function of its operands and was checked
against OPA's compliance cases. Time, randomness, network and environment are inputs of a decision or no
part of it, so `http.send`, `opa.runtime`, `net.lookup_ip_addr`, `rand.intn`, `uuid.rfc4122` and
`time.now_ns` never will be.

A builtin is `f(run, *operands) -> value`; it returns UNDEFINED or raises BuiltinError, and charges `run`
for work that grows with its operands. By family, as OPA has them in its topdown/*.go:

    arithmetic, types        numbers, comparison, bits; type tests and casts
    collections, objects     aggregates, arrays, sets, walk, graphs; objects and paths into them; patch: json.patch
    strings, patterns        strings; regular expressions and globs; sprintf: Go's verbs
    encoding, net, times     JSON, base64, hex, URLs, digests, tokens; networks, versions, units; time
    operands, text           checks that the others share; values in Rego's own notation
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sidecar.rego.errors import BuiltinError, PlanRefused
from sidecar.rego.values import UNDEFINED

from . import arithmetic, collections, encoding, net, objects, patch, patterns, sprintf, strings, times, types

Builtin = Callable[..., Any]

TABLE: Final[Mapping[str, Builtin]] = {
    **arithmetic.TABLE,
    **collections.TABLE,
    **encoding.TABLE,
    **net.TABLE,
    **objects.TABLE,
    **patch.TABLE,
    **patterns.TABLE,
    **sprintf.TABLE,
    **strings.TABLE,
    **times.TABLE,
    **types.TABLE,
}


def resolve(declared: Mapping[str, int], places: Mapping[str, str], *, strict: bool) -> dict[str, Builtin]:
    """The functions behind the names a plan declares. Raises PlanRefused for the first it must not have."""
    for name in declared:
        if name not in TABLE:
            what = f"builtin {name!r} is not available here"
            if name == "internal.print":
                what = "print() is for `opa test`: take it out before the build"
            raise PlanRefused(what, name=name, position=places.get(name, ""))
    return {name: TABLE[name] if strict else lenient(TABLE[name]) for name in declared}


def lenient(builtin: Builtin) -> Builtin:
    """OPA's default: an error makes the expression undefined."""

    def call(run: Any, *operands: Any) -> Any:
        try:
            return builtin(run, *operands)
        except BuiltinError:
            return UNDEFINED

    return call
