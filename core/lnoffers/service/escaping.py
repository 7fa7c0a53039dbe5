"""Texts that strangers chose, made fit for a terminal or a line of the log."""

from __future__ import annotations

import unicodedata
from typing import Final

_MAX_MARKS: Final = 2
"""How many marks a letter may carry; with many of them a text reaches into other lines."""


def escape(text: str) -> str:
    """Return the text with escapes for all that does not print: controls, line breaks, marks of direction, halves of
    surrogate pairs, and marks that are stacked on one letter."""
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        prints = character.isprintable() and marks <= _MAX_MARKS
        shown.append(character if prints else character.encode("unicode_escape").decode())
    return "".join(shown)
