"""Names of releases, such as v26.06: their order, and which of them documents mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.model.walk import nodes

_number: Final = re.compile(r"[0-9]+").findall


def order(release: str) -> tuple[int, ...]:
    """Return a key that sorts releases by age. `pre-v0.10.1` is older than all that have a name."""
    return () if release.startswith("pre-") else tuple(map(int, _number(release)))


def newest(documents: Iterable[Document]) -> str | None:
    """Return the newest release that the documents mention as the one that added something; None without any."""
    added = (each for document in documents for each in _added(document))
    return max((each for each in added if each.startswith("v")), key=order, default=None)


def _added(document: Document) -> Iterator[str]:
    halves = (document.request, document.response)
    yield from (node.added for half in halves for node in nodes(half) if node.added is not None)
    if document.added is not None:
        yield document.added
