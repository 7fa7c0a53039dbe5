"""createrune, showrunes, checkrune and blacklistrune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers.runes import Alternative, Call, Rune, english, refusal, restricted
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import RUNE_BLACKLISTED, RUNE_NOT_AUTHORIZED, RUNE_NOT_PERMITTED
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.escaping import escape
from lnoffers.service.parameters.runes import MAX_RUNE, fields_of, restrictions_of
from lnoffers.service.store import runes
from lnoffers.service.store.runes import Range, StoredRune

if TYPE_CHECKING:
    from clnrpc.runtime.server.stubs import Reply
    from lnoffers.service.store import Connection

BLACKLIST_END: Final = 100_000_000
"""The first id that cannot be blacklisted, as in Core Lightning."""
_UNRESTRICTED: Final = (
    "WARNING: this rune has no restrictions, so whoever gets hold of it can call every command of this node. Add "
    "restrictions before you give it to a program that needs only some."
)
_ENGLISH: Final = {
    "pname": "parameter ",
    "parr": "parameter #",
    "pnum": "number of parameters",
    "pinv": "invoice parameter ",
}
"""How the reason of a refusal begins, and what it says instead."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A rune to show."""

    text: str
    rune: Rune
    unique_id: int
    is_blacklisted: bool
    last_used_ns: int | None
    is_stored: bool = True
    is_ours: bool = True


class RuneCommands(Commands):
    """createrune, showrunes, checkrune, blacklistrune."""

    def createrune(self, request: types.CreateruneRequest) -> types.CreateruneResponse:
        """Make and store a rune, or restrict a rune further."""
        added = restrictions_of(request.restrictions)
        if request.rune is not None:
            rune = restricted(Rune.parse(request.rune), added)
            _check_length(rune)
        else:
            with self._transaction() as connection:
                unique_id = runes.next_id(connection)
                rune = self._node.authority.rune(unique_id, added)
                _check_length(rune)
                runes.add(connection, unique_id, rune)
        return types.CreateruneResponse(
            rune=rune.encode(),
            unique_id=str(rune.unique_id),
            warning_unrestricted_rune=None if rune.conditions else _UNRESTRICTED,
        )

    def showrunes(self, request: types.ShowrunesRequest) -> Reply[types.ShowrunesResponse]:
        """Return the stored runes by ascending id, or describe one rune."""
        if request.rune is not None:
            return types.ShowrunesResponse(runes=[_described(self._given(request.rune))])

        def read(last: _Shown | None, limit: int) -> Sequence[_Shown]:
            with self._transaction(writes=False) as connection:
                found = runes.find(connection, after=None if last is None else last.unique_id, limit=limit)
                return [self._shown(connection, stored) for stored in found]

        def respond(found: Sequence[_Shown]) -> types.ShowrunesResponse:
            return types.ShowrunesResponse(runes=[_described(each) for each in found])

        return in_pages(read, respond, length=lambda shown: len(shown.text))

    def checkrune(self, request: types.CheckruneRequest) -> types.CheckruneResponse:
        """Check that a rune permits a call, and count that as a use."""
        rune = Rune.parse(request.rune)
        unique_id = _id_of(rune)
        fields, count = fields_of(request.params)
        now = self._node.clock.now_ns()
        with self._transaction() as connection:
            if runes.is_blacklisted(connection, unique_id):
                raise RpcError(RUNE_BLACKLISTED, "Not authorized: Blacklisted rune")
            if fault := self._node.authority.fault_of(rune):
                raise RpcError(RUNE_NOT_AUTHORIZED, f"Not authorized: {fault}")
            call = Call(
                method=None if request.method is None else request.method.encode(),
                parameters=fields,
                count=count,
                node_id=None if request.nodeid is None else request.nodeid.encode(),
                time_ns=now,
                last_used_ns=runes.last_use(connection, unique_id),
            )
            if reason := refusal(rune, call):
                raise RpcError(RUNE_NOT_PERMITTED, f"Not permitted: {_in_english(reason)}")
            runes.note_use(connection, unique_id, now)
        return types.CheckruneResponse(valid=True)

    def blacklistrune(self, request: types.BlacklistruneRequest) -> types.BlacklistruneResponse:
        """Blacklist the runes with some ids, or take them off the blacklist, and return it."""
        changed = _range_of(request)
        with self._transaction(writes=changed is not None) as connection:
            ranges = runes.blacklist(connection)
            if changed is not None:
                ranges = (runes.without_range if request.relist else runes.with_range)(ranges, changed)
                runes.replace_blacklist(connection, ranges)
        return types.BlacklistruneResponse(
            blacklist=[types.BlacklistruneBlacklist(start=each.first, end=each.last) for each in ranges]
        )

    def rpc_check_blacklistrune(self, request: types.BlacklistruneRequest) -> None:
        """Check that the ids can be blacklisted."""
        _range_of(request)

    def _given(self, text: str) -> _Shown:
        rune = Rune.parse(text)
        unique_id = _id_of(rune)
        with self._transaction(writes=False) as connection:
            stored = [self._node.authority.with_code(each.restrictions) for each in runes.find(connection, unique_id)]
            return _Shown(
                text,
                rune,
                unique_id,
                runes.is_blacklisted(connection, unique_id),
                runes.last_use(connection, unique_id),
                is_stored=text in [each.encode() for each in stored],
                is_ours=self._node.authority.fault_of(rune) is None,
            )

    def _shown(self, connection: Connection, stored: StoredRune) -> _Shown:
        rune = self._node.authority.with_code(stored.restrictions)
        return _Shown(
            rune.encode(),
            rune,
            stored.unique_id,
            runes.is_blacklisted(connection, stored.unique_id),
            runes.last_use(connection, stored.unique_id),
        )


def _id_of(rune: Rune) -> int:
    """Return the id of a rune that was converted as a parameter."""
    assert rune.unique_id is not None
    return rune.unique_id


def _check_length(rune: Rune) -> None:
    length = len(rune.encode())
    if length > MAX_RUNE:
        raise RpcError(
            INVALID_PARAMS, f"rune: would have {length} characters, and no rune may have more than {MAX_RUNE}"
        )


def _range_of(request: types.BlacklistruneRequest) -> Range | None:
    """Return the ids that a request is about, or None.

    Raises:
        RpcError: if there are no such ids.
    """
    if request.start is None:
        if request.end is not None:
            raise RpcError(INVALID_PARAMS, "Can not specify end without start")
        return None
    found = Range(request.start, request.start if request.end is None else request.end)
    if found.last >= BLACKLIST_END:
        raise RpcError(INVALID_PARAMS, f"Cannot blacklist beyond {BLACKLIST_END}")
    if found.first > found.last:
        raise RpcError(INVALID_PARAMS, f"start: {found.first} comes after end, {found.last}")
    return found


def _in_english(reason: str) -> str:
    """Return the reason of a refusal as Core Lightning puts it: with escapes, and without most terms of runes."""
    reason = escape(reason.replace("\\", r"\\").replace('"', r"\""))
    for start, words in _ENGLISH.items():
        if reason.startswith(start):
            return words + reason.removeprefix(start)
    return reason


def _described(shown: _Shown) -> types.ShowrunesRune:
    restrictions = [_restriction(alternatives) for alternatives in shown.rune.conditions]
    return types.ShowrunesRune(
        rune=shown.text,
        stored=None if shown.is_stored else False,
        blacklisted=True if shown.is_blacklisted else None,
        our_rune=None if shown.is_ours else False,
        last_used=None if shown.last_used_ns is None else shown.last_used_ns / 10**9,
        unique_id=str(shown.unique_id),
        restrictions=restrictions,
        restrictions_as_english=" AND ".join(each.english for each in restrictions),
    )


def _restriction(alternatives: Sequence[Alternative]) -> types.ShowrunesRuneRestriction:
    shown = [
        types.ShowrunesRuneRestrictionAlternative(
            fieldname=each.name.decode(),
            value=each.value.decode(),
            condition=each.condition,
            english=english(each),
        )
        for each in alternatives
    ]
    return types.ShowrunesRuneRestriction(alternatives=shown, english=" OR ".join(each.english for each in shown))
