"""The rules that are in no table: each is broken by a call that is refused by its name."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import Bolt12Error, RuleName

from .faulty_encodings import FAULTS, Example


@pytest.mark.parametrize("example", FAULTS, ids=str)
def test_what_breaks_a_rule_is_refused_by_its_name(example: Example) -> None:
    with pytest.raises(Bolt12Error) as caught:
        example.call()
    assert caught.value.rule is RuleName(example.rule)
