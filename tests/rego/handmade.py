"""Plans written by hand, for what OPA's compiler would not write."""

from __future__ import annotations

import json
from typing import Any

WHERE = {"file": 0, "row": 7, "col": 3}


def stmt(kind: str, /, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "stmt": {**fields, **WHERE}}


def local(number: int) -> dict[str, Any]:
    return {"type": "local", "value": number}


def string(index: int) -> dict[str, Any]:
    return {"type": "string_index", "value": index}


def block(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"stmts": list(statements)}


def plan(
    *statements: dict[str, Any], strings: tuple[str, ...] = (), builtins: tuple[str, ...] = (), **more: Any
) -> bytes:
    """A plan `e` of one block whose local 9 is the result; functions and further fields through `more`."""
    ending = [
        stmt("MakeObjectStmt", target=8),
        stmt("ObjectInsertStmt", key=string(0), value=local(9), object=8),
        stmt("ResultSetAddStmt", value=8),
    ]
    document = {
        "static": {
            "strings": [{"value": value} for value in ("result", *strings)],
            "builtin_funcs": [{"name": name, "decl": {"args": []}} for name in builtins],
            "files": [{"value": "rules.rego"}],
        },
        "plans": {"plans": [{"name": "e", "blocks": [block(*statements, *ending)]}]},
        "funcs": {"funcs": []},
    }
    return json.dumps({**document, **more}).encode()
