"""Conditions on a variant, such as "abs(q1.f) < 10" or "not saturated": read with `ast`, never run.

A condition is a comparison of numbers, several of them joined by `and`, `or`, `not`, or the word
`saturated`. Numbers are written with + - * / ** %, abs, min, max, sum, and with what a trace names:

    f             the function's value
    x1, z, q3     an input, a let-line, a gate
    d.w1, d.q3    the gradient of one of them
    W[0, 1]       an entry of a vector or matrix, counted from 0

A condition at the top of a homework names the question first (q1.f, q1.d.w1, q1.saturated); one that
names none holds for every question. Where two tensors are compared, `all(...)` or `any(...)` says what
is meant.

A question is saturated when a gate lets next to nothing through on the way back, its local derivative
being below 0.01 in size: at any entry of a gate with two flat ends (sigmoid, tanh, erf, arctan), at all
entries of one with a flat side (relu, elu, softplus, log_sigmoid, swish, gelu), and where one entry of
a softmax takes nearly all.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.trace import Trace
from report.errors import ReportError, nearest, shown

MAX_LENGTH = 500
MAX_DEPTH = 100
MAX_NUMBER = 1e300
FLAT = 0.01  # a local derivative below this is next to nothing
_EXAMPLE = 'write one such as "abs(f) < 10" or "not saturated"'

_ARITHMETIC: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_OF_NUMBERS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "min": lambda *x: min(float(np.min(v)) for v in x),
    "max": lambda *x: max(float(np.max(v)) for v in x),
    "sum": np.sum,
}
_OF_TRUTHS: Mapping[str, Callable[[Any], Any]] = {"all": np.all, "any": np.any}


@dataclass(frozen=True)
class Condition:
    """A condition that was read: its text, and the ids of the questions that it is about."""

    text: str
    tree: ast.expr
    questions: tuple[str, ...]

    def holds(self, traces: Mapping[str, Trace]) -> bool:
        """Whether traces (by question) fulfil it. ReportError where it names what they do not have."""
        with np.errstate(all="ignore"):
            value = _Reader(self, traces).value(self.tree)
        if not _is_truth(value) or np.ndim(value):
            raise _fault(
                self.text, "is a number" if not _is_truth(value) else "is many truths; use all(...)"
            )
        return bool(value)


def read_condition(text: Any, questions: Iterable[str], where: str) -> list[Condition]:
    """The conditions that a text stands for: one, or one for each question when it names none.

    `questions` are the ids that it may name. Raises ReportError, beginning with `where`, for anything
    but an expression of the kinds that the module's text lists.
    """
    known = tuple(questions)
    if not isinstance(text, str) or not text.strip():
        raise ReportError(f"{where}: a condition is text, not {shown(text)}; {_EXAMPLE}")
    if len(text) > MAX_LENGTH:
        raise ReportError(
            f"{where}: a condition of {len(text)} characters; {MAX_LENGTH} are possible"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on what is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ReportError(f"{where}: {shown(text)} is no condition; {_EXAMPLE}") from None
    try:
        _check(tree)
        named = dict.fromkeys(p[0] for p in _names(tree) if len(p) > 1 and p[0] in known)
        bare = [".".join(p) for p in _names(tree) if p[0] not in named]
        if named and bare and len(known) > 1:
            raise _fault(
                text,
                f"does not say of which question {bare[0]} is; write {next(iter(named))}.{bare[0]}",
            )
        unknown = next((p for p in _names(tree) if len(p) > 1 and p[0] not in (*known, "d")), None)
        if unknown:
            near = nearest(unknown[0], known) or f"; there are: {', '.join(known)}"
            raise _fault(text, f"names no question that it can: {unknown[0]}{near}")
    except ReportError as error:
        raise ReportError(f"{where}: {error}") from None
    if named:
        return [Condition(text, tree, tuple(named))]
    return [Condition(text, tree, (question,)) for question in known]


def saturated(trace: Trace) -> bool:
    """Whether a gate lets next to nothing through; the module's text says when."""
    for quantity in trace.gates:
        gate, values = quantity.node.gate, trace.arguments(quantity.node)
        y = quantity.value
        if gate.saturates in ("end", "side"):
            rule = gate.rules[0]
            assert rule is not None
            with np.errstate(all="ignore"):
                flat = np.abs(rule(np.ones_like(y), y, *values, **quantity.node.params)) < FLAT
            if flat.any() if gate.saturates == "end" else flat.all():
                return True
        elif (
            gate.saturates == "row"
            and np.size(y) > 1
            and bool(np.any(y * (1 - y) < FLAT, where=y > 0.5))
        ):
            return True
    return False


# ---------------------------------------------------------------- reading


def _fault(text: str, what: str) -> ReportError:
    return ReportError(f"the condition {shown(text, 80)} {what}")


def _check(node: ast.AST, depth: int = 0) -> None:
    """Refuse every kind of node that is not on the list."""
    if depth > MAX_DEPTH:
        raise ReportError("a condition nests too deeply")
    below: list[ast.expr] = []
    match node:
        case ast.Constant():
            _check_number(node)
        case ast.Name() | ast.Attribute():
            if _parts(node) is None:
                raise ReportError(f"{_quoted(node)} is no name of a value; write q1.f or q1.d.w1")
        case ast.Subscript():
            if _parts(node.value) is None or _place(node) is None:
                raise ReportError(f"{_quoted(node)}: an entry is written W[0, 1]")
        case ast.Call():
            below = _arguments(node)
        case _:
            below = _operands(node)
    for part in below:
        _check(part, depth + 1)


def _quoted(node: ast.AST) -> str:
    return shown(ast.unparse(node))


def _check_number(node: ast.Constant) -> None:
    if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
        raise ReportError(f"{_quoted(node)} is no number; {_EXAMPLE}")
    if abs(node.value) > MAX_NUMBER:
        raise ReportError("a condition holds a number that is too large")


def _arguments(node: ast.Call) -> list[ast.expr]:
    known = (*_OF_NUMBERS, *_OF_TRUTHS)
    if not isinstance(node.func, ast.Name) or node.func.id not in known or node.keywords:
        raise ReportError(f"{_quoted(node)} is not possible; there are: {', '.join(known)}")
    if not node.args or (len(node.args) > 1 and node.func.id not in ("min", "max")):
        raise ReportError(f"{_quoted(node)}: {node.func.id} takes one value")
    return node.args


def _operands(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return [node.left, node.right]
        case ast.UnaryOp() if isinstance(node.op, (ast.UAdd, ast.USub, ast.Not)):
            return [node.operand]
        case ast.BoolOp():
            return node.values
        case ast.Compare() if all(type(op) in _COMPARISONS for op in node.ops):
            return [node.left, *node.comparators]
    raise ReportError(
        f"{_quoted(node)} is not possible in a condition; use + - * / ** %, comparisons, and, or, not"
    )


def _parts(node: ast.AST) -> list[str] | None:
    """The words of a dotted name, such as q1, d, w1."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = _parts(node.value)
        return None if before is None else [*before, node.attr]
    return None


def _place(node: ast.Subscript) -> tuple[int, ...] | None:
    """The whole numbers in the brackets."""
    numbers = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    place = [n.value for n in numbers if isinstance(n, ast.Constant) and type(n.value) is int]
    return tuple(place) if len(place) == len(numbers) else None


def _names(node: ast.AST) -> list[list[str]]:
    """Every dotted name below a node, in order."""
    parts = _parts(node)
    if parts is not None:
        return [parts]
    called = node.func if isinstance(node, ast.Call) else None
    return [
        name
        for child in ast.iter_child_nodes(node)
        if child is not called
        for name in _names(child)
    ]


# ---------------------------------------------------------------- the value


class _Reader:
    def __init__(self, condition: Condition, traces: Mapping[str, Trace]) -> None:
        self.condition = condition
        self.traces = traces

    def value(self, node: ast.AST) -> Any:
        """A number, a tensor, a truth or a tensor of truths."""
        match node:
            case ast.Constant(int() | float() as number):
                return np.float64(number)
            case ast.Name() | ast.Attribute():
                return self.named(_parts(node) or [])
            case ast.Subscript():
                return self.entry(node)
            case ast.BinOp():
                f = _ARITHMETIC[type(node.op)]
                return self.fitting(f, self.number(node.left), self.number(node.right))
            case ast.UnaryOp():
                if isinstance(node.op, ast.Not):
                    return not self.truth(node.operand)
                value = self.number(node.operand)
                return -value if isinstance(node.op, ast.USub) else value
            case ast.BoolOp():
                truths = [self.truth(v) for v in node.values]
                return all(truths) if isinstance(node.op, ast.And) else any(truths)
            case ast.Compare():
                values = [self.number(v) for v in (node.left, *node.comparators)]
                found: Any = True
                for op, a, b in zip(node.ops, values, values[1:], strict=False):
                    found = np.logical_and(found, self.fitting(_COMPARISONS[type(op)], a, b))
                return found
            case ast.Call(func=ast.Name(id=name)):
                if name in _OF_TRUTHS:
                    return _OF_TRUTHS[name](self.truths(node.args[0]))
                return _OF_NUMBERS[name](*(self.number(a) for a in node.args))
        raise AssertionError(type(node))

    def fitting(self, f: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        try:
            return f(a, b)
        except ValueError:
            raise self.fault(f"puts shape {np.shape(a)} and {np.shape(b)} together") from None

    def number(self, node: ast.AST) -> Any:
        value = self.value(node)
        if _is_truth(value):
            raise self.fault(f"uses {ast.unparse(node)} as a number, and it is true or false")
        return value

    def truths(self, node: ast.AST) -> Any:
        value = self.value(node)
        if not _is_truth(value):
            raise self.fault(f"uses {ast.unparse(node)} as true or false; compare it with a number")
        return value

    def truth(self, node: ast.AST) -> bool:
        value = self.truths(node)
        if np.ndim(value):
            raise self.fault(
                f"needs all(...) or any(...) round {ast.unparse(node)}: it has many entries"
            )
        return bool(value)

    def entry(self, node: ast.Subscript) -> Any:
        value, place = self.value(node.value), _place(node)
        assert place is not None
        shape = np.shape(value)
        if len(place) != len(shape) or any(i >= n for i, n in zip(place, shape, strict=True)):
            raise self.fault(f"asks for {ast.unparse(node)}, and the shape is {shape}")
        return value[place]

    def named(self, parts: list[str]) -> Any:
        ids = self.condition.questions
        own = len(parts) > 1 and parts[0] in ids
        trace = self.traces[parts[0] if own else ids[0]]
        match parts[1:] if own else parts:
            case ["saturated"]:
                return saturated(trace)
            case ["d", name]:
                gradient = self.quantity(trace, name).gradient
                if gradient is None:
                    raise self.fault(f"asks for the gradient of {name}, which has none")
                return gradient
            case ["f"] if not any(q.name == "f" for q in trace.quantities.values()):
                return np.float64(trace.value)
            case [name]:
                return self.quantity(trace, name).value
        raise self.fault(f"names {'.'.join(parts)}; write q1.f, q1.x1 or q1.d.w1")

    def quantity(self, trace: Trace, name: str) -> Any:
        names = {q.name: q for q in trace.quantities.values()}
        if name not in names:
            near = nearest(name, names) or f"; there are: f, {', '.join(names)}"
            raise self.fault(f"names {name}, which is no input or gate{near}")
        return names[name]

    def fault(self, what: str) -> ReportError:
        return _fault(self.condition.text, what)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or getattr(value, "dtype", None) == np.bool_
