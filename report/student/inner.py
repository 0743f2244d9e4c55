"""Known mistakes inside a gate's own formulas: in one step of its definition, or of its derivative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from report.autodiff.graph import Array, Node
from report.student import written
from report.student.mistakes import Mistake, called, in_value, told
from report.student.written import Written

_NOT_INSIDE = ("rounding", "integer division", "float32", "slope for value")
_MOST_GATES = 24  # of a formula


def in_definition(node: Node, names: Mapping[Node, str]) -> Iterator[Mistake]:
    """Mistakes in one step of a gate that is written out in simpler ones."""
    formula = written.definition(node)
    if formula is not None:
        known = dict(zip(formula.inputs, (called(a, names) for a in node.args), strict=True))
        yield from _inside(formula, known, f"inside {node.gate.name}: ")


def in_rule(node: Node, place: int, names: Mapping[Node, str]) -> Iterator[Mistake]:
    """Mistakes in one step of a gate's derivative, and another number in the place of one of its own."""
    formula = written.rule(node, place)
    if formula is None:
        return
    upstream, value, *args = formula.inputs
    known = {upstream: "upstream", value: names[node]}
    known |= dict(zip(args, (called(a, names) for a in node.args), strict=True))
    where = f"in the derivative of {node.gate.name}: "
    yield from _exchanged(formula, known, where)
    yield from _inside(formula, known, where)


def _exchanged(formula: Written, names: Mapping[Node, str], where: str) -> Iterator[Mistake]:
    """The value for the argument, the argument for the value, one argument for another."""
    _, value, *args = formula.inputs
    for old in (value, *args):
        for new in (value, *args):
            if old is new or old.shape != new.shape or old.is_constant:
                continue
            kind = "at input" if old is value else "at output" if new is value else "swapped"
            words = f"{where}{names[new]} stands in the place of {names[old]}"
            at = formula.inputs.index(old), formula.inputs.index(new)

            def exchanged(*numbers: Array, at: tuple[int, int] = at) -> Array:
                own = list(numbers)
                own[at[0]] = numbers[at[1]]
                return formula.value(*own)

            yield Mistake(kind, words, exchanged)


def _inside(formula: Written, names: Mapping[Node, str], where: str) -> Iterator[Mistake]:
    gates: Sequence[Node] = formula.gates
    if len(gates) > _MOST_GATES:
        return
    for gate in gates:
        for mistake in in_value(gate, told(gate, dict(names)), names):
            if mistake.kind in _NOT_INSIDE:
                continue

            def other(*numbers: Array, at: Node = gate, made: Mistake = mistake) -> Array:
                return formula.changed(numbers, at, made.function)

            yield Mistake(mistake.kind, where + mistake.words, other)
