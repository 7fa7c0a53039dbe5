"""What fuzzing has found stays mended, and its properties hold for what it starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.onions import check_packet, check_wire
from tests.fuzz.properties import check_stream, check_text
from tests.fuzz.seeds import CRASHES
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("path", sorted(CRASHES.glob("*-crash-*")), ids=lambda path: path.name)
def test_what_once_broke_it_does_no_more(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]].check(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_holds_for_our_seeds(name: str) -> None:
    for seed in TARGETS[name].own():
        TARGETS[name].check(seed)


@pytest.mark.parametrize("name", ["onion", "wire"])
def test_holds_for_the_seeds_of_upstream(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].check(seed)


@given(st.text())
def test_holds_for_any_text(text: str) -> None:
    check_text(text)


@given(st.binary())
def test_holds_for_any_bytes(data: bytes) -> None:
    check_stream(data)


@given(st.binary(max_size=300))
def test_holds_for_any_onion(data: bytes) -> None:
    check_packet(data)


@given(st.binary(max_size=300))
def test_holds_for_any_message_of_a_peer(data: bytes) -> None:
    check_wire(data)
