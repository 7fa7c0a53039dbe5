"""The examples of schemas/invoicerequest.json are answered exactly, whichever way the command is called."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

import pytest

from clnrpc import AsyncClient, Client
from lnoffers.service.cli.call import to_params
from tests.service.program import SEED_METADATA, Program, Wire
from tests.shared import ROOT

EXAMPLES = json.loads((ROOT / "schemas" / "invoicerequest.json").read_text())["examples"]
RESPONSES = [example["response"] for example in EXAMPLES]
ARGUMENTS = [
    ["1000000", "Simple test"],
    ["amount=10000sat", "description=Requesting for invoice", "issuer=clightning store"],
]
POSITIONAL = [[1000000, "Simple test"], ["10000sat", "Requesting for invoice", "clightning store"]]


def without_none(response: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(response).items() if value is not None}


def test_the_arguments_used_here_say_what_the_examples_say() -> None:
    for example, arguments, positional in zip(EXAMPLES, ARGUMENTS, POSITIONAL, strict=True):
        assert list(example["request"]["params"].values()) == positional
        assert json.loads(to_params(arguments)) in (positional, example["request"]["params"])


@pytest.mark.parametrize("number", [0, 1])
def test_call_in_process_prints_the_example(seed_program: Program, number: int) -> None:
    outcome = seed_program.call("--dev-entropy", SEED_METADATA[number], "invoicerequest", *ARGUMENTS[number])
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == json.dumps(RESPONSES[number], indent=3) + "\n"


def test_call_to_a_server_prints_both_examples(seed_program: Program) -> None:
    with seed_program.served("--dev-entropy", "".join(SEED_METADATA)):
        outcomes = [seed_program.call("invoicerequest", *arguments) for arguments in ARGUMENTS]
    assert [outcome.out for outcome in outcomes] == [json.dumps(shown, indent=3) + "\n" for shown in RESPONSES]


def test_the_client_gets_both_examples(seed_program: Program) -> None:
    with seed_program.served("--dev-entropy", "".join(SEED_METADATA)), Client(seed_program.socket) as client:
        answers = [client.invoicerequest(**example["request"]["params"]) for example in EXAMPLES]
    assert [without_none(answer) for answer in answers] == RESPONSES


def test_the_asynchronous_client_gets_both_examples(seed_program: Program) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(seed_program.socket) as client:
            return [await client.invoicerequest(**example["request"]["params"]) for example in EXAMPLES]

    with seed_program.served("--dev-entropy", "".join(SEED_METADATA)):
        answers = asyncio.run(ask())
    assert [without_none(answer) for answer in answers] == RESPONSES


def test_a_raw_socket_gets_both_examples_by_position(seed_program: Program) -> None:
    with seed_program.served("--dev-entropy", "".join(SEED_METADATA)), Wire(seed_program.socket) as wire:
        for positional, response in zip(POSITIONAL, RESPONSES, strict=True):
            answer = wire.ask("invoicerequest", positional)
            assert answer == {"jsonrpc": "2.0", "id": 0, "result": response}
            assert list(answer["result"]) == list(response)
