"""The Gate: what may leave when, and that nothing leaves unjudged, out of order, twice or half masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import UpstreamError
from sidecar.model import (
    Call,
    Channel,
    Decision,
    Delta,
    Duties,
    Finding,
    Inspection,
    Operation,
    Part,
    RedactMode,
    Release,
    ReleaseMode,
    ReplyEvent,
    ReplyFacts,
    Verdict,
)
from sidecar.redaction import Restorer, Vault
from sidecar.relay import Judgement, Relay
from sidecar.stream import REREAD, Gate
from sidecar.testing import ALLOW, ScriptedReply
from tests.exchange.kit import MASK, SSE, WINDOWED, Stage, obliged, question

HOLD = 20
WINDOWS = Release(ReleaseMode.WINDOWED, HOLD)
DUTIES = Duties(redact={"*": RedactMode.MASK})
VALUE = re.compile(r"#\d{8}#|(?<=pin )\d{4}")
"""What the judge of these tests finds; the second only behind its word."""

CONTENT = Channel(0, "content")
OTHER = Channel(1, "content")
THOUGHTS = Channel(0, "reasoning_content")
NAME, ARGUMENTS = Channel(0, "tool_calls.name"), Channel(0, "tool_calls.arguments")

Said = tuple[Channel, str]


class Plain:
    """A reader whose events are bytes already; a rewritten one shows its new text."""

    def feed(self, data: bytes) -> list[ReplyEvent]:
        raise AssertionError(data)

    def finish(self) -> list[ReplyEvent]:
        return [ReplyEvent(b"", (), True)]

    def ends(self, event: ReplyEvent) -> tuple[int, ...]:
        return ()

    def rewrite(self, event: ReplyEvent, texts: Sequence[str]) -> bytes:
        return orjson.dumps([event.deltas[0].slot, *texts]) + b"\n"

    def carry(self, channel: Channel, text: str) -> bytes:
        raise AssertionError(channel, text)

    def facts(self) -> ReplyFacts:
        return ReplyFacts()


class Listening:
    """A Relay, what it let go of when, and what it had judged."""

    def __init__(self, release: Release = WINDOWS) -> None:
        self.reader, vault = Plain(), Vault()
        self.judged: list[str] = []
        self.in_windows = 0
        self.out: list[bytes] = []
        self.relay = Relay(
            call=Call(operation=Operation.CHAT, model="m", choices=9),
            reader=self.reader,
            vault=vault,
            restorer=Restorer(vault),
            release=release,
            judge=self.judge,
        )

    async def judge(self, parts: Sequence[Part], goes_on: bool) -> Judgement:
        self.judged += [part.text for part in parts]
        self.in_windows += sum(len(part.text) for part in parts) if goes_on else 0
        found = [
            Finding(part.place, *hit.span(), "VALUE", 1.0, "test")
            for part in parts
            for hit in VALUE.finditer(part.text)
        ]
        inspection = Inspection(findings=tuple(found), detectors=())
        return Judgement(inspection, Decision(verdict=Verdict.ALLOW, duties=DUTIES))

    async def hear(self, said: Iterable[Said]) -> int:
        """Feed it all, one event each; returns how many had left before the end."""
        for number, (channel, text) in enumerate(said):
            event = ReplyEvent(orjson.dumps([number, text]) + b"\n", (Delta(channel, text, number),))
            self.reader.feed = lambda _, event=event: [event]  # type: ignore[method-assign,misc]
            self.out.append(await self.relay.feed(b""))
        early = b"".join(self.out).count(b"\n")
        self.out += [await self.relay.finish(), *self.relay.tail]
        return early

    def events(self) -> list[tuple[int, str]]:
        return [tuple(orjson.loads(line)) for line in b"".join(self.out).splitlines()]

    def text(self, said: Sequence[Said], channel: Channel) -> str:
        return "".join(text for number, text in self.events() if said[number][0] == channel)


def words(channel: Channel, count: int, word: str = "word ") -> list[Said]:
    return [(channel, word)] * count


def interleaved(*runs: Sequence[Said]) -> list[Said]:
    return [piece for pieces in zip(*runs, strict=True) for piece in pieces]


def pieces(channel: Channel, text: str, size: int = 3) -> list[Said]:
    return [(channel, text[at : at + size]) for at in range(0, len(text), size)]


LONG = words(CONTENT, 1000)
REPLIES = {
    "one channel": (1, LONG),
    "a short thought first": (1, [(THOUGHTS, "Let me think."), *LONG]),
    "a long thought first": (1, [*words(THOUGHTS, 1000), *LONG]),
    "a tool's name, then its arguments": (1, [(NAME, "get_weather"), *words(ARGUMENTS, 1000)]),
    "a short second choice": (1, [(OTHER, "No."), *LONG]),
    "two choices in turn": (2, interleaved(LONG, words(OTHER, 1000))),
    "a hundred choices in turn": (100, interleaved(*(words(Channel(n, "content"), 40) for n in range(100)))),
    "many short calls": (1, [piece for n in range(200) for piece in words(ARGUMENTS._replace(item=n), 2)]),
    "two channels in turn": (2, interleaved(words(THOUGHTS, 1000, "so"), words(CONTENT, 1000, "I "))),
    "empty deltas between": (1, interleaved(LONG, [(OTHER, "")] * 1000)),
}
"""How many channels speak at once, and the reply."""


@pytest.mark.parametrize(("at_once", "said"), REPLIES.values(), ids=REPLIES)
async def test_a_long_reply_leaves_in_windows_and_costs_no_more_than_its_length(at_once: int, said: list[Said]) -> None:
    listening = Listening()

    early = await listening.hear(said)

    assert sum(len(text) for _, text in said[early:]) <= 3 * HOLD * at_once, "too much was kept for the end"
    assert [number for number, _ in listening.events()] == list(range(len(said)))
    assert listening.in_windows <= REREAD * sum(len(text) for _, text in said)


async def test_a_value_that_is_longer_than_many_windows_costs_no_more() -> None:
    """No line can be drawn through it, so it is held; judging it again with each `hold` would be quadratic."""
    gate, judged = Gate(WINDOWS), 0
    for number in range(20_000):
        gate.feed([ReplyEvent(b"x", (Delta(CONTENT, "x" * 5, number),))])
        if gate.due():
            judged += len(gate.texts()[CONTENT])
            whole = Finding(None, 0, len(gate.texts()[CONTENT]), "KEY", 1.0, "test")  # type: ignore[arg-type]
            assert gate.release({CONTENT: [whole]}, final=False) == 0

    assert judged <= REREAD * 100_000


@pytest.mark.parametrize("gap", range(0, 3 * HOLD, 3))
@pytest.mark.parametrize("before", [[], [(THOUGHTS, "Let me think.")]], ids=["alone", "behind a thought"])
async def test_a_value_across_the_line_is_masked_whole(gap: int, before: list[Said]) -> None:
    text = "w" * gap + " it is #12345678# and the pin 4321 too " + "z" * 60
    said = [*before, *pieces(CONTENT, text)]
    listening = Listening()

    await listening.hear(said)

    assert listening.text(said, CONTENT) == "w" * gap + " it is <VALUE> and the pin <VALUE> too " + "z" * 60


@pytest.mark.parametrize("shift", range(0, 30, 2))
async def test_the_line_of_one_choice_parts_no_value_of_another(shift: int) -> None:
    """Events leave in order: a line in one choice stands anywhere in the other."""
    texts = {CONTENT: "ab#12345678#c" * 12, OTHER: "z" * shift + "#87654321#, " * 13}
    longest = max(map(len, texts.values())) // 3
    said = [
        piece
        for at in range(longest + 1)
        for channel, text in texts.items()
        if (piece := (channel, text[3 * at : 3 * at + 3]))[1]
    ]
    listening = Listening()

    await listening.hear(said)

    assert listening.text(said, CONTENT) == "ab<VALUE>c" * 12
    assert listening.text(said, OTHER) == "z" * shift + "<VALUE>, " * 13


async def test_of_a_value_that_is_taken_up_again_the_rest_is_masked() -> None:
    """Its beginning left while the channel was silent. Judging still sees all of it."""
    said = [(CONTENT, "it is #1234"), *words(THOUGHTS, 30), (CONTENT, "5678#, yes"), *words(CONTENT, 20)]
    listening = Listening()

    await listening.hear(said)

    assert listening.text(said, CONTENT) == "it is #1234<VALUE>, yes" + "word " * 20
    assert any("#12345678#" in text for text in listening.judged)


@pytest.mark.parametrize("shift", range(0, 60, 2))
async def test_a_channel_is_not_silent_while_others_take_turns(shift: int) -> None:
    """Between two of its words thirty others say more than `hold` together, none of them alone."""
    first = pieces(CONTENT, "z" * shift + "it is #12345678#, and so on and so on and so on", 2)
    others = [[(Channel(n, "content"), "ab")] * len(first) for n in range(1, 31)]
    said = interleaved(first, *others)
    listening = Listening()

    await listening.hear(said)

    assert listening.text(said, CONTENT) == "z" * shift + "it is <VALUE>, and so on and so on and so on"


WORDS = ["word ", "#12345678#", "#87654321#", "x", " and so on ", ""]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=25).map("".join)


@st.composite
def replies(draw: st.DrawFn) -> list[Said]:
    """A few channels' texts, cut and mixed at will."""
    channels = draw(st.lists(st.sampled_from([CONTENT, OTHER, THOUGHTS, NAME, ARGUMENTS]), min_size=1, unique=True))
    left = {channel: draw(TEXTS) for channel in channels}
    said = []
    while left:
        channel = draw(st.sampled_from(list(left)))
        size = draw(st.integers(0, 12)) * draw(st.sampled_from([1, 1, 1, 10]))
        said.append((channel, left[channel][:size]))
        left[channel] = left[channel][size:]
        if not left[channel]:
            del left[channel]
    return said


def taken_up(said: Sequence[Said]) -> bool:
    """Whether any channel goes on after `HOLD` code points of one choice without it."""
    since: dict[Channel, dict[int, int]] = {}
    for channel, text in said:
        if text and max(since.get(channel, {0: 0}).values(), default=0) >= HOLD:
            return True
        for choices in since.values():
            choices[channel.choice] = choices.get(channel.choice, 0) + len(text)
        if text:
            since[channel] = {}
    return False


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(replies())
async def test_however_channels_alternate(said: list[Said]) -> None:
    listening = Listening()

    await listening.hear(said)

    assert [number for number, _ in listening.events()] == list(range(len(said)))
    assert listening.in_windows <= REREAD * sum(len(text) for _, text in said)
    for channel in {channel for channel, _ in said}:
        whole = "".join(text for each, text in said if each == channel)
        got = listening.text(said, channel)
        assert not VALUE.search(got)
        if not taken_up(said):
            assert got == VALUE.sub("<VALUE>", whole)


def test_what_to_do_when_too_much_is_held() -> None:
    """Who judges in windows already is not told to."""
    for mode, advice in ((ReleaseMode.WINDOWED, "shorter hold"), (ReleaseMode.WHOLE, "judge it in windows")):
        with pytest.raises(UpstreamError, match="GATE_OVERFLOW") as raised:
            Gate(Release(mode, HOLD), limit=10).feed([ReplyEvent(b"x" * 11)])
        assert advice in raised.value.advice


def chunk(choice: int, **delta: str) -> bytes:
    return b"data: %b\n\n" % orjson.dumps({"id": "c", "choices": [{"index": choice, "delta": delta}]})


@pytest.mark.parametrize(
    "first",
    [chunk(0, reasoning_content="Let me think."), chunk(1, content="No.")],
    ids=["a thought", "a second choice"],
)
async def test_the_caller_reads_while_the_model_still_speaks(first: bytes) -> None:
    said = [chunk(0, content=text) for text in ["It is ", "bob@", "corp.internal ", *["and so on "] * 30]]
    end = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[first, *said, end]),
        answers={"request": obliged(WINDOWED), "response": MASK, "response_window": MASK},
    )

    await stage.run(question("hi", stream=True))

    assert stage.steps.count("write") > 10
    assert b"corp.internal" not in stage.answer.body
    assert b"<EMAIL_ADDRESS>" in stage.answer.body


async def test_the_record_of_a_reply_in_windows_holds_all_findings_and_no_value() -> None:
    """Guarantee 4: the stated rationale is masked window by window, and each finding is counted once."""
    thought = ["so bob@corp.internal asks. ", *["and so on "] * 30, "Then al@corp.internal", *[" and more "] * 30]
    said = [chunk(0, reasoning_content=text) for text in thought] + [chunk(0, content="ok")]
    end = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    answers = {"request": obliged(WINDOWED), "response": ALLOW, "response_window": ALLOW}
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[*said, end]), answers=answers)

    await stage.run(question("hi", stream=True))

    (outcome,) = stage.record.outcomes
    assert outcome.reply_findings == {"EMAIL_ADDRESS": 2}
    assert outcome.rationale is not None
    assert outcome.rationale.count("<EMAIL_ADDRESS>") == 2
    assert "@" not in outcome.rationale
