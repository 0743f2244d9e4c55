"""Functions that programs with NumPy call, for what NumPy does not have by itself."""

import math

import numpy as np


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); exp is at most 1."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


def leaky_relu(x, slope):
    """x where it is positive, else a small part of it."""
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def prelu(x, a):
    """x where it is positive, else a * x."""
    return np.maximum(x, 0) + a * np.minimum(x, 0)


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


def swish(x):
    """x times its sigmoid."""
    return x * sigmoid(x)


def tanh_slope(x):
    """1 - tanh(x) ** 2, with all digits where tanh(x) is near 1."""
    small = np.exp(-2 * np.abs(x))
    return 4 * small / (1 + small) ** 2


def logit_error(z, y):
    """sigmoid(z) - y, with all digits where y is 0 or 1."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)


def erf(x):
    """The error function, which NumPy does not have."""
    return np.vectorize(math.erf, otypes=[float])(x) * 1.0


def normal_cdf(x):
    """The normal distribution: the area under the bell curve up to x."""
    return np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2


def normal_pdf(x):
    """The bell curve."""
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def gelu(x):
    """x times the normal distribution at x."""
    return x * normal_cdf(x)


def ratio(a, b):
    """a / b, and 0 where b is 0."""
    return 1.0 * np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))


def xlogy(a, b):
    """a * log(b), and 0 where a is 0."""
    return a * np.log(np.where(a == 0, 1.0, b))


def softmax(x, axis=-1):
    """exp(x) over its sum along an axis; the largest argument of exp is 0."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))): the largest x and log(1 + the other terms)."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    top = np.max(x, axis=axes, keepdims=True)
    powers = np.exp(x - top)
    equal = np.sum(x == top, axis=axes, keepdims=True)  # to the largest
    others = np.sum(powers * (x < top), axis=axes, keepdims=True)
    whole = top + np.log1p(equal - 1 + others)
    return whole if keepdims else np.squeeze(whole, axes)


def log_softmax(x, axis=-1):
    """The logarithm of softmax(x)."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - logsumexp(shifted, axis=axis, keepdims=True)


def complement(p, axis=-1):
    """1 - p of p that add up to 1: for the largest the sum of the others."""
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    others = np.array(p)
    np.put_along_axis(others, at, 0.0, axis)
    left = 1 - p
    total = np.sum(others, axis=axis, keepdims=True)
    np.put_along_axis(left, at, total, axis)
    return left


def less_mean(g, p, axis=-1):
    """g less its mean under p, measured from the g of the largest p."""
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    away = g - np.take_along_axis(g, at, axis)
    return away - np.sum(away * p, axis=axis, keepdims=True)


def less_share(g, p, axis=-1):
    """g - p * sum(g) as g * (1 - p) less p times the sum of the other g."""
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    others = np.array(g)
    np.put_along_axis(others, at, 0.0, axis)
    rest = np.sum(g, axis=axis, keepdims=True) - g
    total = np.sum(others, axis=axis, keepdims=True)
    np.put_along_axis(rest, at, total, axis)
    return g * complement(p, axis) - p * rest


def surplus(p, y):
    """p - y of rows that add up to 1, with all digits where p is near 1."""
    return (1 - y) * p - y * complement(p)


def std(x, axis=None, ddof=0, keepdims=False):
    """The standard deviation; that of equal entries is 0, not a rounding."""
    width = np.ptp(x, axis=axis, keepdims=keepdims)
    found = np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)
    return np.where(width == 0, 0.0, found)


def reverse_cumsum(x, axis=0):
    """The running sum from the end."""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def is_largest(x, axis=None):
    """1 at the largest entry, 0 elsewhere; equal ones share the 1."""
    hit = x == np.max(x, axis=axis, keepdims=True)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def is_smallest(x, axis=None):
    """1 at the smallest entry, 0 elsewhere; equal ones share the 1."""
    hit = x == np.min(x, axis=axis, keepdims=True)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def others(x, axis=0):
    """For each entry the product of all others along an axis."""
    places = range(x.shape[axis])
    rest = [np.prod(np.delete(x, i, axis), axis=axis) for i in places]
    return np.stack(rest, axis=axis)


def cofactor(a):
    """Matrix of cofactors: the slope of the determinant along each entry."""
    c = np.empty_like(a)
    for i, j in np.ndindex(a.shape[-2:]):
        minor = np.delete(np.delete(a, i, axis=-2), j, axis=-1)
        c[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return c


def scatter(g, key, shape):
    """Zeros of a shape with g added at a key: what was picked, put back."""
    x = np.zeros(shape)
    np.add.at(x, key, g)
    return x


def huber(p, y, delta):
    """Mean of e**2 / 2 or, for large errors, delta * (|e| - delta / 2)."""
    size = np.abs(p - y)
    large = delta * (size - delta / 2)
    return np.mean(np.where(size <= delta, size**2 / 2, large))


def binary_cross_entropy(p, y):
    """The mean of -y * log(p) - (1 - y) * log(1 - p)."""
    rest = (1 - y) * np.log1p(-np.where(y == 1, 0.0, p))
    return -np.mean(xlogy(y, p) + rest)


def cross_entropy(z, labels):
    """The mean over rows of -log(softmax(row)[label])."""
    one_hot = np.equal.outer(labels, np.arange(z.shape[-1]))
    return -np.mean(np.sum(one_hot * log_softmax(z), axis=-1))


def kl_div(p, q):
    """The sum of p * log(p / q)."""
    return np.sum(xlogy(p, p) - xlogy(p, q))
