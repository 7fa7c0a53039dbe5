"""The audit in short: of the project's own documents, and of documents with every construct of the dialect."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.audit import corrections
from tests.audit.documents import Package, batches, generate, read
from tests.audit.examples import outcomes
from tests.audit.judges import lint
from tests.audit.rows import corrections_hold
from tests.audit.survey import survey
from tests.audit.table import Row, table
from tests.shared import ROOT

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
CONSTRUCTS = ROOT / "tests" / "cases" / "every-construct" / "schemas"


@pytest.fixture(scope="module")
def ours() -> Package:
    """Return the package that the project ships, and its documents as nodes behave."""
    return corrections.corrected(corrections.shipped(), corrections.read())


@pytest.fixture(scope="module")
def constructs(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Return what the generator makes of every construct."""
    return generate(read(CONSTRUCTS), "constructs", tmp_path_factory.mktemp("constructs"), jobs=1)


@needs_mandoc
@pytest.mark.parametrize("package", ["ours", "constructs"])
def test_every_field_is_in_types_and_on_pages(package: str, request: pytest.FixtureRequest) -> None:
    found = survey(request.getfixturevalue(package))
    assert not found.findings
    assert found.found == {"types": found.declared, "man": found.on_pages, "Markdown": found.on_pages}


@needs_mandoc
def test_a_client_that_requires_what_is_optional_is_noticed(tmp_path: Path) -> None:
    made = generate(read(CONSTRUCTS), "demanding", tmp_path, jobs=1)
    calls = tmp_path / "demanding" / "calls.py"
    calls.write_text(calls.read_text().replace("retry: bool | None = None", "retry: bool | None"))
    assert survey(made).findings == [
        f"commands: tank-fill: {client}.tank_fill has retry as required" for client in ("Client", "AsyncClient")
    ]


@needs_mandoc
def test_what_the_corrections_say_is_all_that_differs_from_the_documents() -> None:
    entries = corrections.read()
    row = corrections_hold(entries)
    assert row.findings == []
    assert len(row.notes) == len(entries)
    assert re.fullmatch(r"[1-9]\d* differences by [1-9]\d* corrections, no others", row.found)


@needs_mandoc
def test_a_difference_without_a_correction_is_noticed() -> None:
    without = [entry for entry in corrections.read() if entry.get("rpc") != "parsefeerate"]
    assert corrections_hold(without).findings == [
        "types: parsefeerate request: feerate_str is not there",
        "types: parsefeerate request: feerate is declared nowhere",
        "commands: parsefeerate: the parameters are not feerate_str",
    ]


@needs_mandoc
def test_fields_without_a_type_are_listed(constructs: Package) -> None:
    found = survey(constructs)
    assert found.untyped == [
        "tank-fill request: valve[][] has no type",
        "tank-fill request: dev-noise has no type",
        "tank-fill response: return has no type",
    ]
    assert found.undeclared == ["tank-fill response: nowhere is required, but declared nowhere"]


def test_examples_come_back_as_they_are(ours: Package) -> None:
    tried = outcomes(ours)
    assert tried
    for outcome in tried:
        assert not outcome.failure
        assert not outcome.losses
        assert not outcome.excuse


@needs_mandoc
def test_mandoc_warns_of_nothing(constructs: Package) -> None:
    assert not lint(constructs.folder / "man")


def test_a_document_that_is_there_twice_is_generated_apart() -> None:
    documents = read(CONSTRUCTS)
    first, second = batches([*documents, documents[0]])
    assert first == documents
    assert second == documents[:1]


def test_the_table_says_which_claim_fails_and_why() -> None:
    good = Row(claim="apples are sweet", must="all", found="3 of 3", notes=["one is green"])
    bad = Row(claim="pears are ripe", must="all", found="2 of 3", findings=["one is hard"])
    assert list(table([good, bad]))[2:] == [
        "| apples are sweet | all | 3 of 3 | holds |",
        "| pears are ripe | all | 2 of 3 | fails |",
        "\nFindings: pears are ripe (1)\n",
        "- one is hard",
        "\nNotes: apples are sweet (1)\n",
        "- one is green",
    ]
