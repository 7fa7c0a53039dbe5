"""Checks of `added` and `deprecated`, and of what prose says about releases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rpcschema.diff.fields import flattened, parent
from rpcschema.lint.around import Around, Earlier, halves, is_expired, is_release
from rpcschema.lint.names import prose
from rpcschema.lint.rules import Broken
from rpcschema.model.nodes import KIND_NAMES, Deprecated, Document, SchemaNode
from rpcschema.model.releases import order
from rpcschema.model.walk import nodes, parts
from rpcschema.problems import join_pointer, quoted

_RELEASE: Final = r"\W*(v\d\d\.\d\d?)\b"
_WHEN: Final = r"\b(?:after|from|in|by|with)"
_PROMISE: Final = re.compile(
    rf"{_WHEN}{_RELEASE}[^.,;()]*\bwill\b|\b(?:will|scheduled|to be)\b[^.;()]*?{_WHEN}{_RELEASE}", re.IGNORECASE
)
_IN_MARKS: Final = re.compile(r"(?<![\w*`])(?:\*\*|\*|`)([A-Za-z][\w-]*[_-][\w-]*)(?:\*\*|\*|`)(?![\w*`])")


def names(document: Document, around: Around) -> Iterator[Broken]:
    """Yield releases that cannot be ordered, windows that are not complete, in the wrong order, or over."""
    yield from _names("", document.added, document.deprecated, document.added, around)
    for half in halves(document):
        yield from _below(half, document.added, around)


def _below(node: SchemaNode, since: str | None, around: Around) -> Iterator[Broken]:
    """Check the fields below `node`, which was added in `since`."""
    for part in parts(node):
        for member in part.fields or ():
            inner = member.node
            yield from _names(inner.pointer, inner.added, inner.deprecated, inner.added or since, around)
            is_older = inner.added is not None and since is not None and order(inner.added) < order(since)
            if is_older and is_release(inner.added or "") and is_release(since or ""):
                message = f"added in {inner.added}, in what was added in {since}"
                yield Broken("added-before-parent", join_pointer(inner.pointer, "added"), message)
            yield from _below(inner, inner.added or since, around)
        for form in part.shapes:
            yield from _below(form, since, around)
    if node.items is not None:
        yield from _below(node.items, node.items.added or since, around)


def _names(
    pointer: str, added: str | None, deprecated: Deprecated | None, since: str | None, around: Around
) -> Iterator[Broken]:
    listed = deprecated if isinstance(deprecated, tuple) else (deprecated,) if isinstance(deprecated, str) else ()
    for key, given in (("added", (added,) if added is not None else ()), ("deprecated", listed)):
        if wrong := [each for each in given if not is_release(each)]:
            yield Broken("release-malformed", join_pointer(pointer, key), f"{quoted(wrong[0])} names no release")
            return
    place = join_pointer(pointer, "deprecated")
    if deprecated and len(listed) < 2:
        yield Broken("deprecated-incomplete", place, "without the last release that supports it")
    elif listed and order(listed[1]) < order(listed[0]):
        yield Broken("deprecated-order", place, f"{listed[1]} was released before {listed[0]}")
    if listed and since is not None and is_release(since) and order(listed[0]) < order(since):
        yield Broken("deprecated-order", place, f"deprecated in {listed[0]}, and added in {since}")
    if is_expired(deprecated, around.newest):
        message = f"supported until {listed[1]}, and the documents are of {around.newest}"
        yield Broken("deprecated-expired", place, message)


def since_an_earlier_release(document: Document, around: Around) -> Iterator[Broken]:
    """Yield fields that are new since the earlier release, and `added` that contradicts it."""
    if around.earlier is None:
        return
    base, key = around.earlier, (document.kind, document.name)
    if key not in base.fields:
        yield from _new("", document.added, base, f"the {KIND_NAMES[document.kind]}")
        return
    yield from _old("", document.added, base, f"the {KIND_NAMES[document.kind]}")
    before = base.fields[key]
    for path, field in flattened(document).items():
        outer = parent(path)
        node = _node_at(document, path)
        if field.hidden or node is None:
            continue
        if path in before:
            yield from _old(node.pointer, node.added, base, path)
        elif (outer in before or outer in {"request", "response"}) and not path.endswith("[]"):
            yield from _new(node.pointer, node.added, base, path)


def _new(pointer: str, added: str | None, base: Earlier, what: str) -> Iterator[Broken]:
    release = base.release or "the earlier release"
    if added is None:
        yield Broken("added-missing", pointer, f"{what} is not in {release}, and has no `added`")
    elif base.release is not None and is_release(added) and order(added) <= order(base.release):
        message = f"added in {added}, but the documents of {release} do not have it"
        yield Broken("added-wrong", join_pointer(pointer, "added"), message)


def _old(pointer: str, added: str | None, base: Earlier, what: str) -> Iterator[Broken]:
    if added is None or base.release is None or not is_release(added):
        return
    if order(added) > order(base.release):
        message = f"added in {added}, but the documents of {base.release} have {what}"
        yield Broken("added-wrong", join_pointer(pointer, "added"), message)


def _node_at(document: Document, path: str) -> SchemaNode | None:
    """Return the first declaration at a path of `flattened`: one with `added`, if there is any."""
    half, *steps = path.replace("[]", ".[]").split(".")
    found: list[SchemaNode] = [getattr(document, half)]
    for step in steps:
        inner = [form for node in found for form in node.forms]
        if step == "[]":
            found = [part.items for node in inner for part in parts(node) if part.items is not None]
        else:
            found = [m.node for node in inner for part in parts(node) for m in part.fields or () if m.name == step]
    declared = [node for node in found if not node.is_constraint] or found
    return next((node for node in declared if node.added is not None), declared[0] if declared else None)


def in_prose(document: Document, around: Around) -> Iterator[Broken]:
    """Yield deprecations that only the prose has, overdue promises, and mentions of what should be gone."""
    if document.is_facts:
        return
    for at, line in enumerate(document.description):
        if not document.deprecated and _says_deprecated(line, document.name):
            message = "the description calls it deprecated; add `deprecated` with two releases"
            yield Broken("deprecated-in-prose", join_pointer("/description", at), message)
    for half in halves(document):
        yield from _described(half, is_deprecated=bool(document.deprecated))
    if around.newest is not None:
        for pointer, line in prose(document):
            yield from _promises(pointer, line, around.newest)
    for pointer, line in prose(document):
        gone = [name for name in _IN_MARKS.findall(line) if name in around.expired]
        if gone and not _is_expired_place(document, pointer, around):
            yield Broken("mentions-expired", pointer, f"mentions {quoted(gone[0])}, whose last release has passed")


def _described(node: SchemaNode, *, is_deprecated: bool) -> Iterator[Broken]:
    """Check the fields below `node`; what holds them is deprecated or not."""
    for each in nodes(node):
        for member in each.fields or ():
            for at, line in enumerate(member.node.description or ()):
                if not is_deprecated and not member.node.deprecated and _says_deprecated(line, member.name):
                    pointer = join_pointer(member.node.pointer, "description", at)
                    message = f"the description calls {quoted(member.name)} deprecated; add `deprecated`"
                    yield Broken("deprecated-in-prose", pointer, message)


def _says_deprecated(line: str, name: str) -> bool:
    """Return whether the line says of the thing itself, not of one of its values, that it is deprecated."""
    marked = rf"[*`]*{re.escape(name)}[*`]*"
    subject = rf"(?:{marked}|this (?:field|parameter|option|command|notification|hook))"
    start = r"^(?:(?:note|warning):? *)?\W*(?:deprecated|obsolete)\b(?! (?:value|synonym|apis?)\b)"
    patterns = (
        start,
        rf"\b{subject} (?:is|has been) (?:now |also )?(?:deprecated|obsolete)\b",
        rf"^{subject} \(deprecated",
    )
    return any(re.search(pattern, line, re.IGNORECASE) for pattern in patterns)


def _promises(pointer: str, line: str, newest: str) -> Iterator[Broken]:
    for match in _PROMISE.finditer(line):
        named = match[1] or match[2]
        if order(named) < order(newest):
            yield Broken("promise-overdue", pointer, f"{named} has passed: the documents are of {newest}")


def _is_expired_place(document: Document, pointer: str, around: Around) -> bool:
    """Return whether the prose describes something that should be gone itself."""
    return any(
        pointer.startswith(f"{node.pointer}/") and is_expired(node.deprecated, around.newest)
        for half in halves(document)
        for node in nodes(half)
    )


CHECKS: Final = (names, since_an_earlier_release, in_prose)
