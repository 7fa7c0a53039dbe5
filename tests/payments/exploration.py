"""All interleavings of two servers that pay for one request of a single use, with faults.

The store is real: `memory_store` runs its statements. Of a server, its steps are here as a table of places, those of
`lnoffers.service.payments.payer`. The backend is a node that keeps its promises, no better: it may settle or fail what
it was told, late, and its answers may be lost.

The faults: a server is killed, and started again; the answer of the backend is lost; a message to it is repeated; the
store is restored from a backup, which was made at any moment, with both servers stopped. Two things are excluded,
because the code prevents them by other means: a server that lives is never taken for dead (the kernel keeps its lock),
and a backup is not restored while a message to the backend is still on its way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from lnoffers.service.payment_states import PaymentEvent
from lnoffers.service.status import Status
from tests.payments.memory_store import EMPTY, Rows, claimed, compared, owner_of, stepped, taken_over

MAY_BE_ON_ITS_WAY = True
"""Whether the backend calls nothing failed that it may still be told: its second promise."""
SERVERS: Final = (0, 1)


class Job(NamedTuple):
    """A server's work on an invoice: where it is, and the fence that the server remembers."""

    place: str
    """tell: the backend is to be told; wait: for its answer; find: it is to be asked."""
    fence: int
    may_begin_again: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """Everything, at one moment. For each invoice or server there is one value in a tuple, in their order."""

    rows: Rows = EMPTY
    counted: int = 0
    """The counter outside of the store."""
    names: tuple[str, ...] = ("s0", "s1")
    """The names of the servers; a server that was started again has another one."""
    jobs: tuple[tuple[Job | None, ...], ...] = ((None, None), (None, None))
    """For each server, the work on each invoice."""
    arrived: tuple[bool, ...] = (False, False)
    """Whether the invoice was delivered."""
    messages: tuple[int, ...] = (0, 0)
    """How many messages to pay it are on their way to the backend."""
    backend: tuple[str, ...] = ("", "")
    """What the backend does with it: nothing, pending, paid or failed."""
    faults: int = 0
    backup: Rows | None = None
    """The backup, if it is made; only one is."""


def explored(most_faults: int, *, backups: bool = True) -> Iterator[tuple[World, bool]]:
    """Yield each world that can be reached, and whether nothing but faults can happen in it any more.

    Without `backups`, the store is restored only to what it was at the beginning.
    """
    first = World(backup=None if backups else EMPTY)
    seen, queue = {first}, deque([first])
    while queue:
        world = queue.popleft()
        steps = [made for step in _STEPS for made in step(world)]
        yield world, not steps
        if world.faults < most_faults:
            steps += _back_up(world)
            steps += [replace(made, faults=world.faults + 1) for fault in _FAULTS for made in fault(world)]
        for made in steps:
            if made not in seen:
                seen.add(made)
                queue.append(made)


# ---- what servers do


def _arrive(world: World) -> Iterator[World]:
    """Deliver an invoice to a server, which claims the request for it."""
    for invoice in (0, 1):
        for server in SERVERS:
            if world.arrived[invoice]:
                continue
            arrived = replace(world, arrived=_set(world.arrived, invoice, True))
            made = claimed(world.rows, invoice, world.names[server])
            if made is None:
                yield arrived
            else:
                yield _with_job(replace(arrived, rows=made.rows), server, invoice, Job("tell", made.fence))


def _tell(world: World) -> Iterator[World]:
    """Have a server count its claim, tell the backend, and wait."""
    for server, invoice, job in _jobs(world, "tell"):
        messages = _set(world.messages, invoice, world.messages[invoice] + 1)
        sent = replace(world, messages=messages, counted=max(world.counted, job.fence))
        yield _with_job(sent, server, invoice, job._replace(place="wait"))


def _answer(world: World) -> Iterator[World]:
    """Deliver the backend's answer to the server that waits for it."""
    for server, invoice, job in _jobs(world, "wait"):
        if not world.messages[invoice] and world.backend[invoice] in ("paid", "failed"):
            yield _completed(world, server, invoice, job)


def _find(world: World) -> Iterator[World]:
    """Have a server ask the backend, which calls failed what it has not been told, and what it has failed."""
    for server, invoice, job in _jobs(world, "find"):
        known = world.backend[invoice]
        if known == "paid":
            yield _completed(world, server, invoice, job)
        elif known != "pending" and not (MAY_BE_ON_ITS_WAY and world.messages[invoice]):
            if job.may_begin_again and Status.ACTIVE in Status(world.rows.status):
                again = _stepped(world, invoice, job, PaymentEvent.AGAIN)
                yield _with_job(again or world, server, invoice, None if again is None else Job("tell", job.fence))
            else:
                failed = replace(world, backend=_set(world.backend, invoice, "failed"))
                yield _completed(failed, server, invoice, job)


def _look(world: World) -> Iterator[World]:
    """Have a server take over a claim whose owner has ended."""
    for invoice in (0, 1):
        owner = owner_of(world.rows, invoice)
        if owner is None or owner in world.names:
            continue
        for server in SERVERS:
            taken = taken_over(world.rows, invoice, owner, world.names[server])
            if taken is not None:
                job = Job("find", taken.fence, may_begin_again=taken.reason is None)
                yield _with_job(replace(world, rows=taken.rows), server, invoice, job)


# ---- what the backend does


def _read(world: World) -> Iterator[World]:
    """Have the backend read a message. To be told twice is to be told once, unless it has failed for good."""
    for invoice in (0, 1):
        if world.messages[invoice]:
            begun = "pending" if world.backend[invoice] in ("", "failed") else world.backend[invoice]
            read = replace(world, backend=_set(world.backend, invoice, begun))
            yield replace(read, messages=_set(world.messages, invoice, world.messages[invoice] - 1))


def _settle(world: World) -> Iterator[World]:
    """Let a pending payment succeed or fail."""
    for invoice in (0, 1):
        if world.backend[invoice] == "pending":
            for result in ("paid", "failed"):
                yield replace(world, backend=_set(world.backend, invoice, result))


# ---- the operator, and faults


def _back_up(world: World) -> Iterator[World]:
    """Copy the store."""
    if world.backup is None:
        yield replace(world, backup=world.rows)


def _kill(world: World) -> Iterator[World]:
    """Kill a server, and start it again under another name."""
    for server in SERVERS:
        names = _set(world.names, server, world.names[server] + "'")
        yield replace(world, names=names, jobs=_set(world.jobs, server, (None, None)))


def _lose(world: World) -> Iterator[World]:
    """Lose the backend's answer, or the connection to it: the server is uncertain."""
    for server, invoice, job in _jobs(world, "wait"):
        step = _stepped(world, invoice, job, PaymentEvent.LOST)
        yield _with_job(step or world, server, invoice, None if step is None else Job("find", job.fence))


def _repeat(world: World) -> Iterator[World]:
    """Deliver a message to the backend twice."""
    for invoice in (0, 1):
        if world.messages[invoice] == 1:
            yield replace(world, messages=_set(world.messages, invoice, 2))


def _restore(world: World) -> Iterator[World]:
    """Stop both servers, restore the backup, and start them: they compare it if the counter is ahead of it."""
    if any(world.messages) or world.backup is None:
        return
    names = tuple(f"{name}'" for name in world.names)
    started = replace(world, rows=world.backup, names=names, jobs=((None, None), (None, None)))
    if world.counted <= world.backup.fence:
        yield started
        return
    *followed, last = compared(world.backup, world.backend, names, world.counted)
    started = replace(started, rows=last.rows, counted=max(world.counted, last.rows.fence))
    for each in followed:
        job = Job("find", each.fence, may_begin_again=each.reason is None)
        started = _with_job(started, 0, each.invoice, job)
    yield started


_STEPS: Final[tuple[Callable[[World], Iterator[World]], ...]] = (
    _arrive,
    _tell,
    _answer,
    _find,
    _look,
    _read,
    _settle,
)
_FAULTS: Final[tuple[Callable[[World], Iterator[World]], ...]] = (_kill, _lose, _repeat, _restore)


# ---- helpers


def _jobs(world: World, place: str) -> Iterator[tuple[int, int, Job]]:
    for server, jobs in enumerate(world.jobs):
        for invoice, job in enumerate(jobs):
            if job is not None and job.place == place:
                yield server, invoice, job


def _with_job(world: World, server: int, invoice: int, job: Job | None) -> World:
    return replace(world, jobs=_set(world.jobs, server, _set(world.jobs[server], invoice, job)))


def _stepped(world: World, invoice: int, job: Job, event: PaymentEvent) -> World | None:
    """Return the world after a server's step; None if the fence or the state refuses it."""
    rows = stepped(world.rows, invoice, job.fence, event)
    return None if rows is None else replace(world, rows=rows)


def _completed(world: World, server: int, invoice: int, job: Job) -> World:
    """Return the world after a server has recorded what the backend says. Its job is done, even if it is refused."""
    event = PaymentEvent.PAID if world.backend[invoice] == "paid" else PaymentEvent.FAILED
    return _with_job(_stepped(world, invoice, job, event) or world, server, invoice, None)


def _set(values: tuple[object, ...], index: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:index], value, *values[index + 1 :])
