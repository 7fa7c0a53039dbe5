"""Names for packages: importable, and hiding nothing that the package itself imports."""

from __future__ import annotations

import ast
import sys

import pytest

from rpcschema.settings import SettingsError, package_name
from tests.generator.packages import RUNTIME
from tests.shared import ROOT


def test_no_module_that_a_generated_package_imports_can_be_its_name() -> None:
    imported = set()
    for file in (*RUNTIME.rglob("*.py"), *(ROOT / "generated/clnrpc").rglob("*.py")):
        for statement in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(statement, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom) and not statement.level:
                imported.add(str(statement.module).partition(".")[0])
    assert {"msgspec", "json", "typing"} <= imported
    for name in imported:
        with pytest.raises(SettingsError, match=f"'{name}' cannot be the name of a package"):
            package_name(name)


def test_names_like_those_of_modules_are_fine() -> None:
    assert "msgspec" not in sys.stdlib_module_names
    for name in ("Json", "json_", "clnrpc", "node", "rpcschema"):
        assert package_name(name) == name
