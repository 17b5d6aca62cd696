"""Names and words from packages: given and family names by locale, list files, the word lists of the model."""

from __future__ import annotations

import importlib
import pkgutil
import re
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import faker.providers.person
from pieces import COMMON, FAMILY, GIVEN, PLACE, Lexicon, normal, word_key, words_of

if TYPE_CHECKING:
    from names_gen import Generator

LANGS = ("en", "de", "fr", "es", "it", "nl")
SMALL = frozenset(("de", "la", "van", "der", "von", "del", "di", "le", "of", "and", "the", "den", "du", "da", "el"))


def held_out(word: str, share: int) -> bool:
    """Tell whether a word is in the share (per cent) kept out of the lists during training."""
    return word_key("held|" + word) % 100 < share


def faker_names() -> dict[str, tuple[list[str], list[str]]]:
    """Return, for every locale in Latin script, its given and family names."""
    found = {}
    for module in pkgutil.iter_modules(faker.providers.person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        given: set[str] = set()
        family: set[str] = set()
        for name in dir(provider):
            value = getattr(provider, name)
            if not isinstance(value, (list, tuple, dict)) or name.startswith("__"):
                continue
            if name.startswith(("first_name", "given_name")):
                given.update(value)
            elif name.startswith(("last_name", "family_name")):
                family.update(value)
        latin = [
            sorted(
                word.strip()
                for word in group
                if isinstance(word, str) and word and re.fullmatch(r"[A-Za-zÀ-ɏḀ-ỿ'’. -]{2,30}", word)
            )
            for group in (given, family)
        ]
        if len(latin[0]) > 20 and len(latin[1]) > 20:
            found[module.name] = (latin[0], latin[1])
    return found


def read_lists(path: Path) -> dict[str, list[str]]:
    """Read `key: a | b | c` lines."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, rest = line.partition(":")
            found.setdefault(key.strip(), []).extend(item.strip() for item in rest.split("|") if item.strip())
    return found


def lexicon(
    gen: Generator, extra: tuple[list[str], list[str]], commons: dict[str, list[str]], names_out: int, common_out: int
) -> Lexicon:
    """Make the word lists; for training a share (per cent) of the words is left out, so that the model does not
    rely on them: words of texts to come will be missing too.
    """
    marks: dict[str, int] = {}

    def add(name: str, mark: int) -> None:
        for word in words_of(name):
            part = normal(word.text)
            if word.text[0].isalpha() and len(part) > 1 and part not in SMALL:
                marks[part] = marks.get(part, 0) | mark

    for given, family in gen.names.values():
        for name in given:
            add(name, GIVEN)
        for name in family:
            add(name, FAMILY)
    for name in extra[0]:
        add(name, GIVEN)
    sure = {word for word, mark in marks.items() if mark & GIVEN}
    for name in extra[1]:
        add(name, FAMILY)
    for city, country, region in gen.cities:
        for name in (city, country, region):
            add(name, PLACE)
    for lang in LANGS:
        for name in (*gen.countries[lang], *gen.exonyms[lang], *gen.lists[lang]["city"], *gen.lists[lang]["region"]):
            add(name, PLACE)
    kept = {word: mark for word, mark in marks.items() if not held_out(word, names_out)}
    for words in commons.values():
        for rank, word in enumerate(words):
            plain = normal(word)
            named = plain in sure or marks.get(plain, 0) & PLACE
            if len(plain) > 1 and (rank < 3000 or not named) and not held_out(plain + "|common", common_out):
                kept[plain] = kept.get(plain, 0) | COMMON
    keys = {word_key(word): mark for word, mark in kept.items()}
    order = sorted(keys)
    return Lexicon(array("I", order), bytes(keys[key] for key in order))
