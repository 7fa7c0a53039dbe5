"""A plugin that writes down the events that tests of documents are about: `python -m tests.interop.watcher FILE`.

Each line is an object: the event's name, the attributes of its typed object, and the names of fields without a type.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from clnrpc import Plugin, unknown_fields
from clnrpc.types import (
    ForwardEventNotification,
    InvoicePaymentHookRequest,
    InvoicePaymentHookResponse,
    RpcCommandHookRequest,
    RpcCommandHookResponse,
)


class Watcher(Plugin):
    """Writes to a file, and lets everything go on."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def write(self, event: str, payload: Any, part: Any) -> None:
        line: dict[str, Any] = {"event": event, "unknown": sorted(unknown_fields(payload))}
        for field in dataclasses.fields(part):
            try:
                line[field.name] = getattr(part, field.name)
            except AttributeError:  # the node left out what its document requires
                line[field.name] = None
        with self.file.open("a") as stream:
            stream.write(json.dumps(line, default=dataclasses.asdict) + "\n")

    def on_forward_event(self, event: ForwardEventNotification, /) -> None:
        self.write("forward_event", event, event)

    def hook_rpc_command(self, request: RpcCommandHookRequest, /) -> RpcCommandHookResponse:
        self.write("rpc_command", request, request.rpc_command)
        return RpcCommandHookResponse(result="continue")

    def hook_invoice_payment(self, request: InvoicePaymentHookRequest, /) -> InvoicePaymentHookResponse:
        self.write("invoice_payment", request, request.payment)
        return InvoicePaymentHookResponse(result="continue")


if __name__ == "__main__":
    Watcher(Path(sys.argv[1])).rpc_run()
