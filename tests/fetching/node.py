"""A small node, in a process of its own: it takes connections, forwards onion messages, and answers requests and
invoices somehow.

`python -m tests.fetching.node NUMBER [--answer KIND] [--via ID@HOST:PORT] [--features HEX]` prints the address at which
it listens, and runs until it is killed. NUMBER makes its key.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lnoffers.bolt12 import CHAINS, BlindedPayinfo, Invoice, InvoiceError, InvoiceRequest, KeyPair, KeySigner
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, in_span, write_records
from lnoffers.fetching import Address
from lnoffers.net.blinding import blinding_factor, message_path
from lnoffers.net.connection import Authenticated, PeerConnection
from lnoffers.net.errors import WireError
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init, OnionMessage, PeerWarning, Ping, Pong
from lnoffers.net.onion_messages import Forward, Payload, ReceivedMessage, open_message, wrap
from tests.bolt12.samples import resigned

PAYINFO = BlindedPayinfo(0, 0, 18, 0, 10**9, b"")
CONVERTED = 12_345
"""What the issuer asks for where the request does not determine the amount."""
SIGNATURE = 240


def key_of(number: int) -> KeyPair:
    """Return the key of the node with this number."""
    return KeyPair(bytes([number]) * 32)


def invoice(request: InvoiceRequest, key: KeyPair, **changes: Any) -> Invoice:
    """Return the invoice for a request, signed by this key; `changes` are arguments of `Invoice.for_request`."""
    path = message_path(secrets.token_bytes(32), [key.public_key], bytes(32))
    arguments: dict[str, Any] = {
        "invoice_created_at": int(time.time()),
        "invoice_payment_hash": bytes(range(32)),
        "invoice_paths": [path],
        "invoice_blindedpay": [PAYINFO],
        "invoice_node_id": key.public_key,
    }
    if request.invreq_amount is None and request.expected_amount is None:
        arguments["invoice_amount"] = CONVERTED
    if request.offer_recurrence_base is not None:
        arguments["invoice_recurrence_basetime"] = request.offer_recurrence_base.basetime
    return Invoice.for_request(request, **(arguments | changes)).sign(KeySigner(key))


@dataclass(frozen=True)
class Case:
    """What the issuer is asked, and the key that it answers with."""

    request: InvoiceRequest
    key: KeyPair

    def refusal(self) -> Payload:
        """Return an error as the specification has it."""
        error = InvoiceError.build(error="not today", erroneous_field=82, suggested_value=b"\x07")
        return Payload.build(invoice_error=error.to_bytes())

    def refusal_of_ldk(self) -> Payload:
        """Return an error with a length before it, as LDK sends it."""
        return Payload.build(invoice_error=b"\x06\x05\x04nope")

    def refusal_in_no_words(self) -> Payload:
        """Return an error without a text."""
        return Payload.build(invoice_error=InvoiceError.build(error="").to_bytes())

    def refusal_that_is_garbage(self) -> Payload:
        """Return an error that cannot be parsed."""
        return Payload.build(invoice_error=b"\x05\xff")

    def invoice(self, **changes: Any) -> Payload:
        """Return the invoice that was requested."""
        return Payload.build(invoice=invoice(self.request, self.key, **changes).to_bytes())

    def expired(self) -> Payload:
        """Return an invoice that has expired."""
        return self.invoice(invoice_created_at=1_000, invoice_relative_expiry=60)

    def another_amount(self) -> Payload:
        """Return an invoice for a higher amount."""
        return self._changed(invoice_amount=1_001)

    def another_request(self) -> Payload:
        """Return an invoice for somebody else's request."""
        return self._changed(invreq_metadata=b"another")

    def another_signer(self) -> Payload:
        """Return an invoice signed by somebody else."""
        return self._changed(signer=key_of(66), invoice_node_id=key_of(66).public_key)

    def unsigned(self) -> Payload:
        """Return an invoice without its signature."""
        kept = [record for record in invoice(self.request, self.key).records if record.type != SIGNATURE]
        return Payload.build(invoice=write_records(kept))

    def garbage(self) -> Payload:
        """Return an invoice that cannot be parsed."""
        return Payload.build(invoice=b"\x02\xff")

    def something_else(self) -> Payload:
        """Return a payload that is neither invoice nor error."""
        return Payload.build()

    def _changed(self, signer: KeyPair | None = None, **changes: Any) -> Payload:
        """Return an invoice with wrong fields and a valid signature."""
        changed = [getattr(Invoice, name).encode(value) for name, value in changes.items()]
        others = {record.type for record in changed} | {SIGNATURE}
        kept = [record for record in invoice(self.request, self.key).records if record.type not in others]
        records = resigned(Invoice, [*kept, *changed], KeySigner(signer or self.key))
        return Payload.build(invoice=write_records(records))


class Node:
    """The node's peers, and what it does with their messages."""

    def __init__(self, key: KeyPair, answer: str, features: bytes) -> None:
        self.key = key
        self.answer = answer
        self.init = Init(features, (CHAINS["regtest"],))
        self.peers: dict[bytes, tuple[PeerConnection, asyncio.StreamWriter]] = {}
        self.waiting: list[tuple[InvoiceRequest, ReceivedMessage, KeyPair]] = []

    def ephemeral(self) -> KeyPair:
        """Return a key for one connection."""
        return KeyPair(secrets.token_bytes(32))

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a new connection."""
        await self.run(PeerConnection.respond(self.key, self.ephemeral(), self.init), reader, writer)

    async def dial(self, address: Address) -> None:
        """Connect to somebody."""
        reader, writer = await asyncio.open_connection(address.host, address.port)
        connection = PeerConnection.initiate(self.key, self.ephemeral(), address.node_id, self.init)
        await self.run(connection, reader, writer)

    async def run(self, connection: PeerConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what a peer says until it leaves."""
        with suppress(WireError, OSError):
            while True:
                writer.write(connection.data_to_send())
                connection.receive_data(data := await reader.read(65_536))
                while (event := connection.next_event()) is not None:
                    match event:
                        case Authenticated(node_id):
                            self.peers[node_id] = (connection, writer)
                        case OnionMessage():
                            self.handle(event)
                        case Pong():
                            self.reply(*self.waiting.pop())
                if not data:
                    break
        writer.close()

    def send(self, to: bytes | int, message: OnionMessage | PeerWarning | Ping) -> None:
        """Send a peer a message, if it is one."""
        if isinstance(to, bytes) and to in self.peers:
            connection, writer = self.peers[to]
            connection.send(message)
            writer.write(connection.data_to_send())

    def handle(self, message: OnionMessage) -> None:
        """Forward a message, or answer it."""
        try:
            opened = open_message(self.key, message)
        except WireError:
            return
        if isinstance(opened, Forward):
            self.send(opened.next_node, opened.message)
        elif opened.payload.invoice_request is not None:
            request = InvoiceRequest.from_bytes(opened.payload.invoice_request)
            secret = self.key.shared_secret(message.path_key)
            issuer = request.offer_issuer_id
            signs = self.key if issuer else self.key.multiply(blinding_factor(secret))
            self.decide(request, opened, signs)
        elif opened.payload.invoice is not None:
            records = Invoice.from_bytes(opened.payload.invoice).records
            asked = [record for record in records if in_span(record.type, INVOICE_REQUEST_SPAN)]
            self.decide(InvoiceRequest.from_bytes(write_records(asked)), opened, self.key)

    def decide(self, request: InvoiceRequest, received: ReceivedMessage, key: KeyPair) -> None:
        """Answer now, later, or not at all."""
        match self.answer:
            case "nothing":
                pass
            case "another_way":
                for peer in self.peers:
                    path = message_path(secrets.token_bytes(32), [peer], b"x" * 32)
                    self.send(peer, wrap(secrets.token_bytes(32), path, Case(request, key).invoice()))
            case "error":
                for connection, writer in self.peers.values():
                    assert connection._established is not None
                    writer.write(connection._established.writer.frame(b"\0\x11" + bytes(32) + b"\0\4full"))
            case "throttle":
                for peer in self.peers:
                    self.send(peer, PeerWarning(b"Ratelimited onion_message: exceeded one per 250msec"))
            case "after_pong":
                self.waiting.append((request, received, key))
                for peer in self.peers:
                    self.send(peer, Ping(40_000, 100))
            case "hang_up":
                for _, writer in self.peers.values():
                    writer.close()
            case _:
                self.reply(request, received, key)

    def reply(self, request: InvoiceRequest, received: ReceivedMessage, key: KeyPair) -> None:
        """Answer along the reply path, the first node of which may be this one."""
        path = received.payload.reply_path
        assert path is not None
        said: Payload = getattr(Case(request, key), self.answer, Case(request, key).invoice)()
        message = wrap(secrets.token_bytes(32), path, said)
        if path.first_node_id == self.key.public_key:
            self.handle(message)
        else:
            assert isinstance(path.first_node_id, bytes)
            self.send(path.first_node_id, message)


async def main() -> None:
    """Run a node as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int)
    parser.add_argument("--answer", default="invoice")
    parser.add_argument("--via")
    parser.add_argument("--features", type=bytes.fromhex, default=OFFERED)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    node = Node(key_of(given.number), given.answer, given.features)
    server = await asyncio.start_server(node.accept, "127.0.0.1", given.port)
    dialled = asyncio.create_task(node.dial(Address.parse(given.via))) if given.via else None
    while dialled is not None and not node.peers:
        await asyncio.sleep(0.01)
    print(Address(node.key.public_key, "127.0.0.1", server.sockets[0].getsockname()[1]), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
