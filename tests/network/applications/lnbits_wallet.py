"""lnbits' wallet for Core Lightning's socket, driven line by line: run by a Python that has lnbits and pyln-client.

Each line on standard input is a method of the wallet and its arguments, as JSON; each line of output is the result.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from loguru import logger

logger.remove()  # it writes to standard error what the tests assert anyway


def wallet(kind: str, place: str) -> Any:
    """Return a wallet of lnbits for a socket, or for REST with a rune and a certificate."""
    from lnbits.settings import settings  # noqa: PLC0415 - after the environment is set

    if kind == "socket":
        from lnbits.wallets.corelightning import CoreLightningWallet  # noqa: PLC0415

        settings.corelightning_rpc = place
        return CoreLightningWallet()
    from lnbits.wallets.clnrest import CLNRestWallet  # noqa: PLC0415

    url, rune, certificate = json.loads(place)
    settings.clnrest_url, settings.clnrest_ca = url, certificate
    settings.clnrest_readonly_rune = settings.clnrest_invoice_rune = settings.clnrest_pay_rune = rune
    settings.clnrest_renepay_rune = None
    return CLNRestWallet()


async def main(kind: str, place: str) -> None:
    """Call the wallet's methods until there are no more lines."""
    from lnbits.settings import settings  # noqa: PLC0415

    settings.lnbits_running = True
    wallet_ = wallet(kind, place)
    paid = wallet_.paid_invoices_stream()
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, arguments = json.loads(line)
        if method == "next_paid":
            result: Any = await anext(paid)
        else:
            result = await getattr(wallet_, method)(**arguments)
        shown = result if isinstance(result, str) else {name: getattr(result, name) for name in _names(result)}
        print(json.dumps(shown), flush=True)


def _names(result: Any) -> list[str]:
    wanted = ("ok", "paid", "preimage", "payment_request", "checking_id", "error_message", "balance_msat", "fee_msat")
    return [name for name in wanted if hasattr(result, name)]


if __name__ == "__main__":
    os.environ.setdefault("LNBITS_DATA_FOLDER", str(Path.cwd()))
    asyncio.run(main(*sys.argv[1:]))
    os._exit(0)  # the stream of paid invoices waits in a thread
