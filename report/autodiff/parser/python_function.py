"""A Python function -> the formula that it computes, read from its source; the function never runs.

Assignments become let-lines, loops over what is known are unrolled, helper functions are written out
where they are called, a name that is given again gets a number. What the closed list of syntax does not
hold is refused with its line. Numbers, lists and functions of the surroundings are looked up by their
names; of a module only the name of what is taken from it matters.
"""

from __future__ import annotations

import ast
import builtins
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from report.autodiff.graph import Array, Shape
from report.autodiff.inputs import NAME, check_name
from report.autodiff.parser import python_calls
from report.autodiff.parser.parser import parse
from report.autodiff.parser.python_source import Source, defaults, parameters, plain, read
from report.errors import ReportError

MAX_LINES = 20_000  # let-lines of the formula
MAX_DEPTH = 50  # of calls inside calls
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "newaxis": None}


def formula(function: Any, inputs: Mapping[str, Array]) -> str:
    """The formula of a Python function over `inputs`, of which names and shapes are used.

    Raises ReportError, with the line of the source, for what cannot be read.
    """
    source = read(function)
    reader = _Reader(source, inputs)
    result = reader.called(source, _arguments(source, inputs), {})
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


# ---------------------------------------------------------------- the reading


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


@dataclass(eq=False)
class _Scope:
    """The names of one call: nodes of the formula, numbers, words, lists of these, functions."""

    source: Source
    names: dict[str, Any] = field(default_factory=dict)
    outer: _Scope | None = None


@dataclass(frozen=True, eq=False)
class _Inner:
    """A function defined inside the function, with the names it sees."""

    source: Source
    scope: _Scope


class _Reader:
    def __init__(self, source: Source, inputs: Mapping[str, Array]) -> None:
        self.source = source
        self.inputs = inputs
        self.lines: list[tuple[str, Source, int]] = []
        self.taken = set(inputs)
        self.shapes: dict[str, Shape] = {name: np.shape(value) for name, value in inputs.items()}
        self.depth = 0
        self.knows_torch = "torch" in source.around

    def check(self) -> None:
        """Read the formula, so that what is wrong with it is told at its line of the function."""
        self._parse([text for text, _, _ in self.lines])

    def _parse(self, lines: list[str]) -> Any:
        try:
            return parse("\n".join(lines), self.inputs)
        except ReportError as error:
            message, found, rest = str(error).partition("\n  in the function, line ")
            number = rest.partition(",")[0]
            if not found or not number.isdecimal() or int(number) > len(self.lines):
                raise
            _, source, line = self.lines[int(number) - 1]
            at = ast.Pass(lineno=line)
            raise source.error(at, message) from None

    def shape(self, e: ast.expr) -> Shape:
        """The shape of an expression of the formula."""
        if isinstance(e, ast.Name) and e.id in self.shapes:
            return self.shapes[e.id]
        if isinstance(e, ast.Constant):
            return ()
        name = self.fresh("shape")
        lines = [text for text, _, _ in self.lines]
        found = self._parse([*lines, f"{name} = {ast.unparse(e)}", f"sum({name})"])
        self.taken.discard(name)
        shape: Shape = found.lets[name].shape
        if isinstance(e, ast.Name):
            self.shapes[e.id] = shape
        return shape

    def fresh(self, name: str) -> str:
        """A name of a let-line that nothing has yet: h, then h_2, h_3 (h_1 where h is an input)."""
        own = name.strip("_") or "v"
        usable = NAME.fullmatch(own) is not None
        try:
            check_name(own)
        except ReportError:
            usable = False
        base = own if NAME.fullmatch(own) else "v"
        if not usable or own in self.taken or python_calls.is_gate(own):
            start = 1 if own in self.inputs or not usable or own not in self.taken else 2
            own = next(
                n for i in range(start, MAX_LINES * 2) if (n := f"{base}_{i}") not in self.taken
            )
        self.taken.add(own)
        return own

    # ------------------------------------------------------------ calls and statements

    def called(
        self, source: Source, given: Mapping[str, Any], free: Mapping[str, Any],
        outer: _Scope | None = None,
    ) -> Any:  # fmt: skip
        """What a function returns for these arguments."""
        scope = _Scope(source, {**free, **given}, outer)
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

    def run(self, scope: _Scope, body: list[ast.stmt]) -> None:
        for statement in body:
            act = _STATEMENTS.get(type(statement))
            if act is None:
                raise scope.source.error(statement, _refused(statement))
            act(self, scope, statement)

    def on_return(self, scope: _Scope, s: ast.Return) -> None:
        if s.value is None:
            raise scope.source.error(s, "return needs a value")
        raise _Return(self.value(scope, s.value))

    def on_assign(self, scope: _Scope, s: ast.Assign) -> None:
        value = self.value(scope, s.value)
        for target in s.targets:
            self.assign(scope, target, value)

    def on_annotated(self, scope: _Scope, s: ast.AnnAssign) -> None:
        if s.value is not None:
            self.assign(scope, s.target, self.value(scope, s.value))

    def on_augmented(self, scope: _Scope, s: ast.AugAssign) -> None:
        if not isinstance(s.target, ast.Name):
            raise scope.source.error(s, "an entry cannot be changed; give the whole a new name")
        whole = ast.BinOp(ast.Name(s.target.id, ast.Load()), s.op, s.value)
        ast.copy_location(whole, s)
        ast.copy_location(whole.left, s)
        self.assign(scope, s.target, self.value(scope, whole))

    def on_expression(self, scope: _Scope, s: ast.Expr) -> None:
        match s.value:
            case ast.Constant(value=str()) | ast.Call(func=ast.Name(id="print")):
                return
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="append"), args=[e]):
                listed = self.lookup(scope, owner)
                if isinstance(listed, list):
                    listed.append(self.value(scope, e))
                    return
        raise scope.source.error(s, "this line has no effect on the value; leave it out")

    def on_for(self, scope: _Scope, s: ast.For) -> None:
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

    def on_break(self, scope: _Scope, s: ast.Break) -> None:
        raise _Break

    def on_continue(self, scope: _Scope, s: ast.Continue) -> None:
        raise _Continue

    def on_if(self, scope: _Scope, s: ast.If) -> None:
        self.run(scope, s.body if self.decided(scope, s.test) else s.orelse)

    def on_def(self, scope: _Scope, s: ast.FunctionDef) -> None:
        scope.names[s.name] = _Inner(_inner(scope.source, s.name, s), scope)

    def on_nothing(self, scope: _Scope, s: ast.stmt) -> None:
        """A line that says nothing about the value."""

    def assign(self, scope: _Scope, target: ast.expr, value: Any, *, keep: bool = False) -> None:
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
            raise scope.source.error(
                target, "an entry cannot be set; make the whole at once, as by stack([a, b])"
            )
        if (
            isinstance(value, ast.expr)
            and not keep
            and not isinstance(value, (ast.Name, ast.Constant))
        ):
            value = self.let(scope, target, value)
        scope.names[target.id] = value

    def let(self, scope: _Scope, target: ast.Name, value: ast.expr) -> ast.Name:
        if len(self.lines) >= MAX_LINES:
            raise scope.source.error(target, f"this unrolls to more than {MAX_LINES} lines")
        name = self.fresh(target.id)
        self.lines.append((f"{name} = {ast.unparse(value)}", scope.source, target.lineno))
        return ast.Name(name, ast.Load())

    # ------------------------------------------------------------ expressions

    def value(self, scope: _Scope, e: ast.expr) -> Any:
        """What an expression stands for: an expression of the formula, a plain value, a list, a function."""
        act = _EXPRESSIONS.get(type(e))
        if act is None:
            raise scope.source.error(e, _refused(e))
        found = act(self, scope, e)
        if isinstance(found, ast.expr):
            found.lineno = e.lineno
        return found

    def written(self, e: ast.AST, value: Any, source: Source | None = None) -> ast.expr:
        """A plain value as an expression of the formula."""
        match value:
            case ast.expr():
                return value
            case bool() | int() | float() | None | str():
                return ast.parse(repr(value), mode="eval").body
            case list():
                return ast.List([self.written(e, v, source) for v in value], ast.Load())
            case tuple():
                return ast.Tuple([self.written(e, v, source) for v in value], ast.Load())
            case range():
                return self.written(e, list(value), source)
            case slice():
                ends = (value.start, value.stop, value.step)
                return ast.Slice(*(None if v is None else self.written(e, v) for v in ends))
        raise (source or self.source).error(e, "this is no number, array or list of them")

    def on_constant(self, scope: _Scope, e: ast.Constant) -> Any:
        return e.value

    def lookup(self, scope: _Scope, e: ast.Name) -> Any:
        here: _Scope | None = scope
        while here is not None:
            if e.id in here.names:
                return here.names[e.id]
            here = here.outer
        if e.id in self.inputs:
            return ast.Name(e.id, ast.Load())
        around = scope.source.around
        if e.id in around:
            return plain(around[e.id], lambda words: scope.source.error(e, words), e.id)
        if hasattr(builtins, e.id):
            return python_calls.Named(e.id, builtin=True)
        raise scope.source.error(e, f"unknown name {e.id!r}; is it an input?")

    def on_attribute(self, scope: _Scope, e: ast.Attribute) -> Any:
        owner = self.value(scope, e.value)
        if isinstance(owner, ModuleType | python_calls.Named):
            library = owner.__name__ if isinstance(owner, ModuleType) else owner.library
            named = python_calls.Named(e.attr, library=library.partition(".")[0])
            return _CONSTANTS.get(e.attr, named)
        if not isinstance(owner, ast.expr):
            raise scope.source.error(e, f".{e.attr} of this cannot be read")
        if e.attr in ("T", "mT"):
            return ast.Attribute(owner, "T", ast.Load())
        shape = self.shape(owner)
        sizes = {"shape": shape, "ndim": len(shape), "size": math.prod(shape)}
        if e.attr in sizes:
            return sizes[e.attr]
        raise scope.source.error(e, f".{e.attr} cannot be read; there are .T, .shape, .ndim, .size")

    def on_operation(self, scope: _Scope, e: ast.BinOp) -> Any:
        left, right = self.value(scope, e.left), self.value(scope, e.right)
        if not isinstance(left, ast.expr) and not isinstance(right, ast.expr):
            return self.computed(scope, e, left, right)
        if type(e.op) in (ast.Mod, ast.FloorDiv):
            raise scope.source.error(e, "% and // are possible of plain whole numbers only")
        logical = isinstance(e.op, (ast.BitAnd, ast.BitOr))
        parts = [self.written(e, v, scope.source) for v in (left, right)]
        a, b = parts if logical else map(python_calls.as_number, parts)
        return ast.BinOp(a, e.op, b)

    def computed(self, scope: _Scope, e: ast.BinOp, left: Any, right: Any) -> Any:
        """What two plain values give: numbers as Python computes them, lists joined."""
        compute = _ARITHMETIC.get(type(e.op))
        try:
            if compute is None:
                raise TypeError
            if isinstance(e.op, ast.Pow) and (abs(left) > 1e6 or abs(right) > 1e3):
                raise OverflowError
            if isinstance(e.op, ast.Mult) and any(
                isinstance(v, (list, tuple, str)) for v in (left, right)
            ):
                size = [v if isinstance(v, int) else len(v) for v in (left, right)]
                if math.prod(size) > MAX_LINES:
                    raise OverflowError
            found = compute(left, right)
        except (TypeError, ValueError, ArithmeticError):
            raise scope.source.error(e, f"this cannot be computed: {ast.unparse(e)[:80]}") from None
        return found

    def on_sign(self, scope: _Scope, e: ast.UnaryOp) -> Any:
        if isinstance(e.op, ast.Not):
            return not self.decided(scope, e.operand)
        value = self.value(scope, e.operand)
        if isinstance(value, ast.expr):
            return ast.UnaryOp(e.op, value)
        if isinstance(value, (int, float)) and isinstance(e.op, (ast.USub, ast.UAdd)):
            return -value if isinstance(e.op, ast.USub) else value
        raise scope.source.error(e, "a sign stands before a number")

    def on_comparison(self, scope: _Scope, e: ast.Compare) -> Any:
        values = [self.value(scope, part) for part in (e.left, *e.comparators)]
        if any(isinstance(v, ast.expr) for v in values):
            parts = [self.written(e, v, scope.source) for v in values]
            return ast.Compare(parts[0], e.ops, parts[1:])
        try:
            return all(
                _COMPARED[type(op)](a, b)
                for op, a, b in zip(e.ops, values, values[1:], strict=False)
            )
        except TypeError:
            raise scope.source.error(e, "these cannot be compared") from None

    def on_bool(self, scope: _Scope, e: ast.BoolOp) -> bool:
        found = (self.decided(scope, part) for part in e.values)
        return all(found) if isinstance(e.op, ast.And) else any(found)

    def decided(self, scope: _Scope, e: ast.expr) -> bool:
        value = self.value(scope, e)
        if isinstance(value, ast.expr):
            raise scope.source.error(
                e, "what is done must not depend on computed numbers; write where(x > 0, a, b)"
            )
        return bool(value)

    def on_choice(self, scope: _Scope, e: ast.IfExp) -> Any:
        return self.value(scope, e.body if self.decided(scope, e.test) else e.orelse)

    def on_list(self, scope: _Scope, e: ast.List | ast.Tuple) -> Any:
        values = [self.value(scope, part) for part in e.elts]
        return values if isinstance(e, ast.List) else tuple(values)

    def on_comprehension(self, scope: _Scope, e: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        inner = _Scope(scope.source, {}, scope)
        found: list[Any] = []

        def walk(rest: list[ast.comprehension]) -> None:
            if not rest:
                found.append(self.value(inner, e.elt))
                return
            for item in self.items(inner, rest[0].iter):
                self.assign(inner, rest[0].target, item, keep=True)
                if all(self.decided(inner, test) for test in rest[0].ifs):
                    walk(rest[1:])

        walk(e.generators)
        return found

    def on_index(self, scope: _Scope, e: ast.Subscript) -> Any:
        owner, key = self.value(scope, e.value), self.value(scope, e.slice)
        if isinstance(owner, (list, tuple, range, str)):
            try:
                return owner[key]
            except (TypeError, IndexError):
                raise scope.source.error(e, "there is no such entry in this list") from None
        if not isinstance(owner, ast.expr):
            raise scope.source.error(e, "this has no entries")
        return ast.Subscript(owner, self.written(e, key, scope.source), ast.Load())

    def on_slice(self, scope: _Scope, e: ast.Slice) -> slice:
        ends = [
            None if end is None else self.value(scope, end) for end in (e.lower, e.upper, e.step)
        ]
        if any(end is not None and type(end) is not int for end in ends):
            raise scope.source.error(e, "a slice goes from one whole number to another")
        return slice(*ends)

    def on_lambda(self, scope: _Scope, e: ast.Lambda) -> _Inner:
        return _Inner(_inner(scope.source, "lambda", e), scope)

    def on_call(self, scope: _Scope, e: ast.Call) -> Any:
        keywords = {}
        for pair in e.keywords:
            if pair.arg is None:
                raise scope.source.error(e, "* and ** before an argument are not possible here")
            keywords[pair.arg] = self.value(scope, pair.value)
        args: list[Any] = []
        for arg in e.args:
            if isinstance(arg, ast.Starred):
                args += self.items(scope, arg.value)
            else:
                args.append(self.value(scope, arg))
        function = self.callee(scope, e, args)
        if isinstance(function, FunctionType):
            function = _Inner(read(function), _Scope(read(function)))
        if isinstance(function, _Inner):
            return self.inlined(scope, e, function, args, keywords)
        if not isinstance(function, python_calls.Named):
            raise scope.source.error(e, "only functions can be called")
        try:
            return python_calls.call(self, function, args, keywords)
        except python_calls.Unreadable as fault:
            raise scope.source.error(e, str(fault)) from None

    def callee(self, scope: _Scope, e: ast.Call, args: list[Any]) -> Any:
        """The function that is called; a method's owner becomes its first argument."""
        if isinstance(e.func, ast.Attribute):
            owner = self.value(scope, e.func.value)
            if not isinstance(owner, ModuleType | python_calls.Named):
                args.insert(0, owner)
                return python_calls.Named(e.func.attr, method=True)
        return self.value(scope, e.func)

    def inlined(
        self, scope: _Scope, e: ast.Call, function: _Inner, args: list[Any], named: dict[str, Any]
    ) -> Any:
        """A function of the user's own, written out."""
        node = function.source.node
        names = [a.arg for a in parameters(node)]
        plain = len(node.args.posonlyargs) + len(node.args.args)
        if node.args.vararg and len(args) >= plain:
            named = {**named, node.args.vararg.arg: tuple(args[plain:])}
            args = args[:plain]
        if len(args) > plain or node.args.kwarg:
            raise scope.source.error(e, f"{function.source.name} takes {plain} arguments")
        given = {**dict(zip(names, args, strict=False)), **named}
        missing = [n for n in names if n not in given and n not in defaults(node)]
        if missing:
            raise scope.source.error(e, f"{function.source.name} needs {missing[0]}")
        # A computed argument gets a line of its own, so that it is computed once.
        for name, value in given.items():
            if isinstance(value, ast.expr) and not isinstance(value, (ast.Name, ast.Constant)):
                given[name] = self.let(scope, _at(name, e), value)
        return self.called(function.source, given, {}, function.scope)

    # ------------------------------------------------------------ lists

    def items(self, scope: _Scope, e: ast.expr) -> Iterator[Any]:
        """What a loop goes over: a range, a list, the rows of an array."""
        value = self.value(scope, e)
        parts = value if isinstance(value, (list, tuple, range)) else self.rows(scope, e, value)
        if len(parts) > MAX_LINES:
            raise scope.source.error(e, f"a loop of {len(parts)} turns; {MAX_LINES} are possible")
        return iter(parts)

    def rows(self, scope: _Scope, e: ast.expr, value: Any) -> list[ast.expr]:
        """The rows of an array of the formula, or the entries of a vector."""
        if not isinstance(value, ast.expr):
            raise scope.source.error(e, "this is no list and no array")
        shape = self.shape(value)
        if not shape:
            raise scope.source.error(e, "a single number has no parts")
        return [ast.Subscript(value, ast.Constant(i), ast.Load()) for i in range(shape[0])]


def _at(name: str, e: ast.AST) -> ast.Name:
    return ast.Name(name, ast.Store(), lineno=getattr(e, "lineno", 1))


def _inner(source: Source, name: str, node: ast.FunctionDef | ast.Lambda) -> Source:
    return Source(name, node, source.lines, source.around)


def _refused(e: ast.AST) -> str:
    words = {
        ast.While: "while: how often is not known beforehand; write for i in range(3)",
        ast.Try: "try cannot be read",
        ast.With: "with cannot be read",
        ast.ClassDef: "a class cannot be read",
        ast.Import: "import stands outside the function",
        ast.ImportFrom: "import stands outside the function",
        ast.Dict: "a dictionary cannot be read; give each value a name",
        ast.Await: "await cannot be read",
    }
    return words.get(type(e), f"this cannot be read ({type(e).__name__})")


_STATEMENTS: dict[type[ast.stmt], Callable[[_Reader, _Scope, Any], None]] = {
    ast.Return: _Reader.on_return,
    ast.Assign: _Reader.on_assign,
    ast.AnnAssign: _Reader.on_annotated,
    ast.AugAssign: _Reader.on_augmented,
    ast.Expr: _Reader.on_expression,
    ast.For: _Reader.on_for,
    ast.If: _Reader.on_if,
    ast.FunctionDef: _Reader.on_def,
    ast.Break: _Reader.on_break,
    ast.Continue: _Reader.on_continue,
    ast.Pass: _Reader.on_nothing,
    ast.Assert: _Reader.on_nothing,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[[_Reader, _Scope, Any], Any]] = {
    ast.Constant: _Reader.on_constant,
    ast.Name: _Reader.lookup,
    ast.Attribute: _Reader.on_attribute,
    ast.BinOp: _Reader.on_operation,
    ast.UnaryOp: _Reader.on_sign,
    ast.Compare: _Reader.on_comparison,
    ast.BoolOp: _Reader.on_bool,
    ast.IfExp: _Reader.on_choice,
    ast.List: _Reader.on_list,
    ast.Tuple: _Reader.on_list,
    ast.ListComp: _Reader.on_comprehension,
    ast.GeneratorExp: _Reader.on_comprehension,
    ast.Subscript: _Reader.on_index,
    ast.Slice: _Reader.on_slice,
    ast.Lambda: _Reader.on_lambda,
    ast.Call: _Reader.on_call,
}
