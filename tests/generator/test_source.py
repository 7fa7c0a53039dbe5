"""Generated Python is what black would make of it, though black sees only what needs it."""

from __future__ import annotations

import ast

import pytest
from black import format_str
from black.mode import Mode, TargetVersion
from hypothesis import example, given
from hypothesis import strategies as st

from rpcschema.problems import RenderError
from rpcschema.python import docs
from rpcschema.python.source import LINE_LENGTH, formatted, import_block, import_of
from rpcschema.read.load import load
from rpcschema.settings import Settings
from tests.generator.pages import CONSTRUCTS, OWN
from tests.generator.rendering import render_all
from tests.shared import shared_path

PYTHON_TARGETS = ("python", "client", "errors", "service", "plugin")


def black(source: str) -> str:
    return format_str(source, mode=Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311}))


def assert_as_black(files: dict[str, bytes]) -> None:
    for path, content in files.items():
        if path.endswith(".py") and "/runtime/" not in path:
            assert content.decode() == black(content.decode()), path


@pytest.mark.parametrize("target", PYTHON_TARGETS)
def test_all_python_is_as_black_makes_it(target: str) -> None:
    settings = Settings(package="p", targets=PYTHON_TARGETS)
    for root in (OWN, CONSTRUCTS):
        files, _ = render_all(target, load(list(root)).documents, settings)
        assert_as_black(files)


@pytest.mark.parametrize("target", PYTHON_TARGETS)
def test_all_python_of_a_release_is_as_black_makes_it(target: str) -> None:
    documents = load([shared_path("corpus/master-2026-08/schemas")]).documents
    files, _ = render_all(target, documents, Settings(package="p", targets=PYTHON_TARGETS))
    assert_as_black(files)


@given(st.text("ab \n\t\"'\\*-1.`#\u20ac\u4e16{}", max_size=200), st.sampled_from([0, 4, 8]))
@example("", 4)
@example('"', 4)
@example("a " * 55 + "bcd", 4)
def test_docstrings_are_as_black_makes_them(text: str, indent: int) -> None:
    blocks = "".join(f"{' ' * at}class C:\n" for at in range(0, indent, 4))
    source = f"{blocks}{' ' * indent}{docs.docstring(text, indent)}\n"
    assert source == black(source)


STRINGS = st.text("ab'\"\\\n\u4e16 ", max_size=130)


@given(st.lists(STRINGS, max_size=5))
def test_statements_are_as_black_makes_them(strings: list[str]) -> None:
    source = f"x: Literal[{', '.join(map(repr, strings)) or 'int'}] = None\n"
    made = formatted(f"class C:\n    {source}", "p.py").decode()
    assert made == black(made)
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(f"class C:\n    {source}"))


@given(STRINGS)
def test_entries_of_a_table_are_as_black_makes_them(string: str) -> None:
    before, after = "_ = _(\n    {\n", "    }\n)\n"
    part = formatted(f"        {string!r}: Command(\n            name={string!r},\n        ),\n", "p.py", before, after)
    whole = before + part.decode() + after
    assert whole == black(whole)


def test_source_that_is_not_python_is_refused() -> None:
    with pytest.raises(RenderError, match=r"p/client\.py would not be Python: "):
        formatted("x = 'a' 1", "p/client.py")


def test_imports_stand_as_ruffs_default_settings_want_them() -> None:
    assert import_of("..scalars", ["U8", "Msat", "any_", "U64", "Hex", "U16"]) == (
        "from ..scalars import U8, U16, U64, Hex, Msat, any_"
    )
    names = [f"NameOfSomeLength{number}" for number in (10, 9, 1)]
    assert import_of(".types", names, indent=4) == (
        "from .types import NameOfSomeLength1, NameOfSomeLength9, NameOfSomeLength10"
    )
    assert import_of(".types", names, indent=20) == (
        "from .types import (\n"
        "                        NameOfSomeLength1,\n"
        "                        NameOfSomeLength9,\n"
        "                        NameOfSomeLength10,\n"
        "                    )"
    )
    assert import_block({"p.b10": ["x"], "p.b9": ["y"]}, "p") == "from .b9 import y\nfrom .b10 import x"
    assert import_block({"p.b": ["x"], "pp.b": ["y"], "typing": ["Any"], "p": ["b"]}, "p", depth=2, indent=4) == (
        "    from typing import Any\n\n    from pp.b import y\n\n    from .. import b\n    from ..b import x"
    )
