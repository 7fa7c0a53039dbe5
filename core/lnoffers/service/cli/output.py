"""The program's output: JSON as lightning-cli prints it, or a summary for people, and errors.

rich takes as long to import as a call takes, and it may be missing, so it is imported here, when something is printed
for people.
"""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import msgspec

from lnoffers.service.errors import ServiceError
from lnoffers.service.escaping import escape

if TYPE_CHECKING:
    from lnoffers.service.cli.summary import Summary

INDENT: Final = 3


def require_output() -> None:
    """Check that a result can be printed, before any work is done.

    Raises:
        ServiceError: if standard output is closed.
    """
    if sys.stdout is None:
        raise ServiceError("standard output is closed")


def is_for_people(*, as_json: bool, qr: bool) -> bool:
    """Return whether to print for people: on a terminal unless `as_json`, and anywhere with a QR code.

    Without rich, which only the extra `offers` installs, a terminal gets JSON too.
    """
    return qr or (sys.stdout.isatty() and not as_json and find_spec("rich") is not None)


def print_json(raw: bytes) -> None:
    """Print JSON text, indented, with its tokens unchanged; on a terminal, escape characters that could control it."""
    indented = msgspec.json.format(raw, indent=INDENT) + b"\n"
    sys.stdout.buffer.write(_escape_unprintable(indented) if sys.stdout.isatty() else indented)
    sys.stdout.buffer.flush()


def _escape_unprintable(raw: bytes) -> bytes:
    """Return equal JSON with escapes for characters that do not print: C1 controls, marks of direction and others."""
    text = raw.decode(errors="replace")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text).encode()


def print_summary(summary: Summary, *, string: str | None = None, qr: str | None = None) -> None:
    """Print a summary, below it `string` whole, and below that `qr` as a QR code.

    Raises:
        ServiceError: if the QR code does not fit. Then nothing is printed.
    """
    from lnoffers.service.cli.drawing import console, draw, qr_code  # noqa: PLC0415 # 0085: slow

    on = console()
    code = None if qr is None else qr_code(qr, on.width if on.is_terminal else None)
    draw(on, summary)
    if string is not None:
        on.print(string, soft_wrap=True)
    if code is not None:
        on.print(code, soft_wrap=True)


def progress(message: str) -> AbstractContextManager[object]:
    """Return a context manager that shows a spinner with a message, if standard error is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty() or find_spec("rich") is None:
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 # 0085: slow

    return Console(stderr=True).status(message)


def print_error(reason: str) -> None:
    """Print the reason of a failure on standard error, if it is open."""
    if sys.stderr is not None:
        print(f"lnoffers: {escape(reason)}", file=sys.stderr)
