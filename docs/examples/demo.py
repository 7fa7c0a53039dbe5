"""From an empty directory to a signed invoice_request: the server, the typed client and the offline decoder in thirty
lines.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import lnoffers
from clnrpc import Client, RpcError


def main() -> None:
    """Start `lnoffers serve` on regtest in a directory of its own, and talk to it."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--lightning-dir", folder, "--network", "regtest"]
        server = subprocess.Popen(
            [sys.executable, "-m", "lnoffers", "serve", *options], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            listening = server.stdout.readline()  # it says so once it does
            if server.poll() is not None or not listening:
                sys.exit(f"the server has ended with exit code {server.wait()}")
            print("server:", listening.strip())
            talk(Path(folder) / "regtest" / "lightning-rpc")
        finally:
            server.terminate()
            server.wait()


def talk(socket: Path) -> None:
    """Make a request, list it, decode it offline, and disable it."""
    with Client(socket) as client:
        print("node:", client.getinfo().id)
        made = client.invoicerequest(amount="10000sat", description="ATM", label="till 3")
        print("hand this out:", made.bolt12)
        print("stored:", len(client.listinvoicerequests(active_only=True).invoicerequests))

        request = lnoffers.decode(made.bolt12)
        print("it says:", request.offer_description, request.invreq_amount, "msat")

        client.disableinvoicerequest(invreq_id=made.invreq_id)
        try:
            client.disableinvoicerequest(invreq_id=made.invreq_id)
        except RpcError as error:
            print("withdrawn:", error.message)


if __name__ == "__main__":
    main()
