"""Nodes for the ports: a payer, which the ports call over its socket or REST, and a payee that has a channel with it.

They are stand-ins, or lightningd if LIGHTNINGD names a binary. Its REST interface is the plugin that CLNREST names, for
example the Python clnrest of Core Lightning v24.11, started by a script with a Python that has its requirements.
"""

from __future__ import annotations

import os
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from clnrpc import Client
from lnstandin.network import Network
from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, open_channel
from tests.interop.nodes import lightningd, program, until
from tests.interop.paying import Mortal, await_chain
from tests.ports.proxy import LosingProxy

VARIABLE = "CLNREST"
"""The environment variable that names the plugin."""


class Site(ABC):
    """A payer and a payee."""

    url: str
    """The payer's REST interface; empty without."""

    @property
    @abstractmethod
    def payer(self) -> Client:
        """A client of the payer, on its socket."""

    @property
    @abstractmethod
    def payee(self) -> Client:
        """A client of the payee, on its socket."""

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The payer's socket."""

    @property
    @abstractmethod
    def certificates(self) -> Path:
        """The folder of the payer's certificates."""

    @property
    @abstractmethod
    def tls(self) -> tuple[Path, Path]:
        """The files of the certificate that the payer's REST interface uses, and of its key."""

    @abstractmethod
    def hold(self) -> None:
        """Let payments to the payee stay pending."""

    def is_held(self, payment_hash: str) -> bool:
        """Return whether the payee has a payment for good, so that a restart of the payer does not lose it."""
        return "pending" in {pay.status for pay in self.payer.listpays(payment_hash=payment_hash).pays}

    @abstractmethod
    def release(self) -> None:
        """Let the payee take payments."""

    @abstractmethod
    def restart(self) -> None:
        """Kill the payer or stop it at once, and start it again."""

    def rune(self, *methods: str) -> str:
        """Return a rune that permits these commands, or all if there are none."""
        return self.payer.createrune(restrictions=[[f"method={each}" for each in methods]] if methods else None).rune

    @contextmanager
    def losing(self, method: str) -> Iterator[tuple[str | Path, LosingProxy]]:
        """Yield the address of a proxy that loses the payer's answers to a command, and the proxy."""
        if self.url:
            with LosingProxy(int(self.url.rpartition(":")[2]), method, tls=self.tls) as proxy:
                yield f"https://127.0.0.1:{proxy.port}", proxy
        else:
            path = self.socket.with_name("losing")
            with LosingProxy(self.socket, method, listen=path) as proxy:
                yield path, proxy
            path.unlink()


class StandIn(Site):
    """Two stand-ins with play money."""

    def __init__(self, network: Network) -> None:
        self._payer, self._payee = network.nodes
        self.url = self._payer.rest

    @property
    def payer(self) -> Client:
        return self._payer.client

    @property
    def payee(self) -> Client:
        return self._payee.client

    @property
    def socket(self) -> Path:
        return self._payer.socket

    @property
    def certificates(self) -> Path:
        return self._payer.certificate.parent

    @property
    def tls(self) -> tuple[Path, Path]:
        return self.certificates / "server.pem", self.certificates / "server-key.pem"

    def hold(self) -> None:
        self._payee.hold()

    def release(self) -> None:
        self._payee.release()

    def restart(self) -> None:
        self._payer.restart()


class Lightningd(Site):
    """Two nodes on a chain of their own."""

    def __init__(self, chain: Chain, work: Path, stack: ExitStack, *, rest: bool) -> None:
        self.certificates_folder = work / "certificates"
        self.url, options = "", []
        if rest:
            plugin = os.environ.get(VARIABLE) or pytest.skip(f"needs clnrest; set {VARIABLE} to its executable")
            port = _free_port()
            self.url = f"https://127.0.0.1:{port}"
            options = [
                f"--plugin={plugin}",
                f"--clnrest-port={port}",
                "--clnrest-host=127.0.0.1",
                f"--clnrest-certs={self.certificates_folder}",
            ]
        self._released = work / "released"
        self._released.touch()
        holding = program(work / "holding", "tests.interop.holding", self._released)
        self._payer = Mortal(chain, work / "payer", stack, *options)
        self._payee = Mortal(chain, work / "payee", stack, f"--plugin={holding}")
        await_chain(self._payer.node)
        await_chain(self._payee.node)
        fund(chain, self._payer.node)
        open_channel(chain, self._payer.node, self._payee.node)
        self._await_rest()

    def _await_rest(self) -> None:
        if self.url:
            until(lambda: _listens(int(self.url.rpartition(":")[2])), "clnrest listens")

    @property
    def payer(self) -> Client:
        return self._payer.node.client

    @property
    def payee(self) -> Client:
        return self._payee.node.client

    @property
    def socket(self) -> Path:
        return self._payer.node.socket

    @property
    def certificates(self) -> Path:
        return self.certificates_folder

    @property
    def tls(self) -> tuple[Path, Path]:
        return self.certificates / "client.pem", self.certificates / "client-key.pem"

    def hold(self) -> None:
        self._released.unlink()

    def is_held(self, payment_hash: str) -> bool:
        # A payer that is killed before may list the part as pending for ever.
        htlcs = [htlc for channel in self.payee.listpeerchannels().channels for htlc in channel.htlcs or ()]
        states = {htlc.state for htlc in htlcs if htlc.payment_hash == payment_hash}
        return "RCVD_ADD_ACK_REVOCATION" in states

    def release(self) -> None:
        self._released.touch()

    def restart(self) -> None:
        self._payer.kill()
        if self.url:
            # Plugins of a killed node end by themselves; the port must be free again.
            until(lambda: not _listens(int(self.url.rpartition(":")[2])), "clnrest has ended")
        self._payer.restart(self._payee.node)
        self._await_rest()


@contextmanager
def site(name: str, work: Path) -> Iterator[Site]:
    """Run a site: "stand-in" or "lightningd", with "socket" or "rest"."""
    kind, _, transport = name.partition(" ")
    rest = transport == "rest"
    if kind == "stand-in":
        with Network(2, rest=rest, directory=work / "network") as network:
            yield StandIn(network)
    else:
        lightningd()  # skips before anything is made
        with ExitStack() as stack:
            yield Lightningd(Chain.create(work / "chain"), work, stack, rest=rest)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    time.sleep(0.1)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
