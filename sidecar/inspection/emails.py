"""E-mail addresses, from the '@' outwards.

Presidio drops every address whose domain is not on the public suffix list (`bob@corp.internal`, `x@intranet`) and
fetches that list over the network on first use. Here structure decides; what code writes with
an '@' (package versions, retina images, matrix products, decorators) is told apart by what stands around it.
"""

from __future__ import annotations

import re

from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

LOCAL_REVERSED = re.compile(r"[\w!#$%&'*+/=?^`{|}~-](?:[\w!#$%&'*+/=?^`{|}~.-]{0,62}[\w!#$%&*+/?^`|~-])?")
"""RFC 5321 4.5.3.1.1: at most 64 octets. Read backwards, so it may not begin (hence end) with a dot, nor reach back to
a quote, brace or '=' that belongs to the text around it."""
ASSIGNED = re.compile(r"(?:.*[&?;])?(?:[a-z_]\w{0,39}|e-mail|[a-z]{1,20}\.e?mail)=['`]*(?=[^=]+$)", re.IGNORECASE)
"""`email=` of a form, a log or a query. The `=` of a bounce's address stands behind somebody's name, as in
`bounces-anna=example.com@lists.example.org` (variable envelope return path, SRS, BATV): that goes whole."""
TAGS = ("prvs=", "srs0=", "srs1=")
PARTING = re.compile(r"[|^~*](?=[^|^~*]*\Z)")
"""Marks that an address may hold, and hardly one does: they part fields of records (`|Anna|a@b.example`, HL7, X12)."""
DOMAIN = re.compile(r"(?:\[[0-9A-Fa-f.:]{2,45}\]|\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)*)")
NUMERIC = re.compile(r"(?!\d+\.(?:com|net|org|cn|de|fr|pl|se)\Z)v?\d+(?:\.\w+)*(?:-\w+)*")
"""A version of a package; `163.com` is a provider."""
COMMIT = re.compile(r"(?=[a-f]*\d)[0-9a-f]{6,40}")
QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "avif", "js", "css", "mjs", "ts", "tgz"})
DIGESTS = frozenset({"sha256", "sha384", "sha512"})
"""Of an image: `registry/app:1.24.3@sha256:...`."""
DETECTOR = "rules/email"


def emails(text: str) -> list[Span]:
    found: list[Span] = []
    floor = 0
    for at in places(text, "@"):
        start, end = _local(text, at, floor), _domain(text, at + 1)
        if start < at and end > at + 1 and (score := _score(text, start, at, end)):
            found.append(Span(start, end, "EMAIL_ADDRESS", score, DETECTOR, Strength.PROVEN))
            floor = end
    return found


def _local(text: str, at: int, floor: int) -> int:
    match = LOCAL_REVERSED.match(text[max(floor, at - 64) : at][::-1])
    if match is None:
        return at
    start = at - match.end()
    parting = PARTING.search(text, start, at)
    start = parting.end() if parting else start
    while start < at and not text[start].isalnum() and text[start] != "_":
        start += 1
    local = text[start:at]
    key = ASSIGNED.match(local) if "=" in local and not local.lower().startswith(TAGS) else None
    return start + key.end() if key else start


def _domain(text: str, start: int) -> int:
    match = DOMAIN.match(text, start)
    return match.end() if match else start


def _score(text: str, start: int, at: int, end: int) -> float:
    """0 for what is not an address."""
    domain = text[at + 1 : end]
    after = text[end : end + 1]
    if after == "@" or after == "(" or text[at - 1] == "/" or (text[start:at] == "git" and after == ":"):
        return 0.0
    last = domain.rpartition(".")[2].lower()
    if domain[0] == "[" or (last.isdecimal() and QUAD.fullmatch(domain)):
        return 1.0
    if last in FILES or last in DIGESTS or last.isdecimal() or len(last) < 2:
        return 0.0
    if (domain[0] == "v" or domain[0].isdecimal()) and NUMERIC.fullmatch(domain):
        return 0.0
    if "." in domain:
        return 1.0
    return 0.0 if "/" in text[start:at] or COMMIT.fullmatch(domain) else 0.6
