"""Identifiers as people write them: with dots, spaces, hyphens, in lower case, behind plural and glued words."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.ibans import is_polish_bank
from tests.inspection.cost import assert_linear

BALANCED, STRICT = Engine(Settings()), Engine(Settings(mode=Mode.STRICT))

FOUND = [
    ("ES_NIF", "Don Javier, mayor de edad, con D.N.I. |28.251.888-E| y domicilio en Madrid"),
    ("ES_NIF", "DNI: |23.252.524 F|, enviar antes del lunes"),
    ("ES_NIF", "mi d.n.i. es el |61.455.887W|"),
    ("ES_NIF", "el NIF |15984617 P| no consta"),
    ("ES_NIE", "NIE |X-7508093-L| caducado"),
    ("ES_NIF", "el NIF |M-1234567-L| del menor"),
    ("ES_NIF", "NIF: |K1234567L|"),
    ("ES_NIE", "su NIE es |X 7508093 L|, gracias"),
    ("ES_CIF", "CIF |A-58818501| de la empresa"),
    ("ES_LICENSE_PLATE", "el coche con matrícula |M-1234-AB| es mío"),
    ("FR_NIR", "n° de sécurité sociale : |2 63 11 75 248 219 clé 12|, merci"),
    ("FR_NIR", "N° SS : |2 63 11 75 248 219 / 12|"),
    ("FR_NIR", "(NIR |2 63 11 75 248 219 (clé 12|))"),
    ("FR_NIR", "mon numéro de sécurité sociale |1 86 03 13 379 358|."),
    ("FR_LICENSE_PLATE", "mon véhicule immatriculé |FB 820 DG| est en panne"),
    ("FR_LICENSE_PLATE", "immatriculation |AB123CD|"),
    ("FR_LICENSE_PLATE", "voiture immatriculée |fb-820-dg| garée ici"),
    ("IT_LICENSE_PLATE", "il veicolo targato |EJ543KD| risulta rubato"),
    ("IT_LICENSE_PLATE", "targa: |ej543kd|"),
    ("BE_VAT_ID", "ondernemingsnummer |0594.311.971| van de bv"),
    ("BE_VAT_ID", "numéro d'entreprise : |0749.355.088|"),
    ("BE_NATIONAL_NUMBER", "rijksregisternr. |970610-004-29|"),
    ("BE_LICENSE_PLATE", "nummerplaat |1ABC234| op mijn naam"),
    ("NL_LICENSE_PLATE", "auto met kenteken |TS274F| staat fout"),
    ("NL_LICENSE_PLATE", "kenteken |ts-274-f|"),
    ("NL_VAT_ID", "btw-nummer |NL 004495445B01|"),
    ("PL_ID_CARD", "legitymująca się dowodem osobistym |ABA 300000|"),
    ("PL_ID_CARD", "dowód osobisty seria |ABA nr 300000|, wydany"),
    ("PL_PASSPORT", "nr paszportu: |EC 1904910|"),
    ("PL_NIP", "NIP: |597 169 46 28|"),
    ("PL_PESEL", "mój PESEL to |440514 01359|"),
    ("PT_SOCIAL_SECURITY", "Segurança Social n.º |191 724 218 60|"),
    ("SE_PERSONNUMMER", "Personnummer |19760921 2068|, tack"),
    ("AT_SOCIAL_SECURITY", "SVNr |6975 03.05.57|"),
    ("AT_VAT_ID", "UID-Nr.: |ATU 61804621| der Firma"),
    ("IE_PPS", "hi my pps is |2297820s| thanks"),
    ("IE_PPS", "PPSN |2297820 S|"),
    ("DE_ID_CARD", "Personalausweisnummer: |L01X00T47|"),
    ("DE_ID_CARD", "Perso-Nr. |T5CR5PYN2|"),
    ("DE_TAX_NUMBER", "St.-Nr.: |44 363 77205| beim Finanzamt"),
    ("DE_TAX_NUMBER", "Steuernummer |93815/08152|"),
    ("DE_TAX_NUMBER", "Steuernr.: |021/815/08150|"),
    ("DE_TAX_ID", "meine IDNr |86 095 742 719| lautet"),
    ("DE_TAX_ID", "Steuer-IdNr. |86095742719|"),
    ("DE_HEALTH_INSURANCE", "Versichertennummer |A 123 456 780|"),
    ("DE_KFZ", "auto mit kennzeichen |gap-cf 770| gesucht"),
    ("DE_KFZ", "kennzeichen: |kn-ab123|"),
    ("DE_KFZ", "Autokennzeichen |M CB 287|"),
    ("UK_SORT_CODE", "pay to sort code |204157|"),
    ("UK_SORT_CODE", "S/C: |20-79-12|"),
    ("UK_BANK_ACCOUNT", "A/C: |12345678|"),
    ("UK_PASSPORT", "my British passport no. |925665416| expired"),
    ("US_PASSPORT", "passport |925665416|"),
    ("US_SSN", "SSN#|219-09-9999|"),
    ("IBAN_CODE", "nr konta: |61 1090 1014 0000 0712 1981 2874|, dziękuję"),
    ("IBAN_CODE", "przelew na konto |61109010140000071219812874|"),
    ("IBAN_CODE", "IBAN: |DE89 3704 0044\n0532 0130 00| bitte"),
    ("IBAN_CODE", "IBAN: |DE89  3704  0044  0532  0130  00|"),
]


@pytest.mark.parametrize(("entity", "marked"), FOUND, ids=[f"{entity}-{text}" for entity, text in FOUND])
@pytest.mark.parametrize("engine", [BALANCED, STRICT], ids=["balanced", "strict"])
def test_the_everyday_spelling_is_found_whole(engine: Engine, entity: str, marked: str) -> None:
    before, value, after = marked.split("|")
    text = before + value + after
    assert (entity, value) in [(span.entity, text[span.start : span.end]) for span in engine.find(text)]


NOT_FOUND = [
    "revenue of 28.251.888 E and 15984617 P units, 61.455.887W in all",
    "part X-7508093-M, drawing B-1234567-8, order 12.345.678-A",
    "build 0594.311.970 of 970610-004-28",
    "see ABA 300001, USD 300000, PKG 945553, EC 1904911",
    "597 169 46 28 and 191 724 218 60 are cells of row 19760921 2068",
    "backup 20230115 1234 took 440514 01359 ms",
    "6975 03.05.57 was the last entry",
    "commit 2297820s, hash 3912645k",
    "timestamps 1705000000000 and 1 86 03 13 379 358",
    "step 204157 of 93815/08152, block 44 363 77205",
    "Kennzeichen von ab 2015, das Kennzeichen in der 3. Zeile",
    "plaque de 12 en bois, targa a 5 km",
    "serial nr 945553, seria danych nr 12, seria ABA nr 300001",
    "a C program with 12345678 lines, an A/C of 12 kW, s/c 12",
    "row 61109010140000071219812875 of the table",
    "model TS274F and EJ543KD, type 1ABC234, FB 820 DG",
]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_the_same_shapes_in_ordinary_text_are_not(text: str) -> None:
    assert BALANCED.find(text) == []


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("PL_PESEL", "PESEL 58082380552"),
        ("PL_PESEL", "Numer PESEL: 70012040417"),
        ("DE_TAX_ID", "IdNr. 86095742719"),
        ("FR_LICENSE_PLATE", "immatriculation: AB123CD"),
        ("IT_LICENSE_PLATE", "targa AB123CD"),
        ("UK_PASSPORT", "UK passport: 925665416"),
        ("US_PASSPORT", "US passport: 925665416"),
    ],
)
def test_the_word_right_before_decides_between_equals(entity: str, text: str) -> None:
    assert [span.entity for span in BALANCED.find(text)] == [entity]
    assert [span.entity for span in STRICT.find(text)] == [entity]


def test_polish_accounts_hold_the_check_digit_of_their_bank() -> None:
    assert is_polish_bank("10901014")
    assert not is_polish_bank("10901015")
    assert not is_polish_bank("00000000")


COSTLY = [
    "kennzeichen: ab-c ", "seria AB nr ", "seria i numer: ", "61 1090 1014 ", "DE89  3704\n", "1 86 03 13 379 358 (",
    "12.345.678-", "X-1.234.", "AB 12 ", "ATU ", "0594.311.", "A/C: ", "kenteken 1-", "DK 12 34 ", "PESEL ", "NL 0044.",
]  # fmt: skip


@pytest.mark.parametrize("unit", COSTLY)
def test_twice_the_text_costs_about_twice_the_time(unit: str) -> None:
    assert_linear(BALANCED, unit)
