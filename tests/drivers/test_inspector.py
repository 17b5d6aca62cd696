"""The Inspect port over the real worker processes: long texts, caching, faults, deadlines."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.dialects.routes import match
from sidecar.drivers.inspector import INLINE, Inspector
from sidecar.drivers.inspector_pool import WorkerFailed
from sidecar.drivers.inspector_queue import IN_A_ROW, Slots
from sidecar.drivers.inspector_worker import Plan, plan_from_json
from sidecar.errors import OwnError, cause_of
from sidecar.inspection.catalogue import Mode, Settings
from sidecar.model import Channel, Part, Place, PlaceKind, Role
from sidecar.relay import reply_parts


class Stopped:
    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0


def part(text: str, label: str = "messages[0].content") -> Part:
    return Part(place=Place(path=("x",), label=label), role=Role.USER, text=text)


def inspector(**more: object) -> Inspector:
    return Inspector(secret=b"s" * 32, clock=Stopped(), **{"names": False, **more})  # type: ignore[arg-type]


LONG = "\n\n".join(
    f"Line {i}: write to user{i}@corp.internal about it, please. {'lorem ipsum ' * 20}" for i in range(40)
)


@pytest.fixture
async def shared() -> AsyncIterator[Inspector]:
    made = inspector(deadline_s=5.0)
    yield made
    await made.close()


async def test_short_and_long_texts_give_findings_in_order(shared: Inspector) -> None:
    found = await shared.inspect([part("a@b.example", "one"), part(LONG, "two"), part("nothing", "three")])
    assert [f.place.label for f in found.findings] == ["one"] + ["two"] * 40
    spans = [LONG[f.start : f.end] for f in found.findings[1:]]
    assert spans == [f"user{i}@corp.internal" for i in range(40)]
    assert "PERSON" in found.not_looked_for
    assert all(detector.version for detector in found.detectors)


async def test_a_text_seen_before_is_not_analysed_again(shared: Inspector) -> None:
    first = await shared.inspect([part(LONG)])
    misses = shared._cache.misses
    again = await shared.inspect([part(LONG)])
    assert again.findings == first.findings
    assert shared._cache.misses == misses


async def test_a_changed_tail_analyses_only_itself(shared: Inspector) -> None:
    await shared.inspect([part(LONG)])
    misses = shared._cache.misses
    await shared.inspect([part(LONG + "\n\nand one more: z@corp.internal")])
    assert shared._cache.misses - misses <= 3


async def test_a_text_that_repeats_itself_is_analysed_once(shared: Inspector) -> None:
    """Of two megabytes of the same paragraph each piece was, which took minutes with the names model."""
    paragraph = f"Write to user@corp.internal about it, please. {'lorem ipsum ' * 180}\n\n"
    found = await shared.inspect([part(paragraph * 500)])
    starts = [finding.start for finding in found.findings]
    assert starts == [at * len(paragraph) + len("Write to ") for at in range(500)]
    assert shared._cache.misses <= 4, "the whole, the first piece, one of the many, the last"


async def test_identical_texts_in_flight_share_one_analysis(shared: Inspector) -> None:
    await shared.start()
    results = await asyncio.gather(*(shared.inspect([part(LONG)]) for _ in range(10)))
    assert all(result.findings == results[0].findings for result in results)
    assert len(shared._flights) == 0


async def test_a_killed_worker_denies_and_the_next_call_is_answered(shared: Inspector) -> None:
    await shared.start()
    os.kill(shared._pool.pids[0], signal.SIGKILL)
    with pytest.raises(OwnError) as caught:
        await shared.inspect([part(LONG)])
    assert caught.value.code == "INSPECTOR_ERROR"
    assert len((await shared.inspect([part(LONG)])).findings) == 40


async def test_a_hung_worker_is_a_timeout_within_the_deadline() -> None:
    made = inspector(deadline_s=0.5)
    try:
        await made.start()
        os.kill(made._pool.pids[0], signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
        with pytest.raises(OwnError) as caught:
            await made.inspect([part(LONG)])
        assert caught.value.code == "INSPECTOR_TIMEOUT"
        assert asyncio.get_running_loop().time() - began < 1.0
        await made.start()
        assert len((await made.inspect([part(LONG)])).findings) == 40
    finally:
        await made.close()


async def test_what_a_detector_in_a_worker_raises_is_told_by_its_type() -> None:
    broken = "import sidecar.drivers.inspector_worker as w; w.Detectors.find = lambda *_: 1 / 0; w.main()"
    made = inspector(command=("-P", "-c", broken))
    try:
        with pytest.raises(OwnError) as caught:
            await made.inspect([part(LONG)])
    finally:
        await made.close()
    cause = cause_of(caught.value)
    assert isinstance(cause, WorkerFailed) and cause.raised == "ZeroDivisionError"


async def test_a_failure_is_not_cached_and_says_nothing_of_the_text(
    shared: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(text: str) -> list[object]:
        raise ValueError(text)

    with monkeypatch.context() as patch:
        patch.setattr(shared._engine, "find", failing)
        with pytest.raises(OwnError) as caught:
            await shared.inspect([part("secret@corp.internal")])
    assert caught.value.code == "INSPECTOR_ERROR"
    assert caught.value.__cause__ is None
    assert "secret" not in f"{caught.value!r} {caught.value} {caught.value.advice}"
    assert len((await shared.inspect([part("secret@corp.internal")])).findings) == 1


async def test_the_callers_leaving_does_not_disturb_those_who_wait(shared: Inspector) -> None:
    await shared.start()
    leaving = asyncio.ensure_future(shared.inspect([part(LONG)]))
    staying = asyncio.ensure_future(shared.inspect([part(LONG)]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert len((await staying).findings) == 40


def long_text(number: int) -> str:
    return "\n\n".join(f"{number}.{i}: write to u{i}@corp.internal. {'lorem ipsum ' * 300}" for i in range(80))


async def test_nobody_waits_behind_texts_whose_callers_have_gone(
    shared: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty callers who hang up must not keep the worker busy for minutes."""
    await shared.start()
    called, frames = shared._pool._called, []
    monkeypatch.setattr(shared._pool, "_called", lambda frame: frames.append(frame) or called(frame))
    leaving = [asyncio.ensure_future(shared.inspect([part(long_text(number))])) for number in range(40)]
    await asyncio.sleep(0.05)
    for each in leaving:
        each.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert len((await shared.inspect([part(LONG)])).findings) == 40
    assert len(frames) < 400  # of more than 3,000


async def test_one_who_comes_back_is_answered(shared: Inspector) -> None:
    await shared.start()
    leaving = asyncio.ensure_future(shared.inspect([part(long_text(1))]))
    await asyncio.sleep(0.02)
    leaving.cancel()
    await asyncio.sleep(0)
    assert len((await shared.inspect([part(long_text(1))])).findings) == 80


async def test_callers_who_leave_say_nothing_of_the_worker(shared: Inspector) -> None:
    await shared.start()
    shared._pool.breaker.note(well=False)
    os.kill(shared._pool.pids[0], signal.SIGSTOP)
    leaving = asyncio.ensure_future(shared._pool.find([LONG]))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert shared._pool.breaker._failures == 1


async def test_short_jobs_go_first_but_long_ones_get_their_turn() -> None:
    slots, order = Slots(1), []

    async def job(name: str, *, short: bool) -> None:
        async with slots.taken(short=short):
            await asyncio.sleep(0)
            order.append(name)

    jobs = [job("first", short=False), *(job(f"long{i}", short=False) for i in range(2))]
    jobs += [job(f"short{i}", short=True) for i in range(IN_A_ROW + 2)]
    tasks = [asyncio.ensure_future(each) for each in jobs]
    gone = asyncio.ensure_future(job("gone", short=True))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(*tasks)
    shorts = [f"short{i}" for i in range(IN_A_ROW + 2)]
    assert order == ["first", *shorts[:IN_A_ROW], "long0", *shorts[IN_A_ROW:], "long1"]
    assert slots._free == 1


async def test_a_short_text_waits_for_one_of_many_values_not_for_all(
    shared: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool's answer is hundreds of texts, each of them short: in line together, all would be before the next call."""
    read, find = list[str](), shared._pool.find

    async def counting(texts: list[str], **more: Any) -> Any:
        found = await find(texts, **more)
        read.extend(texts)
        return found

    await shared.start()
    monkeypatch.setattr(shared._pool, "find", counting)
    values = [part(f"value {at} {'lorem ipsum ' * 5}") for at in range(200)]
    many = asyncio.ensure_future(shared.inspect(values))
    while len(read) < 10:
        await asyncio.sleep(0)
    before = len(read)
    await shared.inspect([part("12-12-" * 200)])  # too many numbers for the event loop
    assert len(read) - before <= 4
    assert not (await many).findings


async def test_the_loop_goes_on_while_a_long_text_is_analysed(shared: Inspector) -> None:
    """On a busy machine beats come late; analysed on the loop, there would be none."""
    await shared.start()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    heart = asyncio.ensure_future(beat())
    await shared.inspect([part(LONG * 20)])
    heart.cancel()
    assert beats >= 10
    assert len(LONG) > INLINE


async def test_lone_surrogates_are_inspected(shared: Inspector) -> None:
    found = await shared.inspect([part("\ud83d a@b.example " + "x " * 3000)])
    assert len(found.findings) == 1


async def entities(made: Inspector, text: str) -> list[str]:
    try:
        return [finding.entity for finding in (await made.inspect([part(text)])).findings]
    finally:
        await made.close()


KEYED = [
    ("PASSWORD", "password", "Xk29fjq!z"),
    ("DATE_OF_BIRTH", "date_of_birth", "1980-03-04"),
    ("CARD_SECURITY_CODE", "cvv", "123"),
    ("US_ZIP_CODE", "zip_code", "90210"),
    ("UK_BANK_ACCOUNT", "account_number", "12345678"),
]


@pytest.mark.parametrize(("entity", "key", "value"), KEYED)
@pytest.mark.parametrize("filler", ["", "lorem " * INLINE])
async def test_a_value_is_read_beside_its_key(
    shared: Inspector, entity: str, key: str, value: str, filler: str
) -> None:
    """In a tool's result, arguments or metadata, also where the rest of the call is long enough for a worker."""
    told = replace(part(value, "tool"), key=key, place=Place(path=("a", key), label="tool"))
    found = await shared.inspect([told, part(filler + "x")])
    assert [(f.entity, f.place, f.start, f.end) for f in found.findings] == [(entity, told.place, 0, len(value))]
    alone = await shared.inspect([part(value), part(filler + "x")])
    assert entity not in {f.entity for f in alone.findings}


async def test_what_is_found_in_the_key_is_the_keys(shared: Inspector) -> None:
    name = "anna@corp.example"
    place = Place(path=("a", name), label="tool")
    key = Part(place=replace(place, kind=PlaceKind.KEY), role=Role.TOOL, text=name, key=name)
    value = Part(place=place, role=Role.TOOL, text="leads", key=name)
    found = await shared.inspect([key, value])
    assert [(f.entity, f.place.kind, f.start, f.end) for f in found.findings] == [
        ("EMAIL_ADDRESS", PlaceKind.KEY, 0, len("anna@corp.example"))
    ]


async def test_only_the_types_asked_for() -> None:
    made = inspector(settings=Settings(entities=frozenset({"EMAIL_ADDRESS", "SPECIAL_HEALTH"})))
    assert "CREDIT_CARD" in made.not_looked_for
    assert await entities(made, "a@b.example has diabetes, card 4111 1111 1111 1111") == [
        "EMAIL_ADDRESS",
        "SPECIAL_HEALTH",
    ]


async def test_special_categories_only_when_asked_for() -> None:
    made = inspector()
    assert "SPECIAL_HEALTH" in made.not_looked_for
    assert await entities(made, "she has diabetes") == []


async def test_countries_choose_the_national_numbers() -> None:
    text = "Steuer-ID 86095742719"
    assert await entities(inspector(settings=Settings(countries=("us",))), text) == []
    assert await entities(inspector(settings=Settings(countries=("de",))), text) == ["DE_TAX_ID"]


async def test_allowed_values_are_not_reported_and_denied_words_are() -> None:
    lists = Settings(allow=("Support@Corp.Example",), deny=(("PROJECT", ("Blue Whale",)),))
    made = inspector(settings=lists)
    assert await entities(made, "support@corp.example on blue whale, a@corp.example") == ["PROJECT", "EMAIL_ADDRESS"]


async def test_thresholds_by_type() -> None:
    text = "see +49 30 901820 and 612 345 678"
    made = inspector(settings=Settings(thresholds=(("PHONE_NUMBER", 0.9),)))
    assert await entities(made, text) == ["PHONE_NUMBER"]


async def test_a_customers_words_from_a_file(tmp_path: Path) -> None:
    words = tmp_path / "projects.txt"
    words.write_text("Blue Whale\nÆrøskøbing\n", encoding="utf-8")
    made = inspector(settings=Settings(word_files=(("PROJECT", str(words)),)))
    assert "PROJECT" in made.looked_for
    assert await entities(made, "Blue  Whale ships from ærøskøbing") == ["PROJECT", "PROJECT"]


async def test_a_name_found_once_is_masked_in_every_part(shared: Inspector) -> None:
    found = await shared.inspect([part("ask bob.b@corp.example", "one"), part("Bob is 'bob.b@corp.example'", "two")])
    assert [finding.place.label for finding in found.findings] == ["one", "two"]


async def test_the_worker_gets_no_environment_of_ours(shared: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_UPSTREAM_KEY", "planted-key")
    await shared.start()
    environ = Path(f"/proc/{shared._pool.pids[0]}/environ")
    if not environ.exists():
        pytest.skip("no /proc here")
    assert b"planted-key" not in environ.read_bytes()


async def test_the_worker_opens_no_socket_and_loads_no_presidio(shared: Inspector) -> None:
    await shared.inspect([part(LONG)])
    folder = Path(f"/proc/{shared._pool.pids[0]}")
    if not folder.exists():
        pytest.skip("no /proc here")
    sockets = [link for link in (folder / "fd").iterdir() if os.readlink(link).startswith("socket:")]
    assert len(sockets) == 1, "more than the one to its parent"
    assert "spacy" not in (folder / "maps").read_text()


async def test_the_names_model_joins_through_the_same_seam() -> None:
    made = inspector(names=True, deadline_s=60)
    assert "PERSON" in made.looked_for
    assert "names" in [detector.name for detector in made.detectors]
    text = "Hello, I am Anna Kowalska, anna.k@corp.internal. Kowalska is my family name."
    try:
        found = await made.inspect([part(text)])
    finally:
        await made.close()
    assert {(text[f.start : f.end], f.entity) for f in found.findings} >= {
        ("Anna Kowalska", "PERSON"),
        ("anna.k@corp.internal", "EMAIL_ADDRESS"),
    }


TOOLS = (
    "pl-echo", "madrid_weather", "travis_status", "GradeDocuments", "BillingPlugin-GetInvoice", "duckduckgo_search",
    "wolfram_alpha", "mcp__brave__brave_web_search", "stripe_create_invoice", "jarvis_run",
)  # fmt: skip
"""Of Semantic Kernel (`plugin-function`), LangChain, MCP: taken for people, towns and companies by themselves."""
PEOPLE = ("call_Maria_Rossi", "mail-anna.schmidt", "transfer_to_peter_mueller")


async def test_a_tool_keeps_its_name_and_who_is_named_in_it_does_not() -> None:
    """Through request and reply alike: a tool called PERSON_1 is one that no model knows how to use."""
    tools = [{"type": "function", "function": {"name": name}} for name in (*TOOLS, *PEOPLE)]
    asked = match("openai", "POST", "/v1/chat/completions").dialect
    assert asked is not None
    declared = asked.parse(orjson.dumps({"messages": [], "tools": tools})).parts
    called = reply_parts({Channel(0, "tool_calls.name", n): name for n, name in enumerate((*TOOLS, *PEOPLE))})
    made = inspector(names=True, deadline_s=60, consistent=False)
    try:
        for parts in (declared, called):
            found = {finding.place for finding in (await made.inspect(parts)).findings}
            assert [part.text for part in parts if part.place in found] == [*PEOPLE]
    finally:
        await made.close()


def test_a_worker_is_told_every_setting() -> None:
    settings = Settings(
        entities=frozenset({"PERSON", "+URL"}),
        mode=Mode.STRICT,
        countries=("de",),
        thresholds=(("PERSON", 0.5),),
        allow=("Ada",),
        deny=(("PROJECT", ("Bluebird", "Rook")),),
        word_files=(("CLIENT", "clients.txt"),),
    )
    unlike = [name for name in Settings.__slots__ if getattr(settings, name) == getattr(Settings(), name)]
    plan = Plan(settings=settings, names=True, recognisers=({"kind": "remote", "entities": ["PERSON"]},))
    assert unlike == []
    assert plan_from_json(plan.to_json()) == plan
    assert plan_from_json(Plan(settings=Settings()).to_json()) == Plan(settings=Settings())
