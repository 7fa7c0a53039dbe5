"""The commands: the generated stubs of `clnrpc.Service`, filled in with BOLT 12 and the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from clnrpc.commands import COMMANDS, RELEASE
from clnrpc.runtime.decode import decode as as_response
from clnrpc.runtime.encode import encode
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, METHOD_NOT_FOUND, RpcError, unknown_command
from clnrpc.runtime.stubs import is_filled
from clnrpc.service import Service
from clnrpc.types import (
    DecodeResponse,
    DevInjectResponse,
    DisableinvoicerequestResponse,
    GetinfoResponse,
    GetinfoResponseBinding,
    GetinfoResponseOurFeatures,
    HelpResponse,
    HelpResponseHelp,
    InvoicerequestResponse,
    ListinvoicerequestsResponse,
    ListinvoicerequestsResponseInvoicerequests,
    NotificationsResponse,
    StopResponse,
)
from lnoffers.bolt12 import CHAINS, Bolt12Error, InvoiceRequest
from lnoffers.emergency import SealedError
from lnoffers.service.decoding import UnreadableError, decode
from lnoffers.service.entropy import EntropyError
from lnoffers.service.errors import StoreError
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.status import Event, Status
from lnoffers.service.store import invoicerequests
from lnoffers.service.store.invoicerequests import DuplicateError, StoredRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from clnrpc.runtime.command import Command
    from clnrpc.types import (
        DecodeRequest,
        DevInjectRequest,
        DisableinvoicerequestRequest,
        GetinfoRequest,
        HelpRequest,
        InvoicerequestRequest,
        ListinvoicerequestsRequest,
        NotificationsRequest,
        StopRequest,
    )

OFFER_ALREADY_DISABLED: Final = 1001
"""Core Lightning's code (common/jsonrpc_errors.h), for requests too."""
METADATA_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Served:
    """What a server tells the service about itself."""

    socket: Path
    stop: Callable[[], None]


def available(options: Options) -> Mapping[str, Command]:
    """The commands that exist for a service run like this, by name; dev-inject only where something is injected."""
    return {
        name: command
        for name, command in COMMANDS.items()
        if is_filled(OffersService, command.method) and (options.injectable or name != "dev-inject")
    }


class OffersService(Service):
    """The service of one node. Call its methods with typed requests, or let a dispatcher or server call them.

    A call that comes alone is durable when its method returns; within `node.store.group()`, when that is left.
    """

    def __init__(self, node: Node, served: Served | None = None) -> None:
        self._node = node
        self._served = served

    @property
    def rpc_commands(self) -> Mapping[str, Command]:
        """The commands that exist here, by name."""
        return available(self._node.options)

    def invoicerequest(self, request: InvoicerequestRequest) -> InvoicerequestResponse:
        """Make, sign and store an invoice_request that answers no offer; the payer it names is the node itself."""
        if request.amount <= 0:
            raise RpcError(INVALID_PARAMS, "amount: must be positive")
        signed = self._sign(request)
        status = Status.created(single_use=request.single_use)
        stored = StoredRequest(signed.invreq_id, signed.encode(), request.label, status)
        with self._transaction() as connection:
            try:
                invoicerequests.add(connection, stored)
            except DuplicateError as error:
                raise RpcError(GENERIC, "Could not create invoice_request!") from error
        return InvoicerequestResponse(**_shown(stored))

    def listinvoicerequests(self, request: ListinvoicerequestsRequest) -> ListinvoicerequestsResponse:
        """The stored requests, by ascending id."""
        invreq_id = None if request.invreq_id is None else bytes.fromhex(request.invreq_id)
        with self._transaction(writes=False) as connection:
            found = invoicerequests.find(connection, invreq_id=invreq_id, active_only=request.active_only)
        return ListinvoicerequestsResponse(
            invoicerequests=[ListinvoicerequestsResponseInvoicerequests(**_shown(stored)) for stored in found]
        )

    def disableinvoicerequest(self, request: DisableinvoicerequestRequest) -> DisableinvoicerequestResponse:
        """Make an active request inactive, for good."""
        invreq_id = bytes.fromhex(request.invreq_id)
        with self._transaction() as connection:
            stored = invoicerequests.apply(connection, invreq_id, Event.DISABLED)
            if stored is None:
                if invoicerequests.find(connection, invreq_id=invreq_id):
                    raise RpcError(OFFER_ALREADY_DISABLED, "invoice_request is not active")
                raise RpcError(GENERIC, "Unknown invoice_request")
        return DisableinvoicerequestResponse(**_shown(stored))

    def decode(self, request: DecodeRequest) -> DecodeResponse:
        """Take a string apart."""
        node = self._node
        try:
            found = decode(request.string, now=node.clock.now(), named_secret=node.keys.named_secret)
        except UnreadableError as error:
            token = f"'\"{request.string}\"'" if node.options.developer else "(see logs for details)"
            raise RpcError(INVALID_PARAMS, f"string: {error}: invalid token {token}") from error
        except SealedError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from error
        answer: DecodeResponse = as_response(DecodeResponse, encode(found))
        return answer

    def getinfo(self, request: GetinfoRequest) -> GetinfoResponse:  # noqa: ARG002
        """Who this node is; whatever speaks of peers, channels and blocks is zero or empty."""
        options, node_id = self._node.options, self._node.keys.node_id.hex()
        local = [] if self._served is None else [_path_text(self._served.socket)]
        return GetinfoResponse(
            id=node_id,
            alias="lnoffers",
            color=node_id[:6],
            num_peers=0,
            num_pending_channels=0,
            num_active_channels=0,
            num_inactive_channels=0,
            address=[],
            binding=[GetinfoResponseBinding(type="local socket", socket=path) for path in local],
            version=_version(),
            blockheight=0,
            network=options.network,
            fees_collected_msat=0,
            lightning_dir=_path_text(options.network_dir),
            our_features=GetinfoResponseOurFeatures(init="", node="", channel="", invoice=""),
        )

    def help(self, request: HelpRequest) -> HelpResponse:
        """How each command, or the one asked for, is called."""
        commands = self.rpc_commands
        if request.command is None:
            names = sorted(commands)
        elif request.command in commands:
            names = [request.command]
        else:
            raise RpcError(METHOD_NOT_FOUND, f"Unknown command {request.command}")
        return HelpResponse(
            help=[HelpResponseHelp(command=commands[name].usage) for name in names], format_hint="simple"
        )

    def notifications(self, request: NotificationsRequest) -> NotificationsResponse:  # noqa: ARG002
        """Agree to send or not to send notifications: this service has none, so there is nothing to remember."""
        return NotificationsResponse()

    def stop(self, request: StopRequest) -> StopResponse:  # noqa: ARG002
        """End the server, which sends this answer as its last."""
        if self._served is None:
            raise RpcError(GENERIC, "No server is running, so there is nothing to stop")
        self._served.stop()
        return StopResponse(result="Shutdown complete")

    def dev_inject(self, request: DevInjectRequest) -> DevInjectResponse:
        """Replace the injected entropy and clock."""
        if not self._node.options.injectable:
            raise unknown_command("dev-inject")
        entropy = None if request.entropy is None else bytes.fromhex(request.entropy)
        self._node.inject(entropy, request.time)
        return DevInjectResponse()

    def _sign(self, request: InvoicerequestRequest) -> InvoiceRequest:
        node = self._node
        build = partial(
            InvoiceRequest.without_offer,
            invreq_payer_id=node.keys.node_id,
            invreq_amount=request.amount,
            invreq_chain=CHAINS[node.options.network],
            offer_description=request.description,
            offer_issuer=request.issuer,
            offer_absolute_expiry=request.absolute_expiry,
        )
        try:
            build(invreq_metadata=bytes(METADATA_BYTES))  # a call that is refused must not draw
            return build(invreq_metadata=node.entropy.draw(METADATA_BYTES)).sign(node.keys.node_signer)
        except EntropyError as error:
            raise RpcError(GENERIC, str(error)) from error
        except Bolt12Error as error:
            # It begins with the field, whose name without its prefix is the parameter's.
            why = str(error).removeprefix("offer_").removeprefix("invreq_")
            raise RpcError(INVALID_PARAMS, why) from error

    @contextmanager
    def _transaction(self, *, writes: bool = True) -> Iterator[Connection]:
        """A transaction of the store, whose failure is an error answer."""
        try:
            with self._node.store.transaction(writes=writes) as connection:
                yield connection
        except StoreError as error:
            raise RpcError(GENERIC, str(error)) from error


@cache
def _version() -> str:
    """The release of Core Lightning whose contract this is, where clients look for it, and then our own."""
    from importlib.metadata import version  # noqa: PLC0415 # slow to load, and only getinfo asks

    return f"{RELEASE}-lnoffers-{version('clnrpc')}"


def _path_text(path: Path) -> str:
    """A path as JSON can carry it: its bytes need not be UTF-8."""
    return os.fsencode(path).decode(errors="replace")


class _Shown(TypedDict):
    """What is told of a stored request, whichever command asks."""

    invreq_id: str
    active: bool
    single_use: bool
    bolt12: str
    used: bool
    label: str | None


def _shown(stored: StoredRequest) -> _Shown:
    return _Shown(
        invreq_id=stored.invreq_id.hex(),
        active=Status.ACTIVE in stored.status,
        single_use=Status.SINGLE_USE in stored.status,
        bolt12=stored.bolt12,
        used=Status.USED in stored.status,
        label=stored.label,
    )
