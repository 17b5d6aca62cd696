"""Findings to edits: what is replaced, by what, and what is left alone."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.routes import match
from sidecar.errors import Refusal
from sidecar.model import Finding, Part, PlaceKind, RedactMode, Role
from sidecar.redaction import NUMBERED, Redaction, Restorer, Vault, keyed, keyed_hash, redact
from sidecar.redaction.grammar import label
from sidecar.redaction.vault import Entry
from tests.redaction.kit import ALL, TEXT, VALUES, edited, mark, marks, part, redacted, stream

ANNA = {"bob@x.com": "EMAIL_ADDRESS", "Bob@x.com": "EMAIL_ADDRESS", "Anna": "PERSON", "Bob": "PERSON"}
TYPED = r"""<PERSON_1> <person_1> &lt;PERSON_1&gt; &LT;Person_1> \u003cPERSON_1\u003e \\u003cPERSON_1\\u003e <PERSON\_1>
%3CPERSON_1%3E
<PERSON_1 PERSON_1> PERSON_1 MY_PERSON_1 <LITERAL_1> <IBAN_CODE_3> <PERSON_0123456789abcdef0> \PERSON_1 \nPERSON_1
<US_DRIVER_LICENSE_12>"""
NOT_TYPED = """MAX_SIZE_2 <document_1> UTF_8 ISO_8859_1 <PERSON_01> <PERSON_\u0661> <PERSON_> <PERSON_1x> xPERSON_1
person_1 EMAIL_ADDRESS_1 <PERSON_0123456789abcdef> n<step_1"""


@st.composite
def requests(draw: st.DrawFn) -> tuple[list[Part], list[Finding]]:
    """Any texts, with any disjoint spans of three entities in them."""
    parts, findings = [], []
    for at, text in enumerate(draw(st.lists(st.text(max_size=30), max_size=4))):
        made = part(text, at=at)
        edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
        for start, end in zip(edges[::2], edges[1::2], strict=False):
            findings.append(mark(made, start, end, draw(st.sampled_from(["PERSON", "URL", "US_PERSON"]))))
        parts.append(made)
    return parts, findings


def test_a_value_gets_the_same_surrogate_each_time_and_another_value_another_one() -> None:
    texts, result = redacted(["Anna and Bob", "Bob, then Anna"], ANNA)
    assert texts == ["<PERSON_1> and <PERSON_2>", "<PERSON_2>, then <PERSON_1>"]
    assert result.counts == {"PERSON": 4}
    assert result.vault.values() == {"PERSON": 2}


def test_case_makes_another_value_so_that_restoring_is_exact() -> None:
    texts, _ = redacted(["bob@x.com Bob@x.com"], ANNA)
    assert texts == ["<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>"]


def test_the_same_text_as_two_entities_is_two_values() -> None:
    made = part("Paris Paris")
    result = redact([made], [mark(made, 0, 5, "PERSON"), mark(made, 6, 11, "LOCATION")], ALL)
    assert result.edits[0].text == "<PERSON_1> <LOCATION_1>"


def test_an_entity_without_a_rule_is_left_alone() -> None:
    made = part("Anna at bob@x.com")
    result = redact([made], marks(made, ANNA), {"PERSON": RedactMode.SURROGATE})
    assert edited([made], result.edits) == ["<PERSON_1> at bob@x.com"]
    assert redact([made], marks(made, ANNA), {"URL": RedactMode.SURROGATE}).edits == ()


def test_nothing_to_redact_touches_nothing_not_even_a_typed_surrogate() -> None:
    texts, result = redacted(["<PERSON_1> and PERSON_2"], {})
    assert texts == ["<PERSON_1> and PERSON_2"]
    assert (result.edits, bool(result.vault), result.counts) == ((), False, {})


def test_only_changed_parts_are_edited() -> None:
    _, result = redacted(["Anna", "nobody", "Bob"], ANNA)
    assert [edit.place.label for edit in result.edits] == ["messages[0]", "messages[2]"]


@given(requests())
def test_text_outside_spans_is_unchanged_and_spans_are_gone(request_: tuple[list[Part], list[Finding]]) -> None:
    parts, findings = request_
    texts = edited(parts, redact(parts, findings, {"*": RedactMode.MASK}).edits)
    for made, text in zip(parts, texts, strict=True):
        mine = [finding for finding in findings if finding.place == made.place]
        expected, at = "", 0
        for finding in mine:
            expected += made.text[at : finding.start] + f"<{finding.entity}>"
            at = finding.end
        assert text == expected + made.text[at:]


@given(requests())
def test_restoring_what_was_redacted_gives_the_request(request_: tuple[list[Part], list[Finding]]) -> None:
    parts, findings = request_
    result = redact(parts, findings, ALL)
    for made, text in zip(parts, edited(parts, result.edits), strict=True):
        assert stream(Restorer(result.vault, guard=False), [text]) == made.text


@given(requests(), st.sampled_from([NUMBERED, keyed(b"0123456789abcdef")]))
def test_two_values_never_share_a_surrogate(request_: tuple[list[Part], list[Finding]], style: object) -> None:
    parts, findings = request_
    result = redact(parts, findings, ALL, style=style)  # type: ignore[arg-type]
    texts = {made.place: made.text for made in parts}
    values = {(finding.entity, texts[finding.place][finding.start : finding.end]) for finding in findings}
    minted = set(re.findall(r"<(?!LITERAL)[A-Z_]+_[0-9a-f]+>", "".join(edit.text for edit in result.edits)))
    assert len(values) <= len(minted)
    assert len(result.vault) == sum(result.vault.values().values())


@given(requests(), requests())
def test_a_conversation_that_grows_keeps_its_prefix(
    before: tuple[list[Part], list[Finding]], after: tuple[list[Part], list[Finding]]
) -> None:
    """Row 41600 of the acceptance list: numbers that change between turns end up in files."""
    parts, findings = before
    later = [part(made.text, at=len(parts) + at) for at, made in enumerate(after[0])]
    places = {old.place: new.place for old, new in zip(after[0], later, strict=True)}
    more = [finding._replace(place=places[finding.place]) for finding in after[1]]
    first = edited(parts, redact(parts, findings, ALL).edits)
    grown = edited(parts, redact([*parts, *later], [*findings, *more], ALL).edits)
    assert first == grown


def test_the_prefix_stays_when_a_new_label_or_a_new_literal_comes_later() -> None:
    turn = ["Anna met <EMAIL_ADDRESS_1>."]
    first, _ = redacted(turn, ANNA)
    second, _ = redacted([*turn, "Bob is at bob@x.com, said <PERSON_7>"], ANNA)
    assert second[0] == first[0] == "<PERSON_1> met <LITERAL_1>."
    assert second[1] == "<PERSON_2> is at <EMAIL_ADDRESS_1>, said <LITERAL_2>"


@pytest.mark.parametrize("typed", TYPED.split())
def test_a_surrogate_typed_by_the_user_is_himself(typed: str) -> None:
    """In a text without anything else to redact, too."""
    asked = [f"Anna wrote {typed} here", f"wrote {typed} here"]
    texts, result = redacted(asked, ANNA)
    assert re.fullmatch(r"<PERSON_1> wrote (\\|\\n|MY_)?<LITERAL_1> here", texts[0])
    assert texts[1] == texts[0].removeprefix("<PERSON_1> ")
    assert [stream(Restorer(result.vault), list(text)) for text in texts] == asked


def test_one_typed_behind_one_of_a_link_is_himself_too() -> None:
    """In the redacted text a bracket stands before it, and a restorer would take it for ours."""
    texts, result = redacted(["Anna %3CPERSON_1%3EPERSON_1>"], {"Anna": "PERSON"})
    assert stream(Restorer(result.vault), texts) == "Anna %3CPERSON_1%3EPERSON_1>"
    assert texts == ["<PERSON_1> <LITERAL_1><LITERAL_2>"]


@pytest.mark.parametrize("typed", NOT_TYPED.split())
def test_what_no_restorer_would_touch_is_not_a_literal(typed: str) -> None:
    texts, result = redacted([f"Anna wrote {typed} here"], ANNA)
    assert texts == [f"<PERSON_1> wrote {typed} here"]
    assert "LITERAL" not in result.counts


def test_a_closing_tag_holds_a_bare_name() -> None:
    texts, result = redacted(["Anna </PERSON_1>"], ANNA)
    assert texts == ["<PERSON_1> </<LITERAL_1>"]
    assert stream(Restorer(result.vault), texts) == "Anna </PERSON_1>"


def test_a_literal_that_a_dropped_value_leaves_behind_is_found() -> None:
    made = part("Anna <PERSON_secret1>")
    findings = [mark(made, 0, 4), mark(made, 13, 19, "SECRET")]
    result = redact([made], findings, {"PERSON": RedactMode.SURROGATE, "SECRET": RedactMode.DROP})
    assert result.edits[0].text == "<PERSON_1> <LITERAL_1>"
    assert stream(Restorer(result.vault), [result.edits[0].text]) == "Anna <PERSON_1>"


def test_a_value_that_holds_a_surrogate_is_one_value() -> None:
    texts, result = redacted(["see <PERSON_1> there"], {"see <PERSON_1>": "PERSON"})
    assert texts == ["<PERSON_1> there"]
    assert stream(Restorer(result.vault), texts) == "see <PERSON_1> there"


def test_numbers_and_keys_get_the_text_of_the_surrogate() -> None:
    number, key = part("4912345678", kind=PlaceKind.NUMBER), part("Anna", at=1, kind=PlaceKind.KEY)
    findings = [mark(number, 0, 10, "PHONE_NUMBER"), mark(key, 0, 4)]
    assert edited([number, key], redact([number, key], findings, ALL).edits) == ["<PHONE_NUMBER_1>", "<PERSON_1>"]


def identifier(text: str, *spans: tuple[int, int], at: int = 0) -> tuple[Part, list[Finding]]:
    made = part(text, at=at, kind=PlaceKind.IDENTIFIER)
    return made, [mark(made, start, end) for start, end in spans]


def test_an_identifier_has_the_same_number_without_brackets() -> None:
    name, found = identifier("Anna", (0, 4))
    text = part("Anna wrote", at=1)
    result = redact([name, text], [*found, mark(text, 0, 4)], ALL)
    assert edited([name, text], result.edits) == ["PERSON_1", "<PERSON_1> wrote"]


@pytest.mark.parametrize(
    ("text", "spans", "upstream"),
    [
        ("get_Anna_x", [(4, 8)], "get_PERSON_1_x"),
        ("Anna2", [(0, 4)], "PERSON_1"),
        ("Anna_2", [(0, 4)], "PERSON_1_2"),
        ("AnnaBob", [(0, 4), (4, 7)], "PERSON_1"),
        ("Anna-Bob", [(0, 4), (5, 8)], "PERSON_1-PERSON_2"),
        ("a_b", [(1, 2)], "PERSON_1"),
    ],
)
def test_spans_of_an_identifier_grow_until_what_stands_for_them_can_be_told_apart(
    text: str, spans: list[tuple[int, int]], upstream: str
) -> None:
    name, found = identifier(text, *spans)
    result = redact([name], found, ALL)
    assert result.edits[0].text == upstream
    assert stream(Restorer(result.vault), list(upstream)) == text


def test_an_identifier_that_would_read_in_two_ways_is_replaced_as_a_whole() -> None:
    name = part("US_Anna", kind=PlaceKind.IDENTIFIER)
    other = part("Bob", at=1, kind=PlaceKind.IDENTIFIER)
    result = redact([name, other], [mark(name, 3, 7, "PERSON"), mark(other, 0, 3, "US_PERSON")], ALL)
    assert [edit.text for edit in result.edits] == ["PERSON_1", "US_PERSON_1"]
    assert stream(Restorer(result.vault), ["PERSON_1 US_PERSON_1"]) == "US_Anna Bob"


def test_one_way_modes_write_what_never_comes_back() -> None:
    made = part("Anna, bob@x.com, 4242424242424242 and Bob")
    rules = {
        "PERSON": RedactMode.SURROGATE,
        "EMAIL_ADDRESS": RedactMode.MASK,
        "CREDIT_CARD": RedactMode.DROP,
    }
    result = redact([made], marks(made, {**ANNA, "4242424242424242": "CREDIT_CARD"}), rules)
    assert result.edits[0].text == "<PERSON_1>, <EMAIL_ADDRESS>,  and <PERSON_2>"
    assert result.counts == {"PERSON": 2, "EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}
    assert stream(Restorer(result.vault), [result.edits[0].text]) == "Anna, <EMAIL_ADDRESS>,  and Bob"


def test_only_one_way_modes_leave_the_vault_empty() -> None:
    _, result = redacted(["Anna <PERSON_1>"], ANNA, {"*": RedactMode.MASK})
    assert not result.vault
    assert result.edits[0].text == "<PERSON> <PERSON_1>"


def test_a_keyed_hash_is_equal_for_equal_values_and_needs_its_key() -> None:
    operators = {RedactMode.HASH: keyed_hash(b"0123456789abcdef")}
    made = part("Anna Anna Bob")
    text = redact([made], marks(made, ANNA), {"*": RedactMode.HASH}, operators=operators).edits[0].text
    first, again, other = text.split()
    assert first == again != other
    assert re.fullmatch("<PERSON#[0-9a-f]{16}>", first)
    with pytest.raises(ValueError, match="16 bytes"):
        keyed_hash(b"short")


def test_a_mode_without_an_operator_fails_closed() -> None:
    with pytest.raises(Refusal) as fault:
        redacted(["Anna"], ANNA, {"*": RedactMode.HASH})
    assert fault.value.code == "OBLIGATION_UNSUPPORTED"
    assert "Anna" not in str(fault.value) + fault.value.advice


def test_an_operator_that_leaves_a_surrogate_standing_is_not_believed() -> None:
    made = part("<PERSON_1>!")
    rules = {"*": RedactMode.MASK}
    result = redact([made], [mark(made, 0, 11)], rules, operators={RedactMode.MASK: lambda _, value: value[:10]})
    assert result.edits[0].text == "<PERSON>"


def test_one_way_in_an_identifier_keeps_to_its_characters() -> None:
    name, found = identifier("Anna_x", (0, 4))
    assert redact([name], found, {"*": RedactMode.MASK}).edits[0].text == "PERSON_x"


@pytest.mark.parametrize("spans", [[(0, 3), (2, 4)], [(0, 9)], [(2, 2)], [(-1, 2)], [(3, 1)]])
def test_findings_that_cannot_be_are_a_fault(spans: list[tuple[int, int]]) -> None:
    made = part("Anna")
    with pytest.raises(ValueError, match=re.escape("messages[0]")) as fault:
        redact([made], [mark(made, start, end) for start, end in spans], ALL)
    assert "Anna" not in str(fault.value)


def test_a_finding_of_no_part_is_a_fault() -> None:
    with pytest.raises(ValueError, match="messages"):
        redact([part("Anna")], [mark(part("Anna", at=7), 0, 4)], ALL)


def test_findings_may_come_in_any_order() -> None:
    made = part("Anna Bob")
    assert redact([made], [mark(made, 5, 8), mark(made, 0, 4)], ALL).edits[0].text == "<PERSON_1> <PERSON_2>"


NAMES = {"PERSON": "PERSON", "person name": "PERSON_NAME", "ICD_10": "ICD10", "10-K": "X10_K", "é": "X", "a__b_": "A_B"}


@pytest.mark.parametrize(("entity", "name"), NAMES.items())
def test_an_entity_is_spelled_so_that_its_name_reads_in_one_way_only(entity: str, name: str) -> None:
    assert label(entity) == name
    texts, result = redacted(["Anna"], {"Anna": entity})
    assert texts == [f"<{name}_1>"]
    assert stream(Restorer(result.vault), list(texts[0])) == "Anna"


def test_entities_with_the_same_label_share_its_numbers() -> None:
    made = part("Anna Bob")
    result = redact([made], [mark(made, 0, 4, "Person"), mark(made, 5, 8, "PERSON")], ALL)
    assert result.edits[0].text == "<PERSON_1> <PERSON_2>"


def test_the_vault_is_never_written_down() -> None:
    vault = redacted(["Anna"], ANNA)[1].vault
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never written down"):
            write(vault)
    with pytest.raises(TypeError):
        dataclasses.asdict(Redaction(vault=vault))
    assert not hasattr(vault, "__dict__")


def test_no_repr_shows_a_value() -> None:
    _, result = redacted([" ".join(VALUES)], VALUES)
    restorer = Restorer(result.vault)
    restorer.feed(TEXT, "<PERSON_")
    for shown in (repr(result), repr(result.vault), repr(restorer), repr(result.vault.named("PERSON_1"))):
        assert not [value for value in VALUES if value in shown], shown
    assert repr(result.vault) == f"Vault({len(result.vault)} values)"


@pytest.mark.parametrize(("name", "token"), [("PERSON_1", "<PERSON_2>"), ("Person_1", "x"), ("PERSON_2", "<PERSON_1>")])
def test_no_surrogate_stands_for_two_values(name: str, token: str) -> None:
    vault = redacted(["Anna"], ANNA)[1].vault
    with pytest.raises(ValueError, match="stands for another value"):
        vault.add(Entry(entity="PERSON", value="Bob", meant="Bob", name=name, token=token), "PERSON")
    kept = vault.named("PERSON_1")
    assert kept is not None and kept.value == "Anna" and len(vault) == 1


def test_the_longest_surrogate_is_counted_in_its_longest_spelling() -> None:
    vault = redacted(["Anna"], ANNA)[1].vault
    assert vault.longest == len(r"\\\\u003cPERSON\\\\_1\\\\u003e")
    assert Vault().longest == 0


def test_roles_do_not_matter_for_what_is_redacted() -> None:
    for role in Role:
        made = part("Anna", role=role)
        assert redact([made], [mark(made, 0, 4)], ALL).edits[0].text == "<PERSON_1>"


@pytest.mark.parametrize("mode", [RedactMode.MASK, RedactMode.DROP])
def test_keys_that_are_replaced_alike_stay_as_many(mode: RedactMode) -> None:
    """A provider reads one of two equal keys only, and a cap on the same body was refused as a DUPLICATE_KEY."""
    dialect = match("openai", "POST", "/v1/chat/completions").dialect
    assert dialect is not None
    people = {"anna@x.com": 1, "bob@x.com": 2, "<EMAIL_ADDRESS>(2)": 3, "carl@x.com": {"anna@x.com": 4}}
    inside = json.dumps(people)
    said = [{"role": "tool", "tool_call_id": "a", "content": inside}]
    body = json.dumps({"messages": said, "metadata": people}).encode()
    parts = dialect.parse(body).parts
    values = dict.fromkeys(("anna@x.com", "bob@x.com", "carl@x.com"), "EMAIL_ADDRESS")
    result = redact(parts, [each for part in parts for each in marks(part, values)], {"*": mode})
    sent = dialect.shape(dialect.edit(body, result.edits), cap_tokens=5, model=None, disable_tools=frozenset())
    tree = json.loads(sent)
    for got in (tree["metadata"], json.loads(tree["messages"][0]["content"])):
        assert [*got.values()][:3] == [1, 2, 3]
        assert [*got.values()][3] in ({"<EMAIL_ADDRESS>": 4}, {"": 4})
    assert b"@x.com" not in sent
