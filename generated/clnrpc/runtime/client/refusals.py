"""Give an error response the class and the outcome that the package has for its code."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from ..errors import Outcome, RpcError


def named(package: str, error: RpcError) -> RpcError:
    """Return `error` as an instance of the class of its code in `<package>.errors`, with its outcome.

    A code that the package does not name stays an RpcError.
    """
    errors = _load_errors(package)
    if errors is None:
        return error
    kind = errors.ERRORS.get(error.code, RpcError)
    of_any_command = errors.OUTCOMES.get(("", error.code), Outcome.UNKNOWN)
    outcome = errors.OUTCOMES.get((error.method, error.code), of_any_command)
    found: RpcError = kind(error.code, error.message, error.data, method=error.method, outcome=outcome)
    return found


@cache
def _load_errors(package: str) -> Any:
    """Return the module `<package>.errors`, which is imported with the first error; None if the package has none."""
    name = f"{package}.errors"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # the module exists, and lacks something itself
        return None
