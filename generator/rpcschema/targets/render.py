"""Jinja2 as all targets use it: undefined names are errors, nothing is escaped, and newlines are exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Final, TypeVar

from rpcschema.problems import RenderError
from rpcschema.settings import Settings, templates_dir

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")

_IN_EXPRESSIONS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""The errors of expressions in templates, apart from Jinja2's own."""


@cache
def environment(target: str, own: Path | None) -> Environment:
    """Return the environment for the templates in `templates/<target>/`; `own` are the user's, which replace them.

    Strings must be escaped for the template's language before they are passed to it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 # 0085: slow

    return Environment(
        loader=FileSystemLoader([folder / target for folder in (own, templates_dir()) if folder is not None]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 # the output is roff, Markdown and Python, not HTML
    )


@contextmanager
def template_errors(own: Path | None) -> Iterator[None]:
    """Turn an error in a template into a RenderError with the template's name and line; `own` are the user's templates.

    Errors of expressions count only if they occur in a template; others pass through.
    """
    from jinja2 import TemplateError  # noqa: PLC0415 # 0085: slow

    try:
        yield
    except (TemplateError, *_IN_EXPRESSIONS) as error:
        place = _place(error, own)
        if place is None and not isinstance(error, TemplateError | UnicodeError):
            raise
        raise RenderError(f"{place}: {error}" if place else f"template: {error}") from error


def _place(error: Exception, own: Path | None) -> str | None:
    """Return the innermost template and line that `error` passed through, or that of its syntax error.

    A template of ours is named as `template_names` does, one of the user's by its path.
    """
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 # 0085: slow

    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    if isinstance(error, TemplateSyntaxError):
        places.append((error.filename or "", error.lineno))
    for file, line in reversed(places):
        if own is not None and Path(file).is_relative_to(own):
            return f"{Path(file).as_posix()}:{line}"
        if Path(file).is_relative_to(templates_dir()):
            return f"{Path(file).relative_to(templates_dir()).as_posix()}:{line}"
    return None


def attempt(call: Callable[[], T], settings: Settings) -> T | str:
    """Return the result of `call`, or the message if a target or its templates fail."""
    try:
        with template_errors(settings.templates):
            return call()
    except RenderError as error:
        return str(error)
