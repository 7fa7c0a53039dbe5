"""Commands that the mock carries out unless a rule answers them: those about the node itself and its commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from clnrpc.runtime.errors import RpcError, unknown_command
from clnrpc.runtime.server.bind import without_first
from lnstandin.mock.rules import Params

if TYPE_CHECKING:
    from lnstandin.mock.core import Caller, Standin

Carrier: TypeAlias = "Callable[[Standin, Params, bytes, Caller], dict[str, Any]]"


def _getinfo(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer getinfo: the id is always the same, and the version that of the release."""
    return mock.default("getinfo", given) | {"id": mock.node_id, "version": mock.release, "network": "regtest"}


def _help(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer help: the usage of one command, or of all, those of plugins included."""
    names = [*mock.documents.commands, *mock.undocumented]
    asked = given.get("command")
    if asked is not None and asked not in names:
        raise RpcError(unknown_command(str(asked)).code, f"Unknown command {str(asked)!r}")
    usages = [_usage(mock, name) for name in sorted(names) if asked in (None, name)]
    return {"help": [{"command": usage} for usage in usages], "format-hint": "simple"}


def _usage(mock: Standin, name: str) -> str:
    known = mock.undocumented.get(name)
    return mock.command(name).usage if known is None else f"{name} {known}"


def _check(mock: Standin, given: Params, params: bytes, _: Caller) -> dict[str, Any]:
    """Answer check: read the parameters of the other command."""
    checked = str(given["command_to_check"])
    mock.read(checked, without_first(params, "command_to_check"))
    return {"command_to_check": checked}


def _notifications(_: Standin, given: Params, __: bytes, caller: Caller) -> dict[str, Any]:
    """Answer notifications: from now on the connection gets those about its own calls, or not."""
    caller.has_notifications = bool(given["enable"])
    return {}


ANSWERS: Final[Mapping[str, Carrier]] = {
    "check": _check,
    "getinfo": _getinfo,
    "help": _help,
    "notifications": _notifications,
}
