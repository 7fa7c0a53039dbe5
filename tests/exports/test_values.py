"""The JSON Schemas accept what the documents allow, and reject what contradicts them in a single fact.

What contradicts a document is decided by `tests.audit.values`, which reads the raw document.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from jsonschema import Draft202012Validator

from tests.audit.examples import Example, examples
from tests.audit.values import contradictions
from tests.exports.made import HALVES, Exported, exported
from tests.exports.mutants import Mutant, mutants
from tests.shared import ROOT, shared_path

SCHEMAS = ROOT / "schemas"


def given(made: Exported) -> Iterator[tuple[Example, Draft202012Validator]]:
    """Yield both halves of each example, with their validators."""
    validators = made.validators()
    for document in made.documents:
        for example in examples(document):
            if example.half in HALVES[document.kind]:
                yield example, validators[document.kind, document.name, example.half]


def in_random_order(
    tried: Sequence[tuple[Example, Draft202012Validator]],
) -> list[tuple[Example, Draft202012Validator, Mutant]]:
    """Return all mutants of examples, in an order that is the same in each run."""
    made = [(example, validator, mutant) for example, validator in tried for mutant in mutants(example.value)]
    random.Random(17).shuffle(made)
    return made


def contradicts(example: Example, mutant: Mutant) -> bool:
    schema = {"type": "object", **example.document.raw[example.half]}
    return any(contradictions(schema, mutant.value, sent=example.half == "request"))


@pytest.mark.parametrize("export", ["openrpc", "openapi", "jsonschema"])
def test_every_schema_is_a_schema(export: str) -> None:
    for name, content in exported(SCHEMAS).files.items():
        if name.startswith(export):
            assert content.endswith(b"}\n")
    for _, _, schema in exported(SCHEMAS).halves():
        Draft202012Validator.check_schema(schema)


def test_accepts_every_example_of_our_documents() -> None:
    refused = [str(example) for example, validator in given(exported(SCHEMAS)) if not validator.is_valid(example.value)]
    assert refused == []


def test_accepts_every_example_of_core_lightning_that_does_not_contradict_its_document() -> None:
    tried = list(given(exported(shared_path("corpus/master-2026-08/schemas"))))
    refused = {str(example) for example, validator in tried if not validator.is_valid(example.value)}
    assert refused == {str(example) for example, _ in tried if example.contradictions()}
    assert len(tried) - len(refused) > 500


@pytest.mark.parametrize("source", ["schemas", "corpus/master-2026-08/schemas"])
def test_rejects_a_thousand_mutants_that_contradict_their_document_in_one_fact(source: str) -> None:
    folder = SCHEMAS if source == "schemas" else shared_path(source)
    tried = [(example, validator) for example, validator in given(exported(folder)) if not example.contradictions()]
    judged, wrong = {"contradicts": 0, "agrees": 0}, []
    for example, validator, mutant in in_random_order(tried):
        if judged["contradicts"] == 1000:
            break
        verdict = contradicts(example, mutant)
        judged["contradicts" if verdict else "agrees"] += 1
        if validator.is_valid(mutant.value) is verdict:
            wrong.append(f"{example}: {mutant.place} {mutant.change}: {'accepted' if verdict else 'rejected'}")
    assert wrong == []
    assert judged["contradicts"] == 1000
    assert judged["agrees"] > 100


def test_without_its_conditionals_a_schema_accepts_what_its_document_forbids() -> None:
    tried = [(example, bare(validator)) for example, validator in given(exported(SCHEMAS))]
    accepted = (
        contradicts(example, mutant)
        for example, validator, mutant in in_random_order(tried)
        if example.document.name == "decode" and validator.is_valid(mutant.value)
    )
    assert any(accepted)


def bare(validator: Draft202012Validator) -> Draft202012Validator:
    """Return a validator without the conditionals of the schema, apart from those of nested objects."""
    assert isinstance(validator.schema, dict)
    schema = {key: value for key, value in validator.schema.items() if key != "allOf"}
    cases = [{key: value for key, value in case.items() if key != "allOf"} for case in schema.get("anyOf", ())]
    return Draft202012Validator({**schema, **({"anyOf": cases} if cases else {})})
