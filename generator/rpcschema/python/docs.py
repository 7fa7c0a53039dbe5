"""What generated classes and methods say about themselves in an editor."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rpcschema.model.nodes import ABSENT, Document, Lines, Node

WIDTH: Final = 120
_MARKER: Final = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")
"""What Python source, or UTF-8, cannot hold as it is."""
_QUOTE: Final = re.compile(r'"(?="|\s*\Z)')
"""A quote that could be taken for a part of the closing ones."""
_UNITS: Final = {"msat": "In millisatoshi.", "sat": "In satoshi."}


def request_doc(document: Document) -> str:
    """The docstring of the class of what is sent."""
    opening = "The payload of the hook" if document.kind == "hook" else "What is sent to"
    return f"{opening} `{document.name}`: {document.title}."


def response_doc(document: Document) -> str:
    """The docstring of the class of what comes back."""
    openings = {
        "rpc": "What comes back from",
        "notification": "The payload of the notification",
        "hook": "The answer to the hook",
    }
    return f"{openings[document.kind]} `{document.name}`: {document.title}."


def text(lines: Lines | None) -> str:
    """Prose lines as one text, without blank ends."""
    return "\n".join(lines or ()).strip()


def summary(node: Node) -> list[str]:
    """The short facts about a field: unit, fixed value, default, since when, until when."""
    facts = []
    if node.type in _UNITS:
        facts.append(_UNITS[node.type])
    if node.type == "boolean" and node.enum is not None and len(node.enum) == 1:
        facts.append(f"Always {str(node.enum[0]).lower()}.")
    if node.default is not ABSENT:
        facts.append(f"Default: {node.default}.")
    if node.added:
        facts.append(f"Added in {node.added}.")
    if isinstance(node.deprecated, tuple) and node.deprecated:
        facts.append("Deprecated since " + ", removed in ".join(node.deprecated[:2]) + ".")
    elif node.deprecated:
        facts.append("Deprecated.")
    return facts


def field_doc(nodes: Sequence[Node], conditions: Sequence[str]) -> str:
    """The docstring of a field: its descriptions, its facts and when it is there."""
    described = _unique(text(node.description) for node in nodes)
    facts = _unique(fact for node in nodes for fact in summary(node))
    if conditions:
        facts.append("Only " + ", or ".join(conditions) + ".")
    return "\n\n".join([*described, *([" ".join(facts)] if facts else [])])


def docstring(text: str, indent: int) -> str:
    """`text` as the source of a docstring, wrapped, whatever stands in it."""
    escaped = _QUOTE.sub('\\\\"', text.replace("\\", "\\\\"))
    escaped = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
    lines = wrap(escaped, WIDTH - indent) or [""]
    if len(lines) == 1 and indent + len(lines[0]) + 6 > WIDTH:
        lines = wrap(escaped, WIDTH - indent - 6)
    margin = " " * indent
    if len(lines) > 1:
        return '"""' + "\n".join(margin + line if line else "" for line in lines).lstrip() + f'\n{margin}"""'
    return f'"""{lines[0]}"""'


def wrap(text: str, width: int) -> list[str]:
    """The lines of Markdown, long ones broken between words; code blocks stay as they are."""
    wrapped: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        marker = _MARKER.match(line)
        indented = len(line) - len(line.lstrip())
        if fenced or (indented >= 4 and not marker) or not line.strip():
            wrapped.append(line.rstrip())
            continue
        hanging = " " * (marker.end() if marker else indented)
        wrapped += textwrap.wrap(
            line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, tabsize=4
        )
    return wrapped


def _unique(parts: Iterable[str]) -> list[str]:
    return [part for part in dict.fromkeys(parts) if part]
