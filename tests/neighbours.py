"""`python tests/neighbours.py lnbits|pyln`: the BOLT 12 library in one process with a package that users have as well.

With pyln, it also removes pyln-client again, which takes coincurve's files along, and follows the advice that
`lnoffers` then gives.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("lnoffers"))
OFFER = "lno1pqps85yspgrxxmmxvejk293pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44g6qah82ru5rdpnpj"
FORK = "coincurve-cp314-fix"


def bolt12_works() -> None:
    import lnoffers  # noqa: PLC0415 # after what it lives beside
    from lnoffers.bolt12 import InvoiceRequest, NodeKeys, Offer  # noqa: PLC0415

    offer = lnoffers.decode(OFFER)
    assert isinstance(offer, Offer)
    buyer = NodeKeys.from_seed(bytes(range(32)))
    metadata = bytes(16)
    payer = buyer.payer_signer(metadata)
    request = InvoiceRequest.for_offer(offer, invreq_metadata=metadata, invreq_payer_id=payer.public_key).sign(payer)
    assert lnoffers.decode(request.encode()) == request


def decoded() -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "decode", OFFER], capture_output=True, text=True, check=False)


def lnbits() -> None:
    import bolt11  # noqa: PLC0415
    from lnbits.wallets.corelightning import CoreLightningWallet  # noqa: PLC0415

    assert CoreLightningWallet.__name__
    assert bolt11.__name__
    print(f"lnbits {version('lnbits')}, coincurve {version('coincurve')}")


def pyln() -> None:
    from pyln.client import LightningRpc, Millisatoshi  # noqa: PLC0415

    assert LightningRpc.__name__
    assert Millisatoshi("1sat") == 1000
    print(f"pyln-client {version('pyln-client')}, {FORK} {version(FORK)}, coincurve {version('coincurve')}")


def repair() -> None:
    """Uninstall pyln-client and its dependencies, and install what `lnoffers` then says."""
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "pyln-client", "pyln-proto", "pyln-bolt7", FORK], check=True)
    damaged = decoded()
    assert (damaged.returncode, damaged.stdout, damaged.stderr.count("\n")) == (2, "", 1), damaged
    advice = damaged.stderr.strip().rpartition("; repair it: ")[2]
    assert advice.startswith("pip install "), damaged
    subprocess.run([*pip, *shlex.split(advice)[1:], "--quiet"], check=True)
    print(f"after uninstalling pyln-client: {advice}")


def main(beside: str) -> None:
    {"lnbits": lnbits, "pyln": pyln}[beside]()
    bolt12_works()
    assert decoded().returncode == 0, decoded()
    if beside == "pyln":
        repair()
        assert decoded().returncode == 0, decoded()
    print(f"clnrpc[bolt12] works beside {beside}")


if __name__ == "__main__":
    main(sys.argv[1])
