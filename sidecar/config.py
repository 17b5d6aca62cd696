"""Settings: the only reader of configuration files and of the environment; out comes one frozen Config.

Later sources win: built-in default, configuration file (YAML), environment (`SIDECAR_` + name, `.` written `_`), flag.
`explain()` says where each value came from. A name nobody knows is an error, so that a misspelt protection is noticed;
of the environment's, which others write too, only a name that must have been meant as ours (config_sources.py).
Whether what is said can be had (files, types, addresses) is looked at in wiring/checking.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sidecar.config_sources import PREFIX as PREFIX
from sidecar.config_sources import ConfigError as ConfigError
from sidecar.config_sources import Problem as Problem
from sidecar.config_sources import file_tree, from_environment, masked, nearest, unknown_variables
from sidecar.model import Side

HIDDEN = "(set)"
FLAGS = {
    "upstream.url": "--upstream",
    "upstream.kind": "--kind",
    "side": "--side",
    "listen": "--listen",
    "admin": "--admin",
    "state": "--state",
    "detection.mode": "--mode",
}
"""The flags that name settings (cli.py, cli_pii.py), as an error names them."""

DIGEST = "^[0-9a-f]{64}$"
ORIGIN = "^[a-z][a-z0-9+.-]*://[^/?#]+$"
HEX_KEY = "^[0-9a-f]{32,}$"
DOMAIN = "^[A-Za-z0-9][A-Za-z0-9./-]{0,150}$"
FORMS = {
    DIGEST: "must be a SHA-256 in 64 small hex digits: printf %s KEY | sha256sum",
    ORIGIN: "must be an origin such as https://app.example, without a path",
    HEX_KEY: "must be at least 32 small hex digits: openssl rand -hex 32",
    DOMAIN: "must be a domain such as acme.example: letters, digits, dots and hyphens",
}
"""What a text has to look like, in words."""

PLAINLY = {
    "missing": "is needed",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "tuple_type": "must be a list, such as [A, B]",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "string_type": "must be text; write it in quotes",
}
"""Pydantic's faults in our words. In YAML a country `no` is false, a tag of digits a number, one word no list."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        """`SIDECAR_UPSTREAM_KEY=$KEY` where KEY is not set would be no key, an empty path the working directory."""
        if value == "":
            raise ValueError("must not be empty; leave it out, or say what is meant")
        return value


class UpstreamSettings(Section):
    url: str | None = Field(None, description="Base URL of the model server or API; /v1 may be left out.")
    kind: Literal["openai", "vllm"] = Field("openai", description="Which route table applies.")
    key: str | None = Field(None, description="API key sent upstream instead of the caller's own.", repr=False)
    ca: Path | None = Field(None, description="PEM file of the authorities to trust instead of the system's.")
    unix: Path | None = Field(None, description="Unix socket of the model server; `url` then only names it.")
    connect_timeout: float = Field(5.0, gt=0, description="Seconds to wait for a connection.")
    idle_timeout: float = Field(900.0, gt=0, description="Seconds of silence after which a reply is given up.")

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("key")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        """No header could hold the line break that files of secrets end with: every call would fail."""
        if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
            raise ValueError("must be the key alone: ASCII without spaces, line breaks or the word Bearer")
        return value


class PolicySettings(Section):
    engine: Literal["embedded", "opa"] = Field("embedded", description="The built-in engine, or a real OPA server.")
    bundle: Path | None = Field(None, description="Bundle (tar.gz or folder); none means the default packs.")
    key: Path | None = Field(None, description="PEM public key that must have signed the bundle.")
    data: dict[str, Any] = Field(default_factory=dict, description="Laid over the bundle's data.governor.config.")
    opa_url: str | None = Field(None, description="Address of the OPA server for engine `opa`.")
    fallback: bool = Field(False, description="While that server is down the built-in engine decides, `degraded`.")
    audit_url: str | None = Field(None, description="OPA server that decides a sample again; differences are logged.")
    audit_every: int = Field(100, gt=0, description="Of so many decisions one is decided again by `audit_url`.")
    timeout: float = Field(0.25, gt=0, description="Seconds a decision may take.")


class CallerEntry(Section):
    """Who a caller is; what it is known by, the two kinds say."""

    tenant: str
    app: str = "default"
    user: str | None = None
    roles: tuple[str, ...] = ()


class CallerKey(CallerEntry):
    sha256: str = Field(pattern=DIGEST, description="SHA-256 of the API key, in hex.")


class CallerPeer(CallerEntry):
    uid: int


class CallerSettings(Section):
    keys: tuple[CallerKey, ...] = Field((), description="Table of API-key digests and who they belong to.")
    trusted: tuple[str, ...] = Field((), description="Addresses or networks of proxies whose headers are believed.")
    tenant_header: str | None = Field(None, description="Header in which a trusted proxy names the tenant.")
    app_header: str | None = Field(None, description="Header in which a trusted proxy names the application.")
    user_header: str | None = Field(None, description="Header in which a trusted proxy names the user.")
    roles_header: str | None = Field(None, description="Header in which a trusted proxy lists roles, with commas.")
    peers: tuple[CallerPeer, ...] = Field((), description="Unix-socket peers by user id.")
    required: bool = Field(False, description="Refuse anonymous callers.")
    origins: tuple[Annotated[str, Field(pattern=ORIGIN)], ...] = Field(
        (), description="Origins of web pages that may call, such as https://app.example; none: no page may."
    )


class DetectionSettings(Section):
    entities: tuple[str, ...] = Field(
        (), description="Only these types; or +TYPE, -TYPE: besides the usual ones, without; none: the usual ones."
    )
    mode: Literal["balanced", "strict"] = Field("balanced", description="strict masks more, also wrongly.")
    locales: tuple[str, ...] = Field(
        (), description="Countries (us, gb, de...) whose identifiers count; none: the usual fifteen."
    )
    names: bool | None = Field(None, description="The names model; unset means: where it is installed.")
    recognisers: tuple[dict[str, Any], ...] = Field((), description="Bigger models through Presidio's interface.")
    thresholds: dict[str, Annotated[float, Field(ge=0, le=1, strict=True)]] = Field(
        default_factory=dict, description="Least score by type, 0 to 1."
    )
    allow: tuple[str, ...] = Field((), description="Strings that are never personal data here.", repr=False)
    deny: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="Words always found.", repr=False)
    words: dict[str, str] = Field(
        default_factory=dict, description="Files of words (one a line; lines that begin with # are left out), by type."
    )
    consistent: bool = Field(True, description="What is found once is found again in that turn and later ones.")
    deadline: float = Field(5.0, gt=0, description="Seconds for analysing one call; each 4 Ki characters add one.")

    @field_validator("locales")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(country.lower() for country in value)


class RedactionSettings(Section):
    style: Literal["numbered", "keyed", "lifelike"] = Field(
        "numbered", description="<PERSON_1>; keyed: the same in every call; lifelike: for tools that validate."
    )
    key: str | None = Field(
        None, pattern=HEX_KEY, description="Hex key of keyed surrogates and of hashes.", repr=False
    )
    operators: dict[Literal["mask", "hash", "drop"], dict[str, Any]] = Field(
        default_factory=dict,
        description="Operators of presidio-anonymizer for policy's modes mask, hash and drop, with their parameters.",
        repr=False,
    )
    guard: bool = Field(True, description="Restore nothing inside URLs whose host was not in the request.")
    hosts: tuple[str, ...] = Field((), description="Hosts in whose URLs values may be restored all the same.")
    tools: tuple[str, ...] | None = Field(None, description="Only these tools get values back; unset means all.")


class LimitSettings(Section):
    body: int = Field(64 * 1024 * 1024, gt=0, description="Bytes of a request body, also unpacked.")
    text: int | None = Field(
        None, gt=0, description="Characters of a call's text, each value counting 16 more; unset: what a body holds."
    )
    held: int = Field(1024 * 1024 * 1024, gt=0, description="Bytes of all bodies in flight; more are answered 503.")
    body_timeout: float = Field(60.0, gt=0, description="Seconds in which a request body must have come.")
    reading_timeout: float = Field(120.0, gt=0, description="Seconds in which a caller must take some of its answer.")
    in_flight: int = Field(1000, gt=0, description="Exchanges at a time; more are answered 503.")
    drain: float = Field(630.0, ge=0, description="Seconds that running exchanges get on shutdown.")


class Config(Section):
    """Everything the process needs to know, frozen."""

    side: Side = Field(Side.EGRESS, description="egress: before a hosted API; inbound: beside an own model server.")
    listen: str = Field("127.0.0.1:8400", description="HOST:PORT, or unix:PATH, for applications.")
    admin: str = Field("127.0.0.1:8401", description="HOST:PORT for health, metrics and receipts.")
    state: Path = Field(Path("sidecar-state"), description="Folder of the ledger, its key and its checkpoint.")
    environment: str = Field("production", description="Name of the deployment; policy sees it.")
    origin: str = Field(
        "localhost",
        pattern=DOMAIN,
        description="Your domain: the first part of the ledger's name.",
    )
    upstream: UpstreamSettings = UpstreamSettings()
    policy: PolicySettings = PolicySettings()
    callers: CallerSettings = CallerSettings()
    detection: DetectionSettings = DetectionSettings()
    redaction: RedactionSettings = RedactionSettings()
    limits: LimitSettings = LimitSettings()


class Origin(NamedTuple):
    """One setting as it holds, and the source that said so."""

    name: str
    value: Any
    source: str
    description: str


class Loaded(NamedTuple):
    """`warnings` are lines for standard error: variables that are no setting, and may be somebody else's."""

    config: Config
    origins: tuple[Origin, ...]
    warnings: tuple[str, ...] = ()


def load(flags: Mapping[str, Any], *, file: Path | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Merge all sources. Raises ConfigError with a line for each setting that is unknown or of the wrong form.

    `flags` maps dotted names to values; None means the flag was not given.
    """
    environ = os.environ if environ is None else environ  # noqa: TID251  this module is the one reader
    values, unknown = ({}, []) if file is None else _flat(file_tree(file), file)
    sources: dict[str, tuple[Any, str]] = {name: (value, f"file {file}") for name, value in values.items()}
    for variable, name in VARIABLES.items():
        if variable in environ:
            value = from_environment(variable, environ[variable], NAMES[name].annotation)
            sources[name] = (value, f"environment {variable}")
    for name, value in flags.items():
        if value is not None:
            sources[name] = (value, f"flag {FLAGS[name]}" if name in FLAGS else "command line")
    wrong, strange = unknown_variables(environ, VARIABLES)
    config = _validated({name: value for name, (value, _) in sources.items()}, sources, [*unknown, *wrong])
    return Loaded(config, tuple(_origin(config, name, sources) for name in NAMES), tuple(strange))


def state_folder(flag: Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """`state` for commands that need no other setting, and that no other setting may therefore stop."""
    environ = os.environ if environ is None else environ  # noqa: TID251  this module is the one reader
    name = f"{PREFIX}STATE"
    return load({"state": flag}, environ={name: environ[name]} if name in environ else {}).config.state


def _validated(values: Mapping[str, Any], sources: Mapping[str, tuple[Any, str]], known: Sequence[str]) -> Config:
    """Raises ConfigError with the problems that are known already, and its own."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        section, _, leaf = name.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[leaf] = value
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        told = [_refused(fault["loc"], _plainly(fault), sources) for fault in faults]
        raise ConfigError(*known, *told) from None
    if known:
        raise ConfigError(*known)
    return config


def _plainly(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "string_pattern_mismatch":
        return FORMS[fault["ctx"]["pattern"]]
    words: str = PLAINLY.get(fault["type"], fault["msg"])
    return words.removeprefix("Value error, ").replace("Input should be", "must be")


def _refused(loc: Sequence[int | str], message: str, sources: Mapping[str, tuple[Any, str]]) -> str:
    name = ".".join(map(str, loc))
    source = next((s for n, (_, s) in sources.items() if name == n or name.startswith(n + ".")), "configuration")
    return f"{name} ({source}): {message}"


def _flat(tree: Mapping[Any, Any], file: Path) -> tuple[dict[str, Any], list[str]]:
    """The file's settings by dotted name, and a line for each name that is unknown or given twice."""
    values: dict[str, Any] = {}
    wrong = []
    for name, value in _leaves(tree):
        if name in SECTIONS:
            wrong.append(f"{name} (file {file}): must be a mapping")
        elif name in values:
            wrong.append(f"{name} (file {file}): given twice, once with a dot; say it once")
        elif name in NAMES:
            values[name] = value
        else:
            near = nearest(name, {known: known for known in (*NAMES, *SECTIONS)})
            wrong.append(f"{name} (file {file}): no such setting{near or '; `sidecar config check` lists them all'}")
    return values, wrong


def _leaves(tree: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if key in SECTIONS and isinstance(value, dict):
            yield from ((f"{key}.{leaf}", inner) for leaf, inner in value.items())
        else:
            yield str(key), value


def _origin(config: Config, name: str, sources: Mapping[str, tuple[Any, str]]) -> Origin:
    value: Any = config
    for step in name.split("."):
        value = getattr(value, step)
    if name in ("upstream.key", "callers.keys", "redaction.key", "redaction.operators") and value:
        value = HIDDEN
    return Origin(name, masked(value), sources.get(name, (None, "default"))[1], NAMES[name].description or "")


def _names() -> dict[str, Any]:
    names = {}
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            names.update({f"{name}.{leaf}": inner for leaf, inner in kind.model_fields.items()})
        else:
            names[name] = field
    return names


NAMES = _names()
VARIABLES = {PREFIX + name.upper().replace(".", "_"): name for name in NAMES}
SECTIONS = {name.split(".")[0] for name in NAMES if "." in name}


def explain(loaded: Loaded) -> str:
    """The effective configuration for people: each setting, its value, where it came from, what it does."""
    width = max(len(origin.name) for origin in loaded.origins)
    lines = []
    for origin in loaded.origins:
        value = "-" if origin.value in (None, (), {}) else origin.value
        lines.append(f"{origin.name:<{width}}  {value!s:<24}  [{origin.source}]  {origin.description}")
    return "\n".join(lines)
