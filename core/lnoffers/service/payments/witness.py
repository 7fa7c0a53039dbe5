"""The counter beside the store, for backends that keep none: the highest fence of a claim, in a file of its own.

A backup of the store does not contain it. So a store that is behind it, or that has claims where there is no such file,
was restored, and has forgotten what was paid since.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from lnoffers.service.files import open_regular, sync_directory
from lnoffers.service.payments.backend import BackendError


class FileWitness:
    """The counter in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        return await asyncio.to_thread(self._read)

    async def write(self, count: int) -> None:
        """Store the count durably, if it is higher."""
        await asyncio.to_thread(self._write, count)

    def _read(self) -> int | None:
        try:
            descriptor = open_regular(self._file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BackendError(f"cannot read {self._file}: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(32)
        if not text.rstrip(b"\n").isdigit():
            raise BackendError(f"{self._file} is damaged: it must contain a number. Remove it, to compare all payments")
        return int(text)

    def _write(self, count: int) -> None:
        if count <= (self._read() or 0):
            return
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            descriptor = open_regular(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            with os.fdopen(descriptor, "wb") as file:
                file.write(b"%d\n" % count)
                file.flush()
                os.fsync(descriptor)
            new.replace(self._file)
            sync_directory(self._file.parent)
        except OSError as error:
            raise BackendError(f"cannot write {self._file}: {error.strerror}") from error
