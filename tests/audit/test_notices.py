"""The audit notices what the generator gets wrong: one fact of the model is changed, and everything made of that."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from rpcschema.model.nodes import Branch, Property, SchemaNode
from rpcschema.read.load import Source, load
from rpcschema.settings import Settings
from rpcschema.targets import TARGETS
from tests.audit.documents import Package, read
from tests.audit.survey import survey
from tests.generator.rendering import render_all
from tests.shared import ROOT

pytestmark = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")

Edit: TypeAlias = Callable[[SchemaNode, int], SchemaNode]
"""Gives a node with something changed about the field at an index."""
Changed: TypeAlias = Iterator[tuple[str, SchemaNode]]
"""Where a change was made (JSON pointer), and the node with the change."""

SCHEMAS = (ROOT / "schemas", ROOT / "tests" / "cases" / "every-construct" / "schemas")


def dropped(node: SchemaNode, at: int) -> SchemaNode:
    """Return the node without one of its fields."""
    fields = node.fields or ()
    return replace(node, fields=fields[:at] + fields[at + 1 :])


def flipped(node: SchemaNode, at: int) -> SchemaNode:
    """Return the node with one field required if it was optional, else optional."""
    required, name = node.required or (), (node.fields or ())[at].name
    others = tuple(other for other in required if other != name)
    return replace(node, required=others if name in required else (*required, name))


def retyped(node: SchemaNode, at: int) -> SchemaNode:
    """Return the node with one field of another type."""
    field = (node.fields or ())[at]
    other = SchemaNode(pointer=field.node.pointer, type="sat" if field.node.type == "msat" else "msat")
    return with_field(node, at, replace(field, node=other))


def with_field(node: SchemaNode, at: int, field: Property) -> SchemaNode:
    fields = node.fields or ()
    return replace(node, fields=(*fields[:at], field, *fields[at + 1 :]))


def edited(node: SchemaNode, edit: Edit, *, in_branches: bool) -> Changed:
    """Yield `node` with each field changed in turn, nested ones too; markers and constraints are not fields."""
    for at, field in enumerate(node.fields or ()):
        if field.node != SchemaNode(pointer=field.node.pointer, required=field.node.required):
            yield field.node.pointer, edit(node, at)
        for pointer, inner in edited(field.node, edit, in_branches=in_branches):
            yield pointer, with_field(node, at, replace(field, node=inner))
    if node.items is not None:
        for pointer, inner in edited(node.items, edit, in_branches=in_branches):
            yield pointer, replace(node, items=inner)
    if in_branches:
        yield from edited_branches(node, edit)


def edited_branches(node: SchemaNode, edit: Edit) -> Changed:
    for at, branch in enumerate(node.branches):
        for pointer, inner in edited_sides(branch, edit):
            yield pointer, replace(node, branches=(*node.branches[:at], inner, *node.branches[at + 1 :]))


def edited_sides(branch: Branch, edit: Edit) -> Iterator[tuple[str, Branch]]:
    if branch.then is not None:
        for pointer, inner in edited(branch.then, edit, in_branches=True):
            yield pointer, replace(branch, then=inner)
    if branch.otherwise is not None:
        for pointer, inner in edited(branch.otherwise, edit, in_branches=True):
            yield pointer, replace(branch, otherwise=inner)


@cache
def sources() -> tuple[Source, ...]:
    """Return all documents, as if in full, because facts alone get no pages."""
    loaded = load(SCHEMAS).sources
    return tuple(replace(source, document=replace(source.document, schema=None)) for source in loaded)


@cache
def edited_sources(edit: Edit, *, in_branches: bool) -> list[tuple[str, Source]]:
    """Return all documents with one change each, and where it is."""
    found: list[tuple[str, Source]] = []
    for source in sources():
        for half in ("request", "response"):
            for pointer, node in edited(getattr(source.document, half), edit, in_branches=in_branches):
                changed: dict[str, Any] = {half: node}
                place = f"{source.path}: {pointer}"
                found.append((place, replace(source, document=replace(source.document, **changed))))
    return found


def package_of(source: Source, name: str, folder: Path) -> Package:
    """Return the package of one document as the model has it now, with the document as it is on disk."""
    settings = Settings(package=name, targets=tuple(target for target in TARGETS if target != "model"))
    for target in settings.targets:
        files, _ = render_all(target, [source.document], settings)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    (document,) = (document for document in read(*SCHEMAS) if document.file == Path(source.path))
    return Package(name, folder, (replace(document, raw={**document.raw, "$schema": None}),))


@pytest.mark.parametrize(
    ("edit", "in_branches", "number"),
    [
        pytest.param(edit, in_branches, number, id=f"{edit.__name__}-{number}")
        for edit, in_branches, times in (
            (dropped, True, 20),
            (flipped, False, 10),  # a field of a branch is optional whether its branch requires it or not
            (retyped, True, 10),
        )
        for number in range(times)
    ],
)
def test_a_change_in_the_model_is_noticed(edit: Edit, *, in_branches: bool, number: int, tmp_path: Path) -> None:
    place, source = random.Random(number).choice(edited_sources(edit, in_branches=in_branches))
    print(place)
    assert survey(package_of(source, f"{edit.__name__}_{number}", tmp_path)).findings


def test_nothing_is_noticed_where_nothing_was_changed(tmp_path: Path) -> None:
    for number, source in enumerate(random.Random(0).sample(sources(), 10)):
        assert not survey(package_of(source, f"unchanged_{number}", tmp_path / str(number))).findings
