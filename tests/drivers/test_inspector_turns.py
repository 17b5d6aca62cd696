"""What was found before, and where it counts: in this conversation, in later turns, beside this key."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.model import Part, Place, Role
from tests.drivers.test_inspector import inspector

NUMBER = "123456782"
"""A BSN with its check digit; alone it is any number."""
SAID = f"my BSN is {NUMBER}"
LATER = f"and what of {NUMBER} then?"


def messages(*texts: str) -> list[Part]:
    """A conversation: the caller begins, then the two take turns."""
    roles = (Role.USER, Role.ASSISTANT)
    return [
        Part(place=Place(path=("messages", at, "content"), label=f"m[{at}]"), role=roles[at % 2], text=text)
        for at, text in enumerate(texts)
    ]


def keyed(key: str, text: str) -> Part:
    return Part(place=Place(path=("a", key), label="tool"), role=Role.TOOL, text=text, key=key)


async def found(made: object, parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Label and value of each finding."""
    told = await made.inspect(parts)  # type: ignore[attr-defined]
    texts = {part.place: part.text for part in parts}
    return [(f.place.label, texts[f.place][f.start : f.end]) for f in told.findings]


HISTORY = [("m[0]", NUMBER), ("m[2]", NUMBER)]


OTHER = "ask ann@example.org"


@pytest.mark.parametrize(
    "first", [(OTHER, "ok", LATER), (OTHER,), ("hello", "ok", LATER), (SAID,), (SAID, "ok"), (SAID, "ok", LATER)]
)
async def test_a_turn_that_another_conversation_had_too_is_read_by_its_own_history(first: tuple[str, ...]) -> None:
    """Turns are kept by all that went before: the same words after another beginning are another matter."""
    made = inspector()
    before = await found(made, messages(*first))
    assert (NUMBER in [value for _, value in before]) == (SAID in first)
    assert await found(made, messages(SAID, "ok", LATER)) == HISTORY
    assert await found(made, messages("hello", "ok", LATER)) == []
    assert await found(made, messages(OTHER, "ok", LATER)) == [("m[0]", "ann@example.org")]
    assert await found(made, messages(SAID, "ok", LATER)) == HISTORY
    await made.close()


async def test_what_comes_later_does_not_change_what_went_before() -> None:
    """An earlier turn was sent upstream as it stands: a changed prefix would hide nothing, and costs the cache."""
    made = inspector()
    for _ in range(2):
        assert await found(made, messages(LATER, "ok", SAID, "ok", LATER)) == [("m[2]", NUMBER), ("m[4]", NUMBER)]
    await made.close()


async def test_within_one_turn_each_message_keeps_its_own() -> None:
    made = inspector()
    turn = [*messages(SAID), *messages("", "", "nothing here", "", f"{NUMBER}, {NUMBER}")[2::2]]
    for _ in range(3):
        assert await found(made, turn) == [("m[0]", NUMBER), ("m[4]", NUMBER), ("m[4]", NUMBER)]
    await made.close()


async def test_a_value_is_kept_by_what_it_was_read_beside() -> None:
    """One value alone, under a key that says what it is, and under one that says nothing, in whatever order."""
    bare = Part(place=Place(path=("x",), label="tool"), role=Role.TOOL, text="Xk29fjq!z")
    cases = [(bare, []), (keyed("password", bare.text), [("tool", bare.text)]), (keyed("colour", bare.text), [])]
    for order in (cases, cases[::-1], cases[1:] + cases[:1]):
        made = inspector()
        for part, wanted in order * 2:
            assert await found(made, [part]) == wanted
        await made.close()


@pytest.mark.parametrize("more", [(), ("ok", "Miller again")])
async def test_a_name_that_is_allowed_stays_where_its_bearer_is_known(more: tuple[str, ...]) -> None:
    text = "Peter Miller, that is, Miller"
    for allow, names in (((), ["Peter Miller", "Miller"]), (("Miller",), ["Peter Miller"])):
        made = inspector(settings=Settings(deny=(("PERSON", ("Peter Miller",)),), allow=allow))
        values = [value for label, value in await found(made, messages(text, *more)) if label == "m[0]"]
        again = [value for label, value in await found(made, messages(text, *more)) if label == "m[2]"]
        await made.close()
        assert values == names
        assert again == (["Miller"] if more and not allow else [])
