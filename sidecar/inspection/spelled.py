"""National numbers right behind their own word, in whatever groups and case they are written: `KVNR: t-285153959`,
`PESEL 97 06 21 82397`, `"pps_number": "9759 168 dw"`.

The word says what the number is; its form without what parts it, and its check digit if it has one, that it is one.
The rows of `national` know the spellings that say more than that, and words that stand further away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sidecar.inspection import national_checks as check
from sidecar.inspection import presidio_checks as presidio
from sidecar.inspection.checksums import icao, luhn
from sidecar.inspection.columns import below
from sidecar.inspection.context import Context
from sidecar.inspection.keywords import listed, unaccented
from sidecar.inspection.rules import Check
from sidecar.inspection.spans import Span, Strength
from sidecar.inspection.tokens import places


class Kind(NamedTuple):
    """`words` are in lower case, `_` for what may part them; `form` is that of its letters and digits alone."""

    entity: str
    words: str
    form: re.Pattern[str]
    check: Check | None = None


def _kind(entity: str, words: str, form: str, check: Check | None = None) -> Kind:
    return Kind(entity, words, re.compile(form, re.ASCII), check)


def _travel(number: str) -> bool:
    """With the check digit of the zone that machines read, or without."""
    return len(number) == 9 or icao(number[:-1]) == int(number[-1])


SYSTEM = r"[A-HJ-NP-TV-Z]{2}\d{3}[A-HJ-NP-TV-Z]{2}"
"""Plates of France since 2009 and of Italy since 1994."""
OMOCODE = r"[\dLMNP-V]"
"""A digit, or the letter that stands for it where two people would have the same code: in the end there are none."""
KINDS = (
    _kind("DE_TAX_ID", "steuer-id steuer_id idnr steueridentifikationsnummer steuerliche_identifikationsnummer"
          " german_tax_id", r"[1-9]\d{10}", check.de_tax_id),
    _kind("DE_TAX_NUMBER", "steuernummer steuer-nr steuer_nr st.-nr st.nr stnr stnr. german_tax_number",
          r"\d{10,11}|\d{4}0\d{8}"),
    _kind("DE_SOCIAL_SECURITY", "rentenversicherungsnummer sozialversicherungsnummer rvnr sv-nummer svnr"
          " german_social_security_number", r"\d{8}[A-Z]\d{3}", presidio.de_social_security),
    _kind("DE_HEALTH_INSURANCE", "krankenversichertennummer versichertennummer versichertennr kvnr"
          " krankenversicherungsnummer health_insurance_number", r"[A-Z]\d{9}", presidio.de_health_insurance),
    _kind("DE_ID_CARD", "personalausweis personalausweisnummer personalausweis-nr ausweisnummer german_id_card_number",
          r"[LMNPRTVWXY][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", _travel),
    _kind("DE_PASSPORT", "reisepass reisepassnummer reisepass-nr passnummer german_passport_number",
          r"[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", _travel),
    _kind("DE_FUEHRERSCHEIN", "führerschein führerscheinnummer führerschein-nr fuehrerscheinnummer"
          " german_driving_licence_number", r"[A-Z]\d{2}[A-Z0-9]{6}\d[A-Z0-9]"),
    _kind("FR_NIR", "nir numéro_de_sécurité_sociale sécurité_sociale numero_securite_sociale n°_de_sécu sécu"
          " french_social_security_number", r"[1-478]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d\d|2[AB])\d{8}", check.fr_nir),
    _kind("FR_TAX_ID", "numéro_fiscal n°_fiscal numero_fiscal spi french_tax_number", r"[0-3]\d{12}", check.fr_spi),
    _kind("FR_SIRET", "siret", r"\d{14}", check.fr_siret),
    _kind("FR_ID_CARD", "cni carte_d'identité carte_nationale_d'identité numéro_de_carte_d'identité numero_cni"
          " french_identity_card_number", r"\d{12}|(?=[A-Z]*\d)[A-Z0-9]{8}\d"),
    _kind("FR_PASSPORT", "passeport french_passport_number", r"\d\d[A-Z]{2}\d{5}"),
    _kind("FR_DRIVER_LICENSE", "permis_de_conduire numéro_de_permis numero_permis french_driving_licence_number",
          r"\d{12}|\d\d[A-Z]{2}\d{5}"),
    _kind("ES_NIF", "dni nif d.n.i. n.i.f. documento_nacional_de_identidad spanish_id_number", r"\d{8}[A-Z]",
          presidio.es_nif),
    _kind("ES_CIF", "cif c.i.f. nif_de_la_empresa spanish_company_tax_number", r"[A-HJNP-SUVW]\d{7}[0-9A-J]",
          check.es_cif),
    _kind("ES_SOCIAL_SECURITY", "seguridad_social nuss nss naf número_de_afiliación numero_seguridad_social"
          " spanish_social_security_number", r"\d{12}", check.es_nuss),
    _kind("ES_PASSPORT", "pasaporte spanish_passport_number", r"[A-Z]{3}\d{6}"),
    _kind("MEDICAL_RECORD_NUMBER", "tarjeta_sanitaria cip cip-sns spanish_health_card_number", r"[A-Z]{4}\d{10,12}"),
    _kind("IT_FISCAL_CODE", "codice_fiscale c.f. cod._fisc. cod.fisc. italian_tax_code",
          r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", presidio.it_fiscal_code),
    _kind("IT_FISCAL_CODE", "codice_fiscale codicefiscale c.f. cf cod._fisc. cod.fisc. fiscal_code italian_tax_code",
          f"[A-Z]{{6}}{OMOCODE}{{2}}[A-EHLMPRST]{OMOCODE}{{2}}[A-Z]{OMOCODE}{{3}}[A-Z]",
          lambda n: presidio.it_fiscal_code(n) or False),
    _kind("IT_VAT_CODE", "partita_iva p.iva p._iva piva italian_vat_number", r"\d{11}", check.it_vat),
    _kind("IT_IDENTITY_CARD", "carta_d'identità carta_di_identità carta_identita cie italian_identity_card_number",
          r"[A-Z]{2}(?:\d{7}|\d{5}[A-Z]{2})|\d{7}[A-Z]{2}"),
    _kind("IT_PASSPORT", "passaporto italian_passport_number", r"[A-Z]{2}\d{7}"),
    _kind("IT_DRIVER_LICENSE", "patente patente_di_guida italian_driving_licence_number",
          r"[A-Z]{2}\d{7}[A-Z]|U1[A-Z0-9]{7}[A-Z]"),
    _kind("IT_HEALTH_CARD", "tessera_sanitaria italian_health_card_number", r"80380\d{15}", luhn),
    _kind("NL_BSN", "bsn burgerservicenummer sofinummer", r"\d{9}", check.nl_bsn),
    _kind("NL_VAT_ID", "btw btw-id btw-nummer dutch_vat_number", r"(?:NL)?\d{9}B\d\d", lambda n: check.nl_vat(
        n if n.startswith("NL") else f"NL{n}")),
    _kind("NL_ID_DOCUMENT", "paspoort paspoortnummer documentnummer identiteitskaart dutch_passport_number",
          r"[A-NP-Z]{2}[A-NP-Z0-9]{6}\d"),
    _kind("PT_NIF", "nif contribuinte nipc portuguese_tax_number", r"[1-35689]\d{8}", check.pt_nif),
    _kind("PT_SOCIAL_SECURITY", "niss segurança_social portuguese_social_security_number", r"[12]\d{10}",
          check.pt_niss),
    _kind("PT_CITIZEN_CARD", "cartão_de_cidadão cartao_cidadao cc portuguese_citizen_card_number",
          r"\d{9}[A-Z0-9]{2}\d", check.pt_card),
    _kind("PT_PASSPORT", "passaporte portuguese_passport_number", r"[A-Z]{1,2}\d{6}"),
    _kind("PL_PESEL", "pesel", r"\d{11}", check.pl_pesel_date),
    _kind("PL_NIP", "nip polish_tax_number nip_ue vat_ue", r"(?:PL)?\d{10}", check.pl_nip),
    _kind("PL_REGON", "regon", r"\d{9}(?:\d{5})?", check.pl_regon),
    _kind("PL_ID_CARD", "dowód dowodu dowód_osobisty dowodu_osobistego dowod_osobisty polish_id_card_number",
          r"[A-Z]{3}\d{6}", check.pl_id_card),
    _kind("PL_PASSPORT", "paszport paszportu numer_paszportu polish_passport_number", r"[A-Z]{2}\d{7}",
          check.pl_passport),
    _kind("SE_PERSONNUMMER", "personnummer personnr pers.nr pnr samordningsnummer swedish_personal_identity_number",
          r"(?:19|20)?\d{10}", presidio.se_personnummer),
    _kind("FI_BUSINESS_ID", "y-tunnus y_tunnus finnish_business_id", r"\d{8}", check.fi_business),
    _kind("FI_PASSPORT", "passi passin_numero passinumero finnish_passport_number", r"[A-Z]{2}\d{7}"),
    _kind("DK_CPR", "cpr cpr-nr cpr-nummer personnummer danish_cpr_number", r"\d{10}", check.dk_cpr),
    _kind("DK_CVR", "cvr cvr-nr cvr-nummer se-nummer danish_company_number", r"\d{8}", check.dk_cvr),
    _kind("BE_ID_CARD", "identiteitskaart identiteitskaartnummer carte_d'identité eid belgian_identity_card_number",
          r"59\d{10}", check.be_card),
    _kind("AT_SOCIAL_SECURITY", "sozialversicherungsnummer versicherungsnummer sv-nummer svnr vsnr"
          " austrian_social_insurance_number", r"[1-9]\d{9}", check.at_svnr),
    _kind("AT_VAT_ID", "uid uid-nummer ust-id austrian_vat_number", r"(?:AT)?U\d{8}", check.at_vat),
    _kind("AT_PASSPORT", "reisepass reisepassnummer pass-nr austrian_passport_number", r"[A-Z]\d{7}"),
    _kind("IE_PPS", "pps ppsn pps_number", r"\d{7}[A-W][ABHWTX]?", check.ie_pps),
    _kind("IE_PASSPORT", "irish_passport_number", r"[A-Z]{2}\d{7}"),
    _kind("IE_EIRCODE", "eircode", r"(?:[AC-FHKNPRTV-Y]\d\d|D6W)[0-9AC-FHKNPRTV-Y]{4}"),
    _kind("UK_NINO", "national_insurance_number ni_number nino", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?"),
    _kind("UK_NHS", "nhs_number nhs_no nhs chi_number chi_no", r"\d{10}", presidio.uk_nhs),
    _kind("UK_UTR", "utr utr_number unique_taxpayer_reference", r"\d{10}K?", check.gb_utr),
    _kind("UK_VAT_ID", "vat_number vat_no vat_reg vat_reg._no", r"(?:GB)?\d{9}(?:\d{3})?", check.gb_vat),
    _kind("UK_PASSPORT", "uk_passport_number", r"\d{9}"),
    _kind("UK_DRIVING_LICENCE", "driving_licence driving_licence_number licence_no licence_number",
          r"[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d\d[A-Z][A-Z9][0-9A-Z][A-Z]{2}"),
    _kind("US_EIN", "employer_identification_number federal_tax_id", r"\d{9}"),
    _kind("US_MBI", "medicare_number medicare_id mbi", r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]"
          r"[AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d\d"),
    _kind("US_DRIVER_LICENSE", "driver's_license driver_license drivers_license driver's_license_number",
          r"[A-Z]\d{7,14}"),
    _kind("PASSPORT", "passport paspoort passeport passaporto", r"[A-Z]{1,3}\d{6,8}|\d{9}"),
    _kind("FR_LICENSE_PLATE", "immatriculation immatriculé immatriculée plaque", SYSTEM),
    _kind("IT_LICENSE_PLATE", "targa targata targato targa_del_veicolo", SYSTEM),
    _kind("ES_LICENSE_PLATE", "matrícula placa", r"\d{4}[BCDFGHJ-NPR-TV-Z]{3}"),
    _kind("PT_LICENSE_PLATE", "matrícula viatura", r"[A-Z]{2}\d\d(?:\d\d|[A-Z]{2})|\d\d[A-Z]{2}\d\d|\d{4}[A-Z]{2}"),
    _kind("PL_LICENSE_PLATE", "rejestracja numer_rejestracyjny tablice", r"[A-Z]{2,3}(?=[A-Z]*\d)[A-Z0-9]{4,5}"),
    _kind("SE_LICENSE_PLATE", "registreringsnummer regnr reg.nr registreringsskylt", r"[A-Z]{3}\d\d[0-9A-Z]"),
    _kind("FI_LICENSE_PLATE", "rekisterinumero rekisteritunnus rekkari", r"[A-ZÅÄÖ]{2,3}\d{1,3}"),
    _kind("DK_LICENSE_PLATE", "nummerplade registreringsnummer", r"[A-Z]{2}\d{5}"),
    _kind("NL_LICENSE_PLATE", "kenteken kentekennummer", r"(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{6}"),
    _kind("BE_LICENSE_PLATE", "nummerplaat kentekenplaat plaque", r"\d[A-Z]{3}\d{3}"),
    _kind("IE_LICENSE_PLATE", "registration reg number_plate", r"\d{2,3}(?:[CDLTWG]|[A-Z]{2})\d{1,6}"),
    _kind("US_LICENSE_PLATE", "license_plate licence_plate plate_number", r"\d[A-Z]{3}\d{3}|[A-Z]{3}\d{3,4}"),
)  # fmt: skip
BETWEEN = re.compile(
    r"(?:nummern?|numbers?|numer|nr|no|[ens]{1,2})?\.?"
    r"(?:[ _-]{0,2}(?:nummer|number|num[eé]ro|número|numer|nr|no|n[°º]|id|code)[.:]{0,2})?[ \t:=\"'#(|>]{0,5}"
    r"(?:(?:is|ist|lautet|war|was|est|es|è|é|ja|jest|to|är|er|on|le|la|el|il)[ :\"']{1,2}){0,2}",
    re.IGNORECASE,
)
"""From the word to the number."""
RUN = re.compile(r"[^\W_]{1,20}(?:(?:[ ]?[-./|\u2013][ ]?|[ \u00a0])[^\W_]{1,20}){0,7}")
"""The groups of a number, and what follows them."""
GROUP = re.compile(r"[^\W_]+")
WORD = re.compile(r"(?<!\w)[a-zß-ÿ]+[ ]|[ ][a-zß-ÿ]+$")
"""In lower case and apart: `plaque de 2019` names none."""
SHORT = 8
GOES_ON = re.compile(r"[ .,/-]?\d|[%€$£]")
LONGEST = 20
OWN: dict[str, list[Kind]] = {}
"""By word: what it names."""
for _each in KINDS:
    for _word in listed(unaccented(_each.words)):
        for _spelling in dict.fromkeys((_word, _word.replace(" ", "_"))):
            OWN.setdefault(_spelling, []).append(_each)
WORDS = tuple(OWN)
TYPES = tuple(dict.fromkeys(kind.entity for kind in KINDS))
SCORE, UNPROVEN = 0.6, 0.39
"""The latter is below that of every rule that knows the number's own form."""
DETECTOR = "rules/spelled"


def spelled(text: str, low: str, words: Iterable[str]) -> Iterator[Span]:
    """`words` are those of WORDS that stand in `low`, the text lower-cased."""
    found = {word: [at for at in places(low, word) if not low[at - 1 : at].isalnum()] for word in words}
    for word, starts in found.items():
        for at in starts:
            yield from _behind(text, at + len(word), OWN[word])
    if "\n" in text:
        yield from _below(text, found)


def _behind(text: str, start: int, kinds: Sequence[Kind]) -> Iterator[Span]:
    between = BETWEEN.match(text, start)
    at = between.end() if between else start
    run = None if text[at - 1].isalnum() else RUN.match(text, at)
    if run is not None:
        yield from filter(None, (_span(run, kind) for kind in kinds))


def _below(text: str, found: dict[str, list[int]]) -> Iterator[Span]:
    """Cells below such a word: whole ones, and what a check digit proves."""
    kinds = dict.fromkeys(kind for word in found for kind in OWN[word] if kind.check)
    terms = Context(word.replace("_", " ") for word in found)
    for run in below(text, sorted(at for starts in found.values() for at in starts), terms, RUN):
        for span in filter(None, (_span(run, kind) for kind in kinds)):
            if span.end == run.end():
                yield span


def _span(run: re.Match[str], kind: Kind) -> Span | None:
    """The longest row of groups that is one."""
    number, end = "", 0
    for group in GROUP.finditer(run.group()):
        number += group.group().upper()
        if len(number) > LONGEST:
            break
        if kind.form.fullmatch(number) and (kind.check is None or kind.check(number) is not False):
            end = run.start() + group.end()
    if not end or (kind.check is None and not _is_alone(run.string, run.start(), end)):
        return None
    score, strength = (SCORE, Strength.PROVEN) if kind.check else (UNPROVEN, Strength.WEAK)
    return Span(run.start(), end, kind.entity, score, DETECTOR, strength)


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether what no check digit proves is a number by itself, and none of its groups a word."""
    if GOES_ON.match(text, end):
        return False
    return end - start > SHORT or WORD.search(text[start:end]) is None
