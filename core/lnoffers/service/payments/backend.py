"""What moves the money: the base class of all backends, and the values that they exchange with this service.

A backend is chosen by `--backend NAME` or `--backend NAME:ARGUMENT`. The entry point of that name in the group
`lnoffers.backends` is a function, `Factory`, that makes it. So other packages can add theirs.

A backend must hold three promises, on which "paid exactly once" rests:

1. To pay the same payment hash twice, one after the other or at the same time, moves the money at most once.
2. `Failed` is final: no earlier call for that payment hash can move money any more. Whatever else happens, a lost
   connection, an error without meaning, or silence, is `Uncertain`.
3. `Paid` has the preimage.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from lnoffers.service.errors import ServiceError

if TYPE_CHECKING:
    from lnoffers.bolt12 import BlindedPath, BlindedPayinfo, Invoice
    from lnoffers.service.node import Node
    from lnoffers.service.peers import Peers

GROUP: Final = "lnoffers.backends"
"""The group of entry points in which backends are found."""


class BackendError(ServiceError):
    """The backend cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The payee has the money."""

    preimage: bytes = field(repr=False)
    """32 bytes; its SHA256 is the payment hash."""
    sent_msat: int
    """The amount with fees."""


class FailureCode(IntEnum):
    """The kinds of failures, by the codes of Core Lightning's `xpay`."""

    REFUSED = 203
    """The payee refuses the payment for good."""
    NO_ROUTE = 205
    TOO_EXPENSIVE = 206
    """Each route costs more than the fee limit, or takes too long."""
    EXPIRED = 207
    """The invoice has expired."""
    OTHER = 209
    NOT_APPROVED = 213
    """The signer of the node that pays does not approve the payment."""
    TOO_LITTLE = 215
    """The channels of the node that pays cannot carry the amount."""
    TOO_SMALL = 220
    """The channels of the payee cannot carry the amount."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No money has moved, and none will."""

    reason: str
    """A sentence for the payee and the log, without a secret."""
    code: FailureCode = FailureCode.OTHER


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The money may have moved, or may still move."""

    reason: str
    """For the log."""


Outcome: TypeAlias = Paid | Failed | Uncertain


@dataclass(frozen=True, slots=True)
class Incoming:
    """A payment that this node wants to get."""

    payment_hash: bytes
    """32 bytes."""
    preimage: bytes = field(repr=False)
    """32 bytes."""
    amount_msat: int
    expiry: int
    """Seconds from now on in which it can be paid."""
    description: str


@dataclass(frozen=True, slots=True)
class Destination:
    """The end of a payment, as an invoice names it."""

    paths: Sequence[BlindedPath]
    """Best first."""
    payinfos: Sequence[BlindedPayinfo]
    """The fees and limits of each path."""


class Witness(Protocol):
    """A counter outside of the store. If it is ahead, the store was restored from a backup and has forgotten payments.

    Both methods raise BackendError if the counter cannot be reached.
    """

    async def read(self) -> int | None:
        """Return the count; None if there is none."""

    async def write(self, count: int) -> None:
        """Store the count durably; a lower one than before changes nothing."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a backend may use of the server that runs it."""

    node: Node
    """Its options and keys may be read in the event loop; its store may not."""
    peers: Peers
    received: Callable[[bytes, int, int], Awaitable[bytes | str]]
    """Record durably that a payment has arrived: payment hash (32 bytes), amount (msat), time (Unix seconds).

    Returns the preimage, 32 bytes, which a backend may need to take the payment; or why this node does not want it: it
    is for no invoice of this node, or one that has expired, or less than the invoice's amount or more than twice that.
    It may be called again for the same payment, with the same result. Raises RpcError if the store fails: then nobody
    knows."""
    settled: Callable[[bytes, int, int], Awaitable[bytes | str]]
    """The same for a payment that has been taken already: it is recorded even if the invoice has expired."""


class Backend(ABC):
    """Moves money. All methods run in the event loop; none may block it."""

    identity = ""
    """What distinguishes it from others of its kind, such as the id of its node; known once it has started. A payment
    is asked about only where it was begun."""
    pays = True
    """Whether it pays by itself. If not, invoices wait until somebody else pays them."""
    collects = False
    """Whether it has to prepare each payment to this node, with `receive`."""

    async def start(self) -> None:  # noqa: B027 # most have nothing to do
        """Begin to work, and to watch for incoming payments.

        Raises:
            BackendError: if it cannot be used.
        """

    @abstractmethod
    async def pay(self, invoice: Invoice, /) -> Outcome:
        """Pay an invoice that was verified. May take minutes."""

    @abstractmethod
    async def find(self, invoice: Invoice, /) -> Outcome:
        """Return what is known of an invoice that an earlier call may have paid; the caller asks again if uncertain."""

    @abstractmethod
    def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        """Return all payments of BOLT 12 invoices that it knows of, except those that failed.

        Raises:
            BackendError: if it cannot tell.
        """

    async def receive(self, incoming: Incoming) -> Destination:
        """Prepare to get a payment, and return where it is paid to. Called only if `collects`.

        Raises:
            BackendError: if it cannot be prepared.
        """
        raise NotImplementedError

    def fee_limit(self, amount_msat: int) -> int:  # noqa: ARG002 # most have no fees
        """Return the highest fee, in millisatoshi, of a payment of this amount."""
        return 0

    async def forget(self, payment_hash: bytes) -> None:  # noqa: B027 # the same
        """Do not wait for an incoming payment (its hash, 32 bytes) any more, if that is still possible."""

    def witness(self) -> Witness | None:
        """Return the counter that it keeps for this node; None if it keeps none."""
        return None

    async def close(self) -> None:  # noqa: B027 # the same
        """Stop watching. What is being paid goes on."""


Factory: TypeAlias = Callable[[str, Host], Backend]
"""Makes a backend from the text after its name and a colon, which may be empty, and the server. Raises BackendError."""
