"""presidio-anonymizer's operators, for the one-way modes of redaction.

Only the operators are used, one value at a time: the engine has no identity of values, its `hash` is salted anew for
each value unless told otherwise, and its way back needs offsets of its own output. `keep` and
`custom` are refused: the first is no redaction, the second is code from a configuration file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.operators import Encrypt, Hash, Mask, Redact, Replace

from sidecar.errors import OwnError
from sidecar.redaction import Operator

OPERATORS: Mapping[str, Callable[[], Any]] = {
    "encrypt": Encrypt,
    "hash": Hash,
    "mask": Mask,
    "redact": Redact,
    "replace": Replace,
}

VALUE = "a value"


def operator(name: str, params: Mapping[str, Any]) -> Operator:
    """One operator by Presidio's name and parameters. Raises ValueError when it has no such operator or parameter."""
    if name not in OPERATORS:
        raise ValueError(f"no such operator: {name}; there are {', '.join(OPERATORS)}")
    if name == "hash" and "salt" not in params:
        raise ValueError("hash needs a salt of at least 16 bytes; without one, equal values would get different hashes")
    made = OPERATORS[name]()
    _try(made, name, params)

    def operate(entity: str, value: str) -> str:
        try:
            return str(made.operate(value, {**params, "entity_type": entity}))
        except Exception:  # noqa: BLE001  its messages and causes may hold the value
            failed = OwnError("INTERNAL", f"Correct the parameters of the one-way operator {name}.")
        raise failed

    return operate


def _try(made: Any, name: str, params: Mapping[str, Any]) -> None:
    """Find wrong parameters at start, not at the first value: some are only looked at on use."""
    try:
        made.validate(dict(params))
        if made.operate(VALUE, {**params, "entity_type": "PERSON"}) == VALUE:
            raise ValueError("it leaves the value as it is")  # a mask of no characters
    except (InvalidParamError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"operator {name}: {error}") from error
