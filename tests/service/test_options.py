"""Options: Core Lightning's layout of files, and what cannot go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnoffers.bolt12 import CHAINS
from lnoffers.service import Options
from lnoffers.service.errors import OptionsError
from lnoffers.service.options import NETWORKS


def test_the_networks_are_those_of_the_core() -> None:
    assert set(NETWORKS) == set(CHAINS)


def test_files_lie_in_the_network_s_directory() -> None:
    options = Options(lightning_dir=Path("/data"), network="signet")
    assert options.network_dir == Path("/data/signet")
    assert options.socket == Path("/data/signet/lightning-rpc")
    assert options.secret_file == Path("/data/signet/hsm_secret")
    assert options.store_file == Path("/data/signet/lnoffers.sqlite3")
    assert options.lock_file == Path("/data/lnoffers-signet.pid")


def test_the_default_is_in_the_home_directory_on_bitcoin() -> None:
    assert Options().network_dir == Path.home() / ".lnoffers" / "bitcoin"


def test_an_absolute_socket_lies_where_it_says() -> None:
    assert Options(lightning_dir=Path("/data"), rpc_file=Path("/run/rpc")).socket == Path("/run/rpc")


def test_a_pid_file_lies_where_it_says_or_in_the_directory() -> None:
    assert Options(lightning_dir=Path("/data"), pid_file=Path("a.pid")).lock_file == Path("/data/a.pid")
    assert Options(lightning_dir=Path("/data"), pid_file=Path("/run/a.pid")).lock_file == Path("/run/a.pid")


def test_refuses_an_unknown_network_and_names_the_known() -> None:
    with pytest.raises(OptionsError, match=r"'mainnet'.*bitcoin, testnet"):
        Options(network="mainnet")


@pytest.mark.parametrize(
    "injected", [Options(network="regtest", dev_time=1), Options(network="regtest", dev_entropy=b"")]
)
def test_refuses_injection_on_bitcoin(injected: Options) -> None:
    assert injected.injectable
    with pytest.raises(OptionsError, match="refused on bitcoin"):
        Options(dev_time=injected.dev_time, dev_entropy=injected.dev_entropy)


@pytest.mark.parametrize("time", [-1, 2**62, 2**64])
def test_refuses_a_time_that_no_clock_shows(time: int) -> None:
    with pytest.raises(OptionsError, match="--dev-time"):
        Options(network="regtest", dev_time=time)


@pytest.mark.parametrize("seconds", [0, -1, 3_601])
def test_refuses_to_pay_for_no_time_or_too_long(seconds: int) -> None:
    with pytest.raises(OptionsError, match="--retry-for"):
        Options(network="regtest", retry_for=seconds)
