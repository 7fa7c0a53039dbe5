"""The methods of the clients: what can be passed how, to the node and to type checkers."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar

import pytest

import clnrpc
from tests.generator.packages import command
from tests.runtime.node import Connection, ScriptedNode

REQUEST = {
    "required": ["amount", "to"],
    "properties": {
        "amount": {"type": "msat"},
        "label": {"type": "string"},
        "to": {"type": "string"},
        "tries": {"type": "u8"},
    },
}


def expecting(*params: dict[str, Any]) -> Any:
    """Return a script that answers as many calls, which must have these parameters."""

    def script(connection: Connection) -> None:
        request = connection.read()
        assert request["method"] == "getinfo"
        connection.answer(request, {"version": "v26.09"})
        for expected in params:
            request = connection.read()
            assert request["params"] == expected
            connection.answer(request, {})

    return script


def test_required_parameters_may_be_passed_by_position_in_the_documents_order(package: Any, tmp_path: Path) -> None:
    made = package(command(request=REQUEST))
    sent = ({"amount": "1sat", "to": "you"}, {"amount": 2, "label": "l", "to": "me"}, {"amount": 3, "to": "all"})

    async def calls() -> None:
        async with made.AsyncClient(path) as client:
            await client.pay_now("1sat", "you")
            await client.pay_now(2, to="me", label="l")
            await client.pay_now(to="all", amount=3)

    path = tmp_path / "s"
    with ScriptedNode(path, expecting(*sent)), made.Client(path) as client:
        client.pay_now("1sat", "you")
        client.pay_now(2, to="me", label="l")
        client.pay_now(to="all", amount=3)
    with ScriptedNode(path, expecting(*sent)):
        asyncio.run(asyncio.wait_for(calls(), 20))


def test_optional_parameters_are_passed_by_keyword_alone(package: Any) -> None:
    made = package(command(request=REQUEST), command("one", request={"properties": {"a": {"type": "u8"}}}))
    for client in (made.Client("/nowhere"), made.AsyncClient("/nowhere")):
        kinds = {name: parameter.kind.name for name, parameter in inspect.signature(client.pay_now).parameters.items()}
        assert kinds == {"amount": "POSITIONAL_OR_KEYWORD", "to": "POSITIONAL_OR_KEYWORD"} | dict.fromkeys(
            ("label", "tries"), "KEYWORD_ONLY"
        )
        for call in (lambda c: c.pay_now(1, "you", "label"), lambda c: c.one(1), lambda c: c.pay_now(1)):
            with pytest.raises(TypeError, match=r"pay_now\(\)|one\(\)"):
                call(client)


def test_each_argument_of_each_method_goes_under_its_own_name() -> None:
    lenient = {"at_most_one": (), "all_or_none": (), "needs": ()}

    class Recording(clnrpc.Client):
        rpc_commands: ClassVar = {name: each._replace(**lenient) for name, each in clnrpc.COMMANDS.items()}

        def rpc_send(self, name: str, /, *values: Any) -> Any:
            return self._rpc_prepare(name, values)

    client = Recording("/nowhere")
    for name, described in clnrpc.COMMANDS.items():
        method = getattr(client, described.method, None)
        if method is None:  # it is ours alone
            continue
        with warnings.catch_warnings(action="ignore"):
            prepared, params = method(**{each: each for each in inspect.signature(method).parameters})
        assert prepared.name == name
        assert json.loads(params) == {each.name: each.attribute for each in described.parameters if not each.extension}


def lines_with_errors(program: str, folder: Path) -> list[str]:
    """Return the lines of a program of which mypy reports an error."""
    (folder / "out" / "program.py").write_text(program)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "program.py"],
        check=False,
        cwd=folder / "out",
        capture_output=True,
        text=True,
    )
    return [line.split(":")[1] for line in checked.stdout.splitlines() if "error:" in line]


def test_type_checkers_know_what_may_be_passed_by_position(package: Any, tmp_path: Path) -> None:
    made = package(command(request=REQUEST))
    program = f"""
from {made.__name__} import AsyncClient, Client
client = Client("s")
client.pay_now("1sat", "you", tries=3)
client.pay_now("1sat", "you", "label")
client.pay_now("1sat", 5)
async def calls(client: AsyncClient) -> None:
    await client.pay_now(1, "you", label="x")
    await client.pay_now(1, "you", "x")
"""
    assert lines_with_errors(program, tmp_path) == ["5", "6", "9"]


def test_clients_pay_once_if_the_package_has_the_commands_for_it(package: Any) -> None:
    made = package(*(command(name) for name in ("decode", "listpays", "xpay")))
    other = package(command("xpay"))
    for client in ("Client", "AsyncClient"):
        assert hasattr(getattr(made, client), "pay_once")
        assert not hasattr(getattr(other, client), "pay_once")
    assert made.PayOnceError.__module__ == f"{made.__name__}.runtime.client.paying.steps"
    assert not (Path(other.__file__).parent / "runtime/client/paying").exists()
    assert "Paid" not in other.__all__


TANK = {"created_index": {"type": "u64"}, "name": {"type": "string"}}
PAGE = {"index": {"type": "string"}, "start": {"type": "u64"}, "limit": {"type": "u32"}, "kind": {"type": "string"}}


def list_of_tanks(page: dict[str, Any], tank: dict[str, Any]) -> dict[str, Any]:
    """Return a command with these parameters that lists such elements."""
    tanks = {"type": "array", "items": {"type": "object", "properties": tank}}
    return command("listtanks", request={"properties": page}, response={"properties": {"tanks": tanks}})


def test_lists_that_can_be_read_in_pages_are_iterators(package: Any, tmp_path: Path) -> None:
    made = package(list_of_tanks(PAGE, TANK))
    program = f"""
from {made.__name__} import AsyncClient, Client
for tank in Client("s").iter.listtanks(kind="round"):
    print(tank.name, tank.nmae)
Client("s").iter.listtanks(limit=5)
async def calls(client: AsyncClient) -> None:
    print([tank.name async for tank in client.iter.listtanks()])
    print([tank.name for tank in client.iter.listtanks()])
"""
    assert lines_with_errors(program, tmp_path) == ["4", "5", "8"]


def test_other_lists_are_not(package: Any) -> None:
    for page, tank in (({"start": PAGE["start"], "limit": PAGE["limit"]}, TANK), (PAGE, {"name": TANK["name"]})):
        assert not hasattr(package(list_of_tanks(page, tank)).Client, "iter")
