"""Read the Markdown of the documents' descriptions, and write pieces of it.

It is CommonMark with fewer constructs, because a description is a part of a page and must not break out of it: raw
HTML, images, thematic breaks and link definitions are plain text. In one way it allows more: authors indent a list by
four spaces under its introduction, where CommonMark would see an indented code block, which nobody means.

Source: CommonMark 0.31; the descriptions in Core Lightning's doc/schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_NESTING: Final = 40
"""The deepest nesting of lists and quotes (a list counts twice); the parser drops anything deeper."""

_PARSER: Final = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING}).disable(
    ["code", "hr", "html_block", "html_inline", "image", "reference"]
)
_FENCE: Final = re.compile(r" *(?:```|~~~)")
_ITEM: Final = re.compile(r" *(?:[-+*]|\d{1,9}[.)]) ")
_MARKUP: Final = re.compile(r"([\\`*\[\]<>&~$|]|!$|(?<![^\W_])_|_(?![^\W_]))")
"""What can be markup; an underscore inside a word cannot."""
_LINE_START: Final = re.compile(r"^([-+=#])")
_NUMBER: Final = re.compile(r"^(\d+)([.)])")
_ESCAPE: Final = re.compile(r"\\([^\w\s]|_)")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


# Man pages and Markdown print the same texts, one after the other.
_remembered = lru_cache(maxsize=2000)


def blocks(lines: Sequence[str]) -> Sequence[SyntaxTreeNode]:
    """Return the paragraphs, headings, lists, quotes and fences in `lines`.

    Text that is nested too deeply for readers comes back as one fence, with its markup.
    """
    return _blocks(printable("\n".join(lines)))


@_remembered
def _blocks(source: str) -> Sequence[SyntaxTreeNode]:
    tokens = _PARSER.parse("\n".join(_dedented(source.split("\n"))))
    if _too_deep(tokens):
        return blocks(fence(source))
    return SyntaxTreeNode(tokens).children


@_remembered
def spans(markdown: str) -> Sequence[SyntaxTreeNode]:
    """Return the text, code, emphasis and links in one line of Markdown; if it is nested too deeply, as code."""
    source = printable(markdown)
    tokens = _PARSER.parseInline(source)
    if _too_deep(tokens):
        return spans(code(source))
    return SyntaxTreeNode(tokens).children[0].children


def printable(text: str) -> str:
    """Return `text` with U+FFFD for each unprintable character.

    These are control characters and lone surrogates, which neither roff nor UTF-8 can represent; line separators, which
    only some tools treat as line breaks; and overrides of the writing direction, which display text in another order.
    """
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def plain(text: str) -> str:
    """Return Markdown that shows `text`, a line or a part of one, as it is."""
    return line_start(_MARKUP.sub(r"\\\1", re.sub(r"\s", " ", printable(text))))


def unescaped(markdown: str) -> str:
    """Return one line of Markdown without the backslashes that `plain` adds."""
    return _ESCAPE.sub(r"\1", markdown)


def line_start(markdown: str) -> str:
    """Return one line of Markdown, escaped so that it begins no list, heading or underline."""
    return _NUMBER.sub(r"\1\\\2", _LINE_START.sub(r"\\\1", markdown))


def code(text: str) -> str:
    """Return Markdown that shows `text` as code; nothing can end the span early, and line breaks become spaces."""
    text = text.replace("\n", " ")
    if not text.strip(" "):
        return plain(repr(text))
    ticks = "`" * (_longest_ticks(text) + 1)
    pad = " " if {text[0], text[-1]} & {"`", " "} else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def emphasized(text: str) -> str:
    """Return Markdown that shows `text` in italics, or as code if it begins or ends with white space."""
    return f"*{plain(text)}*" if text and text == text.strip() else code(text)


def fence(text: str, language: str = "") -> tuple[str, ...]:
    """Return lines of Markdown that show `text` as a block of code; nothing can end the block early."""
    ticks = "`" * max(3, _longest_ticks(text) + 1)
    return (ticks + language, *text.split("\n"), ticks)


def _too_deep(tokens: Sequence[Token]) -> bool:
    return any(
        token.level >= _NESTING - 2 or any(child.level >= _NESTING for child in token.children or ())
        for token in tokens
    )


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _dedented(lines: Sequence[str]) -> Iterator[str]:
    """Yield `lines`; a list that is indented by four or more spaces under text outside of lists loses that indent."""
    fenced, shift = False, 0
    for before, line in pairwise(("", *lines)):
        fenced ^= _FENCE.match(before) is not None
        if line.strip() and _indent(line) < shift:
            shift = 0
        under_text = before.strip() and _indent(before) < 4 and not _ITEM.match(before)
        if under_text and not fenced and _indent(line) >= 4 and _ITEM.match(line):
            shift = _indent(line)
        yield line[shift:]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
