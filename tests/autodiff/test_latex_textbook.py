r"""Formulas as textbooks and papers print them, each against NumPy."""

import numpy as np
import pytest

import report

A = np.array([[1.0, 2], [3, 4]])
B = np.array([[0.5, -1], [2, 0.3]])
x, y = np.array([0.3, -0.7]), np.array([1.0, 2.0])


def sm(v):
    e = np.exp(v)
    return e / e.sum(-1, keepdims=True)


FORMULAS = [
    (r"\operatorname{tr}(\mathbf I \odot A)", {"A": A}, np.trace(A)),
    (r"\mathbf 1^\top A \mathbf 1", {"A": A}, A.sum()),
    (
        r"\|A\|_F^2 + \lambda \sum_{i<j} A_{ij}",
        dict(A=A, **{"lambda": 0.5}),
        (A**2).sum() + 0.5 * 2,
    ),
    (
        r"\frac12 \left(y - \sigma(w^\top x)\right)^2",
        {"w": y, "x": x, "y": 0.5},
        0.5 * (0.5 - 1 / (1 + np.exp(-(y @ x)))) ** 2,
    ),
    (
        r"-\sum_{i=1}^n \left[ y_i \log \hat y_i + (1-y_i)\log(1-\hat y_i)\right]",
        {"y": np.array([1.0, 0]), "y_hat": np.array([0.7, 0.2])},
        -(np.log(0.7) + np.log(0.8)),
    ),
    (r"\log\left(\sum_{j} e^{z_j}\right) - z_1", {"z": x}, np.log(np.exp(x).sum()) - x[0]),
    (
        r"\frac{1}{2}(x-\mu)^\top \Sigma^{-1} (x-\mu) + \frac12 \log\det \Sigma",
        {"x": x, "mu": y, "Sigma": np.array([[2.0, 0.3], [0.3, 1.0]])},
        0.5 * (x - y) @ np.linalg.inv([[2.0, 0.3], [0.3, 1.0]]) @ (x - y) + 0.5 * np.log(2 - 0.09),
    ),
    (r"\max(0, 1 - y\, w^{\mathsf T} x)", {"y": -1.0, "w": y, "x": x}, max(0, 1 + (y @ x))),
    (
        r"\sum_{i=1}^{n} [1 - y_i (w^\top x_i)]_+",
        {"x": A, "w": x, "y": np.array([1.0, -1])},
        sum(max(0, 1 - s * (x @ r)) for s, r in zip([1, -1], A, strict=False)),
    ),
    (
        r"\lVert X w - y \rVert_2^2 + \lambda \lVert w \rVert_1",
        dict(X=A, w=x, y=y, **{"lambda": 0.1}),
        ((A @ x - y) ** 2).sum() + 0.1 * abs(x).sum(),
    ),
    (
        r"\sum_{i=1}^{2}\sum_{j=1}^{2} \operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right)_{ij} V_{ij}",
        {"Q": A, "K": B, "V": A, "d": 2},
        (sm(A @ B.T / np.sqrt(2)) * A).sum(),
    ),
    (r"\prod_{i=1}^n x_i^2", {"x": x}, np.prod(x**2)),
    (r"100\,(x_2 - x_1^2)^2 + (1-x_1)^2", {"x_1": 0.5, "x_2": 0.2}, 100 * (0.2 - 0.25) ** 2 + 0.25),
    (
        r"\begin{cases} x^2 & \text{if } x > 0 \\ -x & \text{otherwise} \end{cases}",
        {"x": -2.0},
        2.0,
    ),
    (
        r"\sum_{t=1}^{T} \mathbb{1}[y_t = 1] \log p_t",
        {"y": np.array([1, 0]), "p": np.array([0.3, 0.4])},
        np.log(0.3),
    ),
    (
        r"-\frac12 \sum_{j=1}^{J}\left(1 + \log \sigma_j^2 - \mu_j^2 - \sigma_j^2\right)",
        {"sigma": np.array([0.5, 1.5]), "mu": x},
        -0.5 * sum(1 + np.log(s * s) - m * m - s * s for s, m in zip([0.5, 1.5], x, strict=False)),
    ),
    (
        r"\langle x, y\rangle / (\|x\| \|y\|)",
        {"x": x, "y": y},
        x @ y / np.linalg.norm(x) / np.linalg.norm(y),
    ),
    (
        r"\ln\frac{e^{a}}{1+e^{a}} + \tanh^2 b",
        {"a": 0.3, "b": 0.4},
        np.log(np.exp(0.3) / (1 + np.exp(0.3))) + np.tanh(0.4) ** 2,
    ),
    (
        r"\begin{aligned} h &= \tanh(W_1 x + b_1) \\ \hat y &= W_2 h + b_2 \\ L &= \|\hat y - y\|^2 \end{aligned}",
        {"W_1": A, "x": x, "b_1": y, "W_2": B, "b_2": x, "y": y},
        ((B @ np.tanh(A @ x + y) + x - y) ** 2).sum(),
    ),
    (r"\sum_{i \ne j} (x_i - x_j)^2", {"x": np.array([1.0, 2, 4])}, 2 * (1 + 9 + 4)),
    (
        r"\frac{1}{m}\sum_{i=1}^m \left(h_\theta(x^{(i)}) - y^{(i)}\right)^2, \quad h_\theta(x) = \theta^\top x",
        {"x": A, "theta": x, "y": y},
        ((A @ x - y) ** 2).mean(),
    ),
    (r"x^T A x + b^T x + c", {"x": x, "A": A, "b": y, "c": 0.3}, x @ A @ x + y @ x + 0.3),
    (
        r"\operatorname{tr}(A^\top B) + \det(A)",
        {"A": A, "B": B},
        np.trace(A.T @ B) + np.linalg.det(A),
    ),
    (
        r"e^{-\frac{\|x-\mu\|^2}{2\sigma^2}}",
        {"x": x, "mu": y, "sigma": 1.3},
        np.exp(-((x - y) ** 2).sum() / 2 / 1.69),
    ),
    (r"\left(\sum_i |x_i|^3\right)^{1/3}", {"x": x}, (abs(x) ** 3).sum() ** (1 / 3)),
    (
        r"\mathbf{u}^\top (\mathbf{v} \otimes \mathbf{w}) \mathbf{z}",
        {"u": x, "v": y, "w": x, "z": y},
        x @ np.outer(y, x) @ y,
    ),
    (r"\log_2(x) + \log_{10} x + \sqrt[3]{x}", {"x": 5.0}, np.log2(5) + np.log10(5) + np.cbrt(5)),
    (
        r"\sin^2 x \cos 2y + 3\sin x\cos y",
        {"x": 0.3, "y": 0.4},
        np.sin(0.3) ** 2 * np.cos(0.8) + 3 * np.sin(0.3) * np.cos(0.4),
    ),
    (r"\max_i x_i - \min_i x_i", {"x": x}, x.max() - x.min()),
    (r"\|X - U V^\top\|_F^2", {"X": A, "U": B, "V": A}, ((A - B @ A.T) ** 2).sum()),
    (r"(\mathbf{A x})^\top \mathbf{y}", {"A": A, "x": x, "y": y}, (A @ x) @ y),
    (
        r"L_i = \sum_{j\neq y_i} \max(0, s_j - s_{y_i} + \Delta)",
        {"s": np.array([0.2, -1.0, 0.5]), "y_i": 2, "Delta": 1.0},
        2.2 + 2.5,
    ),
    (
        r"\begin{array}{l} h = \mathrm{ReLU}(Wx) \\ f = \|h\|_2^2 \end{array}",
        {"W": A, "x": x},
        (np.maximum(0, A @ x) ** 2).sum(),
    ),
    (
        r"s = W_2 \max(0, W_1 x),\quad L = \lVert s - y\rVert_2^2 + \lambda \sum_k \sum_l W_{1,kl}^2",
        {"W_1": A, "W_2": B, "x": x, "y": y, "lambda": 0.1},
        ((B @ np.maximum(0, A @ x) - y) ** 2).sum() + 0.1 * (A**2).sum(),
    ),
]


@pytest.mark.parametrize(("formula", "inputs", "value"), FORMULAS, ids=[f for f, _, _ in FORMULAS])
def test_a_formula_of_a_textbook_has_its_value(formula, inputs, value):
    assert report.trace(formula, inputs).value == pytest.approx(value, rel=1e-9)
