"""The fields, elements and forms of a value, as nested items of a page.

A field is an item, and its content (an object's fields, an array's elements, the forms of a value) are the items below
it. Fields that exist only under a condition follow the others, below a sentence that states it. Hidden fields, `{}`
markers for what is declared elsewhere, and comments for the documents' authors are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rpcschema.model.conditions import condition
from rpcschema.model.nodes import Branch, Document, Lines, Property, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.text import words
from rpcschema.text.prose import code
from rpcschema.text.words import condition_words


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a page: prose, or something with a name and a description, with nested items."""

    head: str = ""
    """One line of Markdown: a name and its type; "" for prose."""
    prose: Lines = ()
    items: tuple[Item, ...] = ()


def contents(node: SchemaNode, *, says_required: bool) -> Iterator[Item]:
    """Yield the content of a value of `node`: fields, elements, forms, then what depends on conditions.

    `says_required` is for values that the reader writes: it marks the required fields, otherwise the optional ones are
    marked.
    """
    yield from _members(node, says_required=says_required)
    undeclared = resolve(node).undeclared
    if undeclared:
        yield Item(prose=(words.presence_words(undeclared, says_required=says_required),))


def extras(node: SchemaNode, things: str, *, says_required: bool) -> Iterator[Item]:
    """Yield a sentence if a value of `node` can hold more `things` ("fields" or "parameters") than it declares."""
    resolved = resolve(node)
    if resolved.extras:
        others = bool(resolved.fields or resolved.undeclared)
        yield Item(prose=(words.extras_words(things, others=others, says_required=says_required),))


def description(node: SchemaNode) -> Iterator[Item]:
    """Yield what the document says about `node` itself."""
    if node.description:
        yield Item(prose=node.description)
    yield from notes(node)


def notes(node: SchemaNode | Document) -> Iterator[Item]:
    """Yield what the document adds for the pages of a service."""
    if node.service_notes:
        yield Item(prose=node.service_notes)


def _members(node: SchemaNode, *, says_required: bool, present: frozenset[str] = frozenset()) -> Iterator[Item]:
    """Yield the content of any node, including one side of a conditional; `present` are fields known to be present."""
    present = present.union(node.required or ())
    for field in shown(node):
        yield _field(field, says_required=says_required, is_required=field.name in present)
    if node.items is not None:
        yield from _elements(node.items, says_required=says_required)
    for shape in node.shapes:
        item = _item(f"*{words.head_words(shape) or 'value'}*", shape, says_required=says_required)
        if item.prose or item.items:
            yield item
    yield from _alternatives(node, says_required=says_required, present=present)
    for branch in node.branches:
        yield from _branch(branch, "If", says_required=says_required, present=present)


def _field(field: Property, *, says_required: bool, is_required: bool) -> Item:
    presence = ("required" if says_required else None) if is_required else "optional"
    head = _head(code(field.name), words.head_words(field.node, presence))
    return _item(head, field.node, says_required=says_required)


def _elements(element: SchemaNode, *, says_required: bool) -> Iterator[Item]:
    """Yield the elements of an array, as an item only if there is more to say than the array's type does."""
    item = _item(_head("*each element*", words.head_words(element)), element, says_required=says_required)
    yield from [item] if item.prose else item.items


def _alternatives(node: SchemaNode, *, says_required: bool, present: frozenset[str]) -> Iterator[Item]:
    """Yield `oneOf` and `anyOf` of an object: constraints on its fields, or further fields."""
    if node.shapes:
        return
    for alternatives, exactly in ((node.one_of, True), (node.any_of, False)):
        if alternatives and all(form.is_constraint and not form.description for form in alternatives):
            yield Item(prose=(words.alternative_words(alternatives, exactly=exactly),))
            continue
        for at, form in enumerate(alternatives, 1):
            title = f"Form {at} of {len(alternatives)}"
            added = tuple(_side(form, title, says_required=says_required, present=present))
            yield from added or [Item(prose=(f"{title}: no other fields.",))]


def _branch(branch: Branch, start: str, *, says_required: bool, present: frozenset[str]) -> Iterator[Item]:
    yield from description(branch.when)
    holds, fails = (condition_words(condition(branch.when, negated=negated)) for negated in (False, True))
    then = tuple(_side(branch.then, f"{start} {holds}", says_required=says_required, present=present))
    yield from then
    otherwise = branch.otherwise
    opposite = "Otherwise" if then else f"{start} {fails}"
    if otherwise is not None and otherwise == SchemaNode(pointer=otherwise.pointer, branches=otherwise.branches):
        for inner in otherwise.branches:
            yield from _branch(
                inner, f"{opposite}, {'if' if then else 'and'}", says_required=says_required, present=present
            )
    else:
        yield from _side(otherwise, opposite, says_required=says_required, present=present)


def _side(side: SchemaNode | None, condition: str, *, says_required: bool, present: frozenset[str]) -> Iterator[Item]:
    """Yield what one side of a conditional, or one form, adds: fields, and the presence of others."""
    if side is None:
        return
    declared = {field.name for field in side.fields or () if not field.node.is_marker}
    promised = tuple(name for name in side.required or () if name not in declared and name not in present)
    promise = words.presence_words(promised, says_required=says_required) if promised else ""
    items = (*description(side), *_members(side, says_required=says_required, present=present))
    if promise or items:
        yield Item(prose=(f"{condition}: {promise}",), items=items)


def shown(node: SchemaNode) -> tuple[Property, ...]:
    """Return the fields that `node` declares for readers."""
    return tuple(field for field in node.fields or () if not field.node.hidden and not field.node.is_marker)


def _head(name: str, facts: str) -> str:
    return f"{name} ({facts})" if facts else name


def _item(head: str, node: SchemaNode, *, says_required: bool) -> Item:
    """Return `node` under a name: its description and notes, its limits, and its content."""
    limits = words.limit_words(node)
    inside = (
        *notes(node),
        *contents(node, says_required=says_required),
        *extras(node, "fields", says_required=says_required),
    )
    if not node.description:
        return Item(head, (limits,) if limits else (), inside)
    return Item(head, node.description, (Item(prose=(limits,)), *inside) if limits else inside)
