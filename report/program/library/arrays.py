"""Functions that programs with NumPy call, for what NumPy does not have by itself."""

import math

import numpy as np


def sigmoid(x):  # exp never gets a positive argument
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


def leaky_relu(x, slope):
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def prelu(x, a):
    return np.maximum(x, 0) + a * np.minimum(x, 0)


def elu(x, alpha):
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


def swish(x):
    return x * sigmoid(x)


def tanh_slope(x):  # 1 - tanh(x) ** 2, with all digits
    small = np.exp(-2 * np.abs(x))
    return 4 * small / (1 + small) ** 2


def logit_error(z, y):  # sigmoid(z) - y, with all digits
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)


def erf(x):  # which NumPy does not have
    return np.vectorize(math.erf, otypes=[float])(x) * 1.0


def normal_cdf(x):
    return np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2


def normal_pdf(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def gelu(x):
    return x * normal_cdf(x)


def gelu_tanh(x):  # x * (1 + tanh(u)) / 2, with all digits
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return x * sigmoid(2 * u)


def ratio(a, b):  # a / b, and 0 where b is 0
    return 1.0 * np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))


def xlogy(a, b):  # a * log(b), and 0 where a is 0
    return a * np.log(np.where(a == 0, 1.0, b))


def softmax(x, axis=-1):  # exp never gets a positive argument
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def logsumexp(x, axis=None, keepdims=False):
    top = np.max(x, axis=axis, keepdims=True)  # exp never gets a positive argument
    powers = np.exp(x - top)
    ties = np.sum(x == top, axis=axis, keepdims=True) - 1  # the largest is exp(0) = 1
    others = np.sum(powers * (x < top), axis=axis, keepdims=True)
    whole = top + np.log1p(ties + others)
    return whole if keepdims else np.squeeze(whole, axis=axis)


def log_softmax(x, axis=-1):  # less the largest, so that no digits are lost
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.logaddexp.reduce(shifted, axis=axis, keepdims=True)


def complement(p, axis=-1):  # 1 - p of p that add up to 1
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    others = np.array(p)
    np.put_along_axis(others, at, 0.0, axis)
    left = 1 - p
    total = np.sum(others, axis=axis, keepdims=True)
    np.put_along_axis(left, at, total, axis)
    return left


def less_mean(g, p, axis=-1):  # g - sum(g * p); the p add up to 1
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    away = g - np.take_along_axis(g, at, axis)
    return away - np.sum(away * p, axis=axis, keepdims=True)


def less_share(g, p, axis=-1):  # g - p * sum(g); the p add up to 1
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    others = np.array(g)
    np.put_along_axis(others, at, 0.0, axis)
    rest = np.sum(g, axis=axis, keepdims=True) - g
    total = np.sum(others, axis=axis, keepdims=True)
    np.put_along_axis(rest, at, total, axis)
    return g * complement(p, axis) - p * rest


def surplus(p, y):  # p - y; both add up to 1
    return (1 - y) * p - y * complement(p)


def std(x, axis=None, ddof=0, keepdims=False):
    away = x - np.min(x, axis=axis, keepdims=True)  # 0 where all are equal
    top = np.max(away, axis=axis, keepdims=True)
    found = np.std(away / (top + (top == 0)), axis=axis, ddof=ddof, keepdims=True)
    return found * top if keepdims else np.squeeze(found * top, axis=axis)


def reverse_cumsum(x, axis=0):
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def is_largest(x, axis=None):  # equal ones share the 1
    hit = x == np.max(x, axis=axis, keepdims=True)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def is_smallest(x, axis=None):  # equal ones share the 1
    hit = x == np.min(x, axis=axis, keepdims=True)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def others(x, axis=0):  # for each entry the product of all others
    places = range(x.shape[axis])
    rest = [np.prod(np.delete(x, i, axis), axis=axis) for i in places]
    return np.stack(rest, axis=axis)


def cofactor(a):  # the slope of the determinant by each entry
    c = np.empty_like(a)
    for i, j in np.ndindex(a.shape[-2:]):
        minor = np.delete(np.delete(a, i, axis=-2), j, axis=-1)
        c[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return c


def scatter(g, key, shape):  # the gradient of x[key]: g is added where it was picked
    x = np.zeros(shape)
    np.add.at(x, key, g)
    return x


def huber(p, y, delta):
    size = np.abs(p - y)
    large = delta * (size - delta / 2)
    return np.mean(np.where(size <= delta, size**2 / 2, large))


def binary_cross_entropy(p, y):
    rest = (1 - y) * np.log1p(-np.where(y == 1, 0.0, p))
    return -np.mean(xlogy(y, p) + rest)


def cross_entropy(z, labels):
    one_hot = np.equal.outer(labels, np.arange(z.shape[-1]))
    return -np.mean(np.sum(one_hot * log_softmax(z), axis=-1))


def kl_div(p, q):
    return np.sum(xlogy(p, p) - xlogy(p, q))


def windows(x, size, stride):  # all windows of the last axes, side by side
    n = len(size)
    seen = np.lib.stride_tricks.sliding_window_view(x, size, axis=tuple(range(-n, 0)))
    steps = tuple(slice(None, None, s) for s in stride)
    return seen[np.index_exp[...] + steps + (slice(None),) * n]


def overlap(w, size, stride):  # the gradient of windows: entries that overlap add up
    n = len(size)
    out = np.zeros((*w.shape[: -2 * n], *size))
    for place in np.ndindex(w.shape[-n:]):
        counts = zip(place, stride, w.shape[-2 * n : -n])
        at = tuple(slice(p, p + s * m, s) for p, s, m in counts)
        out[np.index_exp[...] + at] += w[np.index_exp[...] + place]
    return out
