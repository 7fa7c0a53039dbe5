"""The states of a connection and the steps between them, as a table. `connection` follows it, and the docs draw it.

Two nodes complete a handshake. Each then sends its features and chains (`init`). After that, messages go both ways in
any order. The node that connects is the initiator; the roles differ only during the handshake.

A connection is always in one `State`. A `Step` changes it: a valid act or message, an error of the peer, or the end of
the connection. `TRANSITIONS` lists all allowed steps. A step that is not listed for the present state is an error: of
the peer if the peer took the step, else of the caller.

Three properties follow from the table. The first message is `init`, and it comes only once. Nothing is read after an
error: no step leaves FAILED, so bytes that an attacker sends after a wrong one cost nothing. And the handshake has a
fixed number of bytes, so a half-open connection buffers at most one act.

This file must not depend on bytes, keys or messages. Timeouts are not here either: the caller has the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from lnoffers.bolt12.typecheck import typechecked


class State(Enum):
    """The state of a connection."""

    AWAITING_ACT_ONE = "responder: nothing was received"
    AWAITING_ACT_TWO = "initiator: act one is sent"
    AWAITING_ACT_THREE = "responder: act two is sent"
    AWAITING_INIT = "both node ids are proved, and our init is sent"
    OPEN = "messages go both ways"
    CLOSED = "one side has closed the connection"
    FAILED = "the peer has broken a rule"


class Step(Enum):
    """An event that changes the state of a connection."""

    ACT_ONE = "the initiator has shown that it knows our node id"
    ACT_TWO = "the responder has proved its node id"
    ACT_THREE = "the initiator has proved its node id"
    INIT = "the peer has sent its features and chains"
    MESSAGE = "any other message"
    FAULT = "something arrived that breaks a rule"
    END = "either side closes"


_ENDED: Final = frozenset({State.CLOSED, State.FAILED})
_ALIVE: Final = tuple(state for state in State if state not in _ENDED)

TRANSITIONS: Final[Mapping[Step, Mapping[State, State]]] = {
    Step.ACT_ONE: {State.AWAITING_ACT_ONE: State.AWAITING_ACT_THREE},
    Step.ACT_TWO: {State.AWAITING_ACT_TWO: State.AWAITING_INIT},
    Step.ACT_THREE: {State.AWAITING_ACT_THREE: State.AWAITING_INIT},
    Step.INIT: {State.AWAITING_INIT: State.OPEN},
    Step.MESSAGE: {State.OPEN: State.OPEN},
    Step.FAULT: dict.fromkeys(_ALIVE, State.FAILED),
    Step.END: dict.fromkeys(_ALIVE, State.CLOSED),
}
"""For each step, the states in which it is allowed and the state after it."""


@typechecked
def has_ended(state: State) -> bool:
    """Return whether nothing more is read or sent in this state."""
    return state in _ENDED
