"""Identity, tax, health, company, vehicle numbers of European countries, where Presidio has no recogniser.

One row a number (`rows`); its score without a word beside it is below the threshold for what many other things look
like.
"""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.inspection import national_checks as check
from sidecar.inspection.checksums import compact, luhn
from sidecar.inspection.presidio_checks import (
    de_health_insurance,
    de_social_security,
    es_nie,
    es_nif,
    it_fiscal_code,
    se_organisation,
    se_personnummer,
)
from sidecar.inspection.presidio_rules import WEAK_PROOF
from sidecar.inspection.rows import Row, rules_of
from sidecar.inspection.rules import Rule

ASKING = 0.2
"""The score of a check digit in a spelling that other things have too: in no mode a proof without a word nearby."""


S = r"[ .\u00a0-]?"
"""A separator that people put between groups."""
G = r"[ .\u00a0/-]?"
"""One that a strong check may be asked about."""
KEY = r"(?:[ .]?[(/-] ?|[ .])?(?:[Cc][Ll][ÉéEe][Ff]?[ .]?:? ?)?"
"""Before the key of a NIR: ` / 12`, ` clé 12`, ` (clé : 12)`."""
NIR = "nir french_social_security insee sécurité_sociale securite_sociale sécu n_ss no_ss num_ss numéro_ss nss"
DNI = "dni nif nie d_n_i n_i_f n_i_e documento_nacional identidad extranjero"
DOWOD = "dowód dowodu dowodem dowodzie dowodów dowod osobisty osobistego osobistym"
PPS = "pps ppsn personal_public_service"
SORT_CODE = "sort_code sort_codes sortcode sortcodes"
STEUER = "steuernummer steuernr steuer_nr steuer_nummer steuernummern st_nr stnr finanzamt"


def _behind(*labels: str) -> str:
    """A pattern for the place right behind one of these, which are no words: `A/C: `, `s/c `."""
    ends = ("[ :.#]", "[:.#] ", " no[ :.]", " no[:.] ")
    return f"(?i:{'|'.join(f'(?<={label}{end})' for label in labels for end in ends)})"


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
    " rejestracyjny nr_rej pojazdu rejestracyjna rejestracyjne rejestracyjnej tablica tablicy registreringsnummer"
    " registreringsskylt regnummer regnr nummerplade rekisterinumero rekisterikilpi kennzeichen autokennzeichen"
    " nummernschild targato targata targati targate kentekennummer kentekens"
)
"""Not `car` and `licence`: one is a French conjunction, the other stands beside every GPL-3."""
KFZ = "kennzeichen autokennzeichen kfzkennzeichen kennz nummernschild nummernschilder"
CARS = (
    "auto pkw lkw wagen fahrzeug fahrer fahrerin fuhr gefahren motorrad anhänger unfall geparkt parkte halter"
    " volkswagen vw golf passat polo audi bmw opel ford mercedes skoda škoda seat renault peugeot toyota fiat hyundai"
    " kia tesla coche coches vehículo vehiculo turismo furgoneta moto motocicleta bastidor conductor conductora"
)
"""Beside which a plate's form with its hyphen is one."""
IMMATRICULATION = "immatriculation immatriculé immatriculée immatriculés immatriculées immatricule plaque plaques"
KENTEKEN = "kenteken kentekens kentekennummer kentekenplaat nummerplaat nummerplaten"
US_PLATE = "license_plate licence_plate plate_number number_plate licenseplate plates dmv"
"""Looks like ISO 9001: only where it is named in full."""
PASSPORT = (
    "passport passports passeport pasaporte passaporto paspoort passaporte paszport paszportu paszportem pass passi"
    " reisepass passnummer passnr passinumero paspoortnummer"
)
BIRTH = "personal person number cpr hetu national identity social security register insurance cprnr cprnummer"

UK_POSTCODE = (
    r"(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]"
    r"|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)"
    r"\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}"
)
"""With its area; behind the name of a town it needs no other word."""

ROWS: dict[str, tuple[Row, ...]] = {
    "fr": (
        Row("FR_BANK_ACCOUNT", r"\d{5} ?\d{5} ?[0-9A-Z]{11}(?: - | )?\d\d", "rib compte bancaire bancaires", (5, 23),
            (23,), check=check.fr_rib, proven=0.45),
        Row("FR_RESIDENCE_PERMIT", r"\d{10}", "titre_de_séjour carte_de_séjour titre_séjour agdref", (10,)),
        Row("FR_NIR", rf"[12478]{S}\d\d{S}(?:0[1-9]|1[0-2]|[2-9]\d){S}(?:\d\d|2[ABab]){S}\d{{3}}{S}\d{{3}}{KEY}\d\d",
            "nir sécurité sociale insee ssn", (1, 5, 13, 15), (13, 15), check=check.fr_nir),
        Row("FR_NIR", rf"[12][ .]\d\d[ .](?:0[1-9]|1[0-2])[ .](?:\d\d|2[AB])[ .]\d{{3}}[ .]\d{{3}}(?!{KEY}\d)", NIR,
            (1,), bare=0.25),
        Row("FR_NIR", r"[12]\d\d(?:0[1-9]|1[0-2])(?:\d\d|2[AB])\d{6}", NIR, (13,), (13,)),
        Row("FR_TAX_ID", rf"[0-3]\d{S}\d\d{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", f"spi {TAX} impôts référence", (2, 13),
            check=check.fr_spi,
            proven=0.6),
        Row("FR_SIREN", r"\d{3} ?\d{3} ?\d{3}", "siren entreprise rcs", (3, 9), check=luhn, proven=WEAK_PROOF),
        Row("FR_SIRET", r"\d{3} ?\d{3} ?\d{3} ?\d{5}", "siret établissement", (3, 9, 14),
            check=check.fr_siret, proven=WEAK_PROOF),
        Row("FR_SIREN", r"\d{3}[.-]\d{3}[.-]\d{3}", "siren entreprise rcs", (3,), check=luhn, proven=ASKING),
        Row("FR_SIRET", r"\d{3}[ .]\d{3}[ .]\d{3}[ .]\d{3}[ .]?\d\d", "siret établissement", (3,), check=check.fr_siret,
            proven=ASKING),
        Row("FR_VAT_ID", rf"FR{S}[0-9A-HJ-NP-Z]{{2}}{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (2,), (4, 13),
            check=check.fr_vat),
        Row("FR_VAT_ID", rf"FR{S}\d\d{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", TAX, (2, 11), lead=True, check=check.fr_vat),
        Row("FR_ID_CARD", r"\d{12}|[A-Z0-9]{9}", "cni identité nationale carte", (12,), (9,)),
        Row("FR_PASSPORT", r"\d\d[A-Z]{2}\d{5}", PASSPORT, mixed=(9,), bare=0.3),
        Row("FR_PASSPORT", r"\d\d ?[A-Z]{2} ?\d{5}", PASSPORT, (2,), (4,)),
        Row("FR_POSTCODE", r"\d{5}", "cp postal", (5,)),
        Row("FR_DRIVER_LICENSE", r"\d{12}|\d\d[A-Z]{2}\d{5}", "permis conduire", (12,), (9,)),
        Row("FR_STUDENT_NUMBER", r"\d{9}[A-Z]{2}|\d{10}[A-Z]", "ine élève étudiant étudiante", mixed=(11,)),
        Row("FR_MEDICAL_LICENSE", r"\d{11}", "rpps", (11,)),
        Row("FR_LICENSE_PLATE", r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}", PLATE, (3,), lead=True, bare=0.45),
        Row("FR_LICENSE_PLATE", r"[A-HJ-NP-TV-Z]{2}[ -]?\d{3}[ -]?[A-HJ-NP-TV-Z]{2}", IMMATRICULATION, mixed=(7,),
            apart=(3, 5)),
        Row("FR_LICENSE_PLATE", r"\d{2,4}[ -][A-Z]{2,3}[ -](?:\d\d|2[AB])", IMMATRICULATION, (2, 3, 4)),
    ),
    "es": (
        Row("ES_BANK_ACCOUNT", r"\d{4}[ -]?\d{4}[ -]?\d\d[ -]?\d{10}", "ccc cuenta bancaria banco", (4, 20),
            check=check.es_account, proven=0.45),
        Row("ES_NIF", r"\d{1,2}\.\d{3}\.\d{3}-[A-Za-z]", DNI, (1, 2), check=es_nif, proven=0.6),
        Row("ES_NIF", r"\d{1,2}\.\d{3}\.\d{3}(?:[ .][A-Z]|[A-Za-z])|\d{7,8}(?: |\.| - )[A-Z]", DNI, (1, 2, 7, 8),
            check=es_nif, proven=ASKING),
        Row("ES_NIF", r"[KLM][ .-]?\d{7}[ .-]?[A-Z]", DNI, mixed=(9,), apart=(7, 8), check=es_nif, proven=ASKING),
        Row("ES_NIE", r"[XYZ]-\d{7}-[A-Z]", DNI, apart=(7,), check=es_nie),
        Row("ES_NIE", r"[XYZ][ .-]?(?:\d{7}|\d\.\d{3}\.\d{3})[ .-]?[A-Z]", DNI, mixed=(2, 8), apart=(1, 7, 8),
            check=es_nie, proven=ASKING),
        Row("ES_CIF", r"[ABCDEFGHJNPQRSUVW][ .-]?(?:\d{7}|\d\d\.\d{3}\.\d\d)[ .-]?[0-9A-J]",
            f"cif c_i_f n_i_f {TAX}", mixed=(3, 8), apart=(2, 7, 8), check=check.es_cif, proven=ASKING),
        Row("ES_CIF", r"[ABCDEFGHJNPQRSUVW]-?\d{7}-?[0-9A-J]", f"cif empresa sociedad {TAX}", mixed=(9,),
            check=check.es_cif, proven=0.6),
        Row("ES_SOCIAL_SECURITY", r"\d\d[ /.-]?\d{8}[ /.-]?\d\d", "seguridad social nuss naf afiliación", (2, 10, 12),
            check=check.es_nuss),
        Row("ES_SOCIAL_SECURITY", r"\d\d[ /-]?\d{7,8}[ /-]?\d\d", "seguridad social nuss nass naf", (2, 11, 12)),
        Row("ES_MEDICAL_LICENSE", r"\d\d ?\d\d ?\d{4,5}", "col ncol nºcol colegiado colegiada", (2, 4, 8, 9)),
        Row("ES_POSTCODE", r"\d{5}", "cp postal código", (5,)),
        Row("ES_LICENSE_PLATE", r"\d{4}-[B-DF-HJ-NPR-TV-Z]{3}", CARS, (4,)),
        Row("MEDICAL_RECORD_NUMBER", r"[A-Z]{4}\d{10,12}", "cip sip tarjeta_sanitaria cip_sns", mixed=(14, 15, 16)),
        Row("MEDICAL_RECORD_NUMBER", r"\d{5,12}", "nhc cipa historia clínica episodio", range(5, 13)),
        Row("ES_VAT_ID", rf"ES{S}(?:[A-Z]\d{{7}}[0-9A-J]|\d{{8}}[A-Z]|[XYZ]\d{{7}}[A-Z])", TAX, mixed=(11,), bare=0.5,
            apart=(8, 9)),
        Row("ES_LICENSE_PLATE", r"\d{4}[ -]?[B-DF-HJ-NPR-TV-Z]{3}", PLATE, (4,), (7,)),
        Row("ES_LICENSE_PLATE", r"[A-Z]{1,2}[- ]\d{4}[- ][A-Z]{1,2}", "matrícula matricula matriculado", apart=(4,)),
    ),
    "it": (
        Row("IT_FISCAL_CODE", r"[A-Z]{3} [A-Z]{3} \d\d[A-EHLMPRST]\d\d [A-Z]\d{3}[A-Z]", "codice fiscale cf",
            mixed=(5,), lead=True, check=lambda text: it_fiscal_code(text.replace(" ", ""))),
        Row("IT_POSTCODE", r"\d{5}", "cap postale", (5,)),
        Row("IT_HEALTH_CARD", r"80380(?: ?\d){15}", "tessera sanitaria", (5, 8, 20), check=check.it_health_card),
        Row("IT_RESIDENCE_PERMIT", r"[A-Z]\d{8}", "permesso_di_soggiorno soggiorno", mixed=(9,)),
        Row("IT_VAT_ID", r"IT[ -]?\d{11}", TAX, mixed=(13,), check=lambda text: luhn(text[-11:]), apart=(11,)),
        Row("IT_LICENSE_PLATE", r"[A-HJ-NPR-TV-Z]{2} ?\d{3} ?[A-HJ-NPR-TV-Z]{2}", PLATE, (3,), (7,)),
        Row("IT_LICENSE_PLATE", r"[A-HJ-NPR-TV-Z]{2} \d{3} [A-HJ-NPR-TV-Z]{2}", PLATE, (3,), lead=True),
    ),
    "nl": (
        Row("NL_COMPANY_NUMBER", r"\d{8}|\d\d \d\d \d\d \d\d", "kvk kamer_van_koophandel chamber_of_commerce", (2, 8)),
        Row("NL_RESIDENCE_PERMIT", r"\d{10}|\d{3}\.\d{3}\.\d{4}", "vreemdelingennummer v_nummer v_nr alien_number",
            (3, 10)),
        Row("NL_BSN", rf"\d{{3}}{S}\d{{3}}{S}\d{{3}}|\d{{4}}\.\d\d\.\d{{3}}",
            "bsn burgerservicenummer sofinummer sofi persoonsnummer onderwijsnummer",
            (3, 4, 9), check=check.nl_bsn, proven=WEAK_PROOF),
        Row("NL_BSN", r"\d{3}-\d{3}-\d{3}|\d{4} \d\d \d{3}", "bsn burgerservicenummer sofinummer sofi", (3, 4),
            check=check.nl_bsn, proven=ASKING),
        Row("NL_VAT_ID", r"NL[ .]?(?:\d{9}|\d{4}\.\d\d\.\d{3})[ .]?B[ .]?\d\d", TAX, mixed=(6, 11, 12, 14),
            check=check.nl_vat, bare=0.5, apart=(4, 9, 10, 12)),
        Row("NL_POSTCODE", r"\d{4} ?[A-Z]{2}", "postcode postalcode postal_code adres", (4,), (6,)),
        Row("NL_ID_DOCUMENT", r"[A-NP-Z]{2}[A-NP-Z0-9]{6}\d", f"{PASSPORT} {ID} documentnummer", mixed=(9,)),
        Row("NL_MEDICAL_LICENSE", r"(?<=BIG.)\d{11}|(?<=BIG: )\d{11}", "", (11,), bare=0.45),
        Row("NL_MEDICAL_LICENSE", r"\d{11}", "big_nummer big_nr big_registratie big_registratienummer", (11,)),
        Row("NL_DRIVER_LICENSE", r"\d{10}", "rijbewijs rijbewijsnummer", (10,)),
        Row("NL_LICENSE_PLATE",
            r"(?=[A-Z0-9-]{0,8}[A-Z])(?:[A-Z]{1,3}|\d{1,3})-(?:[A-Z]{2,3}|\d{2,3})-(?:[A-Z]{1,2}|\d{1,2})", PLATE,
            (1, 2, 3), bare=0.3),
        Row("NL_LICENSE_PLATE",
            r"[A-Z]{2}\d{3}[A-Z]|[A-Z]\d{3}[A-Z]{2}|\d\d[A-Z]{3}\d|\d[A-Z]{3}\d\d|[A-Z]{3}\d\d[A-Z]|[A-Z]\d\d[A-Z]{3}"
            r"|\d[A-Z]{2}\d{3}|\d{3}[A-Z]{2}\d|\d\d[A-Z]{4}|[A-Z]{4}\d\d|[A-Z]{2}\d\d[A-Z]{2}|\d\d[A-Z]{2}\d\d",
            KENTEKEN, mixed=(6,)),
        Row("NL_LICENSE_PLATE", r"[A-Z]{1,3}-\d{2,3}-(?:[A-Z]{1,2}|\d{2})", PLATE, (2, 3), lead=True, bare=0.3),
    ),
    "pt": (
        Row("PT_BANK_ACCOUNT", r"\d{4} ?\d{4} ?\d{11} ?\d\d", "nib conta bancária", (4, 21), check=check.pt_nib,
            proven=0.45),
        Row("PT_DRIVER_LICENSE", r"[A-Z]{1,2}[ -]?\d{6,7}(?: \d)?", "condução conducao", mixed=range(7, 10),
            apart=(6, 7)),
        Row("PT_NIF", r"[1-35689]\d{2} ?\d{3} ?\d{3}", f"contribuinte {TAX}", (3, 9),
            check=check.pt_nif, proven=WEAK_PROOF),
        Row("PT_NIF", r"[1-35689]\d{2}[.-]\d{3}[.-]\d{3}", "contribuinte nif nipc n_i_f", (3,), check=check.pt_nif,
            proven=ASKING),
        Row("PT_VAT_ID", r"PT ?\d{9}|PT ?\d{3} \d{3} \d{3}", TAX, mixed=(5, 11), bare=0.5, apart=(3, 9)),
        Row("PT_SOCIAL_SECURITY", r"[12]\d{10}", "niss segurança social", (11,), check=check.pt_niss, proven=0.6),
        Row("PT_SOCIAL_SECURITY", r"[12]\d\d[ .-]\d{3}[ .-]\d{3}[ .-]\d\d", "niss segurança social", (3,),
            check=check.pt_niss, proven=ASKING),
        Row("PT_CITIZEN_CARD", r"\d{8}[ -]?\d[ -]?[A-Z]{2}\d", f"cc cidadão {ID}", (8, 9), (12,), check=check.pt_card),
        Row("PT_CITIZEN_CARD", r"\d{8}[ -]?\d[ -]?(?:[A-Z]\d|\d[A-Z])\d", f"cc cidadão documento {ID}", (8, 9), (12,),
            check=check.pt_card, proven=ASKING),
        Row("PT_CITIZEN_CARD", r"\d{8}", "cartão_de_cidadão cartão_cidadão bilhete_de_identidade", (8,)),
        Row("PT_POSTCODE", r"\d{4}-\d{3}", "postal código", (4,), bare=0.3),
        Row("PT_HEALTH_NUMBER", r"\d{3} ?\d{3} ?\d{3}", "utente sns saúde", (3, 9)),
        Row("PT_PASSPORT", r"[A-Z]{1,2} ?\d{6}", PASSPORT, mixed=(7, 8), apart=(6,)),
        Row("PT_LICENSE_PLATE", r"(?=[A-Z0-9-]{0,8}[A-Z])\d\d-(?:[A-Z]{2}-\d\d|\d\d-[A-Z]{2}|[A-Z]{2}-[A-Z]{2})",
            PLATE, (2,), bare=0.45),
        Row("PT_LICENSE_PLATE", r"[A-Z]{2}[- ]\d\d[- ](?:\d\d|[A-Z]{2})", PLATE, (2,), lead=True),
        Row("PT_LICENSE_PLATE", r"[A-Z]{2}\d\d(?:\d\d|[A-Z]{2})|\d\d[A-Z]{2}\d\d|\d{4}[A-Z]{2}", "matrícula matricula",
            mixed=(6,)),
    ),
    "pl": (
        Row("PL_KRS", r"0000\d{6}|0000 \d{3} \d{3}", "krs", (4, 10)),
        Row("PL_DRIVER_LICENSE", r"\d{5}/\d\d/\d{4}", "prawo_jazdy prawa_jazdy prawem_jazdy", (5,)),
        Row("PL_NIP", r"\d{3}-?\d{3}-?\d\d-?\d\d|\d{3}-\d\d-\d\d-\d{3}", f"nip {TAX}", (3, 10),
            check=check.pl_nip, proven=WEAK_PROOF),
        Row("PL_NIP", r"\d{3} \d{3} \d\d \d\d|\d{3} \d\d \d\d \d{3}", f"nip {TAX}", (3,), check=check.pl_nip,
            proven=ASKING),
        Row("PL_NIP", r"PL ?\d{10}|PL ?\d{3}[ -]\d{3}[ -]\d\d[ -]\d\d", TAX, mixed=(5, 12), check=check.pl_nip,
            apart=(3, 10)),
        Row("PL_PESEL", r"\d{6}[ -]\d{5}", "pesel", (6,), check=check.pl_pesel_date, proven=ASKING),
        Row("PL_POSTCODE", r"\d\d-\d{3}", "pocztowy kod adres", (2,), bare=0.3),
        Row("PL_REGON", r"\d{3}[ -]\d{3}[ -]\d{3}", "regon", (3,), check=check.pl_regon, proven=ASKING),
        Row("PL_REGON", r"\d{9}(?:\d{5})?", "regon", (9, 14), check=check.pl_regon, proven=WEAK_PROOF),
        Row("PL_ID_CARD", r"[A-Z]{3}\d{6}", f"{DOWOD} {ID}", mixed=(9,),
            check=check.pl_id_card, proven=0.5),
        Row("PL_ID_CARD", r"[A-Z]{3}[ -]\d{6}", DOWOD, check=check.pl_id_card, proven=ASKING, apart=(6,)),
        Row("PL_PASSPORT", r"[A-Z]{2}\d{7}", PASSPORT, mixed=(9,), check=check.pl_passport, proven=0.35),
        Row("PL_PASSPORT", r"[A-Z]{2}[ -]\d{7}", PASSPORT, check=check.pl_passport, proven=ASKING, apart=(7,)),
        Row("PL_LICENSE_PLATE", r"[A-Z]{2,3} ?(?=\w*\d)[A-Z0-9]{4,5}", PLATE, mixed=(7, 8)),
        Row("PL_LICENSE_PLATE", r"[A-Z]{2,3} (?=\w*\d)[A-Z0-9]{4,5}", PLATE, (4, 5), (4, 5), lead=True),
    ),
    "se": (
        Row("SE_BANK_ACCOUNT", r"\d{4}(?:-\d)?(?:[ -]|, )\d{1,3}[ -]?\d{3}[ -]?\d{1,3}[ -]?\d{0,3}|\d{11,15}",
            "kontonummer kontonr bankkonto konto bank_account clearing clearingnummer clearingnr", (4, *range(11, 16))),
        Row("SE_PERSONNUMMER", r"(?:19|20)?\d{6} -? ?\d{4}",
            "personnummer personnr pnr samordningsnummer svensk_id ssn personal_identity_number", (6, 8),
            check=se_personnummer, proven=ASKING),
        Row("SE_ORGANISATIONSNUMMER", r"\d{6} \d{4}", "organisationsnummer organisationsnr orgnr org_nr", (6,),
            check=se_organisation, proven=ASKING),
        Row("SE_LICENSE_PLATE", r"[A-HJ-PR-UW-Z]{3} ?\d\d[0-9A-HJ-NPR-UW-Z]", f"bil {PLATE}", mixed=(6,)),
        Row("SE_LICENSE_PLATE", r"[A-HJ-PR-UW-Z]{3} \d\d[0-9A-HJ-NPR-UW-Z]", f"bil {PLATE}", (3,), (3,), lead=True),
        Row("SE_POSTCODE", r"\d{3} ?\d\d", "postnummer postnr postadress", (3, 5)),
        Row("SE_PASSPORT", r"[A-Z]{2}\d{7}|\d{8}", PASSPORT, (8,), (9,)),
        Row("SE_VAT_ID", r"SE ?\d{6}[ -]?\d{4} ?01", TAX, mixed=(8, 12, 14), apart=(6, 10, 12),
            check=lambda text: luhn(compact(text)[2:12])),
    ),
    "fi": (
        Row("FI_ID_CARD", r"\d{9}|\d{8}[A-Z]", "henkilökortti henkilökortin henkilökorttinumero", (9,), (9,)),
        Row("FI_LICENSE_PLATE", r"[A-ZÅÄÖ]{2,3}[ -]?\d{1,3}", "rekisteritunnus rekkari rekisterinumero rekisterikilpi",
            mixed=range(3, 7), apart=range(1, 4)),
        Row("FI_BUSINESS_ID", r"\d{7}-\d", "y-tunnus yritys", (7,), check=check.fi_business, proven=0.6),
        Row("FI_VAT_ID", r"FI ?\d{7}-?\d", TAX, mixed=(9, 10), check=check.fi_business, apart=(7, 8)),
        Row("FI_PASSPORT", r"[A-Z]{2}\d{7}", PASSPORT, mixed=(9,)),
        Row("FI_LICENSE_PLATE", r"[A-ZÅÄÖ]{2,3}-\d{1,3}", f"auto rekisteritunnus rekkari {PLATE}", (1, 2, 3),
            lead=True),
    ),
    "dk": (
        Row("DK_DRIVER_LICENSE", r"\d{8}", "kørekort kørekortnummer kørekortnr kørekortets", (8,)),
        Row("DK_BANK_ACCOUNT", r"\d{4}[ -]?\d{6,10}", "kontonummer kontonr bankkonto konto bank_account",
            (4, *range(10, 15))),
        Row("DK_CPR", r"\d{6}-\d{4}", BIRTH, (6,), check=check.dk_cpr, bare=0.45),
        Row("DK_CPR", r"\d{10}|\d{6} \d{4}", BIRTH, (6, 10), check=check.dk_cpr, proven=WEAK_PROOF),
        Row("DK_CVR", r"\d{2} ?\d{2} ?\d{2} ?\d{2}", f"cvr virksomhed {TAX}", (2, 8), check=check.dk_cvr, proven=0.2),
        Row("DK_VAT_ID", r"DK[ -]?(?:\d{8}|\d\d \d\d \d\d \d\d)", TAX, mixed=(4, 10), check=check.dk_cvr, apart=(2, 8)),
        Row("DK_PASSPORT", r"\d{9}", "pasnummer pasnr pas_nr dansk_pas", (9,)),
        Row("DK_LICENSE_PLATE", r"[A-Z]{2} ?\d\d ?\d{3}", f"bil nummerplade {PLATE}", (2, 5), (7,)),
        Row("DK_LICENSE_PLATE", r"[A-Z]{2} \d\d \d{3}", f"bil nummerplade {PLATE}", (2, 5), lead=True),
    ),
    "be": (
        Row("BE_MEDICAL_LICENSE", r"\d[-/ ]?\d{5}[-/ ]?\d\d[-/ ]?\d{3}", "riziv inami rizivnummer rizivnr", (1, 11)),
        Row("BE_NATIONAL_NUMBER", rf"\d\d{G}[0-5]\d{G}[0-3]\d{G}\d{{3}}{G}\d\d",
            f"rijksregister rijksregisternummer rijksregisternr registre rrn insz niss {BIRTH}",
            (2, 6, 11), check=check.be_national),
        Row("BE_VAT_ID", rf"BE{G}[01]?\d{{3}}{G}\d{{3}}{G}\d{{3}}", TAX, mixed=(5, 6, 11, 12), check=check.be_vat,
            apart=(3, 4, 9, 10)),
        Row("BE_VAT_ID", rf"[01]\d{{3}}{G}\d{{3}}{G}\d{{3}}",
            f"ondernemingsnummer ondernemingsnr entreprise unternehmensnummer kbo bce {TAX}", (4, 10),
            check=check.be_vat, proven=ASKING),
        Row("BE_ID_CARD", r"\d{3}-\d{7}-\d\d", ID, (3,), check=check.be_card),
        Row("BE_LICENSE_PLATE", r"\d-[A-Z]{3}-\d{3}", PLATE, (1,), bare=0.6),
        Row("BE_LICENSE_PLATE", r"\d[ -]?[A-Z]{3}[ -]?\d{3}", f"{KENTEKEN} {IMMATRICULATION}", (1,), (4, 7)),
    ),
    "at": (
        Row("AT_DRIVER_LICENSE", r"\d{8}", "führerschein führerscheinnummer führerscheinnr", (8,)),
        Row("AT_ID_CARD", r"\d{7,8}", "personalausweis personalausweisnummer ausweisnummer ausweisnr", (7, 8)),
        Row("AT_COMPANY_NUMBER", r"FN ?\d{4,6} ?[a-z]", "firmenbuch firmenbuchnummer", mixed=(*range(5, 10),), bare=0.5,
            apart=range(4, 8)),
        Row("AT_SOCIAL_SECURITY", r"\d{4}[ -]?\d{6}",
            "sozialversicherung sozialversicherungsnummer svnr sv-nummer versicherungsnummer ecard",
            (4, 10), check=check.at_svnr, proven=0.45),
        Row("AT_SOCIAL_SECURITY", r"\d{4}[ /-]?\d\d[. /]\d\d[. /]\d\d",
            "sozialversicherung sozialversicherungsnummer svnr sv-nummer sv_nr vsnr versicherungsnummer ecard", (4, 6),
            check=check.at_svnr, proven=0.25),
        Row("AT_VAT_ID", r"AT ?U ?\d{8}", TAX, mixed=(11,), check=check.at_vat, bare=0.5, apart=(8, 9)),
        Row("AT_TAX_ID", r"\d\d[- ]?\d{3}/\d{4}", f"steuernummer abgabenkontonummer {TAX}", (2, 5), bare=0.3),
        Row("AT_PASSPORT", r"[A-Z] ?\d{7}", PASSPORT, mixed=(8,), apart=(7,)),
        Row("AT_LICENSE_PLATE", r"[A-Z]{1,2}[- ](?=\d{1,6}[A-Z ])\d{1,5} ?[A-Z]{1,3}",
            f"kennzeichen autokennzeichen nummernschild zulassung kfz {US_PLATE}", range(1, 6), range(2, 9), lead=True),
    ),
    "ie": (
        Row("IE_DRIVER_LICENSE", r"\d{9}", "driving_licence driver_number licence_number", (9,)),
        Row("IE_COMPANY_NUMBER", r"\d{5,6}", "cro cro_number company_number registered_in_ireland", (5, 6)),
        Row("IE_PPS", r"\d{7}[A-W][ABWTXZH-I]?", f"pps ppsn {BIRTH}", mixed=(8, 9), check=check.ie_pps),
        Row("IE_PPS", r"\d{7}(?:[a-w][a-iwtxz]?|[ -][A-W][A-IWTXZ]?|[A-W][ -]?[A-IWTXZ]?)", PPS, (7,), (8, 9),
            check=check.ie_pps, proven=ASKING),
        Row("IE_VAT_ID", r"IE ?(?:\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])", TAX, mixed=(10, 11), bare=0.5, apart=(8, 9)),
        Row("IE_EIRCODE", r"(?:[AC-FHKNPRTV-Y]\d\d|D6W) ?[0-9AC-FHKNPRTV-Y]{4}", "eircode postcode address",
            mixed=(3, 7)),
        Row("IE_LICENSE_PLATE",
            r"\d{2,3}-(?:[CDLTWG]|KE|KK|KY|LD|LH|LK|LM|LS|MH|MN|MO|OY|RN|SO|TN|TS|WD|WH|WX|WW|CE|CN|CW|DL)-\d{1,6}",
            PLATE, (2, 3), bare=0.6),
    ),
    "gb": (
        Row("UK_RESIDENCE_PERMIT", r"[A-Z]{2}[A-Z0-9]\d{6,7}", "brp biometric_residence_permit", mixed=(9, 10)),
        Row("UK_COMPANY_NUMBER", r"\d{8}|[A-Z]{2}\d{6}", "company_number company_no companies_house"
            " registered_in_england crn", (8,), (8,)),
        Row("UK_UTR", r"\d{5} ?\d{5}", "utr self assessment taxpayer reference", (5, 10),
            check=check.gb_utr, proven=WEAK_PROOF),
        Row("UK_VAT_ID", r"GB[ -]?\d{3}[ -]?(?:\d{4}[ -]?\d\d|\d{3} \d{3})(?: ?\d{3})?", TAX,
            mixed=(5, 11, 14), check=check.gb_vat, apart=(3, 9)),
        Row("UK_VAT_ID", r"\d{3}[ -]?(?:\d{4}[ -]?\d\d|\d{3} \d{3})", "vat_no vat_number vat_reg vat_registration",
            (3, 9), check=check.gb_vat, proven=ASKING),
        Row("UK_NINO", r"[A-Z]{2}[ .-]?\d\d[ .-]?\d\d[ .-]?\d\d[ .-]?[A-Z]", "national insurance nino ni",
            mixed=(4, 8, 9), apart=(2, 6, 7)),
        Row("UK_MEDICAL_LICENSE", r"\d{7}", "gmc gmc_number gmc_no", (7,)),
        Row("UK_PASSPORT", r"\d{9}", f"{PASSPORT} hmpo", (9,), bare=0.05,
            label="uk_passport british_passport hm_passport gb_passport hmpo"),
        Row("UK_POSTCODE", rf"(?:(?<=[a-z], )|(?<=[a-z]\n)|(?<=[a-z],\n)){UK_POSTCODE}", "",
            mixed=(2, 3, 4), bare=0.45),
        Row("UK_SORT_CODE", r"\d\d-\d\d-\d\d|\d\d[ -]?\d\d[ -]?\d\d[ ,/]{1,3}\d{8}", "sort code account bank bacs",
            (2, 6)),
        Row("MEDICAL_RECORD_NUMBER", r"(?:UK )?80\d\d(?: ?\d){16}", "ghic ehic", (4, 20), lead=True),
        Row("UK_SORT_CODE", r"\d{6}|\d\d \d\d \d\d", SORT_CODE, (2, 6)),
        Row("UK_SORT_CODE", _behind("s/c") + r"\d\d[- ]?\d\d[- ]?\d\d", "", (2, 6), bare=0.45),
        Row("UK_SORT_CODE", _behind(r"\Wsc") + r"\d\d-\d\d-\d\d", "", (2,), bare=0.45),
        Row("UK_BANK_ACCOUNT", r"\d{8}", "sort account acc bank bacs", (8,)),
        Row("UK_BANK_ACCOUNT", _behind("a/c") + r"\d{4} ?\d{4}", "", (4, 8), bare=0.45),
    ),
    "us": (
        Row("US_ALIEN_NUMBER", r"A[ -]?\d{3}[ -]?\d{3}[ -]?\d{3}", "alien_registration alien_number a_number uscis",
            mixed=(4, 10), apart=(3, 9), bare=0.2),
        Row("US_DRIVER_LICENSE", r"[A-Z]\d{3}[ -]\d{4}[ -]\d\d[ -]\d{3}[ -]\d|[A-Z](?:[ -]\d{3}){4}",
            "driver drivers license licence dl", mixed=(4,), apart=(3,)),
        Row("US_ZIP_CODE", r"\d{5}(?:-\d{4})?", "zip zipcode", (5,)),
        Row("US_DRIVER_LICENSE", r"WDL[A-Z0-9]{8,9}", "driver drivers license licence dl dol", mixed=(11, 12)),
        Row("US_LICENSE_PLATE", r"\d[A-Z]{3}\d{3}|[A-Z]{2,3}\d{4,5}", US_PLATE, mixed=(6, 7, 8)),
        Row("US_LICENSE_PLATE", r"[A-Z]{3}[- ]\d{3,4}", US_PLATE, (3, 4), lead=True),
        Row("US_EIN", r"\d\d-\d{7}", "ein employer identification federal tax", (2,), bare=0.3),
        Row("US_EIN", r"\d\d ?\d{7}", "ein employer_identification federal_tax_id", (2, 9)),
        Row("MEDICAL_RECORD_NUMBER", r"(?:MRN[-# :]?)?[A-Z]{0,3}-?\d{5,12}", "mrn medical record patient chart"
            " ipp patiëntnummer patiëntnr patientnummer patientnr patiëntid",  # of fr and nl, too: one row is fast
            range(5, 13), range(6, 16), apart=range(5, 13)),
    ),
    "de": (
        Row("DE_TAX_NUMBER", r"(?:1[01]\d\d|2[1-46-8]\d\d|3[0-2]\d\d|4[01]\d\d|[59]\d{3})0\d{8}", f"{STEUER} elster",
            (13,)),
        Row("DE_VAT_ID", r"DE ?\d{9}-\d{5}", TAX, mixed=(11,), bare=0.5, apart=(9,)),
        Row("DE_HANDELSREGISTER", r"HR[AB][ -]\d{1,6}(?: [A-Z]{1,2})?", "handelsregister", range(1, 7), lead=True,
            bare=0.5),
        Row("DE_TAX_ID", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", f"id idnr identifikationsnummer steuerid {TAX}", (2,),
            check=check.de_tax_id, proven=0.45),
        Row("DE_TAX_ID", r"[1-9]\d[ .-]\d{3}[ .-]\d{3}[ .-]\d{3}", "idnr identifikationsnummer steuerid steuer_id",
            (2,), check=check.de_tax_id, proven=ASKING),
        Row("DE_TAX_NUMBER", r"\d{2,3}[ -]\d{3,4}[ -]\d{4,5}|\d{5}[/ ]\d{5}", STEUER, (2, 3, 5), bare=0.25),
        Row("DE_HEALTH_INSURANCE", r"[A-Z] ?\d{3} ?\d{3} ?\d{3}",
            "versichertennummer versichertennr krankenversichertennummer krankenversicherungsnummer kvnr", mixed=(4,),
            apart=(3, 9), check=lambda text: de_health_insurance(compact(text)), proven=ASKING),
        Row("DE_KFZ", r"[A-ZÄÖÜ]{1,3}[- ]?[A-Z]{1,2}[- ]?\d{1,4}[EH]?", KFZ, mixed=range(3, 10), apart=range(1, 8)),
        Row("DE_KFZ", r"(?!DIN|[A-Z]{1,3}-(?:E[NGU]|ISO))[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{1,4}[EH]?", CARS,
            apart=range(1, 6)),
        Row("DE_SOCIAL_SECURITY", r"\d\d ?\d{6} ?[A-Z] ?\d\d ?\d",
            "sozialversicherungsnummer rentenversicherungsnummer versicherungsnummer sv svnr sv_nr rvnr", (2, 8),
            check=lambda text: de_social_security(text.replace(" ", ""))),
        Row("DE_FUEHRERSCHEIN", r"[A-Z][A-Z0-9]{2}[A-Z0-9]{6}\d[A-Z0-9]",
            "führerschein führerscheinnummer fahrerlaubnis", mixed=(11,)),
        Row("DE_PASSPORT", r"[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", f"{PASSPORT} reisepassnummer passnummer",
            mixed=(9, 10)),
        Row("DE_ID_CARD", r"[LMNPRTVWXY][CFGHJKLMNPRTVWXYZ0-9]{8}\d?", f"{ID} personalausweis personalausweisnummer"
            " personalausweisnr personalausweises ausweisnummer ausweisnr perso",
            mixed=(9, 10)),
        Row("DE_VAT_ID", r"DE ?\d{9}", TAX, mixed=(11,), bare=0.5),
        Row("DE_BANK_ACCOUNT", r"\d{6,10}", "kontonummer konto kto", range(6, 11)),
        Row("DE_BANK_CODE", r"\d{3} ?\d{3} ?\d\d", "blz bankleitzahl", (3, 8)),
        Row("DE_POLICY_NUMBER", r"[A-Z]{0,3}[- ]?\d{6,12}",
            "versicherungsschein kundennummer patientennummer mitgliedsnummer aktenzeichen personalnummer"
            " kundennr patientennr mitgliedsnr personalnr",
            range(6, 13), range(7, 16), apart=range(6, 13)),
    ),
    "ch": (Row("CH_AHV", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", "ahv avs", (3, 13), check=check.ch_ahv),),
    "no": (
        Row("NO_BIRTH_NUMBER", r"\d{6}[ .-]?\d{5}", f"fødselsnummer personnummer {BIRTH}", (6, 11),
            check=check.no_birth_number),
    ),
    "lu": (Row("LU_ID", r"\d{13}", f"matricule {BIRTH}", (13,), check=check.lu_id),),
}  # fmt: skip


def national_rules(countries: Iterable[str]) -> list[Rule]:
    return [rule for country in countries for row in ROWS.get(country, ()) for rule in rules_of(row)]
