"""The process that decodes long strings, and its protocol with the server.

Each side writes frames: the length of the content in four bytes (big-endian), a letter for its kind, the content. The
server sends a REQUEST. The process replies with an ANSWER, or NOT_HERE if it does not handle the call. Before that it
may send lines for the LOG, and ask the server, which has the secret, to OPEN recovery data.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from clnrpc import types
from clnrpc.commands import COMMANDS
from clnrpc.runtime.jsontext import JsonType, elements, json_type, members
from clnrpc.runtime.server.convert import content
from clnrpc.runtime.server.dispatch import CHECKED, Answer, Dispatcher
from clnrpc.service import Service
from lnoffers.emergency import SealedError
from lnoffers.service import decodecall
from lnoffers.service.refusals import log_hidden
from lnoffers.service.system import forbid_core_dumps

if TYPE_CHECKING:
    from clnrpc.runtime.values.written import FinishedJson

HEADER: Final = struct.Struct(">Ic")
TIME: Final = struct.Struct(">Q")
"""Unix seconds, before the message of a request."""

REQUEST, OPENED, SEALED = b"R", b"O", b"S"
"""From the server: a call; decrypted recovery data; why it cannot be decrypted."""
ANSWER, LAST_ANSWER, NOT_HERE, OPEN, LOG, BUG = b"A", b"C", b"N", b"U", b"L", b"B"
"""From the process: an answer; an answer after which the connection closes; no answer; recovery data to decrypt; a line
for the log; a traceback."""

MEMORY_BYTES: Final = 1 << 29
"""The most memory of the process; the worst string needs a tenth of it."""
NICE: Final = 5
"""The niceness of the process, so that the server comes first on a busy processor."""

_COMMANDS: Final = {name: COMMANDS[name] for name in ("check", "decode")}
_PR_SET_PDEATHSIG: Final = 1
_LEFT_TO_SERVER: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""Signals that a service manager may send to all processes of a service. The process ignores them, because the server
still answers the calls that have arrived."""


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    return HEADER.pack(len(content), kind) + content


class _Server:
    """The connection to the server."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, kind: bytes, content: bytes = b"") -> None:
        self._writer.write(frame(kind, content))
        self._writer.flush()

    def receive(self) -> tuple[bytes, bytes]:
        """Return the next frame. Raises EOFError if the server is gone."""
        header = self._reader.read(HEADER.size)
        if len(header) < HEADER.size:
            raise EOFError
        size, kind = HEADER.unpack(header)
        return kind, self._reader.read(size)

    def open_sealed(self, sealed: bytes) -> bytes:
        """Return recovery data decrypted by the server. Raises SealedError if it cannot be."""
        self.send(OPEN, sealed)
        kind, content = self.receive()
        if kind != OPENED:
            raise SealedError(content.decode())
        return content


class _Log(logging.Handler):
    def __init__(self, server: _Server) -> None:
        super().__init__()
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        self._server.send(LOG, record.getMessage().encode())


class _Decode(Service):
    """The command `decode`, and `check` for it."""

    def __init__(self, server: _Server) -> None:
        self.now = 0
        self._server = server

    def decode(self, request: types.DecodeRequest) -> FinishedJson:
        return decodecall.decode(request, now=self.now, unseal=self._server.open_sealed)

    def rpc_check_decode(self, request: types.DecodeRequest) -> None:
        decodecall.check(request, now=self.now, unseal=self._server.open_sealed)

    def check(self, request: types.CheckRequest) -> types.CheckResponse:
        return types.CheckResponse(command_to_check=request.command_to_check)


def main() -> None:
    """Answer calls until the server is gone. Arguments: its process id, then `--developer` if it has that option."""
    _, parent, *flags = sys.argv
    for number in _LEFT_TO_SERVER:
        signal.signal(number, signal.SIG_IGN)
    _end_with(int(parent))
    _limit()
    with socket.socket(fileno=sys.stdin.fileno()) as peer, peer.makefile("rb") as reader, peer.makefile("wb") as writer:
        server = _Server(reader, writer)
        logging.basicConfig(level=logging.INFO, handlers=[_Log(server)])
        service = _Decode(server)
        dispatcher = Dispatcher(
            service,
            _COMMANDS,
            developer="--developer" in flags,
            hidden=log_hidden,
            converters=decodecall.CONVERTERS,
        )
        with suppress(EOFError, ConnectionError, MemoryError):  # the server sees that this process ends
            while True:
                _, request = server.receive()
                [service.now] = TIME.unpack_from(request)
                _answer(server, dispatcher, request[TIME.size :])


def _answer(server: _Server, dispatcher: Dispatcher, message: bytes) -> None:
    if not _is_decode(message):
        server.send(NOT_HERE)
        return
    try:
        answer = dispatcher.answer(message)
    except (MemoryError, EOFError, ConnectionError):
        raise
    except Exception:  # noqa: BLE001 # a bug, which the server logs
        server.send(BUG, traceback.format_exc().encode())
        return
    assert isinstance(answer, Answer)
    server.send(LAST_ANSWER if answer.close else ANSWER, answer.data)


def _is_decode(message: bytes) -> bool:
    """Return whether a call is decode, or check for decode."""
    request = dict(reversed(members(message)))
    method = request.get(b"method", b"null")
    if method != b'"check"':
        return method == b'"decode"'
    params = request.get(b"params", b"null")
    match json_type(params):
        case JsonType.ARRAY:
            checked = next(iter(elements(params)), b"null")
        case JsonType.OBJECT:
            checked = dict(reversed(members(params))).get(CHECKED.encode(), b"null")
        case _:
            return False
    return content(checked) == b"decode"


def _end_with(parent: int) -> None:
    """Have the system kill this process when its parent ends, even while it decodes a string."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before prctl
        sys.exit()


def _limit() -> None:
    os.nice(NICE)
    forbid_core_dumps()
    with suppress(ValueError, OSError):  # not every system limits this
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    main()
