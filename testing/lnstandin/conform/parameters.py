"""Compare the parameters of a document with those of a node: with its `help`, and with what `check` says to examples.

Without I/O: a comparison is a generator that yields the parameters to check, receives the node's replies, and returns
findings. `run` drives it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from itertools import combinations
from typing import Any, Final, TypeAlias

from clnrpc.runtime.errors import INVALID_PARAMS
from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.node import Reply
from lnstandin.conform.usage import Usage, is_for_developers
from rpcschema.model.nodes import Document, Property, Request

Comparison: TypeAlias = Generator[dict[str, Any], Reply, list[Finding]]

PROBE: Final = "lnstandin-probe"
"""A parameter that no command has, and a text that is a value of no type but text."""
POINT: Final = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""A public key: the generator of secp256k1."""
_ZEROS: Final = "00" * 32
_SAMPLES: Final[Mapping[str, Any]] = {
    "array": [],
    "boolean": False,
    "feerate": "normal",
    "hash": _ZEROS,
    "hex": "00",
    "integer": 1,
    "msat": 1000,
    "msat_or_all": 1000,
    "msat_or_any": 1000,
    "number": 1,
    "object": {},
    "outpoint": f"{_ZEROS}:0",
    "pubkey": POINT,
    "sat": 1000,
    "sat_or_all": 1000,
    "secret": _ZEROS,
    "short_channel_id": "1x1x1",
    "short_channel_id_dir": "1x1x1/0",
    "txid": _ZEROS,
    "u8": 1,
    "u16": 1,
    "u32": 1,
    "u64": 1,
}
"""A value of each type; any other gets a text."""
_STRICT: Final = frozenset(
    ["boolean", "hash", "msat", "pubkey", "secret", "short_channel_id", "txid", "u8", "u16", "u32", "u64"]
)
"""The types of which PROBE is never a value."""


def sample(field: Property) -> Any:
    """Return a value of the field's type."""
    if field.node.enum:
        return field.node.enum[0]
    return _SAMPLES.get(field.node.type or "", "lnstandin")


def compare_parameters(document: Document, usage: Usage) -> Comparison:
    """Return findings about the parameters of a command: names, presence, order and types.

    A command that takes any parameter, or whose plugin cannot check, says nothing about names, and neither do we.
    """
    reply = yield {PROBE: 1}
    if not reply.failed:
        return []
    findings: list[Finding] = []
    if reply.code != INVALID_PARAMS:
        findings.append(_unknown_parameter_code(document, reply))
    if reply.unknown_parameter is None:
        return findings
    findings += yield from _compare_names(document, usage)
    findings += yield from _compare_presence(document, usage)
    findings += _compare_order(document.request, document.name, usage)
    findings += yield from _compare_types(document, usage)
    return findings


def _compare_names(document: Document, usage: Usage) -> Comparison:
    findings: list[Finding] = []
    fields = document.request.fields or ()
    for field in fields:
        if field.name in usage.parameters:
            continue
        reply = yield {field.name: sample(field)}
        if reply.unknown_parameter == field.name:
            if not is_for_developers(field.name) and not field.node.deprecated:
                kind, what = Kind.PARAMETER_UNKNOWN, f"has no such parameter ({reply.code})"
                findings.append(_finding(kind, document, field.name, "has this parameter", what))
        elif not field.node.hidden:
            what = "takes it, but does not show it in `help`"
            findings.append(_finding(Kind.PARAMETER_UNLISTED, document, field.name, "has this parameter", what))
    known = {field.name for field in fields}
    for name in usage.parameters:
        if name not in known and not is_for_developers(name):
            presence = "required" if name in usage.required else "optional"
            what = f"shows it in `help`, {presence}"
            kind = Kind.PARAMETER_UNDOCUMENTED
            findings.append(_finding(kind, document, name, "has no such parameter", what))
    return findings


def _compare_presence(document: Document, usage: Usage) -> Comparison:
    findings: list[Finding] = []
    required = document.request.required or ()
    given = {field.name: sample(field) for field in document.request.fields or () if field.name in required}
    for field in document.request.fields or ():
        if field.name not in usage.parameters or (field.name in usage.required) == (field.name in required):
            continue
        others = {name: value for name, value in given.items() if name != field.name}
        reply = yield others
        if field.name in usage.required:
            said = f" ({reply.message})" if reply.missing_parameter == field.name else ""
            what = f"requires it{said}"
            findings.append(_finding(Kind.PARAMETER_PRESENCE, document, field.name, "optional", what))
        elif reply.missing_parameter != field.name:
            what = "shows it as optional in `help`, and `check` does not miss it"
            findings.append(_finding(Kind.PARAMETER_PRESENCE, document, field.name, "required", what))
    return findings


def _compare_order(request: Request, name: str, usage: Usage) -> list[Finding]:
    """Return a finding if the parameters that both sides have differ in their order, those for developers apart."""
    documented = [field.name for field in request.fields or ()]
    ours = [each for each in documented if each in usage.parameters]
    theirs = [each for each in usage.parameters if each in documented]
    if ours == theirs:
        return []
    first = next(at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    last = len(ours) - next(
        at for at, pair in enumerate(zip(reversed(ours), reversed(theirs), strict=True)) if pair[0] != pair[1]
    )
    shown = (" ".join(each[first:last]) for each in (ours, theirs))
    return [Finding(Kind.PARAMETER_ORDER, name, f"request.{ours[first]}", *shown)]


def _compare_types(document: Document, usage: Usage) -> Comparison:
    """Return findings about parameters that take a text which their type does not have.

    Parameters are read in the order of the call, so if another one is missed instead, this one has been read. A command
    that takes it for a required parameter hands its parameters on to another one, which reads them.
    """
    findings: list[Finding] = []
    for field in document.request.fields or ():
        if field.name in usage.parameters and field.node.type in _STRICT and field.node.enum is None:
            reply = yield {field.name: PROBE}
            if not reply.failed or (reply.missing_parameter not in (None, field.name)):
                if field.name in usage.required:
                    return []
                what = f"takes the text {PROBE!r}"
                findings.append(_finding(Kind.PARAMETER_TYPE, document, field.name, field.node.type, what))
    return findings


def compare_rules(document: Document, given: Mapping[str, Any]) -> Comparison:
    """Return findings about rules that bind parameters to each other and that a node does not enforce.

    `given` are parameters with which the command is free of side effects. The calls that are yielded are to be made,
    not only checked, because some commands look at such rules late.
    """
    findings: list[Finding] = []
    for keyword, rule, names in _violations(document.request):
        fields = {field.name: field for field in document.request.fields or ()}
        params = {**given, **{name: sample(fields[name]) for name in names if name in fields}}
        reply = yield params
        if not reply.refused:
            outcome = "answers" if not reply.failed else f"error {reply.code}: {reply.message}"
            what = (
                f"takes {' and '.join(names)} alone ({outcome})"
                if keyword != "oneOfMany"
                else f"takes both ({outcome})"
            )
            where = f"request.{names[0]}"
            findings.append(Finding(Kind.RULE, document.name, where, rule, what))
    return findings


def _violations(request: Request) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return, for each rule, its keyword, its meaning, and the parameters that together violate it."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for names in request.one_of_many or ():
        found += [("oneOfMany", f"at most one of {', '.join(names)}", pair) for pair in combinations(names, 2)]
    for names in request.paired_with or ():
        found += [("pairedWith", f"{', '.join(names)} together or not at all", (name,)) for name in names]
    for name, dependents in request.dependent_upon or ():
        found += [("dependentUpon", f"{each} only with {name}", (each,)) for each in dependents]
    return found


def _unknown_parameter_code(document: Document, reply: Reply) -> Finding:
    what = f"error {reply.code}: {reply.message}"
    return Finding(Kind.ERROR_CODE, document.name, "request", f"an unknown parameter is error {INVALID_PARAMS}", what)


def _finding(kind: Kind, document: Document, name: str, says: str | None, does: str) -> Finding:
    return Finding(kind, document.name, f"request.{name}", says or "", does)
