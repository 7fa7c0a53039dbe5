"""An ATM pays out to a wallet, and the wallet buys a coffee: three servers with play money, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import lnoffers
from clnrpc import Client, RpcError
from lnoffers.bolt12 import PayerProof


def main() -> None:
    """Start an ATM, a wallet and a shop on regtest, and let money go around."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        names = ("atm", "wallet", "shop")
        servers = [stack.enter_context(server(Path(folder, name))) for name in names]
        atm, wallet, shop = (
            stack.enter_context(connected(Path(folder, name), started))
            for name, started in zip(names, servers, strict=True)
        )
        for other in (atm, shop):
            wallet.connect(address(other))
        withdraw(atm, wallet)
        buy(wallet, shop)


@contextmanager
def server(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a server; its first line says that it listens."""
    options = ["--lightning-dir", str(folder), "--network", "regtest", "--log-file", "log"]
    command = [sys.executable, "-m", "lnoffers", "serve", *options, "--backend", "play", "--addr", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def connected(folder: Path, process: subprocess.Popen[str]) -> Iterator[Client]:
    """Connect to a server's socket once it listens."""
    assert process.stdout is not None
    if not process.stdout.readline():
        sys.exit(f"the server has ended with exit code {process.wait()}")
    with Client(folder / "regtest" / "lightning-rpc") as client:
        print(f"{folder.name}: node {client.getinfo().id}")
        yield client


def address(client: Client) -> str:
    """Return where other nodes can connect to a server."""
    found = client.getinfo()
    [port] = [binding.port for binding in found.binding or () if binding.type == "ipv4"]
    return f"{found.id}@127.0.0.1:{port}"


def withdraw(atm: Client, wallet: Client) -> None:
    """The ATM makes a request, pays the wallet's invoice for it once, and proves that."""
    made = atm.invoicerequest(amount="10000sat", description="withdrawal", label="till 3")
    print("\nThe ATM shows a request:", short(made.bolt12))

    invoice = wallet.sendinvoice(invreq=made.bolt12, label="from the ATM")
    print("The wallet sends an invoice for it, which is", invoice.status)

    try:
        wallet.sendinvoice(invreq=made.bolt12, label="once more")
    except RpcError as error:
        print("The ATM refuses a second one:", short(error.message.rpartition(": ")[2]))
    else:
        sys.exit("The ATM has paid twice")

    [request] = atm.listinvoicerequests(invreq_id=made.invreq_id).invoicerequests
    assert request.payments is not None
    [proof] = atm.createproof(invstring=request.payments[0].invoice).proofs
    proved = lnoffers.decode(proof.bolt12)  # verifies it
    assert isinstance(proved, PayerProof)
    print("The ATM proves the payment:", short(proof.bolt12), "says", proved.invoice_amount, "msat")


def buy(wallet: Client, shop: Client) -> None:
    """The wallet fetches an invoice for the shop's offer, and pays it."""
    coffee = shop.offer(amount="2500sat", description="a coffee", label="menu").bolt12
    print("\nThe shop offers a coffee:", short(coffee))

    paid = wallet.xpay(invstring=coffee)
    print("The wallet has paid", paid.amount_sent_msat, "msat")

    bought = shop.waitanyinvoice()
    print("The shop has received", bought.amount_received_msat, "msat for", bought.description)


def short(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= 64 else f"{text[:61]}..."


if __name__ == "__main__":
    main()
