"""`lnstandin mock`: serve documents at a socket until the program is interrupted or a client calls `stop`."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from lnoffers.service.errors import OptionsError
from lnstandin.mock.mock import AsyncMock
from lnstandin.mock.scriptfile import run_script


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `lnstandin mock`."""
    parser.add_argument(
        "schemas", nargs="?", type=Path, metavar="SCHEMAS", help="the folder of the documents; default: those of clnrpc"
    )
    parser.add_argument("--socket", type=Path, required=True, metavar="PATH", help="where clients connect")
    parser.add_argument("--rest", metavar="HOST:PORT", help="serve REST with runes there, with TLS")
    parser.add_argument("--rest-http", action="store_true", help="serve REST without TLS, at a loopback address only")
    parser.add_argument("--plugin", type=Path, action="append", default=[], metavar="PATH", help="start this plugin")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of a plugin, as --NAME=VALUE of lightningd",
    )
    parser.add_argument("--script", type=Path, metavar="FILE", help="Python: functions named as commands answer them")
    parser.add_argument("--seed", default="0", help="what generated answers depend on besides the call; default: 0")
    parser.add_argument("--as", dest="release", metavar="RELEASE", help="behave like this release, such as v24.08")
    parser.add_argument(
        "--no-examples", action="store_true", help="generate answers where documents have examples, too"
    )


def run(given: Namespace) -> int:
    """Serve until SIGINT, SIGTERM or `stop`. Raises ServiceError if that cannot begin."""
    mock = AsyncMock(
        given.schemas,
        socket=given.socket,
        rest=None if given.rest is None else _place(given.rest),
        rest_http=given.rest_http,
        seed=given.seed,
        release=given.release,
        examples=not given.no_examples,
    )
    for problem in mock.documents.problems:
        print(f"lnstandin: left out: {problem}", file=sys.stderr)
    if given.script is not None:
        run_script(mock, given.script)
    mock.configure(_options(given.option))
    asyncio.run(_serve(mock, given.plugin))
    return 0


async def _serve(mock: AsyncMock, plugins: Sequence[Path]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    mock.on_stop = stopping.set
    async with mock:
        for plugin in plugins:
            await mock.start_plugin(plugin)
        mock.check_configured()
        also = "" if mock.rest_address is None else f" and {mock.rest_url}"
        count = len(mock.documents.commands)
        print(f"lnstandin: {count} commands of {mock.release} at {mock.socket}{also}", flush=True)
        await stopping.wait()


def _options(texts: Sequence[str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        options.setdefault(name.removeprefix("--"), []).append(value if "=" in text else "true")
    return options


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise OptionsError(f"--rest: {text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
