"""The stand-in for the chain, without a node: these tests run everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.interop.chain.addresses import payment
from tests.interop.chain.blocks import ANYONE, REWARD_SAT, genesis_block, merkle_root
from tests.interop.chain.folder import MISSING_INPUTS, Chain
from tests.interop.chain.plugin import METHODS
from tests.interop.chain.transactions import (
    Outpoint,
    Output,
    Reader,
    Transaction,
    compact_size,
    make_transaction,
    read_transaction,
)
from tests.shared import ROOT

REGTEST = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
NOBODYS = Outpoint("ab" * 32, 0)
SCRIPT = b"\x00\x14" + bytes(20)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain.create(tmp_path / "chain")


def spending(transaction: Transaction, index: int = 0, amount_sat: int = 1000) -> Transaction:
    return make_transaction(Outpoint(transaction.txid, index), [Output(amount_sat, SCRIPT)])


def newest(chain: Chain) -> list[Transaction]:
    """Return the transactions of the newest block but its coinbase."""
    block = chain.block(chain.height)
    assert block is not None
    return list(block.transactions[1:])


def test_the_first_block_is_regtests() -> None:
    assert genesis_block().hash == REGTEST


def test_blocks_follow_one_another_with_work_done(chain: Chain) -> None:
    chain.mine(3)
    blocks = list(chain.blocks())
    assert len(blocks) == chain.height + 1 == 5
    for before, block in pairwise(blocks):
        assert block.raw[4:36][::-1].hex() == before.hash
        assert block.time > before.time
        assert int(block.hash, 16) < 1 << 255


def test_coinbases_differ(chain: Chain) -> None:
    chain.mine(300)  # heights of one byte and of two
    assert len({block.transactions[0].txid for block in chain.blocks()}) == 302


@given(st.integers(0, 2**64 - 1))
def test_a_compact_size_is_read_as_it_was_written(value: int) -> None:
    assert Reader(compact_size(value)).size() == value


def test_witnesses_do_not_count_for_the_txid() -> None:
    plain = spending(genesis_block().transactions[0])
    witnessed = plain.raw[:4] + b"\0\1" + plain.raw[4:-4] + b"\2\0\3abc" + plain.raw[-4:]
    read = read_transaction(witnessed)
    assert read.txid == plain.txid
    assert read.raw == witnessed
    assert (read.inputs, read.outputs) == (plain.inputs, plain.outputs)


@pytest.mark.parametrize("raw", [b"", spending(genesis_block().transactions[0]).raw + b"\0", b"\2\0\0\0\1"])
def test_what_is_no_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected|follow"):
        read_transaction(raw)


def test_an_odd_row_of_hashes_repeats_its_last() -> None:
    def twice(data: bytes) -> bytes:
        return sha256(sha256(data).digest()).digest()

    one, two, three = (bytes((number,)) * 32 for number in (1, 2, 3))
    assert merkle_root([one.hex()]) == one
    assert merkle_root([one.hex(), two.hex(), three.hex()]) == twice(twice(one + two) + twice(three + three))


@pytest.mark.parametrize(
    ("address", "script"),
    [
        # The key is the generator point, as in the examples of BIP 173 and BIP 350.
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
        (
            "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
    ],
)
def test_an_address_is_paid_with_its_script(address: str, script: str) -> None:
    assert payment(address, 5) == Output(5, bytes.fromhex(script))


def test_an_address_of_another_chain_is_refused() -> None:
    with pytest.raises(ValueError, match="regtest"):
        payment("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 5)


def test_payments_are_mined(chain: Chain) -> None:
    chain.mine(2, [Output(7, SCRIPT), Output(8, SCRIPT)])
    assert [block is not None for block in map(chain.block, (2, 3, 4))] == [True, True, False]
    assert {output.amount_sat for output in chain.unspent().values()} >= {7, 8}
    with pytest.raises(ValueError, match="at most"):
        chain.mine(1, [Output(REWARD_SAT + 1, SCRIPT)])


def test_a_transaction_waits_for_a_block_and_is_gone_from_there(chain: Chain) -> None:
    chain.mine(payments=[Output(5000, SCRIPT)])
    (paid,) = newest(chain)
    transaction = spending(paid)
    assert chain.submit(transaction) is None
    assert chain.waiting() == [transaction]
    chain.mine()
    assert newest(chain) == [transaction]
    assert chain.waiting() == []
    assert Outpoint(paid.txid, 0) not in chain.unspent()
    assert chain.unspent()[Outpoint(transaction.txid, 0)] == Output(1000, SCRIPT)


def test_a_transaction_follows_the_one_it_spends(chain: Chain) -> None:
    chain.mine(payments=[Output(5000, SCRIPT)])
    parent = spending(newest(chain)[0])
    family = [parent]
    for _ in range(4):
        family.append(spending(family[-1]))
    for transaction in family:
        assert chain.submit(transaction) is None
    chain.mine()
    assert newest(chain) == family


def test_what_is_spent_or_unknown_cannot_be_spent(chain: Chain) -> None:
    chain.mine(payments=[Output(5000, SCRIPT)])
    (paid,) = newest(chain)
    chain.submit(spending(paid))
    chain.mine()
    assert chain.submit(spending(paid, amount_sat=999)) == MISSING_INPUTS
    assert chain.submit(make_transaction(NOBODYS, [Output(1, ANYONE)])) == MISSING_INPUTS
    assert chain.waiting() == []


def test_a_replaced_transaction_and_those_that_spend_it_are_never_mined(chain: Chain) -> None:
    chain.mine(payments=[Output(5000, SCRIPT)])
    (paid,) = newest(chain)
    first, second = spending(paid, amount_sat=2000), spending(paid, amount_sat=1900)
    for transaction in (first, spending(first), second):
        assert chain.submit(transaction) is None
    chain.mine()
    assert newest(chain) == [second]
    assert chain.waiting() == []


def talk(chain: Chain, *messages: object) -> list[Any]:
    """Return what the plugin, in a process of its own, says to all these."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.interop.chain", str(chain.directory)],
        input="".join(f"{json.dumps(message)}\n\n" for message in messages).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    return [json.loads(answer) for answer in done.stdout.decode().split("\n\n") if answer]


def ask(chain: Chain, method: str, params: object) -> Any:
    """Return the plugin's answer to one call."""
    (answer,) = talk(chain, {"jsonrpc": "2.0", "id": "x#1", "method": method, "params": params})
    assert answer.pop("jsonrpc") == "2.0"
    assert answer.pop("id") == "x#1"
    return answer


def test_the_plugin_offers_what_lightningd_asks_of_a_chain(chain: Chain) -> None:
    manifest = ask(chain, "getmanifest", {"allow-deprecated-apis": False})["result"]
    assert {method["name"] for method in manifest["rpcmethods"]} == set(METHODS)
    assert ask(chain, "init", {"options": {}, "configuration": {}}) == {"result": {}}


def test_the_plugin_answers_from_the_folder(chain: Chain) -> None:
    chain.mine(payments=[Output(5000, SCRIPT)])
    (paid,) = newest(chain)
    block = chain.block(2)
    assert block is not None
    transaction = spending(paid)
    answers = {
        ("getchaininfo", '{"last_height": 0}'): {
            "chain": "regtest",
            "headercount": 2,
            "blockcount": 2,
            "ibd": False,
        },
        ("getrawblockbyheight", '{"height": 2}'): {"blockhash": block.hash, "block": block.raw.hex()},
        ("getrawblockbyheight", "[3]"): {"blockhash": None, "block": None},
        ("getutxout", json.dumps({"txid": paid.txid, "vout": 0})): {"amount": 5000, "script": SCRIPT.hex()},
        ("getutxout", json.dumps([paid.txid, 1])): {"amount": None, "script": None},
        ("sendrawtransaction", json.dumps([transaction.raw.hex(), True])): {"success": True, "errmsg": ""},
        ("sendrawtransaction", json.dumps({"tx": make_transaction(NOBODYS, []).raw.hex()})): {
            "success": False,
            "errmsg": MISSING_INPUTS,
        },
    }
    for (method, params), result in answers.items():
        assert ask(chain, method, json.loads(params)) == {"result": result}
    assert chain.waiting() == [transaction]


def test_the_plugin_gives_fees_in_the_order_that_lightningd_wants(chain: Chain) -> None:
    result = ask(chain, "estimatefees", {})["result"]
    feerates = [(row["blocks"], row["feerate"]) for row in result["feerates"]]
    assert feerates == sorted(feerates, key=lambda row: (row[0], -row[1]))
    assert all(feerate >= result["feerate_floor"] for _, feerate in feerates)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("getutxout", ["00" * 32], -32602),
        ("getrawblockbyheight", {"height": "high"}, -32602),
        ("sendrawtransaction", {"tx": "00"}, -32602),
        ("getblock", {}, -32601),
    ],
)
def test_a_call_that_cannot_be_answered_gets_an_error(chain: Chain, method: str, params: object, code: int) -> None:
    assert ask(chain, method, params)["error"]["code"] == code


def test_the_plugin_answers_calls_in_turn_and_no_notification(chain: Chain) -> None:
    calls = [{"jsonrpc": "2.0", "id": number, "method": "estimatefees", "params": {}} for number in range(3)]
    said = talk(chain, calls[0], {"jsonrpc": "2.0", "method": "shutdown", "params": {}}, *calls[1:])
    assert [answer["id"] for answer in said] == [0, 1, 2]


def test_no_unfinished_file_is_left(chain: Chain) -> None:
    chain.mine(3)
    assert {path.suffix for path in chain.directory.rglob("*") if path.is_file()} == {".hex"}
