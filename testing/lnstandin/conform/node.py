"""A running node, asked over its socket."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from clnrpc import Client, RpcError, VersionWarning
from clnrpc.runtime.errors import INVALID_PARAMS, ClientError
from lnoffers.service.errors import ServiceError

SECONDS: Final = 60.0
"""How long one call may take."""
_UNKNOWN: Final = "unknown parameter: "
_MISSING: Final = "missing required parameter: "


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call: its result, or an error's code and message."""

    result: Any = None
    code: int | None = None
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is an error."""
        return self.code is not None

    @property
    def refused(self) -> bool:
        """Whether the parameters were refused."""
        return self.code == INVALID_PARAMS

    @property
    def unknown_parameter(self) -> str | None:
        """The parameter that the node does not know, if it says so."""
        return self.message.removeprefix(_UNKNOWN).partition(",")[0] if self.message.startswith(_UNKNOWN) else None

    @property
    def missing_parameter(self) -> str | None:
        """The parameter that is missing, if the node says so."""
        return self.message.removeprefix(_MISSING) if self.message.startswith(_MISSING) else None


class NodeError(ServiceError):
    """The node cannot be asked."""


class Node:
    """A node, by the path of its socket. Untyped calls only, as a typed one would hide what is looked for."""

    def __init__(self, socket: Path, *, seconds: float = SECONDS) -> None:
        self._socket = socket
        self._client = Client(socket, timeout=seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.rpc_close()

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Return the node's reply. Raises NodeError if there is none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionWarning)  # documents of any release can be compared
                return Reply(self._client.rpc_call(method, dict(params or {})))
        except RpcError as error:
            return Reply(code=error.code, message=error.message)
        except ClientError as error:
            raise NodeError(f"{self._socket}: no reply to {method}: {error}") from error

    def version(self) -> str:
        """Return its version, such as "v26.06.1". Raises NodeError."""
        reply = self.ask("getinfo")
        version = reply.result.get("version") if isinstance(reply.result, dict) else None
        if not isinstance(version, str):
            raise NodeError(f"{self._socket}: getinfo does not tell the version; is this a Core Lightning node?")
        return version

    def check(self, method: str, params: Mapping[str, Any]) -> Reply:
        """Return what the node says to these parameters without running the command."""
        return self.ask("check", {"command_to_check": method, **params})
