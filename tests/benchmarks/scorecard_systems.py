"""What the scorecard compares: the Inspect port as it ships, and Presidio with and without our names model.

Stock Presidio is `AnalyzerEngine.analyze` with its default recognisers of the text's language, a blank spaCy pipeline
(no model is downloaded on either side) and no threshold, as it comes; its e-mail recogniser is kept from the network.
"Presidio + names" is the same engine with our names model registered as an `EntityRecognizer`, balanced mode.
"""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from sidecar.drivers.clock import SystemClock
from sidecar.drivers.inspector import Inspector
from sidecar.drivers.names_model import ENTITIES, NamesModel
from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.scoring import Label, named
from sidecar.model import Part, Place, Role

PLACE = Place(path=("messages", 0, "content"), label="messages[0].content")
OURS = {"ours": Settings(), "ours, strict": Settings(mode=Mode.STRICT)}
STOCK, WITH_NAMES = "Presidio", "Presidio + our names"
SYSTEMS = (*OURS, STOCK, WITH_NAMES)
WRAPPED = "NamesModelRecognizer"


class Ours:
    """The port itself: rules, names model in its worker, values found once masked everywhere. Both modes at once."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._inspectors = {
            name: Inspector(secret=b"scorecard", clock=SystemClock(), settings=settings, names=True, deadline_s=600)
            for name, settings in OURS.items()
        }

    def find(self, text: str) -> dict[str, list[Label]]:
        return self._runner.run(self._found([Part(place=PLACE, role=Role.USER, text=text)]))

    async def _found(self, parts: list[Part]) -> dict[str, list[Label]]:
        answers = await asyncio.gather(*(one.inspect(parts) for one in self._inspectors.values()))
        return {
            name: [Label(finding.start, finding.end, finding.entity) for finding in answer.findings]
            for name, answer in zip(self._inspectors, answers, strict=True)
        }

    def close(self) -> None:
        for inspector in self._inspectors.values():
            self._runner.run(inspector.close())
        self._runner.close()


class Presidio:
    """One engine for both columns: what the names model's recogniser adds is told apart by its name."""

    def __init__(self, languages: Sequence[str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._analyzer = _analyzer(list(languages))

    def find(self, text: str, language: str) -> tuple[list[Label], list[Label]]:
        """Stock, and with the names model."""
        results = self._analyzer.analyze(text, language)
        stock = [one for one in results if one.recognition_metadata["recognizer_name"] != WRAPPED]
        return _labels(stock), _labels(results)


def _labels(results: Iterable[Any]) -> list[Label]:
    return [Label(one.start, one.end, named(one.entity_type)) for one in results if one.score > 0]


def _analyzer(languages: list[str]) -> Any:
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    tldextract: Any = importlib.import_module("tldextract")
    extractor = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.extract = extractor

    class Blank(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": language, "model_name": "blank"} for language in languages])
            self.nlp: Any = {language: spacy.blank(language) for language in languages}

    engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=languages)
    model = NamesModel()
    for language in languages:
        engine.registry.add_recognizer(_wrapped(model, language))
    return engine


def _wrapped(model: NamesModel, language: str) -> Any:
    """The names model behind Presidio's interface."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Wrapped(EntityRecognizer):
        def __init__(self) -> None:
            super().__init__(supported_entities=list(ENTITIES), name=WRAPPED, supported_language=language)

        def load(self) -> None:
            """The model loads itself at its first text."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            return [
                RecognizerResult(
                    span.entity, span.start, span.end, span.score, recognition_metadata={"recognizer_name": WRAPPED}
                )
                for span in model.find(text)
                if span.entity in entities
            ]

    return Wrapped()


class Systems:
    """All of them over one text at a time."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._ours = Ours()
        self._presidio = Presidio(languages)

    def find(self, text: str, language: str) -> dict[str, list[Label]]:
        stock, with_names = self._presidio.find(text, language)
        return {**self._ours.find(text), STOCK: stock, WITH_NAMES: with_names}

    def close(self) -> None:
        self._ours.close()
