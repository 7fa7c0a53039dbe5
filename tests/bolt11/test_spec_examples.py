"""The examples of BOLT 11 are written with the same bytes: their signatures cover every one, and are deterministic."""

from __future__ import annotations

import pytest

from lnoffers import bech32
from lnoffers.bolt11 import CHAINS, Fallback, Invoice, RouteHop, UnsignedInvoice
from lnoffers.bolt11.fields import write_field
from lnoffers.bolt11.prefix import write_prefix
from lnoffers.bolt12 import KeyPair
from lnoffers.bolt12.features import bitmap

KEY = KeyPair(bytes.fromhex("e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734"))
PAYEE = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
TIME = 1_496_314_658
SECRET = ("s", b"\x11" * 32)
HASH = ("p", bytes.fromhex("0001020304050607080900010203040506070809000102030405060708090102"))
LIST = ("h", bytes.fromhex("3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1"))
FEATURES = ("9", bitmap({8, 14}))
TAPROOT = ("f", Fallback(1, bytes.fromhex("0adac43daa9c8a5a68e09ea10692b82226ee190e572db9b90e17a410484ab405")))
STORE = (
    "Blockstream Store: 88.85 USD for Blockstream Ledger Nano S x 1, "
    '"Back In My Day" Sticker x 2, "I Got Lightning Working" Sticker x 2 and 1 more items'
)
HOP = RouteHop(
    bytes.fromhex("03d06758583bb5154774a6eb221b1276c9e82d65bbaceca806d90e20c108f4b1c7"),
    589_390 << 40 | 3_312 << 16 | 1,
    1_000,
    2_500,
    40,
)

# Amount in millisatoshi, time, fields in the order of the example, r and s, recovery id. Most lack `c`, and some have
# `s` after the description, where `Invoice.build` does not write it.
EXAMPLES: dict[str, tuple[int | None, int, tuple[tuple[str, object], ...], str, int]] = {
    "donation": (
        None,
        TIME,
        (SECRET, HASH, ("d", "Please consider supporting this project"), FEATURES),
        "8d3ce9e28357337f62da0162d9454df827f83cfe499aeb1c1db349d4d8112742"
        "5e434ca29929406c23bba1ae8ac6ca32880b38d4bf6ff874024cac34ba9625f1",
        1,
    ),
    "expiry": (
        250_000_000,
        TIME,
        (SECRET, HASH, ("d", "1 cup coffee"), ("x", 60), FEATURES),
        "e59e3ffbd3945e4334879158d31e89b076dff54f3fa7979ae79df2db9dcaf589"
        "6cbfe1a478b8d2307e92c88139464cb7e6ef26e414c4abe33337961ddc5e8ab1",
        1,
    ),
    "hash": (
        2_000_000_000,
        TIME,
        (SECRET, HASH, LIST, FEATURES),
        "f67a5f696648fa4fb102e1a07b230e54722f8e024cee71e80b4847ac191da3fb"
        "2d2cdb28cc32344d7e9a9cf5c9b6a0ee0582ae46e9938b9c81e344a4dbb5289d",
        1,
    ),
    "fallback": (
        2_000_000_000,
        TIME,
        (SECRET, HASH, LIST, TAPROOT, FEATURES),
        "269fa68a6051f26991ab50eb851494d1a4b9c616aeee892ff50a144af471554a"
        "3057b2fee45910e267c4ef6067da10016cf5519237b3ca1c1c2014cc1d6f69a6",
        0,
    ),
    "features": (
        2_500_000_000,
        TIME,
        (HASH, ("d", "coffee beans"), SECRET, ("9", bitmap({8, 14, 99}))),
        "5755469bf4b8e6b6ae7a1308d5f9bad5c82812e0855cd24fac242aa323fa820c"
        "5c551ede4faeabcb7fb6d5a464ad0e35c86f615589ee0e0c250c216a662198c1",
        1,
    ),
    "route": (
        967_878_534,
        1_572_468_703,
        (
            ("p", bytes.fromhex("462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f")),
            ("d", STORE),
            SECRET,
            ("x", 604_800),
            ("c", 10),
            ("r", (HOP,)),
            FEATURES,
        ),
        "1b1160cf6186b55722c1ac7ea502086baaccaabdc76b326e666b7f309d972b15"
        "069bfca11cd365304b36f48230cc12f3f13a017aab65f7c165a169df32282a58",
        1,
    ),
    "metadata": (
        1_000_000_000,
        TIME,
        (
            HASH,
            ("d", "payment metadata inside"),
            ("m", bytes.fromhex("01fafaf0")),
            SECRET,
            ("9", bitmap({8, 14, 48})),
        ),
        "f5d27be7d9c27d3aa521bc35d77cabd6bda18f1f61716445b19e27e4e17a8875"
        "08ea8de5a8e1d94f561248f65434e61a221160dac1f1991b9c0f1057b269d898",
        1,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_writes_and_signs_an_example_of_the_specification(name: str) -> None:
    amount, time, fields, signature, recovery_id = EXAMPLES[name]
    data = bech32.from_number(time, length=7) + b"".join(write_field(letter, value) for letter, value in fields)
    invoice = UnsignedInvoice(write_prefix(CHAINS["bc"], amount), data).sign(KEY)
    assert invoice.signature.hex() == signature
    assert invoice.payee.hex() == PAYEE
    form = bech32.decode(invoice.encode())
    assert form is not None
    assert bech32.whole_bytes(form.symbols[-104:]) == invoice.signature + bytes((recovery_id,))
    assert Invoice.parse(invoice.encode()) == invoice
