"""The client in an environment where pyln-client is installed: a new one, with nothing else in it."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.audit.documents import AuditError, run
from tests.shared import ROOT

_CALLS: Final = """
import json, sys
import clnrpc
import pyln.client

with clnrpc.Client(sys.argv[1]) as client:
    made = client.invoicerequest(amount="1000sat", description="Side by side")
    theirs = pyln.client.LightningRpc(sys.argv[1])
    (listed,) = theirs.call("listinvoicerequests", {"invreq_id": made.invreq_id})["invoicerequests"]
    ours = [client.getinfo().id, made.bolt12]
    print(json.dumps({"ours": ours, "theirs": [theirs.getinfo()["id"], listed["bolt12"]]}))
"""
"""What one makes, the other sees, in one process."""


def calls(work: Path) -> dict[str, list[str]]:
    """Return the answers of one server to both clients, "ours" and "theirs". Raises AuditError if either fails."""
    folder = work / "environment"
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    alone = {"PYTHONPATH": "", "PIP_CONSTRAINT": (ROOT / "constraints" / "pyln.txt").as_uri()}
    run("-m", "pip", "install", "--quiet", str(ROOT), "pyln-client", python=python, environment=alone)
    with _server(work / "node") as socket:
        answers: dict[str, list[str]] = json.loads(run("-c", _CALLS, str(socket), python=python, environment=alone))
    return answers


@contextmanager
def _server(folder: Path) -> Iterator[Path]:
    """Run the project's server with this Python, because pyln-client excludes it; yield its socket."""
    secret = folder / "regtest" / "hsm_secret"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(bytes(range(32)))  # without one it makes one, and warns that it must be kept
    secret.chmod(0o600)
    options = ("--lightning-dir", str(folder), "--network", "regtest")
    with subprocess.Popen([sys.executable, "-m", "lnoffers", "serve", *options], stdout=subprocess.PIPE) as server:
        try:
            if server.stdout is None or not server.stdout.readline():  # it says when it listens
                raise AuditError("lnoffers serve did not start")
            yield folder / "regtest" / "lightning-rpc"
        finally:
            server.terminate()
