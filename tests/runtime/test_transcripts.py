"""Recorded answers of a real node to bad requests: ours are equal to the byte, but for our own advice."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rpcschema.runtime.command import Command, Parameter
from rpcschema.runtime.jsontext import Framer, FramingError
from rpcschema.runtime.server.dispatch import Answer, Dispatcher
from tests.runtime import demo
from tests.shared import shared_path


def command(name: str, *parameters: Parameter) -> Command:
    return Command(name, "Anything", parameters, renamed="anything")


ACTIVE_ONLY = Parameter("active_only", "boolean")
COMMANDS = (
    command(
        "invoicerequest",
        Parameter("amount", "msat", required=True),
        Parameter("description", "string", required=True),
        Parameter("issuer", "string"),
        Parameter("label", "string"),
        Parameter("absolute_expiry", "u64"),
        Parameter("single_use", "boolean"),
    ),
    command("listinvoicerequests", Parameter("invreq_id", "hash"), ACTIVE_ONLY),
    command("disableinvoicerequest", Parameter("invreq_id", "hash", required=True)),
    command("listoffers", Parameter("offer_id", "hash"), ACTIVE_ONLY),
    command(
        "offer",
        Parameter("amount", "msat_or_any", required=True),
        Parameter("description", "string"),
    ),
)


class Service:
    """Does nothing, so that only what is wrong with a request shows."""

    def anything(self, _request: object) -> dict[str, Any]:
        return {}


CHECKED_BY_THE_COMMAND = ("Not a number", "Unknown currency", "is not active", "chk")
OTHER_ADVICE = re.compile(rb"(unknown parameter: [^\s,]+), [^\"]+")
OUR_ADVICE = rb"\1, which this command does not have; if key=value pairs were meant, use -k"
"""What follows the name of an unknown parameter is in words of our own."""
NO_DESCRIPTION = b"missing required parameter: description"
"""Required by our document of `invoicerequest`, not by the node."""


@pytest.mark.parametrize("name", ["json-rpc-framing", "invoicerequest", "developer-mode"])
def test_bad_requests_get_the_recorded_answers(name: str) -> None:
    commands = {command.name: command for command in COMMANDS}
    dispatcher = Dispatcher(Service(), commands, developer=name == "developer-mode", package=demo.NAME)
    compared = 0
    for line in shared_path(f"golden/{name}.jsonl").read_text().splitlines():
        case = json.loads(line)
        recorded = OTHER_ADVICE.sub(OUR_ADVICE, case["response_raw"].encode())
        ours = answers(dispatcher, case["request_raw"].encode("latin-1" if "bad utf8" in case["case"] else "utf-8"))
        if any(text in line for text in CHECKED_BY_THE_COMMAND) or NO_DESCRIPTION in ours or "check" in case["case"]:
            continue
        if not recorded:  # the node waits for ever where we refuse
            assert ours.startswith(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,')
        elif b'"error":' in recorded or b'"error":' in ours:
            assert ours == recorded, case["case"]
            compared += 1
    assert compared > 3


def answers(dispatcher: Dispatcher, sent: bytes) -> bytes:
    framer, found = Framer(), b""
    framer.feed(sent)
    try:
        for message in framer:
            answer = dispatcher.answer(message)
            assert isinstance(answer, Answer)
            found += answer.data
    except FramingError as error:
        found += dispatcher.malformed(error).data
    return found
