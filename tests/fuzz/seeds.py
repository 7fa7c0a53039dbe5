"""What fuzzing starts from: strings, streams and onions of ours, and upstream's, where they are there."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.blinding import message_path
from lnoffers.net.messages import write_message
from lnoffers.net.onion_messages import Payload, wrap
from tests.bolt12 import samples
from tests.crosscheck.made import messages
from tests.shared import SHARED

CRASHES: Final = Path(__file__).with_name("crashes")
"""Inputs that broke a property once; the fuzzer puts new ones here."""
SELF: Final = KeyPair(bytes([1]) * 32)
"""The node that onions are for; `OTHER` is the one that it may pass them on to."""
OTHER: Final = KeyPair(bytes([2]) * 32)
_MADE: Final = 60


def own_seeds() -> Iterator[bytes]:
    """Yield messages of all kinds, as strings and as streams."""
    made = (each.message for each in islice(messages(seed=1), _MADE))
    for message in (*made, samples.request(), samples.proof(), samples.proof(include={8, 10, 22})):
        yield message.encode().encode()
        yield message.to_bytes()


def own_onions() -> Iterator[bytes]:
    """Return messages with an onion, each as the fuzzer takes it; see `tests.fuzz.onions`."""
    request = samples.request().to_bytes()
    for way in ([SELF], [SELF, OTHER]):
        path = message_path(bytes([3]) * 32, [node.public_key for node in way], bytes(32))
        message = wrap(bytes([4]) * 32, path, Payload.build(invoice_request=request, reply_path=path))
        yield write_message(message)[2:]
    yield b"\x02\x01" + write_message(message)


def upstream_seeds(name: str) -> Iterator[bytes]:
    """Return the inputs of Core Lightning's own fuzzers whose name matches; none where they are missing."""
    for path in sorted(SHARED.glob(f"vectors/fuzz/{name}.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield file.read()
