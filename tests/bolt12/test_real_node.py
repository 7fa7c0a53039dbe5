"""What real nodes made and said: examples, transcripts, verdicts on fuzz inputs. Skipped where they are missing."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from lnoffers.bolt12 import (
    CHAINS,
    Bolt12Error,
    InvoiceRequest,
    NodeKeys,
    describe,
    seed_from_hsm_secret,
    without_scheme,
)
from lnoffers.bolt12.text import decode_text, encode_text
from tests.shared import shared_path


def exchanges(transcript: str, method: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Case name, request and response of each exchange of a method."""
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
    """The rule that the request breaks. A real node makes requests without amount, which the specification forbids."""
    try:
        request.verify()
    except Bolt12Error as error:
        return error.rule
    return None


def rebuilt(recorded: InvoiceRequest, keys: NodeKeys) -> str:
    """The string that we build from a recorded request's metadata and fields."""
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


@pytest.mark.parametrize("transcript", ["decode", "fetchinvoice", "recurrence", "offers-with-channel", "sendinvoice"])
def test_describes_requests_as_decode_does(transcript: str) -> None:
    for case, request, response in exchanges(transcript, "decode"):
        params = request["params"]
        string = params.get("string") if isinstance(params, dict) else next(iter(params), None)
        if not isinstance(string, str) or not without_scheme(string).startswith(("lnr1", "LNR1")):
            continue
        try:
            answer = {"result": describe(InvoiceRequest.parse(without_scheme(string)))}
        except Bolt12Error as error:
            message = f"string: {error}: invalid token (see logs for details)"
            answer = {"error": {"code": -32602, "message": message}}
        assert json.dumps(answer) == json.dumps({key: response[key] for key in answer if key in response}), case


def test_describes_every_request_that_a_transcript_holds() -> None:
    found = 0
    for path in shared_path("golden").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            for string in all_strings(json.loads(json.loads(line)["response_raw"]) if "lnr1" in line else None):
                if string.startswith("lnr1"):
                    request = InvoiceRequest.parse(string)
                    assert fault_of(request) == ("amount-zero" if request.invreq_amount == 0 else None)
                    assert describe(request)["valid"] is True
                    assert encode_text("lnr", decode_text(string, "lnr")) == string
                    found += 1
    assert found > 30


def test_judges_fuzz_inputs_as_a_real_node_does() -> None:
    verdicts = json.loads(shared_path("vectors/fuzz/bolt12-invrequest-decode.verdicts.json").read_text())
    judged = 0
    with tarfile.open(shared_path("vectors/fuzz/bolt12-invrequest-decode.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            text = file.read().decode(errors="surrogateescape")
            try:
                shown = describe(InvoiceRequest.parse(text))
                ours = {"type": shown["type"], "valid": shown["valid"]}
            except Bolt12Error as error:
                ours = {"error": f"string: {error}"}
            verdict = verdicts.get(member.name.rpartition("/")[2])
            if verdict is None:
                continue
            if verdict.get("type") == "rune":  # nearly any string is one, so it is tried last
                assert "error" in ours, member.name
            else:
                assert ours == verdict, member.name
            judged += 1
    assert judged == len(verdicts)
