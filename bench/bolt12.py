"""`python bench/bolt12.py [FOLDER]`: BOLT 12 against the bare curve library, and against the peers in FOLDER.

All take turns, in one run, and the table has medians of CPU time, which a busy machine distorts least. The yardstick is
libsecp256k1's Schnorr verification alone, called through cffi with a key that is parsed already. The floor of a signed
message is that and the hashes of its merkle tree, as bare calls of hashlib on inputs of the same sizes: nobody can
verify the message with less. The keys in the messages have been met before, as a node's own and its customers' have; a
line above the table says what a new one costs. FOLDER/node_modules holds LDK compiled to WebAssembly (`nox -s
crosscheck` makes `.nox/peers`); without it those rows are left out. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from lnoffers.bolt12 import (
    BlindedHop,
    BlindedPath,
    BlindedPayinfo,
    Invoice,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    decode,
)
from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.tlv import SIGNATURE_TYPES

ROUNDS: Final = 41
CALLS: Final = 100
PEER_CALLS: Final = 500
STRANGERS: Final = 1_500
"""More than the points that the core remembers."""
FOLDER: Final = Path(__file__).resolve().parent.parent / ".nox" / "peers"
METADATA: Final = bytes(range(16))


def signer(name: str) -> KeySigner:
    """Return the signer of somebody with this name."""
    return KeySigner(KeyPair(sha256(name.encode()).digest()))


PAYER, PAYEE, HOP = map(signer, ("payer", "payee", "hop"))


def make_offer(issuer: bytes) -> Offer:
    """Return an offer of a fixed price."""
    return Offer.build(
        offer_issuer_id=issuer, offer_amount=10_000, offer_description="one coffee", offer_issuer="shop.example"
    )


OFFER: Final = make_offer(PAYEE.public_key)


def make_request() -> InvoiceRequest:
    """Return a request for the offer, built and signed, and so verified."""
    unsigned = InvoiceRequest.for_offer(OFFER, invreq_metadata=METADATA, invreq_payer_id=PAYER.public_key)
    return unsigned.sign(PAYER)


def make_invoice() -> Invoice:
    """Return an invoice for that request, with one path of one hop."""
    path = BlindedPath(PAYEE.public_key, HOP.public_key, (BlindedHop(HOP.public_key, bytes(50)),))
    unsigned = Invoice.for_request(
        make_request(),
        invoice_created_at=1_800_000_000,
        invoice_payment_hash=sha256(METADATA).digest(),
        invoice_paths=(path,),
        invoice_blindedpay=(BlindedPayinfo(1_000, 10, 144, 1, 10**9, b""),),
    )
    return unsigned.sign(PAYEE)


def bare_verify(request: InvoiceRequest) -> Callable[[], object]:
    """Return a function that verifies the request's signature and does nothing else."""
    context, digest = GLOBAL_CONTEXT.ctx, request.signing_request.digest
    key = ffi.new("secp256k1_xonly_pubkey *")
    assert request.invreq_payer_id is not None
    assert lib.secp256k1_xonly_pubkey_parse(context, key, request.invreq_payer_id[1:])
    signature, verify = request.signature, lib.secp256k1_schnorrsig_verify
    assert verify(context, signature, digest, len(digest), key)
    return lambda: verify(context, signature, digest, len(digest), key)


def bare_hashes(message: InvoiceRequest | Invoice) -> Callable[[], object]:
    """Return a function that computes the hashes that a message's signature requires, on inputs of the same sizes."""
    signed = [record for record in message.records if record.type not in SIGNATURE_TYPES]
    tag_of_nonces = 7 + len(signed[0].raw)
    leaves = [size for record in signed for size in (len(record.raw), len(encode_bigsize(record.type)), 64)]
    inputs = [bytes(size) for size in (tag_of_nonces, 64, *leaves, *[64] * (len(signed) - 1), 32)]

    def hash_all() -> None:
        for each in inputs:
            sha256(each).digest()

    return hash_all


VERIFY: Final = "bare verify"
HASH_REQUEST: Final = "bare hashes of a signed request"
HASH_INVOICE: Final = "bare hashes of an invoice"
DECODE_OFFER: Final = "decode and check an offer"
DECODE_STRANGER: Final = "decode an offer of an issuer not met before"
DECODE_REQUEST: Final = "decode and verify a signed request"
DECODE_INVOICE: Final = "decode and verify an invoice"
MAKE_REQUEST: Final = "build, sign, verify and encode a request"


def strangers() -> Iterator[str]:
    """Return endless offers, of so many issuers that none is still cached when it comes again."""
    keys = (signer(f"stranger {index}").public_key for index in range(STRANGERS))
    return cycle([make_offer(key).encode() for key in keys])


def ours() -> dict[str, Callable[[], object]]:
    """Return the calls to time in this process, by name."""
    request, invoice = make_request(), make_invoice()
    stranger_texts = strangers()
    offer_text, request_text, invoice_text = OFFER.encode(), request.encode(), invoice.encode()
    return {
        VERIFY: bare_verify(request),
        HASH_REQUEST: bare_hashes(request),
        HASH_INVOICE: bare_hashes(invoice),
        DECODE_OFFER: lambda: decode(offer_text),
        DECODE_STRANGER: lambda: decode(next(stranger_texts)),
        DECODE_REQUEST: lambda: decode(request_text),
        DECODE_INVOICE: lambda: decode(invoice_text),
        MAKE_REQUEST: lambda: make_request().encode(),
    }


def microseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, in microseconds."""
    started = process_time()
    for _ in range(CALLS):
        call()
    return (process_time() - started) / CALLS * 1e6


@contextmanager
def peers(folder: Path) -> Iterator[Callable[[], dict[str, float]]]:
    """Yield a function that measures how many microseconds each peer takes to decode the offer; {} without peers."""
    if not (folder / "node_modules").is_dir():
        print(f"left out: there are no peers in {folder}; `nox -s crosscheck` installs them\n")
        yield dict
        return
    script = Path(__file__).with_suffix(".mjs")
    command = ["node", str(script), str(folder), OFFER.encode()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, answering = process.stdin, process.stdout

        def ask() -> Any:
            print(PEER_CALLS, file=asking, flush=True)
            return json.loads(answering.readline())

        yield ask


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: how long something may take."""

    what: str
    found: float
    most: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.found <= self.most

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "missed"
        return f"| {self.what} | {self.found:.2f} {self.unit} | {self.most} {self.unit} | {verdict} |"


def rows(found: Mapping[str, float]) -> Iterator[Row]:
    """Yield the bars, and how we stand to them."""
    offer, verify = found[DECODE_OFFER], found[VERIFY]
    yield Row(DECODE_OFFER, offer, 12, "us")
    for peer in sorted(found.keys() & {"lightningdevkit", "boltz-bolt12"}):
        yield Row(f"the same, against {peer}, {found[peer]:.1f} us", offer / found[peer], 0.33, "of it")
    yield Row(DECODE_REQUEST, found[DECODE_REQUEST] / verify, 2, "bare verify")
    yield Row(DECODE_INVOICE, found[DECODE_INVOICE] / verify, 2.5, "bare verify")
    for decoding, hashing, most in ((DECODE_REQUEST, HASH_REQUEST, 1.83), (DECODE_INVOICE, HASH_INVOICE, 2.14)):
        yield Row(decoding, found[decoding] / (verify + found[hashing]), most, "of its floor")
    yield Row(MAKE_REQUEST, found[MAKE_REQUEST], 80, "us")


def main() -> int:
    calls = ours()
    with peers(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER) as ask:
        rounds = [{name: microseconds(call) for name, call in calls.items()} | ask() for _ in range(1 + ROUNDS)]
    found = {name: median(each[name] for each in rounds[1:]) for name in rounds[0]}  # the first round warms up
    table = list(rows(found))
    print(f"CPU time, medians of {ROUNDS}")
    above = (VERIFY, HASH_REQUEST, HASH_INVOICE, DECODE_STRANGER)
    print(*(f"{name}: {found[name]:.1f} us" for name in above), sep="\n", end="\n\n")
    print("| | found | at most | |\n|---|---|---|---|")
    print(*table, sep="\n")
    return int(not all(row.holds for row in table))


if __name__ == "__main__":
    sys.exit(main())
