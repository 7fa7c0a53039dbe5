"""A stand-in that serves any rpc-schema documents over a unix socket, as lightningd would, without its logic.

    from lnstandin.mock import ANY, Mock

    with Mock() as mock:
        mock.on("xpay", invstring=ANY).fail(205, "No route").then.answer(amount_msat=1000)
        run_the_application(mock.socket)
        assert len(mock.calls.of("xpay")) == 2

mock        `Mock` and `AsyncMock`: the context managers
core        how a call is answered
rules       scripts: rules that answer calls
calls       the record of the calls
builtin     commands that the mock carries out itself
requests    validates parameters
documents   the documents of a folder, and of another release
examples    answers of the documents' examples
generation  generated answers: objects and conditionals, over `scalars` and `draws`
server      the unix socket; `restcalls` for REST
plugins     starts and calls plugins as lightningd does; `events` makes the payloads
runes       createrune, checkrune and their siblings
scriptfile  scripts in files, for the program (`cli`)
"""

from clnrpc.runtime.errors import RpcError
from lnstandin.documents import DocumentsError
from lnstandin.mock.calls import ANY, Call, Calls
from lnstandin.mock.mock import AsyncMock, Mock
from lnstandin.mock.plugins.host import LogLine, Plugin
from lnstandin.mock.plugins.manifest import PluginError
from lnstandin.mock.rules import Rule, ScriptError

__all__ = [
    "ANY",
    "AsyncMock",
    "Call",
    "Calls",
    "DocumentsError",
    "LogLine",
    "Mock",
    "Plugin",
    "PluginError",
    "RpcError",
    "Rule",
    "ScriptError",
]
