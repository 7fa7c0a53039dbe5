"""Statements of the calls that must be fast: SQLAlchemy's, made text once, then carried out by the driver itself.

SQLAlchemy takes ten times as long to carry out a statement as SQLite does, and together longer than a signature and
its check. How statements are written stays its own, so that another database can follow, and so do the errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement


class Statement:
    """A statement whose values are the columns of an insert, or `bindparam(name, required=False)`.

    Values and rows are as the driver has them: a bool may come back as a number.
    """

    def __init__(self, construct: Executable) -> None:
        self._construct = construct
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}
        """By dialect: the SQL, the names of its values in their order, and those that are always the same."""

    def run(self, connection: Connection, /, **values: object) -> list[tuple[Any, ...]]:
        """Carry it out in the transaction that the connection is in; the rows, if it is of a kind that has any.

        Raises:
            DBAPIError: of the class that SQLAlchemy would raise.
        """
        dialect = connection.dialect
        text, names, constants = self._compiled.get(dialect.name) or self._compile(dialect)
        given = constants | values
        return run_text(connection, text, [given[name] for name in names])

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        assert isinstance(self._construct, CompilerElement)
        compiled = self._construct.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None, "the driver takes values by position"
        found = str(compiled), tuple(compiled.positiontup), dict(compiled.params)
        self._compiled[dialect.name] = found
        return found


def run_text(connection: Connection, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Have the driver carry out SQL; the rows, if there are any.

    Raises:
        DBAPIError: of the class that SQLAlchemy would raise.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    cursor = driver.cursor()
    try:
        cursor.execute(text, values)
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_raises(error, text, connection.dialect) from error
    finally:
        cursor.close()


def _as_sqlalchemy_raises(error: Exception, text: str, dialect: Dialect) -> BaseException:
    return DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect)
