"""What the program prints on standard output: JSON, as lightning-cli prints it."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import Final

import msgspec

from lnoffers.service.errors import ServiceError

INDENT: Final = 3


def require_output() -> None:
    """See that a result can be shown, before anything is done to have one.

    Raises:
        ServiceError: if standard output is closed.
    """
    if sys.stdout is None:
        raise ServiceError("standard output is closed")


def is_for_people(*, as_json: bool, qr: bool) -> bool:
    """Return whether a result is for people to read: on a terminal, unless `as_json`, or with a QR code anywhere.

    Without rich, which only the extra `offers` brings, it is JSON on a terminal too.
    """
    return qr or (sys.stdout.isatty() and not as_json and find_spec("rich") is not None)


def print_json(raw: bytes) -> None:
    """Print a JSON text with each of its tokens as it is written, indented; on a terminal, with what draws escaped."""
    shown = msgspec.json.format(raw, indent=INDENT) + b"\n"
    sys.stdout.buffer.write(_harmless(shown) if sys.stdout.isatty() else shown)
    sys.stdout.buffer.flush()


def _harmless(shown: bytes) -> bytes:
    """The same JSON, with escapes for characters that do not print: C1 controls, marks of direction and the like."""
    text = shown.decode(errors="replace")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text).encode()
