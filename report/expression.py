"""Formula text -> Graph.

A formula is Python expression syntax with NumPy's names: let-lines `z = W @ x`, then the result. It is
read with `ast` into nodes by a closed list of syntax; nothing is ever evaluated as Python. A few
spellings become the gate that a textbook draws: `1 / x` is the reciprocal gate, `x**2` the square,
`norm(x)**2` the squared norm, `norm(x, 1)` the L1 norm.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from report import literals
from report.errors import ReportError, nearest
from report.faults import is_outside
from report.gates import GATES, Key, Place
from report.gates.definitions import FAMILY, definition
from report.gates.table import ALIASES
from report.graph import (
    CONSTANT,
    Array,
    Gate,
    Graph,
    Node,
    constant,
    input_node,
    make,
    topological,
    uncollected,
)
from report.identities import is_number
from report.inputs import CONSTANTS, check_name
from report.source import Source

MAX_TOTAL = 50_000_000  # entries of all values together
_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.MatMult: "matmul",
}
_COMPARISONS = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_WORDS = {  # other systems' names
    "ln": "log", "tg": "tan", "arctg": "arctan", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "logistic": "sigmoid", "pow": "power", "fabs": "abs", "average": "mean", "magnitude": "norm",
    "variance": "var", "mae": "l1", "bce": "binary_cross_entropy", "nll": "cross_entropy",
    "clamp": "clip", "concat": "concatenate", "cat": "concatenate", "permute": "transpose",
    "sgn": "sign", "tr": "trace", "expit": "sigmoid", "erfc": "erf", "product": "prod",
}  # fmt: skip
_LISTS = frozenset({"concatenate", "stack"})  # the gates that take a list
_MOVING = frozenset({"index", "reshape", "transpose", "concatenate", "stack", "broadcast_to"})


def parse(text: str, inputs: Mapping[str, Array], unfold: Collection[str] = ()) -> Graph:
    """Read a formula over `inputs` (only their names and shapes are used) into a Graph.

    The gates named in `unfold` are written out in elementary ones (`report.gates.definitions`).
    Raises ReportError with line, column and a caret for whatever is not a formula of known names
    and gates with fitting shapes.
    """
    with uncollected():
        return _Reader(text, inputs, unfold).graph()


class _Reader:
    def __init__(self, text: str, inputs: Mapping[str, Array], unfold: Collection[str]) -> None:
        self.source = Source(text)
        self.unfold = frozenset(unfold)
        self.inputs = {name: input_node(name, value) for name, value in inputs.items()}
        self.names: dict[str, Node] = dict(self.inputs)
        self.lets: dict[str, Node] = {}
        self.fresh: set[Node] = set()  # norm gates that no name refers to: may become ‖·‖²
        self.conditions: set[ast.expr] = set()  # where a comparison may stand
        self.roles: dict[str, str] = {}  # inputs used as an index, a label, a mask or a target
        self.entries = 0  # of all values

    # ------------------------------------------------------------ the whole text

    def graph(self) -> Graph:
        node = None
        last: ast.stmt | None = None
        for statement in self.source.statements():
            if isinstance(last, ast.Expr):
                raise self.error(
                    last,
                    "only the last line may be a bare expression; give this line a name (z = ...)",
                )
            node, last = self.statement(statement), statement
        if node is None:
            raise ReportError("the function is empty; write a formula such as x*w + b")
        if math.prod(node.shape) != 1:
            raise ReportError(
                f"the function's result has shape {node.shape}; backpropagation starts from a single "
                "number: take sum(...), mean(...) or norm(...) of it"
            )
        reached = set(topological(node))
        ordered = topological(*self.lets.values(), node)  # as the lines are written
        gates = tuple(n for n in ordered if n in reached and not n.is_input and not n.is_constant)
        return Graph(self.source.text, self.inputs, gates, node, self.lets, self.roles)

    def statement(self, statement: ast.stmt) -> Node:
        if isinstance(statement, ast.Expr):
            return self.node(statement.value)
        if not isinstance(statement, ast.Assign):
            raise self.error(statement, literals.refusal(statement))
        target = statement.targets[0]
        if len(statement.targets) > 1 or not isinstance(target, ast.Name):
            raise self.error(target, "a let-line has one plain name on the left: z = ...")
        name = target.id
        if name in self.inputs:
            raise self.error(target, f"{name!r} is an input; choose another name for this line")
        if name in self.lets:
            raise self.error(target, f"{name!r} was named on an earlier line; choose another name")
        try:
            check_name(name, "name")
        except ReportError as error:
            raise self.error(target, str(error)) from None
        node = self.node(statement.value)
        if node.name is None and not node.is_constant:
            node.name = name
        self.fresh.discard(node)
        self.names[name] = self.lets[name] = node
        return node

    # ------------------------------------------------------------ expressions

    def node(self, expression: ast.expr) -> Node:
        """The node of an expression, its parts first; iterative, so that depth is no trouble."""
        made: list[Node] = []
        stack: list[ast.expr | tuple[ast.expr, int]] = [expression]
        while stack:
            part = stack.pop()
            if isinstance(part, tuple):
                e, count = part
                args = made[-count:]
                del made[-count:]
                made.append(_BUILDERS[type(e)](self, e, args))
            elif isinstance(part, ast.Name):
                made.append(self.lookup(part))
            elif isinstance(part, ast.Constant):
                made.append(self.number(part))
            else:
                split = _PARTS.get(type(part))
                if split is None:
                    raise self.error(part, literals.refusal(part))
                parts = split(self, part)
                stack.append((part, len(parts)))
                stack += reversed(parts)
        return made[0]

    # Which parts of an expression become nodes; these also refuse what is not in the closed list.

    def parts_of_operation(self, e: ast.BinOp) -> list[ast.expr]:
        if type(e.op) in _OPERATORS:
            return [e.left, e.right]
        if isinstance(e.op, (ast.BitAnd, ast.BitOr)):
            if e not in self.conditions:
                raise self.error(e, "& and | join comparisons inside where only", after=e.left)
            self.conditions |= {e.left, e.right}
            return [e.left, e.right]
        if isinstance(e.op, ast.BitXor):
            raise self.error(e, "^ is not a power in Python; write ** instead", after=e.left)
        raise self.error(e, literals.refusal(e), after=e.left)

    def parts_of_sign(self, e: ast.UnaryOp) -> list[ast.expr]:
        if isinstance(e.op, ast.Invert) and e in self.conditions:
            self.conditions.add(e.operand)
        elif not isinstance(e.op, (ast.USub, ast.UAdd)):
            raise self.error(e, literals.refusal(e))
        return [e.operand]

    def parts_of_attribute(self, e: ast.Attribute) -> list[ast.expr]:
        if isinstance(e.value, ast.Name) and e.value.id in ("np", "numpy", "math", "torch"):
            raise self.error(e, f"write {e.attr} without the name of a library")
        if e.attr != "T":
            raise self.error(e, f".{e.attr} is not known; only .T (transpose) follows a value")
        return [e.value]

    def parts_of_comparison(self, e: ast.Compare) -> list[ast.expr]:
        if e not in self.conditions:
            raise self.error(
                e, "a comparison stands inside where only: where(x > 0, 1, 0)", after=e.left
            )
        for op in e.ops:
            if type(op) not in _COMPARISONS:
                raise self.error(e, "only < <= > >= == != compare numbers", after=e.left)
        return [e.left, *e.comparators]

    def parts_of_index(self, e: ast.Subscript) -> list[ast.expr]:
        keys = e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
        return [e.value, *(k for k in keys if not literals.is_static(k))]

    def parts_of_call(self, e: ast.Call) -> list[ast.expr]:
        gate = self.gate_of(e)
        if gate.name in _LISTS:
            listed = e.args[0]
            if not isinstance(listed, (ast.List, ast.Tuple)) or not listed.elts:
                raise self.error(listed, f"{gate.name} takes a list: {gate.usage}")
            return listed.elts
        if gate.name == "where":
            self.conditions.add(e.args[0])
        return e.args[: len(gate.rules)]

    def gate_of(self, e: ast.Call) -> Gate:
        """The gate that a call names, with the number of arguments and the options checked."""
        if isinstance(e.func, ast.Attribute):
            if isinstance(e.func.value, ast.Name) and e.func.value.id not in self.names:
                self.parts_of_attribute(e.func)
            raise self.error(e, f"write {e.func.attr}(...) as a function, not after a dot")
        if not isinstance(e.func, ast.Name):
            raise self.error(e, "only a gate's name can be called, as in sin(x)")
        name = e.func.id
        if name in self.names:
            raise self.error(
                e, f"{name!r} is a value, not a function; write {name} * (...) for a product"
            )
        gate = GATES.get(ALIASES.get(name, name))
        if gate is None or not gate.usage:
            raise self.error(e, f"unknown function {name!r}{_near(name, _functions())}")
        if any(isinstance(a, ast.Starred) for a in e.args) or any(
            k.arg is None for k in e.keywords
        ):
            raise self.error(e, "* and ** before an argument are not possible here")
        options = _options(gate)
        wanted, given = 1 if gate.name in _LISTS else len(gate.rules), len(e.args)
        if given < wanted or given > wanted + len(options):
            raise self.error(
                e, f"{name} takes {wanted} argument{'s' * (wanted != 1)}, not {given}: {gate.usage}"
            )
        for pair in e.keywords:
            if pair.arg not in options:
                known = f"it has {', '.join(options)}" if options else "it has none"
                raise self.error(pair.value, f"{name} has no option {pair.arg!r}; {known}")
        return gate

    # How a node is built from its parts.

    def operation(self, e: ast.BinOp, args: list[Node]) -> Node:
        left, right = args
        if type(e.op) is ast.Div and is_number(left, 1) and not right.is_constant:
            return self.apply(e, GATES["reciprocal"], [right])
        if type(e.op) is ast.Pow and is_number(right, 2) and not left.is_constant:
            if left in self.fresh:
                return self.apply(e, GATES["squared_norm"], list(left.args))
            return self.apply(e, GATES["square"], [left])
        if isinstance(e.op, (ast.BitAnd, ast.BitOr)):
            for part, node in zip((e.left, e.right), args, strict=True):
                self.condition(part, node)
            gate = GATES["logical_and" if isinstance(e.op, ast.BitAnd) else "logical_or"]
            return self.apply(e, gate, args)
        return self.apply(e, GATES[_OPERATORS[type(e.op)]], args)

    def sign(self, e: ast.UnaryOp, args: list[Node]) -> Node:
        (node,) = args
        if isinstance(e.op, ast.UAdd):
            return node
        if isinstance(e.op, ast.Invert):
            self.condition(e.operand, node)
            return self.apply(e, GATES["logical_not"], args)
        if node.gate is CONSTANT and node.name is None:
            return constant(-node.value)
        return self.apply(e, GATES["negative"], args)

    def attribute(self, e: ast.Attribute, args: list[Node]) -> Node:
        return self.apply(e, GATES["transpose"], args)

    def comparison(self, e: ast.Compare, args: list[Node]) -> Node:
        pairs = zip(e.ops, args, args[1:], strict=False)
        nodes = [self.apply(e, GATES[_COMPARISONS[type(op)]], [a, b]) for op, a, b in pairs]
        whole = nodes[0]
        for node in nodes[1:]:
            whole = self.apply(e, GATES["logical_and"], [whole, node])
        return whole

    def index(self, e: ast.Subscript, args: list[Node]) -> Node:
        keys = e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
        whole: list[Any] = []
        place = 1
        for key in keys:
            if literals.is_static(key):
                whole.append(literals.static_index(self.source, key))
            else:
                self.given(
                    key,
                    args[place],
                    "index",
                    "an index is a whole number, a slice or an input of them",
                )
                whole.append(Place(place))
                place += 1
        if place > 2 and any(isinstance(k, list) for k in whole):
            raise self.error(
                e, "a list of positions does not go together with an index that is an input"
            )
        lists = [k for k in whole if isinstance(k, list)]
        for k in lists:
            whole[whole.index(k)] = Place(place)
            place += 1
        return self.apply(e, GATES["index"], [*args, *map(constant, lists)], {"key": Key(whole)})

    def call(self, e: ast.Call, args: list[Node]) -> Node:
        gate = self.gate_of(e)
        options = _options(gate)
        taken = 1 if gate.name in _LISTS else len(gate.rules)
        params = {k: v for k, v in gate.params.items() if isinstance(v, float)}
        given = dict(zip(options, e.args[taken:], strict=False))
        for pair in e.keywords:
            if pair.arg in given:
                raise self.error(pair.value, f"{pair.arg} is given twice")
            given[str(pair.arg)] = pair.value
        if (
            gate.name in ("max", "min")
            and "axis" in given
            and (not args[0].shape or not literals.is_option(given["axis"]))
        ):
            raise self.error(e, f"the {gate.name} of two values is {gate.name}imum(a, b)")
        for name, value in given.items():
            params[name] = literals.option(self.source, value, gate.params.get(name))
        for name, default in gate.params.items():
            if name not in params and default is None and name in _REQUIRED:
                raise self.error(e, f"{gate.name} needs {name}: {gate.usage}")
        gate = self.meant(e, gate, args, params)
        node = self.apply(e, gate, args, params)
        if gate.name == "norm" and not params and "norm" not in self.unfold:
            self.fresh.add(node)
        return node

    def unfolded(
        self, e: ast.expr, gate: Gate, args: list[Node], params: Mapping[str, Any]
    ) -> Node:
        """A gate written out in elementary ones, all at its own place in the formula."""
        names, formula = definition(gate.name, params, [a.shape for a in args])
        tree = ast.parse(formula)
        for part in ast.walk(tree):
            ast.copy_location(part, e)
        outside, self.names = self.names, dict(zip(names, args, strict=True))
        inside, self.unfold = self.unfold, self.unfold - {FAMILY.get(gate.name, gate.name)}
        *lets, result = tree.body
        try:
            for let in lets:
                assert isinstance(let, ast.Assign)
                assert isinstance(let.targets[0], ast.Name)
                self.names[let.targets[0].id] = self.node(let.value)
            assert isinstance(result, ast.Expr)
            return self.node(result.value)
        finally:
            self.names, self.unfold = outside, inside

    def meant(self, e: ast.Call, gate: Gate, args: list[Node], params: dict[str, Any]) -> Gate:
        """The gate that a name means over these arguments, with conditions and labels noted."""
        match gate.name:
            case "where":
                self.condition(e.args[0], args[0])
            case "one_hot":
                self.given(e.args[0], args[0], "label", "labels are given: class numbers")
            case "norm":
                return self.norm(e, args[0], params)
            case "cross_entropy":
                rows = args[0].shape == args[1].shape
                role, message = "label", "labels are given: class numbers or one-hot rows"
                self.given(e.args[1], args[1], "target" if rows else role, message)
                return GATES["cross_entropy_one_hot"] if rows else gate
        return gate

    def norm(self, e: ast.Call, x: Node, params: dict[str, Any]) -> Gate:
        """The gate for the order of a norm, which is taken out of its options."""
        order, axis = params.pop("ord", None), params.get("axis")
        if order is None or (order == "fro" and (isinstance(axis, tuple) or len(x.shape) == 2)):
            return GATES["norm"]
        if order not in (1, 2):
            raise self.error(e, "the order of a norm is 1, 2 or 'fro'")
        if isinstance(axis, tuple) or (axis is None and sum(n > 1 for n in x.shape) > 1):
            raise self.error(
                e, f"norm(X, {order}) of a matrix is another norm; write norm(X) for the root of the "
                "sum of squares, sum(abs(X)), or give an axis"
            )  # fmt: skip
        return GATES["l1_norm" if order == 1 else "norm"]

    def apply(
        self, e: ast.expr, gate: Gate, args: list[Node], params: dict[str, Any] | None = None
    ) -> Node:
        if FAMILY.get(gate.name, gate.name) in self.unfold and not all(a.is_constant for a in args):
            return self.unfolded(e, gate, args, params or {})
        try:
            node = make(gate, args, params)
        except ReportError as error:
            raise self.error(e, f"{gate.name}: {error}", after=getattr(e, "left", None)) from None
        except (np.linalg.LinAlgError, IndexError):
            raise self.error(e, f"{gate.name}: {gate.domain}") from None
        node.span = self.source.place(e)
        if node.shape:
            self.entries += math.prod(node.shape)
            if self.entries > MAX_TOTAL:
                raise self.error(e, f"all values together have more than {MAX_TOTAL} entries")
        if node.value is not None and not np.isfinite(node.value).all():
            outside = is_outside(gate, [a.value for a in args], node.params)
            because = gate.domain if outside else "it is too large for a float64"
            raise self.error(e, f"this constant is not a finite number: {because}")
        return node

    # ------------------------------------------------------------ conditions, indices, labels

    def condition(self, e: ast.expr, node: Node) -> None:
        """A comparison, comparisons joined by & | ~, or an input that is a mask."""
        if node.gate.name not in {
            *_COMPARISONS.values(),
            "logical_and",
            "logical_or",
            "logical_not",
        }:
            self.given(
                e, node, "mask", "a condition is a comparison such as x > 0, or an input of 0 and 1"
            )

    def given(self, e: ast.expr, node: Node, role: str, message: str) -> None:
        """Note the inputs that an index, label or mask is made of; entries may only be moved."""
        stack = [node]
        while stack:
            part = stack.pop()
            if part.is_input:
                self.roles[str(part.name)] = role
            elif not part.is_constant:
                if part.gate.name not in _MOVING:
                    raise self.error(e, message)
                stack += part.args

    # ------------------------------------------------------------ names and numbers

    def number(self, e: ast.Constant) -> Node:
        if isinstance(e.value, bool) or not isinstance(e.value, (int, float)):
            raise self.error(e, f"{ast.unparse(e)[:40]} is not a real number")
        try:
            number = float(e.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(e, "this number is too large for a float64")
        return constant(number)

    def lookup(self, e: ast.Name) -> Node:
        if e.id in self.names:
            return self.names[e.id]
        if e.id in CONSTANTS:
            return constant(CONSTANTS[e.id], name=e.id)
        if e.id in GATES and GATES[e.id].usage:
            raise self.error(e, f"{e.id!r} is a gate and needs its argument: {GATES[e.id].usage}")
        near = nearest(e.id, [*self.names, *CONSTANTS])
        known = ", ".join(list(self.names)[:12]) or "none"
        raise self.error(e, f"unknown name {e.id!r}{near or f'; the inputs are: {known}'}")

    def error(self, e: ast.AST, message: str, after: ast.expr | None = None) -> ReportError:
        return self.source.error(e, message, after)


_PARTS: dict[type[ast.expr], Callable[[_Reader, Any], list[ast.expr]]] = {
    ast.BinOp: _Reader.parts_of_operation,
    ast.UnaryOp: _Reader.parts_of_sign,
    ast.Call: _Reader.parts_of_call,
    ast.Attribute: _Reader.parts_of_attribute,
    ast.Subscript: _Reader.parts_of_index,
    ast.Compare: _Reader.parts_of_comparison,
}
_BUILDERS: dict[type[ast.expr], Callable[[_Reader, Any, list[Node]], Node]] = {
    ast.BinOp: _Reader.operation,
    ast.UnaryOp: _Reader.sign,
    ast.Call: _Reader.call,
    ast.Attribute: _Reader.attribute,
    ast.Subscript: _Reader.index,
    ast.Compare: _Reader.comparison,
}
_REQUIRED = frozenset({"shape", "pad_width", "classes"})


def _options(gate: Gate) -> list[str]:
    """The options of a gate in a formula; the order of a norm decides which gate is meant."""
    return ["ord", *gate.params] if gate.name == "norm" else list(gate.params)


def _functions() -> list[str]:
    return [name for name, gate in GATES.items() if gate.usage]


def _near(name: str, known: list[str]) -> str:
    """'; did you mean ...?', or nothing when no known name is near."""
    return f"; did you mean {_WORDS[name]}?" if name in _WORDS else nearest(name, known)
