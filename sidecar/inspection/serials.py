"""Numbers of things that lead to a person: the phone in the pocket (IMEI), the car before the door (VIN).

IMEI: 3GPP TS 23.003 section 6.2: 15 digits, the last a Luhn digit (annex B; the network is sent 0 in its place);
IMEISV: 16 digits, the last two the software version, no check digit. One in ten random figures passes, so that a word
must stand near. VIN: ISO 3779, 17 characters without I, O and Q, the last four digits; its ninth is a check digit in
North America and China (49 CFR 565.15), which proves it; elsewhere a word must stand near.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import digits

from sidecar.inspection.checksums import compact, luhn, weighted
from sidecar.inspection.context import Context
from sidecar.inspection.rules import NEVER, NOT_INSIDE, NOT_ON, Check, Rule

IMEI, VIN = "IMEI", "VIN"
IMEI_WORDS = """
    imei imeis imei_nr imeinummer imeinumber imeicode imeino deviceimei phoneimei imeisv imeisvn
    mobile_equipment_identity mobile_equipment_identifier
"""
DEVICE_WORDS = """
    device_id device_ids deviceid device_identifier device_number device_serial equipment_identity equipment_identifier
    equipment_id handset_id handset_number handset_identifier handset_serial phone_id phone_serial
    gerätenummer gerätenr geräte_nr geräte_nummer gerätekennung geräte_id geräteid gerätekennnummer endgerätenummer
    endgerätekennung handy_seriennummer handyseriennummer handynummer_des_geräts seriennummer_des_geräts
    seriennummer_des_handys seriennummer_des_telefons seriennummer_des_mobiltelefons
    identifiant_de_l'appareil identifiant_appareil numéro_de_l'appareil numéro_d'appareil identifiant_du_terminal
    identifiant_du_téléphone identifiant_du_mobile numéro_de_série_du_téléphone numéro_de_série_du_mobile
    numéro_de_série_de_l'appareil id_appareil
    id_del_dispositivo id_de_dispositivo identificador_del_dispositivo identificador_de_dispositivo
    número_del_dispositivo identificador_del_terminal número_de_serie_del_teléfono número_de_serie_del_móvil
    número_de_serie_del_dispositivo número_de_serie_del_celular
    id_dispositivo id_del_dispositivo identificativo_del_dispositivo identificativo_dispositivo numero_del_dispositivo
    numero_di_serie_del_telefono numero_di_serie_del_cellulare numero_seriale_del_telefono seriale_del_telefono
    apparaat_id apparaatid apparaatnummer apparaat_nummer toestelnummer toestel_id toestelid toestelnr
    serienummer_van_de_telefoon serienummer_van_het_toestel serienummer_telefoon
    device handset handsets smartphone iphone gerät mobiltelefon appareil dispositivo cellulare celular toestel apparaat
"""
SOFTWARE_WORDS = "imeisv imeisvn imei_sv imei_svn imei_software"
VIN_WORDS = """
    vin vins vincode vinnumber vinnummer vinnr carvin vehiclevin vehicle vehicle_identification vehicleidentification
    vehicleidentificationnumber chassis chassisno chassisnumber chassisnr frame_number frame_no
    fin fahrgestell fahrgestellnummer fahrgestellnr fahrgestellnummern fahrzeug fahrzeugs fahrzeugschein
    fahrzeugscheins fahrzeugbrief fahrzeugbriefs
    zulassungsbescheinigung fahrzeugidentifizierungsnummer fahrzeugidentifikationsnummer fahrzeugidentnummer
    fahrzeugident identifizierungsnummer
    châssis véhicule carte_grise immatriculé
    bastidor chasis vehículo vehiculo niv
    telaio autotelaio veicolo libretto_di_circolazione
    chassisnummer chassisnummers voertuigidentificatienummer voertuig kenteken framenummer meldcode
    motorcycle motorbike motorrad pkw kfz ident_nr voiture moto coche automóvil furgoneta camión autovettura motociclo
    motorfiets
    chassi nadwozia chassinummer stelnummer runkonumero valmistenumero
"""
REPORTING_BODY = r"(?:0[01]|35|86|9[189]|4[459]|5[0-4]|3[03])"
"""The first two digits, of who allocated the number (GSMA TS.06; in use and former)."""
ALLOCATED = re.compile(REPORTING_BODY)
S = r"[ ./\u00a0-]"
FIFTEEN = {
    2: rf"\d\d{S}\d{{6}}{S}\d{{6}}{S}\d",
    3: rf"\d{{3}}{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}",
    4: rf"\d{{4}}{S}\d{{4}}{S}\d{{4}}{S}\d{{3}}",
    5: rf"\d{{5}}{S}\d{{5}}{S}\d{{5}}",
    6: rf"\d{{6}}{S}\d\d{S}\d{{6}}{S}\d",
    8: rf"\d{{8}}{S}\d{{6}}{S}?\d",
    14: rf"\d{{14}}{S}\d",
    15: r"\d{15}",
}
"""Type allocation code, serial number, check digit, in whatever groups: by the length of the first."""
UNCHECKED = rf"\d{{14}}0|{REPORTING_BODY}\d{{12}}"
"""As the network sees it: a 0 for the check digit, or nothing."""
PRINTED = rf"{REPORTING_BODY}\d{{6}}-\d{{6}}(?:-\d\d)?"
"""In the groups of a label: without the check digit, or with a software version in its place."""
SIXTEEN = rf"\d{{16}}|\d\d{S}\d{{6}}{S}\d{{6}}{S}\d\d|\d{{8}}{S}\d{{6}}{S}\d\d|\d{{14}}{S}\d\d"
LETTER = "[A-HJ-NPR-Z0-9]"
MADE = r"(?=(?:[0-9]{0,14}[A-Z]){2})"
"""Two letters at least: maker, plant, year."""
WHOLE = rf"{MADE}{LETTER}{{13}}[0-9]{{4}}"
GROUPS = (
    rf"{LETTER}{{3}}[ -]{LETTER}{{6}}[ -]{LETTER}{{4}}[0-9]{{4}}|{LETTER}{{3}}[ -]{LETTER}{{5}}[ -]{LETTER}[ -]"
    rf"{LETTER}{{4}}[0-9]{{4}}|{LETTER}{{3}}[ -]{LETTER}{{6}}[ -]{LETTER}{{2}}[ -][0-9]{{6}}"
    rf"|{LETTER}{{3}}[ -]{LETTER}{{3}}[ -]{LETTER}{{7}}[0-9]{{4}}|{LETTER}{{3}}[ -]{LETTER}{{3}}[ -]{LETTER}{{3}}[ -]"
    rf"{LETTER}{{4}}[0-9]{{4}}"
)
"""Maker, description, year and plant and serial number apart, as certificates print it."""
VIN_VALUES = {char: value for value, char in enumerate(digits)} | dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""49 CFR 565.15 tables III and IV."""
NO_YEAR = frozenset("0UZ")
"""Never the tenth character there (table VII)."""


def is_no_filler(text: str) -> bool | None:
    """False for one digit or two over and over; of others nothing is known."""
    return None if len(set(compact(text))) > 2 else False


def is_imei(text: str) -> bool:
    """Fifteen digits, the last of them the check digit of the rest."""
    number = compact(text)
    return len(number) == 15 and luhn(number) and is_no_filler(number) is not False


def is_allocated(text: str) -> bool:
    """An IMEI that begins as one of those in use does."""
    return ALLOCATED.match(text) is not None and is_imei(text)


def is_imeisv(text: str) -> bool:
    """Sixteen digits that an allocating body began: there is no check digit."""
    return len(compact(text)) == 16 and ALLOCATED.match(text) is not None


def is_vin(text: str) -> bool | None:
    """Whether its ninth character proves it; None where it does not, as in Europe, where nothing must."""
    number = compact(text)
    values = [VIN_VALUES[char] for char in number]
    proven = "0123456789X"[weighted(values, VIN_WEIGHTS) % 11] == number[8] and number[9] not in NO_YEAR
    return proven or None


def serial_rules() -> list[Rule]:
    """The rules of both, whatever the countries."""
    own, device = Context.words(IMEI_WORDS), Context.words(DEVICE_WORDS)
    vin = Context.words(VIN_WORDS)
    return [
        *(_rule(IMEI, FIFTEEN[size], own, numeric=(size,), check=is_imei, proven=0.2) for size in FIFTEEN),
        *(_rule(IMEI, FIFTEEN[size], device, numeric=(size,), check=is_allocated, proven=0.2) for size in FIFTEEN),
        _rule(IMEI, UNCHECKED, own, numeric=(14, 15), check=is_no_filler),
        _rule(IMEI, PRINTED, own, numeric=(8,), check=is_no_filler),
        _rule(IMEI, SIXTEEN, Context.words(SOFTWARE_WORDS), numeric=(2, 8, 14, 16), check=is_imeisv, proven=0.2),
        _rule(VIN, WHOLE, vin, mixed=(17,), check=is_vin, proven=0.5),
        _rule(VIN, WHOLE, vin, mixed=(17,), flags=re.IGNORECASE),
        _rule(VIN, GROUPS, vin, mixed=(3,)),
        _rule(VIN, GROUPS, vin, mixed=(3, 5, 6, 11), lead=True),
    ]


def _rule(
    entity: str,
    regex: str,
    context: Context,
    *,
    numeric: Iterable[int] = NEVER,
    mixed: Iterable[int] = NEVER,
    lead: bool = False,
    check: Check | None = None,
    proven: float = 1.0,
    flags: int = 0,
) -> Rule:
    return Rule(
        name=f"rules/{entity.lower()}",
        entity=entity,
        pattern=re.compile(f"{NOT_INSIDE}(?:{regex}){NOT_ON}", re.ASCII | flags),
        score=0.1,
        proven_score=proven,
        beside_score=0.9,
        check=check,
        context=context,
        numeric=frozenset(numeric),
        mixed=frozenset(mixed),
        lead=lead,
    )
