"""Parameters of `fetchinvoice`, `cancelrecurringinvoice` and `sendinvoice` that have a syntax of their own.

Source: Core Lightning, plugins/fetchinvoice.c.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from clnrpc.runtime.jsontext import JsonType, elements, json_type
from clnrpc.runtime.server.convert import (
    BadToken,
    Converter,
    hex_of,
    pubkey,
    raw_text,
    short_channel_id_dir,
    unsigned,
)
from clnrpc.runtime.values.written import Written
from lnoffers.bolt12 import Bip353Name, ChannelEnd
from lnoffers.service.parameters.invoices import invoice_label
from lnoffers.service.parameters.strings import MAX_UNSIGNED, string_to_read, with_text

_BITCOIN_SIGN: Final = "\N{BITCOIN SIGN}"
_MAX_METADATA: Final = 1024
"""Bytes of payer_metadata."""


def name(text: str) -> Bip353Name:
    """Return a BIP 353 name, with or without the bitcoin sign; which characters it has is not checked here."""
    user, at, domain = text.partition("@")
    if not at:
        raise BadToken("missing @")
    return Bip353Name(user.removeprefix(_BITCOIN_SIGN).encode(), domain.encode())


def nodes(raw: str) -> Sequence[bytes]:
    """Return the nodes in a JSON array of node ids, as compressed points."""
    token = raw.encode()
    if json_type(token) is not JsonType.ARRAY:
        raise BadToken("Must be array")
    return [bytes.fromhex(_node(node)) for node in elements(token)]


def channel_end(raw: str) -> ChannelEnd:
    """Return the end of a channel, written NxNxN/N."""
    scid, _, direction = _channel_end(raw.encode()).partition("/")
    block, transaction, output = map(int, scid.split("x"))
    return ChannelEnd(int(direction), block << 40 | transaction << 16 | output)


_node: Final = with_text("invalid pubkey", pubkey)
_channel_end: Final = with_text("should be a short_channel_id of form NxNxN/dir", short_channel_id_dir)


def _name(raw: bytes) -> str:
    text = raw_text(raw)
    name(text)
    return text


def note(raw: bytes) -> str:
    """Convert a note: a string whose escapes are undone, or the text of any other token."""
    return str(Written.read(raw_text(raw))) if json_type(raw) is JsonType.STRING else raw_text(raw)


def _token(raw: bytes) -> str:
    """Convert nothing: the parameter exists only in developer mode, so its method converts it."""
    return raw.decode()


_integer: Final = with_text("should be an integer", unsigned(32))

_OF_BOTH: Final[Mapping[str, Converter]] = {
    "offer": string_to_read(MAX_UNSIGNED),
    "recurrence_counter": _integer,
    "recurrence_start": _integer,
    "recurrence_label": invoice_label,
    "payer_note": note,
    "bip353": _name,
}

OF_REQUESTS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "cancelrecurringinvoice": _OF_BOTH,
    "fetchinvoice": {
        **_OF_BOTH,
        "timeout": _integer,
        "payer_metadata": hex_of(range(1, _MAX_METADATA + 1), "should be a hex value"),
        "dev_path_use_scidd": _token,
        "dev_reply_path": _token,
    },
    "sendinvoice": {"invreq": string_to_read(MAX_UNSIGNED), "label": invoice_label, "timeout": _integer},
}
"""Command -> parameter -> converter."""
