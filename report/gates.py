"""The gate table.

A gate is one row: its name (NumPy's), its forward function, how it is written, and for each argument
ONE backward rule, a vector-Jacobian product `rule(g, y, *args)`: `g` is the upstream gradient, `y` the
gate's own value. Rules are written with operators and gates, so that they take arrays and graph nodes
alike: with arrays a rule gives numbers, with nodes it gives the backward graph, which everything else
reads. Elementwise rules may ignore broadcasting: `backprop.pull_back` sums over the broadcast axes.

Columns: `sign` is what the figure shows; `latex` the notation over the printed arguments, where
`{0:3}` asks for brackets round an argument that binds weaker than 3 (`binding` is the gate's own);
`params` are options that are no numbers to differentiate, such as axis; `sympy` the function as sympy knows it; `python` the code for one number with the standard library,
`numpy` the code for arrays; `domain` what an argument must fulfil; `kink` where the derivative is
taken by `convention` (PyTorch's); `why` one sentence for the derivation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from report import identities
from report.errors import ReportError
from report.graph import _OPERATORS, Array, Gate, Node, Shape, make, shape_of

GATES: dict[str, Gate] = {}

# How strongly a notation binds; an argument that binds weaker than its place asks is bracketed.
SUM, PRODUCT, MATRIX_PRODUCT, POWER, CALL, ATOM = 1, 2, 3, 4, 5, 9


def apply(gate: Gate, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The gate applied to numbers (numbers come out) or to nodes (a simplified node comes out)."""
    for arg in args:
        if isinstance(arg, Node):
            return identities.simplify(gate, args, params) or make(gate, args, params)
    return gate.forward(*args, **params)


def gate(
    name: str,
    forward: Callable[..., Array],
    *rules: Callable[..., Any] | None,
    shape: Callable[..., Shape],
    latex: str,
    binding: int = CALL,
    **columns: Any,
) -> Callable[..., Any]:
    """Add a row to the table and return the function that applies the gate."""
    row = Gate(name, forward, rules, shape, latex=latex, binding=binding, **columns)
    GATES[name] = row

    def call(*args: Any, **params: Any) -> Any:
        return apply(row, args, params)

    call.__name__ = name
    return call


# ---------------------------------------------------------------- shapes


def broadcast(*shapes: Shape, **_: Any) -> Shape:
    """NumPy's broadcasting; ReportError with all the shapes when they do not fit."""
    if not any(shapes):
        return ()
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ReportError(f"shapes {written(*shapes)} do not fit together") from None


def matrix_product(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        raise ReportError(f"@ needs vectors or matrices, not shapes {written(a, b)}; use * for a scalar")
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ReportError(
            f"shapes {written(a, b)} do not fit for @: the last axis of the left ({a[-1]}) "
            f"must equal the {'second last' if len(b) > 1 else 'only'} axis of the right ({inner})"
        )
    stack = broadcast(a[:-2], b[:-2])
    return (*stack, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def inner_product(a: Shape, b: Shape) -> Shape:
    if len(a) == 1 and a == b:
        return ()
    raise ReportError(
        f"dot needs two vectors of the same length, not shapes {written(a, b)}; use @ for matrices"
    )


def axes_of(shape: Shape, axis: Any) -> tuple[int, ...]:
    """The axes meant by `axis` (None: all), counted from 0; ReportError when there is no such axis."""
    if axis is None:
        return tuple(range(len(shape)))
    wanted = axis if isinstance(axis, tuple) else (axis,)
    if any(isinstance(a, bool) or not isinstance(a, int) for a in wanted):
        raise ReportError("axis must be an integer or a tuple of integers")
    if any(not -len(shape) <= a < len(shape) for a in wanted):
        raise ReportError(f"there is no axis {axis} in shape {written(shape)}")
    axes = tuple(a % len(shape) for a in wanted)
    if len(set(axes)) != len(axes):
        raise ReportError(f"axis {axis} names an axis twice")
    return axes


def kept(shape: Shape, axis: Any) -> Shape:
    """The shape after a reduction with keepdims."""
    axes = axes_of(shape, axis)
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def reduced(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    if keepdims not in (True, False):
        raise ReportError("keepdims must be True or False")
    axes = axes_of(shape, axis)
    return kept(shape, axis) if keepdims else tuple(n for i, n in enumerate(shape) if i not in axes)


def count(shape: Shape, axis: Any) -> int:
    """How many entries a reduction over `axis` takes together."""
    return math.prod(shape[a] for a in axes_of(shape, axis))


def written(*shapes: Shape) -> str:
    """Shapes as a reader writes them: (3, 3) and (2,)."""
    return " and ".join(str(tuple(s)) for s in shapes)


# ---------------------------------------------------------------- rows


def elementwise(name: str, forward: Callable[..., Array], *rules: Any, **columns: Any) -> Any:
    columns.setdefault("numpy", f"np.{name}({{0}})")
    return gate(name, forward, *rules, shape=broadcast, elementwise=True, **columns)


def function(latex: str) -> str:
    r"""The notation \name(x)."""
    return latex + r"\left({0}\right)"


# arithmetic
add = elementwise(
    "add", np.add, lambda g, y, a, b: g, lambda g, y, a, b: g,
    sign="+", latex="{0:1} + {1:1}", binding=SUM, sympy=lambda s, a, b: a + b,
    python="{0:1} + {1:1}", numpy="{0:1} + {1:1}", usage="a + b", group="arithmetic",
    summary="sum",
    why="A sum grows as fast as each of its terms, so it hands the upstream gradient on unchanged.",
)
subtract = elementwise(
    "subtract", np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g,
    sign="−", latex="{0:1} - {1:2}", binding=SUM, sympy=lambda s, a, b: a - b,
    python="{0:1} - {1:2}", numpy="{0:1} - {1:2}", usage="a - b", group="arithmetic",
    summary="difference",
    why="The first term gets the upstream gradient as it is, the second with the sign turned.",
)
multiply = elementwise(
    "multiply", np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a,
    sign="×", latex="{0:2} {1:2}", binding=PRODUCT, sympy=lambda s, a, b: a * b,
    python="{0:2} * {1:2}", numpy="{0:2} * {1:2}", usage="a * b", group="arithmetic",
    summary="product, entry by entry",
    why="In a product each factor is the other one's slope: the two trade places.",
)
divide = elementwise(
    "divide", np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * a) / b**2,
    sign="÷", latex=r"\frac{{{0}}}{{{1}}}", binding=MATRIX_PRODUCT, sympy=lambda s, a, b: a / b,
    python="{0:2} / {1:3}", numpy="{0:2} / {1:3}", domain="the divisor must not be 0",
    usage="a / b", group="arithmetic", summary="quotient",
    why="The numerator is scaled by one over the divisor; a larger divisor makes the quotient smaller.",
)
reciprocal = elementwise(
    "reciprocal", lambda x: 1.0 / x, lambda g, y, x: -g / x**2,
    sign="1/x", latex=r"\frac{{1}}{{{0}}}", binding=MATRIX_PRODUCT, sympy=lambda s, x: 1 / x,
    python="1 / {0:3}", numpy="1 / {0:3}", domain="the divisor must not be 0",
    usage="1 / x", group="arithmetic", summary="one over x",
    why="One over x falls as x grows, hence the minus sign.",
)
negative = elementwise(
    "negative", np.negative, lambda g, y, x: -g,
    sign="−x", latex="-{0:2}", binding=SUM, sympy=lambda s, x: -x,
    python="-{0:2}", numpy="-{0:2}", usage="-x", group="arithmetic", summary="sign turned",
    why="Turning the sign of a value turns the sign of its gradient.",
)
power = elementwise(
    "power", np.power,
    lambda g, y, a, n: g * 0 if _is_zero(n) else g * (n * a ** (n - 1)),
    lambda g, y, a, n: g * (y * log(a)),
    sign="xⁿ", latex="{0:5}^{{{1}}}", binding=POWER, sympy=lambda s, a, n: a**n,
    python="{0:5} ** {1:4}", numpy="{0:5} ** {1:4}",
    domain="a negative base needs a whole exponent, a base of 0 a positive one, and an exponent "
    "that is itself a variable a positive base",
    usage="a ** n", group="arithmetic", summary="power",
    why="The exponent comes down as a factor and is lowered by one.",
)
square = elementwise(
    "square", np.square, lambda g, y, x: g * (2 * x),
    sign="x²", latex="{0:5}^{{2}}", binding=POWER, sympy=lambda s, x: x**2,
    python="{0:5} ** 2", numpy="{0:5} ** 2", usage="square(x) or x**2", group="arithmetic",
    summary="square",
    why="The exponent 2 comes down as a factor and is lowered by one.",
)
sqrt = elementwise(
    "sqrt", np.sqrt, lambda g, y, x: g / (2 * y),
    sign="√", latex=r"\sqrt{{{0}}}", sympy=lambda s, x: s.sqrt(x), python="math.sqrt({0})",
    domain="x must not be negative, and not 0 where its gradient is needed",
    usage="sqrt(x)", group="arithmetic", summary="square root",
    why="The root is steep near 0 and flat far out: one over twice its own value.",
)
absolute = elementwise(
    "abs", np.abs, lambda g, y, x: g * sign(x),
    sign="|x|", latex=r"\left|{0}\right|", sympy=lambda s, x: s.Abs(x), python="abs({0})",
    kink=lambda x: x == 0, convention="derivative 0 at 0", usage="abs(x)", group="arithmetic",
    summary="absolute value",
    why="The slope is 1 to the right of 0 and −1 to the left.",
)
sign = elementwise(
    "sign", np.sign, lambda g, y, x: g * 0,
    sign="sgn", latex=function(r"\operatorname{{sgn}}"), sympy=lambda s, x: s.sign(x),
    python="sign({0})", kink=lambda x: x == 0, convention="derivative 0 everywhere",
    usage="sign(x)", group="arithmetic", summary="sign: −1, 0 or 1",
    why="The sign is flat everywhere, so nothing flows back.",
)

# exponentials, logarithms, trigonometry
exp = elementwise(
    "exp", np.exp, lambda g, y, x: g * y,
    sign="exp", latex="e^{{{0}}}", binding=POWER, sympy=lambda s, x: s.exp(x),
    python="math.exp({0})", usage="exp(x)", group="exponential", summary="exponential",
    why="The exponential is its own derivative, so the value of the forward pass is used again.",
)
log = elementwise(
    "log", np.log, lambda g, y, x: g / x,
    sign="log", latex=function(r"\log"), sympy=lambda s, x: s.log(x), python="math.log({0})",
    domain="x must be positive", usage="log(x)", group="exponential", summary="natural logarithm",
    why="The slope of the logarithm is one over its argument.",
)
sin = elementwise(
    "sin", np.sin, lambda g, y, x: g * cos(x),
    sign="sin", latex=function(r"\sin"), sympy=lambda s, x: s.sin(x), python="math.sin({0})",
    usage="sin(x)", group="trigonometry", summary="sine, x in radians",
    why="The slope of the sine is the cosine at the same point.",
)
cos = elementwise(
    "cos", np.cos, lambda g, y, x: g * -sin(x),
    sign="cos", latex=function(r"\cos"), sympy=lambda s, x: s.cos(x), python="math.cos({0})",
    usage="cos(x)", group="trigonometry", summary="cosine, x in radians",
    why="The slope of the cosine is minus the sine at the same point.",
)
tan = elementwise(
    "tan", np.tan, lambda g, y, x: g * (1 + y**2),
    sign="tan", latex=function(r"\tan"), sympy=lambda s, x: s.tan(x), python="math.tan({0})",
    usage="tan(x)", group="trigonometry", summary="tangent, x in radians",
    why="The slope follows from the gate's own value: one plus its square.",
)
radians = elementwise(
    "radians", np.radians, lambda g, y, x: radians(g),
    sign="° → rad", latex=r"\frac{{\pi}}{{180}} {0:2}", binding=PRODUCT,
    sympy=lambda s, x: s.pi / 180 * x, python="math.radians({0})", usage="radians(x)",
    group="trigonometry", summary="degrees to radians",
    why="A change of unit is a factor, and the same factor scales the gradient.",
)

# activations
sigmoid = elementwise(
    "sigmoid", lambda x: 1.0 / (1.0 + np.exp(-x)), lambda g, y, x: g * (y * (1 - y)),
    sign="σ", latex=function(r"\sigma"), sympy=lambda s, x: 1 / (1 + s.exp(-x)),
    python="sigmoid({0})", numpy="sigmoid({0})", usage="sigmoid(x)", group="activations",
    summary="logistic function 1/(1 + exp(−x))",
    why="The slope follows from the gate's own value, σ(1 − σ): no new exponential is needed.",
)
tanh = elementwise(
    "tanh", np.tanh, lambda g, y, x: g * (1 - y**2),
    sign="tanh", latex=function(r"\tanh"), sympy=lambda s, x: s.tanh(x), python="math.tanh({0})",
    usage="tanh(x)", group="activations", summary="hyperbolic tangent",
    why="The slope follows from the gate's own value: one minus its square.",
)
relu = elementwise(
    "relu", lambda x: np.maximum(x, 0.0), lambda g, y, x: g * positive(x),
    sign="ReLU", latex=function(r"\operatorname{{ReLU}}"), sympy=lambda s, x: s.Max(x, 0),
    python="max({0}, 0.0)", numpy="np.maximum({0}, 0)", kink=lambda x: x == 0,
    convention="derivative 0 at 0", usage="relu(x)", group="activations",
    summary="positive part max(x, 0)",
    why="Where the input is positive the gradient passes, elsewhere it is stopped.",
)

# linear algebra
matmul = gate(
    "matmul", np.matmul,
    lambda g, y, a, b: _matmul_left(g, a, b),
    lambda g, y, a, b: _matmul_right(g, a, b),
    shape=matrix_product, sign="@", latex="{0:3} {1:3}", binding=MATRIX_PRODUCT,
    python="matmul({0}, {1})", numpy="{0:2} @ {1:3}", usage="A @ B", group="linear algebra",
    summary="matrix product, of vectors, matrices or stacks of matrices",
    why="Each entry of the product uses one row of the left and one column of the right factor, so "
    "the upstream gradient meets the other factor, transposed.",
)
transpose = gate(
    "transpose", np.transpose, lambda g, y, a: g.T,
    shape=lambda a: a[::-1], sign="ᵀ", latex=r"{0:5}^{{\top}}", binding=POWER,
    python="transpose({0})", numpy="{0:5}.T", usage="A.T", group="linear algebra",
    summary="rows and columns exchanged",
    why="Entry (i, j) moves to (j, i), and its gradient moves back.",
)
swap_last = gate(
    "swap_last", lambda a: np.swapaxes(a, -1, -2), lambda g, y, a: swap_last(g),
    shape=lambda a: (*a[:-2], a[-1], a[-2]), sign="ᵀ", latex=r"{0:5}^{{\top}}", binding=POWER,
    python="swap_last({0})", numpy="np.swapaxes({0}, -1, -2)", group="",
)
outer = gate(
    "outer", np.multiply.outer,
    lambda g, y, a, b: g @ b, lambda g, y, a, b: g.T @ a,
    shape=lambda a, b: (*a, *b), sign="⊗", latex=r"{0:3} {1:5}^{{\top}}", binding=MATRIX_PRODUCT,
    python="outer({0}, {1})", numpy="np.outer({0}, {1})", group="",
)
dot = gate(
    "dot", np.dot, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a,
    shape=inner_product, sign="·", latex=r"{0:5}^{{\top}} {1:3}", binding=MATRIX_PRODUCT,
    python="dot({0}, {1})", numpy="np.dot({0}, {1})", usage="dot(a, b)", group="linear algebra",
    summary="inner product of two vectors",
    why="Each entry of one vector is multiplied by the entry of the other, which is its slope.",
)
norm = gate(
    "norm", lambda x: np.sqrt(np.sum(np.square(x))), lambda g, y, x: g * ratio(x, y),
    shape=lambda x: (), sign="‖·‖", latex=r"\left\|{0}\right\|",
    python="norm({0})", numpy="np.sqrt(np.sum({0:5} ** 2))", kink=lambda x: np.all(x == 0),
    convention="gradient 0 where every entry is 0", usage="norm(x)", group="linear algebra",
    summary="L2 norm of a vector, Frobenius norm of a matrix",
    why="The length grows fastest in the vector's own direction: the gradient is the unit vector.",
)
squared_norm = gate(
    "squared_norm", lambda x: np.sum(np.square(x)), lambda g, y, x: g * (2 * x),
    shape=lambda x: (), sign="‖·‖²", latex=r"\left\|{0}\right\|^{{2}}", binding=POWER,
    python="squared_norm({0})", numpy="np.sum({0:5} ** 2)", usage="norm(x)**2",
    group="linear algebra", summary="sum of the squared entries",
    why="Every entry enters by its own square only, so its slope is twice itself.",
)

# reductions
total = gate(
    "sum", lambda x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _spread(g, x, axis),
    shape=reduced, sign="Σ", latex=function(r"\operatorname{{sum}}"),
    params=("axis", "keepdims"), python="total({0})", numpy="np.sum({0})", usage="sum(x), sum(x, axis=0, keepdims=True)",
    group="reductions", summary="sum of the entries",
    why="Every entry enters the sum with the factor 1, so each gets the upstream gradient.",
)
mean = gate(
    "mean", lambda x, axis=None, keepdims=False: np.mean(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _spread(g / float(count(shape_of(x), axis)), x, axis),
    shape=reduced, sign="mean", latex=function(r"\operatorname{{mean}}"),
    params=("axis", "keepdims"), python="mean({0})", numpy="np.mean({0})", usage="mean(x), mean(x, axis=0, keepdims=True)",
    group="reductions", summary="mean of the entries",
    why="Every entry enters the mean with the factor one over their number.",
)

# gates that only backward passes need; users do not call them
positive = elementwise(
    "positive", lambda x: np.where(x > 0, 1.0, 0.0), lambda g, y, x: g * 0,
    sign="x>0", latex=r"𝟙\left[{0} > 0\right]", sympy=lambda s, x: s.Heaviside(x, 0),
    python="float({0:1} > 0)", numpy="({0:1} > 0)", kink=lambda x: x == 0,
)
ratio = elementwise(
    "ratio", lambda a, b: np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b)),
    lambda g, y, a, b: ratio(g, b), lambda g, y, a, b: -ratio(g * y, b),
    sign="÷", latex=r"\frac{{{0}}}{{{1}}}", binding=MATRIX_PRODUCT, sympy=lambda s, a, b: a / b,
    python="ratio({0}, {1})", numpy="ratio({0}, {1})",
)
sum_to = gate(
    "sum_to", lambda g, shape: _sum_to(g, shape),
    lambda g, y, x, shape: broadcast_to(g, shape=shape_of(x)),
    shape=lambda x, shape: shape, sign="Σ", latex=function(r"\operatorname{{sum}}"),
    python="sum_to({0})", numpy="sum_to({0})",
)
broadcast_to = gate(
    "broadcast_to", lambda x, shape: np.broadcast_to(x, shape),
    lambda g, y, x, shape: sum_to(g, shape=shape_of(x)),
    shape=lambda x, shape: shape, sign="⇉", latex="{0}", python="broadcast({0})",
    numpy="np.broadcast_to({0})",
)
reshape = gate(
    "reshape", lambda x, shape: np.reshape(x, shape),
    lambda g, y, x, shape: reshape(g, shape=shape_of(x)),
    shape=lambda x, shape: shape, sign="reshape", latex="{0}", python="reshape({0})",
    numpy="np.reshape({0})",
)


# ---------------------------------------------------------------- parts of rules


def _is_zero(n: Any) -> bool:
    """Whether an exponent is known to be 0 (the power is then constant, also at a base of 0)."""
    if isinstance(n, Node):
        n = n.value
    return n is not None and not np.any(n)


def _sum_to(g: Array, shape: Shape) -> Array:
    """Sum over the axes that broadcasting from `shape` added or stretched."""
    extra = np.ndim(g) - len(shape)
    g = np.sum(g, axis=tuple(range(extra))) if extra else g
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and np.shape(g)[i] != 1)
    return np.sum(g, axis=stretched, keepdims=True) if stretched else g


def fit_to(g: Any, like: Any) -> Any:
    """A gradient in the shape of the argument that it belongs to."""
    shape = shape_of(like)
    return g if shape_of(g) == shape else sum_to(g, shape=shape)


def _spread(g: Any, x: Any, axis: Any) -> Any:
    """The gradient of a reduction, handed to every entry that was taken together."""
    shape = shape_of(x)
    if shape_of(g) != () or axis is not None:
        g = reshape(g, shape=kept(shape, axis)) if shape_of(g) != kept(shape, axis) else g
    return g if shape_of(g) == shape else broadcast_to(g, shape=shape)


def _flip(a: Any) -> Any:
    return a.T if len(shape_of(a)) <= 2 else swap_last(a)


def _matmul_left(g: Any, a: Any, b: Any) -> Any:
    """dF/da for a @ b: g bᵀ, with NumPy's rules for vectors and stacks of matrices."""
    da, db = len(shape_of(a)), len(shape_of(b))
    if db == 1:
        if da == 1:
            return g * b
        return outer(g, b) if da == 2 else reshape(g, shape=(*shape_of(g), 1)) * b
    if da == 1:
        return fit_to(b @ g if db == 2 else _columns(b, g), a)
    return fit_to(g @ _flip(b), a)


def _matmul_right(g: Any, a: Any, b: Any) -> Any:
    """dF/db for a @ b: aᵀ g, with NumPy's rules for vectors and stacks of matrices."""
    da, db = len(shape_of(a)), len(shape_of(b))
    if da == 1:
        if db == 1:
            return g * a
        if db == 2:
            return outer(a, g)
        return reshape(a, shape=(shape_of(a)[0], 1)) * reshape(
            g, shape=(*shape_of(g)[:-1], 1, shape_of(g)[-1])
        )
    if db == 1:
        if da == 2:
            return a.T @ g
        return fit_to(a * reshape(g, shape=(*shape_of(g), 1)), b)
    return fit_to(_flip(a) @ g, b)


def _columns(b: Any, g: Any) -> Any:
    """Stacked matrices times stacked vectors."""
    product = b @ reshape(g, shape=(*shape_of(g), 1))
    return reshape(product, shape=shape_of(product)[:-1])


_OPERATORS.update(
    add=add, subtract=subtract, multiply=multiply, divide=divide, power=power,
    matmul=matmul, negative=negative, transpose=transpose,
)  # fmt: skip
