"""A correct document, and for each rule a copy that breaks only this rule."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rpcschema.errorcodes import ErrorCode, ErrorTable
from rpcschema.read.corrections import Correction, Corrections

Raw = dict[str, Any]

FILL: Final[Raw] = {
    "rpc": "fill",
    "title": "Fill a tank",
    "added": "v25.09",
    "description": ["Fills the tank, as lightning-empty(7) empties it."],
    "request": {
        "required": ["tank"],
        "properties": {
            "tank": {"type": "string", "description": ["Its name."]},
            "litres": {"type": "u32", "default": "100", "description": ["How much."]},
            "fee": {"type": "msat", "default": "1sat", "description": ["The price."]},
            "until": {"type": "string", "description": ["A mark."], "deprecated": ["v26.03", "v27.03"]},
        },
        "oneOfMany": [["litres", "until"]],
    },
    "response": {
        "required": ["state", "level"],
        "properties": {
            "state": {"type": "string", "enum": ["full", "filling"], "description": ["What it does."]},
            "level": {"type": "u32", "description": ["What it holds."]},
            "gauges": {
                "type": "array",
                "description": ["What is read."],
                "items": {"type": "object", "properties": {"mark": {"type": "u8", "description": ["The mark."]}}},
            },
        },
        "allOf": [
            {
                "if": {"properties": {"state": {"enum": ["filling"]}}},
                "then": {
                    "required": ["eta"],
                    "properties": {"level": {}, "eta": {"type": "u32", "description": ["Seconds."], "added": "v26.03"}},
                },
            }
        ],
    },
    "errors": ["The following error codes may occur:", "- -32602: A parameter is malformed.", "- 1: No such tank."],
    "examples": [
        {
            "request": {"id": "x", "method": "fill", "params": {"tank": "roof", "fee": "2sat", "litres": "7"}},
            "response": {"state": "filling", "level": 3, "eta": 9},
        },
        {"request": {"id": "x", "method": "fill", "params": ["roof", 7]}, "response": {"state": "full", "level": 7}},
    ],
}
EMPTY: Final[Raw] = {
    "rpc": "empty",
    "title": "Empty a tank",
    "added": "v27.01",
    "description": ["Empties it."],
    "request": {},
    "response": {},
    "examples": [{"request": {"id": "x", "method": "empty", "params": {}}, "response": {}}],
}
TABLE: Final = ErrorTable("errors.toml", (ErrorCode(1, "NO_TANK", "NoTankError", "None."),))
REFUSED: Final = ErrorCode(-32602, "INVALID_PARAMS", "InvalidParamsError", "Malformed.")
CORRECTION: Final = Correction("rpc", "fill", "", "It is called volume.", "v26.09", {"rename": {"litres": "volume"}})


@dataclass(frozen=True)
class Case:
    """How to break a rule, where that is found, and what the document is compared with."""

    rule: str
    pointer: str
    change: Callable[[Raw], object] = lambda _: None
    earlier: Callable[[Raw], object] | None = None
    """The change that makes the document of the earlier release."""
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def document(self) -> Raw:
        """The broken document."""
        return changed(self.change)


def changed(change: Callable[[Raw], object]) -> Raw:
    """Return a copy of FILL with a change."""
    raw = copy.deepcopy(FILL)
    change(raw)
    return raw


def put(path: str, value: Any) -> Callable[[Raw], None]:
    """Return a change that puts a value at a path; a number is an index."""

    def change(raw: Raw) -> None:
        *steps, last = path.split("/")
        node: Any = raw
        for step in steps:
            node = node[int(step) if isinstance(node, list) else step]
        if isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value

    return change


def both(*changes: Callable[[Raw], object]) -> Callable[[Raw], None]:
    """Return all changes as one."""

    def change(raw: Raw) -> None:
        for each in changes:
            each(raw)

    return change


def _without(path: str, name: str) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        node: Any = raw
        for step in path.split("/"):
            node = node[int(step) if isinstance(node, list) else step]
        del node[name]

    return change


_P: Final = "request/properties"
_R: Final = "response/properties"
_THEN: Final = "response/allOf/0/then/properties"
_READ: Final = ["What is read."]
_SOME: Final = {"type": "u32", "description": ["A field."]}
_KINDS: Final = {
    "required": ["kind"],
    "properties": {"kind": {"type": "string", "enum": ["a", "b"], "description": ["Which."]}},
    "allOf": [
        {
            "if": {"properties": {"kind": {"enum": [kind]}}},
            "then": {"properties": {f"{kind}1": _SOME, f"{kind}2": _SOME, **({"a1": {}} if kind == "b" else {})}},
        }
        for kind in ("a", "b")
    ],
}

CASES: Final = (
    Case("invalid-document", "/title", put("title", 7)),
    Case("unknown-keyword", f"/{_P}/tank/descripton", put(f"{_P}/tank/descripton", ["x"])),
    Case(
        "refused-by-meta-schema",
        f"/{_P}/tank/extension",
        both(put("$schema", "../rpc-schema-draft.json"), put(f"{_P}/tank/extension", False)),
    ),
    Case("required-extension", "/response/required", put(f"{_R}/level/extension", True)),
    Case("contradicted-by-node", f"/{_P}/litres", given={"corrections": Corrections("c", (CORRECTION,))}),
    Case("required-undeclared", f"/{_R}/gauges/items", put(f"{_R}/gauges/items/required", ["ghost"])),
    Case("dangling-marker", f"/{_THEN}/ghost", put(f"{_THEN}/ghost", {})),
    Case(
        "marker-of-other-case",
        "/response/allOf/1/then/properties/a1",
        both(
            put("response", _KINDS),
            put("examples/0/response", {"kind": "a"}),
            put("examples/1/response", {"kind": "b"}),
        ),
    ),
    Case(
        "condition-undeclared",
        "/response/allOf/0/if/properties/stats",
        put("response/allOf/0/if/properties/stats", {"enum": ["x"]}),
    ),
    Case(
        "condition-impossible",
        "/response/allOf/0/if/properties/state",
        put("response/allOf/0/if/properties/state/enum", ["filling", "fill"]),
    ),
    Case("rule-undeclared", "/request", put("request/oneOfMany", [["litres", "ghost"]])),
    Case("unknown-page", "/description/0", put("description", ["See lightning-emty(7)."])),
    Case("unknown-error", "/errors/1", given={"errors": TABLE}),
    Case("repeated-error", "/errors/1", put("errors", ["- 1: No such tank.", "- 1: It is gone."])),
    Case("release-malformed", f"/{_P}/fee/added", put(f"{_P}/fee/added", "next")),
    Case("added-missing", f"/{_P}/fee", earlier=_without(_P, "fee")),
    Case("added-wrong", f"/{_THEN}/eta/added", earlier=both(put("added", "v26.01"), _without(f"{_THEN}/eta", "added"))),
    Case("added-before-parent", f"/{_P}/fee/added", put(f"{_P}/fee/added", "v25.02")),
    Case("deprecated-incomplete", f"/{_P}/until/deprecated", put(f"{_P}/until/deprecated", ["v26.03"])),
    Case("deprecated-order", f"/{_P}/until/deprecated", put(f"{_P}/until/deprecated", ["v27.03", "v27.02"])),
    Case("deprecated-expired", f"/{_P}/until/deprecated", put(f"{_P}/until/deprecated", ["v26.03", "v26.09"])),
    Case("deprecated-in-prose", "/description/0", put("description", ["WARNING: deprecated."])),
    Case("promise-overdue", f"/{_P}/fee/description/0", put(f"{_P}/fee/description", ["After v26.03 it will be 0."])),
    Case(
        "mentions-expired",
        f"/{_P}/fee/description/0",
        both(
            put(f"{_P}/old_mark", {**_SOME, "deprecated": ["v26.03", "v26.09"]}),
            put(f"{_P}/fee/description", ["Unlike **old_mark**."]),
        ),
        given={"besides": ["deprecated-expired"]},
    ),
    Case("missing-type", f"/{_P}/fee", put(f"{_P}/fee", {"description": ["The price."]})),
    Case("missing-items", f"/{_R}/gauges", put(f"{_R}/gauges", {"type": "array", "description": ["What is read."]})),
    Case(
        "amount-type", f"/{_R}/price_msat/type", put(f"{_R}/price_msat", {"type": "u64", "description": ["The price."]})
    ),
    Case(
        "enum-type", f"/{_R}/gauges/enum", put(f"{_R}/gauges", {"type": "u8", "description": ["x"], "enum": ["1", 2]})
    ),
    Case(
        "enum-repeated", f"/{_R}/gauges/enum", put(f"{_R}/gauges", {"type": "u8", "description": ["x"], "enum": [2, 2]})
    ),
    Case("default-type", f"/{_P}/litres/default", put(f"{_P}/litres/default", -1)),
    Case("default-in-prose", f"/{_P}/litres/default", put(f"{_P}/litres/default", "as much as there is")),
    Case("default-required", f"/{_P}/tank/default", put(f"{_P}/tank/default", "roof")),
    Case(
        "late-parameter",
        "/request",
        both(
            put("request/required", ["tank", "fee"]),
            _without(f"{_P}/fee", "default"),
            _without("examples/1", "request"),
        ),
    ),
    Case("missing-example", "", lambda raw: raw.pop("examples")),
    Case("example-method", "/examples/0/request/method", put("examples/0/request/method", "fil")),
    Case("example-request", "/examples/0/request/params/litre", put("examples/0/request/params/litre", 7)),
    Case("example-request", "/examples/1/request/params/1", put("examples/1/request/params/1", "seven")),
    Case("example-request", "/examples/1/request/params", put("examples/1/request/params", ["a", 1, 2, "b", "c"])),
    Case("example-response", "/examples/0/response/level", put("examples/0/response/level", "3")),
    Case("example-response", "/examples/0/response/eta", _without("examples/0/response", "eta")),
    Case("missing-description", f"/{_P}/fee", put(f"{_P}/fee/description", [" "])),
    Case(
        "command-line-parameter",
        "/description/1",
        put("description", ["Call it:", "    lightning-cli -k fill tank=roof litre=7"]),
    ),
)
"""At least one for each rule."""
