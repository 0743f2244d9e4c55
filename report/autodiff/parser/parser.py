"""Formula text -> Graph.

A formula is Python expression syntax with NumPy's names: let-lines `z = W @ x`, then the result. It is
read with `ast` into nodes by a closed list of syntax; nothing is ever evaluated as Python.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache

import numpy as np

from report.autodiff.form import CONDITIONS, Form
from report.autodiff.gates import GATES, Key
from report.autodiff.graph import (
    Array,
    Graph,
    Node,
    Shape,
    make,
    topological,
    uncollected,
)
from report.autodiff.inputs import check_name
from report.autodiff.parser import literals
from report.autodiff.parser.building import Lost
from report.autodiff.parser.source import LARGE, Places, Source
from report.autodiff.parser.tree_reader import IN_WHERE, _TreeReader
from report.errors import Faults, ReportError


def parse(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
    infinity: float = LARGE,
) -> Graph:
    """Read an expression over `inputs` (only their names and shapes are used) into a Graph.

    The gates named in `unfold` are written out in elementary ones (`report.autodiff.gates.definitions`).
    Raises ReportError with line, column and a caret for whatever is not a formula of known names
    and gates with fitting shapes.
    """
    if type(text) is not str or len(text) > _KEPT or entry is not None:
        return _read(text, inputs, frozenset(unfold), entry, infinity)
    shapes = tuple((name, np.shape(value)) for name, value in inputs.items())
    return _read_once(text, shapes, frozenset(unfold), infinity)


_KEPT = 5000  # characters, at most, of an expression whose graph is kept


@lru_cache(maxsize=8)
def _read_once(
    text: str, shapes: tuple[tuple[str, Shape], ...], unfold: frozenset[str], infinity: float
) -> Graph:
    """The graph that the variants of a question have in common."""
    inputs = {name: np.broadcast_to(0.0, shape) for name, shape in shapes}
    return _read(text, inputs, unfold, None, infinity)


def _read(
    text: str,
    inputs: Mapping[str, Array],
    unfold: frozenset[str],
    entry: tuple[int, ...] | None,
    infinity: float,
) -> Graph:
    with uncollected():
        source = Source(text, inputs)
        source.infinity = infinity
        return _Reader(source, inputs, unfold, entry).read(source.statements())


def faults(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str],
    entry: tuple[int, ...] | None,
    missing: Collection[str],
) -> Sequence[ReportError]:
    """All that is wrong with an expression; lines that use `missing` inputs are passed over."""
    try:
        source = Source(text, {*inputs, *missing})
        reader = _Reader(source, inputs, unfold, entry)
        reader.lost |= set(missing)
        reader.missing = missing
        reader.read(source.statements())
    except Lost:
        return ()
    except ReportError as error:
        return error.parts or (error,)
    return ()


def _names_of(statement: ast.stmt) -> set[str]:
    """The name that a let-line gives."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


class _Reader(_TreeReader):
    """Reads one formula; `source` is its text, in whose lines the nodes have their places."""

    def __init__(
        self,
        source: Places,
        inputs: Mapping[str, Array],
        unfold: Collection[str],
        entry: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(source, inputs, unfold)
        self.entry = entry  # of the result, where it is no single number; () is the first

    def read(self, statements: Iterable[ast.stmt]) -> Graph:
        """The graph of let-lines and a result, in Python's syntax."""
        node = None
        last: ast.stmt | None = None
        found = Faults()
        with found.collected():  # a line that is no Python ends the reading
            for statement in statements:
                with found.collected(), self.looked_through(statement):
                    if isinstance(last, ast.Expr):
                        raise self.error(
                            last,
                            "only the last line may be a bare expression; give this line a name (z = ...)",
                        )
                    last, node = statement, None
                    self.lost |= _names_of(statement)
                    node = self.statement(statement)
                    self.lost -= _names_of(statement)
        found.end()
        if node is None and last is not None:
            raise Lost
        if node is None:
            raise ReportError("the function is empty; write a formula such as x*w + b")
        if node.gate.form in CONDITIONS and last is not None:
            raise self.error(last, IN_WHERE)
        return self.graph(node)

    @contextmanager
    def looked_through(self, statement: ast.stmt) -> Iterator[None]:
        """A line that uses what is lost is looked through for other names that are not known."""
        try:
            yield
        except Lost:
            parts = list(ast.walk(statement))
            called = {part.func for part in parts if isinstance(part, ast.Call)}
            dotted = {part.value for part in parts if isinstance(part, ast.Attribute)}
            for part in parts:
                if not isinstance(part, ast.Name) or part in called | dotted:
                    continue
                if isinstance(part.ctx, ast.Load):
                    self.conditions.add(part)
                    with suppress(Lost):
                        self.lookup(part)

    def graph(self, node: Node) -> Graph:
        """The graph whose result is `node`, after all of the text has been read."""
        entry = self.entry if node.shape else None
        if entry is not None:
            entry = entry or (0,) * len(node.shape)
            node = self.entry_of(node, entry)
        if self.source.unbounded:
            self.readings["inf is read as 10^9, of which nothing is left in the value"] = None
        if math.prod(node.shape) != 1:
            raise self.at(
                node,
                f"the function's result has shape {node.shape}; backpropagation starts from a single "
                "number: take sum(...), mean(...) or norm(...) of it (in a homework file also an entry: "
                f"entry = {[0] * len(node.shape)}, or jacobian = true)",
            )
        self.evaluate_constants()
        reached = set(topological(node))
        ordered = topological(*self.lets.values(), node)  # as the lines are written
        gates = tuple(n for n in ordered if n in reached and not n.is_input and not n.is_constant)
        if self.source.readings:
            self.check_masks(gates)
        return Graph(
            self.source.text,
            self.inputs,
            gates,
            node,
            self.lets,
            self.roles.names,
            entry=entry,
            unbounded=self.source.unbounded,
            readings=(*self.source.readings, *self.readings),
            written_out=self.written_out,
        )

    def at(self, node: Node, message: str) -> ReportError:
        """An error at the place of a node; without one where it has none, as an input."""
        if node.span is None:
            return ReportError(message) if self.whole is None else self.error(self.whole, message)
        return self.source.placed(message, *node.span[:2])

    def check_masks(self, gates: Iterable[Node]) -> None:
        """ReportError for a mask under ^, which may be meant as exclusive or."""
        masks = {self.inputs[n]: n for n, role in self.roles.names.items() if role == "mask"}
        for node in gates:
            name = next((masks[a] for a in node.args if a in masks), None)
            if node.gate.form is Form.POWER and name is not None:
                raise ReportError(
                    f"{name} is a mask, so its ^ can be read as a power or as exclusive or; write "
                    f"{name}**..., or where({name}, 1 - n, n)"
                )

    def entry_of(self, node: Node, entry: tuple[int, ...]) -> Node:
        """One entry of a result, from which backpropagation starts."""
        if len(entry) != len(node.shape) or any(
            not -n <= i < n for i, n in zip(entry, node.shape, strict=True)
        ):
            raise ReportError(f"entry {list(entry)}: the function's result has shape {node.shape}")
        made = make(GATES["index"], [node], {"key": Key(entry)}, later=True)
        made.span = node.span
        if made.value is not None:
            self.constants.append(made)
        return made

    def statement(self, statement: ast.stmt) -> Node:
        if isinstance(statement, ast.Expr):
            self.conditions, self.whole = set(), statement.value
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
        self.conditions = {statement.value}  # a line may name a comparison
        node = self.node(statement.value)
        if node.name is None and not node.is_constant:
            node.name = name
        self.fresh.discard(node)
        self.names[name] = self.lets[name] = node
        return node
