"""Bigger recognisers through Presidio's interface: in the worker, behind the deadline, fail-closed."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers import presidio
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.errors import OwnError
from sidecar.inspection.catalogue import Settings
from sidecar.model import Part, Place, Role

OWN = '''
import time
from types import SimpleNamespace

class Own:
    """Presidio's interface, without its import: finds PROJECT names; hangs, raises or dies when told to."""
    def load(self):
        pass
    def analyze(self, text, entities, nlp_artifacts=None):
        if "hang" in text:
            time.sleep(60)
        if "raise" in text:
            raise RuntimeError(text)
        if "die" in text:
            import os
            os._exit(3)
        if "fork" in text:
            import os
            os.fork()
        at = text.find("Apollo")
        return [SimpleNamespace(entity_type="PROJECT", start=at, end=at + 6, score=0.8)] if at >= 0 else []

class Unsure(Own):
    def analyze(self, text, entities, nlp_artifacts=None):
        found = [("TEAM", 0, 4), ("PROJECT", 9, 15)] if "Blue" in text else []
        return [SimpleNamespace(entity_type=name, start=at, end=end, score=0.3) for name, at, end in found]

class Broken(Own):
    def analyze(self, text, entities, nlp_artifacts=None):
        raise RuntimeError
'''


def part(text: str) -> Part:
    return Part(place=Place(path=("x",), label="messages[0].content"), role=Role.USER, text=text)


def inspector(config: dict[str, Any], **more: Any) -> Inspector:
    return Inspector(secret=b"s", clock=SystemClock(), names=False, recognisers=[config], **more)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (tmp_path / "own_recogniser.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    return {"kind": "recognizer", "class": "own_recogniser:Own", "entities": ["PROJECT"], "version": "7"}


async def test_a_customers_recogniser_is_asked_and_named(own: dict[str, Any]) -> None:
    made = inspector(own, deadline_s=30)
    try:
        found = await made.inspect([part("Apollo is run by bob@corp.internal")])
        assert [(f.entity, f.start, f.end) for f in found.findings] == [("PROJECT", 0, 6), ("EMAIL_ADDRESS", 17, 34)]
        assert ("presidio:own_recogniser:Own", "7") in found.detectors
        assert "PROJECT" in made.looked_for
    finally:
        await made.close()


@pytest.mark.parametrize(
    ("word", "code"), [("hang", "INSPECTOR_TIMEOUT"), ("raise", "INSPECTOR_ERROR"), ("die", "INSPECTOR_ERROR")]
)
async def test_its_fault_denies_within_the_deadline_and_the_next_call_is_answered(
    own: dict[str, Any], word: str, code: str
) -> None:
    made = inspector(own, deadline_s=30)
    try:
        await made.start()
        made._deadline_s = made._pool._frame_s = 1.0
        began = time.monotonic()
        with pytest.raises(OwnError) as caught:
            await made.inspect([part(f"please {word} Apollo")])
        assert caught.value.code == code
        assert time.monotonic() - began < 2.0
        assert "Apollo" not in f"{caught.value!r}{caught.value.__cause__!r}"
        made._deadline_s = made._pool._frame_s = 30.0
        assert len((await made.inspect([part("Apollo")])).findings) == 1
    finally:
        await made.close()


async def test_one_that_forks_never_has_one_text_answered_with_what_stands_in_another(own: dict[str, Any]) -> None:
    """Both processes answered the first text, the second answer was taken for the next text's, and so on for good."""
    made = inspector(own, deadline_s=30)
    texts = ["fork Apollo", *(f"{'x' * number} Apollo" for number in range(1, 6))]
    found: list[list[int]] = []
    try:
        for text in texts:
            try:
                found.append([finding.start for finding in (await made.inspect([part(text)])).findings])
            except OwnError as fault:
                assert fault.code == "INSPECTOR_ERROR"
                found.append([])
    finally:
        await made.close()
    assert all(starts in ([], [text.index("Apollo")]) for text, starts in zip(texts, found, strict=True)), found
    assert sum(map(bool, found)) > len(texts) // 2, "the second answer may come with any of them; the others are read"


async def test_a_threshold_for_one_type_leaves_its_other_types_as_they_are(own: dict[str, Any]) -> None:
    """Its findings of 0.3 were dropped as soon as any type at all had a threshold."""
    config = {**own, "class": "own_recogniser:Unsure", "entities": ["PROJECT", "TEAM"]}
    for thresholds, expected in (((), ["TEAM", "PROJECT"]), ((("PROJECT", 0.5),), ["TEAM"])):
        made = inspector(config, deadline_s=30, settings=Settings(thresholds=thresholds))
        try:
            found = await made.inspect([part("Blue and Apollo")])
        finally:
            await made.close()
        assert [finding.entity for finding in found.findings] == expected


@pytest.mark.parametrize("word", ["raise", "die"])
async def test_texts_it_cannot_read_refuse_nobody_else(own: dict[str, Any], word: str) -> None:
    """Five calls of one caller, with a text that makes it fail, refused everybody's for five seconds."""
    made = inspector(own, deadline_s=30)
    try:
        for number in range(6):
            with pytest.raises(OwnError, match="INSPECTOR_ERROR"):
                await made.inspect([part(f"{word} {number}")])
        assert len((await made.inspect([part("Apollo, all well")])).findings) == 1
    finally:
        await made.close()


async def test_after_failures_in_a_row_a_broken_one_refuses_at_once(
    own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = inspector({**own, "class": "own_recogniser:Broken"}, deadline_s=30)
    try:
        for number in range(5):
            with pytest.raises(OwnError):
                await made.inspect([part(f"Apollo {number}")])
        monkeypatch.setattr(made._pool, "_called", None)  # nobody is asked
        with pytest.raises(OwnError, match="INSPECTOR_ERROR"):
            await made.inspect([part("Apollo, all well")])
        assert made._pool.breaker.is_open
    finally:
        await made.close()


async def test_one_that_cannot_be_loaded_denies() -> None:
    made = inspector({"kind": "recognizer", "class": "no_such_module:X", "entities": ["X"]}, deadline_s=20)
    try:
        with pytest.raises(OwnError):
            await made.start()
    finally:
        await made.close()


def test_a_recogniser_must_say_what_it_finds() -> None:
    with pytest.raises(ValueError, match="entities"):
        presidio.described({"kind": "remote", "url": "http://127.0.0.1"})


def test_a_presidio_recogniser_by_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        finder = presidio.load({"kind": "recognizer", "class": "NhsRecognizer", "entities": ["UK_NHS"]})
        assert [(s.start, s.end) for s in finder.find("NHS 943 476 5919")] == [(4, 16)]


def test_a_missing_spacy_model_is_not_downloaded() -> None:
    models = [{"lang_code": "en", "model_name": "en_core_web_lg"}]
    configuration = {"nlp_engine_name": "spacy", "models": models}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="not installed"):
            presidio.load({"kind": "nlp", "configuration": configuration, "entities": ["PERSON"]})


class _Analyzer(http.server.BaseHTTPRequestHandler):
    answer: tuple[int, Any] = (200, [])

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert set(asked) == {"text", "language", "entities"}
        body = json.dumps(self.answer[1]).encode()
        self.send_response(self.answer[0])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def service() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Analyzer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_remote_presidio_service(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = presidio.load({"kind": "remote", "url": service, "entities": ["PERSON"]})
    row = {"entity_type": "PERSON", "start": 0, "end": 4, "score": 0.85}
    monkeypatch.setattr(_Analyzer, "answer", (200, [row, {**row, "entity_type": "NRP"}]))
    assert [(s.start, s.end, s.entity) for s in finder.find("Anna here")] == [(0, 4, "PERSON")]


@pytest.mark.parametrize("answer", [(500, []), (200, {"error": "x"}), (200, [{"start": 1}]), (302, [])])
def test_any_other_answer_is_a_fault(service: str, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any]) -> None:
    finder = presidio.load({"kind": "remote", "url": service, "entities": ["PERSON"]})
    monkeypatch.setattr(_Analyzer, "answer", answer)
    with pytest.raises((ValueError, KeyError)):
        list(finder.find("Anna here"))


async def test_cancelling_a_call_leaves_no_process_behind(own: dict[str, Any]) -> None:
    made = inspector(own, deadline_s=30)
    await made.start()
    waiting = asyncio.ensure_future(made.inspect([part("please hang")]))
    await asyncio.sleep(0.2)
    waiting.cancel()
    await made.close()
    assert made._pool.pids == []
