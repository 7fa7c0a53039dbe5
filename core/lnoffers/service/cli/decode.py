"""`lnoffers decode`: decode strings offline and print them, for people on a terminal and as JSON elsewhere."""

from __future__ import annotations

import re
from argparse import Namespace

from clnrpc.runtime.values.encode import encode
from lnoffers import bolt12
from lnoffers.bolt12.pasted import PREFIXES, unwrap
from lnoffers.emergency import SealedError
from lnoffers.service.cli.output import is_for_people, print_error, print_json, print_summary, require_output
from lnoffers.service.cli.summary import summarize
from lnoffers.service.clock import Clock
from lnoffers.service.string_kinds import UNPARSABLE, Decoded, UnreadableError, decode


def decode_strings(given: Namespace) -> int:
    """Print each string's contents, and return 0, or 1 if one of them cannot be decoded or is not valid."""
    require_output()
    strings = given.arguments
    for_people = is_for_people(as_json=given.json, qr=given.qr)
    now, valid = Clock().now(), True
    for number, text in enumerate(strings, 1):
        try:
            string = unwrap(text, keys=("lno", "lightning"))
            decoded = decode(string, now=now, accept_unsigned=True)
        except (bolt12.Bolt12Error, UnreadableError, SealedError) as error:
            valid = False
            place = f"string {number}: " if len(strings) > 1 else ""
            reason = _reason(string, error) if isinstance(error, UnreadableError) else str(error)
            print_error(f"{place}{reason}")
        else:
            valid = valid and decoded["valid"] is True
            if for_people:
                print_summary(summarize(decoded, now), qr=_qr_text(string, decoded) if given.qr else None)
            else:
                print_json(encode(decoded))
    return 0 if valid else 1


def _reason(string: str, error: UnreadableError) -> str:
    """Return why a string cannot be decoded, in words for the person who pasted it."""
    if string[:3].lower() in PREFIXES:
        try:
            bolt12.decode(string)
        except bolt12.Bolt12Error as bolt12_error:
            return str(bolt12_error)
    if str(error) == UNPARSABLE:
        return (
            "This text is none of the strings that can be decoded: BOLT 12 strings (lno1, lnr1, lni1, lnp1), BOLT 11 "
            "invoices (lnbc and the like), runes, and a node's recovery data."
        )
    if str(error) == "Bad bech32 string":
        return "The invoice is damaged or not complete: its checksum is wrong. Look for a typo, or copy it again."
    return f"{error} ({error.detail})" if error.detail else str(error)


def _qr_text(string: str, decoded: Decoded) -> str:
    """Return the string without its `+` joints, in capitals if case does not matter: that makes the QR code smaller."""
    joined = re.sub(r"\+\s*", "", string)
    return joined if decoded["type"] == "rune" else joined.upper()
