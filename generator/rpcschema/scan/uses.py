"""Everything of nodes that a module uses: commands, with their parameters, and fields of what they return."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rpcschema.scan.arguments import Argument
from rpcschema.scan.calls import Use, named
from rpcschema.scan.files import Source
from rpcschema.scan.follow import Follower
from rpcschema.scan.index import index
from rpcschema.scan.scopes import Module
from rpcschema.scan.values import Answer, Method, Row, Text


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A place where a program reads a field of a response or payload."""

    answer: Answer
    line: int
    is_checked: bool = False
    """Whether the program checks that the field is there, or reads it only if another one is not there."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A text that a module or class gives a name."""

    text: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Uses:
    """What one file uses."""

    path: str
    commands: tuple[Use, ...]
    fields: tuple[FieldUse, ...]
    constants: Mapping[str, Constant]
    module: Module
    follower: Follower

    def arguments(self, use: Use) -> Iterator[Argument]:
        """Yield the parameters that a use of a command passes, as far as the source shows them."""
        reader = self.follower.reader
        match use.call:
            case ast.Call() as call:
                yield from reader.of_call(call)
            case ast.Dict() as request:
                for key, value in zip(request.keys, request.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "params":
                        yield from reader.of_payload(value)

    def texts(self, argument: Argument) -> frozenset[str]:
        """Return the texts that an argument can be, or that it holds if it is a list."""
        values = self.follower.values(argument.value)
        inner = (each for value in values if isinstance(value, Row) for part in value.parts for each in part)
        return frozenset(each.value for each in (*values, *inner) if isinstance(each, Text))


def uses(source: Source) -> Uses:
    """Return what a file uses. Raises RecursionError if it is nested too deeply."""
    module = index(source.tree)
    found = named(module, Follower(module))
    follower = Follower(module, found.wrapped, found.proxies)
    methods = _methods(module, follower)
    return Uses(
        path=source.path,
        commands=tuple(dict.fromkeys((*found.uses, *methods))),
        fields=tuple(dict.fromkeys(_fields(module, follower))),
        constants=_constants(source),
        module=module,
        follower=follower,
    )


def _methods(module: Module, follower: Follower) -> Iterator[Use]:
    """Yield the commands that are used as methods of a client."""
    calls = {node.func: node for node in module.nodes if isinstance(node, ast.Call)}
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            for value in follower.values(node):
                if isinstance(value, Method) and value.name == node.attr:
                    line = node.end_lineno or node.lineno
                    yield Use(name=value.name, library=value.library, line=line, call=calls.get(node))


def _fields(module: Module, follower: Follower) -> Iterator[FieldUse]:
    """Yield the fields that are read, by key or as attributes."""
    checked = {_key(answer) for node in module.nodes for answer in _checked(node, follower)}
    fallbacks = set(_fallbacks(module))
    for node in module.nodes:
        match node:
            case ast.Subscript(value=base, slice=key, ctx=ast.Load()):
                read = _members(base, key, follower)
            case ast.Call(func=ast.Attribute(value=base, attr="get" | "pop"), args=[key, *_]):
                read = _members(base, key, follower)
            case ast.Attribute(ctx=ast.Load()):
                values = follower.values(node)
                read = (each for each in values if isinstance(each, Answer) and each.path[-1:] == (node.attr,))
            case _:
                continue
        for answer in read:
            if answer.path:
                is_checked = node in fallbacks or _key(answer) in checked
                yield FieldUse(answer, node.end_lineno or node.lineno, is_checked)


def _checked(node: ast.AST, follower: Follower) -> Iterator[Answer]:
    """Yield the fields of which an expression asks whether they are there."""
    match node:
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[base]):
            yield from _members(base, key, follower)


def _fallbacks(module: Module) -> Iterator[ast.AST]:
    """Yield what replaces fields that are not there: in `answer.get("new", answer.get("old"))` the inner call."""
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
                yield from [default, *(default.args if isinstance(default, ast.Call) else ())]


def _key(answer: Answer) -> tuple[str, str, str]:
    return answer.kind, answer.name, answer.field


def _members(base: ast.expr, key: ast.expr, follower: Follower) -> Iterator[Answer]:
    for value in follower.values(base):
        if isinstance(value, Answer):
            yield from (value.member(text) for text in follower.texts(key))


def _constants(source: Source) -> Mapping[str, Constant]:
    """Return the texts that the module and its classes give a name, such as the defaults of settings."""
    found: dict[str, Constant] = {}
    bodies = [source.tree.body, *(each.body for each in source.tree.body if isinstance(each, ast.ClassDef))]
    for statement in (statement for body in bodies for statement in body):
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if (text := _text(value)) is not None:
                    found[name] = Constant(text, source.path, statement.lineno)
    return found


def _text(value: ast.expr) -> str | None:
    """Return a text, or the default of a field of settings that is declared by a call."""
    match value:
        case ast.Constant(value=str() as text):
            return text
        case ast.Call(keywords=keywords):
            given = (each.value for each in keywords if each.arg == "default")
            return next(
                (each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)), None
            )
    return None
