"""The program: what it prints, where, and with which exit code."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from lnoffers.bolt12 import Bolt12Error, InvoiceRequest
from tests.service.program import COMMAND, SECONDS, SEED_METADATA, Outcome, Program, run
from tests.shared import ROOT

EXAMPLE = json.loads((ROOT / "schemas" / "invoicerequest.json").read_text())["examples"][0]["response"]["bolt12"]


def complains(outcome: Outcome, *about: str) -> None:
    """Assert that the program failed with one line."""
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("lnoffers: ")
    assert outcome.err.count("\n") == 1
    for word in about:
        assert word in outcome.err


def test_options_may_precede_or_follow_the_method(seed_program: Program) -> None:
    before = run(
        "call", *seed_program.flags, "--dev-entropy", SEED_METADATA[0], "invoicerequest", "1000000", "Simple test"
    )
    assert before.json["bolt12"] == EXAMPLE
    after = run("call", "listinvoicerequests", *seed_program.flags)
    assert [item["bolt12"] for item in after.json["invoicerequests"]] == [EXAMPLE]


def test_k_may_precede_or_follow_the_method(program: Program) -> None:
    assert program.call("-k", "help", "command=stop").code == 0
    assert program.call("help", "-k", "command=stop").code == 0
    complains(program.call("help", "-k", "stop"), "expected key=value in 'stop'")


@pytest.mark.parametrize("value", ["-5", "-.5"])
def test_a_negative_number_is_a_value(program: Program, value: str) -> None:
    outcome = program.call("invoicerequest", value, "x")
    assert outcome.code == 1
    assert outcome.json["message"].startswith("amount: should be a millisatoshi amount")


@pytest.mark.parametrize("word", ["-x", "--foo", "-1.5sat"])
def test_an_unknown_option_is_no_value_except_after_two_hyphens(program: Program, word: str) -> None:
    complains(program.call("help", word), f"unknown option {word}.", "behind --")
    assert program.call("help", "--", word).json["message"] == f"Unknown command {word}"


def test_k_and_o_decide_how_arguments_are_taken(program: Program) -> None:
    assert program.call("-k", "-k", "help", "command=stop").code == 0
    outcome = program.call("-o", "help", "--order", "command=stop")
    assert outcome.json["message"] == "Unknown command command=stop"
    complains(program.call("-k", "-o", "help"), "-k", "-o")


def test_a_command_that_does_not_exist_here_is_unknown(program: Program) -> None:
    for method in ("invoicerequests", "dev-inject"):
        outcome = program.call(method, "1000")
        assert (outcome.code, outcome.json) == (1, {"code": -32601, "message": f"Unknown command '{method}'"})
    assert program.call("--dev-time", "1", "dev-inject").code == 0


def test_after_two_hyphens_nothing_is_an_option(program: Program) -> None:
    made = program.call("invoicerequest", "--", "1", "--network").json["bolt12"]
    assert InvoiceRequest.parse(made).offer_description == "--network"


def test_options_may_stand_between_words_and_only_the_first_two_hyphens_end_them(program: Program) -> None:
    made = program.call("invoicerequest", "1", "--network", "regtest", "d", "--", "--", "--network").json["bolt12"]
    request = InvoiceRequest.parse(made)
    assert (request.offer_description, request.offer_issuer) == ("d", "--")
    assert program.call("--", "help", "-x").json["message"] == "Unknown command -x"


def test_options_are_not_abbreviated(program: Program) -> None:
    complains(program.call("getinfo", "--dev", "1"), "unknown option --dev.")


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["serve", "x"], "many"), (["decode"], "few"), (["backup"], "few"), (["backup", "--", "x", "y"], "many")],
)
def test_a_wrong_number_of_arguments(arguments: list[str], count: str) -> None:
    complains(run(*arguments), f"too {count} arguments", f"lnoffers {arguments[0]} [OPTION...]")


def test_a_call_through_a_server_loads_neither_store_nor_curve(program: Program) -> None:
    heavy = ("asyncio", "coincurve", "cyclopts", "iso4217", "rich", "sqlite3", "lnoffers.bolt12")
    code = f"""if True:
        import sys
        from lnoffers.service.cli import main
        try:
            main()
        except SystemExit as end:
            sys.exit(end.code or [name for name in {heavy!r} if name in sys.modules] or 0)
        """
    with program.served():
        arguments = [*COMMAND[:1], "-c", code, "call", *program.flags, "getinfo"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_rpc_error_is_printed_as_json_with_exit_code_1(program: Program) -> None:
    outcome = program.call("listinvoicerequests", "00")
    assert (outcome.code, list(outcome.json)) == (1, ["code", "message"])
    assert outcome.out.startswith('{\n   "code": -32602,\n   "message": "invreq_id: ')


def test_text_is_printed_as_it_is(program: Program) -> None:
    outcome = program.call("invoicerequest", "1", "d", "label=é\u2615")
    assert '"label": "é\u2615"' not in outcome.out  # by position the third is the issuer
    outcome = program.call("invoicerequest", "amount=1", "description=d", "label=é\u2615")
    assert '"label": "é\u2615"' in outcome.out


def test_a_running_server_is_used_and_takes_no_options_that_are_its_own(program: Program) -> None:
    with program.served():
        assert program.call("getinfo").json["binding"]
        for flags in (["--developer"], ["--dev-time", "1"], ["--dev-entropy", "00"], ["--db", "sqlite:////x"]):
            complains(program.call(*flags, "getinfo"), flags[0], "server is running")
    assert program.call("--developer", "getinfo").json["binding"] == []


def test_calls_that_cannot_be_made(program: Program) -> None:
    complains(run("call", "--network", "mainnet", "getinfo"), "unknown network 'mainnet'")
    complains(program.call("--dev-entropy", "xyz", "getinfo"), "--dev-entropy is not hex")
    complains(program.call("--dev-time", "soon", "getinfo"), "--dev-time")
    complains(run("call", "--dev-time", "1", "getinfo"), "refused on bitcoin")
    complains(program.call("help", "1.2.3"), "is taken for JSON")
    complains(program.call("help", "\udcff"), "not UTF-8")
    complains(program.call("\udcff"), "not UTF-8")
    complains(run("call"), "METHOD")
    complains(run("nothing"), "nothing")


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (["serve"], ["init"]):
        complains(run(*command, "--lightning-dir", str(tmp_path / "file")), "cannot make the directory")


@pytest.mark.parametrize("content", [b"short", b"x" * 73, b"x" * 100])
def test_a_secret_that_cannot_be_used(program: Program, content: bytes) -> None:
    program.give_secret(content)
    for outcome in (program.call("getinfo"), run("serve", *program.flags)):
        complains(outcome, "hsm_secret", str(len(content)))


def test_a_store_of_another_node(program: Program) -> None:
    program.call("getinfo")
    secret = program.network_dir / "hsm_secret"
    secret.unlink()
    complains(program.call("getinfo"), "restore the file")
    program.give_secret(bytes(range(32)))
    complains(program.call("getinfo"), "belongs to node")


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "sqlite://", "sqlite:///:memory:", "sqlite://:password@host/x", "sqlite:////x?password=password"),
        *("postgresql://me:password@host/name", "sqlite+aiosqlite:////x", "sqlite+pysqlcipher://:password@/x"),
        *("sqlite:////%00", "sqlite://host:password/x", "nosuch+thing://x"),
    ],
)
def test_a_store_that_cannot_be_named_makes_no_secret(no_node: Program, url: str) -> None:
    for command in ("init", "serve"):
        outcome = run(command, *no_node.flags, "--db", url)
        complains(outcome, "--db", "sqlite:////absolute/path")
        assert "password" not in outcome.err
    assert not (no_node.network_dir / "hsm_secret").exists()


def test_a_store_that_cannot_be_used_makes_no_secret_and_stays_as_it_is(no_node: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database " * 100)
    with sqlite3.connect(tmp_path / "songs") as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for name, why in {
        "file": "something other than a store; choose another one",
        "songs": "something else",
        "gone/x": os.strerror(errno.ENOENT),
        ".": "not a regular file",
    }.items():
        refused = run("init", *no_node.flags, "--db", f"sqlite:///{tmp_path / name}")
        complains(refused, str(tmp_path / name), why)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not (no_node.network_dir / "hsm_secret").exists()


def test_decode_needs_no_directory_and_shows_everything(tmp_path: Path) -> None:
    outcome = run("decode", EXAMPLE)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith('{\n   "type": "bolt12 invoice_request",\n   "offer_description": "Simple test",\n')
    assert outcome.json["valid"] is True


def test_decode_of_several_goes_on_after_a_bad_one() -> None:
    outcome = run("decode", "lnr1qq", f"LIGHTNING:{EXAMPLE.upper()}", "hello")
    assert outcome.code == 1
    assert outcome.json["valid"] is True
    first, last = outcome.err.splitlines()
    assert first.startswith("lnoffers: string 1: The string is not complete: ")
    assert last.startswith("lnoffers: string 3: This text is none of the strings that can be decoded: ")


def test_decode_shows_an_invalid_request_with_exit_code_1() -> None:
    wrong = EXAMPLE[:-8] + "qqqqqqqq"
    with pytest.raises(Bolt12Error):
        InvoiceRequest.parse(wrong).verify()
    outcome = run("decode", wrong)
    assert (outcome.code, outcome.json["valid"]) == (1, False)


def test_a_reader_that_goes_away_is_no_reason_for_a_traceback() -> None:
    process = subprocess.Popen([*COMMAND, "decode", EXAMPLE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (2, b"")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["serve", "--help"], ["call", "--help"], ["decode", "--help"]])
def test_help_explains(arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: lnoffers ")


def test_version() -> None:
    outcome = run("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("lnoffers ")


@pytest.mark.parametrize("option", ["--max-payment", "--max-daily", "--max-fee"])
@pytest.mark.parametrize("amount", ["1x", "-1", "", "1.5", '1"'])
def test_a_limit_must_be_an_amount(program: Program, option: str, amount: str) -> None:
    refused = run("serve", *program.flags, f"{option}={amount}")
    assert refused.code == 2
    assert f"{option} {amount!r} is not an amount, such as 1000msat" in refused.err
