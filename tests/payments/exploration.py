"""All interleavings of two servers that pay for one request of a single use, with faults.

The store is real: its SQL runs in a database in memory. Of a server, its steps are here as a table of places, those of
`lnoffers.service.payments.payer`. The backend is a node that keeps its promises, no better: it may settle or fail what
it was told, late, and its answers may be lost.

The faults: a server is killed, and started again; the answer of the backend is lost; a message to it is repeated; the
store is restored from the backup that was made before the first invoice arrived, with both servers stopped. Two things
are excluded, because the code prevents them by other means: a server that lives is never taken for dead (the kernel
keeps its lock), and a backup is not restored while a message to the backend is still on its way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from lnoffers.service.payment_states import PaymentEvent, PaymentState
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoicerequests import StoredRequest
from lnoffers.service.store.migrations import STEPS
from lnoffers.service.store.payments import ClaimError, NewPayment, StoredPayment
from lnoffers.service.store.sqlite import SqliteConnection, SqliteDatabase

MAY_BE_ON_ITS_WAY = True
"""Whether the backend calls nothing failed that it may still be told: its second promise."""
REQUEST: Final = b"r" * 32
INVOICES: Final = (b"a" * 32, b"b" * 32)
SERVERS: Final = (0, 1)
PREIMAGE: Final = b"p" * 32

Row: TypeAlias = tuple[object, ...]


class Rows(NamedTuple):
    """The content of the store, as far as it changes."""

    status: int
    payments: tuple[Row, ...]


class Job(NamedTuple):
    """A server's work on an invoice: where it is, and the payment as the server has it in memory."""

    place: str
    """tell: the backend is to be told; wait: for its answer; find: it is to be asked."""
    fence: int
    may_begin_again: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """Everything, at one moment. For each invoice or server there is one value in a tuple, in their order."""

    rows: Rows
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


class Store:
    """The database, which is set to the rows of a world before each step."""

    def __init__(self) -> None:
        self.connection = SqliteConnection(Path(":memory:"), "memory")
        for statements in STEPS:
            for statement in statements:
                self.connection.execute(statement.format_map(SqliteDatabase.types))
        made = StoredRequest(REQUEST, "lnr1", None, Status.created(single_use=True))
        invoicerequests.add(self.connection, made)
        self.fence = 0

    def load(self, rows: Rows) -> None:
        """Replace the content."""
        self.connection.execute("UPDATE invoicerequests SET status = ?", (rows.status,))
        self.connection.execute("DELETE FROM payments")
        for row in rows.payments:
            self.connection.execute(payments.TABLE.insert(), row)
        highest = max((row[_FENCE] for row in rows.payments), default=0)
        self.connection.execute("UPDATE counters SET last = ? WHERE name = 'fence'", (highest,))

    def rows(self) -> Rows:
        """Return the content."""
        [[status]] = self.connection.execute("SELECT status FROM invoicerequests").fetchall()
        found = self.connection.execute(f"{payments.TABLE.select} ORDER BY payment_hash").fetchall()
        return Rows(status, tuple(found))

    def payment(self, invoice: int, fence: int | None = None) -> StoredPayment | None:
        """Return the stored payment, with the fence that a server remembers."""
        found = payments.by_payment_hash(self.connection, INVOICES[invoice])
        if found is None or fence is None:
            return found
        return replace(found, fence=fence)


_COLUMNS: Final = [*payments.TABLE.columns]
_FENCE: Final = _COLUMNS.index("fence")


def explored(most_faults: int) -> Iterator[tuple[World, bool]]:
    """Yield each world that can be reached, and whether nothing but faults can happen in it any more."""
    store = Store()
    first = World(store.rows())
    seen, queue = {first}, deque([first])
    while queue:
        world = queue.popleft()
        steps = [made for step in _STEPS for made in step(store, world)]
        yield world, not steps
        if world.faults < most_faults:
            steps += [replace(made, faults=world.faults + 1) for fault in _FAULTS for made in fault(store, world)]
        for made in steps:
            if made not in seen:
                seen.add(made)
                queue.append(made)


# ---- what servers do


def _arrive(store: Store, world: World) -> Iterator[World]:
    """Deliver an invoice to a server, which claims the request for it."""
    for invoice in (0, 1):
        for server in SERVERS:
            if world.arrived[invoice]:
                continue
            arrived = replace(world, arrived=_set(world.arrived, invoice, True))
            store.load(world.rows)
            store.connection.execute("SAVEPOINT one")
            try:
                made = payments.claim(store.connection, _new(invoice, world.names[server]), PaymentState.PAYING)
            except ClaimError:
                store.connection.execute("ROLLBACK TO one")
                store.connection.execute("RELEASE one")
                yield arrived
                continue
            store.connection.execute("RELEASE one")
            yield _with_job(replace(arrived, rows=store.rows()), server, invoice, Job("tell", made.fence))


def _tell(_: Store, world: World) -> Iterator[World]:
    """Let a server tell the backend, and wait."""
    for server, invoice, job in _jobs(world, "tell"):
        sent = replace(world, messages=_set(world.messages, invoice, world.messages[invoice] + 1))
        yield _with_job(sent, server, invoice, job._replace(place="wait"))


def _answer(store: Store, world: World) -> Iterator[World]:
    """Deliver the backend's answer to the server that waits for it."""
    for server, invoice, job in _jobs(world, "wait"):
        if not world.messages[invoice] and world.backend[invoice] in ("paid", "failed"):
            yield _completed(store, world, server, invoice, job)


def _find(store: Store, world: World) -> Iterator[World]:
    """Let a server ask the backend, which calls failed what it has not been told, and what it has failed."""
    for server, invoice, job in _jobs(world, "find"):
        known = world.backend[invoice]
        if known == "paid":
            yield _completed(store, world, server, invoice, job)
        elif known != "pending" and not (MAY_BE_ON_ITS_WAY and world.messages[invoice]):
            if job.may_begin_again and _is_active(store, world):
                yield from _again(store, world, server, invoice, job)
            else:
                yield _completed(
                    store, replace(world, backend=_set(world.backend, invoice, "failed")), server, invoice, job
                )


def _is_active(store: Store, world: World) -> bool:
    """Return whether the request is active, so that an invoice for it may be told again."""
    store.load(world.rows)
    return Status.ACTIVE in (invoicerequests.status_of(store.connection, REQUEST) or Status(0))


def _again(store: Store, world: World, server: int, invoice: int, job: Job) -> Iterator[World]:
    step = _stepped(store, world, invoice, job, PaymentEvent.AGAIN)
    yield _with_job(step or world, server, invoice, None if step is None else Job("tell", job.fence))


def _look(store: Store, world: World) -> Iterator[World]:
    """Let a server take over a claim whose owner has ended."""
    for server in SERVERS:
        for invoice in (0, 1):
            store.load(world.rows)
            found = store.payment(invoice)
            if found is None or found.owner in world.names:
                continue
            taken = payments.take_over(store.connection, found, world.names[server])
            if taken is not None:
                job = Job("find", taken.fence, may_begin_again=taken.reason is None)
                yield _with_job(replace(world, rows=store.rows()), server, invoice, job)


# ---- what the backend does


def _read(_: Store, world: World) -> Iterator[World]:
    """Let the backend read a message. A second copy changes nothing, unless the payment has failed for good."""
    for invoice in (0, 1):
        if world.messages[invoice]:
            begun = "pending" if world.backend[invoice] in ("", "failed") else world.backend[invoice]
            read = replace(world, backend=_set(world.backend, invoice, begun))
            yield replace(read, messages=_set(world.messages, invoice, world.messages[invoice] - 1))


def _settle(_: Store, world: World) -> Iterator[World]:
    """Let a pending payment succeed or fail."""
    for invoice in (0, 1):
        if world.backend[invoice] == "pending":
            for result in ("paid", "failed"):
                yield replace(world, backend=_set(world.backend, invoice, result))


# ---- faults


def _kill(_: Store, world: World) -> Iterator[World]:
    """Kill a server, and start it again under another name."""
    for server in SERVERS:
        names = _set(world.names, server, world.names[server] + "'")
        yield replace(world, names=names, jobs=_set(world.jobs, server, (None, None)))


def _lose(store: Store, world: World) -> Iterator[World]:
    """Lose the backend's answer, or the connection to it: the server is uncertain."""
    for server, invoice, job in _jobs(world, "wait"):
        step = _stepped(store, world, invoice, job, PaymentEvent.LOST, reason="lost")
        yield _with_job(step or world, server, invoice, None if step is None else Job("find", job.fence))


def _repeat(_: Store, world: World) -> Iterator[World]:
    """Deliver a message to the backend twice."""
    for invoice in (0, 1):
        if world.messages[invoice] == 1:
            yield replace(world, messages=_set(world.messages, invoice, 2))


def _restore(store: Store, world: World) -> Iterator[World]:
    """Stop both servers, restore the backup, and let one of them compare it with the backend."""
    if any(world.messages):
        return
    names = tuple(f"{name}'" for name in world.names)
    store.load(Rows(Status.created(single_use=True).value, ()))
    jobs: list[Job | None] = [None, None]
    for invoice in (0, 1):
        known = world.backend[invoice]
        if known in ("pending", "paid"):
            with suppress(ClaimError):  # of a second payment, which must not be
                made = payments.claim(store.connection, _new(invoice, names[0]), PaymentState.UNKNOWN)
                jobs[invoice] = Job("find", made.fence, may_begin_again=True)
    yield replace(world, rows=store.rows(), names=names, jobs=(tuple(jobs), (None, None)))


_STEPS: Final[tuple[Callable[[Store, World], Iterator[World]], ...]] = (
    _arrive,
    _tell,
    _answer,
    _find,
    _look,
    _read,
    _settle,
)
_FAULTS: Final[tuple[Callable[[Store, World], Iterator[World]], ...]] = (_kill, _lose, _repeat, _restore)


# ---- helpers


def _new(invoice: int, owner: str) -> NewPayment:
    return NewPayment(
        payment_hash=INVOICES[invoice],
        invreq_id=REQUEST,
        offer_id=None,
        bolt12=f"lni{invoice}",
        amount_msat=1,
        backend="node",
        owner=owner,
        created_at=0,
    )


def _jobs(world: World, place: str) -> Iterator[tuple[int, int, Job]]:
    for server, jobs in enumerate(world.jobs):
        for invoice, job in enumerate(jobs):
            if job is not None and job.place == place:
                yield server, invoice, job


def _with_job(world: World, server: int, invoice: int, job: Job | None) -> World:
    return replace(world, jobs=_set(world.jobs, server, _set(world.jobs[server], invoice, job)))


def _stepped(
    store: Store, world: World, invoice: int, job: Job, event: PaymentEvent, **changes: int | bytes | str
) -> World | None:
    """Return the world after a server's step; None if the fence or the state refuses it."""
    store.load(world.rows)
    payment = store.payment(invoice, job.fence)
    if payment is None or payments.step(store.connection, payment, event, **changes) is None:
        return None
    return replace(world, rows=store.rows())


def _completed(store: Store, world: World, server: int, invoice: int, job: Job) -> World:
    """Return the world after a server has recorded what the backend says. Its job is done, even if it is refused."""
    if world.backend[invoice] == "paid":
        step = _stepped(store, world, invoice, job, PaymentEvent.PAID, completed_at=1, preimage=PREIMAGE, sent_msat=1)
    else:
        step = _stepped(store, world, invoice, job, PaymentEvent.FAILED, completed_at=1, reason="no route")
    return _with_job(step or world, server, invoice, None)


def _set(values: tuple[object, ...], index: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:index], value, *values[index + 1 :])
