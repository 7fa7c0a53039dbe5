"""The process of a plugin: requests and notifications on its standard input, and what it writes on its output."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import Framer, FramingError
from clnrpc.runtime.server.convert import BadToken, json_value
from clnrpc.runtime.values.encode import encode
from lnstandin.mock.plugins.manifest import PluginError

PLUGIN_TERMINATED: Final = -4
"""The code of the error for a request whose plugin has ended (common/jsonrpc_errors.h)."""
GRACE_SECONDS: Final = 5.0
"""How long a plugin may take to end, after its input was closed and after each signal."""
_CHUNK: Final = 1 << 16
_MOST_BYTES: Final = 1 << 28

Message: TypeAlias = Mapping[str, Any]
Notify: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class PluginProcess:
    """A running plugin. `on_message` gets each notification that it sends; `on_text` what it prints on stderr."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        on_message: Callable[[Message], None],
        on_text: Callable[[str], None],
    ) -> None:
        self.has_text_ids = False
        self._process = process
        self._on_message = on_message
        self._on_text = on_text
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._callers: dict[int, Notify] = {}
        """Who gets the messages and the progress about a request."""
        self._number = 0
        self._reading = [asyncio.create_task(work) for work in (self._read_messages(), self._read_text())]

    @classmethod
    async def start(
        cls,
        program: Path,
        folder: Path,
        version: str,
        on_message: Callable[[Message], None],
        on_text: Callable[[str], None],
    ) -> PluginProcess:
        """Start a program in `folder`. Raises PluginError."""
        environment = os.environ | {"LIGHTNINGD_PLUGIN": "1", "LIGHTNINGD_VERSION": version}
        try:
            process = await asyncio.create_subprocess_exec(
                program, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=folder, env=environment, limit=_MOST_BYTES
            )
        except OSError as error:
            raise PluginError(f"it cannot be started: {error.strerror or error}") from None
        return cls(process, on_message, on_text)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def request(self, method: str, params: bytes, notify: Notify = lambda _, __: None) -> Any:
        """Send a request (its parameters as JSON text), and return the result. Raises RpcError.

        `notify` is called with each notification about it: "message" or "progress", and the parameters without the id.
        """
        if self._process.stdin is None or self._process.stdin.is_closing():
            raise _terminated()
        self._number += 1
        number = self._number
        identity: str | int = f"lnstandin:{method}#{number}" if self.has_text_ids else number
        head = b'{"jsonrpc":"2.0","id":%b,"method":%b' % (encode(identity), encode(method))
        self._pending[number], self._callers[number] = asyncio.get_running_loop().create_future(), notify
        try:
            self._write(head + b',"params":%b}' % params)
            return await self._pending[number]
        finally:
            del self._pending[number], self._callers[number]

    def notify(self, method: str, params: Any, **members: Any) -> None:
        """Send a notification; `members` go beside its parameters."""
        self._write(encode({"jsonrpc": "2.0", "method": method, **members, "params": params}))

    async def end(self) -> None:
        """Close its input, and wait for its end; send signals if it does not end."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL, None):
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_SECONDS)
                break
            if number is not None:
                process.send_signal(number)
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _write(self, message: bytes) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(message + b"\n\n")

    async def _read_messages(self) -> None:
        assert self._process.stdout is not None
        framer = Framer(_MOST_BYTES)
        try:
            while data := await self._process.stdout.read(_CHUNK):
                framer.feed(data)
                for message in framer:
                    self._take(json_value(message))
        except (FramingError, BadToken) as error:
            self._on_text(f"it wrote something that is not JSON-RPC: {error}")
        finally:
            self._fail_pending()

    async def _read_text(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._on_text(line.decode(errors="replace").rstrip("\n"))

    def _take(self, message: Message) -> None:
        if "method" in message:
            self._take_notification(message, message.get("params", {}))
            return
        waiting = self._pending.get(_number_of(message.get("id")))
        if waiting is None or waiting.done():
            self._on_text(f"it answered a request that nobody made: id {message.get('id')!r}")
        elif "error" in message:
            waiting.set_exception(error_of(message["error"]))
        else:
            waiting.set_result(message.get("result"))

    def _take_notification(self, message: Message, params: Any) -> None:
        if message["method"] in ("message", "progress"):
            if notify := self._callers.get(_number_of(params.get("id"))):
                notify(message["method"], {name: value for name, value in params.items() if name != "id"})
        else:
            self._on_message(message)

    def _fail_pending(self) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(_terminated())


def _terminated() -> RpcError:
    return RpcError(PLUGIN_TERMINATED, "Plugin terminated before replying to RPC call.")


def _number_of(identity: Any) -> int:
    text = str(identity).rpartition("#")[2]
    return int(text) if text.isascii() and text.isdigit() else -1


def error_of(raw: Any) -> RpcError:
    """Return the error of a response."""
    if isinstance(raw, dict) and isinstance(raw.get("code"), int):
        return RpcError(raw["code"], str(raw.get("message", "")), raw.get("data"))
    return RpcError(GENERIC, str(raw))
