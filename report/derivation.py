"""Trace -> derivation: the forward pass as rows, the backward pass as blocks, the gradients boxed.

Nothing here computes a gradient. Symbols come from the gates' rules applied to names, from sympy for
the local derivatives and from the backward graph for the closed forms; numbers come from the trace.
All formulas are LaTeX strings, an equation being a left side and what it is equal to, step by step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from report.backprop import gradient_graph
from report.gates import ATOM, fit_to
from report.graph import INPUT, Array, Node, constant, topological
from report.kinds import LARGE, Flow, Kind, flows, is_shared, kinds
from report.printers.index import NoIndexForm, index_form, labels_text
from report.printers.latex import (
    GRADIENT,
    VALUE,
    coloured,
    dimensions,
    equation,
    latex,
    partial,
    symbol,
    tensor,
    uncoloured,
)
from report.symbolic import ClosedForm, closed_form, local_derivative, written_size
from report.tracing import Contribution, Quantity, Trace

MAX_PUT_IN = 64  # entries of all the numbers put into one formula; more is not for reading
MAX_LETS = 40  # let-lines shown with the function
MAX_JACOBIAN = 6  # entries of a vector whose Jacobian is shown
MAX_CLOSED = 40  # gates of a tensor's closed form in inputs; a longer one is given in gate values


@dataclass(frozen=True)
class Equation:
    """`left` = each of `symbols` in turn = each of `numbers`, which stand under the symbols."""

    left: str
    symbols: tuple[str, ...]
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of a backward block: what it is (upstream, local, ...) and the equation."""

    label: str
    equation: Equation
    note: str = ""


@dataclass(frozen=True, eq=False)
class ForwardRow:
    """A gate in the forward table: in symbols, with numbers put in, and its value."""

    quantity: Quantity
    name: str
    symbols: str
    numbers: str | None  # None where the numbers are too many
    shape: str


@dataclass(frozen=True, eq=False)
class Step:
    """The backward block of one gate."""

    quantity: Quantity
    definition: str
    shapes: str
    rows: tuple[Row, ...]
    why: str


@dataclass(frozen=True, eq=False)
class Gradient:
    """One gradient asked for: closed form (None: too long to be read), entries, numbers."""

    name: str
    value: Array
    left: str
    closed: str | None
    entry: Equation | None
    where: tuple[Equation, ...]  # the gates that the closed form uses by name
    numbers: str
    used: bool
    scalar: ClosedForm | None = None


@dataclass(frozen=True, eq=False)
class Derivation:
    """Everything that a report derives for one question.

    Of a large function `backward` holds the gates with tensors only; all others share the derivations
    in `kinds`, and `flows` has their numbers.
    """

    function: str  # LaTeX of the function's name, f
    inputs: str
    formula: tuple[Equation, ...]  # the let-lines that the result uses, then the result
    forward: tuple[ForwardRow, ...]
    backward: tuple[Step, ...]
    gradients: tuple[Gradient, ...]
    kinds: tuple[Kind, ...] = ()
    flows: tuple[Flow, ...] = ()
    seed: Equation = field(default_factory=lambda: Equation("", ()))


def derive(trace: Trace) -> Derivation:
    """The derivation of a trace; `backward` is in the order of the backward pass."""
    return _Writer(trace).derivation()


class _Writer:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        names = {q.name for q in (*trace.inputs, *trace.gates)}
        self.f = next(c for c in ("f", "F", r"\mathcal{L}", r"\mathcal{F}") if c not in names)
        self.name = {n: symbol(q.name, n.shape) for n, q in trace.quantities.items()}
        self.entry = {n: _entry_name(symbol(q.name), n.shape) for n, q in trace.quantities.items()}
        self.last = {}  # the consumer at which a node's gradient is complete
        for q in trace.gates[::-1]:
            for a in q.node.args:
                self.last[a] = q.node

    # ------------------------------------------------------------ notation

    def gradient(self, node: Node) -> str:
        return partial(self.f, self.name[node])

    def value(self, node: Node) -> tuple[str, int]:
        return tensor(self.trace.quantities[node].value, VALUE)

    def named(self, node: Node) -> tuple[str, int] | None:
        return (self.name[node], ATOM) if node in self.name else None

    def as_value(self, node: Node) -> tuple[str, int] | None:
        return self.value(node) if node in self.name else None

    @cached_property
    def backward_graph(self) -> dict[Node, Node]:
        return gradient_graph(self.trace.graph)

    # ------------------------------------------------------------ the whole

    def derivation(self) -> Derivation:
        trace = self.trace
        result = trace.graph.result
        backward = trace.gates[::-1]
        shared = [q for q in backward if is_shared(q)] if len(backward) > LARGE else []
        alone = [q for q in backward if q not in shared] if shared else backward
        top = self.name[result] if result in self.name else latex(result)
        return Derivation(
            function=self.f,
            inputs=", ".join(self.name[q.node] for q in trace.inputs),
            formula=self.formula(),
            forward=tuple(self.forward_row(q) for q in trace.gates),
            backward=tuple(self.step(q) for q in alone),
            kinds=kinds(shared),
            flows=flows(trace, shared),
            gradients=tuple(self.result(q) for q in trace.inputs if q.name in trace.wrt),
            seed=Equation(partial(self.f, top), (), (coloured("1", GRADIENT),)),
        )

    def formula(self) -> tuple[Equation, ...]:
        """The function as it was written: a line for each let-line, and the result."""
        result = self.trace.graph.result
        lets = [q.node for q in self.trace.gates if q.node.name and q.node is not result]
        shown = lets if len(lets) <= MAX_LETS else [*lets[: MAX_LETS // 2], *lets[-MAX_LETS // 2 :]]
        lines = [Equation(self.name[n], (self.definition(n, lets),)) for n in shown]
        inputs = ", ".join(self.name[q.node] for q in self.trace.inputs)
        whole = rf"{self.f}\left({inputs}\right)" if inputs else self.f
        return (*lines, Equation(whole, (self.definition(result, lets),)))

    def forward_row(self, q: Quantity) -> ForwardRow:
        node = q.node
        put_in = sum(np.size(self.trace.quantities[a].value) for a in node.args if a in self.name)
        return ForwardRow(
            quantity=q,
            name=self.name[node],
            symbols=equation(node, self.named),
            numbers=equation(node, self.as_value) if put_in <= MAX_PUT_IN else None,
            shape=dimensions(node.shape),
        )

    # ------------------------------------------------------------ one backward block

    def step(self, q: Quantity) -> Step:
        node = q.node
        if q.gradient is None:
            return self.not_followed(q)
        rows = [
            Row("upstream", Equation(self.gradient(node), (), (self.gradient_numbers(q.gradient),)))
        ]
        notes = []
        for place, arg in enumerate(node.args):
            rule = node.gate.rules_for(len(node.args))[place]
            part = self.part(q, place, arg)
            if arg.is_constant or rule is None or part is None:
                continue
            rows += self.argument(q, place, arg, part)
            if node.gate.elementwise and arg.shape != node.shape:
                notes.append(
                    f"${self.name[arg]}$ was stretched from shape ${dimensions(arg.shape)}$ to "
                    f"${dimensions(node.shape)}$, so what comes back is summed over the copies."
                )
            if self.last[arg] is node and arg not in node.args[place + 1 :]:
                arrived = self.trace.quantities[arg].contributions
                if len(arrived) > 1 and all(c.value is not None for c in arrived):
                    rows.append(self.meeting(arg, arrived))
        shapes = [*(a for a in dict.fromkeys(node.args) if a in self.name), node]
        sizes = r",\quad ".join(rf"{self.name[n]}\colon {dimensions(n.shape)}" for n in shapes)
        return Step(
            quantity=q,
            definition=f"{self.name[node]} = {equation(node, self.named)}",
            shapes=sizes if any(n.shape for n in shapes) else "",
            rows=tuple(rows),
            why=" ".join([node.gate.why, *self.kink(q), *notes]).strip(),
        )

    def kink(self, q: Quantity) -> list[str]:
        """The convention, where an input sits on a kink."""
        if not at_kink(self.trace, q.node):
            return []
        return [
            f"An input sits on the kink of this gate; the convention is: {q.node.gate.convention}."
        ]

    def not_followed(self, q: Quantity) -> Step:
        """A gate that nothing asked for depends on, at a point where its derivative does not exist."""
        return Step(
            quantity=q,
            definition=f"{self.name[q.node]} = {equation(q.node, self.named)}",
            shapes="",
            rows=(),
            why="Nothing that was asked for depends on this gate, so no gradient is followed into it.",
        )

    def part(self, q: Quantity, place: int, arg: Node) -> Array | None:
        """What a gate sends back to one argument; None where there is nothing."""
        if arg not in self.trace.quantities:
            return None
        arrived = self.trace.quantities[arg].contributions
        return next((c.value for c in arrived if c.gate == q.name and c.argument == place), None)

    def argument(self, q: Quantity, place: int, arg: Node, part: Array) -> list[Row]:
        node = q.node
        left = self.contribution(arg, q.name, place)
        if node.gate.elementwise or not node.shape:
            return self.product(q, place, arg, left, part)
        return self.matrix_form(q, place, arg, left, part)

    def contribution(self, arg: Node, gate: str, place: int) -> str:
        """dF/darg, or the part of it that comes through one gate, where several feed it back."""
        arrived = self.trace.quantities[arg].contributions
        whole = self.gradient(arg)
        if len(arrived) == 1:
            return whole
        through = symbol(gate)
        if sum(c.gate == gate for c in arrived) > 1:
            through += rf",\,{place + 1}"
        return rf"\left.{whole}\right|_{{{through}}}"

    def product(self, q: Quantity, place: int, arg: Node, left: str, part: Array) -> list[Row]:
        """Upstream × local, for elementwise gates and for gates with a scalar result."""
        node = q.node
        local_name = partial(self.name[node], self.name[arg])
        local, slope = self.local(q, place, arg)
        rows = [Row("local", Equation(local_name, *local))]
        stretched = node.gate.elementwise and arg.shape != node.shape
        dot = r" \odot " if node.gate.elementwise and node.shape else r" \cdot "
        symbols = f"{self.gradient(node)}{dot}{local_name}"
        if stretched:
            symbols = self.summed(symbols, node, arg)
        put_in = []
        handed_on = bool(node.shape) and node.gate.elementwise and bool((np.abs(slope) == 1).all())
        if np.size(slope) <= MAX_PUT_IN and not stretched and not handed_on:
            put_in.append(f"{_factor(tensor(q.gradient, GRADIENT))}{dot}{_factor(tensor(slope))}")
        put_in.append(self.gradient_numbers(part))
        rows.append(Row("downstream", Equation(left, (symbols,), tuple(put_in))))
        if node.shape and arg.shape and (stretched or not handed_on):
            rows += self.entries(q, place, arg, left)
        return rows

    def summed(self, symbols: str, node: Node, arg: Node) -> str:
        axes = [i for i in range(len(node.shape)) if i < len(node.shape) - len(arg.shape)]
        axes += [
            i + len(node.shape) - len(arg.shape)
            for i, n in enumerate(arg.shape)
            if n != node.shape[i + len(node.shape) - len(arg.shape)]
        ]
        over = "all entries" if not arg.shape else f"axis {', '.join(str(a) for a in axes)}"
        return rf"\sum_{{\text{{{over}}}}} \left({symbols}\right)"

    def local(
        self, q: Quantity, place: int, arg: Node
    ) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], Array]:
        """The local derivative: as sympy derives it, as the rule has it, and its numbers."""
        node = q.node
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        one = constant(1.0)
        leaves, names = self.leaves(node)
        args = [leaves[i] for i in range(len(node.args))]
        slope_graph = rule(one, leaves[-1], *args, **node.params)
        if not isinstance(slope_graph, Node):
            slope_graph = constant(slope_graph)
        steps = []
        if node.gate.elementwise:
            inputs = tuple(
                float(np.asarray(a.value).flat[0]) if a.is_constant and math.prod(a.shape) == 1
                else self.entry_text(a)
                for a in node.args
            )  # fmt: skip
            derived = local_derivative(node.gate, place, inputs, tuple(node.params.items()))
            if derived and not node.shape:
                steps.append(derived)
        own = latex(slope_graph, names.get)
        if not steps or leaves[-1] in set(topological(slope_graph)):
            steps.append(own)
        slope = self.slope(q, place)
        put_in: list[str] = []
        if slope_graph.value is None and np.size(slope) <= MAX_PUT_IN:
            values = {
                leaf: self.value(n)
                for leaf, n in zip([*args, leaves[-1]], [*node.args, node], strict=True)
                if n in self.name
            }
            if not node.shape and not arg.shape:
                put_in.append(latex(slope_graph, values.get))
            put_in.append(tensor(slope)[0])
            if uncoloured(put_in[0]) == uncoloured(put_in[-1]):
                del put_in[0:-1]
        return (tuple(dict.fromkeys(steps)), tuple(put_in)), slope

    def slope(self, q: Quantity, place: int) -> Array:
        """The numbers of the local derivative: the rule with an upstream gradient of ones."""
        node = q.node
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        values = [a.value if a.is_constant else self.trace.quantities[a].value for a in node.args]
        one = np.ones(node.shape) if node.shape else np.float64(1.0)
        with np.errstate(all="ignore"):
            return rule(one, q.value, *values, **node.params)

    def leaves(self, node: Node) -> tuple[dict[int, Node], dict[Node, tuple[str, int]]]:
        """A leaf of its own for each argument and (at -1) for the gate's value, and their names."""
        leaves: dict[int, Node] = {}
        names: dict[Node, tuple[str, int]] = {}
        for i, n in [*enumerate(node.args), (-1, node)]:
            if n.is_constant:
                leaves[i] = n
                continue
            leaves[i] = Node(INPUT, shape=n.shape, name=f"leaf{i}")
            names[leaves[i]] = (self.name[n], ATOM)
        return leaves, names

    def entry_text(self, node: Node) -> str:
        if node not in self.entry:
            return latex(node)
        return self.entry[node].replace("@", labels_text(node.shape))

    def matrix_form(self, q: Quantity, place: int, arg: Node, left: str, part: Array) -> list[Row]:
        """The rule itself, for gates that mix entries: matrix form, numbers, and index form."""
        node = q.node
        leaves, names = self.leaves(node)
        upstream = Node(INPUT, shape=node.shape, name="upstream")
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        graph = rule(
            upstream, leaves[-1], *(leaves[i] for i in range(len(node.args))), **node.params
        )
        graph = fit_to(graph, arg)
        symbols = {**names, upstream: (self.gradient(node), ATOM)}
        put_in = []
        sizes = [math.prod(n.shape) for n in topological(graph)]
        if max(sizes) <= MAX_PUT_IN:
            numbers = {leaves[i]: self.value(n) for i, n in enumerate(node.args) if n in self.name}
            numbers[leaves[-1]] = self.value(node)
            numbers[upstream] = tensor(q.gradient, GRADIENT)
            put_in.append(latex(graph, numbers.get))
        put_in.append(self.gradient_numbers(part))
        return [
            *self.jacobian(q, place, arg),
            Row("downstream", Equation(left, (latex(graph, symbols.get),), tuple(put_in))),
            *self.entries(q, place, arg, left, graph, leaves, upstream),
        ]

    def jacobian(self, q: Quantity, place: int, arg: Node) -> list[Row]:
        """The whole local derivative of a small vector gate that has a notation for it."""
        node = q.node
        size = math.prod(node.shape)
        if not node.gate.jacobian or size > MAX_JACOBIAN or size != max(node.shape):
            return []
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        values = [a.value if a.is_constant else self.trace.quantities[a].value for a in node.args]
        rows = []
        for one in np.eye(size):
            upstream = one.reshape(node.shape)
            rows.append(np.reshape(rule(upstream, q.value, *values, **node.params), -1))
        symbols = node.gate.jacobian.format(y=self.name[node], x=self.name[arg])
        name = partial(self.name[node], self.name[arg])
        return [Row("Jacobian", Equation(name, (symbols,), (tensor(np.array(rows))[0],)))]

    def entries(
        self,
        q: Quantity,
        place: int,
        arg: Node,
        left: str,
        graph: Node | None = None,
        leaves: dict[int, Node] | None = None,
        upstream: Node | None = None,
    ) -> list[Row]:
        """The same in index form: what one entry of the gate is, and one entry of the gradient."""
        node = q.node
        if graph is None or leaves is None or upstream is None:
            leaves, _ = self.leaves(node)
            upstream = Node(INPUT, shape=node.shape, name="upstream")
            rule = node.gate.rules_for(len(node.args))[place]
            assert rule is not None
            args = [leaves[i] for i in range(len(node.args))]
            graph = fit_to(rule(upstream, leaves[-1], *args, **node.params), arg)
        names = {upstream: partial(self.f, self.entry[node])}
        names |= {leaves[i]: self.entry[n] for i, n in enumerate(node.args) if n in self.entry}
        names[leaves[-1]] = self.entry[node]
        matrix = {
            leaves[i]: (self.name[n], ATOM)
            for i, n in [*enumerate(node.args), (-1, node)]
            if n in self.name
        }
        matrix[upstream] = (self.gradient(node), ATOM)
        try:
            entry = index_form(graph, names, lambda n: latex(n, matrix.get))
        except NoIndexForm:
            return []
        whole = partial(self.f, self.entry_text(arg))
        if "right|" in left:
            whole = rf"\left.{whole}{left[left.rindex(chr(92) + 'right|') :]}"
        rows = []
        if place == 0 and not node.gate.elementwise and node.shape:
            try:
                forward = index_form(node, {n: self.entry[n] for n in node.args if n in self.entry})
                rows.append(Row("entry", Equation(self.entry_text(node), (forward,))))
            except NoIndexForm:
                pass
        return [*rows, Row("in entries", Equation(whole, (entry,)))]

    def meeting(self, arg: Node, arrived: tuple[Contribution, ...]) -> Row:
        """The sum of what several gates send back to one value."""
        parts = " + ".join(self.contribution(arg, c.gate, c.argument) for c in arrived)
        put_in = []
        if math.prod(arg.shape) * len(arrived) <= MAX_PUT_IN:
            put_in.append(" + ".join(_factor(tensor(c.value, GRADIENT)) for c in arrived))
        put_in.append(self.gradient_numbers(self.trace.quantities[arg].gradient))
        return Row("sum", Equation(self.gradient(arg), (parts,), tuple(put_in)))

    def gradient_numbers(self, value: Array) -> str:
        return tensor(value, GRADIENT)[0]

    # ------------------------------------------------------------ the gradients asked for

    def result(self, q: Quantity) -> Gradient:
        node = q.node
        graph = self.backward_graph.get(node)
        left = self.gradient(node)
        assert q.gradient is not None  # what is asked for is always a number
        numbers = self.gradient_numbers(q.gradient)
        if graph is None:
            return Gradient(
                q.name, q.gradient, left, "0" if not node.shape else "𝟎", None, (), numbers, False
            )
        scalar = closed_form(self.trace.graph, q.name)
        if scalar is not None:
            return Gradient(q.name, q.gradient, left, scalar.latex, None, (), numbers, True, scalar)
        closed, where = self.closed(graph)
        entry, used = self.closed_entry(graph, node) if node.shape else (None, [])
        where += [n for n in used if n not in where]
        where.sort(key=lambda n: self.trace.quantities[n].number)
        given = tuple(Equation(self.name[n], (self.definition(n, where),)) for n in where)
        return Gradient(q.name, q.gradient, left, closed, entry, given, numbers, True)

    def definition(self, node: Node, stops: list[Node]) -> str:
        """A gate over inputs, the gates in `stops` and those that the user named."""
        known = {*stops, *(n for n in self.name if n.is_input or n.name)} - {node}
        if node.is_input:
            return self.name[node]
        return latex(node, lambda n: self.named(n) if n in known else None)

    def closed(self, graph: Node) -> tuple[str | None, list[Node]]:
        """The matrix form: in inputs when that is short, else in the gates' values."""
        if written_size(graph) <= MAX_CLOSED:
            return latex(graph, lambda n: self.named(n) if n.is_input else None), []
        stops: dict[Node, None] = {}

        def leaf(n: Node) -> tuple[str, int] | None:
            if n in self.name and not n.is_input:
                stops[n] = None
            return self.named(n)

        inner = _size_above(graph, self.name)
        if inner > 4 * MAX_CLOSED:
            return None, []
        return latex(graph, leaf), list(stops)

    def closed_entry(self, graph: Node, node: Node) -> tuple[Equation | None, list[Node]]:
        """One entry of the gradient, over the inputs and the forward gates that mix entries."""
        stops = [
            q.node for q in self.trace.gates if q.node.name or not (q.node.gate.elementwise or q.node.gate.name == "transpose")
        ]  # fmt: skip
        names = {n: self.entry[n] for n in (*self.trace.graph.inputs.values(), *stops)}
        below = set(topological(graph, leaves=names))
        try:
            entry = index_form(
                graph,
                {n: t for n, t in names.items() if n in below},
                lambda n: latex(n, self.named),
            )
        except NoIndexForm:
            return None, []
        return Equation(partial(self.f, self.entry_text(node)), (entry,)), [
            n for n in stops if n in below
        ]


def at_kink(trace: Trace, node: Node) -> bool:
    """Whether a gate's arguments sit where its derivative is a matter of convention."""
    if node.gate.kink is None:
        return False
    values = [a.value if a.is_constant else trace.quantities[a].value for a in node.args]
    return bool(np.any(node.gate.kink(*values, **node.params)))


def _size_above(graph: Node, names: dict[Node, str]) -> int:
    """How long a formula is when it stops at the named nodes, repeats and all."""
    size: dict[Node, int] = dict.fromkeys(names, 1)
    for n in topological(graph, leaves=names):
        if n not in size:
            size[n] = 1 + sum(size[a] for a in n.args if a in size)
    return size[graph]


def _factor(written: tuple[str, int]) -> str:
    text, binding = written
    return text if binding >= ATOM else rf"\left({text}\right)"


def _entry_name(text: str, shape: tuple[int, ...]) -> str:
    """A name with the place for labels: q_{1} -> q_{1,@}; a scalar has none."""
    if all(n == 1 for n in shape):
        return text
    if text.endswith("}") and "_{" in text:
        return f"{text[:-1]},@}}"
    return f"{text}_{{@}}"
