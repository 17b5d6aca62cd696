"""Whether a configuration can be had: all that `serve` would build of it, as far as that opens and writes nothing.

`serve` asks before it does anything else, `sidecar config check` asks only: so what the one approves the other takes.
What is left for the start itself: ports that are taken, the store, models that do not load, servers that are down.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence

from yarl import URL

from sidecar.config import Config, ConfigError, DetectionSettings, Loaded, PolicySettings, Problem
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.opa_server import address_of
from sidecar.drivers.rego_engine import RegoEngine
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.upstream_door import base_of
from sidecar.proxy.callers import digest
from sidecar.proxy.server import Listen
from sidecar.wiring.detection import inspector_or_problems, names_user, types_known, uncertified
from sidecar.wiring.engines import bundle_of
from sidecar.wiring.policy_data import unknown_types, unwritable
from sidecar.wiring.surrogates import operators_of

OF_NOTHING = digest("")
NOBODY = "nobody is named, so every call would be refused: name callers in keys, in peers, or by trusted and a header"
CALLS = ("/chat/completions", "/completions", "/embeddings", "/models")
LOOPBACK, EVERYWHERE = "127.0.0.1", ("", "0.0.0.0", "::")  # noqa: S104  what is listened on is only read here
NO_DOMAIN = Config.model_fields["origin"].default
"""Who leaves the default takes the name that the folder's log has."""


def refuse_problems(loaded: Loaded) -> None:
    """Raises ConfigError with a line for each setting that cannot be used, and who said it."""
    sources = {origin.name: origin.source for origin in loaded.origins}
    lines = [_line(problem, sources.get(_setting(problem.name), "default")) for problem in problems(loaded.config)]
    if lines:
        raise ConfigError(*lines)


def _setting(name: str) -> str:
    """The dotted name of the setting itself: `detection.words` of `detection.words.STAFF`."""
    return ".".join(name.split(".")[:2])


def _line(problem: Problem, source: str) -> str:
    return str(problem) if source == "default" else f"{problem.name} ({source}): {problem.what}"


def problems(config: Config) -> list[Problem]:
    """Every one that is found; they come in the order of the settings."""
    return [problem for check in CHECKS for problem in check(config)]


def _addresses(config: Config) -> Iterator[Problem]:
    yield from _tried("listen", lambda: Listen.at(config.listen))
    yield from _tried("admin", lambda: Listen.at(config.admin))
    if config.listen == config.admin and not config.admin.endswith(":0"):
        yield Problem("admin", "must be another address than `listen`")


def _state(config: Config) -> Iterator[Problem]:
    if config.state.exists() and not config.state.is_dir():
        yield Problem("state", "must be a folder; a file is there")
    elif known := _named_otherwise(config):
        what = f"the log in {config.state} is named {known}/audit/...; say so, or name a new folder as `state`"
        yield Problem("origin", what)


def _named_otherwise(config: Config) -> str | None:
    """The log's domain, where another is asked for. A log keeps its name: every signature bears it."""
    known = None if config.origin == NO_DOMAIN else StateFolder(config.state).domain()
    return None if known == config.origin.rstrip("/") else known


def _upstream(config: Config) -> Iterator[Problem]:
    settings = config.upstream
    if settings.url is None:
        yield Problem("upstream.url", "--upstream URL is needed: the model server or API that calls go to")
    elif names_user(settings.url):
        yield Problem("upstream.url", "must not hold a user or password; give the API key as upstream.key")
    else:
        yield from _base(config, settings.url)
    if settings.ca is not None:
        yield from uncertified("upstream.ca", settings.ca)


def _base(config: Config, url: str) -> Iterator[Problem]:
    """In words of our own: those of the URL's parser quote it."""
    try:
        base = base_of(url)
    except ValueError:
        yield Problem("upstream.url", "must look like http://host:port or https://host/v1, without ? and #")
        return
    if base.endswith(CALLS):
        yield Problem("upstream.url", "must end where paths of calls begin, as in https://host/v1")
    elif _is_itself(config, base):
        yield Problem("upstream.url", "is where the sidecar itself listens: a call would go round in a circle")


def _is_itself(config: Config, base: str) -> bool:
    """As far as addresses tell, without asking for names: `http://127.0.0.1:8400` beside `--listen :8400`."""
    try:
        listen, to = Listen.at(config.listen), URL(base)
    except ValueError:
        return False  # `_addresses` says so
    if config.upstream.unix is not None or listen.path is not None:
        return listen.path == str(config.upstream.unix and config.upstream.unix.absolute())
    mine, host = (LOOPBACK if name == "localhost" else name for name in (listen.host, to.host))
    return to.port == listen.port and (mine == host or (mine in EVERYWHERE and host in (LOOPBACK, "::1", *EVERYWHERE)))


def _policy(config: Config) -> Iterator[Problem]:
    settings = config.policy
    contradicted = list(_contradictions(settings))
    yield from contradicted
    for name, url in (("policy.opa_url", settings.opa_url), ("policy.audit_url", settings.audit_url)):
        if url is not None:
            yield from _server(name, url)
    if not any(problem.name == "policy.key" for problem in contradicted):
        yield from _bundle(settings, config.detection)


def _contradictions(settings: PolicySettings) -> Iterator[Problem]:
    """Settings that would be ignored beside the others, and those that the others need."""
    if settings.key is not None and settings.bundle is None:
        yield Problem("policy.key", "is for a bundle of your own: name it in policy.bundle")
    if settings.engine == "opa" and settings.opa_url is None:
        yield Problem("policy.opa_url", "is needed for policy.engine: opa")
    if settings.engine == "embedded" and settings.opa_url is not None:
        yield Problem("policy.opa_url", "is for policy.engine: opa")
    if settings.engine == "embedded" and settings.fallback:
        yield Problem("policy.fallback", "is for policy.engine: opa")


def _server(name: str, url: str) -> Iterator[Problem]:
    if names_user(url):
        yield Problem(name, "must not hold a user or password; they would not be sent")
        return
    try:
        address_of(url)
    except ValueError:
        yield Problem(name, "must be http://host:port, https://host:port or unix:///path")


def _bundle(settings: PolicySettings, detection: DetectionSettings) -> Iterator[Problem]:
    """The bundle as it is, then with the deployment's data, then as what decides, then the types that the data names.
    What comes first hides the rest."""
    if settings.key is not None:
        unread = list(_tried("policy.key", settings.key.read_bytes))
        if unread:
            yield from unread
            return
    deciding = "policy.data" if settings.data else "policy.bundle"
    yield from (
        list(_tried("policy.bundle", lambda: bundle_of(settings.model_copy(update={"data": {}}))))
        or list(unwritable(settings.data))
        or list(_tried(deciding, lambda: RegoEngine(bundle_of(settings), SystemClock())))
        or unknown_types(bundle_of(settings), types_known(detection))
    )


def _callers(config: Config) -> Iterator[Problem]:
    callers = config.callers
    yield from _owners("keys", [entry.sha256 for entry in callers.keys])
    yield from _owners("peers", [entry.uid for entry in callers.peers])
    introduced = callers.trusted and (callers.tenant_header or callers.app_header or callers.user_header)
    if callers.required and not (callers.keys or callers.peers or introduced):
        yield Problem("callers.required", NOBODY)
    for number, network in enumerate(callers.trusted):
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield Problem(f"callers.trusted.{number}", "must be an IP address or a network such as 10.0.0.0/8")


def _owners(name: str, entries: Sequence[str | int]) -> Iterator[Problem]:
    """Whoever is listed twice would be the last, and a key that is none is everybody's."""
    for number, entry in enumerate(entries):
        place = f"callers.{name}.{number}"
        if entry in entries[:number]:
            yield Problem(place, "is listed before, with another owner perhaps; list it once")
        elif entry == OF_NOTHING:
            yield Problem(place, "is the digest of an empty key: the variable with the key was not set")


def _detection(config: Config) -> Iterator[Problem]:
    yield from inspector_or_problems(config.detection, SystemClock(), SystemEntropy())[1]


def _redaction(config: Config) -> Iterator[Problem]:
    if config.redaction.style == "keyed" and config.redaction.key is None:
        yield Problem("redaction.key", "is needed for redaction.style: keyed")
    for mode, chosen in config.redaction.operators.items():
        try:
            list(operators_of(config.redaction.model_copy(update={"operators": {mode: chosen}})))
        except ConfigError as fault:
            yield from fault.args


CHECKS = (_addresses, _state, _upstream, _policy, _callers, _detection, _redaction)


def _tried(name: str, build: Callable[[], object]) -> Iterator[Problem]:
    """What building it says against it."""
    try:
        build()
    except OSError as fault:
        yield Problem(name, f"{fault.filename}: {fault.strerror}")
    except (BundleRefused, ValueError) as fault:
        yield Problem(name, str(fault))
