"""The clients for a Core Lightning node, and the checks before it is used."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import Final

from clnrpc import AsyncClient, RpcError, VersionWarning
from clnrpc.runtime.errors import CannotConnectError, ClientError
from lnoffers.service.payments.backend import BackendError

ANSWER_SECONDS: Final = 60.0
"""How long a call may take that does not wait for anything."""
OLDEST: Final = "v24.11"
"""The first release with `xpay`."""


class NodeClient:
    """The connections to the node whose socket is at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.quick = AsyncClient(path, timeout=ANSWER_SECONDS)
        """For calls that are answered at once."""
        self.patient = AsyncClient(path)
        """For calls that wait, such as for a payment."""

    async def check(self, own_id: bytes, network: str) -> str:
        """Return the node's id, in hex, if it can be used by the node with `own_id` (33 bytes) on this network.

        Raises:
            BackendError: if not; the message says why and what to do.
        """
        try:
            with warnings.catch_warnings():
                # Its version is asked for once, by the first call. Nodes of any release with xpay will do.
                warnings.simplefilter("ignore", VersionWarning)
                info = await self.quick.getinfo()
                await self.patient.getinfo()
            await self._check_commands(info.version)
            if bytes.fromhex(info.id) == own_id:
                raise BackendError(
                    f"the node at {self.path} has the same node id as this service ({info.id}), and each would sign "
                    "and receive for the other: give this service an hsm_secret of its own"
                )
            if info.network != network:
                raise BackendError(f"the node at {self.path} is on {info.network}, and this service on {network}")
            lag = info.warning_bitcoind_sync or info.warning_lightningd_sync
        except CannotConnectError as error:
            raise BackendError(self._why_not_connected(error)) from error
        except (ClientError, RpcError) as error:
            raise BackendError(f"the node at {self.path} cannot be used: {error}") from error
        if lag is not None:
            raise BackendError(f"the node at {self.path} is not ready, start again when it is: {lag}")
        return info.id

    async def _check_commands(self, version: str) -> None:
        try:
            await self.quick.rpc_call("help", {"command": "xpay"})
        except RpcError as error:
            raise BackendError(
                f"the node at {self.path} ({version}) has no command xpay: it must be Core Lightning {OLDEST} or "
                "later, with the plugin cln-xpay"
            ) from error

    def _why_not_connected(self, error: CannotConnectError) -> str:
        option = f"--backend cln:{self.path}"
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return f"{option}: there is no such socket. It is <lightning-dir>/<network>/lightning-rpc of a running node"
        except PermissionError:
            return f"{option}: this user may not use it. Run this service as the node's user, or in its group"
        except OSError as fault:
            return f"{option}: {fault.strerror}"
        if not stat.S_ISSOCK(mode):
            return f"{option}: this is not a socket. Give <lightning-dir>/<network>/lightning-rpc of the node"
        if not os.access(self.path, os.R_OK | os.W_OK):
            return f"{option}: this user may not use it. Run this service as the node's user, or in its group"
        return f"{option}: {error}"

    async def close(self) -> None:
        """Close all connections; calls that wait fail."""
        await self.quick.rpc_close()
        await self.patient.rpc_close()
