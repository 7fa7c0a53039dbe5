"""What a payment to an address looks like."""

from __future__ import annotations

from lnoffers import bech32

from .transactions import Output


def payment(address: str, amount_sat: int) -> Output:
    """Return the output that pays a segwit address of regtest.

    Raises:
        ValueError: If the text is no such address.
    """
    parts = bech32.decode(address)
    program = bech32.whole_bytes(parts.symbols[1:]) if parts else None
    if parts is None or not program or parts.prefix != "bcrt":
        raise ValueError(f"{address!r} is no segwit address of regtest")
    version = parts.symbols[0]
    opcode = 0x50 + version if version else 0  # OP_1 to OP_16 put a number on the stack, OP_0 zero
    return Output(amount_sat, bytes((opcode, len(program))) + program)
