"""Over a hundred functions, as courses set them, against HIPS autograd.

A formula is Python with NumPy's names, so autograd can run the same text over its own NumPy; what NumPy
lacks is written out below, in its plainest form.
"""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.extend import defvjp, primitive

from report import trace

rng = np.random.default_rng(20231021)


def t(*shape: int) -> Any:
    """A tensor of numbers between -1.5 and 1.5."""
    return rng.uniform(-1.5, 1.5, size=shape)


def p(*shape: int) -> Any:
    """A tensor of positive numbers."""
    return rng.uniform(0.2, 2.0, size=shape)


def u(*shape: int) -> Any:
    """A tensor of numbers between 0 and 1."""
    return rng.uniform(0.1, 0.9, size=shape)


def dist(*shape: int) -> Any:
    """Rows of probabilities."""
    x = p(*shape)
    return x / x.sum(axis=-1, keepdims=True)


def spd(n: int) -> Any:
    """A symmetric positive definite matrix."""
    a = t(n, n)
    return a @ a.T + n * np.eye(n)


# ---------------------------------------------------------------- what NumPy lacks, for autograd

erf = primitive(np.vectorize(math.erf, otypes=[float]))
defvjp(erf, lambda y, x: lambda g: g * 2 / np.sqrt(np.pi) * np.exp(-(x**2)))


def softmax(x: Any, axis: int = -1) -> Any:
    e = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return e / anp.sum(e, axis=axis, keepdims=True)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return anp.log(anp.sum(anp.exp(x), axis=axis, keepdims=keepdims))


def norm(x: Any, order: Any = 2, axis: Any = None, keepdims: bool = False) -> Any:
    if order == 1:
        return anp.sum(anp.abs(x), axis=axis, keepdims=keepdims)
    return anp.sqrt(anp.sum(x**2, axis=axis, keepdims=keepdims))


def cross_entropy(z: Any, y: Any) -> Any:
    z = anp.reshape(z, (-1, anp.shape(z)[-1]))
    if y.ndim and y.shape == (len(z), z.shape[-1]):
        return -anp.sum(y * anp.log(softmax(z))) / len(z)
    return -anp.mean(anp.log(softmax(z))[np.arange(len(z)), np.reshape(y, -1).astype(int)])


def binary_cross_entropy(q: Any, y: Any) -> Any:
    return -anp.mean(y * anp.log(q) + (1 - y) * anp.log(1 - q))


SAME = """
    exp log log1p expm1 sqrt sin cos tan arcsin arccos arctan sinh cosh tanh abs sign square power pi
    radians degrees maximum minimum where dot outer kron trace diag sum mean prod max min var std cumsum
    reshape concatenate stack broadcast_to transpose
"""
NAMES: dict[str, Any] = {
    **{name: getattr(anp, name) for name in SAME.split()},
    "erf": erf,
    "softmax": softmax,
    "logsumexp": logsumexp,
    "norm": norm,
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "pad": lambda x, width: anp.pad(x, width, mode="constant"),
    "clip": lambda x, low, high: anp.minimum(anp.maximum(x, low), high),
    "det": anp.linalg.det,
    "inv": anp.linalg.inv,
    "solve": anp.linalg.solve,
    "logdet": lambda a: anp.linalg.slogdet(a)[1],
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "log_sigmoid": lambda x: -anp.log(1 + anp.exp(-x)),
    "relu": lambda x: anp.maximum(x, 0),
    "leaky_relu": lambda x, slope=0.01: anp.where(x > 0, x, slope * x),
    "prelu": lambda x, a: anp.where(x > 0, x, a * x),
    "elu": lambda x, alpha=1.0: anp.where(x > 0, x, alpha * (anp.exp(x) - 1)),
    "softplus": lambda x: anp.log(1 + anp.exp(x)),
    "swish": lambda x: x / (1 + anp.exp(-x)),
    "silu": lambda x: x / (1 + anp.exp(-x)),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "log_softmax": lambda x, axis=-1: anp.log(softmax(x, axis)),
    "mse": lambda a, b: anp.mean((a - b) ** 2),
    "l1": lambda a, b: anp.mean(anp.abs(a - b)),
    "hinge": lambda s, y: anp.mean(anp.maximum(0, 1 - y * s)),
    "huber": lambda a, b, delta=1.0: anp.mean(
        anp.where(anp.abs(a - b) <= delta, (a - b) ** 2 / 2, delta * (anp.abs(a - b) - delta / 2))
    ),
    "binary_cross_entropy_with_logits": lambda z, y: binary_cross_entropy(1 / (1 + anp.exp(-z)), y),
    "kl_div": lambda a, b: anp.sum(a * anp.log(a / b)),
}  # fmt: skip

# ---------------------------------------------------------------- the functions

X, W, b, y, s = t(4, 3), t(3, 2), t(2), t(4), 0.7
CLASSES = [0, 2, 1, 2]
ONE_HOT = np.eye(3)[CLASSES]

CORPUS: list[tuple[str, dict[str, Any]]] = [
    # scalars
    ("1/(2 + sin(x1*w1)**2 + cos(x2*w2))", {"x1": -1.0, "w1": 3.0, "x2": -2.0, "w2": 3.0}),
    ("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}),
    ("(x + sigmoid(y)) / (sigmoid(x) + (x + y)**2)", {"x": 3.0, "y": -4.0}),
    ("(1 - a)**2 + 100*(c - a**2)**2", {"a": -1.2, "c": 1.0}),
    ("x**x", {"x": 1.7}),
    ("a**n + n**a", {"a": 2.3, "n": 1.4}),
    ("x**3 - 2*x**2 + x - 7", {"x": 1.3}),
    ("x**-2 + x**0.5 + x**0 + x**1", {"x": 1.9}),
    ("2**x + pi**x", {"x": 0.4}),
    ("x*x*x + x*x + x + 1", {"x": -0.6}),
    ("a + a + a*a - a/a", {"a": 2.0}),
    ("-x - -x*x", {"x": 2.0}),
    ("sin(cos(tan(x)))", {"x": 0.5}),
    ("arcsin(x) + arccos(x) * arctan(x)", {"x": 0.3}),
    ("sinh(x) * cosh(x) / (1 + tanh(x)**2)", {"x": 0.8}),
    ("exp(-x**2 / 2) / sqrt(2*pi)", {"x": 0.9}),
    ("log(x) * log1p(x) * expm1(x)", {"x": 0.7}),
    ("log(log(log(x)))", {"x": 30.0}),
    ("sqrt(x**2 + y**2)", {"x": 3.0, "y": 4.0}),
    ("sin(radians(x)) + degrees(y)", {"x": 35.0, "y": 0.1}),
    ("abs(x) + sign(x) * x**2", {"x": -1.5}),
    ("maximum(x, y) * minimum(x, y) + maximum(x, 0.5)", {"x": 1.2, "y": -0.3}),
    ("clip(x, -1, 1) * x + clip(y, -1, 1)", {"x": 0.4, "y": 2.0}),
    ("where(x > y, x**2, y**3)", {"x": 1.2, "y": 0.7}),
    ("where((x > 0) & (y < 1), x*y, x/y)", {"x": 1.2, "y": 1.7}),
    ("where((x <= 0) | ~(y == 3), sin(x), 0) * y", {"x": 1.2, "y": 1.7}),
    ("where(0 < x < 1, x, 1/x)", {"x": 1.7}),
    ("erf(x) + erf(x*y)", {"x": 0.3, "y": 1.1}),
    ("tanh(a*b + c)**2 * a", {"a": 0.3, "b": -1.1, "c": 0.2}),
    ("a = x*w\nz = a + c\nh = tanh(z)\n(h - 1)**2 + 0.1*w**2", {"x": 0.5, "w": 1.5, "c": -0.2}),
    ("1/(1/x + 1/y + 1/z)", {"x": 1.0, "y": 2.0, "z": 4.0}),
    # activations
    ("sum(sigmoid(x) * log_sigmoid(x))", {"x": t(5)}),
    ("sum(relu(x) + leaky_relu(x) + leaky_relu(x, 0.3))", {"x": t(5)}),
    ("sum(prelu(x, a))", {"x": t(4, 3), "a": u(3)}),
    ("sum(elu(x) * elu(x, alpha=0.5))", {"x": t(5)}),
    ("sum(softplus(x) + swish(x) + silu(2*x))", {"x": t(5)}),
    ("sum(gelu(x) * x)", {"x": t(5)}),
    ("sum(c * softmax(x))", {"x": t(5), "c": t(5)}),
    ("sum(c * softmax(x, axis=0))", {"x": t(3, 4), "c": t(3, 4)}),
    ("sum(c * log_softmax(x, 1))", {"x": t(3, 4), "c": t(3, 4)}),
    ("sum(softmax(x, axis=1)**2)", {"x": t(2, 3, 2)}),
    ("logsumexp(x) + sum(logsumexp(A, axis=1)**2)", {"x": t(4), "A": t(3, 2)}),
    ("sum(logsumexp(A, axis=0, keepdims=True) * A)", {"A": t(3, 2)}),
    ("logsumexp(A) * sum(logsumexp(B, axis=(0, 2)))", {"A": t(3, 2), "B": t(2, 3, 2)}),
    # vectors, matrices, broadcasting
    ("sum(sigmoid(W @ x)**2)", {"W": t(3, 3), "x": t(3)}),
    ("norm(sigmoid(W @ x))**2", {"W": t(3, 3), "x": t(3, 1)}),
    ("x @ A @ x", {"A": t(3, 3), "x": t(3)}),
    ("x.T @ A @ x", {"A": t(3, 3), "x": t(3, 1)}),
    ("sum((A + A.T) @ B)", {"A": t(3, 3), "B": t(3, 2)}),
    ("sum(tanh(A @ B) @ v)", {"A": t(2, 3), "B": t(3, 4), "v": t(4)}),
    ("sum((A @ B)**2)", {"A": t(2, 2, 3), "B": t(2, 3, 2)}),
    ("sum((A @ B)**2)", {"A": t(2, 2, 3), "B": t(3, 2)}),
    ("sum((A @ v)**2) + sum((v @ B)**2)", {"A": t(2, 2, 3), "v": t(3), "B": t(2, 3, 2)}),
    ("sum(x + y)**2", {"x": t(3, 1), "y": t(4)}),
    ("sum((x - y) * (x * y))", {"x": t(2, 1, 3), "y": t(4, 1)}),
    ("sum(A / (1 + x**2))", {"A": t(3, 2), "x": t(2)}),
    ("sum(A**n)", {"A": p(3, 2), "n": t(2)}),
    ("sum(exp(-s * A))", {"A": t(3, 2), "s": s}),
    ("dot(a, c)**2 + dot(a, a)", {"a": t(3), "c": t(3)}),
    ("sum(outer(a, c) * M) + sum(outer(a, a))", {"a": t(3), "c": t(2), "M": t(3, 2)}),
    ("sum(kron(A, B)**2)", {"A": t(2, 2), "B": t(1, 3)}),
    ("trace(A @ B) * trace(A)", {"A": t(3, 3), "B": t(3, 3)}),
    ("det(A) + det(A @ A)", {"A": t(3, 3)}),
    ("sum(det(A))", {"A": t(2, 3, 3)}),
    ("logdet(A)", {"A": spd(3)}),
    ("sum(inv(A) * B) + trace(inv(A))", {"A": spd(3), "B": t(3, 3)}),
    ("sum(inv(A)**2)", {"A": np.stack([spd(2), spd(2)])}),
    ("sum(solve(A, v)**2)", {"A": spd(3), "v": t(3)}),
    ("sum(solve(A, B)**2)", {"A": spd(3), "B": t(3, 2)}),
    ("v @ inv(A) @ v + logdet(A)", {"A": spd(3), "v": t(3)}),
    ("sum(diag(v) @ A) + sum(diag(A)**2)", {"v": t(3), "A": t(3, 3)}),
    ("norm(x) + norm(x, 1) + norm(A)", {"x": t(4), "A": t(2, 3)}),
    ("sum(norm(A, axis=1)) + sum(norm(A, 1, axis=0, keepdims=True)**2)", {"A": t(3, 2)}),
    ("sum(x / norm(x) * c)", {"x": t(4), "c": t(4)}),
    # reductions
    ("sum(sum(A, axis=0)**2) + sum(sum(A, 1, keepdims=True) * A)", {"A": t(3, 2)}),
    ("sum(mean(A, axis=(0, 2))**2)", {"A": t(2, 3, 2)}),
    ("mean(x) * mean(x**2)", {"x": t(5)}),
    ("prod(x) + sum(prod(A, axis=0))", {"x": p(4), "A": p(3, 2)}),
    ("max(x) * min(x) + sum(max(A, axis=1)**2)", {"x": t(5), "A": t(3, 2)}),
    ("sum(min(A, axis=0, keepdims=True) * A)", {"A": t(3, 2)}),
    ("var(x) + sum(var(A, axis=0)**2)", {"x": t(5), "A": t(4, 2)}),
    ("var(x, ddof=1) * std(x, ddof=1)", {"x": t(5)}),
    ("std(x) + sum(std(A, axis=1, keepdims=True) * A)", {"x": t(5), "A": t(3, 4)}),
    ("sum(cumsum(x)**2) + sum(cumsum(A, axis=0) * cumsum(A, axis=1))", {"x": t(5), "A": t(3, 2)}),
    # shapes
    ("sum(reshape(x, (2, 3)) @ A)", {"x": t(6), "A": t(3, 2)}),
    ("sum(reshape(A, (-1,))**3) + sum(reshape(A, -1))", {"A": t(2, 3)}),
    ("sum(transpose(A, (1, 2, 0))[0] * B)", {"A": t(2, 3, 4), "B": t(4, 2)}),
    ("x[0]*x[-1] + x[1]**2", {"x": t(4)}),
    ("sum(A[:, 1] * A[0]) + A[1, 0]", {"A": t(2, 2)}),
    ("sum(x[1:] - x[:-1]) + sum((x[1:] - x[:-1])**2)", {"x": t(6)}),
    ("sum(x[::-1] * x[::2][0])", {"x": t(6)}),
    ("sum(A[..., 0] * A[0, :, 1:2])", {"A": t(3, 3, 2)}),
    ("sum(x[:, None] * x[None, :] * A)", {"x": t(3), "A": t(3, 3)}),
    ("sum(x[[0, 2, 2]]**2)", {"x": t(4)}),
    ("sum(concatenate([a, c, a])**2 * d)", {"a": t(2), "c": t(3), "d": t(7)}),
    ("sum(concatenate([A, B], axis=1) @ v)", {"A": t(2, 2), "B": t(2, 1), "v": t(3)}),
    ("sum(stack([a, c, a*c]) @ a) + sum(stack([a, c], axis=1)**2)", {"a": t(3), "c": t(3)}),
    ("sum(pad(A, 1)**2 * B) + sum(pad(A, ((0, 1), (2, 0))))", {"A": t(2, 2), "B": t(4, 4)}),
    ("sum(broadcast_to(v, (3, 2)) * A)", {"v": t(1, 2), "A": t(3, 2)}),
    ("sum(E[idx]**2)", {"E": t(4, 3), "idx": [0, 2, 2]}),
    ("sum(E[idx] @ v) + sum(E[k])", {"E": t(4, 3), "idx": [[0, 1], [3, 3]], "v": t(3), "k": 2}),
    ("-mean(log_softmax(Z)[rows, labels])", {"Z": t(4, 3), "rows": [0, 1, 2, 3], "labels": CLASSES}),
    ("sum(where(m, x, -x**2))", {"m": [1, 0, 1], "x": t(3)}),
    # losses
    ("mse(X @ w, y)", {"X": X, "w": t(3), "y": y}),
    ("l1(X @ w, y)", {"X": X, "w": t(3), "y": y}),
    ("huber(X @ w, y) + huber(X @ w, y, delta=0.3)", {"X": X, "w": t(3), "y": y}),
    ("hinge(X @ w, y)", {"X": X, "w": t(3), "y": [1, -1, -1, 1]}),
    ("binary_cross_entropy(sigmoid(X @ w), y)", {"X": X, "w": t(3), "y": [1, 0, 0, 1]}),
    ("binary_cross_entropy(q, y)", {"q": u(4), "y": u(4)}),
    ("binary_cross_entropy_with_logits(X @ w, y)", {"X": X, "w": t(3), "y": [1, 0, 0, 1]}),
    ("cross_entropy(z, k)", {"z": t(4), "k": 3}),
    ("cross_entropy(Z, labels)", {"Z": t(4, 3), "labels": CLASSES}),
    ("cross_entropy(Z, Y)", {"Z": t(4, 3), "Y": ONE_HOT}),
    ("cross_entropy(Z, Y)", {"Z": t(4, 3), "Y": dist(4, 3)}),
    ("kl_div(a, c)", {"a": dist(4), "c": dist(4)}),
    ("kl_div(softmax(a), softmax(c))", {"a": t(4), "c": t(4)}),
    ("-sum(Y * log(softmax(Z, axis=1))) / 4", {"Z": t(4, 3), "Y": ONE_HOT}),
    # layers and models
    ("sum((X @ w - y)**2) / 4 + 0.1 * norm(w)**2", {"X": X, "w": t(3), "y": y}),
    ("sum(tanh(X @ W + b)**2)", {"X": X, "W": W, "b": b}),
    ("h = relu(X @ W1 + b1)\nz = h @ W2 + b2\ncross_entropy(z, labels)", {
        "X": X, "W1": t(3, 5), "b1": t(5), "W2": t(5, 3), "b2": t(3), "labels": CLASSES}),
    ("mu = mean(X, axis=0)\nv = mean((X - mu)**2, axis=0)\nH = (X - mu) / sqrt(v + 1e-5)\nsum((gamma * H + beta)**2 * T)", {"X": X, "gamma": t(3), "beta": t(3), "T": t(4, 3)}),
    ("mu = mean(x, axis=-1, keepdims=True)\nvar = mean((x - mu)**2, axis=-1, keepdims=True)\nsum(((x - mu) / sqrt(var + 1e-5) * g + c)**3)", {"x": t(2, 4), "g": t(4), "c": t(4)}),
    ("d = h * mask / 0.8\nsum(d**2)", {"h": t(5), "mask": [1, 0, 1, 1, 0]}),
    ("Y = K[0, 0]*I[:2, :2] + K[0, 1]*I[:2, 1:] + K[1, 0]*I[1:, :2] + K[1, 1]*I[1:, 1:]\nsum(relu(Y)**2)", {
        "K": t(2, 2), "I": t(3, 3)}),
    ("P = max(reshape(I, (2, 2, 2, 2)), axis=(1, 3))\nsum(P**2)", {"I": t(4, 4)}),
    ("h1 = tanh(Wx @ x1 + Wh @ h0 + b)\nh2 = tanh(Wx @ x2 + Wh @ h1 + b)\nsum((h2 - target)**2)", {
        "Wx": t(3, 2), "Wh": t(3, 3), "b": t(3), "x1": t(2), "x2": t(2), "h0": t(3), "target": t(3)}),
    ("a = W @ concatenate([h, x]) + b\ni = sigmoid(a[:2])\nf = sigmoid(a[2:4])\no = sigmoid(a[4:6])\ng = tanh(a[6:])\nc1 = f*c + i*g\nh1 = o*tanh(c1)\nsum(h1**2) + sum(c1)", {
        "W": t(8, 5), "h": t(2), "x": t(3), "b": t(8), "c": t(2)}),
    ("z = sigmoid(Wz @ x + Uz @ h)\nr = sigmoid(Wr @ x + Ur @ h)\nn = tanh(Wn @ x + Un @ (r * h))\nsum(((1 - z)*n + z*h)**2)", {
        "Wz": t(2, 3), "Uz": t(2, 2), "Wr": t(2, 3), "Ur": t(2, 2), "Wn": t(2, 3), "Un": t(2, 2),
        "x": t(3), "h": t(2)}),
    ("S = Q @ K.T / sqrt(4)\nA = softmax(S, axis=1)\nsum((A @ V) * T)", {
        "Q": t(3, 4), "K": t(3, 4), "V": t(3, 2), "T": t(3, 2)}),
    ("v = Win[center]\nu = Wout[context]\nn = Wout[negative]\n-log(sigmoid(dot(u, v))) - sum(log(sigmoid(-(n @ v))))", {
        "Win": t(6, 3), "Wout": t(6, 3), "center": 2, "context": 4, "negative": [0, 5]}),
]  # fmt: skip


def by_autograd(
    formula: str, inputs: dict[str, Any], wrt: list[str]
) -> tuple[float, dict[str, Any]]:
    *lets, result = formula.split("\n")

    def f(*args: Any) -> Any:
        names = {**NAMES, **inputs, **dict(zip(wrt, args, strict=True))}
        for line in lets:
            name, _, text = line.partition(" = ")
            names[name] = eval(text.replace("0 < x < 1", "(0 < x) & (x < 1)"), names)
        value = eval(result.replace("0 < x < 1", "(0 < x) & (x < 1)"), names)
        return anp.reshape(value, ())

    args = [inputs[name] for name in wrt]
    return float(f(*args)), {n: grad(f, i)(*args) for i, n in enumerate(wrt)}


@pytest.mark.parametrize(
    "case", CORPUS, ids=[formula.split("\n")[-1][:60] for formula, _ in CORPUS]
)
def test_value_and_gradients_agree_with_autograd(case: tuple[str, dict[str, Any]]) -> None:
    formula, inputs = case
    ours = trace(formula, inputs)
    integers = ours.graph.integers
    arrays = {
        k: np.asarray(v, dtype=int if k in integers and _whole(v) else float)
        for k, v in inputs.items()
    }
    masks = {k: v != 0 if k == "m" else v for k, v in arrays.items()}
    value, gradients = by_autograd(formula, masks, list(ours.gradients))
    np.testing.assert_allclose(ours.value, value, rtol=1e-9, atol=1e-12)
    assert ours.gradients
    for name, expected in gradients.items():
        assert np.shape(ours.gradients[name]) == np.shape(inputs[name])
        np.testing.assert_allclose(
            ours.gradients[name], expected, rtol=1e-9, atol=1e-11, err_msg=name
        )


def _whole(v: Any) -> bool:
    return bool(np.all(np.asarray(v) == np.round(v)))


def test_the_corpus_is_broad() -> None:
    assert len(CORPUS) > 100
