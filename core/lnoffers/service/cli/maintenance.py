"""`lnoffers init`, `backup` and `check-store`: make a node, copy its store, and check the store."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from lnoffers.service.cli.flags import node_options
from lnoffers.service.cli.output import require_output
from lnoffers.service.errors import SecretError
from lnoffers.service.node import Node
from lnoffers.service.store.examination import Finding, examine
from lnoffers.service.store.sqlite import store_file
from lnoffers.service.store.store import back_up
from lnoffers.service.system import forbid_core_dumps

_ADVICE = """
Copy the secret to a safe place now. Whoever has it has the node's keys, and without it the store is of no use.
Use a secret of its own for each node on the network. Two nodes with the same secret receive each other's messages; if
one of them has channels, it may lose them.
"""


def init(given: Namespace) -> int:
    """Make a node, print its id, its files and what to do with its secret, and return 0.

    Raises:
        ServiceError: if there is a node already, or none can be made.
    """
    require_output()
    options = node_options(given)
    secret = options.secret_file
    if os.path.lexists(secret):
        raise SecretError(f"{secret} exists, so there is a node already: start it with lnoffers serve")
    forbid_core_dumps()
    logging.basicConfig(level=logging.ERROR)  # hide the message about a new secret, which is printed below
    with Node.open(options, make=True) as node:
        node_id = node.keys.node_id.hex()
    files = {"secret": secret, "store": store_file(options.db, options.store_file), "socket": options.socket}
    lines = [f"Made the node {node_id} on {options.network}.", *(f"   {name:<8}{path}" for name, path in files.items())]
    # A path is bytes and need not be valid text.
    sys.stdout.buffer.write(os.fsencode("\n".join(lines) + "\n" + _ADVICE))
    sys.stdout.buffer.flush()
    return 0


def backup(given: Namespace) -> int:
    """Copy the store to a new file and return 0.

    Raises:
        ServiceError: if the copy cannot be made.
    """
    options = node_options(given)
    back_up(options.db, options.store_file, Path(given.arguments[0]))
    return 0


def check_store(given: Namespace) -> int:
    """Print each fault of the store on a line, and return 0, or 1 if there is any.

    Raises:
        ServiceError: if the store cannot be read.
    """
    options = node_options(given)
    require_output()
    records = faults = 0
    examination: Iterable[Finding] = examine(options.db, options.store_file, options.network)
    console = Console(stderr=True)
    if console.is_terminal:
        examination = track(examination, "Records", console=console, transient=True)
    for found in examination:
        records += found.is_record
        faults += len(found.faults)
        for fault in found.faults:
            print(fault, flush=sys.stdout.isatty())
    print(f"{_count(records, 'record')}, {_count(faults, 'fault')}")
    return 1 if faults else 0


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
