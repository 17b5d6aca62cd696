"""Derive sidecar/inspection/secrets_rules.json from a copy of gitleaks' configuration (MIT, its notice is kept inside).

Go's regular expressions are rewritten for Python's `re`: flags in mid-pattern become scoped groups, POSIX classes are
spelled out, the unbounded key block gets a bound. What each rule starts with is worked out here, so that at run time a
rule is tried only where its keyword stands.

    python tests/training/secrets_tables.py gitleaks.toml LICENSE COMMIT sidecar/inspection/secrets_rules.json
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import orjson

PREFIX = re.compile(r"^(\(\?i\))?\[\\w\.-\]\{0,50\}\?(\(\?i:\[\\w\.-\]\{0,50\}\?)?")
BACK = {
    "azure-ad-client-secret": 5,
    "freemius-secret-key": 1,
    "hashicorp-tf-api-token": 15,
    "maxmind-license-key": 37,
    "microsoft-teams-webhook": 60,
    "openai-api-key": 90,
    "sidekiq-sensitive-url": 30,
    "slack-webhook-url": 8,
}
"""How far before its keyword a rule's match may begin, where it does not begin with it."""
NEAR = {"facebook-access-token": 200, "kubernetes-secret-yaml": 350, "sourcegraph-access-token": 60}
"""Rules whose keyword stands somewhere around the match: searched this far on either side."""
ANCHORS = {
    "airtable-personnal-access-token": ["pat"],
    "lob-api-key": ["lob"],
    "lob-pub-api-key": ["lob"],
    "new-relic-browser-api-token": ["new-relic", "newrelic", "new_relic"],
    "new-relic-insert-key": ["new-relic", "newrelic", "new_relic"],
    "new-relic-user-api-key": ["new-relic", "newrelic", "new_relic"],
    "typeform-api-token": ["typeform"],
}
"""Where gitleaks' keyword is not what the match begins with."""
REACH = {"jwt": 8192, "jwt-base64": 8192, "private-key": 20000, "1password-service-account-token": 4096}
DEFAULT_REACH = 1600
NEEDS = {"curl-auth-user": ["-u"], "curl-auth-header": ["-H", "--header"]}
"""What must follow the keyword at all: these rules look over several lines, which is dear where it is in vain."""
PIECES = ((re.compile(r"\(\?P<\w+>"), "(?:"), (re.compile(r"\((?!\?)([^()\\]*)\)(?=\{)"), r"(?:\1)"))
"""Groups that are named or repeated hold a piece of the secret, and none is what the rule calls the secret."""
END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
EVERY_END = r"""(?:[\x60'"\s;,&<>()\[\]{}|:#@\\]|\.(?:\s|$)|$)"""
"""What may follow a secret: in a query, a tag, a list, before a colon, and at a sentence's end."""
OPEN = {"generic-api-key", "hashicorp-tf-password"}
"""What these take for a secret is a call or an argument of code where a bracket or a comma follows."""
POSIX = {"[:alnum:]": "a-zA-Z0-9", "[:alpha:]": "a-zA-Z", "[:digit:]": "0-9"}


def python_regex(regex: str) -> str:
    """Go's syntax to Python's."""
    for posix, plain in POSIX.items():
        regex = regex.replace(posix, plain)
    for pattern, plain in PIECES:
        regex = pattern.sub(plain, regex)
    regex = regex.replace(r"\z", r"\Z").replace("[\\s\\S-]{64,}?", "[\\s\\S-]{64,16384}?")
    return _scoped(_plain_classes(regex))


def _plain_classes(regex: str) -> str:
    """A "[" inside a class is escaped: Python warns that it may come to mean a nested set."""
    out, inside, at = [], False, 0
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            out.append(regex[at : at + 2])
            at += 2
            continue
        out.append("\\[" if char == "[" and inside else char)
        if char == "[" and not inside and regex[at + 1 : at + 2] == "]":
            out.append("\\]")
            at += 1
        inside = char != "]" if inside else char == "["
        at += 1
    return "".join(out)


def _scoped(regex: str) -> str:
    """`a(?i)b|c` -> `a(?i:b)|(?i:c)`: a flag in Go holds to the end of its group, over the alternatives."""
    out: list[str] = []
    opened = [False]
    at, inside = 0, False
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            out.append(regex[at : at + 2])
            at += 2
            continue
        if inside or char == "[":
            inside = char != "]"
            out.append(char)
        elif regex.startswith("(?i)", at):
            out.append("" if opened[-1] else "(?i:")
            opened[-1] = True
            at += 3
        elif char == "(":
            opened.append(False)
            out.append(char)
        elif char == ")":
            out.append("))" if opened.pop() else ")")
        elif char == "|" and opened[-1]:
            out.append(")|(?i:")
        else:
            out.append(char)
        at += 1
    return "".join(out) + (")" if opened[0] else "")


def derive(toml: str, licence: str, commit: str) -> dict[str, Any]:
    config = tomllib.loads(toml)
    return {
        "source": "gitleaks",
        "version": commit,
        "notice": licence,
        "allow": _allow(config["allowlist"]),
        "rules": [_rule(rule) for rule in config["rules"] if "regex" in rule],
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    name, regex = rule["id"], rule["regex"]
    stripped = PREFIX.match(regex)
    if stripped:
        flags = "(?i)" if stripped.group(1) else "(?i:" if stripped.group(2) else ""
        regex = flags + regex[stripped.end() :]
    if name not in OPEN:
        regex = regex.replace(END, EVERY_END)
    return {
        "id": name,
        "regex": python_regex(regex),
        "group": rule.get("secretGroup", 0),
        "entropy": rule.get("entropy", 0),
        "keywords": [*rule["keywords"], *ANCHORS.get(name, ())],
        "allow": [_allow(allow) for allow in rule.get("allowlists", ()) if "regexes" in allow or "stopwords" in allow],
        "back": BACK.get(name, 0),
        "near": NEAR.get(name, 0),
        "reach": REACH.get(name, DEFAULT_REACH),
        "needs": NEEDS.get(name, []),
        "assigned": bool(stripped),
    }


def _allow(allow: dict[str, Any]) -> dict[str, Any]:
    return {
        "target": allow.get("regexTarget", "secret"),
        "regexes": [python_regex(regex) for regex in allow.get("regexes", ())],
        "stopwords": allow.get("stopwords", []),
    }


def main(toml: str, licence: str, commit: str, out: str) -> None:
    table = derive(Path(toml).read_text(), Path(licence).read_text(), commit)
    Path(out).write_bytes(orjson.dumps(table, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
