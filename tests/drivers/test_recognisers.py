"""Configured recognisers as they are out there: services that hang, err, and count otherwise; a real spaCy pipeline."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.account import tally
from sidecar.config import DetectionSettings
from sidecar.drivers import presidio
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.errors import OwnError
from tests.drivers.test_presidio import part

Answer = Callable[[str], Any]
ANNA = "Anna"


def row(start: Any, end: Any, score: Any = 0.85, entity: str = "PERSON") -> dict[str, Any]:
    return {"entity_type": entity, "start": start, "end": end, "score": score, "analysis_explanation": None}


def annas(text: str) -> list[dict[str, Any]]:
    at = text.find(ANNA)
    return [row(at, at + 4)] if at >= 0 else []


def in_units(text: str) -> list[dict[str, Any]]:
    """By a service whose strings are UTF-16, as those of Java, C# and JavaScript are."""
    units, wanted = text.encode("utf-16-le"), ANNA.encode("utf-16-le")
    at = units.find(wanted) // 2
    return [row(at, at + 4)] if at >= 0 else []


class Service(http.server.BaseHTTPRequestHandler):
    """Presidio analyzer's own: no text is an error, as is whatever it cannot encode."""

    answer: Answer = staticmethod(annas)
    key: str | None = None

    def do_POST(self) -> None:
        if self.key is not None and self.headers["authorization"] != f"Bearer {self.key}":
            self.send_error(401)
            return
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/analyze"
        try:
            asked["text"].encode()
            status, body = (200, type(self).answer(asked["text"])) if asked["text"] else (500, {"error": "No text"})
        except UnicodeEncodeError:
            status, body = 500, {"error": "surrogates not allowed"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    known: tuple[int, Any] | None = None

    def do_GET(self) -> None:
        assert self.path == "/supportedentities?language=en"
        status, body = type(self).known or (404, {"error": "Not Found"})
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def service() -> Iterator[dict[str, Any]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield {"kind": "remote", "url": f"http://127.0.0.1:{server.server_port}/", "entities": ["PERSON"]}
    server.shutdown()
    thread.join()
    server.server_close()


def inspector(config: Mapping[str, Any], *, deadline_s: float = 30.0, **more: Any) -> Inspector:
    return Inspector(
        secret=b"s", clock=SystemClock(), names=False, recognisers=[config], deadline_s=deadline_s, **more
    )


@contextmanager
def behind_tls(certificate: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def found(made: Inspector, text: str) -> list[str]:
    parts = [part(text)]
    findings = (await made.inspect(parts)).findings
    assert tally(parts, findings).entities.get("PERSON", 0) == len(findings)
    return [text[finding.start : finding.end] for finding in findings]


@pytest.mark.parametrize("answer", [annas, in_units])
async def test_offsets_hold_however_the_service_counts(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """Each character beyond the first plane moved what was masked by one, so that a name's end left."""
    monkeypatch.setattr(Service, "answer", staticmethod(answer))
    made = inspector(service)
    try:
        for before in ("", "\u200b\u200b", "😀😀 ", "𝐀𝐀 ", "\ud83d ", "\ud83d\ude00 ", "e\u0301 ", "日本 "):
            assert await found(made, f"{before}and Anna 😀 here") == [ANNA]
    finally:
        await made.close()


async def test_no_text_is_not_asked_about(service: dict[str, Any]) -> None:
    """Presidio answers 500 to it, which is a fault and would refuse the call."""
    made = inspector(service)
    try:
        for text in ("", " ", "\n\t", "\u200b", "\u2028"):
            assert await found(made, text) == []
    finally:
        await made.close()


async def test_a_service_behind_tls_that_wants_a_key(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    with behind_tls(certificate) as url:
        config = {"kind": "remote", "url": url, "entities": ["PERSON"]}
        monkeypatch.setattr(Service, "key", "s3cret")
        made = inspector({**config, "ca": str(certificate), "key_file": str(key)})
        try:
            assert await found(made, "Anna here") == [ANNA]
        finally:
            await made.close()
        for less in ({"ca": str(certificate)}, {"key_file": str(key)}):
            made = inspector({**config, **less})
            try:
                with pytest.raises(OwnError, match="INSPECTOR_ERROR"):
                    await found(made, "Anna here")
            finally:
                await made.close()


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", "schlüssel".encode(), b"one\ntwo", b"x" * 4097])
def test_a_file_without_a_key_is_refused_unquoted(content: bytes, tmp_path: Path) -> None:
    """Line ends would let a header be written into the request."""
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ValueError, match="must hold a key: one line") as caught:
        presidio.key_in(tmp_path / "key")
    assert "two" not in str(caught.value)


FINDINGS = {
    "beyond the text": row(0, 400),
    "before the text": row(-2, 4),
    "turned around": row(4, 0),
    "no score": row(0, 4, float("nan")),
    "per cent": row(0, 4, 85),
    "below nothing": row(0, 4, -0.5),
    "no number": row(0, 4, None),
    "no offsets": {"entity_type": "PERSON", "score": 0.5},
}


async def test_an_answer_with_a_finding_that_cannot_be_is_a_fault(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left out, the value it meant would leave; a score that is no number ended the exchange without a record."""
    made = inspector(service)
    try:
        for name, wrong in FINDINGS.items():
            text = f"Anna here, {name}"
            monkeypatch.setattr(Service, "answer", staticmethod(lambda text, wrong=wrong: [*annas(text), wrong]))
            with pytest.raises(OwnError, match="INSPECTOR_ERROR"):
                await found(made, text)
            monkeypatch.setattr(Service, "answer", staticmethod(annas))
            assert await found(made, text) == [ANNA]
    finally:
        await made.close()


async def test_overlapping_and_strange_findings_become_one_and_none(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(0, 4), row(0, 13), row(5, 13), row(0, 4), row(0, 99, entity="NRP")]
    monkeypatch.setattr(Service, "answer", staticmethod(lambda _: rows))
    made = inspector(service)
    try:
        assert await found(made, "Anna Kowalska here") == ["Anna Kowalska"]
    finally:
        await made.close()


@pytest.mark.parametrize("deadline", [1.0, 30.0])
async def test_a_service_that_hangs_refuses_in_time_and_is_asked_again(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    def hanging(text: str) -> Any:
        time.sleep(4)
        return annas(text)

    made = inspector({**service, "timeout_s": 1.5}, deadline_s=deadline)
    try:
        await made.start()
        monkeypatch.setattr(Service, "answer", staticmethod(hanging))
        began = time.monotonic()
        with pytest.raises(OwnError) as caught:
            await found(made, "Anna here")
        assert caught.value.code == ("INSPECTOR_TIMEOUT" if deadline < 1.5 else "INSPECTOR_ERROR")
        assert time.monotonic() - began < 3.5
        monkeypatch.setattr(Service, "answer", staticmethod(annas))
        made._deadline_s = made._pool._frame_s = 30.0
        assert await found(made, "Anna here") == [ANNA]
    finally:
        await made.close()


def test_a_service_that_hangs_is_given_up_before_the_worker_is(service: dict[str, Any]) -> None:
    """Whose models others would have to wait for; unless the settings say otherwise."""
    assert presidio.Remote(service)._timeout < DetectionSettings().deadline


def test_a_type_that_the_service_does_not_know_stops_the_start(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Presidio's passes over it, so records said that PASSPORT was looked for, and nobody did."""
    monkeypatch.setattr(Service, "known", (200, ["PERSON", "LOCATION"]))
    assert len(list(presidio.load(service).find("Anna here"))) == 1
    with pytest.raises(ValueError, match="does not find PASSPORT but LOCATION, PERSON"):
        presidio.load({**service, "entities": ["PERSON", "PASSPORT"]})


@pytest.mark.parametrize("known", [(503, {"error": "starting"}), (200, {"error": "x"})])
def test_a_service_that_is_not_up_at_the_start_is_asked_before_the_first_text(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch, known: tuple[int, Any]
) -> None:
    monkeypatch.setattr(Service, "known", known)
    made = presidio.load({**service, "entities": ["PERSON", "PASSPORT"]})
    for answer in (known, (200, ["PERSON"])):
        monkeypatch.setattr(Service, "known", answer)
        with pytest.raises(ValueError, match=r"did not answer|does not find PASSPORT"):
            list(made.find("Anna here"))
    monkeypatch.setattr(Service, "known", (200, ["PERSON", "PASSPORT"]))
    assert len(list(made.find("Anna here"))) == 1


def test_an_answer_without_end_is_not_read_to_its_end(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presidio, "MOST_ANSWER", 200)
    made = presidio.load(service)
    assert len(list(made.find("Anna here"))) == 1
    monkeypatch.setattr(Service, "answer", staticmethod(lambda text: annas(text) * 3))
    with pytest.raises(ValueError, match="did not answer with findings"):
        list(made.find("Anna here"))


@pytest.fixture
def model(tmp_path: Path) -> dict[str, Any]:
    """A real spaCy pipeline on disk, whose recogniser of names is a list of one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spacy
    pipeline = spacy.blank("en")
    ruler: Any = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Anna Kowalska"}])
    pipeline.to_disk(tmp_path / "model")
    models = [{"lang_code": "en", "model_name": str(tmp_path / "model")}]
    return {"kind": "nlp", "configuration": {"nlp_engine_name": "spacy", "models": models}, "entities": ["PERSON"]}


async def test_a_real_spacy_pipeline(model: dict[str, Any]) -> None:
    made = inspector(model)
    try:
        assert await found(made, "😀 Anna Kowalska was here") == ["Anna Kowalska"]
    finally:
        await made.close()


@pytest.mark.parametrize(
    ("change", "why"), [({"entities": ["PER"]}, "does not find PER but"), ({"language": "de"}, "`language` is de")]
)
def test_a_pipeline_that_cannot_find_what_it_should_is_refused(
    model: dict[str, Any], change: dict[str, Any], why: str
) -> None:
    """Records said that PER was looked for, and nobody did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=why):
            presidio.load({**model, **change})


LOADED = """
class Own:
    loads = 0
    is_loaded = False
    supported_entities = ["PERSON"]
    def __init__(self):
        self.load()
    def load(self):
        self.loads, self.is_loaded = self.loads + 1, True
    def analyze(self, text, entities, nlp_artifacts=None):
        return self.results
"""


def test_a_model_is_loaded_once_and_its_findings_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's recognisers load in their constructor: twice a big model took the time there is for a start."""
    (tmp_path / "loaded_once.py").write_text(LOADED)
    monkeypatch.syspath_prepend(str(tmp_path))
    made: Any = presidio.load({"kind": "recognizer", "class": "loaded_once:Own", "entities": ["PERSON"]})
    assert made._recognizer.loads == 1
    made._recognizer.results = [SimpleNamespace(entity_type="PERSON", start=0, end=4, score=0.5)]
    assert [(span.start, span.end) for span in made.find("Anna")] == [(0, 4)]
    with pytest.raises(ValueError, match="outside of the text"):
        list(made.find("Ann"))


async def test_no_model_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hugging Face's libraries fetch a model by its name unless told not to; nothing leaves from a detector."""
    (tmp_path / "fetching.py").write_text(
        "import os\n\nclass Own:\n    is_loaded = True\n    def __init__(self):\n"
        "        assert os.environ['HF_HUB_OFFLINE'] == os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    made = inspector({"kind": "recognizer", "class": "fetching:Own", "entities": ["PERSON"]})
    try:
        await made.start()
    finally:
        await made.close()
