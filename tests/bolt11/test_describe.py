"""The JSON of an invoice has Core Lightning's names and order."""

from __future__ import annotations

import json

import pytest

from clnrpc.runtime.values.encode import encode
from lnoffers import bech32
from lnoffers.bolt11 import Fallback, Invoice, describe
from lnoffers.bolt11.chains import CHAINS
from tests.bolt11.samples import HASH, KEY, OTHER_POINT, POINT, SECRET, invoice, symbols, text_field
from tests.shared import shared_path


def test_only_what_is_there_is_shown_but_for_the_features() -> None:
    shown = describe(Invoice.parse(invoice()))
    assert list(shown) == [
        *("type", "currency", "created_at", "expiry", "payee", "description", "min_final_cltv_expiry"),
        *("payment_secret", "features", "payment_hash", "signature", "valid"),
    ]
    assert (shown["features"], shown["payee"], shown["valid"]) == ("", POINT.hex(), True)
    assert (shown["payment_hash"], shown["payment_secret"]) == (HASH.hex(), SECRET.hex())


def test_everything_is_shown_in_order() -> None:
    hop = OTHER_POINT + bytes.fromhex("ffffff000002000300000004000000050006")
    text = invoice(
        ("q", b"\1"),
        text_field("r", hop),
        ("f", b"\x11" + bech32.from_bytes(bytes(20))),
        ("f", b"\x02" + bech32.from_bytes(b"\1\2")),
        text_field("m", b"\0"),
        text_field("h", HASH),
        ("9", symbols(1 << 14, 3)),
        prefix="lnbc20p",
    )
    shown = describe(Invoice.parse(text))
    assert list(shown) == [
        *("type", "currency", "created_at", "expiry", "payee", "amount_msat", "description", "description_hash"),
        *("min_final_cltv_expiry", "payment_secret", "features", "payment_metadata", "fallbacks", "routes", "extra"),
        *("payment_hash", "signature", "valid"),
    ]
    assert (shown["amount_msat"], shown["features"], shown["payment_metadata"]) == (2, "4000", "00")
    assert shown["fallbacks"] == [
        {"type": "P2PKH", "addr": "1111111111111111111114oLvT2", "hex": f"76a914{'00' * 20}88ac"},
        {"hex": "52020102"},
    ]
    assert shown["routes"] == [
        [
            {
                "pubkey": OTHER_POINT.hex(),
                "short_channel_id": "16777215x2x3",
                "fee_base_msat": 4,
                "fee_proportional_millionths": 5,
                "cltv_expiry_delta": 6,
            }
        ]
    ]
    assert shown["extra"] == [{"tag": "q", "data": "p"}]


def test_the_signature_is_shown_in_der() -> None:
    invoice_read = Invoice.parse(invoice())
    der = bytes.fromhex(str(describe(invoice_read)["signature"]))
    assert (der[0], der[1]) == (0x30, len(der) - 2)
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    assert first.lstrip(b"\0") + second.lstrip(b"\0") == invoice_read.signature
    assert KEY.public_key.format() == invoice_read.payee


PROGRAM = bytes(range(32))


@pytest.mark.parametrize(
    ("fallback", "kind", "beginnings"),
    [
        (Fallback(17, PROGRAM[:20]), "P2PKH", {"bc": "1", "tb": "m", "bcrt": "m", "ex": "P"}),
        (Fallback(18, PROGRAM[:20]), "P2SH", {"bc": "3", "tbs": "2", "ex": "G"}),
        (Fallback(0, PROGRAM[:20]), "P2WPKH", {"bc": "bc1q", "tb": "tb1q", "bcrt": "bcrt1q", "ert": "ert1q"}),
        (Fallback(0, PROGRAM), "P2WSH", {"bc": "bc1q", "tbs": "tb1q"}),
        (Fallback(1, PROGRAM), "P2TR", {"bc": "bc1p", "bcrt": "bcrt1p"}),
        (Fallback(16, PROGRAM[:2]), None, {}),
    ],
)
def test_an_address_is_of_its_chain(fallback: Fallback, kind: str | None, beginnings: dict[str, str]) -> None:
    assert fallback.kind == kind
    for currency, beginning in beginnings.items():
        address = fallback.address(CHAINS[currency])
        assert address is not None
        assert address.startswith(beginning)
    if kind in ("P2WPKH", "P2WSH", "P2TR"):
        address = fallback.address(CHAINS["bc"])
        assert address is not None
        form = bech32.decode(address)
        assert form is not None
        assert form.constant == (bech32.BECH32M if fallback.version else bech32.BECH32)
        assert (form.symbols[0], bech32.whole_bytes(form.symbols[1:])) == (fallback.version, fallback.program)
    if kind is None:
        assert fallback.address(CHAINS["bc"]) is None


VERSIONS = {
    "bc": (0, 5, "bc"),
    "tb": (111, 196, "tb"),
    "tbs": (111, 196, "tb"),
    "bcrt": (111, 196, "bcrt"),
    "ex": (57, 39, "ex"),
    "ert": (91, 75, "ert"),
}
"""By currency: the first byte of P2PKH and P2SH addresses, and the prefix of segwit ones (Core Lightning's)."""


@pytest.mark.parametrize("currency", CHAINS)
def test_every_chain_has_addresses_of_its_own(currency: str) -> None:
    chain, program = CHAINS[currency], PROGRAM[:20]
    p2pkh_version, p2sh_version, segwit_prefix = VERSIONS[currency]
    for version, first_byte in ((17, p2pkh_version), (18, p2sh_version)):
        address = Fallback(version, program).address(chain)
        assert address is not None
        assert from_base58(address)[:21] == bytes((first_byte,)) + program
    assert str(Fallback(0, program).address(chain)).startswith(f"{segwit_prefix}1q")


def from_base58(address: str) -> bytes:
    """Return the version, the program and the checksum in an address, 25 bytes."""
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for digit in address:
        number = 58 * number + digits.index(digit)
    return number.to_bytes(25, "big")


def test_shows_what_a_real_node_shows() -> None:
    told = [json.loads(line) for line in shared_path("golden/decode.jsonl").read_text().splitlines()]
    answers = {json.loads(case["request_raw"])["params"].get("string", ""): case["response_raw"] for case in told
               if '"type":"bolt11 invoice"' in case["response_raw"]}  # fmt: skip
    assert answers
    for text, answer in answers.items():
        shown = describe(Invoice.parse(text.removeprefix("lightning:")))
        assert f'"result":{encode(shown).decode()}}}\n\n' in answer


def test_shows_what_the_document_shows() -> None:
    examples = json.loads(shared_path("corpus/master-2026-08/schemas/decode.json").read_text())["examples"]
    told = {example["request"]["params"][0]: example["response"] for example in examples}
    [text] = (text for text in told if text.startswith("lnbc"))
    assert json.dumps(describe(Invoice.parse(text))) == json.dumps(told[text])
