"""nutshell's backend for Core Lightning's REST, driven line by line: run by a Python that has cashu.

Its arguments are the URL, the rune and the certificate. The lines are as in `lnbits_wallet`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


async def main(url: str, rune: str, certificate: str) -> None:
    """Call the backend's methods until there are no more lines."""
    os.environ |= {
        "MINT_BACKEND_BOLT11_SAT": "CLNRestWallet",
        "MINT_CLNREST_URL": url,
        "MINT_CLNREST_RUNE": rune,
        "MINT_CLNREST_CERT": certificate,
    }
    import httpx  # noqa: PLC0415
    from cashu.core.base import Amount, MeltQuote, MeltQuoteState, Unit  # noqa: PLC0415 - after the environment is set
    from cashu.lightning.clnrest import CLNRestWallet  # noqa: PLC0415
    from loguru import logger  # noqa: PLC0415

    logger.remove()
    backend = CLNRestWallet(Unit.sat)
    paid = backend.paid_invoices_stream()
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, given = json.loads(line)
        if method == "next_paid":
            result: Any = await anext(paid)
        elif method == "create_invoice":
            result = await backend.create_invoice(Amount(Unit.sat, given["amount"]), memo=given["memo"])
        elif method == "pay_invoice":
            quote = MeltQuote(
                quote="q",
                method="bolt11",
                checking_id="c",
                unit="sat",
                fee_reserve=1,
                state=MeltQuoteState.unpaid,
                request=given["bolt11"],
                amount=given["amount"],
            )
            try:
                result = await backend.pay_invoice(quote, given["fee_limit_msat"])
            except httpx.HTTPError as error:  # nutshell leaves it to its caller
                result = {"error": repr(error)}
        else:
            result = await getattr(backend, method)(**given)
        print(json.dumps(result if isinstance(result, (str, dict)) else _shown(result)), flush=True)


def _shown(result: Any) -> dict[str, Any]:
    wanted = ("ok", "result", "preimage", "payment_request", "checking_id", "error_message", "balance")
    values = {name: getattr(result, name) for name in wanted if hasattr(result, name)}
    if "result" in values:
        values["result"] = values["result"].name
    if "balance" in values:
        values["balance"] = values["balance"].amount
    return values


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    os._exit(0)  # the stream of paid invoices waits
