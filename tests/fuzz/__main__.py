"""`python -m tests.fuzz FOLDER [SECONDS [TARGET]]`: looks for input that breaks a property, for a minute by default.

TARGET is `bolt12` (strings and streams; the default), `onion` (packets of onion messages) or `wire` (peers' messages).
FOLDER keeps what was found to take new ways through the code, and the next run goes on from there. What breaks a
property is printed with its traceback, put into `crashes`, and ends the run with 77.
"""

from __future__ import annotations

import sys
from hashlib import sha1
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["lnoffers"]):
    from tests.fuzz.seeds import CRASHES
    from tests.fuzz.targets import TARGETS

SECONDS: Final = 60
LONGEST: Final = 4_096
"""Bytes; a longer input finds nothing that a short one does not, and takes its time."""
SLOW: Final = 5
"""Seconds after which an input counts as one that hangs."""


def main(folder: Path, seconds: int, name: str) -> None:
    """Run the fuzzer; it never returns."""
    target, folder = TARGETS[name], folder / name
    folder.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    for seed in target.seeds():
        (folder / sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOW}",
            f"-artifact_prefix={CRASHES}/{name}-",
            str(folder),
        ],
        target.check,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS,
        sys.argv[3] if len(sys.argv) > 3 else "bolt12",
    )
