"""Homework with random inputs + seed -> the same homework with plain numbers: one student's variant.

Each input is drawn by a key of its own (seed, question, input, attempt), so that setting one input to
another value leaves the others as they are. A variant is drawn again where it would make a bad question:
a condition of the homework does not hold, a value lies outside a gate's domain or on a kink, or all the
gradients asked for are next to nothing. A question without random inputs is never changed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from report.autodiff.trace import Trace
from report.errors import ReportError
from report.homework import toml
from report.homework.conditions import Condition, read_condition
from report.homework.homework import Homework, Question, located, place
from report.homework.keys import read_seed
from report.homework.random_inputs import Random, is_random, read_random

MAX_DRAWS = 1000  # of one question
FEW = 200  # variants of one question that are remembered: more of them seldom come again
VANISHING = 1e-6  # gradients whose entries are all smaller in size teach nothing
_SCHEME = "report 1"  # another way to draw must be told from this one
_OUTSIDE = "a value is outside a gate's domain"


def has_random_inputs(homework: Homework) -> bool:
    """Whether a seed decides anything."""
    return any(is_random(v) for q in homework.questions for v in q.inputs.values())


def check(homework: Homework) -> None:
    """ReportError for a table that is no random input, or a condition that cannot be read."""
    _randoms(homework)
    _conditions(homework)


def variety(homework: Homework) -> int:
    """How many different variants there can be, at most."""
    return math.prod(r.variety for own in _randoms(homework).values() for r in own.values())


def numbers(homework: Homework) -> tuple[Any, ...]:
    """The values of all inputs, for telling whether two variants are equal."""
    return tuple(repr(sorted(q.inputs.items())) for q in homework.questions)


def draw(homework: Homework, seed: Any = None) -> Homework:
    """The homework with a number for every random input, and the seed that decided them.

    `seed` is a whole number or a text and wins over the homework's own. A homework without random
    inputs comes back as it is. Raises ReportError for a table that is no random input, for random
    inputs without a seed and a seed without random inputs, for a condition that cannot be read, and
    when after `MAX_DRAWS` attempts no variant fulfils the conditions.
    """
    chosen = homework.seed if seed is None else read_seed(seed)
    randoms = _randoms(homework)
    conditions = _conditions(homework)
    if any(randoms.values()):
        if not chosen:
            raise ReportError(
                f"{homework.path}: the inputs are random, and a seed decides them; give --seed 1, or "
                "write seed = 1 at the top of the file"
            )
    elif seed is not None and chosen != homework.seed:
        raise ReportError(
            f"{homework.path} has no random inputs, so there is nothing for a seed to decide"
        )
    found = _Search(homework, chosen, randoms, conditions).variant()
    if not any(randoms.values()):
        return homework
    plain = tuple(replace(q, inputs=found[q.id].inputs, require=()) for q in homework.questions)
    return replace(homework, questions=plain, seed=chosen, require=())


def _randoms(homework: Homework) -> dict[str, dict[str, Random]]:
    """The random inputs of each question."""
    return {
        question.id: {
            name: read_random(value, f"{place(homework, question)}: input {name}")
            for name, value in question.inputs.items()
            if is_random(value)
        }
        for question in homework.questions
    }


def _conditions(homework: Homework) -> list[Condition]:
    ids = [q.id for q in homework.questions]
    found: list[Condition] = []
    with _pointed(homework, 0):
        for text in homework.require:
            found += read_condition(text, ids, f"{homework.path}, require")
    for q in homework.questions:
        with _pointed(homework, q.number):
            for text in q.require:
                found += read_condition(text, [q.id], f"{place(homework, q)}, require")
    return found


@contextmanager
def _pointed(homework: Homework, question: int) -> Iterator[None]:
    """What is wrong with a condition is said with its place in the file."""
    try:
        yield
    except ReportError as error:
        raise ReportError(f"{error}{toml.pointed(homework.source, question, 'require')}") from None


# ---------------------------------------------------------------- the search


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A question with plain inputs, and its trace where something has to be judged by it."""

    inputs: Mapping[str, Any]
    trace: Trace | None


class _Search:
    """Draws each question until it is fit for use, then all that a condition joins until it holds."""

    def __init__(
        self,
        homework: Homework,
        seed: str,
        randoms: Mapping[str, Mapping[str, Random]],
        conditions: list[Condition],
    ) -> None:
        self.homework = homework
        self.seed = seed
        self.randoms = randoms
        self.own = {
            q.id: [c for c in conditions if c.questions == (q.id,)] for q in homework.questions
        }
        self.joint = [c for c in conditions if len(c.questions) > 1]
        self.judged = {question for c in conditions for question in c.questions}
        self.reasons: dict[str, Counter[str]] = {q.id: Counter() for q in homework.questions}
        self.outside: dict[str, str] = {}

    def variant(self) -> dict[str, _Drawn]:
        candidates = {q.id: self.candidates(q) for q in self.homework.questions}
        found = {question: next(c) for question, c in candidates.items()}
        while failed := next((c for c in self.joint if not self.holds(c, found)), None):
            again = [question for question in failed.questions if self.randoms[question]]
            if not again:
                raise self.fixed(failed.text)
            for question in again:
                self.reasons[question][_unmet(failed)] += 1
                found[question] = next(candidates[question])
        return found

    def candidates(self, question: Question) -> Iterator[_Drawn]:
        """Variants of one question that are fit for use; ReportError when there are no more."""
        where, random = place(self.homework, question), self.randoms[question.id]
        if not random:
            yield self.given(question)
            return
        few = math.prod(r.variety for r in random.values()) <= FEW
        known: dict[str, tuple[Trace | None, str]] = {}  # by what was drawn
        for attempt in range(MAX_DRAWS):
            drawn = {
                name: r.draw(_SCHEME, self.seed, question.id, name, str(attempt))
                for name, r in random.items()
            }
            inputs = {name: drawn.get(name, value) for name, value in question.inputs.items()}
            key = repr(drawn) if few else ""
            trace, reason = known.get(key) or self.judge(question, inputs, not attempt)
            if few:
                known[key] = trace, reason
            if reason:
                self.reasons[question.id][reason] += 1
            else:
                yield _Drawn(inputs, trace)
        (reason, count), *_ = self.reasons[question.id].most_common(1)
        example = f", such as: {self.outside[question.id]}" if reason == _OUTSIDE else ""
        raise ReportError(
            f"{where}: none of {MAX_DRAWS} draws with the seed {self.seed} will do; {count} times "
            f"{reason}{example}\nChange the random inputs or the conditions."
        )

    def judge(
        self, question: Question, inputs: Mapping[str, Any], first: bool
    ) -> tuple[Trace | None, str]:
        """The trace of a variant, and why it will not do; ReportError for a fault that no draw mends."""
        try:
            trace = _trace(replace(question, inputs=inputs))
        except ReportError as error:
            if first:
                self.must_be_readable(question, inputs)
            self.outside[question.id] = str(error)
            return None, _OUTSIDE
        return trace, _unfit(trace) or self.unmet(question, trace)

    def given(self, question: Question) -> _Drawn:
        """A question whose inputs are all given."""
        if question.id not in self.judged:
            return _Drawn(question.inputs, None)
        trace = self.located(question, lambda: _trace(question))
        for condition in self.own[question.id]:
            if not self.holds(condition, {question.id: _Drawn(question.inputs, trace)}):
                raise self.fixed(condition.text)
        return _Drawn(question.inputs, trace)

    def must_be_readable(self, question: Question, inputs: Mapping[str, Any]) -> None:
        """ReportError at once for a fault that no other numbers would mend."""
        from report.autodiff.inputs import read_inputs
        from report.autodiff.parser import is_latex, parse

        values = self.located(question, lambda: read_inputs(inputs, is_latex(question.function)))
        self.located(question, lambda: parse(question.function, values))

    def located(self, question: Question, work: Any) -> Any:
        try:
            return work()
        except ReportError as error:
            raise located(self.homework, question, error) from None

    def unmet(self, question: Question, trace: Trace) -> str:
        found = {question.id: _Drawn({}, trace)}
        return next((_unmet(c) for c in self.own[question.id] if not self.holds(c, found)), "")

    def holds(self, condition: Condition, found: Mapping[str, _Drawn]) -> bool:
        traces = {q: found[q].trace for q in condition.questions}
        try:
            return condition.holds({q: t for q, t in traces.items() if t is not None})
        except ReportError as error:
            where = ", ".join(condition.questions)
            own = [q.number for q in self.homework.questions if condition.text in q.require]
            pointed = toml.pointed(self.homework.source, own[0] if own else 0, "require")
            raise ReportError(f"{self.homework.path}, question {where}: {error}{pointed}") from None

    def fixed(self, text: str) -> ReportError:
        return ReportError(
            f"{self.homework.path}: the condition {text} does not hold, and the inputs that it depends "
            "on are given; change them or the condition"
        )


def _unmet(condition: Condition) -> str:
    return f"the condition {condition.text} does not hold"


def _unfit(trace: Trace) -> str:
    """Why nobody would learn from a variant; empty when all is well."""
    from report.autodiff.kinks import kinks

    on_kinks = kinks(trace)
    if on_kinks:
        gate = next(q.node.gate for q in trace.gates if q.name == on_kinks[0])
        return f"an input sits on a kink of {gate.name}"
    sizes = [np.max(np.abs(g)) for g in trace.gradients.values()]
    if sizes and max(sizes) < VANISHING:
        return f"every gradient asked for is smaller than {VANISHING:g}"
    return ""


def _trace(question: Question) -> Trace:
    from report.homework.traces import trace_question

    return trace_question(question)
