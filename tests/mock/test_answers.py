"""Answers without a script: valid by the documents, and always the same."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from functools import cache
from hashlib import sha256
from typing import Any, Final

import pytest

from clnrpc import COMMANDS, Client, to_dict, unknown_fields
from clnrpc.runtime.command import Command
from lnstandin.mock import Mock
from lnstandin.mock.builtin import RUNE_COMMANDS
from lnstandin.mock.core import Standin
from tests.mock.calling import POINT, parameters
from tests.mock.judge import Judge
from tests.shared import ROOT, shared_path

RELEASES: Final = ("v26.06", "master-2026-08")
SEEDS: Final = int(os.environ.get("LNSTANDIN_SEEDS", "1"))
"""The number of seeds for each release; 16 make more than 5,000 calls."""


@cache
def judge(release: str) -> Judge:
    return Judge(shared_path(f"corpus/{release}/schemas"))


def answer(standin: Standin, command: str, params: dict[str, Any]) -> bytes:
    """Return the answer to a call. Those about runes are generated, too, though the mock can carry them out."""
    if command in RUNE_COMMANDS:
        return json.dumps(standin.generated(command, params)).encode()
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
        mock.on("checkrune").answer({"valid": True})
        for command in mock.documents.commands:
            params = _required(COMMANDS[command], parameters(documents, command, seed))
            arguments = {each.attribute: params[each.name] for each in COMMANDS[command].parameters if each.required}
            response = getattr(client, COMMANDS[command].method)(**arguments)
            assert unknown_fields(response) == {}, command
            assert to_dict(response) == mock.calls[-1].answer, command


def _required(command: Command, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that a command needs; corrections may have renamed or required some."""
    return {each.name: params.get(each.name, each.name) for each in command.parameters if each.required}


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_answers_are_the_same_in_every_process(hash_seed: str) -> None:
    code = "from tests.mock.test_answers import digest; print(digest())"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest()


def test_answers_depend_on_seed_method_and_parameters() -> None:
    standin, other = Standin(examples=False), Standin(seed=1, examples=False)
    first = answer(standin, "listfunds", {})
    assert first == answer(standin, "listfunds", {})
    assert first != answer(standin, "listfunds", {"spent": True})
    assert first != answer(other, "listfunds", {})


def test_answer_repeats_the_parameters_that_it_has() -> None:
    peers = json.loads(answer(Standin(examples=False), "listpeers", {"id": POINT}))["peers"]
    assert {peer["id"] for peer in peers} == {POINT}


@pytest.mark.parametrize("examples", [False, True])
def test_pages_are_parts_of_one_list(examples: bool) -> None:
    for method, limit in (("listforwards", 1), ("listforwards", 1000), ("listinvoices", 1), ("listpays", 2)):
        with Mock(examples=examples) as mock, Client(mock.socket) as client, warnings.catch_warnings(action="ignore"):
            [whole] = json.loads(answer(mock, method, {})).values()
            indexes = sorted(each["created_index"] for each in whole if each.get("created_index"))
            pages = client.rpc_pages(getattr(client, method), limit=limit)
            [*read] = [
                each["created_index"] for page in pages for [found] in [to_dict(page).values()] for each in found
            ]
        assert read == indexes
        assert read or examples


@cache
def digest() -> str:
    """Return a hash of the bytes that answer each command: as generated, and as the examples say."""
    documents, made = Judge(ROOT / "schemas"), sha256()
    for examples in (False, True):
        standin = Standin(seed="digest", examples=examples)
        assert len(standin.documents.commands) >= 162
        for name in standin.documents.commands:
            made.update(answer(standin, name, _required(standin.command(name), parameters(documents, name, 0))))
    return made.hexdigest()
