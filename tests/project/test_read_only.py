"""The table of commands that change nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from clnrpc import COMMANDS
from rpcschema.settings import SettingsError, read_commands
from tests.shared import ROOT

TABLE = ROOT / "schemas" / "read-only.toml"
SOUNDS_LIKE_READING = re.compile(
    r"(.*-)?(list|get|show|decode|parse|check|wait|find|fetch|estimate|feerates|inspect)"
    r"|.*(status|usage|data|info|log|rate|rates|balances|income|report|secret|schemas)$"
    r"|help|ping|sql|newaddr|staticbackup|makesecret|bkpr-channelsapy|currency"
)


def test_each_command_that_sounds_like_reading_is_judged() -> None:
    table = tomllib.loads(TABLE.read_text("utf-8"))
    judged = {*table["read_only"], *table["others"]}
    assert judged <= set(COMMANDS), "there are no such commands"
    assert {name for name in COMMANDS if SOUNDS_LIKE_READING.match(name)} <= judged


def test_the_table_of_commands_has_the_marks() -> None:
    marked = [name for name, command in COMMANDS.items() if command.read_only]
    assert marked == sorted(tomllib.loads(TABLE.read_text("utf-8"))["read_only"])
    for name in ("pay", "xpay", "sendpay", "withdraw", "close", "invoice", "fetchinvoice", "checkrune", "setconfig"):
        assert name not in marked


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = [", "not readable as TOML"),
        ("read_only = []", "expected the keys read_only and others"),
        ("read_only = [1]\nothers = []", "read_only: expected a list of strings"),
        ('read_only = ["a"]\nothers = ["a"]', "in both lists: a"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "table.toml"
    with pytest.raises(SettingsError, match="cannot be read"):
        read_commands(file)
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=reason):
        read_commands(file)
