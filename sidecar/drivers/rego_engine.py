"""The embedded policy engine: a bundle's plan, turned into Python functions by sidecar/rego, behind the Decide port.

A bundle decides only after it was read, verified, loaded and right on its own samples.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from sidecar import policy, rego
from sidecar.drivers.bundle import Bundle, Sample, parse
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.errors import OwnError
from sidecar.model import PolicyVersion
from sidecar.policy import Reason
from sidecar.ports import Clock, EngineAnswer
from sidecar.rego.trace import FailedCondition
from sidecar.rego.values import same

ENGINE = "embedded"
ENGINE_VERSION = "1"
SLOW_US = 2000
"""A decision holds the interpreter lock: one that takes longer than this on a sample is reported at the start."""

WARM = 3
LIMITS = rego.Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A bundle ready to decide. `slowest_us` is its slowest sample."""

    engine: rego.Engine = field(repr=False)
    recall: rego.Recall = field(repr=False)
    version: PolicyVersion
    reasons: Mapping[str, Reason] = field(repr=False)
    slowest_us: int = 0


class RegoEngine:
    """`ports.Decide` by the embedded engine. Construct it with the bundle that decides; raises BundleRefused."""

    def __init__(self, bundle: Bundle, clock: Clock, limits: rego.Limits = LIMITS) -> None:
        self._clock = clock
        self._loaded = load(bundle, clock, limits)

    @property
    def version(self) -> PolicyVersion:
        return self._loaded.version

    @property
    def reasons(self) -> Mapping[str, Reason]:
        """The reason codes of the bundle."""
        return self._loaded.reasons

    @property
    def slowest_us(self) -> int:
        """Of its samples. More than `SLOW_US` holds up everything else."""
        return self._loaded.slowest_us

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        """Evaluate the entrypoint. Raises OwnError with the engine's PDP_* code."""
        return self.decide_now(document)

    def decide_now(self, document: Mapping[str, Any]) -> EngineAnswer:
        return evaluate(self._loaded, document, self._clock, self._loaded.recall.evaluate)


def default_bundle() -> Bundle:
    """The bundle of the package. Raises BundleRefused if it is not the one whose digest the package pins."""
    raw = importlib.resources.files("sidecar.policy").joinpath(policy.DEFAULT_BUNDLE).read_bytes()
    bundle = parse(raw)
    if bundle.sha256 != policy.DEFAULT_BUNDLE_SHA256:
        raise BundleRefused("The default policy bundle was changed.", "Install the package again.")
    return bundle


def load(bundle: Bundle, clock: Clock, limits: rego.Limits = LIMITS) -> Loaded:
    """Build the engine of a bundle and run its samples. Raises BundleRefused."""
    engine = build(bundle, limits)
    loaded = Loaded(
        engine=engine,
        recall=rego.Recall(engine, policy.ENTRYPOINT),
        version=version_of(bundle),
        reasons=bundle.reasons,
    )
    slowest = max((try_sample(loaded, sample, clock) for sample in bundle.samples), default=0)
    return replace(loaded, slowest_us=slowest)


def build(bundle: Bundle, limits: rego.Limits = LIMITS) -> rego.Engine:
    try:
        # The text of the data, not what was read of it: OPA compares numbers by their digits, a double has few.
        data = bundle.files.get("data.json")
        engine = rego.load(bundle.plan, data, limits=limits, sources=bundle.sources)
    except rego.PlanRefused as refusal:
        raise BundleRefused(f"The policy is not one this engine runs: {refusal}.", "See docs/policies.md.") from refusal
    if policy.ENTRYPOINT not in engine.entrypoints:
        raise BundleRefused(f"The policy has no {policy.ENTRYPOINT}.", "Build it with that entrypoint.")
    return engine


def version_of(bundle: Bundle) -> PolicyVersion:
    return PolicyVersion(
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        bundle_sha256=bundle.sha256,
        revision=bundle.revision,
        entrypoint=policy.ENTRYPOINT,
        signed=bundle.signed,
    )


def evaluate(loaded: Loaded, document: Mapping[str, Any], clock: Clock, ask: Callable[..., Any]) -> EngineAnswer:
    """One decision, `ask`ed of the engine or its recall. Raises OwnError with the engine's PDP_* code; its advice names
    the place in the policy."""
    started = clock.monotonic()
    try:
        result = ask(document, now=clock.monotonic)
    except rego.EvaluationFault as fault:
        raise OwnError(fault.code, f"Look at the policy: {fault}.") from None
    undefined = result is rego.UNDEFINED
    return EngineAnswer(
        result=None if undefined else result,
        undefined=undefined,
        policy=loaded.version,
        eval_us=round((clock.monotonic() - started) * 1e6),
    )


def try_sample(loaded: Loaded, sample: Sample, clock: Clock) -> int:
    """Decide a golden input; its cost in microseconds, warm. Raises BundleRefused unless the answer is OPA's own."""
    anew = partial(loaded.engine.evaluate, policy.ENTRYPOINT)
    try:
        answers = [evaluate(loaded, sample.input, clock, anew) for _ in range(WARM)]
    except OwnError as fault:
        raise BundleRefused(f"{sample.name} fails: {fault.code}.", fault.advice) from None
    check_answer(loaded, sample, answers[0])
    return min(answer.eval_us for answer in answers)


def check_answer(loaded: Loaded, sample: Sample, answer: EngineAnswer) -> None:
    codes = policy.read(answer, orjson.dumps(sample.input)).codes
    if broken := [code for code in codes if code in policy.FAULTS and code not in loaded.reasons]:
        raise BundleRefused(f"{sample.name} answers {broken[0]}.", policy.find(broken[0]).advice)
    if sample.answer is not None and not same(answer.result, sample.answer):
        raise BundleRefused(f"{sample.name} is not decided as OPA decided it.", "Build the bundle anew; report this.")


def explained(engine: rego.Engine, document: bytes) -> tuple[str, ...]:
    """Why a recorded decision came out as it did: its policy input, decided again by its bundle, with a trace.

    One line a rule: those that fired, then where each of the others stopped. Raises OwnError as `decide` does.
    """
    try:
        told = engine.explain(policy.ENTRYPOINT, orjson.loads(document))
    except rego.EvaluationFault as fault:
        raise OwnError(fault.code, f"Look at the policy: {fault}.") from None
    except ValueError:
        raise OwnError("INPUT_INVALID", "The recorded policy input is not JSON.") from None
    fired = tuple(
        f"{'default' if rule.default else 'fired':<9}{rule.path}  {rule.file}:{rule.row}" for rule in told.fired
    )
    return fired + tuple(f"stopped  {stopped(condition)}" for condition in told.failed)


def stopped(condition: FailedCondition) -> str:
    """The rule, the condition that did not hold, where it stands, and what it looked at."""
    looked = ", ".join(f"{item.text} is {shown(item.value)}" for item in condition.operands)
    at = f"{condition.rule.path}  {condition.file}:{condition.row}: {condition.text}"
    return f"{at}  ({looked})" if looked else at


def shown(value: Any) -> str:
    return "undefined" if value is rego.UNDEFINED else json.dumps(value, ensure_ascii=False)
