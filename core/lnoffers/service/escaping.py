"""Escape texts from strangers for a terminal or a line of the log."""

from __future__ import annotations

import unicodedata
from typing import Final

_MAX_MARKS: Final = 2
"""How many combining marks a letter may have; many of them would overlap other lines."""


def escape(text: str) -> str:
    """Return the text with escapes for characters that do not print.

    These are control characters, line breaks, marks of direction, halves of surrogate pairs, and combining marks
    stacked on one letter.
    """
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        prints = character.isprintable() and marks <= _MAX_MARKS
        shown.append(character if prints else character.encode("unicode_escape").decode())
    return "".join(shown)
