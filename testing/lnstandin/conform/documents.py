"""The documents to compare: a folder's, with its corrections, as a node of some release follows them.

What only this project's service has is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from lnstandin.documents import DocumentsError, as_of, corrections_in, described, is_gone, with_enforced_rules
from rpcschema.model.nodes import Document
from rpcschema.model.releases import order
from rpcschema.problems import Level
from rpcschema.read.load import load

_BETWEEN: Final = re.compile(r"-[0-9]+-g[0-9a-f]+")
"""The end of the version of a build between two releases."""


def read_documents(folder: Path) -> tuple[Document, ...]:
    """Return the documents in a folder, or the one in a file.

    Raises:
        DocumentsError: if there is none, or one cannot be used; the message lists the problems.
    """
    corrections = corrections_in(folder)
    loaded = load([folder], corrections)
    if problems := [str(problem) for problem in loaded.problems if problem.level is Level.ERROR]:
        raise DocumentsError("\n".join(["some documents cannot be used:", *problems]))
    return tuple(
        with_enforced_rules(replace(document, request=document.request.without_extensions()), corrections)
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
