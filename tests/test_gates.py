"""Every row of the gate table: its rule against sympy, central differences and its own formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from report.gates import GATES
from report.graph import Gate, evaluate, input_node, make
from tests.gradient_checks import check_gate, close

# ---------------------------------------------------------------- arguments for a gate


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers on a grid of 0.01, so that one that is near a kink is on it."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda n: n / 100)


any_number = numbers(-2, 2)
positive = numbers(0.1, 3)
nonzero = positive | positive.map(lambda x: -x)
inside = numbers(-0.9, 0.9)

Case = st.SearchStrategy[tuple[list[Any], dict[str, Any]]]


def arrays(shape: Any, elements: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return hnp.arrays(np.float64, shape, elements=elements)


def elementwise(*elements: st.SearchStrategy[float], **params: Any) -> Case:
    """Arguments of shapes that broadcast together."""

    @st.composite
    def case(draw: Any) -> tuple[list[Any], dict[str, Any]]:
        shapes = draw(
            hnp.mutually_broadcastable_shapes(
                num_shapes=len(elements), min_dims=0, max_dims=3, max_side=3
            )
        ).input_shapes
        return [draw(arrays(s, e)) for s, e in zip(shapes, elements, strict=True)], params

    return case()


def fixed(*shapes: tuple[int, ...], elements: Any = any_number, **params: Any) -> Case:
    """Arguments of just these shapes."""
    return st.tuples(*(arrays(s, elements) for s in shapes)).map(lambda args: (list(args), params))


def reduction(elements: Any = any_number) -> Case:
    """A tensor with an axis, several or none, kept or not."""

    @st.composite
    def case(draw: Any) -> tuple[list[Any], dict[str, Any]]:
        x = draw(arrays(hnp.array_shapes(max_dims=3, max_side=3), elements))
        axes = st.none() | st.integers(-x.ndim, x.ndim - 1)
        if x.ndim > 1:
            axes |= st.just((0, x.ndim - 1))
        return [x], {"axis": draw(axes), "keepdims": draw(st.booleans())}

    return case()


PRODUCTS = [
    ((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3)), ((2, 3), (3, 2)), ((3, 3), (3, 1)), ((1, 3), (3, 1)),
    ((2, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((2, 2, 3), (2, 3, 1)), ((2, 1, 2, 3), (3, 3, 2)),
    ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((1, 2, 3), (4, 3, 2)),
]  # fmt: skip

# ---------------------------------------------------------------- one line for each gate

CASES: dict[str, Case] = {
    "add": elementwise(any_number, any_number),
    "subtract": elementwise(any_number, any_number),
    "multiply": elementwise(any_number, any_number),
    "divide": elementwise(any_number, nonzero),
    "reciprocal": elementwise(nonzero),
    "negative": elementwise(any_number),
    "power": elementwise(positive, any_number),
    "square": elementwise(any_number),
    "sqrt": elementwise(positive),
    "abs": elementwise(any_number),
    "sign": elementwise(any_number),
    "exp": elementwise(any_number),
    "log": elementwise(positive),
    "sin": elementwise(any_number),
    "cos": elementwise(any_number),
    "tan": elementwise(numbers(-1.2, 1.2)),
    "radians": elementwise(numbers(-90, 90)),
    "sigmoid": elementwise(any_number),
    "tanh": elementwise(any_number),
    "relu": elementwise(any_number),
    "matmul": st.sampled_from(PRODUCTS).flatmap(lambda shapes: fixed(*shapes)),
    "transpose": fixed((2, 3)) | fixed((3,)) | fixed((2, 3, 2)) | fixed(()),
    "swap_last": fixed((2, 3)) | fixed((2, 3, 2)),
    "outer": fixed((2,), (3,)),
    "dot": fixed((3,), (3,)) | fixed((1,), (1,)),
    "norm": fixed((3,), elements=nonzero) | fixed((2, 3), elements=nonzero) | fixed((), elements=nonzero),
    "squared_norm": fixed((3,)) | fixed((2, 3)) | fixed(()),
    "sum": reduction() | fixed(()),
    "mean": reduction() | fixed(()),
    "positive": elementwise(any_number),
    "ratio": elementwise(any_number, nonzero),
    "sum_to": fixed((2, 3), shape=(3,)) | fixed((2, 3), shape=(2, 1)) | fixed((2, 3), shape=()),
    "broadcast_to": fixed((3,), shape=(2, 3)) | fixed((), shape=(2, 2)) | fixed((2, 1), shape=(2, 3)),
    "reshape": fixed((2, 3), shape=(3, 2)) | fixed((), shape=(1, 1)) | fixed((4,), shape=(2, 2)),
}


def test_every_gate_has_a_case() -> None:
    assert GATES.keys() == CASES.keys()


@pytest.mark.parametrize("name", GATES)
def test_rule_agrees_with_central_differences_and_its_formula(name: str) -> None:
    gate = GATES[name]

    @settings(max_examples=25)
    @given(CASES[name])
    def check(case: tuple[list[Any], dict[str, Any]]) -> None:
        args, params = case
        if gate.kink is not None:
            assume(not np.any(gate.kink(*args, **params)))
        check_gate(gate, args, params)

    check()


# ---------------------------------------------------------------- sympy's word on elementwise rules

ELEMENTWISE = [name for name, gate in GATES.items() if gate.sympy is not None]


def test_every_elementwise_gate_has_a_sympy_expression() -> None:
    assert [n for n, gate in GATES.items() if gate.elementwise and gate.sympy is None] == []


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_forward_and_rule_are_those_of_sympy(name: str) -> None:
    gate = GATES[name]
    symbols = sympy.symbols(f"x:{len(gate.rules)}", real=True)
    expression = gate.sympy(sympy, *symbols)  # type: ignore[misc]
    slopes = [sympy.diff(expression, s) for s in symbols]

    @settings(max_examples=10)
    @given(CASES[name])
    def check(case: tuple[list[Any], dict[str, Any]]) -> None:
        args = [np.float64(np.ravel(a)[0]) for a in case[0]]
        if gate.kink is not None:
            assume(not np.any(gate.kink(*args)))
        point = dict(zip(symbols, map(sympy.Float, args), strict=True))
        y = gate.forward(*args)
        close(y, float(expression.subs(point).evalf(20)), "forward", 1e-12)
        for rule, slope in zip(gate.rules, slopes, strict=True):
            if rule is not None:
                expected = float(slope.subs(point).doit().evalf(20))
                close(rule(np.float64(1), y, *args), expected, "rule", 1e-12)

    check()


# ---------------------------------------------------------------- conventions


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("abs", [0.0], [0.0]),
        ("sign", [0.0], [0.0]),
        ("relu", [0.0], [0.0]),
        ("norm", [np.zeros(2)], [np.zeros(2)]),
    ],
)
def test_conventions_at_kinks_are_those_of_pytorch(
    name: str, args: list[Any], expected: list[Any]
) -> None:
    gate = GATES[name]
    args = [np.float64(a) if np.ndim(a) == 0 else a for a in args]
    assert gate.kink is not None
    assert np.any(gate.kink(*args))
    assert gate.convention
    y = gate.forward(*args)
    for rule, slope in zip(gate.rules, expected, strict=True):
        if rule is not None:
            np.testing.assert_array_equal(rule(np.float64(1), y, *args), slope)


def test_every_kink_has_its_convention() -> None:
    assert [n for n, g in GATES.items() if g.usage and (g.kink is None) != (not g.convention)] == []


def test_rows_are_whole() -> None:
    for name, gate in GATES.items():
        assert gate.name == name
        assert gate.sign, name
        if gate.usage:
            assert gate.group, name
            assert gate.summary, name
            assert gate.why.endswith("."), name
            assert gate.latex, name
            assert gate.numpy, name
        if gate.elementwise:
            assert gate.python, name
