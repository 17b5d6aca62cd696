"""Bigger recognisers by configuration, through Presidio's own interface: GLiNER, spaCy, transformers, a remote service.

They run in the worker process of the inspector, behind its deadline: one that hangs is killed, one that raises denies
the call. Nothing here is imported unless configured, for presidio_analyzer loads spaCy (docs/decisions/0010).

    kind: recognizer  `class` is a name in presidio_analyzer.predefined_recognizers or `module:Class`; `options` are
                      its arguments. GLiNERRecognizer and HuggingFaceNerRecognizer, with a model on disk, go here.
    kind: nlp         `configuration` as for Presidio's NlpEngineProvider; the model must be installed: none is fetched.
    kind: remote      `url` of a Presidio analyzer service (POST /analyze); `timeout_s`; `ca`, a PEM file of the
                      authorities to trust instead of the system's; `key_file`, whose key is sent as a bearer token.

Each names its `entities`, so that start-up and records can say what is looked for before anything is loaded; a type
that it says it does not know stops the start. A finding that cannot be (offsets beyond the text, a score above 1) is a
fault, for the others of that answer are no better.
"""

from __future__ import annotations

import http.client
import importlib
import json
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from sidecar.drivers import presidio_models
from sidecar.inspection.spans import Span, Strength
from sidecar.model import Detector

UNCOUNTABLE = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")
"""Two code units in UTF-16, by which services in other languages count, or none at all in UTF-8."""

MOST_ANSWER = 1 << 24
"""Bytes of a service's answer: a piece of text is 20,000 code points at most, a finding about 200 bytes."""

TIMEOUT_S = 4.0
"""Below the usual deadline, at which the worker is killed for a service that hangs, and loads its models anew."""

LONGEST_KEY = 4096

T = TypeVar("T")


class Finder(Protocol):
    def find(self, text: str) -> Iterable[Span]: ...


def described(config: Mapping[str, Any]) -> tuple[Detector, tuple[str, ...]]:
    """Name, version and types of a configured recogniser, without loading it. Raises ValueError without types."""
    entities = tuple(str(entity) for entity in config.get("entities", ()))
    if not entities:
        raise ValueError("a recogniser must name its `entities`")
    name = str(config.get("name") or config.get("class") or config["kind"])
    return Detector(f"presidio:{name}", str(config.get("version", "unstated"))), entities


def load(config: Mapping[str, Any]) -> Finder:
    """Raises whatever loading raises: the worker then does not start, and calls are denied."""
    kinds: dict[str, Callable[[Mapping[str, Any]], Finder]]
    kinds = {"recognizer": Recognizer, "nlp": NlpEngine, "remote": Remote}
    return kinds[config["kind"]](config)


def _offline() -> None:
    """Keep Presidio's e-mail recogniser from fetching the public suffix list over the network."""
    tldextract: Any = importlib.import_module("tldextract")
    extractor = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.tldextract.TLD_EXTRACTOR = extractor
    tldextract.extract = extractor


class Recognizer:
    """One of Presidio's recognisers, or a customer's own of the same interface."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        _offline()
        detector, self._entities = described(config)
        self._name = detector.name
        options = _options(config)
        with _on_disk(options.get("model_name")):
            self._recognizer = _class(str(config["class"]))(**options)
            if not getattr(self._recognizer, "is_loaded", False):  # Presidio's own have done it; twice takes long
                self._recognizer.load()
        _finds(self._entities, getattr(self._recognizer, "supported_entities", None))
        if presidio_models.is_model(self._recognizer):
            _finds(self._entities, presidio_models.of_recognizer(self._recognizer))
            list(self.find(presidio_models.WARM_UP))  # what it cannot do is told at the start

    def find(self, text: str) -> Iterator[Span]:
        for found in _heard(lambda: self._recognizer.analyze(text, list(self._entities), None)):
            if found.entity_type in self._entities and found.score != 0:
                yield _span(text, found.start, found.end, found.entity_type, found.score, self._name)


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """`text_chunker` as in Presidio's own YAML, where the registry makes one of it."""
    options = dict(config.get("options", {}))
    if isinstance(options.get("text_chunker"), Mapping):
        from presidio_analyzer.chunkers import TextChunkerProvider

        options["text_chunker"] = TextChunkerProvider(dict(options["text_chunker"])).create_chunker()
    return options


@contextmanager
def _on_disk(model: object) -> Iterator[None]:
    """Says of a model that is not here what its library, which may not fetch it, says in words about the network."""
    try:
        yield
    except (OSError, ValueError) as fault:
        if not isinstance(model, str) or Path(model).exists() or isinstance(fault, json.JSONDecodeError):
            raise
        raise ValueError(f"{model} is no folder here, nor in Hugging Face's cache; none is fetched") from None


def _heard(read: Callable[[], T]) -> T:
    """What it returns. Raises what its model raised, which Presidio would keep to itself."""
    try:
        return read()
    except presidio_models.Unread as unread:
        raise unread.fault from None


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(":")
    found = getattr(importlib.import_module(module or "presidio_analyzer.predefined_recognizers"), attribute)
    bases = getattr(found, "__mro__", ())
    if any(base.__name__ == "SpacyRecognizer" and found.analyze is base.analyze for base in bases):
        raise ValueError(f"{name} only hands on what an NLP engine found; take `kind: nlp`, which is one")
    return found


def _finds(wanted: Iterable[str], known: Iterable[str] | None) -> None:
    """A type that it does not know would be looked for by nobody, and look like a text without it."""
    if known is not None and (strange := sorted(set(wanted).difference(known))):
        raise ValueError(f"it does not find {', '.join(strange)} but {', '.join(sorted(known))}")


def _span(text: str, start: Any, end: Any, entity: str, score: Any, name: str) -> Span:
    """Raises ValueError for what cannot be a finding of this text."""
    if not 0 <= int(start) < int(end) <= len(text):
        raise ValueError("a recogniser's finding lies outside of the text")
    if not 0 <= float(score) <= 1:
        raise ValueError("a recogniser's score is none")
    return Span(int(start), int(end), entity, float(score), name, Strength.MODEL)


class NlpEngine:
    """A spaCy or transformers pipeline behind Presidio's NlpEngineProvider; its entities are those of its mapping."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        _offline()
        detector, self._entities = described(config)
        self._name, self._language = detector.name, str(config.get("language", "en"))
        configuration = dict(config["configuration"])
        _installed(configuration)
        with _on_disk(_transformers_model(configuration)):
            provider: Any = NlpEngineProvider(nlp_configuration=configuration)
            self._engine = provider.create_engine()
            if not self._engine.is_loaded():
                self._engine.load()
        if self._language not in self._engine.get_supported_languages():
            raise ValueError(f"`language` is {self._language}, for which `configuration` has no model")
        _finds(self._entities, self._engine.get_supported_entities())
        mapping = self._engine.ner_model_configuration.model_to_presidio_entity_mapping
        _finds(self._entities, presidio_models.of_spacy(self._engine.nlp[self._language], mapping))
        self.find(presidio_models.WARM_UP)

    def find(self, text: str) -> list[Span]:
        with self._memory_zone():
            artifacts = _heard(lambda: self._engine.process_text(text, self._language))
            found = zip(artifacts.entities, artifacts.scores, strict=True)
            return [
                Span(entity.start_char, entity.end_char, entity.label_, float(score), self._name, Strength.MODEL)
                for entity, score in found
                if entity.label_ in self._entities
            ]

    def _memory_zone(self) -> Any:
        """spaCy's string store grows with every unseen word (Presidio issue 198); inside a zone it is given back."""
        pipelines = getattr(self._engine, "nlp", None) or {}
        pipeline = pipelines.get(self._language)
        return nullcontext() if pipeline is None else pipeline.memory_zone()


def _installed(configuration: Mapping[str, Any]) -> None:
    """Presidio downloads a spaCy model it does not find; a governance proxy must not."""

    import spacy.util

    for model in configuration.get("models", ()):
        name = model["model_name"]
        spacy_name = name["spacy"] if isinstance(name, Mapping) else name
        if not (spacy.util.is_package(spacy_name) or Path(spacy_name).exists() or spacy_name == "blank"):
            raise ValueError("the configured spaCy model is not installed; it is not downloaded at run time")


def _transformers_model(configuration: Mapping[str, Any]) -> object:
    """The first that is not here, else none."""
    names = [model["model_name"] for model in configuration.get("models", ())]
    models = [str(name.get("transformers")) for name in names if isinstance(name, Mapping)]
    return next((model for model in models if not Path(model).exists()), None)


class Remote:
    """A Presidio analyzer service. Any answer but 200 with a list is a fault.

    It passes over types that it does not know, so it is asked which it knows: at the start where it is up then, else
    before the first text. One that has no such list (404, 405, 501) is believed.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        detector, self._entities = described(config)
        self._name = detector.name
        self._url = urlsplit(str(config["url"]))
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ValueError("`url` of a remote recogniser must be http or https")
        self._language = str(config.get("language", "en"))
        self._timeout = float(config.get("timeout_s", TIMEOUT_S))
        self._tls = ssl.create_default_context(cafile=config.get("ca")) if self._url.scheme == "https" else None
        self._headers = {"content-type": "application/json"}
        if "key_file" in config:
            self._headers["authorization"] = f"Bearer {key_in(Path(config['key_file']))}"
        self._is_known = False
        try:
            known = self._types()
        except (OSError, http.client.HTTPException, ValueError):
            return
        self._check(known)

    def find(self, text: str) -> Iterator[Span]:
        if not self._is_known:
            self._check(self._types())
        copy = UNCOUNTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
        body = {"text": copy, "language": self._language, "entities": list(self._entities)}
        for row in _rows(*self._exchanged("POST", "analyze", json.dumps(body).encode())):
            if row["entity_type"] in self._entities:
                yield _span(text, row["start"], row["end"], row["entity_type"], row["score"], self._name)

    def _check(self, known: list[str] | None) -> None:
        _finds(self._entities, known)
        self._is_known = True

    def _types(self) -> list[str] | None:
        """What it says it finds, None where it has no word for that."""
        status, answer = self._exchanged("GET", f"supportedentities?language={quote(self._language)}")
        return None if status in (404, 405, 501) else _rows(status, answer)

    def _exchanged(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        host, port = str(self._url.hostname), self._url.port
        if self._tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        try:
            connection.request(method, f"{self._url.path.rstrip('/')}/{path}", body, self._headers)
            response = connection.getresponse()
            return response.status, response.read(MOST_ANSWER + 1)
        finally:
            connection.close()


def key_in(path: Path) -> str:
    """The key in a file, without its line end. Raises OSError and ValueError, neither with the key in it."""
    with path.open("rb") as file:
        key = file.read(2 * LONGEST_KEY).strip()
    if len(key) > LONGEST_KEY or not re.fullmatch(rb"[!-~]+", key):
        raise ValueError(f"{path} must hold a key: one line of ASCII without blanks")
    return key.decode("ascii")


def _rows(status: int, answer: bytes) -> list[Any]:
    rows = json.loads(answer) if status == 200 and len(answer) <= MOST_ANSWER else None
    if not isinstance(rows, list):
        raise ValueError("the remote recogniser did not answer with findings")
    return rows
