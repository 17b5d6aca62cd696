"""Policy: the input document that goes to an engine, and the reading of what comes back. Pure and total.

    contract    both documents as types; schemas/ is generated from them
    names       which strings of a body may enter the input
    document    call + findings -> input, reply facts -> input
    answer      engine answer -> Decision; any doubt is a deny
    duties      obligations -> Duties, the stricter demand wins
    catalogue   the reason codes

The engines are drivers (rego_engine, opa_server). `default_bundle.tar.gz` beside this file is built from policies/ by
policies/build.py; its digest is pinned here, so that a package whose bundle was swapped refuses to start.
"""

from sidecar.policy.answer import EngineAnswer, fault, read, united
from sidecar.policy.catalogue import FAULTS, Reason, find, render
from sidecar.policy.document import recorded, request_document, response_document
from sidecar.policy.duties import FULFILLED

ENTRYPOINT = "governor/decide/decision"
DEFAULT_BUNDLE = "default_bundle.tar.gz"
DEFAULT_BUNDLE_SHA256 = "0d5d213a14768e356b837cae65ed4d6a8919f06ae42229cdd2c3cd4a95401300"

__all__ = [
    "DEFAULT_BUNDLE",
    "DEFAULT_BUNDLE_SHA256",
    "ENTRYPOINT",
    "FAULTS",
    "FULFILLED",
    "EngineAnswer",
    "Reason",
    "fault",
    "find",
    "read",
    "recorded",
    "render",
    "request_document",
    "response_document",
    "united",
]
