"""What a test controls: time, failures, delays, lost answers, and which nodes run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from clnrpc import Client
from lnoffers.bolt11 import Invoice
from lnoffers.service.errors import ServiceError
from lnstandin.network import Network, NetworkError
from lnstandin.network import processes as processes_module
from tests.network.accounts import HALF_MSAT, Later, balance, bolt11, error
from tests.network.random_payments import rows
from tests.service.program import children, until

SEEDED = "seed=59"
"""With this seed and half of the messages lost, the first payment arrives at the third attempt, and the next three at
the second. Three messages of the payer are lost, and two answers. Without a seed, 16 attempts fail in one of 100
payments, and there are no more in the 60 seconds that a call waits."""


@pytest.fixture
def processes() -> Iterator[Network]:
    """Run a network of two nodes in processes of their own."""
    with Network(2, processes=True) as network:
        yield network


def test_invoice_expires_when_the_clock_is_set_forward(network: Network) -> None:
    payer, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "", expiry=3_600)
    with Client(payee.socket) as waiting:
        wait = Later(lambda: waiting.waitinvoice("lunch"))
        network.advance(3_599)
        assert payee.client.listinvoices().invoices[0].status == "unpaid"
        network.advance(2)
        assert payee.client.listinvoices().invoices[0].status == "expired"
        assert wait.result().code == 903
    assert error(lambda: payer.client.xpay(made.bolt11)).code == 207


def test_clock_stays_ahead_in_a_node_that_is_started_again(network: Network) -> None:
    [node, other] = network.nodes
    other.stop()
    network.advance(10_000)
    other.start()
    node.restart()
    times = [each.client.invoice(1, "now", "", expiry=0).expires_at for each in network.nodes]
    assert abs(times[0] - times[1]) < 1_000
    with pytest.raises(NetworkError, match="set forward only"):
        network.advance(-1)


@pytest.mark.parametrize(("code", "is_listed"), [(203, True), (205, False), (206, False), (210, True), (215, False)])
def test_next_payments_fail_as_the_test_wants(network: Network, code: int, is_listed: bool) -> None:
    payer, payee = network.nodes
    string = bolt11(payee)
    payer.fail_next(code, count=2, reason="for lunch")
    for _ in range(2):
        failure = error(lambda: payer.client.xpay(string))
        assert (failure.code, failure.message) == (code, "Failed: for lunch")
    assert [each.status for each in payer.client.listpays().pays] == ["failed"] * (2 * is_listed)
    assert balance(payer) == HALF_MSAT
    assert payer.client.xpay(string).amount_msat == 21_000
    assert [each.status for each in payer.client.listpays(status="complete").pays] == ["complete"]
    if is_listed:
        payment_hash = Invoice.parse(string).payment_hash.hex()
        assert error(lambda: payer.client.waitsendpay(payment_hash, groupid=1, partid=1)).code == 202


def test_failures_of_bolt12_have_the_same_codes(network: Network) -> None:
    payer, payee = network.nodes
    offer = payee.client.offer("21sat", description="lunch").bolt12
    for code in (203, 205):
        invoice = payer.client.fetchinvoice(offer).invoice
        payer.fail_next(code)
        assert error(lambda invoice=invoice: payer.client.xpay(invoice)).code == code


def test_lost_messages_are_sent_again_and_nothing_is_paid_twice() -> None:
    with Network(2, faults=SEEDED) as network:
        payer, payee = network.nodes
        network.lose(0.5)
        for number in range(4):
            payer.client.xpay(bolt11(payee, label=f"number {number}"))
        assert balance(payer) == HALF_MSAT - 4 * 21_000
        assert network.total_msat() == 2 * HALF_MSAT


def test_not_all_messages_can_be_lost(network: Network) -> None:
    with pytest.raises(NetworkError, match="a share is"):
        network.lose(1)


def test_delayed_payments_overtake_each_other_and_all_arrive(network: Network) -> None:
    payer, payee = network.nodes
    network.delay(0.3)
    strings = [bolt11(payee, label=f"number {number}") for number in range(6)]
    clients = [Client(payer.socket) for _ in strings]
    calls = [Later(partial(client.xpay, string)) for client, string in zip(clients, strings, strict=True)]
    assert [call.result().amount_msat for call in calls] == [21_000] * 6
    for client in clients:
        client.rpc_close()
    assert balance(payer) == HALF_MSAT - 6 * 21_000


def test_held_payment_is_in_flight_until_it_is_released(network: Network) -> None:
    payer, payee = network.nodes
    payee.hold()
    string = bolt11(payee, "any")
    with Client(payer.socket) as client:
        paying = Later(lambda: client.xpay(string, amount_msat=1_000))
        until(lambda: payer.client.listpays().pays)
        [channel] = payer.client.listpeerchannels().channels
        assert (channel.to_us_msat, channel.spendable_msat) == (HALF_MSAT, HALF_MSAT - 1_000)
        assert [htlc.amount_msat for htlc in channel.htlcs or ()] == [1_000]
        assert network.total_msat() == 2 * HALF_MSAT
        payee.release()
        assert paying.result().amount_msat == 1_000
    assert network.total_msat() == 2 * HALF_MSAT


def test_killed_payer_pays_once_when_it_is_started_again(processes: Network) -> None:
    payer, payee = processes.nodes
    payee.hold()
    string = bolt11(payee)
    assert error(lambda: payer.client.xpay(string, retry_for=0)).code == 210
    payer.kill()
    assert processes.total_msat() == 2 * HALF_MSAT
    payee.release()
    payer.restart()
    assert until(lambda: payer.client.listpays(status="complete").pays)[0].bolt11 == string
    assert balance(payee) == HALF_MSAT + 21_000
    assert processes.total_msat() == 2 * HALF_MSAT


def test_killed_payee_is_paid_once_when_it_is_started_again(processes: Network) -> None:
    payer, payee = processes.nodes
    string = bolt11(payee)
    payee.hold()
    assert error(lambda: payer.client.xpay(string, retry_for=0)).code == 210
    payee.kill()
    payee.restart()
    assert until(lambda: payer.client.listpays(status="complete").pays)[0].bolt11 == string
    assert payee.client.listinvoices().invoices[0].status == "paid"
    assert processes.total_msat() == 2 * HALF_MSAT


@pytest.mark.parametrize("is_asked_for", [True, False], ids=["asked for", "refused"])
def test_payment_that_has_failed_is_not_made_after_a_crash(processes: Network, is_asked_for: bool) -> None:
    payer, payee = processes.nodes
    string = bolt11(payee)
    if is_asked_for:
        payer.fail_next(203)
    else:
        payee.client.delinvoice("a label", "unpaid")
    assert error(lambda: payer.client.xpay(string)).code == 203
    payer.kill()
    assert [state for (state,) in rows(payer, "play.sqlite3", "SELECT state FROM sent")] == ["failed"]
    payer.start()
    assert [each.status for each in payer.client.listpays().pays] == ["failed"]
    assert balance(payer) == HALF_MSAT
    assert balance(payee) == HALF_MSAT


def test_node_that_does_not_end_is_killed_and_the_others_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes_module, "SECONDS", 2)
    network = Network(2, processes=True).start()
    pids = [int((node.directory / "lnoffers-regtest.pid").read_text()) for node in network.nodes]
    os.kill(pids[0], signal.SIGSTOP)
    with pytest.raises(NetworkError, match="has not ended within 2 seconds, and was killed"):
        network.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not network.directory.exists()


def test_node_that_is_still_starting_is_stopped_with_its_network() -> None:
    network = Network(1, processes=True)
    before = {*children(os.getpid())}
    network.nodes[0].begin()
    [pid] = {*children(os.getpid())} - before
    network.close()
    assert not Path(f"/proc/{pid}").exists()
    assert not network.directory.exists()


def test_code_that_no_payment_has_is_refused(network: Network) -> None:
    for code in (0, -1, 199, 221):
        with pytest.raises(NetworkError, match=f"no payment fails with the code {code}: choose one from 200 to 220"):
            network.fail_next(code)


def test_only_a_node_with_a_process_of_its_own_can_be_killed(network: Network) -> None:
    with pytest.raises(NetworkError, match="processes=True"):
        network.nodes[0].kill()


def test_node_that_does_not_run_says_so(network: Network) -> None:
    node, other = network.nodes
    node.stop()
    with pytest.raises(NetworkError, match="does not run"):
        node.hold()
    with pytest.raises(NetworkError, match="runs already"):
        other.start()


def test_stopped_node_is_not_reachable_and_what_is_stored_stays(tmp_path: Path) -> None:
    with Network(2, directory=tmp_path) as network:
        payer, payee = network.nodes
        string, other = bolt11(payee), bolt11(payee, label="another")
        payer.client.xpay(string)
        payee.stop()
        failure = error(lambda: payer.client.xpay(other))
        assert (failure.code, "cannot be reached" in failure.message) == (205, True)
        payee.start()
        assert payer.client.xpay(other).amount_msat == 21_000
        ids = [node.id for node in network.nodes]
    with Network(2, directory=tmp_path) as network:
        assert [node.id for node in network.nodes] == ids
        assert [balance(node) for node in network.nodes] == [HALF_MSAT - 42_000, HALF_MSAT + 42_000]


def test_networks_in_one_process_do_not_disturb_each_other(network: Network) -> None:
    with Network(2) as other:
        assert [node.id for node in other.nodes] == [node.id for node in network.nodes]
        other.nodes[0].client.xpay(bolt11(other.nodes[1]))
        assert balance(network.nodes[0]) == HALF_MSAT


def test_command_stop_ends_a_node_like_any_other(processes: Network) -> None:
    node = processes.nodes[0]
    node.client.stop()
    node.restart()
    assert node.client.getinfo().num_active_channels == 1


@pytest.mark.parametrize("processes", [False, True], ids=["one process", "processes"])
def test_network_of_which_a_node_cannot_start_leaves_nothing_behind(tmp_path: Path, processes: bool) -> None:
    (tmp_path / "0").write_text("in the way")
    with pytest.raises(ServiceError, match=r"Not a directory|File exists|cannot"):
        Network(2, directory=tmp_path, processes=processes).start()
    (tmp_path / "0").unlink()
    with Network(2, directory=tmp_path, processes=processes) as network:
        assert balance(network.nodes[1]) == HALF_MSAT


@pytest.mark.parametrize("channels", [[(0, 2)], [(1, 1)], [(-1, 0)]])
def test_channel_that_has_not_two_nodes_is_refused(channels: list[tuple[int, int]]) -> None:
    with pytest.raises(NetworkError, match="is not a pair of different nodes"):
        Network(2, channels=channels)


@pytest.mark.parametrize("size", [-5, 0, 10**20])
def test_size_of_channels_is_limited(size: int) -> None:
    with pytest.raises(NetworkError, match=f"a channel has from 1 to 2100000000000000 sat, not {size}"):
        Network(2, channel_sat=size)


@pytest.mark.parametrize("count", [0, 18])
def test_number_of_nodes_is_limited(count: int) -> None:
    with pytest.raises(NetworkError, match="from 1 to 17 nodes"):
        Network(count)
