"""Pages of the docs that draw a table of the code, between two comments."""

from __future__ import annotations

from pathlib import Path

END = "<!-- end -->\n"


def redrawn(page: Path, module: str, drawing: str) -> str:
    """Return the page's text with its drawing of the module as it must be."""
    begin = f"<!-- drawn from {module} -->\n"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(END)
    return before + begin + drawing + END + after
