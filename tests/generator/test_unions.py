"""A response that is one of several things becomes a union of classes, which type checkers narrow."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, get_args, get_type_hints

import pytest

from rpcschema.python import names
from rpcschema.python.classes import plan
from tests.generator.packages import command, documents
from tests.generator.test_cases_of_objects import KINDS, RIVER, TREE, holds, response, when

LEAVES = {"type": "array", "items": {"type": "object", "required": ["size"], "properties": {"size": {"type": "u8"}}}}
NESTED = response(
    when({"required": ["parts"], "properties": {"parts": LEAVES, "height": {"type": "u32"}}}, kind="tree"),
    when({"properties": {"parts": LEAVES, "width": {"type": "u32"}}}, kind="river"),
)


def test_a_union_has_a_class_for_each_value_of_the_discriminator(package: Any) -> None:
    types = package(command("look", response=response(TREE, RIVER))).types
    assert get_args(types.LookResponse) == (types.LookTreeResponse, types.LookRiverResponse, types.LookCaveResponse)
    assert get_type_hints(types.LookTreeResponse) == {
        "kind": Literal["tree"],
        "near": bool | None,
        "height": int,
        "age": int | None,
    }
    assert get_type_hints(types.LookCaveResponse) == {"kind": Literal["cave"], "near": bool | None}


def test_a_class_beside_the_union_holds_what_is_common(package: Any) -> None:
    types = package(command("look", response=response(TREE, RIVER))).types
    assert types.LookOtherResponse not in get_args(types.LookResponse)
    assert get_type_hints(types.LookOtherResponse) == {"kind": str, "near": bool | None}


def test_answers_are_decoded_as_the_class_that_the_discriminator_says(package: Any) -> None:
    made = package(command("look", response=response(TREE, RIVER)))
    decode = importlib.import_module(f"{made.__name__}.runtime.values.decode").decode
    tree = decode(made.types.LookResponse, b'{"kind":"tree","height":3,"new":1}')
    assert tree == made.types.LookTreeResponse(kind="tree", height=3)
    assert made.unknown_fields(tree) == {"new": 1}
    assert type(decode(made.types.LookResponse, b'{"kind":"lake"}')) is made.types.LookOtherResponse


def test_the_discriminator_may_be_called_like_a_class(package: Any) -> None:
    renamed = json.loads(json.dumps(response(TREE, RIVER)).replace('"kind"', '"LookTreeResponse"'))
    made = package(command("look", response=renamed))
    decode = importlib.import_module(f"{made.__name__}.runtime.values.decode").decode
    tree = decode(made.types.LookResponse, b'{"LookTreeResponse":"tree","height":3}')
    assert tree == made.types.LookTreeResponse(LookTreeResponse_="tree", height=3)


def test_what_members_declare_alike_is_one_class_for_all(package: Any) -> None:
    types = package(command("look", response=NESTED)).types
    tree, river = get_type_hints(types.LookTreeResponse), get_type_hints(types.LookRiverResponse)
    assert tree["parts"] == list[types.LookPart]
    assert river["parts"] == list[types.LookPart] | None


def test_what_members_declare_differently_is_a_class_for_each(package: Any) -> None:
    other = {"type": "object", "properties": {"size": {"type": "string"}}}
    branch = when({"properties": {"parts": other, "width": {"type": "u32"}}}, kind="river")
    types = package(command("look", response=response(NESTED["allOf"][0], branch))).types
    assert get_type_hints(types.LookTreeResponse)["parts"] == list[types.LookTreePart]
    assert get_type_hints(types.LookRiverResponse)["parts"] == types.LookRiverParts | None


@pytest.mark.parametrize("values", [["other", "Other", "_"], ["a-b", "a b", "aB"], ['"""', "'\\", "{{ }}"]])
def test_values_that_make_no_names_or_the_same_become_classes_all_the_same(values: list[str], package: Any) -> None:
    branches = [
        when(holds(f"f{at}", **{f"f{at}": "u8", f"g{at}": "u8"}), kind=value) for at, value in enumerate(values)
    ]
    properties = {"kind": {"type": "string", "enum": values}}
    made = package(command("look", response=response(*branches, properties=properties)))
    members = get_args(made.types.LookResponse)
    assert [get_args(get_type_hints(member)["kind"]) for member in members] == [(value,) for value in values]
    assert len({member.__name__ for member in members}) == len(values)


def test_a_hooks_answer_is_written_not_told_apart(tmp_path: Path) -> None:
    raw = command("look", response=response(TREE, RIVER)) | {"hook": "look"}
    del raw["rpc"]
    (document,) = documents(tmp_path, raw)
    planned = plan(document, names.scalars("p"))
    assert [made.name for made in planned.classes] == ["LookHookRequest", "LookHookResponse"]
    assert [made.received for made in planned.classes] == [True, False]


def test_type_checkers_narrow_a_union_and_see_typos(package: Any, tmp_path: Path) -> None:
    """Every comment that ignores an error stands for one: mypy --strict complains about those that do not."""
    made = package(command("look", response=response(TREE, RIVER)))
    user = tmp_path / "out" / "user.py"
    user.write_text(
        dedent(f"""\
        from typing import assert_never, assert_type

        from {made.__name__} import Client, unknown_fields
        from {made.__name__}.types import LookCaveResponse, LookRiverResponse, LookTreeResponse


        def by_value(client: Client) -> int | None:
            answer = client.look()
            unknown_fields(answer)
            answer.height  # type: ignore[union-attr]
            if answer.kind == "river":
                assert_type(answer, LookRiverResponse)
                return answer.width
            assert_type(answer, LookTreeResponse | LookCaveResponse)
            return None


        def by_class(client: Client) -> int:
            match client.look():
                case LookTreeResponse(height=height):
                    return height
                case LookRiverResponse() as river:
                    river.widht  # type: ignore[attr-defined]
                    return river.width
                case LookCaveResponse():
                    return 0
                case rest:
                    assert_never(rest)
        """)
    )
    arguments = ["--strict", "--cache-dir", str(tmp_path / "cache"), "--python-version", "3.11", "user.py"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *arguments], check=False, cwd=tmp_path / "out", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_discriminator_keeps_its_place_among_the_members(package: Any) -> None:
    properties = {"near": {"type": "boolean"}, "kind": KINDS}
    types = package(command("look", response=response(TREE, RIVER, properties=properties))).types
    assert list(get_type_hints(types.LookTreeResponse)) == ["near", "kind", "height", "age"]
