"""`lnoffers serve --rest` with real runes, as a client sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rest.serving import Served, served_over_rest


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run one server for all tests here; each has runes of its own."""
    with served_over_rest(tmp_path_factory.mktemp("rest")) as served:
        yield served


def test_a_call_with_a_rune_has_the_same_result_as_at_the_socket(server: Served) -> None:
    answer = server.site.post("getinfo", rune=server.rune())
    assert answer.status == 201
    assert answer.json == server.call("getinfo")
