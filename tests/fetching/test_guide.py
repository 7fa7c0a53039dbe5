"""The program in docs/how-to/fetch-an-invoice.md runs as it stands there, and the page has every reason."""

from __future__ import annotations

import re

import pytest

from lnoffers.fetching import Reason
from tests.fetching.conftest import Start
from tests.fetching.test_fetch import ISSUER, offer
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "how-to" / "fetch-an-invoice.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("answer", "said"), [("invoice", "1000 msat until "), ("refusal", "the issuer refuses: not")])
def test_the_guide_runs(start: Start, capsys: pytest.CaptureFixture[str], answer: str, said: str) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    program = re.sub(r"^(OFFER|ADDRESS) = .*\n", "", program, flags=re.MULTILINE)
    exec(program, {"OFFER": offer().encode(), "ADDRESS": start(ISSUER, "--answer", answer)})
    assert capsys.readouterr().out.startswith(said)


def test_the_guide_has_every_reason() -> None:
    for reason in Reason:
        assert f"| `{reason.name}` |" in PAGE
