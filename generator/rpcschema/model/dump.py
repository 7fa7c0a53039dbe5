"""The model as JSON: everything that the document says, in the structure that the generator works with.

`schema.json` is its JSON Schema. A dump is one object. `format` is 1 and comes first; it changes when readers have to
change. The other members have the names of the attributes in `nodes`, with these rules:

- What the document does not give is left out; `[]`, `{}`, `false` and `null` appear only where the document has them.
- `fields` and `sections` are lists, because their order matters; each entry has its `name`. The entry of a field also
  has the members of its node.
- `unknown` and `dependent_upon` are objects.
- `file` and `pointer` are left out: `file` is no fact of the document, and `pointer` follows from the node's position.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Final

from rpcschema.model.nodes import Document, Property, SchemaNode

FORMAT: Final = 1
_LEFT_OUT: Final = frozenset({"file", "pointer"})
_AS_OBJECT: Final = frozenset({"unknown", "dependent_upon"})


def dump(document: Document) -> bytes:
    """Return the JSON text of `document`: UTF-8, indented by two spaces, with a final newline."""
    value = {"format": FORMAT, **_members(document)}
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def dump_node(node: SchemaNode) -> dict[str, Any]:
    """Return the members of one node: equal for two nodes that say the same in different places."""
    return _members(node)


def _members(holder: Any) -> dict[str, Any]:
    members = {}
    for attribute in fields(holder):
        value = getattr(holder, attribute.name)
        if attribute.name not in _LEFT_OUT and value != attribute.default:
            members[attribute.name] = dict(value) if attribute.name in _AS_OBJECT else _value(value)
    return members


def _value(value: Any) -> Any:
    if isinstance(value, Property):
        return {"name": value.name, **_members(value.node)}
    if is_dataclass(value):
        return _members(value)
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    return value
