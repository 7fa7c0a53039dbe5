"""Jinja2 as all targets use it: an undefined name is an error, nothing is escaped, output is exact to the newline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Final, TypeVar

from rpcschema.problems import RenderError
from rpcschema.settings import templates_dir

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")

_IN_EXPRESSIONS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the expressions of a template can raise besides Jinja2's own errors."""


@cache
def environment(target: str) -> Environment:
    """The environment whose templates are those of `templates/<target>/`.

    Strings arrive in a template already escaped for its language; a target may add filters of its own to its
    environment.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 # slow to import

    return Environment(
        loader=FileSystemLoader(templates_dir() / target),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 # the output is roff, Markdown and Python, not HTML
    )


@contextmanager
def template_errors() -> Iterator[None]:
    """Turns what goes wrong in a template into a RenderError that says in which, and in which line.

    An error in an expression is one only if it came up in a template; elsewhere it passes through.
    """
    from jinja2 import TemplateError  # noqa: PLC0415 # slow to import

    try:
        yield
    except (TemplateError, *_IN_EXPRESSIONS) as error:
        place = _place(error)
        if place is None and not isinstance(error, TemplateError | UnicodeError):
            raise
        raise RenderError(f"{place}: {error}" if place else f"template: {error}") from error


def _place(error: Exception) -> str | None:
    """The innermost template and line that `error` passed through, or where its syntax is wrong."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 # slow to import

    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    if isinstance(error, TemplateSyntaxError):
        places.append((error.filename or "", error.lineno))
    for file, line in reversed(places):
        if Path(file).is_relative_to(templates_dir()):
            return f"{Path(file).relative_to(templates_dir()).as_posix()}:{line}"
    return None


def attempt(call: Callable[[], T]) -> T | str:
    """What `call` returns, or what it says is wrong with a target or its templates."""
    try:
        with template_errors():
            return call()
    except RenderError as error:
        return str(error)
