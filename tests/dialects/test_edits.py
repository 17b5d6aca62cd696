"""Edits at places: outside the named spans every byte stays, whatever way the body is spelled."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.dialects.edits import Change, cuts, edit
from sidecar.dialects.spans import Cut, Misplaced, apply, drop, locate
from sidecar.errors import OwnError
from sidecar.model import INSIDE, Edit, Place, PlaceKind
from tests.dialects.samples import CHAT
from tests.dialects.spelling import TEXTS, TREES, Token, tokens, write


def text_tokens(spelled: str) -> list[Token]:
    return [token for token in tokens(spelled) if spelled[token.start] == '"']


def place(path: tuple[str | int, ...], kind: PlaceKind = PlaceKind.TEXT) -> Place:
    return Place(path=path, kind=kind, label="x")


def kind_of(spelled: str, token: Token) -> PlaceKind:
    if token.is_key:
        return PlaceKind.KEY
    return PlaceKind.TEXT if spelled[token.start] == '"' else PlaceKind.NUMBER


def editable(spelled: str) -> list[Token]:
    return [token for token in tokens(spelled) if spelled[token.start] in '"-0123456789']


@given(tree=TREES, dice=st.randoms(use_true_random=False), new=TEXTS)
def test_only_the_chosen_tokens_change(tree: Any, dice: Random, new: str) -> None:
    spelled = write(tree, dice)
    chosen = [token for token in editable(spelled) if dice.random() < 0.5]
    changes = [Change(token.path, kind_of(spelled, token), new) for token in chosen]

    raw = spelled.encode()
    edited = apply(raw, cuts(raw, orjson.loads(raw), changes)).decode()

    expected, at = "", 0
    for token in chosen:
        old = spelled[token.start : token.end]
        same = kind_of(spelled, token) is not PlaceKind.NUMBER and json.loads(old) == new
        expected += spelled[at : token.start] + (old if same else orjson.dumps(new).decode())
        at = token.end
    assert edited == expected + spelled[at:]


@given(tree=TREES, dice=st.randoms(use_true_random=False), new=TEXTS)
def test_the_short_way_ends_where_the_long_one_does(tree: Any, dice: Random, new: str) -> None:
    raw = write({"first": new, "then": tree, "last": [tree, new]}, dice).encode()
    chosen = [token for token in editable(raw.decode()) if dice.random() < 0.3]
    changes = [Change(token.path, kind_of(raw.decode(), token), new + "x") for token in chosen]
    long = apply(raw, cuts(raw, orjson.loads(raw), changes))

    assert edit(raw, [Edit(place(path, kind), text) for path, kind, text in changes]) == long


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a":"x","b":"x"}', ("b",)),  # the same text before it
        (b'{"a":"say \\"x","b":"x"}', ("b",)),  # and within another
        (b'["a",5,"b",",5,"]', (3,)),  # what is found stands between two texts
    ],
)
def test_a_text_found_in_a_wrong_place_is_not_edited(body: bytes, path: tuple[str | int, ...]) -> None:
    edited = edit(body, [Edit(place(path), ",6,")])

    expected = orjson.loads(body)
    expected[path[0]] = ",6,"
    assert edited == orjson.dumps(expected)


@settings(deadline=None)
@given(tree=TREES, outer=TREES, dice=st.randoms(use_true_random=False), new=TEXTS, levels=st.integers(1, 3))
def test_an_edit_inside_a_string_leaves_the_rest_of_it(
    tree: Any, outer: Any, dice: Random, new: str, levels: int
) -> None:
    """Decoded level by level, the inner text differs in the chosen token only; undoing it gives the old bytes back."""
    inner = write(tree, dice)
    chosen = [token for token in editable(inner) if dice.random() < 0.5]
    path: tuple[Any, ...] = ()
    body: Any = inner
    for _ in range(levels):
        path = ("in", 1, INSIDE, *path)
        body = write({"other": outer, "in": [outer, body], "after": outer}, dice)
    edits = [Edit(place((*path, *token.path), kind_of(inner, token)), new) for token in chosen]

    raw = body.encode()
    edited = edit(raw, edits)

    changes = [Change(token.path, kind_of(inner, token), new) for token in chosen]
    text = apply(inner.encode(), cuts(inner.encode(), orjson.loads(inner), changes)).decode()
    got = edited.decode()
    for _ in range(levels):
        assert orjson.loads(got)["other"] == orjson.loads(raw)["other"]
        got = orjson.loads(got)["in"][1]
    assert got == text
    head, tail = common(raw, edited)
    if not chosen:
        assert edited == raw
    elif levels == 1:
        span = locate(raw, orjson.loads(raw), [("in", 1)])["in", 1]
        assert head >= span.start
        assert tail >= len(raw) - span.end


def common(a: bytes, b: bytes) -> tuple[int, int]:
    """Lengths of the common head and tail."""
    head = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    tail = next((i for i, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x != y), min(len(a), len(b)))
    return head, tail


def test_the_rest_of_an_inner_text_keeps_its_outer_spelling() -> None:
    """Escapes that orjson would spell otherwise stay, before and behind the edited span."""
    body = (
        rb'{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":'
        rb'"{\u0022a\u0022: \"caf\u00e9 \\u0041 \ud83d\ude00 \/\", '
        rb'\"to\":\u0022Bob\", \"n\" : 0.70, \"z\":\"\\\/\"}"}}]}]}'
    )
    part = next(part for part in CHAT.parse(body).parts if part.text == "Bob")
    edited = CHAT.edit(body, [Edit(part.place, '<"é>')])
    assert edited == body.replace(rb"\u0022Bob\"", '\\"<\\\\\\"é>\\"'.encode())


def test_a_number_becomes_a_quoted_string_and_spelling_stays() -> None:
    body = b'{"messages":[{"role":"tool","content":"[1.0, 4111111111111111 ,\\t0.70, 9007199254740993.0]"}]}'
    parts = CHAT.parse(body).parts
    assert [part.text for part in parts] == ["4111111111111111", "9007199254740993.0"]
    edited = CHAT.edit(body, [Edit(parts[0].place, "<CREDIT_CARD_1>")])
    assert edited == body.replace(b"4111111111111111", b'\\"<CREDIT_CARD_1>\\"')


@pytest.mark.parametrize(
    "path",
    [("nope",), ("messages", 7), ("messages",), ("messages", 0), ("n",), ("messages", 0, "content", "x"),
     ("messages", 0, "content", INSIDE, 0), ("messages", 0, "role", INSIDE), ("n", INSIDE)],
)  # fmt: skip
@pytest.mark.parametrize("kind", list(PlaceKind))
def test_a_place_that_is_not_there_is_our_fault(path: tuple[Any, ...], kind: PlaceKind) -> None:
    if kind is PlaceKind.NUMBER and path == ("n",):
        return
    body = b'{"messages":[{"role":"user","content":"hello"}],"n":12345678}'
    if kind is PlaceKind.KEY and path in {("messages",), ("n",)}:
        return
    with pytest.raises(OwnError) as fault:
        edit(body, [Edit(place(path, kind), "x")])
    assert fault.value.code == "INTERNAL"
    assert "hello" not in str(fault.value) + fault.value.advice


def test_two_edits_of_one_place_are_refused() -> None:
    body = b'{"a":"x"}'
    with pytest.raises(OwnError):
        edit(body, [Edit(place(("a",)), "y"), Edit(place(("a",)), "z")])
    with pytest.raises(Misplaced):
        apply(b"abc", [Cut(0, 2, b"x"), Cut(1, 3, b"y")])


def test_key_and_value_are_edited_together() -> None:
    body = b'{"a": {"k":"v", "l":[{"k":"w"}]}}'
    edits = [Edit(place(("a", "k"), PlaceKind.KEY), "K"), Edit(place(("a", "k")), "V"),
             Edit(place(("a", "l", 0, "k")), "W")]  # fmt: skip
    assert edit(body, edits) == b'{"a": {"K":"V", "l":[{"k":"W"}]}}'


def test_reprs_hide_the_text() -> None:
    assert "secret" not in repr(Change(("secret",), PlaceKind.TEXT, "secret"))
    assert "secret" not in repr(Cut(0, 1, b"secret"))


@pytest.mark.parametrize("gone", [set(), {0}, {1}, {3}, {0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 1, 2, 3}])
def test_items_leave_with_their_comma(gone: set[int]) -> None:
    raw = b"[ 1 ,2, 3,\n4 ]"
    tree = orjson.loads(raw)
    spans = locate(raw, tree, [(i,) for i in range(4)])
    items = [spans[i,][:2] for i in range(4)]
    left = apply(raw, drop(items, frozenset(gone)))
    assert orjson.loads(left) == [item for i, item in enumerate(tree) if i not in gone]


def test_a_walk_of_an_awkward_body_stays_linear() -> None:
    """Blanks, floats and deep nesting defeat the comparison at C speed; the walk must not retry it at every level."""
    tree: Any = 0.5
    for _ in range(60):
        tree = [tree, "x" * 20_000]
    raw = json.dumps({"a": tree, "b": "end"}).replace("0.5", "0.50").encode()
    start = time.perf_counter()
    assert locate(raw, orjson.loads(raw), [("b",)])["b",].end == len(raw) - 1
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b'"', b'"b', b'{"a"', b'{"a":"c"}', b'{"a":1}', b'{"b":"b"}', b'["b"]', b'{"a":["b"]}', b'{"a":"b\\'],
)
def test_bytes_that_are_not_the_trees_are_noticed(raw: bytes) -> None:
    with pytest.raises(Misplaced):
        locate(raw, {"a": "b"}, [("a",)])
