"""`lnoffers decode`: what strings say, offline; for people on a terminal, as JSON anywhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from clnrpc.runtime.values.encode import encode
from lnoffers import bolt12
from lnoffers.bolt12.pasted import PREFIXES, unwrap
from lnoffers.emergency import SealedError
from lnoffers.service.cli.output import is_for_people, print_json, require_output
from lnoffers.service.clock import SystemClock
from lnoffers.service.decoding import UNPARSABLE, Shown, UnreadableError, decode
from lnoffers.service.escaping import escape


def print_decoded(strings: Sequence[str], *, as_json: bool, qr: bool) -> int:
    """Print what each string says; the exit code: 0, or 1 if one of them cannot be decoded or is not valid.

    With `qr` there is a QR code for each, and people are meant to see it wherever the output goes.
    """
    require_output()
    for_people = is_for_people(as_json=as_json, qr=qr)
    now, valid = SystemClock().now(), True
    for number, text in enumerate(strings, 1):
        try:
            string = unwrap(text, keys=("lno", "lightning"))
            found = decode(string, now=now, accept_unsigned=True)
        except (bolt12.Bolt12Error, UnreadableError, SealedError) as error:
            valid = False
            place = f"string {number}: " if len(strings) > 1 else ""
            why = _why(string, error) if isinstance(error, UnreadableError) else str(error)
            print(f"lnoffers: {place}{escape(why)}", file=sys.stderr)
        else:
            valid = valid and found["valid"] is True
            if for_people:
                _show(found, _for_qr(string, found) if qr else None, now)
            else:
                print_json(encode(found))
    return 0 if valid else 1


def _why(string: str, error: UnreadableError) -> str:
    """Return why a string cannot be read, in the words of whoever pasted it."""
    if string[:3].lower() in PREFIXES:
        try:
            bolt12.decode(string)
        except bolt12.Bolt12Error as plain:
            return str(plain)
    if str(error) == UNPARSABLE:
        return (
            "This text is none of the strings that can be decoded: BOLT 12 strings (lno1, lnr1, lni1, lnp1), BOLT 11 "
            "invoices (lnbc and the like), runes, and a node's recovery data."
        )
    if str(error) == "Bad bech32 string":
        return "The invoice is damaged or not complete: its checksum is wrong. Look for a typo, or copy it again."
    return f"{error} ({error.detail})" if error.detail else str(error)


def _show(found: Shown, qr: str | None, now: int) -> None:
    from lnoffers.service.cli.drawing import console, draw, qr_code  # noqa: PLC0415 # a pipe needs neither library
    from lnoffers.service.cli.summary import summarize  # noqa: PLC0415

    on = console()
    code = None if qr is None else qr_code(qr, on.width if on.is_terminal else None)
    draw(on, summarize(found, now))
    if code is not None:
        on.print(code, soft_wrap=True)


def _for_qr(string: str, found: Shown) -> str:
    """The string in one piece and, where case does not matter, in capitals, which make smaller codes (BOLT 12)."""
    joined = re.sub(r"\+\s*", "", string)
    return joined if found["type"] == "rune" else joined.upper()
