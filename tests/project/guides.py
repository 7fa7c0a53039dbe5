"""The README and the how-tos as programs: the pieces of code that stand in them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.shared import ROOT

PAGES = {path.stem: path for path in (ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))}


def pieces(page: str, language: str) -> list[str]:
    """Return the fenced blocks in a language, in their order; those in list items without their indentation."""
    found = re.finditer(rf"^( *)```{language}\n(.*?)^\1```$", PAGES[page].read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{match[1]}", "", match[2], flags=re.MULTILINE) for match in found]


def program(page: str) -> str:
    """Return the pieces of Python of a page, as one program; without what needs pyln-client, which has no types."""
    return "\n".join(piece for piece in pieces(page, "python") if "pyln" not in piece)


def write_programs(folder: Path) -> list[Path]:
    """Write each page's program to a file."""
    files = []
    for page in PAGES:
        if program(page):
            files.append(folder / f"{page.replace('-', '_')}.py")
            files[-1].write_text(program(page), encoding="utf-8")
    return files
