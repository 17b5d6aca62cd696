"""A loaded plan: `load()` checks and builds it once, `Engine.evaluate()` decides.

An Engine holds no state between evaluations and may be shared by threads; what it was built from is
copied, what it is asked is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import orjson

from . import document as documents
from .builtins import resolve
from .emit import Plain
from .errors import PDP_ERROR, PDP_LIMIT, BuiltinError, Conflict, EvaluationFault, OverLimit, PlanRefused
from .fast import Fast, total_functions
from .fold import Scope
from .ir import Place, Policy, read, walk
from .leaving import to_json
from .module import FILE, Module, build, module_of, write
from .optimise import optimised, scope_of
from .reads import Reads, reads_of
from .repair import repaired
from .runtime import Run
from .sources import as_compiled
from .trace import Explanation, Sites, Trace, Traced, explanation
from .values import UNDEFINED, Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one evaluation. Past any of them there is no decision, which callers must read as deny."""

    depth: int = 64
    input_bytes: int = 262_144
    steps: int = 200_000
    result_bytes: int = 65_536
    deadline_s: float = 0.25  # on the clock given to evaluate(); without a clock only `steps` bounds the work


DEFAULT: Final = Limits()

Clock = Callable[[], float]


def load(
    plan: bytes,
    data: Mapping[str, Any] | bytes | None = None,
    *,
    limits: Limits = DEFAULT,
    optimise: bool = True,
    strict: bool = True,
    sources: Mapping[str, str] | None = None,
) -> Engine:
    """An engine for `plan` (the `plan.json` of `opa build -t plan`) over base data.

    `strict` makes a builtin's error (`to_number("x")`, division by zero) a fault of the evaluation, as an
    OPA server does under `strict-builtin-errors`; lenient, it is undefined, and a deny rule silently
    does not fire. `sources` are the bundle's own .rego by file name, for explanations only, and passed over where they
    are not the text that the plan was made of.
    Raises PlanRefused for anything this engine would not decide exactly as OPA does.
    """
    try:
        policy = repaired(read(documents.decode(plan)))
        base = documents.own_data(data)
    except (ValueError, RecursionError) as cause:
        raise PlanRefused(f"not a readable bundle: {cause}", name="plan.json") from cause
    return Engine(policy, base, limits=limits, optimise=optimise, strict=strict, sources=sources or {})


class Engine:
    """Decides entrypoints of one bundle."""

    def __init__(
        self,
        policy: Policy,
        data: dict[str, Any],
        *,
        limits: Limits,
        optimise: bool,
        strict: bool,
        sources: Mapping[str, str],
    ) -> None:
        self.entrypoints = tuple(name for name, _ in policy.plans)
        self._policy, self._data, self.limits, self._sources = policy, data, limits, dict(sources)
        self._builtins = resolve(policy.builtins, first_use(policy), strict=strict)
        self.program = generate(policy, data, self._builtins, optimise=optimise)
        self._plans = self.program.plans

    def evaluate(self, entrypoint: str, document: Any, *, now: Clock | None = None) -> Undefined | Any:
        """The entrypoint's value as plain JSON in OPA's order, or UNDEFINED.

        `document` is the input as plain JSON values (UNDEFINED: no input). `now` gives seconds on any
        monotonic clock; with it, `deadline_s` is enforced. Raises EvaluationFault, and nothing else.
        """
        plan = self._plan(entrypoint)
        run, admitted = self._begin(document, now)
        results = guarded(lambda: plan(run, admitted, self._data), self.program.places)
        return self._answer(results)

    def explain(self, entrypoint: str, document: Any) -> Explanation:
        """The same decision, with the rules that fired and the condition that stopped each that did not.

        Twice the work of evaluate(), and the first call builds the traced program. Operand values come from
        the input. Raises what evaluate() raises.
        """
        self._plan(entrypoint)
        traced, sites = self._traced
        run, admitted = self._begin(document, None)
        run.trace = Trace()
        results = guarded(lambda: traced.plans[entrypoint](run, admitted, self._data), traced.places)
        return explanation(self._answer(results), run.trace, sites, self.quotable)

    @cached_property
    def _traced(self) -> tuple[Program, Sites]:
        return generate_traced(self._policy, self._builtins)

    @cached_property
    def quotable(self) -> dict[str, str]:
        """Those of its sources that are the text the plan was made of."""
        _, sites = self._traced
        return as_compiled(self._sources, sites.rules, [site.place for site in sites.sites])

    @cached_property
    def reads(self) -> Reads | None:
        """What its policy may look at in the input; None where that cannot be told."""
        return reads_of(self._policy)

    def _plan(self, entrypoint: str) -> Callable[..., list[Any]]:
        plan = self._plans.get(entrypoint)
        if plan is None:
            raise EvaluationFault(PDP_ERROR, "the bundle has no such entrypoint")
        return plan

    def _begin(self, document: Any, now: Clock | None) -> tuple[Run, Any]:
        limits = self.limits
        if document is not UNDEFINED:
            document = documents.admit(document, depth=limits.depth, size=limits.input_bytes)
        run = Run(len(self._policy.funcs), limits.steps, now, limits.deadline_s)
        run.memo = run.memo_for(document, self._data)
        return run, document

    def _answer(self, results: list[Any]) -> Undefined | Any:
        if not results:
            return UNDEFINED
        value = guarded(lambda: to_json(results[0]["result"]))
        if size_of(value) > self.limits.result_bytes:
            raise EvaluationFault(PDP_LIMIT, "result too large")
        return value


@dataclass(frozen=True, slots=True)
class Program:
    """A built module: its text, for the curious, and its entry functions."""

    text: str
    plans: dict[str, Callable[..., list[Any]]]
    places: tuple[Place, ...]  # of each line


def generate(policy: Policy, data: Any, builtins: dict[str, Callable[..., Any]], *, optimise: bool) -> Program:
    if optimise:
        policy = improved(policy, scope_of(policy.funcs, policy.plans, data))
    module = module_of(policy, data, builtins)
    module.total = total_functions(policy.funcs) if optimise else frozenset()
    return program(module, write(module, Fast if optimise else Plain))


def generate_traced(policy: Policy, builtins: dict[str, Callable[..., Any]]) -> tuple[Program, Sites]:
    """The optimised program with trace; base data stays a reference in it, so that it can be named."""
    better, sites = improved(policy, Scope(UNDEFINED)), Sites()
    originals = {func.name: func for func in policy.funcs}
    module = module_of(better, {}, builtins)
    text = write(module, lambda module, funcs, builtins: Traced(module, funcs, builtins, sites, originals))
    return program(module, text), sites


def improved(policy: Policy, scope: Scope) -> Policy:
    return replace(policy, funcs=tuple(optimised(func, scope) for func in policy.funcs))


def program(module: Module, text: str) -> Program:
    names = build(module, text)
    plans = {name: names[f"p{index}"] for index, (name, _) in enumerate(module.policy.plans)}
    return Program(text, plans, tuple(line.at for line in module.lines))


def first_use(policy: Policy) -> dict[str, str]:
    """Where each function is first called, for refusals that name a position."""
    places: dict[str, str] = {}
    bodies = [func.blocks for func in policy.funcs] + [blocks for _, blocks in policy.plans]
    for blocks in bodies:
        for stmt in (stmt for block in blocks for stmt in walk(block)):
            if stmt.kind == "Call":
                places.setdefault(stmt.extra, str(stmt.at))
    return places


def guarded(work: Callable[[], Any], places: Sequence[Place] = ()) -> Any:
    """Runs generated code; every way it can fail becomes an EvaluationFault without input values."""
    try:
        return work()
    except OverLimit as limit:
        raise EvaluationFault(limit.code, str(limit), position=position(limit, places)) from None
    except (Conflict, BuiltinError) as error:
        raise EvaluationFault(PDP_ERROR, str(error), position=position(error, places)) from None
    except EvaluationFault:
        raise
    except RecursionError:
        raise EvaluationFault(PDP_LIMIT, "evaluation nested too deeply") from None
    except Exception as error:  # noqa: BLE001 (total: what is not foreseen is a fault too, never an answer)
        raise EvaluationFault(PDP_ERROR, type(error).__name__, position=position(error, places)) from None


def position(error: BaseException, places: Sequence[Place]) -> str:
    """Where in the Rego the innermost generated line is from that the error passed through."""
    found = ""
    trail = error.__traceback__
    while trail is not None:
        if trail.tb_frame.f_code.co_filename == FILE and trail.tb_lineno <= len(places):
            found = str(places[trail.tb_lineno - 1]) or found
        trail = trail.tb_next
    return found


def size_of(value: Any) -> int:
    """Bytes of `value` as JSON."""
    try:
        return len(orjson.dumps(value))
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return len(json.dumps(value))
