"""The program `lnoffers`.

- `program` parses the command line and runs one command.
- Each command, or family of commands, has a module: `call` (with `in_process`), `serve`, `decode`, `fetch`, `man` and
  `maintenance` (init, backup, check-store).
- `flags` holds the options that commands share.
- `summary` arranges an answer for people, `drawing` prints it on a terminal, `output` chooses between that and JSON.

Exit codes: 0 success; 1 an RPC error, or a string or store that is not valid; 2 the command could not run, with the
reason on standard error.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.system import hold_signals

_EXTRAS: Final = {"coincurve", "cryptography", "iso4217", "mnemonic", "nacl", "rich", "segno"}
"""Packages that are installed only with the extra `offers`."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


def main() -> None:
    """Run the command line of this process and exit."""
    # The objects that imports create stay alive. Collecting them again and again takes a tenth of a call's time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["serve"]:
        hold_signals()  # before the slow imports
    try:
        from lnoffers.service.cli.program import run  # noqa: PLC0415 # 0085: optional

        return run(arguments)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        if isinstance(error, ModuleNotFoundError):
            return _complain(f"the package {package} is missing: pip install 'clnrpc[offers]'")
        return _complain(str(error))
    except BrokenPipeError:
        # The reader of our output is gone. What Python still buffers must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (ServiceError, OSError) as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return 130


def _complain(reason: str) -> int:
    if sys.stderr is not None:  # print would use standard output instead
        print(f"lnoffers: {reason}", file=sys.stderr)
    return 2
