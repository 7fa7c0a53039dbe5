"""Find the backend that `--backend` names, in the entry points of the installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final

from lnoffers.service.payments.backend import GROUP, BackendError

if TYPE_CHECKING:
    from lnoffers.service.payments.backend import Backend, Factory, Host

DEFAULT: Final = "none"
_EXTRAS: Final = {"play": "pip install 'clnrpc[testing]'"}
"""Backends of this project that are in packages of their own, and how to install them."""


def find(text: str) -> tuple[Factory, str]:
    """Return the function that makes the backend in NAME or NAME:ARGUMENT, and the argument.

    Raises:
        BackendError: if there is none of that name, or it cannot be imported.
    """
    name, _, argument = text.partition(":")
    found = _installed()
    how = f". Install it: {_EXTRAS[name]}" if name in _EXTRAS else ""
    if name not in found:
        raise BackendError(f"there is no payment backend {name!r}; installed are {', '.join(sorted(found))}{how}")
    try:
        factory: Factory = found[name].load()
    except (ImportError, AttributeError) as error:
        raise BackendError(f"the payment backend {name!r} cannot be loaded: {error}{how}") from error
    return factory, argument


@cache
def _installed() -> Mapping[str, EntryPoint]:
    """Return the entry points by name. To read those of all packages takes as long as opening a store."""
    return {each.name: each for each in entry_points(group=GROUP)}


def make(text: str, host: Host) -> Backend:
    """Return the backend in NAME or NAME:ARGUMENT.

    Raises:
        BackendError: as `find` does, or if the backend refuses the argument.
    """
    factory, argument = find(text)
    return factory(argument, host)
