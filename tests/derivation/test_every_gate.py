"""Every gate with its options: formulas tell graphs apart, and numbers in the place of tensors have a derivation too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from report import ReportError, trace
from report.autodiff.gates import GATES
from report.autodiff.graph import Array, Gate, Node, input_node, make
from report.derivation import derive
from report.derivation.latex import latex
from report.program.syntax import formula as text_of
from report.typeset import formula

SHAPES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((3,),), ((3, 3),), ((2, 4),), ((2, 3, 3),), ((1, 3, 1),), ((3,), (3,)), ((3, 3), (3, 3)), ((3, 3), (3,)), ((5,), (2,)),
    ((2, 4, 4), (4, 2, 2)), ((2, 4, 4, 4), (4, 2, 2, 2)), ((3,), (3,), (3,)), ((3, 3), (3,), (3,)), ((2, 4), (4,), (4,)),
)  # fmt: skip
VALUES: dict[str, tuple[Any, ...]] = {  # of an option, beside its default
    "axis": (0, 1, -1, (0, 1)), "keepdims": (True,), "ddof": (1,), "axes": ((1, 0), (0, 2, 1), (2, 1, 0)),
    "shape": ((9,), (3, 3), (1, 3), (4, 2), (2, 3, 3)), "pad_width": (1, (1, 0), (0, 1), ((0, 1), (2, 0))), "size": (1, 2, (1, 2), (2,)),
    "stride": (1, 2, (1,), (2, 1)), "padding": (1,), "groups": (1, 2), "k": (1, -1), "shift": (1, 2), "axis1": (1,), "axis2": (0, -1),
    "classes": (2, 4), "is_causal": (True,), "subscripts": ("ij->ji", "ij->i", "ij->j", "ii", "i,i", "ij,jk->ik"),
}  # fmt: skip


def options(gate: Gate) -> Iterator[dict[str, Any]]:
    """Options of a gate in all ways that `VALUES` has; numbers three times."""
    ways = [
        [{}, *({name: v} for v in VALUES.get(name, (1.0, 0.5, 0.25)) if v != default)]
        for name, default in gate.params.items()
    ]
    for chosen in itertools.product(*ways):
        yield {name: value for way in chosen for name, value in way.items()}


def graphs(shapes: tuple[tuple[int, ...], ...]) -> Iterator[tuple[Node, Array]]:
    """All gates over inputs of these shapes, and their values at one and the same numbers."""
    draw = np.random.default_rng(3)
    args = [np.round(draw.uniform(0.1, 0.9, size=s), 2) for s in shapes]
    leaves = [input_node(name, a) for name, a in zip("xyz", args, strict=False)]
    for gate in GATES.values():
        if not gate.usage or len(gate.rules_for(len(args))) != len(args):
            continue  # backward graphs tell sizes by what stands beside
        for params in options(gate):
            try:
                node = make(gate, leaves, params)
                node.span = 1, 0, 1  # as in a formula that somebody wrote
                with np.errstate(all="ignore"):
                    value = np.asarray(gate.forward(*args, **params))
                yield (
                    node,
                    value.reshape(-1, 1) if value.ndim == 1 else value,
                )  # a vector is a column
            except (
                ReportError,
                ArithmeticError,
                TypeError,
                ValueError,
                IndexError,
                AttributeError,
            ):
                continue  # not these options over these shapes


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_graphs_that_differ_print_differently(shapes: tuple[tuple[int, ...], ...]) -> None:
    printed: dict[str, list[tuple[Node, Array]]] = {}
    for node, value in graphs(shapes):
        text = latex(node)
        for other, known in printed.setdefault(text, []):
            same = value.shape == known.shape and np.allclose(value, known, equal_nan=True)
            assert same, (text, node.gate.name, node.params, other.gate.name, other.params)
        printed[text].append((node, value))
    assert len(printed) > 10


NUMBERS = [g.name for g in GATES.values() if g.usage and g.rules and not g.held]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_gate_over_numbers_has_a_derivation(name: str) -> None:
    """Also one that is meant for tensors: a number is one with no axes."""
    gate = GATES[name]
    leaves = [Node(input_node("x", 0.5).gate, name=n) for n in "xyz"[: len(gate.rules)]]
    text = text_of(Node(gate, tuple(leaves)), {leaf: str(leaf.name) for leaf in leaves})
    try:
        traced = trace(f"w * {text}", {"w": 2.0, "x": 0.5, "y": 0.25, "z": 0.75})
    except ReportError:
        return  # not of numbers
    derivation = derive(traced)
    assert len(derivation.gradients) == 4
    for row in derivation.forward:
        assert "\\" not in formula(row.symbols).speech
    for sentence in derivation.legend:
        assert sentence.count("$") % 2 == 0
