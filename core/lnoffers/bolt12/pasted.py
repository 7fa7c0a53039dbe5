"""Pasted text: a string within white space, after `lightning:`, or in a payment link; and error texts for people.

Core Lightning's `decode` accepts less and has other error texts. Code that must answer like it does not use this file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from lnoffers.bolt12.bip353 import Bip353Name
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName

PREFIXES = ("lno", "lnr", "lni", "lnp")
"""The prefixes of offers, invoice_requests, invoices and payer proofs."""

_SCHEME = re.compile("lightning:", re.IGNORECASE)
_LINK = re.compile(r"bitcoin:[^?#]*(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_BOLT11 = re.compile("ln(?:bc|tb)", re.IGNORECASE)
_INCOMPLETE = (RuleName.TEXT_PADDING, RuleName.RECORD_TRUNCATED, RuleName.BIGSIZE_TRUNCATED)


def unwrap(text: str, *, keys: Sequence[str] = ("lno",)) -> str:
    """Return the string in a pasted text, without the white space, scheme or link around it.

    Args:
        text: the string itself, or with `lightning:` before it (in any case), or a link such as `bitcoin:?lno=lno1…`
            (BIP 321).
        keys: the parameters of a link that hold strings, the preferred first.

    Raises:
        Bolt12Error: `text-empty`; `link-without-string` for a link without any of the parameters; `name-needs-lookup`
            for a name such as `₿alice@example.com` (BIP 353).
    """
    string = text.strip()
    if not string:
        raise Bolt12Error("There is nothing to decode: the text is empty.", rule=RuleName.TEXT_EMPTY)
    link = _LINK.fullmatch(string)
    if link is not None:
        return _in_link(link[1] or "", keys)
    string = _SCHEME.sub("", string, count=1) if _SCHEME.match(string) else string
    if "@" in string:
        _refuse_name(string)
    return string


def explained(error: Bolt12Error, string: str) -> Bolt12Error:
    """Return a parse error with a text for the person who pasted the string, and the same rule and position."""
    unfinished = error.rule is RuleName.TEXT_CHARACTER and string.endswith("+")
    rule = RuleName.TEXT_UNFINISHED if unfinished else error.rule
    message = _plain(rule, error, string)
    return Bolt12Error(
        message,
        rule=rule,
        field=error.field,
        offset=error.offset,
        text_offset=error.text_offset,
        detail="" if error.detail in message else error.detail,
    )


def _plain(rule: RuleName, error: Bolt12Error, string: str) -> str:
    if string.lower().removesuffix("1") in PREFIXES or rule in _INCOMPLETE:
        return "The string is not complete: characters are missing, most likely at its end. Copy all of it."
    if _BOLT11.match(string):
        return "This is a BOLT 11 invoice, not a BOLT 12 string; lnoffers.bolt11 and `lnoffers decode` read it."
    if rule in (RuleName.TEXT_SEPARATOR, RuleName.UNKNOWN_KIND):
        return "This text is not a BOLT 12 string: it should start with lno1, lnr1, lni1 or lnp1."
    if rule is RuleName.TEXT_CASE:
        return "The string mixes upper and lower case: a BOLT 12 string is all in one. Look for a typo."
    if rule is RuleName.TEXT_UNFINISHED:
        return "The string goes on after the + at its end: paste the next piece too."
    if rule is RuleName.TEXT_CHARACTER and error.text_offset is not None:
        place, found = error.text_offset + 1, string[error.text_offset]
        return f"Character {place} of the string is {found!r}, which cannot be there. Look for a typo."
    return f"The string is damaged ({error.detail}). Look for a typo, or copy it again."


def _in_link(query: str, keys: Sequence[str]) -> str:
    """Return the string in the parameters of a `bitcoin:` link."""
    pairs = [parameter.partition("=") for parameter in query.split("&")]
    values = {name.lower(): unquote(value) for name, _, value in reversed(pairs) if value}
    for key in keys:
        if key in values:
            return values[key]
    raise Bolt12Error(
        f"This link has no Lightning string: it lacks the parameter {' or '.join(keys)}.",
        rule=RuleName.LINK_WITHOUT_STRING,
    )


def _refuse_name(string: str) -> None:
    try:
        name = Bip353Name.parse(string)
    except Bolt12Error:
        return  # the text is something else
    raise Bolt12Error(
        f"{name} is a name, whose offer is in the DNS. Look up the TXT record of {name.dns_name} (BIP 353), and decode "
        "what it holds.",
        rule=RuleName.NAME_NEEDS_LOOKUP,
    )
