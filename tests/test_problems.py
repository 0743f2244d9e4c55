"""Every homework file in problems/: against published numbers and against HIPS autograd.

The formulas below are written from the textbooks, not from the homework files: convolution as loops,
recurrent steps with the weights split into blocks, losses by their definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd.numpy as np
import numpy.testing
import pytest
from autograd import grad

from report.autodiff.trace import Trace
from report.homework.homework import Question, read_homework
from report.homework.traces import trace_question
from report.homework.variants import draw

FOLDER = Path(__file__).parent.parent / "problems"
QUESTIONS = {
    f"{path.stem}/{question.id}": question
    for path in sorted(FOLDER.glob("*.toml"))
    for question in draw(read_homework(path)).questions
}
REFERENCES: dict[str, Callable[..., Any]] = {}


def reference(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the reference of one question; its parameters are the question's inputs."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        assert name not in REFERENCES
        REFERENCES[name] = function
        return function

    return enter


def traced(name: str) -> Trace:
    return trace_question(QUESTIONS[name])


def values(question: Question) -> dict[str, Any]:
    """The inputs as autograd takes them; whole numbers stay whole, so that they can be an index."""
    asked = question.wrt or question.inputs
    return {
        name: np.array(value, dtype=float) if name in asked else np.array(value)
        for name, value in question.inputs.items()
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_value_and_gradients_agree_with_autograd(name: str) -> None:
    question, found = QUESTIONS[name], traced(name)
    given = values(question)
    function = REFERENCES[name]

    def of(asked: str) -> Callable[[Any], Any]:
        return lambda value: function(**{**given, asked: value})

    assert math.isclose(found.value, function(**given), rel_tol=1e-9)
    assert set(found.gradients) == set(question.wrt or question.inputs)
    for asked, gradient in found.gradients.items():
        expected = grad(of(asked))(given[asked])
        numpy.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-14, err_msg=asked)


def test_every_question_has_a_reference() -> None:
    assert set(REFERENCES) == set(QUESTIONS)


# ---------------------------------------------------------------- the textbooks' formulas


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    e = np.exp(x)
    return e / np.sum(e, axis=-1, keepdims=True)


def negative_log_likelihood(z: Any, classes: Any) -> Any:
    rows = [-np.log(softmax(z[n])[k]) for n, k in enumerate(classes)]
    return sum(rows) / len(rows)


@reference("affine/q1")
def affine(X: Any, W: Any, b: Any, G: Any) -> Any:
    return np.sum(G * (np.dot(X, W) + b))


@reference("attention/q1")
def attention(Q: Any, K: Any, V: Any, d: Any, T: Any) -> Any:
    loss = 0.0
    for query, target in zip(Q, T, strict=True):
        weights = softmax(np.array([np.dot(query, key) / np.sqrt(d) for key in K]))
        output = sum(weight * value for weight, value in zip(weights, V, strict=True))
        loss = loss + np.sum((output - target) ** 2)
    return loss


@reference("batch-norm/q1")
def batch_norm(X: Any, gamma: Any, beta: Any, G: Any) -> Any:
    normed = (X - np.mean(X, axis=0)) / np.sqrt(np.var(X, axis=0) + 1e-3)
    return np.sum(G * (gamma * normed + beta))


@reference("convolution/q1")
def convolution(X: Any, K: Any, c: Any, t: Any) -> Any:
    loss = 0.0
    for block in range(2):
        outputs = [
            sum(K[a, b] * X[i + a, j + b] for a in range(2) for b in range(2)) + c
            for i in range(2)
            for j in (2 * block, 2 * block + 1)
        ]
        loss = loss + (np.max(np.array(outputs)) - t[block]) ** 2
    return loss


@reference("degrees/q1")
def degrees(x1: Any, w1: Any, x2: Any, w2: Any) -> Any:
    turn = np.pi / 180
    return 1 / (2 + np.sin(turn * x1 * w1) ** 2 + np.cos(turn * x2 * w2))


@reference("dropout/q1")
def dropout(x: Any, W: Any, b: Any, m: Any, V: Any, y: Any) -> Any:
    kept = np.maximum(np.dot(W, x) + b, 0) * m / 0.5
    return np.sum((np.dot(V, kept) - y) ** 2)


@reference("gru/q1")
def gru(x: Any, h: Any, W_r: Any, W_z: Any, W_n: Any, y: Any) -> Any:
    n = len(h)
    reset = sigmoid(W_r[:, :n] @ h + W_r[:, n:] @ x)
    update = sigmoid(W_z[:, :n] @ h + W_z[:, n:] @ x)
    proposal = np.tanh(W_n[:, :n] @ (reset * h) + W_n[:, n:] @ x)
    return np.sum((h + update * (proposal - h) - y) ** 2)


@reference("class/q1")
@reference("homework1/q1")
def homework1_scalars(x1: Any, w1: Any, x2: Any, w2: Any) -> Any:
    return 1 / (2 + np.sin(x1 * w1) ** 2 + np.cos(x2 * w2))


@reference("class/q2")
@reference("homework1/q2")
def homework1_vectors(W: Any, x: Any) -> Any:
    return np.sum(sigmoid(W @ x) ** 2)


@reference("layer-norm/q1")
def layer_norm(X: Any, gamma: Any, beta: Any, G: Any) -> Any:
    rows = [(row - np.mean(row)) / np.sqrt(np.var(row) + 1e-3) for row in X]
    return sum(np.sum(g * (gamma * row + beta)) for g, row in zip(G, rows, strict=True))


@reference("linear-regression/q1")
def linear_regression(X: Any, y: Any, w: Any, alpha: Any) -> Any:
    points = [(np.dot(row, w) - target) ** 2 for row, target in zip(X, y, strict=True)]
    return sum(points) / len(points) + alpha * np.dot(w, w)


@reference("logistic-regression/q1")
def logistic_regression(X: Any, y: Any, w: Any, b: Any) -> Any:
    p = sigmoid(np.dot(X, w) + b)
    return -np.mean(np.log(np.where(y == 1, p, 1 - p)))


@reference("lstm/q1")
def lstm(
    x: Any, h: Any, c: Any, W_f: Any, W_i: Any, W_o: Any, W_c: Any,
    b_f: Any, b_i: Any, b_o: Any, b_c: Any, y: Any,
) -> Any:  # fmt: skip
    def layer(W: Any, b: Any) -> Any:
        return W[:, : len(h)] @ h + W[:, len(h) :] @ x + b

    cell = sigmoid(layer(W_f, b_f)) * c + sigmoid(layer(W_i, b_i)) * np.tanh(layer(W_c, b_c))
    return np.sum((sigmoid(layer(W_o, b_o)) * np.tanh(cell) - y) ** 2)


@reference("micrograd/q1")
def micrograd(a: Any, b: Any) -> Any:
    """The README, line by line."""
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + np.maximum(b + a, 0)
    d = d + 3 * d + np.maximum(b - a, 0)
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


@reference("gradient-descent/q1")
def gradient_descent(w: Any, x: Any, b: Any, y: Any) -> Any:
    return (sigmoid(w * x + b) - y) ** 2


@reference("mlp/q1")
def mlp(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return np.sum((np.dot(W2, np.tanh(np.dot(W1, x) + b1)) + b2 - y) ** 2)


@reference("mlp-batch/q1")
def mlp_batch(X: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    hidden = [np.maximum(np.dot(row, W1) + b1[0], 0) for row in X]
    return negative_log_likelihood([np.dot(h, W2) + b2[0] for h in hidden], y)


@reference("neuron/q1")
def neuron(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


@reference("one-gate/q1")
def one_gate(x: Any) -> Any:
    return np.tanh(x)


@reference("repeated/q1")
def cube(x: Any) -> Any:
    return x**3


@reference("repeated/q2")
def twice(a: Any) -> Any:
    return 2 * a


@reference("rnn/q1")
def rnn(x1: Any, x2: Any, h0: Any, U: Any, W: Any, b: Any, y: Any) -> Any:
    h = h0
    for x in (x1, x2):
        h = np.tanh(np.dot(U, x) + np.dot(W, h) + b)
    return np.sum((h - y) ** 2)


@reference("rosenbrock/q1")
def rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


@reference("six-lines/q1")
def line(w: Any, x: Any, b: Any, y: Any) -> Any:
    return (w * x + b - y) ** 2


@reference("six-lines/q2")
def logistic_unit(w: Any, x: Any, b: Any) -> Any:
    return 1 / (1 + np.exp(-w * x - b))


@reference("six-lines/q3")
def quotient(x: Any, y: Any) -> Any:
    return x * (x**2 + y**2) ** -1


@reference("six-lines/q4")
def used_twice(x: Any) -> Any:
    return np.exp(-x * x) * x


@reference("six-lines/q5")
def bend(a: Any, x: Any, c: Any) -> Any:
    return a * np.maximum(x - c, 0)


@reference("six-lines/q6")
def logistic_loss(z: Any, y: Any) -> Any:
    return np.log(1 + np.exp(-y * z))


@reference("softmax-cross-entropy/q1")
def softmax_cross_entropy(z: Any, y: Any) -> Any:
    return np.log(np.sum(np.exp(z))) - np.dot(y, z)


@reference("softmax-regression/q1")
def softmax_regression(X: Any, y: Any, W: Any, b: Any) -> Any:
    return negative_log_likelihood(np.dot(X, W) + b, y)


@reference("word2vec/q1")
def word2vec(c: Any, o: Any, k: Any, V: Any, U: Any) -> Any:
    positive = np.log(sigmoid(np.dot(U[int(o)], V[int(c)])))
    negative = [np.log(sigmoid(-np.dot(U[int(word)], V[int(c)]))) for word in k]
    return -positive - sum(negative)


# ---------------------------------------------------------------- published numbers


def test_micrograd_readme() -> None:
    """https://github.com/karpathy/micrograd: g = 24.7041, dg/da = 138.8338, dg/db = 645.5773."""
    found = traced("micrograd/q1")
    assert round(found.value, 4) == 24.7041
    rounded = {name: round(float(g), 4) for name, g in found.gradients.items()}
    assert rounded == {"a": 138.8338, "b": 645.5773}


def test_cs231n_neuron() -> None:
    """The circuit of the CS231n notes, with the numbers printed on its edges."""
    found = traced("neuron/q1")
    rounded = {name: round(float(g), 2) for name, g in found.gradients.items()}
    assert rounded == {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}
    values = [round(float(gate.value), 2) for gate in found.gates]
    gradients = [round(float(gate.gradient), 2) for gate in found.gates]
    assert values == [-2.00, 6.00, 4.00, 1.00, -1.00, 0.37, 1.37, 0.73]
    assert gradients == [0.20, 0.20, 0.20, 0.20, -0.20, -0.53, -0.53, 1.00]


def test_rosenbrock_at_the_usual_start() -> None:
    """f(-1.2, 1) = 24.2 and its gradient (-215.6, -88): Moré, Garbow and Hillstrom, 1981, problem 1."""
    found = traced("rosenbrock/q1")
    assert math.isclose(found.value, 24.2, rel_tol=1e-12)
    assert math.isclose(found.gradients["x"], -215.6, rel_tol=1e-12)
    assert math.isclose(found.gradients["y"], -88, rel_tol=1e-12)


# ---------------------------------------------------------------- published gradients


def close(found: Any, expected: Any) -> None:
    numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_affine_layer_in_matrix_form() -> None:
    """dX = G Wᵀ, dW = Xᵀ G, db = the sum of the rows of G (CS231n)."""
    found, given = traced("affine/q1"), values(QUESTIONS["affine/q1"])
    close(found.gradients["X"], given["G"] @ given["W"].T)
    close(found.gradients["W"], given["X"].T @ given["G"])
    close(found.gradients["b"], given["G"].sum(axis=0, keepdims=True))


def test_batch_norm_in_one_formula() -> None:
    """dX = γ / (n √(v + ε)) ⊙ (n G − Σ G − X̂ ⊙ Σ G ⊙ X̂), sums over the batch."""
    found, given = traced("batch-norm/q1"), values(QUESTIONS["batch-norm/q1"])
    X, G, n = given["X"], given["G"], len(given["X"])
    deviation = np.sqrt(X.var(axis=0) + 1e-3)
    normed = (X - X.mean(axis=0)) / deviation
    inner = n * G - G.sum(axis=0) - normed * (G * normed).sum(axis=0)
    close(found.gradients["X"], given["gamma"] / (n * deviation) * inner)
    close(found.gradients["gamma"], (G * normed).sum(axis=0, keepdims=True))
    close(found.gradients["beta"], G.sum(axis=0, keepdims=True))


def test_softmax_with_cross_entropy_leaves_a_difference() -> None:
    given = values(QUESTIONS["softmax-cross-entropy/q1"])
    close(traced("softmax-cross-entropy/q1").gradients["z"], softmax(given["z"]) - given["y"])


def test_ridge_regression_in_matrix_form() -> None:
    found, given = traced("linear-regression/q1"), values(QUESTIONS["linear-regression/q1"])
    X, w = given["X"], given["w"]
    close(found.gradients["w"], 2 / 4 * X.T @ (X @ w - given["y"]) + 2 * given["alpha"] * w)


def test_classifiers_send_back_prediction_minus_label() -> None:
    found, given = traced("logistic-regression/q1"), values(QUESTIONS["logistic-regression/q1"])
    error = sigmoid(given["X"] @ given["w"] + given["b"]) - given["y"]
    close(found.gradients["w"], given["X"].T @ error / 4)
    close(found.gradients["b"], error.mean())
    found, given = traced("softmax-regression/q1"), values(QUESTIONS["softmax-regression/q1"])
    error = softmax(given["X"] @ given["W"] + given["b"]) - np.eye(3)[given["y"]]
    close(found.gradients["W"], given["X"].T @ error / 4)
    close(found.gradients["b"], error.mean(axis=0, keepdims=True))


def test_word_vectors_that_took_no_part_have_no_gradient() -> None:
    """And a negative that was drawn twice counts twice (CS224n, second assignment)."""
    found, given = traced("word2vec/q1"), values(QUESTIONS["word2vec/q1"])
    v, U = given["V"][1], given["U"]
    assert not np.any(found.gradients["V"][[0, 2, 3, 4]])
    assert not np.any(found.gradients["U"][[1, 3]])
    close(found.gradients["U"][2], (sigmoid(U[2] @ v) - 1) * v)
    close(found.gradients["U"][4], 2 * sigmoid(U[4] @ v) * v)


def test_a_dropped_unit_learns_nothing() -> None:
    found = traced("dropout/q1")
    assert not np.any(found.gradients["W"][2])
    assert not np.any(found.gradients["b"][2])
    assert not np.any(found.gradients["V"][:, 2])
