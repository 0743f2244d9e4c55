"""Formulas over nested lists: comprehensions, read from the index form of each gate.

A value is a list for each axis of more than one entry, so that a column is a plain list: its labels are
those of the index form, counted from 0. One entry of a gate is what `report.derivation.index_form` says it
is, over the entries of its arguments; a gate whose row has `python` code is a function of lists instead.
In that code `{0}` is the whole argument, `{0:axis}` the list along the option `axis` (`{0:last}`: the last
axis where there is none; `{0:first}`: the first axis), `{0:flat}` the list of all entries, `{0:list}` the
argument as a list along its first axis, `{0:rows}` and `{0:matrix}` a list of rows: of all there are, and of
each matrix of a stack.
"""

from __future__ import annotations

import ast
import functools
import math
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from report.autodiff.gates.by_definition import written_out
from report.autodiff.graph import CONSTANT, INPUT, Node, Shape, topological
from report.derivation.index_form import IndexForm, NoIndexForm, index_form
from report.derivation.latex import Printed
from report.errors import ReportError
from report.program import index_reader, syntax
from report.program.list_labels import (
    ZERO,
    Labels,
    axes_meant,
    broadcast,
    equality,
    flat_label,
    is_number,
    long,
    subscript,
)
from report.program.syntax import number
from report.program.tidy import tidy

Ranges = Callable[[int], ast.expr]  # range(n), or the name that a program has for it
FEW = 64  # steps of loops that may be done again for each entry
_ALONG = {"axis", "last", "first"}
LETTERS = "ijkpqrtuvwabcdgh"


class Unprintable(ReportError):
    """A gate that a dialect has no code for."""


class ListPrinter:
    """Expressions over numbers and nested lists, by the standard library.

    `names` says what is computed already, and under which name; `ranges` gives the range over n entries,
    `taken` the names that no loop may use, and `bind` the name of a part that gets one. `before` receives
    the statements (name, code) of such parts, which stand before the expression.
    """

    def __init__(
        self,
        names: Mapping[Node, str],
        ranges: Ranges,
        taken: frozenset[str],
        bind: Callable[[Node], str],
    ) -> None:
        self.names = names
        self.ranges = ranges
        self.taken = taken
        self.bind = bind
        self.before: list[tuple[str, ast.expr]] = []
        self.defined: dict[Node, Node] = {}
        self.held: dict[Node, str] = {}
        self.open: list[tuple[str, int]] = []  # the loops round the expression

    def code(self, node: Node) -> ast.expr:
        """The code of a node in terms of the named ones."""
        return tidy(index_reader.chosen(self._whole(node)))

    def parts(self, node: Node) -> Sequence[Node]:
        """What can get a name of its own, to make the code of a node shorter."""
        return node.args

    # ------------------------------------------------------------ whole values

    def _whole(self, node: Node) -> ast.expr:
        if node in self.names or node in self.held:
            return self._name(node)
        if node.gate is CONSTANT:
            return self._constant(node)
        template = syntax.template(node, "python") if not node.gate.elementwise else ""
        if template:
            made = self._by_column(node, template)
            if made is not None:
                return made
        loops, labels = self._labels(node.shape)
        with self.within(loops):
            body = self.entry(node, labels, template)
        return self._nested(body, loops)

    def _name(self, node: Node) -> ast.expr:
        return ast.Name(self.names.get(node) or self.held[node], ast.Load())

    def _constant(self, node: Node) -> ast.expr:
        value = np.squeeze(np.asarray(node.value))
        if not value.ndim:
            return syntax.constant(node, "math") if not node.shape else number(float(value))
        if syntax.is_identity(value):
            loops, labels = self._labels(node.shape)
            return self._nested(equality(labels[0], labels[1]), loops)
        if np.ptp(value) == 0:
            return syntax.full_list(value.shape, number(float(value.flat[0])))
        return syntax.whole_numbers(value)

    def _nested(self, body: ast.expr, loops: list[tuple[str, int]]) -> ast.expr:
        """The lists of an entry over its loops, the last one inside."""
        for letter, n in reversed(loops):
            body = self._list(body, [(letter, n)])
        return body

    def _list(self, body: ast.expr, loops: Sequence[tuple[str, int]]) -> ast.expr:
        """One list over loops: a comprehension, or the list itself that it would copy."""
        if not loops:
            return ast.List([body], ast.Load())
        if len(loops) == 1:
            letter, n = loops[0]
            if (part := syntax.slice_of(body, letter, n)) is not None:
                return part
            if isinstance(body, (ast.Constant, ast.Name)) and letter not in syntax.names_in(body):
                return ast.BinOp(ast.List([body], ast.Load()), ast.Mult(), ast.Constant(n))
        return ast.ListComp(body, self.generators(loops))

    def generators(self, loops: Iterable[tuple[str, int]]) -> list[ast.comprehension]:
        """`for i in n for j in m`, of a comprehension."""
        return [
            ast.comprehension(syntax.name(letter), self.ranges(n), [], 0) for letter, n in loops
        ]

    # ------------------------------------------------------------ loops

    def fresh(self, shape: Sequence[int]) -> list[tuple[str, int]]:
        """Letters for new loops over so many entries each."""
        used = {letter for letter, _ in self.open}
        letters = [c for c in LETTERS if c not in used and c not in self.taken]
        letters += [f"i{n}" for n in range(len(used) + len(shape) + 1) if f"i{n}" not in used]
        return list(zip(letters, shape, strict=False))

    def _labels(self, shape: Shape) -> tuple[list[tuple[str, int]], Labels]:
        """Loops over the axes of more than one entry, and the labels of all axes."""
        loops = self.fresh([n for n in shape if n > 1])
        letters = iter(loops)
        return loops, tuple(ZERO if n == 1 else syntax.name(next(letters)[0]) for n in shape)

    @contextmanager
    def within(self, loops: Sequence[tuple[str, int]]) -> Iterator[None]:
        """Loops round what is printed meanwhile."""
        self.open += loops
        yield
        del self.open[len(self.open) - len(loops) :]

    # ------------------------------------------------------------ entries

    def entry(self, node: Node, ix: Labels, root: str = "") -> ast.expr:
        """The code of one entry; `root` is the list code of a node that is printed as a whole."""
        if node in self.names or node in self.held:
            return subscript(self._name(node), node.shape, ix)
        if node.gate is CONSTANT:
            return self._constant_entry(node, ix)
        if node.gate.elementwise:
            if not node.gate.python and node.gate.definition is not None:
                return self.entry(self._defined(node), ix)
            args = [self.entry(a, broadcast(a, ix)) for a in node.args]
            return syntax.filled(syntax.template(node, "python"), args, node)
        template = root or syntax.template(node, "python")
        if template:
            return self._column_entry(node, ix, template, bool(root))
        if self._calls_list_code(node):
            return self.entry(self._defined(node), ix)
        try:
            form = self._form(node)
        except Unprintable:
            if node.gate.definition is None:
                raise
            return self.entry(self._defined(node), ix)
        if self._is_long(node, form):
            return self._bound(node, ix)
        return index_reader.read(self, node, form, ix)

    def _defined(self, node: Node) -> Node:
        """A gate as its definition has it, the same nodes for each entry."""
        if node not in self.defined:
            self.defined[node] = written_out(node)
        return self.defined[node]

    def _calls_list_code(self, node: Node) -> bool:
        """Whether the definition of a gate has gates with list code of their own, such as a stable softmax."""
        if node.gate.definition is None:
            return False
        inside = topological(self._defined(node), leaves=node.args)
        return any(n.gate.definition and syntax.template(n, "python") for n in inside)

    def _constant_entry(self, node: Node, ix: Labels) -> ast.expr:
        value = np.asarray(node.value)
        if not node.shape:
            return syntax.constant(node, "math")
        if np.ptp(value) == 0:
            return number(float(value.flat[0]))
        if syntax.is_identity(value):
            return equality(*ix)
        return subscript(syntax.whole_numbers(np.squeeze(value)), node.shape, ix)

    def _bound(self, node: Node, ix: Labels) -> ast.expr:
        """An entry of a node that gets a name."""
        around, self.open = self.open, []
        value = self._whole(node)
        self.open = around
        self.held[node] = self.bind(node)
        self.before.append((self.held[node], value))
        return subscript(self._name(node), node.shape, ix)

    def _form(self, node: Node) -> IndexForm:
        shapes = tuple(a.shape for a in node.args)
        return _one_level(node.gate.name, _Node(node), shapes, node.shape, repr(dict(node.params)))

    def _is_long(self, node: Node, form: IndexForm) -> bool:
        """Whether an entry takes a loop that would be run again for nothing, and often."""
        around = math.prod(n for _, n in self.open)
        own = math.prod(node.shape)
        terms = max(math.prod(a.shape) for a in node.args) // own
        return around > own and around * terms > FEW and index_reader.has_loop(form.expression)

    # ------------------------------------------------------------ gates with list code

    def _by_column(self, node: Node, template: str) -> ast.expr | None:
        """A whole gate by its list code; None where it is a list along an axis, entry by entry."""
        specs = {spec for _, _, spec, _ in string.Formatter().parse(template) if spec}
        if "matrix" in specs:
            return None
        if template == "{0:flat}":
            return self._reshaped(node)
        if specs & _ALONG:
            return None if is_number(node) else self._along(node, template)
        return self._call(node, template, ())

    def _reshaped(self, node: Node) -> ast.expr | None:
        (arg,) = node.args
        if long(arg.shape) == long(node.shape):
            return self._whole(arg)
        return self._flat(arg) if len(long(node.shape)) == 1 else None

    def _along(self, node: Node, template: str) -> ast.expr | None:
        """A list along an axis for the others; None where that axis is the last, and stands inside."""
        axes = axes_meant(node, template)
        outer = [i for i, n in enumerate(node.shape) if i not in axes and n > 1]
        inner = [i for i in axes if node.shape[i] > 1]
        if len(inner) == 1 and (not outer or outer[-1] < inner[0]):
            return None
        loops, labels = self._labels(node.shape)
        kept = [loop for loop in loops if syntax.names_in(*(labels[i] for i in outer)) & {loop[0]}]
        with self.within(kept):
            body = self._call(node, template, labels)
        lists = self._nested(body, kept)
        if not isinstance(lists, ast.Name):
            name = self.bind(node)
            self.before.append((name, lists))
            lists = syntax.name(name)
        for i in outer:
            lists = syntax.subscripted(lists, labels[i], node.shape[i])
        flat, size = flat_label(labels, node.shape, axes)
        return self._nested(syntax.subscripted(lists, flat, size), loops)

    def _column_entry(self, node: Node, ix: Labels, template: str, is_root: bool) -> ast.expr:
        if "matrix" in template and node.shape == node.args[0].shape[:-2]:
            return self._call(node, template, ix)
        if "matrix" in template and is_root:
            made = self._call(node, template, ix)
            for label, n in zip(ix[-2:], node.shape[-2:], strict=True):
                made = syntax.subscripted(made, label, n)
            return made
        if template == "{0:flat}" and (is_root or len(long(node.args[0].shape)) < 2):
            flat, size = flat_label(ix, node.shape, tuple(range(len(node.shape))))
            return syntax.subscripted(self._named_flat(node), flat, size)
        if "axis}" in template and is_number(node):
            return self._call(node, template, ix)
        if is_root:
            axes = axes_meant(node, template)
            flat, size = flat_label(ix, node.shape, axes)
            return syntax.subscripted(self._call(node, template, ix), flat, size)
        if not node.shape:
            return self._call(node, template, ix)
        return self._bound(node, ix)

    def _named_flat(self, node: Node) -> ast.expr:
        flat = self._flat(node.args[0])
        if isinstance(flat, (ast.Name, ast.List)):
            return flat
        name = self.bind(node)
        self.before.append((name, flat))
        return syntax.name(name)

    def _call(self, node: Node, template: str, ix: Labels) -> ast.expr:
        """List code over its arguments; `ix` are labels of the result."""
        text = ""
        args: list[ast.expr] = []
        for literal, place, spec, _ in string.Formatter().parse(template):
            text += literal
            if place is None:
                continue
            if not place.isdigit():
                text += f"{{{place}}}"
                continue
            text += f"{{{len(args)}}}"
            args.append(self._argument(node, node.args[int(place)], spec or "", ix))
        return syntax.filled(text, args, node)

    def _argument(self, node: Node, arg: Node, spec: str, ix: Labels) -> ast.expr:
        match spec:
            case "axis" | "last" | "first":
                return self._line(arg, axes_meant(node, f"{{0:{spec}}}", arg), ix)
            case "flat":
                return self._flat(arg)
            case "rows":
                return self._rows(arg, len(arg.shape) - 1, ())
            case "matrix":
                return self._rows(arg, len(arg.shape) - 1, ix[: len(arg.shape) - 2])
            case "list":
                whole = self._whole(arg)
                return ast.List([whole], ast.Load()) if arg.shape[0] == 1 else whole
        return self._whole(arg)

    def _line(self, arg: Node, axes: Sequence[int], ix: Labels) -> ast.expr:
        """The list of the entries along some axes, at the labels `ix` of the others (or of all)."""
        others = [label for i, label in enumerate(ix) if len(ix) != len(arg.shape) or i not in axes]
        loops = self.fresh([arg.shape[i] for i in axes if arg.shape[i] > 1])
        letters, rest = iter(loops), iter(others)
        labels = []
        for i, n in enumerate(arg.shape):
            along = i in axes
            label = (ZERO if n == 1 else syntax.name(next(letters)[0])) if along else next(rest)
            labels.append(label)
        with self.within(loops):
            body = self.entry(arg, tuple(labels))
        return self._list(body, loops)

    def _flat(self, arg: Node) -> ast.expr:
        loops, labels = self._labels(arg.shape)
        with self.within(loops):
            body = self.entry(arg, labels)
        return self._list(body, loops)

    def _rows(self, arg: Node, last: int, ix: Labels) -> ast.expr:
        """A list of rows, each a list also where it has one entry, below labels of the first axes."""
        outer_shape = arg.shape[len(ix) : last]
        outer, labels = self._labels(outer_shape)
        with self.within(outer):
            inner, entries = self._labels(arg.shape[last:])
            with self.within(inner):
                body = self.entry(arg, (*ix, *labels, *entries))
            row = self._list(body, inner)
        return self._list(row, outer)


class _Node:
    """A node by which nothing is told apart: what an index form depends on is told apart besides it."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Node)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(maxsize=4096)  # the variants of a question have the same gates
def _one_level(
    name: str, made: _Node, shapes: tuple[Shape, ...], shape: Shape, params: str
) -> IndexForm:
    """The entry of a gate over arguments of these shapes, which are called e000, e001, ..."""
    node = made.node
    leaves = tuple(Node(INPUT, shape=s, name=f"x{i}") for i, s in enumerate(shapes))
    bare = Node(node.gate, leaves, node.params, shape)
    try:
        return index_form(bare, {leaf: Printed(f"x{i}_{{@}}") for i, leaf in enumerate(leaves)})
    except NoIndexForm:
        raise Unprintable(f"explicit loops for the gate {name} would be too long to read") from None
