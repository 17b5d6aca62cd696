"""The real OPA, where a machine has it: found, never installed.

The compiler is the `opa` program; its own conformance cases lie in the Go module cache beside it
(`go install github.com/open-policy-agent/opa@v1.19.1` brings both).
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VERSION = "1.19.1"
HOW = f"install it with: CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v{VERSION}"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


@functools.cache
def program() -> str | None:
    """The `opa` on PATH, or in Go's bin folder; only of the version the plans were checked against."""
    candidates = [shutil.which("opa"), str(Path(_output("go", "env", "GOPATH") or ".") / "bin" / "opa")]
    for candidate in candidates:
        if candidate and Path(candidate).is_file() and f"Version: {VERSION}" in _output(candidate, "version"):
            return candidate
    return None


@functools.cache
def cases_folder() -> Path | None:
    cache = _output("go", "env", "GOMODCACHE")
    folder = Path(cache) / f"github.com/open-policy-agent/opa@v{VERSION}" / "v1/test/cases/testdata/v1"
    return folder if cache and folder.is_dir() else None


REFUSAL = re.compile(rb"rego_\w+_error|does not refer to a rule")


class NotCompiled(Exception):
    """OPA's compiler refused; the message is its own, and says which rule of its is broken (`rego_type_error`)."""


class Crashed(Exception):
    """`opa build` ended without a plan and without a reason of the compiler's: killed, out of memory, disk full."""


@functools.cache
def capabilities() -> str:
    """This OPA's capabilities with the keywords it still calls experimental, for the cases that need them."""
    current = json.loads(_output(program() or "opa", "capabilities", "--current"))
    return json.dumps({**current, "future_keywords": ["and", "not", "or"]})


def compile_plan(
    modules: dict[str, str], entrypoints: list[str], cache: Path | None = None, *, experimental: bool = False
) -> bytes:
    """`plan.json` of a bundle of these modules."""
    key = hashlib.sha256(json.dumps([VERSION, modules, entrypoints, experimental]).encode()).hexdigest()[:32]
    kept = cache / key if cache else None
    if kept and kept.exists() and _whole(kept.read_bytes()):
        return _plan(kept.read_bytes())
    answer = _built(modules, entrypoints, experimental)
    if kept:
        kept.write_bytes(answer)
    return _plan(answer)


def _whole(answer: bytes) -> bool:
    """A plan, or a refusal of the compiler's: all else says nothing about the modules."""
    return answer[:1] == b"{" or REFUSAL.search(answer) is not None


def _plan(answer: bytes) -> bytes:
    if answer[:1] != b"{":
        raise NotCompiled(answer[1:].decode())
    return answer


def _built(modules: dict[str, str], entrypoints: list[str], experimental: bool) -> bytes:
    """A build that crashes is begun again, twice, a little later: a busy machine is no fault of the modules. A refusal
    counts when it is said twice: one was seen that was not said again.
    """
    answer = b""
    for pause in (0, 0, 1, 5):
        time.sleep(pause)
        before, answer = answer, _build(modules, entrypoints, experimental)
        if answer[:1] == b"{" or (_whole(answer) and answer == before):
            return answer
    raise Crashed(f"opa build: {answer[1:].decode(errors='replace')!r}")


def _build(modules: dict[str, str], entrypoints: list[str], experimental: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in modules.items():
            Path(folder, name).write_text(text, encoding="utf-8", errors="surrogatepass")
        flags = [item for entrypoint in entrypoints for item in ("-e", entrypoint)]
        command = [program() or "opa", "build", "-t", "plan", "-o", "out.tar.gz", *flags, *modules]
        if experimental:
            Path(folder, "capabilities.json").write_text(capabilities())
            command += ["--capabilities", "capabilities.json"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as fault:
            return b"!" + str(fault).encode()
        if done.returncode:
            return b"!" + f"{done.returncode} ".encode() + done.stderr + done.stdout
        with tarfile.open(Path(folder, "out.tar.gz")) as archive:
            plan = archive.extractfile("/plan.json")
            assert plan is not None
            return plan.read()


def accepted(modules: dict[str, str]) -> dict[str, str]:
    """Those modules that the compiler takes. It stops at the first stage with errors: asked until it has none."""
    while True:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in modules.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            command = [program() or "opa", "check", "--max-errors", "-1", "--format", "json", "."]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        if not done.returncode:
            return modules
        refused = set(re.findall(r"\bt\d+\.rego\b", done.stderr + done.stdout))
        if not refused:
            raise Crashed(done.stderr)
        modules = {name: text for name, text in modules.items() if name not in refused}


Job = tuple[dict[str, str], bool]  # modules, and whether they use experimental keywords


def compile_many(jobs: list[Job], entrypoints: list[str], cache: Path) -> list[bytes | NotCompiled]:
    """Many bundles, a few processes at a time: most of a build is waiting."""

    def one(job: Job) -> bytes | NotCompiled:
        try:
            return compile_plan(job[0], entrypoints, cache, experimental=job[1])
        except NotCompiled as refusal:
            return refusal

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(one, jobs))


def evaluate(modules: dict[str, str], query: str, inputs: list[object], data: object = None) -> list[object]:
    """What OPA's own evaluator answers, one per input: its value, or {"undefined": True} or {"error": code}."""
    wrapped = "package opa_many\n" + _MANY.format(query=query)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as beside:
        for name, text in {**modules, "opa_many.rego": wrapped}.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        Path(folder, "data.json").write_text(json.dumps(data or {}))
        given = Path(beside, "input.json")
        given.write_text(json.dumps(inputs))
        command = [program() or "opa", "eval", "-d", folder, "-i", str(given), "data.opa_many.all"]
        done = subprocess.run(command, capture_output=True, timeout=120)
        answer = json.loads(done.stdout)
    if "errors" in answer:
        return [{"error": answer["errors"][0].get("code")}]
    return [item[0] if item else {"undefined": True} for item in answer["result"][0]["expressions"][0]["value"]]


_MANY = """
all := [found | some one in input; found := [value | value := {query} with input as one]]
"""
