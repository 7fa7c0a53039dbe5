"""Lines with one mistake each, of the kinds that users of an untyped client make: for clnrpc, and for pyln-client.

`client` is a blocking client. Tests require that type checkers find each mistake of clnrpc's lines.
"""

from __future__ import annotations

from typing import Final

MISTAKES: Final = {
    "a misspelt command": ("client.listpeerchannel()", "client.listpeerchannel()"),
    "a missing parameter": ('client.invoicerequest("1sat")', 'client.invoicerequest("1sat")'),
    "a misspelt parameter": ('client.newaddr(adresstype="p2tr")', 'client.newaddr(adresstype="p2tr")'),
    "a parameter of another command": ('client.xpay("lni1", exemptfee=1)', 'client.xpay("lni1", exemptfee=1)'),
    "a parameter of a wrong type": ("client.dev_forget_channel(7)", "client.dev_forget_channel(7)"),
    "a fraction of an amount": ('client.xpay("lni1", maxfee=0.5)', 'client.xpay("lni1", maxfee=0.5)'),
    "a value that is none of the choices": (
        'client.listforwards(status="settld")',
        'client.listforwards(status="settld")',
    ),
    "one element in place of a list": (
        'client.sendpay({"id": "02"}, "00")',
        'client.sendpay({"id": "02"}, "00")',
    ),
    "a misspelt member of a parameter": (
        'client.sendpay([{"id": "02", "chanel": "1x1x1", "delay": 9, "amount_msat": 1}], "00")',
        'client.sendpay([{"id": "02", "chanel": "1x1x1", "delay": 9, "amount_msat": 1}], "00")',
    ),
    "a misspelt filter of a long list": (
        'client.rpc_pages(client.listforwards, staus="failed")',
        'client.listforwards(staus="failed")',
    ),
    "a misspelt field": ("print(client.getinfo().versoin)", 'print(client.getinfo()["versoin"])'),
    "a number taken for text": (
        'print(client.getinfo().blockheight + "")',
        'print(client.getinfo()["blockheight"] + "")',
    ),
    "text taken for a number": (
        'print(client.getinfo().blockheight == "800000")',
        'print(client.getinfo()["blockheight"] == "800000")',
    ),
    "a comparison with what can never be": (
        'print(client.listpays().pays[0].status == "paid")',
        'print(client.listpays()["pays"][0]["status"] == "paid")',
    ),
    "a field that may be absent": (
        "print(client.listpeerchannels().channels[0].short_channel_id.upper())",
        'print(client.listpeerchannels()["channels"][0]["short_channel_id"].upper())',
    ),
    "arithmetic with a field that may be absent": (
        "print(client.listpays().pays[0].amount_sent_msat - 1)",
        'print(client.listpays()["pays"][0]["amount_sent_msat"] - 1)',
    ),
    "a field of another kind of response": (
        'print(client.decode("lno1").offer_description)',
        'print(client.decode("lno1")["offer_description"])',
    ),
    "a list taken for its element": ("print(client.listpeers().peers.id)", 'print(client.listpeers()["peers"]["id"])'),
    "a setting of the client that does not exist": ("client.rpc_with(timout=5)", 'client.call("getinfo", timout=5)'),
    "a response that is not awaited": (
        "print(AsyncClient(path).getinfo().version)",
        'print(asyncio.to_thread(client.getinfo)["version"])',
    ),
}
