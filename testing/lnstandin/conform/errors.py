"""Compare the code of an error with those that a document lists under `errors`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.node import Reply
from rpcschema.model.nodes import Document

_CODE: Final = re.compile(r"- \**(-?[0-9]+)\**(?::| \(|$)").match
_GENERAL: Final = frozenset({-1, -32700, -32600, -32601, -32602, -32603})
"""Codes that any command may return: the catch-all, and those of JSON-RPC."""


def listed_codes(document: Document) -> frozenset[int]:
    """Return the codes that the document lists; none if it lists errors in prose only."""
    return frozenset(int(match[1]) for match in map(_CODE, document.section("errors")) if match)


def compare_error(document: Document, reply: Reply) -> Iterator[Finding]:
    """Yield a finding if the document lists codes, and not the one in the reply."""
    listed = listed_codes(document)
    if reply.code is not None and listed and reply.code not in listed | _GENERAL:
        codes = ", ".join(map(str, sorted(listed)))
        what = f"error {reply.code}: {reply.message}"
        yield Finding(Kind.ERROR_CODE, document.name, "errors", f"lists {codes}", what)
