"""Secrets as providers, daemons, routers, wallets and people write them; every value is made here, opening nothing."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.secrets import SECRET_TYPES
from tests.inspection.cost import assert_linear

ENGINE = Engine(Settings(entities=frozenset(SECRET_TYPES)))
EVERY = Engine(Settings())
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def made(size: int, signs: str = LETTERS + "0123456789") -> str:
    """The same ones every time, with a letter and a figure at least."""
    source = random.Random(size)
    return "".join(source.choice(signs) for _ in range(size - 2)) + "a7"


def figures(size: int) -> str:
    return made(size, "0123456789abcdef")


def covered(text: str, value: str, engine: Engine = ENGINE) -> bool:
    start = text.index(value)
    places = range(start, start + len(value))
    spans = engine.find(text)
    return all(any(span.start <= at < span.end for span in spans) for at in places if text[at].isalnum())


UUID = f"{figures(8)}-{figures(4)}-{figures(4)}-{figures(4)}-{figures(12)}"
PREFIXES = {
    "Neon": "napi" + "_" + made(64).lower(), "Netlify": "nfp" + "_" + made(36), "Render": "rnd" + "_" + made(28),
    "Fly.io": "FlyV1 fm2" + "_" + made(80), "Mapbox": "sk." + "eyJ" + made(60) + "." + made(22),
    "Sourcegraph": "sgp" + "_" + figures(16) + "_" + figures(40), "PostHog": "phx" + "_" + made(43),
    "Honeycomb": "hcaik" + "_" + made(58).lower(), "LaunchDarkly": "sdk" + "-" + UUID,
    "Buildkite": "bkua" + "_" + figures(40), "NuGet": "oy2" + made(43).lower(), "crates.io": "cio" + made(32),
    "Dropbox": "sl" + ".B" + made(130), "Adafruit": "aio" + "_" + made(28), "Facebook": "EAA" + "C" + made(120),
    "Typeform": "tfp" + "_" + made(44) + "_" + made(14), "Amazon MWS": "amzn" + ".mws." + UUID,
    "Firecrawl": "fc" + "-" + figures(32), "Voyage": "pa" + "-" + made(43), "Cerebras": "csk" + "-" + made(48).lower(),
    "Google, authorization code": "4/" + "0A" + made(60), "Azure DevOps": made(76) + "AZDO" + made(4),
    "Google, Gemini": "AQ." + "Ab8" + made(45), "Vercel": "vc" + "k_" + made(30) + "-" + made(28),
    "Onfido": "api" + "_live_us." + made(14), "DevCycle": "dvc" + "_server_" + made(14), "Brave": "BSA" + made(27),
    "Alibaba": "LTAI" + "5t" + made(18), "MailerSend": "mlsn" + "." + made(64), "Exoscale": "EXO" + made(26),
    "Grafana": "eyJr" + "Ijoi" + made(60), "DataStax": "AstraCS" + ":" + made(24) + ":" + figures(64),
    "Tableau": made(22) + "==:" + made(32), "Swarm, unlock": "SWMKEY" + "-1-" + made(43),
    "Asaas": "$aact" + "_prod_" + made(60),
}  # fmt: skip


@pytest.mark.parametrize("name", PREFIXES)
def test_a_key_by_its_prefix_or_its_end(name: str) -> None:
    assert covered(f"it leaked: {PREFIXES[name]}\n", PREFIXES[name])


UNKNOWN = {
    "of one word": "zqx" + "_" + made(24), "of three": "qr_live_sk" + "_" + made(20), "in capitals": "ZQX-" + made(36),
    "with signs": "zqx-" + made(22) + "-" + made(12) + "_" + made(9), "hexadecimal": "qr3_" + figures(40),
    "figures and small letters": "qr3_" + made(40).lower(),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("text", ["{}", "we rotated {} today.", '["{}"]', "X={}\n"])
def test_a_key_with_a_prefix_that_nobody_has_told_us(name: str, text: str) -> None:
    """Of 473 rules of another scanner's, half of them for services unknown here, 0.71 were covered; 0.80 so."""
    assert covered(text.format(UNKNOWN[name]), UNKNOWN[name])


NUMBERED = [
    '{"id": "chatcmpl-' + made(29) + '"}', "tool_call_id: call_" + made(24), "msg_" + made(24), "pi_" + made(24),
    "sha512-" + made(86) + "==", "sha256-" + made(43) + "=", "commit-" + figures(40), "build_" + figures(32),
    '<div class="Button-module_root__' + made(20) + '">', '"index-' + made(24) + '.js"', "vpc-" + figures(17),
    "kubectl logs my-app-7d9f8b6c5d-x2x4z", "gpt-4o-mini-2024-07-18", "feature/JIRA-1234-add-oauth2-Login-Page-v2",
    "rollout-2026-11-20T14-33-22-0199a213-81c0-7800-8aa1-bbab2a035a53.jsonl", "qwen2.5-vl-72b-instruct-awq",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "test_" + made(24), "utf8_general_ci_1234567890_abcdef",
    "Python-3.11.7-Darwin-arm64-Build-20231204", "trace-" + made(24),
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERED, ids=lambda text: text[:16])
def test_numbers_sums_names_of_files_and_parts_of_public_keys_are_no_keys(text: str) -> None:
    assert ENGINE.find(f"see {text} there") == []


CRYPT = made(86)
HASHED = (
    "$apr1$" + made(8) + "$" + made(22), "$1$" + made(8) + "$" + made(22), "$6$" + made(16) + "$" + CRYPT,
    "$2y$12$" + made(53), "$y$j9T$" + made(22) + "$" + made(43), "{SHA}" + made(27) + "=", "{SSHA}" + made(32),
    "$argon2id$v=19$m=65536,t=3,p=4$" + made(22) + "$" + made(43), "pbkdf2_sha256$600000$" + made(22) + "$" + made(43),
    "scrypt:32768:8:1$" + made(16) + "$" + figures(128), "aad3b435b51404eeaad3b435b51404ee:" + figures(32),
    "SCRAM-SHA-256$4096:" + made(22) + "==$" + made(43) + "=:" + made(43) + "=",
)  # fmt: skip


@pytest.mark.parametrize("value", HASHED, ids=lambda value: value[:14])
def test_a_hash_of_a_password_says_its_own_scheme(value: str) -> None:
    for text in (f"bob:{value}:19000:0:99999:7:::\n", f"VALUES (1, 'bob', '{value}')"):
        assert covered(text, value)


PLACED = [
    ("https://discord.com/api/webhooks/{}", "1" * 18 + "7/" + made(68)),
    ("https://hooks.zapier.com/hooks/catch/{}/", "5734836/uc2ijq1"),
    ("https://calendar.google.com/calendar/ical/x%40x.example/private-{}/basic.ics", figures(32)),
    ("https://app.example/reset-password/{} is good for an hour", made(43)),
    ("redis-server --requirepass {}", "k9Lantern"),
    ("requirepass {}\n", "lanternfish"),
    ("bindpw {}\n", "b1nd-pw-x"),
    ("ldap_default_authtok = {}\n", "sssd-T0k"),
    ("rocommunity {} 10.0.0.0/8", "r0-c0mm"),
    ("snmp-server community {} RW", "sn-rw-77"),
    ("enable secret 5 {}", "$1$mERr$" + made(22)),
    ("username admin password 7 {}\n", "0822455D0A16"),
    ("crypto isakmp key {} address 192.0.2.1", "ipsec-Psk9"),
    ("ip ospf message-digest-key 1 md5 {}", "0spf-md5"),
    ("rootpw --plaintext {}\n", "k1ckst4rt"),
    ("-----BEGIN OpenVPN Static key V1-----\n{}\n-----END", "\n".join([figures(32)] * 16)),
    ("openssl pkcs12 -in x.p12 -passin pass:{} -out y", "p12-pass"),
    ("zip -P {} a.zip b", "z1p-it"),
    ("net use Z: \\\\srv\\share /user:CORP\\bob {}", "N3t-Use"),
    ("smbclient //srv/x -U bob%{}", "smb-9x"),
    ("snmpwalk -v2c -c {} 192.0.2.1", "pr1v-comm"),
    ("keytool -importkeystore -srcstorepass {} -deststorepass x", "st0repass"),
    ("echo '{}' | sudo -S apt update", "pipe-Pw1"),
    ('echo "bob:{}" | chpasswd', "ch-passwd8"),
    ("mongosh -u admin -p {} --authenticationDatabase admin", "m0ng0sh"),
    ("http -a me:{} https://x.example", "httpie9"),
    ("sqlplus system/{}@//db:1521/XE", "man4ger"),
    ("jdbc:oracle:thin:scott/{}@db:1521/ORCL", "tig3rX"),
    ('sql.Open("mysql", "root:{}@tcp(127.0.0.1:3306)/x")', "g0-sql-pw"),
    ("curl -u {}: https://x.example", "sk_" + "test_" + made(24)),
    ("https://x.example/maps?key={}&v=3", "AI" + "za" + made(35)),
    ('<string name="google_api_key">{}</string>', "AI" + "za" + made(35)),
    ('DriverManager.getConnection("jdbc:x", "root", "{}");', "dr1ver-m"),
    ('HTTPBasicAuth("user", "{}")', "b4sic-Auth"),
    ('$p = ConvertTo-SecureString "{}" -AsPlainText', "P0werSh3ll!"),
    ("jwt.sign(payload, '{}')", "my-sup3r-jwt-s3cret"),
    ('Algorithm.HMAC256("{}")', "j4va-jwt-s3cret"),
    ('var jwtKey = []byte("{}")', "my_s3cret_jwt_key"),
    ('Fernet(b"{}")', made(43) + "="),
    ('new Twilio("AC' + figures(32) + '", "{}")', figures(31)[::-1] + "b"),
    ('"adminPassword": {{"value": "{}"}}', "Arm-T3mplate"),
    ("DBPassword:\n    Default: {}\n", "cfn-D3fault"),
    ("<key>ApiSecret</key><string>{}</string>", made(32)),
    ('<wsse:Password Type="PasswordText">{}</wsse:Password>', "ws-s3c"),
    ("<Password><Value>{}</Value></Password>", "Unatt3nd"),
    ("define('NONCE_SALT', '{}');", "1fGjbb(#KG^(.RD><jG/9r#@1$=:#VIG~%57hUInCEl2a No;QOq@%9CX/uUx@0k"),
    ('{{"name": "Authorization", "value": "Bearer {}"}}', made(60)),
    ('token = "Bearer {}"', made(40)),
    ("csrftoken={}; path=/", made(64)),
    ("grant_type=authorization_code&code={}&client_id=abc", made(40)),
    ("setup key for the authenticator: {}", "b543 vdm3 camm xs3y g2g3 fncv rjop uklq"),
    ("localhost:5432:app:app:{}\n", "pgP4ss"),
    ('{{"kty":"EC","crv":"P-256","x":"xx","d":"{}"}}', made(43)),
    ("Recovery codes:\n1. 32292-f96f1\n2. {}\n", "13676-db75c"),
    ("Backup codes for mail: 4103 8518, {}", "7589 1357"),
    ("my seed phrase is {}", "orbit anchor amazing animal angle around ability above arctic advice kitchen velvet"),
    ("le mot de passe du wifi est {} merci", "Coquelicot34"),
    ("la contraseña del wifi es {}", "Girasol2024"),
    ("la password del wifi è {}", "Girasole88"),
    ("hasło do serwera: {}", "Stokrotka77"),
    ("Passwort vom Router: {}", "Hortensie5"),
    ("lösenordet är {}", "Midsommar9!"),
    ("the password for the router is {}", "Fuchsia-88"),
    ("I forgot my password, I think it was Summer2019! or {}", "Summer2020!"),
    ("creds for staging: admin / {}", "St4ging-now"),
    ("the door code is {}", "4471"),
    ("PIN für die Garage: {}", "5820"),
    ("Hab das Passwort auf {} geändert", "Kirschtorte22!"),
    ("Le mot de passe administrateur est « {} »", "Montgolfi3re!"),
    ("here is my key's passphrase: {}", "Hedgehog&Fox8"),
    ('{{"db": {{"user": "x", "pass": "{}"}}}}', "js0n-pass"),
    ("AK" + "IA" + "ABPQIYFLG5TTQ3OZ / {}", made(40)),
    ("[smtp.x.example]:587 user@x.example:{}\n", "sasl-P4sswd"),
    ("flask run --secret {}", "fl4sk-cli-x"),
    ("GET /v1/x?appid={}&q=Berlin HTTP/1.1", figures(32)),
    ("Your verification code is {}.", "581897"),
]


@pytest.mark.parametrize(("text", "value"), PLACED, ids=lambda part: part[:40])
def test_a_secret_by_its_place(text: str, value: str) -> None:
    assert covered(text.format(value), value)


def base58(data: bytes) -> str:
    data += sha256(sha256(data).digest()).digest()[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


SEED = sha256(b"nobody's").digest()
WALLET_KEYS = (
    base58(b"\x80" + SEED), base58(b"\x80" + SEED + b"\x01"),
    base58(bytes.fromhex("0488ADE4") + bytes(9) + SEED + b"\0" + SEED),
)  # fmt: skip


@pytest.mark.parametrize("key", WALLET_KEYS, ids=lambda key: key[:4])
@pytest.mark.parametrize("engine", [ENGINE, EVERY], ids=["secrets", "every type"])
def test_a_wallets_private_key_by_its_checksum(key: str, engine: Engine) -> None:
    assert [span.entity for span in engine.find(f"import {key} now")] == ["PRIVATE_KEY"]
    assert engine.find(f"import {key[:-1]}{'2' if key[-1] != '2' else '3'} now") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            f"post to https://x.webhook.office.com/webhookb2/{UUID}@{UUID}/IncomingWebhook/{figures(32)}/{UUID} now",
            UUID,
        ),
        (f"token ZXlK{'aGJHY2lPaU'}{made(60)}\n", "ZXlK" + "aGJHY2lPaU" + made(60)),
    ],
    ids=["a webhook", "a token in base64"],
)
def test_a_secret_is_marked_whole(text: str, value: str) -> None:
    """Both were marked by a piece of gitleaks' expression: a few letters of the secret, and the rest left."""
    assert covered(text, value)


@pytest.mark.parametrize(
    "text",
    [
        "let signing_key = signature::Ed25519KeyPair::from_pkcs8(k);",
        "self.token = OAuth2Token.from_dict(token)",
        "Username: opt.Username,", "user_id: i32,", "`logIn`, `logOut`",
        '"pbkdf2-password": "^1.2.1",',
        "$password = Read-Host",
        "https://graph.facebook.com/v13.0", "https://api.twitter.com/oauth/access_token",
        "specified in the requirepass server configuration option",
        '{"pass": "12 of 13", "fail": "0"}', '{"pass": "99.5%"}', "curl --token-file x", "set --secret-name my-object",
        "password 5 characters long", "zip -r a.zip b", "echo hello | grep x",
        "the mnemonic is stored in a safe and the key was put there for good by her and us",
        "my password algorithm is Argon2id", "password must contain: letters and figures",
        "await login(page, 'firstname')", "auth(user, 'read')",
        '{"kty":"RSA","n":"' + made(60) + '","e":"AQAB"}',
        "replace('(a)', '$1$2')", "see /invite/to-all-our-members-and-friends",
        "golang.org/x/sys v0.0.0-20180830151530-49385e6e1522/go.mod h1:x",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc // indirect",
        "gopkg.in/check.v1 v0.0.0-20161208181325-20d25e280405/go.mod h1:Co6ibVJAznAaIkqp8huTwlJQCZ016jof",
        "Boston, MA   02110-1301 USA.",
    ],
)
def test_versions_of_modules_and_postal_codes_are_no_numbers_of_people(text: str) -> None:
    assert {span.entity for span in EVERY.find(text)} <= {"STREET_ADDRESS"}


@pytest.mark.parametrize(
    "unit",
    ['"kty', '{"kty": ', "echo a|", "totp ", "password to a ", "backup code 1 ", "seed phrase ab ", ":*:*:", "$6$a",
     "sqlcmd -", "jwt.sign(a ", "reset-password/", '"random_password" ', "-20", "secretKey>a"],
)  # fmt: skip
def test_cost_stays_linear(unit: str) -> None:
    assert_linear(EVERY, unit)


@pytest.mark.parametrize("reference", ["&#11;", "&#127;", "&#xFFFE;", "&#xFDD0;"])
def test_a_reference_to_what_html_forbids_breaks_nothing(reference: str) -> None:
    """It decodes to nothing at all, on which the way back to the offsets once broke."""
    text = f"a {reference} b, my password is Tr0ub4dor&3"
    assert covered(text, "Tr0ub4dor&3", EVERY)
