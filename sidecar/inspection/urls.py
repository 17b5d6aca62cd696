"""URLs that carry a secret or a person: userinfo, or a query that names a token, key, password, e-mail or session.

Other URLs are no personal data, and Presidio's URL recogniser has 321 false hits in 136 KB of Python. In strict
mode every URL with a scheme counts.
"""

from __future__ import annotations

import re

from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

SCHEME_REVERSED = re.compile(r"[A-Za-z0-9+.-]{0,30}[A-Za-z](?![A-Za-z])")
REST = re.compile(r"[^\s\"'<>`\\^{|}\u00a0\u201c\u201d\u3000]+")
USERINFO = re.compile(r"[^/?#@\s]{1,256}@[^/?#\s]")
PLACEHOLDER = re.compile(r"(?:\$|%[A-Z_]|\{|<|\*{2,}|x{3,}|\.{3})", re.IGNORECASE)
SECRET_QUERY = re.compile(
    r"[?&#;](?:[a-z0-9]+[_.-])*(?:token|apikey|api[_-]?key|key|secret|password|passwd|pwd|pass|sig|signature|auth|authorization|session"
    r"|sessionid|sid|jwt|code|otp|credential|email|e-?mail|user|username|login|phone|ssn|dob|name)=[^&#\s]{3}",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}*_"
DETECTOR = "rules/url"


def urls(text: str, *, every: bool) -> list[Span]:
    found: list[Span] = []
    after = 0
    for slashes in places(text, "://"):
        scheme = SCHEME_REVERSED.match(text[max(after, slashes - 31) : slashes][::-1])
        rest = REST.match(text, slashes + 3) if scheme else None  # or each `://` within a URL would read all of it
        if scheme is None or rest is None:
            continue
        start, after = slashes - scheme.end(), _trimmed(text, slashes + 3, rest.end())
        if every or _is_personal(text[slashes + 3 : after]):
            found.append(Span(start, after, "URL", 1.0, DETECTOR, Strength.PROVEN))
    return found


def _is_personal(rest: str) -> bool:
    if USERINFO.match(rest):
        return True
    return "=" in rest and SECRET_QUERY.search(rest) is not None


def _trimmed(text: str, start: int, end: int) -> int:
    """Without the punctuation of the sentence it stands in; a closing bracket stays if it was opened inside."""
    while end > start and text[end - 1] in TRAILING:
        if text[end - 1] == ")" and "(" in text[start:end]:
            break
        end -= 1
    return end
