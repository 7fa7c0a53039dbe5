"""`lnoffers init`: a new node, and what whoever has made one should know."""

from __future__ import annotations

import logging
import os
import sys

from lnoffers.service.cli.output import require_output
from lnoffers.service.coredumps import forbid_core_dumps
from lnoffers.service.errors import SecretError
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.store.sqlite import store_file

_ADVICE = """
Copy the secret to a safe place now. Whoever has it has the node's keys, and without it the store is of no use.
Use it for this node alone: two nodes on the network with the same secret take each other's messages.
"""


def make_node(options: Options) -> None:
    """Make a node and print who it is, where its files are, and what to do with its secret.

    Raises:
        ServiceError: if there is one, or none can be made.
    """
    require_output()
    secret = options.secret_file
    if os.path.lexists(secret):
        raise SecretError(f"{secret} exists, so there is a node already: start it with lnoffers serve")
    forbid_core_dumps()
    logging.basicConfig(level=logging.ERROR)  # that there is a new secret is told below
    with Node.open(options, make=True) as node:
        node_id = node.keys.node_id.hex()
    files = {"secret": secret, "store": store_file(options.db, options.store_file), "socket": options.socket}
    lines = [f"Made the node {node_id} on {options.network}.", *(f"   {what:<8}{path}" for what, path in files.items())]
    # The bytes of a path need not be text.
    sys.stdout.buffer.write(os.fsencode("\n".join(lines) + "\n" + _ADVICE))
    sys.stdout.buffer.flush()
