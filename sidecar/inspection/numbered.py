"""Numbers that a firm, an authority or an employer gives a person, by the words for them: customer, contract, policy,
personnel, membership, case; and passports of any country.

They have no form of their own. So the word says what the number is of and that it is one ("Kunden-Nr.", "n° de client",
"policy no."), and at least five digits stand right behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.columns import below
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed
from sidecar.inspection.spans import Span
from sidecar.inspection.tables import is_table
from sidecar.inspection.tokens import places

COMPOUNDED = (
    "kunden|vertrags|vertragskonto|policen|versicherungsschein|versicherungs|versicherten|personal|mitarbeiter"
    "|mitglieds|schaden|schadens|patienten|fall|matrikel|depot|bürger|kindergeld|zähler|debitoren|teilnehmer"
    r"|kd\.|pers\.|mitgl\.|vers\.|vertr\."
    "|klant|klanten|relatie|personeels|polis|lid|lidmaatschaps|dossier|contract|patiënt|cliënt|schade|medewerkers"
    "|kund|kunde|medlems|anställnings|försäkrings|journal|sags"
    "|bestell|auftrags|buchungs|reservierungs|bestel|order|boekings|reserverings|boknings|[a-zäöüß0-9]{2,24}ausweis"
)
"""Before `nummer`, `-nr`: the Germanic languages write them as one word."""
HOLDER = (
    "customer|member|membership|staff|employee|payroll|subscriber|student|patient|applicant|candidate|passenger"
    "|badge|loyalty|policyholder|claimant|donor|resident|tenant"
)
"""Before `ID`, too; a client's is that of a program (RFC 6749)."""
ENGLISH = (
    f"{HOLDER}|client|policy|account|contract|claim|frequent flyer|hospital|record|application|case|docket|file"
    "|order|booking|reservation|booking reference|confirmation"
)
NOUN = (
    "client|adhérent|contrat|dossier|requête|matricule|police|sinistre|allocataire|abonné|compte|salarié|patient|assuré"
    "|étudiant|sociétaire"
    "|cliente|socio|socia|empleado|empleada|contrato|póliza|expediente|afiliado|paciente|siniestro|asegurado|alumno"
    "|contratto|polizza|pratica|sinistro|tessera|matricola|assistito|utenza|dipendente|assicurato"
    "|commande|réservation|pedido|reserva|ordine|prenotazione|encomenda"
    "|apólice|sócio|sócia|funcionário|aluno|beneficiário|processo"
    "|klienta|polisy|umowy|pracownika|pacjenta|albumu|indeksu|szkody"
)
OF = r"(?:de la |de l['’]|de |d['’]|del |della |di |du )?"
IS = r"(?:(?:,? which )?(?:is|ist|lautet|war|est|es|è|é|jest|är|er)[ :]{1,2})?"
NO_DATE = r"(?!(?:\d{1,2}|\d{4})(?P<mark>[-/.])\d{1,2}(?P=mark)\d{2,4}(?!\d))"
VALUE = (
    rf"[\"']?{NO_DATE}"
    r"(?P<value>(?:[A-Z]{1,4}[-/. ]?)?\d[0-9A-Z]{0,21}"
    r"(?:[-/.][0-9A-Z]{1,12}|[ ]\d{2,6}(?!\w|[.,:/-]\d)|[ ][A-Z](?![\w-])|[ ]\d(?=[,.;)]?(?:\n|\Z))){0,5})"
    r"(?![\w%€$£°]|[-/.,:]\d)"
)
"""No date; figures, perhaps with letters before them, in groups."""
LEAST, LEAST_OF_POLICY, LEAST_OF_LETTERS = 5, 7, 4
"""Digits: fewer count things, or are a year and a day, but for `customer id CU-8831`."""
BEHIND = re.compile(rf"\\?[\"']?[ .:=#\t(|>*]{{0,6}}(?:\r?\n[ \t]{{0,4}})?{IS}{VALUE}")
ANSWER = re.compile(
    r"[^\d\n?]{0,24}\?[\"”]?\s{1,4}(?:[-–>] ?)?(?:\[?\d\d?:\d\d(?::\d\d)?\]? (?:- )?)?[^\d\n]{0,50}"
    rf"(?<=[ :\n]){VALUE}"
)
"""`Und Ihre Kundennummer?`, and what the next speaker says."""
ASKED = 26
AFTER_SIGN = re.compile(rf"[ .]{{0,2}}{OF}(?i:{NOUN})(?:\(?e\)?)?[ :=\t]{{1,4}}{IS}{VALUE}")
BEFORE_SIGN = re.compile(rf"(?<!\w)(?i:{NOUN})(?:[ ]{{1,2}}[A-ZÀ-Þ]\w{{1,20}})?[ ,:(]{{0,2}}$")
BEFORE_NUMBER = re.compile(rf"(?<!\w)(?i:{COMPOUNDED})[ -]?$")
BEFORE_ENGLISH = re.compile(rf"(?<!\w)(?i:{ENGLISH})s?[ ]?$")
BEFORE_ID = re.compile(rf"(?<![^\W_])(?i:{HOLDER}|order|booking|reservation|claim|policy)$")
POLICY = re.compile(rf"(?:[ ](?:bij[ ])?[A-ZÀ-Þ]\w{{1,20}})??:?[ ]{{1,2}}{VALUE}")
"""`policy AVM 8820-11937`, `póliza Mapfre 0961870044178`: with the insurer's name between."""
FILE = re.compile(
    r":?[ ](?:n\. ?)?(?P<value>(?:[A-ZÀ-Þ]{1,4}[-/]\d(?:[-/]?\d){4,14}|(?:\d\d|20\d\d)[-/]\d(?:[-/]?\d){5,14})"
    r"(?:-[A-Z])?)(?![\w-])"
)
"""`dossier K-2024-88127`, `cliente CL-0044-871`: without a word for numbers, so letters say that it is one."""
PASSPORT = re.compile(
    rf"[a-z]{{0,6}}(?:[ -]?(?:nr|no|number|num[eé]ro|número|n[°º]))?[.:]?[ ]{{1,2}}(?:[(:][ ]?)?{IS}"
    r"(?P<value>(?=[A-Z]{0,3}\d)[A-Z]{0,3}\d{5,9}[A-Z]{0,2})(?!\w)"
)
SIGNS = ("n°", "nº", "n.º", "numéro", "numero", "número", "num.", "numer ", "nr ")
ROMANCE_N = (" n. ", " no. ", " no ")
"""Also English; what stands before says which."""
IN_BRACKETS = ("(no. ", "(nos. ", "(no ", "(nos ", "(n° ")
IDS = (" id", "_id")
CAMEL_IDS = ("customerid", "employeeid", "memberid", "patientid", "studentid")
NUMBERS = ("nummer", "-nr", "nr.", "nr:", "nr ")
DIRECT = ("matricule", "matricola", "badge", "iccid", "imsi", "mpan", "bankgiro", "plusgiro", "library card", "mr#",
          "frequent flyer")
POLICIES = ("policy", "póliza", "polizza", "polis", "contrat", "account")
BOOKINGS = listed(
    "pnr booking_ref booking_reference booking_code reservation_code record_locator buchungscode"
    " code_de_réservation referencia_de_reserva localizador codice_di_prenotazione boekingscode reserveringscode"
)
BOOKING = re.compile(
    r"(?:erence| (?:is|ist|est|es|è))?[\"']?[ .:=#(]{1,3}[\"']?(?P<value>(?=[A-Z]*\d)[A-Z0-9]{5,8})(?![\w-])"
)
"""Of an airline or a hotel: six letters and digits."""
FILES = (
    "claim", "client", "kundenkonto", "ärende", "vorgang", "dossier", "expediente", "pratica", "fascicolo", "cliente",
    "klant", "kunde",
)  # fmt: skip
PASSPORTS = ("passport", "passeport", "pasaporte", "passaporto", "paspoort", "reisepass")
NUMBER = ("number", "_no", "no:", " #")
WORDS = tuple(
    dict.fromkeys(
        (
            *SIGNS, *ROMANCE_N, *NUMBERS, *NUMBER, *IN_BRACKETS, *IDS, *CAMEL_IDS, *DIRECT, *BOOKINGS, *POLICIES,
            *FILES, *PASSPORTS,
        )
    )
)  # fmt: skip
HEADS = (*IDS, *CAMEL_IDS, "_no", "number", "nummer", "badge", "matricule", "matricola")
HEADINGS = Context.of(
    *(f"{one} {number}" for one in (*HOLDER.split("|"), "emp", "cust") for number in ("id", "no", "nr", "number")),
    "badge", "policy number", "policy no", "account number", "kundennummer", "personalnummer", "mitgliedsnummer",
    "vertragsnummer", "klantnummer", "matricule", "matricola",
)  # fmt: skip
"""Words over a table's column of such numbers."""
CELL = re.compile(
    r"(?<![^\W_])(?P<value>(?:[A-Z]{1,4}[-/.]?)?\d[0-9A-Z]{2,15}(?:[-/.][0-9A-Z]{1,12}){0,3})(?![\w%€$£]|[.,]\d)"
)
CUSTOMER_NUMBER = "CUSTOMER_NUMBER"
TYPES = (CUSTOMER_NUMBER, "PASSPORT")
REACH = 40
REACH_OF_ENGLISH = 20
"""`booking references ` has nineteen code points."""
SCORE = 0.39
"""Below that of every rule that knows the number's own form."""
DETECTOR = "rules/numbered"


def numbered(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    present = tuple(words)
    if is_table(text):
        yield from _below(text, low, [word for word in present if word in HEADS])
    for word in present:
        entity = "PASSPORT" if word in PASSPORTS else CUSTOMER_NUMBER
        for at in places(low, word):
            match = _after(text, at, word)
            if match is not None and _figures(match) >= _least(word, match):
                yield Span(*match.span("value"), entity, SCORE, DETECTOR)


def _below(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """Cells under a heading that says whose number it is."""
    for match in below(text, sorted(at for word in words for at in places(low, word)), HEADINGS, CELL):
        if _figures(match) >= _least_of(match):
            yield Span(*match.span("value"), CUSTOMER_NUMBER, SCORE, DETECTOR)


def _after(text: str, start: int, word: str) -> re.Match[str] | None:
    """The number that the word which stands there names, with what stands before it."""
    end = start + len(word)
    if word in STARTS:
        return None if text[start - 1 : start].isalnum() else STARTS[word].match(text, end)
    after = AFTER_SIGN.match(text, end) if word in SIGNS else None
    if after is not None:
        return after
    behind = BEHIND.match(text, end)
    if behind is None and text.find("?", end, end + ASKED) >= 0:
        behind = ANSWER.match(text, end)
    if behind is None or _figures(behind) < LEAST_OF_LETTERS:  # most are none, and to look back costs more
        return None
    return behind if any(names.search(text, max(0, start - reach), start) for names, reach in BEFORE[word]) else None


def _least(word: str, match: re.Match[str]) -> int:
    if word in BOOKINGS:
        return 1
    return LEAST_OF_POLICY if word in POLICIES else _least_of(match) if word in (*IDS, *DIRECT) else LEAST


def _least_of(match: re.Match[str]) -> int:
    return LEAST_OF_LETTERS if match["value"][0].isalpha() else LEAST


def _figures(match: re.Match[str]) -> int:
    return sum(map(str.isdigit, match["value"]))


BEFORE = {
    **dict.fromkeys(SIGNS, ((BEFORE_SIGN, REACH),)),
    **dict.fromkeys(NUMBERS, ((BEFORE_NUMBER, REACH),)),
    **dict.fromkeys(NUMBER, ((BEFORE_ENGLISH, REACH_OF_ENGLISH),)),
    **dict.fromkeys(IDS, ((BEFORE_ID, REACH_OF_ENGLISH),)),
    **dict.fromkeys((*ROMANCE_N, *IN_BRACKETS), ((BEFORE_SIGN, REACH), (BEFORE_ENGLISH, REACH_OF_ENGLISH))),
}
STARTS = {
    **dict.fromkeys(PASSPORTS, PASSPORT),
    **dict.fromkeys(POLICIES, POLICY),
    **dict.fromkeys(FILES, FILE),
    **dict.fromkeys(DIRECT, BEHIND),
    **dict.fromkeys(CAMEL_IDS, BEHIND),
    **dict.fromkeys(BOOKINGS, BOOKING),
}
"""By word: what stands before it, and what follows a word that says all by itself."""
