"""Servers that are killed while money moves, in short. The nox session `durability` has the long form."""

from __future__ import annotations

from tests.play import killed


def test_payment_is_made_once_whichever_server_is_killed() -> None:
    assert killed.main(4) == 0
