"""Every row of the rule table by itself: both sides have the same numbers, and the right one is simpler."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from report.autodiff.gates import Key, Place
from report.autodiff.gates.indexing import identity
from report.autodiff.gates.table import GATES
from report.autodiff.graph import Node, OutOfDomain, constant, evaluate, input_node, make
from report.autodiff.inputs import read_inputs
from report.autodiff.parser.parser import parse
from report.autodiff.simplify.engine import applied
from report.autodiff.simplify.forms import Call, Factored, Form, Gap, Number, Spread, match
from report.autodiff.simplify.rules import RULES, Rule
from report.errors import ReportError
from tests.autodiff.gradient_checks import check_graph, close

TRIES = 3000  # of instances of a pattern
ENOUGH = 4  # instances for which a rule holds

# ---------------------------------------------------------------- formulas for the gaps

X, Y, S = (input_node(name, np.float64(0)) for name in "XYS")
V, W = (input_node(name, np.zeros(3)) for name in "VW")
A, B = (input_node(name, np.zeros((3, 3))) for name in "AB")
T, U = (input_node(name, np.zeros((2, 3, 3))) for name in "TU")
ROW, COLUMN = input_node("ROW", np.zeros((1, 3))), input_node("COLUMN", np.zeros((3, 1)))
VALUES = {
    X: np.float64(0.7), Y: np.float64(1.3), S: np.float64(0.4),
    V: np.array([0.3, 0.9, 0.5]), W: np.array([1.2, 0.4, 0.8]),
    A: np.array([[0.9, 0.2, 0.1], [0.3, 1.1, 0.4], [0.2, 0.5, 1.4]]),
    B: np.array([[0.5, 0.1, 0.7], [0.6, 0.8, 0.2], [0.9, 0.3, 1.0]]),
    T: np.arange(18.0).reshape(2, 3, 3), U: np.arange(18.0)[::-1].reshape(2, 3, 3),
    ROW: np.array([[0.3, 0.6, 0.2]]), COLUMN: np.array([[0.4], [1.5], [0.7]]),
}  # fmt: skip


def m(name: str, *args: Any, **params: Any) -> Node:
    """A gate as it is, not simplified."""
    return make(GATES[name], args, params)


FIRST, PART = Key((1,)), Key((slice(0, 2),))
ONE = constant(1)
SCALARS = [X, Y, S, m("multiply", X, S), m("divide", Y, S), m("square", X), m("sqrt", X), m("power", X, 3),
           m("negative", X), m("index", V, key=FIRST), m("reciprocal", S), m("add", X, 1), m("det", A),
           m("less", X, Y), m("where", m("less", X, Y), S, 0.0), m("subtract", 1, X)]  # fmt: skip
VECTORS = [V, W, m("multiply", V, W), m("divide", V, W), m("divide", W, S), m("exp", V), m("softmax", V),
           m("subtract", 1, V), m("multiply", S, V), m("negative", W), m("multiply", 2, V), m("sqrt", V),
           m("multiply", V, m("subtract", 1, W)), m("multiply", W, m("subtract", 1, V)),
           m("scatter", ONE, key=FIRST, shape=(3,)), m("add", V, W), m("matmul", A, V), m("matmul", V, A),
           m("matmul", m("transpose", A), V), m("solve", A, V), m("matmul", A, W), m("add", V, 2),
           m("concatenate", m("index", W, key=PART), m("reshape", X, shape=(1,)))]  # fmt: skip
MATRICES = [A, B, m("outer", V, W), m("matmul", A, B), m("transpose", A), m("outer", W, W),
            m("softmax", A), m("exp", A), m("exp", B), m("multiply", A, B), m("divide", A, S),
            m("matmul", m("transpose", A), A), m("cofactor", A), m("softmax", B, axis=0),
            m("multiply", S, B), ROW, COLUMN, m("sum", m("exp", A), axis=1, keepdims=True),
            m("max", A, axis=1, keepdims=True), m("concatenate", A, B), m("pad", A, pad_width=(1, 0)),
            identity(A)]  # fmt: skip
STACKS = [m("matmul", m("swap_last", T), U), m("matmul", T, m("swap_last", U))]
NUMBERS = [constant(c) for c in (1.0, -1.0, 2.0, -2.0, 0.5, -1.5, 3.0, 0.0)] + [
    constant(np.pi, name="pi"), m("sqrt", constant(2.0)), constant(np.ones(3)), constant(np.full((3, 3), -2.0))
]  # fmt: skip
POOL = [*SCALARS, *VECTORS, *MATRICES, *STACKS, *NUMBERS]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sum": [{}, {}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": -1}],
    "mean": [{}, {"axis": 0}],
    "broadcast_to": [{"shape": s} for s in ((3,), (2, 3), (3, 3), ())],
    "sum_to": [{"shape": s} for s in ((), (3,), (3, 1), (1, 3))],
    "reshape": [{"shape": s} for s in ((3,), (3, 1), (9,), (3, 3), (1,))],
    "transpose": [{}, {}, {"axes": (1, 0)}, {"axes": (0, 1)}, {"axes": (0,)}],
    "cumsum": [{"axis": 0}], "reverse_cumsum": [{"axis": 0}],
    "softmax": [{}, {}, {"axis": 0}], "log_softmax": [{}, {"axis": 0}],
    "index": [{"key": k} for k in (FIRST, PART, Key((slice(0, 3),)), Key((slice(1, 4), slice(1, 4))))],
    "scatter": [{"key": FIRST, "shape": (3,)}, {"key": PART, "shape": (3,)}, {"key": Key((1, 2)), "shape": (3, 3)}],
}  # fmt: skip

LABELS = input_node("LABELS", np.zeros(2))
VALUES[LABELS] = np.array([2.0, 0.0])
EXP, LESS = m("exp", A), m("less", X, Y)
EXAMPLES = [  # which random formulas seldom are
    m("divide", EXP, m("sum", EXP, axis=1, keepdims=True)),
    m("divide", EXP, m("sum_to", EXP, shape=(1, 3))),
    m("subtract", m("multiply", m("subtract", 1, V), W), m("multiply", V, m("subtract", 1, W))),
    m("subtract", m("multiply", V, m("subtract", W, 1)), m("multiply", W, m("subtract", V, 1))),
    m("multiply", m("multiply", V, W), m("subtract", m("divide", S, V), m("divide", X, W))),
    m("multiply", m("softmax", V), m("add", m("divide", m("scatter", ONE, key=FIRST, shape=(3,)),
      m("index", m("softmax", V), key=FIRST)), W)),
    m("exp", m("subtract", V, m("logsumexp", V))),
    m("scatter", constant(np.full(2, 0.5)), constant([0, 1]), LABELS, key=Key((Place(1), Place(2))), shape=(2, 3)),
    m("multiply", m("where", LESS, S, 0.0), m("where", LESS, X, Y)),
]  # fmt: skip


def instances(rule: Rule) -> Iterator[tuple[Node, Any]]:
    """Nodes that look like the pattern of a rule, over random formulas, and their numbers."""
    draw = random.Random(repr(RULES.index(rule)))
    for place in range(TRIES):
        try:
            node = EXAMPLES[place] if place < len(EXAMPLES) else _instance(rule.left, {}, draw)
            value = evaluate([node], dict(VALUES))[node]
        except (ReportError, ValueError, IndexError, TypeError, np.linalg.LinAlgError, OutOfDomain):
            continue  # shapes that do not fit
        if np.shape(value) == node.shape and np.isfinite(value).all():
            yield node, value


def _instance(f: Form, chosen: dict[str, Any], draw: random.Random) -> Node:
    match f:
        case Gap(name, fits):
            if name not in chosen:
                chosen[name] = draw.choice([n for n in POOL if fits(n)])
            node: Node = chosen[name]
            return node
        case Number(value):
            return constant(
                np.full((3,), value) if value in (0, 1) and draw.random() < 0.2 else value
            )
        case Factored(number, rest):
            return m("multiply", _instance(number, chosen, draw), _instance(rest, chosen, draw))
        case Spread(number):
            shape = draw.choice([(3,), (3, 3), (1, 1)])
            return m("broadcast_to", _instance(number, chosen, draw), shape=shape)
        case Call(names, args, operator):
            key = operator if isinstance(operator, str) and operator else ""
            name = names if isinstance(names, str) else draw.choice(names)
            options = {} if not key else draw.choice(OPTIONS.get(name, [{}]))
            if key:
                name, options = chosen.setdefault(key, (name, options))
            return make(GATES[name], [_instance(a, chosen, draw) for a in args], options)
    raise TypeError(f)


@pytest.mark.parametrize("place", range(len(RULES)), ids=lambda i: f"{i}")
def test_a_rule_keeps_numbers_and_is_a_gain(place: int) -> None:
    rule = RULES[place]
    held = 0
    for node, expected in instances(rule):
        for bound in match(rule.left, node, {"node": node}, is_root=True):
            result = applied(rule, node, bound)  # None: it does not hold, or is no gain
            if result is None:
                continue
            assert result.shape == node.shape
            close(evaluate([result], dict(VALUES))[result], expected, f"row {place}", 1e-9)
            held += 1
        if held >= ENOUGH:
            return
    assert held, f"row {place} never holds"


@pytest.mark.parametrize(
    "formula",
    ["2*softmax(X)[0, 1]", "mean(softmax(X)[0])", "sum(softmax(X)[0] * softmax(X)[:, 1])",
     "softmax(softmax(X)[0])[1] / softmax(X)[1, 1]", "log(softmax(X)[0, 1]) * softmax(X)[0, 0]"],
)  # fmt: skip
def test_no_two_rules_undo_each_other(formula: str) -> None:
    values = read_inputs({"X": [[1.0, 2.0], [0.5, -1.0]]})
    check_graph(parse(formula, values), values, second=False)
