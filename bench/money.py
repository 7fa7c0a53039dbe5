"""`python bench/money.py`: a payment of play money, from the invoice that arrives to the request that is used.

The payer is a server in this process, with the event loop and the garbage collection of `lnoffers serve`. The payee is
a server in another process. Requests and invoices were made and stored before. Forty invoices arrive at once, as the
onion messages that a peer has sent, each for a request of its own. A round ends when the payer has all as paid.

The yardstick is what libsecp256k1 takes, called through cffi, for the curve operations that the payer cannot do
without: reading two points and three products to open the message; reading the five points of the invoice; and
verifying the invoice's signature with one of them. A payment may take three times as long, and the time of the
processor for three syncs: three writes of as many bytes to a file, with fsync. All take turns. The table has the median
CPU time of many rounds.

A second run, under strace, pays invoices one after the other, and counts how often the payer syncs a file: three times
for each payment at most. Exits with 1 if a bar is missed. Without strace the syncs cannot be counted, which is a bar
missed, too.

Three times the curve operations without the syncs is not reached. A loop in one thread that only opens the messages,
checks the invoices, executes the statements and encrypts two messages for each takes 2.6 times as long as the curve
operations (decision 0098). How many times a payment takes is printed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from bare import CONTEXT, Row, bare_open, parse
from coincurve._libsecp256k1 import ffi, lib

from clnrpc import Client
from clnrpc.types import InvoicerequestRequest
from lnoffers.bolt12 import Invoice, InvoiceRequest
from lnoffers.net.address import Address
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.messages import OnionMessage
from lnoffers.net.onion_messages import Payload, ReceivedMessage, open_message, wrap
from lnoffers.service import Node, OffersService, Options, Server
from lnoffers.service.cli import _OBJECTS_BETWEEN_COLLECTIONS
from lnoffers.service.cli.serve import _loop_factory
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments import inbox
from lnoffers.service.peers import scheduling
from lnoffers.service.serving.wire import Wire
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import NewInvoice

ROUNDS: Final = 31
CALLS: Final = 40
"""Payments in each: as many invoices as a server checks at once after a pause."""
TIMES: Final = 3
"""How many times the time of the curve operations a payment may take."""
SYNCS: Final = 3
COUNTED: Final = 50
"""Payments under strace."""
COUNT: Final = "--count"
BEGIN, END = "/payments-begin", "/payments-end"
"""Files that do not exist. Asking for them leaves a mark in the output of strace."""


def options(folder: Path) -> Options:
    """Return the options of one of the nodes."""
    return Options(lightning_dir=folder, network="regtest", backend="play")


def new_requests(payer: Node, count: int) -> Sequence[InvoiceRequest]:
    """Make requests, each for a single use."""
    service = OffersService(payer)
    with payer.store.group():
        texts = [f"number {number}" for number in range(count)]
        made = [service.invoicerequest(InvoicerequestRequest(amount=1_000, description=text)) for text in texts]
    return [InvoiceRequest.parse(each.bolt12) for each in made]


def new_invoice(payee: Node, request: InvoiceRequest) -> Invoice:
    """Make and store an invoice for a request."""
    preimage = secrets.token_bytes(32)
    payment_hash = sha256(preimage).digest()
    path, payinfo = path_to_self(payee, payment_hash)
    unsigned = Invoice.for_request(
        request,
        invoice_created_at=payee.clock.now(),
        invoice_payment_hash=payment_hash,
        invoice_paths=[path],
        invoice_blindedpay=[payinfo],
        invoice_node_id=payee.keys.node_id,
    )
    invoice = unsigned.sign(payee.keys.node_signer)
    row = NewInvoice(
        label=payment_hash.hex(),
        bolt12=invoice.encode(),
        description=None,
        payer_note=None,
        payment_hash=payment_hash,
        payment_preimage=preimage,
        amount_msat=1_000,
        expires_at=invoice.expires_at,
        local_offer_id=None,
    )
    with payee.store.transaction() as connection:
        invoices.add(connection, row)
    return invoice


def new_messages(payer: Node, folder: Path, count: int) -> Sequence[OnionMessage]:
    """Return messages with an invoice each, as a peer sends them; the payee in the folder has stored them."""
    with Node.open(options(folder), make=True) as payee, payee.store.group():
        made = [new_invoice(payee, request) for request in new_requests(payer, count)]
    to_payer = [Hop(payer.keys.node_id, b"")]
    return [
        wrap(secrets.token_bytes(32), blind(secrets.token_bytes(32), to_payer), Payload.build(invoice=each.to_bytes()))
        for each in made
    ]


@contextmanager
def payee_server(folder: Path) -> Iterator[Address]:
    """Run the payee's server."""
    command = [sys.executable, "-m", "lnoffers", "serve", "--lightning-dir", str(folder), "--network", "regtest"]
    command += ["--backend", "play", "--addr", "127.0.0.1:0", "--log-file", "log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"Listening on ")
            with Client(options(folder).socket) as client:
                found = client.getinfo()
                [port] = [binding.port for binding in found.binding or () if binding.type == "ipv4"]
                yield Address(bytes.fromhex(found.id), "127.0.0.1", port or 0)
        finally:
            process.terminate()


@asynccontextmanager
async def payer_server(node: Node, payee: Address) -> AsyncIterator[Wire]:
    """Run the payer's server in this process, connected to the payee."""
    scheduling.WAIT_OF_ADDRESS = CALLS  # type: ignore[misc] # all come from one
    inbox.INVOICES_A_SECOND = inbox.INVOICE_BURST = 1_000_000  # type: ignore[misc] # the pace of one peer is far lower
    server, ready = Server(node), asyncio.Event()
    running = asyncio.create_task(server.run(ready.set))
    await ready.wait()
    wire = server._wire
    await wire.peers.connect(payee)
    while wire.payer.halted:
        await asyncio.sleep(0.01)
    try:
        yield wire
    finally:
        server.stop()
        await running


async def pay(node: Node, wire: Wire, messages: Sequence[OnionMessage]) -> None:
    """Handle messages as if a peer had just sent them, until all invoices are paid."""
    for message in messages:
        opened = open_message(node.keys.key_pair, message)
        assert isinstance(opened, ReceivedMessage)
        wire._receive(None, opened)
    scheduler, payer = wire._inbox._scheduler, wire.payer
    while scheduler._waiting or scheduler._tasks or payer._tasks:
        await asyncio.sleep(0.01)  # to wait for the tasks themselves takes much longer


def bare_payment(keys: tuple[bytes, bytes]) -> None:
    """Do the same operations on the curve, and nothing else."""
    bare_open(keys)
    [node_id, *_] = [parse(key) for key in (*keys, *keys, keys[0])]
    key, signature = ffi.new("secp256k1_xonly_pubkey *"), ffi.new("unsigned char[64]")
    lib.secp256k1_xonly_pubkey_from_pubkey(CONTEXT, key, ffi.NULL, node_id)
    lib.secp256k1_schnorrsig_verify(CONTEXT, signature, bytes(32), 32, key)


def logged(node: Node) -> int:
    """Return how many bytes the logs of the payer's store and ledger have."""
    folder = node.options.network_dir
    return sum(file.stat().st_size for file in folder.glob("*.sqlite3-wal"))


@asynccontextmanager
async def servers(count: int) -> AsyncIterator[tuple[Node, Wire, Sequence[OnionMessage]]]:
    """Run both servers, and yield so many messages. The payer's files are in the working directory, on a disk."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where))) for where in (Path.cwd(), None)]
        node = stack.enter_context(Node.open(options(folders[0]), make=True))
        messages = new_messages(node, folders[1], count)
        payee = stack.enter_context(payee_server(folders[1]))
        async with payer_server(node, payee) as wire:
            yield node, wire, messages
        with closing(sqlite3.connect(node.options.store_file)) as connection:
            [paid] = connection.execute("SELECT COUNT(*) FROM payments WHERE state = 'paid'").fetchone()
        assert paid == count, f"{paid} of {count} invoices are paid"


async def measured() -> tuple[float, float, float]:
    """Return the CPU time of a payment, of its curve operations, and of a sync, in microseconds."""
    rounds = list[tuple[float, float, float]]()
    async with servers(1 + (1 + ROUNDS) * CALLS) as (node, wire, (first, *messages)):
        before = logged(node)
        await pay(node, wire, [first])
        written = bytes((logged(node) - before) // SYNCS)
        with tempfile.TemporaryFile(dir=Path.cwd(), buffering=0) as file:
            for start in range(0, len(messages), CALLS):
                batch = messages[start : start + CALLS]
                begun = process_time()
                await pay(node, wire, batch)
                paid = process_time()
                for message in batch:
                    bare_payment((message.path_key, message.packet[1:34]))
                operated = process_time()
                for _ in batch:
                    file.write(written)
                    os.fsync(file)
                rounds.append((paid - begun, operated - paid, process_time() - operated))
    found, bare, synced = (median(times) / CALLS * 1e6 for times in zip(*rounds[1:], strict=True))
    return found, bare, synced


async def pay_one_by_one(count: int) -> None:
    """Pay so many invoices, one after the other, between two marks."""
    async with servers(1 + count) as (node, wire, (first, *others)):
        await pay(node, wire, [first])
        os.access(BEGIN, os.F_OK)
        for message in others:
            await pay(node, wire, [message])
        os.access(END, os.F_OK)
        # strace shows the threads of the payee, too
        print(*(thread.name for thread in Path("/proc/self/task").iterdir()))


def counted_syncs() -> float | None:
    """Return how many syncs a payment takes at the payer, on average; None without strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        calls = "trace=fsync,fdatasync,?access,?faccessat,?faccessat2"
        command = ["strace", "-f", "-o", str(trace), "-e", calls, sys.executable, __file__, COUNT, str(COUNTED)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        _, _, after = trace.read_text().partition(BEGIN)
        between, mark, _ = after.partition(END)
    assert mark, "the payments have left no marks in the output of strace"
    threads = re.findall(r"^(\d+) +(?:fsync|fdatasync)\(", between, re.MULTILINE)
    return sum(thread in done.stdout.split() for thread in threads) / COUNTED


def main(arguments: Sequence[str]) -> int:
    """Print the table, or pay invoices for the second run to count."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if arguments[:1] == [COUNT]:
            runner.run(pay_one_by_one(int(arguments[1])))
            return 0
        found, bare, synced = runner.run(measured())
    allowed = TIMES * bare + SYNCS * synced
    row = Row("pay an invoice", found, allowed, 1)
    print(f"CPU time, medians of {ROUNDS} rounds of {CALLS} payments")
    print(f"three times the curve operations: {TIMES * bare:.0f} us; three syncs: {SYNCS * synced:.0f} us")
    print(f"a payment takes {found / bare:.1f} times the curve operations\n")
    print("| | found | its yardstick | times | at most | |\n|---|---|---|---|---|---|")
    print(row)
    syncs = counted_syncs()
    print(f"\nsyncs of a payment: {'not counted without strace' if syncs is None else f'{syncs:.2f}'}, at most {SYNCS}")
    return int(not row.holds or syncs is None or not 0 < syncs <= SYNCS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
