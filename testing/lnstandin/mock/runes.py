"""createrune, showrunes, checkrune and blacklistrune, as the service carries them out, over a node of their own.

The node has its own secret, which depends on the mock's seed alone, and a store in a temporary folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clnrpc import COMMANDS
from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.server.convert import json_value
from clnrpc.runtime.server.dispatch import Answer, Dispatcher
from clnrpc.runtime.values.encode import encode
from lnoffers.service.commands.runes import RuneCommands
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.parameters.runes import OF_RUNES
from lnstandin.mock.builtin import RUNE_COMMANDS


class Runes:
    """The runes of a mock. One thread uses it."""

    def __init__(self, seed: str) -> None:
        self._folder = TemporaryDirectory(prefix="lnstandin-runes-")
        options = Options(lightning_dir=Path(self._folder.name), network="regtest")
        options.network_dir.mkdir(mode=0o700)
        options.secret_file.touch(mode=0o600)
        options.secret_file.write_bytes(sha256(f"lnstandin runes {seed}".encode()).digest())
        self._node = Node.open(options)
        commands = {name: COMMANDS[name] for name in RUNE_COMMANDS}
        self._dispatcher = Dispatcher(RuneCommands(self._node), commands, converters=OF_RUNES)

    def carry_out(self, command: str, params: bytes) -> dict[str, Any]:
        """Return the result of a command; its parameters are JSON text. Raises RpcError."""
        message = b'{"jsonrpc":"2.0","id":0,"method":%b,"params":%b}' % (encode(command), params)
        answer = self._dispatcher.answer(message)
        assert isinstance(answer, Answer)  # none of these commands waits
        response: Mapping[str, Any] = json_value(answer.data + b"".join(answer.rest or ()))
        if "error" in response:
            raise RpcError(**response["error"])
        result: dict[str, Any] = response["result"]
        return result

    def close(self) -> None:
        """Close the store, and remove it."""
        self._node.close()
        self._folder.cleanup()
