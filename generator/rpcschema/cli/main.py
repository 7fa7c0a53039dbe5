"""The command `rpcschema`. Exit codes: 0 fine, 1 a finding (out of date), 2 could not work."""

from __future__ import annotations

import os
import sys
from concurrent.futures import BrokenExecutor
from importlib.metadata import version
from io import TextIOWrapper
from typing import Final

from cyclopts import App, CycloptsError

from rpcschema.cli.common import FAILED, complain
from rpcschema.cli.generating import check, generate
from rpcschema.cli.plugins import plugin
from rpcschema.cli.reporting import diff, lint
from rpcschema.cli.scanning import scan
from rpcschema.cli.schemas import schema
from rpcschema.cli.syncing import bring_facts, pack
from rpcschema.errorcodes import ErrorTableError
from rpcschema.settings import SettingsError
from rpcschema.write.interrupts import interrupt_on_sigterm
from rpcschema.write.output import OutputError


def _version() -> str:
    return version("clnrpc")


app: Final = App(
    name="rpcschema",
    help="Generate typed Python, man pages and docs from Core Lightning's rpc-schema documents.",
    version=_version,
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
for command in (generate, check, pack, lint, diff, scan, schema):
    app.command(command)
app.command(bring_facts, name="sync")
app.command(plugin)


def main() -> None:
    """Run the command line of this process and exit."""
    interrupt_on_sigterm()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is
    try:
        code = app()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has closed the pipe; without this, Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except CycloptsError as error:
        complain(f"{error} See rpcschema --help.")
        code = FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        code = FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{error.strerror or error}")
        code = FAILED
    except (SettingsError, ErrorTableError, OutputError, BrokenExecutor) as error:
        complain(str(error))
        code = FAILED
    sys.exit(code)
