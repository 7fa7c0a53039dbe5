"""The command `lnstandin conform`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path

from lnstandin.conform.documents import as_followed, read_documents
from lnstandin.conform.effects import check_regtest, run_effects
from lnstandin.conform.node import Node
from lnstandin.conform.report import as_json, as_table, exit_code
from lnstandin.conform.run import Conformance


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("schemas", type=Path, metavar="SCHEMAS", help="the folder of the documents, or one of them")
    parser.add_argument("--socket", type=Path, required=True, metavar="NODE", help="the node's lightning-rpc")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--with-side-effects",
        action="store_true",
        help="also create, pay and delete, and watch notifications and hooks; on regtest only",
    )
    parser.add_argument(
        "--peer",
        type=Path,
        action="append",
        default=[],
        metavar="NODE",
        help="the socket of another node of yours, with a channel to the first: it pays and is paid (repeatable)",
    )


def run(given: Namespace) -> int:
    """Compare the documents with the node, and print what was found; return 1 if something contradicts, else 0.

    Raises:
        ServiceError: if documents cannot be read, a node does not answer, or it is not on regtest.
    """
    documents = read_documents(given.schemas)
    with ExitStack() as stack:
        node, *peers = (stack.enter_context(Node(socket)) for socket in (given.socket, *given.peer))
        documents = as_followed(documents, node.version())
        conformance = Conformance(documents, node)
        if given.with_side_effects:
            check_regtest([node, *peers])
        conformance.compare_commands(_show)
        if given.with_side_effects:
            run_effects(conformance, peers, _show)
    _show("")
    results = conformance.results
    documented = [document.name for document in documents if document.kind == "rpc"]
    print(as_json(results, documented) if given.json else as_table(results, documented), end="")
    return exit_code(results)


def _show(step: str) -> None:
    """Show on a terminal what is being done."""
    if sys.stderr.isatty():
        print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)
