"""`schemas/errors.toml` and what follows from it: no code of Core Lightning lacks a name, a class and a place."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from clnrpc import errors
from clnrpc.commands import COMMANDS
from tests.shared import ROOT, shared_path

TABLE = tomllib.loads((ROOT / "schemas/errors.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "generated/docs/errors.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
ELSEWHERE = {
    "JSONRPC2_PARSE_ERROR",
    "COMMANDO_ERROR_LOCAL",
    "COMMANDO_ERROR_REMOTE",
    "COMMANDO_ERROR_REMOTE_AUTH",
}
"""Names of codes that stand in plugins."""


def constants() -> dict[str, int]:
    return {name: code for name, code in vars(errors).items() if name.isupper() and isinstance(code, int)}


def test_every_constant_has_a_place_on_the_page_that_lists_the_commands_that_return_it() -> None:
    found = constants()
    assert {*SECTIONS} == {*found}
    anywhere = {each["code"] for each in TABLE["code"] if each.get("any")}
    for name, code in found.items():
        section = SECTIONS[name]
        assert f"Code {code}, `{errors.ERRORS[code].__name__}`." in section
        assert f"| {code} | [{name}](#{name.lower()}) |" in PAGE
        commands = [command for command, codes in errors.CODES.items() if code in codes]
        if code in anywhere:
            assert "\nAny command can return it.\n" in section
        else:
            (line,) = re.findall(r"\n(?:Returned by (.*)|No command of these documents returns it)\.\n", section)
            assert re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line).split(", ") == (commands or [""])


def test_only_these_codes_are_of_no_documented_command() -> None:
    unused = {name for name, section in SECTIONS.items() if "No command of these documents" in section}
    assert unused == {"BCLI_ERROR", "FUND_INPUT_IS_ZERO", "HSM_ECDH_FAILED"}


@pytest.mark.parametrize("release", ["master-2026-08", "v26.06", "v26.04", "v24.11"])
def test_every_code_of_core_lightnings_documents_has_a_class(release: str) -> None:
    wrong = {32700}  # clnrest-register-path lacks the minus
    for file in shared_path(f"corpus/{release}/schemas").rglob("*.json"):
        for line in json.loads(file.read_bytes()).get("errors", ()):
            if match := re.match(r"- (-?\d+)\b", line):
                assert int(match[1]) in {*errors.ERRORS, *wrong}, (file.name, line)


def test_names_and_numbers_are_those_of_the_sources() -> None:
    if not (checkout := os.environ.get("CLN_REPO")):
        pytest.skip("needs CLN_REPO, a checkout of Core Lightning")
    header = (Path(checkout) / "common/jsonrpc_errors.h").read_text()
    theirs = {name: int(code) for name, code in re.findall(r"\b([A-Z][A-Z0-9_]+) = (-?\d+)", header)}
    assert theirs == {name: code for name, code in constants().items() if name not in ELSEWHERE}


def test_every_row_of_the_table_has_a_reason_or_a_source_in_a_sentence() -> None:
    for each in TABLE["code"]:
        assert each["meaning"].endswith(".")
        assert each.get("advice", ".").endswith(".")
    for row in (*TABLE["command"], *TABLE["outcome"]):
        assert row.get("reason", row.get("source")).endswith(".")
    for row in TABLE["outcome"]:
        assert {*row.get("commands", ())} <= {*COMMANDS}


def test_what_may_still_pay_is_never_called_failed() -> None:
    """Codes with which nodes were seen to end a call whose parts were on their way."""
    for command in ("xpay", "sendamount", "xkeysend", "pay", "keysend", "renepay", "sendpay", "sendonion"):
        for code in (-1, -3, -4, -5, 200, 201, 209, 210):
            assert errors.OUTCOMES.get((command, code), errors.Outcome.UNKNOWN) == errors.Outcome.UNKNOWN
    for command in ("xpay", "sendamount", "xkeysend", "pay", "keysend"):
        assert errors.OUTCOMES[command, 203] == errors.Outcome.UNKNOWN
    for command in ("withdraw", "multiwithdraw", "txsend", "sendpsbt", "fundchannel", "multifundchannel"):
        assert errors.OUTCOMES.get((command, -1), errors.Outcome.UNKNOWN) == errors.Outcome.UNKNOWN
