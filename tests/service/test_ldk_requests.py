"""Requests of LDK are recognised, and those of others are not: their errors differ in form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lnoffers.bolt12 import BlindedPath, InvoiceError
from lnoffers.bolt12.blinded_paths import BlindedHop
from lnoffers.net.blinding import message_path
from lnoffers.service.answering.ldk import TRAITS, has_sent
from tests.service.requesting import payer, requested

PATH_ID_PATH = message_path(b"k" * 32, [payer(1).public_key], bytes(32))
TAG = 16


def path(size: int) -> BlindedPath:
    """Return a reply path of one hop whose data have this size before they are encrypted."""
    [hop] = PATH_ID_PATH.hops
    return replace(PATH_ID_PATH, hops=(BlindedHop(hop.blinded_node_id, bytes(size + TAG)),))


@pytest.mark.parametrize("size", [96, 100, 200])
def test_a_request_with_all_traits_is_ldk_s(size: int) -> None:
    assert has_sent(requested(invreq_metadata=bytes(32)), path(size))


@pytest.mark.parametrize(
    ("fields", "reply_path"),
    [
        ({"invreq_metadata": bytes(16)}, path(96)),
        ({"invreq_metadata": bytes(48)}, path(96)),
        ({"invreq_metadata": None}, path(96)),
        ({"invreq_features": b""}, path(96)),
        ({}, PATH_ID_PATH),
        ({}, path(50)),
        ({}, path(0)),
        ({}, path(97)),
        ({}, path(150)),
    ],
)
def test_a_request_that_lacks_a_trait_is_not(fields: dict[str, Any], reply_path: BlindedPath) -> None:
    request = requested(**({"invreq_metadata": bytes(32)} | fields))
    assert not has_sent(request, reply_path)
    missing = [name for name, holds in TRAITS.items() if not holds(request, reply_path)]
    assert len(missing) == 1, missing


def test_ldk_s_form_has_the_length_before_the_error() -> None:
    error = InvoiceError.build(error="nope")
    assert (error.to_bytes().hex(), error.to_ldk_bytes().hex()) == ("05046e6f7065", "0605046e6f7065")
    long = InvoiceError.build(error="x" * 300)
    assert InvoiceError.from_bytes(long.to_ldk_bytes()) == long
