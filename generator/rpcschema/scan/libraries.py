"""What is known of the libraries through which programs call nodes, by the names that they give to things."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final

from rpcschema.scan.values import NOTHING, Answer, Client, Plugin, Value, Values

SAME: Final = frozenset(
    {"cast", "copy", "deepcopy", "dict", "filter", "iter", "list", "reversed", "set", "sorted", "tuple"}
)
"""Functions that return what they are given, or its elements in another container."""
AWAITED: Final = frozenset({"create_task", "ensure_future", "run", "run_until_complete", "shield", "wait_for"})
"""Functions of asyncio that return, in time, what they are given."""
PICKED: Final = frozenset({"choice", "max", "min", "next"})
"""Functions that return an element of what they are given."""
_HOST: Final = r"https?://(?:localhost|[\d.]+|\[::1\]|[^/]*\0[^/]*)"
"""A node's: this machine, an address, or one that is not constant. clnrest is on no public web site."""
_rest_path: Final = re.compile(rf"(?:^|\0|{_HOST})(?::\d+)?/v1/([a-z][\w-]*)/?(?:\?[^/]*)?$").search
_MAKERS: Final[Mapping[str, tuple[tuple[str, ...], Value]]] = {
    "LightningRpc": ((), Client("pyln")),
    "Plugin": (("pyln", "lightning", "Plugin"), Plugin()),
    "Client": (("clnrpc",), Client("clnrpc")),
    "AsyncClient": (("clnrpc",), Client("clnrpc")),
    "NodeStub": ((), Client("grpc")),
}
"""Classes by their names, with the packages they must come from (any if there are none), and what they make."""


def rest_command(text: str) -> str | None:
    """Return the command that a URL or path of clnrest calls; None for other text, such as a URL of a web site."""
    found = _rest_path(text)
    return found[1] if found else None


def made_by(name: str) -> Values:
    """Return what a class of another module makes, given its full name."""
    packages, made = _MAKERS.get(name.rpartition(".")[2], ((), None))
    if made is None or (packages and name.partition(".")[0] not in packages):
        return NOTHING
    return frozenset({made})


def by_convention(name: str) -> Values:
    """Return what a parameter of this name is in programs that use pyln-client."""
    return {"plugin": frozenset[Value]({Plugin()}), "rpc": frozenset[Value]({Client("pyln")})}.get(name, NOTHING)


def payload(function: ast.AST, name: str) -> Values:
    """Return what lightningd passes to a function that is registered for a notification or hook."""
    for decorator in getattr(function, "decorator_list", ()):
        match decorator:
            case ast.Call(func=ast.Attribute(attr="subscribe"), args=[ast.Constant(value=str() as topic), *_]):
                path = () if name == topic else (name,)
                return frozenset({Answer("notification", topic, "pyln", path)})
            case ast.Call(
                func=ast.Attribute(attr="hook" | "async_hook"), args=[ast.Constant(value=str() as topic), *_]
            ):
                return frozenset({Answer("hook", topic, "pyln", (name,))})
    return NOTHING
