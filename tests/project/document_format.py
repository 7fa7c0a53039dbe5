"""The reference for authors of documents, written from the dialect and from the documents of a test case:
`python -m tests.project.document_format` writes it into its page.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rpcschema.model.build import build
from rpcschema.python.arguments import accepted_hint, declared_hints
from rpcschema.python.classes import ClassPlan, plan
from rpcschema.python.dataclasses import render
from rpcschema.settings import Settings
from tests.shared import ROOT

PAGE: Final = ROOT / "docs/reference/document-format.md"
BEGIN, END = "<!-- written from dialect.json -->\n", "<!-- end -->\n"
DIALECT: Final = json.loads((ROOT / "generator/rpcschema/read/dialect.json").read_bytes())
CASE: Final = ROOT / "tests/cases/document-format/schemas"
DOCUMENTS: Final = {path.stem: json.loads(path.read_bytes()) for path in sorted(CASE.glob("*.json"))}
GAUGE: Final = DOCUMENTS["tank-gauge"]
"""Has a field of each type, and an example of each."""

_TOGETHER: Final = ("if", "then", "else")
_ALONE: Final = frozenset({*_TOGETHER, "properties", "required", "additionalProperties", "allOf"})
"""Keywords of values that are shown without what stands beside them."""
_WIDTH: Final = 96


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the reference: the keywords of one kind of object, with their schemas."""

    title: str
    schemas: Mapping[str, Any]
    examples: Sequence[Mapping[str, Any]]
    """Objects of that kind. Of each keyword, the shortest with a value is shown."""


def parts() -> Iterator[Part]:
    """Yield the parts of the reference except for the types."""
    definitions, documents = DIALECT["$defs"], list(DOCUMENTS.values())
    halves = [document[half] for document in documents for half in ("request", "response")]
    calls = [call for document in documents for call in document.get("examples", ())]
    yield Part("The document", DIALECT["properties"], documents)
    yield Part("Values: parameters, fields, elements", definitions["node"]["properties"], list(_objects(halves)))
    yield Part("Only in `request`", definitions["request"]["properties"], halves)
    yield Part("Only in `response`", definitions["response"]["properties"], halves)
    yield Part("In each of `examples`", DIALECT["properties"]["examples"]["items"]["properties"], calls)


def page() -> str:
    """Return the page with its generated part as it must be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    written = [line for part in parts() for line in _written_part(part)]
    return before + BEGIN + "\n".join([*written, *_types()]) + END + after


def example(part: Part, keyword: str) -> str:
    """Return the shortest piece of JSON that shows a keyword. Raises ValueError if the documents have none."""
    together = _TOGETHER if keyword in _TOGETHER else (keyword,)
    pieces = [{name: each[name] for name in together if name in each} for each in part.examples if keyword in each]
    if part.schemas is DIALECT["$defs"]["node"]["properties"] and keyword not in _ALONE:
        fields = (field for each in part.examples for field in each.get("properties", {}).items())
        pieces = [{name: schema} for name, schema in fields if keyword in schema]
    piece = min(pieces, key=lambda piece: (_is_hollow(piece), len(json.dumps(piece))))
    return "\n".join(line.removeprefix("  ") for line in _json(piece).split("\n")[1:-1])


def _written_part(part: Part) -> Iterator[str]:
    yield f"\n## {part.title}\n"
    before = ""
    for keyword, schema in part.schemas.items():
        kind = _kind(schema)
        needed = ", required" if part.schemas is DIALECT["properties"] and keyword in DIALECT["required"] else ""
        yield f"### `{keyword}`\n"
        yield textwrap.fill(f"*{kind[0].upper()}{kind[1:]}{needed}.* {schema['description']}", 100) + "\n"
        shown = example(part, keyword)
        if shown != before:
            yield f"```json\n{shown}\n```\n"
        before = shown


def _kind(schema: Mapping[str, Any]) -> str:
    """Return how the generator's messages call the type of the keyword's value."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name in {"node", "request", "response"}:
        return "a schema"
    return str((DIALECT["$defs"][name] if name else schema).get("title", "any JSON"))


def _types() -> Iterator[str]:
    yield "\n## Types\n\nAmounts in answers are numbers; `Msat | str` is what a caller may write.\n"
    yield "| type | in Python | example | |\n| --- | --- | --- | --- |"
    document = build(GAUGE, "tank-gauge.json")
    planned = plan(document, "tank.scalars")
    assert isinstance(planned.response, ClassPlan)
    hints = declared_hints(render(planned, document, Settings(package="tank", targets=())), planned.response.name)
    python = {
        attribute.wire: accepted_hint(hints[attribute.name]).replace("|", "\\|")
        for attribute in planned.response.attributes
    }
    values = GAUGE["examples"][0]["response"]
    for name, meaning in DIALECT["$defs"]["type"]["descriptions"].items():
        yield f"| `{name}` | `{python[name]}` | `{_short(values[name])}` | {meaning} |"
    yield ""


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 24 else f"{text[:10]}…{text[-10:]}"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects except those in conditions, which test values and declare none."""
    if isinstance(value, dict):
        yield value
        value = [inner for key, inner in value.items() if key != "if"]
    for inner in value if isinstance(value, list) else ():
        yield from _objects(inner)


def _is_hollow(value: Any) -> bool:
    """Return whether it contains an empty object or list, which shows nothing."""
    if isinstance(value, dict | list):
        return not value or any(map(_is_hollow, value.values() if isinstance(value, dict) else value))
    return False


def _json(value: Any, indent: int = 0) -> str:
    """Return `value` as a person would write it: on one line if it fits."""
    line = _line(value)
    if (indent and indent + len(line) <= _WIDTH) or not value or not isinstance(value, dict | list):
        return line
    margin = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{margin}{json.dumps(key)}: {_json(part, indent + 2)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(margin + _json(part, indent + 2) for part in value) + "\n" + " " * indent + "]"


def _line(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "{ " + ", ".join(f"{json.dumps(key)}: {_line(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_line, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
