"""Parameters of a call -> the values of its request, with Core Lightning's checks in Core Lightning's order.

An array is converted in the command's order, in which extensions have no place; an object in the order given; the
first bad one wins, and what is missing is looked for last. Names are compared as written, so an escaped name is an
unknown one. What is inside of a parameter is converted as parameters are, and an error tells its place behind the
parameter's name ("route[0].amount_msat"); what is missing there shows when `decode.build_request` builds the
request.

Source: Core Lightning, common/json_param.c and common/json_command.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..command import Command, Parameter
from ..errors import INVALID_PARAMS, RpcError
from ..jsontext import JsonType, elements, json_type, members
from .convert import BadToken, Converter, converter_of


class BadParameter(RpcError):
    """A parameter is refused (-32602), by its converter or by the command's method.

    `parameter` is its name, `place` that of the bad token in it ("route[0].amount_msat"), and `token` the token as
    written; if it is empty, the parameters do not go together. The message hides the token, which may be a secret.
    """

    def __init__(self, parameter: str, bad: BadToken) -> None:
        super().__init__(INVALID_PARAMS, _invalid_token(parameter, bad, "(see logs for details)"))
        self.parameter = parameter
        self.place = parameter + bad.place
        self.token = bad.token
        self._bad = bad

    def shown(self, params: bytes) -> RpcError:
        """Return the same error with the token in its message, or with all of `params` if the token is empty."""
        token = f"'{(self.token or params).decode()}'"
        return RpcError(INVALID_PARAMS, _invalid_token(self.parameter, self._bad, token))


def _invalid_token(parameter: str, bad: BadToken, token: str) -> str:
    """Return Core Lightning's text for a token that is refused; `token` is what the text says of it."""
    return f"{parameter}{bad.place if bad.names_place else ''}: {bad.why}: invalid token {token}"


class Binder:
    """Reads the parameters of one command; what follows from the command alone is worked out once.

    `converters` replaces the converter of a type by one for a parameter (name -> converter).
    """

    def __init__(self, command: Command, converters: Mapping[str, Converter] | None = None) -> None:
        overrides = converters or {}
        self._extras = command.extras
        readers = [
            _Reader(parameter, overrides.get(parameter.name) or converter_of(parameter.type))
            for parameter in command.parameters
        ]
        self._in_order = [reader for reader in readers if not reader.parameter.extension]
        self._by_name = {reader.parameter.name.encode(): reader for reader in readers}
        self._required = [parameter for parameter in command.parameters if parameter.required]

    def bind(self, params: bytes) -> dict[str, Any]:
        """Return the values of `params` (JSON text, its syntax checked) by attribute, only those that were given.

        Parameters beyond the document's are passed over where the command allows extras. Raises BadParameter for one
        that cannot be converted, and RpcError (-32602) for whatever else is wrong with them.
        """
        values: dict[str, Any] = {}
        for (parameter, convert), raw in self._given(params):
            try:
                values[parameter.attribute] = convert(raw)
            except BadToken as bad:
                raise BadParameter(parameter.name, bad.inside("", raw)) from None
        for parameter in self._required:
            if parameter.attribute not in values:
                raise RpcError(INVALID_PARAMS, f"missing required parameter: {parameter.name}")
        return values

    def _given(self, params: bytes) -> Iterator[tuple[_Reader, bytes]]:
        """Yield the parameters that are given, in the order in which they are checked. Raises RpcError."""
        match json_type(params):
            case JsonType.ARRAY:
                return self._given_by_position(elements(params))
            case JsonType.OBJECT:
                return self._given_by_name(members(params))
            case _:
                raise RpcError(INVALID_PARAMS, "Expected array or object for params")

    def _given_by_position(self, given: Sequence[bytes]) -> Iterator[tuple[_Reader, bytes]]:
        """Yield the parameters of an array; null means that one is not given."""
        for reader, raw in zip(self._in_order, given, strict=False):
            if json_type(raw) is not JsonType.NULL:
                yield reader, raw
        expected = len(self._in_order)
        if len(given) > expected and not self._extras:
            raise RpcError(INVALID_PARAMS, f"too many parameters: got {len(given)}, expected {expected}")

    def _given_by_name(self, given: Sequence[tuple[bytes, bytes]]) -> Iterator[tuple[_Reader, bytes]]:
        """Yield the parameters of an object; null is a token like any other, and few types take it."""
        seen: set[bytes] = set()
        for name, raw in given:
            reader = self._by_name.get(name)
            if reader is None:
                if self._extras:
                    continue
                raise RpcError(INVALID_PARAMS, f"unknown parameter: {name.decode()}, {_ADVICE}")
            if name in seen:
                raise RpcError(INVALID_PARAMS, f"duplicate json names: {reader.parameter.name}")
            seen.add(name)
            yield reader, raw


class _Reader(NamedTuple):
    parameter: Parameter
    convert: Converter


def without_first(params: bytes, name: str) -> bytes:
    """Return the parameters without the first by position, or without `name`, as written: those of another command."""
    if json_type(params) is JsonType.ARRAY:
        return b"[%b]" % b",".join(elements(params)[1:])
    left = (b'"%b":%b' % (given, raw) for given, raw in members(params) if given != name.encode())
    return b"{%b}" % b",".join(left)


_ADVICE = "which this command does not have; if key=value pairs were meant, use -k"
"""In our words: lightning-cli takes arguments for key=value pairs by guessing, and -k ends the guessing."""
