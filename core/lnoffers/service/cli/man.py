"""`lnoffers man`: show the manual pages of the service's commands.

The pages are files of the package. They are not installed under `share/man`, where Core Lightning keeps pages of the
same names. Where the program `man` is missing, a page is shown as plain text; this understands the macros and escapes
of our pages only (man(7), groff_char(7)).
"""

from __future__ import annotations

import pydoc
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from argparse import Namespace
from pathlib import Path
from typing import Final

from lnoffers.service.cli.output import require_output
from lnoffers.service.errors import OptionsError

_WIDTH: Final = 78
_MARGIN: Final = 7
_HANGING: Final = 4
_CHARACTERS: Final = {
    "\\e": "\\",
    "\\-": "-",
    "\\(aq": "'",
    "\\(dq": '"',
    "\\(ga": "`",
    "\\(ha": "^",
    "\\(ti": "~",
    "\\(bu": "*",
}
_ESCAPE: Final = re.compile(r"\\f(?:\(..|.)|\\\(..|\\\[u([0-9A-F]{4,6})\]|\\.")

_PACKAGE: Final = Path(__file__).resolve().parents[2]


def pages_dir() -> Path:
    """Return the folder of manual pages: the checkout's if this package lies in one, else the package's own.

    An editable install leaves a copy of the pages in site-packages that grows stale, so the checkout wins.
    """
    checkout = _PACKAGE.parent.parent
    in_checkout = _PACKAGE.parent.name == "core" and (checkout / "pyproject.toml").is_file()
    return checkout / "generated" / "man" if in_checkout else _PACKAGE / "man"


def show_page(given: Namespace) -> int:
    """Show the page of a command in the pager, or print its path; without a command, list the pages; and return 0.

    Raises:
        OptionsError: if there is no page for the command.
    """
    require_output()
    if not given.arguments:
        print(pages_dir() if given.path else "\n".join(page.stem.removeprefix("lightning-") for page in _pages()))
        return 0
    page = _find_page(given.arguments[0])
    if given.path:
        print(page)
    elif not _run_man(page):
        pydoc.pager(plain_text(page.read_text(encoding="ascii")))
    return 0


def _pages() -> list[Path]:
    return sorted(pages_dir().glob("lightning-*.7"))


def _find_page(command: str) -> Path:
    name = command.removeprefix("lightning-")
    for page in _pages():
        if page.name == f"lightning-{name}.7":
            return page
    raise OptionsError(f"there is no manual page for {command!r}; `lnoffers man` lists those that exist")


def _run_man(page: Path) -> bool:
    """Show the page with the program `man`, which takes a name with a slash as a file; return whether that worked."""
    program = shutil.which("man")
    if program is None:
        return False
    sys.stdout.flush()
    return subprocess.run([program, str(page)], stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603


def plain_text(page: str) -> str:
    """Return a manual page in roff as plain text, wrapped at 78 characters except for examples."""
    layout = _Layout()
    for line in page.splitlines():
        name, _, arguments = line.partition(" ")
        if line.startswith("."):
            layout.obey(name, shlex.split(arguments.replace("\\", "\\\\")))
        else:
            layout.take(_characters(line))
    layout.end_paragraph()
    return "\n".join(layout.lines).strip("\n") + "\n"


class _Layout:
    """The lines of text so far, and the state that lays out the next ones."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._words: list[str] = []
        self._margins = [_MARGIN]
        self._hanging = 0
        self._mark = ""
        self._is_term = False
        self._spaced = True
        self._after_title = True
        self._verbatim = False

    def take(self, text: str) -> None:
        if self._verbatim:
            self.lines.append(" " * self._margins[-1] + text)
            return
        self._words.append(text)
        self._after_title = False
        if self._is_term:
            self.end_paragraph()
            self._is_term, self._hanging = False, _HANGING

    def obey(self, macro: str, arguments: list[str]) -> None:
        self.end_paragraph()
        match macro:
            case ".SH":
                self._begin(0)
                self._margins = [_MARGIN]
                self.lines.append(_characters(arguments[0]))
                self._after_title = True
            case ".PP":
                self._begin(0)
            case ".TP":
                self._begin(0)
                self._is_term = True
            case ".IP":
                self._begin(int(arguments[1]))
                self._mark = _characters(arguments[0])
            case ".RS":
                self._margins.append(self._margins[-1] + int(arguments[0]))
                self._hanging = 0
            case ".RE":
                self._margins.pop()
            case ".PD":
                self._spaced = not arguments
            case ".EX" | ".EE":
                self._verbatim = macro == ".EX"

    def _begin(self, hanging: int) -> None:
        self._hanging = hanging
        if self._spaced and not self._after_title:
            self.lines.append("")
        self._after_title = False

    def end_paragraph(self) -> None:
        if not self._words:
            return
        margin = self._margins[-1]
        self.lines += textwrap.wrap(
            " ".join(self._words),
            _WIDTH,
            initial_indent=" " * margin + self._mark.ljust(self._hanging),
            subsequent_indent=" " * (margin + self._hanging),
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._words, self._mark = [], ""


def _characters(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code, 16)) if code else _CHARACTERS.get(match.group(), "")
