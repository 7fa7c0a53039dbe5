"""The errors of the service have one base class."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import lnoffers.service
from clnrpc import RpcError
from lnoffers.service import ServiceError


def errors() -> Iterator[type[BaseException]]:
    for found in pkgutil.walk_packages(lnoffers.service.__path__, f"{lnoffers.service.__name__}."):
        for _, kind in inspect.getmembers(import_module(found.name), inspect.isclass):
            if kind.__module__ == found.name and issubclass(kind, BaseException):
                yield kind


def test_every_error_is_a_service_error() -> None:
    found = {*errors()}
    assert len(found) > 5
    assert {kind for kind in found if not issubclass(kind, ServiceError | RpcError)} == set()
