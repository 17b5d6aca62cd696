"""What was written behind a word for a secret: a secret, or what code, templates and prose write there instead."""

from __future__ import annotations

import re

from sidecar.inspection.keywords import listed
from sidecar.inspection.secrets import entropy

PLACEHOLDER = re.compile(
    r"(?i)(?:[*x.•_#-]{3,}|[$%<{@&].*|.*[>}]|your[_-]?.*|my[_-]?(?:password|user.*)|(?:the|a|new|old)?_?"
    r"(?:password|passwd|pwd|passphrase|secret|username|user|login|name|email)\d?|change[_-](?:me|it|this)"
    r"|changethis|example|placeholder|redacted"
    r"|hidden|masked|none|null|nil|true|false|undefined|str|string|text|bytes|bool|boolean|int|integer"
    r"|number|any|[iu](?:8|16|32|64|128|size)|f(?:32|64)|log[_-]?out|object|optional|required|field|value|input|varchar|char|uuid|env|self|this|admin|root|guest"
    r"|anonymous|test(?:user|ing)?|nobody|system|postgres|foo|bar|baz|function|default|empty|unset|missing|invalid|incorrect|wrong|expired|reset"
    r"|forgotten|protected|passwort|kennwort|mot[ _-]de[ _-]passe|contraseña|contrasena|wachtwoord|senha|has[łl]o"
    r"|lösenord|adgangskode|salasana|passord)"
)
"""`changeme` and `changeit` are what products ship with, and what often stays: passwords, written in one word."""
CODE = re.compile(
    r"(?:[A-Za-z_]\w*(?:\.|::))+[A-Za-z_]\w*|[a-z_]+(?:_[a-z]+)+|[A-Z_]+(?:_[A-Z]+)*|[a-z]+(?:[A-Z][a-z]+)+"
    r"|(?:Get|Read|New|Import|Export|Out|Convert(?:To|From))-[A-Z][A-Za-z]+"
)
"""Names of code: dotted, of a module (`a::b`), snake_case, UPPER_CASE, camelCase, and commands of PowerShell."""
WRAPPED = (
    r"(?:(?:\[\]byte|Buffer\.from|(?:bytes|bytearray)(?:\.fromhex)?|(?:binascii\.)?unhexlify|hex\.DecodeString|atob|(?:[\w.]{1,40}\.)?GetBytes|SecretStr|Secret|Some|b64decode"
    r"|base64\.\w{1,20})\()?"
)
"""What makes bytes of a literal."""
TRAILING = ".,;:)"
"""Ends a sentence or a list, not a password; "!" and "?" may be its last character."""
COMMON = frozenset(
    listed(
        "changeme changeit letmein qwerty qwertz azerty qwertyuiop asdfgh iloveyou welcome sunshine princess dragon "
        "monkey football baseball superman batman trustme swordfish opensesame sesame geheim hallo schatz passwort1"
    )
)
"""Of letters alone, and yet no word that code or prose would write there."""
SIGNS = frozenset("!$#%&*?@+^~")
BETWEEN = frozenset(
    listed(
        "a an the of for to and or by in on at with from my no der die das den dem des ein eine einen oder und nicht "
        "kein keine für von mit le la les de du des un une et ou pas el los las una y o il lo della per het een van "
        "voor en op do na z"
    )
)
"""Words that a pass phrase may hold as well as any sentence."""
PROSE = BETWEEN | frozenset(
    listed(
        "is are was be your you not must should can will may stored see ask vault manager contact below above "
        "if when this that these it its as has have enter please new old same user users username login account name "
        "email used use uses using string str optional required default value field text input empty none null true "
        "false change reset forgot forgotten lost wrong invalid incorrect confirm repeat again choose set create "
        "show hide min max length least characters character letters words protected policy strength expired "
        "encrypted encryption hashed hash plain given provided database server client access auth authentication "
        "authorization credentials valid der die das den dem des ein eine einen oder und ist sind war nicht kein "
        "keine muss bitte eingeben vergessen falsch neu neues altes zurücksetzen ändern benutzer für von mit "
        "wiederholen bestätigen anzeigen zeichen le la les de du des un une et ou est pas votre mot mots oublié "
        "saisir entrer nouveau incorrect el los las una y o es su contraseña olvidada nueva il lo della per tuo het "
        "een van voor en uw nieuw niet vergeten password passwords passwd passwort passwörter kennwort passphrase "
        "passcode pass pwd wachtwoord senha clave secret token key pin code file path option argument parameter flag "
        "type class object method function returns bytes int bool list dict only also which where"
    )
)
"""Words of documentation and of forms: `password: the password of the user` is no pass phrase."""
DOCUMENTED = PROSE - BETWEEN
ODD = frozenset("!#$%&*?@^~+")
FALSE_SECRET = re.compile(
    r"(?i)(?<![a-z0-9])(?:your|example|dummy|fake|sample|placeholder|redacted|insert|replace|todo|change[_-]me|test"
    r"|here|invalid|foo|bar|baz|lorem)(?![a-z0-9])|x{5,}|\.\.\.|…|12345678|abcdefg|deadbeef|0{6,}"
    r"|\{\w*\}|\$[{(]|<\w|%[sd(]|[aA]-[zZ]|://"
    r"|-(?:encoded|encrypted|signed|based)$"
    r"|\.(?:json|ya?ml|pem|key|crt|cert|txt|env|py|js|ts|go|md|html?|php|jks|p12|pub|gpg|asc|toml|ini|conf|sh)$"
)
"""Placeholders, expressions, addresses and names of files behind `token`, `secret` and `key`."""
HASH = re.compile(
    r"\{(?:S?SHA\d{0,3}|S?MD5|CRYPT)\}[^\s]{8}"
    r"|\{[A-Za-z0-9+/]{20,200}={0,2}\}\Z"
    r"|\$(?:2[abxy]?|[156y]|argon2\w{1,2}|apr1|pbkdf2[\w-]*|scrypt)\$[^\s]{20}"
)
RUN = re.compile(r"[A-Za-z]+|[0-9]+")
WORDLIKE = re.compile(r"[A-Za-z]?[a-z]{2,}\d{0,2}|[A-Z]{2,}\d{0,2}|\d{1,4}|v\d+|[a-z]")
UNQUOTED = r"[^\s\"'`<>,;&|(){}\[\]\\]"
"""A character of a value that stands without quotes within a line."""
AMPERSAND = rf"&(?:amp;)?(?!(?:quot|apos|lt|gt|nbsp|amp|#\w{{1,5}});|[\w.%\[\]-]{{1,64}}=)(?={UNQUOTED})"
"""One that belongs to such a value: no `name=` of a form follows, and it begins no sign of HTML that ends it."""
IN_QUERY = re.compile(r"(?:[?&#]|&amp;)[\w.%\[\]-]{0,64}\Z")
"""What stands before a name in a query or a form, where an `&` ends the value whatever follows."""
LEET = re.compile(r"[A-Za-z]\d{1,2}[a-z]")
LONGEST_QUOTED = 128
BEHIND_QUOTE = re.compile(r"[\s,;:)\]}>|&/\\]|\Z")
"""A quote that opens something else stands before a letter."""
LEAST_BITS = 3.0
"""Per character: `aaaaaaaaaaaaaaaa` and words of documentation have less."""


def unquoted(bare: re.Pattern[str], joined: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str] | None:
    """The value behind a name by `bare`, or by `joined`, which lets AMPERSAND be part of it, where it may be."""
    match = bare.match(text, end)
    if match is None or text.startswith("&", match.end()):
        longer = joined.match(text, end)
        if longer and not IN_QUERY.search(text, max(0, start - 72), start) and not _is_written(longer["value"]):
            return longer
    return match


def _is_written(value: str) -> bool:
    """`flags&0xff`, `string&other`: what stands before the `&` says that this is code."""
    first = value.partition("&")[0]
    return PLACEHOLDER.fullmatch(first) is not None or (len(first) > 2 and CODE.fullmatch(first) is not None)


def quoted_end(text: str, start: int, end: int) -> int:
    """Where a value ends that stands in quotes, whatever signs it holds: `'c0pper kettle'`, `"Zx9)lantern"`."""
    quote = text[start - 1 : start]
    if start == 0 or quote not in "\"'`" or end - start >= LONGEST_QUOTED:
        return end
    closing = text.find(quote, end, start + LONGEST_QUOTED)
    if closing < 0 or "\n" in text[end:closing] or text[closing - 1] == "\\":
        return end
    return closing if BEHIND_QUOTE.match(text, closing + 1) else end


def is_made(value: str, least: int = 16) -> bool:
    """Made by a machine: long, letters and digits that change places often, and no words joined by signs."""
    if len(value) < least or sum(map(str.isdigit, value)) < 2 or len(RUN.findall(value)) < 4:
        return False
    return not FALSE_SECRET.search(value) and not is_worded(value) and entropy(value) >= LEAST_BITS - 0.25


def is_worded(value: str) -> bool:
    """`sha256_v2_utf8`, `gemini-2.5-pro-preview-05-06`: each piece is a word or a short number."""
    pieces = re.split(r"[_.:/@+=-]+", value)
    return len(pieces) > 1 and all(WORDLIKE.fullmatch(piece) or not piece for piece in pieces)


def is_typed(value: str) -> bool:
    """In a sentence, after a bare space: letters and a digit, so that "password policy" is none."""
    return len(value) >= 5 and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def is_hash(value: str) -> bool:
    """A password's hash in crypt's form, or LDAP's: `$2b$12$...`, `$argon2id$...`, `{SSHA}...`."""
    return HASH.match(value) is not None


def is_leet(value: str) -> bool:
    """A figure between letters, as people put it there: `sud0.Tiger`, `qu1ck.brown`."""
    return LEET.search(value) is not None and len(value) >= 8


def is_common(value: str) -> bool:
    return value.lower() in COMMON


def is_strong(value: str) -> bool:
    """Letters and a digit and a sign, or both cases and a digit inside: nothing that code or prose writes."""
    if len(value) < 6 or not is_typed(value) or "(" in value or value.endswith(("%", "+")):
        return False
    if not SIGNS.isdisjoint(value):
        return True
    return len(value) > 6 and value.isalnum() and value[0].isupper() and any(map(str.islower, value))


def is_mixed(value: str) -> bool:
    """Capitals, small letters and figures, eight and more."""
    return len(value) >= 8 and value not in (value.lower(), value.upper()) and is_typed(value)


def is_set_phrase(value: str) -> bool:
    """Of any words and signs, where quotes or a line of settings say that it is a value: two words with a figure or a
    sign, three without; none of documentation, and no sentence."""
    words = value.split(" ")
    if not 2 <= len(words) <= 8 or not all(0 < len(word) < 20 for word in words) or len(value) < 6:
        return False
    if any(word[-1] == "&" and len(word) > 1 for word in words):  # of a shell
        return False
    low = [word.lower().strip(".,;:!?'()") for word in words]
    if not DOCUMENTED.isdisjoint(low) or not any(map(str.isalpha, value)) or FALSE_SECRET.search(value):
        return False
    if any(char in value for char in "=<>{}[]\\`|") or value[-1] in ".:;,?" or value[0] in "([/-":
        return False
    is_odd = any(map(str.isdigit, value)) or not ODD.isdisjoint(value)
    return is_odd or (len(words) > 2 and (value.islower() or value.istitle()) and not BETWEEN.issuperset(low))


def is_phrase(value: str) -> bool:
    """Three to eight words in lower case of which none is one of documentation: `correct horse battery staple`."""
    words = value.split(" ")
    return (
        3 <= len(words) <= 8
        and len(value) >= 12
        and all((word.isdigit() or (word.isalnum() and word.islower())) and len(word) < 16 for word in words)
        and sum(map(str.isdigit, words)) < 2
        and PROSE.isdisjoint(words)
    )
