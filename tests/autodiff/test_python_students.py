"""Python functions as students write them: dictionaries, while, arrays filled entry by entry, nested helpers.

What can be run by HIPS autograd is held against it; what sets entries, which autograd cannot, is run by NumPy
and its differences are taken.
"""

import functools
import math

import autograd.numpy as np
import numpy
import pytest
from autograd import value_and_grad

import report

RANDOM = numpy.random.default_rng(1906)


def normal(*shape):
    return RANDOM.normal(size=shape).round(2)


def mlp_of_a_dictionary(W1, b1, W2, b2, x, y):
    params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    h = np.tanh(params["W1"] @ x + params["b1"])
    out = params["W2"] @ h + params["b2"]
    return 0.5 * np.sum((out - y) ** 2)


def penalty(W1, W2):
    total = 0
    cache = {}
    for name, w in {"W1": W1, "W2": W2}.items():
        cache[name] = np.sum(w**2)
        total += cache[name]
    return total + cache["W1"] * len(cache)


def annotated(x: float, w: float, *, b: float = 1.0) -> float:
    """The forward pass."""
    z: float = w * x + b
    return 1 / (1 + np.exp(-z))


def listed(x, w):
    out = []
    for i in range(3):
        out.append(w[i] * x)
    out[0] += 1.0
    return sum(out)


def rnn_states(Wx, Wh, b, xs):
    h = np.zeros(2)
    hs = [h]
    for x in xs:
        h = np.tanh(np.dot(Wx, x) + np.dot(Wh, h) + b)
        hs.append(h)
    return np.sum(hs[-1])


def stable_cross_entropy(z):
    y = np.array([0, 1, 0])
    z = z - np.max(z)
    p = np.exp(z) / np.sum(np.exp(z))
    return -np.sum(y * np.log(p + 1e-9))


def hinge(w, X):
    y = np.array([1, -1, 1])
    margins = 1 - y * np.dot(X, w)
    return np.mean(np.where(margins > 0, margins, 0))


def huber(x):
    d = 1.0
    a = np.abs(x)
    return np.sum(np.where(a <= d, 0.5 * x**2, d * (a - 0.5 * d)))


def returns_two(w, x):
    def layer(w, x):
        z = np.dot(w, x)
        return z, np.tanh(z)

    z, a = layer(w, x)
    return z * a


def convolution(x, k):
    n = len(x) - len(k) + 1
    out = [np.sum(x[i : i + len(k)] * k) for i in range(n)]
    return np.sum(np.array(out) ** 2)


def layers(W0, W1, W2, x):
    weights = [W0, W1, W2]
    a = x
    for i in range(len(weights)):
        z = weights[i] @ a
        if i < len(weights) - 1:
            a = np.tanh(z)
        else:
            a = z
    return np.sum(a**2)


def logistic_loss(x, w, b, t):
    z = x * w
    z += b
    p = 1.0 / (1.0 + np.exp(-z))
    loss = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert loss is not None
    return loss


def counted(x):
    i = 0
    while i < 3:
        x = x * np.sin(x)
        i += 1
    return x


def fibonacci(a, b):
    a, b = b, a + b
    a, b = b, a + b
    return a * b


def negative_log_likelihood(mu, sigma, x):
    n = len(x)
    return n / 2 * np.log(2 * np.pi * sigma**2) + np.sum((x - mu) ** 2) / (2 * sigma**2)


def newton_root(a):
    x = a
    for _ in range(4):
        x = (x + a / x) / 2
    return x


def mse_of_a_loop(w, b, X, Y):
    loss = 0.0
    for x, y in zip(X, Y):
        y_hat = w * x + b
        loss += (y - y_hat) ** 2
    loss /= len(X)
    return loss


def attention(q, K, V):
    scores = []
    for k in K:
        scores.append(np.dot(q, k) / np.sqrt(len(q)))
    s = np.array(scores)
    w = np.exp(s) / np.sum(np.exp(s))
    return np.sum(w[:, None] * V)


def lstm_step(x, h, c, Wf, Wi, Wc, Wo):
    z = np.concatenate((h, x))
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    f, i, o = (sigmoid(W @ z) for W in (Wf, Wi, Wo))
    c = f * c + i * np.tanh(Wc @ z)
    h = o * np.tanh(c)
    return np.sum(h)


def dropped(x, w):
    mask = np.array([1, 0, 1])
    h = np.maximum(0, w * x) * mask / 0.5
    return h.sum()


def cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


RUN = {
    mlp_of_a_dictionary: (normal(3, 2), normal(3), normal(1, 3), normal(1), normal(2), normal(1)),
    penalty: (normal(2, 2), normal(3)),
    annotated: (0.3, 2.0),
    listed: (0.5, normal(3)),
    rnn_states: (normal(2, 3), normal(2, 2), normal(2), normal(3, 3)),
    stable_cross_entropy: (normal(3),),
    hinge: (normal(2), normal(3, 2)),
    huber: (normal(4) * 2,),
    returns_two: (normal(3), normal(3)),
    convolution: (normal(5), normal(2)),
    layers: (normal(3, 2), normal(3, 3), normal(1, 3), normal(2)),
    logistic_loss: (0.5, 0.3, 0.1, 1.0),
    counted: (0.7,),
    fibonacci: (2.0, 3.0),
    negative_log_likelihood: (0.2, 1.3, normal(4)),
    newton_root: (2.0,),
    mse_of_a_loop: (0.4, 0.1, normal(4), normal(4)),
    attention: (normal(2), normal(3, 2), normal(3, 2)),
    lstm_step: (normal(2), normal(2), normal(2), *(normal(2, 4) for _ in range(4))),
    dropped: (normal(3), normal(3)),
    cosine: (normal(3), normal(3)),
}


def inputs_of(function, values):
    return dict(zip(function.__code__.co_varnames, values, strict=False))


@pytest.mark.parametrize("function", RUN, ids=lambda f: f.__name__)
def test_as_autograd(function):
    values = RUN[function]
    trace = report.trace(function, inputs=inputs_of(function, values))
    wanted, gradients = value_and_grad(function, tuple(range(len(values))))(*values)
    assert trace.value == pytest.approx(wanted, rel=1e-10)
    for name, gradient in zip(inputs_of(function, values), gradients, strict=True):
        numpy.testing.assert_allclose(trace.gradients[name], gradient, rtol=1e-10, atol=1e-10)


# ---------------------------------------------------------------- arrays that are filled


def product(W, x):
    y = np.zeros(3)
    for i in range(3):
        s = 0
        for j in range(2):
            s += W[i, j] * x[j]
        y[i] = s
    return np.sum(y**2)


def states(W, x):
    H = np.zeros((4, 2))
    H[0] = x
    for t in range(3):
        before = H[t]
        H[t + 1] = np.tanh(W[:2] @ before)
    return np.sum(H) + np.sum(H[-1])


def outer(x):
    A = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            A[i, j] = x[i] * x[j]
    return np.sum(A**2)


def columns(x):
    A = np.ones((2, 3))
    A[:, 0] = x
    A[1:, 1:] = 2 * x[1]
    A[0][1] += x[0]
    return np.sum(A**2)


def running(x):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] + x[i]
    y[-1] *= 2
    return np.sum(y * y) + math.pi


def copies(x):
    hs = []
    h = np.zeros(2)
    for i in range(2):
        h[i] = x[i]
        hs.append(h.copy())
    return np.sum(hs[0]) + np.sum(hs[1] ** 2)


@pytest.mark.parametrize(
    "function", [product, states, outer, columns, running, copies], ids=lambda f: f.__name__
)
def test_entries_as_numpy_sets_them(function):
    values = {"W": normal(3, 2), "x": normal(2)}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    inputs = {name: values[name] for name in names}
    trace = report.trace(function, inputs=inputs)
    assert trace.value == pytest.approx(function(**inputs), rel=1e-12)
    for name, value in inputs.items():
        for place in numpy.ndindex(value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                other = value.copy()
                other[place] += step
                ends.append(function(**{**inputs, name: other}))
            slope = (ends[0] - ends[1]) / 2e-6
            assert trace.gradients[name][place] == pytest.approx(slope, rel=1e-7, abs=1e-8)


def test_a_filled_array_is_one_line_of_its_parts():
    found = report.trace(states, inputs={"W": normal(3, 2), "x": normal(2)})
    assert found.function.split("\n")[-2] == "H = [x, H_1, H_2, H_3]"


# ---------------------------------------------------------------- what NumPy would do otherwise is refused


def unset(x):
    y = np.empty(2)
    y[0] = x[0]
    return np.sum(y)


def shared_in_a_list(x):
    hs = []
    h = np.zeros(2)
    for i in range(2):
        h[i] = x[i]
        hs.append(h)
    return np.sum(hs[0])


def shared_as_a_row(x):
    H = np.zeros((2, 2))
    row = H[0]
    H[0, 1] = x[0]
    return np.sum(row)


def shared_by_reshape(x):
    H = np.zeros((2, 2))
    flat = np.reshape(H, -1)
    H[0] = x
    return np.sum(flat)


def argument_changed(x):
    x[0] = 3
    return sum(x)


def integers(x):
    y = np.zeros(2, dtype=int)
    y[0] = x[0]
    return np.sum(y)


def too_far(x):
    y = np.zeros(2)
    y[2] = x[0]
    return np.sum(y)


def for_ever(x):
    i = 0
    while i < 1:
        x = x * 1.0
    return sum(x)


class Network:
    def forward(self, x):
        return np.sum(x)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (unset, "an entry of y has no value yet"),
        (shared_in_a_list, "give that h.copy()\n  in shared_in_a_list, line 5: h[i] = x[i]"),
        (shared_as_a_row, "H is changed after something else shares its entries"),
        (shared_by_reshape, "H is changed after something else shares its entries"),
        (argument_changed, "an entry cannot be set"),
        (integers, "an entry cannot be set"),
        (too_far, "there is no entry 2 in an array of shape (2,)"),
        (for_ever, "a loop of more than 20000 turns"),
        (Network().forward, "write a def or a lambda that takes the weights as its arguments"),
        (Network, "write a def or a lambda that takes the weights as its arguments"),
        (functools.partial(unset), "write a def or a lambda"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_refused(function, said):
    with pytest.raises(report.ReportError) as error:
        report.trace(function, inputs={"x": [1.0, 2.0]})
    assert said in str(error.value)
