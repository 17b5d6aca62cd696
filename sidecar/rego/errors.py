"""The two ways this room says no.

    PlanRefused        load time: the bundle is not one this engine can decide exactly
    EvaluationFault    run time: no decision could be reached; `code` says why

Neither ever carries a value from the input (guarantee 4): an exception ends up in logs.
`Conflict`, `BuiltinError` and `OverLimit` are internal and leave the room as `EvaluationFault`.
"""

from __future__ import annotations

from typing import Final, Literal

FaultCode = Literal["PDP_ERROR", "PDP_LIMIT", "PDP_TIMEOUT", "INPUT_INVALID"]

PDP_ERROR: Final = "PDP_ERROR"
PDP_LIMIT: Final = "PDP_LIMIT"
PDP_TIMEOUT: Final = "PDP_TIMEOUT"
INPUT_INVALID: Final = "INPUT_INVALID"


class PlanRefused(Exception):
    """The plan holds something this engine does not know, so it decides nothing with it.

    `name` is the statement, builtin or field at fault; `position` is `file:row:col` of its first
    use in the Rego source, or "" where the compiler made it up (OPA writes 0,0,0 for that).
    """

    def __init__(self, message: str, *, name: str = "", position: str = "") -> None:
        super().__init__(f"{position}: {message}" if position else message)
        self.name = name
        self.position = position


class EvaluationFault(Exception):
    """No decision. `code` is stable; `position` is where in the policy and `reason` what went wrong there, never what
    was in the input."""

    def __init__(self, code: FaultCode, message: str, *, position: str = "") -> None:
        super().__init__(f"{code} {position}: {message}" if position else f"{code}: {message}")
        self.code: FaultCode = code
        self.reason = message
        self.position = position


class Conflict(Exception):
    """OPA's `eval_conflict_error`: a complete rule or an object key with two different values."""


class BuiltinError(Exception):
    """A builtin was called with operands it does not take. Undefined in lenient mode, a fault in strict."""


class OverLimit(Exception):
    """A bound of `Limits` was met."""

    def __init__(self, code: Literal["PDP_LIMIT", "PDP_TIMEOUT"], what: str) -> None:
        super().__init__(what)
        self.code: Literal["PDP_LIMIT", "PDP_TIMEOUT"] = code
