"""Checks the packs and builds the default bundle: `python -m policies.build` (`--check` writes nothing; CI runs it).

Packs of one's own, in a folder like this one, are checked and built with `--packs DIR --output FILE`. With
`--config FILE`, which holds what `policy.data` does, the bundle is the configured one, as an OPA server has to have it.

Every step is OPA's own: formatting, strict checks against the input's schema and the allowed builtins, tests with
coverage, the plan. Then a lint of ours, the samples decided by OPA itself and by the sidecar's engine, and a tar that
is the same to the byte wherever it is built. OPA is of version 1.19.1:

    CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v1.19.1
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies import generate
from policies.lint import lint
from policies.probes import probes
from sidecar.drivers import bundle, rego_engine
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.clock import SystemClock
from sidecar.rego.builtins import TABLE

ROOT = generate.ROOT
POLICIES = generate.POLICIES
TARGET = ROOT / "sidecar" / "policy" / "default_bundle.tar.gz"
PIN = ROOT / "sidecar" / "policy" / "__init__.py"
PIN_LINE = re.compile(r'^DEFAULT_BUNDLE_SHA256 = ".*"$', re.MULTILINE)

ENTRYPOINT = "governor/decide/decision"
COVERAGE = 90
NEEDED = {"why", "start", "patch", "expect"}
CAPABILITIES = POLICIES / "capabilities.json"
COMPILED_AWAY = {"assign", "eq", "internal.print", "internal.test_case", "print"}
COMPILED_AWAY |= {"rego.metadata.chain", "rego.metadata.rule"}
"""Builtins that are gone when the plan is made, so that the engine need not have them."""

NOT_BUILT = ("*_test.rego", "testing", "samples", "__pycache__")
HINT = "opa is not installed: CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v1.19.1"


class BuildFailed(Exception):
    """A step said no; the argument is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sample: a change of an example input, under a configuration, and what is expected of the decision."""

    path: Path
    input: dict[str, Any]
    config: dict[str, Any]
    expect: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.path.parent.parent.name}/{self.path.stem}"


def find_opa() -> str | None:
    """Where `opa` is: on the path, or where `go install` puts it."""
    return shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))


def cases(root: Path = POLICIES) -> Iterator[Case]:
    """The samples of every pack, expanded to whole inputs."""
    starts = {"request": generate.example_request(), "response": generate.example_response()}
    for path in sorted(root.glob("*/samples/*.json")):
        sample = sample_of(path, set(starts))
        yield Case(
            path=path,
            input=generate.merge_patch(starts[sample["start"]], sample["patch"]),
            config=sample.get("config", {}),
            expect={name: ordered(value) for name, value in sample["expect"].items()},
        )


def sample_of(path: Path, starts: set[str]) -> dict[str, Any]:
    """A sample's file. Raises BuildFailed; a misspelt `config` would be another case than the one meant."""
    try:
        sample = json.loads(path.read_text())
        good = NEEDED <= set(sample) <= NEEDED | {"config"} and sample["start"] in starts
        good = good and isinstance(sample["expect"], dict)
    except (ValueError, TypeError) as fault:
        raise BuildFailed(f"{path} is not a sample: {fault}") from fault
    if not good:
        raise BuildFailed(
            f"{path} is not a sample: it holds why, start ({' or '.join(sorted(starts))}), patch, expect,"
            " perhaps config, and no more"
        )
    return dict(sample)


def ordered(value: Any) -> Any:
    """Codes and obligations of an `expect`, in whatever order somebody wrote them."""
    return sorted(value, key=str) if isinstance(value, list) else value


def capabilities(opa: str) -> str:
    """What packs may use: the builtins of this OPA that the embedded engine has, so that it refuses none at load.

    Nothing in there reaches the network, tells the time or rolls dice: those are inputs of a decision or no part of it.
    """
    known = json.loads(run(opa, "capabilities", "--current", root=POLICIES))
    allowed = [item for item in known.pop("builtins") if item["name"] in COMPILED_AWAY or item["name"] in TABLE]
    rest = "".join(f",\n{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(known.items()))
    return '{"builtins": [\n' + ",\n".join(map(json.dumps, allowed)) + "\n]" + rest + "}\n"


def check(opa: str, root: Path = POLICIES) -> None:
    """Formatting, compilation against schema and capabilities, our lint, and the Rego tests with their coverage."""
    schema = ROOT / "schemas" / "policy-input.schema.json"
    limits = ["--capabilities", str(CAPABILITIES)]
    run(opa, "fmt", "--fail", "--list", ".", root=root)
    run(opa, "check", "--strict", "--schema", str(schema), *limits, *ignored("samples"), ".", root=root)
    if found := list(lint(lambda name: json.loads(run(opa, "parse", "--format", "json", name, root=root)), root)):
        raise BuildFailed("\n".join(found))
    covered = json.loads(run(opa, "test", "--coverage", *ignored("samples"), ".", root=root))
    if untested := list(uncovered(covered["files"])):
        raise BuildFailed("\n".join(untested))


def uncovered(files: Mapping[str, Any]) -> Iterator[str]:
    """Of each file alone: the tests of the other packs would make up for a rule that no test ever met."""
    for name, seen in files.items():
        if seen.get("coverage", 0) < COVERAGE:
            rows = ", ".join(str(span["start"]["row"]) for span in seen.get("not_covered", ()))
            yield f"{name}: the tests run {seen.get('coverage', 0):.0f} % of it; {COVERAGE} are asked. Not rows {rows}"


def build(opa: str, root: Path = POLICIES) -> bytes:
    """The bundle of the packs under `root`. Its revision is the digest of what it was built from."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "bundle.tar.gz"
        limits = ["--capabilities", str(CAPABILITIES)]
        command = ["build", "--target", "plan", "--entrypoint", ENTRYPOINT, *limits, *ignored(*NOT_BUILT)]
        run(opa, *command, "--bundle", ".", "--output", str(made), root=root)
        files = bundle.unpack(made.read_bytes())
    sources = {name: content for name, content in files.items() if name != ".manifest" and name != "plan.json"}
    revision = hashlib.sha256(bundle.pack(sources)).hexdigest()[:16]
    manifest = {**json.loads(files[".manifest"]), "revision": revision}
    files[".manifest"] = json.dumps(manifest, sort_keys=True).encode()
    return bundle.pack({**files, **answered(opa, bundle.pack(files), root)})


def answered(opa: str, built: bytes, root: Path) -> dict[str, bytes]:
    """The samples that need no configuration, with OPA's answers: what an engine must answer before it is used."""
    plain = [case for case in cases(root) if not case.config]
    answers = decide(opa, built, [case.input for case in plain])
    return {
        f"samples/{case.name}.json": generate.text({"input": case.input, "answer": answer}).encode()
        for case, answer in zip(plain, answers, strict=True)
    }


def decide(opa: str, built: bytes, inputs: list[dict[str, Any]]) -> list[Any]:
    """What OPA answers to each input, in one process (`opa exec`)."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bundle.tar.gz").write_bytes(built)
        names = [f"{number:04}.json" for number in range(len(inputs))]
        for name, document in zip(names, inputs, strict=True):
            (Path(folder) / name).write_text(json.dumps(document))
        said = run(opa, "exec", "--decision", ENTRYPOINT, "--bundle", "bundle.tar.gz", *names, root=Path(folder))
    results = {Path(item["path"]).name: item.get("result") for item in json.loads(said)["result"]}
    return [results[name] for name in names]


def outline(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a sample expects of an answer."""
    return {
        "allow": answer["allow"],
        "codes": sorted({deny["code"] for deny in answer["denies"]}),
        "obligations": sorted({obligation["id"] for obligation in answer["obligations"]}),
    }


def disagreements(opa: str, built: bytes, root: Path) -> Iterator[tuple[Case, dict[str, Any]]]:
    """The samples, also those under a configuration, of which OPA says something else than their author, and what."""
    read = bundle.parse(built)
    groups: dict[str, list[Case]] = {}
    for case in cases(root):
        groups.setdefault(json.dumps(case.config, sort_keys=True), []).append(case)
    for config, group in groups.items():
        configured = bundle.with_config(read, json.loads(config))
        answers = decide(opa, configured.raw, [case.input for case in group])
        pairs = list(zip(group, answers, strict=True))
        samples = [bundle.Sample(name=it.name, input=it.input, answer=answer) for it, answer in pairs]
        try_engine(configured, [*samples, *(probe for it in group for probe in probes(it.name, it.input))])
        yield from ((case, said) for case, answer in pairs if (said := outline(answer)) != case.expect)


def try_engine(read: bundle.Bundle, samples: Iterable[bundle.Sample]) -> None:
    """The sidecar's own engine takes the bundle over, and decides as OPA did. Raises BundleRefused."""
    clock = SystemClock()
    loaded = rego_engine.load(read, clock)
    for sample in samples:
        rego_engine.try_sample(loaded, sample, clock)


def check_samples(opa: str, built: bytes, root: Path = POLICIES) -> None:
    wrong = [f"{case.name}: expected {case.expect}, got {said}" for case, said in disagreements(opa, built, root)]
    if wrong:
        hint = "Where that is meant: --accept writes it into the samples, for you to read"
        raise BuildFailed("\n".join([*wrong, hint]))


def accept_samples(opa: str, built: bytes, root: Path) -> None:
    """A rule that concerns every call changes the samples of all packs: they now expect what OPA says."""
    for case, said in disagreements(opa, built, root):
        sample = json.loads(case.path.read_text())
        case.path.write_text(generate.text({**sample, "expect": said}))
        sys.stdout.write(f"{case.name} now expects {json.dumps(said)}\n")


def ignored(*patterns: str) -> list[str]:
    return [word for pattern in patterns for word in ("--ignore", pattern)]


def run(opa: str, *words: str, root: Path) -> str:
    done = subprocess.run([opa, *words], cwd=root, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise BuildFailed(f"opa {words[0]}: {done.stdout}{done.stderr}".strip())
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the bundle in the tree is another")
    parser.add_argument("--packs", type=Path, default=POLICIES, metavar="DIR", help="other packs than the default ones")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where their bundle goes")
    parser.add_argument("--accept", action="store_true", help="samples expect what OPA says: read what it changes")
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML to lay over data.governor.config")
    options = parser.parse_args()
    try:
        opa = find_opa()
        if opa is None:
            raise BuildFailed(HINT)
        if options.output is None and (options.packs != POLICIES or options.config is not None):
            raise BuildFailed("--packs and --config need --output FILE: the default bundle is of the default packs")
        if options.output is None:
            settle_capabilities(opa, options.check)
        built = checked(opa, options.packs, accept=options.accept)
        if options.output is not None:
            options.output.write_bytes(configured(built, options.config))
            return 0
    except (BuildFailed, BundleRefused) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return compare(built) if options.check else write(built)


def checked(opa: str, root: Path, *, accept: bool = False) -> bytes:
    """The bundle of the packs under `root`, after every check. Raises BuildFailed."""
    if not root.is_dir():
        raise BuildFailed(f"--packs {root}: there is no such folder")
    check(opa, root)
    built = build(opa, root)
    try_engine(bundle.parse(built), probes("An example request", generate.example_request()))
    try_engine(bundle.parse(built), probes("An example reply", generate.example_response()))
    if accept:
        accept_samples(opa, built, root)
    check_samples(opa, built, root)
    return built


def configured(built: bytes, config: Path | None) -> bytes:
    """The bundle as a sidecar makes it of `policy.data`: the same bytes, hence the same digest."""
    if config is None:
        return built
    try:
        settings = yaml.safe_load(config.read_text())
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise BuildFailed(f"--config cannot be read: {fault}") from fault
    if not isinstance(settings, dict):
        raise BuildFailed("--config holds no settings: give it what stands under policy.data")
    return bundle.with_config(bundle.parse(built), settings).raw


def settle_capabilities(opa: str, only_check: bool) -> None:
    if not only_check:
        CAPABILITIES.write_text(capabilities(opa))
    elif CAPABILITIES.read_text() != capabilities(opa):
        raise BuildFailed("policies/capabilities.json is not what the engine has: run python -m policies.build")


def compare(built: bytes) -> int:
    if TARGET.exists() and TARGET.read_bytes() == built:
        return 0
    sys.stderr.write("The default bundle is not what the packs build: run python -m policies.build\n")
    return 1


def write(built: bytes) -> int:
    """The bundle, and its digest where the package pins it."""
    digest = hashlib.sha256(built).hexdigest()
    TARGET.write_bytes(built)
    PIN.write_text(PIN_LINE.sub(f'DEFAULT_BUNDLE_SHA256 = "{digest}"', PIN.read_text()))
    revision = bundle.parse(built).revision
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}: {len(built)} bytes, revision {revision}, sha256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
