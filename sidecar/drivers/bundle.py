"""Policy bundles: read, checked, packed again. The format is OPA's (docs: management-bundles).

A bundle is a tar.gz or a folder with `.manifest` (a `revision` is required), `data.json`, the `*.rego` it was built
from, `plan.json` (`opa build -t plan`), and optionally `samples/**.json` and `.signatures.json`. Its digest is the
SHA-256 of the file; a folder is packed first, and packing is deterministic to the byte, so that the same content has
the same digest on every machine. Configuration (`with_config`) makes another bundle with another digest: what a record
names is always one file that holds everything the decision depended on.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from sidecar.drivers.bundle_reasons import reasons_of
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.bundle_signature import SIGNATURES, Verifier
from sidecar.policy import Reason

SIZE_LIMIT = 64 * 1024 * 1024
MEMBER_LIMIT = 4096
STORED_BLOCK = 65_535
NAMES = "A file's name has at most 100 bytes, its folder's 155."
OTHER_DATA = {"data.json", "data.yaml", "data.yml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A golden input: what OPA itself answered when the bundle was built, None where that is not known."""

    name: str
    input: Mapping[str, Any] = field(repr=False)
    answer: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One bundle, read and checked. `raw` is the file that `sha256` is the digest of."""

    revision: str
    sha256: str
    signed: bool
    files: Mapping[str, bytes] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def plan(self) -> bytes:
        return self.files["plan.json"]

    @property
    def data(self) -> dict[str, Any]:
        return _object(self.files.get("data.json", b"{}"), "data.json")

    @property
    def sources(self) -> dict[str, str]:
        """The Rego by file name, for explanations."""
        return {name: _text(content, name) for name, content in self.files.items() if name.endswith(".rego")}

    @property
    def reasons(self) -> dict[str, Reason]:
        """The catalogue of the codes that this bundle's rules give."""
        return reasons_of(self.sources)

    @property
    def samples(self) -> tuple[Sample, ...]:
        return tuple(
            _sample(name, content)
            for name, content in sorted(self.files.items())
            if name.startswith("samples/") and name.endswith(".json")
        )


def read(path: Path, verifier: Verifier | None = None) -> Bundle:
    """The bundle at `path`, a tar.gz or a folder. Raises BundleRefused, also where a signature is wanted and wrong."""
    try:
        raw = pack(_folder(path)) if path.is_dir() else path.read_bytes()
    except OSError as fault:
        raise BundleRefused(f"The policy bundle cannot be read: {fault.strerror}.", "Check policy.bundle.") from fault
    return parse(raw, verifier)


def parse(raw: bytes, verifier: Verifier | None = None) -> Bundle:
    """The bundle of a tar.gz. With a verifier every file must be signed for; without, a signature is not looked at."""
    files = unpack(raw)
    if verifier is not None:
        verifier.check(files)
    bundle = Bundle(
        revision=_revision(files),
        sha256=hashlib.sha256(raw).hexdigest(),
        signed=verifier is not None,
        files=files,
        raw=raw,
    )
    if "plan.json" not in files:
        raise BundleRefused("The policy bundle holds no plan.json.", "Build it with `opa build -t plan`.")
    _ = bundle.data, bundle.samples, bundle.sources
    return bundle


def with_config(bundle: Bundle, config: Mapping[str, Any]) -> Bundle:
    """The bundle with `config` merged into data.governor.config: a bundle of its own, as a deployment configured it.

    Only what the bundle already configures can be set, and only to a value of the same type, so that a misspelt key is
    a refusal to start and not a rule that silently stays off. An object that is empty or has an entry `*` is a table
    and takes any key. Samples lose their answers, which were OPA's for the bundle as built.
    """
    if not config:
        return bundle
    data = bundle.data
    governor = data.get("governor", {})
    governor["config"] = merged(governor.get("config", {}), config, "policy.data")
    digest = hashlib.sha256(orjson.dumps(config, option=orjson.OPT_SORT_KEYS)).hexdigest()
    revision = f"{bundle.revision}+config.{digest[:12]}"
    manifest = {**_object(bundle.files[".manifest"], ".manifest"), "revision": revision}
    files = {name: _unanswered(name, content) for name, content in bundle.files.items() if name != SIGNATURES}
    files |= {".manifest": _dumps(manifest), "data.json": _dumps(data)}
    raw = pack(files)
    return Bundle(revision=revision, sha256=hashlib.sha256(raw).hexdigest(), signed=bundle.signed, files=files, raw=raw)


def merged(base: Mapping[str, Any], change: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`change` over `base`: objects merge, everything else replaces. Raises BundleRefused as `with_config` says."""
    table, result = not base or "*" in base, dict(base)
    for key, value in change.items():
        place = f"{where}.{key}"
        if key not in base and not table:
            raise BundleRefused(f"{place} is not a setting of this policy.", f"There are: {', '.join(sorted(base))}.")
        like = base.get(key, base.get("*"))
        if like is not None and type(like) is not type(value):
            raise BundleRefused(f"{place} has the wrong type.", f"It is like {json.dumps(like)}.")
        result[key] = merged(base.get(key, {}), value, place) if isinstance(value, dict) else value
    return result


def pack(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz of the files: sorted, no times, no owners, stored (zlib versions compress differently)."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o644
            try:
                archive.addfile(member, io.BytesIO(files[name]))
            except ValueError as fault:
                raise BundleRefused(f"The policy bundle holds {name!r}, which is too long a name.", NAMES) from fault
    return b"".join(_stored(tar.getvalue()))


def unpack(raw: bytes) -> dict[str, bytes]:
    """The regular files of a tar.gz by relative name. `opa build` writes absolute names; `..` and links are refused."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as plain:
            tar = plain.read(SIZE_LIMIT + 1)
        if len(tar) > SIZE_LIMIT:
            raise BundleRefused("The policy bundle is too large.", "The limit is 64 MiB.")
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            return dict(_members(archive))
    except (OSError, EOFError, zlib.error, tarfile.TarError) as fault:
        raise BundleRefused("The policy bundle is not a tar.gz.", "Build it with `opa build -t plan`.") from fault


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    seen = set[str]()
    for member in archive:
        name = str(PurePosixPath(member.name.lstrip("/")))
        if member.isdir():
            continue
        content = archive.extractfile(member) if member.isreg() else None
        if content is None or ".." in PurePosixPath(name).parts or name in seen or len(seen) >= MEMBER_LIMIT:
            raise BundleRefused(f"The policy bundle holds {name!r}, which is refused.", "Build it with `opa build`.")
        seen.add(name)
        yield name, content.read()


def _folder(path: Path) -> dict[str, bytes]:
    return {str(PurePosixPath(file.relative_to(path))): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def _stored(content: bytes) -> Iterator[bytes]:
    """A gzip member of stored blocks (RFC 1951 3.2.4, RFC 1952): no time, no name, unknown operating system."""
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    starts = range(0, max(len(content), 1), STORED_BLOCK)
    for start in starts:
        block = content[start : start + STORED_BLOCK]
        yield struct.pack("<BHH", start == starts[-1], len(block), len(block) ^ 0xFFFF) + block
    yield struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def _revision(files: Mapping[str, bytes]) -> str:
    if stray := [name for name in files if PurePosixPath(name).name in OTHER_DATA and name != "data.json"]:
        raise BundleRefused(f"The policy bundle holds {stray[0]}.", "Build it with `opa build`, which merges data.")
    revision = _object(files.get(".manifest", b"{}"), ".manifest").get("revision")
    if not isinstance(revision, str) or not revision:
        raise BundleRefused("The policy bundle names no revision.", "Build it with `opa build --revision NAME`.")
    return revision


def _sample(name: str, content: bytes) -> Sample:
    sample = _object(content, name)
    if not isinstance(sample.get("input"), dict):
        raise BundleRefused(f"{name} holds no input.", "A sample is {input, answer}.")
    return Sample(name=name, input=sample["input"], answer=sample.get("answer"))


def _unanswered(name: str, content: bytes) -> bytes:
    if not name.startswith("samples/"):
        return content
    return _dumps({key: value for key, value in _object(content, name).items() if key != "answer"})


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        raise BundleRefused(f"{name} in the policy bundle is not UTF-8.", "Build the bundle anew.") from fault


def _object(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = orjson.loads(content)
    except ValueError as fault:
        raise BundleRefused(f"{name} in the policy bundle is not JSON.", "Build the bundle anew.") from fault
    if not isinstance(value, dict):
        raise BundleRefused(f"{name} in the policy bundle is not an object.", "Build the bundle anew.")
    return value


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
