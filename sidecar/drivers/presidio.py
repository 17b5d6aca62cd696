"""Bigger recognisers by configuration, through Presidio's own interface: GLiNER, spaCy, transformers, a remote service.

They run in the worker process of the inspector, behind its deadline: one that hangs is killed, one that raises denies
the call. Nothing here is imported unless configured, for presidio_analyzer loads spaCy (docs/decisions/0010).

    kind: recognizer  `class` is a name in presidio_analyzer.predefined_recognizers or `module:Class`; `options` are
                      its arguments. GLiNERRecognizer and HuggingFaceNerRecognizer, with a model on disk, go here.
    kind: nlp         `configuration` as for Presidio's NlpEngineProvider; the model must be installed: none is fetched.
    kind: remote      `url` of a Presidio analyzer service (POST /analyze); `timeout_s`.

Each names its `entities`, so that start-up and records can say what is looked for before anything is loaded.
"""

from __future__ import annotations

import http.client
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from sidecar.inspection.spans import Span, Strength
from sidecar.model import Detector


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
    """Keep Presidio's e-mail recogniser from fetching the public suffix list (reference/pii.md 2.4)."""
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
        self._recognizer = _class(str(config["class"]))(**config.get("options", {}))
        self._recognizer.load()

    def find(self, text: str) -> Iterator[Span]:
        return _spans(self._recognizer.analyze(text, list(self._entities), None), self._entities, self._name)


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(":")
    return getattr(importlib.import_module(module or "presidio_analyzer.predefined_recognizers"), attribute)


class NlpEngine:
    """A spaCy or transformers pipeline behind Presidio's NlpEngineProvider; its entities are those of its mapping."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        _offline()
        detector, self._entities = described(config)
        self._name, self._language = detector.name, str(config.get("language", "en"))
        configuration = dict(config["configuration"])
        _installed(configuration)
        self._engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
        if not self._engine.is_loaded():
            self._engine.load()

    def find(self, text: str) -> list[Span]:
        with self._memory_zone():
            artifacts = self._engine.process_text(text, self._language)
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


class Remote:
    """A Presidio analyzer service. Any answer but 200 with a list is a fault."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        detector, self._entities = described(config)
        self._name = detector.name
        self._url = urlsplit(str(config["url"]))
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ValueError("`url` of a remote recogniser must be http or https")
        self._language = str(config.get("language", "en"))
        self._timeout = float(config.get("timeout_s", 5.0))

    def find(self, text: str) -> Iterator[Span]:
        rows = self._posted({"text": text, "language": self._language, "entities": list(self._entities)})
        for row in rows:
            start, end = int(row["start"]), int(row["end"])
            if row["entity_type"] in self._entities and 0 <= start < end <= len(text):
                yield Span(start, end, row["entity_type"], float(row["score"]), self._name, Strength.MODEL)

    def _posted(self, body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        https = self._url.scheme == "https"
        make = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = make(str(self._url.hostname), self._url.port, timeout=self._timeout)
        try:
            path = f"{self._url.path.rstrip('/')}/analyze"
            connection.request("POST", path, json.dumps(body).encode(), {"content-type": "application/json"})
            response = connection.getresponse()
            rows = json.loads(response.read())
            if response.status != 200 or not isinstance(rows, list):
                raise ValueError("the remote recogniser did not answer with findings")
            return rows
        finally:
            connection.close()


def _spans(results: Iterable[Any], entities: Sequence[str], name: str) -> Iterator[Span]:
    for result in results:
        if result.entity_type in entities and result.score > 0:
            score = float(result.score)
            yield Span(int(result.start), int(result.end), result.entity_type, score, name, Strength.MODEL)
