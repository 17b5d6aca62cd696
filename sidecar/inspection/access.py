"""Secrets known by where they stand: HTTP authorization headers, passwords on command lines, keys of model providers.

gitleaks wants `curl` before a header and a key of exact length; what people paste into a prompt is a header from a log
and a key that lost its tail.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from sidecar.inspection import assignments
from sidecar.inspection.listings import PASSWORD
from sidecar.inspection.literals import CODE, LEAST_BITS, PLACEHOLDER, is_common, is_strong, is_typed
from sidecar.inspection.secrets import API_KEY, entropy
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

HEADER = re.compile(
    r"\\*[\"'`]?[ \t]{0,3}[:=,][ \t]{0,3}\\*[\"'`]?(?P<scheme>bearer|basic|token|api-?key)[ \t]{1,3}"
    r"(?P<value>[\w.~+/=-]{8,})",
    re.IGNORECASE,
)
"""RFC 9110 11.6.2 with the schemes in use; the value is a token68."""
PROVIDERS = {
    "sk-": re.compile(r"sk-(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,200}|[A-Za-z0-9]{32,64}(?![\w-]))"),
    "xai-": re.compile(r"xai-[A-Za-z0-9]{40,120}"),
    "gsk_": re.compile(r"gsk_[A-Za-z0-9]{40,80}"),
    "nvapi-": re.compile(r"nvapi-[\w-]{40,100}"),
    "r8_": re.compile(r"r8_[A-Za-z0-9]{30,50}"),
    "sbp_": re.compile(r"sbp_[a-f0-9]{40}"),
    "sb_secret_": re.compile(r"sb_secret_[\w-]{20,60}"),
    "figd_": re.compile(r"figd_[\w-]{35,60}"),
    "sqp_": re.compile(r"sq[pua]_[a-f0-9]{40}"),
    "pcsk_": re.compile(r"pcsk_[A-Za-z0-9_]{40,90}"),
    "lsv2_": re.compile(r"lsv2_(?:pt|sk)_[a-f0-9]{32}(?:_[a-f0-9]{10})?"),
    "dckr_": re.compile(r"dckr_(?:pat|oat)_[\w-]{20,60}"),
    "tskey-": re.compile(r"tskey-[a-z]{2,12}-[\w-]{16,80}"),
    "ya29.": re.compile(r"ya29\.[\w-]{30,400}"),
    "1//0": re.compile(r"1//0[\w-]{30,200}"),
    "ntn_": re.compile(r"ntn_[A-Za-z0-9]{40,60}"),
    "secret_": re.compile(r"secret_[A-Za-z0-9]{40,50}(?![\w-])"),
    "cfpat-": re.compile(r"CFPAT-[\w-]{40,60}"),
    "atbb": re.compile(r"ATBB[A-Za-z0-9]{28,40}"),
    "atatt3": re.compile(r"ATATT3[\w=-]{60,250}"),
    "ccipat_": re.compile(r"CCIPAT_[\w]{30,100}"),
    "klarna_": re.compile(r"klarna_(?:live|test)_api_[\w-]{20,200}"),
    "live_": re.compile(r"live_[A-Za-z0-9]{28,40}(?![\w-])"),
    "fw_": re.compile(r"fw_[A-Za-z0-9]{22,30}(?![\w-])"),
    "sk_": re.compile(r"sk_[a-f0-9]{40,64}(?![\w-])"),
    "glpat-": re.compile(r"glpat-[\w-]{20,300}(?:\.\w{2}\.\w{9})?"),
    "ssws ": re.compile(r"(?i:ssws) 00[\w-]{38,42}"),
    "-us": re.compile(r"-us\d{1,2}(?![\w-])"),
    ":aa": re.compile(r":AA[\w-]{32,35}(?![\w-])"),
}
"""By what they begin with: OpenAI, Anthropic, DeepSeek, OpenRouter and Langfuse; xAI; Groq; NVIDIA; Replicate;
Supabase; Figma; SonarQube; Pinecone; LangSmith; Docker; Tailscale; Google's access and refresh tokens; Notion;
Contentful; Bitbucket; Atlassian; CircleCI; Klarna; Mollie; Fireworks; ElevenLabs; GitLab; Okta; and by how
they end, Mailchimp's (`-us14`) and Telegram's (`:AA...`): whole or cut off."""
BEFORE = {"-us": re.compile(r"(?<![\w-])[a-f0-9]{32}\Z"), ":aa": re.compile(r"(?<!\d)\d{8,10}\Z")}
"""What stands before such an end."""
SSHPASS = re.compile(r"[ \t]{1,4}(?:-\w[ \t]{1,4}){0,4}-p[ \t]{0,4}[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{2,128})")
CURL = re.compile(
    r"(?=[ \t])(?:[^\n|;]|\\\n){0,200}?[ \t](?:-u|--user|--proxy-user)[ =]{0,2}"
    r"[\"']?[^\s\"':$<{]{1,64}:(?P<value>[^\s\"'`$<{][^\s\"'`]{2,128})"
)
NET_USER = re.compile(r"[ \t]{1,4}[\w.-]{1,40}[ \t]{1,4}(?P<value>[^\s\"'`/*][^\s\"'`]{4,64})(?=[ \t]{1,4}/)")
HTPASSWD = re.compile(
    r"[ \t]{1,4}-\w{0,4}b\w{0,4}[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}[^\s]{1,64}[ \t]{1,4}(?P<value>[^\s\"'`$<{]{3,128})"
)
LDAP = re.compile(r"\w{0,10}(?=[ \t])[^\n|;]{0,200}?[ \t]-w[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{3,128})")
REDIS = re.compile(r"(?=[ \t])[^\n|;]{0,160}?[ \t]-a[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{3,128})")
DOCKER = re.compile(r"[ \t][^\n|;]{0,160}?-p[ \t]{1,4}[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{3,128})")
ARGUMENTS = re.compile(
    r"\([ \t]{0,4}(?:[\"'][^\"'\n]{0,80}[\"']|[\w.]{1,60}),[ \t]{0,4}(?:[\"'][^\"'\n]{1,80}[\"'],[ \t]{0,4})?"
    r"[\"'](?P<value>[^\s\"'\\]{5,64})[\"']"
)
"""`smtp.login(user, "...")`, `mysqli_connect(host, user, "...")`."""
PAIR = re.compile(
    r"s?(?:[ \t]{1,2}(?:is|are|ist|sind))?[ \t]{0,2}[:=]?[ \t]{1,2}[\w.@-]{2,40}(?:[ \t]{1,2}[/|][ \t]{1,2}|[/|:])"
    r"(?P<value>[^\s\"'`/|]{6,64})",
    re.IGNORECASE,
)
"""`login jdoe / ...`, `credentials: jdoe/...`."""
PRIVATE_LINES = re.compile(r"\d{1,3}\r?\n(?P<value>[A-Za-z0-9+/=\r\n]{20,4096})")
"""A key of PuTTY's; its end is the line that says `Private-MAC`."""
MYSQL = re.compile(
    r"(?:dump|admin|import|show|check)?(?=[ \t])[^\n|;&]{0,160}?[ \t]-p[\"']?(?P<value>[^\s\"'`$<{-][^\s\"'`]{2,128})"
)
COMMANDS = {
    "sshpass": SSHPASS, "mysql": MYSQL, "curl": CURL, "net user": NET_USER, "htpasswd": HTPASSWD, "ldap": LDAP,
    "redis-cli": REDIS, "docker login": DOCKER, "helm registry login": DOCKER,
}  # fmt: skip
CALLS = ("login", "mysqli_connect", "mysql_connect")
PAIRED = ("login", "credential", "zugangsdaten", "user/pass", "username/password", "anmeldedaten", "identifiants")
WORDS = (
    "authorization", "private-lines: ", *COMMANDS, *PROVIDERS, *CALLS, *PAIRED, *assignments.WORDS
)  # fmt: skip


def access(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        if word in assignments.WORDS:
            yield from assignments.assigned(text, low, word)
        find = FINDERS.get(word)
        for at in places(low, word) if find else ():
            if find and (at == 0 or not low[at - 1].isalnum() or word in BEFORE):
                span = find(text, at, at + len(word))
                if span is not None:
                    yield span


def _header(text: str, _start: int, end: int) -> Span | None:
    match = HEADER.match(text, end)
    if match is None:
        return None
    value = match["value"]
    if match["scheme"].lower() == "basic":
        return _span(match, PASSWORD) if _is_basic(value) else None
    made = any(map(str.isdigit, value)) and len(value) >= 16 and entropy(value) >= LEAST_BITS
    return _span(match, API_KEY) if made and not CODE.fullmatch(value) else None


def _is_basic(value: str) -> bool:
    """RFC 7617: base64 of a name, a colon and a password."""
    try:
        return b":" in binascii.a2b_base64(value.encode() + b"=" * (-len(value) % 4))
    except (ValueError, UnicodeEncodeError):
        return False


def _option(pattern: re.Pattern[str]) -> Callable[[str, int, int], Span | None]:
    def find(text: str, _start: int, end: int) -> Span | None:
        match = pattern.match(text, end)
        if match is None or PLACEHOLDER.fullmatch(match["value"]):
            return None
        return _span(match, PASSWORD)

    return find


def _pair(text: str, _start: int, end: int) -> Span | None:
    match = PAIR.match(text, end) or ARGUMENTS.match(text, end)
    if match is None or PLACEHOLDER.fullmatch(match["value"]):
        return None
    value = match["value"]
    good = is_strong(value) if match.re is PAIR else is_typed(value) or is_common(value)
    return _span(match, PASSWORD) if good and not CODE.fullmatch(value) else None


def _putty(text: str, _start: int, end: int) -> Span | None:
    match = PRIVATE_LINES.match(text, end)
    return _span(match, "PRIVATE_KEY") if match else None


def _ended(pattern: re.Pattern[str], before: re.Pattern[str]) -> Callable[[str, int, int], Span | None]:
    def find(text: str, start: int, _end: int) -> Span | None:
        head = before.search(text, max(0, start - 40), start)
        match = pattern.match(text, start) if head else None
        return Span(head.start(), match.end(), API_KEY, 0.8, DETECTOR, Strength.PROVEN) if head and match else None

    return find


def _provider(pattern: re.Pattern[str]) -> Callable[[str, int, int], Span | None]:
    def find(text: str, start: int, _end: int) -> Span | None:
        match = pattern.match(text, start)
        if match is None or entropy(match.group()) < LEAST_BITS or not any(map(str.isdigit, match.group())):
            return None
        return Span(*match.span(), API_KEY, 0.8, DETECTOR, Strength.PROVEN)

    return find


def _span(match: re.Match[str], entity: str) -> Span:
    return Span(*match.span("value"), entity, 0.8, DETECTOR, Strength.PROVEN)


DETECTOR = "rules/access"
FINDERS = {
    **dict.fromkeys((*CALLS, *PAIRED), _pair),
    **{word: _option(pattern) for word, pattern in COMMANDS.items()},
    **{word: _provider(pattern) for word, pattern in PROVIDERS.items()},
    **{word: _ended(PROVIDERS[word], before) for word, before in BEFORE.items()},
    "authorization": _header,
    "private-lines: ": _putty,
}
