"""The program `lnoffers`: what stands between the shell and `program`.

Exit codes: 0 fine; 1 an RPC error or a string that is not valid; 2 it could not work, and says why on standard error.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

from lnoffers.service.cli.startup import hold_signals
from lnoffers.service.errors import ServiceError

_EXTRAS: Final = {"coincurve", "cryptography", "iso4217", "mnemonic", "nacl", "rich", "segno"}
"""Packages that are there only if this one was installed with its extra `offers`."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


def main() -> None:
    """The entry point."""
    # What loading makes stays. To look through it for garbage over and over takes a tenth of a call.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    """Do what the command line says; its exit code."""
    if arguments[:1] == ["serve"]:
        hold_signals()  # before what takes long to load
    try:
        from lnoffers.service.cli.program import run  # noqa: PLC0415 # its packages may be missing

        return run(arguments)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        if isinstance(error, ModuleNotFoundError):
            return _complain(f"the package {package} is missing: pip install 'clnrpc[offers]'")
        return _complain(str(error))
    except BrokenPipeError:
        # Whoever read our output is gone, and what Python still holds of it must not fail again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (ServiceError, OSError) as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return 130


def _complain(why: str) -> int:
    if sys.stderr is not None:  # print would use standard output instead
        print(f"lnoffers: {why}", file=sys.stderr)
    return 2
