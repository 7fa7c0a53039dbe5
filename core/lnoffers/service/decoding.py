"""Saying what a BOLT 12 string is and holds, as Core Lightning's `decode` says it. No node is needed."""

from __future__ import annotations

from lnoffers.bolt12 import Bolt12Error, Json, decode_leniently, describe, without_scheme

_LIKELY = tuple(form for kind in ("lno1", "lni1", "lnr1", "lnp1") for form in (kind, kind.upper()))


def decode(text: str) -> dict[str, Json]:
    """What the string says, as a JSON object in the order of Core Lightning's answer; `valid` sums it up.

    A request whose signature or key is wrong or missing is shown all the same, with a warning and `valid` false.

    Raises:
        Bolt12Error: if the string is no offer, invoice_request, invoice or payer_proof, or one that breaks a rule.
    """
    try:
        message = decode_leniently(text)
    except Bolt12Error as error:
        # What is wrong with it is of interest only if it looks like something.
        if without_scheme(text).startswith(_LIKELY):
            raise
        raise Bolt12Error("Unparsable string", rule="unknown-kind") from error
    return describe(message)
