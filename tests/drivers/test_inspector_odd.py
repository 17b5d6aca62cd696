"""The Inspect port on what real calls hold besides sentences: no text, thousands of values, keys; and how it starts."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers.inspector import Inspector
from sidecar.drivers.inspector_pool import MOST_DEATHS
from sidecar.drivers.inspector_worker import Detectors, Plan
from sidecar.errors import OwnError
from sidecar.inspection.catalogue import Settings
from sidecar.model import Caller, Part, Place, Role
from tests.drivers.test_inspector import Stopped, part
from tests.drivers.test_inspector_pool import MORTAL, STRANGE


def inspector(**settings: Any) -> Inspector:
    return Inspector(secret=b"s" * 32, clock=Stopped(), **{"names": False, "deadline_s": 60.0, **settings})


@pytest.mark.parametrize("texts", [[""], ["", ""], ["", "Anna Kowalska called"], [" \n", ""]])
async def test_no_text_is_no_fault(texts: list[str]) -> None:
    """vLLM and Ollama send `"content": ""` with a tool call: its reply was withheld, or recorded as not inspected."""
    made = inspector(names=True)
    try:
        found = await made.inspect([part(text, f"reply[{number}]") for number, text in enumerate(texts)])
    finally:
        await made.close()
    assert [(f.entity, f.place.label) for f in found.findings] == [("PERSON", "reply[1]")] * (len(texts[-1]) > 5)


async def test_the_same_words_beside_a_key_and_alone_have_their_own_places() -> None:
    """What was found again in a turn is kept by its texts; a value beside its key is read as the same text."""
    made = inspector()
    told = replace(part("Xk29fjq!z"), key="password")
    other = replace(part("write to a@b.example"), place=Place(path=("y",), label="y"))
    try:
        alone = await made.inspect([part('"password": "Xk29fjq!z"'), other])
        beside = await made.inspect([told, other])
    finally:
        await made.close()
    assert [(f.entity, f.start, f.end) for f in alone.findings] == [("PASSWORD", 13, 22), ("EMAIL_ADDRESS", 9, 20)]
    assert [(f.entity, f.start, f.end) for f in beside.findings] == [("PASSWORD", 0, 9), ("EMAIL_ADDRESS", 9, 20)]


async def test_the_loop_goes_on_beside_thousands_of_values() -> None:
    """A tool's result of 200 KB held it for 0.2 s, one of a megabyte for seconds; measured in time on the processor."""
    made = inspector()
    await made.start()
    values = [
        Part(place=Place(path=("m", at), label=f"m[{at}]"), role=Role.TOOL, text=f"u{at}@corp.example {at}", key="mail")
        for at in range(6000)
    ]
    held: list[float] = []

    async def beat() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            held.append(time.thread_time() - before)
            before += held[-1]

    heart = asyncio.ensure_future(beat())
    gc.disable()  # a test run's heap is large, and `serve` freezes its own
    try:
        for _ in range(2):
            assert len((await made.inspect(values)).findings) == len(values)
    finally:
        gc.enable()
        heart.cancel()
        await made.close()
    assert max(held) < 0.06, max(held)


def test_models_are_loaded_before_the_first_text() -> None:
    """The deadline of a text is no time to load in: on a busy machine the sidecar did not start."""
    detectors = Detectors(Plan(settings=Settings(), names=True))
    assert "_loaded" in vars(detectors._names)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"kind": "recognizer", "class": "no_such_module:X"}, "ModuleNotFoundError: No module named 'no_such_module'"),
        ({"kind": "recognizer", "class": "NoSuchRecognizer"}, "AttributeError: "),
        ({"kind": "recognizer", "class": "NhsRecognizer"}, "ValueError: it does not find BADGE but UK_NHS"),
        (
            {"kind": "recognizer", "class": "SpacyRecognizer"},
            "ValueError: SpacyRecognizer only hands on what an NLP en",
        ),
        ({"kind": "recognizer", "class": "TransformersRecognizer"}, "ValueError: TransformersRecognizer only hands on"),
        ({"kind": "recognizer", "class": "NhsRecognizer", "options": {"colour": 1}}, "TypeError: "),
        ({"kind": "remote", "url": "analyzer:3000"}, "ValueError: `url` of a remote recogniser must be http or https"),
    ],
)
async def test_a_start_tells_which_detector_cannot_be_loaded_and_why(config: dict[str, Any], why: str) -> None:
    """It said that a detector failed and a call was not let through, and to see a log that had nothing."""
    made = inspector(recognisers=[{"entities": ["BADGE"], **config}])
    try:
        with pytest.raises(OwnError) as caught:
            await made.start()
    finally:
        await made.close()
    assert caught.value.code == "INSPECTOR_ERROR"
    assert f"a detector cannot be loaded: detection.recognisers.0: {why}" in caught.value.advice


async def test_a_word_file_that_is_gone_is_named(tmp_path: Path) -> None:
    made = inspector(settings=Settings(word_files=(("STAFF", str(tmp_path / "staff.txt")),)))
    try:
        with pytest.raises(OwnError, match="INSPECTOR_ERROR") as caught:
            await made.start()
    finally:
        await made.close()
    assert "detection.words: FileNotFoundError: " in caught.value.advice
    assert "staff.txt" in caught.value.advice


async def test_who_sends_texts_that_break_detectors_is_in_nobody_elses_way() -> None:
    """Of one application the users are told apart, where they are known; of those who are not, nobody is to blame."""
    made = inspector(command=("-c", STRANGE + MORTAL))
    mallory, alice = (Caller(tenant="t", app="crm", user=name, auth="proxy_header") for name in ("mallory", "alice"))
    long = "a word " * 300

    async def read(text: str, caller: Caller | None) -> bool:
        try:
            await made.inspect([part(f"{text} {long}")], caller)
        except OwnError as fault:
            assert fault.code == "INSPECTOR_ERROR"
            return False
        return True

    try:
        for number in range(MOST_DEATHS):
            assert not await read(f"die {number}", mallory)
        assert not await read("mine", mallory)
        assert await read("hers", alice) and await read("his", Caller()) and await read("whose", None)
        for number in range(MOST_DEATHS + 1):
            assert not await read(f"die, too {number}", Caller())
            assert await read(f"his {number}", Caller())
    finally:
        await made.close()
