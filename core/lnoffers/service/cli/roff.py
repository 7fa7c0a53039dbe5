"""A manual page as plain text, for systems without `man`: the macros and escapes that our pages use, no others.

Source: man(7), groff_char(7).
"""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import Final

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


def plain_text(page: str) -> str:
    """Return what a page in roff says, in lines of up to 78 characters; examples keep theirs."""
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
    """The lines so far, and how the next ones are set."""

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
