"""An rpc-schema document as frozen values.

The dialect resembles JSON Schema but differs from it: descriptions are lists of lines, `msat` and `pubkey` are types,
defaults are prose, and many fields exist only inside `if/then/else`. These classes contain everything in a document, in
its order; nothing is merged, guessed or omitted. `resolve` then computes which fields an object can have, and when.

Source: the documents and the meta-schema of Core Lightning, doc/schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, final

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A JSON value as it was read. Several objects refer to it, so do not change it."""
DocumentKind: TypeAlias = Literal["rpc", "notification", "hook"]
KIND_NAMES: Final[Mapping[DocumentKind, str]] = {"rpc": "command", "notification": "notification", "hook": "hook"}
"""The name of each kind in prose."""
KIND_FOLDERS: Final[Mapping[DocumentKind, str]] = {"rpc": "", "notification": "notification/", "hook": "hook/"}
"""The folder for output files named after a document: a notification or hook can have the same id as a command."""
Lines: TypeAlias = tuple[str, ...]
"""Prose in Markdown, one string per line, as in the document."""
Deprecated: TypeAlias = tuple[str, ...] | str | bool
"""The first release that deprecates it and the last that supports it; older documents have only the first, or true."""


@final
class Absent:
    """The type of ABSENT, the default where None (JSON null) can be a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        # By name, so that `is ABSENT` also works in another process.
        return "ABSENT"


ABSENT: Final = Absent()
FACTS: Final = "urn:rpcschema:facts"
"""The `$schema` of a document of facts: the names, types and rules of another project's document, without its prose."""

ERROR_LINE: Final = re.compile(r"[-*] (-?\d+)(?: \([A-Z0-9_]+\))?(?:: (.+))?")
"""A line of the section `errors` for one code: the code, perhaps its name in brackets, and what it means."""

META_SCHEMA: Final = "rpc-schema-draft.json"
"""The end of the `$schema` of documents that should conform to Core Lightning's meta-schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaNode:
    """The schema of a property, of the items of an array, of a request or response, or of one side of a conditional.

    Every attribute is a keyword of the dialect; None (or an empty tuple) means that the document does not have it.
    `{}`, the marker for "allowed here, declared elsewhere", is a SchemaNode with nothing but its pointer.
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
    items: SchemaNode | None = None
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
    """Whether pages omit it."""
    untyped: bool | None = None
    """Whether the document leaves out the type on purpose, because any value is allowed."""
    extension: bool | None = None
    """Whether only our service has this, not Core Lightning; clients for its nodes omit it."""
    service_notes: Lines | None = None
    """More prose, only for the pages of a service made from the documents."""
    comment: str | None = None
    branches: tuple[Branch, ...] = ()
    """Conditionals: the node's own if/then/else first, then those of its `allOf`."""
    any_of: tuple[SchemaNode, ...] = ()
    one_of: tuple[SchemaNode, ...] = ()
    unknown: tuple[tuple[str, Json], ...] = ()
    """Unknown keywords, kept as they are; each is also reported."""

    @property
    def is_marker(self) -> bool:
        """Whether this is `{}`: allowed here, declared elsewhere."""
        return self == SchemaNode(pointer=self.pointer)

    @property
    def is_constraint(self) -> bool:
        """Whether it declares no field, but only restricts which fields are present or which values they have."""
        is_bare = self.type is None and self.items is None and not self.one_of
        return is_bare and all(field.node.is_constraint for field in self.fields or ())

    @property
    def shapes(self) -> tuple[SchemaNode, ...]:
        """The alternative forms of a value, if they replace its type."""
        alternatives = (*self.one_of, *self.any_of)
        is_value = self.type is None and self.fields is None
        return alternatives if is_value and not all(each.is_constraint for each in alternatives) else ()

    @property
    def forms(self) -> Iterator[SchemaNode]:
        """This node, its alternative forms, and theirs."""
        yield self
        for shape in self.shapes:
            yield from shape.forms


@dataclass(frozen=True, slots=True)
class Property:
    """A named member of an object; `name` is its name in JSON."""

    name: str
    node: SchemaNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A conditional: if `when` holds, then `then` applies, else `otherwise`."""

    pointer: str
    when: SchemaNode
    then: SchemaNode | None = None
    otherwise: SchemaNode | None = None
    in_all_of: bool = False
    """Whether it is in the node's list `allOf`, rather than directly in the node."""


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
class Request(SchemaNode):
    """`request`: the parameters (none for a notification, the payload for a hook), and rules about several of them."""

    one_of_many: tuple[tuple[str, ...], ...] | None = None
    """Groups of parameters of which at most one may be given."""
    paired_with: tuple[tuple[str, ...], ...] | None = None
    """Groups of parameters that must be given together or not at all."""
    dependent_upon: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    """Pairs of a parameter and the parameters that can only be given together with it."""
    enforced: tuple[str, ...] | None = None
    """The keywords of the rules that nodes enforce. Clients check only these before they send a request."""

    @property
    def positional(self) -> tuple[str, ...]:
        """The parameters that Core Lightning has, in their order by position."""
        return tuple(field.name for field in self.fields or () if not field.node.extension)

    def without_extensions(self) -> Request:
        """Return the request without extensions: the parameters that Core Lightning has, and the rules about them."""
        extensions = {field.name for field in self.fields or () if field.node.extension}
        if not extensions:
            return self
        groups, pairs, dependent = self.one_of_many or (), self.paired_with or (), self.dependent_upon or ()
        return replace(
            self,
            fields=tuple(field for field in self.fields or () if field.name not in extensions),
            one_of_many=tuple(kept for names in groups if len(kept := _others(names, extensions)) > 1),
            paired_with=tuple(kept for names in pairs if len(kept := _others(names, extensions)) > 1),
            dependent_upon=tuple(
                (name, kept)
                for name, names in dependent
                if name not in extensions and (kept := _others(names, extensions))
            ),
        )


def _others(names: tuple[str, ...], extensions: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(SchemaNode):
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
    """`additionalProperties` next to `request`, where it has no meaning."""
    schema: str | None = None
    """`$schema`."""
    examples: tuple[Example, ...] | None = None
    sections: tuple[Section, ...] = ()
    """All other top-level keys, in document order."""
    keys: tuple[str, ...] = ()
    """All top-level keys in document order."""

    @property
    def is_facts(self) -> bool:
        """Whether it contains only facts (see FACTS).

        No page is made of it, and a full document of the same kind and id replaces it.
        """
        return self.schema == FACTS

    @property
    def is_upstream(self) -> bool:
        """Whether it names Core Lightning's meta-schema, as that project's own documents do."""
        return self.schema is not None and self.schema.endswith(META_SCHEMA)

    @property
    def error_codes(self) -> tuple[int, ...]:
        """The codes that the section `errors` lists."""
        matches = map(ERROR_LINE.fullmatch, self.section("errors"))
        return tuple(dict.fromkeys(int(match[1]) for match in matches if match))

    def section(self, name: str) -> Lines:
        """Return the lines of the section `name`, or ()."""
        for section in self.sections:
            if section.name == name and isinstance(section.content, tuple):
                return tuple(line for line in section.content if isinstance(line, str))
        return ()
