"""The judgements of a reply in windows as one: what was demanded of the record stays, and what was found is counted."""

from __future__ import annotations

from typing import Any

from sidecar.model import Decision, Deny, Finding, Inspection, Place, PolicyVersion, RedactMode, ReplyFacts, Verdict
from sidecar.policy import fault, read, response_document, united
from sidecar.ports import EngineAnswer

POLICY = PolicyVersion(engine="fake", engine_version="1", bundle_sha256="0" * 64, revision="r")
WINDOW = b'{"phase":"response_window"}'
PLACE = Place(path=("reply", 0, "content", 0), label="reply[0].content")


def demanding(*obligations: tuple[str, dict[str, Any]]) -> Decision:
    duties = [{"type": kind, "params": params} for kind, params in obligations]
    answer = {"contract": "1", "allow": True, "denies": [], "obligations": duties}
    return read(EngineAnswer(answer, False, POLICY, 7), WINDOW)


def redact(entity: str) -> tuple[str, dict[str, Any]]:
    return "redact", {"entities": [entity], "mode": "mask"}


def review(queue: str) -> tuple[str, dict[str, Any]]:
    return "human_review", {"queue": queue, "mode": "after"}


def test_the_first_stands_alone() -> None:
    first = demanding(review("a"))
    assert united(None, first) is first


def test_demands_of_the_record_unite_and_redaction_is_each_windows_own() -> None:
    first = demanding(review("a"), ("retain", {"days": 90}), redact("IBAN_CODE"))
    last = united(first, demanding(review("b"), review("a"), ("retain", {"days": 7}), redact("PERSON")))

    assert last.duties.review is not None
    assert last.duties.review.queues == ("a", "b")
    assert last.duties.retain_days == 90
    assert last.duties.redact == {"PERSON": RedactMode.MASK}
    assert len(last.obligations) == 5


def test_of_an_annotation_the_latest_value_stands() -> None:
    decision = demanding(("annotate", {"tokens": 0, "of": "reply"}), ("annotate", {"seen": True}))
    for count in range(1, 1000):
        decision = united(decision, demanding(("annotate", {"tokens": count, "of": "reply"})))

    assert decision.duties.annotations == {"tokens": 999, "of": "reply", "seen": True}
    assert len(decision.obligations) == 2


def test_a_later_deny_keeps_what_was_demanded_before() -> None:
    last = united(demanding(review("a")), fault("PDP_TIMEOUT"))

    assert (last.verdict, last.codes) == (Verdict.DENY, ("PDP_TIMEOUT",))
    assert last.duties.review is not None


def test_more_demands_than_an_answer_may_hold_are_a_deny() -> None:
    decision = demanding(review("q"))
    for number in range(255):
        decision = united(decision, demanding(review(f"q{number}")))
    assert decision.verdict is Verdict.ALLOW

    decision = united(decision, demanding(review("one-more")))

    assert decision.denies == (Deny("PDP_CONTRACT"),)


def test_what_was_found_before_is_counted_with_what_is_found_now() -> None:
    found = Inspection(findings=(Finding(PLACE, 0, 4, "PERSON", 0.5, "t"),), detectors=())
    before = {"PERSON": (2, 0.9), "IBAN_CODE": (1, 1.0)}

    document = response_document({}, inspection=found, facts=ReplyFacts(), window=False, before=before)

    assert [(each["type"], each["count"], each["score_ppm"]) for each in document["response"]["entities"]] == [
        ("IBAN_CODE", 1, 1_000_000),
        ("PERSON", 3, 900_000),
    ]
