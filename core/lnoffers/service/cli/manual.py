"""`lnoffers man`: the manual pages of the service's commands, which lie inside the package.

They are not installed under `share/man`, where Core Lightning keeps pages of the same names.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from lnoffers.service.cli.output import require_output
from lnoffers.service.errors import OptionsError

_PACKAGE: Final = Path(__file__).resolve().parents[2]


def pages_dir() -> Path:
    """Return the folder of manual pages: the checkout's if this package lies in one, else the package's own.

    An editable install leaves a copy of the pages in site-packages that grows stale, so the checkout wins.
    """
    checkout = _PACKAGE.parent.parent
    in_checkout = _PACKAGE.parent.name == "core" and (checkout / "pyproject.toml").is_file()
    return checkout / "generated" / "man" if in_checkout else _PACKAGE / "man"


def open_page(command: str | None, *, only_path: bool) -> None:
    """Show the page of a command in the pager, or print where it is; without a command, list the pages or their folder.

    Raises:
        OptionsError: if there is no page of that name.
    """
    require_output()
    if command is None:
        print(pages_dir() if only_path else "\n".join(page.stem.removeprefix("lightning-") for page in _pages()))
        return
    page = _find(command)
    if only_path:
        print(page)
    elif not _shown_by_man(page):
        import pydoc  # noqa: PLC0415 # slow to import, and only needed without man

        from lnoffers.service.cli.roff import plain_text  # noqa: PLC0415

        pydoc.pager(plain_text(page.read_text(encoding="ascii")))


def _pages() -> list[Path]:
    return sorted(pages_dir().glob("lightning-*.7"))


def _find(command: str) -> Path:
    name = command.removeprefix("lightning-")
    for page in _pages():
        if page.name == f"lightning-{name}.7":
            return page
    raise OptionsError(f"there is no manual page for {command!r}; `lnoffers man` lists those that exist")


def _shown_by_man(page: Path) -> bool:
    """Whether the program `man` is there and shows the page. A name with a slash is a file to it."""
    program = shutil.which("man")
    if program is None:
        return False
    sys.stdout.flush()
    return subprocess.run([program, str(page)], stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603
