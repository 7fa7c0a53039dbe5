"""The counter of payments in a file beside the store, alone or together with that of a backend.

It is the highest fence in the store. A backup of the store does not contain the file. So a store that is behind the
counter, or that has claims where there is none, was restored, and has forgotten what was paid since.

The file is written even if the backend keeps a counter of its own, because the next server may have another backend.
It is synced only if it is alone: otherwise it takes a power failure, a new backend and a restored backup together for
its last number to be missed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from typing import TYPE_CHECKING, Final

from lnoffers.service.files import open_regular, sync_directory
from lnoffers.service.payments.backend import BackendError
from lnoffers.service.store.sqlite import store_file

if TYPE_CHECKING:
    from lnoffers.service.options import Options
    from lnoffers.service.payments.backend import Witness

_DIGITS: Final = 20


def is_restored(last: int, count: int | None) -> bool:
    """Return whether a store whose last fence is `last` was restored, by the counter outside of it."""
    return last > 0 if count is None else count > last


class FileWitness:
    """The counter in the file beside the store. Threads and processes may use it at the same time."""

    def __init__(self, options: Options) -> None:
        store = store_file(options.db, options.store_file)
        self._file = store.with_name(f"{store.name}.fence")

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        return self.current()

    async def write(self, count: int) -> None:
        """Store the count durably, if it is higher."""
        await asyncio.to_thread(self.raise_to, count, synced=True)

    def current(self) -> int | None:
        """Return the count; None if there is none.

        Raises:
            BackendError: if the file cannot be read, or is damaged.
        """
        try:
            descriptor = open_regular(self._file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BackendError(f"cannot read {self._file}: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            return self._number(file.read(_DIGITS + 1))

    def raise_to(self, count: int, *, synced: bool) -> None:
        """Write the count, if it is higher; wait for the disk if `synced`.

        Raises:
            BackendError: if the file cannot be written, or is damaged.
        """
        is_new = synced and not self._file.exists()
        try:
            descriptor = open_regular(self._file, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                known = self._number(os.pread(descriptor, _DIGITS + 1, 0))
                if known is None or count > known:
                    os.pwrite(descriptor, b"%0*d\n" % (_DIGITS, count), 0)
                if synced:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                sync_directory(self._file.parent)
        except OSError as error:
            raise BackendError(f"cannot write {self._file}: {error.strerror}") from error

    def _number(self, text: bytes) -> int | None:
        if not text:
            return None
        if not text.rstrip(b"\n").isdigit():
            raise BackendError(f"{self._file} is damaged: it must contain a number. Remove it, to compare all payments")
        return int(text)


class BothWitnesses:
    """The counter of a backend, and the file."""

    def __init__(self, of_backend: Witness, file: FileWitness) -> None:
        self._of_backend = of_backend
        self._file = file
        self._written = -1

    async def read(self) -> int | None:
        """Return the higher count; None if there is none."""
        counts = (await self._of_backend.read(), self._file.current())
        return max((count for count in counts if count is not None), default=None)

    async def write(self, count: int) -> None:
        """Store the count durably with the backend, and in the file."""
        if count > self._written:
            await self._of_backend.write(count)
            self._file.raise_to(count, synced=False)
            self._written = max(self._written, count)
