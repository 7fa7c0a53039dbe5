"""Follow names, attributes, calls and answers through a module: what can an expression be?

Every expression is looked at once. Where control flow decides, all possibilities count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final

from rpcschema.scan.arguments import Reader
from rpcschema.scan.libraries import AWAITED, PICKED, SAME, by_convention, made_by, payload, rest_command
from rpcschema.scan.scopes import ELEMENT, Binding, Module
from rpcschema.scan.values import (
    ITEM,
    NOTHING,
    Answer,
    Client,
    CommandLine,
    Definition,
    Dictionary,
    Foreign,
    Instance,
    Many,
    Method,
    Parameter,
    Plugin,
    Row,
    Text,
    Value,
    Values,
    elements,
    step,
)

UNKNOWN: Final = "\0"
"""Stands in a Text for what is not constant."""
_DEEPEST: Final = 80
"""How far a value is followed."""
_MOST: Final = 64
"""The most values of an expression that are told apart."""
CALLS: Final = frozenset({"call", "rpc_call"})
"""The methods of clients that take the command's name."""
_HINTED: Final = re.compile(r"[\w.]+")


class Follower:
    """Answers what the expressions of one module can be."""

    def __init__(
        self,
        module: Module,
        wrapped: Mapping[ast.Call, Collection[str]] | None = None,
        proxies: Collection[ast.ClassDef] = (),
    ) -> None:
        self._module = module
        self._wrapped = wrapped or {}
        """Calls of functions that make a call of the command whose name they get."""
        self._proxies = proxies
        """Classes that make a call of every attribute."""
        self._known: dict[ast.AST, Values] = {}
        self._depth = 0
        self.reader: Final = Reader(self.values, module.stored)

    def values(self, node: ast.AST) -> Values:
        """Return what an expression can be; nothing if that is unknown."""
        if node in self._known:
            return self._known[node]
        if self._depth >= _DEEPEST:
            return NOTHING
        self._known[node] = NOTHING  # what depends on itself adds nothing
        self._depth += 1
        found = self._values(node)
        self._depth -= 1
        self._known[node] = found = found if len(found) <= _MOST else NOTHING
        return found

    def texts(self, node: ast.AST) -> list[str]:
        """Return the strings that an expression can be, sorted."""
        return sorted(value.value for value in self.values(node) if isinstance(value, Text))

    def callers(self, function: ast.AST, name: str) -> Iterator[tuple[ast.Call, ast.expr]]:
        """Yield the calls of a function of this module that pass the parameter `name`, and what they pass."""
        if isinstance(function, ast.Lambda):
            return
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        owner = self._module.owners.get(function)
        order = [each.arg for each in (*function.args.posonlyargs, *function.args.args)][owner is not None :]
        for call in self._module.calls.get(function, ()) if owner is None else self._method_calls(function, owner):
            passed = next((each.value for each in call.keywords if each.arg == name), None)
            if passed is None and name in order and order.index(name) < len(call.args):
                passed = call.args[order.index(name)]
            if passed is not None and not isinstance(passed, ast.Starred):
                yield call, passed

    def _method_calls(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef
    ) -> Iterator[ast.Call]:
        """Yield the calls of a method, those in subclasses included."""
        name, module = function.name, self._module
        if module.scopes[owner].names[name][-1].value is not function:
            return  # another definition replaces it
        if name == "__init__":
            yield from module.calls.get(owner, ())
            return
        for caller, calls in islice(module.own_calls.get(name, {}).items(), _MOST):
            if caller is owner or Definition(function) in self._member(caller, name):
                yield from calls
        for call in module.method_calls.get(name, ())[:_MOST]:
            if Definition(function) in self.values(call.func):
                yield call

    # Expressions

    def _values(self, node: ast.AST) -> Values:  # noqa: PLR0912 - one case for each kind of expression
        match node:
            case ast.Constant(value=str() as text):
                return frozenset({Text(text)})
            case ast.JoinedStr() | ast.BinOp():
                return self._joined(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Dict():
                return frozenset({Dictionary(node)})
            case ast.Lambda():
                return frozenset({Definition(node)})
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return self._row(parts)
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
                return frozenset({Many(self.values(element))})
            case ast.IfExp(body=first, orelse=second):
                return self.values(first) | self.values(second)
            case ast.BoolOp(values=choices):
                return NOTHING.union(*map(self.values, choices))
            case ast.Await(value=inner) | ast.NamedExpr(value=inner) | ast.Starred(value=inner):
                return self.values(inner)
            case ast.AnnAssign(value=value, annotation=hint):
                return self._hinted(hint) | (self.values(value) if value is not None else NOTHING)
        return NOTHING

    def _row(self, parts: Sequence[ast.expr]) -> Values:
        row = Row(tuple(self.values(part) for part in parts))
        named = [text for part in row.parts for text in part if isinstance(text, Text)]
        if any(text.value.rpartition("/")[2] == "lightning-cli" for text in named):
            return frozenset({row, CommandLine()})
        starred = NOTHING.union(*(self.values(part) for part in parts if isinstance(part, ast.Starred)))
        return frozenset({row, *(each for each in starred if isinstance(each, CommandLine))})

    def _joined(self, node: ast.JoinedStr | ast.BinOp) -> Values:
        """Return the texts that a formatted string or a sum can be; or a command line."""
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        elif isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
            if any(isinstance(each, CommandLine) for part in parts for each in self.values(part)):
                return frozenset({CommandLine()})
        else:
            return self.values(node.left) if isinstance(node.op, ast.Mod) else NOTHING
        choices = [self.texts(part) or [UNKNOWN] for part in parts]
        count = 1
        for choice in choices:
            count *= len(choice)
        if count > _MOST:
            choices = [choice if len(choice) == 1 else [UNKNOWN] for choice in choices]
        return frozenset(Text("".join(found)) for found in product(*choices))

    def _name(self, node: ast.Name) -> Values:
        bindings = self._module.reaching(node)
        if not bindings:
            return frozenset({Foreign(node.id)})
        return NOTHING.union(*map(self._bound, bindings))

    def _bound(self, binding: Binding) -> Values:
        match binding.value:
            case str() as name:
                found: Values = frozenset({Foreign(name)})
            case ast.arg() as parameter:
                found = self._parameter(parameter)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() as node:
                found = frozenset({Definition(node)})
            case node:
                found = self.values(node)
        for taken in binding.steps:
            found = NOTHING.union(*(step(value, taken) for value in found))
        return found

    def _parameter(self, parameter: ast.arg) -> Values:
        if parameter in self._known:
            return self._known[parameter]
        self._known[parameter] = NOTHING
        function = self._module.functions[parameter]
        name = parameter.arg
        owner = self._module.owners.get(function)
        if owner is not None and name in {"self", "cls"}:
            found: Values = frozenset({Instance(owner)})
        else:
            found = self._hinted(parameter.annotation) | payload(function, name)
            passed = (self.values(value) for _, value in self.callers(function, name))
            found |= {value for values in passed for value in values if not isinstance(value, Text | Parameter)}
            found = found or by_convention(name)
            found |= {Parameter(function, name)}
        self._known[parameter] = found = found if len(found) <= _MOST else NOTHING
        return found

    def _hinted(self, hint: ast.expr | None) -> Values:
        """Return what a type hint promises."""
        match hint:
            case None:
                return NOTHING
            case ast.Constant(value=str() as text):
                names: Values = frozenset(Foreign(name) for name in _HINTED.findall(text))
            case ast.Subscript(slice=inner):
                return self._hinted(inner)
            case ast.BinOp(left=left, right=right):
                return self._hinted(left) | self._hinted(right)
            case ast.Tuple(elts=parts):
                return NOTHING.union(*map(self._hinted, parts))
            case _:
                names = self.values(hint)
        return NOTHING.union(*map(self._made, names))

    def _made(self, of: Value) -> Values:
        """Return the object of a class."""
        match of:
            case Foreign(name=name):
                return made_by(name)
            case Definition(node=ast.ClassDef() as node):
                return frozenset({Instance(node)})
        return NOTHING

    def _attribute(self, node: ast.Attribute) -> Values:
        found: Values = NOTHING
        for value in self.values(node.value):
            match value:
                case Client(library=library):
                    found |= {Method(library, node.attr)}
                case Plugin() if node.attr == "rpc":
                    found |= {Client("pyln")}
                case Instance(of=owner) | Definition(node=ast.ClassDef() as owner):
                    found |= self._member(owner, node.attr)
                case Answer(library="clnrpc" | "grpc"):
                    found |= {value.at(node.attr)}
                case Foreign(name=name):
                    found |= {Foreign(f"{name}.{node.attr}")}
        if not found - {each for each in found if isinstance(each, Foreign)}:
            set_elsewhere = self._module.attributes.get((None, node.attr), ())[:_MOST]
            found |= NOTHING.union(*map(self._bound, set_elsewhere))
            if node.attr == "rpc" and not any(isinstance(each, Client) for each in found):
                return frozenset({Client("pyln")})
        return found or frozenset({Foreign(f".{node.attr}")})

    def _member(self, owner: ast.ClassDef, name: str, seen: frozenset[ast.ClassDef] = frozenset()) -> Values:
        """Return an attribute of a class of this module, or of its objects."""
        inner = self._module.scopes.get(owner)
        bindings = [*(inner.names.get(name, ()) if inner else ()), *self._module.attributes.get((owner, name), ())]
        if bindings:
            found = NOTHING.union(*map(self._bound, bindings[:_MOST]))
            return NOTHING.union(*map(self._without_property, found))
        found = NOTHING
        for base in owner.bases:
            for value in self.values(base):
                match value:
                    case Definition(node=ast.ClassDef() as outer) if outer not in seen:
                        found |= self._member(outer, name, seen | {owner})
                    case Foreign(name=made):
                        found |= {
                            Method(client.library, name) for client in made_by(made) if isinstance(client, Client)
                        }
        if not found and owner in self._proxies:
            return frozenset({Method("raw", name)})
        return found

    def _without_property(self, value: Value) -> Values:
        if isinstance(value, Definition) and not isinstance(value.node, ast.ClassDef | ast.Lambda):
            names = {getattr(each, "id", getattr(each, "attr", "")) for each in value.node.decorator_list}
            if names & {"property", "cached_property"}:
                return self._returned(value.node)
        return frozenset({value})

    def _subscript(self, node: ast.Subscript) -> Values:
        base = self.values(node.value)
        if isinstance(node.slice, ast.Slice):
            return base
        keys = self.texts(node.slice)
        position = node.slice.value if isinstance(node.slice, ast.Constant) else ELEMENT
        found: Values = NOTHING
        for value in base:
            if isinstance(value, Answer) and keys:
                found |= {value.member(key) for key in keys}
            elif isinstance(value, Dictionary) and isinstance(value.node, ast.Dict):
                for key, part in zip(value.node.keys, value.node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in keys:
                        found |= self.values(part)
            else:
                found |= step(value, position if isinstance(position, int) else ELEMENT)
        return found

    # Calls

    def _call(self, node: ast.Call) -> Values:
        if node in self._wrapped:
            return frozenset(Answer("rpc", name, "raw") for name in self._wrapped[node])
        found: Values = NOTHING
        for value in self.values(node.func):
            match value:
                case Method():
                    found |= self._answers(value, node)
                case Definition(node=ast.ClassDef() as made):
                    found |= {Instance(made)}
                case Definition(node=function):
                    found |= self._returned(function)
                case Foreign(name=name):
                    found |= made_by(name)
        if isinstance(node.func, ast.Attribute):
            for value in self.values(node.func.value):
                found |= self._method(value, node.func.attr, node)
        return found or self._passed_on(node)

    def _answers(self, method: Method, node: ast.Call) -> Values:
        given = frozenset(each.name for each in self.reader.of_call(node))
        if method.name not in CALLS:
            return frozenset({Answer("rpc", method.name, method.library, (), given)})
        named = (
            node.args[0] if node.args else next((each.value for each in node.keywords if each.arg == "method"), None)
        )
        names = self.texts(named) if named is not None else []
        library = "raw" if method.library == "clnrpc" else method.library
        return frozenset(Answer("rpc", name, library, (), given) for name in names)

    def _returned(self, function: ast.AST) -> Values:
        found = NOTHING.union(*map(self.values, self._module.returned.get(function, ())[:_MOST]))
        if yielded := self._module.yielded.get(function):
            found |= {Many(NOTHING.union(*map(self.values, yielded[:_MOST])))}
        return frozenset(each for each in found if not isinstance(each, Parameter))

    def _method(self, value: Value, name: str, node: ast.Call) -> Values:
        """Return what methods of dictionaries, lists, strings and HTTP responses return."""
        match value, name:
            case Answer(), "get" | "pop" | "setdefault" if node.args:
                fallback = self.values(node.args[1]) if len(node.args) > 1 else NOTHING
                found: Values = frozenset(value.member(key) for key in self.texts(node.args[0]))
                return found | {each for each in fallback if isinstance(each, Answer)}
            case Answer(), "json" | "result":
                return frozenset({value})
            case Answer(), "values":
                return frozenset({Many(frozenset({value.at(ITEM)}))})
            case Answer(), "items":
                return frozenset({Many(frozenset({Row((NOTHING, frozenset({value.at(ITEM)})))}))})
            case Answer() | Row() | Many() | CommandLine() | Dictionary(), "copy":
                return frozenset({value})
            case Text(), "format" | "strip" | "rstrip" | "lower":
                return frozenset({value})
        return NOTHING

    def _passed_on(self, node: ast.Call) -> Values:
        """Return what a function of another module makes of its arguments."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        every = [self.values(argument) for argument in (*node.args, *(each.value for each in node.keywords))]
        passed = NOTHING.union(*every)
        if name == "gather":
            return frozenset({Row(tuple(every))})
        if name == "zip":
            return frozenset({Many(frozenset({Row(tuple(map(elements, every)))}))})
        if name == "enumerate" and every:
            return frozenset({Many(frozenset({Row((NOTHING, elements(every[0])))}))})
        if name in SAME | AWAITED:
            same: Values = frozenset(
                each for each in passed if not isinstance(each, Text | Definition | Method | Foreign)
            )
            return same | ({Dictionary(node)} if name == "dict" and node.keywords else NOTHING)
        if name in PICKED:
            return elements(passed)
        called = (self._returned(each.node) for each in passed if isinstance(each, Definition))
        made = NOTHING.union(
            *called, *(self._answers(each, _NO_ARGUMENTS) for each in passed if isinstance(each, Method))
        )
        paths = (rest_command(each.value) for each in passed if isinstance(each, Text))
        answers = {each for each in made if isinstance(each, Answer)}
        return frozenset(answers | {Answer("rpc", command, "raw") for command in paths if command})


_NO_ARGUMENTS: Final = ast.Call(ast.Name("_"), [], [])
