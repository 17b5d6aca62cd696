"""IMEI, VIN, card security codes, coordinates: what a phone, a car, a card and a map say about a person."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.consistency import Known
from sidecar.inspection.engine import Engine
from sidecar.redaction.styles import luhn_digit

ENGINES = {mode: Engine(Settings(mode=mode)) for mode in Mode}
EUROPEAN = "WVWZZZ1JZ3W386752"
"""Its ninth character is no check digit."""
AMERICAN = "1M8GDM9AXKP042788"
"""The example of 49 CFR 565.15."""
PHONE = "352099001761481"


def found(text: str, entity: str, mode: Mode = Mode.BALANCED) -> list[str]:
    return [text[span.start : span.end] for span in ENGINES[mode].find(text) if span.entity == entity]


def nothing(text: str, entity: str) -> bool:
    return not any(found(text, entity, mode) for mode in Mode)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "value",
    [
        PHONE, "35-209900-176148-1", "35 209900 176148 1", "352099-00-176148-1", "352099/00/176148/1",
        "35209900-176148-1", "3520 9900 1761 481", "35209 90017 61481", "35209900176148-1",
    ],
)  # fmt: skip
def test_an_imei_is_found_in_every_grouping(value: str, mode: Mode) -> None:
    assert found(f"IMEI: {value}", "IMEI", mode) == [value]
    assert found(f"{value} (imei)", "IMEI", mode) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "device ID {}", '{{"deviceId":"{}"}}', "handset_id={}", "Gerätenummer: {}", "Geräte-ID {}",
        "Handy-Seriennummer {}",
        "Identifiant de l'appareil : {}", "numéro de série du téléphone {}", "Identificador del dispositivo {}",
        "ID del dispositivo: {}", "L'identificativo del dispositivo è {}", "Toestelnummer {}", "Apparaat-ID: {}",
        "His SIM card was in the phone with the IMEI {}", "imei1={}",
    ],
)  # fmt: skip
def test_an_imei_is_found_beside_words_of_six_languages(text: str) -> None:
    assert found(text.format(PHONE), "IMEI") == [PHONE]
    assert found(text.format(PHONE), "IMEI", Mode.STRICT) == [PHONE]


@pytest.mark.parametrize(
    "text",
    [
        f"order {PHONE}", "IMEI 352099001761482", "device id 777777777777777", "device id 123456789012347",
        "IMEI 000000000000000", "IMEI 3520990017614", "the imei is 15 digits long", "imei 20240131123059",
        "IMEI 3520990017614812", "deviceid 35209900176148",
    ],
)  # fmt: skip
def test_what_is_no_imei(text: str) -> None:
    assert nothing(text, "IMEI")


@pytest.mark.parametrize("value", ["3520990017614807", "35-209900-176148-07"])
def test_an_imei_with_a_software_version_needs_its_own_word(value: str) -> None:
    assert found(f"IMEISV {value}", "IMEI") == [value]
    assert nothing(f"imei {value}", "IMEI")


def test_an_imei_as_the_network_sees_it_has_no_check_digit() -> None:
    assert found('{"imei":"352099001761480"}', "IMEI") == ["352099001761480"]
    assert found("imei=35209900176148", "IMEI") == ["35209900176148"]


@given(st.from_regex(r"(?:01|35|99)[0-9]{12}", fullmatch=True), st.integers(1, 9))
def test_only_the_right_check_digit_makes_an_imei(body: str, off: int) -> None:
    """Of beginnings that no card and no French NIR has: those prove themselves, whatever stands beside them."""
    good = luhn_digit(body)
    bad = str((int(good) + off) % 10)
    assert found(f"imei {body}{good}", "IMEI") == [body + good] * (len(set(body + good)) > 2)
    assert found(f"imei {body}{bad}", "IMEI") == [body + bad] * (bad == "0" and len(set(body + bad)) > 2)


@pytest.mark.parametrize("value", [AMERICAN, "1HGCM82633A004352", "5YJSA1DG9DFP14705"])
def test_a_vin_with_its_check_digit_needs_no_word(value: str) -> None:
    assert found(f"I bought {value} in Ohio", "VIN") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "VIN: {}", "vehicle identification number {}", '{{"vehicleVin": "{}"}}', "Chassis no. {}", "FIN {}",
        "Fahrgestellnummer: {}", "Fahrgestell-Nr. {}", "Fahrzeug-Identifizierungsnummer {}", "Numéro de châssis : {}",
        "Numéro d'identification du véhicule {}", "Carte grise, champ E : {}", "Número de bastidor: {}",
        "Número de chasis {}", "Numero di telaio {}", "Chassisnummer: {}", "voertuigidentificatienummer {}",
    ],
)  # fmt: skip
def test_any_other_vin_is_found_beside_words_of_six_languages(text: str) -> None:
    assert found(text.format(EUROPEAN), "VIN") == [EUROPEAN]
    assert found(text.format(EUROPEAN.lower()), "VIN") == [EUROPEAN.lower()]


@pytest.mark.parametrize(
    "value", ["WVW ZZZ1JZ 3W386752", "WVW-ZZZ1JZ-3W386752", "WVW ZZZ 1JZ 3W386752", "1M8 GDM9AX KP042788"]
)
def test_a_vin_in_groups_beside_its_word(value: str) -> None:
    assert found(f"VIN {value}", "VIN") == [value]


@pytest.mark.parametrize(
    "text",
    [
        f"part {EUROPEAN}", "part 1M8GDM9AXKP042789", "VIN 12345678901234567", "VIN WVWZZZ1JZ3W38675O",
        "VIN WVWZZZ1JZ3W386752A", "chassis ABCDEFGHJKLMNPRST", f"part {AMERICAN.lower()}", "VIN WVWZZZ1JZ3W38675",
        "1M8GDM9AX0P042788",
    ],
)  # fmt: skip
def test_what_is_no_vin(text: str) -> None:
    assert nothing(text, "VIN")


@given(st.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", min_size=13, max_size=13), st.integers(0, 9999))
def test_at_most_one_check_digit_proves_a_vin(head: str, tail: int) -> None:
    """49 CFR 565.15 (c): mod 11, 10 written X."""
    every = [f"{head[:8]}{check}{head[9:]}{tail:04}" for check in "0123456789X"]
    made = {value for value in every if sum(map(str.isalpha, value[:8] + value[9:])) >= 2}
    assert sum(bool(found(f"part {value}", "VIN")) for value in made) <= 1
    assert all(found(f"VIN {value}", "VIN") == [value] for value in made)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "text",
    [
        "CVV {}", "CVC: {}", "cvv2={}", "CVC2 {}", '{{"cvc": "{}"}}', '{{"cvv":{}}}', '{{\\"cvv\\":\\"{}\\"}}',
        "cardCvv: '{}'", "card_security_code={}", "<cvv>{}</cvv>", "{} (CVV)", "{} is my CVV", "CVV/CVC: {}",
        "CVV - {}", "CSC: {} on the card", "Amex, CID {}",
        "The security code on the back of my card is {}", "card verification value {}",
        "Kartenprüfnummer: {}", "Die Prüfziffer meiner Kreditkarte ist {}", "Der Sicherheitscode lautet {}",
        "Le cryptogramme visuel est le {}", "code de sécurité : {}", "El código de seguridad de la tarjeta es {}",
        "Il codice di sicurezza è {}", "De veiligheidscode is {}", "4111 1111 1111 1111 12/27 CVV {}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["482", "4821"])
def test_a_card_security_code_stands_beside_its_word(text: str, value: str, mode: Mode) -> None:
    assert found(text.format(value), "CARD_SECURITY_CODE", mode) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "CVC_LENGTH = 300", "cid = 1234", "CID 4021 failed", "incident 123", "decided 404", "Prüfziffer 123",
        "cvv: 12345", "CVV 12.50", "what is a cvv?", "CVV 250 EUR of 300 % 3", "CVV must have 3 digits",
        "the CVC 2023 report", "cvv 12",
        "CVV 123-4567", "the security code was reviewed by 404 people", "card expires 12/27", "valid thru 1227",
    ],
)  # fmt: skip
def test_what_is_no_card_security_code(text: str) -> None:
    assert nothing(text.replace("250 EUR", "250€"), "CARD_SECURITY_CODE")


def test_a_security_code_is_not_looked_for_elsewhere() -> None:
    text = "CVV 4821. Call room 4821."
    known = Known()
    known.learn(text, ENGINES[Mode.BALANCED].find(text))
    assert known.found("room 4821", []) == []


PAIRS = [
    "GPS |52.520008, 13.404954|", "coordinates: [|13.404954, 52.520008|]", "My location: |-33.8688197, 151.2092955|",
    "geo:|37.786971,-122.399677|;u=35", "https://maps.example/@|52.5163,13.3777|,17z", "maps?q=|37.422131,-122.084801|",
    "#map=17/|51.50330/-0.11950|", "POINT(|13.404954 52.520008|)", "at |N 52.5200 E 13.4050|",
    "|48.137154N 11.576124E|", "|51.5073° N, 0.1276° W|", "Standort |48.137154, 11.576124|",
    "Koordinaten: |52,520008; 13,404954|", "Je suis à la position |43.296482, 5.369780|",
    "Mi ubicación es |40.416775, -3.703790|", "La mia posizione: |45.464203, 9.189982|",
    "Mijn locatie is |52.370216, 4.895168|", "|52°31'12.0\"N 13°24'18.0\"E|", "|52° 31′ 12″ N, 13° 24′ 18″ E|",
    "|N 52° 31' 12\" E 13° 24' 18\"|", "|47° 22' 36\" N, 8° 32' 30\" O|", "|40°26.767' N 79°58.933' W|",
    "|52 deg 31' 12.00\" N, 13 deg 24' 18.00\" E|", 'at |52°31\'12.0\\"N 13°24\'18.0\\"E|',
]  # fmt: skip
KEYED = [
    '{"lat": |52.519|, "lng": |13.405|}', '{"lon":"|13.4|","lat":"|52.521|"}', "lat=|59.3293|&lon=|18.0686|",
    '<trkpt lat="|52.520008|" lon="|13.404954|">', '{\\"latitude\\":|52.519|,\\"longitude\\":|13.405|}',
    "latitude: |35.6895|\nlongitude: |139.6917|", "pickupLat: |52.5200|", "Breitengrad |52,5200|, Längengrad |13,4050|",
    "latitud |37.389092|, longitud |-5.984459|", "latitudine |43.769562|, longitudine |11.255814|",
    "Lat. |45.464203| Long. |9.189982|", "breedtegraad |52.0907|, lengtegraad |5.1214|",
    "Latitude: |40° 26' 46\" N|\nLongitude: |79° 58' 56\" W|",
    '"coordinates":[[|13.404954,52.520008|],[|13.405101,52.520207|],[|13.4061,52.5211|]]',
]  # fmt: skip


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("marked", PAIRS + KEYED)
def test_coordinates_are_found_to_the_character(marked: str, mode: Mode) -> None:
    parts = marked.split("|")
    if mode is Mode.BALANCED or "//" not in marked:
        assert found("".join(parts), "GEO_COORDINATES", mode) == parts[1::2]


def test_a_towns_weather_is_no_place_of_a_person_unless_strict() -> None:
    text = 'get_weather({"lat": 52.52, "lng": 13.40})'
    assert found(text, "GEO_COORDINATES", Mode.BALANCED) == []
    assert found(text, "GEO_COORDINATES", Mode.STRICT) == ["52.52", "13.40"]


@pytest.mark.parametrize(
    "text",
    [
        "(52.520008, 13.404954)", "location: 52.52, 13.40", "location: (0.1234, 0.5678)", "gps 152.5200, 213.4050",
        "position: [0.12345, 1.23456, 0.34567]", "coordinates: [1.23456, -1.23456, 2.34567, 1.23456, 3.1234]",
        'transform="translate(12.3456, 45.6789)" position', "bbox map 12.3456, 45.6789, 78.1234, 90.1234",
        "latency: 12.3456", "flat 12.3456", "platform: 1.23456", "lat, lon = 0.0, 0.0", "long: 123.4567",
        "long double x = 12.34567", "float lat = 1.5;", "a long 12.34567", '{"lat": 52, "lng": 13}', "lat: 95.12345",
        "20° 30°", "turn 90° W", "25.1° S", "RA 12° 30' 15\" Dec 52° 31' 12\"", "52°N 13°E", "1º y 2º",
    ],
)  # fmt: skip
def test_what_places_nobody(text: str) -> None:
    assert nothing(text, "GEO_COORDINATES")


def test_minutes_alone_place_a_town_and_count_in_the_strict_mode_only() -> None:
    assert found("52°31'N 13°24'E", "GEO_COORDINATES") == []
    assert found("52°31'N 13°24'E", "GEO_COORDINATES", Mode.STRICT) == ["52°31'N 13°24'E"]


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(4, 8))
def test_any_pair_on_earth_is_found_beside_its_word(lat: float, lon: float, decimals: int) -> None:
    pair = f"{lat:.{decimals}f}, {lon:.{decimals}f}"
    expected = [pair] * (max(abs(float(part)) for part in pair.split(", ")) >= 1)
    assert found(f"gps {pair}", "GEO_COORDINATES") == expected
    assert found(f"{pair} (the coordinates)", "GEO_COORDINATES") == expected


def test_a_track_is_found_point_by_point() -> None:
    track = [[13.4 + step / 9999, 52.5 + step / 9999] for step in range(1, 40)]
    rounded = [[round(part, 6) + 1e-7 for part in point] for point in track]
    assert len(found(json.dumps({"coordinates": rounded}), "GEO_COORDINATES")) == len(rounded)


NASTY = {
    "imei": "imei 35-209900-", "digits": "imei 352099001761482 ", "vin": "vin WVW ZZZ ", "alnum": "1HGCM82633A004352 ",
    "cvv": "cvv is the ", "security": "security code of my ", "cid": "cid ", "digits before": "123 (cvv (",
    "keys": "lat: lon: ", "lat": "lat=1.5,lon=", "degrees": "12° ", "minutes": "12°31'12\" ", "floats": "1.23456, ",
    "pairs": "12.34567, 13.45678] [", "blanks": "lat " + " " * 60, "wind": "N 12.3456 ",
}  # fmt: skip


@pytest.mark.parametrize("kind", NASTY)
def test_twice_the_text_costs_about_twice_the_time(kind: str) -> None:
    """From 8 to 32 KB: a quadratic step would cost 16 times as much; 9 leaves room for a busy machine."""
    unit = NASTY[kind]
    small, large = (unit * (size // len(unit)) for size in (8_192, 32_768))
    fast = min(_cost(small) for _ in range(3))
    slow = min(_cost(large) for _ in range(2))
    assert slow < max(9 * fast, 0.1), (fast, slow)


def _cost(text: str) -> float:
    began = time.process_time()
    ENGINES[Mode.BALANCED].find(text)
    return time.process_time() - began
