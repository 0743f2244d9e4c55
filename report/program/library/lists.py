"""Functions that programs with the standard library call: of numbers, and of lists.

None has a docstring that only says its name again: what a program calls, the program's reader knows.
"""

import math


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) * sigmoid(-x)


def softplus(x):  # log(1 + exp(x))
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def leaky_relu(x, slope):
    return x if x > 0 else slope * x


def prelu(x, a):
    return x if x > 0 else a * x


def elu(x, alpha):
    return x if x > 0 else alpha * math.expm1(x)


def swish(x):
    return x * sigmoid(x)


def tanh_slope(x):  # 1 - tanh(x) ** 2, with all digits
    small = math.exp(-2 * abs(x))
    return 4 * small / (1 + small) ** 2


def logit_error(z, y):  # sigmoid(z) - y, with all digits
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)


def normal_cdf(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def normal_pdf(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def gelu(x):
    return x * normal_cdf(x)


def gelu_tanh(x):  # x * (1 + tanh(u)) / 2, with all digits
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return x * sigmoid(2 * u)


def sign(x):
    return (x > 0) - (x < 0)


def larger(a, b):  # 1 where a > b, 0 where a < b
    return 0.5 if a == b else float(a > b)


def ratio(a, b):  # a / b, and 0 where b is 0
    return a / b if b else 0.0


def xlogy(a, b):  # a * log(b), and 0 where a is 0
    return a * math.log(b) if a else 0.0


def var(x, ddof=0):
    away = [v - x[0] for v in x]  # 0 where all are equal
    mean = sum(away) / len(x)
    return sum((v - mean) ** 2 for v in away) / (len(x) - ddof)


def std(x, ddof=0):
    away = [v - x[0] for v in x]  # 0 where all are equal
    mean = sum(away) / len(x)
    return math.hypot(*(v - mean for v in away)) / math.sqrt(len(x) - ddof)


def logsumexp(x):
    top = max(x)  # exp never gets a positive argument
    others = math.fsum([*(math.exp(v - top) for v in x), -1])
    return top + math.log1p(others)  # like fsum it keeps all digits


def softmax(x):
    top = max(x)  # exp never gets a positive argument
    powers = [math.exp(v - top) for v in x]
    total = sum(powers)
    return [power / total for power in powers]


def log_softmax(x):  # less the largest, so that no digits are lost
    shifted = [v - max(x) for v in x]
    log_sum = logsumexp(shifted)
    return [v - log_sum for v in shifted]


def less_mean(g, p):  # g - sum(g * p); the p add up to 1
    return [sum((a - b) * q for b, q in zip(g, p)) for a in g]


def less_share(g, p):  # g - p * sum(g); the p add up to 1
    pairs = list(zip(g, p))
    return [sum(a * q - b * h for h, q in pairs) for a, b in pairs]


def surplus(p, y):  # p - y; both add up to 1
    pairs = list(zip(p, y))
    return [sum(a * t - b * q for q, t in pairs) for a, b in pairs]


def is_largest(x):  # equal ones share the 1
    return [float(v == max(x)) / x.count(max(x)) for v in x]


def is_smallest(x):  # equal ones share the 1
    return [float(v == min(x)) / x.count(min(x)) for v in x]


def others(x):  # for each entry the product of all the others
    return [math.prod(x[:i] + x[i + 1 :]) for i in range(len(x))]


def huber(p, y, delta):
    errors = [abs(p_i - y_i) for p_i, y_i in zip(p, y)]
    near = [min(e, delta) for e in errors]
    return sum(n * (e - n / 2) for n, e in zip(near, errors)) / len(errors)


def binary_cross_entropy(p, y):
    pairs = list(zip(p, y))
    right = sum(xlogy(y_i, p_i) for p_i, y_i in pairs)
    rest = sum((1 - y_i) * math.log1p(-p_i) for p_i, y_i in pairs if y_i != 1)
    return -(right + rest) / len(p)


def binary_cross_entropy_with_logits(z, y):
    each = (max(s, 0) - s * t + math.log1p(math.exp(-abs(s))) for s, t in zip(z, y))
    return sum(each) / len(z)


def cross_entropy(z, labels):
    return -sum(log_softmax(row)[k] for row, k in zip(z, labels)) / len(z)


def cross_entropy_one_hot(z, y):
    logs = [log_softmax(row) for row in z]
    terms = [y_ij * log for row, line in zip(y, logs) for y_ij, log in zip(row, line)]
    return -sum(terms) / len(z)


def kl_div(p, q):
    return sum(xlogy(p_i, p_i) - xlogy(p_i, q_i) for p_i, q_i in zip(p, q))


def pivots(a):  # of Gaussian elimination: their product is the determinant
    a = [list(row) for row in a]
    for k in range(len(a)):
        p = max(range(k, len(a)), key=lambda i: abs(a[i][k]))
        if p != k:
            a[k], a[p] = a[p], [-v for v in a[k]]
        for i in range(k + 1, len(a)):
            factor = a[i][k] / a[k][k] if a[i][k] else 0
            a[i] = [u - factor * v for u, v in zip(a[i], a[k])]
    return [a[k][k] for k in range(len(a))]


def det(a):
    return math.prod(pivots(a))


def logdet(a):
    return sum(math.log(abs(pivot)) for pivot in pivots(a))


def cofactor(a):  # the slope of det(a) by each entry
    n = range(len(a))

    def minor(i, j):
        return [row[:j] + row[j + 1 :] for row in a[:i] + a[i + 1 :]]

    return [[(-1) ** (i + j) * det(minor(i, j)) for j in n] for i in n]


def solve(a, b):  # the list x with a x = b, by Gaussian elimination, rows scaled
    n = range(len(a))
    rows = [[u / max(map(abs, row)) for u in (*row, v)] for row, v in zip(a, b)]
    for k in n:
        p = max(n[k:], key=lambda i: abs(rows[i][k]))
        rows[k], rows[p] = rows[p], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in n:
            if i != k:
                factor = rows[i][k]
                rows[i] = [u - factor * v for u, v in zip(rows[i], rows[k])]
    return [row[-1] for row in rows]


def inv(a):  # its columns solve a x = e
    n = range(len(a))
    columns = [solve(a, [float(i == j) for i in n]) for j in n]
    return [list(row) for row in zip(*columns)]
