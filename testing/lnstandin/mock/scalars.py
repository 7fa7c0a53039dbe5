"""Values of single fields that look like those of a node: by the dialect's type, and for texts and numbers by name.

All amounts and times are small enough for programs whose numbers are doubles (JavaScript).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from lnoffers.bech32 import BECH32, encode, letters, segwit_address
from lnstandin.mock.draws import Draw
from rpcschema.model.validation import is_point

EPOCH: Final = 1_750_000_000
"""All times are after this one, Unix seconds, and before EPOCH + YEAR."""
YEAR: Final = 31_536_000
_WORDS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juniper")


def scalar(kind: str, name: str, draw: Draw) -> Any:
    """Return a value of a type of the dialect for the field `name`."""
    for matches, make in _BY_NAME.get(kind, ()):
        if matches(name):
            return make(draw)
    return _BY_TYPE.get(kind, _words)(draw)


def pubkey(draw: Draw) -> str:
    """Return a public key: a point on secp256k1, compressed."""
    x, attempt = int.from_bytes(draw.data(32)), 0
    while not is_point(x):
        attempt += 1
        x = int.from_bytes(draw.at(attempt).data(32))
    return f"{2 + draw.below(2):02x}{x:064x}"


def _hex(length: int) -> Callable[[Draw], str]:
    return lambda draw: draw.data(length).hex()


def _between(least: int, most: int) -> Callable[[Draw], int]:
    return lambda draw: draw.between(least, most)


def _time(draw: Draw) -> int:
    return EPOCH + draw.below(YEAR)


def _number(draw: Draw) -> float:
    return draw.below(1_000_000) / 1000


def _precise_time(draw: Draw) -> float:
    return _time(draw) + draw.at("ms").below(1000) / 1000


def _utc(draw: Draw) -> str:
    return datetime.fromtimestamp(_time(draw), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _words(draw: Draw) -> str:
    return f"{draw.choice(_WORDS)} {draw.at('second').choice(_WORDS)}"


def _word(draw: Draw) -> str:
    return draw.choice(_WORDS)


def _one(*choices: Any) -> Callable[[Draw], Any]:
    return lambda draw: draw.choice(choices)


def _short_channel_id(draw: Draw) -> str:
    return f"{draw.between(100, 900_000)}x{draw.at('tx').between(1, 2000)}x{draw.at('output').below(2)}"


def _direction(draw: Draw) -> str:
    return f"{_short_channel_id(draw)}/{draw.at('direction').below(2)}"


def _outpoint(draw: Draw) -> str:
    return f"{draw.data(32).hex()}:{draw.at('output').below(4)}"


def _signature(draw: Draw) -> str:
    """Return the form of an ECDSA signature in DER: two positive integers of 32 bytes."""
    r, s = (bytes([draw.at(part).between(1, 127)]) + draw.at(part).data(31) for part in "rs")
    return (b"\x30\x44\x02\x20" + r + b"\x02\x20" + s).hex()


def _address(draw: Draw) -> str:
    return segwit_address("bcrt", 0, draw.data(20))


def _taproot_address(draw: Draw) -> str:
    return segwit_address("bcrt", 1, draw.data(32))


def _symbols(draw: Draw, length: int) -> bytes:
    return bytes(byte % 32 for byte in draw.data(length))


def _bolt11(draw: Draw) -> str:
    """Return a bech32 string with the prefix and the length of an invoice, and nothing in it."""
    return encode("lnbcrt", _symbols(draw, 240), BECH32)


def _bolt12_of(prefix: str) -> Callable[[Draw], str]:
    """Return a maker of strings that begin like those of BOLT 12, which have no checksum, with nothing in them."""
    return lambda draw: f"{prefix}1{letters(_symbols(draw, 160))}"


def _psbt(draw: Draw) -> str:
    return "cHNidP8BA" + "".join(chr(ord("A") + byte % 26) for byte in draw.data(51))


def _rune(draw: Draw) -> str:
    return "".join(chr(ord("a") + byte % 26) for byte in draw.data(43)) + "="


def _ip(draw: Draw) -> str:
    return f"10.{draw.below(256)}.{draw.at('third').below(256)}.{draw.at('last').between(1, 254)}"


_BY_TYPE: Final[Mapping[str, Callable[[Draw], Any]]] = {
    "bip340sig": _hex(64),
    "boolean": lambda draw: draw.below(2) == 1,
    "currency": lambda draw: f"{draw.between(1, 500)}.{draw.at('cents').below(100):02}USD",
    "feerate": _one("normal", "slow", "urgent", "253perkw", "1000perkb"),
    "hash": _hex(32),
    "hex": _hex(16),
    "hexstr": _hex(16),
    "integer": _between(-1000, 1000),
    "json_object_or_array": lambda _: {},
    "json_scalar": _word,
    "msat": _between(1, 100_000_000),
    "msat_or_all": _between(1, 100_000_000),
    "msat_or_any": _between(1, 100_000_000),
    "null": lambda _: None,
    "number": _number,
    "outpoint": _outpoint,
    "outputdesc": lambda draw: {_address(draw): draw.between(1000, 100_000)},
    "pubkey": pubkey,
    "sat": _between(1, 100_000),
    "sat_or_all": _between(1, 100_000),
    "secret": _hex(32),
    "short_channel_id": _short_channel_id,
    "short_channel_id_dir": _direction,
    "signature": _signature,
    "string": _words,
    "string_map": lambda draw: {_word(draw): _words(draw)},
    "txid": _hex(32),
    "u8": _between(0, 100),
    "u16": _between(1, 1000),
    "u32": _between(1, 10_000),
    "u64": _between(1, 10_000),
}


def _table(*rows: tuple[str, Callable[[Draw], Any]]) -> tuple[tuple[Callable[[str], Any], Callable[[Draw], Any]], ...]:
    """Return pairs of a test of the name and what makes the value; the first that matches counts."""
    return tuple((re.compile(pattern).fullmatch, make) for pattern, make in rows)


_TIMES: Final = "(.*_at|timestamp|.*time|.*expiry|last_.*|expires|created|paywindow_.*)"
_NUMBERS: Final = _table(
    (".*relative_expiry|.*cltv.*", _between(18, 2016)),
    ("age.*|.*_nsec", _between(1, 100_000)),
    ("cltv_expiry|expiry|height|blockheight|.*_block|locktime", _between(100_000, 900_000)),
    ("direction|first_scid_dir|.*_direction", _between(0, 1)),
    ("(.*outnum|output|vout|txindex|.*index|keyidx)", _between(0, 9)),
    (".*_(count|parts)|parts|num_.*", _between(1, 20)),
    ("port", _between(1024, 65_535)),
)
_BY_NAME: Final[Mapping[str, tuple[tuple[Callable[[str], Any], Callable[[Draw], Any]], ...]]] = {
    "hex": _table(
        ("color", _hex(3)),
        (".*payer_id|node|.*node_id", pubkey),
        (".*(_hash|_id|chains\\[\\]|invreq_chain|preimage|secret)|id", _hex(32)),
        (".*features|init|channel|invoice", lambda draw: f"{draw.below(128) | 2:02x}"),
        ("signature", _hex(64)),
        ("(rawtx|tx|unsigned_tx|hex|txs\\[\\])", lambda draw: f"02000000{draw.data(80).hex()}"),
        ("recid", _one("00", "01")),
        ("scriptpubkey|scriptPubKey", lambda draw: f"0014{draw.data(20).hex()}"),
    ),
    "number": _table((_TIMES, _precise_time)),
    "string": _table(
        ("bolt11|invoice", _bolt11),
        ("bolt12", _bolt12_of("lni")),
        ("offer", _bolt12_of("lno")),
        ("invreq|invoicerequest", _bolt12_of("lnr")),
        ("proof|payer_proof", _bolt12_of("lnp")),
        ("address|bech32|.*address|close_to_addr|onchain", _address),
        ("p2tr", _taproot_address),
        (".*psbt", _psbt),
        ("(tx|txid)", _hex(32)),
        ("outpoint", _outpoint),
        ("rune", _rune),
        ("time|timestamp|created_at", _utc),
        ("(addr|socket|remote_addr|netaddr\\[\\])", lambda draw: f"{_ip(draw)}:9735"),
        (".*currency|coin_type", _one("USD", "EUR", "JPY")),
        ("network", _one("regtest")),
        ("version", _one("v26.06")),
        ("lightning-dir", _one("/home/node/.lightning")),
        (".*path|plugin|csv_file", lambda draw: f"/usr/libexec/{_word(draw)}"),
        (".*feerate", _one("253perkw", "1000perkw")),
        ("(.*name|alias|account|layer|.*account|key\\[\\]|tag|.*domain|owner)", _word),
        ("base64", _rune),
    ),
    "u16": _NUMBERS,
    "u32": _table(("timestamp|.*_timestamp|last_update", _time)) + _NUMBERS,
    "u64": _table((_TIMES, _time)) + _NUMBERS,
    "integer": _table(("code", _between(-1, 999))),
}
