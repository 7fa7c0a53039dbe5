"""Nodes in this process, and servers that others can connect to."""

from __future__ import annotations

from tests.peers.conftest import program, start
from tests.service.conftest import node

__all__ = ["node", "program", "start"]
