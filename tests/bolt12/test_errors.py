"""The error: what it carries survives pickling and copying, as between the processes of a pool."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from lnoffers.bolt12 import Bolt12Error


@pytest.mark.parametrize("through", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_keeps_all_that_it_says(through: Callable[[Bolt12Error], Bolt12Error]) -> None:
    error = Bolt12Error("short", rule="a-rule", field="offer_amount", offset=3, text_offset=7, detail="what exactly")
    error.add_note("seen later")
    same = through(error)
    assert type(same) is Bolt12Error
    assert str(same) == "short"
    assert vars(same) == vars(error)
    assert same.__notes__ == ["what exactly", "seen later"]
