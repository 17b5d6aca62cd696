"""Faults by whose fault they are.

    SidecarError                 code, status, advice, retry
    ├── CallerError              4xx: the call cannot be read; sending it again will not help
    ├── Refusal                  403: policy said no (raised only at the edge of the conductor)
    ├── UpstreamError            502, 504: the model server failed us
    └── OwnError                 503: we failed; Retry-After is sent, and nothing was let through

`code` is stable UPPER_SNAKE and documented in docs/reason-codes.md (a test holds it). `advice` tells the reader what
to do. Neither ever contains a caller's text. `proxy/answer.py` is the only place that turns these into responses.
"""

from __future__ import annotations


class SidecarError(Exception):
    """A fault with a stable code. `retry` says whether the same call may succeed later."""

    status = 500
    retry = False
    retry_after: str | None = None
    """Seconds or a date, where the upstream has said them (RFC 9110 10.2.3)."""

    def __init__(self, code: str, advice: str, *, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.advice = advice
        if status is not None:
            self.status = status


class CallerError(SidecarError):
    status = 400


class Refusal(SidecarError):
    status = 403


class UpstreamError(SidecarError):
    status = 502


class OwnError(SidecarError):
    status = 503
    retry = True


def as_error(fault: Exception) -> SidecarError:
    """A fault as the error it is answered with. What is not ours to name says nothing but INTERNAL."""
    if isinstance(fault, SidecarError):
        return fault
    error = OwnError("INTERNAL", "The sidecar failed; nothing was let through. Try again, and look at its log.")
    error.__cause__ = fault
    return error


def cause_of(error: BaseException | None) -> BaseException | None:
    """The exception for which an error with a code was raised, also `from None`; None where the code says it all."""
    while isinstance(error, SidecarError):
        error = error.__cause__ or error.__context__
    return error
