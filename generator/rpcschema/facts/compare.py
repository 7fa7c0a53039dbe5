"""Describe what changed in a document between two releases.

It compares what the generated types show: each field with all its conditionals resolved (see `model.resolve`). A
conditional that is only written in another way changes no field.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from rpcschema.model.nodes import Document, SchemaNode
from rpcschema.model.resolve import ResolvedField, resolve
from rpcschema.text.prose import unescaped
from rpcschema.text.words import conjunction_words, limit_words, release_words, rule_words, type_words

_Trait: TypeAlias = Mapping[Hashable, str]
"""What is compared, and the words for it; several, because a field can be declared several times."""
_Traits: TypeAlias = dict[str, dict[Hashable, str]]
_SEVERAL: Final = frozenset({"values", "conditions", "releases", "categories", "rules", "errors"})
"""Traits with several values at once, of which only the added and removed ones are reported."""


def changes(old: Document, new: Document) -> Iterator[str]:
    """Yield a line for each difference: "+ " for an added field, "- " for a removed one, "~ " for a changed one."""
    before, after = _fields(old), _fields(new)
    for path in dict.fromkeys((*before, *after)):
        if path in before and path in after:
            yield from (f"~ {path}: {change}" for change in _changed(before[path], after[path]))
        elif path.endswith("[]"):
            continue  # the type of the array names them
        elif path in before:
            yield f"- {path}"
        else:
            yield f"+ {path}: {', '.join(_described(after[path]))}"
    order = new.request.positional
    if order != old.request.positional:
        yield f"~ parameters by position: {' '.join(order) or 'none'}"


def _described(traits: _Traits) -> Iterator[str]:
    for trait, found in traits.items():
        if any(found.values()):
            yield f"values {' '.join(found.values())}" if trait == "values" else _either(found)


def _changed(old: _Traits, new: _Traits) -> Iterator[str]:
    for trait in dict.fromkeys((*old, *new)):
        before, after = old.get(trait, {}), new.get(trait, {})
        if trait not in _SEVERAL:
            if before.keys() != after.keys():
                yield f"{trait} {_either(before)} -> {_either(after)}"
            continue
        added = [f"+({text})" for key, text in after.items() if key not in before]
        removed = [f"-({text})" for key, text in before.items() if key not in after]
        if added or removed:
            yield " ".join([trait, *added, *removed])


def _either(trait: _Trait) -> str:
    return " or ".join(filter(None, trait.values())) or "none"


def _fields(document: Document) -> dict[str, _Traits]:
    """Return every field by its path, e.g. `response.peers[].id`; "document" stands for the document itself."""
    found: dict[str, _Traits] = {"document": {}, "request": {}, "response": {}}
    releases = _plain(release_words(document.added, document.deprecated))
    _note(found["document"], {"releases": releases, "categories": _same(document.categories or ())})
    _note(found["document"], {"errors": _same(map(str, document.error_codes))})
    _note(found["request"], {"rules": _plain(rule_words(document.request))})
    for half, node in (("request", document.request), ("response", document.response)):
        _note(found[half], {trait: texts for trait, texts in _value_traits([node]).items() if trait != "type"})
        _collect(half, [node], found)
    return found


def _collect(path: str, nodes: Sequence[SchemaNode], found: dict[str, _Traits]) -> None:
    for node in nodes:
        shape = resolve(node)
        for member in (*shape.fields, *shape.hidden):
            inner = f"{path}.{member.name}"
            _note(found.setdefault(inner, {}), _traits(member))
            _collect(inner, member.alternatives, found)
        for form in node.forms:
            if form.items is not None:
                _note(found.setdefault(f"{path}[]", {}), _value_traits([form.items]))
                _collect(f"{path}[]", [form.items], found)


def _note(traits: _Traits, found: Mapping[str, _Trait]) -> None:
    for trait, words in found.items():
        traits.setdefault(trait, {}).update(words)


def _traits(member: ResolvedField) -> dict[str, _Trait]:
    presence = _same(["required" if member.required else "optional"])
    conditions: _Trait = {each: conjunction_words(each) for each in member.conditions}
    return {**_value_traits(member.alternatives), "presence": presence, "conditions": conditions}


def _value_traits(nodes: Sequence[SchemaNode]) -> dict[str, _Trait]:
    forms = [form for node in nodes for form in node.forms]
    return {
        "type": _plain(map(type_words, nodes)),
        "values": _same(json.dumps(value, ensure_ascii=False) for form in forms for value in form.enum or ()),
        "limits": _plain(filter(None, (limit_words(replace(form, enum=None)) for form in forms))),
        "releases": _plain(text for form in forms for text in release_words(form.added, form.deprecated)),
        "hidden": _same("hidden" for form in forms if form.hidden),
        "extras": _same("other fields allowed" for form in forms if resolve(form).extras),
    }


def _plain(texts: Iterable[str]) -> _Trait:
    """Return words that pages have, without their escapes and full stops."""
    return _same(unescaped(text).rstrip(".") for text in texts)


def _same(texts: Iterable[str]) -> _Trait:
    """Return words that are compared themselves."""
    return {text: text for text in texts}
