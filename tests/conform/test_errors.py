"""Error codes are compared with those that a document lists."""

from __future__ import annotations

from clnrpc.runtime.errors import INVALID_PARAMS
from lnstandin.conform.errors import compare_error, listed_codes
from lnstandin.conform.findings import Kind
from lnstandin.conform.node import Reply
from tests.conform.documents import document

LISTED = document(errors=["These may occur:", "", "- -1: Catchall.", "- 205: No route.", "- 1501 (RUNE): not for us"])
FACTS = document(errors=["- -1", "- 205"])
PROSE = document(errors=["It may fail with 205."])


def test_reads_the_codes_of_a_list_and_none_of_prose() -> None:
    assert listed_codes(LISTED) == {-1, 205, 1501}
    assert listed_codes(FACTS) == {-1, 205}
    assert listed_codes(PROSE) == listed_codes(document()) == frozenset()


def test_finds_a_code_that_is_not_listed() -> None:
    [finding] = compare_error(LISTED, Reply(code=210, message="Timed out"))
    assert (finding.kind, finding.document, finding.node) == (
        Kind.ERROR_CODE,
        "lists -1, 205, 1501",
        "error 210: Timed out",
    )


def test_finds_nothing_in_listed_and_general_codes_and_where_no_code_is_listed() -> None:
    for reply in (Reply({}), Reply(code=205), Reply(code=-1), Reply(code=INVALID_PARAMS)):
        assert list(compare_error(LISTED, reply)) == []
    assert list(compare_error(PROSE, Reply(code=210))) == []
