"""Errors of the protocol, split by whose fault they are.

`LocalProtocolError`: the caller did something that the protocol does not allow, such as sending before the handshake is
complete. This is a bug to fix, and nothing was sent.

`RemoteProtocolError`: another node did. Its `hint` says how to react. The sender of an onion message is unknown, and
the peer may only have forwarded it. So the hint for a bad one is to drop it and keep the connection.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any


class Hint(Enum):
    """How to react to an error of another node."""

    CLOSE = "close the connection without a message"
    WARN = "send a warning that says what is wrong, then close the connection"
    DROP = "ignore the message and keep the connection"


class WireError(ValueError):
    """A rule of BOLT 1, 4 or 8 is broken. Always raised as one of the two classes below."""

    def __init__(self, message: str) -> None:
        if type(self) is WireError:
            raise TypeError("raise LocalProtocolError or RemoteProtocolError instead")
        super().__init__(message)
        self.message = message


class LocalProtocolError(WireError):
    """This side asked for something the protocol does not allow."""


class RemoteProtocolError(WireError):
    """The other side broke a rule.

    Attributes:
        message: what was wrong; it holds no secret and can be logged or sent in a warning.
        hint: how to react.
    """

    def __init__(self, message: str, *, hint: Hint) -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), hint=self.hint), (self.message,)


class ChannelMessageError(RemoteProtocolError):
    """The peer sent a message about a channel, although there is none: it takes us for another node.

    That is the case if a node with channels runs with the same secret. An `error` in answer could close that node's
    channels. So the connection ends without a message, and should not be opened again.
    """

    def __init__(self, type_: int) -> None:
        super().__init__(
            f"the peer sent message {type_}, about a channel, and we have none: does a node with channels use the same "
            "secret? Use another one here",
            hint=Hint.CLOSE,
        )
        self.type = type_

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.type,)
