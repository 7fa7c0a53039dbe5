"""The last step for all generated Python: black's style, and imports in ruff's order.

Templates write black's style as far as plain ifs and loops can. Formatting everything would take longer than everything
else, so black gets only pieces with long lines or unusual strings. Tests format all generated code with black and
expect no change.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from rpcschema.problems import RenderError

LINE_LENGTH: Final = 120

_IMPORT_LENGTH: Final = 88
"""The longest line in the default settings of ruff and black, which users may run on a package."""
_HOLDERS: Final = ("class _:\n", "    def _():\n")
"""What an indented statement is in."""
_NUMBERS: Final = re.compile("([0-9]+)")
_DOCSTRING: Final = re.compile(r'"""(?!")(?:(?>[^"\\]|\\.|"(?!"")))*+"""', re.DOTALL)
_DOUBTFUL: Final = re.compile(r"['\\]|[^\x00-\x7f]|.{121}")
"""What black may change, outside of docstrings."""


def import_of(module: str, names: Iterable[str], *, indent: int = 0) -> str:
    """Return the statement that imports `names` from `module`, as ruff's default settings want it at `indent`."""
    ordered = sorted(names, key=import_order)
    line = f"from {module} import {', '.join(ordered)}"
    if indent + len(line) <= _IMPORT_LENGTH:
        return line
    margin = " " * indent
    return f"from {module} import (\n" + "".join(f"{margin}    {name},\n" for name in ordered) + f"{margin})"


def import_block(modules: Mapping[str, Collection[str]], package: str, *, depth: int = 1, indent: int = 0) -> str:
    """Return the statements that import names from modules, as ruff wants them at `indent`.

    `modules` has absolute names; a module of which no name is needed is left out. The standard library, other packages,
    and `package` are groups of their own. Imports from `package` are relative, so that it can be moved; `depth` is how
    deep in it the importing module is, 1 for its top.
    """
    groups: list[list[str]] = [[], [], []]
    for module in sorted(filter(modules.get, modules), key=_natural):
        name = relative(module, package, depth)
        group = 2 if name.startswith(".") else name.partition(".")[0] not in sys.stdlib_module_names
        groups[group].append(" " * indent + import_of(name, modules[module], indent=indent))
    return "\n\n".join("\n".join(group) for group in groups if group)


def relative(module: str, package: str, depth: int = 1) -> str:
    """Return the name by which a module that is `depth` deep in `package` imports `module`."""
    inside = f"{module}.".removeprefix(f"{package}.")
    return "." * depth + inside.removesuffix(".") if len(inside) <= len(module) else module


def import_order(name: str) -> tuple[int, list[Any], list[Any]]:
    """Return the key by which ruff and isort order names: CONSTANTS, Classes, the rest; and U8 before U16."""
    is_constant = len(name) > 1 and name.isupper()
    kind = 0 if is_constant else 1 if name[0].isupper() else 2
    return kind, _natural(name.lower()), _natural(name)


def _natural(text: str) -> list[Any]:
    """Return `text` split into numbers and what is between them."""
    return [int(part) if part.isdigit() else part for part in _NUMBERS.split(text)]


def literal(value: Any) -> str:
    """Return a constant, or a tuple of them, as source; text in double quotes if nothing in it is special."""
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    text = repr(value)
    return f'"{value}"' if text == f"'{value}'" and '"' not in value else text


def formatted(source: str, path: str, before: str = "", after: str = "") -> bytes:
    """Return the bytes of `source`, which stands between `before` and `after` in the file `path`.

    Raises RenderError if black does not accept it as Python.
    """
    if not _DOUBTFUL.search(_DOCSTRING.sub("", source)):
        return source.encode()
    return _as_black(before + source + after, path).removeprefix(before).removesuffix(after).encode()


def wrapped(statement: str, indent: int = 4) -> str:
    """Return a statement at `indent`, 0, 4 or 8, which black breaks into lines if it is long."""
    if indent + len(statement) <= LINE_LENGTH:
        return statement
    before = "".join(_HOLDERS[: indent // 4])
    return formatted(f"{' ' * indent}{statement}\n", "a statement", before).decode().strip()


def formatted_method(source: str, path: str) -> bytes:
    """Return the bytes of a method in the file `path`, after an empty line."""
    return b"\n" + formatted(source.lstrip("\n"), path, before="class _:\n")


def _as_black(source: str, path: str) -> str:
    from black import format_str  # noqa: PLC0415 # 0085: slow
    from black.mode import Mode, TargetVersion  # noqa: PLC0415 # 0085: slow
    from black.parsing import InvalidInput  # noqa: PLC0415 # 0085: slow

    try:
        return format_str(source, mode=Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311}))
    except (InvalidInput, RecursionError) as error:
        raise RenderError(f"{path} would not be Python: {error}") from error
