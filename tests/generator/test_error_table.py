"""The table of error codes: what it must hold, and what it says about documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcschema.errorcodes import ErrorTable, ErrorTableError, read_error_table
from tests.generator.packages import command, documents
from tests.generator.rendering import render_all
from tests.generator.test_errors_target import CODES, settings

LEAK = '[[code]]\ncode = 1001\nname = "LEAK"\nclass = "LeakError"\nmeaning = "It leaks."\n'


def table(folder: Path, text: str) -> ErrorTable:
    file = folder / "errors.toml"
    file.write_text(text)
    return read_error_table(file)


def problems(folder: Path, more: str, *errors: str) -> list[str]:
    """Return the problems of one command with these errors, and a table that has `more` than the codes."""
    (folder / "documents").mkdir()
    found = documents(folder / "documents", command("fill") | {"errors": list(errors)})
    _, met = render_all("errors", found, settings(table(folder, CODES + more)))
    return [f"{each.file}: {each.message}: {each.detail}" for each in met]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("code = [", "not readable as TOML"),
        ("x = 1", "unknown key x; there are code, command, outcome"),
        ("code = 1", "expected tables [[code]]"),
        (LEAK.replace("1001", '"1"'), "code 1: code: expected a number"),
        (LEAK.replace('"LEAK"', '"leak"'), "code 1: name: expected a name in capitals"),
        (LEAK.replace("LeakError", "Leak"), "code 1: class: expected the name of a class that ends in Error"),
        (LEAK.replace('"It leaks."', '" "'), "code 1: meaning: expected a string, not empty"),
        (LEAK.replace('meaning = "It leaks."', ""), "code 1: missing: meaning"),
        (LEAK + "any = 1", "code 1: any: expected true or false"),
        (LEAK + LEAK, "code 1001 occurs twice"),
        (LEAK + LEAK.replace("1001", "1"), "name LEAK occurs twice"),
        (LEAK + '[[command]]\nnames = ["fill"]\nadds = [7]\nsource = "x"', "command 1: no [[code]] names 7"),
        (
            LEAK + '[[command]]\nnames = []\nadds = [1001]\nsource = "x"',
            "command 1: names: expected a list of",
        ),
        (LEAK + '[[outcome]]\ncodes = [1001]\noutcome = "lost"\nreason = "x"', "outcome: expected one of failed, unkn"),
        (LEAK + '[[outcome]]\ncodes = [1001]\noutcome = "failed"', "outcome 1: missing: reason"),
        (
            LEAK + 2 * '[[outcome]]\ncodes = [1001]\noutcome = "failed"\nreason = "x"\n',
            "1001 of any command occurs",
        ),
    ],
)
def test_refuses_a_table_that_cannot_be_used_and_says_where(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ErrorTableError) as error:
        table(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'errors.toml'}: ")
    assert fault in str(error.value)


def test_reports_a_code_that_the_table_does_not_name(tmp_path: Path) -> None:
    assert problems(tmp_path, "", "- 1001: It leaks.", "- 77: What?") == [
        "0.json: returns codes that errors.toml does not name: 77"
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("adds = [1001]", "has codes that errors.toml adds; remove them there: 1001"),
        ("drops = [2]", "lacks codes that errors.toml drops; remove them there: 2"),
    ],
)
def test_reports_differences_that_the_document_no_longer_has(tmp_path: Path, more: str, problem: str) -> None:
    entry = f'[[command]]\nnames = ["fill"]\n{more}\nsource = "x"\n'
    assert problems(tmp_path, entry, "- 1001: It leaks.") == [f"0.json: {problem}"]


def test_reports_commands_that_do_not_exist(tmp_path: Path) -> None:
    entry = '[[command]]\nnames = ["empty"]\nadds = [2]\nsource = "x"\n'
    assert problems(tmp_path, entry) == ["errors.toml: there is no document of this command: empty"]


def test_reports_outcomes_of_codes_that_the_command_does_not_return(tmp_path: Path) -> None:
    entry = '[[outcome]]\ncommands = ["fill"]\ncodes = [1001]\noutcome = "failed"\nreason = "x"\n'
    assert problems(tmp_path, entry) == ["0.json: does not return codes that errors.toml has an outcome for: 1001"]


def test_without_a_table_no_code_is_a_problem(tmp_path: Path) -> None:
    found = documents(tmp_path, command("fill") | {"errors": ["- 77: What?"]})
    files, met = render_all("errors", found, settings(ErrorTable()))
    assert met == ()
    assert list(files) == ["p/errors.py"]
