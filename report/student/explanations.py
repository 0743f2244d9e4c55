"""Every explanation of a wrong number that is tried: a mistake in one place more.

Each mistake is made on the student's own numbers; `report.student.diagnosis` sees which of them give the
wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from report.autodiff.graph import Array, Node
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.student.inner import in_definition, in_rule
from report.student.mistakes import (
    Mistake,
    at_start,
    derivative,
    in_sum,
    in_value,
    rounded,
    told,
)
from report.student.ruler import Own, Ruler
from report.student.walk import Deviations, Key
from report.student.work import Cause
from report.student.wrong_slopes import in_slope

_DEEP = 6  # gates whose own formulas are looked into


@dataclass(frozen=True)
class State:
    """The mistakes found so far, and the numbers that nothing explains."""

    forward: Mapping[Node, Mistake] = field(default_factory=dict)
    backward: Mapping[tuple[Node, int], Mistake] = field(default_factory=dict)
    sums: Mapping[Node, Mistake] = field(default_factory=dict)
    unexplained: frozenset[Key] = frozenset()

    def deviations(self) -> Deviations:
        """The mistakes as a walk takes them."""
        return Deviations(
            {n: m.function for n, m in self.forward.items()},
            {e: m.function for e, m in self.backward.items()},
            {n: m.function for n, m in self.sums.items()},
        )


@dataclass(frozen=True)
class Try:
    """A state with one mistake more; `cause` is None for one that is no new mistake."""

    state: State
    cause: Cause | None
    also: tuple[Cause, ...] = ()  # mistakes that make the same number


class Tries:
    """Explanations of a number, from what is printed and from every number as far as it is known.

    `own` are the student's numbers, `right` those that are the trace's, `base` all numbers as a state of
    the search tells them.
    """

    def __init__(
        self,
        trace: Trace,
        ruler: Ruler,
        own: Mapping[Key, Own],
        right: Container[Key],
        base: Mapping[Key, Array],
    ) -> None:
        self.trace = trace
        self.ruler = ruler
        self.own = own
        self.right = right
        self.base = base
        self.names = {q.node: q.name for q in (*trace.inputs, *trace.gates)}
        self.end = None if trace.result is None else trace.result.node
        self.consumers: dict[Node, list[tuple[Node, int]]] = {}
        for q in trace.gates:
            for place, arg in enumerate(q.node.args):
                if arg in trace.quantities:
                    self.consumers.setdefault(arg, []).append((q.node, place))

    def usual(self, state: State, problem: Key) -> Iterator[Try]:
        """Known mistakes in the gates between a number and the printed ones before it."""
        node, backward = problem
        if node.is_input and not backward:
            yield self._other_input(state, problem)
            return
        yield from self._in_order(state, problem)
        plain = replace(state, backward={e: m for e, m in state.backward.items() if m.kind})
        if backward and len(plain.backward) < len(state.backward):  # right rules after all
            yield Try(plain, None)
            yield from self._backward(plain, node)
        if backward:
            yield from self._backward(state, node)
        else:
            hidden = self._above(node)
            for at in hidden:
                yield from self._gate(state, at)
            yield from self._everywhere(state, [], hidden)
            yield from self._rounded(state, [a for at in hidden for a in at.args])
            for at in hidden[:4]:
                yield from self._other_arguments(state, at)

    def deeper(self, state: State, problem: Key) -> Iterator[Try]:
        """Mistakes in one step of a gate's definition or derivative."""
        node, backward = problem
        if node.is_input and not backward:
            return
        edges, _, hidden = self._behind(node) if backward else ([], [], self._above(node))
        for at in hidden[:_DEEP]:
            yield from self._gate(state, at, in_definition(at, self.names))
        for at, place in edges[:_DEEP]:
            yield from self._edge(state, at, place, in_rule(at, place, self.names))

    def _backward(self, state: State, node: Node) -> Iterator[Try]:
        edges, sums, hidden = self._behind(node)
        for at in sums:
            yield from self._sum(state, at)
        for edge in edges:
            yield from self._edge(state, *edge)
        for at in hidden:
            yield from self._gate(state, at)
        yield from self._everywhere(state, edges, hidden)
        yield from self._rounded(state, [n for c, _ in edges for n in (c, *c.args)])

    def _rounded(self, state: State, nodes: Iterable[Node]) -> Iterator[Try]:
        """Values that are printed, and right, but went on with fewer digits."""
        for node in dict.fromkeys(nodes):
            if (node, False) in self.right and not node.is_input:
                yield from self._gate(state, node, rounded(node, told(node, self.names)))

    def _above(self, node: Node) -> list[Node]:
        """A gate and those before it up to the next numbers that are printed, the nearest first."""
        found, waiting = [], [node]
        while waiting:
            at = waiting.pop(0)
            if at in found or at.is_input or at.is_constant:
                continue
            found.append(at)
            waiting += [a for a in at.args if (a, False) not in self.own]
        return found

    def _behind(self, node: Node) -> tuple[list[tuple[Node, int]], list[Node], list[Node]]:
        """The rules, sums and values between a gradient and the next ones that are printed."""
        edges: list[tuple[Node, int]] = []
        sums, hidden = [], []
        waiting, seen = [node], set()
        while waiting:
            at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            sums.append(at)
            for consumer, place in self.consumers.get(at, []):
                if self.trace.quantities[consumer].gradient is None:
                    continue
                edges.append((consumer, place))
                if (consumer, True) not in self.own:
                    waiting.append(consumer)
                for value in (consumer, *consumer.args):
                    hidden += [n for n in self._unseen(value) if n not in hidden]
        return edges, sums, hidden

    def _unseen(self, node: Node) -> list[Node]:
        """The gates whose values a number hides, if it is not printed itself and nothing right comes of it."""
        if node.is_input or node.is_constant or (node, False) in self.own:
            return []
        return [n for n in self._above(node) if not self._confirmed(n)]

    def _confirmed(self, node: Node) -> bool:
        """Whether a right number that is printed depends on a value."""
        waiting, seen = [node], set()
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            if (at, False) in self.own:
                if (at, False) in self.right:
                    return True
                continue
            waiting += [c for c, _ in self.consumers.get(at, [])]
        return False

    def _gate(
        self, state: State, node: Node, made: Iterable[Mistake] | None = None
    ) -> Iterator[Try]:
        """Mistakes in a value; with the derivative of what was computed, and with the right one."""
        if node in state.forward:
            return
        args = self._arguments(node)
        if made is None:
            made = in_value(node, told(node, self.names), self.names)
        for mistake, alike in _different(made, self.base[node, False], lambda f: f(*args)):
            cause = self._cause(mistake, node)
            also = tuple(self._cause(m, node) for m in alike)
            forward = replace(state, forward={**state.forward, node: mistake})
            if mistake.smooth:
                slopes = {
                    (node, i): Mistake("", "", derivative(mistake.function, i))
                    for i, a in enumerate(node.args)
                    if a in self.trace.quantities
                }
                yield Try(replace(forward, backward={**state.backward, **slopes}), cause, also)
            yield Try(forward, cause, also)

    def _arguments(self, node: Node) -> list[Array]:
        """The numbers that the student's gate computes from."""
        return [a.value if a.is_constant else self.base[a, False] for a in node.args]

    def _edge(
        self, state: State, node: Node, place: int, made: Iterable[Mistake] | None = None
    ) -> Iterator[Try]:
        known = state.backward.get((node, place))
        if known is not None and known.kind:
            return
        numbers = [self.base[node, True], self.base[node, False], *self._arguments(node)]
        if made is None:
            made = in_slope(node, place, told(node, self.names), state.forward.get(node))
        for mistake, alike in _different(made, None, lambda f: f(*numbers)):
            cause = self._cause(mistake, node, place) if mistake.kind else None
            also = tuple(self._cause(m, node, place) for m in alike if m.kind)
            backward = {**state.backward, (node, place): mistake}
            yield Try(replace(state, backward=backward), cause, also)

    def _sum(self, state: State, node: Node) -> Iterator[Try]:
        count = len(self.consumers.get(node, []))
        for mistake in in_sum(count) if node is not self.end else at_start():
            name = self.names[node]
            words = f"the gradient of {name}"
            cause = Cause(mistake.kind, name, True, words, mistake.words, (node, True))
            yield Try(replace(state, sums={**state.sums, node: mistake}), cause)

    def _everywhere(
        self, state: State, edges: Sequence[tuple[Node, int]], hidden: Sequence[Node]
    ) -> Iterator[Try]:
        """One mistake at all gates of a kind, as where a class or a function is wrong."""
        kinds: dict[str, list[Node]] = {}
        for node in [*hidden, *(e[0] for e in edges)]:
            alike = kinds.setdefault(node.gate.name, [])
            if node not in alike:
                alike.append(node)
        for alike in kinds.values():
            if len(alike) < 2:
                continue
            if hidden:
                yield from self._all_values(state, [n for n in alike if n in hidden])
            for place in range(len(alike[0].args)):
                own = [(n, p) for n, p in edges if n in alike and p == place]
                yield from self._all_slopes(state, own)

    def _all_values(self, state: State, nodes: Sequence[Node]) -> Iterator[Try]:
        if len(nodes) < 2:
            return
        first = min(nodes, key=lambda n: self.trace.quantities[n].number)
        each = [in_value(n, told(n, self.names), self.names) for n in nodes]
        for made in zip(*each, strict=False):
            state_of = {**state.forward, **dict(zip(nodes, made, strict=True))}
            cause = self._cause(made[nodes.index(first)], first)
            yield Try(replace(state, forward=state_of), cause)

    def _all_slopes(self, state: State, edges: Sequence[tuple[Node, int]]) -> Iterator[Try]:
        if len(edges) < 2:
            return
        last = max(edges, key=lambda e: self.trace.quantities[e[0]].number)
        each = [in_slope(n, p, told(n, self.names), state.forward.get(n)) for n, p in edges]
        for made in zip(*each, strict=False):
            mistake = made[edges.index(last)]
            if mistake.kind:
                state_of = {**state.backward, **dict(zip(edges, made, strict=True))}
                yield Try(replace(state, backward=state_of), self._cause(mistake, *last))

    def _other_arguments(self, state: State, node: Node) -> Iterator[Try]:
        """Another number of the same shape in the place of an argument."""
        numbers = {q: q.value for q in (*self.trace.inputs, *self.trace.gates)}
        for i, arg in enumerate(node.args):
            for q, value in list(numbers.items())[:60]:
                if q.node.shape != arg.shape or q.node is arg or q.node is node:
                    continue
                held = self.own[q.node, False].value if (q.node, False) in self.own else value
                mistake = Mistake(
                    "other argument",
                    f"{q.name} stands in the place of {self.names.get(arg, 'a constant')}",
                    _with(node, i, held),
                )
                cause = self._cause(mistake, node)
                yield Try(replace(state, forward={**state.forward, node: mistake}), cause)

    def _in_order(self, state: State, problem: Key) -> Iterator[Try]:
        """The right entries in another order."""
        own = self.own[problem]
        if own.value.size < 2 or np.isnan(own.value).any():
            return
        expected = self.base[problem]
        same = Own(
            np.sort(own.value, axis=None), np.full(own.value.size, own.unit.max()), own.digits
        )
        if self.ruler.agrees(problem, same, np.sort(expected, axis=None)):
            words = "the right entries stand in another order"
            square = own.value.ndim == 2 and own.value.shape[0] == own.value.shape[1]
            if square and self.ruler.agrees(problem, replace(own, value=own.value.T), expected):
                words = "it is transposed"
            kind = "transposed" if words == "it is transposed" else "order"
            cause = Cause(kind, self.names[problem[0]], problem[1], self._name(problem), words)
            yield Try(replace(state, unexplained=state.unexplained | {problem}), cause)

    def _other_input(self, state: State, problem: Key) -> Try:
        name = self.names[problem[0]]
        words = f"{name} has another value than in the homework"
        cause = Cause("other input", name, False, f"the input {name}", words)
        return Try(replace(state, unexplained=state.unexplained | {problem}), cause)

    def _name(self, key: Key) -> str:
        name = self.names[key[0]]
        return f"d{self.trace.letter}/d{name}" if key[1] else name

    def _cause(self, mistake: Mistake, node: Node, place: int | None = None) -> Cause:
        """A mistake in words: in a gate's value, or in what it sends to an argument."""
        q = self.trace.quantities[node]
        backward = place is not None
        at = (node, False) if place is None else (node.args[place], True)
        text = told(node, self.names)
        formula = f"{q.name} = {text}"
        where = f"gate {q.number}, {formula}"
        if backward:
            where = f"backward through {where}"
        return Cause(mistake.kind, q.name, backward, where, mistake.words, at)


def _different(
    mistakes: Iterable[Mistake], right: Array | None, apply: Callable[[Callable[..., Array]], Array]
) -> Iterator[tuple[Mistake, list[Mistake]]]:
    """Mistakes that make a number at all, each with those that make the same; none that make the right one."""
    found: dict[bytes, tuple[Mistake, list[Mistake]]] = {}
    for mistake in mistakes:
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(apply(mistake.function), dtype=float)
        except (
            np.linalg.LinAlgError,
            ArithmeticError,
            IndexError,
            ValueError,
            TypeError,
            ReportError,
        ):
            continue
        if not np.isfinite(value).all():
            continue
        if right is not None and (value.shape != np.shape(right) or np.array_equal(value, right)):
            continue
        size = float(np.max(np.abs(value), initial=0.0)) or 1.0
        same = (
            np.round(value / size, 12).tobytes()
            + str((value.shape, float(f"{size:.12g}"))).encode()
        )
        if same in found:
            found[same][1].append(mistake)
        else:
            found[same] = (mistake, [])
    yield from found.values()


def _with(node: Node, place: int, value: Array) -> Callable[..., Array]:
    """A gate with a number in the place of one argument."""

    def function(*xs: Array) -> Array:
        return node.gate.forward(
            *(value if i == place else x for i, x in enumerate(xs)), **node.params
        )

    return function
