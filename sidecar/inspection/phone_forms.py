"""How phone numbers are written, and what looks like one: dates, sums, versions, running numbers, postcodes."""

from __future__ import annotations

import re

CANDIDATE = re.compile(r"(?:\+|\(\+?|00)?[0-9](?:[ \u00a0.\-/()\u2010-\u2015\u202f]{0,3}[0-9]){6,17}(?!\d)")
EXTENSION = re.compile(
    r"[ \u00a0]?(?:,[ ]?)?(?:x|ext\.?|extension|poste|durchwahl|#)[ :.]{0,2}\d{1,6}(?![^\W_])", re.IGNORECASE
)
DATE = re.compile(
    r"\d{4}([-./] ?)(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])(?!\d)"
    r"|[0-3]?\d([-./] ?)[0-3]?\d\2(?:(?:19|20)\d\d|\d\d)(?![-./]?\d)"
)
CLOCK = re.compile(
    r"^(?:19|20)\d\d [+-]\d{4}$|^(?:19|20)\d\d ?[-\u2013/] ?(?:19|20)\d\d$"
    r"|(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)"
)
"""The end of a date in a log of git, `2022 -0700`; from year to year; a date among other figures."""
SPACED_DAY = re.compile(r"[0-3]\d [01]\d (?:19|20)\d\d")
FRACTION = re.compile(r"[1-9]\d{2,5}/\d{4,}")
"""`1565/92720`: what is counted of what."""
UNIT = re.compile(
    r"[ \u00a0]?(?:[%€$£¥]|(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|euros?|Euro|dollars?|zł|kr|Kč|Ft|[kMG]B|bytes)(?!\w))"
)
PARTED = re.compile(r"[-+./\u2013]")
"""One of these stands in every date, time and year."""
SPAN_OF_DAYS = re.compile(r"\d\d?([./])[0-3]?\d\1?(?:\d{2,4})? ?[-\u2013] ?\d\d?\1[0-3]?\d(?:\1|(?!\d))")
"""`04.08.-08.08.2025`, `01/15/2026-01/19/2026`."""
FIGURES = re.compile(r"\.(?:[. ]|\d+[ /]|(?<=\d\.)\d{3}(?!\S))|0(?<![\d.]0)\.\d| (?:/ |\d+\.\d)|/\d+\.\d")
"""Thousands, decimals, sums, lists of figures: what dots and slashes mean in tables rather than in phone numbers. Each
alternative begins with a character of its own, so that a search skips all others."""
OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
QUAD = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}(?![.\d])")
DECIMAL = re.compile(r"\d+[.,]\d+(?!\S)")
TRUNKED = re.compile(r"0\d{1,5}\.\d+")
"""`06.12345678`, `0664.123456`: no decimal is written so."""
ITALIAN = re.compile(r"3\d\d\.\d{6,7}")
"""`347.1234567`: a mobile number in Italy, or a decimal: right behind a word for it."""
SLASHED = re.compile(
    r"\(?0(?: ?\d{2}){0,2}\d{0,2}\)?(?: / (?!(?:19|20)\d\d(?!\d))|/)"
    r"(?:\d(?: \d\d){2,3}|\d{2,3}(?:[. ]\d\d){2,3}|\d{2,4}(?: \d{2,4}){1,3}|\d{5,8})(?: ?- ?\d{1,4})?"
)
"""`0475/12.34.56`, `02/123.45.67` as in Belgium, `0171 / 123 45 67`, `040 / 35 74 21-0`: area code, slash, groups, an
extension; no sum, no month."""
HTTP_STATUS = re.compile(r"HTTP/[\d.]{1,3}\" \Z")
"""What a web server logs behind a request: `200 2326`."""
RUNNING = re.compile(
    r"(?:19|20)\d\d[-/.]\d{3,7}(?:[-/.]\d{1,5})?|[1-9]\d{1,6}/(?:19|20)\d\d|[1-9]\d/\d{5,8}(?:/\d\d?)?"
    r"|20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
)
"""`2024-000123`, `12345/2025`, `25/0098123`: a year and a running number, of an invoice or an order; `20260312`."""
NORTH_AMERICAN = re.compile(r"(?:(?:\+|00)?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
"""The written form of the North American plan, whatever its area code: people and generators mistype area codes."""
SSN_FORM = re.compile(r"\d{3}-\d\d-\d{4}")
SPACED_FORM = re.compile(r"\d{3} \d{3} \d{3}|\d{3} \d\d \d\d \d\d|\d\d \d{3} \d\d \d\d|\d\d \d\d \d\d \d\d")
"""How Spain, Poland, Portugal, Denmark write numbers without a trunk prefix."""
ZIP, STATE = re.compile(r"\d{5}-\d{4}"), re.compile(r"(?<![A-Z])[A-Z]{2},?[ ]{1,5}\Z")
"""`MA 02110-1301`."""
GROUPED = re.compile(r"0\d{1,4}[ /-]\d{5,8}|\d{3}-\d{3}-\d{4}")
"""Written as few figures are, so that another may follow: `0171 1234567`, `415-555-2671`."""
TRUNK = re.compile(r"(?<=[ /])0[1-9]")
"""Where another number may begin."""
