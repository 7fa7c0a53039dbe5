"""The program in docs/how-to/use-bolt12.md runs as it stands there."""

from __future__ import annotations

import re

from tests.shared import ROOT


def test_the_guide_runs() -> None:
    text = (ROOT / "docs" / "how-to" / "use-bolt12.md").read_text(encoding="utf-8")
    pieces = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    exec("\n".join(pieces), names)
    assert str(names["text"]).startswith("lno1")
