"""Planned classes as Python source: datamodel-code-generator renders them.

The generator is handed clean input: every object is a named definition, no conditionals, no defaults, member names
that are Python's already. What JSON Schema cannot say (the members' order, defaults, wire names, where objects come
from) goes to our own template of a class, `templates/python/dataclass.jinja2`.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rpcschema.problems import RenderError
from rpcschema.python.classes import Attribute, ClassPlan, Plan, UnionPlan
from rpcschema.python.docs import added, docstring
from rpcschema.python.source import imports_of
from rpcschema.settings import templates_dir


def render(plan: Plan, header: str, runtime: str) -> str:
    """The source of a module under `<package>.types` that defines what is planned, for `source.finished`.

    `header` becomes its first lines; `runtime` is `<package>.runtime`, from which the classes take what they need.
    """
    # Slow to import, and not needed to load documents or to print help.
    from datamodel_code_generator import generate  # noqa: PLC0415
    from datamodel_code_generator.enums import DataModelType, InputFileType  # noqa: PLC0415
    from datamodel_code_generator.format import PythonVersion  # noqa: PLC0415

    details: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for planned in plan.classes:
        details[planned.name] = _template_details(planned)
    source = generate(
        json.dumps(_definitions(plan.classes)),
        input_file_type=InputFileType.JsonSchema,
        skip_root_model=True,
        output_model_type=DataModelType.DataclassesDataclass,
        target_python_version=PythonVersion.PY_311,
        custom_template_dir=templates_dir() / "python",
        extra_template_data=details,
        additional_imports=list(_imports(plan, runtime)),
        custom_file_header=header,
        enum_field_as_literal="all",  # type: ignore[arg-type] # accepted by name
        use_standard_collections=True,
        use_union_operator=True,
        disable_timestamp=True,
        keyword_only=True,
        formatters=[],
    )
    if not isinstance(source, str):
        raise RenderError("datamodel-code-generator made several modules of one document")
    statements = ast.parse(source).body
    _check_complete(statements, plan.classes)
    return _with_imports_sorted(source, statements, runtime) + _union(plan)


def _imports(plan: Plan, runtime: str) -> Iterator[str]:
    """What the template and the union need, and the schemas do not mention."""
    if any(planned.received for planned in plan.classes):
        yield f"{runtime}.values.answer.Answer"
    if isinstance(plan.response, UnionPlan):
        yield "typing.TypeAlias"


def _union(plan: Plan) -> str:
    if not isinstance(plan.response, UnionPlan):
        return ""
    name, members = plan.response.name, " | ".join(plan.response.members)
    return f"\n\n\n{name}: TypeAlias = {members}\n{docstring(plan.response.doc, indent=0)}\n"


def _check_complete(statements: Sequence[ast.stmt], classes: Sequence[ClassPlan]) -> None:
    """The generator may rename what it thinks unfit; nothing planned may be missing because of that."""
    made = {
        statement.name: [name for part in statement.body if (name := _member(part)) is not None]
        for statement in statements
        if isinstance(statement, ast.ClassDef)
    }
    if made != {planned.name: [attribute.name for attribute in planned.attributes] for planned in classes}:
        raise RenderError(f"datamodel-code-generator did not render the classes as planned: {made}")


def _member(statement: ast.stmt) -> str | None:
    """The name of a dataclass's member that `statement` declares."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return None


def _with_imports_sorted(source: str, statements: Sequence[ast.stmt], runtime: str) -> str:
    """One import a module, sorted; the runtime's by relative names, so that the package can lie anywhere."""
    imports = [statement for statement in statements if isinstance(statement, ast.ImportFrom)]
    names: defaultdict[str, set[str]] = defaultdict(set)
    for statement in imports:
        module, prefix = statement.module or "", f"{runtime}."
        module = f"..runtime.{module.removeprefix(prefix)}" if module.startswith(prefix) else module
        names[module] |= {alias.name for alias in statement.names}
    del names["__future__"]  # classes stand before those that use them, and reading types from text takes long
    lines = source.removesuffix("\n").split("\n")  # as the numbers of lines count; text may hold other breaks
    head, body = lines[: imports[0].lineno - 1], lines[(imports[-1].end_lineno or 0) :]
    blocks = imports_of(names)
    ours = [block for block in blocks if block.startswith("from .")]
    others = [block for block in blocks if block not in ours]
    groups = ["\n".join(group) for group in (others, ours) if group]
    return "\n".join([*head, "\n\n".join(groups), *body])


def _definitions(classes: Sequence[ClassPlan]) -> Mapping[str, Any]:
    """The input: JSON Schema that consists of definitions."""
    definitions = {
        planned.name: {
            "type": "object",
            "properties": {attribute.name: attribute.schema for attribute in planned.attributes},
            "required": [attribute.name for attribute in planned.attributes if _is_plain(attribute)],
        }
        for planned in classes
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": definitions}


def _is_plain(attribute: Attribute) -> bool:
    """Whether the annotation is the bare type: None is not among its values."""
    return attribute.required or attribute.default is not None


def _template_details(planned: ClassPlan) -> dict[str, Any]:
    return {
        "class_doc": docstring(planned.doc, indent=4),
        "docs": {a.name: docstring(a.doc, indent=4) for a in planned.attributes if a.doc},
        "order": [attribute.name for attribute in planned.attributes],
        "defaults": {a.name: repr(a.default) for a in planned.attributes if a.default is not None},
        "received": planned.received,
        "facts": _facts(planned),
    }


def _facts(planned: ClassPlan) -> list[str]:
    """What the runtime reads off a class (`runtime.values.answer`), as assignments: what is annotated is a member."""
    releases = {a.name: added(a.nodes) for a in planned.attributes if planned.received and a.required}
    found = {
        "__source__": planned.source,
        "__wire_names__": tuple((a.name, a.wire) for a in planned.attributes if a.name != a.wire),
        "__added__": tuple((name, release) for name, release in releases.items() if release),
        "__discriminator__": planned.case.discriminator if planned.case else "",
    }
    facts = [f"{name} = {value!r}" for name, value in found.items() if value]
    return [*facts, f"__other__ = {planned.case.other}"] if planned.case else facts
