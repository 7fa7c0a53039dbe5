"""What `conform` finds: facts in which a document and a node disagree, and notes about what a document leaves open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a finding is about. The order is that of reports."""

    PARAMETER_UNKNOWN = "parameter-unknown"
    PARAMETER_UNDOCUMENTED = "parameter-undocumented"
    PARAMETER_UNLISTED = "parameter-unlisted"
    PARAMETER_PRESENCE = "parameter-presence"
    PARAMETER_ORDER = "parameter-order"
    PARAMETER_TYPE = "parameter-type"
    RULE = "rule"
    FIELD_MISSING = "field-missing"
    FIELD_UNKNOWN = "field-unknown"
    FIELD_CONDITION = "field-condition"
    FIELD_TYPE = "field-type"
    FIELD_ENUM = "field-enum"
    FIELD_LENGTH = "field-length"
    ERROR_CODE = "error-code"
    COMMAND_MISSING = "command-missing"
    FIELD_OPEN = "field-open"
    FIELD_UNDECLARED = "field-undeclared"
    COMMAND_UNDOCUMENTED = "command-undocumented"

    @property
    def is_about_existence(self) -> bool:
        """Whether it is only that one side lacks a command, which depends on the node's plugins."""
        return self in (Kind.COMMAND_MISSING, Kind.COMMAND_UNDOCUMENTED)

    @property
    def is_note(self) -> bool:
        """Whether it contradicts no document: the node only does what the documents allow without describing it."""
        return self in (Kind.FIELD_OPEN, Kind.FIELD_UNDECLARED, Kind.COMMAND_UNDOCUMENTED)

    @property
    def meaning(self) -> str:
        """A title for findings of this kind."""
        return _MEANINGS[self]


_MEANINGS = {
    Kind.PARAMETER_UNKNOWN: "Parameters that the node does not take",
    Kind.PARAMETER_UNDOCUMENTED: "Parameters that no document has",
    Kind.PARAMETER_UNLISTED: "Parameters that the node takes, but `help` does not show",
    Kind.PARAMETER_PRESENCE: "Parameters that are required on one side only",
    Kind.PARAMETER_ORDER: "Parameters in another order",
    Kind.PARAMETER_TYPE: "Parameters that take other types",
    Kind.RULE: "Rules about several parameters that the node does not enforce",
    Kind.FIELD_MISSING: "Fields that are required, and missing",
    Kind.FIELD_UNKNOWN: "Fields that no document has",
    Kind.FIELD_CONDITION: "Fields that a document has, but not in this case",
    Kind.FIELD_TYPE: "Fields of another type",
    Kind.FIELD_ENUM: "Fields with a value that is not in their enum",
    Kind.FIELD_LENGTH: "Fields that are too long or too short",
    Kind.ERROR_CODE: "Error codes that a document does not list",
    Kind.COMMAND_MISSING: "Commands that the node does not have; a plugin may be missing",
    Kind.FIELD_OPEN: "Note: fields that a document does not have, where it allows any",
    Kind.FIELD_UNDECLARED: "Note: fields that a document only allows, without a declaration",
    Kind.COMMAND_UNDOCUMENTED: "Note: commands that no document describes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement, or a note.

    Attributes:
        kind: what it is about.
        subject: the command, or "notification NAME" or "hook NAME".
        where: the place within its document's data, such as `request.quantity` or `response.peers[].id`.
        document: what the document says.
        node: what the node does.
    """

    kind: Kind
    subject: str
    where: str
    document: str
    node: str

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        """The order of reports: by kind, then by name."""
        return list(Kind).index(self.kind), self.subject, self.where, self.node

    def to_json(self) -> dict[str, str]:
        """Return it as a JSON object."""
        return asdict(self)
