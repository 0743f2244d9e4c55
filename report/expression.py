"""Formula text -> Graph.

A formula is Python expression syntax with NumPy's names: let-lines `z = W @ x`, then the result. It is
read with `ast` into nodes by a closed list of syntax; nothing is ever evaluated as Python. Three
spellings become the gate that a textbook draws: `1 / x` is the reciprocal gate, `x**2` the square and
`norm(x)**2` the squared norm.
"""

from __future__ import annotations

import ast
import difflib
import textwrap
import unicodedata
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from report.errors import ReportError
from report.gates import GATES
from report.graph import CONSTANT, Array, Gate, Graph, Node, constant, input_node, make, topological
from report.identities import is_number
from report.inputs import CONSTANTS, check_name

MAX_TEXT = 8_000_000  # characters in a formula
MAX_LINES = 150_000
MAX_OPTION = 1_000_000_000  # a number that is an option, such as an axis
MAX_LINE = 20_000  # characters in one line of it
_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.MatMult: "matmul",
}
_INSTEAD = {  # what people type, and what they mean
    "×": "*", "·": "*", "⋅": "*", "−": "-", "–": "-", "÷": "/", "²": "**2", "³": "**3",
    "√": "sqrt(...)", "π": "pi", "σ": "sigmoid(...)", "‖": "norm(...)", "ᵀ": ".T", "∑": "sum(...)",
}  # fmt: skip
_WORDS = {  # other systems' names
    "ln": "log", "tg": "tan", "arctg": "arctan", "logistic": "sigmoid", "power": "**",
    "fabs": "abs", "absolute": "abs", "average": "mean", "len": "mean", "magnitude": "norm",
}  # fmt: skip


def parse(text: str, inputs: Mapping[str, Array]) -> Graph:
    """Read a formula over `inputs` (only their names and shapes are used) into a Graph.

    Raises ReportError with line, column and a caret for whatever is not a formula of known names
    and gates with fitting shapes.
    """
    return _Reader(text, inputs).graph()


class _Reader:
    def __init__(self, text: str, inputs: Mapping[str, Array]) -> None:
        if not isinstance(text, str):
            raise ReportError("the function must be text")
        self.text = text
        self.inputs = {name: input_node(name, value) for name, value in inputs.items()}
        self.names: dict[str, Node] = dict(self.inputs)
        self.lets: dict[str, Node] = {}
        self.fresh: set[Node] = set()  # norm gates that no name refers to: may become ‖·‖²
        # A formula may be indented as a block, as in a TOML file: columns are counted in `text`.
        self.code = textwrap.dedent(text)
        self.lines = text.split("\n")

    # ------------------------------------------------------------ the whole text

    def graph(self) -> Graph:
        *lets, result = self.statements()
        for statement in lets:
            self.let(statement)
        if isinstance(result, ast.Assign):
            node = self.let(result)
        elif isinstance(result, ast.Expr):
            node = self.node(result.value)
        else:
            raise self.error(result, _refusal(result))
        if int(np.prod(node.shape)) != 1:
            raise ReportError(
                f"the function's result has shape {node.shape}; backpropagation starts from a single "
                "number: take sum(...), mean(...) or norm(...) of it"
            )
        gates = tuple(n for n in topological(node) if not n.is_input and not n.is_constant)
        return Graph(self.text, self.inputs, gates, node, self.lets)

    def statements(self) -> list[ast.stmt]:
        text = self.text
        if len(text) > MAX_TEXT:
            raise ReportError(f"the function has {len(text)} characters; {MAX_TEXT} are possible")
        if len(self.lines) > MAX_LINES:
            raise ReportError(f"the function has {len(self.lines)} lines; {MAX_LINES} are possible")
        for number, line in enumerate(self.lines, 1):
            if len(line) > MAX_LINE:
                raise ReportError(
                    f"line {number} of the function has {len(line)} characters; {MAX_LINE} are "
                    "possible: give parts of it names on lines of their own (z = ...)"
                )
            code = line.split("#", 1)[0]
            if not code.isascii() or not code.replace("\t", " ").isprintable():
                raise self.odd_character(number, code)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse(self.code).body
        except SyntaxError as error:
            raise self.syntax_error(error) from None
        except (RecursionError, MemoryError):
            raise ReportError(
                "the function nests too deeply to be read; give parts of it names on lines of "
                "their own (z = ...)"
            ) from None
        except ValueError as error:
            raise ReportError(f"the function cannot be read: {error}") from None
        if not body:
            raise ReportError("the function is empty; write a formula such as x*w + b")
        return body

    def let(self, statement: ast.stmt) -> Node:
        if isinstance(statement, ast.Expr):
            raise self.error(
                statement,
                "only the last line may be a bare expression; give this line a name (z = ...)",
            )
        if not isinstance(statement, ast.Assign):
            raise self.error(statement, _refusal(statement))
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
        """The node of an expression, its parts first; iterative, so that long sums are no trouble."""
        made: dict[ast.expr, Node] = {}
        stack = [(expression, False)]
        while stack:
            part, ready = stack.pop()
            if ready:
                made[part] = self.build(part, [made.pop(p) for p in _parts(part)])
            else:
                stack.append((part, True))
                stack += [(p, False) for p in self.checked_parts(part)]
        return made[expression]

    def checked_parts(self, e: ast.expr) -> list[ast.expr]:
        """The sub-expressions to read first; refuses syntax that is not in the closed list."""
        match e:
            case ast.Constant(value=bool() | None) | ast.Constant(value=str() | bytes() | complex()):
                raise self.error(e, f"{ast.unparse(e)[:40]} is not a real number")
            case ast.Constant(value=int() | float()) | ast.Name():
                return []
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                return _parts(e)
            case ast.BinOp(op=ast.BitXor()):
                raise self.error(e, "^ is not a power in Python; write ** instead", after=e.left)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return _parts(e)
            case ast.Attribute(attr="T"):
                return _parts(e)
            case ast.Attribute(value=ast.Name(id="np" | "numpy" | "math" | "torch"), attr=attr):
                raise self.error(e, f"write {attr} without the name of a library")
            case ast.Attribute(attr=attr):
                raise self.error(e, f".{attr} is not known; only .T (transpose) follows a value")
            case ast.Call():
                self.gate_of(e)
                return _parts(e)
        raise self.error(e, _refusal(e))

    def build(self, e: ast.expr, args: list[Node]) -> Node:
        match e:
            case ast.Constant(value=value):
                assert isinstance(value, (int, float))
                return self.number(e, value)
            case ast.Name():
                return self.lookup(e)
            case ast.BinOp():
                return self.binary(e, *args)
            case ast.UnaryOp(op=ast.UAdd()):
                return args[0]
            case ast.UnaryOp():
                if args[0].gate is CONSTANT and args[0].name is None:
                    return constant(-args[0].value)
                return self.apply(e, GATES["negative"], args)
            case ast.Attribute():
                return self.apply(e, GATES["transpose"], args)
            case ast.Call():
                return self.call(e, args)
        raise AssertionError(e)

    def binary(self, e: ast.BinOp, left: Node, right: Node) -> Node:
        name = _OPERATORS[type(e.op)]
        if name == "divide" and is_number(left, 1) and not right.is_constant:
            return self.apply(e, GATES["reciprocal"], [right])
        if name == "power" and is_number(right, 2) and not left.is_constant:
            if left in self.fresh:
                return self.apply(e, GATES["squared_norm"], list(left.args))
            return self.apply(e, GATES["square"], [left])
        return self.apply(e, GATES[name], [left, right])

    def call(self, e: ast.Call, args: list[Node]) -> Node:
        gate = self.gate_of(e)
        wanted = len(gate.rules)
        params = {}
        for place, extra in zip(gate.params, e.args[wanted:], strict=False):
            params[place] = self.literal(extra)
        for pair in e.keywords:
            if pair.arg in params:
                raise self.error(pair.value, f"{pair.arg} is given twice")
            params[str(pair.arg)] = self.literal(pair.value)
        node = self.apply(e, gate, args, params)
        if gate.name == "norm" and not params:
            self.fresh.add(node)
        return node

    def gate_of(self, e: ast.Call) -> Gate:
        """The gate that a call names, with the number of arguments and the options checked."""
        if isinstance(e.func, ast.Attribute):
            self.checked_parts(e.func)
            raise self.error(e, f"write {e.func.attr}(...) as a function, not after a dot")
        if not isinstance(e.func, ast.Name):
            raise self.error(e, "only a gate's name can be called, as in sin(x)")
        name = e.func.id
        gate = GATES.get(name)
        if gate is None or not gate.usage:
            if name in self.names:
                raise self.error(e, f"{name!r} is a value, not a function; write {name} * (...) for a product")
            raise self.error(e, f"unknown function {name!r}{_nearest(name, _functions())}")
        wanted, given = len(gate.rules), len(e.args)
        if any(isinstance(a, ast.Starred) for a in e.args) or any(k.arg is None for k in e.keywords):
            raise self.error(e, "* and ** before an argument are not possible here")
        if given < wanted or given > wanted + len(gate.params):
            raise self.error(
                e, f"{name} takes {wanted} argument{'s' * (wanted != 1)}, not {given}: {gate.usage}"
            )
        for pair in e.keywords:
            if pair.arg not in gate.params:
                known = f"it has {', '.join(gate.params)}" if gate.params else "it has none"
                raise self.error(pair.value, f"{name} has no option {pair.arg!r}; {known}")
        return gate

    def literal(self, e: ast.expr) -> Any:
        """An option's value: a whole number, a tuple of them, True, False or None."""
        match e:
            case ast.Constant(value=bool() | None as flag):
                return flag
            case ast.Constant(value=int() as value) if value <= MAX_OPTION:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as size)) if (
                size <= MAX_OPTION
            ):
                return -size
            case ast.Tuple(elts=parts):
                return tuple(self.literal(p) for p in parts)
        raise self.error(e, "an option is a whole number, a tuple of them, True, False or None")

    def apply(
        self, e: ast.expr, gate: Gate, args: list[Node], params: dict[str, Any] | None = None
    ) -> Node:
        try:
            node = make(gate, args, params)
        except ReportError as error:
            raise self.error(e, f"{gate.name}: {error}", after=getattr(e, "left", None)) from None
        node.span = (e.lineno, e.col_offset, e.end_col_offset or 0)
        if node.value is not None and not np.isfinite(node.value).all():
            raise self.error(e, f"this constant is not a finite number{_because(gate)}")
        return node

    def number(self, e: ast.expr, value: float) -> Node:
        try:
            number = float(value)
        except OverflowError:
            number = np.inf
        if not np.isfinite(number):
            raise self.error(e, "this number is too large for a float64")
        return constant(number)

    def lookup(self, e: ast.Name) -> Node:
        if e.id in self.names:
            return self.names[e.id]
        if e.id in CONSTANTS:
            return constant(CONSTANTS[e.id], name=e.id)
        if e.id in GATES and GATES[e.id].usage:
            raise self.error(e, f"{e.id!r} is a gate and needs its argument: {GATES[e.id].usage}")
        near = _nearest(e.id, [*self.names, *CONSTANTS])
        known = ", ".join(list(self.names)[:12]) or "none"
        raise self.error(e, f"unknown name {e.id!r}{near or f'; the inputs are: {known}'}")

    # ------------------------------------------------------------ errors with a place

    def error(self, e: ast.AST, message: str, after: ast.expr | None = None) -> ReportError:
        """An error at e, or at the operator that follows `after`."""
        line, column = getattr(e, "lineno", 1), getattr(e, "col_offset", 0)
        if after is not None and after.end_lineno is not None:
            line, column = after.end_lineno, after.end_col_offset or 0
            rest = self.source(line)[column:]
            column += len(rest) - len(rest.lstrip(" )"))
        return self.placed(message, line, column + self.indent(line))

    def placed(self, message: str, line: int, column: int) -> ReportError:
        return ReportError(
            f"{message}\n  in the function, line {line}, column {column + 1}:\n"
            + _caret(self.source(line), column)
        )

    def source(self, line: int) -> str:
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def indent(self, line: int) -> int:
        """What dedenting took away from a line."""
        code = self.code.split("\n")
        return len(self.source(line)) - len(code[line - 1]) if 0 < line <= len(code) else 0

    def syntax_error(self, error: SyntaxError) -> ReportError:
        line = error.lineno or 1
        column = max((error.offset or 1) - 1, 0)
        message = (error.msg or "invalid syntax").split("(<unknown>")[0].strip()
        if "Perhaps you forgot a comma" in message or message == "invalid syntax":
            message = "this is not a formula; is an operator missing?"
        elif message.startswith("Exceeds the limit"):
            message = "this number is too large for a float64"
        elif "Maybe you meant '=='" in message:
            message = "a name is given on a line of its own: z = ..."
        return self.placed(message, line, column + self.indent(line))

    def odd_character(self, number: int, code: str) -> ReportError:
        at = next(i for i, c in enumerate(code) if not (c == "\t" or " " <= c <= "~"))
        character = code[at]
        name = unicodedata.name(character, "a control character")
        instead = _INSTEAD.get(character)
        remedy = f"write {instead}" if instead else "names and signs are plain ASCII"
        shown = character if character.isprintable() else ""
        return self.placed(f"{shown} U+{ord(character):04X} ({name}) cannot be read; {remedy}".strip(), number, at)


def _parts(e: ast.expr) -> list[ast.expr]:
    """The sub-expressions that become arguments of the node of e."""
    match e:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Attribute(value=value):
            return [value]
        case ast.Call(func=ast.Name(id=name), args=args):
            return args[: len(GATES[name].rules)]
    return []


def _refusal(e: ast.AST) -> str:
    names = {
        ast.Compare: "a comparison", ast.BoolOp: "and/or", ast.IfExp: "if ... else", ast.Lambda: "lambda",
        ast.Subscript: "indexing", ast.List: "a list", ast.Tuple: "a tuple", ast.Dict: "a dictionary",
        ast.Set: "a set", ast.ListComp: "a comprehension", ast.GeneratorExp: "a comprehension",
        ast.JoinedStr: "text", ast.Await: "await", ast.NamedExpr: ":=", ast.Import: "import",
        ast.ImportFrom: "import", ast.FunctionDef: "def", ast.ClassDef: "class", ast.For: "for",
        ast.While: "while", ast.If: "if", ast.AugAssign: "an assignment with an operator",
        ast.AnnAssign: "a type annotation", ast.Return: "return", ast.Delete: "del", ast.With: "with",
        ast.BinOp: "this operator", ast.UnaryOp: "this operator",
    }  # fmt: skip
    what = names.get(type(e), f"{type(e).__name__.lower()}")
    return f"{what} is not possible in a function; use + - * / ** @, gates and let-lines (z = ...)"


def _functions() -> list[str]:
    return [name for name, gate in GATES.items() if gate.usage]


def _nearest(name: str, known: list[str]) -> str:
    """'; did you mean ...?', or nothing when no known name is near."""
    if name in _WORDS:
        return f"; did you mean {_WORDS[name]!r}?"
    folded = {k.lower(): k for k in reversed(known)}
    near = difflib.get_close_matches(name.lower()[:40], folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def _because(gate: Gate) -> str:
    return f": {gate.domain}" if gate.domain else ""


def _caret(source: str, column: int, width: int = 76) -> str:
    """The line with a caret under the column; a long line is cut round the place."""
    start = max(0, column - width // 2) if len(source) > width else 0
    shown = "".join(c if c.isprintable() else " " for c in source[start : start + width])
    return f"    {shown.rstrip()}\n    {' ' * (column - start)}^"

