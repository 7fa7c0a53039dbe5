"""A server whose store was restored from a backup remembers, before it pays again, what was paid since."""

from __future__ import annotations

import shutil

from lnoffers.bolt12 import InvoiceError
from tests.peers.conftest import Start
from tests.peers.issuing import answer
from tests.peers.stranger import connected
from tests.play.servers import SENDER, Payee, await_used, deliver
from tests.service.program import SECONDS, Program, run

PLAY = ("--backend", "play")


def restore(program: Program, backup: str) -> None:
    """Replace the store by a backup, as the operator does while no server is running."""
    for file in program.network_dir.glob("lnoffers.sqlite3*"):
        if file.suffix not in {".fence", ".payers"}:
            file.unlink()
    shutil.copy(backup, program.network_dir / "lnoffers.sqlite3")


def test_a_payment_that_the_backup_does_not_know_is_not_made_again(start: Start, program: Program) -> None:
    payee = Payee(start(*PLAY))
    payer = start(*PLAY, "--peer", payee.served.address, program=program)
    made = payer.client.invoicerequest(21_000, "ATM")
    backup = str(program.directory / "backup")
    assert run("backup", *program.flags, backup).code == 0
    first, second = payee.invoice(made.bolt12), payee.invoice(made.bolt12)
    with connected(SENDER, payer.id, payer.port) as sender:
        deliver(sender, payer, first)
        await_used(payer, made.invreq_id)
    payer.process.terminate()
    payer.process.wait(SECONDS)
    restore(program, backup)
    payer = start(*PLAY, "--peer", payee.served.address, program=program)
    await_used(payer, made.invreq_id)
    with connected(SENDER, payer.id, payer.port) as sender:
        deliver(sender, payer, second)
        refused = answer(sender, SENDER)
    assert isinstance(refused, InvoiceError)
    assert (refused.error or "").endswith(f"already paid with {(first.invoice_payment_hash or b'').hex()}")
    assert payee.paid() == 1
    assert "restored from a backup" in payer.log()
