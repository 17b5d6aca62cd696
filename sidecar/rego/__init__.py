"""OPA plans as Python functions: the embedded policy engine.

`opa build -t plan` does the parsing, checking and planning of Rego; this room turns the resulting plan
into Python source once, at load, and calls it. Nothing here knows what a policy is about.

    ir.py         plan.json -> checked statements; the unknown is refused with name and position
    repair.py     three things OPA's planner gets wrong, mended
    module.py     the program being written: constants, names, how it is built
    emit.py       statements -> Python source, each for itself (the unoptimised mode)
    optimise.py   statements -> fewer statements of the same meaning; fold.py is its last pass
    fast.py       statements -> better Python source
    runtime.py    what generated code calls; steps, deadline, memo of one evaluation
    values.py     Rego's values, equality and total order over Python's
    leaving.py    values as plain JSON and as its text
    numbers.py    Rego's numbers: exact texts, 64-bit mantissas
    document.py   what may come in as input or base data
    reads.py      which places of the input a policy can see; recall.py keeps its answers by them
    builtins/     the allow-list, one file per family; everything else is refused at load
    sources.py    whether a bundle's Rego is what its plan was made of, and may be quoted
    trace.py      the traced build, made at the first explain(): which rules fired, why the others did not
    engine.py     load(), Engine, Limits; errors.py: refused at load, failed in evaluation

The rule for every line: what OPA would answer, or no answer. `EvaluationFault` is never a decision.
"""

from __future__ import annotations

from .engine import Engine, Limits, load
from .errors import EvaluationFault, PlanRefused
from .recall import Recall
from .trace import Explanation, FailedCondition, Looked, RuleSite
from .values import UNDEFINED, Undefined

__all__ = [
    "UNDEFINED",
    "Engine",
    "EvaluationFault",
    "Explanation",
    "FailedCondition",
    "Limits",
    "Looked",
    "PlanRefused",
    "Recall",
    "RuleSite",
    "Undefined",
    "load",
]
