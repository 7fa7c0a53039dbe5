"""One connection to a peer: bytes in, events out. The sockets and the clock are the program's.

    connection = Connection.initiate(node, ephemeral, peer_id, Init(OFFERED, (chain,)))
    while True:
        socket.sendall(connection.data_to_send())
        connection.receive_data(socket.recv(65536))  # b"" once the peer has closed
        while (event := connection.next_event()) is not None:
            ...

After each call, send what `data_to_send` returns: acts, `init`, pongs and warnings come about on their own. Take all
events before passing on more bytes; the buffer then never holds more than one frame and one read. What `next_event`
raises is the end of the connection: send what there is to send, and close.

The order of things is the table in `states`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeAlias, final

from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net import features as feature_table
from lnoffers.net.crypto import NodeKey
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.frames import MAX_FRAME
from lnoffers.net.handshake import ACT_ONE_LENGTH, ACT_THREE_LENGTH, ACT_TWO_LENGTH, Established, Initiator, Responder
from lnoffers.net.messages import (
    NO_PONG,
    Init,
    OnionMessage,
    PeerError,
    PeerWarning,
    Ping,
    Pong,
    Sendable,
    read_message,
    write_message,
)
from lnoffers.net.states import TRANSITIONS, State, Step, has_ended

MAX_BUFFER: Final = 2 * MAX_FRAME
"""Bytes that may wait to be read."""
_MAX_TEXT: Final = 1_000
"""Characters of our warnings."""


@typechecked
@dataclass(frozen=True, slots=True)
class Authenticated:
    """The handshake is over and the peer's node id proved; `init` comes next."""

    node_id: bytes


@typechecked
@dataclass(frozen=True, slots=True)
class Ready:
    """The peer's `init` is here and can be worked with: messages may be sent."""

    init: Init


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer has closed the connection between two messages."""


Event: TypeAlias = Authenticated | Ready | Ping | Pong | PeerWarning | PeerError | OnionMessage | Closed
"""What can happen. A ping is answered already, and a pong is the one that was waited for."""


@typechecked
@final
class Connection:
    """The state of one connection. Its repr shows no key."""

    __slots__ = ("_awaited_pong", "_buffer", "_established", "_init", "_out", "_shaking", "_state", "_stopped")

    def __init__(self, state: State, shaking: Initiator | Responder, init: Init) -> None:
        """For `initiate` and `respond`."""
        self._state = state
        self._shaking = shaking
        self._init = init
        self._established: Established | None = None
        self._buffer = bytearray()
        self._stopped = False
        self._out = bytearray()
        self._awaited_pong: int | None = None

    @classmethod
    @typechecked
    def initiate(cls, node: NodeKey, ephemeral: KeyPair, peer_id: bytes, init: Init) -> Self:
        """Begin a connection to the node `peer_id`, a compressed point.

        Args:
            node: this node's key.
            ephemeral: a new, unpredictable key for this connection alone.
            peer_id: the node to connect to.
            init: what to say of this side; a peer that shares no chain with it is refused.

        Raises LocalProtocolError if `peer_id` is not a point on the curve.
        """
        shaking = Initiator(node, ephemeral, peer_id)
        connection = cls(State.AWAITING_ACT_TWO, shaking, init)
        connection._out += shaking.act_one()
        return connection

    @classmethod
    @typechecked
    def respond(cls, node: NodeKey, ephemeral: KeyPair, init: Init) -> Self:
        """Begin a connection that somebody else has opened. The arguments are those of `initiate`."""
        return cls(State.AWAITING_ACT_ONE, Responder(node, ephemeral), init)

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    @property
    def peer_id(self) -> bytes | None:
        """The peer's node id, 33 bytes, once it is proved."""
        return None if self._established is None else self._established.peer_id

    def data_to_send(self) -> bytes:
        """Return what has to be sent now, in order, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    @typechecked
    def receive_data(self, data: bytes) -> None:
        """Take bytes that the peer has sent; none say that it will send no more.

        Raises LocalProtocolError if earlier bytes still wait for `next_event` to read them. Bytes after the end of the
        connection are thrown away.
        """
        if has_ended(self._state):
            return
        if len(self._buffer) > MAX_BUFFER:
            raise LocalProtocolError("call next_event until it returns None before passing on more data")
        self._buffer += data
        self._stopped = self._stopped or not data

    def next_event(self) -> Event | None:
        """Return what has happened next; None if more data is needed for that, or the connection has ended.

        Raises RemoteProtocolError if the peer broke a rule; the connection has then failed.
        """
        try:
            return self._next_event()
        except RemoteProtocolError as error:
            if error.hint is Hint.WARN and self._state is State.OPEN:
                self._write(PeerWarning(error.message[:_MAX_TEXT].encode("ascii", "replace")))
            self._move(Step.FAULT)
            raise

    @typechecked
    def send(self, message: Ping | PeerWarning | OnionMessage) -> None:
        """Send a message.

        Raises LocalProtocolError if the peer's `init` has not arrived, the connection has ended, a part of the message
        does not fit its place, or a pong is still waited for.
        """
        self._move(Step.MESSAGE)
        if isinstance(message, Ping) and message.num_pong_bytes < NO_PONG:
            if self._awaited_pong is not None:
                raise LocalProtocolError("the pong for an earlier ping has not arrived")
            self._awaited_pong = message.num_pong_bytes
        self._write(message)

    def close(self) -> None:
        """End the connection on this side."""
        if not has_ended(self._state):
            self._move(Step.END)

    def _next_event(self) -> Event | None:
        while not has_ended(self._state):
            piece = self._take()
            if piece is None:
                return self._at_the_end() if self._stopped else None
            event = _HANDLERS[self._state](self, piece)
            if event is not None:
                return event
        return None

    def _take(self) -> bytes | None:
        """Take the act or message that is due, if all of it is there."""
        if self._established is not None:
            return self._established.reader.read(self._buffer)
        length = _ACT_LENGTHS[self._state]
        if len(self._buffer) < length:
            return None
        act = bytes(self._buffer[:length])
        del self._buffer[:length]
        return act

    def _at_the_end(self) -> Closed:
        """Say that the peer has closed. Raises RemoteProtocolError if it was not yet, or not now, allowed to."""
        if self._state is not State.OPEN or self._established is None:
            raise RemoteProtocolError(
                f"the peer closed the connection in the state {self._state.name}", hint=Hint.CLOSE
            )
        if self._buffer or self._established.reader.within_frame:
            raise RemoteProtocolError("the peer closed the connection within a message", hint=Hint.CLOSE)
        self._move(Step.END)
        return Closed()

    def _move(self, step: Step) -> None:
        after = TRANSITIONS[step].get(self._state)
        if after is None:
            raise LocalProtocolError(f"{step.name} is not possible in the state {self._state.name}")
        self._state = after

    def _write(self, message: Sendable) -> None:
        assert self._established is not None  # the table lets nobody send before
        self._out += self._established.writer.frame(write_message(message))

    # ---- what is done with each piece

    def _on_act_one(self, act: bytes) -> None:
        assert isinstance(self._shaking, Responder)
        self._out += self._shaking.read_act_one(act)
        self._move(Step.ACT_ONE)

    def _on_act_two(self, act: bytes) -> Authenticated:
        assert isinstance(self._shaking, Initiator)
        answer, established = self._shaking.read_act_two(act)
        self._out += answer
        return self._begin(Step.ACT_TWO, established)

    def _on_act_three(self, act: bytes) -> Authenticated:
        assert isinstance(self._shaking, Responder)
        return self._begin(Step.ACT_THREE, self._shaking.read_act_three(act))

    def _begin(self, step: Step, established: Established) -> Authenticated:
        """Begin with messages; ours is `init`."""
        self._established = established
        self._move(step)
        self._write(self._init)
        return Authenticated(established.peer_id)

    def _on_init(self, data: bytes) -> Ready:
        message = read_message(data)
        if not isinstance(message, Init):
            raise RemoteProtocolError("the peer's first message is not init", hint=Hint.CLOSE)
        self._move(Step.INIT)
        feature_table.check(message.features)
        if message.networks and self._init.networks and not set(message.networks) & set(self._init.networks):
            raise RemoteProtocolError("the peer is on none of our chains", hint=Hint.WARN)
        return Ready(message)

    def _on_message(self, data: bytes) -> Event | None:
        message = read_message(data)
        self._move(Step.MESSAGE)
        match message:
            case Init():
                raise RemoteProtocolError("the peer sent init again", hint=Hint.WARN)
            case Ping(num_pong_bytes) if num_pong_bytes < NO_PONG:
                self._write(Pong(num_pong_bytes))
            case Pong(byteslen):
                # One of another length answers no ping of ours, and is ignored like any answer to nothing.
                if byteslen != self._awaited_pong:
                    return None
                self._awaited_pong = None
        return message


_ACT_LENGTHS: Final = {
    State.AWAITING_ACT_ONE: ACT_ONE_LENGTH,
    State.AWAITING_ACT_TWO: ACT_TWO_LENGTH,
    State.AWAITING_ACT_THREE: ACT_THREE_LENGTH,
}
_HANDLERS: Final[Mapping[State, Callable[[Connection, bytes], Event | None]]] = {
    State.AWAITING_ACT_ONE: Connection._on_act_one,
    State.AWAITING_ACT_TWO: Connection._on_act_two,
    State.AWAITING_ACT_THREE: Connection._on_act_three,
    State.AWAITING_INIT: Connection._on_init,
    State.OPEN: Connection._on_message,
}
