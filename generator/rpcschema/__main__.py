"""`python -m rpcschema`, and the command `rpcschema`.

Worker processes import this module too, and need nothing of the command line.
"""

from __future__ import annotations

import gc


def main() -> None:
    """Runs the command line of this process and exits."""
    gc.set_threshold(50_000)  # nearly all that is made here stays: modules first of all
    from rpcschema.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
