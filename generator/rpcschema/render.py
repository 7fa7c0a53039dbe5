"""Jinja2 as all targets use it: an undefined name is an error, nothing is escaped, output is exact to the newline."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rpcschema.paths import templates_dir

if TYPE_CHECKING:
    from jinja2 import Environment


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
