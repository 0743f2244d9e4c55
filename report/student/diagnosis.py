"""A student's numbers -> which are right, which is the first wrong one, and the likeliest mistake behind it.

Nothing is guessed: a mistake is named only when the student's own earlier numbers, computed on with that
mistake, give the student's number to its printed digits, and leave what was explained before explained.
Where gates between two printed numbers are not printed, each of them is tried. Of several mistakes that
fit, the one that explains most of what is printed later comes first, then the more usual one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from report.autodiff.graph import Array, Node
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.student.find import Finder, Found, Own, Ruler
from report.student.inner import in_definition, in_rule
from report.student.mistakes import (
    Mistake,
    at_start,
    derivative,
    in_slope,
    in_sum,
    in_value,
    rounded,
    told,
)
from report.student.walk import Deviations, Key, keys_of, truth, walk

AGREES, SINGLE, FOLLOWS, DIFFERS, MISSING = (
    "agrees",
    "single precision",
    "follows",
    "differs",
    "not printed",
)
MAX_REFUSED = 200  # guesses of what a number stands for
MAX_SEARCHES = 10  # numbers for which a mistake is looked for
MAX_WORK = 60_000  # numbers computed in one search
_DEEP = 6  # gates whose own formulas are looked into
NAMED = 3  # mistakes that are named where several fit equally well


@dataclass(frozen=True)
class Cause:
    """A mistake that gives the student's number: its kind, where it is, and what it is in words."""

    kind: str
    gate: str  # the name of the gate where it is made
    backward: bool
    where: str  # "gate 2, q2 = sin(q1)"
    words: str
    at: Key | None = field(default=None, repr=False)  # the number that it makes wrong

    def __str__(self) -> str:
        return f"{self.where}: {self.words}"


@dataclass(frozen=True, eq=False)
class Line:
    """One value or gradient: the true number, the student's, and what it is worth."""

    key: Key
    name: str  # q3, or df/dq3
    true: Array
    own: Own | None
    verdict: str
    causes: tuple[Cause, ...] = ()  # of a number that differs, the likeliest first
    after: str = ""  # the wrong number that one follows from
    close: Array | None = None  # of each entry, whether it agrees
    asked: bool = True  # a value of a gate, or a gradient that leads to one asked for


@dataclass(frozen=True, eq=False)
class OwnWork:
    """A student's numbers of one question, in the order of a trace; `other` are numbers of something else."""

    lines: tuple[Line, ...]
    other: int

    @property
    def printed(self) -> tuple[Line, ...]:
        """The lines that the student has a number for."""
        return tuple(line for line in self.lines if line.own is not None)

    @property
    def wrong(self) -> tuple[Line, ...]:
        """The numbers that differ and do not follow from earlier ones, in order."""
        return tuple(line for line in self.lines if line.verdict == DIFFERS)

    @property
    def first(self) -> Line | None:
        """The first wrong number."""
        return next(iter(self.wrong), None)

    def count(self, verdict: str) -> int:
        """How many lines have a verdict."""
        return sum(line.verdict == verdict for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether numbers were found, and none of them differs."""
        return bool(self.printed) and not any(
            line.verdict in (DIFFERS, FOLLOWS) for line in self.lines
        )


def diagnose(trace: Trace, output: str) -> OwnWork:
    """Find the numbers of an output in a trace, hold them against it, and explain what differs.

    Mistakes are looked for one after the other. What is known of one helps to find the numbers that
    follow from it in the output, and a number that only its place speaks for, and no mistake explains,
    is taken for one of something else.
    """
    finder = Finder(trace, output)
    work = _Diagnosis(trace, finder.place).result()
    straight = finder.straight() if work.other else None
    if straight is None:
        return work
    in_order = _Diagnosis(trace, lambda *_: straight).result()
    known = all(line.causes for line in in_order.wrong)
    return in_order if known and _explained(in_order) > _explained(work) else work


def _explained(work: OwnWork) -> int:
    """How many numbers are right, or follow from a mistake that is known."""
    return sum(line.verdict != DIFFERS or bool(line.causes) for line in work.printed)


@dataclass(frozen=True)
class _State:
    """The mistakes found so far, and the numbers that nothing explains."""

    forward: Mapping[Node, Mistake] = field(default_factory=dict)
    backward: Mapping[tuple[Node, int], Mistake] = field(default_factory=dict)
    sums: Mapping[Node, Mistake] = field(default_factory=dict)
    unexplained: frozenset[Key] = frozenset()

    def deviations(self) -> Deviations:
        return Deviations(
            {n: m.function for n, m in self.forward.items()},
            {e: m.function for e, m in self.backward.items()},
            {n: m.function for n, m in self.sums.items()},
        )


@dataclass(frozen=True)
class _Try:
    """A state with one mistake more; `cause` is None for one that is no new mistake."""

    state: _State
    cause: Cause | None
    also: tuple[Cause, ...] = ()  # mistakes that make the same number


_Guess = tuple[int, Key]  # a number of the output, by its place in it, and what it would stand for


class _Stopped(Exception):
    """The walk has come to a number that nothing explains."""


class _Diagnosis:
    """The mistakes found so far, and what is known of which number of the output stands for what."""

    def __init__(self, trace: Trace, place: Callable[..., Found]) -> None:
        self.trace = trace
        self.place = place
        self.state = _State()
        self.causes: dict[Key, tuple[Cause, ...]] = {}
        self.expected: Mapping[Key, Array] = {}
        self.refused: set[_Guess] = set()  # they stand for nothing
        self.searches = 0

    def result(self) -> OwnWork:
        """Explain one number after the other, those that are sure first."""
        while True:
            search = self.search(self.refused)
            problem = search.problem(self.state)
            if problem is None:
                return search.result(self.state, self.causes)
            self.explain(search, problem)

    def search(self, refused: Container[_Guess]) -> _Search:
        return _Search(self.trace, self.place(self.expected, refused))

    def explain(self, search: _Search, problem: Key) -> None:
        """Take the best explanation of a number; a guess that explains nothing is no number of the trace."""
        self.searches += 1
        tries = search.explanations(self.state, problem) if self.searches < MAX_SEARCHES else []
        order = search.found.guessed.get(problem)
        if order is not None and len(self.refused) < MAX_REFUSED:
            guess = (order, problem)
            kept = problem in search.found.hinted or not search.found.other
            if self.gain(search, tries[0].state, guess) < 1 if tries else not kept:
                self.refused.add(guess)
                return
        if tries:
            self.state = tries[0].state
            if tries[0].cause is not None:
                named = [c for t in tries if t.cause is not None for c in (t.cause, *t.also)]
                self.causes[problem] = _distinct(named)[:NAMED]
        else:
            self.state = replace(self.state, unexplained=self.state.unexplained | {problem})
            self.causes[problem] = ()
        self.expected = search.numbers(self.state)

    def gain(self, search: _Search, state: _State, guess: _Guess) -> int:
        """How many numbers more an explanation explains than the guess left out does."""
        expected = search.numbers(state)
        placed = _Search(self.trace, self.place(expected, self.refused))
        without = self.search(self.refused | {guess})
        return placed.explained(state) - without.explained(self.state)


class _Search:
    def __init__(self, trace: Trace, found: Found) -> None:
        self.trace = trace
        self.found = found
        self.own = {
            k: o for k, o in found.own.items() if o.value.shape == np.shape(truth(trace, k))
        }
        self.ruler = Ruler(trace)
        self.names = {q.node: q.name for q in (*trace.inputs, *trace.gates)}
        self.keys = keys_of(trace)
        self.end = None if trace.result is None else trace.result.node
        self.true = {k: truth(trace, k) for k in self.keys}
        self.right = {k for k, o in self.own.items() if self.ruler.agrees(k, o, self.true[k])}
        self.consumers: dict[Node, list[tuple[Node, int]]] = {}
        for q in trace.gates:
            for place, arg in enumerate(q.node.args):
                if arg in trace.quantities:
                    self.consumers.setdefault(arg, []).append((q.node, place))
        self.work = 0
        self.base: Mapping[Key, Array] = {}  # every number, as far as the state of a search tells

    # ------------------------------------------------------------ the whole

    def result(self, state: _State, causes: Mapping[Key, tuple[Cause, ...]]) -> OwnWork:
        """What every number is worth, once a state explains all that can be explained."""
        causes = self._placed(causes)
        verdicts: dict[Key, str] = {}
        follows: dict[Key, Key] = {}
        origin: dict[Key, Key] = {}  # the first wrong number that a number depends on

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            number, verdict = self._settled(state, key, expected)
            before = next((origin[s] for s in sources if s in origin), None)
            if key in causes:
                verdict, origin[key] = DIFFERS, key
            elif before is not None and verdict != AGREES:
                origin[key] = follows[key] = before
            verdicts[key] = verdict
            return number

        walk(self.trace, settle, state.deviations())
        lines = []
        for key in self.keys:
            own = self.found.own.get(key)
            verdict = verdicts.get(key, MISSING) if own is not None else MISSING
            cause = causes.get(key, ())
            if own is not None and key not in self.own:
                verdict, cause = DIFFERS, (self._misshapen(key, own),)
            after = self.name(follows[key]) if verdict == FOLLOWS and key in follows else ""
            close = self._close(key, verdict)
            node, backward = key
            asked = node in self.trace.needed if backward else not node.is_input
            lines.append(
                Line(key, self.name(key), self.true[key], own, verdict, cause, after, close, asked)
            )
        return OwnWork(tuple(lines), self.found.other)

    def _close(self, key: Key, verdict: str) -> Array | None:
        """Which entries of a number agree with the truth; None where there are none to compare."""
        if key not in self.own:
            return None
        if verdict in (AGREES, SINGLE):
            return np.ones(key[0].shape, dtype=bool)
        return self.ruler.close(key, self.own[key], self.true[key])

    def _placed(self, causes: Mapping[Key, tuple[Cause, ...]]) -> dict[Key, tuple[Cause, ...]]:
        """A mistake that was found by what follows from it, at the number where it is made."""
        placed: dict[Key, tuple[Cause, ...]] = {}
        for key, named in causes.items():
            made = named[0].at if named else None
            at = made if made in self.own and made not in self.right else None
            placed.setdefault(at or key, named)
        return placed

    def name(self, key: Key) -> str:
        """A value or gradient as it is printed."""
        name = self.names[key[0]]
        return f"d{self.trace.letter}/d{name}" if key[1] else name

    def _settled(self, state: _State, key: Key, expected: Array) -> tuple[Array, str]:
        """The number that the student goes on with, and what it is worth; "" where nothing explains it."""
        own = self.own.get(key)
        if own is None:
            return expected, MISSING
        if key in state.unexplained:
            return _filled(own, expected), DIFFERS
        follows = self.ruler.agrees(key, own, expected)
        if key in self.right:
            return (expected if follows else self.true[key]), AGREES
        if follows:
            return expected, FOLLOWS
        if self.ruler.single(key, own, self.true[key]):
            return self.true[key], SINGLE
        if self.ruler.single(key, own, expected):
            return expected, FOLLOWS
        return expected, ""

    def problem(self, state: _State) -> Key | None:
        """The first number that the state does not explain."""
        problem: Key | None = None

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            nonlocal problem
            number, verdict = self._settled(state, key, expected)
            if not verdict:
                problem = key
                raise _Stopped
            return number

        try:
            walk(self.trace, settle, state.deviations())
        except _Stopped:
            return problem
        return None

    def numbers(self, state: _State) -> dict[Key, Array]:
        """Every number as the student computed it, as far as a state tells."""
        found: dict[Key, Array] = {}

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            found[key] = self._settled(state, key, expected)[0]
            return found[key]

        walk(self.trace, settle, state.deviations())
        return found

    # ------------------------------------------------------------ explanations of one number

    def explanations(self, state: _State, problem: Key) -> list[_Try]:
        """The mistakes that give the number, the likeliest first."""
        self.base = self.numbers(state)
        return self._likeliest(state, problem, self._tries(state, problem)) or self._likeliest(
            state, problem, self._deeper(state, problem)
        )

    def _likeliest(self, state: _State, problem: Key, tries: Iterable[_Try]) -> list[_Try]:
        """Those that explain most, in their order."""
        ranked: list[tuple[tuple[int, int], _Try]] = []
        kinds = {m.kind for m in (*state.forward.values(), *state.backward.values())}
        for order, attempt in enumerate(tries):
            if self.work > MAX_WORK * (len(state.forward) + len(state.backward) + 1):
                break
            explained = self.explained(attempt.state, problem)
            if not explained:
                continue
            known = attempt.cause is None or attempt.cause.kind in kinds
            ranked.append(
                ((-explained - 2 * (attempt.cause is None), order - 1000 * known), attempt)
            )
        ranked.sort(key=lambda pair: pair[0])
        best = ranked[0][0][0] if ranked else 0
        return [attempt for (count, _), attempt in ranked if count == best]

    def explained(self, state: _State, problem: Key | None = None) -> int:
        """How many numbers a state explains; 0 when `problem`, or one before it, is not among them."""
        explained, passed = 0, problem is None

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            nonlocal explained, passed
            self.work += 1
            number, verdict = self._settled(state, key, expected)
            if not verdict:
                if not passed:
                    raise _Stopped
                return _filled(self.own[key], expected)
            passed = passed or key == problem
            explained += verdict not in (MISSING, DIFFERS)
            return number

        try:
            walk(self.trace, settle, state.deviations())
        except _Stopped:
            return 0
        return 1 + explained

    def _tries(self, state: _State, problem: Key) -> Iterator[_Try]:
        node, backward = problem
        if node.is_input and not backward:
            yield self._other_input(state, problem)
            return
        yield from self._in_order(state, problem)
        plain = replace(state, backward={e: m for e, m in state.backward.items() if m.kind})
        if backward and len(plain.backward) < len(state.backward):  # right rules after all
            yield _Try(plain, None)
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

    def _deeper(self, state: _State, problem: Key) -> Iterator[_Try]:
        """Mistakes in one step of a gate's definition or derivative."""
        node, backward = problem
        if node.is_input and not backward:
            return
        edges, _, hidden = self._behind(node) if backward else ([], [], self._above(node))
        for at in hidden[:_DEEP]:
            yield from self._gate(state, at, in_definition(at, self.names))
        for at, place in edges[:_DEEP]:
            yield from self._edge(state, at, place, in_rule(at, place, self.names))

    def _backward(self, state: _State, node: Node) -> Iterator[_Try]:
        edges, sums, hidden = self._behind(node)
        for at in sums:
            yield from self._sum(state, at)
        for edge in edges:
            yield from self._edge(state, *edge)
        for at in hidden:
            yield from self._gate(state, at)
        yield from self._everywhere(state, edges, hidden)
        yield from self._rounded(state, [n for c, _ in edges for n in (c, *c.args)])

    def _rounded(self, state: _State, nodes: Iterable[Node]) -> Iterator[_Try]:
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
        self, state: _State, node: Node, made: Iterable[Mistake] | None = None
    ) -> Iterator[_Try]:
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
                yield _Try(replace(forward, backward={**state.backward, **slopes}), cause, also)
            yield _Try(forward, cause, also)

    def _arguments(self, node: Node) -> list[Array]:
        """The numbers that the student's gate computes from."""
        return [a.value if a.is_constant else self.base[a, False] for a in node.args]

    def _edge(
        self, state: _State, node: Node, place: int, made: Iterable[Mistake] | None = None
    ) -> Iterator[_Try]:
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
            yield _Try(replace(state, backward=backward), cause, also)

    def _sum(self, state: _State, node: Node) -> Iterator[_Try]:
        count = len(self.consumers.get(node, []))
        for mistake in in_sum(count) if node is not self.end else at_start():
            name = self.names[node]
            words = f"the gradient of {name}"
            cause = Cause(mistake.kind, name, True, words, mistake.words, (node, True))
            yield _Try(replace(state, sums={**state.sums, node: mistake}), cause)

    def _everywhere(
        self, state: _State, edges: Sequence[tuple[Node, int]], hidden: Sequence[Node]
    ) -> Iterator[_Try]:
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

    def _all_values(self, state: _State, nodes: Sequence[Node]) -> Iterator[_Try]:
        if len(nodes) < 2:
            return
        first = min(nodes, key=lambda n: self.trace.quantities[n].number)
        each = [in_value(n, told(n, self.names), self.names) for n in nodes]
        for made in zip(*each, strict=False):
            state_of = {**state.forward, **dict(zip(nodes, made, strict=True))}
            cause = self._cause(made[nodes.index(first)], first)
            yield _Try(replace(state, forward=state_of), cause)

    def _all_slopes(self, state: _State, edges: Sequence[tuple[Node, int]]) -> Iterator[_Try]:
        if len(edges) < 2:
            return
        last = max(edges, key=lambda e: self.trace.quantities[e[0]].number)
        each = [in_slope(n, p, told(n, self.names), state.forward.get(n)) for n, p in edges]
        for made in zip(*each, strict=False):
            mistake = made[edges.index(last)]
            if mistake.kind:
                state_of = {**state.backward, **dict(zip(edges, made, strict=True))}
                yield _Try(replace(state, backward=state_of), self._cause(mistake, *last))

    def _other_arguments(self, state: _State, node: Node) -> Iterator[_Try]:
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
                yield _Try(replace(state, forward={**state.forward, node: mistake}), cause)

    def _in_order(self, state: _State, problem: Key) -> Iterator[_Try]:
        """The right entries in another order."""
        own = self.own[problem]
        if own.value.size < 2 or np.isnan(own.value).any():
            return
        expected = self._expected(state, problem)
        same = Own(
            np.sort(own.value, axis=None), np.full(own.value.size, own.unit.max()), own.digits
        )
        if self.ruler.agrees(problem, same, np.sort(expected, axis=None)):
            words = "the right entries stand in another order"
            square = own.value.ndim == 2 and own.value.shape[0] == own.value.shape[1]
            if square and self.ruler.agrees(problem, replace(own, value=own.value.T), expected):
                words = "it is transposed"
            kind = "transposed" if words == "it is transposed" else "order"
            cause = Cause(kind, self.names[problem[0]], problem[1], self.name(problem), words)
            yield _Try(replace(state, unexplained=state.unexplained | {problem}), cause)

    def _expected(self, state: _State, problem: Key) -> Array:
        """What the state gives for a number."""
        found = self.true[problem]

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            nonlocal found
            if key == problem:
                found = expected
                raise _Stopped
            return self._settled(state, key, expected)[0]

        with contextlib.suppress(_Stopped):
            walk(self.trace, settle, state.deviations())
        return np.asarray(found)

    def _other_input(self, state: _State, problem: Key) -> _Try:
        name = self.names[problem[0]]
        words = f"{name} has another value than in the homework"
        cause = Cause("other input", name, False, f"the input {name}", words)
        return _Try(replace(state, unexplained=state.unexplained | {problem}), cause)

    def _misshapen(self, key: Key, own: Own) -> Cause:
        """A tensor of another shape than what it stands for."""
        name = self.name(key)
        words = f"it has the shape {own.value.shape}, not {key[0].shape}"
        for axis in range(own.value.ndim):
            whole = np.asarray(own.value.sum(axis=axis))
            summed = Own(
                whole, np.full(whole.shape, own.unit.max() * own.value.shape[axis]), own.digits
            )
            if whole.size == np.size(self.true[key]):
                summed = replace(
                    summed,
                    value=whole.reshape(key[0].shape),
                    unit=summed.unit.reshape(key[0].shape),
                )
                if self.ruler.agrees(key, summed, self.true[key]):
                    return Cause(
                        "not summed",
                        self.names[key[0]],
                        key[1],
                        name,
                        f"it is not summed over axis {axis}",
                    )
        return Cause("shape", self.names[key[0]], key[1], name, words)

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


def _filled(own: Own, expected: Array) -> Array:
    """A student's number, with what follows for the entries that are not there."""
    filled: Array = np.where(np.isnan(own.value), expected, own.value)
    return filled[()]


def _with(node: Node, place: int, value: Array) -> Callable[..., Array]:
    """A gate with a number in the place of one argument."""

    def function(*xs: Array) -> Array:
        return node.gate.forward(
            *(value if i == place else x for i, x in enumerate(xs)), **node.params
        )

    return function


def _distinct(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Each kind at each gate once."""
    found: dict[tuple[str, str], Cause] = {}
    for cause in causes:
        found.setdefault((cause.kind, cause.gate), cause)
    return tuple(found.values())
