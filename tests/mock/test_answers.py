"""Answers without a script: valid by the documents, and always the same."""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from functools import cache
from typing import Any, Final

import pytest

from clnrpc import COMMANDS, Client, to_dict, unknown_fields
from clnrpc.runtime.command import Command
from lnstandin.mock import Mock
from lnstandin.mock.core import Standin
from tests.mock.calling import parameters
from tests.mock.judge import Judge
from tests.shared import ROOT, shared_path

RELEASES: Final = ("v26.06", "master-2026-08")
SEEDS: Final = int(os.environ.get("LNSTANDIN_SEEDS", "2"))
"""The number of seeds for each release; 16 make more than 5,000 calls."""


@cache
def judge(release: str) -> Judge:
    return Judge(shared_path(f"corpus/{release}/schemas"))


def answer(standin: Standin, command: str, params: dict[str, Any]) -> bytes:
    return asyncio.run(standin.dispatch(command, json.dumps(params).encode()))


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("release", RELEASES)
def test_generated_answers_of_all_commands_are_valid(release: str, seed: int) -> None:
    standin = Standin(shared_path(f"corpus/{release}/schemas"), seed=seed, examples=False)
    faults = []
    for command in judge(release).commands:
        made = answer(standin, command, parameters(judge(release), command, seed))
        faults += list(judge(release).faults(command, json.loads(made)))
    assert len(judge(release).commands) == 162
    assert faults == []


@pytest.mark.parametrize("release", RELEASES)
def test_answers_from_examples_are_valid(release: str) -> None:
    standin = Standin(shared_path(f"corpus/{release}/schemas"))
    faults = []
    for command in judge(release).commands:
        made = answer(standin, command, parameters(judge(release), command, 0))
        faults += list(judge(release).faults(command, json.loads(made)))
    assert faults == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_typed_client_reads_the_answers_of_all_its_commands(seed: int) -> None:
    documents = Judge(ROOT / "schemas")
    with Mock(seed=seed, examples=False) as mock, Client(mock.socket) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated commands answer, too
        for command in mock.documents.commands:
            params = parameters(documents, command, seed)
            response = getattr(client, COMMANDS[command].method)(**_arguments(COMMANDS[command], params))
            assert unknown_fields(response) == {}, command
            assert to_dict(response) == mock.calls[-1].answer, command


def _arguments(command: Command, params: dict[str, Any]) -> dict[str, Any]:
    """Return the required parameters under the client's names; corrections may have renamed or required some."""
    required = [each for each in command.parameters if each.required]
    return {each.attribute: params.get(each.name, f"{each.name}") for each in required}
