"""`lnoffers serve --rest`: the real program with real runes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clnrpc import Client
from tests.rest.running import Site
from tests.service.program import Program, until

_PLACE = re.compile(r"REST listens at https?://127\.0\.0\.1:(\d+)")


def place(log: str) -> int:
    """Return the port at which REST listens by the last line about it."""
    return int(_PLACE.findall(log)[-1])


@dataclass(frozen=True)
class Served:
    """A running server with REST."""

    program: Program
    process: subprocess.Popen[str]
    site: Site

    @property
    def log(self) -> str:
        """The log so far."""
        return (self.program.network_dir / "log").read_text()

    def rune(self, *restrictions: list[str], method: str | None = None) -> str:
        """Make a rune, with restrictions."""
        wanted = [*restrictions, *([] if method is None else [[f"method={method}"]])]
        return str(self.call("createrune", restrictions=wanted)["rune"])

    def blacklist_last(self) -> None:
        """Revoke the rune that was made last."""
        self.call("blacklistrune", start=int(self.call("showrunes")["runes"][-1]["unique_id"]))

    def call(self, method: str, **params: Any) -> Any:
        """Call the server at its socket."""
        with Client(self.program.socket) as client:
            return client.rpc_call(method, params)


@contextmanager
def served_over_rest(directory: Path, *flags: str, under: tuple[str, ...] = ()) -> Iterator[Served]:
    """Run a server with REST at a free port; at its end its log must not contain a traceback."""
    program = Program(directory)
    log = program.network_dir / "log"
    before = len(_PLACE.findall(log.read_text())) if log.exists() else 0
    options = ("--rest", "127.0.0.1:0", "--log-file", "log", "--log-level", "debug", *flags)
    with program.served(*options, under=under) as process:
        until(lambda: len(_PLACE.findall(log.read_text())) > before)
        served = Served(program, process, Site(place(log.read_text()), program.network_dir / "ca.pem"))
        yield served
    assert "Traceback" not in served.log, served.log
