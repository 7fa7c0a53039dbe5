"""The documents to compare: a folder's, with its corrections, as a node of some release follows them.

What only this project's service has is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from lnoffers.service.errors import ServiceError
from lnstandin.releases import as_of, described, is_gone
from rpcschema.model.nodes import Document, Request
from rpcschema.model.releases import order
from rpcschema.problems import Level
from rpcschema.read.corrections import NONE, read_corrections
from rpcschema.read.load import load

_CORRECTIONS: Final = "corrections.toml"
"""A folder may hold a table of corrections of this name; they are applied."""


_BETWEEN: Final = re.compile(r"-[0-9]+-g[0-9a-f]+")


class DocumentsError(ServiceError):
    """There are no documents, or some have errors."""


def read_documents(folder: Path) -> tuple[Document, ...]:
    """Return the documents in a folder, or the one in a file.

    Raises:
        DocumentsError: if there is none, or one cannot be used; the message lists the problems.
    """
    table = folder / _CORRECTIONS
    is_corrected = table.is_file()
    loaded = load([folder], read_corrections(table) if is_corrected else NONE)
    if problems := [str(problem) for problem in loaded.problems if problem.level is Level.ERROR]:
        raise DocumentsError("\n".join(["some documents cannot be used:", *problems]))
    return tuple(
        replace(document, request=_comparable(document.request, is_corrected=is_corrected))
        for document in loaded.documents
        if not document.extension
    )


def as_followed(documents: Sequence[Document], version: str) -> tuple[Document, ...]:
    """Return the documents without what a node of an older release lacks; `version` is what its `getinfo` says.

    A build between two releases ("v26.06-258-g090f4b0") may have all of the later one.
    """
    if _BETWEEN.search(version) or order(version) >= order(described(documents)):
        return tuple(documents)
    return tuple(as_of(document, version) for document in documents if not is_gone(document, version))


def _comparable(request: Request, *, is_corrected: bool) -> Request:
    """Return a request without extensions. A table of corrections says which of its rules a node enforces."""
    request, enforced = request.without_extensions(), request.enforced or ()
    if not is_corrected:
        return request
    return replace(
        request,
        one_of_many=request.one_of_many if "oneOfMany" in enforced else None,
        paired_with=request.paired_with if "pairedWith" in enforced else None,
        dependent_upon=request.dependent_upon if "dependentUpon" in enforced else None,
    )
