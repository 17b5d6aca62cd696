"""The stub answers the official SDK for every kind of call, says what it is, and misbehaves as asked."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import openai
import pytest
from aiohttp import web

from sidecar.stub.behaviours import NAMES
from sidecar.stub.server import Rule, Stub, runner_of
from sidecar.stub.told import LENGTHS, pieces
from tests.captures import connect, until

SAID = "Write to <EMAIL_ADDRESS_1> and <PERSON_12>, naïvely — 😀."
MESSAGES: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SAID}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "send",
            "parameters": {
                "type": "object",
                "properties": {
                    "to": {"type": "string"},
                    "copies": {"type": "array", "items": {"type": "string"}},
                    "count": {"type": "integer"},
                    "how": {"enum": ["fast", "slow"]},
                    "more": {"type": "object", "properties": {"why": {"type": ["string", "null"]}}},
                },
            },
        },
    }
]
FILLED = {"to": SAID, "copies": [SAID], "count": 1, "how": "fast", "more": {"why": SAID}}


@asynccontextmanager
async def stub(**settings: Any) -> AsyncIterator[tuple[str, int]]:
    runner = runner_of(Stub(**settings))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{site.port}", site.port
    finally:
        await runner.cleanup()


@asynccontextmanager
async def sdk(**settings: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        stub(**settings) as (url, _),
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, timeout=5) as client,
    ):
        yield client


async def said(client: openai.AsyncOpenAI, **extra: Any) -> Any:
    return await client.chat.completions.create(model="stub-model", messages=MESSAGES, **extra)


async def get(url: str, path: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url + path) as reply:
        return await reply.json()


async def post(
    url: str, body: object, headers: dict[str, str] | None = None, path: str = "/v1/chat/completions"
) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url + path, json=body, headers=headers) as reply:
        return reply.status, reply.headers, await reply.read()


async def test_a_chat_says_again_what_it_was_told():
    async with sdk() as client:
        reply = await said(client)
    choice = reply.choices[0]
    assert choice.message.content.endswith(SAID)
    assert "stub" in choice.message.content
    assert (choice.finish_reason, reply.system_fingerprint) == ("stop", "stub")
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 20


async def test_the_same_call_gets_the_same_bytes():
    async with stub() as (url, _):
        body = {"model": "m", "messages": MESSAGES}
        assert (await post(url, body))[2] == (await post(url, body))[2]


async def test_a_stream_says_the_same_in_small_pieces():
    async with sdk() as client:
        whole = await said(client)
        stream = [chunk async for chunk in await said(client, stream=True, stream_options={"include_usage": True})]
    texts = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(texts) == whole.choices[0].message.content
    assert max(map(len, texts)) <= max(LENGTHS)
    assert stream[-1].choices == []
    assert stream[-1].usage == whole.usage
    assert stream[-2].choices[0].finish_reason == "stop"
    assert not any("<EMAIL_ADDRESS_1>" in text for text in texts)


async def test_several_choices():
    async with sdk() as client:
        whole = await said(client, n=3)
        texts = ["", "", ""]
        async for chunk in await said(client, n=3, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3


async def test_a_tool_is_called_with_what_it_was_told():
    async with sdk() as client:
        whole = await said(client, tools=TOOLS)
        name, arguments = "", ""
        async for chunk in await said(client, tools=TOOLS, stream=True):
            for call in chunk.choices[0].delta.tool_calls or ():
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    call = whole.choices[0].message.tool_calls[0]
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.choices[0].message.content is None
    assert json.loads(call.function.arguments) == FILLED
    assert (name, json.loads(arguments)) == ("send", FILLED)


async def test_a_tools_result_is_answered_in_words():
    messages: Any = [*MESSAGES, {"role": "tool", "tool_call_id": "call_stub_0", "content": "<PHONE_NUMBER_1>"}]
    async with sdk() as client:
        reply = await client.chat.completions.create(model="m", messages=messages, tools=TOOLS)
        named = await said(client, tools=TOOLS, tool_choice={"type": "function", "function": {"name": "send"}})
        none = await said(client, tools=TOOLS, tool_choice="none")
    assert reply.choices[0].message.content.endswith("<PHONE_NUMBER_1>")
    assert named.choices[0].message.tool_calls[0].function.name == "send"
    assert none.choices[0].message.tool_calls is None


async def test_parts_are_read_and_images_named():
    parts = [{"type": "text", "text": SAID}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    async with sdk() as client:
        reply = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert reply.choices[0].message.content.endswith(f"{SAID}\n[image_url]")


async def test_declared_json():
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "ok": {"type": "boolean"}}}
    async with sdk() as client:
        free = await said(client, response_format={"type": "json_object"})
        strict = await said(
            client, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        )
    assert json.loads(free.choices[0].message.content)["answer"] == SAID
    assert json.loads(strict.choices[0].message.content) == {"name": SAID, "ok": True}


async def test_logprobs_spell_the_text():
    async with sdk() as client:
        whole = (await said(client, logprobs=True, top_logprobs=2)).choices[0]
        streamed = [
            token
            async for chunk in await said(client, logprobs=True, stream=True)
            for token in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else ())
        ]
    tokens = whole.logprobs.content
    assert "".join(token.token for token in tokens) == whole.message.content
    assert [token.logprob for token in tokens] == [token.logprob for token in streamed]
    assert bytes(tokens[-1].bytes).decode() == tokens[-1].token
    assert [len(token.top_logprobs) for token in tokens[:2]] == [2, 2]


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
async def test_a_cap_cuts_the_answer(cap: str):
    async with sdk() as client:
        reply = await said(client, **{cap: 3})
    assert reply.choices[0].message.content == "This i"
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 3


async def test_reasoning_when_asked():
    async with sdk() as client:
        reply = await said(client, reasoning_effort="low")
        streamed = "".join(
            [
                getattr(chunk.choices[0].delta, "reasoning_content", None) or ""
                async for chunk in await said(client, reasoning_effort="low", stream=True)
            ]
        )
    assert reply.choices[0].message.reasoning_content == streamed
    assert streamed.endswith(SAID)
    assert reply.usage.completion_tokens_details.reasoning_tokens > 5


async def test_completions():
    async with sdk() as client:
        many = await client.completions.create(model="m", prompt=["one", SAID], n=2, echo=True, logprobs=1)
        ids = await client.completions.create(model="m", prompt=[15339, 1917])
        stream = await client.completions.create(model="m", prompt=SAID, stream=True)
        text = "".join([chunk.choices[0].text async for chunk in stream])
    assert [choice.index for choice in many.choices] == [0, 1, 2, 3]
    assert many.choices[2].text.startswith(SAID)
    assert many.choices[2].text.endswith(SAID)
    assert "".join(many.choices[3].logprobs.tokens) == many.choices[3].text
    assert ids.choices[0].text.endswith("15339 1917")
    assert text.endswith(SAID)


async def test_embeddings():
    async with sdk() as client:
        coded = await client.embeddings.create(model="m", input=["a", "b"])
        plain = await client.embeddings.create(model="m", input=["a", "b"], encoding_format="float")
        short = await client.embeddings.create(model="m", input="a", dimensions=8)
    assert [one.embedding for one in coded.data] == [one.embedding for one in plain.data]
    assert coded.data[0].embedding != coded.data[1].embedding
    assert sum(value * value for value in coded.data[0].embedding) == pytest.approx(1, abs=1e-5)
    assert len(short.data[0].embedding) == 8


async def test_models_and_health():
    async with sdk() as client:
        models = [model async for model in client.models.list()]
        one = await client.models.retrieve("any/name")
    assert {model.owned_by for model in models} == {"sidecar-stub"}
    assert one.id == "any/name"
    async with stub() as (url, _), aiohttp.ClientSession() as session:
        for path in ("/health", "/ping", "/version", "/load", "/metrics"):
            async with session.get(url + path) as reply:
                assert reply.status == 200
                assert reply.headers["Server"] == "sidecar-stub"


async def test_it_records_what_it_saw():
    async with stub() as (url, port):
        body = b'{"model":"m", "messages":[{"role":"user","content":"\\u0041"}]}'
        coded = gzip.compress(body)
        wire = await connect(port)
        head = b"POST /v1/chat/completions?q HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\nContent-Encoding: gzip\r\n"
        await wire.send(head + b"Content-Length: %d\r\n\r\n" % len(coded) + coded)
        answer = await wire.message()
        wire.close()
        seen = (await get(url, "/stub/requests"))["requests"][-1]
        async with aiohttp.ClientSession() as session, session.delete(url + "/stub/requests") as reply:
            assert reply.status == 200
        assert (await get(url, "/stub/requests"))["total"] == 0
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert base64.b64decode(seen["raw"]) == coded
    assert seen["body"].encode() == body
    assert seen["target"] == "/v1/chat/completions?q"
    assert ["X-oDD", "1"] in seen["headers"]


async def test_a_gzip_reply_when_asked():
    async with stub() as (url, _), aiohttp.ClientSession(auto_decompress=False) as session:
        for stream in (False, True):
            body = {"model": "m", "messages": MESSAGES, "stream": stream}
            headers = {"x-stub-behaviour": "gzip", "Accept-Encoding": "gzip"}
            async with session.post(url + "/v1/chat/completions", json=body, headers=headers) as reply:
                assert reply.headers["Content-Encoding"] == "gzip"
                text = gzip.decompress(await reply.read())
            assert b"stub" in text


async def test_echo_gives_back_the_whole_request():
    async with stub() as (url, _):
        _, _, reply = await post(url, {"model": "stub-echo", "messages": MESSAGES, "user": "<PERSON_1>"})
        seen = (await get(url, "/stub/requests"))["requests"][-1]["body"]
    assert json.loads(reply)["choices"][0]["message"]["content"] == seen


@pytest.mark.parametrize("name", ["bytewise", "whole", "comments", "crlf"])
async def test_streams_in_other_shapes_mean_the_same(name: str):
    async with sdk() as client:
        plain = [chunk async for chunk in await said(client, stream=True)]
        other = [chunk async for chunk in await said(client, stream=True, extra_headers={"x-stub-behaviour": name})]
    assert [chunk.choices for chunk in plain] == [chunk.choices for chunk in other]


@pytest.mark.parametrize(
    ("name", "status"), [("error-400", 400), ("error-429", 429), ("error-500", 500), ("html-502", 502)]
)
async def test_errors_quote_what_was_said(name: str, status: int):
    async with sdk() as client:
        with pytest.raises(openai.APIStatusError) as raised:
            await said(client, extra_headers={"x-stub-behaviour": name})
    assert raised.value.status_code == status
    assert SAID in raised.value.message or name == "html-502"


@pytest.mark.parametrize("name", ["die-head", "die-stream", "short", "not-http"])
@pytest.mark.parametrize("stream", [False, True])
async def test_connections_that_break(name: str, stream: bool):
    async with stub() as (url, _):
        with pytest.raises((aiohttp.ClientError, OSError)):
            await post(url, {"model": f"stub-{name}", "messages": MESSAGES, "stream": stream})


async def test_replies_that_are_no_replies():
    async with stub() as (url, _):
        for name, kind in (("garbage", "application/json"), ("html", "text/html"), ("wrong-type", "text/plain")):
            status, headers, body = await post(url, {"messages": MESSAGES, "metadata": {"stub": name}})
            assert (status, headers["Content-Type"].split(";")[0]) == (200, kind)
            assert (name == "wrong-type") == (b"choices" in body)
        _, _, body = await post(url, {"model": "stub-truncated", "messages": MESSAGES})
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(body)
        _, _, body = await post(url, {"model": "stub-lone-surrogate", "messages": MESSAGES})
        assert rb"\ud83d" in body
        _, _, body = await post(url, {"model": "stub-no-done", "messages": MESSAGES, "stream": True})
        assert b"[DONE]" not in body
        _, _, body = await post(url, {"model": "stub-error-stream", "messages": MESSAGES, "stream": True})
        assert b'data: {"error":' in body


async def test_a_huge_reply():
    async with stub() as (url, _):
        _, _, body = await post(url, {"messages": MESSAGES}, {"x-stub-behaviour": "huge", "x-stub-size": "100000"})
    assert len(json.loads(body)["choices"][0]["message"]["content"]) == 100_000


async def test_a_given_text_and_a_script():
    async with stub(rules=[Rule("<EMAIL", "from the script")]) as (url, _):
        _, _, scripted = await post(url, {"messages": MESSAGES})
        _, _, given = await post(url, {"messages": MESSAGES}, {"x-stub-text": "from the header"})
    assert json.loads(scripted)["choices"][0]["message"]["content"] == "from the script"
    assert json.loads(given)["choices"][0]["message"]["content"] == "from the header"


@pytest.mark.parametrize("name", ["hang-head", "hang-stream", "slow"], ids="when-{}".format)
async def test_it_knows_who_left(name: str):
    async with stub() as (url, port):
        body = json.dumps({"model": f"stub-{name}", "messages": MESSAGES, "stream": True}).encode()
        wire = await connect(port)
        await wire.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        if name == "hang-head":
            await asyncio.sleep(0.05)
        else:
            await wire.until(b"data: ")
        wire.close()
        for _ in range(100):
            left = await get(url, "/stub/aborts")
            if left["total"]:
                break
            await asyncio.sleep(0.01)
    assert left["total"] == 1
    assert (left["aborts"][0]["pieces"] == 0) == (name == "hang-head")


async def test_the_pace():
    async with sdk(pace=0.02) as client:
        loop = asyncio.get_running_loop()
        start = loop.time()
        chunks = [chunk async for chunk in await said(client, stream=True, max_tokens=5)]
        assert loop.time() - start > 0.02 * 5
    assert len(chunks) == 7


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"messages": []}, {}),
        ({"messages": "x"}, {}),
        ({"messages": [{"role": "user", "content": 5}]}, {}),
        ({"messages": MESSAGES, "n": 0}, {}),
        ({"messages": MESSAGES}, {"x-stub-behaviour": "unknown"}),
        ({"messages": MESSAGES}, {"x-stub-typo": "1"}),
        ({"messages": MESSAGES}, {"x-stub-size": "much"}),
        ({"model": "stub-unknown", "messages": MESSAGES}, {}),
        ([], {}),
    ],
)
async def test_what_it_refuses(body: object, headers: dict[str, str]):
    async with stub() as (url, _):
        status, _, reply = await post(url, body, headers)
        missing = await post(url, {}, path="/v1/other")
    assert status == 400
    assert json.loads(reply)["error"]["code"] == "stub"
    assert missing[0] == 404


def test_every_behaviour_is_told_in_the_help():
    from sidecar.stub.__main__ import parser

    text = parser().format_help()
    assert all(name in text for name in NAMES)


def test_pieces_lose_nothing():
    assert "".join(pieces(SAID)) == SAID
    assert list(pieces("")) == []


async def test_as_a_process_it_prints_its_port(tmp_path: Any):
    script = tmp_path / "script.json"
    script.write_text('[{"match": "Write", "text": "scripted"}]')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sidecar.stub", "--port", "0", "--script", str(script), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    _, headers, reply = await post(told["url"], {"messages": MESSAGES})
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
    assert told["stub"] is True
    assert headers["Server"] == "sidecar-stub"
    assert b'"scripted"' in reply
    await until(lambda: process.returncode is not None)


WRONG_TYPES: dict[str, Any] = {
    "response_format": "json",
    "tools": [3],
    "tool_choice": {"function": 3},
    "top_logprobs": [3],
    "messages": [{"role": "user", "content": [3]}],
}


@pytest.mark.parametrize("field", WRONG_TYPES)
async def test_a_field_of_the_wrong_type_is_the_callers_fault(field: str) -> None:
    body = {"messages": MESSAGES, "tools": TOOLS, "logprobs": True, field: WRONG_TYPES[field]}
    if field == "response_format":
        del body["tools"]
    async with (
        stub() as (url, _),
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=body) as reply,
    ):
        told = await reply.json()
    assert (reply.status, told["error"]["type"], told["error"]["code"]) == (400, "invalid_request_error", "stub")


async def test_stream_options_that_are_no_object_ask_for_nothing() -> None:
    body = {"messages": MESSAGES, "stream": True, "stream_options": 3}
    async with (
        stub() as (url, _),
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=body) as reply,
    ):
        assert (await reply.text()).endswith("data: [DONE]\n\n")


async def test_a_port_that_is_taken_is_said_in_a_line() -> None:
    async with stub() as (_, port):
        command = [sys.executable, "-m", "sidecar.stub", "--port", str(port)]
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
    assert process.returncode == 1
    assert said.startswith(b"The stub cannot start: ") and said.count(b"\n") == 1
