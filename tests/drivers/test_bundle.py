"""Bundles: read strictly, verified as OPA verifies, configured and packed the same way everywhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from sidecar.drivers import bundle
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.bundle_signature import Verifier, canonical, check_hashes
from sidecar.drivers.rego_engine import default_bundle
from tests.drivers.opa_process import opa_or_skip

MINIMAL = {".manifest": b'{"revision":"r1","roots":[""]}', "data.json": b'{"a":1}', "plan.json": b"{}"}


def tar(*members: tarfile.TarInfo) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return gzip.compress(plain.getvalue(), mtime=0)


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size if kind == tarfile.REGTYPE else 0, "/etc/passwd"
    return info


def test_round_trip() -> None:
    read = bundle.parse(bundle.pack(MINIMAL))
    assert read.files == MINIMAL
    assert (read.revision, read.data, read.signed) == ("r1", {"a": 1}, False)
    assert read.sha256 == hashlib.sha256(bundle.pack(MINIMAL)).hexdigest()


@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=70_000), max_size=3))
def test_packing_is_deterministic_and_readable(files: dict[str, bytes]) -> None:
    packed = bundle.pack(files)
    assert packed == bundle.pack(dict(reversed(files.items())))
    assert bundle.unpack(packed) == files


def test_the_digest_of_a_packed_bundle_never_changes() -> None:
    """A digest in an old record has to be found again, so the packing itself is pinned."""
    pinned = "7167b18d54c1c3d8f318a603c78c3d102ccd6ac081099a3d5abd020207982c2f"
    assert hashlib.sha256(bundle.pack(MINIMAL)).hexdigest() == pinned


def test_a_folder_is_read_like_its_archive(tmp_path: Path) -> None:
    for name, content in {**MINIMAL, "packs/a/pack.rego": b"package packs.a"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    read = bundle.read(tmp_path)
    assert read == bundle.parse(read.raw)
    assert read.sources == {"packs/a/pack.rego": "package packs.a"}


def test_absolute_names_lose_their_slash() -> None:
    assert bundle.unpack(tar(member("/data.json"))) == {"data.json": b"x"}


@pytest.mark.parametrize(
    "members",
    [
        [member("../x")],
        [member("a/../../x")],
        [member("a"), member("a")],
        [member("a"), member("/a")],
        [member("a"), member("./a")],
        [member("a", tarfile.SYMTYPE)],
        [member("a", tarfile.LNKTYPE)],
        [member("a", tarfile.FIFOTYPE)],
        [member(f"{number}") for number in range(bundle.MEMBER_LIMIT + 1)],
    ],
)
def test_members_that_are_refused(members: list[tarfile.TarInfo]) -> None:
    """What an unpacker might read as another file than the one that was checked."""
    with pytest.raises(BundleRefused, match="which is refused"):
        bundle.unpack(tar(*members))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a gzip",
        gzip.compress(b"not a tar" * 100, mtime=0),
        bundle.pack(MINIMAL)[:-9],
        *(
            bundle.pack({**MINIMAL, **change})
            for change in (
                {".manifest": b"{}"},
                {".manifest": b'{"revision":""}'},
                {".manifest": b'{"revision":3}'},
                {".manifest": b"[]"},
                {"data.json": b"[]"},
                {"data.json": b"{"},
                {"a/data.json": b"{}"},
                {"data.yaml": b"a: 1"},
                {"samples/a/b.json": b"{}"},
                {"samples/a/b.json": b'{"input": 3}'},
            )
        ),
        bundle.pack({key: value for key, value in MINIMAL.items() if key != "plan.json"}),
    ],
)
def test_refused(raw: bytes) -> None:
    with pytest.raises(BundleRefused):
        bundle.parse(raw)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(BundleRefused, match="too large"):
        bundle.parse(gzip.compress(bytes(bundle.SIZE_LIMIT + 10)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="cannot be read"):
        bundle.read(tmp_path / "gone.tar.gz")


# --- configuration


def test_configured_is_another_bundle() -> None:
    base = default_bundle()
    made = bundle.with_config(base, {"models": {"allow": {"acme": ["gpt-4o"]}}})
    assert made.data["governor"]["config"]["models"]["allow"] == {"*": ["*"], "acme": ["gpt-4o"]}
    assert made.sha256 != base.sha256
    assert not made.signed
    assert made.revision.startswith(f"{base.revision}+config.")
    assert bundle.parse(made.raw).revision == made.revision
    assert all(sample.answer is None for sample in made.samples)
    assert bundle.with_config(base, {}) is base
    assert bundle.with_config(base, {"models": {"allow": {"acme": ["gpt-4o"]}}}).sha256 == made.sha256


def test_a_configured_bundle_bears_no_signature_that_is_another_ones() -> None:
    table = {"data.json": b'{"governor":{"config":{"t":{}}}}', ".signatures.json": b'{"signatures":["a.b.c"]}'}
    made = bundle.with_config(bundle.parse(bundle.pack({**MINIMAL, **table})), {"t": {"a": 1}})
    assert set(bundle.unpack(made.raw)) == set(MINIMAL)


@pytest.mark.parametrize(
    "config",
    [
        {"model": {}},
        {"models": {"alow": {}}},
        {"pii": {"forbidden": {"egres": ["US_SSN"]}}},
        {"pii": {"forbidden": ["US_SSN"]}},
        {"pii": {"mode": 3}},
        {"models": {"allow": {"acme": "gpt-4o"}}},
        {"token_cap": {"max": {"acme": "4096"}}},
        {"token_cap": {"max": {"acme": True}}},
        {"human_review": {"on_unavailable": 1}},
        {"uninspectable": []},
    ],
)
def test_a_setting_that_does_not_exist_or_fit_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(BundleRefused, match=r"policy\.data\."):
        bundle.with_config(default_bundle(), config)


# --- signatures

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def private(key: Any) -> bytes:
    """As OPA reads it: RSA in PKCS 1, EC in SEC 1."""
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem


def signed(tmp_path: Path, key: Any, algorithm: str, *words: str) -> dict[str, bytes]:
    """The default bundle's files, with the signature that `opa sign` makes for them."""
    files = dict(default_bundle().files)
    files["data.json"] = b'{"numbers":[1.50,1e3,12345678901234567890],"text":"<\\u2028\\u00e9\\b>", "governor":{}}'
    (tmp_path / "key.pem").write_bytes(private(key))
    folder = tmp_path / "bundle"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    command = [opa_or_skip(), "sign", "-b", ".", "--signing-key", "../key.pem", "--signing-alg", algorithm, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {**files, ".signatures.json": (folder / ".signatures.json").read_bytes()}


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], Any]:
    key = RSA if request.param == "RS256" else EC
    return signed(tmp_path_factory.mktemp("signed"), key, request.param), key


def test_what_opa_signed_verifies(case: tuple[dict[str, bytes], Any]) -> None:
    files, key = case
    assert bundle.parse(bundle.pack(files), Verifier(key=public(key))).signed
    assert not bundle.parse(bundle.pack(files)).signed


@pytest.mark.parametrize(
    "change",
    [
        {"plan.json": b"{ }"},
        {"data.json": b'{"numbers":[1.5,1e3,12345678901234567890],"text":"<\\u2028\\u00e9\\b>", "governor":{}}'},
        {"more.rego": b"package more"},
        {".manifest": b'{"revision":"other"}'},
    ],
)
def test_what_was_changed_after_signing_does_not(case: tuple[dict[str, bytes], Any], change: dict[str, bytes]) -> None:
    files, key = case
    with pytest.raises(BundleRefused):
        bundle.parse(bundle.pack({**files, **change}), Verifier(key=public(key)))


def test_white_space_in_data_is_not_signed(case: tuple[dict[str, bytes], Any]) -> None:
    files, key = case
    spaced = {**files, "data.json": files["data.json"].replace(b",", b" ,\n")}
    assert bundle.parse(bundle.pack(spaced), Verifier(key=public(key))).signed


def test_a_file_that_was_signed_for_must_be_there(case: tuple[dict[str, bytes], Any]) -> None:
    files, key = case
    left = {name: content for name, content in files.items() if name != "governor/lib.rego"}
    with pytest.raises(BundleRefused, match=r"governor/lib\.rego"):
        bundle.parse(bundle.pack(left), Verifier(key=public(key)))


def test_other_keys_and_algorithms_do_not_verify(case: tuple[dict[str, bytes], Any]) -> None:
    files, key = case
    others = [EC if key is RSA else RSA, rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())]
    for other in others:
        with pytest.raises(BundleRefused):
            bundle.parse(bundle.pack(files), Verifier(key=public(other)))
    with pytest.raises(BundleRefused):
        bundle.parse(bundle.pack(files), Verifier(key=b"not a key"))


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"signatures":[]}',
        b'{"signatures":["a.b"]}',
        b'{"signatures":["a.b.c"]}',
        b'{"signatures":[3]}',
        b'{"signatures":["e30.e30.", "e30.e30."]}',
        json.dumps({"signatures": [base64.urlsafe_b64encode(b'{"alg":"none"}').decode() + ".e30."]}).encode(),
        json.dumps({"signatures": [base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode() + ".e30.AAAA"]}).encode(),
    ],
)
def test_no_readable_signature_is_no_signature(content: bytes | None) -> None:
    files = {**MINIMAL} if content is None else {**MINIMAL, ".signatures.json": content}
    with pytest.raises(BundleRefused):
        bundle.parse(bundle.pack(files), Verifier(key=public(RSA)))


def test_a_signature_for_a_scope_is_for_another_purpose(tmp_path: Path) -> None:
    """OPA says `scope mismatch` where none is configured, whatever the key is called."""
    claims = tmp_path / "claims.json"
    claims.write_text('{"scope": "write"}')
    with pytest.raises(BundleRefused, match="scope"):
        bundle.parse(bundle.pack(signed(tmp_path, EC, "ES256", "--claims-file", str(claims))), Verifier(public(EC)))
    claims.write_text('{"keyid": "k1"}')
    assert bundle.parse(
        bundle.pack(signed(tmp_path, EC, "ES256", "--claims-file", str(claims))), Verifier(public(EC))
    ).signed


@pytest.mark.parametrize(
    ("name", "algorithm", "signed", "taken"),
    [
        ("a.rego", "SHA-256", b'{ "a":1}', True),
        ("/a.rego", "SHA-512", b'{ "a":1}', True),
        ("x/data.json", "SHA-384", b'{"a":1}', True),
        ("a.rego", "SHA-256", b'{"a":1}', False),
        ("a.rego", "MD5", b'{ "a":1}', False),
        ("a.rego", "", b'{ "a":1}', False),
    ],
)
def test_a_hash_is_of_a_known_algorithm(name: str, algorithm: str, signed: bytes, taken: bool) -> None:
    hashed = hashlib.new(algorithm.replace("-", "") or "MD5", signed).hexdigest()
    listed = [{"name": name, "algorithm": algorithm, "hash": hashed}]
    with nullcontext() if taken else pytest.raises(BundleRefused, match="not what was signed"):
        check_hashes({name.lstrip("/"): b'{ "a":1}'}, listed)


def test_canonical_is_what_go_writes() -> None:
    text = '{"b": [1.50, -0.0, -0, true, null], "a": {"é": "\\u2028<&>\\u0001\\"\\\\"}}'
    expected = '{"a":{"é":"\\u2028<&>\\u0001\\"\\\\"},"b":[1.50,-0.0,-0,true,null]}'
    assert canonical(text.encode()).decode() == expected
