"""Generated texts: templates written for this project, filled with names of people, places and organisations.

A template line holds slots in braces and literal entities in brackets, `[P:Dante]`. Slots:
P person (any form) F full name G given S surname K ruler, saint or medieval X one-word or fictional name
L place C city N country R region V river, mountain, sea, district; O organisation B business U university
T sports team Q party, office, institution; A street and number, AF postal block;
D date Y year M number E e-mail H phone. No entities: W title of a work, I code-like identifier, Z people, tribe,
dynasty or language, J product, program or code name (some are given names).
A number after the letter repeats a value in its text: {F1} a person in full, {S1} and {G1} the family and given name.
"""

from __future__ import annotations

import re
from pathlib import Path

import names_data as data
from names_lists import LANGS
from names_slots import Slots

MARK = re.compile(r"\[([PLOA]):([^\]]+)\]|\{([A-Z]{1,2})(\d?)\}")
INNER = re.compile(r"\{([A-Z]{1,2})(\d?)\}")
KIND = {
    **dict.fromkeys("PFGSKX", "PERSON"), **dict.fromkeys("LCNRV", "LOCATION"), **dict.fromkeys("OBUTQ", "ORGANIZATION"),
    "A": "STREET_ADDRESS", "AF": "STREET_ADDRESS",
}  # fmt: skip
EXCHANGED = 0.3
"""Share of the literal people and places of a template that another name replaces."""


class Generator(Slots):
    """Fills templates; the same seed gives the same texts."""

    def __init__(self, root: Path, folder: Path, seed: int) -> None:
        """Load every list and every template."""
        super().__init__(root, folder, seed)
        self.templates: dict[str, dict[str, list[str]]] = {}
        for lang in (*LANGS, "any"):
            parts: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
            for line in (folder / f"{lang}.txt").read_text("utf-8").splitlines():
                if line.strip():
                    part = data.part_of(f"template|{lang}|{line}")
                    parts["train" if part == "dev" else part].append(line.replace("\\n", "\n"))
            self.templates[lang] = parts

    def make(self, template: str, lang: str) -> tuple[list[str], list[int]]:
        """Fill one template and label its words."""
        return data.from_spans(*self.filled(template, lang))

    def filled(self, template: str, lang: str) -> tuple[str, list[tuple[int, int, str]]]:
        """Fill one template: the text, and start, end and type of every entity."""
        text = ""
        spans: list[tuple[int, int, str]] = []
        said: dict[str, str] = {}
        at = 0
        for match in MARK.finditer(template):
            text += template[at : match.start()]
            literal, value, slot, number = match.groups()
            kind = KIND.get(
                slot or "",
                {"P": "PERSON", "L": "LOCATION", "O": "ORGANIZATION", "A": "STREET_ADDRESS"}.get(literal or "", ""),
            )
            filled = self.literal(literal, value, lang, said) if literal else self.value(slot, number, lang, said)
            if kind:
                spans.append((len(text), len(text) + len(filled), kind))
            text += filled
            at = match.end()
        return text + template[at:], spans

    def literal(self, kind: str, value: str, lang: str, said: dict[str, str]) -> str:
        """What a template names itself, its inner slots filled; now and then another name, so that the words around
        it are learned and not the name.
        """
        if "{" in value:
            return INNER.sub(lambda inner: self.value(inner[1], inner[2], lang, said), value)
        if value not in said:
            other = kind in "PL" and self.pick.random() < EXCHANGED
            said[value] = self.like(kind, value, lang) if other else value
        return said[value]

    def like(self, kind: str, value: str, lang: str) -> str:
        """Another person or place, of as many words."""
        if kind == "L":
            return self.place(lang)
        return self.full(lang) if " " in value else self.pick.choice((self.surname, self.given, self.single))(lang)

    def example(self, lang: str, part: str = "train") -> data.Example:
        """Return one text of a language; one in five is code or other machine text with that language's names."""
        group = "any" if self.pick.random() < 0.2 else lang
        template = self.pick.choice(self.templates[group][part] or self.templates[group]["train"])
        words, labels = self.make(template, lang)
        return data.Example(words, labels, lang, "template", part)
