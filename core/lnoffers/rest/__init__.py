"""REST with runes: Core Lightning's RPC over HTTPS, as its plugin clnrest offers it.

`POST /v1/METHOD` makes a call, with its parameters by name as a JSON object or as a form, and a rune in the header
`Rune`. `GET /v1/list-methods` lists the commands. Nothing runs without a rune that permits it.

This package knows no node. It calls commands, `checkrune` included, through a function of the type `Dispatch`:

    async def dispatch(method: str, params: bytes) -> bytes:
        return b'{"id": "02…"}'  # or raise RpcError(code, message, data)

    app = application(dispatch)
    tls = server_context(folder, "127.0.0.1")  # makes ca.pem and the others on the first start
    async with serving(app, "127.0.0.1", 0, tls) as listener:
        host, port = listener.address
        ...

`application` needs only the standard library and clnrpc, `serving` needs uvicorn, and `server_context` cryptography.
"""

from lnoffers.rest.application import Dispatch, application

__all__ = ["Dispatch", "application"]
