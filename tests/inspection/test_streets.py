"""Street addresses by rules alone, as letters, forms and chats write them; and what only looks like one."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.towns import postcodes

ENGINE = Engine(Settings())


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in ENGINE.find(text) if span.entity == "STREET_ADDRESS"]


@pytest.mark.parametrize(
    "address",
    [
        "221B Baker Street", "17 Maple Ridge", "8714 Mann Plaza", "240 Hale Park, Suite 5", "3 Priory Gardens",
        "Hauptstraße 5", "Alter Markt 3", "Kerkstraat 12 bus 3, 9000 Gent", "Milanpad 752", "Kessellei 2",
        "12 rue de la Paix, 75002 Paris", "Calle Mayor 12 Piso 3 Puerta 2", "Rambla de Catalunya 95",
        "Via Roma 12", "Piazza Vezzali, 115 Appartamento 9", "Lungotevere Flaminio 22", "Storgatan 3", "ul. Długa 7/2",
        "ul. Marszałkowska 10/12 m. 5", "ul. Długa 7 m. 12, 80-831 Gdańsk", "ul. Długa 7, 80-831 Gdańsk",
        "Storgatan 12 lgh 1201, 111 51 Stockholm", "Ringstraße 3/Top 5", "Ringstraße 3, Top 5, 1010 Wien",
        "Mariahilfer Straße 45/2/12, 1060 Wien", "Nørrebrogade 12, 2. tv, 2200 København", "Hämeenkatu 3",
        "Straße des 17. Juni 135", "Straße des 17. Juni 135, 10623 Berlin", "Allee der Kosmonauten 5",
        "Mannerheimintie 12 A 5", "Mannerheimintie 12 A 5, 00100 Helsinki", "Laan van Meerdervoort 50",
        "Meir 50, 2000 Antwerpen", "Meir 50 bus 3, 2000 Antwerpen", "Unter den Linden 77, 10117 Berlin",
        "Am Alten Markt 5, 50667 Köln", "Rua Augusta 100, 1100-053 Lisboa",
        "Rua Augusta 100, 2.º Esq., 1100-053 Lisboa",
        "Hauptstr. 93 10115 Berlin", "Hauptstr. 93 1010 Wien", "Keizersgracht 123, 1015 CJ Amsterdam",
        "Flat 3, 45 High Street", "Apt 5, 12 Ranelagh Road", "Dorpsstraat 12 bis", "Viale Garibaldi, 45/B",
        "P.zza Duomo 1",
    ],
)  # fmt: skip
def test_the_address_is_found_whole(address: str) -> None:
    assert found(f"Please send it to {address}.") == [address]
    assert found(f'{{"address": "{address}"}}') == [address]


@pytest.mark.parametrize(
    "text",
    [
        "2012 Olympic Park was full",
        "In 1984 Silicon Valley grew",
        "Notepad 7 and iPad 12",
        "au cours de la Première Guerre Mondiale. En 1968, la France",
        "We met at Times Square in 2010",
        "the road was 12 km long",
        "der letzte Platz der Gruppe 3",
        "ein Platz der Kategorie 3",
        "der Weg zum Erfolg 2024",
        "Auntie 5 and Bowtie 3 A 5, properties 12",
        "Vol. 12, 2004 Springer; Kapitel 3, 2021 Wien",
        "Version 3, 2007 Paris",
        "see Table 5, 12345 Berlin",
        "ICML 12, 2004 Wien",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "town", "marked"),
    [
        ('{"plz_ort": "5020 Salzburg"}', "Salzburg", "5020"),
        ('{"gemeente": "2000 Antwerpen"}', "Antwerpen", "2000"),
        ("Norrby 14, 745 92 Enköping", "Enköping", "Norrby 14, 745 92"),
        ("Hameau de Laval 3\n6680 Sainte-Ode", "Sainte-Ode", "Hameau de Laval 3\n6680"),
        ("rua augusta 12, 1100-053 lisboa", "lisboa", "1100-053"),
        ("Brighton VIC 3186", "Brighton VIC", "3186"),
        ("Springfield, IL 62701", "Springfield", "IL 62701"),
        ("Pune - 411045", "Pune", "411045"),
        ("Aylesbury HP20 1AA", "Aylesbury", "HP20 1AA"),
        ("Limerick V94 T28R", "Limerick", "V94 T28R"),
        ("12 Baggot St., Dublin 4", "Dublin", "4"),
    ],
)
def test_the_postcode_beside_a_town_is_part_of_the_address(text: str, town: str, marked: str) -> None:
    start = text.index(town)
    assert [text[span.start : span.end] for span in postcodes(text, start, start + len(town))] == [marked]


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("The 2015 Paris agreement", "Paris"),
        ("In 2024, 2016 Berlin was quiet", "Berlin"),
        ("it cost $12345 Berlin paid", "Berlin"),
        ("Berlin 2024", "Berlin"),
        ("3.10115 Rome", "Rome"),
    ],
)
def test_a_year_and_a_sum_beside_a_town_are_no_postcode(text: str, town: str) -> None:
    start = text.index(town)
    assert list(postcodes(text, start, start + len(town))) == []


@pytest.mark.parametrize(
    "address",
    [
        "12 rue des lilas, 75011 Paris", "rue Perrin, 97146 Faivre", "13 Faubourg Saint Honoré, 64000 Pau",
        "Via Torre di Mezzavia 48", "Via Roma 1, 20121 Milano (MI)", "Calle Mayor 5, Sevilla, 41001",
        "Av. Zumalakarregi 99, 03179 Formentera del Segura", "Calle Real s/n, 28013 Madrid",
        "Ctra. de Siles 91", "Rúa do Paseo 11", "Acceso Pascuala Ibáñez 36", "Av Machado, 62",
        "Obere Bahnhofstrasse 9", "Korte Noordstraat 136, 1480 Tubize",
        "Store Kongensgade 4", "Victorialaan 09", "Oravapolku 3, 72682 Ilomantsi", "plac Staszica 61",
        "912-914 8TH ST, CLARKSTON, WA 99403", "30 West 26th Street Sixth Floor", "123 Main St Apt No. 456",
        "8592 Price Motorway, Lake Heather, VA 88738", "54336 Samantha Islands Apt. 460",
        "Flat 3, Victoria Court, Leeds LS1 4AP", "12 Main Street, Dublin 4, D04 X2Y3",
    ],
)  # fmt: skip
def test_addresses_of_strangers_are_found_whole(address: str) -> None:
    assert found(f"Bitte an / to: {address}.") == [address]


def test_postcode_and_town_may_stand_on_two_lines() -> None:
    assert found("Adres:\nOtisbaan 5\n2190\nCharleroi\n") == ["Otisbaan 5\n2190\nCharleroi"]
    flat = "Flat 6\nHaynes Mountains\nPhillipstad\nGY34 3TG"
    assert found(flat) == [flat]


def test_a_first_name_belongs_to_the_street_where_it_begins_no_sentence() -> None:
    assert found("Ik woon aan de Joan Maetsuyckerstraat 15.") == ["Joan Maetsuyckerstraat 15"]
    assert found("Op Keizersgracht 12.") == ["Keizersgracht 12"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("The flat at 9 Main Rd, FLUSHING TR11 4FF is empty", "9 Main Rd, FLUSHING TR11 4FF"),
        ("Av. Mayor 99, 03179 Formentera de la semana", "Av. Mayor 99, 03179 Formentera"),
    ],
)
def test_where_an_address_ends(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "text",
    ["1500 Greek Islands", "BGH, Urteil vom 3. Mai 2017 - 2 StR 576/15", "DStR 2012, 527", "am Handy-Markt 07",
     "200 Big Lakes, 300 Old Mills", "Unit 3 Deep Lakes"],
)  # fmt: skip
def test_what_only_looks_like_a_rare_street(text: str) -> None:
    assert found(text) == []
