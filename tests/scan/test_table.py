"""The table of deprecations: it says what the documents say, and names what exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcschema.diff.fields import flattened
from rpcschema.model.nodes import Document, DocumentKind
from rpcschema.model.releases import order
from rpcschema.read.load import load
from rpcschema.scan.table import Entry, State, python_name, read_table
from rpcschema.settings import SettingsError, schemas_dir
from tests.scan.scanning import TABLE

DOCUMENTS = {(each.kind, each.name): each for each in load([schemas_dir()]).documents}
DESCRIBED = "v26.09"
"""The release of the documents."""


def paths(document: Document) -> set[str]:
    """Return the paths of what a program reads: without the half of the document that they are in."""
    half = "request." if document.kind == "hook" else "response."
    return {path.removeprefix(half) for path in flattened(document) if path.startswith(half)}


def marks() -> set[tuple[DocumentKind, str, str, tuple[str, ...]]]:
    """Return what the documents mark as deprecated: kind, name, field or parameter, and the two releases."""
    found = set()
    for (kind, name), document in DOCUMENTS.items():
        if isinstance(document.deprecated, tuple):
            found.add((kind, name, "", document.deprecated))
        for path, field in flattened(document).items():
            if isinstance(field.deprecated, tuple):
                found.add((kind, name, path.partition(".")[2], field.deprecated))
    return found


def test_everything_that_the_documents_deprecate_is_in_the_table_with_its_releases() -> None:
    listed = {(each.kind, each.name, each.field or each.parameter, (each.since, each.last)) for each in TABLE.entries}
    assert marks() - listed == set()


def ids(entry: Entry) -> str:
    return f"{entry.name}-{entry.field or entry.parameter}"


@pytest.mark.parametrize("entry", TABLE.entries, ids=ids)
def test_an_entry_fits_the_documents(entry: Entry) -> None:
    document = DOCUMENTS.get((entry.kind, entry.name))
    is_over = order(entry.last) < order(DESCRIBED)
    if document is None:
        # Either it was removed before the documents' release, or they never described it.
        assert is_over or entry.name == "paystatus"
    elif entry.field and not entry.unless:
        marked = [each for each in flattened(document).values() if each.path.partition(".")[2] == entry.field]
        assert [each.deprecated for each in marked] in ([(entry.since, entry.last)], [] if is_over else None)
    elif entry.parameter and not entry.value:
        assert is_over
        assert entry.parameter not in document.request.positional
    elif not entry.field and not entry.parameter:
        assert document.deprecated == (entry.since, entry.last)


@pytest.mark.parametrize("entry", TABLE.entries, ids=ids)
def test_what_replaces_something_exists(entry: Entry) -> None:
    document = DOCUMENTS.get((entry.kind, entry.name))
    for name in entry.instead:
        if entry.field:
            beside = entry.field.rpartition(".")[0]
            if document is not None:
                assert (f"{beside}.{name}" if beside else name) in paths(document)
        elif entry.parameter:
            assert document is not None
            assert name in document.request.positional
        else:
            assert ("rpc", name) in DOCUMENTS
            assert DOCUMENTS["rpc", name].deprecated is None


def test_a_release_removes_ends_or_deprecates() -> None:
    entry = Entry(kind="rpc", name="pay", since="v26.06", last="v27.03")
    states = {release: entry.state(release) for release in ("v26.04", "v26.06", "v26.12", "v27.03", "v27.06")}
    assert [*states.values()] == [None, State.DEPRECATED, State.DEPRECATED, State.ENDING, State.REMOVED]


def test_commands_are_found_by_the_names_that_libraries_give_them() -> None:
    assert {entry.name for entry in TABLE.of_call("commando_rune", "pyln")} == {"commando-rune"}
    assert {entry.name for entry in TABLE.of_call("CommandoRune", "grpc")} == {"commando-rune"}
    assert TABLE.of_call("pay_status", "pyln") == ()
    assert python_name("commando-rune") == "commando_rune"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "expected a list of tables called deprecated"),
        ("[[deprecated]]\nrpc = ['pay']", "entry 1: last is missing"),
        ("[[deprecated]]\nrpc = 'pay'\nlast = 'v27.03'", "entry 1: rpc must be a list of strings"),
        ("[[deprecated]]\nrpc = ['pay']\nlast = 1", "entry 1: last must be a string"),
        ("[[deprecated]]\nrcp = ['pay']\nlast = 'v27.03'", "entry 1: unknown key 'rcp'"),
        ("deprecated = [1]", "entry 1: expected a table"),
        ("[[deprecated]", "not readable as TOML"),
    ],
)
def test_refuses_a_table_of_another_form(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "table.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        read_table(file)
