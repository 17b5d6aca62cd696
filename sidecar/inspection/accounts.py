"""User names where machines write them: login messages, `user=` in log lines, home folders in paths.

Accounts that every machine has (`root`, `runner`) name nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.credentials import PLACEHOLDER, USERNAME
from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

NAME = r"(?P<value>[A-Za-z_][\w.-]{2,31})"
LOGIN = re.compile(rf"(?:password|publickey|keyboard-interactive(?:/pam)?|none) for (?:invalid user )?{NAME} from ")
SESSION = re.compile(rf"(?:opened|closed) for user {NAME}(?![\w-])")
UID = re.compile(rf"\d{{1,10}}\({NAME}\)")
SUDO = re.compile(rf" {{1,8}}{NAME} : ")
FOLDER = re.compile(rf"{NAME}(?=[/\\])")
"""Of a path that goes on: `/home/about` may be a page."""
FIELD = re.compile(r"(?P<value>[A-Za-z][A-Za-z._-]{2,30}\d{1,6})(?![\w(\[.@/-])")
FORMS = {
    "accepted ": (LOGIN, ""),
    "failed ": (LOGIN, ""),
    "session ": (SESSION, ""),
    "uid=": (UID, ""),
    "sudo:": (SUDO, ""),
    "user=": (FIELD, ""),
    "/home/": (FOLDER, "/home/"),
    "/users/": (FOLDER, "/Users/"),
    "\\users\\": (FOLDER, "\\Users\\"),
    "\\\\users\\\\": (FOLDER, "\\\\Users\\\\"),
}
"""By word: what follows it, and how the word itself is spelled where that matters (`/users/7` is a web address)."""
WORDS = tuple(FORMS)
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
DETECTOR = "rules/account"


def accounts(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        pattern, spelled = FORMS[word]
        for at in places(low, word):
            end = at + len(word)
            if (spelled and text[at:end] != spelled) or _is_inside(text, at):
                continue
            match = pattern.match(text, end)
            if match is not None and _is_somebody(match["value"]):
                yield Span(*match.span("value"), USERNAME, 0.6, DETECTOR, Strength.PROVEN)


def _is_inside(text: str, at: int) -> bool:
    """Whether the word goes on to the left: `superuser=`, `example.com/home/`, but `C:\\Users\\`."""
    before = text[at - 1 : at]
    return before.isalnum() or (before in ("_", ".", "-", "/") and text[at - 7 : at] != "file://" and at > 0)


def _is_somebody(value: str) -> bool:
    return value.lower().rstrip(".") not in EVERYWHERE and not PLACEHOLDER.fullmatch(value)
