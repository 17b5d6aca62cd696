"""User names where machines write them (login messages, `user=` in log lines, home folders in paths), and where people
do: profiles in social networks, by their address or as `@name` behind the network's name.

Accounts that every machine has (`root`, `runner`) name nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.columns import below
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
from sidecar.inspection.listings import USERNAME
from sidecar.inspection.literals import PLACEHOLDER
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tables import is_table
from sidecar.inspection.tokens import places

NAME = r"(?P<value>[A-Za-z_][\w.-]{2,31})"
LOGIN = re.compile(rf"(?:password|publickey|keyboard-interactive(?:/pam)?|none) for (?:invalid user )?{NAME} from ")
SESSION = re.compile(rf"(?:opened|closed) for user {NAME}(?![\w-])")
UID = re.compile(rf"\d{{1,10}}\({NAME}\)")
SUDO = re.compile(rf" {{1,8}}{NAME} : ")
FOLDER = re.compile(rf"{NAME}(?=[/\\])")
"""Of a path that goes on: `/home/about` may be a page."""
FIELD = re.compile(r"(?P<value>[A-Za-z][A-Za-z._-]{2,30}\d{1,6})(?![\w(\[.@/-])")
REMOTE = re.compile(rf"{NAME} \[\d\d?/[A-Z][a-z]{{2}}/\d{{4}}:\d\d:")
"""Of the common log format: address, identity, user, time."""
LOGGED = re.compile(r"[\"'“]?(?P<value>[A-Za-z][\w-]{0,30}(?:[._]|\d)[\w-]{0,30})(?![\w@(\[/]|\.\w)")
SQL_USER = re.compile(rf"(?:if (?:not )?exists )?['\"`]{NAME}['\"`]", re.IGNORECASE)
FORMS = {
    "accepted ": (LOGIN, ""),
    "failed ": (LOGIN, ""),
    "session ": (SESSION, ""),
    "uid=": (UID, ""),
    "sudo:": (SUDO, ""),
    "user=": (FIELD, ""),
    " - ": (REMOTE, ""),
    **dict.fromkeys(
        ("logs in as ", "logged in as ", "signed in as ", "angemeldet als ", "connecté en tant que "), (LOGGED, "")
    ),
    **dict.fromkeys(("create user ", "alter user ", "drop user "), (SQL_USER, "")),
    "/home/": (FOLDER, "/home/"),
    "/users/": (FOLDER, "/Users/"),
    "\\users\\": (FOLDER, "\\Users\\"),
    "\\\\users\\\\": (FOLDER, "\\\\Users\\\\"),
}
"""By word: what follows it, and how the word itself is spelled where that matters (`/users/7` is a web address)."""
PROFILE = re.compile(r"@?(?P<value>\w[\w.%-]{1,98}\w)(?=[/?#]|[^\w.-]|\.?$|\.\s)")
PROFILES = listed(
    "linkedin.com/in/ linkedin.com/pub/ instagram.com/ facebook.com/ twitter.com/ //x.com/ tiktok.com/@ t.me/ "
    "threads.net/@ threads.com/@ snapchat.com/add/ youtube.com/@ reddit.com/user/ bsky.app/profile/"
)
"""Not those of code hosts: `github.com/name` is part of what one asks a model about."""
SERVICE = re.compile(r"(?:api|graph|developers?|apps|docs|help|business|about|upload|cdn|static)\.\Z")
"""Before a network's name: there it keeps what it says of itself, and no profiles."""
HANDLE = re.compile(r"(?: ?(?:handle|name|account|profile))?(?: is)?[ :=(]{1,3}@(?P<value>\w[\w.]{1,28}\w)(?!@)")
NETWORKS = listed("instagram insta ig snap telegram twitter tiktok snapchat threads mastodon bluesky discord")
ACCOUNTS = listed(
    "account compte profil profile perfil profilo cuenta pseudo handle nickname tweets_at follow_me dm_me"
)
"""Behind these, too: `depuis le compte @didou_33`."""
KEYED = re.compile(
    r"(?: ?(?:handle|name|id|user(?:name)?))? ?[:=] ?(?P<value>[A-Za-z]\w{2,26}\d{2,4})(?![\w@/:(\[-]|\.\w)"
)
"""`telegram: anna_b82`, with figures, for words of a sentence and keys of settings have none."""
SPOKEN_OF = re.compile(r"[ :=]{1,3}(?P<value>(?=[a-z]*[_\d])[a-z]\w{3,28})(?![\w@/:(\[=-]|\.\w)")
"""`oder insta fatou_jllw`, for no word of a sentence has a line or a figure in it."""
CHATS = ("insta", "snap", "ig", "compte", "cuenta", "profil", "profilo", "perfil", "pseudo")
TAGGED = re.compile(
    r"(?: ?(?:tag|name|id|user(?:name)?|handle))?(?: is)?[ :=(]{1,3}@?(?P<value>[\w.]{2,32}#\d{4})(?!\w)"
)
"""Of Discord, until 2023."""
SKYPE = re.compile(
    r"(?: ?(?:name|id))?(?: is|[:=])[ ]?(?P<value>(?:live:)?[a-z][\w.,-]{4,30}[^\W_])(?![\w@/:])", re.IGNORECASE
)
MENTIONS = {f"{network}{then}": network for network in (*NETWORKS, *ACCOUNTS) for then in (" ", ":", "=", "(")}
HEADS = listed("username user_name usuario benutzername utilisateur nome_utente gebruikersnaam användarnamn")
HEADINGS = Context.of(*HEADS, "utente", "login")
CELL = re.compile(r"(?:(?<=[\n;|\t,\"'])|(?<=[|;] ))(?P<value>[A-Za-z][\w.-]{2,31})(?=[;|\t\"'\r\n]|,[^\s]| [|;]|\Z)")
"""What stands below such a heading."""
WORDS = (*FORMS, *PROFILES, *MENTIONS, *HEADS, "skype")
EVERYWHERE = frozenset(
    listed(
        "root admin administrator daemon nobody ubuntu debian centos fedora ec2-user azureuser opc core pi vagrant "
        "docker runner runneradmin vscode codespace jovyan jenkins circleci travis gitlab-runner git builder build "
        "app node www www-data nginx apache http postgres mysql redis mongodb oracle hadoop spark airflow solr "
        "elastic kibana grafana public default shared guest user users username you name someone myuser home ftp "
        "mail tomcat backup deploy sshd linuxbrew appuser nonroot systemd-network messagebus contributors static "
        "assets page pages index"
    )
)
PAGES = frozenset(
    listed(
        "share sharer sharer.php share.php dialog intent hashtag search explore reel reels stories watch groups events "
        "marketplace login signup settings privacy policies legal terms help business ads developers plugins tr home "
        "joinchat addstickers tag i p v s c profile.php people media photo photo.php story.php permalink.php embed"
    )
)
"""What networks keep for themselves."""
DETECTOR = "rules/account"


def accounts(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    if is_table(text):
        named = sorted(at for word in words if word in HEADS for at in places(low, word))
        for cell in below(text, named, HEADINGS, CELL) if named else ():
            if _is_somebody(cell["value"]):
                yield Span(*cell.span("value"), USERNAME, 0.6, DETECTOR, Strength.PROVEN)
    for word in words:
        if word in HEADS:
            continue
        for at in places(low, word):
            match = _after(text, at, word)
            if match is not None and _is_somebody(match["value"]):
                yield Span(*match.span("value"), USERNAME, 0.6, DETECTOR, Strength.PROVEN)


def _after(text: str, at: int, word: str) -> re.Match[str] | None:
    """What the word that stands there says of the name behind it."""
    end = at + len(word)
    if word in FORMS:
        pattern, spelled = FORMS[word]
        return None if (spelled and text[at:end] != spelled) or _is_inside(text, at) else pattern.match(text, end)
    if text[at - 1 : at].isalnum() or SERVICE.search(text, max(0, at - 12), at):
        return None
    if word in MENTIONS:
        end = at + len(MENTIONS[word])
        match = HANDLE.match(text, end) or TAGGED.match(text, end)
        if match is None and MENTIONS[word] in CHATS:
            match = SPOKEN_OF.match(text, end)
        return match or (KEYED.match(text, end) if MENTIONS[word] in NETWORKS else None)
    if word == "skype":
        return SKYPE.match(text, end)
    match = PROFILE.match(text, end)
    return None if match is None or match["value"].lower() in PAGES else match


def _is_inside(text: str, at: int) -> bool:
    """Whether the word goes on to the left: `superuser=`, `example.com/home/`, but `C:\\Users\\`."""
    before = text[at - 1 : at] if text[at] != " " else ""
    return before.isalnum() or (before in ("_", ".", "-", "/") and text[at - 7 : at] != "file://" and at > 0)


def _is_somebody(value: str) -> bool:
    return value.lower().rstrip(".") not in EVERYWHERE and not PLACEHOLDER.fullmatch(value)
