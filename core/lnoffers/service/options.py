"""Where a service keeps its files and how it is run, in Core Lightning's conventions.

The layout is Core Lightning's: everything of one network lies in `<lightning-dir>/<network>/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lnoffers.service.clock import TIME_BITS
from lnoffers.service.errors import OptionsError

NETWORKS: Final = ("bitcoin", "testnet", "testnet4", "signet", "regtest")
"""The networks of `lnoffers.bolt12`, named here so that reading options costs no import of it."""

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a service is run; checked when made.

    Raises:
        OptionsError: for an unknown network or level, a path that cannot be, a time out of range, or test options on
            bitcoin.
    """

    lightning_dir: Path = Path("~/.lnoffers")
    network: str = "bitcoin"
    rpc_file: Path = Path("lightning-rpc")
    """The socket; a relative path starts at the network's directory."""
    pid_file: Path | None = None
    """What a server locks and writes its process id to, other than `lnoffers-<network>.pid`; a relative path starts at
    the directory over those of all networks."""
    log_file: Path | None = None
    """The file that a server appends its log to, instead of writing it to standard error; a relative path starts at the
    network's directory."""
    log_level: str = "info"
    """The least that a server logs: one of `LOG_LEVELS`."""
    db: str | None = field(default=None, repr=False)
    """URL of the store, instead of the file in the network's directory; it may hold a password."""
    developer: bool = False
    """Show the offending token in error texts, as lightningd's `--developer` does."""
    dev_entropy: bytes | None = field(default=None, repr=False)
    """Bytes to serve, in order, instead of the operating system's randomness: they decide keys."""
    dev_time: int | None = None
    """What the clock shows, in unix seconds, instead of the time."""

    currency_rates: Path | None = None
    """The file of `lnoffers.service.rates`; without it no offer can be made in a currency."""
    payment_fronting_nodes: tuple[bytes, ...] = ()
    """Nodes by way of which alone this one can be reached: compressed points, 33 bytes each."""

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise OptionsError(f"unknown network {self.network!r}: it is one of {', '.join(NETWORKS)}")
        if self.log_level not in LOG_LEVELS:
            raise OptionsError(f"unknown log level {self.log_level!r}: it is one of {', '.join(LOG_LEVELS)}")
        for path in (self.lightning_dir, self.rpc_file, self.currency_rates, self.pid_file, self.log_file):
            if path is not None:
                _expanded(path)
        if self.injectable and self.network == "bitcoin":
            raise OptionsError("--dev-entropy and --dev-time make keys foreseeable and are refused on bitcoin")
        if self.dev_time is not None and self.dev_time >> TIME_BITS:
            raise OptionsError(f"--dev-time counts seconds since 1970, from 0 to 2^{TIME_BITS} - 1")

    @property
    def injectable(self) -> bool:
        """Whether entropy or clock are injected, which also makes the command dev-inject exist."""
        return self.dev_entropy is not None or self.dev_time is not None

    @property
    def base_dir(self) -> Path:
        """The directory over those of all networks, absolute."""
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
        """The pid file, absolute; named as lightningd names its own, if `pid_file` does not say otherwise."""
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
        """The file of the store, if `db` names no other."""
        return self.network_dir / "lnoffers.sqlite3"


def _expanded(path: Path) -> Path:
    if "\0" in str(path):
        raise OptionsError("a path cannot hold a NUL character")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise OptionsError(f"{path}: this home directory is unknown; give the full path") from error
