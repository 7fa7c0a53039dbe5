"""Nodes that send messages of play money which they should not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error, codecs
from lnoffers.bolt12.message import Field, Message
from lnoffers.net.messages import CustomMessage
from lnoffers.service.payments.backend import Paid
from lnstandin.play.messages import MAX_NUMBER, PAY_TYPE, RESULT_TYPE, Pay, Result, UnusableError
from lnstandin.play.receiver import MAX_AT_ONCE
from tests.bolt12.samples import SIGNER
from tests.play.players import PRICE, payer_and_payee, playing, preimage

POINT: Final = SIGNER.public_key
HASH: Final = b"h" * 32
hashes = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, MAX_NUMBER)
pays = st.builds(Pay, hashes, numbers, numbers, st.just(POINT), st.binary(max_size=200))
results = st.builds(Result, hashes, numbers, hashes) | st.builds(
    Result, hashes, numbers, st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)


@given(pays | results)
def test_what_is_written_is_read_again(sent: Pay | Result) -> None:
    message = sent.message()
    assert message.type == (PAY_TYPE if isinstance(sent, Pay) else RESULT_TYPE)
    assert type(sent).read(message.data) == sent


@given(st.sampled_from([Pay, Result]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: type[Pay | Result], data: bytes) -> None:
    try:
        kind.read(data)
    except (Bolt12Error, UnusableError):
        return


class AllFields(Message):
    """The fields of both messages."""

    first = Field(1, codecs.byte_string)
    third = Field(3, codecs.byte_string)
    fifth = Field(5, codecs.byte_string)
    seventh = Field(7, codecs.byte_string)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Pay, {"first": HASH, "third": b"\1", "fifth": b"\1", "seventh": POINT}),
        (Result, {"first": HASH, "third": b"\1"}),
        (Result, {"first": HASH, "fifth": HASH}),
        (Result, {"first": HASH, "third": b"\1", "fifth": HASH, "seventh": b"both"}),
    ],
    ids=["pay without data", "neither preimage nor reason", "without an attempt", "preimage and reason"],
)
def test_message_without_a_field_is_refused(kind: type[Pay | Result], fields: dict[str, bytes]) -> None:
    with pytest.raises(UnusableError):
        kind.read(AllFields._build(**fields).to_bytes())


@pytest.mark.parametrize("type_", [PAY_TYPE, RESULT_TYPE])
@pytest.mark.parametrize("data", [b"", b"\xff" * 100, bytes(65_000), Result(HASH, 1, HASH).message().data])
def test_garbage_is_ignored_and_the_connection_stays(tmp_path: Path, type_: int, data: bytes) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            link = payer.peers.link(payee.peers.node_id)
            assert link is not None
            await link.send_custom(CustomMessage(type_, data))
            assert isinstance(await payer.backend.pay(payee.invoice()), Paid)
            assert payer.peers.link(payee.peers.node_id) is link

    asyncio.run(run())


@pytest.mark.parametrize(("attempt", "amount"), [(1 << 63, PRICE), (1, 1 << 63), (2**64 - 1, 2**64 - 1)])
def test_number_that_the_ledger_cannot_store_is_ignored(tmp_path: Path, attempt: int, amount: int) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            link, invoice = payer.peers.link(payee.peers.node_id), payee.invoice()
            assert link is not None
            assert invoice.invoice_paths is not None
            [path] = invoice.invoice_paths
            data, payment_hash = path.hops[0].encrypted_recipient_data, invoice.invoice_payment_hash or b""
            await link.send_custom(Pay(payment_hash, attempt, amount, path.first_path_key, data).message())
            assert isinstance(await payer.backend.pay(invoice), Paid)

    asyncio.run(run())


def test_result_counts_only_from_the_payee_for_the_attempt_and_with_the_preimage(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            payer_and_payee(tmp_path, payees="delay=1s,seed=1") as (payer, payee),
            playing(tmp_path / "o") as other,
        ):
            link = await other.peers.connect(payer.address)
            back = payee.peers.link(payer.peers.node_id)
            assert back is not None
            invoice = payee.invoice()
            paying = asyncio.create_task(payer.backend.pay(invoice))
            while not payee.taken():
                await asyncio.sleep(0)
            payment_hash = invoice.invoice_payment_hash
            assert payment_hash is not None
            await link.send_custom(Result(payment_hash, 1, None, "refused by a stranger").message())
            await link.send_custom(Result(payment_hash, 1, preimage(1)).message())
            await back.send_custom(Result(payment_hash, 2, None, "of another attempt").message())
            await back.send_custom(Result(payment_hash, 1, bytes(32)).message())
            assert isinstance(await paying, Paid)

    asyncio.run(run())


def test_flood_of_payments_costs_a_limited_number_of_tasks(tmp_path: Path) -> None:
    async def run() -> int:
        async with payer_and_payee(tmp_path) as (payer, payee):
            link = payer.peers.link(payee.peers.node_id)
            assert link is not None
            most = 0
            for number in range(2 * MAX_AT_ONCE):
                pay = Pay(number.to_bytes(32, "big"), 1, 1, POINT, b"x")
                for _ in range(2):
                    payee.backend.receiver.receive(link, pay.message().data)
                most = max(most, len(payee.backend.receiver._tasks))
            assert isinstance(await payer.backend.pay(payee.invoice()), Paid)
            await payee.written()
            assert len(payee.rows("received")) == 1
        return most

    assert asyncio.run(run()) == MAX_AT_ONCE
