"""`python bench/net.py`: the wire against the bare curve operations that it cannot do without, in the same run.

The yardstick of a row is what libsecp256k1 takes for these operations alone, called through cffi. For a handshake, both
sides together: two new keys and their serialization, six products with hashing, and reading the three points that come
from the other side. For opening a request at the end of its path: reading two points and three products. Keys are new
in each call on both sides of a row, so nothing is remembered. All take turns; the table has medians of CPU time, which
a busy machine distorts least. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from statistics import median
from time import process_time
from typing import Any, Final

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from lnoffers.bolt12 import CHAINS, InvoiceRequest, KeyPair, KeySigner, Offer
from lnoffers.net.blinding import message_path
from lnoffers.net.connection import Connection
from lnoffers.net.features import OFFERED
from lnoffers.net.frames import MAX_MESSAGE, FrameReader, FrameWriter
from lnoffers.net.messages import Init, OnionMessage
from lnoffers.net.offer_messages import ask
from lnoffers.net.onion_messages import ReceivedMessage, open_message
from lnoffers.net.states import State

ROUNDS: Final = 41
CALLS: Final = 20
HANDSHAKE: Final = "a handshake, both sides, init included"
BARE_HANDSHAKE: Final = "its curve operations"
OPEN: Final = "open a request at the end of its path"
BARE_OPEN: Final = "its curve operations "
FRAME: Final = "write and read a message of 65,535 bytes"
CONTEXT: Final = GLOBAL_CONTEXT.ctx
INIT: Final = Init(OFFERED, (CHAINS["regtest"],))
_numbers = count(1)


def fresh() -> bytes:
    """A private key that was not used before."""
    return sha256(next(_numbers).to_bytes(8, "big")).digest()


ALICE, BOB = KeyPair(fresh()), KeyPair(fresh())


def shake_hands(node: KeyPair) -> None:
    """Two connections, from nothing to messages; the initiator is a node not met before."""
    alice = Connection.initiate(node, KeyPair(fresh()), BOB.public_key, INIT)
    bob = Connection.respond(BOB, KeyPair(fresh()), INIT)
    for source, target in ((alice, bob), (bob, alice), (alice, bob), (bob, alice)):
        target.receive_data(source.data_to_send())
        while target.next_event() is not None:
            pass
    assert alice.state is bob.state is State.OPEN


def bare_handshake(node: KeyPair) -> None:
    """The same operations on the curve, and nothing else."""
    peers = [_parse(data) for data in (node.public_key, _serialize(_key()), _serialize(_key()))]
    scalar = fresh()
    for point in (*peers, *peers):
        _product(point, scalar)


def made_requests() -> Iterator[OnionMessage]:
    """Requests without end, each along a path of its own, as its last node gets them."""
    offer = Offer.build(offer_issuer_id=BOB.public_key, offer_amount=1_000, offer_description="one coffee")
    payer = KeySigner(ALICE)
    unsigned = InvoiceRequest.for_offer(offer, invreq_metadata=bytes(16), invreq_payer_id=payer.public_key)
    request = unsigned.sign(payer)
    while True:
        reply = message_path(fresh(), [BOB.public_key, ALICE.public_key], bytes(32))
        yield ask(fresh(), message_path(fresh(), [BOB.public_key], bytes(32)), request, reply)


def open_request(message: OnionMessage) -> None:
    """What the issuer does first."""
    assert isinstance(open_message(BOB, message), ReceivedMessage)


def bare_open(keys: tuple[bytes, bytes]) -> None:
    """The same operations on the curve, and nothing else."""
    scalar = fresh()
    first, second = map(_parse, keys)
    _product(first, scalar)
    lib.secp256k1_ec_pubkey_tweak_mul(CONTEXT, second, scalar)
    _product(second, scalar)


def _key() -> Any:
    keypair, point = ffi.new("secp256k1_keypair *"), ffi.new("secp256k1_pubkey *")
    assert lib.secp256k1_keypair_create(CONTEXT, keypair, fresh())
    assert lib.secp256k1_keypair_pub(CONTEXT, point, keypair)
    return point


def _serialize(point: Any) -> bytes:
    output, length = ffi.new("unsigned char[33]"), ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(CONTEXT, output, length, point, lib.SECP256K1_EC_COMPRESSED)
    return bytes(ffi.buffer(output))


def _parse(data: bytes) -> Any:
    point = ffi.new("secp256k1_pubkey *")
    assert lib.secp256k1_ec_pubkey_parse(CONTEXT, point, data, len(data))
    return point


def _product(point: Any, scalar: bytes) -> bytes:
    shared = ffi.new("unsigned char[32]")
    assert lib.secp256k1_ecdh(CONTEXT, shared, point, scalar, ffi.NULL, ffi.NULL)
    return bytes(ffi.buffer(shared))


def through_frames() -> Callable[[], None]:
    """The longest message, there and back."""
    message, buffer = bytes(MAX_MESSAGE), bytearray()
    writer = FrameWriter(bytes(32), b"k" * 32)
    reader = FrameReader(bytes(32), b"k" * 32)

    def once() -> None:
        buffer.extend(writer.frame(message))
        assert reader.read(buffer) == message

    return once


def microseconds(call: Callable[[], object]) -> float:
    """CPU time of one call."""
    started = process_time()
    for _ in range(CALLS):
        call()
    return (process_time() - started) / CALLS * 1e6


def measured() -> dict[str, float]:
    """Medians of all, in microseconds; the first round warms up."""
    requests, through = made_requests(), through_frames()
    rounds = []
    for _ in range(1 + ROUNDS):
        messages, nodes = [next(requests) for _ in range(CALLS)], [KeyPair(fresh()) for _ in range(CALLS)]
        met, bare = iter(nodes), iter(nodes)
        opened, keys = iter(messages), iter([(each.path_key, each.packet[1:34]) for each in messages])
        rounds.append(
            {
                HANDSHAKE: microseconds(lambda met=met: shake_hands(next(met))),
                BARE_HANDSHAKE: microseconds(lambda bare=bare: bare_handshake(next(bare))),
                OPEN: microseconds(lambda opened=opened: open_request(next(opened))),
                BARE_OPEN: microseconds(lambda keys=keys: bare_open(next(keys))),
                FRAME: microseconds(through),
            }
        )
    return {name: median(each[name] for each in rounds[1:]) for name in rounds[0]}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: how long something takes, and how much more than its floor it may take, if that is set."""

    what: str
    found: float
    floor: float
    most: float | None

    @property
    def holds(self) -> bool:
        return self.most is None or self.found <= self.most * self.floor

    def __str__(self) -> str:
        ratio = f"{self.found / self.floor:.2f}"
        verdict = "" if self.most is None else "holds" if self.holds else "missed"
        return f"| {self.what} | {self.found:.0f} us | {self.floor:.0f} us | {ratio} | {self.most or ''} | {verdict} |"


def main() -> int:
    found = measured()
    table = [
        Row(HANDSHAKE, found[HANDSHAKE], found[BARE_HANDSHAKE], 2.5),
        Row(OPEN, found[OPEN], found[BARE_OPEN], 3),
    ]
    print(f"CPU time, medians of {ROUNDS}")
    print(f"{FRAME}: {found[FRAME]:.0f} us, {2 * MAX_MESSAGE / found[FRAME]:.0f} MB/s\n")
    print("| | found | bare curve operations | times | at most | |\n|---|---|---|---|---|---|")
    print(*table, sep="\n")
    return int(not all(row.holds for row in table))


if __name__ == "__main__":
    sys.exit(main())
