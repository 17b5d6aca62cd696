"""Classes that a set of prompts written by a stranger to these rules showed: numbers of customers, brackets around
phones, user names in sentences, secrets with blanks; each with what looks like it and is none."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in ENGINE.find(text)]


def values(text: str, entity: str) -> list[str]:
    return [value for name, value in found(text) if name == entity]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Meine Kundennummer lautet 77-4410-92.", "77-4410-92"),
        ("Bitte Vertrags-Nr. V 2021/00934 kündigen", "V 2021/00934"),
        ("Schaden-Nr.: S-2024-118830", "S-2024-118830"),
        ("her employee no. is EMP/20931", "EMP/20931"),
        ("membership number RX-55120-1 lapsed", "RX-55120-1"),
        ("on policy no. HX/7710032/B", "HX/7710032/B"),
        ("dossier n° 2023-AB-55102, merci", "2023-AB-55102"),
        ("n° de contrat : 00551023", "00551023"),
        ("Matricule K55102", "K55102"),
        ("cliente nº 551023", "551023"),
        ("número de socio: 55.102-3", "55.102-3"),
        ("(expediente EX-2024-5510)", "EX-2024-5510"),
        ("pratica n. 2022/55102", "2022/55102"),
        ("Polizza Generali n. 55/1023/441", "55/1023/441"),
        ("klantnummer 5510233", "5510233"),
        ("personeelsnummer: P-55102", "P-55102"),
        ("(dossier D-2023-55102)", "D-2023-55102"),
        ('{"matricola": "M06833", "sede": "Pisa"}', "M06833"),
        ("<kundennummer>5510233</kundennummer>", "5510233"),
        ("| Kundennummer | 5510233 |", "5510233"),
        ("Mitgliedsnummer\n5510233", "5510233"),
        ("Agent: Und Ihre Kundennummer?\nKunde: Das ist die 88 418 617 4.\nAgent: Danke.", "88 418 617 4"),
        ("- What is your policy number?\n- It's 7710 0328", "7710 0328"),
        ("her employee number, which is E-08120, by noon", "E-08120"),
        ("Re: Claim HX/24/11202", "HX/24/11202"),
        ("Bestellnr. 4711-094278", "4711-094278"),
        ("met ordernummer NL-6783293", "NL-6783293"),
        ("booking reference QU6Q0L", "QU6Q0L"),
        ("frequent flyer FF21960206", "FF21960206"),
        ("Schwerbehindertenausweis Nr. GB 145986", "GB 145986"),
        ("order_id: 0948445-0", "0948445-0"),
        ("Kundenkonto DE-99158685-K", "DE-99158685-K"),
        ("una multa con expediente 28/431213/24", "28/431213/24"),
        ("INSERT INTO staff (emp_no, city) VALUES (10331, 'Ulm');", "10331"),
        ("mon numéro c'est le zéro cinq, cinquante-six, douze, quarante, dix-huit",
         "zéro cinq, cinquante-six, douze, quarante, dix-huit"),
        ("WHERE nachname = 'X' AND geb = '1948-12-03'", "1948-12-03"),
        ("geb. am O4.07.1936", "O4.07.1936"),
        ("foto genomen op 52.09083, 5.12222 door", "52.09083, 5.12222"),
        ("Taxi left at 53.3498,-6.2603 w/ my phone", "53.3498,-6.2603"),
        ("wrong guy, acct 75999697 sc 00-35-91, can", "00-35-91"),
        ("Tessera 80380 001 0407 08463629.", "80380 001 0407 08463629"),
        ("GHIC UK 8015 5507 6953 7928 1675", "UK 8015 5507 6953 7928 1675"),
        ("El alumno Mohamed El Khattabi, de 13 años, ha faltado", "13 años"),
        ("mijn adres lijnbaansgracht 12hs amsterdam", "lijnbaansgracht 12hs"),
        ("oder insta fatou_jllw", "fatou_jllw"),
        ("a ouvert le compte bogdan_v56 à mon nom", "bogdan_v56"),
        ("ALTER USER 'wbeauchamp' PASSWORD EXPIRE", "wbeauchamp"),
        ("usuario;clave;ip\nximoblasco;tr3ncadis!;10.2.3.4\n", "ximoblasco"),
    ],
)
def test_a_number_is_found_by_the_word_for_whose_it_is(text: str, value: str) -> None:
    assert value in [hit for _, hit in found(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Die Kundennummer hat 10 Ziffern und steht in Abschnitt 4.2.1.",
        "contract no. 5 of 2024, signed on 12.03.2024",
        "policy 4.2.1 replaces policy 2024-06-03",
        "the member no. 7 of the struct, at offset 12",
        "matricule 12 du 3 mars 2024",
        "clients n° 1 et n° 2 ; 12345 visiteurs",
        "pratica n. 3 del 2021",
        "une police de 12 points, contrat de 2024",
        "account 2024 and account 3 were closed",
        "klantnummer bestaat uit 7 cijfers",
        "Which customer number?\nThe one of chapter 5.",
        "client RFC2616, claim 2024-03, expediente 12/2024",
        "booking reference in capitals",
        "geb = 'x' and naiss = 'y'",
        "the hauptstraße 5 km on, and a strasse 3 min away",
        "deux, trois, quatre, cinq, six, sept, huit",
        "vector at 0.1234, 0.5678",
        "desc 12-34-56 and misc 00-35-91",
        "create user name, drop user 'root'",
        "    for username, query in rows:\n        connection, query, d\n        continue\n",
    ],
)
def test_a_word_for_a_number_without_one_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("passaporto B07712345, rilasciato a Tunisi", "B07712345"),
        ("paspoortnummer KLM77123C", "KLM77123C"),
        ("son passeport n° AB7712345", "AB7712345"),
    ],
)
def test_a_passport_of_any_country_is_found_behind_the_word(text: str, value: str) -> None:
    assert value in [hit for _, hit in found(text)]


@pytest.mark.parametrize(
    "text", ["passport control opens at 0900", "a passport of 32 pages", "Reisepass 2024 beantragt"]
)
def test_a_passport_without_a_number_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my wife (0161 496 0421) will call", "0161 496 0421"),
        ("Frau Weber (06221 54 31 20) weiß es", "06221 54 31 20"),
        ("la madre (338-7712345) non risponde", "338-7712345"),
        ("Tel.: 0221 / 47 11 08-15", "0221 / 47 11 08-15"),
        ("Fax 089 / 12 34 56 - 30", "089 / 12 34 56 - 30"),
        ("hij werd gebeld op 0612345678", "0612345678"),
    ],
)
def test_a_phone_number_in_brackets_or_with_its_extension_is_found_whole(text: str, value: str) -> None:
    assert values(text, "PHONE_NUMBER") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "the years (2019-2024) and ids (1204551)",
        "microsecond (0-999999)",
        "0.0201 0.0318 0.0463 0.0635 0.0834",
        "GTIN 04006381333931, EAN 4006381333931",
        "part number 661-08412, LCCN 78-890351, CAS 66722-44-9",
    ],
)
def test_figures_in_brackets_and_article_numbers_are_no_phone_numbers(text: str) -> None:
    assert values(text, "PHONE_NUMBER") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my username is tom_baker.", "tom_baker"),
        ("Mein Benutzername hugo_1958 geht nicht", "hugo_1958"),
        ("el usuario es lola.perez71 y ya", "lola.perez71"),
        ("login mdurand, mot de passe oublié", "mdurand"),
        ("gebruiker pdevries, wachtwoord Kaas!1x", "pdevries"),
        ("What is your username?\nBob: zoe_ray77 and I am stuck", "zoe_ray77"),
        ("il m'écrit depuis le compte @zizou_du_13", "zizou_du_13"),
    ],
)
def test_a_user_name_in_a_sentence_is_found(text: str, name: str) -> None:
    assert values(text, "USERNAME") == [name]


@pytest.mark.parametrize(
    "text",
    [
        "login page, login oauth2, login form1",
        "the username is not_found and must be unique",
        "Benutzername und Passwort eingeben",
        "username = var.db_username\npassword = var.db_password",
        "Benutzer: v2.1",
        "the account @ 5 percent",
    ],
)
def test_what_stands_behind_the_word_for_a_user_name_in_manuals_is_none(text: str) -> None:
    assert values(text, "USERNAME") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('variable "db_password" {\n  type = string\n  default = "Winter2023!x"\n}', "Winter2023!x"),
        ('vpn_psk = "haus-und-hof-77"', "haus-und-hof-77"),
        ('SIGNING_SECRET="purple monkey 77 dishwasher"', "purple monkey 77 dishwasher"),
        ("SECRET_KEY=a8!k2p@q9#m$v4&w8z^e1r5t0y3(6i", "a8!k2p@q9#m$v4&w8z^e1r5t0y3(6i"),
        ("GET /x sid=0f3a9c55d1e24b7788aa90bc1d2e3f44 200", "0f3a9c55d1e24b7788aa90bc1d2e3f44"),
        ("mijn ww is Utrecht030", "Utrecht030"),
        ("la clave de acceso Burgos_12 no va", "Burgos_12"),
        ("votre code secret 7731 est faux", "7731"),
        ("Votre mot de passe ?\nClient : c'est Annecy-74! voilà", "Annecy-74!"),
    ],
)
def test_a_secret_is_found_whole(text: str, value: str) -> None:
    assert value in [hit for _, hit in found(text)]


@pytest.mark.parametrize(
    "text",
    [
        'variable "db_password" {\n  type = string\n  sensitive = true\n}',
        "TLS_PSK_WITH_AES_128_CBC_SHA and psk = None",
        'CLIENT_SECRET="the value of the client secret"',
        "sid=1234 and ssid=0f3a9c55d1e24b7788aa90bc1d2e3f44",
        "WW 2 ended in 1945; the code secret of the guild",
    ],
)
def test_what_looks_like_a_secret_is_none(text: str) -> None:
    assert found(text) == []


def test_a_form_of_settings_is_not_taken_to_its_end() -> None:
    """Behind `&` stands the next field, unless a setting's name says that the line is one value."""
    assert "client_id" not in str(found("token=0f3a9c55d1e24b7788aa90bc&client_id=shop"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("unser Passat KA-RL 771 stand da", "KA-RL 771"),
        ("mi coche es 7712-KLM", "7712-KLM"),
        ("permis n° 16BD55102", "16BD55102"),
        ("RPPS 10005510234", "10005510234"),
        ("GMC 7055102", "7055102"),
        ("longarts (BIG 39055102301)", "39055102301"),
        ("permesso di soggiorno I05510234", "I05510234"),
        ("son INE 055102377KB", "055102377KB"),
        ("CIP: MRTN750101912345", "MRTN750101912345"),
        ("Rossi Mirella, nata 05/11/1971", "05/11/1971"),
    ],
)
def test_a_number_with_a_form_and_a_word_is_found(text: str, value: str) -> None:
    assert value in [hit for _, hit in found(text)]


@pytest.mark.parametrize(
    "text",
    [
        "laut VO-EG 1998 für Bremsen",
        "pieza 7712-KLM del catálogo",
        "nata ieri, riunione del 30/01/2020",
        "la NATO 12.03.1999",
    ],
)
def test_the_form_or_the_word_alone_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.53.1", "0.0.0.0", "0.0.0.0/0", "255.255.255.0", "::1"])
def test_addresses_of_every_machine_are_nobodys(address: str) -> None:
    assert found(f"listen {address} port 80") == []


@pytest.mark.parametrize("address", ["10.0.0.1", "12.7.0.1", "192.168.1.4", "255.1.2.3", "2001:db8::1", "0.0.0.1"])
def test_addresses_of_one_machine_are_found(address: str) -> None:
    assert found(f"listen {address} port 80") == [("IP_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "C/ Urbieta 14, 2.º izda.\n20006 Donostia",
        "Via Roma 3, interno 5, scala C, 10121 Torino",
        "calle Colón 9, pta. 3, 46004 Valencia",
        "Flat 2, 17 Mill Road, Hounslow, Middlesex, TW3 1AA",
    ],
)
def test_door_and_stair_part_no_address_from_its_town(text: str) -> None:
    assert values(text, "STREET_ADDRESS") == [text]


@pytest.mark.parametrize(
    "text", ["Sitzplatz 32 bis 85 €", "Garantie 24 maanden", "from 12 April to 20 October. Forest covers it"]
)
def test_seats_guarantees_and_ends_of_sentences_are_no_streets(text: str) -> None:
    assert values(text, "STREET_ADDRESS") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Codice fiscale: 00743110157", "00743110157"),
        ("IMEI 35686800-004141-20", "35686800-004141-20"),
        ("IMEI: 35686800-004141", "35686800-004141"),
        ("(centralino 0315077927)", "0315077927"),
        ("Elle a appelé depuis le 0546631447 hier", "0546631447"),
    ],
)
def test_numbers_as_public_tools_write_them(text: str, value: str) -> None:
    assert value in [span for _, span in found(text)]
