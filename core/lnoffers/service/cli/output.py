"""What the program prints on standard output: JSON, as lightning-cli prints it."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

INDENT: Final = 3


def print_json(raw: bytes) -> None:
    """Print a JSON text with each of its tokens as it is written, indented."""
    sys.stdout.buffer.write(msgspec.json.format(raw, indent=INDENT) + b"\n")
    sys.stdout.buffer.flush()
