"""Obligations merge into the stricter demand, in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model import Deny, Duties, Obligation, RedactMode, Release, ReleaseMode, Review
from sidecar.policy.catalogue import find
from sidecar.policy.duties import FULFILLED, PARAMS, merge


def demand(kind: str, /, **params: Any) -> Obligation:
    return Obligation(type=kind, id=kind, params=params)


def merged(*obligations: Obligation) -> Duties:
    duties, denies = merge(obligations, "request")
    assert denies == ()
    return duties


names = st.sampled_from(["a", "b", "c"])
demands = st.one_of(
    st.builds(
        lambda entities, mode: demand("redact", entities=entities, mode=mode),
        st.lists(st.sampled_from(["*", "PERSON", "US_SSN"]), max_size=3),
        st.sampled_from([mode.value for mode in RedactMode]),
    ),
    st.integers(1, 99).map(lambda cap: demand("cap_tokens", max=cap)),
    st.builds(lambda queue, reason: demand("human_review", mode="after", queue=queue, reason=reason), names, names),
    names.map(lambda text: demand("notice", text_id=text)),
    st.builds(lambda key, value: demand("annotate", **{key: value}), names, names | st.integers(0, 3) | st.booleans()),
    st.integers(1, 99).map(lambda days: demand("retain", days=days)),
    st.lists(names, max_size=2).map(lambda tools: demand("disable_tools", names=tools)),
    st.builds(
        lambda mode, hold: demand("release", mode=mode, hold=hold),
        st.sampled_from([mode.value for mode in ReleaseMode]),
        st.integers(1, 99),
    ),
)


@given(st.lists(demands, max_size=6), st.randoms(use_true_random=False))
def test_order_does_not_matter(obligations: list[Obligation], source: Any) -> None:
    shuffled = list(obligations)
    source.shuffle(shuffled)
    assert merged(*obligations) == merged(*shuffled)


@given(st.lists(demands, max_size=5))
def test_saying_it_twice_changes_nothing(obligations: list[Obligation]) -> None:
    assert merged(*obligations, *obligations) == merged(*obligations)


def test_redact_takes_the_strictest_of_each_and_of_all() -> None:
    duties = merged(
        demand("redact", entities=["*"]),
        demand("redact", entities=["US_SSN"], mode="drop"),
        demand("redact", entities=["US_SSN", "PERSON"], mode="mask"),
    )
    assert duties.redact == {"*": RedactMode.SURROGATE, "US_SSN": RedactMode.DROP, "PERSON": RedactMode.MASK}
    stricter = merged(demand("redact", entities=["*"], mode="drop"), demand("redact", entities=["PERSON"]))
    assert stricter.redact == {"*": RedactMode.DROP, "PERSON": RedactMode.DROP}


def test_the_lowest_cap() -> None:
    assert merged(demand("cap_tokens", max=500), demand("cap_tokens", max=20)).cap_tokens == 20


def test_reviews_unite() -> None:
    duties = merged(
        demand("human_review", mode="after", queue="legal", reason="low"),
        demand("human_review", mode="after", queue="hr"),
    )
    assert duties.review == Review(queues=("hr", "legal"), reasons=("low",))


def test_annotations_unite() -> None:
    duties = merged(demand("annotate", a=1, b="x"), demand("annotate", a=2, c=["p", "q"]))
    assert duties.annotations == {"a": [1, 2], "b": "x", "c": ["p", "q"]}


def test_the_longest_retention() -> None:
    assert merged(demand("retain", days=30), demand("retain", days=365, content="none")).retain_days == 365


@pytest.mark.parametrize(
    ("demands", "release"),
    [
        ([], Release()),
        ([{"mode": "pass"}], Release()),
        ([{"mode": "windowed"}], Release(ReleaseMode.WINDOWED, 256)),
        ([{"mode": "windowed", "hold": 64}, {"mode": "windowed", "hold": 32}], Release(ReleaseMode.WINDOWED, 64)),
        ([{"mode": "whole"}, {"mode": "windowed", "hold": 64}], Release(ReleaseMode.WHOLE, 64)),
    ],
)
def test_the_latest_release(demands: list[dict[str, Any]], release: Release) -> None:
    assert merged(*(demand("release", **params) for params in demands)).release == release


def test_tools_unite() -> None:
    assert merged(demand("disable_tools", names=["a"]), demand("disable_tools", names=["*"])).disable_tools == {
        "a",
        "*",
    }


def test_a_demand_that_cannot_be_read_leaves_no_trace() -> None:
    duties, denies = merge([demand("redact", entities=["PERSON", 3], mode="drop")], "request")
    assert duties.redact == {}
    assert [deny.code for deny in denies] == ["OBLIGATION_UNSUPPORTED"]


def test_what_is_fulfilled_is_what_the_guide_says() -> None:
    assert set(FULFILLED["request"]) == {
        "annotate", "cap_tokens", "disable_tools", "human_review", "notice", "redact", "release", "retain", "route",
    }  # fmt: skip
    assert set(FULFILLED["response"]) == set(FULFILLED["response_window"]) == {
        "annotate", "human_review", "redact", "retain",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("redact", {"entities": ["*"], "modes": "drop"}),
        ("redact", {"entities": ["*"], "mode": "mask", "Mode": "drop"}),
        ("release", {"mode": "windowed", "holds": 2048}),
        ("release", {"mode": "windowed", "hold": 0}),
        ("notice", {"text_id": "ai", "place": "body"}),
        ("human_review", {"mode": "after", "queues": ["legal"]}),
        ("cap_tokens", {"max": 10, "per": "choice"}),
        ("disable_tools", {"names": ["a"], "except": ["b"]}),
        ("retain", {"days": 30, "contents": "full"}),
        ("route", {"model": "a", "tier": "small"}),
    ],
)
def test_a_parameter_that_is_not_known_is_not_passed_over(kind: str, params: dict[str, Any]) -> None:
    """What remained without it would be the weaker demand."""
    duties, denies = merge([demand(kind, **params)], "request")
    assert duties == Duties()
    assert [deny.code for deny in denies] == ["OBLIGATION_UNSUPPORTED"]


def test_every_type_but_annotate_says_what_it_may_say() -> None:
    assert set(PARAMS) == set(FULFILLED["request"]) - {"annotate"}


def test_true_and_1_are_two_annotations() -> None:
    for first, second in ((1, True), (True, 1)):
        values = merged(demand("annotate", a=first), demand("annotate", a=second)).annotations["a"]
        assert [(type(value), value) for value in values] == [(bool, True), (int, 1)]


@pytest.mark.parametrize(
    ("kind", "refused", "instead"),
    [
        ("rate", {"per_minute": 10}, None),
        ("route", {"tier": "small"}, {"model": "small-1"}),
        ("human_review", {"mode": "hold", "queue": "q"}, {"mode": "after", "queue": "q"}),
        ("notice", {"text_id": "ai", "placement": "body"}, {"text_id": "ai", "placement": "header"}),
        ("retain", {"days": 30, "content": "full"}, {"days": 30, "content": "none"}),
    ],
)
def test_the_guide_says_what_to_demand_instead(kind: str, refused: dict[str, Any], instead: Any) -> None:
    _, denies = merge([demand(kind, **refused)], "request")
    assert denies == (Deny("OBLIGATION_UNSUPPORTED", {"type": kind, "id": kind}),)
    if instead is not None:
        assert merge([demand(kind, **instead)], "request")[1] == ()
    guide = (Path(__file__).resolve().parents[2] / "docs/policies.md").read_text()
    table = guide.partition("**Not fulfilled in this version**")[2].partition("What is not fulfilled")[0]
    assert table.count(f"\n| `{kind}`") == 1
    assert "docs/policies.md" in find("OBLIGATION_UNSUPPORTED").advice
