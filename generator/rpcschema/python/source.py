"""The last step of all Python that is made: it is in black's style, and it compiles.

Templates write that style themselves, so black is asked only about the statements that it would break into several
lines or whose strings it would quote otherwise: a small part of the whole, and black is by far the slowest step. Tests
hold the result against black's own answer for the whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rpcschema.problems import RenderError

LINE_LENGTH: Final = 120

_IMPORT_LENGTH: Final = 88
"""What a line may have by the default settings of ruff and black, which users may run on a package."""
_NUMBERS: Final = re.compile("([0-9]+)")
_PLAIN_STRING: Final = re.compile(r"""(['"])([^'"\\\n]*)\1""")
_DOUBTFUL: Final = re.compile(r"""['"\\]|[^\x00-\x7f]""")
"""What is not a plain string, or not as wide as it is long."""


def import_of(module: str, names: Iterable[str], *, indent: int = 0) -> str:
    """Return the statement that imports `names` from `module`, as ruff's default settings want it at `indent`."""
    ordered = sorted(names, key=import_order)
    line = f"from {module} import {', '.join(ordered)}"
    if indent + len(line) <= _IMPORT_LENGTH:
        return line
    margin = " " * indent
    return f"from {module} import (\n" + "".join(f"{margin}    {name},\n" for name in ordered) + f"{margin})"


def imports_of(modules: Mapping[str, Iterable[str]], *, indent: int = 0) -> list[str]:
    """Return the statements that import from each module (in `modules`, by their names), in ruff's order."""
    return [import_of(module, modules[module], indent=indent) for module in sorted(modules, key=_natural)]


def import_order(name: str) -> tuple[int, list[Any], list[Any]]:
    """Return the key by which ruff and isort order names: CONSTANTS, Classes, the rest; and U8 before U16."""
    is_constant = len(name) > 1 and name.isupper()
    kind = 0 if is_constant else 1 if name[0].isupper() else 2
    return kind, _natural(name.lower()), _natural(name)


def _natural(text: str) -> list[Any]:
    """`text` and the numbers in it, by turns."""
    return [int(part) if part.isdigit() else part for part in _NUMBERS.split(text)]


def finished(source: str, path: str) -> bytes:
    """The bytes of the file `path`. Raises RenderError if the source is not Python."""
    try:
        tree = ast.parse(source)
        compile(tree, path, "exec", dont_inherit=True)  # sees what a parser does not: a parameter that comes twice
        text = _settled(source, tree)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise RenderError(f"{path} would not be Python: {error}") from error
    return text.encode()


def finished_part(source: str, path: str, before: str, after: str = "") -> bytes:
    """The bytes of a part of the file `path`: `source` as it stands between `before` and `after`."""
    text = finished(before + source + after, path).decode()
    return text.removeprefix(before).removesuffix(after).encode()


def _settled(source: str, tree: ast.Module) -> str:
    lines = source.rstrip("\n").split("\n")
    # From the end, so that the numbers of the lines above stay true.
    for first, last, depth, is_header in sorted(_statements(tree.body, 0), reverse=True):
        statement = "\n".join(lines[first:last])
        settled = _PLAIN_STRING.sub(r'"\2"', statement)
        if _DOUBTFUL.search(_PLAIN_STRING.sub("", statement)) or max(map(len, settled.split("\n"))) > LINE_LENGTH:
            settled = _as_black(statement, depth, is_header=is_header)
        lines[first:last] = settled.split("\n")
    return "\n".join(lines) + "\n"


def _statements(body: list[ast.stmt], depth: int) -> Iterator[tuple[int, int, int, bool]]:
    """(first line, line after the last, blocks around it, whether it is a function's header) of all in `body`.

    Docstrings are left out: `docs.docstring` makes them as black wants them.
    """
    for statement in body:
        inner: list[ast.stmt] | None = getattr(statement, "body", None)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement.lineno - 1, statement.body[0].lineno - 1, depth, True
        elif inner is None and not _is_text(statement):
            yield statement.lineno - 1, statement.end_lineno or statement.lineno, depth, False
        if inner is not None:
            yield from _statements(inner, depth + 1)
            yield from _statements(getattr(statement, "orelse", []), depth + 1)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _as_black(statement: str, depth: int, *, is_header: bool) -> str:
    """`statement`, which stands in `depth` blocks, as black formats it."""
    from black import format_str  # noqa: PLC0415 # slow to import
    from black.mode import Mode, TargetVersion  # noqa: PLC0415
    from black.parsing import InvalidInput  # noqa: PLC0415

    blocks = [f"{'    ' * level}class _:\n" for level in range(depth)]
    body = f"\n{'    ' * depth}    pass" if is_header else ""
    mode = Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    try:
        text = format_str("".join(blocks) + statement + body + "\n", mode=mode)
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return text.removeprefix("".join(blocks)).removesuffix(body + "\n")
