"""What fuzzing starts from: strings and streams of ours, and upstream's, where they are there."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from tests.bolt12 import samples
from tests.crosscheck.made import messages
from tests.shared import SHARED

CRASHES: Final = Path(__file__).with_name("crashes")
"""Inputs that broke a property once; the fuzzer puts new ones here."""
_MADE: Final = 60


def own_seeds() -> Iterator[bytes]:
    """Messages of all kinds, as strings and as streams."""
    made = (each.message for each in islice(messages(seed=1), _MADE))
    for message in (*made, samples.request(), samples.proof(), samples.proof(include={8, 10, 22})):
        yield message.encode().encode()
        yield message.to_bytes()


def upstream_seeds() -> Iterator[bytes]:
    """The inputs of Core Lightning's own fuzzers of BOLT 12 strings; none where they are missing."""
    for path in sorted(SHARED.glob("vectors/fuzz/bolt12-*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield file.read()
