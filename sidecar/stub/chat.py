"""Chat completions: what the stub answers, as one body or as a stream of chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sidecar.stub import told
from sidecar.stub.behaviours import Manner
from sidecar.stub.told import Json, Wrong

REASONING = "The stub does not reason; it repeats."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer. A choice has text or tool calls."""

    index: int
    text: str
    finish: str
    calls: tuple[Json, ...] = ()
    reasoning: str | None = None

    @property
    def tokens(self) -> int:
        words = told.count(self.text) + told.count(self.reasoning or "")
        return words + sum(told.count(call["function"]["arguments"]) for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One chat call and its answers."""

    body: Json
    raw: bytes
    choices: tuple[Choice, ...]

    @property
    def usage(self) -> Json:
        prompt = sum(told.count(told.text_of(one.get("content"))) for one in told.messages_of(self.body))
        reasoning = sum(told.count(choice.reasoning or "") for choice in self.choices)
        return told.usage(prompt, sum(choice.tokens for choice in self.choices), reasoning)

    def head(self, kind: str) -> Json:
        return {
            "id": told.identity("chatcmpl", self.raw),
            "object": kind,
            "created": told.CREATED,
            "model": self.body.get("model", told.MODEL),
            "system_fingerprint": told.FINGERPRINT,
        }


def answered(body: Json, raw: bytes, manner: Manner, scripted: str | None) -> Chat:
    """Make up the answers to a call. Raises Wrong."""
    choices = tuple(_choice(body, raw, manner, scripted, index) for index in range(number(body)))
    return Chat(body=body, raw=raw, choices=choices)


def number(body: Json) -> int:
    n = 1 if body.get("n") is None else body["n"]
    if not isinstance(n, int) or not 1 <= n <= 128:
        raise Wrong("n must be an integer from 1 to 128")
    return n


def _choice(body: Json, raw: bytes, manner: Manner, scripted: str | None, index: int) -> Choice:
    messages = told.messages_of(body)
    said = told.last_told(messages)
    reasoning = f"{REASONING} {said}" if wants_reasoning(body, manner) else None
    tool = wanted_tool(body, messages) if not special(manner, scripted) else None
    if tool is not None:
        return Choice(
            index=index, text="", finish="tool_calls", calls=(call_of(tool, said, index),), reasoning=reasoning
        )
    if (given := manner_text(manner, raw, scripted)) is not None:
        return Choice(index=index, text=given, finish="stop", reasoning=reasoning)
    text = structured(body, said) or told.sentence(said, index)
    text, finish = told.capped(text, body.get("max_completion_tokens") or body.get("max_tokens"))
    return Choice(index=index, text=text, finish=finish, reasoning=reasoning)


def special(manner: Manner, scripted: str | None) -> bool:
    return scripted is not None or manner.text is not None or "echo" in manner or "huge" in manner


def manner_text(manner: Manner, raw: bytes, scripted: str | None) -> str | None:
    """The text that was asked for in so many words, if any; no cap on tokens applies to it."""
    if manner.text is not None:
        return manner.text
    if "echo" in manner:
        return raw.decode("utf-8", "replace")
    if "huge" in manner:
        return ("lorem ipsum dolor sit amet " * (manner.size // 27 + 1))[: manner.size]
    return scripted


def wants_reasoning(body: Json, manner: Manner) -> bool:
    return "reasoning" in manner or bool(body.get("reasoning_effort"))


def wanted_tool(body: Json, messages: list[Json]) -> Json | None:
    """The function to call: the one that `tool_choice` names, else the first; none after a tool's result."""
    tools, choice = body.get("tools"), body.get("tool_choice", "auto")
    if not tools or choice == "none" or messages[-1].get("role") == "tool":
        return None
    functions: list[Json] = [tool["function"] for tool in tools if isinstance(tool, dict) and "function" in tool]
    if isinstance(choice, dict):
        name = choice.get("function", {}).get("name")
        functions = [function for function in functions if function.get("name") == name]
    if not functions:
        raise Wrong("tools hold no such function")
    return functions[0]


def call_of(function: Json, said: str, index: int) -> Json:
    schema = function.get("parameters") or {}
    arguments = told.filled(schema, said) if schema.get("properties") else {"input": said}
    return {
        "id": f"call_stub_{index}",
        "type": "function",
        "function": {"name": function.get("name", ""), "arguments": told.compact(arguments)},
    }


def structured(body: Json, said: str) -> str | None:
    """The text when JSON output was declared."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return told.compact({"answer": said, "stub": True})
    if wanted.get("type") == "json_schema":
        return told.compact(told.filled(wanted.get("json_schema", {}).get("schema"), said))
    return None


def unary(chat: Chat) -> Json:
    """The whole reply."""
    return {
        **chat.head("chat.completion"),
        "choices": [_whole(chat, choice) for choice in chat.choices],
        "usage": chat.usage,
    }


def _whole(chat: Chat, choice: Choice) -> Json:
    message: Json = {"role": "assistant", "content": None if choice.calls else choice.text, "refusal": None}
    if choice.reasoning is not None:
        message["reasoning_content"] = choice.reasoning
    if choice.calls:
        message["tool_calls"] = list(choice.calls)
    return {
        "index": choice.index,
        "message": message,
        "logprobs": logprobs(chat.body, list(told.pieces(choice.text)), 0),
        "finish_reason": choice.finish,
    }


def chunks(chat: Chat) -> Iterator[Json]:
    """The reply as a stream, choices in turn."""
    for choice in chat.choices:
        yield _chunk(chat, choice.index, {"role": "assistant", "content": "" if not choice.calls else None})
    streams = [_deltas(chat, choice) for choice in chat.choices]
    while streams:
        for stream in list(streams):
            chunk = next(stream, None)
            if chunk is None:
                streams.remove(stream)
            else:
                yield chunk
    options = chat.body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        yield {**chat.head("chat.completion.chunk"), "choices": [], "usage": chat.usage}


def _deltas(chat: Chat, choice: Choice) -> Iterator[Json]:
    for piece in told.pieces(choice.reasoning or ""):
        yield _chunk(chat, choice.index, {"reasoning_content": piece})
    for number, call in enumerate(choice.calls):
        yield from _call_deltas(chat, choice.index, number, call)
    for position, piece in enumerate(told.pieces(choice.text)):
        yield _chunk(chat, choice.index, {"content": piece}, logprobs(chat.body, [piece], position))
    yield _chunk(chat, choice.index, {}, finish=choice.finish)


def _call_deltas(chat: Chat, choice: int, number: int, call: Json) -> Iterator[Json]:
    opening = {**call, "index": number, "function": {"name": call["function"]["name"], "arguments": ""}}
    yield _chunk(chat, choice, {"tool_calls": [opening]})
    for piece in told.pieces(call["function"]["arguments"]):
        yield _chunk(chat, choice, {"tool_calls": [{"index": number, "function": {"arguments": piece}}]})


def _chunk(chat: Chat, index: int, delta: Json, probabilities: Any = None, finish: str | None = None) -> Json:
    choice = {"index": index, "delta": delta, "logprobs": probabilities, "finish_reason": finish}
    return {**chat.head("chat.completion.chunk"), "choices": [choice]}


def logprobs(body: Json, tokens: list[str], start: int) -> Json | None:
    """Log probabilities of these tokens, where the call asks for them."""
    if not body.get("logprobs"):
        return None
    top = int(body.get("top_logprobs") or 0)
    return {"content": [_probable(token, start + at, top) for at, token in enumerate(tokens)], "refusal": None}


def _probable(token: str, position: int, top: int) -> Json:
    said = {"token": token, "logprob": told.logprob(position), "bytes": list(token.encode("utf-8", "surrogatepass"))}
    others = [{"token": f"~{rank}", "logprob": -5.0 - rank, "bytes": [126, 48 + rank % 10]} for rank in range(1, top)]
    return {**said, "top_logprobs": [said, *others] if top else []}
