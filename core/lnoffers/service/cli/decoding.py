"""`lnoffers decode`: what strings say, offline."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from clnrpc.runtime.encode import encode
from lnoffers.emergency import SealedError
from lnoffers.service.cli.output import print_json, require_output
from lnoffers.service.clock import SystemClock
from lnoffers.service.decoding import UnreadableError, decode


def print_decoded(strings: Sequence[str]) -> int:
    """Print what each string says; the exit code: 0, or 1 if one of them cannot be decoded or is not valid."""
    require_output()
    now, valid = SystemClock().now(), True
    for number, string in enumerate(strings, 1):
        try:
            found = decode(string, now=now)
        except (UnreadableError, SealedError) as error:
            valid = False
            place = f"string {number}: " if len(strings) > 1 else ""
            detail = f" ({error.detail})" if isinstance(error, UnreadableError) and error.detail else ""
            print(f"lnoffers: {place}{error}{detail}", file=sys.stderr)
        else:
            valid = valid and found["valid"] is True
            print_json(encode(found))
    return 0 if valid else 1
