"""The fields that man pages and Markdown name, each under its parent, as their readers' programs show them."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.audit.facts import Path

PREFIXES: Final = {"rpc": "lightning-", "notification": "lightning-notification-", "hook": "lightning-hook-"}
FOLDERS: Final = {"rpc": "", "notification": "notification", "hook": "hook"}

_TITLE: Final = re.compile(r"(?!\s)(?:.\x08.| )+")
_HEAD: Final = re.compile(r" *(?P<name>(?:(.)\x08\2| (?=(\S)\x08\3))+)(?= \(|$)")
"""A name in bold at the start of a line, with what it is in parentheses or nothing behind it."""


def man(page: FilePath) -> Mapping[str, Counter[Path]]:
    """Return how often each path has an entry of its own on a man page, by section.

    Raises CalledProcessError if mandoc cannot show the page.
    """
    shown = subprocess.run(
        ["mandoc", "-Tutf8", "-O", "width=1000", page], capture_output=True, check=True
    ).stdout.decode()
    found: dict[str, Counter[Path]] = {}
    section: Counter[Path] = Counter()
    parents: list[tuple[int, str]] = []
    for line in shown.splitlines()[1:-1]:
        if _TITLE.fullmatch(line):
            section = found.setdefault(_plain(line).capitalize(), Counter())
            parents = []
        elif line:
            indent = len(line) - len(line.lstrip())
            parents = [parent for parent in parents if parent[0] < indent]
            if head := _HEAD.match(line):
                parents.append((indent, _plain(head["name"].strip())))
                section[tuple(name for _, name in parents)] += 1
    return found


def markdown(page: FilePath) -> Mapping[str, Counter[Path]]:
    """Return the same for a page in Markdown."""
    found: dict[str, Counter[Path]] = {}
    section: Counter[Path] = Counter()
    parents: list[str | None] = []
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            section = found.setdefault(tokens[at + 1].content, Counter())
        elif token.type == "list_item_open":
            parents.append(_head(tokens[at + 2]) if tokens[at + 1].type == "paragraph_open" else None)
            if parents[-1] is not None:
                section[tuple(name for name in parents if name is not None)] += 1
        elif token.type == "list_item_close":
            parents.pop()
    return found


def _head(inline: Token) -> str | None:
    """Return the name, as code, that begins an item, if its type in parentheses or nothing follows."""
    first, *rest = inline.children or [inline]
    if first.type != "code_inline" or (rest and not rest[0].content.startswith(" (")):
        return None
    return first.content


def _plain(overstruck: str) -> str:
    return re.sub(".\b", "", overstruck)
