"""The index form of a gate as Python code: Σ as sum(... for k in n), labels from 0, brackets as conditions."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import Node
from report.derivation.index_form import IndexForm
from report.derivation.index_form.entry_symbols import is_position
from report.derivation.symbolic.factor_order import is_plain_number
from report.program import syntax
from report.program.tidy import tidy

Labels = tuple[ast.expr, ...]


class Entries(Protocol):
    """What prints the entries that an index form is made of, and the loops round them."""

    def entry(self, node: Node, ix: Labels) -> ast.expr:
        """The code of one entry."""

    def fresh(self, shape: Sequence[int]) -> list[tuple[str, int]]:
        """Letters for new loops over so many entries each."""

    def within(self, loops: Sequence[tuple[str, int]]) -> AbstractContextManager[None]:
        """Loops round what is printed meanwhile."""

    def ranges(self, n: int) -> ast.expr:
        """What a loop over n entries runs over."""


_FUNCTIONS = {"exp": "math.exp", "log": "math.log", "Abs": "abs"}
_RELATIONS = {
    "Equality": ast.Eq,
    "LessThan": ast.LtE,
    "GreaterThan": ast.GtE,
    "StrictLessThan": ast.Lt,
}


def read(printer: Entries, node: Node, form: IndexForm, ix: Labels) -> ast.expr:
    """The entry of a node at labels, from the index form of its gate over its arguments."""
    letters: dict[Any, ast.expr] = {}
    for label, own in zip(form.labels, ix, strict=True):
        if label != 0:
            letters |= _letters(label, own, form)
    return _Reader(printer, node, letters, form.nodes).read(form.expression)


def has_loop(expression: Any) -> bool:
    """Whether an index form has a sum, a product or an extreme."""
    from sympy.concrete.expr_with_limits import ExprWithLimits

    return bool(expression.has(ExprWithLimits))


def _letters(label: Any, own: ast.expr, form: IndexForm) -> dict[Any, ast.expr]:
    """What the letters of a label are, in terms of the code of that label."""
    label = label.doit()
    if label.is_Symbol:
        return {label: own}
    found = {}
    strides = {
        s: int(label.coeff(s)) if label.coeff(s) else int(label.expand().coeff(s))
        for s in label.free_symbols
    }
    for letter, stride in strides.items():
        whole = own if stride == 1 else ast.BinOp(own, ast.FloorDiv(), ast.Constant(stride))
        last = stride == max(strides.values())
        n = ast.Constant(form.ranges[letter])
        found[letter] = whole if last else ast.BinOp(whole, ast.Mod(), n)
    return found


class _Reader:
    def __init__(
        self,
        printer: Entries,
        node: Node,
        letters: dict[Any, ast.expr],
        nodes: Mapping[str, Node],
    ) -> None:
        self.printer = printer
        self.nodes = nodes
        self.node = node
        self.letters = letters

    def read(self, e: Any) -> ast.expr:
        """An expression for numbers."""
        kind = type(e).__name__
        if hasattr(type(e), "gate"):
            return self.gate(e)
        if e in self.letters:
            return syntax.plus(self.letters[e], 1)
        if _is_entry(e):
            return self.leaf(int((e.name if e.is_Symbol else kind)[1:]), e.args)
        reader = getattr(self, f"read_{kind.lower()}", None)
        if reader is not None:
            return reader(e)
        if kind in _FUNCTIONS:
            return syntax.call(_FUNCTIONS[kind], self.read(e.args[0]))
        if e.is_number:
            return self.number(e)
        raise NotImplementedError(f"{kind} in an index form")

    def number(self, e: Any) -> ast.expr:
        if e.is_Rational and not e.is_Integer:
            return ast.BinOp(syntax.number(float(e.p)), ast.Div(), syntax.number(float(e.q)))
        return syntax.number(float(e))

    def leaf(self, place: int, labels: Any) -> ast.expr:
        if place >= len(self.node.args):  # a number of the gate's definition, such as √3
            return self.printer.entry(self.nodes[f"e{place:03d}"], ())
        arg = self.node.args[place]
        own = iter(labels)
        ix = tuple(ast.Constant(0) if n == 1 else self.label(next(own)) for n in arg.shape)
        return self.printer.entry(arg, ix)

    # ------------------------------------------------------------ labels

    def label(self, e: Any) -> ast.expr:
        """A label counted from 0."""
        import sympy

        e = e.doit()
        if e in self.letters:
            return self.letters[e]
        known = {p: sympy.Dummy() for p in sympy.preorder_traversal(e) if is_position(p)}
        made = {dummy: self.position(p) for p, dummy in known.items()}
        e = e.xreplace(known)
        for letter in [x for x in self.letters if x in e.free_symbols]:  # not in the order of a set
            dummy = sympy.Dummy()
            made[dummy] = self.letters[letter]
            e = e.xreplace({letter: dummy + 1})
        shifted = sympy.expand(e - 1)
        result: ast.expr = ast.Constant(0)
        order = {dummy: i for i, dummy in enumerate(made)}
        terms = sorted(
            shifted.as_coefficients_dict().items(),
            key=lambda t: (t[0].is_number, -abs(t[1]), order.get(t[0], 0)),
        )
        for term, factor in terms:
            if term.is_number:
                result = syntax.plus(result, int(term * factor))
            else:
                result = syntax.plus(result, syntax.times(int(factor), made[term]))
        return result

    def position(self, e: Any) -> ast.expr:
        """A position that the data count from 0."""
        (inner,) = e.args
        n = e.size
        name = type(inner).__name__ if inner.is_Function else inner.name
        arg = self.node.args[int(name[1:])]
        if arg.is_constant and not arg.shape:
            return ast.Constant(int(np.asarray(arg.value)) % n)
        return self.read(inner)

    def is_label(self, e: Any) -> bool:
        """Whether an expression counts: it has letters and positions, and no entry of a tensor."""
        if is_position(e) or e in self.letters or is_plain_number(e):
            return True
        return bool(e.args) and not _is_entry(e) and all(self.is_label(a) for a in e.args)

    def is_of_labels(self, e: Any) -> bool:
        """Whether a condition compares labels only."""
        return all(self.is_label(a) for a in e.args)

    # ------------------------------------------------------------ sums and products

    def read_add(self, e: Any) -> ast.expr:
        terms = sorted(e.args, key=lambda t: (t.could_extract_minus_sign(), t.is_number, _first(t)))
        result = self.read(terms[0])
        for term in terms[1:]:
            if term.could_extract_minus_sign():
                result = ast.BinOp(result, ast.Sub(), self.read(-term))
            else:
                result = ast.BinOp(result, ast.Add(), self.read(term))
        return result

    def read_mul(self, e: Any) -> ast.expr:
        number, rest = e.as_coeff_Mul()
        if number.is_Rational and number != 1:
            if number < 0:
                return ast.UnaryOp(ast.USub(), self.read(-e))
            over = self.read(rest)
            if number.q == 1:
                return ast.BinOp(syntax.number(float(number.p)), ast.Mult(), over)
            if number.p != 1:
                over = ast.BinOp(syntax.number(float(number.p)), ast.Mult(), over)
            return ast.BinOp(over, ast.Div(), syntax.number(float(number.q)))
        of_labels: list[ast.expr] = []  # they come first: they say whether there is an entry
        of_entries: list[ast.expr] = []
        above: list[ast.expr] = []
        below: list[ast.expr] = []
        for factor in sorted(
            e.args, key=lambda f: (_first(f), min(map(str, f.free_symbols), default=""))
        ):
            if (test := self.condition(factor)) is not None:
                (of_labels if self.is_of_labels(factor) else of_entries).append(test)
            elif factor.is_Pow and factor.exp == -1:
                below.append(self.read(factor.base))
            else:
                above.append(self.read(factor))
        product = above[0] if above else ast.Constant(1)
        for more in above[1:]:
            product = ast.BinOp(product, ast.Mult(), more)
        for divisor in below:
            product = ast.BinOp(product, ast.Div(), divisor)
        conditions = [*of_labels, *of_entries]
        if not conditions:
            return product
        test = conditions[0] if len(conditions) == 1 else ast.BoolOp(ast.And(), conditions)
        return ast.IfExp(test, product, ast.Constant(0))

    def read_pow(self, e: Any) -> ast.expr:
        base = self.read(e.base)
        if e.exp == -1:
            return ast.BinOp(ast.Constant(1), ast.Div(), base)
        if e.exp.is_Rational and e.exp.q == 2 and e.exp.p == 1:
            return syntax.call("math.sqrt", base)
        return ast.BinOp(base, ast.Pow(), self.number(e.exp))

    def read_unevaluatedexpr(self, e: Any) -> ast.expr:
        return self.read(e.args[0])

    def read_sum(self, e: Any) -> ast.expr:
        return self.over("sum", e)

    def read_product(self, e: Any) -> ast.expr:
        return self.over("math.prod", e)

    def over(self, function: str, e: Any) -> ast.expr:
        """sum(... for k in n): of a list itself, sum(x)."""
        import sympy

        loops: list[tuple[str, int]] = []
        ranges: list[ast.expr] = []
        before = dict(self.letters)
        for letter, start, end in reversed(e.limits):
            full = start == 1 and end.is_Integer
            with self.printer.within(loops):
                ((own, n),) = self.printer.fresh([int(end) if full else 0])
            ends = [self.label(start), syntax.plus(self.label(end), 1)] if not full else []
            if ends and isinstance(ends[0], ast.Constant) and ends[0].value == 0:
                ends = ends[1:]
            ranges.append(syntax.call("range", *ends) if ends else self.printer.ranges(n))
            loops.append((own, int(end) if end.is_Integer else max(2, int(sympy.sympify(n)))))
            self.letters[letter] = syntax.name(own)
        with self.printer.within(loops):
            body = tidy(chosen(self.read(e.function)))
        self.letters = before
        tests: list[ast.expr] = []
        if (
            isinstance(body, ast.IfExp)
            and isinstance(body.orelse, ast.Constant)
            and body.orelse.value == 0
        ):
            tests, body = [body.test], body.body
        if len(loops) == 1 and not tests and e.limits[0][1] == 1 and e.limits[0][2].is_Integer:
            whole = syntax.slice_of(body, *loops[0])
            if whole is not None:
                return syntax.call(function, whole)
        generators = [
            ast.comprehension(syntax.name(own), r, [], 0)
            for (own, _), r in zip(loops, ranges, strict=True)
        ]
        generators[-1].ifs = tests
        return syntax.call(function, ast.GeneratorExp(body, generators))

    # ------------------------------------------------------------ conditions and choices

    def gate(self, e: Any) -> ast.expr:
        """A gate's own code for a number, or an extreme over labels."""
        if hasattr(e, "limits"):
            return self.over(type(e).gate, e)
        gate = GATES[type(e).gate]
        labels = all(self.is_label(a) for a in e.args)
        args = [self.label(a) if labels else self.read(a) for a in e.args]
        node = Node(gate, params=dict(getattr(e, "params", {})))
        return syntax.filled(str(gate.python), args, node)

    def condition(self, e: Any) -> ast.expr | None:
        """What a bracket asks, where an expression is one: 1 where it holds, else 0."""
        kind = type(e).__name__
        if kind != "KroneckerDelta" and not hasattr(type(e), "gate"):
            return None
        return _asked(self.read(e))

    def read_kroneckerdelta(self, e: Any) -> ast.expr:
        a, b = sorted(e.args, key=lambda a: (a.is_number, str(a)))
        test = ast.Compare(self.label(a), [ast.Eq()], [self.label(b)])
        return syntax.call("float", test)

    def read_piecewise(self, e: Any) -> ast.expr:
        *cases, (last, _) = e.args
        result = self.read(last)
        for value, test in reversed(cases):
            result = ast.IfExp(self.test(test), self.read(value), result)
        return result

    def test(self, e: Any) -> ast.expr:
        """A condition of a case."""
        if type(e).__name__ == "And":
            return ast.BoolOp(ast.And(), [self.test(a) for a in e.args])
        a, b = e.args
        if a.is_number:
            a, b = b, a
        labels = self.is_label(a) and self.is_label(b)
        left, right = (self.label(x) if labels else self.read(x) for x in (a, b))
        return ast.Compare(left, [_RELATIONS[type(e).__name__]()], [right])


def chosen(made: ast.expr) -> ast.expr:
    """An expression as a program has it: functions of `math` by their names, a * float(x > 0) as a choice."""
    return _Chosen().visit(made)


class _Chosen(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return syntax.name(node.attr) if syntax.names_in(node) == {"math"} else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            for bracket, other in ((node.right, node.left), (node.left, node.right)):
                if (test := _asked(bracket)) is not None:
                    return _part_of(other, test)
                match bracket:
                    case ast.IfExp(body=ast.Constant(value=1), orelse=ast.Constant(value=0)):
                        return ast.IfExp(bracket.test, other, ast.Constant(0))
        return node


def _part_of(other: ast.expr, test: ast.expr) -> ast.expr:
    """An expression where a condition holds, else 0."""
    match test:
        case ast.Compare(
            left=left, ops=[ast.Lt() | ast.LtE()], comparators=[ast.Constant(value=0)]
        ):
            if ast.dump(left) == ast.dump(other):
                return syntax.call("min", left, ast.Constant(0))
    return ast.IfExp(test, other, ast.Constant(0))


def _asked(made: ast.expr) -> ast.expr | None:
    """The condition of a bracket, float(i == j); None for anything else."""
    match made:
        case ast.Call(func=ast.Name(id="float"), args=[ast.Compare() | ast.BoolOp() as test]):
            return test
    return None


def _is_entry(e: Any) -> bool:
    """Whether an expression is e000, e001, ... or an entry of one of them."""
    name = e.name if e.is_Symbol else type(e).__name__
    return name[0] == "e" and name[1:].isdigit()


def _first(e: Any) -> tuple[bool, str]:
    """The first entry of a factor or term, by which they are ordered as the arguments of the gate are."""
    import sympy

    parts = [part for part in sympy.preorder_traversal(e) if _is_entry(part)]
    names = [part.name if part.is_Symbol else type(part).__name__ for part in parts]
    return has_loop(e), min(names, default="e999")
