"""Each string is decoded by its kind; an unreadable one gets the error of the kind that it resembles."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clnrpc import RpcError
from clnrpc.types import DecodeRequest
from lnoffers import bech32
from lnoffers.bolt12 import NodeKeys
from lnoffers.emergency import SECRET_NAME, SealedError, decrypt
from lnoffers.service import Node, OffersService
from lnoffers.service.string_kinds import UnreadableError, decode
from tests.bolt11.samples import invoice
from tests.bolt12.samples import invoice as bolt12_invoice
from tests.bolt12.samples import offer, proof, request
from tests.runes.test_runes import rune
from tests.shared import fuzz_inputs, shared_path
from tests.test_emergency import as_text, seal

NOW = 1_700_000_000
KEYS = NodeKeys.from_seed(bytes(range(32)))
RECOVERY = as_text(seal(b"channels", KEYS.named_secret(SECRET_NAME)))


def opener(keys: NodeKeys) -> Callable[[bytes], bytes]:
    return partial(decrypt, secret=keys.named_secret(SECRET_NAME))


def reason(text: str) -> str:
    with pytest.raises(UnreadableError) as caught:
        decode(text, now=NOW)
    return str(caught.value)


def test_says_what_a_string_is() -> None:
    for text, kind in (
        *((message.encode(), f"bolt12 {message.kind}") for message in (offer(), request(), bolt12_invoice(), proof())),
        (invoice(), "bolt11 invoice"),
        (invoice(prefix="lnex5"), "bolt11 invoice"),
        (RECOVERY, "emergency recover"),
        (rune("=1"), "rune"),
    ):
        found = decode(text, now=NOW, unseal=opener(KEYS))
        assert (found["type"], found["valid"]) == (kind, True)
        for scheme in ("lightning:", "LIGHTNING:"):
            assert decode(scheme + text, now=NOW, unseal=opener(KEYS)) == found
        if kind != "rune":
            assert decode(text.upper(), now=NOW, unseal=opener(KEYS)) == found


def test_recovery_data_stays_sealed_without_its_node() -> None:
    assert decode(RECOVERY, now=NOW, unseal=opener(KEYS))["decrypted"] == b"channels".hex()
    with pytest.raises(SealedError, match="only the node"):
        decode(RECOVERY, now=NOW)
    with pytest.raises(SealedError, match="Can't decrypt!"):
        decode(RECOVERY, now=NOW, unseal=opener(NodeKeys.from_seed(bytes(range(1, 33)))))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "Unparsable string") for text in ("", "hello", "☕", "\udcff", "lnr", "lnbc", "Lightning:lnr1qq")),
        *((f"lightning:lightning:{text}", "Unparsable string") for text in (request().encode(), invoice())),
        ("lnr1qq", "invalid invreq data"),
        ("LNR1QQ", "invalid invreq data"),
        ("Lnr1qq", "Unparsable string"),
        ("lnbcrt1qqqqqq", "Bad bech32 string"),
        ("LNTBS25M1", "Bad bech32 string"),
        ("lnbc25x1qqqqqq", "Unparsable string"),
        ("lnbcm1qqqqqq", "Unparsable string"),
        ("Lnbc1qqqqqq", "Unparsable string"),
        ("lnex1qqqqqq", "Unparsable string"),
        ("clnemerg1qqqqqq", "invalid bech32 encoding"),
        (f"lightning:{invoice()[:-1]}", "Bad bech32 string"),
        (f" {invoice()}", "Unparsable string"),
    ],
)
def test_what_cannot_be_read_gets_the_reason_of_what_it_looks_like(text: str, why: str) -> None:
    assert reason(text) == why


def test_a_string_that_looks_like_another_kind_is_a_rune_only_if_it_is_text() -> None:
    def like_an_invoice(restrictions: bytes) -> str:
        return "lnbc1AAA" + urlsafe_b64encode(bytes(26) + restrictions).decode()

    assert decode(like_an_invoice(b"a=b"), now=NOW)["type"] == "rune"
    assert reason(like_an_invoice(b"a=\xff")) == "Bad bech32 string"


def test_a_rune_of_bytes_that_are_no_text_is_shown_as_not_valid() -> None:
    assert decode(rune(b"=1&a=\xff"), now=NOW)["valid"] is False


def test_times_in_runes_are_told_from_now() -> None:
    assert "100 seconds from now" not in str(decode(rune(f"time<{NOW + 30}"), now=NOW))
    assert "30 seconds from now" in str(decode(rune(f"time<{NOW + 30}"), now=NOW))


def test_the_detail_says_where() -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(invoice(("x", bytes(2))), now=NOW)
    assert (str(caught.value), caught.value.detail) == (
        "x: not a minimal value",
        f"in field x at character {len(invoice()) - 104 - 6}",
    )


@given(st.text() | st.binary().map(rune) | st.text(bech32.ALPHABET).map("lnbc1".__add__))
def test_any_text_has_an_answer_or_an_error_of_ours(text: str) -> None:
    try:
        found = decode(text, now=NOW)
    except (UnreadableError, SealedError):
        return
    assert found["valid"] in (True, False)


def test_over_rpc_a_failure_to_open_says_no_more_than_that(node: Node) -> None:
    service = OffersService(node)
    for text, why in ((as_text(seal(b"x")), "Can't decrypt!"), (as_text(b"x"), "Can't decrypt, hex is too short!")):
        with pytest.raises(RpcError) as caught:
            service.decode(DecodeRequest(string=text))
        assert (caught.value.code, caught.value.message) == (-32602, why)


def outcome(text: str) -> dict[str, object]:
    try:
        found = decode(text, now=NOW)
    except UnreadableError as error:
        return {"error": f"string: {error}"}
    return {"type": found["type"], "valid": found["valid"]}


@pytest.mark.parametrize("kind", ["bech32", "invoice", "invrequest", "offer"])
def test_fuzz_inputs_get_the_verdicts_of_a_real_node(kind: str) -> None:
    verdicts = json.loads(shared_path(f"vectors/fuzz/bolt12-{kind}-decode.verdicts.json").read_text())
    for name, text in fuzz_inputs(kind):
        if name in verdicts:  # JSON could not carry the others to the node, which takes a string as it is spelt there
            assert outcome(json.dumps(text, ensure_ascii=False)[1:-1]) == verdicts.pop(name), name
    assert not verdicts
