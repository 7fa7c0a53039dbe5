"""Copying a store, whether or not a server uses it. That changes nothing in it, and keeps nobody waiting."""

from __future__ import annotations

from pathlib import Path

from lnoffers.service.errors import StoreError
from lnoffers.service.files import whole_file
from lnoffers.service.store.migrations import version_of
from lnoffers.service.store.sqlite import copy, store_file
from lnoffers.service.store.store import NO_STORE, naming, read_only


def back_up(db: str | None, default: Path, target: Path) -> None:
    """Copy the store that the URL `db` names, or the file `default`, as it is at this moment, to a new file.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or the copy cannot be made; then there is no file.
    """
    file = store_file(db, default)
    with naming(file), read_only(file) as connection:
        if version_of(connection) == 0:
            raise StoreError(NO_STORE)
    try:
        with whole_file(target) as made, naming(target):
            copy(file, made)
            with read_only(made) as connection:
                if found := connection.damages():
                    raise StoreError(f"the copy is damaged, as the store may be ({found[0]}): see lnoffers check-store")
    except FileExistsError as error:
        raise StoreError(f"{target} exists: choose another name, or move it away") from error
    except OSError as error:
        raise StoreError(f"cannot make {target}: {error.strerror}") from error
