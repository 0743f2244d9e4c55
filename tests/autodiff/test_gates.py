"""Every row of the gate table: its rule against sympy, central differences and its own formula."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sympy.logic.boolalg import Boolean

from report import ReportError, trace
from report.autodiff.gates import GATES, Key, Place
from report.autodiff.graph import evaluate, input_node
from tests.autodiff.gradient_checks import check_gate, close

# ---------------------------------------------------------------- arguments for a gate


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers on a grid of 0.01, so that one that is near a kink is on it."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda n: n / 100)


any_number = numbers(-2, 2)
positive = numbers(0.1, 3)
nonzero = positive | positive.map(lambda x: -x)
inside = numbers(-0.9, 0.9)
truth = st.sampled_from([0.0, 1.0])

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


def reduction(elements: Any = any_number, min_side: int = 1) -> Case:
    """A tensor with an axis, several or none, kept or not."""

    @st.composite
    def case(draw: Any) -> tuple[list[Any], dict[str, Any]]:
        x = draw(arrays(hnp.array_shapes(max_dims=3, min_side=min_side, max_side=3), elements))
        axes: st.SearchStrategy[Any] = st.none() | st.integers(-x.ndim, x.ndim - 1)
        if x.ndim > 1:
            axes |= st.just((0, x.ndim - 1))
        return [x], {"axis": draw(axes), "keepdims": draw(st.booleans())}

    return case()


PRODUCTS = [
    ((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3)), ((2, 3), (3, 2)), ((3, 3), (3, 1)), ((1, 3), (3, 1)),
    ((2, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((2, 2, 3), (2, 3, 1)), ((2, 1, 2, 3), (3, 3, 2)),
    ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((1, 2, 3), (4, 3, 2)),
]  # fmt: skip


def mixed(*parts: tuple[tuple[int, ...], st.SearchStrategy[float]], **params: Any) -> Case:
    """Arguments of just these shapes, each with its own elements."""
    return st.tuples(*(arrays(s, e) for s, e in parts)).map(lambda args: (list(args), params))


def along(elements: Any = any_number) -> Case:
    """A tensor of one axis or more, and one of its axes (or none: the last)."""

    @st.composite
    def case(draw: Any) -> tuple[list[Any], dict[str, Any]]:
        x = draw(arrays(hnp.array_shapes(max_dims=3, min_side=2, max_side=3), elements))
        axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
        return [x], {} if axis is None else {"axis": axis}

    return case()


def cumulative() -> Case:
    return along().filter(lambda case: np.ndim(case[0][0]) == 1 or "axis" in case[1])


def spreading(ddof: int) -> Case:
    """A reduction that needs more entries than ddof."""
    return reduction(any_number, min_side=ddof + 1).map(
        lambda case: (case[0], {**case[1], "ddof": ddof})
    )


def invertible(*shape: int) -> st.SearchStrategy[Any]:
    """Matrices with a strong diagonal, so that the determinant is positive."""
    return arrays(shape, inside).map(lambda a: a + 2 * shape[-1] * np.eye(shape[-1]))


def pick(key: tuple[Any, ...], sizes: tuple[int, ...], *indices: Any, **params: Any) -> Case:
    """x[key]; `indices` are the whole numbers of the index arguments."""
    rest = [np.asarray(i, dtype=float) for i in indices]
    return arrays(sizes, any_number).map(lambda x: ([x, *rest], {"key": Key(key), **params}))


def rows(*shape: int) -> st.SearchStrategy[Any]:
    """Rows of probabilities that add up to 1."""
    return arrays(shape, positive).map(lambda p: p / p.sum(axis=-1, keepdims=True))


def cases(*strategies: st.SearchStrategy[Any], **params: Any) -> Case:
    return st.tuples(*strategies).map(lambda args: (list(args), params))


def summed(subscripts: str, *shapes: tuple[int, ...]) -> Case:
    return fixed(*shapes, subscripts=subscripts)


full = slice(None)
signs = st.sampled_from([-1.0, 1.0])
labels = [0.0, 2.0]

# ---------------------------------------------------------------- one line for each gate

CASES: dict[str, Case] = {
    # arithmetic
    "add": elementwise(any_number, any_number),
    "subtract": elementwise(any_number, any_number),
    "multiply": elementwise(any_number, any_number),
    "divide": elementwise(any_number, nonzero),
    "reciprocal": elementwise(nonzero),
    "negative": elementwise(any_number),
    "power": elementwise(positive, any_number),
    "square": elementwise(any_number),
    "abs": elementwise(any_number),
    "sign": elementwise(any_number),
    # exponentials and logarithms
    "exp": elementwise(any_number),
    "log": elementwise(positive),
    "log1p": elementwise(inside),
    "expm1": elementwise(any_number),
    "sqrt": elementwise(positive),
    "rsqrt": elementwise(positive),
    "cbrt": elementwise(nonzero),
    "log2": elementwise(positive),
    "log10": elementwise(positive),
    "erf": elementwise(any_number),
    # trigonometry
    "sin": elementwise(any_number),
    "cos": elementwise(any_number),
    "tan": elementwise(numbers(-1.2, 1.2)),
    "arcsin": elementwise(inside),
    "arccos": elementwise(inside),
    "arctan": elementwise(any_number),
    "sinh": elementwise(any_number),
    "cosh": elementwise(any_number),
    "radians": elementwise(numbers(-90, 90)),
    "degrees": elementwise(any_number),
    # activations
    "tanh": elementwise(any_number),
    "sigmoid": elementwise(any_number),
    "log_sigmoid": elementwise(any_number),
    "softplus": elementwise(any_number),
    "relu": elementwise(any_number),
    "leaky_relu": elementwise(any_number) | elementwise(any_number, slope=0.2),
    "prelu": elementwise(any_number, any_number),
    "elu": elementwise(any_number, alpha=1.0) | elementwise(any_number, alpha=0.5),
    "swish": elementwise(any_number),
    "gelu": elementwise(any_number),
    "softmax": along(),
    "log_softmax": along(),
    "logsumexp": reduction() | fixed(()),
    "gelu_tanh": elementwise(any_number),
    "softsign": elementwise(any_number),
    "mish": elementwise(any_number),
    "hardtanh": elementwise(any_number),
    # choices
    "maximum": elementwise(any_number, any_number),
    "minimum": elementwise(any_number, any_number),
    "clip": elementwise(any_number, numbers(-1, 0), numbers(0.1, 1)),
    "less": elementwise(any_number, any_number),
    "less_equal": elementwise(any_number, any_number),
    "greater": elementwise(any_number, any_number),
    "greater_equal": elementwise(any_number, any_number),
    "equal": elementwise(any_number, any_number),
    "not_equal": elementwise(any_number, any_number),
    "logical_and": elementwise(truth, truth),
    "logical_or": elementwise(truth, truth),
    "logical_not": elementwise(truth),
    "where": elementwise(truth, any_number, any_number),
    # linear algebra
    "matmul": st.sampled_from(PRODUCTS).flatmap(lambda shapes: fixed(*shapes)),
    "dot": fixed((3,), (3,)) | fixed((1,), (1,)),
    "outer": fixed((2,), (3,)) | fixed((1,), (2,)),
    "kron": fixed((2, 2), (1, 3)) | fixed((1, 2), (2, 2)),
    "trace": fixed((3, 3)) | fixed((1, 1)),
    "det": cases(invertible(3, 3)) | fixed((1, 1), elements=nonzero) | cases(invertible(2, 3, 3)),
    "logdet": cases(invertible(3, 3)) | cases(invertible(2, 2, 2)),
    "inv": cases(invertible(3, 3)) | cases(invertible(2, 2, 2)) | cases(invertible(1, 1)),
    "solve": cases(invertible(3, 3), arrays((3,), any_number))
    | cases(invertible(2, 2), arrays((2, 3), any_number)),
    "diag": fixed((3,)) | fixed((3, 3)) | fixed((1,)),
    "norm": reduction(nonzero) | fixed((), elements=nonzero),
    "squared_norm": fixed((3,)) | fixed((2, 3)) | fixed(()),
    "l1_norm": reduction(nonzero) | fixed((), elements=nonzero),
    "einsum": summed("ij,jk->ik", (2, 3), (3, 2)) | summed("ij,jk,k->i", (2, 3), (3, 2), (2,)) | summed("ii", (3, 3))
    | summed("ij->j", (2, 3)) | summed("i,j", (2,), (3,)) | summed("bij,bjk->bik", (2, 2, 3), (2, 3, 1)) | summed("iij->ji", (2, 2, 3)),
    # convolutions
    "conv1d": fixed((5,), (3,), stride=2) | fixed((2, 5), (3, 2, 2), (3,), padding=1) | fixed((2, 4, 5), (4, 2, 3), groups=2),
    "conv2d": fixed((3, 4), (2, 2)) | fixed((2, 3, 3), (2, 2, 2, 2), (2,), padding=1, stride=2)
    | fixed((1, 2, 3, 3), (4, 1, 2, 2), groups=2),
    "conv_transpose1d": fixed((3,), (2,), stride=2) | fixed((2, 3), (2, 3, 3), (3,), padding=1),
    "conv_transpose2d": fixed((2, 2), (2, 2)) | fixed((2, 2, 2), (2, 1, 3, 3), stride=2, padding=1),
    "max_pool1d": fixed((6,)) | fixed((2, 5), size=3, stride=1),
    "max_pool2d": fixed((4, 4)) | fixed((2, 3, 4), size=(2, 3), stride=1),
    "avg_pool1d": fixed((6,)) | fixed((2, 5), size=3, stride=1),
    "avg_pool2d": fixed((4, 4)) | fixed((2, 3, 4), size=(2, 3), stride=1),
    # normalisation
    "normalize": fixed((3,), elements=nonzero) | fixed((2, 3), elements=nonzero, axis=0),
    "cosine_similarity": fixed((3,), (3,), elements=nonzero) | fixed((2, 3), (2, 3), elements=nonzero, axis=0),
    "rms_norm": fixed((3,)) | fixed((2, 3), (3,)) | fixed((2, 3), axis=0, eps=0.1),
    "layer_norm": fixed((3,), eps=0.1) | fixed((2, 3), (3,), (3,), eps=0.1) | fixed((2, 3), axis=(0, 1), eps=0.1),
    "batch_norm": fixed((3, 2), (2,), (2,), eps=0.1) | fixed((2, 2, 3), (2,), eps=0.1),
    "group_norm": fixed((2, 4, 2), (4,), (4,), groups=2, eps=0.1) | fixed((2, 4), groups=2, eps=0.1),
    "scaled_dot_product_attention": fixed((2, 3), (4, 3), (4, 2)) | fixed((3, 2), (3, 2), (3, 2), is_causal=True)
    | mixed(((2, 3), any_number), ((3, 3), any_number), ((3, 1), any_number), ((2, 3), st.just(1.0))),
    # reductions
    "cumprod": along(nonzero).filter(lambda case: np.ndim(case[0][0]) == 1 or "axis" in case[1]),
    "sum": reduction() | fixed(()),
    "mean": reduction() | fixed(()),
    "prod": reduction() | fixed(()) | reduction(st.sampled_from([0.0, 0.5, -1.0, 2.0])),
    "cumsum": cumulative(),
    "max": reduction() | fixed(()),
    "min": reduction() | fixed(()),
    "var": spreading(0) | spreading(1),
    "std": spreading(0) | spreading(1),
    # shapes
    "transpose": fixed((2, 3)) | fixed((3,)) | fixed((2, 3, 2)) | fixed(())
    | fixed((2, 3, 1), axes=(1, 2, 0)) | fixed((2, 3), axes=(-1, 0)),
    "reshape": fixed((2, 3), shape=(3, 2)) | fixed((), shape=(1, 1)) | fixed((4,), shape=(2, -1)),
    "broadcast_to": fixed((3,), shape=(2, 3)) | fixed((), shape=(2, 2)) | fixed((2, 1), shape=(2, 3)),
    "concatenate": fixed((2,), (3,), (2,)) | fixed((2, 1), (2, 3), axis=1) | fixed((1, 2), (1, 2), axis=-1),
    "stack": fixed((2,), (2,)) | fixed((2, 3), (2, 3), (2, 3), axis=1) | fixed((), ()) | fixed((2,), axis=-1),
    "pad": fixed((3,), pad_width=1) | fixed((2, 2), pad_width=((0, 1), (2, 0))) | fixed((1, 2), pad_width=(1, 0)),
    "index": pick((1,), (3,)) | pick((full, 0), (2, 3)) | pick((-1, slice(0, 2)), (2, 3))
    | pick((slice(None, None, -2),), (4,)) | pick((Ellipsis, 1), (2, 2, 3)) | pick((None, 0), (2, 3))
    | pick((Place(1),), (3, 2), [0, 2, 2, 1]) | pick((Place(1),), (3,), 1) | pick((Place(1),), (3, 2), [[0, 1], [1, 1]])
    | pick((Place(1), Place(2)), (3, 2), [0, 2, 2], [1, 0, 0]) | pick((full, Place(1), full), (2, 3, 2), [1, 1])
    | pick((Place(1), full, Place(2)), (2, 3, 2), [1, 1], [0, 1]) | pick((full, Place(1), 0), (2, 3, 2), [1, 1]),
    "tril": fixed((3, 3)) | fixed((2, 3), k=-1),
    "triu": fixed((3, 3)) | fixed((2, 2, 3), k=1),
    "gather": cases(arrays((2, 3), any_number), st.just([[2.0, 0.0], [1.0, 1.0]]), axis=1)
    | cases(arrays((3,), any_number), st.just([2.0, 2.0])),
    "flip": fixed((3,)) | fixed((2, 3), axis=1),
    "roll": fixed((3,), shift=1) | fixed((2, 3), shift=-2, axis=1),
    "swapaxes": fixed((2, 3)) | fixed((2, 3, 1), axis1=0, axis2=-1),
    "squeeze": fixed((1, 3, 1)) | fixed((1, 3, 1), axis=0),
    "expand_dims": fixed((3,), axis=1) | fixed((2, 3), axis=-1),
    "masked_fill": mixed(((2, 3), any_number), ((2, 3), truth), value=-1.5),
    "stop_gradient": fixed((3,), elements=any_number),
    # losses
    "cross_entropy_smoothed": cases(arrays((3,), any_number), st.just(2.0), label_smoothing=0.1)
    | cases(arrays((2, 3), any_number), st.just(labels), label_smoothing=0.3),
    "focal": mixed(((3,), any_number), ((3,), truth)) | mixed(((2, 2), any_number), ((2, 2), truth), alpha=0.5, gamma=1.5) | mixed(((2,), any_number), ((2,), truth), alpha=1, gamma=0),
    "dice": mixed(((2, 2), numbers(0, 1)), ((2, 2), truth), smooth=0.5),
    "triplet_margin": fixed((3,), (3,), (3,)) | fixed((2, 3), (2, 3), (2, 3), margin=0.5),
    "mse": fixed((3,), (3,)) | fixed((2, 3), (2, 3)) | fixed((), ()),
    "l1": fixed((3,), (3,)) | fixed((2, 3), (2, 3)) | fixed((), ()),
    "huber": fixed((3,), (3,), delta=1.0) | fixed((2, 2), (2, 2), delta=0.5) | fixed((), (), delta=2.0),
    "hinge": mixed(((3,), any_number), ((3,), signs)) | mixed(((), any_number), ((), signs)),
    "binary_cross_entropy": mixed(((3,), numbers(0.1, 0.9)), ((3,), numbers(0, 1)))
    | mixed(((), numbers(0.1, 0.9)), ((), st.sampled_from([0.0, 1.0]))),
    "binary_cross_entropy_with_logits": mixed(((2, 2), any_number), ((2, 2), numbers(0, 1)))
    | mixed(((), any_number), ((), st.sampled_from([0.0, 1.0]))),
    "cross_entropy": cases(arrays((3,), any_number), st.just(2.0))
    | cases(arrays((2, 3), any_number), st.just(labels))
    | cases(arrays((1, 2, 3), any_number), st.just([labels])),
    "cross_entropy_one_hot": cases(arrays((3,), any_number), st.just([0.0, 1.0, 0.0]))
    | cases(arrays((2, 3), any_number), rows(2, 3)),
    "kl_div": fixed((3,), (3,), elements=positive) | fixed((2, 2), (2, 2), elements=positive),
    # gates of backward graphs
    "windows": fixed((4,), size=(2,), stride=(1,)) | fixed((2, 3, 4), size=(2, 2), stride=(1, 2)),
    "overlap": fixed((3, 2), size=(4,), stride=(1,)) | fixed((2, 2, 2, 2, 2), size=(3, 4), stride=(1, 2)),
    "xlogy": elementwise(nonzero, positive),
    "ratio": elementwise(any_number, nonzero),
    "normal_cdf": elementwise(any_number),
    "normal_pdf": elementwise(any_number),
    "tanh_slope": elementwise(any_number),
    "gaussian": elementwise(any_number),
    "logit_error": elementwise(any_number, any_number),
    "positive": elementwise(any_number),
    "larger": elementwise(any_number, any_number),
    "within": elementwise(any_number, numbers(-1, 0), numbers(0.1, 1)),
    "swap_last": fixed((2, 3)) | fixed((2, 3, 2)),
    "sum_to": fixed((2, 3), shape=(3,)) | fixed((2, 3), shape=(2, 1)) | fixed((2, 3), shape=()),
    "scatter": pick((full, 0), (2,), shape=(2, 3)) | pick((Place(1),), (3, 2), [0, 1, 1], shape=(2, 2)),
    "one_hot": st.just(([np.array(labels)], {"classes": 3})) | st.just(([1.0], {"classes": 2})),
    "reverse_cumsum": cumulative(),
    "is_largest": along(),
    "is_smallest": along(),
    "others": along() | fixed((2, 3)) | fixed((2, 2, 2), axis=(0, 2)) | fixed((1,)) | fixed(()),
    "cofactor": cases(invertible(3, 3)) | cases(invertible(2, 2, 2)),
}  # fmt: skip


# With axes, keys or shapes of many kinds; the others are as good with half the examples.
MANY_KINDS = {
    "index",
    "scatter",
    "matmul",
    "einsum",
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "var",
    "std",
}


def test_every_gate_has_a_case() -> None:
    assert GATES.keys() == CASES.keys() | TEXTBOOK.keys()


@pytest.mark.parametrize("name", [n for n in CASES if not GATES[n].held])
def test_rule_agrees_with_central_differences_and_its_formula(name: str) -> None:
    gate = GATES[name]

    @settings(max_examples=25 if name in MANY_KINDS else 12)
    @given(CASES[name])
    def check(case: tuple[list[Any], dict[str, Any]]) -> None:
        args, params = case
        if gate.kink is not None:
            assume(not np.any(gate.kink(*map(np.asarray, args), **params)))
        check_gate(gate, args, params)

    check()


# what programs compute with, and a formula shows as this: the same where the rows of p add up to 1
TEXTBOOK: dict[str, Any] = {
    "less_mean": lambda g, p: g - np.sum(g * p, axis=-1, keepdims=True),
    "less_share": lambda g, p: g - p * np.sum(g, axis=-1, keepdims=True),
    "surplus": lambda p, y: p - y,
}


@pytest.mark.parametrize("name", TEXTBOOK)
@given(x=arrays((2, 3), any_number), k=st.permutations([0.0, 0.0, 1.0]))
def test_a_rule_of_probabilities_is_that_of_the_textbook(name: str, x: Any, k: Any) -> None:
    p = GATES["softmax"].forward(x)
    args = (p, np.array([k, k])) if name == "surplus" else (np.array([k, x[0]]), p)
    params = {} if name == "surplus" else {"axis": -1}
    close(GATES[name].forward(*args, **params), TEXTBOOK[name](*args), name, 1e-12)


@pytest.mark.parametrize("far", [20.0, 30.0, 300.0])
def test_a_probability_near_1_leaves_all_digits_to_the_rest(far: float) -> None:
    """With two classes p - 1 of the first is minus the p of the second."""
    g, p = np.array([1.0, 0.0]), GATES["softmax"].forward(np.array([far, 0.0]))
    for found in (
        GATES["less_mean"].forward(g, p, axis=-1)[0],
        GATES["less_share"].forward(g, p, axis=-1)[0],
        -GATES["surplus"].forward(p, g)[0],
    ):
        np.testing.assert_allclose(found, math.exp(-far), rtol=1e-8)


# ---------------------------------------------------------------- the whole local derivative

VECTOR, SQUARE = np.array([0.3, -1.2]), np.array([[3.0, 0.5], [-0.25, 2.0]])
JACOBIANS: dict[
    tuple[str, int], list[Any]
] = {  # a gate and an argument: arguments that are vectors there
    ("softmax", 0): [VECTOR],
    ("log_softmax", 0): [VECTOR],
    ("cumsum", 0): [VECTOR],
    ("matmul", 0): [VECTOR, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])],
    ("matmul", 1): [np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]), VECTOR],
    ("solve", 1): [SQUARE, VECTOR],
}


def test_every_jacobian_has_a_case() -> None:
    pairs = {(name, i) for name, g in GATES.items() for i, j in enumerate(g.jacobian) if j}
    assert pairs == JACOBIANS.keys()


@pytest.mark.parametrize(("name", "place"), JACOBIANS)
def test_jacobian_has_the_rule_in_its_rows(name: str, place: int) -> None:
    gate, args = GATES[name], JACOBIANS[name, place]
    y = gate.forward(*args)
    whole, rule = gate.jacobian[place], gate.rules[place]
    assert whole is not None
    assert rule is not None
    rows = np.array([rule(one, y, *args) for one in np.eye(y.size)])
    close(whole(y, *args), rows, "Jacobian", 1e-12)
    leaves = [input_node(f"a{i}", v) for i, v in enumerate((y, *args))]
    formula = whole(*leaves)
    known = dict(zip(leaves, (y, *args), strict=True))
    close(evaluate([formula], known)[formula], rows, "its formula", 1e-12)


# ---------------------------------------------------------------- sympy's word on elementwise rules

ELEMENTWISE = [name for name, gate in GATES.items() if gate.sympy is not None]


def test_every_elementwise_gate_has_a_sympy_expression() -> None:
    assert [n for n, gate in GATES.items() if gate.elementwise and gate.sympy is None] == []


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_forward_and_rule_are_those_of_sympy(name: str) -> None:
    gate = GATES[name]
    symbols = sympy.symbols(f"x:{len(gate.rules)}", real=True)
    booleans = {s: sympy.Ne(s, 0) for s in symbols} if name.startswith("logical") else {}
    expression = gate.sympy(sympy, *(booleans.get(s, s) for s in symbols))
    flat = isinstance(expression, Boolean)  # a comparison: 1 where it holds
    if flat:
        expression = sympy.Piecewise((1, expression), (0, True))
    slopes = [0 * s if flat else sympy.diff(expression, s) for s in symbols]

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
                expected = float(slope.subs(point).doit().evalf(20))  # no derivative is left
                close(rule(np.float64(1), y, *args), expected, "rule", 1e-12)

    check()


PLACES = [
    0.001,
    0.1,
    0.3,
    0.5,
    0.77,
    0.9,
    0.999,
    1.14,
    1.35,
    1.5,
    3,
    7,
    15,
    17.3,
    25.5,
    30,
    37,
    50,
    200.7,
    500,
    700,
]
PLACES += [-x for x in PLACES]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_slopes_are_within_four_units_in_the_last_place(name: str) -> None:
    """Of 700 digits, over ±700."""
    gate, count = GATES[name], len(GATES[name].rules)
    symbols = sympy.symbols(f"x:{count}", real=True)
    expression = gate.sympy(sympy, *symbols) if name != "where" and "logical" not in name else None
    if expression is None or isinstance(expression, Boolean) or name in ("sign", "positive"):
        return  # exact
    slopes = [sympy.diff(expression, s).doit() for s in symbols]
    sample = PLACES if count == 1 else PLACES[:: 2 * count - 1]
    with mpmath.workprec(2400), np.errstate(all="ignore"):
        value, *slopes = [sympy.lambdify(symbols, e, "mpmath") for e in (expression, *slopes)]
        samples = [sample] * count if name != "logit_error" else [PLACES, [0.0, 0.12, 1.0]]
        for point in itertools.product(*samples):
            args = [np.float64(x) for x in point]
            y = gate.forward(*args)
            on_kink = gate.kink is not None and np.any(gate.kink(*args))
            if not np.isfinite(y) or on_kink:
                continue
            rules = zip(gate.rules, slopes, strict=True)
            found = [(y, value), *((r(np.float64(1), y, *args), s) for r, s in rules if r)]
            for got, exactly in found:
                exact = exactly(*map(mpmath.mpf, point))
                if isinstance(exact, mpmath.mpf) and abs(exact) < 1.7e308:
                    error = abs(mpmath.mpf(float(got)) - exact) / math.ulp(float(exact))
                    assert error <= 4, (point, got, float(exact))


# ---------------------------------------------------------------- conventions

CONVENTIONS: dict[str, tuple[list[Any], list[Any]]] = {  # where, and the slope by each argument
    "abs": ([0.0], [0.0]),
    "sign": ([0.0], [0.0]),
    "relu": ([0.0], [0.0]),
    "leaky_relu": ([0.0], [0.01]),
    "prelu": ([0.0, 0.3], [0.3, 0.0]),
    "elu": ([0.0, 0.5], [0.5]),
    "maximum": ([2.0, 2.0], [0.5, 0.5]),
    "minimum": ([2.0, 2.0], [0.5, 0.5]),
    "clip": ([1.0, -1.0, 1.0], [1.0, 0.0, 0.0]),
    "norm": ([[0.0, 0.0]], [[0.0, 0.0]]),
    "l1_norm": ([[0.0, 3.0]], [[0.0, 1.0]]),
    "max": ([[1.0, 3.0, 3.0]], [[0.0, 0.5, 0.5]]),
    "min": ([[1.0, 1.0, 3.0]], [[0.5, 0.5, 0.0]]),
    "std": ([[2.0, 2.0]], [[0.0, 0.0]]),
    "l1": ([[1.0, 2.0], [1.0, 4.0]], [[0.0, -0.5], [0.0, 0.5]]),
    "hinge": ([[1.0, 0.0], [1.0, 1.0]], [[0.0, -0.5], [0.0, 0.0]]),
    "hardtanh": ([1.0], [0.0]),
    "max_pool1d": ([[3.0, 3.0, 1.0, 2.0]], [[0.5, 0.5, 0.0, 1.0]]),
    "max_pool2d": ([[[3.0, 3.0], [1.0, 2.0]]], [[[0.5, 0.5], [0.0, 0.0]]]),
    "triplet_margin": ([[0.0, 0.0], [0.0, 3.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
}
FLAT = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}


def test_every_gate_with_a_kink_has_its_convention_tested() -> None:
    assert {n for n, gate in GATES.items() if gate.usage and gate.kink} == CONVENTIONS.keys() | FLAT


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_at_kinks_are_those_of_pytorch(name: str) -> None:
    gate = GATES[name]
    given, slopes = CONVENTIONS[name]
    params = {"alpha": given.pop()} if name == "elu" else {}
    args = [np.float64(a) if np.ndim(a) == 0 else np.array(a) for a in given]
    assert gate.kink is not None
    assert np.any(gate.kink(*args, **params))
    y = gate.forward(*args, **params)
    with np.errstate(all="ignore"):
        for rule, slope in zip(gate.rules, slopes, strict=True):
            assert rule is not None
            np.testing.assert_array_equal(rule(np.ones_like(y)[()], y, *args, **params), slope)


@pytest.mark.parametrize("name", sorted(FLAT))
def test_nothing_flows_back_through_a_comparison(name: str) -> None:
    gate = GATES[name]
    assert set(gate.rules) == {None}
    assert gate.kink is not None
    assert gate.kink(1.0, 1.0)
    assert not gate.kink(1.0, 2.0)


# ---------------------------------------------------------------- large arguments


@pytest.mark.parametrize(
    ("formula", "x", "value", "slope"),
    [
        ("sigmoid(x)", 1000, 1, 0),
        ("sigmoid(x)", -1000, 0, 0),
        ("log_sigmoid(x)", 1000, 0, 0),
        ("log_sigmoid(x)", -1000, -1000, 1),
        ("softplus(x)", 1000, 1000, 1),
        ("softplus(x)", -1000, 0, 0),
        ("swish(x)", 1000, 1000, 1),
        ("swish(x)", -1000, 0, 0),
        ("gelu(x)", -1000, 0, 0),
        ("elu(x)", 1000, 1000, 1),
        ("tanh(x)", -1000, -1, 0),
        ("logsumexp(stack([x, 0]))", 1000, 1000, 1),
        ("logsumexp(stack([x, 0]))", -1000, 0, 0),
        ("softmax(stack([x, 0]))[0]", 1000, 1, 0),
        ("log_softmax(stack([x, 0]))[0]", -1000, -1000, 1),
        ("log_softmax(stack([x, 0]))[1]", 1000, -1000, -1),
        ("cross_entropy(stack([x, 0]), 0)", -1000, 1000, -1),
        ("cross_entropy(stack([x, 0]), 1)", 1000, 1000, 1),
        ("cross_entropy(stack([x, 0]), 0)", 1000, 0, 0),
        ("cross_entropy(stack([x, 0]), stack([0, 1]))", 1000, 1000, 1),
        ("binary_cross_entropy_with_logits(x, 0)", 1000, 1000, 1),
        ("binary_cross_entropy_with_logits(x, 1)", -1000, 1000, -1),
        ("binary_cross_entropy_with_logits(x, 1)", 1000, 0, 0),
    ],
)
def test_large_arguments_do_not_overflow(
    formula: str, x: float, value: float, slope: float
) -> None:
    t = trace(formula, {"x": x})
    assert t.value == value
    assert t.gradients["x"] == slope


# ---------------------------------------------------------------- digits, against 50 of them


def _log1p(x: Any) -> Any:
    return mpmath.log(1 + x)


PRECISE: dict[str, Any] = {
    "binary_cross_entropy_with_logits(x, 1)": lambda x: _log1p(mpmath.exp(-x)),
    "binary_cross_entropy_with_logits(x, 0)": lambda x: _log1p(mpmath.exp(x)),
    "elu(x)": lambda x: x if x > 0 else mpmath.exp(x) - 1,
    "elu(x, alpha=0.3)": lambda x: x if x > 0 else mpmath.mpf("0.3") * (mpmath.exp(x) - 1),
}


@pytest.mark.parametrize("x", [-1000, -700, -40, -36, -20, -18, -1e-10, 1e-10, 2, 20, 36, 40, 700])
@pytest.mark.parametrize("formula", PRECISE)
def test_no_digit_is_lost_far_out(formula: str, x: float) -> None:
    t = trace(formula, {"x": x})
    with mpmath.workdps(500):
        value, slope = PRECISE[formula](mpmath.mpf(x)), mpmath.diff(PRECISE[formula], x)
    np.testing.assert_allclose(t.value, float(value), rtol=1e-12)
    np.testing.assert_allclose(t.gradients["x"], float(slope), rtol=1e-12)


@pytest.mark.parametrize("p", [1e-300, 1e-20, 1e-10, 0.5, 1 - 1e-10])
def test_a_cross_entropy_of_small_probabilities(p: float) -> None:
    t = trace("binary_cross_entropy(p, y)", {"p": p, "y": 0}, ["p"])
    with mpmath.workdps(400):
        value = -mpmath.log(1 - mpmath.mpf(p))
        slope = 1 / (1 - mpmath.mpf(p))
    np.testing.assert_allclose(t.value, float(value), rtol=1e-13)
    np.testing.assert_allclose(t.gradients["p"], float(slope), rtol=1e-13)


def test_a_published_cross_entropy() -> None:
    t = trace("binary_cross_entropy_with_logits(z, y)", {"z": 20, "y": 1})
    assert round(t.value * 1e9, 10) == 2.0611536203


def test_many_classes_take_no_more_memory_than_the_scores() -> None:
    t = trace("cross_entropy(z, k)", {"z": np.zeros(1_000_000), "k": 3})
    np.testing.assert_allclose(t.value, np.log(1e6), rtol=1e-12)
    np.testing.assert_allclose(t.gradients["z"][[2, 3]], [1e-6, 1e-6 - 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "inputs", "message"),
    [
        ("cross_entropy(z, y)", {"z": [1, 2, 3], "y": [0.3333333] * 3}, "divide each row by its sum"),
        ("cross_entropy(z, y)", {"z": [1, 2, 3], "y": np.array([0.1, 0.2, 0.7], "f4")}, "a row adds up to "),
        ("cross_entropy(z, y)", {"z": [1, 2], "y": [1.5, -0.5]}, "holds probabilities"),
        ("cross_entropy(z, k)", {"z": [1, 2], "k": 2}, "2 is none"),
        ("binary_cross_entropy(p, 1)", {"p": 1.5}, "one of them is 1.5"),
        ("binary_cross_entropy(p, 0)", {"p": -0.5}, "one of them is -0.5"),
        ("binary_cross_entropy(p, y)", {"p": [0.5, 2], "y": [1, 1]}, "one of them is 2"),
        ("huber(p, y, delta=0)", {"p": 1, "y": 2}, "delta is 0; it must be positive"),
        ("huber(p, y, -1)", {"p": 1, "y": 2}, "delta is -1; it must be positive"),
    ],
)  # fmt: skip
def test_what_a_loss_does_not_take(formula: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ReportError, match=message):
        trace(formula, inputs)


# ---------------------------------------------------------------- edges of powers, products, matrices


@pytest.mark.parametrize(
    ("formula", "inputs", "slopes"),
    [
        ("x**0", {"x": 0}, {"x": 0}),
        ("x**1", {"x": 0}, {"x": 1}),
        ("x**2", {"x": -3}, {"x": -6}),
        ("x**3", {"x": -2}, {"x": 12}),
        ("x**-1", {"x": -2}, {"x": -0.25}),
        ("x**n", {"x": 0, "n": 2}, {"x": 0, "n": 0}),
        ("sum(x**n)", {"x": [0, 0, 2], "n": [0, 1, 3]}, {"x": [0, 1, 12]}),
        ("2**x", {"x": 0}, {"x": np.log(2)}),
        ("prod(x)", {"x": [0, 2, 3]}, {"x": [6, 0, 0]}),
        ("prod(x)", {"x": [0, 2, 0]}, {"x": [0, 0, 0]}),
        ("det(A)", {"A": [[1, 2], [2, 4]]}, {"A": [[4, -2], [-2, 1]]}),
        ("det(A)", {"A": [[0, 0], [0, 0]]}, {"A": [[0, 0], [0, 0]]}),
    ],
)
def test_edges(formula: str, inputs: dict[str, Any], slopes: dict[str, Any]) -> None:
    t = trace(formula, inputs, wrt=list(slopes))
    for name, slope in slopes.items():
        np.testing.assert_allclose(t.gradients[name], slope, atol=1e-14)


OF_A_SQUARE_MATRIX = ["inv(A)[0, 0]", "sum(solve(A, b))", "logdet(A)"]


@pytest.mark.parametrize("gate", OF_A_SQUARE_MATRIX)
@pytest.mark.parametrize(
    "matrix",
    [
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
        [[0, 0, 0]] * 3,
        [[1, 2, 0], [2, 4, 0], [0, 0, 1]],
        [[1e9, 2e9, 3e9], [4e-9, 5e-9, 6e-9], [7, 8, 9]],  # scaled, and no less singular
        np.outer([1, 2, 3], [1e-8, 3, 7e8]) + np.outer([4, -1, 0.1], [1e-8, 5, 2e8]),
    ],
)
def test_a_singular_matrix_is_outside_the_domain(gate: str, matrix: Any) -> None:
    with pytest.raises(ReportError, match="outside its domain"):
        trace(gate, {"A": matrix, "b": [1, 2, 4]})


@pytest.mark.parametrize("gate", OF_A_SQUARE_MATRIX)
@pytest.mark.parametrize(
    "scales", [(1e8, 1e-8, 1), (1e-20, 1, 1), (1e150, 1e-150, 1), (1e-100, 1e-100, 1e-100)]
)
def test_the_scale_of_rows_and_columns_makes_no_matrix_singular(gate: str, scales: Any) -> None:
    core = np.array([[2, 1, 0], [1, 3, 1], [0, -1, 4.0]])
    d = np.array(scales)
    for left, right in ((d, 1 / d), (d, np.ones(3)), (np.ones(3), d)):
        matrix = left[:, None] * core * right
        t = trace(gate, {"A": matrix, "b": [1, 2, 4]}, wrt=["b"])
        expected = {
            OF_A_SQUARE_MATRIX[0]: np.linalg.inv(core)[0, 0] / left[0] / right[0],
            OF_A_SQUARE_MATRIX[1]: np.sum(np.linalg.solve(core, [1, 2, 4] / left) / right),
            OF_A_SQUARE_MATRIX[2]: np.linalg.slogdet(core)[1]
            + np.sum(np.log(left) + np.log(right)),
        }
        np.testing.assert_allclose(t.value, expected[gate], rtol=1e-10)


def test_a_derivative_that_is_too_large_is_not_blamed_on_the_domain() -> None:
    with pytest.raises(ReportError, match="it is too large for a float64 number"):
        trace("sum(inv(A))", {"A": [[1e-200, 0], [0, 1e-100]]})
    with pytest.raises(ReportError, match="the divisor must not be 0"):
        trace("sum(sqrt(x) / sqrt(x))", {"x": [0.0]})


def test_nothing_flows_back_through_what_is_taken_as_given() -> None:
    t = trace("sum(x * stop_gradient(x)) + sum(detach(x)**2)", {"x": [2.0, -3.0]})
    assert t.value == 26
    np.testing.assert_array_equal(t.gradients["x"], [2, -3])


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
            assert gate.numpy or gate.definition, name
        if gate.elementwise:
            assert gate.python or gate.definition, name
