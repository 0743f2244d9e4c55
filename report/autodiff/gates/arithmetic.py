"""Gates: arithmetic, absolute value and sign, the larger and the smaller, comparisons and choices.

The arithmetic works through Python's operators, which are quicker than NumPy's functions for one
number and the same for arrays.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import code
from report.autodiff.gates.functions import xlogy
from report.autodiff.gates.table import (
    CALL,
    MATRIX_PRODUCT,
    POWER,
    PRODUCT,
    SUM,
    elementwise,
    function,
    function_of_two,
    named,
)
from report.autodiff.graph import _OPERATORS, Array, Node, constant, is_computed

# NumPy's functions take ten times as long for one number as a choice in Python.
_ZERO, _ONE = np.float64(0.0), np.float64(1.0)


def _positive(x: Array) -> Array:
    if isinstance(x, float):
        return _ONE if x > 0 else _ZERO
    return np.greater(x, 0.0) * 1.0


def _where(c: Array, a: Array, b: Array) -> Array:
    chosen: Array = np.where(c, a, b)
    return chosen[()]  # a number, not an array without axes


# fmt: off

# the four operations
add = elementwise(
    "add", operator.add, lambda g, y, a, b: g, lambda g, y, a, b: g,
    form=Form.SUM, commutative=True, order=(2, 0), sign="+", latex="{0:1} + {1:1}", binding=SUM, sympy=lambda s, a, b: a + b,
    python="{0:1} + {1:1}", numpy="{0:1} + {1:1}", usage="a + b", group="arithmetic",
    summary="sum",
    why_with={
        (True, False): "The slope of $x$ plus a constant is 1.",
        (False, True): "The slope of $x$ plus a constant is 1.",
    },
    why="The slope of a sum in each term is 1: the gradient passes unchanged.",
)
subtract = elementwise(
    "subtract", operator.sub, lambda g, y, a, b: g, lambda g, y, a, b: -g,
    form=Form.DIFFERENCE, order=(2, 0), sign="−", latex="{0:1} - {1:2}", binding=SUM, sympy=lambda s, a, b: a - b,
    python="{0:1} - {1:2}", numpy="{0:1} - {1:2}",
    definition=lambda a, b: a + (-b),
    usage="a - b", group="arithmetic",
    summary="difference",
    why_with={
        (True, False): "The slope of a constant minus $x$ is −1.",
        (False, True): "The slope of $x$ minus a constant is 1.",
    },
    why="The slope of a difference is 1 in the first term and −1 in the second.",
)
multiply = elementwise(
    "multiply", operator.mul, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a,
    form=Form.PRODUCT, commutative=True, sign="×", latex="{0:2} {1:2}", binding=PRODUCT, sympy=lambda s, a, b: a * b,
    python="{0:2} * {1:2}", numpy="{0:2} * {1:2}", usage="a * b", group="arithmetic",
    summary="product, entry by entry",
    why_with={
        (True, False): "The derivative of a constant times $x$ is the constant.",
        (False, True): "The derivative of a constant times $x$ is the constant.",
    },
    why="The derivative of a product by one factor is the other factor.",
)
divide = elementwise(
    "divide", operator.truediv, lambda g, y, a, b: g / b, lambda g, y, a, b: -(g / b) * y if is_computed(b) else -(g * a) / b**2,
    form=Form.QUOTIENT, order=(2, 3), sign="÷", latex=r"\frac{{{0}}}{{{1}}}", binding=MATRIX_PRODUCT, sympy=lambda s, a, b: a / b,
    python="{0:2} / {1:3}", numpy="{0:2} / {1:3}", domain="the divisor must not be 0",
    definition=lambda a, b: a * reciprocal(b),
    usage="a / b", group="arithmetic", summary="quotient",
    why_with={
        (False, True): "The derivative of $x/c$ is $1/c$.",
        (True, False): "The derivative of $c/x$ by $x$ is $-c/x^2$.",
    },
    why="The derivative of $a/b$ by $a$ is $1/b$, by $b$ it is $-a/b^2$.",
)
reciprocal = elementwise(
    "reciprocal", lambda x: 1.0 / x, lambda g, y, x: -(g * y) * y if is_computed(y) else -g / x**2,
    order=(4, 9), sign="1/x", latex=r"\frac{{1}}{{{0}}}", binding=MATRIX_PRODUCT, sympy=lambda s, x: 1 / x,
    python="1 / {0:3}", numpy="1 / {0:3}", domain="the divisor must not be 0",
    definition=lambda x: x**-1,
    usage="1 / x", group="arithmetic", summary="one over x",
    why="As $1/x = x^{-1}$, the power rule gives $-x^{-2}$.",
)
negative = elementwise(
    "negative", operator.neg, lambda g, y, x: -g,
    form=Form.NEGATIVE, order=(1, 2), sign="−x", latex="-{0:2}", binding=SUM, sympy=lambda s, x: -x,
    python="-{0:2}", numpy="-{0:2}", usage="-x", group="arithmetic", summary="sign turned",
    why="The slope of $-x$ is −1.",
)

# powers
power = elementwise(
    "power", operator.pow,
    lambda g, y, a, n: g * _slope_of_power(y, a, n),
    lambda g, y, a, n: g * xlogy(y, a),
    form=Form.POWER, sign="xⁿ", latex="{0:5}^{{{1}}}", binding=POWER, sympy=lambda s, a, n: a**n,
    python="{0:5} ** {1:4}", numpy="{0:5} ** {1:4}",
    domain="a negative base needs a whole exponent, a base of 0 a positive one, and an exponent "
    "that is itself a variable a positive base",
    usage="a ** n", group="arithmetic", summary="power",
    why_with={
        (True, False): r"The derivative of $a^x$ by $x$ is $a^x \log a$.",
        (False, False): r"The derivative of $x^n$ by $x$ is $n x^{n-1}$, by $n$ it is $x^n \log x$.",
    },
    why="The power rule: the derivative of $x^n$ by $x$ is $n x^{n-1}$.",
)
square = elementwise(
    "square", lambda x: x * x, lambda g, y, x: g * (2 * x),
    form=Form.POWER, sign="x²", latex="{0:5}^{{2}}", binding=POWER, sympy=lambda s, x: x**2,
    python="{0:5} ** 2", numpy="{0:5} ** 2",
    definition=lambda x: x * x,
    usage="square(x) or x**2", group="arithmetic",
    summary="square",
    why="The derivative of $x^2$ is $2x$.",
)

# absolute value and sign
absolute = elementwise(
    "abs", np.abs, lambda g, y, x: g * sign(x),
    of_matrix=(r"\operatorname{{abs}}\left({0}\right)", CALL), sign="|x|", latex=r"\left|{0}\right|", sympy=lambda s, x: s.Abs(x), python="abs({0})",
    kink=lambda x: x == 0, convention="derivative 0 at 0", usage="abs(x)", group="arithmetic",
    summary="absolute value",
    why="The slope of $|x|$ is 1 where $x$ is positive and −1 where it is negative.",
)
sign = elementwise(
    "sign", np.sign, lambda g, y, x: g * 0,
    in_numbers=True, sign="sgn", latex=function(named("sgn")), sympy=lambda s, x: s.sign(x),
    python="sign({0})", kink=lambda x: x == 0, convention="derivative 0 everywhere",
    usage="sign(x)", group="arithmetic", summary="sign: −1, 0 or 1",
    why="The sign is constant on either side of 0: its slope is 0.",
)

# the larger, the smaller, and what lies between
maximum = elementwise(
    "maximum", np.maximum, lambda g, y, a, b: g * larger(a, b), lambda g, y, a, b: g * larger(b, a),
    ties=True, commutative=True, sign="max", latex=function_of_two(r"\max"), sympy=lambda s, a, b: s.Max(a, b),
    python="max({0}, {1})", numpy="np.maximum({0}, {1})", kink=lambda a, b: a == b,
    convention="at a tie each gets half", usage="maximum(a, b)", group="choices",
    summary="the larger of two, entry by entry",
    why="The slope of the maximum is 1 in the larger argument and 0 in the smaller one.",
)
minimum = elementwise(
    "minimum", np.minimum, lambda g, y, a, b: g * larger(b, a), lambda g, y, a, b: g * larger(a, b),
    ties=True, commutative=True, sign="min", latex=function_of_two(r"\min"), sympy=lambda s, a, b: s.Min(a, b),
    python="min({0}, {1})", numpy="np.minimum({0}, {1})", kink=lambda a, b: a == b,
    convention="at a tie each gets half", usage="minimum(a, b)", group="choices",
    summary="the smaller of two, entry by entry",
    why="The slope of the minimum is 1 in the smaller argument and 0 in the larger one.",
)
clip = elementwise(
    "clip", lambda x, low, high: np.minimum(np.maximum(x, low), high),
    lambda g, y, x, low, high: g * within(x, low, high),
    lambda g, y, x, low, high: g * less(x, low) * less_equal(low, high),
    lambda g, y, x, low, high: g * less(high, maximum(x, low)),
    in_numbers=True, sign="clip", latex=r"\operatorname{{clip}}\left({0}, {1}, {2}\right)",
    sympy=lambda s, x, low, high: s.Min(s.Max(x, low), high),
    python="min(max({0}, {1}), {2})", numpy="np.clip({0}, {1}, {2})",
    kink=lambda x, low, high: (x == low) | (x == high) | (low == high),
    convention="derivative 1 at the bounds",
    definition=lambda x, low, high: minimum(maximum(x, low), high),
    usage="clip(x, low, high)", group="choices",
    summary="x, but not below low nor above high",
    why="The slope is 1 between the bounds and 0 beyond them.",
)

# comparisons: 1 where they hold, 0 elsewhere; flat, so no gradient passes
less = elementwise(
    "less", lambda a, b: np.less(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="greater_equal", in_numbers=True, sign="<", condition="{0} < {1}", sympy=lambda s, a, b: s.Lt(a, b),
    python="float({0:1} < {1:1})", numpy="({0:1} < {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a < b, in where", group="choices",
    summary="1 where a is less than b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
less_equal = elementwise(
    "less_equal", lambda a, b: np.less_equal(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="greater", sign="≤", condition=r"{0} \le {1}", sympy=lambda s, a, b: s.Le(a, b),
    python="float({0:1} <= {1:1})", numpy="({0:1} <= {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a <= b, in where", group="choices",
    summary="1 where a is at most b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
greater = elementwise(
    "greater", lambda a, b: np.greater(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="less_equal", sign=">", condition="{0} > {1}", sympy=lambda s, a, b: s.Gt(a, b),
    python="float({0:1} > {1:1})", numpy="({0:1} > {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a > b, in where", group="choices",
    summary="1 where a is greater than b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
greater_equal = elementwise(
    "greater_equal", lambda a, b: np.greater_equal(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="less", sign="≥", condition=r"{0} \ge {1}", sympy=lambda s, a, b: s.Ge(a, b),
    python="float({0:1} >= {1:1})", numpy="({0:1} >= {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a >= b, in where", group="choices",
    summary="1 where a is at least b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
equal = elementwise(
    "equal", lambda a, b: np.equal(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="not_equal", sign="=", condition="{0} = {1}", sympy=lambda s, a, b: s.Eq(a, b),
    python="float({0:1} == {1:1})", numpy="({0:1} == {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a == b, in where", group="choices",
    summary="1 where a equals b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
not_equal = elementwise(
    "not_equal", lambda a, b: np.not_equal(a, b) * 1.0, None, None,
    form=Form.COMPARISON, opposite="equal", sign="≠", condition=r"{0} \ne {1}", sympy=lambda s, a, b: s.Ne(a, b),
    python="float({0:1} != {1:1})", numpy="({0:1} != {1:1})", kink=lambda a, b: a == b,
    convention="derivative 0 everywhere", usage="a != b, in where", group="choices",
    summary="1 where a differs from b, else 0",
    why="A comparison is constant on either side: its slope is 0.",
)
logical_and = elementwise(
    "logical_and", lambda a, b: np.logical_and(a, b) * 1.0, None, None,
    form=Form.AND, sign="∧", latex=r"{0:2} \land {1:2}", binding=SUM, sympy=lambda s, a, b: s.And(a, b),
    python="float({0:1} and {1:1})", numpy="np.logical_and({0}, {1})",
    roles={0: "mask", 1: "mask"}, usage="(a < b) & (b < c), in where", group="choices", summary="1 where both hold, else 0",
    why="A condition is constant on either side: its slope is 0.",
    formula="{0} & {1}",
)
logical_or = elementwise(
    "logical_or", lambda a, b: np.logical_or(a, b) * 1.0, None, None,
    form=Form.OR, sign="∨", latex=r"{0:2} \lor {1:2}", binding=SUM, sympy=lambda s, a, b: s.Or(a, b),
    python="float({0:1} or {1:1})", numpy="np.logical_or({0}, {1})",
    roles={0: "mask", 1: "mask"}, usage="(a < b) | (b < c), in where", group="choices", summary="1 where one or both hold, else 0",
    why="A condition is constant on either side: its slope is 0.",
    formula="{0} | {1}",
)
logical_not = elementwise(
    "logical_not", lambda a: np.logical_not(a) * 1.0, None,
    form=Form.NOT, sign="¬", latex=r"\lnot {0:2}", binding=SUM, sympy=lambda s, a: s.Not(a),
    python="float(not {0:1})", numpy="np.logical_not({0})",
    roles={0: "mask"}, usage="~(a < b), in where", group="choices", summary="1 where the condition does not hold, else 0",
    why="A condition is constant on either side: its slope is 0.",
    formula="~{0}",
)

# choices
where = elementwise(
    "where", _where,
    None, lambda g, y, c, a, b: where(c, g, 0), lambda g, y, c, a, b: where(c, 0, g),
    form=Form.CHOICE, order=(1, 7), sign="where", latex=r"\operatorname{{where}}\left({0}, {1}, {2}\right)",
    sympy=lambda s, c, a, b: s.Piecewise((a, _condition(s, c)), (b, True)),
    python="{1:1} if {0:1} else {2:1}", numpy=code.np_where, integers=(0,),
    roles={0: "mask"}, usage="where(x > 0, a, b)", group="choices", summary="a where the condition holds, else b",
    why="The slope is 1 in the argument that was chosen and 0 in the other.",
)

# gates that only backward passes need; users do not call them
positive = elementwise(
    "positive", _positive, lambda g, y, x: g * 0,
    form=Form.BRACKET, in_numbers=True, opposite="less_equal", sign="x>0", condition="{0} > 0", sympy=lambda s, x: s.Heaviside(x, 0),
    python="float({0:1} > 0)", numpy="({0:1} > 0)", kink=lambda x: x == 0,
)
larger = elementwise(
    "larger", lambda a, b: (np.greater(a, b) * 1.0 + np.greater_equal(a, b)) / 2, None, None,
    form=Form.BRACKET, in_numbers=True, tie="where both are equal", sign="a>b", condition="{0} > {1}",
    sympy=lambda s, a, b: s.Heaviside(a - b, s.Rational(1, 2)),
    python="larger({0}, {1})", numpy="np.heaviside({0:1} - {1:2}, 0.5)", kink=lambda a, b: a == b,
)
within = elementwise(
    "within", lambda x, low, high: np.logical_and(low <= x, x <= high) * 1.0, None, None, None,
    form=Form.BRACKET, sign="a≤x≤b", condition=r"{1} \le {0} \le {2}",
    sympy=lambda s, x, low, high: s.And(low <= x, x <= high),
    python="float({1:1} <= {0:1} <= {2:1})", numpy="(({1:1} <= {0:1}) & ({0:1} <= {2:1}))",
    kink=lambda x, low, high: (x == low) | (x == high),
)

# fmt: on


def _condition(s: Any, c: Any) -> Any:
    """What sympy takes for a condition: a comparison, a step or a number as one."""
    if isinstance(c, s.Heaviside):
        return c.args[0] > 0
    return s.Ne(c, 0) if c.is_Symbol or c.is_number else c


def _slope_of_power(y: Any, a: Any, n: Any) -> Any:
    """n aⁿ⁻¹; in numbers n aⁿ / a, where n - 1 would be rounded."""
    slope = n * a ** _lowered(n)
    if any(isinstance(x, Node) for x in (y, a, n)) or np.all(n == np.floor(n)):
        return slope
    return np.where((n == np.floor(n)) | (a == 0) | (y == 0), slope, n * y / a)[()]


def _lowered(n: Any) -> Any:
    """n - 1; an exponent that is known to be 0 stays 0, so that 0 ** -1 is never met: 0 x⁰ = 0."""
    value = n.value if isinstance(n, Node) else n
    if value is None or (value if isinstance(value, float) else np.all(value)):
        return n - 1
    return np.where(value == 0, 0.0, value - 1)[()]


_OPERATORS.update(
    add=add, subtract=subtract, multiply=multiply, divide=divide, power=power, negative=negative,
)  # fmt: skip


def over(above: int, below: int, like: Any) -> Any:
    """A number above / below; beside a node `like` a fraction, which a formula shows as one."""
    if not isinstance(like, Node):
        exact = np.asarray(like).dtype == object  # numbers of more digits
        return (like * 0 + above) / below if exact else above / below
    common = math.gcd(above, below)
    return divide(constant(above // common), constant(below // common))
