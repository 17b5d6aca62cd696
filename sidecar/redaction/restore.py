"""Surrogates to values, in text that comes in pieces.

Only what may become a surrogate is held back, at most `vault.longest` code points; everything before it is final. What
was restored is not looked at again. Text without anything that could begin a surrogate takes one search and is passed
on as it is; where it stands (in which URL, how deep in JSON) is worked out only when a surrogate turns up behind it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from sidecar.model import Channel
from sidecar.redaction import grammar, styles
from sidecar.redaction.jsontext import JsonCursor, TextCursor
from sidecar.redaction.urls import AUTHORITY_END, UrlCursor, encoded, host_of, names_host
from sidecar.redaction.vault import Entry, Vault

MAX_RECENT = 256
"""Chunks kept until somebody has to know where they end."""

_ARGUMENTS = re.compile(r"(.+?)\.(?:arguments|input|parameters)\b")
"""The fields of what is said to a tool, and all below them, where a server gives them as an object."""

MAX_HOSTS = 256
"""Different hosts of a reply that are looked for in the request; the rest are not trusted."""

_CONTEXT = 32
"""Code points before a text that may change what its beginning means: escapes, and what adjoins a bare name."""

_BEHIND_HALF = re.compile(r"""[\s.,;:!?)\]}"'*|<\\&`»“”’…–—。、，！？：；）】」』》〉＞⟩›｝~]|\Z""")
_IN_TAG = re.compile(r"<(?![A-Z])[^<>]*\Z")
"""What stands before a name whose `>` closes something else: `<mailto:`, `<a href=`; not `<PERSON_2, `, a list."""
_BEFORE_HALF = ("_", "-", "/")
_ENDS_AUTHORITY = "/\\?#@"


_DIGIT = re.compile("[0-9]")


@lru_cache(maxsize=64)
def _one_of(characters: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(characters)}]" if characters else r"(?!)")


class Match(NamedTuple):
    """Text that stands for an entry's value."""

    entry: Entry
    start: int
    end: int


class Run:
    """The state of one channel."""

    __slots__ = ("alone", "before", "channel", "held", "json", "recent", "starts", "tokens", "trigger", "url")

    def __init__(self, channel: Channel, labels: frozenset[str], *, lifelike: bool, guard: bool) -> None:
        self.channel = channel
        json_text = channel.json_text
        others = styles.SPELLED_JSON if json_text else styles.SPELLED
        self.trigger = grammar.trigger(labels, json_text=json_text).search
        self.tokens = grammar.tokens(json_text=json_text, others=others if lifelike else "").search
        self.starts = grammar.starts(json_text=json_text).finditer
        self.alone = (styles.ALONE_JSON if json_text else styles.ALONE).match
        self.held = ""
        self.before = ""
        self.recent: list[str] = []
        self.json = JsonCursor() if json_text else TextCursor()
        self.url = UrlCursor(json_text=json_text) if guard else None

    def context(self) -> str:
        """The end of what went by."""
        return (self.before + "".join(self.recent[-_CONTEXT:]))[-_CONTEXT:] if self.recent else self.before

    def settle(self, text: str = "") -> None:
        """Work out where what went by, and this text, has led."""
        text = "".join([*self.recent, text])
        self.recent.clear()
        self.before = (self.before + text)[-_CONTEXT:]
        self.json.advance(text)
        if self.url:
            self.url.advance(text)

    def passed(self, text: str) -> None:
        if text:
            self.recent.append(text)
            if len(self.recent) > MAX_RECENT:
                self.settle()


class Restorer:
    """Puts the caller's own values back. One per exchange; channels do not mix.

    `tools` names the only tools whose arguments may hold values (None: all). `assign` says which call is whose; until
    then its arguments get none.
    `hosts` are trusted besides those of the request, `guard` switches the check of URLs (sidecar/redaction/urls.py).
    """

    def __init__(
        self,
        vault: Vault,
        *,
        tools: Container[str] | None = None,
        hosts: Iterable[str] = (),
        guard: bool = True,
    ) -> None:
        self._vault = vault
        self._live = bool(vault)
        self._tools = tools
        self._hosts = {"": True, **dict.fromkeys(map(str.lower, hosts), True)}
        self._most_hosts = len(self._hosts) + MAX_HOSTS
        self._trusted: tuple[str, ...] = ()
        self._guard = guard
        self._labels = vault.labels
        self._lifelike = vault.firsts != ""
        self._first = _one_of(vault.firsts)
        self._runs: dict[Channel, Run] = {}
        self._calls: dict[tuple[int, int, str], bool] = {}
        self._restored: dict[str, int] = {}
        self._withheld: dict[str, int] = {}
        self.seen = 0
        """What was looked at since somebody set this to 0: the measure of how long it took."""
        self.unknown = 0
        """Well-formed surrogates, no longer than the longest of the vault, that stand for nothing in it."""
        self.ambiguous = 0
        """Names that might have been meant as surrogates and were left: within a longer word, torn escapes."""

    @property
    def restored(self) -> Mapping[str, int]:
        """Restored surrogates by entity (LITERAL: what the caller had typed)."""
        return self._restored

    @property
    def withheld(self) -> Mapping[str, int]:
        """Surrogates by entity that were left because of the URL or the tool they stood in."""
        return self._withheld

    def assign(self, channel: Channel, tool: str) -> None:
        """Say which tool, as the upstream knows it, is called where this channel, which is one of names, stands."""
        if self._tools is not None:
            aside = Restorer(self._vault, guard=False)
            name = aside.feed(channel, tool) + aside.finish(channel)
            self._calls[channel.choice, channel.item, channel.field.removesuffix(".name")] = name in self._tools

    def _may_hold(self, channel: Channel) -> bool:
        """Whether this is anything but the arguments of a tool that is not listed."""
        said = _ARGUMENTS.match(channel.field) if self._tools is not None else None
        return said is None or self._calls.get((channel.choice, channel.item, said[1]), False)

    def feed(self, channel: Channel, text: str) -> str:
        """More of a channel's text in, what may be released of it out."""
        if not self._live:
            return text
        run = self._runs.get(channel) or self._run(channel)
        if run.held or run.trigger(text) or (self._lifelike and self._maybe_lifelike(text)):
            return self._read(run, text, final=False)
        run.recent.append(text)
        if len(run.recent) > MAX_RECENT:
            run.settle()
        return text

    def finish(self, channel: Channel) -> str:
        """What is still held, now that nothing follows. The channel may begin anew afterwards."""
        run = self._runs.pop(channel, None)
        return self._read(run, "", final=True) if run and run.held else ""

    def holding(self, channel: Channel) -> bool:
        """Whether text of this channel is held back."""
        run = self._runs.get(channel)
        return run is not None and run.held != ""

    def _run(self, channel: Channel) -> Run:
        run = self._runs.get(channel)
        if run is None:
            run = self._runs[channel] = Run(channel, self._labels, lifelike=self._lifelike, guard=self._guard)
        return run

    def _read(self, run: Run, text: str, *, final: bool) -> str:
        context = run.context()
        text = context + run.held + text
        at = len(context)
        stop = len(text) if final else self._hold_from(run, text, at)
        out = []
        behind = at
        while (found := run.tokens(text, behind)) is not None and found.start() < stop:
            self.seen += 1
            if self._lifelike and found["other"]:
                match = self._alike(found)
                behind = match.end if match else found.start() + 1
                if match and match.end > stop:  # what may go on is not this one, but begins within it
                    stop = self._hold_from(run, text, match.end)
            elif found.end() > stop:
                break
            else:
                match, behind = self._meaning(found), found.end()
            if match is None:
                continue
            new = self._replacement(run, text, at, match, final)
            if new is None:
                out.append(text[at : match.start])
                at = stop = match.start
                break
            out += [text[at : match.start], new]
            at = match.end
        out.append(text[at:stop])
        run.passed(text[at:stop])
        run.held = text[stop:]
        return "".join(out)

    def _hold_from(self, run: Run, text: str, at: int) -> int:
        """Where what may become a surrogate begins; the end of the text if nothing may."""
        first = max(at, len(text) - self._vault.longest)
        hold = len(text)
        for found in run.starts(text, first):
            if grammar.pending(text[found.start() :], self._labels):
                hold = found.start()
                break
        if self._lifelike:
            hold = next((start for start in self._lifelike_from(text, first, hold) if run.alone(text, start)), hold)
        return hold

    def _maybe_lifelike(self, text: str) -> bool:
        """Whether a text without a bracket holds or begins a format-preserving surrogate."""
        return _DIGIT.search(text) is not None or any(True for _ in self._lifelike_from(text, 0, len(text)))

    def _lifelike_from(self, text: str, first: int, last: int) -> Iterator[int]:
        """Where before `last` what may become a format-preserving surrogate begins, whatever stands before it."""
        first = max(first, len(text) - self._vault.longest)
        begins = (found.start() for found in self._first.finditer(text, first, last))
        return (start for start in begins if self._vault.begins(text[start:]))

    def _alike(self, found: re.Match[str]) -> Match | None:
        """The value whose lifelike surrogate stands here, in a model's spelling; None, and counted, if it may not."""
        for core, end in styles.readings(found):
            entry = self._vault.spelled(core)
            if entry and not styles.led(found):
                return Match(entry, found.start(), end)
            self.ambiguous += entry is not None
        return None

    def _meaning(self, found: re.Match[str]) -> Match | None:
        """The value that was meant, None (and counted) if that is not certain."""
        token = grammar.read(found)
        entry = self._vault.named(token.name)
        if token.opening:
            if self._foreign(token, entry):
                return self._inner(token)
            return self._bracketed(found, token, entry)
        return self._inner(token) or self._half_closed(found, token, entry)

    def _foreign(self, token: grammar.Token, entry: Entry | None) -> bool:
        """Whether a name in brackets is not to be read as one with its bracket; counted if it might have been."""
        if token.closing:
            self.unknown += entry is None and self._well_formed(token)
            return entry is None
        return entry is None or entry.name != token.name or entry.bare

    def _well_formed(self, token: grammar.Token) -> bool:
        opening = "<" if token.opening.endswith("<") else token.opening
        if len(opening + token.body + token.closing) > self._vault.longest:
            return False
        exact = opening == "<" and token.closing == ">" and grammar.canonical(token.body)
        return exact or grammar.label_of(token.name.upper()) in self._labels

    def _bracketed(self, found: re.Match[str], token: grammar.Token, entry: Entry | None) -> Match | None:
        start = _opening(found)
        if entry and start is not None and (token.closing or _BEHIND_HALF.match(found.string, found.end())):
            return Match(entry, start, found.end())
        self.ambiguous += 1
        return None

    def _inner(self, token: grammar.Token) -> Match | None:
        """A name that was minted bare, also within a longer identifier."""
        for start in grammar.joints(token.body):
            name = grammar.plain(token.body[start:])
            entry = self._vault.named(name)
            if entry and entry.bare and entry.name == name:
                return Match(entry, token.start + start, token.end)
        return None

    def _half_closed(self, found: re.Match[str], token: grammar.Token, entry: Entry | None) -> Match | None:
        """A name that has lost its opening bracket or both."""
        text = found.string
        if entry is None or entry.name != token.name or text.endswith(_BEFORE_HALF, 0, found.start()):
            return None
        if token.closing == ">" and _IN_TAG.search(text, max(0, found.start() - _CONTEXT), found.start()):
            return Match(entry, found.start(), found.start("bare"))
        if token.closing or _BEHIND_HALF.match(text, found.end()):
            return Match(entry, *found.span())
        self.ambiguous += 1
        return None

    def _replacement(self, run: Run, text: str, at: int, match: Match, final: bool) -> str | None:
        """What takes the match's place, at least itself; None when only text to come can tell."""
        run.settle(text[at : match.start])
        entry = match.entry
        raw = text[match.start : match.end]
        torn = run.json.torn()
        allowed = self._may_hold(run.channel) and not torn and self._goes_home(run, text, match, final)
        if allowed is None:
            return None
        run.before = (run.before + raw)[-_CONTEXT:]
        spell = encoded if grammar.is_encoded(raw) else str
        value, typed = spell(entry.meant), spell(entry.value)
        if run.url:
            run.url.skip(_spelled(entry, raw), value if allowed else raw)
        if allowed:
            self._restored[entry.entity] = self._restored.get(entry.entity, 0) + 1
            return run.json.place(value, typed)
        self._leave(entry, torn)
        run.json.advance(raw)
        return raw

    def _leave(self, entry: Entry, torn: bool) -> None:
        if torn:
            self.ambiguous += 1
        else:
            self._withheld[entry.entity] = self._withheld.get(entry.entity, 0) + 1

    def _goes_home(self, run: Run, text: str, match: Match, final: bool) -> bool | None:
        """Whether the URL that the match stands in, if any, leads where the caller's own do; None if not yet known."""
        url = run.url
        if url is None or not url.url:
            return True
        token = _spelled(match.entry, text[match.start : match.end])
        if url.host is not None:
            return self._trusts(url.host) or url.url + token in self._vault.links
        end = AUTHORITY_END.search(text, match.end)
        stop = end.start() if end else len(text)
        if stop - match.start >= self._vault.longest:
            return False
        if end is None and not final:
            return None
        after = text[match.end : stop]
        if url.url + token + after in self._vault.links:
            return True
        if (end and end[0] in "<&") or any(each in match.entry.value for each in _ENDS_AUTHORITY):
            return False  # another surrogate may follow, or the value itself would end the host
        return self._trusts(host_of(url.authority + match.entry.value + after))

    def _trusts(self, host: str) -> bool:
        trusted = self._hosts.get(host)
        if trusted is None and len(self._hosts) < self._most_hosts:
            self._trusted = self._trusted or tuple(text.lower() for text in self._vault.trusted)
            trusted = self._hosts[host] = names_host(self._trusted, host)
        return bool(trusted)


def _spelled(entry: Entry, raw: str) -> str:
    """The surrogate as the request spells it."""
    return grammar.bracketed(entry.name) if "_" in raw else entry.token


def _opening(found: re.Match[str]) -> int | None:
    """Where the opening bracket begins: of the backslashes before a `u003c`, only those that escape it are its own;
    of those before a `<`, as many as escape the closing one.

    JSON doubles backslashes with every document it is put in, so the escape's own are the largest power of two in
    their number. None when there are more than the list of spellings holds.
    """
    text, start = found.string, found.start()
    if text[start] != "\\":
        return start
    bracket = found.start("body") - (1 if text[found.start("body") - 1] == "<" else len("u003c"))
    run = bracket - start
    while run < _CONTEXT and bracket - run > 0 and text[bracket - run - 1] == "\\":
        run += 1
    if text[bracket] == "<":
        close = found["close"] or ""
        return bracket - (min(run, len(close) - 1) if close.endswith(">") else 0)
    own = run & -run
    return bracket - own if own <= 4 and run < _CONTEXT else None
