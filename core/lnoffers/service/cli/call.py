"""`lnoffers call`: one call to the running server or, if there is none, in this process on the same store.

Arguments are read as lightning-cli reads them.
"""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from typing import Final

import msgspec

from clnrpc.runtime.client.unix import UnixTransport
from clnrpc.runtime.errors import ClientError, RpcError
from lnoffers.service.cli.flags import node_options
from lnoffers.service.cli.output import print_json, require_output
from lnoffers.service.errors import OptionsError, ServiceError
from lnoffers.service.options import Options
from lnoffers.service.serving.listening import is_served

# Digits that begin with 0 may be hex, so only "0" itself is a number among them.
_LITERAL: Final = re.compile(r'(?!0[0-9]+\Z)[0-9.]+|true|false|null|\{.*\}|\[.*\]|".*"|"', re.DOTALL)


class ArgumentError(ServiceError):
    """An argument cannot be converted to a parameter."""


def call(given: Namespace) -> int:
    """Make one call, print its result or its error object, and return 0 for a result or 1 for an error.

    Raises:
        ServiceError: if the call cannot be made, or the server's answer is not usable.
    """
    require_output()
    method, *arguments = given.arguments
    _to_string(method)  # refuse a name that is not UTF-8, whether or not a server is running
    params = to_params(arguments, keywords=given.keywords)
    only = None if given.filter is None else _to_json(given.filter)
    try:
        result = ask(method, params, only, node_options(given))
    except RpcError as error:
        print_json(msgspec.json.encode(error.as_json()))
        return 1
    print_json(result)
    return 0


def ask(method: str, params: bytes, only: bytes | None, options: Options) -> bytes:
    """Return the result of a call (JSON), from the running server or made in this process.

    `params`, and `only`, the filter, are JSON too.

    Raises:
        RpcError: if the answer is an error.
        ServiceError: if the call cannot be made, or the server's answer is not usable.
    """
    if is_served(options.socket):
        return _call_server(method, params, only, options)
    # It imports the whole service, which a call to a server does not need.
    from lnoffers.service.cli.in_process import call_in_process  # noqa: PLC0415 # 0085: slow

    return call_in_process(method, params, only, options)


def _call_server(method: str, params: bytes, only: bytes | None, options: Options) -> bytes:
    given = [
        flag
        for flag, value in {
            "--db": options.db,
            "--developer": options.developer or None,
            "--dev-entropy": options.dev_entropy,
            "--dev-time": options.dev_time,
            "--currency-rates": options.currency_rates,
            "--payment-fronting-node": options.payment_fronting_nodes or None,
        }.items()
        if value is not None
    ]
    if given:
        raise OptionsError(f"{' and '.join(given)} cannot be given here: a server is running at {options.socket}")
    try:
        with closing(UnixTransport(options.socket)) as transport:
            result = transport.call(method, params, response_filter=only)
    except ClientError as error:
        raise ServiceError(str(error)) from error
    return result


def to_params(arguments: Sequence[str], *, keywords: bool | None = None) -> bytes:
    """Return the parameters of a call as JSON text: an object if each argument is `key=value`, else an array.

    `keywords` decides which; if it is None, the first argument decides by whether it contains `=`. Numbers without a
    sign, `true`, `false`, `null`, and text in braces, brackets or double quotes are JSON and stay unchanged. All other
    arguments become strings.

    Raises:
        ArgumentError: for an argument without `=` among `key=value` ones, one that looks like JSON but is not, or one
            that is not UTF-8.
    """
    if keywords is None:
        keywords = bool(arguments) and "=" in arguments[0]
    if keywords:
        return b"{" + b",".join(_to_member(argument) for argument in arguments) + b"}"
    return b"[" + b",".join(_to_value(argument) for argument in arguments) + b"]"


def _to_member(argument: str) -> bytes:
    key, separator, value = argument.partition("=")
    if not separator:
        raise ArgumentError(f"expected key=value in {argument!r}")
    return _to_string(key) + b":" + _to_value(value)


def _to_value(argument: str) -> bytes:
    return _to_json(argument) if _LITERAL.fullmatch(argument) else _to_string(argument)


def _to_json(argument: str) -> bytes:
    """Return an argument that is one JSON value, as it is written."""
    # Most arguments are strings, and importing this takes a tenth of a call's time.
    from clnrpc.runtime.jsontext import Framer, FramingError, elements, members  # noqa: PLC0415 # 0085: slow

    raw = argument.encode("utf-8", "surrogateescape")
    framer = Framer()
    framer.feed(b'{"":[' + raw + b"]}")
    try:
        [message] = framer
        [(_, values)] = members(message)
        [value] = elements(values)
    except (FramingError, ValueError) as error:
        raise ArgumentError(f"{argument!r} is taken for JSON, but is not one JSON value") from error
    return value


def _to_string(text: str) -> bytes:
    try:
        return json.dumps(text, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{text!r} is not UTF-8 text") from error
