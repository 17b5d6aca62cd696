"""Real text that this project did not write, labelled by hand for the scorecard: `names_real/*.txt`, never trained on.

The text is not shipped: it is that of two Debian packages, freeciv-data 3.0.6 (GPL-2+; what the game's translators
write of 500 peoples and states) and debian-history 2.28 (GPL-2+; the history of a software project). Unpack both into
one folder (`apt-get download freeciv-data debian-history`, `dpkg -x FILE DIR`) and name it with `--texts DIR`.

A label line is the paragraph's digest and its spans, `P:12-24` (P person, L location, O organization; offsets in code
points, end exclusive). Labelled after the manner of CoNLL and WikiNEuRal, blind to what any model said of it: titles
stay outside a name, peoples, languages, products, wars and treaties are none. In `LANG.seen.txt`, half of it, the
errors of names-2 and names-3 were looked at before the next templates were written; nobody looked at those of the
others.
"""

from __future__ import annotations

import gettext
import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent / "names_real"
KINDS = {"P": "PERSON", "L": "LOCATION", "O": "ORGANIZATION"}
GAME = "usr/share/locale/{lang}/LC_MESSAGES/freeciv-{part}.mo"
HISTORY = "usr/share/doc/debian-history/docs/{part}.{lang}.html"
PARAGRAPH = re.compile(r"<(p|dd)>(.*?)</\1>", re.DOTALL)

Gold = tuple[str, list[tuple[int, int, str]]]


def read(texts: Path) -> dict[str, list[Gold]]:
    """Return the labelled paragraphs by set. Raises SystemExit where a labelled paragraph is not in the folder."""
    sets = {}
    for path in sorted(HERE.glob("*.txt")):
        lang, seen = path.name[:2], ".seen." in path.name
        known = {digest(text): text for text in paragraphs(texts, lang)}
        lines = [line.split() for line in path.read_text("utf-8").splitlines()]
        missing = sum(line[0] not in known for line in lines)
        if missing:
            raise SystemExit(f"{missing} of {len(lines)} paragraphs ({lang}) are not in {texts}: see names_real.py.")
        sets[f"{lang} real text{', looked at' * seen}"] = [
            (known[line[0]], [_span(mark) for mark in line[1:]]) for line in lines
        ]
    return sets


def digest(text: str) -> str:
    """Return the first 16 hex digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def paragraphs(texts: Path, lang: str) -> Iterator[str]:
    """Yield every paragraph of both packages in one language, white space made single."""
    for part in ("nations", "core"):
        path = texts / GAME.format(lang=lang, part=part)
        if path.is_file():
            with path.open("rb") as file:
                catalogue: dict[object, object] = vars(gettext.GNUTranslations(file))["_catalog"]
            yield from (_clean(text) for text in catalogue.values() if isinstance(text, str))
    for part in ("detailed", "leaders", "intro", "releases"):
        path = texts / HISTORY.format(lang=lang, part=part)
        if path.is_file():
            for found in PARAGRAPH.finditer(path.read_text("utf-8")):
                yield _clean(html.unescape(re.sub("<[^>]+>", "", found[2])))


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u200b", "")).strip()


def _span(mark: str) -> tuple[int, int, str]:
    kind, _, place = mark.partition(":")
    start, _, end = place.partition("-")
    return int(start), int(end), KINDS[kind]
