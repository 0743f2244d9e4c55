"""A Python function -> the formula that it computes, read from its source; the function never runs.

Assignments become let-lines, loops over what is known are unrolled, helper functions are written out
where they are called, a name that is given again gets a number. What the closed list of syntax does not
hold is refused with its line. Numbers, lists and functions of the surroundings are looked up by their
names; of a module only the name of what is taken from it matters.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from report.autodiff.graph import Array
from report.autodiff.parser.python_entries import EMPTY, FILLED, Cells, are_set, filled, place_of
from report.autodiff.parser.python_lines import MAX_LINES, Inner, Scope, at, inner, refused
from report.autodiff.parser.python_source import Source, defaults, parameters, read
from report.autodiff.parser.python_values import _Values

MAX_DEPTH = 50  # of calls inside calls


def formula(function: Any, inputs: Mapping[str, Array]) -> str:
    """The formula of a Python function over `inputs`, of which names and shapes are used.

    Raises ReportError, with the line of the source, for what cannot be read.
    """
    source = read(function)
    reader = _Reader(source, inputs)
    result = reader.called(source, _arguments(source, inputs))
    if not isinstance(result, ast.expr):
        result = reader.written(source.node, result)
    reader.lines.append((ast.unparse(result), source, getattr(result, "lineno", 1)))
    reader.check()
    return "\n".join(text for text, _, _ in reader.lines)


def _arguments(source: Source, inputs: Mapping[str, Array]) -> dict[str, Any]:
    """The inputs as the arguments of the function; ReportError for one that has no value."""
    args = source.node.args
    if args.vararg or args.kwarg:
        raise source.error(source.node, "* and ** in the arguments: give each argument a name")
    given = {name: ast.Name(name, ast.Load()) for name in inputs}
    names = [a.arg for a in parameters(source.node)]
    missing = [n for n in names if n not in given and n not in defaults(source.node)]
    if missing:
        raise source.error(source.node, f"argument {missing[0]!r} has no value; put it into inputs")
    return {name: node for name, node in given.items() if name in names}


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Reader(_Values):
    """Runs through the statements of a function, and of those that it calls."""

    def called(self, source: Source, given: Mapping[str, Any], outer: Scope | None = None) -> Any:
        """What a function returns for these arguments."""
        scope = Scope(source, dict(given), outer)
        for name, default in defaults(source.node).items():
            if name not in scope.names:
                scope.names[name] = self.value(scope, default)
        if isinstance(source.node, ast.Lambda):
            return self.value(scope, source.node.body)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise source.error(source.node, "functions call each other too deep, or for ever")
        try:
            self.run(scope, source.node.body)
        except _Return as found:
            return found.value
        finally:
            self.depth -= 1
        raise source.error(source.node.body[-1], "the function ends without a return")

    def run(self, scope: Scope, body: list[ast.stmt]) -> None:
        for statement in body:
            act = _STATEMENTS.get(type(statement))
            if act is None:
                raise scope.source.error(statement, refused(statement))
            act(self, scope, statement)

    def on_return(self, scope: Scope, s: ast.Return) -> None:
        if s.value is None:
            raise scope.source.error(s, "return needs a value")
        raise _Return(self.value(scope, s.value))

    def on_assign(self, scope: Scope, s: ast.Assign) -> None:
        known = self.own(scope, s.value)  # another name for an array, or a new array
        value = known if isinstance(known, Cells) else self.held(scope, s.value)
        for target in s.targets:
            self.assign(scope, target, self.cells(scope, s, target, value))

    def cells(self, scope: Scope, s: ast.Assign, target: ast.expr, value: Any) -> Any:
        """A new array of which entries are set later, ready for that; any other value as it is."""
        body = scope.source.node.body
        match s.value, target:
            case ast.Call(func=ast.Attribute(attr=made) | ast.Name(id=made)) as call, ast.Name(
                id=name
            ):
                whole = any(
                    k.arg == "dtype" and "float" not in ast.unparse(k.value) for k in call.keywords
                )
                if made not in (*FILLED, *EMPTY) or whole or not isinstance(value, ast.expr):
                    return value
                if isinstance(body, list) and name in are_set(body):
                    return filled(self.shape(value), FILLED.get(made))
        return value

    def on_annotated(self, scope: Scope, s: ast.AnnAssign) -> None:
        if s.value is not None:
            self.assign(scope, s.target, self.value(scope, s.value))

    def on_augmented(self, scope: Scope, s: ast.AugAssign) -> None:
        old = ast.parse(ast.unparse(s.target), mode="eval").body
        whole = ast.copy_location(ast.BinOp(old, s.op, s.value), s)
        for part in ast.walk(old):
            ast.copy_location(part, s)
        self.assign(scope, s.target, self.value(scope, whole))

    def on_expression(self, scope: Scope, s: ast.Expr) -> None:
        match s.value:
            case ast.Constant(value=str()) | ast.Call(func=ast.Name(id="print")):
                return
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="append"), args=[e]):
                listed = self.lookup(scope, owner)
                if isinstance(listed, list):
                    listed.append(self.held(scope, e))
                    return
        raise scope.source.error(s, "this line has no effect on the value; leave it out")

    def on_for(self, scope: Scope, s: ast.For) -> None:
        if s.orelse:
            raise scope.source.error(s, "else after a loop cannot be read")
        for item in self.items(scope, s.iter):
            self.assign(scope, s.target, item, keep=True)
            try:
                self.run(scope, s.body)
            except _Continue:
                continue
            except _Break:
                break

    def on_while(self, scope: Scope, s: ast.While) -> None:
        for _ in range(MAX_LINES):
            if isinstance(self.value(scope, s.test), ast.expr):
                words = "while: how often is not known beforehand; write for i in range(3)"
                raise scope.source.error(s, words)
            if s.orelse or not self.decided(scope, s.test):
                break
            try:
                self.run(scope, s.body)
            except _Continue:
                continue
            except _Break:
                return
        else:
            raise scope.source.error(s, f"a loop of more than {MAX_LINES} turns")
        if s.orelse:
            raise scope.source.error(s, "else after a loop cannot be read")

    def on_break(self, scope: Scope, s: ast.Break) -> None:
        raise _Break

    def on_continue(self, scope: Scope, s: ast.Continue) -> None:
        raise _Continue

    def on_if(self, scope: Scope, s: ast.If) -> None:
        self.run(scope, s.body if self.decided(scope, s.test) else s.orelse)

    def on_def(self, scope: Scope, s: ast.FunctionDef) -> None:
        scope.names[s.name] = Inner(inner(scope.source, s.name, s), scope)

    def on_nothing(self, scope: Scope, s: ast.stmt) -> None:
        """A line that says nothing about the value."""

    def assign(self, scope: Scope, target: ast.expr, value: Any, *, keep: bool = False) -> None:
        """Give a name, or several, a value; a computed one becomes a let-line unless `keep`."""
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = value if isinstance(value, (list, tuple)) else self.rows(scope, target, value)
            if len(parts) != len(target.elts):
                raise scope.source.error(
                    target, f"{len(target.elts)} names for {len(parts)} values"
                )
            for one, part in zip(target.elts, parts, strict=True):
                self.assign(scope, one, part, keep=keep)
            return
        if not isinstance(target, ast.Name):
            self.assign_entry(scope, target, value)
            return
        if (
            isinstance(value, ast.expr)
            and not keep
            and not isinstance(value, (ast.Name, ast.Constant))
        ):
            value = self.let(scope, target, value)
        scope.names[target.id] = value

    def assign_entry(self, scope: Scope, target: ast.expr, value: Any) -> None:
        """Set an entry of an array or list that the function has made itself."""
        root, keys = place_of(target)
        owner = self.own(scope, root)
        places = [self.value(scope, key) for key in keys]
        if isinstance(value, ast.expr) and not isinstance(value, (ast.Name, ast.Constant)):
            name = "_".join(
                [ast.unparse(root), *(str(p) for p in places if type(p) is int and p >= 0)]
            )
            value = self.let(scope, at(name, target), value)
        if isinstance(owner, Cells):
            first = range(owner.shape[0])[places[0]] if isinstance(places[0], slice) else places[:1]
            if not owner.held.isdisjoint(p % owner.shape[0] for p in first if type(p) is int):
                name = ast.unparse(root)
                words = f"{name} is changed after something else shares its entries; give that {name}.copy()"
                raise scope.source.error(target, words)
            if len(places) <= len(owner.shape):
                self.put(scope, target, owner, places, value)
                return
        try:
            for place in places[:-1]:
                owner = owner[place]
            if isinstance(owner, (list, dict)):
                owner[places[-1]] = value
                return
        except (TypeError, IndexError, KeyError):
            pass
        raise scope.source.error(
            target, "an entry cannot be set; make the whole at once, as by stack([a, b])"
        )


_STATEMENTS: dict[type[ast.stmt], Callable[[_Reader, Scope, Any], None]] = {
    ast.Return: _Reader.on_return,
    ast.Assign: _Reader.on_assign,
    ast.AnnAssign: _Reader.on_annotated,
    ast.AugAssign: _Reader.on_augmented,
    ast.Expr: _Reader.on_expression,
    ast.For: _Reader.on_for,
    ast.While: _Reader.on_while,
    ast.If: _Reader.on_if,
    ast.FunctionDef: _Reader.on_def,
    ast.Break: _Reader.on_break,
    ast.Continue: _Reader.on_continue,
    ast.Pass: _Reader.on_nothing,
    ast.Assert: _Reader.on_nothing,
}
