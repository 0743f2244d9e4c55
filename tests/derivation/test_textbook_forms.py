"""Closed forms as a textbook prints them, of functions as people write them; each has the trace's numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import report
from report.autodiff.kinks import kinks
from report.derivation import derive
from report.derivation.elements import Gradient
from report.readback import read_back
from tests.test_report import homework

V, Y = [0.3, -0.7, 1.1], [0.0, 1.0, 0.0]
X = [[1.0, 2.0], [0.0, 1.0], [1.0, 1.0]]
CUBE = [[[1, 2], [3, 4]], [[0, 1], [1, 0]]]
W = [[1.0, 2.0, 0.0], [0.5, -1.0, 1.0]]


def p(text: str) -> str:
    """LaTeX without the commands that only size and set it: the formula as it is read."""
    for command in (r"\mathbf", r"\left", r"\right", r"\operatorname", " ", "{", "}"):
        text = text.replace(command, "")
    return text


def gradients(function: str, only: str = "", **inputs: Any) -> dict[str, Gradient]:
    """The gradients of a function by name, whose formulas have the numbers of the trace."""
    trace = report.trace(function, inputs, wrt=[only] if only else None)
    found = {g.name: g for g in derive(trace).gradients}
    given = {q.node: q.value for q in trace.inputs}
    for name, gradient in found.items():
        assert gradient.formula is not None
        value = gradient.formula.at(given)
        np.testing.assert_allclose(value, trace.gradients[name], rtol=1e-9, atol=1e-12)
    return found


def lead(gradient: Gradient) -> str:
    """What stands first on the page: the formula at these inputs, where some sums are 1."""
    return p(gradient.here[-1].symbols[0] if gradient.here else gradient.closed or "")


def told(gradient: Gradient) -> dict[str, str]:
    """What the names in a formula stand for."""
    return {p(e.left): p(e.symbols[0]) for e in gradient.where}


@pytest.mark.parametrize(
    "logistic",
    [
        "1/(1 + exp(-z))",
        "1/(exp(-z) + 1)",
        "exp(z)/(1 + exp(z))",
        "(1 + exp(-z))**-1",
        "sigmoid(z)",
    ],
)
def test_logistic_regression_by_hand_is_p_less_y(logistic: str) -> None:
    function = f"z = X @ w + b\np = {logistic}\n-mean(y*log(p) + (1-y)*log(1-p))"
    found = gradients(function, X=X, w=[0.5, -0.3], b=0.1, y=[1, 0, 1])
    assert lead(found["w"]) == r"\frac13X^\top(p-y)"
    assert lead(found["b"]) == r"\frac13sum(p-y)"


@pytest.mark.parametrize(
    "softmax",
    ["exp(z) / sum(exp(z))", "softmax(z)", "e = exp(z)\np = e / sum(e)",
     "m = max(z)\ne = exp(z - m)\ns = sum(e)\np = e / s", "exp(z - logsumexp(z))",
     "exp(z - max(z)) / sum(exp(z - max(z)))", "exp(z) * sum(exp(z))**-1"],
)  # fmt: skip
def test_softmax_with_cross_entropy_is_p_less_y(softmax: str) -> None:
    lines = softmax if "p =" in softmax else f"p = {softmax}"
    found = gradients(f"{lines}\nL = -sum(y * log(p))", z=V, y=Y)
    assert lead(found["z"]) == "p-y"


def test_smoothed_labels_and_a_temperature() -> None:
    smooth = "p = softmax(z)\nt = (1 - a)*y + a/3\nL = -sum(t * log(p))"
    assert lead(gradients(smooth, z=V, y=Y, a=0.1)["z"]) == "p-t"
    warm = "p = softmax(v / T)\nq = softmax(z / T)\nL = T**2 * sum(p * log(p / q))"
    assert lead(gradients(warm, z=V, v=[2, 1, -1], T=2)["z"]) == "T(q-p)"
    rows = "e = exp(X @ A)\nP = e / sum(e, axis=1, keepdims=True)\n-sum(Y * log(P)) / 3"
    found = gradients(rows, X=X, A=[[0.1, 0.2], [0.3, -0.4]], Y=[[1, 0], [0, 1], [0, 1]])
    assert lead(found["A"]) == r"\frac13X^\top(P-Y)"
    rows = "P = softmax(X @ A)\n-mean(sum(Y * log(P), axis=1))"
    found = gradients(rows, X=X, A=[[0.1, 0.2], [0.3, -0.4]], Y=[[1, 0], [0, 1], [0, 1]])
    assert lead(found["A"]) == r"\frac13X^\top(P-Y)"
    unnamed = "-sum(((1 - a)*y + a/3) * log(softmax(z)))"
    assert lead(gradients(unnamed, z=V, y=Y, a=0.1)["z"]) == "softmax(z)-s"
    shifted = "m = max(z)\nL = m + log(sum(exp(z - m))) - y @ z"
    assert lead(gradients(shifted, z=V, y=Y)["z"]) == "softmax(z)-y"


def test_numbers_keep_the_names_of_their_steps() -> None:
    deep = "\n".join(f"h{i} = tanh(w{i}*h{i - 1} + b{i})" for i in range(1, 11))
    inputs: dict[str, Any] = {f"{c}{i}": 0.1 * i for c in "wb" for i in range(1, 11)}
    found = gradients(f"h0 = x\n{deep}\nL = (h10 - y)**2", x=1, y=0, **inputs)
    assert lead(found["w10"]) == "2h_9(h_10-y)(1-h_10^2)"
    assert set(told(found["w10"])) == {"h_9", "h_10"}
    assert lead(found["w5"]) == r"\frac\partialL\partialh_5h_4(1-h_5^2)"

    three = "\n".join(
        f"z{i} = w{i}*{a} + b{i}\na{i} = sigmoid(z{i})" for i, a in enumerate(("x", "a1", "a2"), 1)
    )
    loss = f"{three}\nL = -(y*log(a3) + (1 - y)*log(1 - a3))"
    found = gradients(loss, x=1, y=1, w1=0.5, b1=0.1, w2=-0.3, b2=0.2, w3=0.7, b3=0)
    assert lead(found["b3"]) == "a_3-y"
    assert lead(found["b2"]) == "w_3a_2(a_3-y)(1-a_2)"
    assert lead(found["b1"]) == "w_2w_3a_1a_2(a_3-y)(1-a_1)(1-a_2)"


def test_no_internal_name_is_printed() -> None:
    function = """
g1 = a*x1 + b*x2 + c
h1 = relu(g1)
z1 = i*h1 + o
z2 = k*h1 + r
z3 = m*h1 + s
J = -log(exp(z2) / (exp(z1) + exp(z2) + exp(z3)))"""
    inputs: dict[str, Any] = dict(
        zip("abcikmors", (0.5, -0.3, 0.1, 1, 0.5, -0.3, 0.0, 0.1, -0.1), strict=True)
    )
    found = gradients(function, x1=1, x2=-1, **inputs)
    assert lead(found["c"]) == r"\frac\partialJ\partialg_1"
    assert [lead(found[name]) for name in "or"] == ["p_1", "p_2-1"]
    assert told(found["o"])["p_1"] == r"\frace^z_1e^z_1+e^z_2+e^z_3"
    assert [lead(found[name]) for name in "ik"] == ["h_1p_1", "h_1(p_2-1)"]
    for gradient in found.values():
        assert "gradient" not in lead(gradient) + "".join(told(gradient).values())


def test_a_function_of_one_neuron_is_told_by_its_own_value() -> None:
    found = gradients("sigmoid(w0*x0 + w1*x1 + b)", w0=2, x0=-1, w1=-3, x1=-2, b=-3)
    assert lead(found["w0"]) == "x_0f(1-f)"
    assert lead(found["b"]) == "f(1-f)"
    found = gradients("1 / (1 + exp(-(w*x + b)))", w=2, x=-1, b=-3)
    assert lead(found["w"]) == "xf(1-f)"


def test_what_repeats_has_a_name() -> None:
    found = gradients("norm(sigmoid(W @ x))**2", W=W, x=V)["W"]
    assert lead(found) == r"2(s\odots\odot(1-s))x^\top"
    assert told(found)["s"] == r"\sigma(Wx)"
    assert found.entry is not None
    assert p(found.entry.symbols[0]) == "2s_i^2(1-s_i)x_j"


@pytest.mark.parametrize(
    ("function", "inputs", "name", "expected"),
    [
        ("(1 - x)**2 + 100*(y - x**2)**2", {"x": -1.2, "y": 1}, "x", "-2(1-x)-400x(y-x^2)"),
        ("x / (x**2 + y**2)", {"x": 1, "y": 2}, "x", r"\fracy^2-x^2(x^2+y^2)^2"),
        ("det(X.T @ X)", {"X": X}, "X", r"2\det(X^\topX)X(X^\topX)^-1"),
        ("logdet(X.T @ B @ X)", {"X": [[2, 1], [0, 3]], "B": [[2, 0.5], [1, 1]]}, "X", r"BX(X^\topBX)^-1+B^\topX(X^\topBX)^-\top"),
        ("sum(sum(X @ w, axis=1)**2)", {"X": X, "w": [[0.1, 0.2], [0.3, 0.4]]}, "w", r"2X^\topXw\,𝟏\,𝟏^\top"),
        ("trace(A @ diag(sum(X, axis=0)))", {"A": [[1, 2], [3, 4]], "X": X}, "A", r"diag(X^\top𝟏)"),
        ("sum(A @ transpose(B, (0, 2, 1)) * C)", {"A": CUBE, "B": CUBE, "C": CUBE}, "B", r"C^\topA"),
        ("trace(log(X.T @ B @ X))", {"X": [[2, 1], [0, 3]], "B": [[2, 0.5], [0.5, 1]]}, "X", r"BXs^\top+B^\topXs"),
        ("sum(x * y, axis=0)**2", {"x": V, "y": [1, 2, 0.5]}, "x", r"2(x^\topy)y"),
        ("S = A @ B.T / t\n-mean(diag(log_softmax(S, axis=1)))", {"A": W, "B": [[0.3, 0.1, -1], [2, 0, 1]], "t": 0.5}, "A", r"\frac(softmax_\textcolumns(S)-I)B2t"),
        ("norm(W.T @ W - eye(3))**2", {"W": W}, "W", r"4W(W^\topW-I)"),
        ("1/2*norm(W.T @ W @ x - x)**2", {"W": W, "x": V}, "W", r"W(xs^\top+sx^\top)"),
        ("1/2*norm(Y - W @ X)**2", {"W": W, "X": X, "Y": [[0.5, 1], [1, 2]]}, "W", r"(WX-Y)X^\top"),
        ("sum((X @ w - y)**2) / n", {"X": X, "w": [0.1, 0.2], "y": V, "n": 3}, "w", r"\frac2X^\top(Xw-y)n"),
        ("(X @ w - y).T @ (X @ w - y)", {"X": X, "w": [0.1, 0.2], "y": V}, "w", r"2X^\top(Xw-y)"),
        ("(x - y).T @ L.T @ L @ (x - y)", {"x": V, "y": Y, "L": W}, "L", r"2L(x-y)(x-y)^\top"),
        ("trace((X @ M @ X.T + D).T @ (X @ M @ X.T + D))", {"X": X, "M": [[0.5, 0.1], [0.3, 0.2]], "D": np.eye(3).tolist()},
         "M", r"2X^\top(XMX^\top+D)X"),
        ("tr(x @ x.T + s**2*eye(2))", {"x": [1, 2], "s": 3}, "x", "4x"),
        ("log(1 + exp(-y*z))", {"z": 1, "y": 2}, "z", r"-y\sigma(-yz)"),
        ("-mean(log(P)[[0, 1, 2], t])", {"P": [[0.1, 0.9]] * 3, "t": [0, 1, 1]}, "P", r"-\fraconehot_2(t)3P"),
        ("norm(X @ w - y)**2 + a * norm(w)**2", {"X": X, "w": [0.1, 0.2], "y": V, "a": 2}, "w", r"2(X^\top(Xw-y)+aw)"),
        ("sum(x @ transpose(K, (0, 2, 1)))", {"x": [[1.0, 2.0]], "K": [[[0.1, 0.2]], [[0.3, 0.4]]]}, "x", None),
    ],
)  # fmt: skip
def test_matrices_and_numbers(
    function: str, inputs: dict[str, Any], name: str, expected: str | None
) -> None:
    found = gradients(function, only=name, **inputs)[name]
    if expected is None:
        assert "transpose" not in lead(found)
    else:
        assert lead(found) == expected


def test_a_convolution_by_slices_is_one_sum() -> None:
    lines = "\n + ".join(f"K[{a}, {b}]*X[{a}:{2 + a}, {b}:{4 + b}]" for a in (0, 1) for b in (0, 1))
    image = [[0.1 * i * j + i for j in range(5)] for i in range(3)]
    found = gradients(f"Z = ({lines})\nL = sum(Z**3)", X=image, K=[[1, 2], [0.5, -1]])
    kernel, pixels = (found[name].entry.symbols[0] for name in "KX")
    assert p(kernel) == r"\sum_k=1^2\sum_l=1^4\frac\partialL\partialZ_klX_i+k-1,j+l-1"
    assert p(pixels).count("K") == 1
    assert "Z_i-k+1,j-l+1" in p(pixels)
    assert found["K"].closed is None  # four sums, each with a place of its own, say less


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        ("(1 - x[0])**2 + 100*(x[1] - x[0]**2)**2", {"x": [-1.0, 2.0]},
         r"-2(1-x_1)-400x_1(x_2-x_1^2)\\200(x_2-x_1^2)"),
        ("sin(A[0, 0]) + A[0, 1]*A[1, 0]", {"A": [[1.0, 2.0], [3.0, 4.0]]},
         r"\cos(A_11)&A_21\\A_12&0"),
        ("a[1]*a[-1]", {"a": [1.0, 2.0, 3.0]}, r"0\\a_3\\a_2"),
        ("-log(exp(z[2])/(exp(z[0]) + exp(z[1]) + exp(z[2])))", {"z": V}, r"p_1\\p_2\\p_3-1"),
        ("S = exp(z[0]) + exp(z[1])\np0 = exp(z[0])/S\np1 = exp(z[1])/S\n-(y0*log(p0) + y1*log(p1))",
         {"z": V[:2], "y0": 0.25, "y1": 0.75}, r"p_0(y_0+y_1)-y_0\\p_1(y_0+y_1)-y_1"),
    ],
)  # fmt: skip
def test_what_is_used_entry_by_entry_has_its_gradient_entry_by_entry(
    function: str, inputs: dict[str, Any], expected: str
) -> None:
    gradient = gradients(function, **inputs)[next(iter(inputs))]
    assert (
        p((gradient.closed or "").replace(r"\displaystyle", ""))
        == rf"\beginbmatrix{expected}\endbmatrix"
    )
    assert gradient.entry is None


def test_numbers_of_a_softmax_by_hand_are_told_by_their_let_lines() -> None:
    lines = "S = exp(a) + exp(b)\np0 = exp(a)/S\np1 = exp(b)/S\n-(y0*log(p0) + y1*log(p1))"
    found = gradients(lines, a=0.3, b=-0.7, y0=0.25, y1=0.75)
    assert lead(found["a"]) == "p_0(y_0+y_1)-y_0"


def test_entries_of_an_input_are_numbers_of_the_table() -> None:
    """What comes back to x_1 and x_2 are scalar steps, and each entry is one gate, however often it stands."""
    trace = report.trace("x[0]*sin(x[1]) + x[0]**2", {"x": [1.5, -0.5]})
    picks = [q for q in trace.gates if q.node.gate.name == "index"]
    assert len(picks) == 2
    steps = [s for s in derive(trace).backward if s.quantity in picks]
    assert {p(b.left) for s in steps for b in s.branches} == {
        r"\frac\partialf\partialx_1",
        r"\frac\partialf\partialx_2",
    }
    assert not any(s.shapes for s in steps)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("x[0]*x[1]**2*x1 + q[0]*q[1]", {"x": [2.0, 3.0], "x1": 5.0, "q": [1.0, 3.0]}),
        ("X[0]*X1[1] + Y[0, 0]*Y[0, 1]", {"X": [3.0], "X1": [1.0, 2.0], "Y": [[1.0, 2.0]]}),
    ],
)
def test_an_entry_beside_a_name_that_looks_like_it(
    function: str, inputs: dict[str, Any], tmp_path: Path
) -> None:
    """x_1 is the input x1, so that the entry of x is written otherwise; q_1 is a gate."""
    given = "\n".join(f"{name} = {value}" for name, value in inputs.items())
    assert report.build(homework(tmp_path, function, given), tmp_path / "out.pdf").checks > 0
    if "x1" in inputs:
        found = gradients(function, **inputs)
        assert p(found["x1"].closed or "") == "x_[1]x_[2]^2"


def test_a_class_that_is_a_number_is_a_unit_vector() -> None:
    found = gradients("cross_entropy(W @ x, 1)", W=W, x=V)
    assert lead(found["W"]) == r"(softmax(Wx)-e_[2])x^\top"


@pytest.mark.parametrize(
    ("function", "a", "unit"),
    [
        (r"-R \log \frac{e^{\theta_a / T}}{\sum_j e^{\theta_j / T}}", 2, r"e_[a]"),
        ("-R*log(exp(theta[a - 1]/T) / sum(exp(theta/T)))", 2, r"e_[a]"),
        ("-R*log(exp(theta[a]/T) / sum(exp(theta/T)))", 1, r"e_[a+1]"),
        ("-R*log_softmax(theta/T)[a]", 1, r"e_[a+1]"),
    ],
)
def test_a_class_that_an_input_names_is_one_entry(function: str, a: int, unit: str) -> None:
    inputs = {"theta": V, "a": a, "R": 3, "T": 0.7}
    trace = report.trace(function, inputs=inputs, wrt=["theta"])
    assert trace.graph.integers == {"a": "index"}
    p = np.exp(np.array(V) / 0.7) / np.sum(np.exp(np.array(V) / 0.7))
    np.testing.assert_allclose(trace.gradients["theta"], 3 * (p - np.eye(3)[1]) / 0.7, rtol=1e-12)
    (found,) = derive(trace).gradients
    assert lead(found) == rf"\fracR(softmax(\frac\boldsymbol\thetaT)-{unit})T"
    told = derive(trace).legend
    assert ("count from 0" in str(told)) == ("+1" in unit)


def test_a_part_whose_entries_only_move_is_told_by_entries() -> None:
    kernel = "K = exp(-sum((X[:, None, :] - X[None, :, :])**2, axis=2) / (2*s**2))\na @ K @ a"
    found = gradients(kernel, only="X", X=X, a=[1, -0.5, 0.7], s=0.8)["X"]
    assert told(found)["t_ijk"] == "a_ia_jq_3,ijkK_ij"


def test_what_a_label_must_fulfil_stands_below_its_sum() -> None:
    A = [[1, 0.3, 2, 1.2, 0], [0.2, 1, 3, 1.4, 2], [2.1, 2, 0, 0.6, 1]]
    found = gradients("Z = conv2d(A, K)\nsum(Z**3)", only="A", A=A, K=[[0.5, -0.2], [0.1, 0.4]])
    entry = found["A"].entry
    assert entry is not None
    assert p(entry.symbols[0]).startswith(
        r"3\sum_k\colon1\lei-k+1\le2\sum_l\colon1\lej-l+1\le4K_kl"
    )


def test_a_pooled_convolution_goes_by_the_gradients_of_its_steps() -> None:
    net = "c = relu(conv2d(A, K) + b)\nm = max_pool2d(c, 2)\nz = dot(w, ravel(m))\nsigmoid(z)"
    A = [
        [1, 0.3, 2, 1.2, 0],
        [0.2, 1, 3, 1.4, 2],
        [2.1, 2, 0, 0.6, 1],
        [1, 0.7, 1, 2, 0],
        [0, 1, 0.9, 1, 1],
    ]
    given = {"A": A, "K": [[0.5, -0.2], [0.1, 0.4]], "b": 0.1, "w": [0.2, -0.5, 0.3, 0.7]}
    found = gradients(net, only="K", **given)["K"]
    assert found.entry is not None
    assert p(found.entry.symbols[0]) == (
        r"\sum_k=1^4\sum_l=1^4\frac\partialf\partialc_klA_i+k-1,j+l-1\,𝟙[b+q_1,kl>0]"
    )


def test_what_comes_back_through_a_pool_goes_to_the_largest_entry_of_its_window() -> None:
    """In windows side by side; where some overlap or entries are left over, it is a sum over windows."""

    def by_entries(function: str) -> str:
        found = gradients(function, only="x", x=[1, 3, 2, 5, 4, 0.5], v=[2, -1, 0.5])["x"]
        assert found.entry is not None
        return f"{p(found.entry.left)} = {p(found.entry.symbols[0])}"

    left = r"\frac\partialf\partialx_2(i-1)+j"
    assert by_entries("sum(v * avg_pool1d(x, 2))") == rf"{left} = \frac12v_i"
    assert by_entries("sum(v * max_pool1d(x, 2))") == (
        rf"{left} = v_i\,𝟙[x_2i+j-2=\max_1\lek\le2x_2i+k-2]"
    )
    for other in (
        "v[:2] * max_pool1d(x[:5], 2)",
        "v[0] * max_pool1d(x, 2, 1)",
        "v[:2] * max_pool1d(x[1:5], 2)",
        "v[:2] * max_pool1d(conv1d(x[:5], v[:2]), 2)",
    ):
        assert r"\sum" in by_entries(f"sum({other})")


def test_a_number_goes_into_the_fraction_behind_it() -> None:
    lines = "n = (y - mean(y)) / sqrt(var(y) + 1e-5)\nL = sum((n - t)**2)"
    found = gradients(f"y = W @ x\n{lines}", only="x", W=W, x=V, t=[1, 0])["x"]
    slope = told(found)[r"\frac\partialL\partialy"]
    assert r"\frac12s^3/2sum(" in slope
    assert r"\cdot" not in slope
    assert told(found)["s"] == "var(y)+10^-5"


def test_functions_stand_behind_letters_and_the_gradient_before_them() -> None:
    swing = (
        "b = a + h*u\nv = u - h*g*sin(a)\nc = b + h*v\nw = v - h*g*sin(b)\nw**2/2 + g*(1 - cos(c))"
    )
    found = gradients(swing, only="a", a=0.5, u=0.1, h=0.1, g=9.81)["a"]
    f = r"\frac\partialf\partial"
    assert told(found)[f + "b"] == f + r"c-hgw\cos(b)"
    assert told(found)[f + "v"] == f + "ch+w"


LABELS = {"X": X, "W": [[0.1, -0.2, 0.3], [0.4, 0.3, -0.6]]}


@pytest.mark.parametrize(
    ("function", "y", "onehot"),
    [
        ("P = softmax(X @ W)\n-mean(log(P[arange(3), y]))", [0, 2, 1], "y"),
        (
            "P = \\mathrm{softmax}(X W)\nL = -\\frac{1}{n}\\sum_{i=1}^n \\log P_{i, y_i}",
            [1, 3, 2],
            "y-1",
        ),
    ],
)
def test_log_likelihood_of_rows_is_p_less_one_hot(function: str, y: list[int], onehot: str) -> None:
    trace = report.trace(function, inputs={**LABELS, "y": y}, wrt=["W"])
    P = np.exp(np.array(X) @ np.array(LABELS["W"]))
    surplus = P / P.sum(axis=1, keepdims=True) - np.eye(3)[[0, 2, 1]]
    np.testing.assert_allclose(trace.gradients["W"], np.array(X).T @ surplus / 3, rtol=1e-12)
    derivation = derive(trace)
    (found,) = derivation.gradients
    assert lead(found) == rf"\frac13X^\top(P-onehot_3({onehot}))"
    read = read_back(trace, derivation)
    assert read.failures == read.unread == ()


def test_a_sum_that_leaves_out_a_class_is_one_mask() -> None:
    hinge = r"\sum_{j \ne y} \max(0, s_j - s_y + 1)"
    trace = report.trace(hinge, inputs={"s": [3.2, 5.1, -1.7], "y": 1}, wrt=["s"])
    assert trace.value == pytest.approx(2.9)
    assert trace.gradients["s"].tolist() == [-1, 1, 0]
    assert len(trace.gates) == 7
    assert kinks(trace) == ()  # y = 1 is given: nothing moves it off the kink
    (found,) = derive(trace).gradients
    assert p(found.closed or "") == "t-sum(t)e_[y]"


def test_the_hinge_loss_of_a_batch_takes_all_classes_at_once() -> None:
    lines = (
        "S = X W\n"
        r"L = \frac{1}{N}\sum_{i=1}^N \sum_{j \ne y_i} \max(0, S_{ij} - S_{i, y_i} + 1)"
    )
    trace = report.trace(lines, inputs={**LABELS, "y": [1, 3, 2]}, wrt=["W"])
    scores, rows = np.array(X) @ np.array(LABELS["W"]), np.arange(3)
    margin = scores - scores[rows, [0, 2, 1]][:, None] + 1
    margin[rows, [0, 2, 1]] = 0
    assert trace.value == pytest.approx(np.maximum(margin, 0).sum() / 3)
    derivation = derive(trace)
    (found,) = derivation.gradients
    slope = told(found)[r"\frac\partialL\partialS"]
    assert slope == r"\frac13(s-diag(s\,𝟏)onehot_3(y-1))"
    assert read_back(trace, derivation).failures == ()


def test_a_position_below_the_first_is_none() -> None:
    for function in (r"$z_y^2$", "z[y - 1]**2"):
        with pytest.raises(report.ReportError, match="count from 1"):
            report.trace(function, inputs={"z": V, "y": 0}, wrt=["z"])


def test_gates_of_a_cell_share_the_gradients_of_its_steps() -> None:
    cell = """
f = sigmoid(W @ x)
g = tanh(V @ x)
c = f * d + (1 - f) * g
h = tanh(c)
k = sigmoid(U @ concatenate([h, d])) * h
L = norm(k - y)**2"""
    found = gradients(cell, W=W, V=W, U=[[0.1, 0.2, 0.3, 0.4]] * 2, x=V, d=[0.1, 0.2], y=[1, 0])
    for name in "WVd":
        assert (
            told(found[name])[r"\frac\partialL\partialc"] == r"\frac\partialL\partialh\odot(1-h^2)"
        )


def test_heads_are_told_by_entries() -> None:
    heads = "Q = transpose(reshape(X @ A, (3, 2, 2)), (1, 0, 2))\nL = sum(tanh(Q @ transpose(Q, (0, 2, 1))))"
    found = gradients(heads, X=X, A=[[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.2, 0.1]])["A"]
    assert found.closed is None
    assert found.entry is not None
    said = found.entry.symbols[0] + "".join(e.symbols[0] for e in found.where)
    assert not re.search("transpose|reshape", said)
    assert told(found)["Q_ijk"] == r"\sum_l=1^2X_jlA_l,2(i-1)+k"


def test_the_slope_of_a_density_is_told_by_the_density() -> None:
    mixture = """
n = exp(-(x - m)**2 / (2*s**2)) / sqrt(2*pi*s**2)
k = exp(-(x - u)**2 / (2*r**2)) / sqrt(2*pi*r**2)
L = sum(log(p*n + (1 - p)*k))"""
    found = gradients(mixture, x=V, m=0.2, s=0.5, u=-0.3, r=0.8, p=0.4)
    assert lead(found["m"]) == r"\frac1s^2sum(\frac\partialL\partialn\odotn\odot(x-m))"
    assert told(found["m"])[r"\frac\partialL\partialn"] == r"\fracppn+(1-p)k"
    assert "e^" not in lead(found["s"])
