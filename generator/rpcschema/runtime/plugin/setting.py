"""Give a plugin its options, and change the dynamic ones when lightningd's `setconfig` does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from ..errors import GENERIC, INVALID_PARAMS, RpcError
from .options import OptionTable

SETCONFIG: Final = "setconfig"


class _Setting(msgspec.Struct):
    config: str
    val: Any = None
    """None for a flag, which is set."""


_decode: Final = msgspec.json.Decoder(_Setting).decode


class OptionSetter:
    """Replaces `plugin.rpc_options`; its values are never changed in place, so that methods see consistent ones.

    `report` is called with the name of a method that raised an unexpected exception, while it is handled.
    """

    def __init__(self, plugin: Any, table: OptionTable, report: Callable[[str], None]) -> None:
        self._plugin = plugin
        self._table = table
        self._report = report

    def fill(self, given: Mapping[str, Any]) -> None:
        """Take the values of `init`. Raises ValueError."""
        if self._table.defaults is not None:
            self._plugin.rpc_options = self._table.filled(given)

    def check(self, params: bytes) -> None:
        """Raise the RpcError with which `setconfig` would refuse a value."""
        self._changed(params)

    def change(self, params: bytes) -> Awaitable[bytes] | bytes:
        """Take a value of `setconfig`; return the result. Raises RpcError, and then nothing has changed."""
        changed = self._changed(params)
        before, self._plugin.rpc_options = self._plugin.rpc_options, changed
        try:
            pending = self._plugin.rpc_options_changed(before)
        except Exception as error:  # noqa: BLE001 # the author's code may raise anything
            raise self._undone(before, error) from None
        return b"{}" if pending is None else self._later(before, pending)

    async def _later(self, before: Any, pending: Awaitable[None]) -> bytes:
        try:
            await pending
        except Exception as error:  # noqa: BLE001
            raise self._undone(before, error) from None
        return b"{}"

    def _undone(self, before: Any, error: Exception) -> RpcError:
        self._plugin.rpc_options = before
        if isinstance(error, RpcError):
            return error
        self._report("rpc_options_changed")
        return RpcError(GENERIC, "rpc_options_changed failed, see the log")

    def _changed(self, params: bytes) -> Any:
        try:
            given = _decode(params)
            return self._table.changed(self._plugin.rpc_options, given.config, given.val)
        except (msgspec.DecodeError, ValueError) as error:
            raise RpcError(INVALID_PARAMS, str(error)) from None
