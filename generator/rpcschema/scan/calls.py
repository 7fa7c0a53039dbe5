"""Where a module names a command as text: in calls, JSON, paths of clnrest and arguments of lightning-cli.

Often a function of the program makes the call, and gets the name as a parameter. Then each call of it counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rpcschema.scan.follow import CALLS, Follower
from rpcschema.scan.libraries import rest_command
from rpcschema.scan.scopes import Module
from rpcschema.scan.values import Client, CommandLine, Foreign, Library, Method, Parameter, Text, Value

_shell: Final = re.compile(r"\S*\blightning-cli(?:\s+-\S+)*\s+([a-z][\w-]*)").match
_BESIDE_METHOD: Final = frozenset({"id", "jsonrpc", "params"})
"""Members of a JSON-RPC request that tell it from other objects with a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place where a program uses a command."""

    name: str
    """Of the command, as the program writes it; or where that stands, if it is in another module."""
    library: Library
    line: int
    call: ast.AST | None = None
    """What holds the parameters: a call, or a dictionary."""
    is_elsewhere: bool = False
    """Whether `name` is that of an attribute or variable of another module, whose value is the command's name."""
    is_named_before: bool = False
    """Whether the text with the name counts as a use of its own, and this one only has parameters."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An expression whose value is the name of a command."""

    named: ast.expr
    call: ast.AST | None
    library: Library = "raw"


@dataclass(slots=True)
class Named:
    """The commands that a module names as text."""

    uses: list[Use] = field(default_factory=list)
    wrapped: dict[ast.Call, set[str]] = field(default_factory=dict)
    """Calls of the module's own functions that make a call of these commands."""
    proxies: set[ast.ClassDef] = field(default_factory=set)
    """Classes that make a call of every attribute: their `__getattr__` does."""


def named(module: Module, follower: Follower) -> Named:
    """Return the commands that a module names as text."""
    found = Named()
    waiting: list[Parameter] = []
    inner = {part for node in module.nodes if isinstance(node, ast.JoinedStr) for part in node.values[:-1]}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if (command := _written(node.value, ends=node not in inner)) is not None:
                found.uses.append(Use(name=command, library="raw", line=node.lineno))
            continue
        found.uses += _requests(node, follower) if isinstance(node, ast.Call) else ()
        for slot in _slots(node, follower):
            for value in follower.values(slot.named):
                _take(value, slot, found, waiting)
    _wrappers(module, follower, found, waiting)
    return found


def _written(text: str, *, ends: bool) -> str | None:
    """Return the command in a text that is a path of clnrest or a command line."""
    if found := _shell(text):
        return found[1]
    return rest_command(text) if ends or "?" in text else None


def _requests(call: ast.Call, follower: Follower) -> Iterator[Use]:
    """Yield the uses of a call that gets a path of clnrest, and perhaps parameters."""
    for text in (text for argument in call.args[:2] for text in follower.texts(argument)):
        if (command := rest_command(text)) is not None:
            yield Use(name=command, library="raw", line=call.lineno, call=call, is_named_before=True)


def _take(value: Value, slot: Slot, found: Named, waiting: list[Parameter]) -> None:
    line = slot.named.lineno
    match value:
        case Text(value=name):
            found.uses.append(Use(name=name, library=slot.library, line=line, call=slot.call))
        case Foreign():
            use = Use(name=value.last, library=slot.library, line=line, call=slot.call, is_elsewhere=True)
            found.uses.append(use)
        case Parameter():
            waiting.append(value)


def _wrappers(module: Module, follower: Follower, found: Named, waiting: list[Parameter]) -> None:
    """Find the calls of functions whose parameters are the names of commands."""
    seen: set[Parameter] = set()
    while waiting:
        parameter = waiting.pop()
        if parameter in seen:
            continue
        seen.add(parameter)
        owner = module.owners.get(parameter.function)
        if owner is not None and getattr(parameter.function, "name", "") == "__getattr__":
            found.proxies.add(owner)
        for call, passed in follower.callers(parameter.function, parameter.name):
            for value in follower.values(passed):
                _take(value, Slot(passed, call), found, waiting)
                if isinstance(value, Text):
                    found.wrapped.setdefault(call, set()).add(value.value)
        if (default := _default(parameter)) is not None:
            for value in follower.values(default):
                _take(value, Slot(default, None), found, waiting)


def _default(parameter: Parameter) -> ast.expr | None:
    given = getattr(parameter.function, "args", None)
    if not isinstance(given, ast.arguments):
        return None
    order = [*given.posonlyargs, *given.args]
    defaults = [*zip(order[len(order) - len(given.defaults) :], given.defaults, strict=True)]
    defaults += [(each, value) for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
    return next((value for each, value in defaults if each.arg == parameter.name), None)


def _slots(node: ast.AST, follower: Follower) -> Iterator[Slot]:
    """Yield the expressions in a node, but not below it, whose values are names of commands."""
    match node:
        case ast.Call():
            yield from _in_call(node, follower)
        case ast.Dict():
            members = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            if "method" in members and members.keys() & _BESIDE_METHOD:
                yield Slot(members["method"], node)
        case ast.JoinedStr(values=[*_, ast.Constant(value=str() as before), ast.FormattedValue(value=last)]):
            if before.endswith("/v1/"):
                yield Slot(last, None)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            if any(text.endswith("/v1/") for text in follower.texts(left)):
                yield Slot(right, None)
            elif CommandLine() in follower.values(left) and isinstance(right, ast.List | ast.Tuple):
                yield from _after_options(right.elts, follower)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) if CommandLine() in follower.values(node):
            starts = (at for at, part in enumerate(parts) if _is_program(part, follower))
            yield from _after_options(parts[next(starts, 0) + 1 :], follower)


def _is_program(part: ast.expr, follower: Follower) -> bool:
    values = follower.values(part)
    return CommandLine() in values or any(
        isinstance(value, Text) and value.value.rpartition("/")[2] == "lightning-cli" for value in values
    )


def _after_options(parts: Sequence[ast.expr], follower: Follower) -> Iterator[Slot]:
    """Yield the first argument of lightning-cli that is no option; and those that may be the value of one."""
    after_option = False
    for part in parts:
        is_option = any(text.startswith("-") for text in follower.texts(part))
        if not is_option:
            yield Slot(part, None)
            if not after_option:
                return
        after_option = is_option


def _in_call(call: ast.Call, follower: Follower) -> Iterator[Slot]:
    functions = follower.values(call.func)
    keywords = {each.arg: each.value for each in call.keywords}
    for value in functions:
        if isinstance(value, Method) and value.name in CALLS:
            if (named := call.args[0] if call.args else keywords.get("method")) is not None:
                yield Slot(named, call, value.library)
        elif isinstance(value, Method) and value.name == "commando":
            if (named := call.args[1] if len(call.args) > 1 else keywords.get("method")) is not None:
                yield Slot(named, call, value.library)
        elif value == Foreign("getattr") and len(call.args) > 1:
            for client in follower.values(call.args[0]):
                if isinstance(client, Client):
                    yield Slot(call.args[1], None, client.library)
    match call:
        case ast.Call(func=ast.Attribute(value=line, attr="extend"), args=[ast.List(elts=parts)]):
            if CommandLine() in follower.values(line):
                yield from _after_options(parts, follower)
        case ast.Call(func=ast.Attribute(value=line, attr="append"), args=[part]):
            if CommandLine() in follower.values(line):
                yield from _after_options([part], follower)
