"""A node: its keys, store, entropy and clock."""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from types import TracebackType
from typing import Self

from lnoffers import emergency
from lnoffers.bolt12.curve import is_point
from lnoffers.bolt12.keys import NodeKeys
from lnoffers.runes import SECRET_NAME, Authority
from lnoffers.service.changes import Changes
from lnoffers.service.clock import Clock, FixedClock
from lnoffers.service.entropy import Entropy, InjectedEntropy
from lnoffers.service.errors import HOW_TO_MAKE, NoNodeError, OptionsError
from lnoffers.service.files import make_private_directory
from lnoffers.service.options import NO_BACKEND, Options
from lnoffers.service.rates import RateFile, RatesError
from lnoffers.service.secret import load_keys
from lnoffers.service.store import Identity, Store

logger = logging.getLogger(__name__)


class Node:
    """An open node; close it, or use it in a `with` statement. One thread uses it at a time."""

    def __init__(self, options: Options, keys: NodeKeys, store: Store, entropy: Entropy, clock: Clock) -> None:
        rates_file = options.rates_file
        self.options = options
        self.keys = keys
        self.store = store
        self.entropy = entropy
        self.clock = clock
        self.rates = None if rates_file is None else RateFile(rates_file)
        self.changes = Changes(store.version)
        self._has_warned = False

    @classmethod
    def open(cls, options: Options, *, make: bool = False) -> Self:
        """Open the node in the directory that `options` names.

        If there is none and `make` is true, make the directory and a new secret. A missing store is made if there is a
        secret.

        Raises:
            ServiceError: if that is not possible; the message says why and what to do.
        """
        for node_id in options.payment_fronting_nodes:
            if not is_point(node_id):
                raise OptionsError(f"--payment-fronting-node {node_id.hex()} is not a node id")
        entropy = Entropy() if options.dev_entropy is None else InjectedEntropy(options.dev_entropy)
        clock = Clock() if options.dev_time is None else FixedClock(options.dev_time)
        if make:
            make_private_directory(options.network_dir)
        # A store works only with its own secret, so a new secret is made only if there is no store yet. (The secret is
        # always made first.)
        is_new = not options.secret_file.exists() and (
            not options.network_dir.exists() or Store.is_new(options.db, options.store_file)
        )
        if is_new and not make:
            raise NoNodeError(f"there is no node in {options.network_dir}. {HOW_TO_MAKE}")
        keys = load_keys(options.secret_file, entropy if is_new else None)
        store = Store.open(options.db, options.store_file, Identity(options.network, keys.node_id))
        node = cls(options, keys, store, entropy, clock)
        node._warn_of_rates()
        return node

    def _warn_of_rates(self) -> None:
        try:
            if self.rates is not None:
                self.rates.refresh()
        except RatesError as error:
            logger.warning("%s. Offers in a currency are refused until this is fixed", error)

    def warn_of_no_backend(self) -> None:
        """Warn once, in the log and on standard error, that offers made on bitcoin cannot be paid without a backend."""
        if self.options.network != "bitcoin" or self.options.backend != "none" or self._has_warned:
            return
        self._has_warned = True
        logger.warning("%s", NO_BACKEND)
        if self.options.log_file is not None and sys.stderr is not None:
            print(f"lnoffers: {NO_BACKEND}", file=sys.stderr)

    def inject(self, entropy: bytes | None, time: int | None) -> None:
        """Replace the entropy and the time (Unix seconds); None keeps the present one."""
        if entropy is not None:
            self.entropy = InjectedEntropy(entropy)
        if time is not None:
            self.clock = FixedClock(time)
            self.changes.tell()  # the new time may be past the end of a wait

    @cached_property
    def authority(self) -> Authority:
        """Makes and verifies the runes of this node."""
        return Authority(self.keys.named_secret(SECRET_NAME))

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt recovery data of this node.

        Raises:
            SealedError: if it is of another node, or damaged.
        """
        return emergency.decrypt(sealed, self.keys.named_secret(emergency.SECRET_NAME))

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
