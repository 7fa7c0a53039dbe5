"""Parameters of the commands about runes. Source: Core Lightning, lightningd/runes.c."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import punctuation
from typing import Any, Final, Literal

from clnrpc.runtime.jsontext import JsonType, elements, json_type, members
from clnrpc.runtime.server.convert import BadToken, Converter, pubkey, raw_text, string
from clnrpc.runtime.values.encode import encode
from clnrpc.runtime.values.written import FinishedJson
from lnoffers.runes import Restriction, Rune, RuneError, is_text
from lnoffers.runes.rune import alternative
from lnoffers.service.parameters.strings import string_to_read, with_text

MAX_RUNE: Final = 1 << 14
"""Characters of a rune. To restrict the longest further takes some milliseconds."""
_NO_RESTRICTION: Final = "not a valid restriction (should be array)"
_PUNCTUATION: Final = punctuation.encode()
_READONLY: Final = (("method^list", "method^get", "method=summary"), ("method/listdatastore",))


def restrictions_of(given: Sequence[Sequence[str]] | Literal["readonly"] | None) -> list[Restriction]:
    """Return the restrictions that a converted parameter of `createrune` means."""
    alternatives: Sequence[Sequence[str]] = _READONLY if given == "readonly" else given or ()
    return [tuple(alternative(each.encode()) for each in restriction) for restriction in alternatives]


def fields_of(params: object) -> tuple[Mapping[bytes, bytes], int]:
    """Return the fields `pnameX` and `parrN` of a call's parameters, tokens as written, and how many parameters it has.

    The first of two parameters with one name counts. Names also count without their punctuation, as in old runes.
    """
    text = params if isinstance(params, bytes) else encode({} if params is None else params)
    if json_type(text) is JsonType.ARRAY:
        tokens = elements(text)
        return {b"parr%d" % position: token for position, token in enumerate(tokens)}, len(tokens)
    named = members(text)
    fields: dict[bytes, bytes] = {}
    for name, token in named:
        fields.setdefault(b"pname" + name, token)
        fields.setdefault(b"pname" + name.translate(None, _PUNCTUATION), token)
    return fields, len(named)


def _rune(raw: bytes) -> str:
    text: str = string_to_read(MAX_RUNE)(raw)
    try:
        rune = Rune.parse(text)
    except RuneError:
        raise BadToken("should be base64 string") from None
    if rune.unique_id is None:
        raise BadToken("should have valid numeric unique_id")
    if not is_text(rune):
        raise BadToken("should have restrictions in UTF-8")
    return text


def _restrictions(raw: bytes) -> list[list[str]] | str:
    if raw_text(raw) == "readonly":
        return "readonly"
    if json_type(raw) is not JsonType.ARRAY:
        raise BadToken(_NO_RESTRICTION)
    return list(_each_restriction(elements(raw)))


def _each_restriction(tokens: Sequence[bytes]) -> Iterator[list[str]]:
    for token in tokens:
        alternatives = elements(token) if json_type(token) is JsonType.ARRAY else []
        try:
            texts = [_alternative(each) for each in alternatives]
        except (BadToken, RuneError):
            texts = []
        if not texts:
            raise BadToken(_NO_RESTRICTION, token=token, names_place=False)
        yield texts


def _alternative(raw: bytes) -> str:
    text: str = string(raw)
    alternative(text.encode())
    return text


def _params(raw: bytes) -> Any:
    """Convert the parameters of another call: what conditions compare is how they are written."""
    if json_type(raw) not in (JsonType.ARRAY, JsonType.OBJECT):
        raise BadToken("must be object or array")
    return FinishedJson(raw)


OF_RUNES: Final[Mapping[str, Mapping[str, Converter]]] = {
    "checkrune": {
        "rune": _rune,
        "nodeid": with_text("should be a node id", pubkey),
        "method": raw_text,
        "params": _params,
    },
    "createrune": {"rune": _rune, "restrictions": _restrictions},
    "showrunes": {"rune": _rune},
}
"""Command -> parameter -> converter."""
