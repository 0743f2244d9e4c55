"""Formulas as Python code, in three dialects.

`formula` writes what a reader writes, `q2 = sin(q1)`; `NumpyPrinter` vectorised NumPy; `LoopPrinter`
the standard library alone, where tensors are nested lists, matrix gates are functions with explicit
loops, and everything elementwise around them melts into one expression for one entry. A gate brings
its code for one number (`python`) and for arrays (`numpy`) in its row; `report.program.gate_code` and
`loops` have what is needed beyond that. Code is built as `ast` expressions, so that brackets are always
right.
"""

from __future__ import annotations

import ast
import functools
import string
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from report.autodiff.graph import CONSTANT, Node, Shape
from report.program import gate_code, list_code
from report.program import line_layout as source
from report.program.tidy import tidy

# ---------------------------------------------------------------- printers


def formula(node: Node, names: Mapping[Node, str]) -> str:
    """A gate over its arguments' names, as a formula is written: 2 * q1, sin(q1), W @ x."""
    return source.text(tidy(_formula(node, names)))


def _formula(node: Node, names: Mapping[Node, str]) -> ast.expr:
    if node.gate is CONSTANT:
        if node.shape:
            return _name(node.name) if node.name else _whole_numbers(node)
        return _constant(node, lambda name: name)
    args = [_name(names[a]) if a in names else _formula(a, names) for a in node.args]
    return _filled(gate_code.formula_code(node), args, node)


class NumpyPrinter:
    """Expressions over arrays; `names` says what is already computed, and under which name.

    The squares of what the norms in `far` are of are too large or small for a number.
    """

    def __init__(self, names: Mapping[Node, str], far: Container[Node] = ()) -> None:
        self.names = names
        self.far = far

    def code(self, node: Node) -> ast.expr:
        """The code of a node in terms of the named ones."""
        return tidy(self._code(node))

    def parts(self, node: Node) -> Sequence[Node]:
        """What can get a name of its own, to make the code of a node shorter."""
        return node.args

    def _code(self, node: Node, truth: bool = False) -> ast.expr:
        """`truth`: True and False will do as well as 1.0 and 0.0."""
        if node in self.names:
            return _name(self.names[node])
        if node.gate is CONSTANT:
            if node.shape:
                return _parse(_array_text(node.value))
            return _constant(node, lambda name: f"np.{name}")
        args = [
            _whole_numbers(arg)
            if _is_index(node, place)
            else self._code(self._unspread(node, place), self._may_be_truth(node, place))
            for place, arg in enumerate(node.args)
        ]
        template = gate_code.far_norm if node in self.far else gate_code.vectorised
        code = _filled(template(node), args, node)
        if node.gate.name in gate_code.COMPARISONS and not truth:
            return ast.BinOp(ast.Constant(1.0), ast.Mult(), code)
        return code

    def _unspread(self, node: Node, place: int) -> Node:
        """An argument that another one spreads anyway, by NumPy's broadcasting, as it was before."""
        arg = node.args[place]
        if not node.gate.elementwise or arg.gate.name != "broadcast_to" or arg in self.names:
            return arg
        others = [other.shape for i, other in enumerate(node.args) if i != place]
        whole = np.broadcast_shapes(arg.args[0].shape, *others) == node.shape
        return arg.args[0] if whole else arg

    def _may_be_truth(self, node: Node, place: int) -> bool:
        """Whether an argument may be an array of truth values: a factor of numbers, a condition."""
        if node.gate.name == "multiply":
            other = node.args[1 - place]
            return other.gate.name not in gate_code.COMPARISONS or other in self.names
        return node.gate.name.startswith("logical") or (node.gate.name == "where" and place == 0)


class LoopPrinter:
    """Expressions over numbers and nested lists, by the standard library.

    `hint(node)` proposes letters for one entry of a tensor, `avoid` holds names that an entry should
    not get; `before` receives the statements (name, code) that must stand before the expression:
    numbers that every entry uses, under names from `fresh`.
    """

    def __init__(
        self,
        names: Mapping[Node, str],
        hint: Callable[[Node], str] = lambda node: "",
        fresh: Callable[[], str] | None = None,
        avoid: Container[str] = (),
    ) -> None:
        self.names = names
        self.hint = hint
        self.fresh = fresh
        self.avoid = avoid
        self.before: list[tuple[str, ast.expr]] = []
        self.held: dict[Node, str] = {}

    def code(self, node: Node) -> ast.expr:
        """The code of a node in terms of the named ones."""
        return tidy(self._code(node))

    def parts(self, node: Node) -> Sequence[Node]:
        """What can get a name of its own, to make the code of a node shorter."""
        if node.shape and self._melts(node):
            sources = [s for s in self._sources(node) if s not in self.names and s.args]
            return sources or node.args
        return node.args

    def _code(self, node: Node) -> ast.expr:
        if node in self.names:
            return _name(self.names[node])
        if node in self.held:
            return _name(self.held[node])
        if node.gate is CONSTANT:
            if node.shape:
                return _parse(_list_text(node.value))
            return _constant(node, lambda name: f"math.{name}")
        if not node.shape and node.gate.elementwise:
            return self._scalar(node)
        if node.gate.elementwise or node.gate.name == "broadcast_to":
            return self._tensor(node)
        args = [
            _whole_numbers(arg) if _is_index(node, place) else self._code(arg)
            for place, arg in enumerate(node.args)
        ]
        return _filled(list_code.looped(node), args, node)

    def _scalar(self, node: Node) -> ast.expr:
        return _filled(gate_code.scalar(node), [self._code(a) for a in node.args], node)

    # ------------------------------------------------------------ tensors, entry by entry

    def _tensor(self, root: Node) -> ast.expr:
        """One expression for one entry, applied to all: elementwise(lambda a, b: a + b, x, y)."""
        sources = self._sources(root)
        free: set[str] = set()
        for node in self._scalars(root):
            free |= {n.id for n in ast.walk(self._number(node)) if isinstance(n, ast.Name)}
        letters = _letters(sources, self.hint, free, self.avoid)
        body = tidy(self._entry(root, letters))
        if not sources:
            return _full(root.shape, body)
        args = [self._fitted(source, root.shape) for source in sources]
        match body:
            case ast.Name() if len(sources) == 1:  # only broadcasting is left
                return args[0]
            case ast.Call(func=function, args=[ast.Name()], keywords=[]) if len(sources) == 1:
                return _call("elementwise", function, *args)
        parameters = [ast.arg(letters[s]) for s in sources]
        arguments = ast.arguments(
            posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        return _call("elementwise", ast.Lambda(arguments, body), *args)

    def _sources(self, root: Node) -> list[Node]:
        """The tensors that an expression for one entry of `root` starts from, in order of use."""
        found: dict[Node, None] = {}
        self._walk(root, lambda node: found.setdefault(node) if node.shape else None)
        return list(found)

    def _scalars(self, root: Node) -> list[Node]:
        found: dict[Node, None] = {}
        self._walk(root, lambda node: None if node.shape else found.setdefault(node))
        return list(found)

    def _walk(self, node: Node, leaf: Callable[[Node], None]) -> None:
        if self._melts(node):
            for arg in node.args:
                self._walk(arg, leaf)
        elif not _is_filled(node):
            leaf(node)

    def _melts(self, node: Node) -> bool:
        """Whether a tensor is computed entry by entry, together with what it is computed from."""
        return (
            bool(node.shape)
            and node not in self.names
            and node not in self.held
            and not _is_filled(node)
            and (node.gate.elementwise or node.gate.name == "broadcast_to")
        )

    def _entry(self, node: Node, letters: Mapping[Node, str]) -> ast.expr:
        if node in letters:
            return _name(letters[node])
        if _is_filled(node) and node.shape:
            return _number(float(np.asarray(node.value).flat[0]))
        if not node.shape:
            return self._number(node)
        if node.gate.name == "broadcast_to":
            return self._entry(node.args[0], letters)
        args = [self._entry(a, letters) for a in node.args]
        return _filled(gate_code.scalar(node), args, node)

    def _number(self, node: Node) -> ast.expr:
        """A number inside an expression for one entry; what takes a loop is computed before."""
        if self.fresh and self._takes_a_loop(node):
            value = self.code(node)
            self.held[node] = self.fresh()
            self.before.append((self.held[node], value))
        return self._code(node)

    def _takes_a_loop(self, node: Node) -> bool:
        if node in self.names or node in self.held or node.gate is CONSTANT:
            return False
        return not node.gate.elementwise or any(self._takes_a_loop(a) for a in node.args)

    def _fitted(self, node: Node, shape: Shape) -> ast.expr:
        code = self._code(node)
        return code if node.shape == shape else _call("broadcast", code, _parse(repr(shape)))


def _letters(
    sources: list[Node], hint: Callable[[Node], str], taken: set[str], avoid: Container[str]
) -> dict[Node, str]:
    """A short name for one entry of each tensor: of the letters hinted at, or the next free one."""
    letters: dict[Node, str] = {}
    numbered = (f"a{n}" for n in range(len(sources) + len(taken) + 1))
    others = [*"abcuvwpqrstxyz", *numbered]
    for source_ in sources:
        wanted = [c for c in [*hint(source_), *others] if c not in taken]
        letters[source_] = next((c for c in wanted if c not in avoid), wanted[0])
        taken.add(letters[source_])
    return letters


# ---------------------------------------------------------------- pieces of code


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _parse(text: str) -> ast.expr:
    code = compile(text, "", "eval", ast.PyCF_ONLY_AST)
    assert isinstance(code, ast.Expression)
    return code.body


def _call(function: str, *args: ast.expr) -> ast.expr:
    return ast.Call(_name(function), list(args), [])


def _number(value: float) -> ast.expr:
    """A number as a reader writes it: 2 rather than 2.0, -1 with its sign as an operator."""
    magnitude = abs(value)
    plain = int(magnitude) if magnitude < 1e6 and magnitude.is_integer() else magnitude
    literal = ast.Constant(plain)
    return ast.UnaryOp(ast.USub(), literal) if value < 0 else literal


def _constant(node: Node, qualified: Callable[[str], str]) -> ast.expr:
    """A scalar constant: its number, or its name (pi) in the dialect."""
    return _parse(qualified(node.name)) if node.name else _number(float(np.asarray(node.value)))


def _is_index(node: Node, place: int) -> bool:
    """Whether an argument is a list of whole numbers that the formula itself holds."""
    arg = node.args[place]
    return place in node.gate.integers and arg.gate is CONSTANT and bool(arg.shape)


def _whole_numbers(node: Node) -> ast.expr:
    """A constant tensor as a list, whole numbers without a point."""
    array = np.asarray(node.value)
    whole = array.astype(int)
    return _parse(repr((whole if np.all(whole == array) else array).tolist()))


def _is_filled(node: Node) -> bool:
    """Whether a constant tensor holds one number everywhere."""
    return node.gate is CONSTANT and bool(node.shape) and bool(np.ptp(np.asarray(node.value)) == 0)


def _full(shape: Shape, value: ast.expr) -> ast.expr:
    """Nested lists that hold one number: [[0.0] * 3 for _ in range(2)]."""
    code: ast.expr = ast.List([value], ast.Load())
    if shape[-1] > 1:
        code = ast.BinOp(code, ast.Mult(), ast.Constant(shape[-1]))
    for n in shape[-2::-1]:
        if n == 1:
            code = ast.List([code], ast.Load())
        else:
            loop = ast.comprehension(_name("_"), _parse(f"range({n})"), [], 0)
            code = ast.ListComp(code, [loop])
    return code


def _is_identity(value: Any) -> bool:
    return value.ndim == 2 and len(value) > 1 and np.array_equal(value, np.eye(len(value)))


def _list_text(value: Any) -> str:
    if _is_identity(value):
        return f"identity({len(value)})"
    if np.ptp(value) == 0:
        return ast.unparse(_full(value.shape, ast.Constant(float(value.flat[0]))))
    return repr(value.tolist())


def _array_text(value: Any) -> str:
    if _is_identity(value):
        return f"np.eye({len(value)})"
    filled = {0.0: "np.zeros({})", 1.0: "np.ones({})"}
    if np.ptp(value) == 0:
        number = float(value.flat[0])
        shape = value.shape[0] if value.ndim == 1 else value.shape
        return filled.get(number, f"np.full({{}}, {number!r})").format(shape)
    return f"np.array({value.tolist()!r})"


@functools.cache
def _template(text: str) -> tuple[str, tuple[str, ...]]:
    """A template as code with names for its places, and the names of the options among them."""
    code, options = "", []
    for literal, place, _, _ in string.Formatter().parse(text):
        code += literal
        if place is not None:
            code += f"_place_{place}"
            if not place.isdigit():
                options.append(place)
    return code, tuple(options)


def _filled(template: str, args: list[ast.expr], node: Node) -> ast.expr:
    """A template such as "{0} * {1}" over its arguments; a named place takes an option's value."""
    text, options = _template(template)
    places = {f"_place_{i}": arg for i, arg in enumerate(args)}
    places |= {f"_place_{name}": _parse(repr(list_code.option(node, name))) for name in options}
    code = _parse(text)
    if isinstance(code, ast.Name):
        return places.get(code.id, code)
    _rename_bound(code, {n.id for arg in args for n in ast.walk(arg) if isinstance(n, ast.Name)})
    for parent in ast.walk(code):
        for field, child in ast.iter_fields(parent):
            if isinstance(child, ast.Name) and child.id in places:
                setattr(parent, field, places[child.id])
            elif isinstance(child, list):
                child[:] = [places.get(c.id, c) if isinstance(c, ast.Name) else c for c in child]
    return code


def _rename_bound(code: ast.expr, taken: set[str]) -> None:
    """Give the variables of comprehensions in a template names that its arguments do not have."""
    comprehensions = [n for n in ast.walk(code) if isinstance(n, ast.comprehension)]
    bound = {n.id for c in comprehensions for n in ast.walk(c.target) if isinstance(n, ast.Name)}
    for name in ast.walk(code):
        while isinstance(name, ast.Name) and name.id.rstrip("_") in bound and name.id in taken:
            name.id += "_"
