"""The computational graph: nodes, and `apply`, which reads a gate with numbers or with nodes.

A `Node` is an input, a constant or a gate applied to other nodes. `apply(gate, *args)` gives numbers
when every argument is a number and a new node as soon as one argument is a node; the backward rules
of the gate table are written with it, so the same rule computes a gradient and writes its formula.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from report.autodiff.form import Form
from report.errors import ReportError

MAX_ENTRIES = 20_000_000  # of one value: 160 MB
MAX_AXES = 16  # of one value; NumPy broadcasts up to 32, and backward rules add some
Array = Any  # np.float64 for a scalar, np.ndarray for a tensor; both behave alike under operators
Shape = tuple[int, ...]
R = TypeVar("R")


class OutOfDomain(ArithmeticError):
    """What a forward function raises for arguments outside its domain that give it a finite value."""


FAULTS = (OutOfDomain, np.linalg.LinAlgError, IndexError)  # of forward functions: ours and NumPy's


@dataclass(frozen=True, eq=False)
class Gate:
    """One row of the gate table. See `report.autodiff.gates` for what each column means."""

    name: str
    forward: Callable[..., Array]
    rules: tuple[Callable[..., Any] | None, ...]
    shape: Callable[..., Shape]
    sign: str
    latex: str
    binding: int
    elementwise: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    sympy: Callable[..., Any] | None = None
    steps: tuple[str, ...] = ()
    python: str | Callable[[Node], str] = ""
    numpy: str | Callable[[Node], str] = ""
    formula: str | Callable[[Node], str] = ""
    domain: str = ""
    kink: Callable[..., Any] | None = None
    convention: str = ""
    why: str = ""
    jacobian: tuple[Callable[..., Any] | None, ...] = ()
    group: str = ""
    usage: str = ""
    summary: str = ""
    rule_at: Callable[[int], Callable[..., Any] | None] | None = None
    integers: Container[int] = ()
    definition: Callable[..., Any] | None = None
    family: str = ""
    entry: Callable[..., Any] | None = None
    optional: tuple[str, ...] = ()
    leading: str = ""
    roles: Mapping[int, str] = field(default_factory=dict)
    variant: Callable[..., str] | None = None
    varied: Mapping[str, Any] = field(default_factory=dict)
    neutral: Mapping[str, Any] = field(default_factory=dict)
    squared: str = ""
    widened: Callable[..., Node] | None = None
    held: bool = False
    opened: bool = False
    form: Form | None = None
    commutative: bool = False
    powered: bool = False
    of_matrix: tuple[str, int] | None = None
    named: bool = False
    by_sympy: bool = False
    in_numbers: bool = False
    ties: bool = False
    tie: str = ""
    saturates: str = ""
    plain: Callable[..., str] | None = None
    why_with: Mapping[tuple[bool, ...], str] = field(default_factory=dict)
    note: str = ""
    condition: str = ""
    opposite: str = ""
    of_two: str = ""
    torch_order: tuple[str, ...] = ()
    linear: bool = False
    shares: bool = False
    symmetric: bool = False
    logarithm: str = ""
    order: tuple[int, int] = (1, 9)
    cyclic: bool = False

    def rules_for(self, count: int) -> tuple[Callable[..., Any] | None, ...]:
        """The backward rule for each of `count` arguments; None where nothing flows back."""
        if self.rule_at is None:
            return self.rules if len(self.rules) == count else self.rules[:count]
        return tuple(self.rule_at(place) for place in range(count))


NO_PARAMS: Mapping[str, Any] = MappingProxyType({})
LATER: Any = object()  # stands for a constant that has not been evaluated yet
INPUT = Gate("input", lambda: None, (), lambda: (), "", "", 99)
CONSTANT = Gate("constant", lambda: None, (), lambda: (), "", "", 99)
COMPUTED = Gate("computed", lambda: None, (), lambda: (), "", "", 99)  # a number that a program has


class Node:
    """A place in the graph: what is computed (`gate`), from what (`args`), with what `shape`.

    `value` is set for constants and for what depends on constants only; `name` is the name that the
    user gave (an input, a let-line) and `span` the (line, column, end column) in the formula, lines
    from 1, columns from 0.
    """

    __slots__ = ("args", "gate", "name", "params", "shape", "span", "value")
    __array_ufunc__ = None  # a NumPy array on the left must leave the operator to the node

    def __init__(
        self,
        gate: Gate,
        args: tuple[Node, ...] = (),
        params: Mapping[str, Any] | None = None,
        shape: Shape = (),
        *,
        name: str | None = None,
        value: Array | None = None,
        span: tuple[int, int, int] | None = None,
    ) -> None:
        self.gate = gate
        self.args = args
        self.params = NO_PARAMS if params is None else params
        self.shape = shape
        self.name = name
        self.value: Array = value  # None: it depends on an input
        self.span = span

    @property
    def is_input(self) -> bool:
        """Whether the node is an input of the function."""
        return self.gate is INPUT or self.gate is COMPUTED

    @property
    def is_constant(self) -> bool:
        """Whether the node depends on no input."""
        return self.value is not None

    def option(self, name: str) -> Any:
        """An option of the gate as given, or its default."""
        return self.params.get(name, self.gate.params.get(name))

    def __repr__(self) -> str:
        return f"<{self.gate.name} {self.name or ''}{list(self.shape)}>"

    def __add__(self, other: Any) -> Any:
        return _OPERATORS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return _OPERATORS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return _OPERATORS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return _OPERATORS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return _OPERATORS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return _OPERATORS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return _OPERATORS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _OPERATORS["divide"](other, self)

    def __pow__(self, other: Any) -> Any:
        return _OPERATORS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return _OPERATORS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return _OPERATORS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _OPERATORS["matmul"](other, self)

    def __neg__(self) -> Any:
        return _OPERATORS["negative"](self)

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The transpose, as a node."""
        return _OPERATORS["transpose"](self)


class Plain(Node):
    """A node over which gates are applied as they are written: nothing is simplified."""

    __slots__ = ()


# Filled by report.autodiff.gates: the operators of nodes are gates like any other.
_OPERATORS: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True, eq=False)
class Graph:
    """A function as a graph.

    `inputs` maps each name to its node, in the order given; `nodes` holds, in topological order, the
    gates that the result depends on and that depend on an input; `result` is the last of them (or an
    input or a constant, when the function is one). `lets` maps the names of the let-lines, also of
    those that the result does not need, to their nodes. `integers` says which inputs are no real numbers
    and have no gradient: an "index", a "label", a "mask", or the "target" of a cross-entropy.
    `expression` is the function in the syntax of expressions where `text` is LaTeX, else "". `written_out` says
    of gates that stand for one in `unfold` which one that is.
    """

    text: str
    inputs: dict[str, Node]
    nodes: tuple[Node, ...]
    result: Node
    lets: dict[str, Node] = field(default_factory=dict)
    integers: Mapping[str, str] = field(default_factory=dict)
    expression: str = ""
    entry: tuple[int, ...] | None = None  # of a vector or matrix, which is the result
    unbounded: str = ""  # why an infinite number that was read as a large one may not stand there
    readings: tuple[str, ...] = ()  # what was chosen where a spelling could mean something else
    written_out: Mapping[Node, str] = field(default_factory=dict)

    def between(self, names: Iterable[str], nodes: Iterable[Node] = ()) -> frozenset[Node]:
        """The inputs of these names, these gates, and every gate through which a gradient flows back to one of them."""
        found = {*nodes, *(self.inputs[name] for name in names)}
        for node in self.nodes:
            rules = node.gate.rules_for(len(node.args))
            if any(a in found and r is not None for a, r in zip(node.args, rules, strict=True)):
                found.add(node)
        return frozenset(found)


def of_graph(find: Callable[[Graph], R]) -> Callable[[Graph], R]:
    """What is found of a graph, once for all its traces: it is kept as long as the graph, which it must not hold."""
    kept: WeakKeyDictionary[Graph, R] = WeakKeyDictionary()

    def found(graph: Graph) -> R:
        if graph not in kept:
            kept[graph] = find(graph)
        return kept[graph]

    return found


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector: graphs hold no cycles, and looking for some takes most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def constant(value: Any, name: str | None = None) -> Node:
    """A constant node; scalars become np.float64, everything else a float array (any shape)."""
    array = np.asarray(value, dtype=np.float64)
    return Node(
        CONSTANT, shape=array.shape, value=array if array.ndim else np.float64(array), name=name
    )


def input_node(name: str, value: Array) -> Node:
    """The node of an input, with the shape of its value."""
    return Node(INPUT, shape=np.shape(value), name=name)


def is_computed(x: Any) -> bool:
    """Whether x is numbers, or the place of numbers in a program: where digits count, not notation."""
    return not isinstance(x, Node) or x.gate is COMPUTED


def shape_of(x: Any) -> Shape:
    """The shape of a node or of numbers alike."""
    return x.shape if isinstance(x, Node) else np.shape(x)


def topological(*roots: Node, leaves: Container[Node] = ()) -> list[Node]:
    """Every node below `roots`, arguments first; constants and `leaves` are not entered.

    Iterative, so that the depth of a graph is limited by memory only.
    """
    order: list[Node] = []
    begun: set[Node] = set()
    done: set[Node] = set()
    waiting = list(reversed(roots))
    while waiting:
        node = waiting.pop()
        if node in done:
            continue
        if node in begun:  # and so all below it is done
            done.add(node)
            order.append(node)
            continue
        begun.add(node)
        waiting.append(node)
        if node.value is None and node not in leaves:
            waiting += reversed(node.args)
    return order


def make(
    gate: Gate,
    args: Iterable[Any],
    params: Mapping[str, Any] | None = None,
    *,
    later: bool = False,
    kind: type[Node] = Node,
) -> Node:
    """A node exactly as asked for, with its shape inferred; constants are evaluated at once.

    With `later` a constant is not evaluated: its value is LATER until somebody puts it in. Raises
    ReportError (without a place) when the shapes do not fit the gate.
    """
    nodes = tuple([a if isinstance(a, Node) else constant(a) for a in args])
    params = params or NO_PARAMS
    shape = gate.shape(*[n.shape for n in nodes], **params)
    if shape:
        _check_size(shape)
    if "axis" in params and len(nodes[0].shape) == 1 and gate.params["axis"] in (None, -1):
        params = {k: v for k, v in params.items() if k != "axis"}  # a vector has no other
    value = None
    for node in nodes:
        if node.value is None:
            break
    else:
        if later:
            value = LATER
        else:
            with np.errstate(all="ignore"):
                value = gate.forward(*[n.value for n in nodes], **params)
    return kind(gate, nodes, params, shape, value=value)


def _check_size(shape: Shape) -> None:
    if len(shape) > MAX_AXES:
        raise ReportError(f"a value with {len(shape)} axes; {MAX_AXES} are possible")
    size = math.prod(shape)
    if size == 0:
        raise ReportError(f"a value of shape {shape} has no entries")
    if size > MAX_ENTRIES:
        raise ReportError(f"a value of shape {shape} has more than {MAX_ENTRIES} entries")


def evaluate(roots: Iterable[Node], known: dict[Node, Array]) -> dict[Node, Array]:
    """Numbers for `roots` and all below them, from `known` values of inputs (and of other nodes)."""
    values = dict(known)
    with np.errstate(all="ignore"):
        for node in topological(*roots, leaves=known):
            if node in values:
                continue
            if node.value is not None:
                values[node] = node.value
            elif node.gate is INPUT:
                raise ReportError(f"input {node.name!r} has no value")
            else:
                values[node] = node.gate.forward(*(values[a] for a in node.args), **node.params)
    return values
