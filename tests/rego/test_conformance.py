"""OPA's own conformance cases through both modes of the engine.

About a minute the first time on two cores (compiling 2,257 plans), five seconds afterwards.
`-s` shows the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cases
import opa
import pytest

from sidecar.rego import UNDEFINED, EvaluationFault, Limits, PlanRefused, load

# Cases this engine answers otherwise, each with the reason. The list may shrink; a new entry needs a reason.
KNOWN = {
    "aggregates/count with invalid utf-8 chars (0xFFFD)": "decoded bytes that are not UTF-8: no answer here",
    "data/toplevel integer": "a number finds a string key of base data in OPA's store, in no plan (IR semantics)",
    "data/nested integer": "the same, one level down",
    "strings/sprintf: float too big": "prints 2e308 in full: the spelling of an integral number is not kept",
}
# Queries that cannot become a rule: two ask for all of `data`, which the rule is part of; one calls
# `test.sleep`, which only OPA's own test program has.
UNCOMPILED = {"fix1863/is defined", "time/time caching", "topdowndynamicdispatch/dynamic dispatch"}
WIDE = Limits(steps=5_000_000, input_bytes=10**7, result_bytes=10**7)

Compiled = list[tuple[cases.Case, bytes | opa.NotCompiled]]


@pytest.fixture(scope="module")
def compiled(real_opa: str, plans: Path) -> Iterator[Compiled]:
    folder = opa.cases_folder()
    if folder is None:
        pytest.skip(f"needs OPA's cases in the Go module cache; {opa.HOW}")
    found = list(cases.read(folder))
    jobs = [(case.modules, case.experimental) for case in found]
    yield list(zip(found, opa.compile_many(jobs, [cases.ENTRYPOINT], plans), strict=True))


def verdict(case: cases.Case, plan: bytes | opa.NotCompiled, optimise: bool) -> str:
    if isinstance(plan, opa.NotCompiled):
        return "passed" if case.want_error else "not compiled"
    if case.unusual_input:
        return "input is not JSON"
    try:
        engine = load(plan, case.data, limits=WIDE, optimise=optimise, strict=case.strict)
    except PlanRefused as refusal:
        return f"refused: {refusal.name}"
    try:
        rows = engine.evaluate(cases.ENTRYPOINT, case.document if case.has_document else UNDEFINED)
    except EvaluationFault:
        return "passed" if case.want_error else "failed"
    return "passed" if cases.agrees(case, rows) else "failed"


@pytest.mark.parametrize("optimise", [True, False], ids=["optimised", "unoptimised"])
def test_opas_own_cases(compiled: Compiled, optimise: bool) -> None:
    verdicts = [(case.note, verdict(case, plan, optimise)) for case, plan in compiled]  # notes are not unique
    show(Counter(word.partition(":")[0] for _, word in verdicts), len(compiled))
    assert {note for note, word in verdicts if word == "failed"} == set(KNOWN)
    assert {note for note, word in verdicts if word == "not compiled"} == UNCOMPILED
    assert sum(word == "passed" for _, word in verdicts) >= 1_800


def show(table: Counter[str], total: int) -> None:
    print(f"\n{'OPA ' + opa.VERSION + ' cases':<24}{total:>6}")
    for word, number in sorted(table.items(), key=lambda item: -item[1]):
        print(f"{word:<24}{number:>6}")


def test_what_is_refused_is_what_must_be(compiled: Compiled) -> None:
    """No builtin with effects, and no statement of the IR, is among the refusals' reasons by accident."""
    names = {verdict(case, plan, True).partition(": ")[2] for case, plan in compiled}
    assert {"http.send", "opa.runtime", "net.lookup_ip_addr", "rand.intn", "uuid.rfc4122", "time.now_ns"} <= names
    assert not any(name.endswith("Stmt") for name in names)


def test_a_build_that_crashes_is_begun_again_and_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_opa: str
) -> None:
    once, never = tmp_path / "once", tmp_path / "never"
    once.write_text(f'#!/bin/sh\nif mkdir {tmp_path}/seen; then kill -9 $$; fi\nexec {real_opa} "$@"\n')
    never.write_text("#!/bin/sh\necho no memory >&2; kill -9 $$\n")
    for script in (once, never):
        script.chmod(0o755)
    monkeypatch.setattr(opa.time, "sleep", lambda seconds: None)
    modules = {"t.rego": "package t\n\nout := 1\n"}
    monkeypatch.setattr(opa, "program", lambda: str(once))
    assert opa.compile_plan(modules, ["t/out"], tmp_path)[:1] == b"{"
    monkeypatch.setattr(opa, "program", lambda: str(never))
    with pytest.raises(opa.Crashed, match="no memory"):
        opa.compile_plan({"t.rego": "package t\n\nout := 2\n"}, ["t/out"], tmp_path)
