"""Statements that the driver runs do what they do when SQLAlchemy runs them, errors included."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, bindparam, create_engine, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from lnoffers.service.store.schema import INVOICEREQUESTS as TABLE
from lnoffers.service.store.statement import Statement, run_text

ADD = Statement(insert(TABLE))
ONE = Statement(select(TABLE.c.label).where(TABLE.c.invreq_id == bindparam("identity", required=False)))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://", hide_parameters=True)
    TABLE.metadata.create_all(engine)
    with engine.connect() as opened:
        opened.begin()
        ADD.run(opened, invreq_id=b"1", bolt12="lnr1", label="one", status=1)
        yield opened
    engine.dispose()


def test_values_go_by_their_names(connection: Connection) -> None:
    assert ONE.run(connection, identity=b"1") == [("one",)]
    assert ONE.run(connection, identity=b"2") == []


def test_what_is_written_in_the_statement_stays_and_what_is_named_changes(connection: Connection) -> None:
    change = Statement(
        update(TABLE)
        .where(TABLE.c.invreq_id == bindparam("identity", required=False), TABLE.c.status.in_([1, 2]))
        .values(status=TABLE.c.status + 1)
        .returning(TABLE.c.status)
    )
    assert [change.run(connection, identity=b"1") for _ in range(3)] == [[(2,)], [(3,)], []]


def test_it_is_part_of_the_transaction(connection: Connection) -> None:
    connection.rollback()
    assert connection.execute(select(TABLE)).all() == []


def test_an_error_is_of_the_class_that_sqlalchemy_raises_and_tells_no_value(connection: Connection) -> None:
    with pytest.raises(IntegrityError) as caught:
        ADD.run(connection, invreq_id=b"1", bolt12="lnr1secret", label=None, status=1)
    assert isinstance(caught.value.orig, sqlite3.IntegrityError)
    assert caught.value.orig.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY"
    assert "secret" not in str(caught.value)
    with pytest.raises(OperationalError):
        run_text(connection, "SELECT * FROM nowhere")
