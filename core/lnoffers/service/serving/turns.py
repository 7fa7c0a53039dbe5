"""The thread on which calls run, in turns.

What runs where. A server has an event loop and one other thread. The loop reads and writes sockets; it never waits for
the disk or for a lock. Only the thread uses the store, and it runs all calls that may need the store. Commands that
never need it run in the loop, without delay (`dispatching.STORELESS`). Strings that take long to decode go to a
separate process (`decoder`).

A job is the work that the loop gives to the thread: some calls of one connection, or a function that uses the store,
such as the one that reads the next page of a list. A connection has one job at a time, so its calls run in order.

A turn is one transaction. The thread runs all pending jobs in it, commits, and then returns their results to the loop.
So no call is answered before it is durable, and one sync of the disk serves all calls of the turn. Jobs that arrive
during a turn join it, until none is pending or the turn's time is over. A busy server thus shares each sync among many
calls, and an idle one commits a single call without delay. Within a turn, the jobs alternate after each call: if a
client sends a hundred calls at once, another client's call waits for only one of them.

A locked job. A call that has to write while another process is writing raises LockedError and changes nothing. The
thread sets its job aside and retries it when the other process has finished; after a timeout it refuses the call. Calls
that only read continue meanwhile.

A failure. If the commit fails, every call that depends on it is answered with the error. A call that raises an
unexpected exception is logged and answered with an internal error; the turn and the thread continue.
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
from lnoffers.service.store import BUSY_SECONDS, LockedError
from lnoffers.service.warner import Warner

if TYPE_CHECKING:
    from lnoffers.service.store import Group, Store

T = TypeVar("T")

TURN_SECONDS: Final = 0.05
"""How long further jobs can join a turn."""
RETRY_SECONDS: Final = 0.01
"""The delay between attempts to write while another process is writing."""

_LOCKED: Final = RpcError(GENERIC, "The store failed: database is locked by another process")

logger = logging.getLogger(__name__)


class CallResult(NamedTuple):
    """The result of a call."""

    message: bytes
    answer: Answer | Awaitable[Answer]
    depends: bool = False
    """Whether the answer is valid only if the turn is committed."""


class Job(Protocol):
    """Work for the thread."""

    @property
    def has_begun(self) -> bool:
        """Whether some of its calls have run."""

    def step(self, group: Group) -> bool:
        """Run the next call; return whether the job ends here in this turn.

        Raises:
            LockedError: if the call has to write and cannot yet. It has changed nothing.
        """

    def fail(self, error: RpcError) -> bool:
        """Answer the call that `step` could not run with this error; return whether the job ends here in this turn."""

    def undo(self, error: RpcError) -> None:
        """Replace the results that depend on the commit by this error."""

    def hand_over(self) -> None:
        """Pass the results to whoever submitted the job. Called in the event loop."""


class Turns:
    """The thread and its queues. Create it within the event loop.

    `answer` runs a call and returns its answer; `refuse` returns the error answer to a call. `on_end` is called in the
    event loop if the thread cannot continue: because of a bug, or because nothing more may be written to the store.
    """

    def __init__(
        self,
        store: Store,
        answer: Callable[[bytes], Answer | Awaitable[Answer]],
        refuse: Callable[[bytes, RpcError], Answer],
        on_end: Callable[[], None],
    ) -> None:
        self.bug: Exception | None = None
        """The exception that ended the thread."""
        self._store = store
        self._answer = answer
        self._refuse = refuse
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="turns")
        self._submitted: list[Job] = []
        """Jobs submitted in this iteration of the loop; the thread gets them at its end."""
        self._arrived: SimpleQueue[Sequence[Job]] = SimpleQueue()
        self._ready: deque[Job] = deque()
        self._locked: deque[tuple[float, Job]] = deque()
        """Jobs that wait until another process has finished writing, each with the time since when."""
        self._lock_timeout = BUSY_SECONDS
        self._closing = False
        self._warner = Warner(logger)

    def start(self) -> None:
        """Start the thread."""
        self._store.wait_for_others(0)  # or calls that only read would wait, too
        self._thread.start()

    def hurry(self, seconds: float) -> None:
        """Limit how long calls wait until another process has finished writing."""
        self._lock_timeout = seconds

    def close(self) -> None:
        """End the thread; jobs that have not started are lost."""
        self._closing = True
        self._arrived.put(())
        self._thread.join()

    def calls(self, messages: Sequence[bytes], done: Callable[[Sequence[CallResult]], None]) -> None:
        """Run calls of one connection; pass the outcomes of those that ran in one turn to `done`.

        At least the first call runs. The caller submits the others again.
        """
        self._submit(_Calls(messages, self._answer, self._refuse, done))

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function that uses the store, and return a future with its result.

        The future raises the function's RpcError; a StoreError or an unexpected exception becomes an RpcError.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._submit(_Function(function, future))
        return future

    def _submit(self, job: Job) -> None:
        """Give a job to the thread, together with all others of this iteration of the loop, so that it wakes once."""
        if not self._submitted:
            self._loop.call_soon(self._flush)
        self._submitted.append(job)

    def _flush(self) -> None:
        self._arrived.put(self._submitted)
        self._submitted = []

    def _work(self) -> None:
        try:
            while not self._closing:
                if not self._ready:
                    self._wait()
                self._turn()
        except Exception as bug:  # noqa: BLE001 # of this module or the store: the server raises it when it ends
            self.bug = bug
            self._loop.call_soon_threadsafe(self._on_end)

    def _wait(self) -> None:
        """Wait for a job, or until it is time to retry the locked jobs."""
        with suppress(Empty):
            self._ready.extend(self._arrived.get(timeout=RETRY_SECONDS if self._locked else None))

    def _turn(self) -> None:
        """Run one turn: a transaction, and the delivery of its results."""
        completed: list[Job] = []
        try:
            with self._store.group() as group:
                if self._locked:
                    self._retry(completed)
                self._run(group, completed)
        except StoreError as error:
            self._warner.warn(str(error))
            for job in completed:
                job.undo(RpcError(GENERIC, str(error)))
        if completed:
            self._loop.call_soon_threadsafe(_hand_over_all, completed)
        if self._store.unsynced:
            self._loop.call_soon_threadsafe(self._on_end)

    def _retry(self, completed: list[Job]) -> None:
        """Resume the locked jobs if the store can be written now; refuse calls that have waited too long."""
        try:
            can_write = self._store.begins_to_write()
        except StoreError:
            can_write = True  # the calls run, and each of them fails with this error
        if can_write:
            self._ready.extend(job for _, job in self._locked)
            self._locked.clear()
        while self._locked and monotonic() > self._locked[0][0] + self._lock_timeout:
            _, job = self._locked.popleft()
            self._complete_or_requeue(job, completed, finished=job.fail(_LOCKED))

    def _run(self, group: Group, completed: list[Job]) -> None:
        """Run jobs until there are none or the turn's time is over."""
        end = monotonic() + TURN_SECONDS
        while monotonic() < end:
            self._take_arrived()
            if not self._ready:
                return
            self._step(self._ready.popleft(), group, completed)
        completed += [job for job in self._ready if job.has_begun]  # the loop submits their other calls again
        self._ready = deque(job for job in self._ready if not job.has_begun)

    def _step(self, job: Job, group: Group, completed: list[Job]) -> None:
        try:
            finished = job.step(group)
        except LockedError:
            if not job.has_begun:
                self._locked.append((monotonic(), job))
                return
            finished = True  # return the results so far; the loop submits the other calls again, as a job that can wait
        except Exception:  # a bug in one call must not end the thread that runs all calls
            logger.exception("A call ended in a bug")
            finished = job.fail(INTERNAL_ERROR)
        self._complete_or_requeue(job, completed, finished=finished)

    def _complete_or_requeue(self, job: Job, completed: list[Job], *, finished: bool) -> None:
        """Add a finished job to the completed ones; queue any other again behind the others."""
        if finished:
            completed.append(job)
        else:
            self._take_arrived()  # jobs that arrived during the step go first
            self._ready.append(job)

    def _take_arrived(self) -> None:
        while not self._arrived.empty():
            self._ready.extend(self._arrived.get())


class _Calls:
    """A job that runs calls of one connection."""

    def __init__(
        self,
        messages: Sequence[bytes],
        answer: Callable[[bytes], Answer | Awaitable[Answer]],
        refuse: Callable[[bytes, RpcError], Answer],
        done: Callable[[Sequence[CallResult]], None],
    ) -> None:
        self._messages = messages
        self._answer = answer
        self._refuse = refuse
        self._done = done
        self._outcomes: list[CallResult] = []
        self._size = 0

    @property
    def has_begun(self) -> bool:
        return bool(self._outcomes)

    def step(self, group: Group) -> bool:
        joined_before, message = group.joined, self._messages[len(self._outcomes)]
        answer = self._answer(message)
        return self._add(CallResult(message, answer, depends=group.joined > joined_before))

    def fail(self, error: RpcError) -> bool:
        message = self._messages[len(self._outcomes)]
        return self._add(CallResult(message, self._refuse(message, error)))

    def undo(self, error: RpcError) -> None:
        self._outcomes = [
            CallResult(outcome.message, self._refuse(outcome.message, error))
            if outcome.depends and isinstance(outcome.answer, Answer)  # a waiting call reads the store again later
            else outcome
            for outcome in self._outcomes
        ]

    def hand_over(self) -> None:
        self._done(self._outcomes)

    def _add(self, outcome: CallResult) -> bool:
        """Add an outcome; return whether the job ends here, because its client must read first or no call is left."""
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
    """A job that runs one function for `Turns.run`."""

    has_begun = False  # it is done in one step

    def __init__(self, function: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self._future = future
        self._function = function
        self._result: Any = None
        self._error: RpcError | None = None
        self._depends = False

    def step(self, group: Group) -> bool:
        joined_before = group.joined
        try:
            self._result = self._function()
        except RpcError as error:
            self._error = error
        except StoreError as error:
            self._error = RpcError(GENERIC, str(error))
        self._depends = group.joined > joined_before
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
        error, self._error = self._error, None  # its traceback refers to this job: this avoids a reference cycle
        if error is not None:
            self._future.set_exception(error)
        else:
            self._future.set_result(self._result)


def _hand_over_all(jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            job.hand_over()
        except Exception:  # the other jobs of the turn must still get their answers
            logger.exception("An answer ended in a bug")
