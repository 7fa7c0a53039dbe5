"""What fuzzing has found stays mended, and its properties hold for what it starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.properties import check, check_stream, check_text
from tests.fuzz.seeds import CRASHES, own_seeds


@pytest.mark.parametrize("path", sorted(CRASHES.glob("crash-*")), ids=lambda path: path.name)
def test_what_once_broke_it_does_no_more(path: Path) -> None:
    check(path.read_bytes())


def test_holds_for_the_seeds() -> None:
    for seed in own_seeds():
        check(seed)


@given(st.text())
def test_holds_for_any_text(text: str) -> None:
    check_text(text)


@given(st.binary())
def test_holds_for_any_bytes(data: bytes) -> None:
    check_stream(data)
