"""Whatever arrives in place of a request is dropped or gets an error as its answer, and nothing is stored for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error, InvoiceError, InvoiceRequest
from lnoffers.bolt12.encoding import decode_text
from lnoffers.service import Node, Options
from lnoffers.service.answering.issuer import Issuer
from tests.service.invoicing import NOW, OFFER
from tests.service.program import SEED_SECRET, write_secret
from tests.service.requesting import know, requested, stored
from tests.shared import fuzz_inputs

GOOD = requested().to_bytes()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issuer, Node]]:
    directory: Path = tmp_path_factory.mktemp("issuer")
    write_secret(directory / "regtest" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=directory, network="regtest", dev_time=NOW)) as node:
        know(node, OFFER)
        yield Issuer(node), node


def is_refused(issuer: Issuer, stream: bytes, path_id: bytes | None = None) -> bool:
    """Return whether a stream is no request, so that it is dropped, or one that gets an error."""
    try:
        request = InvoiceRequest.received(stream)
    except Bolt12Error:
        return True
    return isinstance(issuer.answer(request, path_id), InvoiceError)


def test_core_lightning_s_fuzz_inputs_are_refused(issuer: tuple[Issuer, Node]) -> None:
    answered = 0
    for name, text in fuzz_inputs("invrequest"):
        try:
            stream = decode_text(text, "lnr")
        except Bolt12Error:
            stream = text.encode()
        assert is_refused(issuer[0], stream), name
        answered += 1
    assert answered > 1_000
    assert stored(issuer[1]) == []


@given(st.binary(max_size=300), st.none() | st.binary(max_size=40))
def test_bytes_are_refused(issuer: tuple[Issuer, Node], stream: bytes, path_id: bytes | None) -> None:
    assert is_refused(issuer[0], stream, path_id)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_request_with_one_other_byte_is_refused(issuer: tuple[Issuer, Node], place: int, change: int) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= change
    assert is_refused(issuer[0], bytes(changed)), "its signature covers every byte"
    assert stored(issuer[1]) == []


@given(st.integers(0, len(GOOD) - 1))
def test_a_request_that_ends_early_is_refused(issuer: tuple[Issuer, Node], size: int) -> None:
    assert is_refused(issuer[0], GOOD[:size])
