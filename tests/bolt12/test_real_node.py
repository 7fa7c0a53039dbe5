"""What real nodes made: requests, strings in transcripts, inputs of fuzzers. Skipped where they are missing.

`tests/service` compares what they answered to `decode`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from lnoffers.bolt12 import (
    CHAINS,
    Bolt12,
    Bolt12Error,
    InvoiceRequest,
    NodeKeys,
    decode_leniently,
    describe,
    seed_from_hsm_secret,
)
from tests.shared import fuzz_inputs, shared_path


def exchanges(transcript: str, method: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the case name, request and response of each exchange of a method."""
    for line in shared_path(f"golden/{transcript}.jsonl").read_text().splitlines():
        exchange = json.loads(line)
        if exchange["method"] == method:
            try:
                request = json.loads(exchange["request_raw"])
            except ValueError:
                continue  # cases of broken JSON
            yield exchange["case"], request, json.loads(exchange["response_raw"])


def all_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from all_strings(each)


def fault_of(request: InvoiceRequest) -> str | None:
    """Return the rule that the request breaks. Real nodes make requests without amount, against the specification."""
    try:
        request.verify()
    except Bolt12Error as error:
        return error.rule
    return None


def rebuilt(recorded: InvoiceRequest, keys: NodeKeys) -> str:
    """Return the string that we build from a recorded request's metadata and fields."""
    assert recorded.invreq_metadata is not None
    assert recorded.invreq_amount is not None
    assert recorded.offer_description is not None
    return (
        InvoiceRequest.without_offer(
            invreq_metadata=recorded.invreq_metadata,
            invreq_payer_id=keys.node_id,
            invreq_amount=recorded.invreq_amount,
            offer_description=recorded.offer_description,
            offer_issuer=recorded.offer_issuer,
            offer_absolute_expiry=recorded.offer_absolute_expiry,
            invreq_chain=CHAINS["regtest"],
        )
        .sign(keys.node_signer)
        .encode()
    )


def test_rebuilds_the_first_documents_examples() -> None:
    examples = json.loads(shared_path("seed/lightning-invoicerequest.json").read_text())["examples"]
    keys = NodeKeys.from_seed(b"lightning-2".ljust(32, b"\0"))
    metadata = ["40f3b447861516367be1ad748c9b15ac", "6a2e97c3a83e1528b5d0695577902bc4"]
    for example, expected_metadata in zip(examples, metadata, strict=True):
        response = example["response"]
        recorded = InvoiceRequest.parse(response["bolt12"])
        assert recorded.invreq_metadata is not None
        assert recorded.invreq_metadata.hex() == expected_metadata
        assert rebuilt(recorded, keys) == response["bolt12"]
        assert recorded.invreq_id.hex() == response["invreq_id"]


def test_derives_the_keys_of_real_nodes() -> None:
    for node in json.loads(shared_path("golden/nodes.json").read_text()).values():
        seed = seed_from_hsm_secret(bytes.fromhex(node["hsm_secret_hex"]))
        assert seed.hex() == node["bip39_seed_hex"]
        assert NodeKeys.from_seed(seed).node_id.hex() == node["node_id"]


def test_rebuilds_every_recorded_request() -> None:
    node = json.loads(shared_path("golden/nodes.json").read_text())["l2"]
    keys = NodeKeys.from_seed(seed_from_hsm_secret(bytes.fromhex(node["hsm_secret_hex"])))
    refused = set()
    for _, _, response in exchanges("invoicerequest", "invoicerequest"):
        result = response.get("result")
        if result is None:
            continue
        recorded = InvoiceRequest.parse(result["bolt12"], chain=CHAINS["regtest"])
        assert fault_of(recorded) == ("amount-zero" if recorded.invreq_amount == 0 else None)
        assert recorded.encode() == result["bolt12"]
        assert recorded.invreq_id.hex() == result["invreq_id"]
        if recorded.invreq_amount == 0:
            refused.add("no amount")
        elif recorded.offer_description is None:
            refused.add("no description")
        else:
            assert rebuilt(recorded, keys) == result["bolt12"]
    assert refused == {"no amount", "no description"}  # which the specification's writer must give


def test_describes_every_string_that_a_transcript_holds() -> None:
    found = Counter[str]()
    for path in shared_path("golden").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            known = any(prefix in line for prefix in ("lno1", "lnr1", "lni1"))
            for string in all_strings(json.loads(json.loads(line)["response_raw"]) if known else None):
                if string.startswith(("lno1", "lnr1", "lni1")):
                    message = decode_leniently(string)
                    if isinstance(message, InvoiceRequest):
                        assert fault_of(message) == ("amount-zero" if message.invreq_amount == 0 else None)
                    assert describe(message)["valid"] is True
                    assert message.encode() == string
                    assert rewritten(message) == message.to_bytes()
                    found[message.kind] += 1
    assert min(found["offer"], found["invoice_request"], found["invoice"]) > 20, found


def rewritten(message: Bolt12) -> bytes:
    """Return the message's bytes, from the values of its fields and the records of the unknown ones."""
    values = {field.name: getattr(message, field.name) for field in message.fields.values()}
    return type(message)._build(message.unknown_records, **values).to_bytes()


@pytest.mark.parametrize("target", ["bech32", "offer", "invrequest", "invoice"])
def test_fuzz_inputs_break_a_rule_or_are_written_again_as_they_came(target: str) -> None:
    for name, text in fuzz_inputs(target):
        with suppress(Bolt12Error):
            message = decode_leniently(text)
            assert rewritten(message) == message.to_bytes(), name
