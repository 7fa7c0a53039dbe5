"""Decode any string that Core Lightning's `decode` takes: BOLT 12, BOLT 11, runes, recovery data.

Each kind has a package or module of its own. Here they are tried in turn. If all fail, the error is that of the kind
that the string looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from lnoffers import bolt11, emergency, runes
from lnoffers.bolt12 import Bolt12Error, Json, decode_leniently, describe, without_scheme
from lnoffers.service.errors import ServiceError

Decoded = dict[str, Json]
"""What a string says, as a JSON object."""

UNPARSABLE: Final = "Unparsable string"
"""Core Lightning's text for a string that looks like nothing that it knows."""


class UnreadableError(ServiceError):
    """The string is of no kind that can be read, or breaks a rule of its kind.

    `detail` may say more than the text, and `offset` at which character the fault is, without `lightning:`.
    """

    def __init__(self, message: str, detail: str = "", offset: int | None = None) -> None:
        super().__init__(message, detail, offset)
        self.detail = detail
        self.offset = offset

    def __str__(self) -> str:
        return str(self.args[0])


Unseal = Callable[[bytes], bytes]
"""Opens recovery data of a node (`emergency.decrypt`)."""


def decode(text: str, *, now: int, unseal: Unseal | None = None, accept_unsigned: bool = False) -> Decoded:
    """Return what the string says, as a JSON object in the order of Core Lightning's answer.

    If a signature or key is wrong or missing, some kinds are still decoded, with a warning and `valid` false.

    Args:
        text: the string; `lightning:` may stand before it, all in lower or all in upper case, as the string itself.
        now: unix seconds, for the words about times.
        unseal: opens the node's recovery data; without it such data stays sealed.
        accept_unsigned: whether an invoice_request without an offer may be unsigned, as in the specification. Core
            Lightning calls it not valid.

    Raises:
        UnreadableError: if it cannot be read; the message is Core Lightning's short text.
        SealedError: if it is recovery data that cannot be opened.
    """
    string = without_scheme(text)
    faults: dict[_Kind, tuple[str, str, int | None]] = {}
    for kind in _KINDS:
        try:
            return kind.read(string, unseal, accept_unsigned)
        except Bolt12Error as error:
            faults[kind] = str(error), error.detail, error.text_offset
        except bolt11.Bolt11Error as error:
            faults[kind] = str(error), error.detail, None
        except emergency.RecoveryError as error:
            faults[kind] = str(error), "", None
    likely = next((kind for kind in _KINDS if kind.looks.match(string)), None)
    why, detail, offset = (UNPARSABLE, "", None) if likely is None else faults[likely]
    # Only the texts are kept. An exception that its own frame holds is a reference cycle: it would keep the string, and
    # all that the frame and its callers hold, until Python next looks for cycles, which may be a gigabyte later.
    try:
        rune = runes.Rune.parse(string)
    except runes.RuneError:
        raise UnreadableError(why, detail, offset) from None
    # Most bech32 strings are also base64. One that looks like bech32 and makes no sense as a rune is not a rune.
    if likely is not None and not runes.is_text(rune):
        raise UnreadableError(why, detail, offset)
    return runes.describe(rune, now=now)


def _read_bolt12(string: str, _: object, accept_unsigned: bool) -> Decoded:
    return describe(decode_leniently(string), accept_unsigned=accept_unsigned)


def _read_bolt11(string: str, *_: object) -> Decoded:
    return bolt11.describe(bolt11.Invoice.parse(string))


def _read_recovery(string: str, unseal: Unseal | None, *_: object) -> Decoded:
    sealed = emergency.parse(string)
    if unseal is None:
        raise emergency.SealedError("only the node whose data this is can open it: lnoffers call decode STRING")
    return emergency.describe(unseal(sealed))


class _Kind(NamedTuple):
    """A kind of string: what such strings look like, and how they are read."""

    looks: re.Pattern[str]
    read: Callable[[str, Unseal | None, bool], Decoded]


_KINDS: Final = (
    _Kind(re.compile(r"ln[oirp]1|LN[OIRP]1"), _read_bolt12),
    _Kind(re.compile(r"clnemerg1|CLNEMERG1"), _read_recovery),
    _Kind(
        re.compile(r"(?:lnbcrt|lnbc|lntbs|lntb|LNBCRT|LNBC|LNTBS|LNTB)(?:[0-9]+[munpMUNP]?)?1[^1]*\Z", re.DOTALL),
        _read_bolt11,
    ),
)
