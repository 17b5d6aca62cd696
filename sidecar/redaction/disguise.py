"""Links that only a browser or a Markdown renderer reads as such.

`![x](https\\://host)`, `src="&#104;ttps&colon;//host"`, `src="\\/host"`, `url(\\2f\\2fhost)`, `"\\u002f\\u002fhost"`:
all lead to the host, and nothing in them looks like a URL. Whoever writes so hides it: such a link is trusted nowhere.
Sources: CommonMark 0.31 (backslash escapes, entities), HTML (character references), WHATWG URL (tabs, line ends and
backslashes), CSS Syntax (escapes), RFC 8259.
"""

from __future__ import annotations

import re

LONGEST = 128
"""Code points of the longest beginning of such a link."""

LOOKBACK = 96
"""Code points before it that tell whether links stand there."""

_REFERENCE = r"&(?:#0{0,6}(?:%s)|#[xX]0{0,6}(?:%s)|%s);?"
_SLASH = rf"(?:{_REFERENCE % ('47|92', '2[fF]|5[cC]', 'sol|bsol')}|\\{{1,8}}(?:u00|0{{0,4}})(?:2[fF]|5[cC])[ \t\n]?)"
_COLON = rf"(?:{_REFERENCE % ('58', '3[aA]', 'colon')}|\\{{1,8}}(?::|(?:u00|0{{0,4}})3[aA][ \t\n]?))"
_EITHER = rf"(?:[/\\]|{_SLASH})"
_BLANK = rf"(?:[\t\r\n]|\\{{1,8}}[nrt]|{_REFERENCE % ('9|10|13', '[9aAdD]', 'Tab|NewLine')})"
_GAP = rf"{_BLANK}{{0,2}}"
UNSEEN = (
    r"(?:[\x00-\x08\x0e-\x1b]|&(?:#0{0,6}(?:3[0-2]|[12][0-9]|[1-9])(?![0-9])"
    r"|#[xX]0{0,6}(?:[12]0|1?[1-9a-fA-F])(?![0-9a-fA-F])|Tab|NewLine);?+)"
)
"""White space and controls at the ends of a URL, which browsers drop and `\\s` does not know (WHATWG URL 4.4)."""
UNSEEN_JSON = rf"(?:{UNSEEN}|\\{{1,8}}u00(?:[01][0-9a-fA-F]|20))"
"""The same in the text of a JSON document."""
_LETTER = _REFERENCE % ("6[5-9]|[78][0-9]|9[07-9]|1[01][0-9]|12[0-2]", "[46][1-9a-fA-F]|[57][0-9aA]", r"(?!)")

_ANYWHERE = (
    rf"(?P<absolute>[hH][tT][tT][pP][sS]?{_COLON}|{_COLON}{_GAP}{_EITHER}{_GAP}{_EITHER}"
    rf"|:{_GAP}(?:{_SLASH}{_GAP}{_EITHER}|[/\\]{_GAP}{_SLASH}|/{_BLANK}{{1,2}}/)|{_LETTER}[A-Za-z0-9+.\-]{{0,20}}://)"
    rf"|(?P<relative>{_SLASH}{_GAP}{_EITHER}|[/\\]{_GAP}{_SLASH})"
    rf"|(?<=:){_BLANK}{{1,2}}//|(?<=,)[ \t\r\n]{{1,2}}//|[/\\]{_BLANK}{{1,2}}(?=[/\\])"
)
_ATTRIBUTES = r"""|(?<=["'`=\s;(<])(?=[/\\]{2})/*\\[/\\]*"""
_ATTRIBUTES_JSON = r"""|(?<=["'`=\s;(<])(?:\\?/)*\\\\(?:\\\\|\\?/)+|(?<=["'`=\s;(<])(?:\\?/)+\\\\"""
_HIDDEN = {False: re.compile(_ANYWHERE + _ATTRIBUTES), True: re.compile(_ANYWHERE + _ATTRIBUTES_JSON)}
"""By whether the text is that of a JSON document, which doubles backslashes."""
_SIGN = re.compile(
    r"""[\\/&:,](?:(?<=\\)(?::|(?<=["'`=\s;(<]\\)[/\\]|(?:u00|0{0,4})(?:2[fF]|3[aA]|5[cC]))|(?<=["'`=\s;(<]/)/*\\"""
    r"|(?<=&)(?:#|sol|bsol|colon|Tab|NewLine)|(?<=[/\\])[\t\r\n&]|(?<=/)\\[nrt0u2]|(?<=[:,])(?:\s|\\[nrt])+//?)"
)
"""Something of every such link, found fast: most texts have nothing of it."""
_LINKED = re.compile(rf"""["'`(=<\[>|](?:\s|{UNSEEN_JSON})*\Z|\]:\s*\Z""")
"""What stands before a link without a scheme."""
_ATTRIBUTE = re.compile(
    r"(?:(?<![A-Za-z])(?:src|srcset|href|poster|action|formaction|ping)|<[A-Za-z][^<>]{0,80}\b(?:data|background|cite))"
    r"""\s*=\s*(?:\\*["'`])?[^"'`<>]{0,80}:?\s*\Z""",
    re.IGNORECASE,
)
"""An attribute whose value a browser takes for a link, or several: it reads a backslash as a slash, and no line end."""
_DESTINATION = re.compile(r"\](?:\(|:)(?:\s|\\[nrt])*<?\Z")
"""Where Markdown has its links. Not every renderer escapes a backslash there, which a browser reads as a slash."""
_BEGUN = re.compile(r"""[^\s"'`(<\[>|]*\Z""")


def hidden(text: str, at: int, end: int, *, json_text: bool) -> tuple[int, int] | None:
    """Where the first such link between `at` and `end` begins, and up to where it is one."""
    if _SIGN.search(text, at, end) is None:
        return None
    for found in _HIDDEN[json_text].finditer(text, at, end):
        before = text[max(0, found.start() - LOOKBACK) : found.start()]
        if found["absolute"]:
            begun = _BEGUN.search(before)
            return found.start() - (len(begun[0]) if begun else 0), found.end()
        if _LINKED.search(before) if found["relative"] else _is_read_so(before):
            return found.start(), found.end()
    return None


def _is_read_so(before: str) -> bool:
    """Whether what follows is a link to which a backslash is a slash."""
    return bool(_DESTINATION.search(before) or ("=" in before and _ATTRIBUTE.search(before)))
