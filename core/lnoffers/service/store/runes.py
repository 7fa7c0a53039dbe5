"""Store runes, their last uses and the blacklist. The caller begins and ends the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from lnoffers.runes import Restriction, Rune, RuneError
from lnoffers.runes.rune import read_restrictions
from lnoffers.service.store.database import Connection
from lnoffers.service.store.rows import Rows
from lnoffers.service.store.schema import RUNE_BLACKLIST, RUNE_USES, RUNES


class Range(NamedTuple):
    """The ids from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class StoredRune:
    """A row."""

    unique_id: int
    restrictions: tuple[Restriction, ...]
    """With the id."""
    text: str
    """The restrictions as the rune contains them."""


def next_id(connection: Connection) -> int:
    """Return the id of the next rune."""
    [last] = connection.execute("SELECT COALESCE(MAX(unique_id), -1) FROM runes").fetchone()
    return int(last) + 1


def add(connection: Connection, unique_id: int, rune: Rune) -> None:
    """Store a new rune. Its restrictions are UTF-8."""
    connection.execute(RUNES.insert(), (unique_id, rune.text.decode()))


def find(
    connection: Connection, unique_id: int | None = None, *, after: int | None = None, limit: int | None = None
) -> list[StoredRune]:
    """Return the runes in the order of their ids: all, the one with this id, or up to `limit` after the id `after`."""
    if unique_id is not None:
        rows = connection.execute(f"{RUNES.select} WHERE unique_id = ?", (unique_id,)).fetchall()
        return [_ROWS.read(row) for row in rows]
    query = f"{RUNES.select} WHERE unique_id > ? ORDER BY unique_id"
    return _ROWS.read_many(connection, query, (-1 if after is None else after,), limit)


def fault_of(unique_id: int, restrictions: str) -> str:
    """Return what is wrong with a stored rune; empty if nothing is."""
    try:
        rune = Rune(bytes(32), read_restrictions(restrictions.encode()))
    except RuneError as error:
        return f"its restrictions cannot be read: {error}"
    return "" if rune.unique_id == unique_id and not rune.has_version else "its restrictions have another id"


def last_use(connection: Connection, unique_id: int) -> int | None:
    """Return when a rune with this id last permitted a call, Unix time in nanoseconds; None: never."""
    row = connection.execute("SELECT last_used_ns FROM rune_uses WHERE unique_id = ?", (unique_id,)).fetchone()
    return None if row is None else int(row[0])


def note_use(connection: Connection, unique_id: int, at_ns: int) -> None:
    """Store that a rune with this id has permitted a call at this Unix time in nanoseconds."""
    connection.execute(_NOTE_USE, (unique_id, at_ns))


def blacklist(connection: Connection) -> list[Range]:
    """Return the blacklist in ascending order."""
    rows = connection.execute(f"{RUNE_BLACKLIST.select} ORDER BY first_id").fetchall()
    return [Range(int(first), int(last)) for first, last in rows]


def is_blacklisted(connection: Connection, unique_id: int) -> bool:
    """Return whether the runes with this id permit nothing any more."""
    query = "SELECT 1 FROM rune_blacklist WHERE first_id <= ? AND last_id >= ?"
    return connection.execute(query, (unique_id, unique_id)).fetchone() is not None


def replace_blacklist(connection: Connection, ranges: Sequence[Range]) -> None:
    """Store another blacklist."""
    connection.execute("DELETE FROM rune_blacklist")
    for each in ranges:
        connection.execute(RUNE_BLACKLIST.insert(), each)


def with_range(ranges: Sequence[Range], added: Range) -> list[Range]:
    """Return ascending ranges that contain these ids too, joined where they overlap or touch."""
    joined = [each for each in ranges if each.first <= added.last + 1 and each.last >= added.first - 1]
    whole = Range(min(each.first for each in (added, *joined)), max(each.last for each in (added, *joined)))
    return sorted([*(each for each in ranges if each not in joined), whole])


def without_range(ranges: Sequence[Range], removed: Range) -> list[Range]:
    """Return what is left of the ranges without these ids."""
    parts = (
        part
        for each in ranges
        for part in (
            Range(each.first, min(each.last, removed.first - 1)),
            Range(max(each.first, removed.last + 1), each.last),
        )
    )
    return sorted({part for part in parts if part.first <= part.last})


def _rune(unique_id: int, restrictions: str) -> StoredRune:
    if fault := fault_of(unique_id, restrictions):
        raise ValueError(fault)
    return StoredRune(unique_id, read_restrictions(restrictions.encode()), restrictions)


_ROWS: Final[Rows[StoredRune]] = Rows[Any](RUNES, _rune)
_NOTE_USE: Final = f"""
    {RUNE_USES.insert()} ON CONFLICT (unique_id) DO UPDATE SET last_used_ns = excluded.last_used_ns
"""
