"""How a password, a PIN or a user name stands behind its word: in code, settings, tables, commands and sentences."""

from __future__ import annotations

import re

from sidecar.inspection.literals import AMPERSAND, UNQUOTED, WRAPPED

SUFFIX = r"(?:[_-]?(?:\d|new|old|confirm(?:ation)?|repeat|value|plain|hash|prod|dev|test|root|admin|db|e))?"
LINK_OF_CODE = r"(?:[ \t]{0,32}(?:=>|:=|==?|:)[ \t]{0,32}|[ \t]{0,3},[ \t]{0,3})"
NAMED = SUFFIX + r"\\*[\"'`]?\]?" + LINK_OF_CODE + WRAPPED + r"[rbuf]?(\\*[\"'`])"
"""Settings stand aligned in columns (`password          = "..."` of Terraform)."""
QUOTED = re.compile(NAMED + r"(?P<value>[^\s\"'`\\]{3,128})\1(?![ ]?:)", re.IGNORECASE)
PHRASE = re.compile(NAMED + r"(?P<value>[^\n\"'`\\]{6,100})\1(?![ ]?[+%.\w])", re.IGNORECASE)
IS = SUFFIX + r"(?:[은는]?[ \t]{0,32}(?:=>|:=|=|:|：)[ \t]{0,32}|[은는][ \t]{0,2})"
"""With a Korean particle, too: `비밀번호는 ...`."""
BARE = re.compile(rf"{IS}(?P<value>(?:\{{[A-Z\d-]{{2,12}}\}})?{UNQUOTED}{{3,128}})(?![(\[\w.])", re.IGNORECASE)
JOINED_BARE = re.compile(rf"{IS}(?P<value>(?:{UNQUOTED}|{AMPERSAND}){{3,128}})(?![(\[]|{UNQUOTED})", re.IGNORECASE)
LINE = re.compile(
    SUFFIX + r"(?:=|:[ \t]{1,4})(?P<value>[^\s\"'`#$<>{%&*!|(\[][^\n\"'`]{2,126}?)(?=[ \t]{0,3}\r?(?:\n|\Z))",
    re.IGNORECASE,
)
"""All that stands on a line of settings behind the name: `NAME=value`, `name: value`."""
HEAD = re.compile(r"(?:^|\n)[ \t]*(?:- |export |set |ENV |-e )?[\w.-]{0,48}\Z")
"""What stands on that line before the name, and what the name begins with."""
TYPED = re.compile(
    SUFFIX
    + r"[\"'\])]{1,3}(?:[ \t]{0,2},|\)?\.(?:send_?keys|type|fill|set_?value|input|enter|val|write|press_?sequentially"
    r"|or_?else|default|get_?or_?default)\()[ \t]{0,2}([\"'])(?P<value>[^\s\"'`\\]{4,128})\1[ \t]{0,2}\)",
    re.IGNORECASE,
)
"""Into a field of a form, as tests do: `find("password").send_keys("...")`, `fill("input[name=password]", "...")`."""
FALLBACK = re.compile(
    SUFFIX + r"[\"'\])]{0,3}[ \t]{1,3}(?:\|\||\?\?|or)[ \t]{1,3}([\"'])(?P<value>[^\s\"'`\\]{4,128})\1", re.IGNORECASE
)
"""`process.env.DB_PASSWORD || "..."`"""
INPUT = re.compile(
    r"[\"'](?:[ ][\w-]{1,24}=[\"'][^\"'\n]{0,60}[\"']){0,6}[ ]value=[\"'](?P<value>[^\s\"'<>]{4,128})[\"']",
    re.IGNORECASE,
)
"""`<input type="password" name="pw" value="...">`"""
MULTIPART = re.compile(
    r"[\"'](?:\r?\n[A-Za-z-]{1,40}:[^\n]{1,80}){0,2}\r?\n\r?\n(?P<value>[^\s-][^\n\r]{2,127})(?=\r?\n--|\Z)"
)
"""A part of a form that was sent as multipart/form-data."""
SENT = re.compile(
    r"[^\n\"']{0,16}[\"'}\])][\])]?[\s{;]{1,20}(?:exp_)?(?:\w{1,16}\.)?send(?:line)?[ (]{1,3}(?:-- )?"
    r"[\"'](?P<value>[^\s\"'\\$]{4,64})"
)
"""`expect "password:"`, and what is sent then."""
DIRECTIVE = re.compile(
    r"[ \t]{1,16}[\"']?(?P<value>[^\s\"'`$<{(=:%-][^\n\"'`={}()]{3,100}?)[\"']?[ \t]{0,3}(?:\r?\n|\Z)"
)
DIRECTED = re.compile(r"(?:^|\n)[ \t]*[A-Z][A-Za-z]{1,40}\Z")
"""`OIDCCryptoPassphrase three blind mice` of Apache's: what its name begins with."""
ATTRIBUTE = re.compile(
    SUFFIX + r"[\"']?(?:\s{0,8},\s{0,40}|[\s>+-]{1,40}|\s{0,4}:\s{1,40}|\s{0,4}:\s{0,4}\{\s{0,40})"
    r"[\"']?(?:value|default|secure)[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?"
    rf"(?P<value>(?:[^\s\"'`<>{{}}&,;]|{AMPERSAND}){{3,128}})(?![^\s\"'<,;}}/])",
    re.IGNORECASE,
)
"""`<add key="SmtpPassword" value="..."/>`, `{"name": "DB_PASSWORD", "value": "..."}`,
`"adminPassword": {"value": "..."}`, and the same in YAML."""
DEFAULT = re.compile(
    SUFFIX + r"\"[ \t]{0,4}\{[^{}]{0,200}?\bdefault[ \t]{0,16}=[ \t]{0,4}\"(?P<value>[^\s\"\\]{3,128})\"", re.IGNORECASE
)
"""`variable "db_password" { default = "..." }` of Terraform."""
ELEMENT = re.compile(
    SUFFIX + r"(?:[ \t][^<>\n]{0,120})?>(?:\s{0,40}<value>)?(?:<!\[CDATA\[)?(?P<value>[^\s<>]{3,128}?)(?:\]\]>)?</",
    re.IGNORECASE,
)
CALL = re.compile(r"\([ \t]{0,2}([\"'])(?P<value>[^\s\"'`\\]{5,128})\1[ \t]{0,2}\)")
"""`.password("...")` of builders, `PASSWORD('...')` of SQL."""
SPOKEN = re.compile(
    r"[ \t]+(?:(?:is|was|ist|lautet|war|es|(?:c['’])?est|è|é|jest|är|on|er|eq|to|of|fue|era|auf|naar|na)"
    r"[ \t]*:?[ \t]+)?"
    r"(?:«[ \u00a0\u202f]?|[\"'“”„`])?(?P<value>[^\s\"'“”«»`<>(){}\[\],;]{4,64})",
    re.IGNORECASE,
)
PAIRED = re.compile(
    r"[\s,;|/\"']{1,4}(?:(?:and|und|et|y|e|en|i|och|the|dem|das|le|la|il|met|con|avec) ){0,2}"
    r"(?:\w{0,8}pass|pwd|pw\b|mdp|mot de passe|contrase|wachtwoord|kennwort|senha|has[lł]o|parola|clave)",
    re.IGNORECASE,
)
"""What follows the name of somebody who logs in."""
OPTION = re.compile(r"[ =][\"']?(?P<value>[^\s\"'`<>$(){}-][^\s\"'`<>(){}]{2,128})")
OPTION_HEAD = re.compile(r"(?<![\w-])--(?:[a-z][\w]{0,16}-?){1,3}\Z")
"""`--proxy-tlspassword`: what its name begins with."""
QUOTED_OPTION = re.compile(r"[ =]([\"'])(?P<value>[^\s\"'$<{][^\n\"']{3,127})\1")
ENCLOSED_HEAD = re.compile(r"([\"'])[\w.-]{0,48}\Z")
ENCLOSED = re.compile(r"=(?P<value>[^\s\"'`$<{%=][^\n\"'`;&]{3,127})(?=[\"'])")
"""`-e 'MSSQL_SA_PASSWORD=...'`: quotes around the name and the value."""
CONNECTION = re.compile(r"[ ]?=[ ]?(?P<value>\{[^\n}]{3,64}(?:\}\}[^\n}]{0,64}){0,3}\}|[^\s;\"'$<{%][^\s;\"']{3,127}"
    r")(?=;|[\"'])", re.IGNORECASE)
CONNECTION_HEAD = re.compile(r";[ ]?\Z")
"""Of a connection: `Server=...;Uid=sa;Pwd=...;`"""
DEFINED_HEAD = re.compile(r"#define[ \t]{1,8}\w{0,40}\Z")
DEFINED = re.compile(r"\w{0,24}[ \t]{1,32}\"(?P<value>[^\n\"\\]{4,128})\"")
TAG = re.compile(r"![A-Za-z]{2,16}(?![^\s,])")
WITHIN = ((ENCLOSED_HEAD, ENCLOSED), (CONNECTION_HEAD, CONNECTION), (DEFINED_HEAD, DEFINED))
"""What stands before the word, and how the value goes on behind it."""
PATH = re.compile(r"/(?:[\w.@+-]+/?)*|[A-Za-z]:[\\/].*")
"""`PWD=/srv/app` of a shell's environment: where one is."""
LINK = r"(?:is|was|ist|lautet|war|es|est|è|é|jest|är|er|on)"
KEPT = (
    r"(?:\w{0,12}(?:card|karte|kaart|carte|carta|kort|konto)|tarjeta|cartão|karty|bank|account|phone|handy|sim|alarm"
    r"|safe|door|gate|tür|tor)"
)
"""What a PIN opens, and no pin of a plug does."""
PIN = re.compile(
    r"\\?[\"'`]?(?:[ \t]{0,2}[=:#][ \t]{0,2}"
    r"|[ ](?:for|für|fürs|vom|zum|zur|of|pour|du|de|para|del|per|della|voor|van|do)[ ][^\d\n.;:=<>{}()\"]{2,32}:[ ]"
    rf"|[ ][^\d\n.;:=<>{{}}()\"]{{1,32}}?(?<![^\W_]){KEPT}(?:[ ]{LINK}[ ]|[ ]?:[ ]|[ ])"
    rf"|[ \t]{{1,2}}(?:{LINK}[ \t]{{1,2}}:?[ \t]{{0,2}})?)"
    r"\\?[\"'`]?(?P<value>\d{4,8})(?![\w%€$£]|[.,:/-]\d)",
    re.IGNORECASE,
)
"""A key and its value, the word and the figures, or a sentence: `PIN der EC-Karte ist 7391`."""
MEASURE = re.compile(r"[+-]?\d[\d.,:x/-]*[a-z%°]{0,4}|v\d.*", re.IGNORECASE)
VERSION = re.compile(r"[~^<>=]{0,2}\d{1,4}(?:\.\d{1,4}){1,3}(?:-[a-z][\w.]*)?")
NAME_VALUE = re.compile(r"[\w@][\w.@+-]{2,40}")
SAID_NAME = re.compile(
    rf"(?P<link>[ \t]{{1,2}}{LINK}[ \t]{{1,2}}:?[ \t]{{0,2}}|[ \t]{{1,2}})"
    r"[\"'“”„«`]?(?P<value>[a-z][a-z]{2,24}(?:[._-]?[a-z]{1,24}){0,3}[._-]?(?P<digits>\d{0,6}))(?![\w@(\[=:/%-]|\.\w)"
)
"""`my username is anna_b`, `gebruikersnaam ruitenberg55`: in small letters, for `login OAuth2` is none."""
ANSWERED_NAME = re.compile(
    r"[^\n?]{0,60}\?[ \t]{0,3}\r?\n(?:[^\n:]{1,40}: )"
    r"(?P<value>[a-z][a-z._-]{2,24}\d{1,6})(?=[\s,;]|[.!]?(?:\s|\Z))"
)
"""The next line of a chat begins with it."""
SIGN = re.compile(r"[._-]")
