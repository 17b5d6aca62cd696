"""Identity, tax, health, company, vehicle numbers of European countries, where Presidio has no recogniser.

One row a number: what it looks like, where it may start, its check, the words that stand beside it. `bare` is the score
without such a word: below the threshold for what many other things look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sidecar.inspection import national_checks as check
from sidecar.inspection.checksums import luhn
from sidecar.inspection.context import Context
from sidecar.inspection.presidio_checks import de_social_security, de_tax_id, it_fiscal_code
from sidecar.inspection.presidio_rules import WEAK_PROOF
from sidecar.inspection.rules import NEVER, NOT_INSIDE, NOT_ON, Check, Rule


class Row(NamedTuple):
    entity: str
    regex: str
    context: str
    numeric: Iterable[int] = NEVER
    mixed: Iterable[int] = NEVER
    lead: bool = False
    check: Check | None = None
    proven: float = 1.0
    bare: float = 0.1


S = r"[ .\u00a0-]?"
"""A separator that people put between groups."""
TAX = (
    "tax vat tin steuer fiscal fiscale taxe impôt impuesto belasting btw tva iva nif nip moms podatek skatt vero alv"
    " ustid umsatzsteuer uid partita piva btwnummer momsnummer momsregistreringsnummer cvr cvrnr"
)
ID = (
    "id identity identification card ausweis carte identité identidad identità identiteitskaart tarjeta document cartão"
)
PLATE = (
    "license_plate licence_plate number_plate plate_number licenseplate numberplate plates registration vehicle"
    " immatriculation plaque matrícula matricula targa kenteken kentekenplaat nummerplaat rejestracja"
    " rejestracyjny rejestracyjna rejestracyjne rejestracyjnej tablica tablicy registreringsnummer"
    " registreringsskylt regnummer regnr nummerplade rekisterinumero rekisterikilpi kennzeichen autokennzeichen"
    " nummernschild"
)
"""Not `car` and `licence`: one is a French conjunction, the other stands beside every GPL-3."""
US_PLATE = "license_plate licence_plate plate_number number_plate licenseplate plates dmv"
"""Looks like ISO 9001: only where it is named in full."""
PASSPORT = (
    "passport passeport pasaporte passaporto paspoort passaporte paszport paszportu pass passi reisepass passnummer"
    " passnr passinumero paspoortnummer"
)
BIRTH = "personal person number cpr hetu national identity social security register insurance"

ROWS: dict[str, tuple[Row, ...]] = {
    "fr": (
        Row("FR_NIR", rf"[12478]{S}\d\d{S}(?:0[1-9]|1[0-2]|[2-9]\d){S}(?:\d\d|2[AB]){S}\d{{3}}{S}\d{{3}}{S}\d\d",
            "nir sécurité sociale insee ssn", (1, 13, 15), (15,), check=check.fr_nir),
        Row("FR_TAX_ID", rf"[0-3]\d{S}\d\d{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", f"spi {TAX} impôts référence", (2, 13),
            check=check.fr_spi,
            proven=0.6),
        Row("FR_SIREN", r"\d{3} ?\d{3} ?\d{3}", "siren entreprise rcs", (3, 9), check=luhn, proven=WEAK_PROOF),
        Row("FR_SIRET", r"\d{3} ?\d{3} ?\d{3} ?\d{5}", "siret établissement", (3, 9, 14),
            check=luhn, proven=WEAK_PROOF),
        Row("FR_VAT_ID", rf"FR{S}[0-9A-HJ-NP-Z]{{2}}{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (2,), (4, 13),
            check=check.fr_vat),
        Row("FR_VAT_ID", rf"FR{S}\d\d{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (2, 11), lead=True, check=check.fr_vat),
        Row("FR_ID_CARD", r"\d{12}|[A-Z0-9]{9}", "cni identité nationale carte", (12,), (9,)),
        Row("FR_PASSPORT", r"\d\d[A-Z]{2}\d{5}", PASSPORT, mixed=(9,), bare=0.3),
        Row("FR_POSTCODE", r"\d{5}", "cp postal", (5,)),
        Row("FR_DRIVER_LICENSE", r"\d{12}", "permis conduire", (12,)),
        Row("FR_LICENSE_PLATE", r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}", PLATE, (3,), lead=True, bare=0.45),
    ),
    "es": (
        Row("ES_CIF", r"[ABCDEFGHJNPQRSUVW]-?\d{7}-?[0-9A-J]", f"cif empresa sociedad {TAX}", mixed=(9,),
            check=check.es_cif, proven=0.6),
        Row("ES_SOCIAL_SECURITY", r"\d\d[ /]?\d{8}[ /]?\d\d", "seguridad social nuss naf afiliación", (2, 12),
            check=check.es_nuss),
        Row("ES_SOCIAL_SECURITY", r"\d\d[ /-]?\d{7,8}[ /-]?\d\d", "seguridad social nuss nass naf", (2, 11, 12)),
        Row("ES_MEDICAL_LICENSE", r"\d\d ?\d\d ?\d{4,5}", "col ncol nºcol colegiado", (2, 4, 8, 9)),
        Row("ES_POSTCODE", r"\d{5}", "cp postal código", (5,)),
        Row("MEDICAL_RECORD_NUMBER", r"\d{5,12}", "nhc cipa historia clínica episodio", range(5, 13)),
        Row("ES_VAT_ID", rf"ES{S}(?:[A-Z]\d{{7}}[0-9A-J]|\d{{8}}[A-Z]|[XYZ]\d{{7}}[A-Z])", TAX, mixed=(11,), bare=0.5),
        Row("ES_LICENSE_PLATE", r"\d{4}[ -]?[B-DF-HJ-NPR-TV-Z]{3}", PLATE, (4,), (7,)),
    ),
    "it": (
        Row("IT_FISCAL_CODE", r"[A-Z]{3} [A-Z]{3} \d\d[A-EHLMPRST]\d\d [A-Z]\d{3}[A-Z]", "codice fiscale cf",
            mixed=(5,), lead=True, check=lambda text: it_fiscal_code(text.replace(" ", ""))),
        Row("IT_POSTCODE", r"\d{5}", "cap postale", (5,)),
        Row("IT_HEALTH_CARD", r"80380\d{15}", "tessera sanitaria", (20,), check=check.it_health_card),
        Row("IT_VAT_ID", r"IT[ ]?\d{11}", TAX, (11,), (13,), check=lambda text: luhn(text[-11:])),
        Row("IT_LICENSE_PLATE", r"[A-HJ-NPR-TV-Z]{2} ?\d{3} ?[A-HJ-NPR-TV-Z]{2}", PLATE, (3,), (7,)),
        Row("IT_LICENSE_PLATE", r"[A-HJ-NPR-TV-Z]{2} \d{3} [A-HJ-NPR-TV-Z]{2}", PLATE, (3,), lead=True),
    ),
    "nl": (
        Row("NL_BSN", rf"\d{{3}}{S}\d{{3}}{S}\d{{3}}|\d{{4}}\.\d\d\.\d{{3}}",
            "bsn burgerservicenummer sofinummer sofi persoonsnummer",
            (3, 4, 9), check=check.nl_bsn, proven=WEAK_PROOF),
        Row("NL_VAT_ID", r"NL ?\d{9}B\d\d", TAX, mixed=(12, 14), check=check.nl_vat, bare=0.5),
        Row("NL_POSTCODE", r"\d{4} ?[A-Z]{2}", "postcode adres", (4,), (6,)),
        Row("NL_ID_DOCUMENT", r"[A-NP-Z]{2}[A-NP-Z0-9]{6}\d", f"{PASSPORT} {ID} documentnummer", mixed=(9,)),
        Row("NL_DRIVER_LICENSE", r"\d{10}", "rijbewijs rijbewijsnummer", (10,)),
        Row("NL_LICENSE_PLATE",
            r"(?=[A-Z0-9-]{0,8}[A-Z])(?:[A-Z]{1,3}|\d{1,3})-(?:[A-Z]{2,3}|\d{2,3})-(?:[A-Z]{1,2}|\d{1,2})", PLATE,
            (1, 2, 3), bare=0.3),
        Row("NL_LICENSE_PLATE", r"[A-Z]{1,3}-\d{2,3}-(?:[A-Z]{1,2}|\d{2})", PLATE, (2, 3), lead=True, bare=0.3),
    ),
    "pt": (
        Row("PT_NIF", r"[1-35689]\d{2} ?\d{3} ?\d{3}", f"contribuinte {TAX}", (3, 9),
            check=check.pt_nif, proven=WEAK_PROOF),
        Row("PT_VAT_ID", r"PT ?\d{9}", TAX, mixed=(11,), bare=0.5),
        Row("PT_SOCIAL_SECURITY", r"[12]\d{10}", "niss segurança social", (11,), check=check.pt_niss, proven=0.6),
        Row("PT_CITIZEN_CARD", r"\d{8} ?\d ?[A-Z]{2}\d", f"cc cidadão {ID}", (8,), (12,), check=check.pt_card),
        Row("PT_POSTCODE", r"\d{4}-\d{3}", "postal código", (4,), bare=0.3),
        Row("PT_HEALTH_NUMBER", r"\d{3} ?\d{3} ?\d{3}", "utente sns saúde", (3, 9)),
        Row("PT_PASSPORT", r"[A-Z]{1,2}\d{6}", PASSPORT, mixed=(7, 8)),
        Row("PT_LICENSE_PLATE", r"(?=[A-Z0-9-]{0,8}[A-Z])\d\d-(?:[A-Z]{2}-\d\d|\d\d-[A-Z]{2}|[A-Z]{2}-[A-Z]{2})",
            PLATE, (2,), bare=0.45),
        Row("PT_LICENSE_PLATE", r"[A-Z]{2}[- ]\d\d[- ](?:\d\d|[A-Z]{2})", PLATE, (2,), lead=True),
    ),
    "pl": (
        Row("PL_NIP", r"\d{3}-?\d{3}-?\d\d-?\d\d|\d{3}-\d\d-\d\d-\d{3}", f"nip {TAX}", (3, 10),
            check=check.pl_nip, proven=WEAK_PROOF),
        Row("PL_NIP", r"PL ?\d{10}", TAX, (10,), (12,), lead=False, check=check.pl_nip),
        Row("PL_POSTCODE", r"\d\d-\d{3}", "pocztowy kod adres", (2,), bare=0.3),
        Row("PL_REGON", r"\d{9}(?:\d{5})?", "regon", (9, 14), check=check.pl_regon, proven=WEAK_PROOF),
        Row("PL_ID_CARD", r"[A-Z]{3} ?\d{6}", f"dowód osobisty dowodu {ID}", (6,), (9,),
            check=check.pl_id_card, proven=0.5),
        Row("PL_PASSPORT", r"[A-Z]{2} ?\d{7}", PASSPORT, (7,), (9,), check=check.pl_passport, proven=0.35),
        Row("PL_LICENSE_PLATE", r"[A-Z]{2,3} ?(?=\w*\d)[A-Z0-9]{4,5}", PLATE, mixed=(7, 8)),
        Row("PL_LICENSE_PLATE", r"[A-Z]{2,3} (?=\w*\d)[A-Z0-9]{4,5}", PLATE, (4, 5), (4, 5), lead=True),
    ),
    "se": (
        Row("SE_LICENSE_PLATE", r"[A-HJ-PR-UW-Z]{3} ?\d\d[0-9A-HJ-NPR-UW-Z]", f"bil {PLATE}", mixed=(6,)),
        Row("SE_LICENSE_PLATE", r"[A-HJ-PR-UW-Z]{3} \d\d[0-9A-HJ-NPR-UW-Z]", f"bil {PLATE}", (3,), (3,), lead=True),
        Row("SE_PASSPORT", r"[A-Z]{2}\d{7}|\d{8}", PASSPORT, (8,), (9,)),
        Row("SE_VAT_ID", r"SE\d{10}01", TAX, mixed=(14,), check=lambda text: luhn(text[2:12])),
    ),
    "fi": (
        Row("FI_BUSINESS_ID", r"\d{7}-\d", "y-tunnus yritys", (7,), check=check.fi_business, proven=0.6),
        Row("FI_VAT_ID", r"FI\d{8}", TAX, mixed=(10,), check=check.fi_business),
        Row("FI_PASSPORT", r"[A-Z]{2}\d{7}", PASSPORT, mixed=(9,)),
        Row("FI_LICENSE_PLATE", r"[A-ZÅÄÖ]{2,3}-\d{1,3}", f"auto rekisteritunnus rekkari {PLATE}", (1, 2, 3),
            lead=True),
    ),
    "dk": (
        Row("DK_CPR", r"\d{6}-\d{4}", BIRTH, (6,), check=check.dk_cpr, bare=0.45),
        Row("DK_CPR", r"\d{10}|\d{6} \d{4}", BIRTH, (6, 10), check=check.dk_cpr, proven=WEAK_PROOF),
        Row("DK_CVR", r"\d{2} ?\d{2} ?\d{2} ?\d{2}", f"cvr virksomhed {TAX}", (2, 8), check=check.dk_cvr, proven=0.2),
        Row("DK_VAT_ID", r"DK ?\d{8}", TAX, (8,), (10,), check=check.dk_cvr),
        Row("DK_PASSPORT", r"\d{9}", "pasnummer pasnr dansk_pas", (9,)),
        Row("DK_LICENSE_PLATE", r"[A-Z]{2} ?\d\d ?\d{3}", f"bil nummerplade {PLATE}", (2, 5), (7,)),
        Row("DK_LICENSE_PLATE", r"[A-Z]{2} \d\d \d{3}", f"bil nummerplade {PLATE}", (2, 5), lead=True),
    ),
    "be": (
        Row("BE_NATIONAL_NUMBER", r"\d\d[. ]?(?:[0-5]\d)[. ]?[0-3]\d[- ]?\d{3}[. ]?\d\d",
            f"rijksregister rijksregisternummer registre {BIRTH}",
            (2, 6, 11), check=check.be_national),
        Row("BE_VAT_ID", rf"BE{S}[01]?\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (3, 4, 10), (6, 12), check=check.be_vat),
        Row("BE_VAT_ID", rf"BE{S}[01]\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (4, 10), lead=True, check=check.be_vat),
        Row("BE_ID_CARD", r"\d{3}-\d{7}-\d\d", ID, (3,), check=check.be_card),
        Row("BE_LICENSE_PLATE", r"\d-[A-Z]{3}-\d{3}", PLATE, (1,), bare=0.6),
    ),
    "at": (
        Row("AT_SOCIAL_SECURITY", r"\d{4}[ -]?\d{6}",
            "sozialversicherung sozialversicherungsnummer svnr sv-nummer versicherungsnummer ecard",
            (4, 10), check=check.at_svnr, proven=0.45),
        Row("AT_VAT_ID", r"ATU ?\d{8}", TAX, (8,), (11,), check=check.at_vat, bare=0.5),
        Row("AT_TAX_ID", r"\d\d[- ]?\d{3}/\d{4}", f"steuernummer abgabenkontonummer {TAX}", (2, 5), bare=0.3),
        Row("AT_PASSPORT", r"[A-Z] ?\d{7}", PASSPORT, mixed=(8,)),
        Row("AT_LICENSE_PLATE", r"[A-Z]{1,2}[- ](?=\d{1,6}[A-Z ])\d{1,5} ?[A-Z]{1,3}",
            f"kennzeichen autokennzeichen nummernschild zulassung kfz {US_PLATE}", range(1, 6), range(2, 9), lead=True),
    ),
    "ie": (
        Row("IE_PPS", r"\d{7}[A-W][ABWTXZH-I]?", f"pps ppsn {BIRTH}", mixed=(8, 9), check=check.ie_pps),
        Row("IE_VAT_ID", r"IE ?(?:\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])", TAX, mixed=(10, 11), bare=0.5),
        Row("IE_EIRCODE", r"(?:[AC-FHKNPRTV-Y]\d\d|D6W) ?[0-9AC-FHKNPRTV-Y]{4}", "eircode postcode address",
            mixed=(3, 7)),
        Row("IE_LICENSE_PLATE",
            r"\d{2,3}-(?:[CDLTWG]|KE|KK|KY|LD|LH|LK|LM|LS|MH|MN|MO|OY|RN|SO|TN|TS|WD|WH|WX|WW|CE|CN|CW|DL)-\d{1,6}",
            PLATE, (2, 3), bare=0.6),
    ),
    "gb": (
        Row("UK_UTR", r"\d{5} ?\d{5}", "utr self assessment taxpayer reference", (5, 10),
            check=check.gb_utr, proven=WEAK_PROOF),
        Row("UK_VAT_ID", r"GB ?\d{3} ?\d{4} ?\d\d(?: ?\d{3})?", TAX, (3, 9), (5, 11, 14), check=check.gb_vat),
        Row("UK_VAT_ID", r"GB \d{3} ?\d{4} ?\d\d(?: ?\d{3})?", TAX, (3, 9), lead=True, check=check.gb_vat),
        Row("UK_NINO", r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-Z]", "national insurance nino ni", mixed=(9,)),
        Row("UK_NINO", r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-Z]", "national insurance nino ni", (2, 6), (7,), lead=True),
        Row("UK_SORT_CODE", r"\d\d-\d\d-\d\d(?:[ ,]{1,3}\d{8})?", "sort code account bank bacs", (2,)),
        Row("UK_BANK_ACCOUNT", r"\d{8}", "sort account acc bank bacs", (8,)),
    ),
    "us": (
        Row("US_ZIP_CODE", r"\d{5}(?:-\d{4})?", "zip zipcode", (5,)),
        Row("US_LICENSE_PLATE", r"\d[A-Z]{3}\d{3}|[A-Z]{2,3}\d{4,5}", US_PLATE, mixed=(6, 7, 8)),
        Row("US_LICENSE_PLATE", r"[A-Z]{3}[- ]\d{3,4}", US_PLATE, (3, 4), lead=True),
        Row("US_EIN", r"\d\d-\d{7}", "ein employer identification federal tax", (2,), bare=0.3),
        Row("MEDICAL_RECORD_NUMBER", r"(?:MRN[-# :]?)?[A-Z]{0,3}-?\d{5,12}", "mrn medical record patient chart",
            range(5, 13), range(6, 16)),
    ),
    "de": (
        Row("DE_TAX_ID", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", f"id idnr identifikationsnummer steuerid {TAX}", (2,),
            check=lambda text: de_tax_id(text.replace(" ", "")), proven=WEAK_PROOF),
        Row("DE_SOCIAL_SECURITY", r"\d\d ?\d{6} ?[A-Z] ?\d\d ?\d",
            "sozialversicherungsnummer rentenversicherungsnummer versicherungsnummer sv svnr sv_nr rvnr", (2, 8),
            check=lambda text: de_social_security(text.replace(" ", ""))),
        Row("DE_FUEHRERSCHEIN", r"[A-Z][A-Z0-9]{2}[A-Z0-9]{6}\d[A-Z0-9]",
            "führerschein führerscheinnummer fahrerlaubnis", mixed=(11,)),
        Row("DE_PASSPORT", r"[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", f"{PASSPORT} reisepassnummer passnummer",
            mixed=(9, 10)),
        Row("DE_ID_CARD", r"[LMNPRTVWXY][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", f"{ID} personalausweis ausweisnummer",
            mixed=(9, 10)),
        Row("DE_VAT_ID", r"DE ?\d{9}", TAX, mixed=(11,), bare=0.5),
        Row("DE_BANK_ACCOUNT", r"\d{6,10}", "kontonummer konto kto", range(6, 11)),
        Row("DE_BANK_CODE", r"\d{3} ?\d{3} ?\d\d", "blz bankleitzahl", (3, 8)),
        Row("DE_POLICY_NUMBER", r"[A-Z]{0,3}[- ]?\d{6,12}",
            "versicherungsschein kundennummer patientennummer mitgliedsnummer aktenzeichen personalnummer",
            range(6, 13), range(7, 16)),
    ),
    "ch": (Row("CH_AHV", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", "ahv avs", (3, 13), check=check.ch_ahv),),
    "no": (
        Row("NO_BIRTH_NUMBER", r"\d{6} ?\d{5}", f"fødselsnummer personnummer {BIRTH}", (6, 11),
            check=check.no_birth_number),
    ),
    "lu": (Row("LU_ID", r"\d{13}", f"matricule {BIRTH}", (13,), check=check.lu_id),),
}  # fmt: skip


def national_rules(countries: Iterable[str]) -> list[Rule]:
    return [_rule(row) for country in countries for row in ROWS.get(country, ())]


def _rule(row: Row) -> Rule:
    return Rule(
        name=f"rules/{row.entity.lower().replace('_', '-')}",
        entity=row.entity,
        pattern=re.compile(f"{NOT_INSIDE}(?:{row.regex}){NOT_ON}", re.ASCII if row.check else 0),
        score=row.bare,
        proven_score=row.proven,
        check=row.check,
        context=Context.words(row.context),
        numeric=frozenset(row.numeric),
        mixed=frozenset(row.mixed),
        lead=row.lead,
    )
