"""Counts in the node's datastore, under keys with the id of this node.

One is the counter of payments, the witness of the store. The other one is the longest `--retry-for` that was ever used:
as long, calls of an earlier process may go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import ClientError, RpcError
from lnoffers.service.payments.backend import BackendError

if TYPE_CHECKING:
    from clnrpc import AsyncClient

_CHANGED: Final = frozenset({1202, 1203, 1204})
"""The codes of `datastore` if the value was created, removed or changed since it was read."""


PAYMENTS: Final = "payments"
LONGEST_RETRY: Final = "retry_for"


class NodeWitness:
    """A count of the node with `own_id` (33 bytes), in the datastore of the node that pays for it."""

    def __init__(self, client: AsyncClient, own_id: bytes, name: str = PAYMENTS) -> None:
        self._client = client
        self._key = ["lnoffers", own_id.hex(), name]
        self._name = f"the count {'/'.join(self._key)} in its datastore"

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        found = await self._read()
        return None if found is None else found[0]

    async def write(self, count: int) -> None:
        """Store the count durably, if it is higher."""
        while (found := await self._read()) is None or found[0] < count:
            try:
                await self._replace(count, None if found is None else found[1])
            except ClientError as error:
                raise BackendError(f"the node may not have stored {self._name}: {error}") from error
            except RpcError as error:
                if error.code not in _CHANGED:
                    raise BackendError(f"the node does not store {self._name}: {error}") from error

    async def _read(self) -> tuple[int, int] | None:
        """Return the count and its generation, a number that grows with each change."""
        try:
            rows = (await self._client.listdatastore(key=self._key)).datastore
        except (ClientError, RpcError) as error:
            raise BackendError(f"the node does not return {self._name}: {error}") from error
        for row in rows:
            if row.key == self._key and row.string is not None:
                if not row.string.isdecimal():
                    raise BackendError(f"{self._name} must be a number")
                return int(row.string), row.generation or 0
        return None

    async def _replace(self, count: int, generation: int | None) -> None:
        if generation is None:
            await self._client.datastore(self._key, string=str(count), mode="must-create")
        else:
            await self._client.datastore(self._key, string=str(count), mode="must-replace", generation=generation)
