"""Names by where letters and messages have them: whom one is to, who wrote it and where, how somebody says his name.

Beside the names model, which knows few pet names, and reads one word alone badly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.inspection.keywords import listed, lowered
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places

ONE = r"[A-ZÀ-ÞŁŚŻŹĆČŠŽĐĞİŞ][^\W\d_]{1,19}(?:[-'’][^\W\d_]{2,15})?"
"""A name."""
ENDINGS = "|".join(
    listed(
        "lg vg mfg gru(?:ß|ss) liebe_grü(?:ß|ss)e viele_grü(?:ß|ss)e beste_grü(?:ß|ss)e cheers thanks thx best"
        " kind_regards best_regards regards xoxo yours love bises bisous cordialement merci saludos un_saludo un_abrazo"
        " besos gracias saluti un_saluto un_abbraccio grazie baci groetjes groeten groet gr mvg mvh kram hälsningar"
        " hilsen pozdrawiam pozdr abraços? beijos obrigad[oa]"
    )
)
SIGNED = re.compile(
    rf"(?:(?:(?<=\w[.!?)])[ \t\n]{{1,2}}|^)[–—-][ ]?(?P<dashed>{ONE}(?: {ONE})?)"
    rf"|(?:^|(?<=[.!?,;)] )|(?<=[.!?,;)]))(?i:{ENDINGS})[,!.]?[ \t]{{0,2}}\r?\n?[ \t]?(?:von |from |de |van |da )?"
    rf"(?P<greeted>{ONE}(?: {ONE})?))[ ]?[.!]?\s{{0,3}}\Z",
    re.MULTILINE,
)
"""The name under it, at the end of the text."""
SIGNATURE = 80
"""Code points of the end in which it is looked for."""
ITEM = re.compile(r"[ \t]*(?:[-–—*•+]|\d{1,3}[.)])[ \t]")
"""A list's."""
BEFORE = 400
"""Code points in which the line above is looked for."""
SALUTATIONS = "|".join(
    listed(
        "Hi Hello Hey Dear Hallo Hej Moin Servus Lieber? Ciao Car[oa] Gentile Hola Querid[oa] Estimad[oa] Bonjour Salut"
        " Coucou Cher Chère Beste Lieve Dag Hoi Olá Cześć Drog[ai] Buongiorno,?"
        " Buen[oa]s_(?:días|tardes|noches),? Guten_(?:Tag|Morgen|Abend),? Good_(?:morning|afternoon|evening),?"
        " Goede(?:morgen|middag|navond),? Bom_dia,? Boa_(?:tarde|noite),? God_dag,?"
    )
)
GREETED = re.compile(
    rf"(?:^|[\"“„«>:])[ \t]{{0,8}}(?:{SALUTATIONS})"
    rf" (?P<value>{ONE}(?: {ONE})?)(?=[,:](?!\w)|!?[ \t]*$)",
    re.MULTILINE,
)
"""Whom it is to."""
CALLS = listed(
    "name_is name's name_ist ich_heiße ich_heisse m'appelle m’appelle nom_est me_llamo nombre_es mi_chiamo nome_è"
    " ik_heet naam_is na_imię nazywam_się jag_heter namn_är jeg_hedder nome_é chamo-me me_chamo nimeni_on"
)
MY = re.compile(r"(?:my|mein|mon|mi|il mio|mijn|mitt|meu) \Z", re.IGNORECASE)
"""Before `name is`."""
ALONE = ("na imię", "nazywam się", "nimeni on")
CALLED = re.compile(
    rf" (?P<value>{ONE}(?:[ -](?:(?:van|von|de|der|den|la|da|dos|del|di|ter|zu) ){{0,2}}{ONE}){{0,3}}|[a-zà-ÿ]{{3,15}})"
    r"(?!['’\w])"
)
"""How somebody says what he is called, also in small letters."""
DATED = re.compile(r", (?:den|le|lì|li|dnia|em|a) \d{1,2}(?:er)?(?:\.\d|[. ] ?(?:de )?[^\W\d_])")
TOWN = re.compile(rf"(?:\A|\n|[.!?] )(?P<value>{ONE}(?: {ONE})?)\Z")
"""Where it was written: `Herne, den 4. Februar`."""
ROLES = frozenset(
    listed(
        "agent bot assistant user system server client customer support operator admin caller host note notes info"
        " warning error debug trace fatal notice critical update status start stop end done total result input output"
        " kunde mitarbeiter cliente usuario utente klant medewerker utilisateur opérateur berater me you ich du"
    )
)
NOT_CALLED = frozenset(
    listed(
        "world there all everyone everybody team sir madam folks guys friends friend hiring customers colleague"
        " colleagues member members users reader readers neighbours mom dad mum zusammen leute alle kollegen"
        " kolleginnen damen herren kundin eltern freunde freundin mama papa gemeinde nachbarn tous toutes madame"
        " monsieur messieurs collègues client clients todos todas equipo señor señora señores amigos amigo tutti tutte"
        " signora signore signori allemaal iedereen mevrouw meneer collega heer heren lezer chatgpt claude gemini"
        " copilot alexa siri gpt not now also very much again mate dear tot you your yours ever wishes regards"
        " greetings grüße dank vielen danke super gut no yes hier auf mir noch etwas state machine docker python linux"
        " java google amazon microsoft github well nog bien beaucoup mucho mille tanto mal und oder and for the von vom"
        " aus redacted name vorname insert called"
    )
)
SCORE = 0.8
DETECTOR = "rules/named"


def names_in_letters(text: str) -> Iterator[Span]:
    """In no order."""
    for dated in DATED.finditer(text):
        town = TOWN.search(text, max(0, dated.start() - 50), dated.start())
        if town is not None:
            yield Span(*town.span("value"), "LOCATION", SCORE, DETECTOR, Strength.LIST)
    signed = SIGNED.search(text, max(0, len(text) - SIGNATURE))
    if signed is not None and not (signed["dashed"] and _is_item(text, signed.start())):
        yield from _named(signed)
    for greeted in GREETED.finditer(text):
        yield from _named(greeted)
    low = lowered(text)
    for word in CALLS:
        for at in places(low, word) if word in low else ():
            called = CALLED.match(text, at + len(word))
            if called and (word[0] != "n" or word in ALONE or MY.search(text, max(0, at - 8), at)):
                yield from _named(called)


def _is_item(text: str, start: int) -> bool:
    """Whether the dash there is that of a list's last item: nothing before it, a colon, or another item."""
    before = text[max(0, start - BEFORE) : start].rstrip()
    return not before or before[-1] == ":" or ITEM.match(before[before.rfind("\n") + 1 :]) is not None


def _named(match: re.Match[str]) -> Iterator[Span]:
    group = match.lastgroup or "value"
    words = match[group].lower().replace("-", " ").split()
    if NOT_CALLED.isdisjoint(words) and ROLES.isdisjoint(words) and not match[group].isupper():
        yield Span(*match.span(group), "PERSON", SCORE, DETECTOR, Strength.LIST)
