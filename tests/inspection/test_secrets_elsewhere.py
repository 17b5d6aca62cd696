"""Secrets in places that nobody had thought of: each by one example that is found; and what only looks like one."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())
MADE = "IafclDf7GpNYVObRCo0jmSYCWHcr95CC"
HEX = "9f7f008fc1f4b5990f9751f06a2e3b1f"
BEARER = "A" * 22 + "MVq99jXZ99Gn7SHjU6QwXbXks%3D1NKKOXVtingsF5CvmOea49IO1Jg7A0DKJhpuR8Wn7UQ8r27NY3"
SEED = "orbit anchor amazing animal angle around ability above arctic advice kitchen velvet"
LETTERS = "sk-lzktdnrojcbmxwazjlrdndodbunnsdjhvmckokmhgsrnflgm"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("wget --user=mirror --password='Zx9)lantern' -r https://dist.acme.example/", "Zx9)lantern"),
        ("sshpass -p 'c0pper kettle' ssh root@db", "c0pper kettle"),
        (f"I copied config/master.key there, it contains\n\n{HEX}\n\nis that right?", HEX),
        ('network={\n    psk="kaffee&kuchen um vier"\n}', "kaffee&kuchen um vier"),
        ("(root:Passw0rd!) works", "Passw0rd!"),
        (f"my old trezor:\n{SEED}\nis it safe?", SEED),
        ("priya: who knows the grafana login?\njoel: admin / Winter2024!\n", "Winter2024!"),
        ('Het wachtwoord voor de wifi van kantoor is "fietsbel op zolder".', "fietsbel op zolder"),
        ("with my e-mail and the password (it's M!lo2016) but", "M!lo2016"),
        ("OIDCCryptoPassphrase three blind mice in a boat\n", "three blind mice in a boat"),
        ('form-data; name="password"\r\n\r\nTr0mbone-Sol\r\n--x', "Tr0mbone-Sol"),
        (f"kubectl create secret generic x --from-literal=hmac={MADE}", MADE),
        ("driver.find(By.ID, 'password').send_keys('S3l-enium')", "S3l-enium"),
        ("cn = 'Server=x;Uid=sa;Pwd=Sql$erver)9;'", "Sql$erver)9"),
        ("docker run -e 'MSSQL_SA_PASSWORD=Str0ng(!)Pass' x", "Str0ng(!)Pass"),
        ("Username: bob\nPassword: bananabread\n", "bananabread"),
        ("kind: Secret\nstringData:\n  mail: plain-Str1ng\n", "plain-Str1ng"),
        ("cmdkey /add:fs01 /user:corp\\adm /pass:V4lley=Low", "V4lley=Low"),
        ("VMware vCenter 2NC3K-1BKXC-AEYVS-YGMQV-M4SJ9 says", "2NC3K-1BKXC-AEYVS-YGMQV-M4SJ9"),
        ('# chap-secrets\n"adsl@isp.example"  *  "8bird9cvcc"  *\n', "8bird9cvcc"),
        (f"Asana - 1/4264700521845387:{HEX}", f"1/4264700521845387:{HEX}"),
        (f"hash is {HEX}:{HEX[::-1]}.", f"{HEX}:{HEX[::-1]}"),
        (f'tw = "{BEARER}"', BEARER),
        (f'silicon = ("https://api.example/v1", "{LETTERS}")', LETTERS),
        (f'url: "https://eth-sepolia.g.alchemy.com/v2/{MADE}"', MADE),
        (f'url: "https://mainnet.infura.io/v3/{HEX}"', HEX),
        (f"untrusted comment: signify secret key\nRWRC{MADE * 4}==\n", f"RWRC{MADE * 4}=="),
    ],
)
def test_a_secret_is_found_where_it_stands(text: str, value: str) -> None:
    at = text.index(value)
    covered = {place for span in ENGINE.find(text) for place in range(span.start, span.end)}
    assert all(place in covered for place in range(at, at + len(value)) if not text[place].isspace())


@pytest.mark.parametrize(
    "text",
    [
        f"{HEX}a9df0368 fix(auth): token expiry off by one\n{HEX} feat: password reset\n",
        "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?must be set}",
        '"passwordPolicy": "length(12) and notUsername", "accessTokenLifespan": 300',
        "alice ALL=(ALL) NOPASSWD: /usr/bin/systemctl",
        "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n",
        '("SandyBrown", "#F4A460"), ("root", "#8B4513")',
        "class Login:\n    user: Optional[str]\n    password: Optional[str]\n",
        '"password": "The password must not be empty"',
        "user: GPT-4o-mini explain this",
        "User: Kubernetes1.29 upgrade fails\nAdmin: Windows-11 first",
        "sa: SQL2019-Express",
        "admin | Windows-11 | yes\nroot / Ubuntu-22.04 | no",
        "credentials:\nAWS S3Bucket-2024 is used",
        "SSID key: WPA2-Personal",
        "seed keywords: shoes, boots, sandals, running, trail, hiking, summer, winter, kids, women, mens, sale",
        "random seed then shuffle train test split model fit predict score plot save load export",
        "recovery key order 20241105 shipped",
        "index('articles', 'id_12345678901234567890abc')",
        "The token is base64url-encoded",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert [text[span.start : span.end] for span in ENGINE.find(text)] == []
