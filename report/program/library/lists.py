"""Functions that programs with the standard library call: of numbers, and of nested lists with explicit loops."""

import math


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); exp is at most 1."""
    if x < 0:
        return math.exp(x) / (1 + math.exp(x))
    return 1 / (1 + math.exp(-x))


def softplus(x):
    """log(1 + exp(x)); exp never gets a large argument."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def leaky_relu(x, slope):
    """x where it is positive, else a small part of it."""
    return x if x > 0 else slope * x


def prelu(x, a):
    """x where it is positive, else a * x."""
    return x if x > 0 else a * x


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return x if x > 0 else alpha * math.expm1(x)


def swish(x):
    """x times its sigmoid."""
    return x * sigmoid(x)


def tanh_slope(x):
    """1 - tanh(x) ** 2, with all digits where tanh(x) is near 1."""
    small = math.exp(-2 * abs(x))
    return 4 * small / (1 + small) ** 2


def logit_error(z, y):
    """sigmoid(z) - y, with all digits where y is 0 or 1."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)


def normal_cdf(x):
    """The normal distribution: the area under the bell curve up to x."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


def normal_pdf(x):
    """The bell curve."""
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def gelu(x):
    """x times the normal distribution at x."""
    return x * normal_cdf(x)


def sign(x):
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)


def larger(a, b):
    """1 where a is larger than b, 0 where smaller, one half at a tie."""
    return 0.5 if a == b else float(a > b)


def ratio(a, b):
    """a / b, and 0 where b is 0."""
    return a / b if b != 0 else 0.0


def xlogy(a, b):
    """a * log(b), and 0 where a is 0."""
    return a * math.log(b) if a != 0 else 0.0


def elementwise(function, *tensors):
    """The function of the entries at the same place in all tensors."""
    if not isinstance(tensors[0], list):
        return function(*tensors)
    return [elementwise(function, *rows) for rows in zip(*tensors)]


def rank(x):
    """The number of axes: 0 for a number, 1 for a vector, 2 for a matrix."""
    return 1 + rank(x[0]) if isinstance(x, list) else 0


def broadcast(x, shape):
    """x repeated along the axes that it lacks and along axes of length 1."""
    if not shape:
        return x
    if rank(x) < len(shape):
        x = [x]
    rows = x * shape[0] if len(x) == 1 else x
    return [broadcast(row, shape[1:]) for row in rows]


def entries(x):
    """All numbers of a tensor, row by row."""
    if not isinstance(x, list):
        return [x]
    return [number for row in x for number in entries(row)]


def rows(x):
    """The rows of a vector, a matrix or a stack of matrices."""
    if not isinstance(x[0], list):
        return [x]
    return [row for part in x for row in rows(part)]


def reshape(x, shape):
    """The numbers of x, row by row, in another shape."""
    parts = entries(x)
    for n in reversed(shape):
        parts = [parts[i : i + n] for i in range(0, len(parts), n)]
    return parts[0]


def permute(x, shape, axes):
    """The axes of x, which has this shape, in another order."""
    places = [0]
    for axis in axes:
        step = math.prod(shape[axis + 1 :])
        places = [p + i * step for p in places for i in range(shape[axis])]
    numbers = entries(x)
    moved = [numbers[place] for place in places]
    return reshape(moved, [shape[axis] for axis in axes])


def along(axis, function, x):
    """A function of vectors, applied along one axis of a tensor."""
    if axis > 0:
        return [along(axis - 1, function, row) for row in x]
    if not isinstance(x[0], list):
        return function(x)
    return [along(0, function, list(column)) for column in zip(*x)]


def concatenate(parts, axis):
    """Tensors one behind the other along an axis."""
    if axis > 0:
        return [concatenate(rows, axis - 1) for rows in zip(*parts)]
    return [row for part in parts for row in part]


def stack(parts, axis):
    """Tensors side by side along a new axis."""
    if axis > 0:
        return [stack(rows, axis - 1) for rows in zip(*parts)]
    return list(parts)


def pad(x, widths):
    """Zeros before and after x along each axis."""
    if not widths:
        return x
    (before, after), *others = widths
    inner = [pad(row, others) for row in x]
    zeros = elementwise(lambda number: 0.0, inner[0])
    return [zeros] * before + inner + [zeros] * after


def pick(x, *key):
    """The part of x at numbers, slices and lists; lists advance together."""
    if not key:
        return x
    first, *others = key
    if isinstance(first, slice):
        return [pick(row, *others) for row in x[first]]
    if isinstance(first, list):
        lists = [part for part in key if isinstance(part, list)]
        picked = []
        for numbers in zip(*lists):
            left = iter(numbers)
            now = [next(left) if isinstance(k, list) else k for k in key]
            picked.append(pick(x, *now))
        return picked
    return pick(x[first], *others)


def scatter(g, shape, *key):
    """Zeros of a shape with g added at a key: what `pick` took, put back."""
    numbers = [0.0] * math.prod(shape)
    places = reshape(list(range(len(numbers))), shape)
    for place, value in zip(entries(pick(places, *key)), entries(g)):
        numbers[place] += value
    return reshape(numbers, shape)


def one_hot(labels, classes):
    """For each label a row of zeros with a 1 at its place."""
    if isinstance(labels, list):
        return [one_hot(label, classes) for label in labels]
    return [1.0 if k == labels else 0.0 for k in range(classes)]


def identity(n):
    """The identity matrix."""
    return [[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)]


def dot(a, b):
    """Inner product: the sum over k of a[k] * b[k]."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


def outer(a, b):
    """Outer product: c[i][j] = a[i] * b[j]."""
    return [[a[i] * b[j] for j in range(len(b))] for i in range(len(a))]


def matvec(a, x):
    """Matrix times vector: y[i] is the sum over k of a[i][k] * x[k]."""
    y = [0.0] * len(a)
    for i in range(len(a)):
        for k in range(len(x)):
            y[i] += a[i][k] * x[k]
    return y


def matmul(a, b):
    """Matrix product: c[i][j] is the sum over k of a[i][k] * b[k][j]."""
    c = [[0.0] * len(b[0]) for _ in a]
    for i in range(len(a)):
        for j in range(len(b[0])):
            for k in range(len(b)):
                c[i][j] += a[i][k] * b[k][j]
    return c


def stacked(a, b):
    """Matrix products of two stacks of matrices."""
    if rank(a) == 2:
        return matmul(a, b)
    return [stacked(first, second) for first, second in zip(a, b)]


def transpose(a):
    """Rows become columns: t[j][i] = a[i][j]."""
    t = [[0.0] * len(a) for _ in a[0]]
    for i in range(len(a)):
        for j in range(len(a[0])):
            t[j][i] = a[i][j]
    return t


def kron(a, b):
    """Kronecker product: a block a[i][j] * b for each entry of a."""
    return [[x * y for x in row for y in line] for row in a for line in b]


def diag(v):
    """The matrix with v on its diagonal and zeros elsewhere."""
    n = range(len(v))
    return [[v[i] if i == j else 0.0 for j in n] for i in n]


def trace(a):
    """The sum of the diagonal."""
    return sum(a[i][i] for i in range(len(a)))


def pivots(a):
    """Pivots of Gaussian elimination: their product is the determinant."""
    a = [list(row) for row in a]
    for k in range(len(a)):
        p = max(range(k, len(a)), key=lambda i: abs(a[i][k]))
        if p != k:
            a[k], a[p] = a[p], [-number for number in a[k]]
        for i in range(k + 1, len(a)):
            factor = a[i][k] / a[k][k] if a[i][k] else 0.0
            a[i] = [u - factor * v for u, v in zip(a[i], a[k])]
    return [a[k][k] for k in range(len(a))]


def det(a):
    """The determinant."""
    return math.prod(pivots(a))


def logdet(a):
    """The logarithm of the determinant, which is positive."""
    return sum(math.log(abs(pivot)) for pivot in pivots(a))


def cofactor(a):
    """Matrix of cofactors: c[i][j] is the slope of det(a) along a[i][j]."""
    c = [[0.0] * len(a) for _ in a]
    for i in range(len(a)):
        for j in range(len(a)):
            minor = [row[:j] + row[j + 1 :] for row in a[:i] + a[i + 1 :]]
            c[i][j] = (-1) ** (i + j) * det(minor)
    return c


def solve(a, b):
    """The matrix x with a x = b, by Gaussian elimination with pivots."""
    n = len(a)
    rows = [list(a[i]) + list(b[i]) for i in range(n)]
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[p] = rows[p], rows[k]
        pivot = rows[k][k]
        rows[k] = [number / pivot for number in rows[k]]
        for i in range(n):
            if i != k:
                factor = rows[i][k]
                rows[i] = [u - factor * v for u, v in zip(rows[i], rows[k])]
    return [row[n:] for row in rows]


def inv(a):
    """The inverse matrix."""
    return solve(a, identity(len(a)))


def squared_norm(x):
    """The sum of the squares of a list of numbers."""
    total = 0.0
    for number in x:
        total += number**2
    return total


def norm(x):
    """The length of a vector: the root of the sum of the squares."""
    return math.hypot(*x)


def l1_norm(x):
    """The sum of the absolute values of a list of numbers."""
    return sum(abs(number) for number in x)


def mean(x):
    """The sum of a list of numbers, divided by how many they are."""
    return sum(x) / len(x)


def var(x, ddof=0):
    """The mean squared distance from the mean (divided by n - ddof)."""
    away = [number - x[0] for number in x]  # 0 where all are equal
    middle = sum(away) / len(x)
    return sum((number - middle) ** 2 for number in away) / (len(x) - ddof)


def std(x, ddof=0):
    """The standard deviation: the root of the variance."""
    return math.sqrt(var(x, ddof))


def logsumexp(x):
    """log(sum(exp(x))): the largest x and log(1 + the other terms)."""
    top = max(x)
    powers = sorted(math.exp(number - top) for number in x)
    return top + math.log1p(sum(powers[:-1]))


def softmax(x):
    """exp(x) divided by its sum; exp never gets a positive argument."""
    top = max(x)
    powers = [math.exp(number - top) for number in x]
    total = sum(powers)
    return [power / total for power in powers]


def log_softmax(x):
    """The logarithm of softmax(x)."""
    top = max(x)
    shifted = [number - top for number in x]
    whole = logsumexp(shifted)
    return [number - whole for number in shifted]


def less_mean(g, p):
    """g - sum(g * p); the p add up to 1, so this sum keeps all digits."""
    return [sum((a - h) * q for h, q in zip(g, p)) for a in g]


def less_share(g, p):
    """g - p * sum(g); the p add up to 1, so this sum keeps all digits."""
    return [sum(a * q - b * h for h, q in zip(g, p)) for a, b in zip(g, p)]


def surplus(p, y):
    """p - y; both add up to 1, so this sum keeps all digits."""
    return [sum(a * t - b * q for q, t in zip(p, y)) for a, b in zip(p, y)]


def each_row(function, a, b):
    """A function of two rows, for each row of two tensors."""
    if not isinstance(a[0], list):
        return function(a, b)
    return [each_row(function, u, v) for u, v in zip(a, b)]


def cumsum(x):
    """The running sum."""
    total, sums = 0.0, []
    for number in x:
        total += number
        sums.append(total)
    return sums


def reverse_cumsum(x):
    """The running sum from the end."""
    return cumsum(x[::-1])[::-1]


def is_largest(x):
    """1 at the largest number, 0 elsewhere; equal ones share the 1."""
    top = max(x)
    return [float(number == top) / x.count(top) for number in x]


def is_smallest(x):
    """1 at the smallest number, 0 elsewhere; equal ones share the 1."""
    low = min(x)
    return [float(number == low) / x.count(low) for number in x]


def others(x):
    """For each number the product of all the others."""
    return [math.prod(x[:i] + x[i + 1 :]) for i in range(len(x))]


def mse(p, y):
    """The mean squared error."""
    return sum((a - b) ** 2 for a, b in zip(p, y)) / len(p)


def l1(p, y):
    """The mean absolute error."""
    return sum(abs(a - b) for a, b in zip(p, y)) / len(p)


def huber(p, y, delta):
    """Mean of e**2 / 2 or, for large errors, delta * (|e| - delta / 2)."""
    total = 0.0
    for a, b in zip(p, y):
        size = abs(a - b)
        small = size <= delta
        total += size**2 / 2 if small else delta * (size - delta / 2)
    return total / len(p)


def hinge(s, y):
    """The mean of max(0, 1 - y * s)."""
    return sum(max(1 - b * a, 0.0) for a, b in zip(s, y)) / len(s)


def binary_cross_entropy(p, y):
    """The mean of -y * log(p) - (1 - y) * log(1 - p)."""
    total = 0.0
    for a, b in zip(p, y):
        total -= xlogy(b, a) + ((1 - b) * math.log1p(-a) if b != 1 else 0.0)
    return total / len(p)


def binary_cross_entropy_with_logits(z, y):
    """The binary cross-entropy of sigmoid(z)."""
    total = 0.0
    for a, b in zip(z, y):
        total += max(a, 0.0) - b * a + math.log1p(math.exp(-abs(a)))
    return total / len(z)


def cross_entropy(z, labels):
    """The mean over rows of -log(softmax(row)[label])."""
    return -sum(log_softmax(row)[k] for row, k in zip(z, labels)) / len(z)


def cross_entropy_one_hot(z, y):
    """The mean over rows of -sum(y * log(softmax(z)))."""
    total = 0.0
    for scores, targets in zip(z, y):
        total -= sum(b * a for a, b in zip(log_softmax(scores), targets))
    return total / len(z)


def kl_div(p, q):
    """The sum of p * log(p / q)."""
    return sum(xlogy(a, a) - xlogy(a, b) for a, b in zip(p, q))
