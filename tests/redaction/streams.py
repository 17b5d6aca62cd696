"""Random hostile streams, checked against the same text read whole. Used by the tests and by bench_restore.py."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from sidecar.model import Channel, PlaceKind
from sidecar.redaction import LIFELIKE, NUMBERED, Redaction, Restorer, keyed, redact
from tests.redaction.kit import ALL, JSON, TEXT, counts, cut, edited, hostile, request, stream

STYLES = (NUMBERED, NUMBERED, LIFELIKE, keyed(b"0123456789abcdef"))


def faults(seed: int) -> Iterator[str]:
    """What is wrong with one random exchange, in about ten streams: nothing, one hopes."""
    source = random.Random(seed)
    parts, findings = request(source)
    redaction = redact(parts, findings, ALL, style=source.choice(STYLES))
    texts = edited(parts, redaction.edits)
    for part, new in zip(parts, texts, strict=True):
        restorer = Restorer(redaction.vault)
        like_json = part.text.lstrip().startswith(("{", "[", "`"))
        if not like_json and stream(restorer, cut(source, new)) != part.text and not restorer.withheld:
            yield f"round trip of {part.text!r} as {new!r}"
        if part.place.kind is not PlaceKind.IDENTIFIER and not like_json:
            yield from _json_faults(source, redaction, part.text, new)
    reply = hostile(source, 14, [text for text in texts if len(text) < 80] * 2)
    document = json.dumps({"a": reply, "b": [reply]}, ensure_ascii=source.random() < 0.5)
    fenced = f"```json\n{document}\n```\n{reply}"
    yield from _differences(source, redaction, source.choice([reply, reply, document, fenced]), TEXT)
    yield from _differences(source, redaction, source.choice([reply, document]), JSON)


def spell(source: random.Random, value: object) -> str:
    """A JSON text as some writer spells it."""
    text = json.dumps(value, ensure_ascii=source.random() < 0.5)
    if source.random() < 0.5:
        text = text.replace("<", "\\u003c").replace(">", "\\u003e")
    return text


def _json_faults(source: random.Random, redaction: Redaction, old: str, new: str) -> Iterator[str]:
    nested = source.random() < 0.4
    document = spell(source, {"k": new})
    if nested:
        document = spell(source, {"in": document})
    got = stream(Restorer(redaction.vault, guard=False), cut(source, document), JSON)
    value = json.loads(got)
    if nested:
        value = json.loads(value["in"])
    if value["k"] != old:
        yield f"{document!r} gave {got!r}"


def _differences(source: random.Random, redaction: Redaction, reply: str, channel: Channel) -> Iterator[str]:
    """Cut anyhow, a reply gives the same text and counts as whole, and no more is held than may be."""
    whole = Restorer(redaction.vault)
    expected = stream(whole, [reply], channel)
    for pieces in (list(reply), cut(source, reply, 20)):
        restorer = Restorer(redaction.vault)
        got = stream(restorer, pieces, channel)
        if got != expected or counts(restorer) != counts(whole):
            yield f"{channel} {reply!r} gave {expected!r} whole and {got!r} as {pieces!r}"
