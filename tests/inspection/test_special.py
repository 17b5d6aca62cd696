"""Special categories of personal data: found in the forms that seven languages give their words, where asked for."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import SPECIAL, Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings(entities=frozenset(f"+{entity}" for entity in SPECIAL)))


def found(text: str) -> list[tuple[str, str]]:
    spans = [span for span in ENGINE.find(text) if span.entity.startswith("SPECIAL_")]
    return [(text[span.start : span.end], span.entity.removeprefix("SPECIAL_")) for span in spans]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Er ist Mitglied der IG Metall und der SPD.", [("IG Metall", "UNION"), ("SPD", "POLITICS")]),
        ("Sie ist SPD-Mitglied", [("SPD", "POLITICS")]),
        ("wählt die AfD", [("AfD", "POLITICS")]),
        ("Il est adhérent CGT", [("CGT", "UNION")]),
        ("adhérente du Rassemblement national", [("Rassemblement national", "POLITICS")]),
        ("afiliado a CCOO", [("CCOO", "UNION")]),
        ("militante del PSOE", [("PSOE", "POLITICS")]),
        ("iscritta alla CGIL", [("CGIL", "UNION")]),
        ("lid van de FNV", [("FNV", "UNION")]),
        ("lid van GroenLinks", [("GroenLinks", "POLITICS")]),
        ("jest członkiem Solidarności i należy do PiS", [("Solidarności", "UNION"), ("PiS", "POLITICS")]),
        ("a member of the Conservative Party", [("Conservative", "POLITICS")]),
        ("I voted Labour", [("Labour", "POLITICS")]),
        ("il est séropositif", [("séropositif", "HEALTH")]),
        ("elle est séropositive et dépressive", [("séropositive", "HEALTH"), ("dépressive", "HEALTH")]),
        ("leczy cukrzycę", [("cukrzycę", "HEALTH")]),
        ("jest w ciąży", [("ciąży", "HEALTH")]),
        ("die schwangere Kollegin", [("schwangere", "HEALTH")]),
        ("es diabética y está embarazada", [("diabética", "HEALTH"), ("embarazada", "HEALTH")]),
        ("è sieropositiva", [("sieropositiva", "HEALTH")]),
        ("zij is depressief en zwanger", [("depressief", "HEALTH"), ("zwanger", "HEALTH")]),
        ("Jest Żydem", [("Żydem", "RELIGION")]),
        ("sono cattolici", [("cattolici", "RELIGION")]),
        ("są katolikami", [("katolikami", "RELIGION")]),
        ("sie sind Juden", [("Juden", "RELIGION")]),
        ("jest gejem", [("gejem", "ORIENTATION")]),
        ("zij is lesbische", [("lesbische", "ORIENTATION")]),
    ],
)
def test_the_word_is_marked(text: str, marks: list[tuple[str, str]]) -> None:
    assert found(text) == marks


@pytest.mark.parametrize(
    "text",
    [
        "Die SPD und die IG Metall verhandeln",
        "FNV-1a hash of each struct member; union { int a; };",
        "LR parser member functions",
        "a framework-agnostic member list in PS and PDF",
        "der Gläubiger fordert",
        "if not disabled: the feature is disabled",
        "std::vector<member> PP",
        "the depth of the impression",
    ],
)
def test_other_words_are_none(text: str) -> None:
    assert found(text) == []


def test_signed_types_change_the_usual_ones() -> None:
    text = "anna@corp.example, tel. +49 30 901820, hat Diabetes"

    def types(*entities: str) -> set[str]:
        return {span.entity for span in Engine(Settings(entities=frozenset(entities))).find(text)}

    assert types("+SPECIAL_HEALTH") == {"EMAIL_ADDRESS", "PHONE_NUMBER", "SPECIAL_HEALTH"}
    assert types("+SPECIAL_HEALTH", "-PHONE_NUMBER") == {"EMAIL_ADDRESS", "SPECIAL_HEALTH"}
    assert types("-EMAIL_ADDRESS") == {"PHONE_NUMBER"}
    assert types("SPECIAL_HEALTH") == {"SPECIAL_HEALTH"}
    assert types() == set()
