"""What can happen on a connection, and in which order: the table that `connection` goes by and the docs draw.

Two nodes shake hands, each then says which features and chains it knows (`init`), and from there on messages go both
ways in no order. Who connects is the initiator; the handshake is the only part where the sides differ.

A connection is at each moment in one `State`. What moves it on is a `Step`: an act or a message that was read and found
good, a fault of the peer's, or the end of the connection. `TRANSITIONS` has all that is allowed. A step that its table
does not list for the present state is a fault: of the peer, if it took it, else of the program.

Three things follow from the table. Nothing but `init` can be the first message, and it comes once. Nothing is read
after a fault: FAILED is left by no step, so what an attacker sends after a bad byte costs nothing. And a handshake is
over after a fixed number of bytes, so a half-open connection holds no more than one act.

This file knows no bytes, keys or messages. Time is not here either: who waits for how long is for the program to say,
which has a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from lnoffers.bolt12.typecheck import typechecked


class State(Enum):
    """Where a connection stands."""

    AWAITING_ACT_ONE = "responder: nothing was received"
    AWAITING_ACT_TWO = "initiator: act one is sent"
    AWAITING_ACT_THREE = "responder: act two is sent"
    AWAITING_INIT = "each knows who the other is, and has sent its init"
    OPEN = "messages go both ways"
    CLOSED = "one side has closed the connection"
    FAILED = "the peer has broken a rule"


class Step(Enum):
    """What moves a connection on."""

    ACT_ONE = "the initiator knows our node id"
    ACT_TWO = "the responder owns the node id it was called by"
    ACT_THREE = "the initiator owns the node id it names"
    INIT = "the peer says which features and chains it knows"
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
"""For each step, the states it can be taken in and the one it leads to."""


@typechecked
def has_ended(state: State) -> bool:
    """Return whether nothing more is read or sent in this state."""
    return state in _ENDED
