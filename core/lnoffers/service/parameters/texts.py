"""Strings to take apart, which are read as they are written."""

from __future__ import annotations

from typing import Final

from clnrpc.runtime.convert import BadToken, raw_text

MAX_STRING: Final = 1 << 17
"""Characters of a string to take apart. No message that travels has more: 65,535 bytes (BOLT 1) are 104,856 symbols."""


def string_to_read(raw: bytes) -> str:
    """The text of any token as written, if it is not so long that others would wait while it is read."""
    text = raw_text(raw)
    if len(text) > MAX_STRING:
        raise BadToken(f"should have {MAX_STRING} characters at most")
    return text
