"""What a command line says before its call, byte for byte, and the little room that it has for the answer."""

from __future__ import annotations

import json

import pytest

from tests.service.program import Program, Wire

ROOM = 100
"""lightning-cli reads the answer into so many bytes (cli/lightning-cli.c, enable_notifications)."""
HIGHEST_PROCESS_ID = 4_194_304


def enable(process_id: int) -> bytes:
    return (
        b'{"jsonrpc":"2.0","method":"notifications","id":"cli:notifications#%d","params":{"enable":true}}' % process_id
    )


def test_the_answer_fits_where_lightning_cli_reads_it(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        wire.send(enable(HIGHEST_PROCESS_ID))
        answer = wire.answer()
    assert answer == b'{"jsonrpc":"2.0","id":"cli:notifications#%d","result":{}}\n\n' % HIGHEST_PROCESS_ID
    assert len(answer) < ROOM


def test_a_call_as_lightning_cli_makes_it(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        wire.send(enable(1))
        wire.answer()
        wire.send(b'{ "jsonrpc" : "2.0", "method" : "getinfo", "id" : "cli:getinfo#1", "params" :[  ] }')
        answer = json.loads(wire.answer())
    assert (answer["id"], answer["result"]["network"]) == ("cli:getinfo#1", "regtest")


@pytest.mark.parametrize("enable", [True, False])
def test_notifications_may_be_turned_on_and_off(program: Program, enable: object) -> None:
    with program.served(), Wire(program.socket) as wire:
        assert wire.ask("notifications", [enable])["result"] == {}
        assert wire.ask("getinfo")["result"]
