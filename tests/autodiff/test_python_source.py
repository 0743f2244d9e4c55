"""Python functions read from their source: the same numbers as HIPS autograd gives by running them.

The functions are written as well-known courses and examples write them; the comment over each group
says which.
"""

import autograd.numpy as np
import numpy
import pytest
from autograd import value_and_grad
from autograd.numpy import tanh as hyperbolic_tangent

import report

RANDOM = numpy.random.default_rng(1815)


def normal(*shape):
    return RANDOM.normal(size=shape).round(2)


def positive(*shape):
    return RANDOM.uniform(0.2, 2, size=shape).round(2)


# CS231n, optimization and neural network notes


def circuit(x, y, z):
    q = x + y
    f = q * z
    return f


def sigmoid_neuron(w0, x0, w1, x1, w2):
    dot = w0 * x0 + w1 * x1 + w2
    return 1.0 / (1 + np.exp(-dot))


def staged(x, y):
    sigy = 1.0 / (1 + np.exp(-y))
    num = x + sigy
    sigx = 1.0 / (1 + np.exp(-x))
    xpy = x + y
    xpysqr = xpy**2
    den = sigx + xpysqr
    invden = 1.0 / den
    f = num * invden
    return f


def svm_loss(W, x):
    delta, correct_class = 1.0, 1
    scores = W @ x
    correct = scores[correct_class]
    loss = 0.0
    for j in range(W.shape[0]):
        if j == correct_class:
            continue
        loss += np.maximum(0, scores[j] - correct + delta)
    return loss


def softmax_loss(W, b, X):
    labels = [0, 2, 1, 1]
    reg = 1e-3
    num_examples = X.shape[0]
    scores = np.dot(X, W) + b
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(num_examples), labels])
    data_loss = np.sum(correct_logprobs) / num_examples
    reg_loss = 0.5 * reg * np.sum(W * W)
    return data_loss + reg_loss


def two_layer(W1, b1, W2, b2, X):
    hidden = np.maximum(0, X @ W1 + b1)  # note, ReLU
    scores = hidden @ W2 + b2
    return (scores**2).sum()


def three_layer(W1, W2, W3, x):
    f = lambda x: 1.0 / (1.0 + np.exp(-x))
    h1 = f(np.dot(W1, x))
    h2 = f(np.dot(W2, h1))
    out = np.dot(W3, h2)
    return np.sum(out)


def batchnorm(x, gamma, beta):
    eps = 1e-5
    mu = x.mean(axis=0)
    var = ((x - mu) ** 2).mean(axis=0)
    xhat = (x - mu) / np.sqrt(var + eps)
    out = gamma * xhat + beta
    return np.sum(out**3)


# Karpathy: micrograd, min-char-rnn, the unreasonable LSTM


def micrograd_demo(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + np.maximum(b + a, 0)
    d += 3 * d + np.maximum(b - a, 0)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def min_char_rnn(Wxh, Whh, Why, bh, by, hprev):
    inputs, targets = [0, 2, 1], [2, 1, 0]
    h = hprev
    loss = 0
    for t in range(len(inputs)):
        h = np.tanh(Wxh[:, inputs[t]] + Whh @ h + bh)
        y = Why @ h + by
        p = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(p[targets[t]])
    return loss


def lstm_cell(W, b, x, h, c):
    d = len(h)
    hx = np.concatenate([x, h])
    a = W @ hx + b
    i, f, o = sigmoid(a[:d]), sigmoid(a[d : 2 * d]), sigmoid(a[2 * d : 3 * d])
    g = np.tanh(a[3 * d :])
    c = f * c + i * g
    h = o * np.tanh(c)
    return np.sum(h)


def bigram(W, X):
    logits = X @ W
    counts = np.exp(logits)
    probs = counts / counts.sum(axis=1, keepdims=True)
    return -np.log(probs[np.arange(3), [1, 0, 2]]).mean() + 0.01 * (W**2).mean()


def micrograd_neuron(x1, x2, w1, w2, b):
    n = x1 * w1 + x2 * w2 + b
    e = np.exp(2 * n)
    o = (e - 1) / (e + 1)
    return o


# HIPS autograd: README and examples


def sigmoid(x):
    return 0.5 * (np.tanh(x / 2.0) + 1)


def autograd_tanh(x):
    y = np.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)


def logistic_predictions(weights, inputs):
    return sigmoid(np.dot(inputs, weights))


def training_loss(weights, inputs, targets):
    preds = logistic_predictions(weights, inputs)
    label_probabilities = preds * targets + (1 - preds) * (1 - targets)
    return -np.sum(np.log(label_probabilities))


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def neural_net(W1, b1, W2, b2, inputs):
    params = [(W1, b1), (W2, b2)]
    for W, b in params:
        outputs = np.dot(inputs, W) + b
        inputs = np.tanh(outputs)
    return np.sum(outputs**2)


def logsumexp(x, axis):
    mx = np.max(x, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - mx), axis=axis, keepdims=True)) + mx


def log_posterior(W, X, targets, L2_reg=0.1):
    log_prior = -L2_reg * np.sum(W**2)
    outputs = X @ W
    normalized = outputs - logsumexp(outputs, axis=1)
    log_lik = np.sum(normalized * targets)
    return log_prior + log_lik


def rkhs(a, b, x):
    return sum(a[i] * np.exp(-((x - b[i]) ** 2)) for i in range(3))


# Nielsen: Neural Networks and Deep Learning


def nielsen_cost(w1, b1, w2, b2, x, y):
    a = x
    for b, w in zip([b1, b2], [w1, w2]):
        a = sigma(np.dot(w, a) + b)
    return 0.5 * np.linalg.norm(a - y) ** 2


def sigma(z):
    """The sigmoid function."""
    return 1.0 / (1.0 + np.exp(-z))


def cross_entropy_cost(w, b, x, y):
    a = sigma(w @ x + b)
    return np.sum(-y * np.log(a) - (1 - y) * np.log(1 - a))


# Saito: Deep Learning from Scratch


def sphere(x, y):
    z = x**2 + y**2
    return z


def matyas(x, y):
    z = 0.26 * (x**2 + y**2) - 0.48 * x * y
    return z


def goldstein(x, y):
    z = (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )
    return z


def taylor_sine(x):
    y = 0
    factorial = 1.0
    for i in range(7):
        if i > 0:
            factorial = factorial * (2 * i) * (2 * i + 1)
        c = (-1) ** i / factorial
        t = c * x ** (2 * i + 1)
        y = y + t
    return y


def mean_squared_error(W, b, x, t):
    y = np.matmul(x, W) + b
    diff = y - t
    return np.sum(diff**2) / len(diff)


def affine_relu(W, b, x):
    out = np.dot(x, W) + b
    out = out * (out > 0)
    return out.sum()


# Dive into Deep Learning


def linreg(w, b, X, y):
    y_hat = X @ w + b
    return ((y_hat - y.reshape(y_hat.shape)) ** 2 / 2).mean()


def l2_penalty(w):
    return (w**2).sum() / 2


def weight_decay(w, b, X, y):
    lambd = 3
    return linreg(w, b, X, y) + lambd * l2_penalty(w)


def d2l_rnn(W_xh, W_hh, b_h, W_hq, X, H):
    outputs = []
    for x in X:
        H = np.tanh(x @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq)
    return np.sum(np.stack(outputs) ** 2)


def gru(W_xz, W_hz, W_xh, W_hh, x, H):
    Z = sigma(x @ W_xz + H @ W_hz)
    H_tilda = np.tanh(x @ W_xh + (Z * H) @ W_hh)
    H = Z * H + (1 - Z) * H_tilda
    return H.sum()


def attention(Q, K, V):
    d = Q.shape[-1]
    scores = Q @ K.T / np.sqrt(d)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = e / e.sum(axis=1, keepdims=True)
    return np.sum(weights @ V)


# Goodfellow and others; Murphy; Deisenroth: mathematics for machine learning


def xor_network(W, c, w, b, X):
    return np.sum((np.maximum(0, X @ W + c) @ w + b - np.array([0, 1, 1, 0])) ** 2)


def mml_example(x):
    a = x**2
    b = np.exp(a)
    c = a + b
    d = np.sqrt(c)
    e = np.cos(c)
    f = d + e
    return f


def ad_survey(x1, x2):
    """Baydin and others: automatic differentiation in machine learning, the running example."""
    v1, v2 = np.log(x1), x1 * x2
    v3 = np.sin(x2)
    return v1 + v2 - v3


def logistic_map(x):
    l1 = x
    for _ in range(3):
        l1 = 4 * l1 * (1 - l1)
    return l1


def gaussian_log_likelihood(mu, log_s, x):
    s = np.exp(log_s)
    total = 0.0
    for xi in x:
        total = total - 0.5 * ((xi - mu) / s) ** 2 - log_s - 0.5 * np.log(2 * np.pi)
    return total


def polynomial(w, x):
    y = w[0]
    for i, p in enumerate(w[1:], 1):
        y = y + p * x**i
    return y


def ridge(w, X, y, alpha=0.5):
    residual = y - X @ w
    return residual @ residual + alpha * np.inner(w, w)


def matrix_chain(A, B, v):
    for M in (A, B, A):
        v = M @ v
    return hyperbolic_tangent(v).sum()


def quadratic(A, x):
    if A.ndim != 2 or len(x) != A.shape[0]:
        raise ValueError
    return x.T @ A @ x / 2 if A.shape[0] > 1 else A[0, 0]


def horner(x, degree=3):
    return poly(x, [1.5, -2.0, 0.5, 1.0][: degree + 1])


def poly(x, c):
    if len(c) == 1:
        return c[0]
    return c[0] + x * poly(x, c[1:])


CASES = {
    circuit: (-2.0, 5.0, -4.0),
    sigmoid_neuron: (2.0, -1.0, -3.0, -2.0, -3.0),
    staged: (3.0, -4.0),
    svm_loss: (normal(3, 4), normal(4)),
    softmax_loss: (normal(2, 3), normal(3), normal(4, 2)),
    two_layer: (normal(2, 4), normal(4), normal(4, 3), normal(3), normal(5, 2)),
    three_layer: (normal(4, 3), normal(4, 4), normal(2, 4), normal(3)),
    batchnorm: (normal(5, 3), normal(3), normal(3)),
    micrograd_demo: (-4.0, 2.0),
    min_char_rnn: (normal(4, 3), normal(4, 4), normal(3, 4), normal(4), normal(3), normal(4)),
    lstm_cell: (normal(8, 5), normal(8), normal(3), normal(2), normal(2)),
    bigram: (normal(4, 3), normal(3, 4)),
    micrograd_neuron: (2.0, 0.1, -3.0, 1.0, 6.88),
    autograd_tanh: (1.0,),
    training_loss: (normal(3), normal(4, 3), numpy.array([1.0, 1.0, 0.0, 1.0])),
    rosenbrock: (numpy.array([-1.2, 1.0]),),
    neural_net: (normal(3, 4), normal(4), normal(4, 2), normal(2), normal(5, 3)),
    log_posterior: (normal(3, 4), normal(5, 3), numpy.eye(4)[[0, 1, 3, 2, 2]]),
    rkhs: (normal(3), normal(3), 0.4),
    nielsen_cost: (normal(3, 2), normal(3), normal(2, 3), normal(2), normal(2), normal(2)),
    cross_entropy_cost: (normal(2, 3), normal(2), normal(3), numpy.array([1.0, 0.0])),
    sphere: (1.0, 1.0),
    matyas: (1.0, 1.5),
    goldstein: (1.0, 1.0),
    taylor_sine: (numpy.pi / 4,),
    mean_squared_error: (normal(3, 2), normal(2), normal(4, 3), normal(4, 2)),
    affine_relu: (normal(3, 2), normal(2), normal(4, 3)),
    linreg: (normal(3), 0.5, normal(4, 3), normal(4)),
    weight_decay: (normal(3), 0.5, normal(4, 3), normal(4)),
    d2l_rnn: (normal(2, 3), normal(3, 3), normal(3), normal(3, 2), normal(4, 2), normal(3)),
    gru: (normal(2, 3), normal(3, 3), normal(2, 3), normal(3, 3), normal(2), normal(3)),
    attention: (normal(3, 4), normal(5, 4), normal(5, 2)),
    xor_network: (
        numpy.ones((2, 2)), numpy.array([0.1, -1.0]), numpy.array([1.0, -2.0]), 0.2, numpy.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])),
    mml_example: (0.5,),
    ad_survey: (2.0, 5.0),
    logistic_map: (0.3,),
    gaussian_log_likelihood: (0.3, -0.2, normal(4)),
    polynomial: (normal(4), 1.3),
    ridge: (normal(3), normal(5, 3), normal(5)),
    matrix_chain: (normal(3, 3), normal(3, 3), normal(3)),
    horner: (0.7,),
}  # fmt: skip


def test_there_are_forty_functions():
    assert len(CASES) >= 40


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_as_autograd(function):
    values = CASES[function]
    names = function.__code__.co_varnames[: len(values)]
    inputs = dict(zip(names, values, strict=True))
    trace = report.trace(function, inputs=inputs)
    wanted, gradients = value_and_grad(function, tuple(range(len(values))))(*values)
    assert trace.value == pytest.approx(wanted, rel=1e-10, abs=1e-12)
    for name, gradient in zip(names, gradients, strict=True):
        if name in trace.gradients:
            assert numpy.shape(trace.gradients[name]) == numpy.shape(gradient)
            numpy.testing.assert_allclose(trace.gradients[name], gradient, rtol=1e-10, atol=1e-10)


# ---------------------------------------------------------------- what the formula looks like


def test_names_are_the_functions_own():
    trace = report.trace(micrograd_demo, inputs={"a": -4.0, "b": 2.0})
    assert trace.function.split("\n")[:4] == [
        "c = a + b", "d = a * b + b ** 3", "c_2 = c + (c + 1)", "c_3 = c_2 + (1 + c_2 + -a)",
    ]  # fmt: skip
    assert trace.value == pytest.approx(24.7041, abs=1e-4)  # as micrograd's README has it
    assert trace.gradients["a"] == pytest.approx(138.8338, abs=1e-4)
    assert trace.gradients["b"] == pytest.approx(645.5773, abs=1e-4)


def test_a_lambda_and_what_it_closes_over():
    scale = 3
    assert report.trace(lambda x: scale * x**2, inputs={"x": 2}).gradients["x"] == 12


def test_free_names_may_be_inputs():
    assert report.trace(free, inputs={"w": 2, "slope": 5}).gradients == {"w": 5, "slope": 2}


def free(w):
    return slope * w  # type: ignore[name-defined]


def test_the_function_never_runs():
    ran: list = []

    def function(x):
        assert [ran.append("the function")]  # type: ignore[func-returns-value]
        return x * x

    def helped(x):
        def inner(y):
            print(ran)
            return y + x

        return inner(x) * x

    assert report.trace(function, inputs={"x": 3}).value == 9
    assert report.trace(helped, inputs={"x": 3}).value == 18
    assert ran == []


# ---------------------------------------------------------------- what cannot be read is named


def loop_until(x):
    y = x
    while y < 10:
        y = y * y
    return y


def branch_on_value(x):
    if x > 0:
        return x
    return -x


def sets_an_entry(x):
    y = x * 1
    y[0] = 3
    return sum(y)


def no_return(x):
    y = x


def wrong_shapes(W, x):
    h = x * 2
    z = W @ h
    return z.sum()


def unknown_function(x):
    y = np.sin(x)
    return np.frobnicate(y)


def asks_for_more(x, missing):
    return x * missing


def prints_a_file(x):
    with open("x"):
        return x


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (loop_until, "while: how often is not known beforehand; write for i in range(3)\n  in loop_until, line 3: while y < 10:"),
        (branch_on_value, "write where(x > 0, a, b)\n  in branch_on_value, line 2: if x > 0:"),
        (sets_an_entry, "line 3: y[0] = 3"),
        (no_return, "the function ends without a return"),
        (unknown_function, "unknown function 'frobnicate'"),
        (asks_for_more, "argument 'missing' has no value; put it into inputs"),
        (prints_a_file, "with cannot be read\n  in prints_a_file, line 2"),
        (len, "not a"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)  # fmt: skip
def test_refused_with_its_line(function, said):
    with pytest.raises(report.ReportError) as error:
        report.trace(function, inputs={"x": [1.0, 2.0]})
    assert said in str(error.value)


def test_shapes_that_do_not_fit_are_told_at_the_line():
    with pytest.raises(report.ReportError, match="in wrong_shapes, line 3: z = W @ h"):
        report.trace(wrong_shapes, inputs={"W": [[1, 2, 3]], "x": [1, 2]})


def test_a_raise_that_is_reached_is_refused():
    with pytest.raises(report.ReportError, match="line 3: raise ValueError"):
        report.trace(quadratic, inputs={"A": [[1.0, 2.0], [3.0, 4.0]], "x": [1.0]})
    found = report.trace(quadratic, inputs={"A": [[1.0, 2.0], [3.0, 4.0]], "x": [1.0, -1.0]})
    assert found.value == 0
