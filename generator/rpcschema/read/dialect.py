"""Check a document against the meta-schema `dialect.json`: an error for everything that the model cannot hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rpcschema.problems import Fault, join_pointer, shortened, suggestion

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


def faults(raw: Any) -> Iterator[Fault]:
    """Yield an error for each place where `raw` breaks the dialect."""
    for error in _validator().iter_errors(raw):
        yield Fault(join_pointer("", *error.absolute_path), _message(error))


@cache
def _validator() -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 # 0085: slow

    meta_schema = files("rpcschema.read").joinpath("dialect.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(meta_schema))


def _message(error: ValidationError) -> str:
    schema: Any = error.schema
    found: Any = error.instance
    if error.validator == "required":
        missing = [key for key in schema["required"] if key not in found]
        return f"missing: {', '.join(missing)}"
    if error.validator == "dependentRequired":
        return "`then` or `else` without `if`"
    expected = f"expected {schema['title']}, found {_describe(found)}"
    if error.validator != "enum":
        return expected
    meant = suggestion(found, schema["enum"]) if isinstance(found, str) else ""
    return f"{expected}{meant or '.'} There are: {', '.join(schema['enum'])}"


def _describe(value: Any) -> str:
    match value:
        case dict():
            return "an object" if value else "an empty object"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return shortened(json.dumps(value, ensure_ascii=False))
