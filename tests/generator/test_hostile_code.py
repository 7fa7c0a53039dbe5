"""Not one character of a document gets into code: the Python made of a hostile document and of its harmless twin is the
same program, but for the strings in it and the identifiers that names are mapped to.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from rpcschema.model.nodes import Document
from rpcschema.problems import has_errors
from rpcschema.python import names, types
from rpcschema.targets.subject import Subject
from tests.generator.commands import rpcschema
from tests.generator.hostile import PIECES, SETTINGS, Twins, crowded, divided, swapped, twins
from tests.generator.rendering import render_all


def sources(document: Document) -> list[tuple[str, str]]:
    """Return (path, content) of the Python files that all targets make of a document, in an order without names."""
    files: dict[str, bytes] = {}
    for target in SETTINGS.targets:
        made_now, problems = render_all(target, [document], SETTINGS)
        assert not has_errors(problems), problems
        files.update(made_now)
    module = files.pop(f"tank/types/{names.module(document)}.py")
    made = {path: content for path, content in files.items() if path.endswith(".py") and "/runtime/" not in path}
    return [("", module.decode()), *((path, made[path].decode()) for path in sorted(made))]


def renamed(hostile: Document, harmless: Document) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names that the classes and methods of one have in the other."""
    plans = (Subject(document, SETTINGS).plan for document in (hostile, harmless))
    classes = zip(*(plan.names for plan in plans), strict=True)
    return dict(classes), {names.method(hostile): names.method(harmless)}


class Canonical(ast.NodeTransformer):
    """The program without its strings, its identifiers replaced, each where it can stand and nowhere else."""

    def __init__(self, classes: Mapping[str, str], methods: Mapping[str, str], members: Mapping[str, str]) -> None:
        self.classes = classes
        self.methods = methods
        self.members = members
        self.parameters: set[str] = set()

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.classes.get(node.name, node.name)
        node.body = [statement for statement in node.body if not is_wire_names(statement)]
        for statement in ast.walk(node):  # a deprecated member is in a condition
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                statement.target = ast.Attribute(ast.Name("self"), self.members.get(statement.target.id, ""))
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        is_member = any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)
        node.name = (self.members if is_member else self.methods).get(node.name, node.name)
        self.parameters = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)} - {"self"}
        node.body = [self.visit(statement) for statement in node.body]
        self.parameters = set()
        node.args = self.visit(node.args)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.returns = self.visit(node.returns) if node.returns else None
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 # ast's name

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # Only names that Python cannot have are listed with another.
        node.keywords = [each for each in node.keywords if each.arg != "renamed"]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.members.get(node.arg, node.arg) if node.arg != "self" else "self"
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name((self.members if node.id in self.parameters else self.classes).get(node.id, node.id))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        imported = sorted(self.classes.get(each.name, each.name) for each in node.names)
        return ast.ImportFrom(node.module, [ast.alias(each) for each in imported], node.level)

    def in_order(self, source: str) -> str:
        """Return the canonical form of `source`, its imports sorted again, because the replaced names ordered them."""
        tree = self.visit(ast.parse(source))
        for node in ast.walk(tree):
            body: Any = getattr(node, "body", None)
            if isinstance(body, list):
                imports = sorted(
                    (each for each in body if isinstance(each, ast.ImportFrom) and each.names), key=ast.dump
                )
                node.body = imports + [each for each in body if not isinstance(each, ast.ImportFrom)]  # type: ignore[attr-defined]
        return ast.dump(tree)


def is_wire_names(statement: ast.stmt) -> bool:
    """Return whether this is the table of wire names: only strings, and only names that are not Python."""
    if not isinstance(statement, ast.Assign) or ast.unparse(statement.targets[0]) != "__wire_names__":
        return False
    table = ast.literal_eval(statement.value)
    assert all(name in {names.attribute(wire), f"{names.attribute(wire)}_"} for name, wire in table)
    return True


def comments(source: str) -> set[str]:
    """Return the comments in `source`."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.string for token in tokens if token.type == tokenize.COMMENT}


def assert_same_program(pair: Twins) -> None:
    """Assert that both become the same Python except for strings and mapped identifiers."""
    classes, methods = renamed(pair.hostile, pair.harmless)
    members = {
        names.member(pair.hostile, pair.replaced.get(each, each)): names.member(pair.harmless, each)
        for each in pair.names
    }
    same = {each: each for each in members.values()}
    for (path, made), (_, expected) in zip(sources(pair.hostile), sources(pair.harmless), strict=True):
        if path == "tank/types/__init__.py":  # the one file that names the module
            made = made.replace(f"from .{names.module(pair.hostile)} import", "from .fill import")  # noqa: PLW2901
        assert Canonical(classes, methods, members).in_order(made) == Canonical({}, {}, same).in_order(expected)
        assert comments(made) == comments(expected)


@settings(max_examples=15)
@given(twins("names", "texts", "prose"))
def test_hostile_document_and_its_harmless_twin_become_the_same_program(pair: Twins) -> None:
    assert_same_program(pair)


def test_every_piece_in_every_place_stays_a_string() -> None:
    assert_same_program(crowded(prose=True))


def test_values_that_divide_a_union_name_its_classes_and_nothing_else() -> None:
    pair = divided()
    assert len(Subject(pair.hostile, SETTINGS).plan.names) > len(PIECES)
    assert_same_program(pair)


def test_names_and_enum_members_arrive_as_they_are() -> None:
    pair = crowded(prose=True)
    found = {
        node.value
        for _, source in sources(pair.hostile)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
    }
    assert {pair.replaced[each] for each in pair.replaced if each.startswith(("n-", "text "))} <= found


def test_package_with_hostile_names_can_be_used(tmp_path: Path) -> None:
    pair = crowded(prose=True)
    (tmp_path / "fill.json").write_text(json.dumps(swapped(pair.raw, pair.replaced)))
    assert rpcschema("generate", "fill.json", "--package", "tank", "--out", "out", cwd=tmp_path).returncode == 0
    use = """
import typing, msgspec, tank
for name in tank.types.__all__:
    made = getattr(tank.types, name)
    typing.get_type_hints(made)
    msgspec.json.Decoder(made)
print(tank.Client.fill.__name__, tank.AsyncClient.fill.__name__, tank.Service.fill.__name__)
"""
    command = [sys.executable, "-W", "error", "-c", use]
    done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("fill fill fill\n", "")


@pytest.mark.parametrize("name", [*types.SCALARS.values(), "Any", "Literal", "call", "Mapping", "list", "str"])
def test_member_called_like_a_type_hides_no_type(name: str) -> None:
    assert names.attribute(name) == f"{name}_"
