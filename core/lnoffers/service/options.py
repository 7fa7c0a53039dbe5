"""The options of a node, and the paths of its files, by Core Lightning's conventions.

All files of a network are in `<lightning-dir>/<network>/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lnoffers.service.clock import TIME_BITS
from lnoffers.service.errors import OptionsError

if TYPE_CHECKING:
    from lnoffers.fetching.dialing import Proxy
    from lnoffers.net.address import Address

NETWORKS: Final = ("bitcoin", "testnet", "testnet4", "signet", "regtest")
"""The networks of `lnoffers.bolt12`, repeated here because importing that is slow."""

PORTS: Final = {"bitcoin": 9735, "testnet": 19735, "testnet4": 49735, "signet": 39735, "regtest": 19846}
"""Network -> its default TCP port."""
REST_PORT: Final = 3010
"""The usual port of Core Lightning's clnrest."""
NO_BACKEND: Final = (
    "This offer cannot be paid: the service has no payment backend, which lnoffers serve gets with --backend, so its "
    "invoices cannot be paid, and it pays none"
)
"""The warning about an offer that was made on bitcoin without a backend."""
MAX_RETRY: Final = 3_600
"""The most seconds for which a payment is tried: as long, nobody can tell whether a lost one has failed."""
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a node, validated on construction.

    Raises:
        OptionsError: for an unknown network or log level, an impossible path, a time out of range, or test options on
            bitcoin.
    """

    lightning_dir: Path = Path("~/.lnoffers")
    network: str = "bitcoin"
    rpc_file: Path = Path("lightning-rpc")
    """The socket; relative to the network's directory."""
    pid_file: Path | None = None
    """The file that a server locks and writes its process id to; relative to `lightning_dir`.

    None means `lnoffers-<network>.pid`.
    """
    log_file: Path | None = None
    """The file that a server appends its log to; relative to the network's directory. None means standard error."""
    log_level: str = "info"
    """The lowest level that a server logs: one of `LOG_LEVELS`."""
    db: str | None = field(default=None, repr=False)
    """URL of the store, instead of the file in the network's directory. It may contain a password."""
    developer: bool = False
    """Show the offending token in error texts, as lightningd's `--developer` does."""
    dev_entropy: bytes | None = field(default=None, repr=False)
    """Bytes to use, in order, instead of random ones. Keys are made from them."""
    dev_time: int | None = None
    """The fixed time of the clock, in Unix seconds."""

    currency_rates: Path | None = None
    """The file of prices (`lnoffers.service.rates`). Without it no offer can be made in a currency."""
    rest: tuple[str, int] | None = None
    """The host and the TCP port at which a server answers REST."""
    rest_http: bool = False
    """Whether REST has no TLS; then its host must be a loopback address."""
    listen: tuple[tuple[str, int], ...] = ()
    """The hosts and TCP ports at which a server accepts connections of other nodes."""
    peers: tuple[Address, ...] = ()
    """The nodes that a server keeps a connection to."""
    keep_unpaid: int = 86_400
    """Seconds for which a server keeps an invoice that answered another node's request and expired unpaid."""
    backend: str = "none"
    """Who pays, and gets paid, for a server: NAME or NAME:ARGUMENT (`lnoffers.service.payments.finding`)."""
    max_payment_msat: int | None = None
    """The most that a server pays at once, without fees."""
    max_daily_msat: int | None = None
    """The most that a server pays in 24 hours, with fees."""
    max_fee_msat: int | None = None
    """The highest fee that a server pays for one payment."""
    retry_for: int = 60
    """For how many seconds the node of the backend `cln` tries to pay an invoice."""
    proxy: Proxy | None = None
    """The SOCKS5 proxy through which a server connects to other nodes."""
    via: tuple[Address, ...] = ()
    """Nodes that forward onion messages: a server keeps connected to them, asks them first to forward its requests, and
    is reached through them in new offers and requests."""
    payment_fronting_nodes: tuple[bytes, ...] = ()
    """The only nodes through which payers can reach this one: compressed points, 33 bytes each."""

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise OptionsError(f"unknown network {self.network!r}: it is one of {', '.join(NETWORKS)}")
        if self.log_level not in LOG_LEVELS:
            raise OptionsError(f"unknown log level {self.log_level!r}: it is one of {', '.join(LOG_LEVELS)}")
        for path in (self.lightning_dir, self.rpc_file, self.currency_rates, self.pid_file, self.log_file):
            if path is not None:
                _expanded(path)
        if self.injectable and self.network == "bitcoin":
            raise OptionsError("--dev-entropy and --dev-time make keys predictable and are refused on bitcoin")
        if self.dev_time is not None and self.dev_time >> TIME_BITS:
            raise OptionsError(f"--dev-time counts seconds since 1970, from 0 to 2^{TIME_BITS} - 1")
        if self.rest_http and self.rest is None:
            raise OptionsError("--rest-http needs an address: add --rest HOST:PORT, such as --rest 127.0.0.1:3010")
        if not 1 <= self.retry_for <= MAX_RETRY:
            raise OptionsError(f"--retry-for counts seconds, from 1 to {MAX_RETRY}")
        if not 0 <= self.keep_unpaid < 2**32:
            raise OptionsError("--keep-unpaid counts seconds, from 0 to 2^32 - 1")

    @property
    def injectable(self) -> bool:
        """Whether entropy or clock are injected. Then the command dev-inject exists too."""
        return self.dev_entropy is not None or self.dev_time is not None

    @property
    def base_dir(self) -> Path:
        """The directory that contains those of all networks, absolute."""
        return _expanded(self.lightning_dir).absolute()

    @property
    def network_dir(self) -> Path:
        """The directory of this network's files, absolute."""
        return self.base_dir / self.network

    @property
    def secret_file(self) -> Path:
        """The hsm_secret."""
        return self.network_dir / "hsm_secret"

    @property
    def socket(self) -> Path:
        """The path of the JSON-RPC socket, absolute."""
        return self.network_dir / _expanded(self.rpc_file)

    @property
    def lock_file(self) -> Path:
        """The pid file, absolute. Without `pid_file` it is named as lightningd names its own."""
        return self.base_dir / _expanded(self.pid_file or Path(f"lnoffers-{self.network}.pid"))

    @property
    def log(self) -> Path | None:
        """The file of the log, absolute; None for standard error."""
        return None if self.log_file is None else self.network_dir / _expanded(self.log_file)

    @property
    def rates_file(self) -> Path | None:
        """The file of rates, absolute."""
        return None if self.currency_rates is None else _expanded(self.currency_rates).absolute()

    @property
    def store_file(self) -> Path:
        """The file of the store, unless `db` names another."""
        return self.network_dir / "lnoffers.sqlite3"


def _expanded(path: Path) -> Path:
    if "\0" in str(path):
        raise OptionsError("a path cannot contain a NUL character")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise OptionsError(f"{path}: this home directory is unknown; give the full path") from error
