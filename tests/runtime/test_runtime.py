"""The runtime as a whole: it works as a part of any package, loads little, and its errors say what they are."""

from __future__ import annotations

import ast
import copy
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rpcschema.runtime
from rpcschema.runtime.command import Command, Parameter, load_type
from rpcschema.runtime.errors import (
    ClientError,
    DecodeError,
    EncodeError,
    RpcError,
    RpcTimeoutError,
    TransportError,
    unknown_command,
)
from tests.runtime import demo
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse

RUNTIME = Path(rpcschema.runtime.__file__).parent
SOURCES = sorted(RUNTIME.rglob("*.py"))
FOR_TYPE_CHECKERS = {"deprecation": {"typing_extensions"}}
"""What modules import only if TYPE_CHECKING. Type checkers know it even where it is not installed."""


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.relative_to(RUNTIME).as_posix())
def test_a_module_imports_only_its_neighbours_msgspec_and_the_standard_library(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            assert not isinstance(node, ast.ImportFrom) or node.level <= len(source.relative_to(RUNTIME).parts)
            continue
        known = {*sys.stdlib_module_names, "msgspec", *FOR_TYPE_CHECKERS.get(source.stem, ())}
        assert all(name.partition(".")[0] in known for name in names)


def test_the_runtime_needs_nothing_that_only_type_checkers_import(copied: Path) -> None:
    hidden = "import sys; sys.modules['typing_extensions'] = None\n"
    assert (
        run(copied, f"{hidden}from other.package.runtime.deprecation import deprecated\nprint(deprecated('x')(7))")
        == "7\n"
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder with a package `other.package` that carries the runtime."""
    shutil.copytree(RUNTIME, tmp_path / "other" / "package" / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(folder: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_under_any_packages_name(copied: Path) -> None:
    modules = [source.relative_to(RUNTIME).with_suffix("").parts for source in SOURCES]
    run(copied, "".join(f"import other.package.runtime.{'.'.join(parts)}\n" for parts in modules))
    assert run(copied, "from other.package.runtime.server.dispatch import HOME; print(HOME)") == "other.package\n"


def test_the_blocking_client_loads_only_what_every_call_needs(copied: Path) -> None:
    code = """
import sys, msgspec
of_msgspec = set(sys.modules)
import other.package.runtime.client.blocking
from other.package.runtime.client.exchange import ResponseReader
[reply] = ResponseReader().feed(b'{"id":"a","result":1}\\n\\n')
print(*sorted(set(sys.modules) - of_msgspec))
"""
    loaded = run(copied, code).split()
    assert not {"asyncio", "ssl", "http", "json"} & set(loaded)
    unneeded = (
        "client.aio",
        "client.hooks",
        "client.httpwire",
        "client.restnode",
        "client.retries",
        "server.bind",
        "server.convert",
        "server.dispatch",
        "jsontext",
        "values.tolerant",
    )
    assert not {f"other.package.runtime.{name}" for name in unneeded} & set(loaded)


def test_usage_shows_optional_parameters_in_brackets() -> None:
    assert demo.GREET.usage == "greet name amount [return] [times]"
    assert demo.NOTHING.usage == "nothing "


def test_classes_are_found_in_the_commands_module() -> None:
    assert load_type(demo.NAME, demo.GREET, "request") is GreetRequest
    assert load_type(demo.NAME, demo.GREET, "response") is GreetResponse


def test_descriptors_are_values() -> None:
    def made() -> Command:
        return Command("a", "A", (Parameter("p", "u8", required=True),))

    assert made() == made()
    assert hash(made()) == hash(made())


def test_an_rpc_error_shows_code_and_message_and_survives_pickling() -> None:
    error = RpcError(-1, "no", {"a": 1})
    assert str(error) == "-1: no"
    assert error.as_json() == {"code": -1, "message": "no", "data": {"a": 1}}
    assert RpcError(5, "x").as_json() == {"code": 5, "message": "x"}
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.code, twin.message, twin.data, twin.method) == (-1, "no", {"a": 1}, None)


def test_an_rpc_error_of_a_client_names_its_method_and_survives_pickling_and_copying() -> None:
    error = RpcError(-1, "no", [1], method="pay")
    assert str(error) == "pay: -1: no"
    assert "method" not in error.as_json()
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (twin.method, twin.code, twin.message, twin.data) == ("pay", -1, "no", [1])
        assert str(twin) == "pay: -1: no"


def test_an_unknown_command_is_named() -> None:
    assert unknown_command("nosuch").as_json() == {"code": -32601, "message": "Unknown command 'nosuch'"}


def test_client_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(TransportError, ConnectionError)
    assert issubclass(RpcTimeoutError, TimeoutError)
    assert issubclass(EncodeError, ValueError)
    assert issubclass(DecodeError, ValueError)
    assert all(issubclass(kind, ClientError) for kind in (TransportError, RpcTimeoutError, EncodeError, DecodeError))
    assert not issubclass(RpcError, ClientError)
