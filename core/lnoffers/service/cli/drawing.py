"""Print a summary on the terminal, in colour and within its width, and QR codes.

rich obeys NO_COLOR, TERM and the width of the terminal. It gets all texts as text, never as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from typing import Final

import segno
from rich.console import Console
from rich.text import Text

from lnoffers.service.cli.summary import Line, Summary, Tone
from lnoffers.service.errors import ServiceError

_STYLES: Final = {Tone.PLAIN: "", Tone.GOOD: "bold green", Tone.CAREFUL: "bold yellow", Tone.BAD: "bold red"}
_INDENT: Final = 2
_HALVES: Final = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""The character for two modules of a QR code, upper and lower. Light modules (True: dark) are drawn."""


def console() -> Console:
    """Return a console on standard output. It prints escapes for characters that the encoding lacks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(highlight=False, markup=False, emoji=False)


def draw(on: Console, summary: Summary) -> None:
    """Print a summary: labels on the left, values beside them, wrapped at the edge of the terminal."""
    on.print(Text.assemble((summary.title, "bold"), "  ", (summary.verdict, _STYLES[summary.tone])))
    blocks = [(block.title, list(_flattened(block.rows, 1))) for block in summary.blocks]
    widest = max((label.cell_len for _, rows in blocks for label, _ in rows), default=0)
    column = min(widest + _INDENT, on.width // 2)
    for title, rows in blocks:
        if title:
            on.print(Text(title, "underline"))
        for label, row in rows:
            on.print(_line(on, label, row, column), soft_wrap=True)
    on.print()


def _line(on: Console, label: Text, row: Line, column: int) -> Text:
    """Return a row: the label, and from `column` on the value, wrapped."""
    value = Text(row.value, _STYLES[row.tone])
    lines = list(value.wrap(on, max(on.width - column, 1), overflow="fold")) if row.value else []
    if label.cell_len + _INDENT > column or not lines:
        lines.insert(0, Text())
    else:
        label.pad_right(column - label.cell_len)
    return Text("\n" + " " * column).join([Text.assemble(label, lines[0]), *lines[1:]])


def qr_code(text: str, columns: int | None) -> Text:
    """Return a QR code of the text, light on dark whatever the terminal's colours are.

    Raises:
        ServiceError: if the text is too long for a QR code, or the code is wider than `columns`.
    """
    try:
        code = segno.make_qr(text, error="L")
    except segno.DataOverflowError as error:
        raise ServiceError(f"{len(text)} characters are too many for a QR code") from error
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=4)]
    if columns is not None and len(rows) > columns:
        raise ServiceError(f"the QR code needs {len(rows)} columns, and the terminal has {columns}")
    rows += [[True] * len(rows)] * (len(rows) % 2)
    lines = (
        "".join(map(_HALVES.__getitem__, zip(*pair, strict=True))) for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return Text("\n").join(Text(line, "bright_white on black", no_wrap=True) for line in lines)


def _flattened(rows: tuple[Line, ...], depth: int) -> Iterator[tuple[Text, Line]]:
    """Yield each row with its label, indented by its depth, followed by the rows below it."""
    for row in rows:
        label = Text(" " * (_INDENT * depth) + row.label, "dim")
        yield from chain([(label, row)], _flattened(row.rows, depth + 1))
