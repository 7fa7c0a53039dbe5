"""Nodes in processes of their own, which can be killed as a crash would end them.

The program of a node reads one line of JSON for each call of a method of `RunningNode` from its standard input, and
writes one line with the result. It ends when its input does, so no node survives its network.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lnoffers.service.errors import ServiceError
from lnstandin.network.handles import Host, NetworkError, Settings, Waiting

if TYPE_CHECKING:
    from lnstandin.network.node import RunningNode

SECONDS: Final = 20
"""How long a node has to end, before it is killed."""
READY: Final = "ready"
ENDED: Final = "the node has ended: its errors are on standard error"


class ProcessHost(Host):
    """Runs a node in a process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._is_interrupted = False

    def start(self, settings: Settings) -> Waiting:
        given = asdict(settings) | {"directory": str(settings.directory)}
        command = [sys.executable, "-m", __name__, json.dumps(given)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 # this module
            command, stdin=pipe, stdout=pipe, text=True, start_new_session=True
        )
        if self._is_interrupted:  # by a signal, before the process was known
            self._process.kill()
        return self._wait_until_ready

    def _wait_until_ready(self) -> None:
        try:
            self._answer()
        except NetworkError:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._reap()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._reap()

    def interrupt(self) -> None:
        self._is_interrupted = True
        if self._process is not None:
            self._process.kill()

    def call(self, method: str, arguments: Mapping[str, Any]) -> Waiting:
        process = self._running
        assert process.stdin is not None  # it is a pipe
        try:
            process.stdin.write(json.dumps([method, arguments]) + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise NetworkError(ENDED) from error
        return self._answer

    def _answer(self) -> Any:
        process = self._running
        assert process.stdout is not None  # it is a pipe
        line = process.stdout.readline()
        if not line:
            raise NetworkError(ENDED)
        result, error = json.loads(line)
        if error is not None:
            raise NetworkError(error)
        return result

    @property
    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None  # it was started
        return self._process

    def _reap(self) -> None:
        process, self._process = self._running, None
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise NetworkError(f"a node has not ended within {SECONDS} seconds, and was killed") from None
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


async def _serve(settings: Settings) -> None:
    from lnstandin.network.node import running  # noqa: PLC0415 # slow, and not for the parent

    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, lines.feed_eof)
    try:
        async with running(settings) as node:
            _say(READY, None)
            await _obey(node, lines)
    except ServiceError as error:
        _say(None, str(error))


async def _obey(node: RunningNode, lines: asyncio.StreamReader) -> None:
    """Call what the lines say until there are no more, or the node was stopped by a client."""
    ended = asyncio.ensure_future(node.ended())
    while True:
        reading = asyncio.ensure_future(lines.readline())
        await asyncio.wait([reading, ended], return_when=asyncio.FIRST_COMPLETED)
        if not reading.done() or not (line := reading.result()):
            reading.cancel()
            ended.cancel()
            return
        method, arguments = json.loads(line)
        try:
            _say(await node.control(method, arguments), None)
        except ServiceError as error:
            _say(None, str(error))


def _say(result: Any, error: str | None) -> None:
    with suppress(BrokenPipeError):  # the network has ended, and so will the node
        os.write(sys.stdout.fileno(), json.dumps([result, error]).encode() + b"\n")


def main(arguments: Sequence[str]) -> None:
    """Run a node; the argument is its settings as JSON."""
    given = json.loads(arguments[0])
    asyncio.run(_serve(Settings(**given | {"directory": Path(given["directory"])})))


if __name__ == "__main__":
    main(sys.argv[1:])
