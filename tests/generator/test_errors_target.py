"""The generated errors: a constant and a class for each code, what they mean for a call, and a page."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from rpcschema.errorcodes import ErrorTable, read_error_table
from rpcschema.settings import Settings
from tests.generator.commands import rpcschema
from tests.generator.packages import command, documents, forget, imported, write

CODES = """
[[code]]
code = 1001
name = "LEAK"
class = "LeakError"
meaning = "It leaks."
advice = "Look at `data`."

[[code]]
code = 2
name = "EMPTY"
class = "EmptyError"
meaning = "The tank is empty."

[[code]]
code = -32601
name = "NO_COMMAND"
class = "NoCommandError"
meaning = "There is no such command."
any = true
"""
MORE = """
[[command]]
names = ["fill"]
adds = [2]
drops = [32601]
source = "tank.c"

[[outcome]]
codes = [-32601]
outcome = "failed"
reason = "Nothing ran."

[[outcome]]
commands = ["drain"]
codes = [2]
outcome = "done"
reason = "Nothing is | left."
"""
DOCUMENTS = (
    command("fill") | {"errors": ["It may fail:", "", "- 1001 (LEAK): It leaks a lot.", "- 32601: Typing error."]},
    command("drain") | {"$schema": "urn:rpcschema:facts", "errors": ["- 2"]},
)


def settings(table: ErrorTable, name: str = "p") -> Settings:
    return Settings(package=name, targets=("python", "client", "errors", "man", "markdown"), errors=table)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package `tank_of_errors` and its pages."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "sources").mkdir()
    (folder / "errors.toml").write_text(CODES + MORE)
    made = settings(read_error_table(folder / "errors.toml"), "tank_of_errors")
    write(documents(folder / "sources", *DOCUMENTS), made, folder)
    return folder


@pytest.fixture
def tank(out: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(out))
    forget(["tank_of_errors"])
    return imported("tank_of_errors")


def test_each_code_has_a_constant_and_a_class_of_its_own(tank: ModuleType) -> None:
    errors = tank.errors
    assert (errors.LEAK, errors.EMPTY, errors.NO_COMMAND) == (1001, 2, -32601)
    assert dict(errors.ERRORS) == {1001: errors.LeakError, 2: errors.EmptyError, -32601: errors.NoCommandError}
    assert all(issubclass(kind, tank.RpcError) for kind in errors.ERRORS.values())
    assert errors.LeakError.__doc__ == "Code 1001, LEAK: It leaks. Look at `data`."


def test_the_codes_of_a_command_are_those_of_its_document_as_the_table_corrects_them(tank: ModuleType) -> None:
    assert dict(tank.errors.CODES) == {"fill": (1001, 2), "drain": (2,)}


def test_an_outcome_belongs_to_a_command_and_a_code(tank: ModuleType) -> None:
    assert dict(tank.errors.OUTCOMES) == {("", -32601): tank.Outcome.FAILED, ("drain", 2): tank.Outcome.DONE}


def test_docstrings_name_the_class_of_each_code_in_the_documents_words_if_it_has_some(tank: ModuleType) -> None:
    assert tank.Client.fill.__doc__.rstrip().endswith(
        "It may fail:\n\n"
        "        Raises:\n"
        "            LeakError: Code 1001: It leaks a lot.\n"
        "            EmptyError: Code 2: The tank is empty."
    )
    assert "            EmptyError: Code 2: The tank is empty.\n" in tank.Client.drain.__doc__


def test_pages_of_commands_name_the_codes(out: Path) -> None:
    assert "- 1001 (LEAK): It leaks a lot.\n" in (out / "docs/fill.md").read_text()
    assert "1001 (LEAK): It leaks a lot." in (out / "man/lightning-fill.7").read_text()


def test_the_page_has_each_code_with_the_commands_that_return_it(out: Path) -> None:
    page = (out / "docs/errors.md").read_text()
    assert "| 1001 | [LEAK](#leak) | `LeakError` |\n" in page
    assert "\n## LEAK\n\nCode 1001, `LeakError`. It leaks. Look at `data`.\n\nReturned by [fill](fill.md).\n" in page
    assert "Returned by drain, [fill](fill.md).\n" in page
    assert "Any command can return it.\n" in page
    assert "| drain | *done* | Nothing is \\| left. |\n" in page
    assert "[All error codes](errors.md)" in (out / "docs/index.md").read_text()


def test_the_table_is_read_from_the_project_and_a_change_of_it_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    documents(tmp_path / "schemas", *DOCUMENTS)
    (tmp_path / "errors.toml").write_text(CODES + MORE)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.rpcschema]\nschemas = ["schemas"]\npackage = "tank"\nerrors = "errors.toml"\ntargets = ["errors"]\n'
    )
    assert rpcschema("generate", cwd=tmp_path).returncode == 0
    assert rpcschema("check", cwd=tmp_path).returncode == 0
    (tmp_path / "errors.toml").write_text((CODES + MORE).replace("is empty", "was emptied"))
    done = rpcschema("check", cwd=tmp_path)
    assert (done.returncode, "was emptied" in done.stdout) == (1, True)
    (tmp_path / "errors.toml").write_text("[[code]]\n")
    done = rpcschema("check", cwd=tmp_path)
    assert (done.returncode, "errors.toml: code 1: missing: code" in done.stderr) == (2, True)
