"""What restoring costs per streamed chunk: `python tests/benchmarks/bench_restore.py [--exchanges N]`.

Bar: 2 microseconds per chunk without a surrogate in it; best of many runs, on a core that others may be using.
`--exchanges` also runs that many random hostile exchanges, of about ten streams each, and counts what went wrong.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.model import Channel, Finding, Part, Place, RedactMode, Role
from sidecar.redaction import LIFELIKE, NUMBERED, Restorer, Style, Vault, redact
from tests.redaction.streams import faults

TEXT = Channel(0, "content")
JSON = Channel(0, "tool_calls.arguments", 0, True)
RULES = {"*": RedactMode.SURROGATE}

PROSE = """The quarterly review went well, and the team in Lisbon agreed to the plan. Please send the revised figures
before Friday; if anything is unclear, I am happy to go through them on the phone. OK? The API returned 200. """
HTML = "<div class='a'><p>if (a < b && c > d) { return x << 2; }</p></div>\n"
CODE = 'def MAX_SIZE_2(self, PE: int) -> dict[str, int]:\n    return {"a\\n": self.PORT_1}\n'
JSON_TEXT = '{"to": "the customer", "body": "Dear \\"sir\\",\\nthank you for your letter.", "n": [1, 2, 3]}'
VALUES = {
    "Anna Smith": "PERSON",
    "Bob Jones": "PERSON",
    "anna@corp.internal": "EMAIL_ADDRESS",
    "+49 30 1234567": "PHONE_NUMBER",
    "DE89370400440532013000": "IBAN_CODE",
}


def part(text: str) -> Part:
    return Part(place=Place(path=("messages", 0), label="messages[0].content"), role=Role.USER, text=text)


def findings(made: Part) -> list[Finding]:
    return [
        Finding(place=made.place, start=found.start(), end=found.end(), entity=entity, score=1.0, detector="bench")
        for value, entity in VALUES.items()
        for found in re.finditer(re.escape(value), made.text)
    ]


def vault(style: Style = NUMBERED) -> Vault:
    made = part(" and ".join(VALUES))
    return redact([made], findings(made), RULES, style=style).vault


def tokens(text: str, seed: int = 1) -> list[str]:
    """The text in chunks as a model streams it: words and signs of about four code points."""
    source = random.Random(seed)
    return [piece for word in re.findall(r"\s?\w{1,12}|[^\w]", text) for piece in halves(word, source)]


def halves(word: str, source: random.Random) -> list[str]:
    middle = len(word) // 2
    return [word[:middle], word[middle:]] if len(word) > 7 and source.random() < 0.6 else [word]


def best(run: Callable[[], object], runs: int = 7) -> float:
    """Seconds of processor time, to which other programs add less than to that of the clock."""
    return min(timeit.repeat(run, timer=time.process_time, number=1, repeat=runs))


def per_chunk(made: Vault, chunks: Sequence[str], channel: Channel) -> float:
    """Microseconds per chunk, a stream of about 20,000 of them."""
    stream = list(chunks) * (20_000 // len(chunks))

    def run() -> None:
        restorer = Restorer(made)
        feed = restorer.feed
        for chunk in stream:
            feed(channel, chunk)
        restorer.finish(channel)

    return best(run) / len(stream) * 1e6


def streams() -> None:
    plain, lifelike = vault(), vault(LIFELIKE)
    surrogate = tokens("Dear <PERSON_1>, I wrote to <EMAIL_ADDRESS_1> today. ")
    rows = [
        ("empty vault, prose", Vault(), tokens(PROSE), TEXT),
        ("prose", plain, tokens(PROSE), TEXT),
        ("prose, JSON output", plain, tokens(PROSE), JSON),
        ("tool arguments", plain, tokens(JSON_TEXT), JSON),
        ("code", plain, tokens(CODE), TEXT),
        ("HTML and comparisons", plain, tokens(HTML), TEXT),
        ("prose, code point by code point", plain, list(PROSE), TEXT),
        ("surrogates: 2 in every 12 words", plain, surrogate, TEXT),
        ("surrogates, JSON", plain, surrogate, JSON),
        ("lifelike vault, prose", lifelike, tokens(PROSE), TEXT),
        ("only `<`, one by one", plain, ["<"], TEXT),
    ]
    print(f"{'us per chunk':<36}")
    for name, made, chunks, channel in rows:
        print(f"{name:<36}{per_chunk(made, chunks, channel):8.2f}")


def wholes() -> None:
    made = vault()
    rows = [
        ("1 MB of prose in one chunk", PROSE * (1_000_000 // len(PROSE))),
        ("1 MB of `<` in one chunk", "<" * 1_000_000),
        ("1 MB of `<PERSON_` in one chunk", "<PERSON_" * 125_000),
        ("1 MB of A in one chunk", "A" * 1_000_000),
        ("1 MB of A_ in one chunk", "A_" * 500_000),
        ("1 MB of backslashes in one chunk", "\\" * 1_000_000),
        ("1 MB of // in one chunk, then a name", "//" * 500_000 + "<PERSON_1>"),
        ("1 MB of quotes in JSON, then a name", '"' * 999_999 + "<PERSON_1>"),
    ]
    print(f"\n{'ms per megabyte':<40}")
    for name, text in rows:
        print(f"{name:<40}{best(lambda text=text: Restorer(made).feed(JSON, text), 3) * 1e3:8.1f}")


def requests() -> None:
    print(f"\n{'redact, us':<36}")
    three = "Please write to Anna Smith at anna@corp.internal or call +49 30 1234567. "
    for name, text in (
        ("1 KB of prose, 3 values", three + PROSE * 4),
        ("32 KB of prose, 3 values", three + PROSE * 150),
        ("32 KB of code, 3 values", three + CODE * 400),
        ("1 KB, a value every 40", "Anna Smith wrote Bob Jones this morning. " * 25),
    ):
        made = part(text)
        found = findings(made)
        print(f"{name:<36}{best(lambda made=made, found=found: redact([made], found, RULES), 30) * 1e6:8.0f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--exchanges", type=int, default=0)
    count = options.parse_args().exchanges
    streams()
    wholes()
    requests()
    if count:
        wrong = sum(1 for seed in range(count) for _ in faults(seed))
        print(f"\n{count} random exchanges of about ten streams, {wrong} errors")


if __name__ == "__main__":
    main()
