"""`lnoffers decode`: what strings say, offline."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from lnoffers.bolt12 import Bolt12Error
from lnoffers.service.cli.output import print_json, require_output
from lnoffers.service.decoding import decode


def print_decoded(strings: Sequence[str]) -> int:
    """Print what each string says; the exit code: 0, or 1 if one of them cannot be decoded or is not valid."""
    require_output()
    valid = True
    for number, string in enumerate(strings, 1):
        try:
            found = decode(string)
        except Bolt12Error as error:
            valid = False
            place = f"string {number}: " if len(strings) > 1 else ""
            detail = f" ({error.detail})" if error.detail else ""
            print(f"lnoffers: {place}{error}{detail}", file=sys.stderr)
        else:
            valid = valid and found["valid"] is True
            print_json(msgspec.json.encode(found))
    return 0 if valid else 1
