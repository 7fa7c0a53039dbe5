"""An rpc-schema document as frozen values.

The dialect looks like JSON Schema and is not: descriptions are lists of lines, `msat` and `pubkey` are types, defaults
are prose, and many fields exist only inside `if/then/else`. These classes hold all of it in document order; nothing is
merged, guessed or left out. `resolve` works out what follows from it: which fields an object can hold, and when.

Source: the documents and the meta-schema of Core Lightning, doc/schemas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, final

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A JSON value as it was read. It is shared, so it must not be changed."""
DocumentKind: TypeAlias = Literal["rpc", "notification", "hook"]
KIND_NAMES: Final[Mapping[DocumentKind, str]] = {"rpc": "command", "notification": "notification", "hook": "hook"}
"""The words for the kinds."""
KIND_FOLDERS: Final[Mapping[DocumentKind, str]] = {"rpc": "", "notification": "notification/", "hook": "hook/"}
"""The folder of a file named after a document; needed because a notification or hook can have the id of a command."""
Lines: TypeAlias = tuple[str, ...]
"""Prose in Markdown, one string per line, as in the document."""
Deprecated: TypeAlias = tuple[str, ...] | str | bool
"""Releases (first that deprecates it, last that supports it); old documents have one release, or just true."""


@final
class Absent:
    """The type of ABSENT, which stands where None (JSON null) could be a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        # By name, so that `is ABSENT` also works in another process.
        return "ABSENT"


ABSENT: Final = Absent()
FACTS: Final = "urn:rpcschema:facts"
"""The `$schema` of a document that repeats only the facts of another project's, without its prose."""

META_SCHEMA: Final = "rpc-schema-draft.json"
"""The `$schema` of a document that is meant to pass Core Lightning's meta-schema ends so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The schema of a value: of a property, an array's items, a whole request or response, or one side of a
    conditional.

    Every attribute is one keyword of the dialect; None (or an empty tuple) means that the document does not give it.
    `{}`, the marker for "allowed here, declared elsewhere", is a Node with nothing but its pointer.
    """

    pointer: str
    """Its position in the document (JSON pointer)."""
    type: str | None = None
    """One of the dialect's types."""
    description: Lines | None = None
    fields: tuple[Property, ...] | None = None
    """`properties`, in document order, which is the positional order of a request."""
    required: tuple[str, ...] | None = None
    extras: bool | None = None
    """`additionalProperties`."""
    items: Node | None = None
    enum: tuple[Json, ...] | None = None
    default: Json | Absent = ABSENT
    """Prose as often as a value."""
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    added: str | None = None
    deprecated: Deprecated | None = None
    hidden: bool | None = None
    untyped: bool | None = None
    extension: bool | None = None
    """Whether Core Lightning does not have this: clients for its nodes do not offer it."""
    service_notes: Lines | None = None
    """More prose, only for the pages of a service made from the documents."""
    comment: str | None = None
    branches: tuple[Branch, ...] = ()
    """Conditionals: the node's own if/then/else first, then those of its `allOf`."""
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    unknown: tuple[tuple[str, Json], ...] = ()
    """Unknown keywords, kept as they are; each is also reported."""

    @property
    def is_marker(self) -> bool:
        """Whether this is `{}`: allowed here, declared elsewhere."""
        return self == Node(pointer=self.pointer)

    @property
    def is_constraint(self) -> bool:
        """Whether it declares no field, but only says which are present or which values they have."""
        is_bare = self.type is None and self.items is None and not self.one_of
        return is_bare and all(field.node.is_constraint for field in self.fields or ())

    @property
    def shapes(self) -> tuple[Node, ...]:
        """The alternative forms of a value, if they replace its type."""
        alternatives = (*self.one_of, *self.any_of)
        is_value = self.type is None and self.fields is None
        return alternatives if is_value and not all(each.is_constraint for each in alternatives) else ()


@dataclass(frozen=True, slots=True)
class Property:
    """A named member of an object; `name` is the wire's name."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A conditional: if `when` holds, then `then` applies, else `otherwise`."""

    pointer: str
    when: Node
    then: Node | None = None
    otherwise: Node | None = None
    in_all_of: bool = False
    """Whether it is in a list `allOf`; otherwise it is the node's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One exchange: the request's id, method and params as given, and the response."""

    pointer: str
    description: Lines | None = None
    request: Json | Absent = ABSENT
    response: Json | Absent = ABSENT
    unknown: tuple[tuple[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A top-level section of prose, e.g. `errors`, `author`, `see_also`, `usage`: its key and its lines.

    A few documents have other JSON there.
    """

    name: str
    content: Lines | Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Node):
    """`request`: the parameters (none for a notification, the payload for a hook), and rules that bind several."""

    one_of_many: tuple[tuple[str, ...], ...] | None = None
    """Groups of parameters of which at most one may be given."""
    paired_with: tuple[tuple[str, ...], ...] | None = None
    """Groups of parameters that must be given together or not at all."""
    dependent_upon: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    """(parameter, the parameters that need it)."""
    enforced: tuple[str, ...] | None = None
    """Keywords of the rules that nodes were seen to enforce; clients leave the others to the node."""

    def without_extensions(self) -> Request:
        """Return the parameters that Core Lightning has, and the rules that bind these."""
        ours = {field.name for field in self.fields or () if field.node.extension}
        if not ours:
            return self
        groups, pairs, dependent = self.one_of_many or (), self.paired_with or (), self.dependent_upon or ()
        return replace(
            self,
            fields=tuple(field for field in self.fields or () if field.name not in ours),
            one_of_many=tuple(left for names in groups if len(left := _others(names, ours)) > 1),
            paired_with=tuple(left for names in pairs if len(left := _others(names, ours)) > 1),
            dependent_upon=tuple(
                (name, left) for name, names in dependent if name not in ours and (left := _others(names, ours))
            ),
        )


def _others(names: tuple[str, ...], ours: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Node):
    """`response`: a command's result, a notification's payload, or what a hook returns."""

    pre_notes: Lines | None = None
    post_notes: Lines | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One rpc-schema document."""

    file: str
    """The path, relative to its root, with forward slashes."""
    kind: DocumentKind
    name: str
    """The id: the value of `rpc`, `notification` or `hook`; it need not be the file's name."""
    title: str
    description: Lines
    request: Request
    response: Response
    added: str | None = None
    deprecated: Deprecated | None = None
    warning: str | None = None
    extension: bool | None = None
    """Whether Core Lightning does not have this command, notification or hook."""
    service_notes: Lines | None = None
    """More prose, only for the pages of a service made from the documents."""
    categories: tuple[str, ...] | None = None
    extras: bool | None = None
    """`additionalProperties` next to `request`; it means nothing, and is kept."""
    schema: str | None = None
    """`$schema`."""
    examples: tuple[Example, ...] | None = None
    sections: tuple[Section, ...] = ()
    """All other top-level keys, in document order."""
    keys: tuple[str, ...] = ()
    """All top-level keys in document order."""

    @property
    def is_facts(self) -> bool:
        """Whether it holds only facts: a full document of the same kind and id takes its place, and no page is made
        of it.
        """
        return self.schema == FACTS

    @property
    def is_upstream(self) -> bool:
        """Whether it names Core Lightning's meta-schema, as that project's own documents do."""
        return self.schema is not None and self.schema.endswith(META_SCHEMA)

    def section(self, name: str) -> Lines:
        """Return the lines of the section `name`, or ()."""
        for section in self.sections:
            if section.name == name and isinstance(section.content, tuple):
                return tuple(line for line in section.content if isinstance(line, str))
        return ()
