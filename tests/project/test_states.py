"""Pages draw the tables that the code goes by."""

from __future__ import annotations

from lnoffers.service.status import StatusChange
from tests.project import connections
from tests.project.states import PAGE, page


def test_the_page_is_drawn_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.project.states"


def test_the_page_tells_of_every_event() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for event in StatusChange:
        assert f"| {event.name.lower()} | {event.value}" in text


def test_the_page_about_the_wire_is_drawn_from_its_table() -> None:
    text = connections.PAGE.read_text(encoding="utf-8")
    assert text == connections.page(), "run python -m tests.project.connections"
    assert "AWAITING_INIT --> OPEN: init" in text
