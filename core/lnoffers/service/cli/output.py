"""What the program prints on standard output: JSON, as lightning-cli prints it."""

from __future__ import annotations

import sys
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


def print_json(raw: bytes) -> None:
    """Print a JSON text with each of its tokens as it is written, indented."""
    sys.stdout.buffer.write(msgspec.json.format(raw, indent=INDENT) + b"\n")
    sys.stdout.buffer.flush()
