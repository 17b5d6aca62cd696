"""Values restored in JSON text: the document stays the one the model wrote, with the value in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.model import Channel
from sidecar.redaction import Restorer, redact
from sidecar.redaction.jsontext import JsonCursor, escape
from tests.redaction.kit import ALL, JSON, TEXT, everywhere, mark, part, redacted, stream, vault_of

NASTY = 'a"b\\c\nd\te\x00f/g\u2028h\U0001f600i'
VAULT = vault_of(PERSON=NASTY, LOCATION="Rome", PHONE_NUMBER="4912345678")
INJECTION = vault_of(PERSON='", "admin": true, "x": "', LOCATION='1, "admin": true')


def in_documents(value: object, depth: int) -> str:
    for _ in range(depth):
        value = json.dumps({"k": value})
    return str(value)


def out_of_documents(text: str, depth: int) -> object:
    for _ in range(depth):
        text = json.loads(text)["k"]
    return text


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("spelling", ["<PERSON_1>", "\\u003cPERSON_1\\u003e"])
def test_a_value_is_escaped_for_each_document_it_stands_in(depth: int, spelling: str) -> None:
    document = in_documents("Dear <PERSON_1>!", depth)
    if spelling != "<PERSON_1>" and depth <= 3:
        document = document.replace("<", "\\u003c").replace(">", "\\u003e")
    assert out_of_documents(stream(Restorer(VAULT), list(document), JSON), depth) == f"Dear {NASTY}!"


def test_an_escape_of_the_inner_document_is_one_of_the_surrogate() -> None:
    inner = json.dumps({"k": "<PERSON_1>"}).replace("<", "\\u003c").replace(">", "\\u003e")
    document = json.dumps({"k": inner})
    assert "\\\\u003cPERSON_1" in document
    assert out_of_documents(everywhere(VAULT, document, JSON), 2) == NASTY


def test_a_backslash_before_an_escaped_bracket_stays() -> None:
    document = json.dumps({"k": "C:\\<LOCATION_1>\\x"}).replace("<", "\\u003c")
    assert everywhere(VAULT, document, JSON) == json.dumps({"k": "C:\\Rome\\x"})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"n": <PHONE_NUMBER_1>}', '{"n": "4912345678"}'),
        ("<LOCATION_1>", '"Rome"'),
        ('["<LOCATION_1>", <LOCATION_1>]', '["Rome", "Rome"]'),
        ('{"<LOCATION_1>": 1}', '{"Rome": 1}'),
        ('{"k": "{\\"n\\": <PHONE_NUMBER_1>}"}', '{"k": "{\\"n\\": \\"4912345678\\"}"}'),
        ('{"k": "[<LOCATION_1>](x)"}', '{"k": "[Rome](x)"}'),
        ('{"k": "' + 28 * "\\" + '\\u003cLOCATION_1>"}', '{"k": "' + 28 * "\\" + 'Rome"}'),
        ('{"k": "' + 40 * "\\" + '\\u003cLOCATION_1>"}', '{"k": "' + 40 * "\\" + '\\u003cLOCATION_1>"}'),
        ('{"k": "{<LOCATION_1>}"}', '{"k": "{Rome}"}'),
        ('{"k": "\\"<LOCATION_1>"}', '{"k": "\\"Rome"}'),
    ],
)
def test_outside_strings_a_value_becomes_one(document: str, expected: str) -> None:
    assert everywhere(VAULT, document, JSON) == expected


def test_no_value_adds_a_key_or_closes_an_object() -> None:
    for document in ('{"k": "<PERSON_1>"}', '{"k": <LOCATION_1>}', '{"k": <PERSON_1>}'):
        assert list(json.loads(everywhere(INJECTION, document, JSON))) == ["k"]
    document = json.dumps({"k": '{"a": <LOCATION_1>}'})
    assert list(json.loads(json.loads(everywhere(INJECTION, document, JSON))["k"])) == ["a"]


PROSE = """[1] He said "<PERSON_1>" | {name} is "<PERSON_1>" | see ["x"] and "<PERSON_1>" | [see "<PERSON_1>"]
"<PERSON_1>" | [nullable]
[true story] "<PERSON_1>" | {} "<PERSON_1>" | [truefalse "<PERSON_1>" | [1-800-NULL "<PERSON_1>" | [a] """


@pytest.mark.parametrize("prose", [each.strip() for line in PROSE.split("\n") for each in line.split("|")])
def test_prose_with_quotes_in_a_string_is_no_document(prose: str) -> None:
    got = everywhere(VAULT, json.dumps({"k": prose}), JSON)
    assert json.loads(got)["k"] == prose.replace("<PERSON_1>", NASTY)


def test_a_value_behind_half_an_escape_would_become_its_end_so_it_is_left() -> None:
    for document in ('{"k": "\\<PERSON_1>"}', '{"k": "\\u00<PERSON_1>"}'):
        restorer = Restorer(INJECTION)
        assert stream(restorer, list(document), JSON) == document
        assert restorer.ambiguous == 1


def test_text_around_json_is_treated_as_json_all_the_same() -> None:
    document = 'Here it is:\n```json\n{"k": "<PERSON_1>"}\n```'
    assert json.loads(everywhere(VAULT, document, JSON)[20:-4])["k"] == NASTY


SPOKEN = [
    "Sorry, <PERSON_1> cannot be reached in <LOCATION_1>.",
    "Here it is for <LOCATION_1>:\n```json\n{}\n```\n<PERSON_1> agrees.",
    " \n(<LOCATION_1>) <PERSON_1>",
]


@pytest.mark.parametrize("text", SPOKEN)
def test_what_is_no_document_gets_no_quotes(text: str) -> None:
    """A model that refuses, or a server that knows no `response_format`, writes prose."""
    meant = text.replace("<PERSON_1>", NASTY).replace("<LOCATION_1>", "Rome")
    assert everywhere(VAULT, text, JSON) == meant


def test_in_a_document_amid_prose_a_value_is_a_string() -> None:
    document = 'Here:\n```json\n{"k": <PERSON_1>, "l": ["x", <LOCATION_1>]}\n```'
    assert json.loads(everywhere(VAULT, document, JSON)[14:-4]) == {"k": NASTY, "l": ["x", "Rome"]}


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("around", ["{}", " \n{}\n", "```json\n{}\n```", "```\n{}\n```\nThat is \"all\"."])
def test_a_document_that_nobody_declared_is_one_all_the_same(depth: int, around: str) -> None:
    """Asked for JSON in words, a model answers with it: a value with a quote or a line end in it broke it."""
    document = in_documents("Dear <PERSON_1>!", depth)
    got = everywhere(VAULT, around.replace("{}", document), TEXT)
    before, after = around.split("{}")
    assert got.startswith(before) and got.endswith(after)
    assert out_of_documents(got[len(before) : len(got) - len(after)], depth) == f"Dear {NASTY}!"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"<LOCATION_1>": ["<PERSON_1>", <PHONE_NUMBER_1>]}', {"Rome": [NASTY, "4912345678"]}),
        ('[{"a": "<PERSON_1>", "b": {"<PERSON_1>": null}}]', [{"a": NASTY, "b": {NASTY: None}}]),
        ('{"a": "\\u003cPERSON_1\\u003e"}', {"a": NASTY}),
    ],
)
def test_keys_and_bare_values_of_a_document_that_nobody_declared(document: str, expected: object) -> None:
    assert json.loads(everywhere(VAULT, document, TEXT)) == expected


@pytest.mark.parametrize("text", [each.strip() for line in PROSE.split("\n") for each in line.split("|")] + [
    "{'a': '<PERSON_1>'}", '{name: "<PERSON_1>"}', "[<PERSON_1>](x)", "```\n<PERSON_1>\n```", '"<PERSON_1>"',
    "`[<PERSON_1>`", '{"a": 1}\n\nAsk <PERSON_1>, "<PERSON_1>".',
    'Here: {"a": "<PERSON_1>"}', '````json\n{"a": "<PERSON_1>"}',
])  # fmt: skip
def test_prose_is_no_document(text: str) -> None:
    assert everywhere(VAULT, text, TEXT) == text.replace("<PERSON_1>", NASTY)


PASTED = [
    (json.dumps({"a": "Zo\u00eb \"Q\"\n1 Road"}), "Zo\\u00eb \\\"Q\\\"\\n1 Road", "Zo\u00eb \"Q\"\n1 Road"),
    (json.dumps(["say \"no\" to", "x", "C:\\Zo\u00eb"]), "C:\\\\Zo\\u00eb", "C:\\Zo\u00eb"),
    (json.dumps({"note": 'he "said" to Zo\u00eb: '}), "Zo\\u00eb", "Zo\u00eb"),
    (str({"a": "1 Road\nRome"}), "1 Road\\nRome", "1 Road\nRome"),
    ("log in as CORP\\nancy", "CORP\\nancy", "CORP\\nancy"),
    ('path="CORP\\nancy"', "CORP\\nancy", "CORP\\nancy"),
    ('{"a": "b"} or CORP\\nancy', "CORP\\nancy", "CORP\\nancy"),
    ('{"a": "CORP\\jdoe"}', "CORP\\jdoe", "CORP\\jdoe"),
    ('{"a": "' + "x" * 5000 + 'Zo\\u00eb"}', "Zo\\u00eb", "Zo\\u00eb"),
    ('{"a": "' + '\\"' * 100 + 'Zo\\u00eb"}', "Zo\\u00eb", "Zo\u00eb"),
]


@pytest.mark.parametrize(("pasted", "typed", "says"), PASTED)
def test_what_was_pasted_as_json_into_prose_means_what_it_says(pasted: str, typed: str, says: str) -> None:
    """`J\\u00fcrgen`, as json.dumps writes it, came back in a tool's arguments as `J\\\\u00fcrgen`."""
    prompt = f"Write to him: {pasted}"
    assert prompt.count(typed) == 1
    for entity in ("PERSON", "URL"):  # one by one, and amid links
        vault = redacted([prompt + " https://x.example/ " * (entity == "URL")], {typed: entity})[1].vault
        token = f"<{entity}_1>"
        for channel in (JSON, TEXT):
            assert json.loads(everywhere(vault, json.dumps({"k": f"to {token}"}), channel)) == {"k": f"to {says}"}
            assert json.loads(everywhere(vault, f'{{"k": {token}}}', channel)) == {"k": says}
        for text in (f"I wrote to {token}.", f'"{token}"'):
            assert everywhere(vault, text, TEXT) == text.replace(token, typed)


@given(st.text(min_size=1), st.text(max_size=9), st.booleans(), st.sampled_from([JSON, TEXT]))
def test_any_value_pasted_as_json_is_parsed_as_itself(value: str, before: str, plain: bool, channel: Channel) -> None:
    typed, first = (json.dumps(each, ensure_ascii=plain)[1:-1] for each in (value, before))
    prompt = f'See {{"n": 1, "k": "{first}{typed}"}}'
    start = prompt.index(f"{first}{typed}") + len(first)
    made = part(prompt)
    vault = redact([made], [mark(made, start, start + len(typed))], ALL).vault
    got = stream(Restorer(vault), list('{"k": "<PERSON_1>"}'), channel)
    assert json.loads(got) == {"k": value}


def test_a_bare_name_may_follow_an_escape() -> None:
    assert everywhere(VAULT, '{"k": "a\\nLOCATION_1>"}', JSON) == '{"k": "a\\nRome"}'


@given(st.text(), st.integers(1, 4))
def test_any_value_at_any_depth(value: str, depth: int) -> None:
    vault = vault_of(PERSON=value or "x")
    document = in_documents("a <PERSON_1> b", depth)
    got = stream(Restorer(vault), [document[:9], document[9:]], JSON)
    assert out_of_documents(got, depth) == f"a {value or 'x'} b"


@given(st.text(st.characters(exclude_categories=[])))
def test_escaping_is_what_json_reads_back_and_utf8_can_carry(value: str) -> None:
    assert json.loads(f'"{escape(value)}"') == value
    escape(value).encode()


@settings(max_examples=50)
@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda kids: st.lists(kids) | st.dictionaries(st.text(), kids))
)
def test_after_a_whole_document_the_cursor_stands_outside(tree: object) -> None:
    text = json.dumps(tree)
    cursor = JsonCursor()
    for character in text:
        cursor.advance(character)
    assert not cursor.torn()
    assert cursor.place("x", "x") == '"x"'
