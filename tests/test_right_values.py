"""Where float64 loses digits: the right numbers, and every check agrees with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
import pytest

from report import ReportError, program, trace
from report.autodiff.kinks import kinks
from report.autodiff.trace import Trace
from report.checks import verify
from report.derivation import derive
from report.program.variables import Dialect
from report.readback import printable, read_back

mp = mpmath.MPContext()
mp.dps = 400
T = mp.mpf("1e-11")
exp, log, tanh, cosh = mp.exp, mp.log, mp.tanh, mp.cosh


def sigmoid(x: float) -> Any:
    return 1 / (1 + exp(-mp.mpf(x)))


def normal(x: float) -> Any:
    return mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2


def softmax(*z: float) -> list[Any]:
    powers = [exp(x) for x in z]
    return [p / sum(powers) for p in powers]


def bell(x: float) -> Any:
    return exp(-(mp.mpf(x) ** 2) / 2) / mp.sqrt(2 * mp.pi)


def checked(found: Trace) -> None:
    """Every way to every number agrees, and every printed formula has its numbers."""
    dialects: list[Dialect] = ["python"]
    if any(q.node.shape for q in (*found.inputs, *found.gates)):
        dialects.append("numpy")
    programs = {d: program.generate(found, dialect=d) for d in dialects}
    outputs = {d: program.parse_output(program.run(p).text, found) for d, p in programs.items()}
    derived = derive(found)
    derived, read = printable(derived, read_back(found, derived))
    assert verify(found, derived, outputs, read).failures == ()


LONG = [f"a_long_name_of_an_input_number_{n}" for n in ("one", "two", "three")]
CASES: list[tuple[str, Mapping[str, Any], Any, Mapping[str, Any]]] = [
    # what is left of 1 beside a number near 1
    ("sigmoid(x)", {"x": 30}, sigmoid(30), {"x": sigmoid(30) * sigmoid(-30)}),
    ("sigmoid(x)", {"x": 700}, sigmoid(700), {"x": sigmoid(700) * sigmoid(-700)}),
    ("binary_cross_entropy(sigmoid(x), [0, 1])", {"x": [-31, 36]},
     (log(1 + exp(-31)) + log(1 + exp(-36))) / 2, {"x": [sigmoid(-31) / 2, -sigmoid(-36) / 2]}),
    ("tanh(x)", {"x": 15}, tanh(15), {"x": 1 / cosh(15) ** 2}),
    ("tanh(x)", {"x": -300}, tanh(-300), {"x": 1 / cosh(300) ** 2}),
    (
        "binary_cross_entropy_with_logits(z, y)", {"z": 30, "y": 1},
        log(1 + exp(-30)), {"z": -sigmoid(-30), "y": -30},
    ),
    ("cross_entropy(z, k)", {"z": [15, 0], "k": 0}, log(1 + exp(-15)), {"z": [-sigmoid(-15), sigmoid(-15)]}),
    ("cross_entropy(z, k)", {"z": [100, 0], "k": 0}, log(1 + exp(-100)), {"z": [-sigmoid(-100), sigmoid(-100)]}),
    (
        "cross_entropy(z, k)", {"z": [20, 0, 1], "k": 0},
        -log(softmax(20, 0, 1)[0]), {"z": [-sum(softmax(20, 0, 1)[1:]), *softmax(20, 0, 1)[1:]]},
    ),
    ("log_softmax(z)[0]", {"z": [15, 0]}, -log(1 + exp(-15)), {"z": [sigmoid(-15), -sigmoid(-15)]}),
    ("softmax(z)[0]", {"z": [25, 0]}, sigmoid(25), {"z": [sigmoid(25) * sigmoid(-25), -sigmoid(25) * sigmoid(-25)]}),
    ("logsumexp(z)", {"z": [0, -40]}, log(1 + exp(-40)), {"z": [sigmoid(40), sigmoid(-40)]}),
    ("-log(1 - sigmoid(x))", {"x": 30}, log(1 + exp(30)), {"x": sigmoid(30)}),
    ("log(1 + exp(x))", {"x": -300}, log(1 + exp(-300)), {"x": sigmoid(-300)}),
    ("1 - sigmoid(x)", {"x": 40}, sigmoid(-40), {"x": -sigmoid(40) * sigmoid(-40)}),
    ("gelu(x)", {"x": -15}, -15 * normal(-15), {"x": normal(-15) - 15 * bell(-15)}),
    # where a derivative is nearly 0
    ("gelu(x)", {"x": -0.7517915246935645}, -0.7517915246935645 * normal(-0.7517915246935645),
     {"x": normal(-0.7517915246935645) - 0.7517915246935645 * bell(-0.7517915246935645)}),
    ("swish(x)", {"x": -1.2784645427610737}, -1.2784645427610737 * sigmoid(-1.2784645427610737),
     {"x": sigmoid(-1.2784645427610737) * (1 - 1.2784645427610737 * sigmoid(1.2784645427610737))}),
    ("log(1 - sigmoid(x))", {"x": 36.7}, -log(1 + exp(36.7)), {"x": -sigmoid(36.7)}),
    ("log(1 - tanh(x))", {"x": 18}, log(1 - tanh(18)), {"x": -1 - tanh(18)}),
    # terms that cancel
    ("(exp(x) - 1 - x) / x**2", {"x": 2.0**-20},
     (exp(2.0**-20) - 1 - 2.0**-20) * 2**40, {"x": (exp(2.0**-20) - 1) * 2**40 - 2 * (exp(2.0**-20) - 1 - 2.0**-20) * 2**60}),
    ("(1 - cos(x)) / x**2", {"x": 2.0**-30}, 0.5, {"x": -(mp.mpf(2) ** -30) / 12}),
    ("(a + b) - a", {"a": 1e16, "b": 1.0}, 1, {"a": 0, "b": 1}),
    ("cosine_similarity(a, b)", {"a": [1e-11, 2], "b": [3, 4]}, (8 + 3 * T) / (5 * mp.sqrt(T**2 + 4)),
     {"a": [(12 - 8 * T) / (5 * (T**2 + 4) ** 1.5), (4 * T**2 - 6 * T) / (5 * (T**2 + 4) ** 1.5)]}),
    ("sum(x)", {"x": [1e16, 1, -1e16]}, 1, {"x": [1, 1, 1]}),
    ("var(x)", {"x": [1e8, 1e8 + 1, 1e8 + 2]}, mp.mpf(2) / 3, {"x": [-mp.mpf(2) / 3, 0, mp.mpf(2) / 3]}),
    ("var(broadcast_to(x, (3, 3)))", {"x": 0.1}, 0, {"x": 0}),
    ("sum(softmax(x))", {"x": [0.1, 2, 0.3]}, 1, {"x": [0, 0, 0]}),
    ("det(A)", {"A": [[1, 2], [2, 4]]}, 0, {"A": [[4, -2], [-2, 1]]}),
    ("det(A)", {"A": [[1, 2, 3], [2, 4, 6], [3, 6, 9]]}, 0, {"A": np.zeros((3, 3))}),
    ("det(A)", {"A": [[1e-20, 2], [3, 4]]}, -6, {"A": [[4, -3], [-2, 1e-20]]}),
    # far out
    ("norm(x)", {"x": 1e-200}, 1e-200, {"x": 1}),
    ("norm(x)", {"x": [3e-160, 4e-160]}, 5e-160, {"x": [0.6, 0.8]}),
    ("norm(x)", {"x": [1e160, 1e150]}, 1e160, {"x": [1, 1e-10]}),
    ("exp(x)", {"x": -745}, exp(-745), {"x": exp(-745)}),
    ("sigmoid(x)", {"x": -745}, exp(-745), {"x": exp(-745)}),
    ("norm(x)/2", {"x": [1e160, 1e150, 3e159]}, mp.sqrt(mp.mpf(1.09)) * 5e159, {}),
    ("std(x)", {"x": [1e-200, 3e-200]}, 1e-200, {"x": [-0.5, 0.5]}),
    ("sum(std(X, axis=0))", {"X": [[1e300, 2], [3e300, 2]]}, 1e300, {"X": [[-0.5, 0], [0.5, 0]]}),
    ("sum(normalize(x) * w)", {"x": [3e-200, 4e-200], "w": [1, 2]}, 2.2, {"x": [-6.4e198, 4.8e198], "w": [0.6, 0.8]}),
    ("sum(normalize(x) * w)", {"x": [3e300, 4e300], "w": [1, 2]}, 2.2, {"x": [-6.4e-302, 4.8e-302], "w": [0.6, 0.8]}),
    ("binary_cross_entropy_with_logits(z, 1)", {"z": 34}, mp.log1p(exp(-34)), {"z": -sigmoid(-34)}),
    ("sum(expm1(x))", {"x": [-7.1e-152, -5.7e-151]}, -6.41e-151, {"x": [1, 1]}),
    ("where(x < x, cosine_similarity(w, w), x)", {"x": 2, "w": [0.0859, -0.3946, 0.0267]}, 2, {"w": [0, 0, 0]}),
    ("sum(arctan(x))", {"x": [1e300, 2]}, mp.pi / 2 + mp.atan(2), {"x": [0, 0.2]}),
    ("sum(gelu(x))", {"x": [1e160, 2]}, 1e160, {"x": [1, normal(2) + 2 * bell(2)]}),
    ("erf(x)", {"x": 1e299}, 1, {"x": 0}),
    ("sum(erf(x))", {"x": [1e299, 0]}, 1, {"x": [0, 2 / mp.sqrt(mp.pi)]}),
    ("cosine_similarity(x, w)", {"x": [3e155, 4e155], "w": [4, 3]}, 0.96, {"w": [-0.0336, 0.0448]}),
    ("cosine_similarity(x, w)", {"x": [3e-200, 4e-200], "w": [4e-200, 3e-200]}, 0.96, {"w": [-3.36e198, 4.48e198]}),
    ("cosine_similarity(x, w)", {"x": [3e200, 4e200], "w": [4e200, 3e200]}, 0.96, {"x": [4.48e-202, -3.36e-202]}),
    ("cosine_similarity(x, w)", {"x": [3e200, 4e200], "w": [4e-200, 3e-200]}, 0.96, {"x": [4.48e-202, -3.36e-202]}),
    ("a / b", {"a": 1e-200, "b": 1e-160}, 1e-40, {"a": 1e160, "b": -1e120}),
    ("arctan(x)", {"x": 1e300}, mp.pi / 2, {"x": 0}),
    ("sin(x)", {"x": 1e8}, mp.sin(10**8), {"x": mp.cos(10**8)}),
    ("min(cos(sinh(x)))", {"x": [-20, -20]}, mp.cos(mp.sinh(20)), {"x": [mp.sin(mp.sinh(20)) * cosh(20) / 2] * 2}),
    ("tan(sum(x))", {"x": [7e7, -1.6e8]}, mp.tan(-9 * 10**7), {}),
    ("sin(x)", {"x": 1e16}, mp.sin(10**16), {"x": mp.cos(10**16)}),
    ("minimum(minimum(prelu(x, a)**-1, y**2), abs(maximum(x, z)))",
     {"x": -0.18, "a": -196, "y": 0.6, "z": 1.1}, 1 / (mp.mpf("0.18") * 196), {"y": 0, "z": 0}),
    # beside a kink
    ("maximum(x, y)", {"x": 1, "y": 1.0000001}, 1.0000001, {"x": 0, "y": 1}),
    ("relu(x)", {"x": 1e-10}, 1e-10, {"x": 1}),
    ("max(x)", {"x": [1, 0.9999999]}, 1, {"x": [1, 0]}),
    ("abs(x - y)", {"x": 1, "y": 1 + 2.0**-40}, 2.0**-40, {"x": -1, "y": 1}),
    ("maximum(x, 2.0000001)", {"x": 2}, 2.0000001, {"x": 0}),
    ("max(x)", {"x": [1, 1, 0]}, 1, {"x": [0.5, 0.5, 0]}),
    ("maximum(x, x)", {"x": 2}, 2, {"x": 1}),
    ("dot(stop_gradient(abs(x) - y), abs(x) - y)", {"x": [2e-12, -7e-13], "y": [1, -0.5]}, 1.25 - 3.3e-12, {"x": [2e-12 - 1, -7e-13 - 0.5]}),
    # what is too large or small on the way
    ("exp(x)*y", {"x": -745, "y": 3}, 3 * exp(-745), {"x": 3 * exp(-745), "y": exp(-745)}),
    ("mish(x)", {"x": 1e9}, 1e9, {"x": 1}),
    ("gelu(x, approximate='tanh')", {"x": 40}, 40, {"x": 1}),
    ("huber(p, y)", {"p": [1e9, 0.5], "y": [0, 0]}, (mp.mpf(10) ** 9 - 0.5 + 0.125) / 2, {"p": [0.5, 0.25]}),
    ("log(2 + leaky_relu(x))", {"x": -1e-301}, log(2), {"x": 0.005}),
    # blocks
    ("sum(kron([[a, b], [b, a]], A))", {"a": 2, "b": 3, "A": [[1, 2], [3, 5]]}, 110, {"a": 22, "b": 22, "A": [[10, 10], [10, 10]]}),
    ("kron(stack([u, v]), A)[1, 2]", {"u": [1, 2], "v": [3, 4], "A": [[5, 6], [7, 8]]}, 14, {"u": [0, 7], "A": [[0, 0], [2, 0]]}),
    ("sum(kron(A, concatenate([A, b])))", {"A": [[1, 2]], "b": [[3, 4]]}, 30, {"A": [[13, 13]], "b": [[3, 3]]}),
    ("trace(kron(A, B))", {"A": [[1, 2], [3, 4]], "B": [[5, 6], [7, 8]]}, 65, {"A": 13 * np.eye(2), "B": 5 * np.eye(2)}),
    ("sum(kron([[a, b]], A)[0] * kron([[b, a]], A)[0])", {"a": 2, "b": 3, "A": [[1, 2]]}, 60, {"a": 30, "b": 20, "A": [[24, 48]]}),
    ("sum(avg_pool1d(x)**2)", {"x": [1.5, 2, -0.3]}, 3.0625, {"x": [1.75, 1.75, 0]}),
    ("sum(sqrt(x * y))", {"x": [1e-5, 1002.204], "y": 1}, mp.sqrt(mp.mpf("1e-5")) + mp.sqrt(mp.mpf("1002.204")), {}),
    ("sum(max(log_sigmoid(A) @ b, axis=0))", {"A": [[1, 2], [3, -1]], "b": [[1], [2]]}, log(sigmoid(1)) + 2 * log(sigmoid(2)), {}),
    ("x @ expand_dims(layer_norm(y), axis=1) @ w", {"x": [[1, 1]], "y": [1, 2], "w": [3]}, 0, {"w": [0]}),
    # along an axis with one entry
    ("sum(softmax(X, axis=1))", {"X": [[1.5], [2]]}, 2, {"X": [[0], [0]]}),
    ("sum(cumsum(X, axis=1)**2)", {"X": [[1.5], [2]]}, 6.25, {"X": [[3], [4]]}),
    ("sum(cumprod(X, axis=0)**2)", {"X": [[1.5, 2]]}, 6.25, {"X": [[3, 4]]}),
    ("sum(prod(X, axis=0) * max(X, axis=0))", {"X": [[1.5, 2]]}, 6.25, {"X": [[3, 4]]}),
    ("sum(flip(X, axis=1)**2)", {"X": [[1.5], [2]]}, 6.25, {"X": [[3], [4]]}),
    # of real numbers
    ("sign(x**-1) * x", {"x": -2}, 2, {"x": -1}),
    ("abs(log(x))", {"x": 0.5}, log(2), {"x": -2}),
    # names that a program has for itself
    ("sum(k[[1]])", {"k": [1, 2]}, 2, {"k": [0, 1]}),
    ("sum(e1[[1]]) + e1[0]", {"e1": [1, 2]}, 3, {"e1": [1, 1]}),
    ("i[[0]][0] + sum(diag(m))", {"i": [1, 2], "m": [[1, 2], [3, 4]]}, 6, {"i": [1, 0], "m": np.eye(2)}),
    (
        f"sum(clip({', '.join(LONG)}) * {LONG[0]})",
        dict(zip(LONG, ([1, 2], 0, 3), strict=True)), 5, dict(zip(LONG, ([2, 4], 0, 0), strict=True)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("function", "inputs", "value", "gradients"), CASES)
def test_no_digit_is_wrong_and_nothing_right_is_refused(
    function: str, inputs: Mapping[str, Any], value: Any, gradients: Mapping[str, Any]
) -> None:
    found = trace(function, inputs)
    np.testing.assert_allclose(found.value, float(value), rtol=1e-14)
    for name, gradient in gradients.items():
        exact = np.vectorize(float)(gradient)
        np.testing.assert_allclose(found.gradients[name], exact, rtol=1e-13, atol=0)
    checked(found)


@pytest.mark.parametrize(
    ("function", "inputs", "gradients"),
    [
        ("std(x)", {"x": [0.1, 0.1, 0.1]}, {"x": [0, 0, 0]}),
        ("sum(std(X, axis=1))", {"X": [[0.1, 0.1, 0.1], [0.7, 0.7, 0.7]]}, {"X": np.zeros((2, 3))}),
        ("relu(sqrt(x)**2 - y)", {"x": 2, "y": 2}, {"x": 0, "y": 0}),
        ("abs(exp(log(x)) - y)", {"x": 3, "y": 3}, {"x": 0, "y": 0}),
        ("relu(a - b*c)", {"a": 0.3, "b": 0.1, "c": 3}, {"a": 0, "b": 0, "c": 0}),
        ("leaky_relu(a + b - c)", {"a": 0.1, "b": 0.7, "c": 0.8}, {"a": 0.01, "b": 0.01, "c": -0.01}),
        ("relu(sin(x)**2 + cos(x)**2 - 1)", {"x": 0.7}, {"x": 0}),
        ("maximum(a + b, c)", {"a": 0.1, "b": 0.2, "c": 0.3}, {"a": 0.5, "b": 0.5, "c": 0.5}),
        ("hinge(x*3, y)", {"x": 1 / 3, "y": 1}, {"x": 0, "y": 0}),
        ("relu(y - x*3)", {"x": 1 / 3, "y": 1}, {"x": 0, "y": 0}),
        ("max(stack([a*3, b]))", {"a": 0.1, "b": 0.3}, {"a": 1.5, "b": 0.5}),
    ],
)  # fmt: skip
def test_a_kink_but_for_rounding_is_a_kink_for_every_way(
    function: str, inputs: Mapping[str, Any], gradients: Mapping[str, Any]
) -> None:
    found = trace(function, inputs)
    assert len(kinks(found)) == 1
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found.gradients[name], gradient, rtol=1e-13, atol=0)
    checked(found)


def test_the_small_entries_of_an_inverse_have_their_digits() -> None:
    found = trace("sum(inv(A))", {"A": [[1e-19, 3e-10], [2e-10, -3.6e19]]})
    right = [[-1e38, -555555555.27777776], [-833333333.0555556, -4.629629625771605e-21]]
    np.testing.assert_allclose(found.gradients["A"], right, rtol=1e-13)


@pytest.mark.parametrize(
    ("function", "inputs", "line", "value"),
    [
        ("z = a + b - c\nz * exp(z)", {"a": 0.1, "b": 0.2, "c": 0.3}, "z", 0),
        (
            "z = W @ x\nsum(z**2)",
            {"W": [[0.1, 0.3], [0.2, 0.7]], "x": [0.6, -0.2]},
            "z",
            [0, -0.02],
        ),
        ("z = a / 3 - b\nz", {"a": 0.3, "b": 0.1}, "z", 0),
    ],
)
def test_what_is_0_but_for_rounding_is_0(
    function: str, inputs: Mapping[str, Any], line: str, value: Any
) -> None:
    found = trace(function, inputs)
    np.testing.assert_allclose(found.quantities[found.graph.lets[line]].value, value, 1e-14, 0)
    checked(found)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("1 / (sqrt(x)**2 - y)", {"x": 2, "y": 2}),
        ("sum((x - mean(x)) / std(x))", {"x": [0.1, 0.1, 0.1]}),
        ("log(a + b - c)", {"a": 0.1, "b": 0.2, "c": 0.3}),
    ],
)
def test_what_is_0_but_for_rounding_divides_nothing(
    function: str, inputs: Mapping[str, Any]
) -> None:
    with pytest.raises(ReportError, match="is outside its domain"):
        trace(function, inputs)


@pytest.mark.parametrize(
    ("function", "inputs", "words"),
    [
        ("x * y * z", {"x": 1e-200, "y": 1e-200, "z": 1e200}, r"q1 \(multiply\) underflows at x = 1e-200"),
        ("sqrt(x**2 + y**2)", {"x": 3e-170, "y": 4e-170}, r"q1 \(square\) underflows at x = 3e-170"),
        ("1 / (x * y)", {"x": -6e299, "y": 3}, "the gradient of q1 underflows"),
        ("softsign(x * y) + z", {"x": 1e299, "y": 54, "z": 1}, "the gradient of q1 underflows"),
        ("s / (x / y)", {"s": 0.3, "x": 1e299, "y": 3}, "the gradient of q1 underflows"),
        ("norm(prelu(x, x)) ** 0.5", {"x": [-8e-201, 1.5e-200]}, r"q1 \(prelu\) underflows at x"),
        ("log(1 / x)", {"x": 8e199}, r"derivative of gate q1 \(reciprocal\) by x underflows"),
        ("log(exp(x))", {"x": -760}, r"q1 \(exp\) underflows at x = -760(.|\n)*log_softmax"),
        ("log(1 - sigmoid(x))", {"x": 45}, "outside its domain at q2 = 0(.|\n)*losses with logits keep"),
        ("binary_cross_entropy(sigmoid(z), 1)", {"z": 40}, "no finite derivative(.|\n)*losses with logits keep"),
    ],
)  # fmt: skip
def test_what_float64_is_too_short_for_is_said_to_be_so(
    function: str, inputs: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(ReportError, match=words):
        trace(function, inputs)


def test_what_is_added_to_a_huge_number_keeps_its_gradient() -> None:
    """The diagonal of a matrix that nothing else flows back into has plain zeros beside it."""
    function = "minimum(where(a < b, sum(diag(x) @ x), b), sum(logsumexp(Z - mean(y), axis=0)))"
    z = [[-0.5, 0.4], [-1.5, -1.2]]
    inputs = {"a": 2, "b": 1, "x": [6e-13, 8e-13], "Z": z, "y": [1.1e300, 3.1e299, -2e299]}
    columns = [softmax(*column) for column in zip(*z, strict=True)]
    expected = np.array(columns, dtype=float).T
    np.testing.assert_allclose(trace(function, inputs).gradients["Z"], expected, rtol=1e-14)
