"""Types of all notifications and hooks of the demo."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.scalars import Msat


@dataclass(kw_only=True, slots=True)
class TidingsNotification:
    __wire_names__ = (("log_", "log"),)

    do: str
    amount_msat: Msat | None = None
    log_: str | None = None


@dataclass(kw_only=True, slots=True)
class TidingsCall:
    method: str


@dataclass(kw_only=True, slots=True)
class TidingsHookRequest:
    do: str
    rpc_command: TidingsCall | None = None
    payload: str | None = None


@dataclass(kw_only=True, slots=True)
class TidingsHookResponse:
    result: str
    note: str | None = None
