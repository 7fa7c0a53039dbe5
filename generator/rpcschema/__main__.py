"""`python -m rpcschema`, and the command `rpcschema`.

Worker processes import this module too and do not need the command line.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

_EXTRAS: Final = {"black", "cyclopts", "datamodel_code_generator", "jinja2", "jsonschema", "markdown_it", "rich"}
"""Packages of the extra `generator`."""


def main() -> None:
    """Run the command line of this process and exit."""
    gc.disable()  # a run is short, and nearly all of its objects stay alive
    try:
        from rpcschema.cli.main import main as run  # noqa: PLC0415 # 0085: optional

        run()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        print(f"rpcschema: the package {package} is missing: pip install 'clnrpc[generator]'", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
