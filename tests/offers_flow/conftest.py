"""Servers, and nodes of the tests' own (`tests.fetching.node`) that answer requests as they are told."""

from __future__ import annotations

from tests.fetching.conftest import start as node
from tests.peers.conftest import program, start

__all__ = ["node", "program", "start"]
