"""Compare a received response with what the caller has made of it since.

A response keeps its text. When its typed attributes are not enough, the text is read again, as plain JSON and as the
classes; nothing is computed before that.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from .decode import decode, decode_plain
from .received import Origin


class Reread(NamedTuple):
    """A response as it was received."""

    typed: Any
    plain: Any


def reread(value: object) -> Reread | None:
    """Return `value` as it was received, or None if it is not a whole response.

    Raises DecodeError if an unknown field, which strict decoding skips, cannot be read: a number out of range, for
    example.
    """
    origin: Origin | None = getattr(value, "__received__", None)
    if origin is None or origin.text is None:
        return None
    return Reread(decode(type(value), origin.text), decode_plain(origin.source, origin.text))


def paired(now: Sequence[Any], before: Sequence[Any]) -> list[int | None]:
    """Return, for each element of a list, its index in the list as received, or None if that is unknown.

    An equal element in the same place counts first, then an equal one elsewhere (the list was sorted, or others were
    removed). Changed elements are paired with those between the same neighbours, if there are as many. Anything beyond
    that would be a guess, and could mix up two objects.
    """
    pairs = [index if index < len(before) and value == before[index] else None for index, value in enumerate(now)]
    if None not in pairs:
        return pairs
    spare: defaultdict[str, deque[int]] = defaultdict(deque)
    for index in _left(before, pairs):
        spare[repr(before[index])].append(index)
    for index, value in enumerate(now):
        if pairs[index] is None and (equal := spare.get(repr(value))):
            pairs[index] = equal.popleft()
    left = _left(before, pairs)
    neighbours = [-1, *pairs, len(before)]
    for run in _runs_of_none(pairs):
        lower, upper = neighbours[run.start], neighbours[run.stop + 1]
        assert lower is not None
        assert upper is not None
        between = range(lower + 1, upper)
        if len(between) == len(run) and all(index in left for index in between):
            pairs[run.start : run.stop] = between
    return pairs


def _runs_of_none(pairs: Sequence[int | None]) -> list[range]:
    """Return the ranges of consecutive elements without a pair."""
    runs: list[range] = []
    for index, pair in enumerate(pairs):
        if pair is None:
            begin = runs.pop().start if runs and runs[-1].stop == index else index
            runs.append(range(begin, index + 1))
    return runs


def _left(before: Sequence[Any], pairs: Sequence[int | None]) -> dict[int, None]:
    """Return the unpaired indexes, in order."""
    taken = set(pairs)
    return {index: None for index in range(len(before)) if index not in taken}
