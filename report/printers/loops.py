"""What a program needs beyond the gate table: loops for the matrix gates, and their options.

Four functions give a gate's code as a template over its arguments: `written` as in a formula,
`vectorised` for NumPy, `scalar` for one number and `looped` for nested lists. HELPERS holds the
functions that such code calls, as they stand in a program, by dialect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from report.errors import ReportError
from report.gates import axes_of
from report.graph import Node, Shape


class Unprintable(ReportError):
    """A gate that a dialect has no code for."""


# ---------------------------------------------------------------- templates


def written(node: Node) -> str:
    """A gate as in a formula: {0} * {1}, sin({0}), sum({0}, axis=0)."""
    gate = node.gate
    if gate.name in _WRITTEN:
        return _WRITTEN[gate.name]
    if gate.numpy and "(" not in gate.numpy:
        return gate.numpy
    return f"{gate.name}({_places(node)}{_options(node)})"


def vectorised(node: Node) -> str:
    """A gate over arrays."""
    writer = _VECTORISED.get(node.gate.name)
    if writer:
        return writer(node)
    code = node.gate.numpy
    if not code:
        raise Unprintable(f"there is no NumPy code for the gate {node.gate.name}")
    return code[:-1] + _options(node) + ")" if node.params and code.endswith(")") else code


def scalar(node: Node) -> str:
    """An elementwise gate over numbers."""
    if not node.gate.python:
        raise Unprintable(f"there is no code for one number of the gate {node.gate.name}")
    return node.gate.python


def looped(node: Node) -> str:
    """A gate that is not elementwise, over nested lists."""
    writer = _LOOPED.get(node.gate.name)
    if writer is None:
        raise Unprintable(f"explicit loops for the gate {node.gate.name} would be too long to read")
    return writer(node)


_WRITTEN = {"squared_norm": "norm({0}) ** 2"}


def _places(node: Node) -> str:
    return ", ".join(f"{{{i}}}" for i in range(len(node.args)))


def _options(node: Node) -> str:
    """The options that differ from their defaults: , axis=0, keepdims=True."""
    given = {k: v for k, v in node.params.items() if v is not None and v is not False}
    return "".join(f", {name}={value!r}" for name, value in given.items())


# ---------------------------------------------------------------- NumPy


def _np_sum_to(node: Node) -> str:
    shape, wanted = node.args[0].shape, node.shape
    if not wanted:
        return "np.sum({0})"
    extra = len(shape) - len(wanted)
    stretched = tuple(extra + i for i, n in enumerate(wanted) if n != shape[extra + i])
    axes = (*range(extra), *stretched)
    axis = axes[0] if len(axes) == 1 else axes
    if not stretched:
        return f"np.sum({{0}}, axis={axis})"
    if not extra:
        return f"np.sum({{0}}, axis={axis}, keepdims=True)"
    return f"np.sum({{0}}, axis={axis}).reshape({', '.join(map(str, wanted))})"


def _np_broadcast(node: Node) -> str:
    if not node.args[0].shape:
        return f"np.full({_size(node.shape)}, {{0}})"
    return f"np.broadcast_to({{0}}, {node.shape})"


def _np_reshape(node: Node) -> str:
    if not node.shape:
        return "{0}.item()"
    return f"{{0}}.reshape({', '.join(map(str, node.shape))})"


def _size(shape: Shape) -> str:
    return str(shape[0] if len(shape) == 1 else shape)


_VECTORISED: dict[str, Callable[[Node], str]] = {
    "sum_to": _np_sum_to,
    "broadcast_to": _np_broadcast,
    "reshape": _np_reshape,
    "norm": lambda node: "np.linalg.norm({0})",
}

# ---------------------------------------------------------------- nested lists


def _matmul(node: Node) -> str:
    left, right = (a.shape for a in node.args)
    match len(left), len(right):
        case 1, 1:
            return "dot({0}, {1})"
        case 2, 1:
            return "matvec({0}, {1})"
        case 1, 2:
            return "matvec(transpose({1}), {0})"
        case 2, 2:
            return "matmul({0}, {1})"
    stack = (*node.shape[: len(node.shape) - (len(left) > 1) - (len(right) > 1)],)
    a, b = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
    first = _stacked(_reshaped("{0}", left, a), a, stack)
    second = _stacked(_reshaped("{1}", right, b), b, stack)
    product = f"stacked({first}, {second})"
    return _reshaped(product, (*stack, a[-2], b[-1]), node.shape)


def _stacked(code: str, shape: Shape, stack: Shape) -> str:
    wanted = (*stack, *shape[-2:])
    return code if shape == wanted else f"broadcast({code}, {wanted})"


def _reshaped(code: str, shape: Shape, wanted: Shape) -> str:
    return code if shape == wanted else f"reshape({code}, {wanted})"


def _transpose(node: Node) -> str:
    return _permuted("{0}", node.args[0].shape, tuple(range(len(node.shape)))[::-1])


def _permuted(code: str, shape: Shape, axes: tuple[int, ...]) -> str:
    if axes == tuple(range(len(shape))):
        return code
    return f"transpose({code})" if len(shape) == 2 else f"permute({code}, {shape}, {axes})"


def _swap_last(node: Node) -> str:
    code = "{0}"
    if len(node.shape) == 2:
        return f"transpose({code})"
    deep = len(node.shape) - 3
    code = f"[transpose(m) for m in {'part' * (deep > 0) or code}]"
    for level in range(deep):
        code = f"[{code} for part in {'{0}' if level == deep - 1 else 'part'}]"
    return code


def _entries(shape: Shape) -> str:
    """All numbers of the argument in one list."""
    return "{0}" if len(shape) == 1 else "entries({0})"


def reduction(function: str) -> Callable[[Node], str]:
    """A function of a list of numbers, over all entries or along the axes of the option `axis`."""

    def write(node: Node) -> str:
        shape = node.args[0].shape
        if not shape:
            return f"{function}([{{0}}])"
        axis, keepdims = node.params.get("axis"), node.params.get("keepdims", False)
        return _reduced(function, shape, axes_of(shape, axis), node.shape if keepdims else None)

    return write


def _reduced(function: str, shape: Shape, axes: tuple[int, ...], wanted: Shape | None) -> str:
    others = tuple(i for i in range(len(shape)) if i not in axes)
    left = tuple(shape[i] for i in others)
    if not others:
        code = f"{function}({_entries(shape)})"
    elif function == "sum":
        code = "{0}"
        for axis in sorted(axes, reverse=True):
            code = f"along({axis}, sum, {code})"
    elif len(axes) == 1:
        code = f"along({axes[0]}, {function}, {{0}})"
    elif not axes:
        code = f"elementwise(lambda x: {function}([x]), {{0}})"
    else:
        moved = _permuted("{0}", shape, (*others, *sorted(axes)))
        grouped = f"reshape({moved}, {(*left, math.prod(shape[i] for i in axes))})"
        code = f"along({len(left)}, {function}, {grouped})"
    return code if wanted is None or wanted == left else _reshaped(code, left, wanted)


def _sum_to(node: Node) -> str:
    shape, wanted = node.args[0].shape, node.shape
    extra = len(shape) - len(wanted)
    axes = tuple(i for i, n in enumerate(shape) if i < extra or n != wanted[i - extra])
    return _reduced("sum", shape, axes, wanted)


_LOOPED: dict[str, Callable[[Node], str]] = {
    "matmul": _matmul,
    "transpose": _transpose,
    "swap_last": _swap_last,
    "outer": lambda node: "outer({0}, {1})",
    "dot": lambda node: "dot({0}, {1})",
    "norm": reduction("norm"),
    "squared_norm": reduction("squared_norm"),
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "sum_to": _sum_to,
    "reshape": lambda node: _reshaped("{0}", node.args[0].shape, node.shape),
}


def steps(nodes: Iterable[Node]) -> int:
    """About how many additions and multiplications the loops of these gates take."""
    total = 0
    for node in nodes:
        sizes = [math.prod(a.shape) for a in node.args]
        if node.gate.name == "matmul":
            total += math.prod(node.shape) * node.args[0].shape[-1]
        else:
            total += max([math.prod(node.shape), *sizes])
    return total


# ---------------------------------------------------------------- functions in a program

_PYTHON = '''
def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); exp never gets a large argument."""
    if x < 0:
        return math.exp(x) / (1 + math.exp(x))
    return 1 / (1 + math.exp(-x))


def sign(x):
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)


def ratio(a, b):
    """a / b, and 0 where b is 0."""
    return a / b if b != 0 else 0.0


def elementwise(function, *tensors):
    """The function of the entries that stand at the same place in all tensors."""
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


def reshape(x, shape):
    """The numbers of x, row by row, in another shape."""
    rows = entries(x)
    for n in reversed(shape):
        rows = [rows[i:i + n] for i in range(0, len(rows), n)]
    return rows[0]


def permute(x, shape, axes):
    """The axes of x, which has this shape, in another order."""
    steps = [math.prod(shape[axis + 1:]) for axis in axes]
    places = [0]
    for axis, step in zip(axes, steps):
        places = [place + i * step for place in places for i in range(shape[axis])]
    numbers = entries(x)
    return reshape([numbers[place] for place in places], [shape[axis] for axis in axes])


def along(axis, function, x):
    """A function of vectors, applied along one axis of a tensor."""
    if axis > 0:
        return [along(axis - 1, function, row) for row in x]
    if not isinstance(x[0], list):
        return function(x)
    return [along(0, function, list(column)) for column in zip(*x)]


def rows(x):
    """The rows of a vector, a matrix or a stack of matrices."""
    if not isinstance(x[0], list):
        return [x]
    return [row for part in x for row in rows(part)]


def dot(a, b):
    """Inner product: the sum over k of a[k] * b[k]."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


def outer(a, b):
    """Outer product: c[i][j] = a[i] * b[j]."""
    c = []
    for i in range(len(a)):
        c.append([a[i] * b[j] for j in range(len(b))])
    return c


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


def squared_norm(x):
    """The sum of the squares of a list of numbers."""
    total = 0.0
    for number in x:
        total += number ** 2
    return total


def norm(x):
    """The length of a vector: the root of the sum of the squares."""
    return math.sqrt(sum(number ** 2 for number in x))


def mean(x):
    """The sum of a list of numbers, divided by how many they are."""
    return sum(x) / len(x)
'''

_NUMPY = '''
def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); exp never gets a large argument."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


def ratio(a, b):
    """a / b, and 0 where b is 0."""
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))
'''


def _split(text: str) -> dict[str, str]:
    """The functions in a text, by name."""
    functions = [f"def {part.strip()}" for part in text.split("\ndef ")[1:]]
    return {f[4 : f.index("(")]: f for f in functions}


HELPERS: dict[str, dict[str, str]] = {"python": _split(_PYTHON), "numpy": _split(_NUMPY)}
