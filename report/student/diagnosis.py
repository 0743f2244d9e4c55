"""A student's numbers -> which are right, which is the first wrong one, and the likeliest mistake behind it.

Nothing is guessed: a mistake is named only when the student's own earlier numbers, computed on with that
mistake, give the student's number to its printed digits, and leave what was explained before explained.
Where gates between two printed numbers are not printed, each of them is tried. Of several mistakes that
fit, the one that explains most of what is printed later comes first, then the more usual one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.student.explanations import State, Tries, Try
from report.student.find import Finder, Found
from report.student.ruler import Own, Ruler
from report.student.walk import Key, keys_of, truth, walk
from report.student.work import AGREES, DIFFERS, FOLLOWS, MISSING, SINGLE, Cause, Line, OwnWork

MAX_REFUSED = 200  # guesses of what a number stands for
MAX_SEARCHES = 10  # numbers for which a mistake is looked for
MAX_WORK = 60_000  # numbers computed in one search
NAMED = 3  # mistakes that are named where several fit equally well


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


_Guess = tuple[int, Key]  # a number of the output, by its place in it, and what it would stand for


class _Stopped(Exception):
    """The walk has come to a number that nothing explains."""


class _Diagnosis:
    """The mistakes found so far, and what is known of which number of the output stands for what."""

    def __init__(self, trace: Trace, place: Callable[..., Found]) -> None:
        self.trace = trace
        self.place = place
        self.state = State()
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

    def gain(self, search: _Search, state: State, guess: _Guess) -> int:
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
        self.true = {k: truth(trace, k) for k in self.keys}
        self.right = {k for k, o in self.own.items() if self.ruler.agrees(k, o, self.true[k])}
        self.work = 0

    # ------------------------------------------------------------ the whole

    def result(self, state: State, causes: Mapping[Key, tuple[Cause, ...]]) -> OwnWork:
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

    def _settled(self, state: State, key: Key, expected: Array) -> tuple[Array, str]:
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

    def problem(self, state: State) -> Key | None:
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

    def numbers(self, state: State) -> dict[Key, Array]:
        """Every number as the student computed it, as far as a state tells."""
        found: dict[Key, Array] = {}

        def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
            found[key] = self._settled(state, key, expected)[0]
            return found[key]

        walk(self.trace, settle, state.deviations())
        return found

    # ------------------------------------------------------------ explanations of one number

    def explanations(self, state: State, problem: Key) -> list[Try]:
        """The mistakes that give the number, the likeliest first."""
        tries = Tries(self.trace, self.ruler, self.own, self.right, self.numbers(state))
        return self._likeliest(state, problem, tries.usual(state, problem)) or self._likeliest(
            state, problem, tries.deeper(state, problem)
        )

    def _likeliest(self, state: State, problem: Key, tries: Iterable[Try]) -> list[Try]:
        """Those that explain most, in their order."""
        ranked: list[tuple[tuple[int, int], Try]] = []
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

    def explained(self, state: State, problem: Key | None = None) -> int:
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


def _filled(own: Own, expected: Array) -> Array:
    """A student's number, with what follows for the entries that are not there."""
    filled: Array = np.where(np.isnan(own.value), expected, own.value)
    return filled[()]


def _distinct(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Each kind at each gate once."""
    found: dict[tuple[str, str], Cause] = {}
    for cause in causes:
        found.setdefault((cause.kind, cause.gate), cause)
    return tuple(found.values())
