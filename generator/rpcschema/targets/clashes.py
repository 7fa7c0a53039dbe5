"""Find documents whose Python names clash with each other's, or with the generated classes' own names.

Only all documents together show a clash, so each lists its names in its summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rpcschema.problems import Problem
from rpcschema.python import names
from rpcschema.targets import DocumentSummary

if TYPE_CHECKING:
    from rpcschema.model.nodes import Document
    from rpcschema.python.classes import Plan  # slow to import

_OURS: Final = frozenset({"iter", "pay_once"})
"""The names of generated clients that look like commands."""


def python_names(document: Document, plan: Plan) -> dict[str, Any]:
    """Return the Python names of `document`, planned as `plan`: a part of its summary."""
    method = {"method": names.method(document)} if document.kind == "rpc" else {}
    return {"module": names.module(document), "classes": list(plan.names), **method}


def clashes(summaries: Sequence[DocumentSummary]) -> tuple[Problem, ...]:
    """Return an error for each document that clashes with an earlier one, or whose method would hide one of ours."""
    return tuple(_clashes(summaries))


def _clashes(summaries: Sequence[DocumentSummary]) -> Iterator[Problem]:
    owners: dict[tuple[str, str], DocumentSummary] = {}
    for summary in summaries:
        for what, name in _names(summary.values):
            other = owners.setdefault((what, name), summary)
            if other is not summary:
                message = f"its {what} in Python would be {name}, which {other.file} has already; rename one of them"
                yield Problem(summary.file, "", message)
        method = summary.values.get("method", "")
        if method.startswith("rpc_"):
            message = "names that begin with rpc_ belong to the generated clients and services"
            yield Problem(summary.file, "/rpc", message)
        elif method in _OURS:
            yield Problem(summary.file, "/rpc", f"the name {method} belongs to the generated clients")


def _names(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for what, key in (("module", "module"), ("class", "classes"), ("method", "method")):
        found = values.get(key, ())
        yield from ((what, name) for name in ([found] if isinstance(found, str) else found))
