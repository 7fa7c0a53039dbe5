"""A document that differs by one fact gives exactly that change, with the right verdicts."""

from __future__ import annotations

import json
import random
from typing import Any, Final

import pytest

from rpcschema.diff.changes import changes
from rpcschema.model.build import build
from tests.diff.mutations import MUTATIONS, CannotMutateError, Mutation, mutated
from tests.shared import ROOT

SEEDS: Final = 20
COMMANDS: Final = [
    raw
    for file in sorted((ROOT / "schemas").rglob("*.json"))
    if "rpc" in (raw := json.loads(file.read_text(encoding="utf-8")))
]


def differing(mutation: Mutation, seed: int) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return a command's document, a mutated copy, and the path of the difference."""
    for raw in random.Random(seed).sample(COMMANDS, len(COMMANDS)):
        try:
            return raw, *mutated(mutation, raw, seed)
        except CannotMutateError:
            continue
    raise AssertionError(f"no document has a place for {mutation.rule}")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_finds_exactly_the_one_difference(mutation: Mutation) -> None:
    for seed in range(SEEDS):
        raw, other, path = differing(mutation, seed)
        found = changes([build(raw, "a.json")], [build(other, "a.json")])
        told = [(each.rule.name, each.callers.word, each.implementers.word, each.path) for each in found]
        assert told == [(mutation.rule, mutation.callers, mutation.implementers, path)], (seed, raw["rpc"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_commands_come_and_go(seed: int) -> None:
    documents = [build(raw, "a.json") for raw in random.Random(seed).sample(COMMANDS, 5)]
    [gone] = changes(documents, documents[1:])
    [come] = changes(documents[1:], documents)
    assert (gone.rule.name, gone.callers.word, gone.implementers.word) == ("command-removed", "breaking", "safe")
    assert (come.rule.name, come.callers.word, come.implementers.word) == ("command-added", "safe", "breaking")
    assert gone.document == come.document == documents[0].name


def test_nothing_differs_from_itself() -> None:
    documents = [build(raw, "a.json") for raw in COMMANDS]
    assert changes(documents, documents) == ()
