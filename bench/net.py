"""`python bench/net.py`: the wire against the bare curve operations that it cannot do without, in the same run.

The yardstick of a row is what libsecp256k1 takes for these operations alone, called through cffi. For a handshake, both
sides together: two new keys and their serialization, six products with hashing, and reading the three points that come
from the other side. For opening a request at the end of its path: reading two points and three products.

Answering a request is all of it: opening the message, checking the request, making, signing and storing the invoice,
and the message along a reply path over this node to the payer, whose first layer is opened here. Beside opening, it
requires: reading the five other points of request and reply path; reading the payer's key and verifying with it; for
the invoice's path a key, a product with hashing and one without; a signature, verified; for two layers of an onion two
keys, two points read and two products; and opening once more, with two keys for the next node. It may take three times
as long, and a sync: a write of as many bytes to a file, with fsync. These are measured in one loop, because after a
wait for the disk everything is slower for a while.

Keys are new in each call on both sides of a row, so nothing is remembered. All take turns; the table has the median CPU
time of many rounds. If LIGHTNINGD names a lightningd binary, a last row has the wall time of a fetch by our server from
a real node, next to a fetch by another real node from the same one (`fetching`). Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

import fetching
from bare import CONTEXT, Row, bare_open, fresh, new_key, parse, product, serialize, x_only
from coincurve._libsecp256k1 import ffi, lib

from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest, KeyPair, KeySigner, Offer
from lnoffers.net.blinding import message_path
from lnoffers.net.connection import PeerConnection
from lnoffers.net.features import OFFERED
from lnoffers.net.frames import MAX_MESSAGE, FrameReader, FrameWriter
from lnoffers.net.messages import Init, OnionMessage
from lnoffers.net.offer_messages import ask, paths_to, reply
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from lnoffers.net.states import State
from lnoffers.service import Node, Options
from lnoffers.service.answering import Issuer
from lnoffers.service.status import Status
from lnoffers.service.store import offers
from lnoffers.service.store.offers import StoredOffer

ROUNDS: Final = 41
CALLS: Final = 20
HANDSHAKE: Final = "a handshake, both sides, init included"
BARE_HANDSHAKE: Final = "its curve operations"
OPEN: Final = "open a request at the end of its path"
BARE_OPEN: Final = "its curve operations "
ANSWER: Final = "answer a request, and store the invoice"
BARE_ANSWER: Final = "three times its curve operations, and a sync"
FRAME: Final = "write and read a message of 65,535 bytes"
FETCH: Final = "fetch an invoice from a lightningd, as another lightningd does, wall time"
LIGHTNINGD: Final = "LIGHTNINGD"
INIT: Final = Init(OFFERED, (CHAINS["regtest"],))


ALICE, BOB = KeyPair(fresh()), KeyPair(fresh())


def shake_hands(node: KeyPair) -> None:
    """Connect two nodes until messages can be sent; the initiator is a node not met before."""
    alice = PeerConnection.initiate(node, KeyPair(fresh()), BOB.public_key, INIT)
    bob = PeerConnection.respond(BOB, KeyPair(fresh()), INIT)
    for source, target in ((alice, bob), (bob, alice), (alice, bob), (bob, alice)):
        target.receive_data(source.data_to_send())
        while target.next_event() is not None:
            pass
    assert alice.state is bob.state is State.OPEN


def bare_handshake(node: KeyPair) -> None:
    """Do the same operations on the curve, and nothing else."""
    peers = [parse(data) for data in (node.public_key, serialize(new_key()), serialize(new_key()))]
    scalar = fresh()
    for point in (*peers, *peers):
        product(point, scalar)


def made_requests() -> Iterator[OnionMessage]:
    """Yield endless requests, each along a path of its own, as its last node receives them."""
    offer = Offer.build(offer_issuer_id=BOB.public_key, offer_amount=1_000, offer_description="one coffee")
    payer = KeySigner(ALICE)
    unsigned = InvoiceRequest.for_offer(offer, invreq_metadata=bytes(16), invreq_payer_id=payer.public_key)
    request = unsigned.sign(payer)
    while True:
        reply = message_path(fresh(), [BOB.public_key, ALICE.public_key], bytes(32))
        yield ask(fresh(), message_path(fresh(), [BOB.public_key], bytes(32)), request, reply)


def open_request(message: OnionMessage) -> None:
    """Open a request, as the issuer does first."""
    assert isinstance(open_message(BOB, message), ReceivedMessage)


@contextmanager
def issuing() -> Iterator[
    tuple[Callable[[OnionMessage], None], Callable[[OnionMessage], None], Iterator[OnionMessage]]
]:
    """Return what answers a request, what takes as long as it may, and requests without end by new payers.

    The files are in the working directory, because a folder for temporary files may be in memory.
    """
    with tempfile.TemporaryDirectory(dir=".") as folder, (Path(folder) / "file").open("wb", buffering=0) as file:
        options = Options(lightning_dir=Path(folder), network="regtest")
        log = options.store_file.with_name("lnoffers.sqlite3-wal")
        with Node.open(options, make=True) as node:
            offer = _offer(node)
            answer = partial(answer_request, node.keys.key_pair, Issuer(node))
            before = log.stat().st_size
            answer(next(_asked(offer)))
            written = bytes(log.stat().st_size - before)

            def allowed(message: OnionMessage) -> None:
                for _ in range(3):
                    bare_answer((message.path_key, message.packet[1:34]))
                file.write(written)
                os.fsync(file)

            yield answer, allowed, _asked(offer)


def _offer(node: Node) -> Offer:
    """Return an offer that the node knows."""
    offer = Offer.build(
        offer_issuer_id=node.keys.node_id,
        offer_amount=1_000,
        offer_description="one coffee",
        offer_chains=(CHAINS["regtest"],),
    )
    with node.store.transaction() as connection:
        offers.add(connection, StoredOffer(offer.offer_id, offer.encode(), None, Status.ACTIVE, False, None))
    return offer


def answer_request(key: KeyPair, issuer: Issuer, message: OnionMessage) -> None:
    """Answer a message that requests an invoice, as a server does."""
    received = open_message(key, message)
    assert isinstance(received, ReceivedMessage)
    request, reply_path = received.payload.invoice_request, received.payload.reply_path
    assert request is not None
    assert reply_path is not None
    invoice = issuer.answer(InvoiceRequest.received(request), received.path_id)
    assert isinstance(invoice, Invoice)
    assert isinstance(open_message(key, reply(fresh(), reply_path, invoice)), Forward)


def _asked(offer: Offer) -> Iterator[OnionMessage]:
    assert offer.offer_issuer_id is not None
    while True:
        payer = KeySigner(KeyPair(fresh()))
        unsigned = InvoiceRequest.for_offer(
            offer, invreq_metadata=bytes(16), invreq_payer_id=payer.public_key, invreq_chain=CHAINS["regtest"]
        )
        reply_path = message_path(fresh(), [offer.offer_issuer_id, ALICE.public_key], bytes(32))
        [path] = paths_to(offer, fresh())
        yield ask(fresh(), path, unsigned.sign(payer), reply_path)


def bare_answer(keys: tuple[bytes, bytes]) -> None:
    """Do the same operations on the curve, and nothing else."""
    bare_open(keys)
    for key in (*keys, *keys, keys[0]):
        parse(key)
    first, second = map(parse, keys)
    signature, keypair = ffi.new("unsigned char[64]"), ffi.new("secp256k1_keypair *")
    assert lib.secp256k1_keypair_create(CONTEXT, keypair, fresh())
    own = ffi.new("secp256k1_xonly_pubkey *")
    assert lib.secp256k1_keypair_xonly_pub(CONTEXT, own, ffi.NULL, keypair)
    assert lib.secp256k1_schnorrsig_sign32(CONTEXT, signature, fresh(), keypair, ffi.NULL)
    for key in (x_only(keys[0]), own):  # the payer's signature, and the invoice's
        lib.secp256k1_schnorrsig_verify(CONTEXT, signature, bytes(32), 32, key)
    serialize(new_key())
    product(first, fresh())
    lib.secp256k1_ec_pubkey_tweak_mul(CONTEXT, second, fresh())
    serialize(second)
    for point in map(parse, keys):
        serialize(new_key())
        product(point, fresh())
    bare_open(keys)
    for point in (first, second):
        lib.secp256k1_ec_pubkey_tweak_mul(CONTEXT, point, fresh())
        serialize(point)


def through_frames() -> Callable[[], None]:
    """Return a function that writes and reads the longest message."""
    message, buffer = bytes(MAX_MESSAGE), bytearray()
    writer = FrameWriter(bytes(32), b"k" * 32)
    reader = FrameReader(bytes(32), b"k" * 32)

    def once() -> None:
        buffer.extend(writer.frame(message))
        assert reader.read(buffer) == message

    return once


_REQUESTS, _THROUGH = made_requests(), through_frames()


def microseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, in microseconds."""
    started = process_time()
    for _ in range(CALLS):
        call()
    return (process_time() - started) / CALLS * 1e6


def measured() -> dict[str, float]:
    """Return the times of all, in microseconds; the first round warms up."""
    with issuing() as (answer, allowed, asked):
        rounds = [_round(answer, allowed, asked) for _ in range(1 + ROUNDS)]
    return {name: median(each[name] for each in rounds[1:]) for name in rounds[0]}


def _round(
    answer: Callable[[OnionMessage], None], allowed: Callable[[OnionMessage], None], asked: Iterator[OnionMessage]
) -> dict[str, float]:
    messages, nodes = [next(_REQUESTS) for _ in range(CALLS)], [KeyPair(fresh()) for _ in range(CALLS)]
    questions = [next(asked) for _ in range(CALLS)]
    met, bare, opened, answered = iter(nodes), iter(nodes), iter(messages), iter(questions)
    keys = iter([(each.path_key, each.packet[1:34]) for each in messages])
    taken = iter(questions)
    return {
        HANDSHAKE: microseconds(lambda: shake_hands(next(met))),
        BARE_HANDSHAKE: microseconds(lambda: bare_handshake(next(bare))),
        OPEN: microseconds(lambda: open_request(next(opened))),
        BARE_OPEN: microseconds(lambda: bare_open(next(keys))),
        ANSWER: microseconds(lambda: answer(next(answered))),
        BARE_ANSWER: microseconds(lambda: allowed(next(taken))),
        FRAME: microseconds(_THROUGH),
    }


def main() -> int:
    found = measured()
    table = [
        Row(HANDSHAKE, found[HANDSHAKE], found[BARE_HANDSHAKE], 2.5),
        Row(OPEN, found[OPEN], found[BARE_OPEN], 3),
        Row(ANSWER, found[ANSWER], found[BARE_ANSWER], 1),
    ]
    print(f"CPU time, medians of {ROUNDS} rounds")
    print(f"{FRAME}: {found[FRAME]:.0f} us, {2 * MAX_MESSAGE / found[FRAME]:.0f} MB/s\n")
    print("| | found | its yardstick | times | at most | |\n|---|---|---|---|---|---|")
    print(*table, sep="\n", flush=True)
    if os.environ.get(LIGHTNINGD):
        table.append(Row(FETCH, *fetching.medians(), 1.2))
        print(table[-1])
    else:
        print(f"\nLeft out: {FETCH}. Set {LIGHTNINGD} to a lightningd binary.")
    return int(not all(row.holds for row in table))


if __name__ == "__main__":
    sys.exit(main())
