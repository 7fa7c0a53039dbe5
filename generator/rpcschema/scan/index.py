"""Note what a module names, and where."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from rpcschema.scan.scopes import ELEMENT, FUNCTIONS, Binding, Block, Def, Module, Place, Scope


def index(tree: ast.Module) -> Module:
    """Return what is noted of a module."""
    indexer = _Indexer(tree)
    indexer.body(tree.body)
    module = indexer.module
    for call in (node for node in module.nodes if isinstance(node, ast.Call)):
        for binding in module.reaching(call.func) if isinstance(call.func, ast.Name) else ():
            if isinstance(binding.value, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                module.calls.setdefault(binding.value, []).append(call)
    return module


class _Indexer(ast.NodeVisitor):
    """Visits a module in the order in which it runs."""

    def __init__(self, tree: ast.Module) -> None:
        self.scope = Scope(tree, None)
        self.module = Module(self.scope)
        self.block = Block()
        self.order = 0
        self.classes: list[ast.ClassDef | None] = [None]

    # Statements

    def body(self, statements: Sequence[ast.stmt]) -> None:
        for at, statement in enumerate(statements):
            if at == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            self.visit(statement)

    def nested(self, statements: Sequence[ast.stmt], *, is_loop: bool = False) -> None:
        if not statements:
            return
        outer, self.block = self.block, Block(self.block, is_loop, self.block.depth + 1)
        for statement in statements:
            self.visit(statement)
        self.block = outer

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.nested(node.body)
        self.nested(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.nested(node.body, is_loop=True)
        self.nested(node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        outer, self.block = self.block, Block(self.block, is_loop=True, depth=self.block.depth + 1)
        self.bind(node.target, node.iter, (ELEMENT,))
        for statement in node.body:
            self.visit(statement)
        self.block = outer
        self.nested(node.orelse)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        self.nested(node.body)
        for handler in node.handlers:
            self.visit(handler)
        self.nested(node.orelse)
        self.nested(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            self.note(node.name, node)
        self.nested(node.body)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, item.context_expr)
        for statement in node.body:
            self.visit(statement)

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self.visit(node.guard)
        self.nested(node.body)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.bind(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
        self.bind(node.target, node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.visit(node.target)
        if isinstance(node.target, ast.Name):  # the old value is part of the new one
            self.module.places[node.target] = self.here()
            whole = ast.BinOp(ast.copy_location(node.target, node), node.op, node.value)
            self.bind(node.target, whole)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.module.returned.setdefault(self.function(), []).append(node.value)

    def visit_Yield(self, node: ast.Yield) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.module.yielded.setdefault(self.function(), []).append(node.value)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.elsewhere.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.note(alias.asname or top, alias.name if alias.asname else top)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.note(alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}")

    # Definitions

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in (*node.bases, *(each.value for each in node.keywords)):
            self.visit(base)
        self.note(node.name, node)
        self.classes.append(node)
        self.inner(node, node.body)
        self.classes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            self.visit(default)
        self.note(node.name, node)
        owner = self.classes[-1]
        if owner is not None and self.scope.node is owner:
            self.module.owners[node] = owner
        self.parameters(node)
        self.inner(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.parameters(node)
        self.inner(node, (ast.Expr(node.body),))
        self.module.returned[node] = [node.body]

    def parameters(self, node: Def) -> None:
        scope = self.module.scopes.setdefault(node, Scope(node, self.scope))
        given = node.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if each is not None:
                if each.annotation is not None:
                    self.visit(each.annotation)
                self.module.functions[each] = node
                self.order += 1
                scope.names.setdefault(each.arg, []).append(Binding(self.block, self.order, each))

    def inner(self, node: ast.AST, statements: Sequence[ast.stmt]) -> None:
        scope, block = self.scope, self.block
        self.scope = self.module.scopes.setdefault(node, Scope(node, scope))
        self.body(statements)
        self.scope, self.block = scope, block

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.module.nodes.append(node)
        outer, self.scope = self.scope, Scope(node, self.scope)
        for part in node.generators:
            self.visit(part.iter)
            self.bind(part.target, part.iter, (ELEMENT,))
            for condition in part.ifs:
                self.visit(condition)
        for child in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(child)
        self.scope = outer

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp  # noqa: N815

    # Expressions

    def visit_Name(self, node: ast.Name) -> None:
        self.module.places[node] = self.here()

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.bind(node.target, node.value)

    def visit_Call(self, node: ast.Call) -> None:
        owner = self.classes[-1]
        match node.func:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if owner is not None:
                self.module.own_calls.setdefault(name, {}).setdefault(owner, []).append(node)
            case ast.Attribute(attr=name):
                self.module.method_calls.setdefault(name, []).append(node)
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self.module.nodes.append(node)
        super().generic_visit(node)

    # Names

    def here(self) -> Place:
        self.order += 1
        return Place(self.scope, self.block, self.order)

    def function(self) -> ast.AST:
        scope: Scope = self.scope
        while scope.parent is not None and not isinstance(scope.node, FUNCTIONS):
            scope = scope.parent
        return scope.node

    def note(self, name: str, value: ast.AST | str, steps: tuple[int | None, ...] = ()) -> None:
        self.order += 1
        scope = self.scope
        if name in scope.elsewhere:
            scope = self.module.scope
        scope.names.setdefault(name, []).append(Binding(self.block, self.order, value, steps))

    def bind(self, target: ast.expr, value: ast.AST, steps: tuple[int | None, ...] = ()) -> None:
        """Note what an assignment gives to its target."""
        match target:
            case ast.Name():
                self.note(target.id, value, steps)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for at, part in enumerate(parts):
                    self.bind(part, value, (*steps, at))
            case ast.Starred(value=inner):
                self.bind(inner, value, steps[:-1])
            case ast.Attribute(value=owner, attr=name):
                self.visit(owner)
                self.order += 1
                is_own = isinstance(owner, ast.Name) and owner.id in {"self", "cls"}
                key = (self.classes[-1] if is_own else None, name)
                self.module.attributes.setdefault(key, []).append(Binding(self.block, self.order, value, steps))
            case ast.Subscript(value=owner, slice=key):
                self.visit(owner)
                self.visit(key)
                if isinstance(owner, ast.Name) and isinstance(value, ast.expr):
                    self.scope.stored.setdefault(owner.id, []).append((key, value))
