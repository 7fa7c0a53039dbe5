"""The packages themselves: typed and up to date; and what `clnrpc` offers, its version and the errors to catch."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

import clnrpc
from clnrpc.runtime import errors
from tests.shared import ROOT

ERRORS = [name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)]


def test_version_is_that_of_the_distribution() -> None:
    assert clnrpc.__version__ == version("clnrpc")


def test_version_of_a_package_that_is_not_installed_is_no_attribute(tmp_path: Path) -> None:
    assert msgspec.__file__
    (tmp_path / "msgspec").symlink_to(Path(msgspec.__file__).parent)  # the package without its metadata
    path = [str(tmp_path), str(ROOT / "generated")]
    code = f"import sys; sys.path += {path}; import clnrpc; clnrpc.__version__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("AttributeError: clnrpc is not installed by a distribution of its name")


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_can_be_imported_from_the_package(name: str) -> None:
    assert name in clnrpc.__all__
    assert getattr(clnrpc, name) is getattr(errors, name)


def test_all_that_is_listed_exists() -> None:
    assert [name for name in clnrpc.__all__ if not hasattr(clnrpc, name)] == []


@pytest.mark.parametrize("folder", ["generated/clnrpc", "generator/rpcschema", "core/lnoffers", "testing/lnstandin"])
def test_package_says_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").exists()


def test_generated_files_are_up_to_date() -> None:
    command = [sys.executable, "-m", "rpcschema", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_command_has_the_name_of_our_own_method() -> None:
    assert "pay_once" not in {command.method for command in clnrpc.COMMANDS.values()}
    assert callable(clnrpc.Client.pay_once)
