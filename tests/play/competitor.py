"""One of the processes of a race: `python -m tests.play.competitor DIRECTORY PAYEE KIND`.

It pays invoices from the store in a directory, with the backend play, as a whole server (KIND is `server`) or as the
part of one that pays (`process`), of which several can use a store. It says "ready". For each line of invoices, as a
JSON list of their bytes in hex, it delivers all of them at once, and says in JSON what has become of each: "paid", or
the text of the invoice_error.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from clnrpc.runtime.errors import GENERIC, RpcError
from lnoffers.bolt12 import Invoice, InvoiceError
from lnoffers.net.address import Address
from lnoffers.net.blinding import message_path
from lnoffers.net.offer_messages import read_reply
from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service import Node, Options, Server
from lnoffers.service.errors import StoreError
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments import inbox
from lnoffers.service.peers import scheduling
from lnoffers.service.peers.pending import AwaitedAnswer
from lnoffers.service.serving.wire import Wire
from lnoffers.service.status import Status
from lnoffers.service.store import payments

T = TypeVar("T")

LOOK_SECONDS = 0.002
USED = (Status.SINGLE_USE | Status.USED).value
"""How the store has a request of a single use that is paid."""


def options(directory: Path) -> Options:
    """Return the options of the node whose store all of them share."""
    return Options(lightning_dir=directory, network="regtest", backend="play")


async def run_now(function: Callable[[], T]) -> T:
    """Run a function that uses the store, as a server's thread does."""
    try:
        return function()
    except StoreError as error:
        raise RpcError(GENERIC, str(error)) from error


@asynccontextmanager
async def part_of_a_server(node: Node) -> AsyncIterator[Wire]:
    """Run what pays, without a socket for calls."""
    node.changes.run = run_now
    wire = Wire(node)
    async with wire.working():
        yield wire
    await wire.peers.close()


@asynccontextmanager
async def whole_server(node: Node) -> AsyncIterator[Wire]:
    """Run a server."""
    server, ready = Server(node), asyncio.Event()
    running = asyncio.create_task(server.run(ready.set))
    await asyncio.wait([running, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield server._wire
    server.stop()
    await running


async def deliver(node: Node, wire: Wire, invoices: Sequence[Invoice]) -> Sequence[str]:
    """Deliver invoices to the node, all at once, and return what has become of each."""
    answers = dict[bytes, AwaitedAnswer]()
    for invoice in invoices:
        path_id = secrets.token_bytes(32)
        answer = answers[invoice.invoice_payment_hash or b""] = asyncio.get_running_loop().create_future()
        wire.peers.pending.expect(path_id, answer)
        path = message_path(secrets.token_bytes(32), [wire.peers.node_id], path_id)
        payload = Payload.build(invoice=invoice.to_bytes(), reply_path=path)
        wire._receive(None, ReceivedMessage(payload, None))
    return [await outcome(node, payment_hash, answer) for payment_hash, answer in answers.items()]


async def outcome(node: Node, payment_hash: bytes, answer: AwaitedAnswer) -> str:
    """Wait until an invoice is paid or refused."""
    while not answer.done():
        payment = await node.changes.run(partial(payment_of, node, payment_hash))
        if payment is not None and payment.state is PaymentState.PAID:
            return "paid"
        await asyncio.sleep(LOOK_SECONDS)
    error = read_reply(answer.result())
    assert isinstance(error, InvoiceError)
    return error.error or ""


def payment_of(node: Node, payment_hash: bytes) -> payments.StoredPayment | None:
    with node.store.transaction(writes=False) as connection:
        return payments.by_payment_hash(connection, payment_hash)


async def compete(directory: Path, payee: Address, kind: str) -> None:
    """Pay what the lines of the standard input say."""
    # Other tests hold the limits for strangers; here they would only take time.
    scheduling.WAIT_OF_ADDRESS = 1_000  # type: ignore[misc]
    inbox.INVOICES_A_SECOND = inbox.INVOICE_BURST = 1_000_000  # type: ignore[misc]
    run = whole_server if kind == "server" else part_of_a_server
    with Node.open(options(directory)) as node:
        async with run(node) as wire:
            await wire.peers.connect(payee)
            while wire.payer.halted:
                await asyncio.sleep(LOOK_SECONDS)
            print("ready", flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                invoices = [Invoice.from_bytes(bytes.fromhex(each)) for each in json.loads(line)]
                print(json.dumps(await deliver(node, wire, invoices)), flush=True)


if __name__ == "__main__":
    asyncio.run(compete(Path(sys.argv[1]), Address.parse(sys.argv[2], 0), sys.argv[3]))
