"""The thread on which calls run, in turns.

What runs where. A server has an event loop and one other thread. The loop reads and writes sockets, and waits for
nothing else: no disk, no lock. The thread alone uses the store, and runs the calls that may need it. Calls of commands
that never need it run in the loop, at once (`dispatching.STORELESS`). Strings that take long to decode go to a process
of their own (`decoder`).

A job. The loop hands jobs to the thread: some calls of one connection, or a function that uses the store, such as the
one that reads the next page of a list. A connection has one job at a time, so its calls run in their order.

A turn. The thread runs the jobs that have come in one transaction, commits it, and then hands their results to the
loop. So no call is answered before it is durable, and one sync of the disk serves all calls of the turn. Jobs that come
during the turn join it, until there are no more or the turn's time is over: a busy server shares each sync among many
calls, and a call that comes alone waits for nobody. Within a turn the jobs alternate, call by call: a client that sends
a hundred calls at once delays another client's call by one of them.

A job that waits. A call that is to write while another process writes raises LockedError, having done nothing. Its job
is set aside until the store can be written, or the call is refused after a while. Calls that only read go on.

A failure. If the commit fails, every call that depends on it is answered with the error. A call that ends in a bug is
logged and answered with an internal error; the turn and the thread go on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service.dispatching import INTERNAL_ERROR, to_raise
from lnoffers.service.errors import StoreError
from lnoffers.service.serving.connection import MAX_UNREAD_BYTES
from lnoffers.service.serving.warner import Warner
from lnoffers.service.store import BUSY_SECONDS, LockedError

if TYPE_CHECKING:
    from lnoffers.service.store import Group, Store

T = TypeVar("T")

TURN_SECONDS: Final = 0.05
"""How long jobs may join a turn."""
RETRY_SECONDS: Final = 0.01
"""How often to try to write while another process does."""

_LOCKED: Final = RpcError(GENERIC, "The store failed: database is locked by another process")

logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What came of a call."""

    message: bytes
    answer: Answer | Awaitable[Answer]
    depends: bool = False
    """Whether it is true only if the turn is committed."""


class Job(Protocol):
    """Work for the thread."""

    @property
    def has_begun(self) -> bool:
        """Whether a part of it is done."""

    def step(self, group: Group) -> bool:
        """Do one call; whether the job is done for now. Raises LockedError, having done nothing."""

    def fail(self, error: RpcError) -> bool:
        """Let the call that `step` could not do fail with this error; whether the job is done for now."""

    def undo(self, error: RpcError) -> None:
        """Let all fail that depends on the commit."""

    def hand_over(self) -> None:
        """Pass the result on. For the event loop to call."""


class Turns:
    """The thread. Make it within the event loop.

    `answer` answers a call, and `refuse` makes its error answer. `on_end` is called in the event loop if the thread
    cannot go on: because of a bug, or because the store may not be written any more.
    """

    def __init__(
        self,
        store: Store,
        answer: Callable[[bytes], Answer | Awaitable[Answer]],
        refuse: Callable[[bytes, RpcError], Answer],
        on_end: Callable[[], None],
    ) -> None:
        self.bug: Exception | None = None
        """What has ended the thread."""
        self._store = store
        self._answer = answer
        self._refuse = refuse
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="turns")
        self._leaving: list[Job] = []
        """What the loop hands over before it waits again."""
        self._arrived: SimpleQueue[Sequence[Job]] = SimpleQueue()
        self._ready: deque[Job] = deque()
        self._locked: deque[tuple[float, Job]] = deque()
        """Jobs that wait for another process that writes, and since when."""
        self._patience = BUSY_SECONDS
        self._closing = False
        self._warner = Warner(logger)

    def start(self) -> None:
        """Start the thread."""
        self._store.wait_for_others(0)  # calls that only read must not wait behind one that is to write
        self._thread.start()

    def hurry(self, seconds: float) -> None:
        """Let no call wait longer than this for another process that writes."""
        self._patience = seconds

    def close(self) -> None:
        """End the thread; jobs that it has not begun are lost."""
        self._closing = True
        self._arrived.put(())
        self._thread.join()

    def calls(self, messages: Sequence[bytes], done: Callable[[Sequence[Outcome]], None]) -> None:
        """Run calls of one connection; `done` is given the outcomes of those that have run by the end of the turn.

        That is the first one at least.
        """
        self._hand(_Calls(messages, self._answer, self._refuse, done))

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function that uses the store; raises its RpcError, or one in place of a StoreError or a bug."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._hand(_Function(function, future))
        return future

    def _hand(self, job: Job) -> None:
        """Hand a job to the thread, together with others of this round of the loop: each time wakes the thread."""
        if not self._leaving:
            self._loop.call_soon(self._hand_all)
        self._leaving.append(job)

    def _hand_all(self) -> None:
        self._arrived.put(self._leaving)
        self._leaving = []

    def _work(self) -> None:
        try:
            while not self._closing:
                if not self._ready:
                    self._wait()
                self._turn()
        except Exception as bug:  # noqa: BLE001 # of this module or the store: it is raised where the server ends
            self.bug = bug
            self._loop.call_soon_threadsafe(self._on_end)

    def _wait(self) -> None:
        """Wait for a job, or until it is time to try again to write."""
        with suppress(Empty):
            self._ready.extend(self._arrived.get(timeout=RETRY_SECONDS if self._locked else None))

    def _turn(self) -> None:
        done: list[Job] = []
        try:
            with self._store.group() as group:
                if self._locked:
                    self._retry(done)
                self._run(group, done)
        except StoreError as error:
            self._warner.warn(str(error))
            for job in done:
                job.undo(RpcError(GENERIC, str(error)))
        if done:
            self._loop.call_soon_threadsafe(_hand_over, done)
        if self._store.unsynced:
            self._loop.call_soon_threadsafe(self._on_end)

    def _retry(self, done: list[Job]) -> None:
        """Let the jobs that wait for another process go on, if they can; give up those that have waited too long."""
        try:
            can_write = self._store.begins_to_write()
        except StoreError:
            can_write = True  # they cannot, and each of them learns why
        if can_write:
            self._ready.extend(job for _, job in self._locked)
            self._locked.clear()
        while self._locked and monotonic() > self._locked[0][0] + self._patience:
            _, job = self._locked.popleft()
            self._keep(job, done, finished=job.fail(_LOCKED))

    def _run(self, group: Group, done: list[Job]) -> None:
        """Run jobs until there are none or the turn's time is over."""
        end = monotonic() + TURN_SECONDS
        while monotonic() < end:
            self._take_arrived()
            if not self._ready:
                return
            self._step(self._ready.popleft(), group, done)
        done += [job for job in self._ready if job.has_begun]
        self._ready = deque(job for job in self._ready if not job.has_begun)

    def _step(self, job: Job, group: Group, done: list[Job]) -> None:
        try:
            finished = job.step(group)
        except LockedError:
            if not job.has_begun:
                self._locked.append((monotonic(), job))
                return
            finished = True  # what is done is handed over, and the rest comes back as a job that can wait
        except Exception:  # the thread on which all calls run must outlive a bug in one of them
            logger.exception("A call ended in a bug")
            finished = job.fail(INTERNAL_ERROR)
        self._keep(job, done, finished=finished)

    def _keep(self, job: Job, done: list[Job], *, finished: bool) -> None:
        if finished:
            done.append(job)
        else:
            self._take_arrived()  # those that came during the step are next
            self._ready.append(job)

    def _take_arrived(self) -> None:
        while not self._arrived.empty():
            self._ready.extend(self._arrived.get())


class _Calls:
    def __init__(
        self,
        messages: Sequence[bytes],
        answer: Callable[[bytes], Answer | Awaitable[Answer]],
        refuse: Callable[[bytes, RpcError], Answer],
        done: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._messages = messages
        self._answer = answer
        self._refuse = refuse
        self._done = done
        self._outcomes: list[Outcome] = []
        self._size = 0

    @property
    def has_begun(self) -> bool:
        return bool(self._outcomes)

    def step(self, group: Group) -> bool:
        joined, message = group.joined, self._messages[len(self._outcomes)]
        answer = self._answer(message)
        return self._add(Outcome(message, answer, depends=group.joined > joined))

    def fail(self, error: RpcError) -> bool:
        message = self._messages[len(self._outcomes)]
        return self._add(Outcome(message, self._refuse(message, error)))

    def undo(self, error: RpcError) -> None:
        self._outcomes = [
            Outcome(outcome.message, self._refuse(outcome.message, error))
            if outcome.depends and isinstance(outcome.answer, Answer)  # a call that waits will look again
            else outcome
            for outcome in self._outcomes
        ]

    def hand_over(self) -> None:
        self._done(self._outcomes)

    def _add(self, outcome: Outcome) -> bool:
        self._outcomes.append(outcome)
        if not isinstance(outcome.answer, Answer):
            return len(self._outcomes) == len(self._messages)
        self._size += len(outcome.answer.data)
        return (
            len(self._outcomes) == len(self._messages)
            or self._size > MAX_UNREAD_BYTES
            or outcome.answer.close
            or outcome.answer.rest is not None
        )


class _Function:
    has_begun = False  # it is done in one step

    def __init__(self, function: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self._future = future
        self._function = function
        self._result: Any = None
        self._error: RpcError | None = None
        self._depends = False

    def step(self, group: Group) -> bool:
        joined = group.joined
        try:
            self._result = self._function()
        except RpcError as error:
            self._error = error
        except StoreError as error:
            self._error = RpcError(GENERIC, str(error))
        self._depends = group.joined > joined
        return True

    def fail(self, error: RpcError) -> bool:
        self._error = to_raise(error)
        return True

    def undo(self, error: RpcError) -> None:
        if self._depends:
            self.fail(error)

    def hand_over(self) -> None:
        if self._future.cancelled():
            return
        error, self._error = self._error, None  # its traceback refers to this job, which would then be a cycle
        if error is not None:
            self._future.set_exception(error)
        else:
            self._future.set_result(self._result)


def _hand_over(jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            job.hand_over()
        except Exception:  # the others of the turn must get their answers
            logger.exception("An answer ended in a bug")
