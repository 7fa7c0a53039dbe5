"""One connection to a peer: bytes in, events out. Sockets and clock belong to the caller.

    connection = PeerConnection.initiate(node, ephemeral, peer_id, Init(OFFERED, (chain,)))
    while True:
        socket.sendall(connection.data_to_send())
        connection.receive_data(socket.recv(65536))  # b"" once the peer has closed
        while (event := connection.next_event()) is not None:
            ...

After each call, send the bytes that `data_to_send` returns: acts, `init`, pongs and warnings are created automatically.
Take all events before you pass on more bytes; then the buffer never holds more than one frame and one read. If
`next_event` raises, the connection is over: send the remaining bytes and close it.

The table in `states` says what is allowed when.
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
    CustomMessage,
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
"""The most bytes that may wait for `next_event` when more arrive."""
_MAX_TEXT: Final = 1_000
"""The most characters of a warning that we send."""


@typechecked
@dataclass(frozen=True, slots=True)
class Authenticated:
    """The handshake is complete, and the peer has proved its node id. `init` comes next."""

    node_id: bytes


@typechecked
@dataclass(frozen=True, slots=True)
class Ready:
    """The peer's `init` has arrived and is acceptable: messages may be sent."""

    init: Init


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer has closed the connection between two messages."""


Event: TypeAlias = Authenticated | Ready | Ping | Pong | PeerWarning | PeerError | OnionMessage | CustomMessage | Closed
"""All events. A ping has been answered already, and a pong answers our ping."""


@typechecked
@final
class PeerConnection:
    """The state of one connection. Its repr shows no key."""

    __slots__ = (
        "_awaited_pong",
        "_buffer",
        "_established",
        "_init",
        "_message_count",
        "_out",
        "_shaking",
        "_state",
        "_stopped",
    )

    def __init__(self, state: State, shaking: Initiator | Responder, init: Init) -> None:
        """Create a connection; use `initiate` or `respond` instead."""
        self._state = state
        self._shaking = shaking
        self._init = init
        self._established: Established | None = None
        self._buffer = bytearray()
        self._message_count = 0
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
            init: our first message. A peer is refused if both name chains and have none in common.

        Raises:
            LocalProtocolError: if `peer_id` is not a point on the curve.
        """
        shaking = Initiator(node, ephemeral, peer_id)
        connection = cls(State.AWAITING_ACT_TWO, shaking, init)
        connection._out += shaking.act_one()
        return connection

    @classmethod
    @typechecked
    def respond(cls, node: NodeKey, ephemeral: KeyPair, init: Init) -> Self:
        """Begin a connection that the peer has opened. The arguments are those of `initiate`."""
        return cls(State.AWAITING_ACT_ONE, Responder(node, ephemeral), init)

    @property
    def state(self) -> State:
        """The state of the connection."""
        return self._state

    @property
    def peer_id(self) -> bytes | None:
        """The peer's node id, 33 bytes, or None before it is proved."""
        return None if self._established is None else self._established.peer_id

    def data_to_send(self) -> bytes:
        """Return the bytes to send now and remove them from the buffer."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def take_message_count(self) -> int:
        """Return how many messages were read since the last call, ignored ones included."""
        count, self._message_count = self._message_count, 0
        return count

    @typechecked
    def receive_data(self, data: bytes) -> None:
        """Take bytes that the peer has sent; empty bytes mean that it will send no more.

        Bytes after the end of the connection are discarded.

        Raises:
            LocalProtocolError: if more than MAX_BUFFER earlier bytes still wait for `next_event`.
        """
        if has_ended(self._state):
            return
        if len(self._buffer) > MAX_BUFFER:
            raise LocalProtocolError("call next_event until it returns None before passing on more data")
        self._buffer += data
        self._stopped = self._stopped or not data

    def next_event(self) -> Event | None:
        """Return the next event, or None if more bytes are needed or the connection has ended.

        Raises:
            RemoteProtocolError: if the peer broke a rule; the connection has then failed.
        """
        try:
            return self._next_event()
        except RemoteProtocolError as error:
            if error.hint is Hint.WARN and self._state is State.OPEN:
                self._write(PeerWarning(error.message[:_MAX_TEXT].encode("ascii", "replace")))
            self._move(Step.FAULT)
            raise

    @typechecked
    def send(self, message: Ping | PeerWarning | OnionMessage | CustomMessage) -> None:
        """Send a message.

        Raises:
            LocalProtocolError: if the peer's `init` has not arrived, the connection has ended, a value of the
                message does not fit its field, or an earlier ping has not been answered.
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
            self._message_count += self._established is not None
            event = _HANDLERS[self._state](self, piece)
            if event is not None:
                return event
        return None

    def _take(self) -> bytes | None:
        """Take the next act or message from the buffer, or return None if it is not complete."""
        if self._established is not None:
            return self._established.reader.read(self._buffer)
        length = _ACT_LENGTHS[self._state]
        if len(self._buffer) < length:
            return None
        act = bytes(self._buffer[:length])
        del self._buffer[:length]
        return act

    def _at_the_end(self) -> Closed:
        """Return the event for a peer that has closed the connection.

        Raises:
            RemoteProtocolError: if it closed before its `init` or within a message.
        """
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
        assert self._established is not None  # by the table, nothing is sent before
        self._out += self._established.writer.frame(write_message(message))

    # ---- one handler for each state

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
        """Switch from acts to messages, and send `init`."""
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
                # A pong of another length does not answer our ping and is ignored, like any unexpected pong.
                if byteslen != self._awaited_pong:
                    return None
                self._awaited_pong = None
        return message


_ACT_LENGTHS: Final = {
    State.AWAITING_ACT_ONE: ACT_ONE_LENGTH,
    State.AWAITING_ACT_TWO: ACT_TWO_LENGTH,
    State.AWAITING_ACT_THREE: ACT_THREE_LENGTH,
}
_HANDLERS: Final[Mapping[State, Callable[[PeerConnection, bytes], Event | None]]] = {
    State.AWAITING_ACT_ONE: PeerConnection._on_act_one,
    State.AWAITING_ACT_TWO: PeerConnection._on_act_two,
    State.AWAITING_ACT_THREE: PeerConnection._on_act_three,
    State.AWAITING_INIT: PeerConnection._on_init,
    State.OPEN: PeerConnection._on_message,
}
