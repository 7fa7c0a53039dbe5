"""Which server pays: each has a name, and a lock on a file of that name for as long as its process lives.

The lock is the kernel's. So when a server ends, however it ends, the others see that its claims have no owner any more.
A server that is only slow keeps them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from lnoffers.service.errors import ServiceError
from lnoffers.service.files import make_private_directory, open_regular

NAME_BYTES: Final = 8


class Owner:
    """This server among those that pay from one store."""

    def __init__(self, folder: Path, name: str, descriptor: int) -> None:
        self.name = name
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def enter(cls, folder: Path) -> Self:
        """Take a new name, and lock its file in the folder, which all servers of a store share.

        Raises:
            ServiceError: if that is not possible.
        """
        make_private_directory(folder)
        name = secrets.token_hex(NAME_BYTES)
        try:
            descriptor = open_regular(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServiceError(f"cannot make a lock in {folder}: {error.strerror}") from error
        owner = cls(folder, name, descriptor)
        for file in [*folder.iterdir()]:
            owner.has_ended(file.name)  # which removes what servers that were killed have left
        return owner

    def has_ended(self, other: str) -> bool:
        """Return whether the server of this name has ended. Its file is removed then.

        Raises:
            ServiceError: if that cannot be seen.
        """
        if other == self.name:
            return False
        file = self._folder / Path(other).name
        try:
            descriptor = open_regular(file, os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError as error:
            raise ServiceError(f"cannot see whether another server holds {file}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            with suppress(FileNotFoundError):
                file.unlink()
            return True
        finally:
            os.close(descriptor)

    def leave(self) -> None:
        """Give up the name; whoever looks takes over what is left of its claims."""
        with suppress(FileNotFoundError):
            (self._folder / self.name).unlink()
        os.close(self._descriptor)
