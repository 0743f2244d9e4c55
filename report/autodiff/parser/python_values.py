"""What the expressions of a Python function stand for: parts of the formula, plain values, functions."""

from __future__ import annotations

import ast
import builtins
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from report.autodiff.parser import python_calls
from report.autodiff.parser.python_entries import Cells, _Entries, place_of, seen
from report.autodiff.parser.python_lines import MAX_LINES, Inner, Scope, at, inner, refused
from report.autodiff.parser.python_source import Source, defaults, parameters, plain, read

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
_OVER_LISTS = [
    python_calls.Named(name, builtin=True)
    for name in ("zip", "enumerate", "reversed", "list", "tuple")
]


class _Values(_Entries, ABC):
    """Reads expressions; how a call runs through its statements, `called` and `assign` say."""

    @abstractmethod
    def called(
        self,
        source: Source,
        given: Mapping[str, Any],
        outer: Scope | None = None,
    ) -> Any:
        """What a function returns for these arguments."""

    @abstractmethod
    def assign(self, scope: Scope, target: ast.expr, value: Any, *, keep: bool = False) -> None:
        """Give a name, or several, a value."""

    def value(self, scope: Scope, e: ast.expr) -> Any:
        """What an expression stands for: an expression of the formula, a plain value, a list, a function."""
        act = _EXPRESSIONS.get(type(e))
        if act is None:
            raise scope.source.error(e, refused(e))
        found = act(self, scope, e)
        if isinstance(found, ast.expr):
            found.lineno = e.lineno
        return found

    def on_constant(self, scope: Scope, e: ast.Constant) -> Any:
        return e.value

    def own(self, scope: Scope, e: ast.expr) -> Any:
        """What a name of the function stands for, an array as it can be changed; None for another one."""
        here: Scope | None = scope if isinstance(e, ast.Name) else None
        while here is not None:
            assert isinstance(e, ast.Name)
            if e.id in here.names:
                return here.names[e.id]
            here = here.outer
        return None

    def held(self, scope: Scope, e: ast.expr) -> Any:
        """The value of an expression that another name or a list has from now on."""
        self.hold(scope, e)
        return self.value(scope, e)

    def hold(self, scope: Scope, e: ast.expr) -> None:
        """Note the entries that an expression shares with an array, which would change together with it."""
        roots, keys = seen(e)
        for cells in (self.own(scope, root) for root in roots):
            if isinstance(cells, Cells):
                places = [self.value(scope, key) for key in keys]
                if len(places) < len(cells.shape) or not all(type(p) is int for p in places):
                    first = places[0] if places else slice(None)
                    every = range(cells.shape[0])
                    cells.held |= (
                        {*every[first]} if isinstance(first, slice) else {first % len(every)}
                    )

    def lookup(self, scope: Scope, e: ast.Name) -> Any:
        found = self.own(scope, e)
        if isinstance(found, Cells):
            return self.whole(scope, e, found, e.id)
        if found is not None or self.is_own(scope, e.id):
            return found
        if e.id in self.inputs:
            return ast.Name(e.id, ast.Load())
        around = scope.source.around
        if e.id in around:
            return plain(around[e.id], lambda words: scope.source.error(e, words), e.id)
        if hasattr(builtins, e.id):
            return python_calls.Named(e.id, builtin=True)
        raise scope.source.error(e, f"unknown name {e.id!r}; is it an input?")

    def is_own(self, scope: Scope, name: str) -> bool:
        """Whether the function gives a name a value, which may be None."""
        return name in scope.names or (scope.outer is not None and self.is_own(scope.outer, name))

    def on_attribute(self, scope: Scope, e: ast.Attribute) -> Any:
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

    def on_operation(self, scope: Scope, e: ast.BinOp) -> Any:
        left, right = self.value(scope, e.left), self.value(scope, e.right)
        if not isinstance(left, ast.expr) and not isinstance(right, ast.expr):
            return self.computed(scope, e, left, right)
        if type(e.op) in (ast.Mod, ast.FloorDiv):
            raise scope.source.error(e, "% and // are possible of plain whole numbers only")
        logical = isinstance(e.op, (ast.BitAnd, ast.BitOr))
        parts = [self.written(e, v, scope.source) for v in (left, right)]
        a, b = parts if logical else map(python_calls.as_number, parts)
        return ast.BinOp(a, e.op, b)

    def computed(self, scope: Scope, e: ast.BinOp, left: Any, right: Any) -> Any:
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

    def on_sign(self, scope: Scope, e: ast.UnaryOp) -> Any:
        if isinstance(e.op, ast.Not):
            return not self.decided(scope, e.operand)
        value = self.value(scope, e.operand)
        if isinstance(value, ast.expr):
            return ast.UnaryOp(e.op, value)
        if isinstance(value, (int, float)) and isinstance(e.op, (ast.USub, ast.UAdd)):
            return -value if isinstance(e.op, ast.USub) else value
        raise scope.source.error(e, "a sign stands before a number")

    def on_comparison(self, scope: Scope, e: ast.Compare) -> Any:
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

    def on_bool(self, scope: Scope, e: ast.BoolOp) -> bool:
        found = (self.decided(scope, part) for part in e.values)
        return all(found) if isinstance(e.op, ast.And) else any(found)

    def decided(self, scope: Scope, e: ast.expr) -> bool:
        value = self.value(scope, e)
        if isinstance(value, ast.expr):
            raise scope.source.error(
                e, "what is done must not depend on computed numbers; write where(x > 0, a, b)"
            )
        return bool(value)

    def on_choice(self, scope: Scope, e: ast.IfExp) -> Any:
        return self.value(scope, e.body if self.decided(scope, e.test) else e.orelse)

    def on_list(self, scope: Scope, e: ast.List | ast.Tuple) -> Any:
        values = [self.held(scope, part) for part in e.elts]
        return values if isinstance(e, ast.List) else tuple(values)

    def on_dict(self, scope: Scope, e: ast.Dict) -> dict[Any, Any]:
        found = {}
        for key, part in zip(e.keys, e.values, strict=True):
            name = None if key is None else self.value(scope, key)
            if type(name) not in (str, int):
                raise scope.source.error(e, "the keys of a dictionary are words or whole numbers")
            found[name] = self.held(scope, part)
        return found

    def on_comprehension(self, scope: Scope, e: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        inner = Scope(scope.source, {}, scope)
        found: list[Any] = []

        def walk(rest: list[ast.comprehension]) -> None:
            if not rest:
                found.append(self.held(inner, e.elt))
                return
            for item in self.items(inner, rest[0].iter):
                self.assign(inner, rest[0].target, item, keep=True)
                if all(self.decided(inner, test) for test in rest[0].ifs):
                    walk(rest[1:])

        walk(e.generators)
        return found

    def on_index(self, scope: Scope, e: ast.Subscript) -> Any:
        root, keys = place_of(e)
        if isinstance(cells := self.own(scope, root), Cells):
            return self.entry(
                scope, e, cells, [self.value(scope, k) for k in keys], ast.unparse(root)
            )
        owner, key = self.value(scope, e.value), self.value(scope, e.slice)
        if isinstance(owner, (list, tuple, range, str, dict)):
            try:
                return owner[key]
            except (TypeError, IndexError, KeyError):
                raise scope.source.error(e, "there is no such entry in this list") from None
        if not isinstance(owner, ast.expr):
            raise scope.source.error(e, "this has no entries")
        return ast.Subscript(owner, self.written(e, key, scope.source), ast.Load())

    def on_slice(self, scope: Scope, e: ast.Slice) -> slice:
        ends = [
            None if end is None else self.value(scope, end) for end in (e.lower, e.upper, e.step)
        ]
        if any(end is not None and type(end) is not int for end in ends):
            raise scope.source.error(e, "a slice goes from one whole number to another")
        return slice(*ends)

    def on_lambda(self, scope: Scope, e: ast.Lambda) -> Inner:
        return Inner(inner(scope.source, "lambda", e), scope)

    def on_call(self, scope: Scope, e: ast.Call) -> Any:
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
        if isinstance(function, FunctionType | Inner) or function in _OVER_LISTS:
            for arg in (*e.args, *(pair.value for pair in e.keywords)):
                self.hold(scope, arg)
        if isinstance(function, FunctionType):
            function = Inner(read(function), Scope(read(function)))
        if isinstance(function, Inner):
            return self.inlined(scope, e, function, args, keywords)
        if not isinstance(function, python_calls.Named):
            raise scope.source.error(e, "only functions can be called")
        try:
            return python_calls.call(self, function, args, keywords)
        except python_calls.Unreadable as fault:
            raise scope.source.error(e, str(fault)) from None

    def callee(self, scope: Scope, e: ast.Call, args: list[Any]) -> Any:
        """The function that is called; a method's owner becomes its first argument."""
        if isinstance(e.func, ast.Attribute):
            owner = self.value(scope, e.func.value)
            if not isinstance(owner, ModuleType | python_calls.Named):
                args.insert(0, owner)
                return python_calls.Named(e.func.attr, method=True)
        return self.value(scope, e.func)

    def inlined(
        self, scope: Scope, e: ast.Call, function: Inner, args: list[Any], named: dict[str, Any]
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
                given[name] = self.let(scope, at(name, e), value)
        return self.called(function.source, given, function.scope)

    # ------------------------------------------------------------ lists

    def items(self, scope: Scope, e: ast.expr) -> Iterator[Any]:
        """What a loop goes over: a range, a list, the rows of an array."""
        value = self.held(scope, e)
        if isinstance(value, (list, tuple, range, dict)):
            parts = list(value)
        else:
            parts = self.rows(scope, e, value)
        if len(parts) > MAX_LINES:
            raise scope.source.error(e, f"a loop of {len(parts)} turns; {MAX_LINES} are possible")
        return iter(parts)

    def rows(self, scope: Scope, e: ast.expr, value: Any) -> list[ast.expr]:
        """The rows of an array of the formula, or the entries of a vector."""
        if not isinstance(value, ast.expr):
            raise scope.source.error(e, "this is no list and no array")
        shape = self.shape(value)
        if not shape:
            raise scope.source.error(e, "a single number has no parts")
        return [ast.Subscript(value, ast.Constant(i), ast.Load()) for i in range(shape[0])]


_EXPRESSIONS: dict[type[ast.expr], Callable[[_Values, Scope, Any], Any]] = {
    ast.Constant: _Values.on_constant,
    ast.Name: _Values.lookup,
    ast.Attribute: _Values.on_attribute,
    ast.BinOp: _Values.on_operation,
    ast.UnaryOp: _Values.on_sign,
    ast.Compare: _Values.on_comparison,
    ast.BoolOp: _Values.on_bool,
    ast.IfExp: _Values.on_choice,
    ast.List: _Values.on_list,
    ast.Tuple: _Values.on_list,
    ast.Dict: _Values.on_dict,
    ast.ListComp: _Values.on_comprehension,
    ast.GeneratorExp: _Values.on_comprehension,
    ast.Subscript: _Values.on_index,
    ast.Slice: _Values.on_slice,
    ast.Lambda: _Values.on_lambda,
    ast.Call: _Values.on_call,
}
