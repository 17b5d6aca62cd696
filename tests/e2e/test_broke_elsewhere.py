"""Published failures of a well-known gateway's guardrail, by their numbers, through a real SDK.

Each for unary and streamed, in text and in tool calls. `tests/redaction/test_acceptance.py` has the same list for the
room alone, with generated texts and cuts.
"""

from __future__ import annotations

import base64
import itertools
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest

from tests.e2e import processes
from tests.e2e.processes import Sidecar, Stub

ANN, BOB = "ann.lee@example.org", "bob.roy@corp.example"
TOOL: Any = {
    "type": "function",
    "function": {"name": "send", "parameters": {"type": "object", "properties": {"to": {"type": "string"}}}},
}
SHAPES = pytest.mark.parametrize(
    ("stream", "tool"), [(False, False), (False, True), (True, False), (True, True)],
    ids=["unary text", "unary tool call", "streamed text", "streamed tool call"],
)  # fmt: skip


@pytest.fixture
def client(sidecar: Sidecar) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=sidecar.base, api_key="test", max_retries=0, timeout=30) as made:
        yield made


def said(client: openai.OpenAI, messages: list[Any], *, stream: bool, tool: bool, **headers: str) -> str:
    """The text, or the arguments of the tool call, as the application gets them."""
    more: Any = {"tools": [TOOL], "tool_choice": "required"} if tool else {}
    kwargs: Any = {"model": "stub-model", "messages": messages, "extra_headers": headers, **more}
    if not stream:
        message = client.chat.completions.create(**kwargs).choices[0].message
        return str(message.tool_calls[0].function.arguments if tool else message.content)
    pieces = []
    for chunk in client.chat.completions.create(stream=True, **kwargs):
        for choice in chunk.choices:
            pieces += [call.function.arguments for call in choice.delta.tool_calls or []]
            pieces.append(None if tool else choice.delta.content)
    return "".join(piece for piece in pieces if piece)


def upstream(stub: Stub) -> str:
    """The newest body that the model server got."""
    with urllib.request.urlopen(f"{stub.url}/stub/requests") as reply:
        return base64.b64decode(orjson.loads(reply.read())["requests"][-1]["raw"]).decode()


def user(text: str) -> Any:
    return {"role": "user", "content": text}


@SHAPES
def test_31959_two_people_are_two_placeholders_and_come_back_as_themselves(
    client: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    messages = [
        user(f"I am {ANN}."),
        {"role": "assistant", "content": f"Hello {ANN}."},
        user(f"Tell {BOB}, not {ANN}!"),
    ]
    got = said(client, messages, stream=stream, tool=tool)
    assert BOB in got and ANN in got
    sent = upstream(stub)
    assert ANN not in sent and BOB not in sent
    assert sent.count("<EMAIL_ADDRESS_1>") == 3 and sent.count("<EMAIL_ADDRESS_2>") == 1


@SHAPES
def test_41265_14612_arguments_in_history_and_tool_results_are_redacted(
    client: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "send", "arguments": orjson.dumps({"to": ANN}).decode()},
    }
    messages = [
        user("Write it."),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": orjson.dumps({"bounced": [BOB]}).decode()},
        user("And now?"),
    ]
    said(client, messages, stream=stream, tool=tool)
    sent = upstream(stub)
    assert ANN not in sent and BOB not in sent and "<EMAIL_ADDRESS_2>" in sent


@SHAPES
def test_30206_712_placeholders_split_over_bytes_and_deltas_come_back(
    client: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    headers = {"x-stub-behaviour": "bytewise"}
    got = said(client, [user(f"Write to {ANN} and {BOB}.")], stream=stream, tool=tool, **headers)
    assert ANN in got and BOB in got and "EMAIL_ADDRESS" not in got


@SHAPES
def test_28316_28197_what_was_restored_is_not_masked_again(
    client: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    got = said(client, [user(f"Repeat {ANN} twice: {ANN}")], stream=stream, tool=tool)
    assert got.count(ANN) == 2


@SHAPES
def test_42130_24160_values_side_by_side_eat_no_text(
    client: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    text = f"{ANN};4111 1111 1111 1111;DE89370400440532013000;{BOB} (ünïcode, end)"
    got = said(client, [user(text)], stream=stream, tool=tool)
    assert text in got
    assert "4111" not in upstream(stub) and "ünïcode, end)" in upstream(stub)


@pytest.fixture(scope="module")
def allowing(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    config = {"detection": {"allow": ["C4", "S3", "EKS"]}}
    with (
        processes.sidecar(tmp_path_factory.mktemp("allowing"), stub.url, config=config) as process,
        openai.OpenAI(base_url=process.base, api_key="test", max_retries=0, timeout=30) as made,
    ):
        yield made


@SHAPES
def test_21949_what_is_on_the_allow_list_is_nobodys_data(
    allowing: openai.OpenAI, stub: Stub, stream: bool, tool: bool
) -> None:
    text = "Move C4 and the backup to S3, then restart EKS."
    assert text in said(allowing, [user(text)], stream=stream, tool=tool)
    assert text in upstream(stub)


@pytest.mark.parametrize("tool", [False, True])
def test_31503_the_first_piece_of_a_stream_does_not_wait_for_the_last(client: openai.OpenAI, tool: bool) -> None:
    more: Any = {"tools": [TOOL], "tool_choice": "required"} if tool else {}
    times = [
        time.monotonic()
        for chunk in client.chat.completions.create(
            model="stub-model",
            messages=[user(f"Write to {ANN}, and to {BOB}, and to the others, one after the other.")],
            stream=True,
            extra_headers={"x-stub-pace-ms": "100"},
            **more,
        )
        if chunk.choices
    ]
    assert len(times) > 4 and times[-1] - times[0] > 0.3
    assert sum(later - before > 0.02 for before, later in itertools.pairwise(times)) > len(times) / 3


@SHAPES
def test_30728_a_dead_analyser_refuses_the_call(stub: Stub, tmp_path: Path, stream: bool, tool: bool) -> None:
    """Another proxy forwarded the original text. Here the analyser is a remote one that nobody serves."""
    remote = {"kind": "remote", "url": "http://127.0.0.1:1/analyze", "timeout_s": 1, "entities": ["PERSON"]}
    config = {"detection": {"recognisers": [remote], "names": False}}
    with processes.sidecar(tmp_path, stub.url, config=config) as broken:
        before = upstream_count(stub)
        caller = openai.OpenAI(base_url=broken.base, api_key="test", max_retries=0, timeout=30)
        with caller, pytest.raises(openai.InternalServerError) as refused:
            said(caller, [user(f"I am {ANN}.")], stream=stream, tool=tool)
        assert upstream_count(stub) == before
        (row,) = broken.rows()
    assert (refused.value.status_code, refused.value.code) == (503, "INSPECTOR_ERROR")
    assert (row["state"], row["codes"]) == ("refused", ("INSPECTOR_ERROR",))


def upstream_count(stub: Stub) -> int:
    with urllib.request.urlopen(f"{stub.url}/stub/requests") as reply:
        return int(orjson.loads(reply.read())["total"])
