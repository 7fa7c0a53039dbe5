"""What changes for a program that moves from pyln-client to clnrpc, with the code to write instead.

Each statement is rewritten as a whole, because its parts depend on each other.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rpcschema.findings import Finding, Severity
from rpcschema.model.nodes import Document, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.python import names
from rpcschema.scan.follow import CALLS, Follower
from rpcschema.scan.table import python_name
from rpcschema.scan.uses import Uses
from rpcschema.scan.values import ITEM, Answer, Dictionary, Foreign, Method, Plugin
from rpcschema.settings import SettingsError, read_toml

_CLASSES: Final = {"LightningRpc": "Client", "RpcError": "RpcError", "Plugin": "Plugin"}
"""Classes of pyln.client, and those of clnrpc that replace them."""
_RULES: Final = ("new-import", "new-class", "new-call", "new-field")
"""From the greatest change to the smallest. A statement is reported for the greatest that it contains."""
_PLUGIN: Final = "Write a subclass, whose methods handle notifications and hooks: docs/how-to/write-a-plugin.md."


@dataclass(frozen=True, slots=True)
class Signature:
    """How a method of pyln-client takes the parameters of a command."""

    command: str
    order: tuple[str, ...]
    """The parameters of the command by position."""
    names: Mapping[str, str]
    """The method's names for parameters, where they differ, and the command's."""
    fixed: Mapping[str, str]
    """Parameters that the method passes by itself."""


def read_signatures(file: Path) -> Mapping[str, Signature]:
    """Return the table of methods of pyln-client. Raises SettingsError if it cannot be used."""
    found = {}
    for method, raw in read_toml(file).items():
        if not isinstance(raw, dict) or "order" not in raw:
            raise SettingsError(f"{file}: {method}: expected a table with order, the parameters by position")
        command = raw.get("command", method)
        found[method] = Signature(command, tuple(raw["order"]), raw.get("names", {}), raw.get("fixed", {}))
    return found


@dataclass(frozen=True)
class Target:
    """The commands of clnrpc, and how pyln-client calls them."""

    documents: Mapping[str, Document]
    """By the names of commands as Python writes them."""
    signatures: Mapping[str, Signature]
    _fields: dict[str, frozenset[tuple[str, ...]]] = field(default_factory=dict)
    """The paths of the fields in responses, of the documents that were asked for."""

    def signature(self, method: str) -> Signature | None:
        """Return how a method of pyln-client takes its parameters; None for one without a command."""
        if (found := self.signatures.get(method)) is not None:
            return found
        if (document := self.documents.get(python_name(method))) is None:
            return None
        return Signature(document.name, document.request.positional, {}, {})

    def attribute(self, answer: Answer) -> str | None:
        """Return the attribute for the field of an answer; None if its document does not have the field."""
        signature = self.signature(answer.name) if answer.kind == "rpc" else None
        document = None if signature is None else self.documents.get(python_name(signature.command))
        if document is None:
            return None
        if document.name not in self._fields:
            self._fields[document.name] = frozenset(_below((), [document.response]))
        return names.member(document, answer.path[-1]) if answer.path in self._fields[document.name] else None


def _below(path: tuple[str, ...], nodes: Sequence[SchemaNode]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all fields below `path`, which `nodes` declare."""
    for form in (form for node in nodes for form in node.forms):
        shape = resolve(form)
        for member in (*shape.fields, *shape.hidden):
            yield (*path, member.name)
            yield from _below((*path, member.name), member.alternatives)
        if form.items is not None:
            yield from _below((*path, ITEM), [form.items])


def moves(uses: Uses, target: Target) -> Iterator[Finding]:
    """Yield a finding for each statement of a file that changes."""
    for statement in _statements(uses.module.scope.node):
        rewriter = _Rewriter(uses.follower, target)
        written = rewriter.written(statement)
        if not rewriter.rules:
            continue
        rule = min(rewriter.rules, key=_RULES.index)
        notes = "".join(f" {note}" for note in dict.fromkeys(rewriter.notes))
        yield Finding(
            rule=rule,
            severity=Severity.NOTE,
            file=uses.path,
            line=statement.lineno,
            message=f"write: {written}" + (f"  #{notes}" if notes else ""),
            more={"write": written, "notes": list(dict.fromkeys(rewriter.notes))},
        )


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield all statements in the order of the source."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    yield from sorted(found, key=lambda node: (node.lineno, node.col_offset))


@dataclass
class _Rewriter(ast.NodeTransformer):
    follower: Follower
    target: Target
    rules: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def written(self, statement: ast.stmt) -> str:
        """Return the new text of a statement, without the statements in it."""
        if isinstance(statement, ast.ImportFrom):
            return self._import(statement)
        shell = copy.copy(statement)
        for name, value in ast.iter_fields(statement):
            if (
                isinstance(value, list)
                and value
                and isinstance(value[0], ast.stmt | ast.ExceptHandler | ast.match_case)
            ):
                setattr(shell, name, [ast.Pass()] if name == "body" else [])
            elif name == "decorator_list":
                setattr(shell, name, [])
            elif isinstance(value, ast.AST):
                setattr(shell, name, self.visit(value))
            elif isinstance(value, list):
                setattr(shell, name, [self.visit(each) if isinstance(each, ast.AST) else each for each in value])
        if not self.rules or isinstance(shell, ast.Try | ast.Match):
            return ""
        return ast.unparse(ast.fix_missing_locations(shell)).removesuffix("\n    pass")

    def _import(self, statement: ast.ImportFrom) -> str:
        if statement.module not in {"pyln.client", "lightning"} or statement.level:
            return ""
        made = [ast.alias(_CLASSES[each.name], each.asname) for each in statement.names if each.name in _CLASSES]
        if not made:
            return ""
        self.rules.add("new-import")
        lost = ", ".join(each.name for each in statement.names if each.name not in _CLASSES)
        if lost:
            self.notes.append(f"clnrpc has no {lost}; amounts are integers.")
        return ast.unparse(ast.ImportFrom("clnrpc", made, 0))

    # Expressions. Each asks about the node of the source, before its parts change.

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Rewrite a copy, because other parts of the scan know the nodes of the source."""
        made = copy.copy(node)
        for name, value in ast.iter_fields(made):
            if isinstance(value, list):
                setattr(made, name, [*value])
        return super().generic_visit(made)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        for value in self.follower.values(node) if isinstance(node.ctx, ast.Load) else ():
            if isinstance(value, Foreign) and value.name.startswith(("pyln.client.", "lightning.")):
                made = _CLASSES.get(value.last, node.id)
                if made != node.id:
                    self.rules.add("new-class")
                    return ast.Name(made)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr == "rpc" and Plugin() in self.follower.values(node.value):
            return ast.Attribute(self.visit(node.value), "rpc_client")
        for value in self.follower.values(node):
            if isinstance(value, Foreign) and value.name.startswith("pyln.client.") and value.last in _CLASSES:
                self.rules.add("new-class")
                return ast.Attribute(ast.Name("clnrpc"), _CLASSES[value.last])
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute):
            read = self._read(node.func.value, node.args[0]) if node.func.attr == "get" and node.args else None
            if read is not None:
                return self._or_default(read, node.args[1:])
            for value in self.follower.values(node.func):
                if isinstance(value, Method) and value.library == "pyln":
                    return self._method(node, node.func, value)
        if any(value == Foreign("pyln.client.Plugin") for value in self.follower.values(node.func)):
            self.rules.add("new-class")
            self.notes.append(_PLUGIN)
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        read = self._read(node.value, node.slice) if isinstance(node.ctx, ast.Load) else None
        return self.generic_visit(node) if read is None else read

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        match node:
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn() as operator], comparators=[base]):
                if (read := self._read(base, key)) is not None:
                    is_in = isinstance(operator, ast.In)
                    return ast.Compare(read, [ast.IsNot() if is_in else ast.Is()], [ast.Constant(None)])
        return self.generic_visit(node)

    def _read(self, base: ast.expr, key: ast.expr) -> ast.Attribute | None:
        """Return the attribute that replaces `base[key]`; None if that is no field of an answer."""
        keys = self.follower.texts(key)
        answers = [
            value for value in self.follower.values(base) if isinstance(value, Answer) and value.library == "pyln"
        ]
        if len(keys) != 1 or not answers or not isinstance(key, ast.Constant):
            return None
        found = {self.target.attribute(answer.at(keys[0])) for answer in answers if answer.kind == "rpc"}
        if len(found - {None}) != 1:
            for answer in answers:
                if self.target.signature(answer.name) is not None:
                    self.notes.append(f"`{answer.name}` documents no field `{answer.at(keys[0]).field}`.")
            return None
        self.rules.add("new-field")
        return ast.Attribute(self.visit(base), next(name for name in found if name is not None))

    def _or_default(self, read: ast.Attribute, default: Sequence[ast.expr]) -> ast.expr:
        if not default or (isinstance(default[0], ast.Constant) and default[0].value is None):
            return read
        absent = ast.Compare(read, [ast.Is()], [ast.Constant(None)])
        return ast.IfExp(absent, self.visit(default[0]), read)

    def _method(self, node: ast.Call, function: ast.Attribute, method: Method) -> ast.AST:
        """Return the call of clnrpc that replaces the call of a method of pyln-client."""
        opened = self._opened(node) if method.name in CALLS else (method.name, node.args, node.keywords)
        if opened is None:
            return self.generic_visit(node)
        name, positional, keywords = opened
        signature = self.target.signature(name)
        document = None if signature is None else self.target.documents.get(python_name(signature.command))
        if signature is None or document is None:
            self.notes.append(f"clnrpc has no method for `{name}`; `rpc_call` calls any command.")
            return self.generic_visit(node)
        if any(isinstance(each, ast.Starred) for each in positional):
            return self.generic_visit(node)
        self.rules.add("new-call")
        passed: list[tuple[str | None, ast.expr]]
        passed = [(wire, ast.Constant(value)) for wire, value in signature.fixed.items()]
        passed += [(wire, self.visit(value)) for wire, value in zip(signature.order, positional, strict=False)]
        passed += [(signature.names.get(each.arg or "", each.arg), self.visit(each.value)) for each in keywords]
        return _call(ast.Attribute(self.visit(function.value), names.method(document)), document, passed)

    def _opened(self, node: ast.Call) -> tuple[str, Sequence[ast.expr], Sequence[ast.keyword]] | None:
        """Return the command and parameters of `rpc.call("name", {...})`; None if they are not written out there."""
        given = [*node.args, *(each.value for each in node.keywords if each.arg in {"method", "payload"})]
        texts = self.follower.texts(given[0]) if given else []
        if len(texts) != 1 or len(given) > 2:
            return None
        if len(given) == 1:
            return texts[0], (), ()
        if isinstance(given[1], ast.List | ast.Tuple):
            return texts[0], given[1].elts, ()
        if any(isinstance(value, Dictionary) for value in self.follower.values(given[1])):
            if not isinstance(given[1], ast.Dict):
                return texts[0], (), (ast.keyword(None, given[1]),)
            keys = [key.value if isinstance(key, ast.Constant) else None for key in given[1].keys]
            pairs = zip(keys, given[1].values, strict=True)
            return texts[0], (), [ast.keyword(key if isinstance(key, str) else None, value) for key, value in pairs]
        return None


def _call(function: ast.expr, document: Document, passed: Sequence[tuple[str | None, ast.expr]]) -> ast.Call:
    """Return a call that passes the required parameters by position as far as possible, and all others by keyword."""
    required = [each.name for each in document.request.fields or () if each.name in (document.request.required or ())]
    values = {wire: value for wire, value in passed if wire is not None}
    positional = []
    for name in required:
        if name not in values:
            break
        positional.append(values.pop(name))
    keywords = [ast.keyword(names.attribute(wire), value) for wire, value in values.items()]
    keywords += [ast.keyword(None, value) for wire, value in passed if wire is None]
    return ast.Call(function, positional, keywords)
