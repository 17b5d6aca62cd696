"""Forms of passwords that the tests of other scanners hold and ours did not: other scripts, misspellings, options."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())
TYPED = "Prl23" + "Db#@"
MADE = "YXNkZmZm" + "Zm_Kq7Rdx2vB"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"비밀번호:{TYPED}\n", TYPED),
        (f"비밀번호는 {TYPED}\n", TYPED),
        (f"비번 {TYPED}\n", TYPED),
        (f"패스워드:{TYPED}\n", TYPED),
        (f"数据库密码：{TYPED}\n", TYPED),
        (f"パスワード: {TYPED}\n", TYPED),
        (f"пароль: {TYPED}\n", TYPED),
        (f"şifre: {TYPED}\n", TYPED),
        (f"paasword:{TYPED}\n", TYPED),
        (f"passwords:{TYPED}\n", TYPED),
        (f"P/W:{TYPED}\n", TYPED),
        (f"id/pw master/{TYPED}\n", TYPED),
        (f"password=>{TYPED}\n", TYPED),
        ("The default password is 'bloo" + "berry'\n", "blooberry"),
        ("the password for user 'postgres' is 'zeppelin" + "7' or", "zeppelin7"),
        (f"curl --proxy-tlspassword {MADE} https://localhost", MADE),
        (f'curl --oauth2-bearer "{MADE}==" https://example.com', f"{MADE}=="),
        (f"PsExec64.exe \\\\host -u adm -p {TYPED} cmd", TYPED),
        (f'new DirectoryEntry("LDAP://EXAMPLE",\n    "CORP\\\\adm",\n    "{TYPED}");', TYPED),
    ],
)
def test_a_password_is_found_in_forms_of_other_scanners(text: str, value: str) -> None:
    at = text.index(value)
    covered = {place for span in ENGINE.find(text) for place in range(span.start, span.end)}
    assert covered.issuperset(range(at, at + len(value)))


@pytest.mark.parametrize(
    "text",
    [
        "wget --user=admin --ask-password https://localhost",
        "curl --tlspassword https://localhost",
        "use --require-password together with --user",
        "The password is 'required' here, and 'optional' there.",
        "비밀번호는 필수입니다\n密码：请输入\nпароль: обязательно\n",
        "passwords: list[str]\npasswords = read_passwords(path)\n",
        "암호화: AES-256\n",
    ],
)
def test_no_password_where_only_the_word_stands(text: str) -> None:
    assert not [span for span in ENGINE.find(text) if span.entity == "PASSWORD"]
