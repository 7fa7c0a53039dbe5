"""The types of each release read the answers of every other: the examples that Core Lightning's documents give.

Each release's package is generated once, and without being formatted, which would take most of the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import msgspec
import pytest

from rpcschema.model.nodes import ABSENT, Document
from rpcschema.python import names
from rpcschema.python.classes import Plan, plan
from rpcschema.python.dataclasses import render
from rpcschema.read.load import load
from rpcschema.settings import Settings
from tests.generator.packages import RUNTIME, forget, imported
from tests.shared import shared_path

RELEASES: Final = ("v24.11", "v26.04", "v26.06", "master-2026-08")
CONTRADICTIONS: Final = {"getemergencyrecoverdata": "the node sent text, not a JSON object"}
"""Commands whose examples are not what their documents declare, and what is said about them."""


@dataclass(frozen=True)
class Release:
    """The types of a release, generated and ready to be imported."""

    package: str
    plans: tuple[tuple[Document, Plan], ...]

    def module(self, name: str) -> Any:
        return import_module(f"{self.package}.{name}")

    def types(self, document: Document) -> Any:
        return self.module(f"types.{names.module(document)}")


@cache
def documents(release: str) -> tuple[Document, ...]:
    return load([shared_path(f"corpus/{release}/schemas")]).documents


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Release]]:
    out = tmp_path_factory.mktemp("releases")
    made: dict[str, Release] = {}

    def generate(release: str) -> Release:
        if release not in made:
            package = f"release_{len(made)}"
            made[release] = Release(package, write(out, package, documents(release)))
            imported(package)
        return made[release]

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(out))
        yield generate
    forget([release.package for release in made.values()])


def write(out: Path, package: str, found: tuple[Document, ...]) -> tuple[tuple[Document, Plan], ...]:
    plans = tuple((document, plan(document, names.scalars(package))) for document in found)
    sources = {
        f"types/{names.module(document)}.py": render(made, document, Settings(package=package, targets=()))
        for document, made in plans
    }
    for file in RUNTIME.rglob("*.py"):
        sources[f"runtime/{file.relative_to(RUNTIME).as_posix()}"] = file.read_text(encoding="utf-8")
    for path, source in {"__init__.py": "", "types/__init__.py": "", **sources}.items():
        (out / package / path).parent.mkdir(parents=True, exist_ok=True)
        (out / package / path).write_text(source, encoding="utf-8")
    return plans


def examples(release: str) -> dict[str, list[Any]]:
    """Return the answers that a release's documents show, by command."""
    return {
        document.name: [example.response for example in document.examples or () if example.response is not ABSENT]
        for document in documents(release)
        if document.kind == "rpc"
    }


def read_all(value: Any, missing: type[AttributeError]) -> None:
    """Read every attribute of an answer; those that are missing must raise `missing`, and nothing else may."""
    if isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            read_all(each, missing)
    elif is_dataclass(value):
        for field in fields(value):
            with suppress(missing):
                read_all(getattr(value, field.name), missing)


@pytest.mark.parametrize("release", RELEASES)
def test_every_class_of_a_release_can_be_decoded_into(release: str, released: Any) -> None:
    types = released(release)
    for document, made in types.plans:
        for name in made.names:
            found = getattr(types.types(document), name)
            for cls in get_args(found) or (found,):
                assert get_type_hints(cls) is not None
                msgspec.json.Decoder(cls)


@pytest.mark.parametrize("release", RELEASES)
def test_examples_of_all_releases_are_read_and_sent_again_in_full(release: str, released: Any) -> None:
    types = released(release)
    decode, encode = types.module("runtime.values.decode").decode, types.module("runtime.values.encode").encode
    errors, unknown_fields = types.module("runtime.errors"), types.module("runtime.values.unknown").unknown_fields
    for other in RELEASES:
        shown = examples(other)
        for document, made in types.plans:
            for response in shown.get(document.name, []) if document.kind == "rpc" else []:
                cls = getattr(types.types(document), made.response.name)
                if document.name in CONTRADICTIONS:
                    with pytest.raises(errors.DecodeError, match=CONTRADICTIONS[document.name]):
                        decode(cls, json.dumps(response).encode())
                    continue
                answer = decode(cls, json.dumps(response).encode())
                read_all(answer, errors.MissingFieldError)
                unknown_fields(answer)
                assert json.loads(encode(answer)) == response, f"{document.name} of {other}"


def test_what_a_release_added_is_missing_in_an_older_nodes_answer(released: Any) -> None:
    types = released("master-2026-08")
    module = types.module("types.askrene_listlayers")
    answer = types.module("runtime.values.decode").decode(
        module.AskreneListlayersResponse,
        b'{"layers":[{"layer":"l","biases":[{"short_channel_id_dir":"1x1x1/0","bias":1}]}]}',
    )
    with pytest.raises(
        AttributeError, match=r"^askrene-listlayers: .* layers\[0\]\.biases\[0\]\.timestamp \(added in v"
    ):
        answer.layers[0].biases[0].timestamp  # noqa: B018


@pytest.mark.parametrize("release", RELEASES)
def test_responses_that_are_several_things_are_few(release: str, released: Any) -> None:
    unions = {document.name for document, made in released(release).plans if len(made.names) > len(made.classes)}
    assert unions == ({"decode"} if release == "v24.11" else {"decode", "wait"})
