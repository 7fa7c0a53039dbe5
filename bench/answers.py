"""Answers of a node that is busier than any: every field of a response class, filled with what its type stands for."""

from __future__ import annotations

import dataclasses
import random
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from clnrpc.runtime.values import scalars

_HEX: Final = {"Hash": 32, "Secret": 32, "Pubkey": 33, "Txid": 32, "Signature": 71, "Bip340Sig": 64, "Hex": 40}
"""Alias -> bytes; what has any length gets some."""

_ALIASES: Final = {
    name: Annotated[kind, name] for name, kind in vars(scalars).items() if name[0].isupper() and name != "TypeAlias"
}
"""The scalars such that their names survive in annotations."""

ELEMENTS: Final = 2
"""Of each array."""


def answer(kind: Any, seed: int) -> Any:
    """Return a JSON value with every field that `kind` (a response class, or any annotation in one) can have."""
    return _value(kind, random.Random(seed))


def _value(kind: Any, numbers: random.Random) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        wires: dict[str, str] = dict(getattr(kind, "__wire_names__", ()))
        return {wires.get(name, name): _value(hint, numbers) for name, hint in _members(kind).items()}
    if get_origin(kind) in (Union, types.UnionType):
        return _value(next(part for part in get_args(kind) if part is not types.NoneType), numbers)
    if get_origin(kind) is Annotated:
        plain, alias = get_args(kind)
        return _scalar(plain, alias, numbers)
    if get_origin(kind) is list:
        return [_value(get_args(kind)[0], numbers) for _ in range(ELEMENTS)]
    if get_origin(kind) is Literal:
        return numbers.choice(get_args(kind))
    return _PLAIN[kind](numbers) if kind in _PLAIN else {}


@cache
def _members(cls: type) -> Mapping[str, Any]:
    hints = get_type_hints(cls, localns=_ALIASES, include_extras=True)
    return {member.name: hints[member.name] for member in dataclasses.fields(cls)}


def _scalar(kind: Any, alias: str, numbers: random.Random) -> Any:
    if alias in _HEX:
        return numbers.randbytes(_HEX[alias]).hex()
    if alias == "ShortChannelId":
        return f"{numbers.randrange(900_000)}x{numbers.randrange(4_000)}x{numbers.randrange(8)}"
    if alias == "Outpoint":
        return f"{numbers.randbytes(32).hex()}:{numbers.randrange(8)}"
    if kind is int:
        return numbers.randrange(256) if alias in {"U8", "U16"} else numbers.randrange(4_000_000_000)
    return _PLAIN[str](numbers)


_PLAIN: Final[Mapping[Any, Callable[[random.Random], Any]]] = {
    bool: lambda numbers: numbers.random() < 0.5,
    float: lambda numbers: numbers.random(),
    int: lambda numbers: numbers.randrange(4_000_000_000),
    str: lambda numbers: numbers.randbytes(12).hex(),
}
