"""The errors of the service have one base class."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import lnoffers.service
from clnrpc import RpcError
from lnoffers.service import ServiceError

STORE = "lnoffers.service.store."
"""Its callers handle what it raises; nobody else sees it."""


def errors() -> Iterator[type[BaseException]]:
    for found in pkgutil.walk_packages(lnoffers.service.__path__, f"{lnoffers.service.__name__}."):
        for _, kind in inspect.getmembers(import_module(found.name), inspect.isclass):
            if kind.__module__ == found.name and issubclass(kind, BaseException):
                yield kind


def test_every_error_is_a_service_error() -> None:
    outside = {kind for kind in errors() if not kind.__module__.startswith(STORE)}
    assert len(outside) > 5
    assert {kind for kind in outside if not issubclass(kind, ServiceError | RpcError)} == set()
