"""Convert an outline to a target's language: strings for templates, already escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rpcschema.text.items import Item
from rpcschema.text.outline import PageSection


class Printer(Protocol):
    """How a language prints text; the modules `roff` and `commonmark` are printers."""

    def title(self, string: str, /) -> str:
        """Return `string`, which is not Markdown, as the title of a section."""

    def inline(self, markdown: str, /) -> str:
        """Return one line of text, without a line break."""

    def blocks(self, lines: Sequence[str], /) -> tuple[str, str]:
        """Return the first paragraph of `lines`, and what follows it; either may be ""."""


@dataclass(frozen=True, slots=True)
class PrintedItem:
    """A printed Item: its name or "", its first paragraph, its other blocks, and its nested items."""

    head: str
    lead: str
    rest: str
    items: tuple[PrintedItem, ...]

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry of a list, and not prose."""
        return bool(self.head or self.items)


@dataclass(frozen=True, slots=True)
class PrintedSection:
    """A printed PageSection."""

    title: str
    items: tuple[PrintedItem, ...]


def print_page(outline: Sequence[PageSection], printer: Printer) -> tuple[PrintedSection, ...]:
    """Return the sections of a page as `printer` prints them."""
    return tuple(
        PrintedSection(printer.title(section.title), tuple(_item(item, printer) for item in section.items))
        for section in outline
    )


def _item(item: Item, printer: Printer) -> PrintedItem:
    items = tuple(_item(inner, printer) for inner in item.items)
    lead, rest = printer.blocks(item.prose)
    if rest and (item.head or items):
        # Everything after an entry's first paragraph goes below it, like its other content.
        return PrintedItem(printer.inline(item.head), lead, "", (PrintedItem("", "", rest, ()), *items))
    return PrintedItem(printer.inline(item.head), lead, rest, items)
