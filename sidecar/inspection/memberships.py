"""Trade unions and political parties by name, beside a word that says that somebody belongs to one or votes for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.inspection.keywords import listed

UNIONS = (
    "UNISON|Unite|GMB|RMT|NASUWT|NEU|USDAW|Usdaw|TUC|AFL-CIO|SEIU|UAW|AFSCME|Teamsters|SIPTU|Fórsa"
    r"|IG Metall|IGM|ver\.di|Verdi|VERDI|IG BAU|IG BCE|IGBCE|GEW|EVG|DGB|NGG|GdP|GDL|ÖGB|vida"
    "|CGT|CFDT|CFTC|CFE-CGC|FO|Force ouvrière|Force Ouvrière|SUD|Solidaires|UNSA|FSU"
    r"|CC\.? ?OO|Comisiones Obreras|UGT|USO|CSIF|CNT|ELA|LAB"
    "|CGIL|CISL|UIL|UGL|USB|COBAS|Cobas|FIOM|Fiom"
    "|FNV|CNV|VCP|De Unie|ABVV|ACV|ACLVB|CGTP"
    "|Solidarność|Solidarności|OPZZ|FZZ|NSZZ|ZNP"
)
PARTIES = (
    "Labour|Conservatives?|Tory|Tories|Liberal Democrats?|Lib Dems?|SNP|UKIP|Reform UK|Greens?|Democrats?"
    "|Republicans?|GOP"
    "|Sinn Féin|Fianna Fáil|Fine Gael|Plaid Cymru|DUP"
    "|SPD|CDU|CSU|FDP|AfD|AFD|BSW|NPD|Linken?|Linkspartei|Grünen?|Bündnis 90|ÖVP|SPÖ|FPÖ|NEOS"
    "|LFI|France insoumise|PS|Parti socialiste|Parti Socialiste|RN|Rassemblement national|Rassemblement National"
    "|Front national"
    "|Front National|LR|Républicains|EELV|PCF|Renaissance|Reconquête|MoDem"
    "|PSOE|PP|Partido Popular|Vox|VOX|Podemos|Sumar|Ciudadanos|ERC|Junts|PNV|EH Bildu|Bildu"
    "|PD|Partito Democratico|Lega|Forza Italia|Fratelli d['’]Italia|M5S|Movimento 5 Stelle|Rifondazione Comunista"
    "|PvdA|VVD|CDA|D66|GroenLinks|PVV|SP|ChristenUnie|SGP|FvD|Forum voor Democratie|BBB|N-VA|Vlaams Belang|Vooruit"
    "|PiS|PiS-u|Praw[oa] i Sprawiedliwości?|Platform[ay] Obywatelsk(?:a|iej)|Lewic[ay]|Konfederacj[ai]|PSL|SLD|Razem"
)
AFTER = listed(
    "member mitglied eingetreten beigetreten organisiert wähle wählt gewählt joined joining belongs_to vote voted "
    "votes voting "
    "adhérent adhère encarté militant sympathisant syndiqué membre milite voté afiliad militante simpatizante votado "
    "votó vota voto carné iscritt tesserat tessera votato lid_van lid_bij aangesloten stemt stemde gestemd członk "
    "członek należy należę należał głosuj głosował zapisan działacz"
)
"""Before the name: `Mitglied der IG Metall`, `iscritta alla CGIL`, `lid van de FNV`."""
BEFORE = listed("mitglied wähler member membership voter supporter activist lid kiezer gewählt")
"""Behind it: `SPD-Mitglied`, `UNISON member`."""
BELONGING = tuple(dict.fromkeys((*AFTER, *BEFORE)))

LINKS = (
    "of|the|in|der|die|den|dem|das|bei|und|and|or|for|by|is|was|party|union|trade|trades|card|à|au|aux|la|le|les|de"
    "|du|des"
    "|del|al|a|e|et|ou|y|pour|por|per|alla|allo|ai|della|dello|dei|degli|il|van|bij|op|en|do|w|we|na|i|partii|partido"
    "|partito|parti|partij|partei|gewerkschaft|syndicat|sindicato|sindacato|vakbond|związku|zawodowego|zawodowych"
)
NAMES = re.compile(rf"(?<![\w.])(?:(?P<union>{UNIONS})|(?P<party>{PARTIES}))(?![\w:])")
CHAIN = re.compile(
    rf"\w{{0,6}}(?:(?:[ ,'’(\"„“]{{1,2}}|[ ]?[:–-][ ]?)(?:(?i:{LINKS})|{UNIONS}|{PARTIES})(?![\w:])"
    r"|(?<=[dl])['’](?=[A-Z])){1,8}"
)
"""The word's own ending, then small words and names only."""
NAME_BEFORE = re.compile(rf"(?<![\w.])(?:(?P<union>{UNIONS})|(?P<party>{PARTIES}))(?:[- ](?:[Pp]arty|[Uu]nion))?[ -]$")
SHORTEST_OF_MEMBER = 3
"""`member` stands in code, where two capitals are anything."""
LONGEST = 32
REACH = 80


def belonging(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The names beside the word at `start`: where each stands, and its type."""
    chain = CHAIN.match(text, end, end + REACH)
    if chain:
        for match in NAMES.finditer(text, end, chain.end()):
            if not (text.startswith("ember", start + 1) and len(match.group()) < SHORTEST_OF_MEMBER):
                yield _named(match)
    before = NAME_BEFORE.search(text, max(0, start - LONGEST), start)
    if before:
        yield _named(before)


def _named(match: re.Match[str]) -> tuple[int, int, str]:
    group = "union" if match["union"] else "party"
    return (*match.span(group), "SPECIAL_UNION" if group == "union" else "SPECIAL_POLITICS")
