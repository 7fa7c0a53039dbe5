"""Where a node can be reached: the argument of a client that names it."""

from __future__ import annotations

import os
from typing import Final, TypeGuard

from ..errors import CannotConnectError

SOCKET: Final = "lightning-rpc"
"""The name of a node's socket, in the directory of its network."""
_SCHEMES: Final = ("https://", "http://")


def is_url(node: str | os.PathLike[str]) -> TypeGuard[str]:
    """Return whether `node` is the URL of a REST interface, and not a path."""
    return isinstance(node, str) and node.lower().startswith(_SCHEMES)


def check_socket_arguments(*arguments: object) -> None:
    """Raise ValueError if any of the arguments for a URL is given for a path."""
    if any(each is not None for each in arguments):
        raise ValueError("rune, ca and server_name are for the URL of a REST interface: https://HOST:PORT")


def find_socket(path: str) -> str:
    """Return the path of the socket that `path` names.

    It is the socket itself, the directory of a network, or a lightning directory in which one network has a socket. A
    path at which there is nothing yet is returned unchanged. Raises CannotConnectError if a directory has no socket, or
    several networks have one.
    """
    try:
        inside = sorted(os.listdir(path))
    except OSError:
        return path  # a socket, or connecting to it tells the reason
    if SOCKET in inside:
        return os.path.join(path, SOCKET)
    found = [each for name in inside if os.path.lexists(each := os.path.join(path, name, SOCKET))]
    if not found:
        raise CannotConnectError(f"cannot connect: there is no {SOCKET} in {path}; is the node running?")
    if len(found) > 1:
        raise CannotConnectError(
            f"cannot connect: several networks have a {SOCKET} in {path}; name one of {', '.join(found)}"
        )
    return found[0]
