"""Converters that several commands share: strings to decode, labels, and other converters with another error text."""

from __future__ import annotations

from typing import Any, Final

from clnrpc.runtime.server.convert import BadToken, Converter, content, raw_text, string

MAX_STRING: Final = 1 << 17
"""Characters of a string to decode. No message on the wire has more: 65,535 bytes (BOLT 1) are 104,856 symbols."""
MAX_UNSIGNED: Final = 1 << 14
"""Characters of an invoice to sign. One with ten paths has a quarter of that; the slowest takes 3 ms to parse."""
MAX_INVOICE: Final = MAX_UNSIGNED + 1024
"""Characters of a signed invoice to look for. Signing adds a signature, and a path if there is none.

The slowest invoice of this length takes 11 ms to parse.
"""
MAX_LABEL: Final = 4096
"""Bytes of a label as it is written. Each list contains it."""


def string_to_read(most: int) -> Converter:
    """Return a converter to the text of a token as written. It rejects texts so long that other calls would wait."""

    def convert(raw: bytes) -> str:
        text = raw_text(raw)
        if len(text) > most:
            raise BadToken(f"should have {most} characters at most")
        return text

    return convert


def one_of(*words: str, otherwise: str = "") -> Converter:
    """Return a converter for one of these words; `otherwise` is the error for all other tokens."""
    *others, last = map(repr, words)
    why = otherwise or f"should be {', '.join(others)} or {last}"

    def convert(raw: bytes) -> str:
        text = raw_text(raw)
        if text not in words:
            raise BadToken(why)
        return text

    return convert


def label(raw: bytes) -> str:
    """Convert the label of an offer or request: a string (param_escaped_string) of limited length."""
    check_label(raw)
    text: str = string(raw)
    return text


def check_label(raw: bytes) -> None:
    """Refuse a label that is too long."""
    if len(content(raw)) > MAX_LABEL:
        raise BadToken(f"should have {MAX_LABEL} bytes at most")


def with_text(text: str, convert: Converter) -> Converter:
    """Return the same converter with another error text."""

    def converted(raw: bytes) -> Any:
        try:
            return convert(raw)
        except BadToken:
            raise BadToken(text) from None

    return converted
