"""`lnoffers decode` takes what people paste and says in plain words what is wrong; RPC `decode` answers as the node."""

from __future__ import annotations

import json

import pytest

from clnrpc import RpcError
from clnrpc.types import DecodeRequest
from lnoffers.bolt12 import CHAINS, Offer, describe
from lnoffers.service import Node, OffersService
from lnoffers.service.cli.summary import Summary, Tone, summarize
from tests.bolt11.samples import invoice
from tests.bolt12.samples import as_text, offer, request, stream, unsigned
from tests.service.program import run

OFFER = offer().encode()
UNSIGNED = unsigned().unsigned()
NOW = 1_700_000_000


def type_of(text: str) -> str:
    outcome = run("decode", text)
    assert (outcome.code, outcome.err) == (0, "")
    return str(json.loads(outcome.out)["type"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f" {OFFER}\n", "bolt12 offer"),
        (f"Lightning:{OFFER}", "bolt12 offer"),
        (f"bitcoin:?lno={OFFER}&lightning={invoice()}", "bolt12 offer"),
        (f"BITCOIN:BC1QQ?LNO={OFFER.upper()}", "bolt12 offer"),
        (f"bitcoin:?lightning={invoice()}", "bolt11 invoice"),
    ],
)
def test_pasted_text_is_unwrapped(text: str, kind: str) -> None:
    assert type_of(text) == kind


def test_a_qr_code_is_of_the_string_alone() -> None:
    drawn = run("decode", "--qr", OFFER).out
    assert run("decode", "--qr", f" bitcoin:?lno={OFFER} ").out == drawn


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{OFFER[:11]}b{OFFER[12:]}", "Character 12 of the string is 'b', which cannot be there. Look for a typo."),
        (OFFER[:-8], "The string is not complete: characters are missing, most likely at its end. Copy all of it."),
        ("lno1", "The string is not complete: characters are missing, most likely at its end. Copy all of it."),
        ("LNP1", "The string is not complete: characters are missing, most likely at its end. Copy all of it."),
        (" ", "There is nothing to decode: the text is empty."),
        ("hello", "This text is none of the strings that can be decoded: BOLT 12 strings (lno1, lnr1, lni1, lnp1), "),
        ("Lno1qq", "The string mixes upper and lower case: a BOLT 12 string is all in one. Look for a typo."),
        ("₿alice@example.com", "₿alice@example.com is a name, whose offer is in the DNS. Look up the TXT record of "),
        ("bitcoin:bc1qq", "This link has no Lightning string: it lacks the parameter lno or lightning."),
        (invoice()[:-3], "The invoice is damaged or not complete: its checksum is wrong. Look for a typo, or copy it "),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(text: str, why: str) -> None:
    outcome = run("decode", text)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"lnoffers: {why}")


def test_a_rule_that_is_broken_is_named_as_ever() -> None:
    outcome = run("decode", as_text(stream(Offer, offer_description="tea"), "lno"))
    assert outcome.err == "lnoffers: Offer does not contain an issuer_id or paths\n"


@pytest.mark.parametrize("text", [f" {OFFER}", f"Lightning:{OFFER}", f"bitcoin:?lno={OFFER}", "₿alice@example.com", ""])
def test_rpc_decode_takes_no_more_than_the_node(node: Node, text: str) -> None:
    with pytest.raises(RpcError, match="string: Unparsable string") as caught:
        OffersService(node).decode(DecodeRequest(string=text))
    assert caught.value.code == -32602


def test_rpc_decode_calls_an_unsigned_request_not_valid_as_the_node_does(node: Node) -> None:
    answer = json.loads(OffersService(node).decode(DecodeRequest(string=UNSIGNED.encode())))
    assert answer["valid"] is False
    assert answer["warning_missing_invoice_request_signature"] == "Missing signature"


def test_an_unsigned_request_is_valid_where_the_specification_counts() -> None:
    outcome = run("decode", UNSIGNED.encode())
    answer = json.loads(outcome.out)
    assert (outcome.code, answer["valid"]) == (0, True)
    assert "warning_missing_invoice_request_signature" not in answer
    summary = summarize(describe(UNSIGNED, accept_unsigned=True), NOW)
    assert (summary.verdict, summary.tone) == ("valid, unsigned", Tone.GOOD)
    assert summarize(describe(request()), NOW).verdict == "valid"


def values(summary: Summary, label: str) -> list[str]:
    rows = [row for block in summary.blocks for row in block.rows if row.label == label]
    return [each.value for row in rows for each in (row.rows or (row,))]


def test_people_see_the_network_and_not_its_chain_hash() -> None:
    chains = [*CHAINS.values(), bytes(32)]
    summary = summarize(describe(offer(offer_chains=chains)), NOW)
    assert values(summary, "chains") == [*CHAINS, "00" * 32]
    assert values(summarize(describe(request()), NOW), "chain") == ["regtest"]
    assert json.loads(run("decode", OFFER).out)["offer_chains"] == [CHAINS["regtest"].hex()]
