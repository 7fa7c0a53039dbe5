"""Convert the parameters of a call to the values of its request, with Core Lightning's checks in its order.

An array is converted in the command's order, in which extensions have no position; an object in the order given. The
first bad parameter is reported, and missing parameters only after that. Names are compared as written, so an escaped
name is unknown. Values inside of a parameter are converted in the same way, and an error gives their place after the
parameter's name ("route[0].amount_msat"); what is missing there is found when `decode.build_request` builds the
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

    `parameter` is its name, `place` the place of the bad token ("route[0].amount_msat"), and `token` the token as
    written, empty if the parameters contradict each other. The message hides the token, which may be a secret.
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
    """Return Core Lightning's text for a token that is refused; `token` is how the text shows it."""
    return f"{parameter}{bad.place if bad.names_place else ''}: {bad.why}: invalid token {token}"


class Binder:
    """Reads the parameters of one command.

    `converters` (name -> converter) replace the converters of the types of some parameters.
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

        Unknown parameters are ignored if the command allows extras. Raises BadParameter if one cannot be converted,
        and RpcError (-32602) for all other faults.
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
