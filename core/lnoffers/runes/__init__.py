"""Runes, the access tokens of Core Lightning's RPC: parse, describe, make and verify them, and check calls.

`rune` parses them, `description` has the result of `decode`, `codes` makes and verifies authentication codes, and
`check` decides whether the restrictions permit a call.
"""

from lnoffers.runes.check import Call, refusal
from lnoffers.runes.codes import SECRET_NAME, Authority, restricted
from lnoffers.runes.description import describe, english, is_text
from lnoffers.runes.rune import Alternative, Restriction, Rune, RuneError

__all__ = [
    "SECRET_NAME",
    "Alternative",
    "Authority",
    "Call",
    "Restriction",
    "Rune",
    "RuneError",
    "describe",
    "english",
    "is_text",
    "refusal",
    "restricted",
]
