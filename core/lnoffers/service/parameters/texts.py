"""Strings to take apart, which are read as they are written, and labels."""

from __future__ import annotations

from typing import Final

from clnrpc.runtime.server.convert import BadToken, Converter, content, raw_text, string

MAX_STRING: Final = 1 << 17
"""Characters of a string to take apart. No message that travels has more: 65,535 bytes (BOLT 1) are 104,856 symbols."""
MAX_UNSIGNED: Final = 1 << 14
"""Characters of an invoice to sign. One with ten paths has a quarter; reading the worst of this length takes 3 ms."""
MAX_INVOICE: Final = MAX_UNSIGNED + 1024
"""Characters of a signed invoice to look for: what is signed here gets a signature, and a path if it has none.

Reading the worst of this length takes 11 ms.
"""
MAX_LABEL: Final = 4096
"""Bytes of a label as it is written: each list shows it."""


def string_to_read(most: int) -> Converter:
    """The text of any token as written, if it is not so long that others would wait while it is read."""

    def convert(raw: bytes) -> str:
        text = raw_text(raw)
        if len(text) > most:
            raise BadToken(f"should have {most} characters at most")
        return text

    return convert


def label(raw: bytes) -> str:
    """The label of an offer or request: text (param_escaped_string), but of bounded length."""
    check_label(raw)
    text: str = string(raw)
    return text


def check_label(raw: bytes) -> None:
    """Refuse a label that is too long."""
    if len(content(raw)) > MAX_LABEL:
        raise BadToken(f"should have {MAX_LABEL} bytes at most")
