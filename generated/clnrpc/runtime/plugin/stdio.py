"""stdin and stdout for a protocol only, whatever else the process and its children read and print."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Final

_STDIN, _STDOUT, _STDERR = range(3)
CHUNK: Final = 1 << 16
"""Bytes to read at once: the size of a pipe."""


@contextmanager
def own_streams() -> Generator[tuple[int, int]]:
    """Yield the file descriptors of stdin and stdout, which the process gets back afterwards.

    In between, stdin is empty and printed text goes to stderr, also from C libraries and child processes, and including
    what is still in the buffer of `print`.
    """
    source, sink = os.dup(_STDIN), os.dup(_STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)
    sys.stdout.flush()
    try:
        with redirect_stdout(sys.stderr):  # which is not buffered
            yield source, sink
    finally:
        sys.stdout.flush()
        os.dup2(source, _STDIN)
        os.dup2(sink, _STDOUT)
        os.close(source)
        os.close(sink)


def read_chunks(descriptor: int) -> Iterator[bytes]:
    """Yield what arrives, until the other side closes."""
    while chunk := os.read(descriptor, CHUNK):
        yield chunk


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`. Raises BrokenPipeError if the other side has closed."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
