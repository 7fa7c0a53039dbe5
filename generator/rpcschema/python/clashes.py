"""Documents whose Python would overwrite each other's, and names that belong to the generated classes themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.python import names
from rpcschema.python.classes import Plan


def clashes(plans: Sequence[tuple[Document, Plan]]) -> tuple[Problem, ...]:
    """An error for each document that cannot stand beside an earlier one, or whose method would hide one of ours."""
    return tuple(_clashes(plans))


def _clashes(plans: Sequence[tuple[Document, Plan]]) -> Iterator[Problem]:
    owners: dict[tuple[str, str], Document] = {}
    for document, plan in plans:
        taken = [("module", names.module(document)), *(("class", name) for name in plan.names)]
        if document.kind == "rpc":
            taken.append(("method", names.method(document)))
        for what, name in taken:
            other = owners.setdefault((what, name), document)
            if other is not document:
                message = f"its {what} in Python would be {name}, which {other.file} has already; rename one of them"
                yield Problem(document.file, "", message)
        if document.kind == "rpc" and names.method(document).startswith("rpc_"):
            message = "names that begin with rpc_ belong to the generated clients and services"
            yield Problem(document.file, "/rpc", message)
