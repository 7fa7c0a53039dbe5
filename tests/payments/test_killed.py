"""A server that is killed at any step of a payment makes one payment all the same, once it runs again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clnrpc import Client
from tests.payments import killing
from tests.payments.killing import POINTS, RECOVERING
from tests.peers.conftest import Served, Start
from tests.peers.stranger import connected
from tests.play.servers import SENDER, Payee, await_payments, await_used, deliver, deliver_to_death
from tests.service.program import SECONDS, Program, run, until

PLAY = ("--backend", "play", "--addr", "127.0.0.1:0", "--log-file", "log", "--log-level", "debug")


@contextmanager
def dying(program: Program, point: str, *flags: str) -> Iterator[Served]:
    """Run a server that is killed at this point, during the block."""
    under = (sys.executable, "-m", killing.__name__, point)
    with program.served(*flags, under=under) as process, Client(program.socket) as client:
        info = client.getinfo()
        [port] = [binding.port for binding in info.binding or () if binding.type == "ipv4"]
        yield Served(program, process, client, info.id, port or 0)


@pytest.mark.parametrize("point", POINTS)
def test_a_server_that_is_killed_pays_once(start: Start, program: Program, point: str) -> None:
    payee = Payee(start("--backend", "play"))
    peer = ("--peer", payee.served.address)
    with dying(program, point, *PLAY, *peer) as payer:
        until(lambda: payee.served.id in payer.peers())
        made = payer.client.invoicerequest(21_000, "ATM")
        invoice, other = payee.invoice(made.bolt12), payee.invoice(made.bolt12)
        with connected(SENDER, payer.id, payer.port) as sender:
            deliver_to_death(sender, payer, invoice)
            assert payer.process.wait(SECONDS) == -9
    payer = start(*PLAY, *peer, program=program)
    await_payments(payer)
    with connected(SENDER, payer.id, payer.port) as sender:
        deliver(sender, payer, invoice)  # its claim may not have been stored; otherwise it is refused
        await_used(payer, made.invreq_id)
        deliver(sender, payer, other)
    payee.await_payment(invoice)
    [request] = payer.client.listinvoicerequests(invreq_id=made.invreq_id).invoicerequests
    assert (request.used, request.active) == (True, False)
    assert [payment.state for payment in request.payments or ()] == ["paid"]
    assert payee.paid() == 1


@pytest.mark.parametrize("point", RECOVERING)
def test_a_server_that_is_killed_while_it_takes_over_pays_once(start: Start, program: Program, point: str) -> None:
    payee = Payee(start("--backend", "play"))
    peer = ("--peer", payee.served.address)
    with dying(program, "before the backend is told", *PLAY, *peer) as payer:
        until(lambda: payee.served.id in payer.peers())
        made = payer.client.invoicerequest(21_000, "ATM")
        invoice = payee.invoice(made.bolt12)
        with connected(SENDER, payer.id, payer.port) as sender:
            deliver_to_death(sender, payer, invoice)
            assert payer.process.wait(SECONDS) == -9
    under = (sys.executable, "-m", killing.__name__, point)
    assert run("serve", *program.flags, *PLAY, *peer, under=under).code == -9
    payer = start(*PLAY, *peer, program=program)
    await_used(payer, made.invreq_id)
    payee.await_payment(invoice)
    assert payee.paid() == 1
