"""The rules of `rpcschema lint`: their names, what they mean, and how bad it is to break one.

Your own documents are checked more strictly than those of Core Lightning, which whoever has only copies cannot mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

Profile: TypeAlias = Literal["own", "upstream"]
LevelName: TypeAlias = Literal["off", "note", "warning", "error"]
LEVELS: Final[tuple[LevelName, ...]] = ("off", "note", "warning", "error")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for."""

    name: str
    about: str
    """What is wrong, and what to do: sentences for the docs."""
    own: LevelName
    """The level in your own documents."""
    upstream: LevelName
    """The level in Core Lightning's documents, and in documents of facts."""

    def level(self, profile: Profile) -> LevelName:
        """Return how bad it is in documents of a profile."""
        return self.own if profile == "own" else self.upstream


class Broken(NamedTuple):
    """A place where a rule is broken."""

    rule: str
    pointer: str
    message: str


_DOCUMENTS: Final = (
    Rule(
        "invalid-document",
        "The file is no document: it is not JSON, breaks the [format](document-format.md), or describes what another"
        " file describes. `generate` refuses it.",
        "error",
        "error",
    ),
    Rule("unknown-keyword", "The format has no such key, so it has no effect. Is it misspelt?", "warning", "note"),
    Rule(
        "refused-by-meta-schema",
        "The document names Core Lightning's meta-schema in `$schema`, which refuses this.",
        "warning",
        "note",
    ),
    Rule(
        "required-extension",
        "An extension is required, though callers and nodes that know only Core Lightning do not have it.",
        "error",
        "error",
    ),
    Rule(
        "contradicted-by-node",
        "The table of corrections says that a running node differs from the document here, and how.",
        "note",
        "note",
    ),
)
_NAMES: Final = (
    Rule("required-undeclared", "`required` lists a field that is not among the properties.", "error", "warning"),
    Rule(
        "dangling-marker",
        "The empty schema `{}` allows a field that no part of the object declares. Declare it, or remove the marker.",
        "error",
        "warning",
    ),
    Rule(
        "marker-of-other-case",
        "The empty schema `{}` allows a field that is declared only for other values of the field that says what the"
        " object is. Remove the marker.",
        "warning",
        "note",
    ),
    Rule("condition-undeclared", "A condition tests a field that the object does not have.", "error", "warning"),
    Rule(
        "condition-impossible",
        "A condition tests a field for a value that is not in the field's `enum`.",
        "error",
        "warning",
    ),
    Rule("rule-undeclared", "A rule such as `oneOfMany` names what is no parameter.", "error", "warning"),
    Rule(
        "unknown-page",
        "The prose refers to a page `lightning-NAME(7)`, and no document describes a command of this name. Your own"
        " documents may also refer to Core Lightning's commands.",
        "warning",
        "warning",
    ),
    Rule("unknown-error", "The error table that pyproject.toml names does not have this code.", "warning", "warning"),
    Rule("repeated-error", "`errors` has two lines for one code. Join them.", "warning", "note"),
)
_RELEASES: Final = (
    Rule(
        "release-malformed", "Not the name of a release, such as `v26.09`, so it cannot be ordered.", "error", "warning"
    ),
    Rule(
        "added-missing",
        "New since the release that `--since` names, without `added`: nobody can see that older nodes lack it.",
        "error",
        "warning",
    ),
    Rule(
        "added-wrong",
        "`added` contradicts the release that `--since` names: that has it already, or does not have it yet.",
        "error",
        "warning",
    ),
    Rule("added-before-parent", "`added` is older than what holds the field. Is one of them wrong?", "warning", "note"),
    Rule(
        "deprecated-incomplete",
        "`deprecated` does not name the last release that supports it, so nobody knows when it will go.",
        "warning",
        "note",
    ),
    Rule(
        "deprecated-order",
        "The last release that supports it is not after the one that deprecated it, or that added it.",
        "error",
        "warning",
    ),
    Rule(
        "deprecated-expired",
        "The last release that was to support it has passed. Remove it, or name a later release.",
        "warning",
        "warning",
    ),
    Rule(
        "deprecated-in-prose",
        "The description calls it deprecated, without `deprecated`: pages, clients and `rpcschema diff` do not know.",
        "error",
        "warning",
    ),
    Rule("promise-overdue", "The prose says what will happen in a release that has passed.", "warning", "warning"),
    Rule(
        "mentions-expired",
        "The prose mentions something whose last supported release has passed.",
        "warning",
        "note",
    ),
)
_VALUES: Final = (
    Rule(
        "missing-type",
        "The field has no type, and not `untyped`: anything would be accepted. Say which of the two is meant.",
        "error",
        "warning",
    ),
    Rule("missing-items", "An array without `items`, so nobody knows what its elements are.", "note", "note"),
    Rule("amount-type", "The name ends in `_msat`, and the type is none for amounts.", "warning", "warning"),
    Rule("enum-type", "A member of `enum` is no value of the field's type.", "error", "warning"),
    Rule("enum-repeated", "`enum` lists a value twice.", "error", "warning"),
    Rule("default-type", "The default is a value, but not one of the field's type.", "error", "warning"),
    Rule(
        "default-in-prose",
        "The default is text that is no value of the field's type, so it has no effect. Write a value, or move the text"
        " to the description.",
        "warning",
        "note",
    ),
    Rule("default-required", "A required parameter has a default, which is never used.", "warning", "note"),
    Rule(
        "late-parameter",
        "A required parameter follows an optional one: callers by position must pass `null` for that.",
        "error",
        "warning",
    ),
)
_EXAMPLES: Final = (
    Rule("missing-example", "A command without an example.", "note", "off"),
    Rule("example-method", "The example calls another command.", "error", "warning"),
    Rule("example-request", "The example's parameters are not what the document accepts.", "error", "note"),
    Rule("example-response", "The example's response is not what the document declares.", "error", "note"),
)
_PROSE: Final = (
    Rule("missing-description", "A field without a description, or with an empty one.", "warning", "note"),
    Rule(
        "command-line-parameter",
        "A command line in the prose gives a parameter that the request does not declare.",
        "error",
        "warning",
    ),
)
RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule for group in (_DOCUMENTS, _NAMES, _RELEASES, _VALUES, _EXAMPLES, _PROSE) for rule in group
}
"""All rules by name."""
