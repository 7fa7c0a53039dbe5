"""offer, listoffers, disableoffer and enableoffer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, RpcError, unknown_command
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken
from lnoffers.bolt12 import CHAINS, Bolt12Error, Offer
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import (
    NO_RATE,
    OFFER_ALREADY_DISABLED,
    OFFER_ALREADY_ENABLED,
    OFFER_ALREADY_EXISTS,
    OFFER_USED_SINGLE_USE,
)
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.commands.records import Shown, shown
from lnoffers.service.entropy import EntropyError
from lnoffers.service.message_paths import PathKeyError, fronts, message_paths, ways_through
from lnoffers.service.offer_terms import terms_of
from lnoffers.service.rates import RatesError
from lnoffers.service.status import TRANSITIONS, Status, StatusChange
from lnoffers.service.store import invoices, offers
from lnoffers.service.store.offers import StoredOffer

if TYPE_CHECKING:
    from clnrpc.runtime.server.stubs import Reply
    from lnoffers.service.store import Connection


class OfferCommands(Commands):
    """offer, listoffers, disableoffer, enableoffer."""

    def offer(self, request: types.OfferRequest) -> types.OfferResponse:
        """Create and store an offer, or return the stored one that is the same."""
        fronting = self._fronting_nodes(request)
        offer = self._offer(request)
        if request.dev_paths is not None:
            offer = self._with_paths(offer, self._ways(request))
        elif fronting:
            offer = self._with_paths(offer, ways_through(self._node, fronting))
        status = Status.created(single_use=request.single_use)
        new = StoredOffer(
            offer.offer_id, offer.encode(), request.label, status, bool(fronting), offer.offer_description
        )
        with self._transaction() as connection:
            earlier = offers.add(connection, new)
        stored = earlier or new
        if Status.ACTIVE not in stored.status:
            raise RpcError(OFFER_ALREADY_EXISTS, "Already exists, but isn't active")
        self._node.warn_of_no_backend()
        return types.OfferResponse(**_shown(stored), created=earlier is None)

    def listoffers(self, request: types.ListoffersRequest) -> Reply[types.ListoffersResponse]:
        """Return the stored offers, by ascending id."""
        offer_id = None if request.offer_id is None else bytes.fromhex(request.offer_id)

        def read(last: StoredOffer | None, limit: int) -> Sequence[StoredOffer]:
            with self._transaction(writes=False) as connection:
                return offers.find(
                    connection,
                    offer_id,
                    active_only=request.active_only,
                    after=None if last is None else last.offer_id,
                    limit=limit,
                )

        def respond(found: Sequence[StoredOffer]) -> types.ListoffersResponse:
            return types.ListoffersResponse(
                offers=[types.ListoffersOffer(**_shown(stored), description=stored.description) for stored in found]
            )

        return in_pages(read, respond)

    def disableoffer(self, request: types.DisableofferRequest) -> types.DisableofferResponse:
        """Disable an active offer and expire its unpaid invoices."""
        offer_id = bytes.fromhex(request.offer_id)
        with self._transaction() as connection:
            stored = offers.apply(connection, offer_id, StatusChange.DISABLED)
            if stored is None:
                raise _not_disabled(connection, offer_id)
            invoices.expire_of_offer(connection, offer_id)
        self._node.changes.tell()
        return types.DisableofferResponse(**_shown(stored), description=stored.description)

    def enableoffer(self, request: types.EnableofferRequest) -> types.EnableofferResponse:
        """Enable a disabled offer."""
        offer_id = bytes.fromhex(request.offer_id)
        with self._transaction() as connection:
            stored = offers.apply(connection, offer_id, StatusChange.ENABLED)
            if stored is None:
                raise _not_enabled(connection, offer_id)
        return types.EnableofferResponse(**_shown(stored), description=stored.description)

    def rpc_check_offer(self, request: types.OfferRequest) -> None:
        """Check that the parameters go together; lightningd checks no more either."""
        terms_of(request)

    def rpc_check_disableoffer(self, request: types.DisableofferRequest) -> None:
        """Check that the offer exists and can be disabled."""
        self._check_event(bytes.fromhex(request.offer_id), StatusChange.DISABLED, _not_disabled)

    def rpc_check_enableoffer(self, request: types.EnableofferRequest) -> None:
        """Check that the offer exists and can be enabled."""
        self._check_event(bytes.fromhex(request.offer_id), StatusChange.ENABLED, _not_enabled)

    def _check_event(
        self, offer_id: bytes, event: StatusChange, refusal: Callable[[Connection, bytes], RpcError]
    ) -> None:
        with self._transaction(writes=False) as connection:
            found = offers.find(connection, offer_id)
            if not found or found[0].status not in TRANSITIONS[event]:
                raise refusal(connection, offer_id)

    def _offer(self, request: types.OfferRequest) -> Offer:
        """Return the offer without paths."""
        terms = terms_of(request)
        if terms["offer_currency"] is not None:
            self._require_rate(terms["offer_currency"])
        try:
            offer = Offer.build(
                **terms, offer_issuer_id=self._node.keys.node_id, offer_chains=(CHAINS[self._node.options.network],)
            )
        except Bolt12Error as error:
            raise BadParameter("bolt12", BadToken(str(error))) from error
        self._check_size(offer)
        return offer

    def _require_rate(self, currency: str) -> None:
        """Raise RpcError if this node has no rate for the currency: the offer would be of no use."""
        rates = self._node.rates
        if rates is None:
            raise unknown_command("currencyconvert")  # whose plugin lightningd asks
        try:
            if rates.price(currency) is None:
                raise RpcError(NO_RATE, f"Error converting currency: No rates available for `{currency}`")
        except RatesError as error:
            raise RpcError(GENERIC, str(error)) from error

    def _fronting_nodes(self, request: types.OfferRequest) -> Sequence[bytes]:
        if request.fronting_nodes is None:
            return fronts(self._node)
        return [bytes.fromhex(node_id) for node_id in request.fronting_nodes]

    def _ways(self, request: types.OfferRequest) -> Sequence[Sequence[bytes]]:
        """Return the nodes of the paths that a test asks for."""
        ways = [[bytes.fromhex(node_id) for node_id in path] for path in request.dev_paths or ()]
        if any(way[-1] != self._node.keys.node_id for way in ways):
            raise BadParameter("dev_paths", BadToken("final pubkey must be this node"))
        return ways

    def _with_paths(self, offer: Offer, ways: Sequence[Sequence[bytes]]) -> Offer:
        """Return the offer with a blinded path along each of these lists of nodes, which end at this node."""
        entropy = self._node.entropy
        before = entropy.mark()
        try:
            paths = message_paths(self._node, ways, offer.offer_id)
        except (EntropyError, PathKeyError) as error:
            raise RpcError(GENERIC, str(error)) from error
        offer = offer.with_paths(paths)
        try:
            self._check_size(offer)
        except RpcError:
            entropy.reset(before)
            raise
        return offer


def _not_disabled(connection: Connection, offer_id: bytes) -> RpcError:
    if offers.find(connection, offer_id):
        return RpcError(OFFER_ALREADY_DISABLED, "offer is not active")
    return RpcError(GENERIC, "Unknown offer")


def _not_enabled(connection: Connection, offer_id: bytes) -> RpcError:
    match offers.find(connection, offer_id):
        case [known] if Status.ACTIVE in known.status:
            return RpcError(OFFER_ALREADY_ENABLED, "offer already active")
        case [_]:
            return RpcError(OFFER_USED_SINGLE_USE, "cannot activate an used single use offer")
    return RpcError(GENERIC, "Unknown offer")


class _Shown(Shown):
    offer_id: str
    force_paths: bool


def _shown(stored: StoredOffer) -> _Shown:
    return _Shown(**shown(stored), offer_id=stored.offer_id.hex(), force_paths=stored.force_paths)
