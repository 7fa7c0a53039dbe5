"""Pages of the docs that draw a table of the code, between two comments."""

from __future__ import annotations

END = "<!-- end -->\n"


def redrawn(page: str, module: str, drawing: str) -> str:
    """Return a page's text with its drawing of the module as it must be."""
    begin = f"<!-- drawn from {module} -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    return before + begin + drawing + END + after
