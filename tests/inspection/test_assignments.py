"""Passwords and secrets by the name before them: settings, SQL, tables, commands; and what stands there in code."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Mode, Settings
from sidecar.inspection.engine import Engine
from tests.inspection.cost import assert_linear

TYPES = frozenset({"PASSWORD", "API_KEY", "PRIVATE_KEY", "JWT"})
ENGINE, STRICT = Engine(Settings(entities=TYPES)), Engine(Settings(entities=TYPES, mode=Mode.STRICT))
HEX = "7f045f89b38f0a883099b1b0d38bb421"
MADE = "q7Zk2LmN9vXc4RtY8wBs3HdF6jKpQ1eU"
UUID = "7fbad897-1a5f-4bfb-ab1b-f49b0d9eb878"


def found(text: str, engine: Engine = ENGINE) -> list[str]:
    return [text[span.start : span.end] for span in engine.find(text)]


PASSWORDS = [
    ("DB_PASS=S3cret99", "S3cret99"),
    ("SMTP_PASS=Winter!24", "Winter!24"),
    ("export DB_PASS=kaninchen", "kaninchen"),
    ("DB_PASSWORD=ab12&cd;ef,gh", "ab12&cd;ef,gh"),
    ("smtpPass=S3cret99", "S3cret99"),
    ('"smtpPass": "S3cret99"', "S3cret99"),
    ("db_pass: 'Tiger!88'", "Tiger!88"),
    ("dbpassword=S3cret99", "S3cret99"),
    ("user: jdoe pass: Tiger!88", "Tiger!88"),
    ("pass: S3cret99", "S3cret99"),
    ("pw: S3cret99, please reset it", "S3cret99"),
    ("PIN: 4711", "4711"),
    ("the pin of my card? my pin is 4711.", "4711"),
    ("Meine PIN lautet 4711", "4711"),
    ("PUK: 12345678", "12345678"),
    ('{"pinCode": "4711"}', "4711"),
    ("password: changeme", "changeme"),
    ('"password": "changeme"', "changeme"),
    ("services:\n  db:\n    environment:\n      - MYSQL_PASSWORD=changeme\n", "changeme"),
    ("password: correct horse battery staple", "correct horse battery staple"),
    ("x=1\npassword=mein hund bello\ny=2", "mein hund bello"),
    ('{"passphrase": "correct horse battery staple"}', "correct horse battery staple"),
    ("INSERT INTO users (name, password) VALUES ('jdoe','S3cret99!x')", "S3cret99!x"),
    ("insert into `users` (`id`, `pwd`)\nvalues (1, NOW()), (2, 'it''s S3cret')", "it''s S3cret"),
    ("CREATE USER 'app'@'%' IDENTIFIED BY 'Tiger!88';", "Tiger!88"),
    ("name;passwort\nann;Tiger!88\n", "Tiger!88"),
    ('email,password,role\n"a","Ti,ger!88",admin\n', "Ti,ger!88"),
    ("| user | password |\n|---|---|\n| jdoe | S3cret99 |\n", "S3cret99"),
    ('<add key="SmtpPassword" value="Tiger!88" />', "Tiger!88"),
    ("<password>Tiger!88</password>", "Tiger!88"),
    ("- name: DB_PASSWORD\n  value: S3cret99\n", "S3cret99"),
    ('builder.password("S3cret99!")', "S3cret99!"),
    (f"password_hash: $2b$12${HEX}", f"$2b$12${HEX}"),
    ("sshpass -p 'S3cret99' ssh root@host", "S3cret99"),
    ("curl -u admin:Sup3rS3cret! https://acme.example", "Sup3rS3cret!"),
    ("mysql -u root -p'S3cret99' crm", "S3cret99"),
    ("ldapsearch -D cn=admin,dc=acme -w Geheim!2024", "Geheim!2024"),
    ("net user jdoe Tiger!88 /add", "Tiger!88"),
    ("htpasswd -b .htpasswd jdoe Tiger!88", "Tiger!88"),
    ("login jdoe / Tiger!88", "Tiger!88"),
    ('smtp.login(sender, "Gh7!kk29")', "Gh7!kk29"),
    ('$db = mysqli_connect("localhost", "shop_user", "Gh7!kk29", "shop");', "Gh7!kk29"),
]  # fmt: skip
SECRETS = [
    ("JWT_SECRET=my-super-secret-jwt-key", "my-super-secret-jwt-key"),
    ('  jwt_secret: "my-super-secret-jwt-key"', "my-super-secret-jwt-key"),
    (f"SESSION_SECRET={HEX}", HEX),
    (f'{{"apikey": "{MADE[:20]}"}}', MADE[:20]),
    ("APIKEY=e92c9a33f5d8376c", "e92c9a33f5d8376c"),
    ("api_key=cGHZVIVI1EEKqcq551cW", "cGHZVIVI1EEKqcq551cW"),
    ("secret=hunter27", "hunter27"),
    (f"csrf_token={HEX}", HEX),
    (f"refresh_token=1//0{MADE}", f"1//0{MADE}"),
    (f"APP_KEY=base64:{MADE}vNQ=", f"base64:{MADE}vNQ="),
    (f"CODECOV_TOKEN={UUID}", UUID),
    (f"TS_AUTHKEY=tskey-auth-{MADE[:12]}CNTRL-{MADE}", f"tskey-auth-{MADE[:12]}CNTRL-{MADE}"),
    (f"it answered ya29.a0{MADE}_{MADE}", f"ya29.a0{MADE}_{MADE}"),
    (f"cookie: session={HEX}", HEX),
    ("PHPSESSID=pajw8u3faqdsfv95a9t61cmnxg", "pajw8u3faqdsfv95a9t61cmnxg"),
    (f"jsessionid={MADE}", MADE),
    (f"?sv=2022-11-02&sp=rwdlac&sig={MADE}lSXo4tHN8NM%3D", f"{MADE}lSXo4tHN8NM%3D"),
    (f"- name: JWT_SECRET\n  value: {MADE}", MADE),
    (f"my token is {MADE} and it fails with 401", MADE),
    (f"heroku api key {UUID}", UUID),
    (f"use r8_{MADE}aB3dE please", f"r8_{MADE}aB3dE"),
    (f"sbp_{HEX}7f045f89", f"sbp_{HEX}7f045f89"),
    (f"figd_{MADE}aB3dE5gH", f"figd_{MADE}aB3dE5gH"),
    (f"sqp_{HEX}7f045f89", f"sqp_{HEX}7f045f89"),
    (f"pcsk_4aB3dE_{MADE}{MADE[:31]}", f"pcsk_4aB3dE_{MADE}{MADE[:31]}"),
    (f"lsv2_pt_{HEX}_b3f97aae9c", f"lsv2_pt_{HEX}_b3f97aae9c"),
    (f"telegram bot 6625899885:AA{MADE}x", f"6625899885:AA{MADE}x"),
    (f"mailchimp {HEX}-us14", f"{HEX}-us14"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [*PASSWORDS, *SECRETS])
def test_a_secret_behind_its_name_is_found_whole(text: str, value: str) -> None:
    assert value in found(text)
    assert value in found(text, STRICT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("password=Tr0ub4dor&3xyz; server=db", "Tr0ub4dor&3xyz"),
        ("Server=db;Password=Tr0ub4dor&3xyz;User Id=sa", "Tr0ub4dor&3xyz"),
        ("host=db password=T&r0ub4dor&3 user=app", "T&r0ub4dor&3"),
        ('dsn="Server=db;Password=Tr0ub4dor&amp;3xyz;User=sa"', "Tr0ub4dor&amp;3xyz"),
        ('<add key="SmtpPassword" value="Tr0ub4dor&amp;3xyz"/>', "Tr0ub4dor&amp;3xyz"),
        ("pw: S3cret&99, please reset it", "S3cret&99"),
        ("pin=S3cret&99, card", "S3cret&99"),
        ("secret=x7!k2&w8z^e1; server=db", "x7!k2&w8z^e1"),
        (f"client_secret={MADE[:16]}&{MADE[16:]}; scope=x", f"{MADE[:16]}&{MADE[16:]}"),
    ],
)
def test_an_ampersand_within_a_line_belongs_to_the_value(text: str, value: str) -> None:
    assert found(text) == [value]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/login?", "&user=y"),
        ("/login?", "&debug"),
        ("a=b&", "&d=e"),
        ("a=b&", "&remember"),
        ("/x?a=b&amp;", "&amp;remember"),
        ("#", "&state"),
        ("-d ", "&x=1; echo"),
        ("", "&quot; and"),
        ("", "& echo"),
        ("run ", "&& echo"),
    ],
)
@pytest.mark.parametrize(("name", "value"), [("password", "hunter22"), ("access_token", MADE)])
def test_in_a_query_or_a_form_it_ends_the_value(before: str, after: str, name: str, value: str) -> None:
    assert found(f"{before}{name}={value}{after}") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "if x:\n    pass\nelse: pass",
        "tests: 45 pass: 43 fail: 2",
        "pass: 100%, second pass: 12.5ms",
        "pass=1 fail=0",
        "bypass: yes; compass: N42",
        "pw = pulse_width2",
        "pw: 12ms",
        "LED_PIN = 13",
        "pin: GPIO17",
        "Pin 4 of J1204, pins 1000",
        "password = get_password()",
        "password = getpass.getpass()",
        "self.password = other.password",
        "hashed_pass = logpass.split()",
        "connect(user=user, password=passwd)",
        "def login(username: str, password: str) -> Token:",
        "  password: string;",
        "password: String!",
        "    password: the password of the user",
        "    password: user login name or nothing",
        "    password: account secret kept by caller",
        '"password": "Enter your password"',
        '"password": "mot de passe oublié"',
        "password: required",
        "Passwort: vergessen?",
        "Passwort: bitte neu eingeben",
        "Password: <your password>",
        "PASSWORD=xxxxxxxx",
        "PASSWORD=CHANGE_ME",
        "DB_PASS=$DB_PASS",
        "DB_PASS=${DB_PASS:-}",
        "DB_PASS=",
        "INSERT INTO users (name, password) VALUES (?, ?)",
        "INSERT INTO passwords (name, note) VALUES ('jdoe', 'S3cret99')",
        "user, password\nhost, port99\n",
        "username,\npassword,\nemail\n",
        "name,role\njdoe,S3cret99\n",
        '<input type="password" name="password" value="" required>',
        '<th>Password</th><td>Role2</td>',
        "token = next(tokens)",
        'Token: "#ddd0c0",',
        "secret: str",
        'api_key=os.environ["OPENAI_API_KEY"]',
        "apiKey: process.env.API_KEY",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        'api_key = "<your key>"',
        'api_key="YOUR_API_KEY"',
        'token_type = "bearer"',
        'nextPageToken: "page-2"',
        "secret:\n  secretName: my-app-tls-secret",
        "secret: my-app-tls-secret",
        'const STORAGE_KEY = "todos-vuejs-2.0"',
        'cache_key = "users:list:v2"',
        "key: sha256_v2_utf8",
        "key=lambda item: item.name2",
        "primary_key=id1",
        "tokenizer.eos_token = '</s>'",
        "the token is then refreshed by the server",
        "model: gemini-2.5-pro-preview-05-06, max tokens 4096",
        "public_key: 04a1b2c3d4e5f6a7b8c9d0e1f2",
        "curl -u $USER:$PASS https://acme.example",
        "curl -u user https://acme.example",
        "redis-cli -a $REDIS_PASSWORD ping",
        "live_reload, fw_version, sk_test and secret_name",
        "login page / step2",
        "app.login(user, 'viewer')",
        "IDENTIFIED BY '<password>'",
        "token = flags_of_it&0xff12ab34;",
    ],
)  # fmt: skip
def test_what_code_and_prose_write_there_is_none(text: str) -> None:
    assert found(text) == []


HOSTILE = {
    "tokens": "token=",
    "made tokens": "token=aB3.",
    "keys": "api_key ",
    "passes": "pass: ",
    "lines": "password=a b\n",
    "headings": "password,user\n",
    "wide headings": "password," * 12 + "\n",
    "inserts": "insert into t (password) values ('",
    "rows": "insert into t (password) values " + "('a'),",
    "identified": "identified by '",
    "curl": "curl -u a:",
    "attributes": 'password"   ,   ',
    "ampersands": "password=a&b&amp;c",
    "led ampersands": "?&#password=ab1&x2 ",
    "secret ampersands": "secret=" + "a1&" * 90 + " ",
    "signatures": "&sig=aB3",
    "pins": "pin is ",
    "logins": "login( a ,",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_twice_the_text_costs_about_twice_the_time(kind: str) -> None:
    assert_linear(ENGINE, HOSTILE[kind])
