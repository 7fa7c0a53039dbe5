"""The log of a server. A separate thread writes it, so clients do not wait if the log's reader stalls.

Lines that do not fit into the queue are dropped. As soon as lines can be written again, their number is logged.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.files import open_regular

QUEUED_LINES: Final = 1000
"""How many lines may wait for the reader."""
CLOSING_SECONDS: Final = 2.0
"""How long the end of a server waits for the last lines to be written."""


class Log(logging.Handler):
    """Appends lines to a file, or writes them to standard error. Any thread may log, and none waits for the reader.

    Raises:
        ServiceError: if the file cannot be opened.
    """

    def __init__(self, file: Path | None = None) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._file = file
        self._descriptor = _standard_error() if file is None else _open(file)
        self._lines: queue.Queue[bytes | None] = queue.Queue(QUEUED_LINES)
        self._reopening = False
        self._dropped = 0
        self._counting = Lock()
        self._thread = Thread(target=self._write_lines, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record, or drop it if the queue is full."""
        try:
            self._lines.put_nowait(self._line(record))
        except queue.Full:
            self._count(1)

    def reopen(self) -> None:
        """Open the file again before the next line is written, because it may have been renamed."""
        self._reopening = True
        with suppress(queue.Full):  # then other lines follow
            self._lines.put_nowait(b"")

    def close(self) -> None:
        """Write what is queued, unless the reader has stalled."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=CLOSING_SECONDS)
        self._thread.join(CLOSING_SECONDS)
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _warning(self, message: str) -> bytes:
        return self._line(logging.makeLogRecord({"levelno": logging.WARNING, "levelname": "WARNING", "msg": message}))

    def _count(self, dropped: int) -> None:
        with self._counting:
            self._dropped += dropped

    def _write_lines(self) -> None:
        """Write lines until the log is closed; the thread runs this."""
        while (line := self._lines.get()) is not None:
            if self._reopening:
                self._open_again()
            if not self._write(line):
                self._count(1)
            if self._lines.empty():
                self._report_dropped()
        self._report_dropped()

    def _report_dropped(self) -> None:
        dropped = self._dropped
        if dropped and self._write(
            self._warning(f"The log was not read fast enough, so lines were dropped: {dropped}")
        ):
            self._count(-dropped)

    def _open_again(self) -> None:
        self._reopening = False
        if self._file is None:
            return
        try:
            opened = _open(self._file)
        except ServiceError as error:
            self._write(self._warning(f"{error}. The log goes on in the file that was open."))
        else:
            os.close(self._descriptor)
            self._descriptor = opened

    def _write(self, line: bytes) -> bool:
        """Write a line, however long that takes; return False if the reader is gone or the disk is full."""
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            return False
        return True


@contextmanager
def logging_to(file: Path | None, level: str) -> Iterator[Log]:
    """Write log records of this level and above to a file, or to standard error, until the block ends.

    Raises:
        ServiceError: if the file cannot be opened.
    """
    log, root = Log(file), logging.getLogger()
    root.addHandler(log)
    root.setLevel(level.upper())
    try:
        yield log
    finally:
        root.removeHandler(log)
        log.close()


def _open(file: Path) -> int:
    try:
        return open_regular(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError as error:
        raise ServiceError(f"cannot open the log {file}: {error.strerror}") from error


def _standard_error() -> int:
    if sys.stderr is None:  # it is closed, and its descriptor may belong to another file now
        return os.open(os.devnull, os.O_WRONLY)
    return sys.stderr.fileno()
