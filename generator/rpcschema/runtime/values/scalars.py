"""The scalars of the rpc-schema dialect as aliases of plain types, so that the editor shows what a value is.

They cost nothing at run time. An amount in a response is always a bare number; hexadecimal text is in lower case,
without a prefix. Source: Core Lightning, doc/schemas (the formats of the meta-schema) and common/json_param.c.
"""

from __future__ import annotations

from typing import TypeAlias

Msat: TypeAlias = int
"""Millisatoshi, 0 to 2**64 - 1."""
Sat: TypeAlias = int
"""Satoshi, 0 to 2**64 - 1."""
MsatOrAll: TypeAlias = int | str
"""Millisatoshi, or "all"."""
MsatOrAny: TypeAlias = int | str
"""Millisatoshi, or "any"."""
SatOrAll: TypeAlias = int | str
"""Satoshi, or "all"."""
Feerate: TypeAlias = int | str
"""Satoshi per 1000 virtual bytes; or text: with a unit ("253perkw", "1000perkb", "6blocks"), or a name ("urgent")."""
Currency: TypeAlias = str
"""An amount in a currency: a decimal number and the currency's three-letter code (ISO 4217), "10.05USD"."""

U8: TypeAlias = int
"""0 to 255."""
U16: TypeAlias = int
"""0 to 65535."""
U32: TypeAlias = int
"""0 to 2**32 - 1."""
U64: TypeAlias = int
"""0 to 2**64 - 1."""

Hex: TypeAlias = str
"""Bytes in hexadecimal: two digits each, in byte order."""
Hash: TypeAlias = str
"""A SHA256 hash: 32 bytes in hexadecimal (64 digits), in byte order."""
Secret: TypeAlias = str
"""A secret of 32 bytes in hexadecimal (64 digits)."""
Pubkey: TypeAlias = str
"""A public key in SEC 1's compressed form: 33 bytes in hexadecimal (66 digits), beginning with 02 or 03."""
Txid: TypeAlias = str
"""A transaction id: 32 bytes in hexadecimal (64 digits), in reversed byte order, as Bitcoin prints it."""
Signature: TypeAlias = str
"""An ECDSA signature in DER: in hexadecimal, at most 144 digits."""
Bip340Sig: TypeAlias = str
"""A Schnorr signature (BIP 340): 64 bytes in hexadecimal (128 digits)."""

ShortChannelId: TypeAlias = str
"""The funding output of a channel: "<block height>x<transaction index>x<output index>" (BOLT 7)."""
ShortChannelIdDir: TypeAlias = str
"""One direction of a channel: "<short_channel_id>/0" or "/1" (0: from the lesser node id to the greater one)."""
Outpoint: TypeAlias = str
"""An output of a transaction: "<txid>:<output index>"."""
