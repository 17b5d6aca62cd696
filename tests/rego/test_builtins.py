"""Builtins where OPA's cases do not reach: bounds, messages, the edges of text."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from sidecar.rego.builtins import TABLE
from sidecar.rego.errors import BuiltinError, OverLimit
from sidecar.rego.runtime import Run
from sidecar.rego.values import make_set

NEVER = ["http.send", "opa.runtime", "net.lookup_ip_addr", "rand.intn", "uuid.rfc4122", "time.now_ns"]


def call(name: str, *operands: Any, steps: int = 10_000) -> Any:
    return TABLE[name](Run(0, steps, None, 0.0), *operands)


@pytest.mark.parametrize("name", NEVER)
def test_what_is_never_there(name: str) -> None:
    assert name not in TABLE


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("numbers.range", (0, 10**12)), ("numbers.range_step", (0, 10**12, 3)), ("net.cidr_expand", ("10.0.0.0/8",)),
        ("array.concat", ([0] * 9_000, [0] * 9_000)), ("walk", ([[0] * 100] * 200,)), ("split", ("," * 20_000, ",")),
        ("object.union", ({str(key): 0 for key in range(9_000)}, {str(key): 1 for key in range(9_000)})),
    ],
)  # fmt: skip
def test_work_is_charged_before_it_is_done(name: str, operands: tuple[Any, ...]) -> None:
    with pytest.raises(OverLimit):
        call(name, *operands)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("concat", ("x" * 1000, ["y"] * 5000)), ("replace", ("a" * 5000, "a", "b" * 5000)),
        ("replace", ("a" * 5000, "", "b" * 5000)), ("sprintf", ("%2000000d", [1])), ("sprintf", ("%.2000000f", [1.5])),
        ("regex.replace", ("a" * 5000, "a", "b" * 5000)), ("strings.replace_n", ({"a": "b" * 5000}, "a" * 5000)),
        ("bits.lsh", (1, 10**9)), ("regex.match", ("(" * 20_000, "x")), ("regex.match", ("a{1000}{1000}", "a")),
    ],
)  # fmt: skip
def test_no_operand_makes_a_giant(name: str, operands: tuple[Any, ...]) -> None:
    with pytest.raises((BuiltinError, OverLimit)):
        call(name, *operands, steps=1_000_000)


def test_no_regular_expression_is_slow() -> None:
    """The one that kills backtracking engines; RE2 answers in linear time."""
    assert call("regex.match", "^(a+)+$", "a" * 50_000 + "!") is False


@pytest.mark.parametrize("name", sorted(set(TABLE) - {"internal.member_3", "time.format"}))
def test_errors_name_types_not_values(name: str) -> None:
    """Any operands, any number of them: an answer or a BuiltinError that holds nothing of them."""
    given = [None, True, 3, 0.5, "planted-4711", ["planted-4711"], {"k": "planted-4711"}, make_set(["planted-4711"])]
    for operand, number in product(given, range(1, 5)):
        try:
            call(name, *[operand] * number)
        except TypeError as error:
            assert "argument" in str(error), (name, error)  # of another arity; the compiler checks that
        except (BuiltinError, OverLimit) as error:
            assert "planted" not in str(error)


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        ("%d%%", [5], "5%"), ("%s", [{"a": 1}], '{"a": 1}'), ("%v", [make_set([2, 1])], "{1, 2}"),
        ("%v", [None], "null"),
        ("%d", ["x"], "%!d(string=x)"), ("%d %d", [1], "1 %!d(MISSING)"), ("x", [1], "x%!(EXTRA int64=1)"),
        ("%[2]v %[1]v", ["a", "b"], "b a"), ("%6.2f|%-6s|%+d|%x", [3.14159, "ab", 7, "hi"], "  3.14|ab    |+7|6869"),
        ("%v", [1.0], "1"), ("%v", [12345678.5], "1.23456785e+07"), ("%t", [True], "%!t(string=true)"),
        ("%", [], "%!(NOVERB)"),
        ("%08.3f", [-3.14159], "-003.142"), ("%c%U", [233, 233], "éU+00E9"), ("%s", [2**70], str(2**70)),
    ],
)  # fmt: skip
def test_sprintf_writes_as_go_does(form: str, values: list[Any], text: str) -> None:
    assert call("sprintf", form, values) == text


@pytest.mark.parametrize(
    ("pattern", "separators", "text", "matches"),
    [
        ("*", ["."], "a.b", False), ("**", ["."], "a.b", True), ("*.b", [], "a.b", True), ("*", None, "a.b", True),
        ("{a,b*}c", [], "bxc", True), ("[!a-c]x", [], "dx", True), ("[a-c]x", [], "dx", False),
        ("a?c", ["b"], "abc", False),
        (r"\*", [], "*", True), ("api.*.com", ["."], "api.x.com", True), ("a.c", [], "abc", False),
        ("*", [], "a\nb", True), (r"[a\]]x", [], "]x", True), (r"[a\]]x", [], "\\]x", False), ("[]-a]", [], "^", True),
        (r"[\-a]", [], "]", True), ("[!!a]", [], "!", False), ("[ab-]", [], "-", True), ("[a\\-z]", [], "m", False),
    ],
)  # fmt: skip
def test_globs(pattern: str, separators: Any, text: str, matches: bool) -> None:
    assert call("glob.match", pattern, separators, text) is matches


def test_text_that_is_not_unicode_gets_no_answer() -> None:
    for name, operands in (
        ("regex.match", ("a", "\ud800")),
        ("crypto.sha256", ("\ud800",)),
        ("base64.decode", ("/w==",)),
    ):
        with pytest.raises(BuiltinError):
            call(name, *operands)


def test_the_machine_has_no_say_in_time() -> None:
    with pytest.raises(BuiltinError):
        call("time.clock", [0, "Local"])
    assert call("time.add_date", 1_730_332_800_000_000_000, 0, 1, 0) == 1_733_011_200_000_000_000  # Oct 31 to Dec 1


@pytest.mark.parametrize(
    ("name", "operands", "answer"),
    [
        ("min", (make_set([None, 3, 2]),), 2), ("min", (make_set([None]),), None), ("min", ([3, None],), None),
        ("regex.is_valid", (r"\C",), False), ("regex.is_valid", (r"\B",), True), ("regex.match", (r"\B", "ab"), True),
        ("regex.match", (r"\\C", "a\\C"), True),
        ("regex.replace", ("a", "(?P<x>a)", "${01}-$1"), "-a"),
        ("net.cidr_is_valid", ("10.0.0.0/08",), True), ("net.cidr_contains", ("10.0.0.0/08", "10.1.1.1"), True),
        ("net.cidr_is_valid", ("10.0.0.0/33",), False), ("net.cidr_is_valid", (7,), False),
        ("json.is_valid", ('"\\ud800"',), True), ("json.is_valid", ("NaN",), False), ("json.is_valid", (7,), False),
        ("replace", ("ab", "", "-"), "-a-b-"),
        ("time.parse_ns", ("15:04:05.000 2006", "00:00:01.250 1970"), 1_250_000_000),
        ("time.parse_ns", ("Jan 2006 PM", "jAN 1970 AM"), 0),
        ("time.parse_duration_ns", ("0.3333333333333333333h",), 1_200_000_000_000),
        ("sprintf", ("%5.2T|%05v|% 06.1f", ["x", 2.5, -0.0]), "   st|002.5|-000.0"),
        ("rem", (5, 2**63), 5), ("regex.template_match", ("a{b+}", "abb", "{", "}"), True),
        ("json.patch", ([1, 2], [{"op": "add", "path": "/-", "value": 3}, {"op": "test", "path": "/2", "value": 3}]),
         [1, 2, 3]),
        ("json.patch", ([1, 2], [{"op": "replace", "path": "/0", "value": 9},
                                 {"op": "copy", "from": "/0", "path": "/-"}]), [9, 2, 9]),
        ("json.patch", ([1, 2, 3], [{"op": "remove", "path": "/0"}, {"op": "remove", "path": "/0"}]), [3]),
        ("sprintf", ("%.0d|%#o|%+v", [0, 0, 3]), "|0|3"), ("sprintf", ("%06.3d", [7]), "   007"),
    ],
)  # fmt: skip
def test_answers_that_are_opas(name: str, operands: tuple[Any, ...], answer: Any) -> None:
    """Each was asked of OPA 1.19.1."""
    found = call(name, *operands)
    assert (type(found), found) == (type(answer), answer)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("regex.match", (r"\C", "a")), ("regex.split", (r"\B", "stra\u00dfe")),
        ("net.cidr_is_valid", ("::ffff:10.0.0.0/104",)), ("json.is_valid", ("1e999999",)),
        ("json.unmarshal", ('["\\ud800"]',)), ("json.unmarshal", ('{"\\udfff": 1}',)),
        ("replace", ("\u00e9", "", "-")), ("strings.replace_n", ({"": "-"}, "\u00e9")),
        ("time.parse_rfc3339_ns", ("2021-01-01t00:00:00z",)), ("time.parse_ns", ("3:04PM 2006", "3:04pm 1970")),
        ("time.parse_ns", ("15:04:05.000 2006", "00:00:01.25 1970")),
        ("sprintf", ("%x", [0.5])), ("sprintf", ("%#.3g", [0.5])), ("sprintf", ("%*d", ["x", 1])),
        ("sprintf", ("%[1]5d", [1])), ("sprintf", ("%[1].d", [1])), ("sprintf", ("%[1].2d", [1])),
        ("glob.match", ("[a-cd]", [], "b")), ("glob.match", ("[]", [], "]")), ("glob.match", ("[b-a]", [], "b")),
        ("sprintf", ("%5d", ["x"])), ("sprintf", ("%+q", ["\u00e9"])),
        ("rem", (5, 2**64)), ("rem", (5, 2**70)), ("regex.template_match", ("a", "a", "$", "\u00e9")),
        ("json.patch", ([1, 2, 3], [{"op": "remove", "path": "/0"}, {"op": "test", "path": "/0", "value": 2}])),
        ("json.patch", ([[1], [2]], [{"op": "remove", "path": "/0"}, {"op": "add", "path": "/0/-", "value": 9}])),
        ("json.patch", ([1, 2], [{"op": "add", "path": "/0", "value": 9}, {"op": "copy", "from": "/1", "path": "/-"}])),
        ("json.patch", ([1, 2], [{"op": "replace", "path": "/-", "value": 9}])),
        ("json.patch", ([1, 2], [{"op": "remove", "path": "/-"}])),
        ("json.patch", ([1, 2], [{"op": "copy", "from": "/-", "path": "/0"}])),
    ],
)  # fmt: skip
def test_where_opa_would_answer_otherwise_there_is_no_answer(name: str, operands: tuple[Any, ...]) -> None:
    with pytest.raises(BuiltinError):
        call(name, *operands)
