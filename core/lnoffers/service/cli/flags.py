"""The options that `serve` and `call` share, as they stand on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lnoffers.service.errors import OptionsError
from lnoffers.service.options import NETWORKS, Options


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Options as text; `options` checks them."""

    lightning_dir: Annotated[Path, Parameter(help="The directory; each network has its own in it.")] = Path(
        "~/.lnoffers"
    )
    network: Annotated[str, Parameter(help=f"One of {', '.join(NETWORKS)}.")] = "bitcoin"
    rpc_file: Annotated[Path, Parameter(help="The socket; a relative path starts at the network's directory.")] = Path(
        "lightning-rpc"
    )
    db: Annotated[str | None, Parameter(help="URL of the store, instead of a file in the network's directory.")] = None
    developer: Annotated[bool, Parameter(help="Show the bad token in errors about parameters.", negative="")] = False
    dev_entropy: Annotated[
        str | None, Parameter(help="Hex to use, in order, instead of random bytes; for tests, never on bitcoin.")
    ] = None
    dev_time: Annotated[
        int | None, Parameter(help="Unix seconds to use instead of the time; for tests, never on bitcoin.")
    ] = None

    currency_rates: Annotated[
        Path | None,
        Parameter(help="JSON file with the price of one bitcoin in other currencies; read again when it changes."),
    ] = None
    payment_fronting_node: Annotated[
        tuple[str, ...],
        Parameter(
            help="Id of a node that all offers are to be reached by; may be repeated.", negative="", show_default=False
        ),
    ] = ()

    def options(self) -> Options:
        """The same, checked.

        Raises:
            OptionsError: if they cannot be used.
        """
        return Options(
            lightning_dir=self.lightning_dir,
            network=self.network,
            rpc_file=self.rpc_file,
            db=self.db,
            developer=self.developer,
            dev_entropy=None if self.dev_entropy is None else _bytes("--dev-entropy", self.dev_entropy),
            dev_time=self.dev_time,
            currency_rates=self.currency_rates,
            payment_fronting_nodes=tuple(
                _bytes("--payment-fronting-node", each) for each in self.payment_fronting_node
            ),
        )


def _bytes(option: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise OptionsError(f"{option} is not hex") from error
