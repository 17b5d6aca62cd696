"""Card security codes (CVV, CVC, CID): three or four digits directly beside the word for them.

Nothing else tells such a figure from any other, and PCI DSS 3.3.1 lets nobody keep it; so the word must stand beside
it, in prose, as a key or in brackets, and words that mean other things too need a card nearby.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection import cards
from sidecar.inspection.columns import below
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tables import is_table
from sidecar.inspection.tokens import places

CARD_SECURITY_CODE = "CARD_SECURITY_CODE"
OWN_WORDS = (
    "cvv",
    "cvc",
    "card_verification",
    "security_code",
    *listed(
        "card_verification cardverification card-verification security_code securitycode security-code "
        "kartenprüfnummer kartenprüfziffer kartenprüfcode sicherheitscode "
        "cryptogramme code_de_sécurité code_de_securite código_de_seguridad codigo_de_seguridad "
        "codice_di_sicurezza beveiligingscode veiligheidscode kaartverificatiecode controlecode"
    ),
)
CARD_WORDS = listed("cid csc cvn prüfziffer prüfnummer prüfcode código_de_verificación codice_di_verifica")
"""Also the check digit of any number, a caller's or a content's identifier."""
WORDS = (*OWN_WORDS, *CARD_WORDS)
CARD = Context.union(
    (
        cards.CONTEXT,
        Context.words(
            "creditcard kreditkarten bankkarte bankkaart pas expiry expires expiration exp expdate gültig ablaufdatum"
            " valable expire caduca caducidad vencimiento scade scadenza vervaldatum geldig amex"
        ),
    )
)
NOUN = (
    r"(?:2(?![\d]))?(?:[ _-]?(?:codes?|value|num(?:ber|mer|ero|éro)?|no\.?|nr\.?|2))?"
    r"(?: visuel)?(?: ?/ ?cv[cv]2?| ?\([^()\n]{1,24}\)|\))?"
)
IS = r"(?:is|was|ist|lautet|war|est|es|è|é|era|fue|were)(?: (?:le|the|il|el|die|der|de|het))?"
QUOTE = r"\\{0,4}[\"'`]?"
AFTER = re.compile(
    rf"{NOUN}(?:{QUOTE}\]?[ \t]{{0,3}}(?P<link>=>|:=|==?|[:=#>?]|[-–](?= ))[ \t]{{0,3}}{QUOTE}|[ \t]{{1,3}}"
    rf"|(?P<said>(?:[ ][^\W\d_][^\d\n.;:=<>{{}}()\"]{{1,48}}?)?(?:[ ]{IS}|[ ]?:)[ ]))"
    r"(?P<value>[0-9]{3,4})(?![\w%€$£]|[.,:/-]\d|[ ]?[%€$£])",
    re.IGNORECASE,
)
"""A key and its value, the word and the figure, or a sentence: `the code on the back of my card is 123`."""
BEFORE = re.compile(
    r"(?<![\w.,:/-])(?P<value>[0-9]{3,4})(?: ?[(\[](?:[^()\[\]\n\d]{1,16} )?"
    r"| (?:is|ist|est|es|è) (?:my|the|your|his|her|meine?|der|die|das|le|mon|la|el|mi|il|mio|de|mijn) )\Z",
    re.IGNORECASE,
)
"""`123 (CVV)`, `123 is my CVV`."""
HEADINGS = Context(OWN_WORDS)
CODE = re.compile(r"(?<![\w.:/-])[0-9]{3,4}(?![\w.:/-])")
REACH = 40
YEAR = re.compile(r"(?:19|20)\d\d")
DETECTOR = "rules/card-code"


def card_codes(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    for word in words:
        own = word in OWN_WORDS
        for at in places(low, word):
            if _begins(text, low, at):
                span = _span(text, at, at + len(word), own=own)
                if span is not None:
                    yield span
        if own and is_table(text):
            for match in below(text, places(low, word), HEADINGS, CODE):
                yield Span(*match.span(), CARD_SECURITY_CODE, 0.6, DETECTOR, Strength.PROVEN)


def _begins(text: str, low: str, at: int) -> bool:
    """Whether the word begins here: `cardCvv`, `cardcvv`, `card_cvv`, but not `decide`."""
    if at == 0 or not low[at - 1].isalpha():
        return True
    return (text[at].isupper() and text[at - 1].islower()) or low[max(0, at - 4) : at] == "card"


def _span(text: str, at: int, end: int, *, own: bool) -> Span | None:
    match = AFTER.match(text, end) or BEFORE.search(text, max(0, at - REACH), at)
    if match is None:
        return None
    start, stop = match.span("value")
    bare = match.re is AFTER and not (match["link"] or match["said"])
    near = CARD.near(text, start, stop)
    if not near and (not own or (bare and YEAR.fullmatch(match["value"]))):
        return None
    return Span(start, stop, CARD_SECURITY_CODE, 0.8 if near else 0.6, DETECTOR, Strength.PROVEN)
