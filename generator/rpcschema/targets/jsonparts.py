"""Render JSON: whole, or as the parts of a shared file and the frame around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rpcschema.targets import Frame

_INDENT: Final = 1
"""Spaces for each level: the documents are deep, and most readers are programs."""


def json_bytes(value: Any) -> bytes:
    """Return a JSON text with a final newline."""
    return f"{_text(value)}\n".encode()


def member(name: str, value: Any, *, depth: int) -> bytes:
    """Return a member of an object that is `depth` levels deep, without a comma or newline at its end."""
    return f"{' ' * _INDENT * depth}{json.dumps(name)}: {_indented(value, depth)}".encode()


def element(value: Any, *, depth: int) -> bytes:
    """Return an element of an array that is `depth` levels deep, without a comma or newline at its end."""
    return f"{' ' * _INDENT * depth}{_indented(value, depth)}".encode()


def frame(content: Mapping[str, Any], name: str) -> Frame:
    """Return the frame for the parts of the empty array or object `name` in `content`."""
    empty = f'\n{" " * _INDENT}"{name}": '
    opening, closing = "[]" if content[name] == [] else "{}"
    head, _, tail = _text(content).partition(f"{empty}{opening}{closing}")
    end = f"\n{' ' * _INDENT}{closing}{tail}\n"
    return Frame(f"{head}{empty}{opening}\n".encode(), end.encode(), between=b",\n")


def _indented(value: Any, depth: int) -> str:
    # Strings contain no newlines: JSON escapes them.
    return _text(value).replace("\n", "\n" + " " * _INDENT * depth)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=_INDENT, allow_nan=False)
