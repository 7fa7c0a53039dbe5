"""A Core Lightning node of a few lines: a real socket at which commands get the answers of a test."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from clnrpc import RpcError
from tests.runtime.node import Connection

Answer = dict[str, Any] | RpcError | Callable[[Any], dict[str, Any]] | None
"""A result, an error, what makes the result of the parameters, or None to close the connection instead."""

NODE_ID = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
INFO = {"id": NODE_ID, "version": "v26.06", "network": "regtest", "blockheight": 100}


def datastore() -> dict[str, Answer]:
    """Return the answers of a datastore that is empty at first."""
    stored: dict[tuple[str, ...], dict[str, Any]] = {}

    def listed(params: Any) -> dict[str, Any]:
        found = stored.get(tuple(params["key"]))
        return {"datastore": [] if found is None else [{"key": params["key"], **found}]}

    def store(params: Any) -> dict[str, Any]:
        found = stored.get(tuple(params["key"]))
        if params["mode"] not in {"must-create", "must-replace"}:
            raise RpcError(-1, "another server may have counted meanwhile")
        if params["mode"] == "must-create" and found is not None:
            raise RpcError(1202, "exists")
        if params["mode"] == "must-replace" and (found is None or params["generation"] != found["generation"]):
            raise RpcError(1204, "changed")
        generation = 0 if found is None else found["generation"] + 1
        stored[tuple(params["key"])] = {"string": params["string"], "generation": generation}
        return {"key": params["key"], **stored[tuple(params["key"])]}

    return {"listdatastore": listed, "datastore": store}


@contextmanager
def answering(path: Path, answers: Mapping[str, Answer]) -> Iterator[list[tuple[str, Any]]]:
    """Run such a node at `path`, and yield the list of the calls that it gets. `wait*` are answered at the end."""
    calls: list[tuple[str, Any]] = []
    over = Event()
    known: dict[str, Answer] = {"getinfo": INFO, "help": {}, "wait": {"updated": 0}, "listinvoices": {"invoices": []}}
    known |= datastore() | dict(answers)

    def serve(connection: Connection) -> None:
        while True:
            request = connection.read()
            method, params = request["method"], request["params"]
            calls.append((method, params))
            if method not in known:
                over.wait()
                raise EOFError
            found = known[method]
            if found is None:
                raise EOFError
            try:
                if isinstance(found, RpcError):
                    raise found
                connection.answer(request, found(params) if callable(found) else found)
            except RpcError as error:
                connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error.as_json()}) + "\n\n")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = Connection(self.request)
            connection.socket.settimeout(None)
            with suppress(EOFError, OSError):
                serve(connection)

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield calls
        finally:
            over.set()
            server.shutdown()
            thread.join()
            path.unlink()
