"""The table of faults in the docs, drawn from the code: `python -m tests.play.faults_page` writes it."""

from __future__ import annotations

from lnstandin.play.faults import MEANINGS
from tests.project.drawings import redrawn
from tests.shared import ROOT

PAGE = ROOT / "docs" / "how-to" / "pay-with-play-money.md"


def page() -> str:
    """Return the page as it must be."""
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in MEANINGS.items())
    return redrawn(
        PAGE.read_text(encoding="utf-8"), "lnstandin.play.faults", f"| name | what happens |\n|---|---|\n{rows}"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
