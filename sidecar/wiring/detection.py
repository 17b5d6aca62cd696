"""The inspector that configuration asks for: the same for the proxy and for `sidecar pii`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sidecar.config import ConfigError, DetectionSettings, Problem
from sidecar.config_sources import nearest
from sidecar.drivers.inspector import Inspector
from sidecar.inspection.catalogue import COUNTRIES, NAMES, SIGNS, Mode, Settings, is_change
from sidecar.inspection.countries import COUNTRY_NAMES, WRITTEN, known_types, national_types
from sidecar.ports import Clock, Entropy

RECOGNISERS = {
    "recognizer": ("class", "options"),
    "nlp": ("configuration", "language"),
    "remote": ("url", "language", "timeout_s", "ca", "key_file"),
}
"""The kinds that drivers/presidio.py knows, and the settings of each; the first is what it cannot do without."""
OF_EACH = ("kind", "name", "version", "entities")
MIXED = "name either all types that are wanted, or only changes of the usual ones: +TYPE, -TYPE"


def inspector_of(settings: DetectionSettings, clock: Clock, entropy: Entropy) -> Inspector:
    """Raises ConfigError with a line for each setting that cannot be used. The cache's key is new every time."""
    made, wrong = inspector_or_problems(settings, clock, entropy)
    if made is None:
        raise ConfigError(*map(str, wrong))
    return made


def inspector_or_problems(
    settings: DetectionSettings, clock: Clock, entropy: Entropy
) -> tuple[Inspector | None, list[Problem]]:
    """The inspector, no process of which is started yet, or why there is none: a type that nobody can find is found
    nowhere, and looks like a text without it."""
    wrong = list(problems(settings))
    if wrong:
        return None, wrong
    try:
        made = _made(settings, clock, entropy)
    except ValueError as fault:
        return None, [Problem("detection.names" if settings.names else "detection", str(fault))]
    wrong = list(_not_found(settings.entities, made.looked_for))
    return (None, wrong) if wrong else (made, [])


def _made(settings: DetectionSettings, clock: Clock, entropy: Entropy) -> Inspector:
    return Inspector(
        secret=entropy.token(32),
        clock=clock,
        settings=Settings(
            entities=frozenset(settings.entities) or None,
            mode=Mode(settings.mode),
            countries=settings.locales or COUNTRIES,
            thresholds=tuple(sorted(settings.thresholds.items())),
            allow=settings.allow,
            deny=tuple(sorted(settings.deny.items())),
            word_files=tuple(sorted(settings.words.items())),
        ),
        names=settings.names,
        recognisers=settings.recognisers,
        consistent=settings.consistent,
        deadline_s=settings.deadline,
    )


@asynccontextmanager
async def inspecting(
    settings: DetectionSettings, clock: Clock, entropy: Entropy
) -> AsyncIterator[tuple[Inspector, Awaitable[object]]]:
    """The inspector, and what to wait for before the first call: its worker is loading meanwhile, if calls need one.

    Raises ConfigError; what is waited for raises OwnError when a detector cannot be loaded.
    """
    inspector = inspector_of(settings, clock, entropy)
    loading = asyncio.ensure_future(inspector.start() if needs_worker(settings, inspector) else asyncio.sleep(0))
    try:
        await asyncio.sleep(0.001)  # a few turns of the loop, in which its process is started
        yield inspector, loading
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await inspector.close()


def needs_worker(settings: DetectionSettings, inspector: Inspector) -> bool:
    """Whether calls wait for something that is loaded in a worker: models take a second, and may fail to load."""
    has_names = any(detector.name == "names" for detector in inspector.detectors)
    return has_names or bool(settings.words or settings.recognisers)


def problems(settings: DetectionSettings) -> Iterator[Problem]:
    """Types, countries, recognisers and word files that are not there. Word files are read."""
    yield from _unknown_countries(settings.locales)
    yield from _unusable_recognisers(settings)
    types = types_known(settings)
    if not is_change(settings.entities) and any(entity.startswith(SIGNS) for entity in settings.entities):
        yield Problem("detection.entities", MIXED)
    unsigned = [entity.lstrip("+-") for entity in settings.entities]
    for setting, named in (("entities", unsigned), ("thresholds", settings.thresholds)):
        for entity in named:
            if entity not in types:
                yield Problem(f"detection.{setting}", unfindable(entity, types))
    for entity, path in settings.words.items():
        yield from _unreadable(f"detection.words.{entity}", Path(path))


def types_known(settings: DetectionSettings) -> frozenset[str]:
    """Every type there is: those of the rules and of the names model, wanted here or not, and the customer's own."""
    return known_types().union(settings.deny, settings.words, *map(_types_of, settings.recognisers))


def unfindable(entity: str, types: Iterable[str]) -> str:
    """What is wrong with a type that nobody finds, and what may have been meant."""
    near = nearest(entity, {known: known for known in types})
    return f"no detector finds {entity}{near or '; `sidecar serve` lists at its start what is looked for'}"


def _unknown_countries(locales: Iterable[str]) -> Iterator[Problem]:
    for country in locales:
        if country not in COUNTRY_NAMES:
            known = ", ".join(COUNTRY_NAMES)
            yield Problem("detection.locales", f"no country {country}{nearest(country, WRITTEN)} (known: {known})")


def _types_of(recogniser: object) -> Iterator[str]:
    named = recogniser.get("entities", ()) if isinstance(recogniser, dict) else ()
    return map(str, named if isinstance(named, list | tuple) else ())


def _unusable_recognisers(settings: DetectionSettings) -> Iterator[Problem]:
    for number, recogniser in enumerate(settings.recognisers):
        name = f"detection.recognisers.{number}"
        own = RECOGNISERS.get(str(recogniser.get("kind")))
        if own is None:
            yield Problem(name, f"`kind` must be one of {', '.join(RECOGNISERS)}")
        elif own[0] not in recogniser:
            yield Problem(name, f"`{own[0]}` is needed for this kind")
        elif not list(_types_of(recogniser)):
            yield Problem(name, "must name its `entities`, a list")
        else:
            yield from _wrong_settings(name, recogniser, (*OF_EACH, *own))


def _wrong_settings(name: str, recogniser: Mapping[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    for setting in recogniser:
        if setting not in known:
            near = nearest(setting, {each: each for each in known})
            yield Problem(name, f"there is no setting `{setting}` for this kind{near}")
    if "url" in known and not str(recogniser["url"]).startswith(("http://", "https://")):
        yield Problem(name, "`url` must begin with http:// or https://")
    if names_user(str(recogniser.get("url", ""))):
        yield Problem(name, "`url` must not hold a user or password, which would not be sent; see `key_file`")
    if "ca" in recogniser:
        yield from uncertified(name, Path(str(recogniser["ca"])))
    if "key_file" in recogniser:
        yield from _keyless(name, Path(str(recogniser["key_file"])))
    timeout = recogniser.get("timeout_s", 1.0)
    if not (isinstance(timeout, int | float) and timeout > 0):
        yield Problem(name, "`timeout_s` must be a number of seconds above 0")


def names_user(url: str) -> bool:
    return "@" in url.partition("://")[2].partition("/")[0]


def uncertified(name: str, path: Path) -> Iterator[Problem]:
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        yield Problem(name, f"{path}: must hold certificates in PEM")
    except OSError as fault:
        yield Problem(name, f"{path}: {fault.strerror}")


def _keyless(name: str, path: Path) -> Iterator[Problem]:
    from sidecar.drivers.presidio import key_in  # only where one is configured, as everywhere

    try:
        key_in(path)
    except OSError as fault:
        yield Problem(name, f"{path}: {fault.strerror}")
    except ValueError as fault:
        yield Problem(name, str(fault))


def _unreadable(name: str, path: Path) -> Iterator[Problem]:
    try:
        with path.open(encoding="utf-8") as lines:
            for _ in lines:
                pass
    except OSError as fault:
        yield Problem(name, f"{path}: {fault.strerror}; every call would be refused")
    except UnicodeDecodeError:
        yield Problem(name, f"{path}: must be UTF-8, one word or phrase a line")


def _not_found(wanted: Iterable[str], looked_for: Iterable[str]) -> Iterator[Problem]:
    """Known types that these settings keep from being found, although `entities` asks for them."""
    found = set(looked_for)
    for entity in sorted(found.intersection(entity[1:] for entity in wanted if entity.startswith("-"))):
        yield Problem("detection.entities", f"-{entity}: deny, words or a recogniser finds it; take it out there")
    named = {entity.removeprefix("+") for entity in wanted if not entity.startswith("-")}
    for entity in sorted(named.difference(found)):
        homes = [country for country, types in national_types().items() if entity in types]
        if homes:
            yield Problem("detection.entities", f"{entity} needs {' or '.join(homes)} in detection.locales")
        elif entity in NAMES:
            yield Problem("detection.entities", f"{entity} needs the names model, which is off or not installed")
        else:
            yield Problem("detection.entities", f"nothing that is configured finds {entity}")
