"""Long lists: commands whose responses clients read in pages, as `runtime.client.pages` does."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import chain
from typing import Final

from rpcschema.python.arguments import Argument, arguments, declared_hints
from rpcschema.python.classes import Plan, UnionPlan

PAGING: Final = frozenset({"index", "start", "limit"})
"""The parameters that choose a page."""
_POSITION: Final = "created_index"
"""The attribute of an element that says where the next page begins."""


@dataclass(frozen=True, slots=True)
class PagedList:
    """What a command lists."""

    element: str
    """The class of an element."""
    filters: tuple[Argument, ...]
    """The arguments that do not choose a page."""


def paged_list(plan: Plan, module: str) -> PagedList | None:
    """Return what the command of `plan` lists; None if it cannot be read in pages.

    `module` is the source of its classes.
    """
    accepted = arguments(plan, module)
    if not {each.name for each in accepted} >= PAGING or isinstance(plan.response, UnionPlan):
        return None
    positioned = {each.name for each in plan.classes if _POSITION in {found.name for found in each.attributes}}
    for part in chain.from_iterable(map(ast.walk, declared_hints(module, plan.response.name).values())):
        match part:
            case ast.Subscript(value=ast.Name("list"), slice=ast.Name(element)) if element in positioned:
                return PagedList(element, tuple(each for each in accepted if each.name not in PAGING))
    return None
