"""Scripts of lightningd/plugins behave under `lnstandin.mock` as under lightningd.

Set LIGHTNINGD_PLUGINS to a checkout of that repository, and PYLN_PYTHON to an interpreter that has pyln-client and
packaging. The mock answers what the plugins ask as the real node does; then their own answers must be equal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from clnrpc import Client, RpcError
from lnstandin.mock import Mock
from tests.interop.conftest import Pair
from tests.interop.nodes import Node

SCRIPTS: Final[Mapping[str, list[tuple[str, dict[str, Any]]]]] = {
    "monitor/monitor.py": [("monitor", {})],
    "feeadjuster/feeadjuster.py": [("feeadjuster-toggle", {}), ("feeadjuster-toggle", {"new_value": True})],
}
"""Script -> calls of its commands."""
ASKED: Final = ("getinfo", "help", "listchannels", "listconfigs", "listpeerchannels", "listpeers")
"""What the scripts ask the node."""


def variable(name: str) -> Path:
    """Return the path in an environment variable; skip the calling test, and say so, if it is not set."""
    if name not in os.environ:
        pytest.skip(f"needs lightningd/plugins; set {name} as this module says")
    return Path(os.environ[name])


@pytest.fixture(params=SCRIPTS)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A script's name, and a program that runs it."""
    file, python = variable("LIGHTNINGD_PLUGINS") / request.param, variable("PYLN_PYTHON")
    program = tmp_path / file.stem
    program.write_text(f'#!/bin/sh\nexec "{python}" "{file.resolve()}" "$@"\n')
    program.chmod(0o755)
    return request.param, program


def outcomes(call: Callable[[str, Any], Any], name: str) -> list[Any]:
    """Return what the commands of a script answer."""
    found: list[Any] = []
    for method, params in SCRIPTS[name]:
        try:
            found.append(call(method, params))
        except RpcError as error:
            found.append((error.code, error.message))
    return found


def test_script_answers_as_under_lightningd(pair: Pair, script: tuple[str, Path]) -> None:
    name, program = script
    node = pair.l1
    node.client.rpc_call("plugin", {"subcommand": "start", "plugin": str(program)})
    expected = outcomes(node.client.rpc_call, name)
    usages = {each["command"].strip() for each in node.client.rpc_call("help")["help"]}
    node.client.rpc_call("plugin", {"subcommand": "stop", "plugin": str(program)})
    with Mock() as mock:
        for asked in ASKED:
            mock.on(asked).answer(answering(node, asked), check=False)
        mock.start_plugin(program)
        with Client(mock.socket) as client:
            assert outcomes(client.rpc_call, name) == expected
        assert {f"{command} {usage}".strip() for command, usage in mock.undocumented.items()} <= usages


def answering(node: Node, method: str) -> Callable[[Any], Any]:
    """Return a handler that answers as a node does."""
    return lambda params: node.client.rpc_call(method, dict(params))
