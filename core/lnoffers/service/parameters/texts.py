"""Strings to take apart, which are read as they are written, and labels."""

from __future__ import annotations

from typing import Final

from clnrpc.runtime.server.convert import BadToken, content, raw_text, string

MAX_STRING: Final = 1 << 17
"""Characters of a string to take apart. No message that travels has more: 65,535 bytes (BOLT 1) are 104,856 symbols."""
MAX_LABEL: Final = 4096
"""Bytes of a label as it is written: each list shows it."""


def string_to_read(raw: bytes) -> str:
    """The text of any token as written, if it is not so long that others would wait while it is read."""
    text = raw_text(raw)
    if len(text) > MAX_STRING:
        raise BadToken(f"should have {MAX_STRING} characters at most")
    return text


def label(raw: bytes) -> str:
    """The label of an offer or request: text (param_escaped_string), but of bounded length."""
    check_label(raw)
    text: str = string(raw)
    return text


def check_label(raw: bytes) -> None:
    """Refuse a label that is too long."""
    if len(content(raw)) > MAX_LABEL:
        raise BadToken(f"should have {MAX_LABEL} bytes at most")
