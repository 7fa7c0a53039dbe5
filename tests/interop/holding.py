"""A plugin that keeps arriving payments pending until a file exists: `python -m tests.interop.holding FILE`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from clnrpc import Plugin
from clnrpc.types import InvoicePaymentHookRequest, InvoicePaymentHookResponse

PAUSE = 0.1


class Holding(Plugin):
    """Lets a payment succeed when the file is there."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def hook_invoice_payment(self, _: InvoicePaymentHookRequest, /) -> InvoicePaymentHookResponse:
        while not self.file.exists():
            time.sleep(PAUSE)
        return InvoicePaymentHookResponse(result="continue")


if __name__ == "__main__":
    Holding(Path(sys.argv[1])).rpc_run()
