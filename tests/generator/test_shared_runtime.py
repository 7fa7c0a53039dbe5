"""Packages that use the runtime of the installed clnrpc, in place of a copy of their own."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from typing import Any, Final

import pytest

import clnrpc
from clnrpc.runtime import FORMAT
from clnrpc.runtime.server.dispatch import Answer, Dispatcher
from tests.generator.commands import rpcschema, tree
from tests.generator.packages import forget, imported
from tests.runtime.node import Connection, ScriptedNode
from tests.runtime.talking import talking
from tests.shared import ROOT

SCHEMAS: Final = ROOT / "tests/cases/every-target/schemas"
USED: Final = Path(__file__).with_name("runtime.txt")
"""What generated code uses of the runtime, as recorded for FORMAT."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the package `tank`, on clnrpc."""
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    done = rpcschema("generate", "schemas", "--package", "tank", "--runtime", "clnrpc", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path


@pytest.fixture
def tank(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import that package."""
    monkeypatch.syspath_prepend(str(folder / "generated"))
    yield imported("tank")
    forget({"tank"})


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` where the package can be imported."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder / "generated", capture_output=True, text=True, timeout=60, check=False
    )


def test_a_package_on_clnrpc_has_no_runtime_and_the_same_errors_and_clients(folder: Path, tank: Any) -> None:
    assert not (folder / "generated/tank/runtime").exists()
    assert tank.RpcError is clnrpc.RpcError
    assert {each.rpc_package for each in (tank.Client, tank.AsyncClient)} == {"tank"}
    assert issubclass(tank.Client, clnrpc.runtime.client.blocking.BaseClient)
    assert [name for name in tank.__all__ if not hasattr(tank, name)] == []


def test_its_client_gets_its_own_types(tank: Any, tmp_path: Path) -> None:
    def serve(connection: Connection) -> None:
        request = connection.read()
        assert (request["method"], request["params"]) == ("tank-level", {"tank": "a"})
        connection.answer(request, {"state": "wet", "level": 7})

    with ScriptedNode(tmp_path / "s", serve), tank.Client(tmp_path / "s") as client:
        level = client.tank_level("a")
    assert level == tank.types.TankLevelResponse(state="wet", level=7)


def test_its_service_answers_with_clnrpcs_dispatcher(tank: Any) -> None:
    class Tanks(tank.Service):  # type: ignore[misc] # a package made by this test has no types
        def tank_level(self, request: Any) -> Any:
            return tank.types.TankLevelResponse(state="wet", level=len(request.tank))

    answer = Dispatcher(Tanks(), tank.COMMANDS, package="tank").answer(
        b'{"jsonrpc":"2.0","id":1,"method":"tank-level","params":["abc"]}'
    )
    assert isinstance(answer, Answer)
    assert json.loads(answer.data)["result"] == {"state": "wet", "level": 3}


PLUGIN = """
from clnrpc.types import WarningNotification
from tank import Plugin, Service
from tank.types import TankDryNotification, TankFullHookRequest, TankFullHookResponse, TankLevelResponse

class Tanks(Service, Plugin):
    def tank_level(self, request):
        return TankLevelResponse(state="dry")
    def on_warning(self, warning: WarningNotification, /) -> None:
        self.rpc_log(f"{type(warning).__module__} {warning.log}")
    def on_tank_dry(self, dry: TankDryNotification, /) -> None:
        self.rpc_log(f"{type(dry).__module__} {dry.tank}")
    def hook_tank_full(self, full: TankFullHookRequest, /) -> TankFullHookResponse:
        return TankFullHookResponse(result="continue")

Tanks().rpc_run()
"""


def test_its_plugin_has_the_nodes_events_beside_its_own(folder: Path) -> None:
    (folder / "plugin.py").write_text(PLUGIN)
    with talking([str(folder / "plugin.py")], PYTHONPATH=str(folder / "generated")) as talk:
        manifest = talk.call("getmanifest", {})
        talk.init()
        talk.tell("warning", {"level": "warn", "time": "1.0", "timestamp": "", "source": "s", "log": "hot"})
        talk.tell("tank_dry", {"tank": "a"})
        assert talk.call("tank-level", {"tank": "a"}) == {"state": "dry"}
        assert talk.call("tank_full", {"tank": "a"}) == {"result": "continue"}
        assert talk.end() == 0
    assert {"warning", "tank_dry"} <= set(manifest["subscriptions"])
    assert [each["name"] for each in manifest["hooks"]] == ["tank_full"]
    assert [text for _, text in talk.logs] == [
        "clnrpc.types.warning_notification hot",
        "tank.types.tank_dry_notification a",
    ]


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("mypy", ["--strict", "--no-incremental", "-p", "tank"]),
        ("ruff", ["check", "--isolated", "--extend-select", "I", "tank"]),
    ],
    ids=["mypy", "ruff"],
)
def test_mypy_and_ruff_find_nothing_in_it(folder: Path, tool: str, options: list[str]) -> None:
    pytest.importorskip(tool, reason=f"needs {tool}")
    command = [sys.executable, "-m", tool, *options]
    done = subprocess.run(command, cwd=folder / "generated", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_finds_the_same_bytes(folder: Path) -> None:
    done = rpcschema("check", "schemas", "--package", "tank", "--runtime", "clnrpc", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_project_names_the_runtime_and_an_option_names_another(folder: Path) -> None:
    shared = tree(folder / "generated")
    (folder / "pyproject.toml").write_text(
        '[tool.rpcschema]\nschemas = ["schemas"]\npackage = "tank"\nruntime = "clnrpc"\n'
    )
    assert rpcschema("check", cwd=folder).returncode == 0
    assert rpcschema("generate", "--runtime", "own", cwd=folder).returncode == 0
    assert (folder / "generated/tank/runtime/errors.py").exists()
    assert rpcschema("generate", cwd=folder).returncode == 0
    assert tree(folder / "generated") == shared


def test_a_clnrpc_of_another_format_is_refused_with_advice(folder: Path) -> None:
    done = python(f"import clnrpc.runtime; clnrpc.runtime.FORMAT = {FORMAT + 1}; import tank", folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: tank needs format {FORMAT} of clnrpc's runtime, but the installed clnrpc has format "
        f"{FORMAT + 1}: run `rpcschema generate` with that one, or install the clnrpc that generated the package"
    )


def used_of_the_runtime() -> Iterator[str]:
    """Yield what the modules of clnrpc import from the runtime, with the parameters of what they can call."""
    package = ROOT / "generated/clnrpc"
    found = {
        (str(statement.module), alias.name)
        for file in package.rglob("*.py")
        if not file.is_relative_to(package / "runtime")
        for statement in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(statement, ast.ImportFrom) and statement.level and str(statement.module).startswith("runtime.")
        for alias in statement.names
    }
    for module, name in sorted(found):
        value = getattr(importlib.import_module(f"clnrpc.{module}"), name)
        yield f"{module} {name}{parameters(value)}"


def parameters(value: Any) -> str:
    """Return the names of the parameters of one of our functions or classes, with = for those that have a default.

    The parameters of enumerations, and of errors without their own, are Python's, and left out.
    """
    is_error = isinstance(value, type) and issubclass(value, Exception) and "__init__" not in vars(value)
    if is_error or isinstance(value, EnumType) or not str(getattr(value, "__module__", "")).startswith("clnrpc."):
        return ""
    found = inspect.signature(value).parameters.values()
    return f"({', '.join(each.name + '=' * (each.default is not each.empty) for each in found)})"


def test_the_format_changes_with_what_generated_code_uses() -> None:
    """If this fails, increase FORMAT if packages that are generated already would break; then set CLNRPC_REGENERATE=1
    to record what is used.
    """
    text = "\n".join([f"format {FORMAT}", *used_of_the_runtime()]) + "\n"
    if os.environ.get("CLNRPC_REGENERATE"):
        USED.write_text(text, encoding="utf-8")
    assert text == USED.read_text(encoding="utf-8")
