"""Gates: exponentials, logarithms, trigonometry. Elementwise, each with its textbook derivative."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates.by_definition import number
from report.autodiff.gates.table import (
    POWER,
    PRODUCT,
    SUM,
    by_entries,
    elementwise,
    function,
    named,
)
from report.autodiff.graph import Array, constant, is_computed

_OF_THE_NORMAL = (
    r"$\Phi$ is the distribution function of the standard normal, $\varphi$ its density."
)

# fmt: off

# exponentials and logarithms
exp = elementwise(
    "exp", np.exp, lambda g, y, x: g * y,
    of_matrix=by_entries(r"\exp"), in_numbers=True, sign="exp", latex="{exp}{0}{end}", binding=POWER, sympy=lambda s, x: s.exp(x),
    python="math.exp({0})", usage="exp(x)", group="exponential", summary="exponential",
    why="The exponential function is its own derivative.",
)
log = elementwise(
    "log", np.log, lambda g, y, x: g / x,
    of_matrix=by_entries(r"\log"), powered=True, sign="log", latex=function(r"\log"), sympy=lambda s, x: s.log(x), python="math.log({0})",
    domain="x must be positive", usage="log(x)", group="exponential", summary="natural logarithm",
    why=r"The derivative of $\log x$ is $1/x$.",
)
log1p = elementwise(
    "log1p", np.log1p, lambda g, y, x: g / (1 + x),
    of_matrix=by_entries(r"\log", "1 + {0:1}"), sign="log1p", latex=r"\log\left(1 + {0:1}\right)", sympy=lambda s, x: s.log(1 + x),
    python="math.log1p({0})", domain="x must be greater than -1",
    definition=lambda x: log(1 + x),
    usage="log1p(x)",
    group="exponential", summary="log(1 + x), exact for small x",
    why=r"The derivative of $\log(1 + x)$ is $1/(1 + x)$.",
)
expm1 = elementwise(
    "expm1", np.expm1, lambda g, y, x: g * exp(x),
    of_matrix=(r"\exp^{{\odot}}\left({0}\right) - 1", SUM), sign="expm1", latex="{exp}{0}{end} - 1", binding=1, sympy=lambda s, x: s.exp(x) - 1,
    python="math.expm1({0})",
    definition=lambda x: exp(x) - 1,
    usage="expm1(x)", group="exponential",
    summary="exp(x) - 1, exact for small x",
    why="The derivative of $e^x - 1$ is $e^x$.",
)
xlogy = elementwise(
    "xlogy", lambda a, b: np.where(a == 0, 0.0, a * np.log(np.where(a == 0, b**0, b)))[()],
    lambda g, y, a, b: g * log(b), lambda g, y, a, b: g * ratio(a, b),
    form=Form.LOG_PRODUCT, by_sympy=True, sign="x log y", latex=r"{0:2} \log\left({1}\right)", binding=PRODUCT,
    sympy=lambda s, a, b: a * s.log(b), python="xlogy({0}, {1})", numpy="xlogy({0}, {1})",
)
ratio = elementwise(
    "ratio", lambda a, b: np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))[()],
    lambda g, y, a, b: ratio(g, b), lambda g, y, a, b: -ratio(g * y, b),
    form=Form.QUOTIENT, by_sympy=True, plain=lambda a, b: "divide" if np.all(b != 0) else "", order=(2, 3), sign="÷", latex=r"\frac{{{0}}}{{{1}}}", binding=3, sympy=lambda s, a, b: a / b,
    python="ratio({0}, {1})", numpy="ratio({0}, {1})",
)

# trigonometry
sin = elementwise(
    "sin", np.sin, lambda g, y, x: g * cos(x),
    of_matrix=by_entries(r"\sin"), powered=True, cyclic=True, sign="sin", latex=function(r"\sin"), sympy=lambda s, x: s.sin(x), python="math.sin({0})",
    usage="sin(x)", group="trigonometry", summary="sine, x in radians",
    why="The derivative of the sine is the cosine.",
)
cos = elementwise(
    "cos", np.cos, lambda g, y, x: g * -sin(x),
    of_matrix=by_entries(r"\cos"), powered=True, cyclic=True, sign="cos", latex=function(r"\cos"), sympy=lambda s, x: s.cos(x), python="math.cos({0})",
    usage="cos(x)", group="trigonometry", summary="cosine, x in radians",
    why="The derivative of the cosine is minus the sine.",
)
tan = elementwise(
    "tan", np.tan, lambda g, y, x: g * (1 + y**2),
    of_matrix=by_entries(r"\tan"), powered=True, cyclic=True, sign="tan", latex=function(r"\tan"), sympy=lambda s, x: s.tan(x), python="math.tan({0})",
    definition=lambda x: sin(x) / cos(x),
    usage="tan(x)", group="trigonometry", summary="tangent, x in radians",
    why=r"The derivative of $\tan x$ is $1 + \tan^2 x$: one plus the square of the value.",
)
arcsin = elementwise(
    "arcsin", np.arcsin, lambda g, y, x: g / _semicircle(x),
    sign="arcsin", latex=function(r"\arcsin"), sympy=lambda s, x: s.asin(x),
    python="math.asin({0})", domain="x must lie between -1 and 1, and not be -1 or 1 where its "
    "gradient is needed", usage="arcsin(x)", group="trigonometry", summary="inverse sine, in radians",
    why=r"The inverse has one over the slope of the sine: with $x = \sin y$ that is $\cos y = \sqrt{1 - x^2}$.",
)
arccos = elementwise(
    "arccos", np.arccos, lambda g, y, x: -g / _semicircle(x),
    sign="arccos", latex=function(r"\arccos"), sympy=lambda s, x: s.acos(x),
    python="math.acos({0})", domain="x must lie between -1 and 1, and not be -1 or 1 where its "
    "gradient is needed", usage="arccos(x)", group="trigonometry", summary="inverse cosine, in radians",
    why=r"As $\arccos x = \pi/2 - \arcsin x$, the slope is that of the inverse sine with the "
    "sign turned.",
)
arctan = elementwise(
    "arctan", np.arctan, lambda g, y, x: g / (1 + x**2),
    saturates="end", sign="arctan", latex=function(r"\arctan"), sympy=lambda s, x: s.atan(x),
    python="math.atan({0})", usage="arctan(x)", group="trigonometry",
    summary="inverse tangent, in radians",
    why=r"The inverse has one over the slope of the tangent: with $x = \tan y$ that is $1 + \tan^2 y = 1 + x^2$.",
)
sinh = elementwise(
    "sinh", np.sinh, lambda g, y, x: g * cosh(x),
    of_matrix=by_entries(r"\sinh"), powered=True, sign="sinh", latex=function(r"\sinh"), sympy=lambda s, x: s.sinh(x), python="math.sinh({0})",
    definition=lambda x: (exp(x) - exp(-x)) / 2,
    usage="sinh(x)", group="trigonometry", summary="hyperbolic sine",
    why="The slope of the hyperbolic sine is the hyperbolic cosine.",
)
cosh = elementwise(
    "cosh", np.cosh, lambda g, y, x: g * sinh(x),
    of_matrix=by_entries(r"\cosh"), powered=True, sign="cosh", latex=function(r"\cosh"), sympy=lambda s, x: s.cosh(x), python="math.cosh({0})",
    definition=lambda x: (exp(x) + exp(-x)) / 2,
    usage="cosh(x)", group="trigonometry", summary="hyperbolic cosine",
    why="The slope of the hyperbolic cosine is the hyperbolic sine.",
)
tanh = elementwise(
    "tanh", np.tanh, lambda g, y, x: g * (tanh_slope(x) if is_computed(y) else 1 - y**2),
    powered=True, named=False, saturates="end", sign="tanh", latex=function(r"\tanh"), sympy=lambda s, x: s.tanh(x), python="math.tanh({0})",
    definition=lambda x: ((p := exp(x)) - (n := exp(-x))) / (p + n),
    usage="tanh(x)", group="activations", summary="hyperbolic tangent",
    why=r"The derivative of $\tanh x$ is $1 - \tanh^2 x$: one minus the square of the value.",
)
radians = elementwise(
    "radians", np.radians, lambda g, y, x: radians(g),
    form=Form.UNIT, order=(3, 9), sign="° → rad", latex=r"\frac{{\pi}}{{180}} {0:2}", binding=PRODUCT,
    sympy=lambda s, x: s.pi / 180 * x, python="math.radians({0})",
    definition=lambda x: constant(math.pi, "pi") / constant(180) * x,
    usage="radians(x)",
    group="trigonometry", summary="degrees to radians",
    why="A change of unit multiplies by a constant: the slope is that constant.",
)
degrees = elementwise(
    "degrees", np.degrees, lambda g, y, x: degrees(g),
    form=Form.UNIT, order=(3, 9), sign="rad → °", latex=r"\frac{{180}}{{\pi}} {0:2}", binding=PRODUCT,
    sympy=lambda s, x: 180 / s.pi * x, python="math.degrees({0})",
    definition=lambda x: constant(180) / constant(math.pi, "pi") * x,
    usage="degrees(x)",
    group="trigonometry", summary="radians to degrees",
    why="A change of unit multiplies by a constant: the slope is that constant.",
)

# roots, and the normal distribution
sqrt = elementwise(
    "sqrt", np.sqrt, lambda g, y, x: g / (2 * y),
    of_matrix=(r"{0:5}^{{\odot 1/2}}", POWER), sign="√", latex=r"\sqrt{{{0}}}", sympy=lambda s, x: s.sqrt(x), python="math.sqrt({0})",
    domain="x must not be negative, and not 0 where its gradient is needed",
    definition=lambda x: x**0.5,
    usage="sqrt(x)", group="exponential", summary="square root",
    why=r"The derivative of $\sqrt{x}$ is $1/(2\sqrt{x})$: one over twice the value.",
)
rsqrt = elementwise(
    "rsqrt", None, lambda g, y, x: -(g * y) / (2 * x), definition=lambda x: 1 / sqrt(x),
    of_matrix=(r"{0:5}^{{\odot -1/2}}", POWER), sign="1/√", latex=r"\frac{{1}}{{\sqrt{{{0}}}}}", binding=3, domain="x must be positive", usage="rsqrt(x)",
    group="exponential", summary="one over the square root",
    why=r"As $1/\sqrt{x} = x^{-1/2}$, the power rule gives $-\frac{1}{2} x^{-3/2}$.",
)
cbrt = elementwise(
    "cbrt", np.cbrt, lambda g, y, x: g * y / (3 * x) if is_computed(y) else g / (3 * y**2),
    of_matrix=(r"{0:5}^{{\odot 1/3}}", POWER), sign="∛", latex=r"\sqrt[3]{{{0}}}", sympy=lambda s, x: s.Piecewise((s.cbrt(x), x > 0), (-s.cbrt(-x), True)),
    python="math.copysign(abs({0}) ** (1 / 3), {0})", domain="x must not be 0 where its gradient is needed",
    usage="cbrt(x)", group="exponential", summary="cube root, of negative numbers too",
    why=r"As $\sqrt[3]{x} = x^{1/3}$, the power rule gives $\frac{1}{3} x^{-2/3}$: one over three "
    r"times the square of the value.",
)
log2 = elementwise(
    "log2", np.log2, lambda g, y, x: g / (x * log(number(2, x))), definition=lambda x: log(x) / log(number(2, x)),
    of_matrix=by_entries(r"\log_{{2}}"), sign="log₂", latex=function(r"\log_{{2}}"), python="math.log2({0})", domain="x must be positive",
    usage="log2(x)", group="exponential", summary="logarithm to base 2",
    why=r"As $\log_2 x = \log x/\log 2$, the derivative is $1/(x \log 2)$.",
)
log10 = elementwise(
    "log10", np.log10, lambda g, y, x: g / (x * log(number(10, x))), definition=lambda x: log(x) / log(number(10, x)),
    of_matrix=by_entries(r"\log_{{10}}"), sign="log₁₀", latex=function(r"\log_{{10}}"), python="math.log10({0})", domain="x must be positive",
    usage="log10(x)", group="exponential", summary="logarithm to base 10",
    why=r"As $\log_{10} x = \log x/\log 10$, the derivative is $1/(x \log 10)$.",
)
erf = elementwise(
    "erf", lambda x: _each(math.erf, x), lambda g, y, x: g * (2 / _root_of_pi(x) * _bell(x)),
    saturates="end", sign="erf", latex=function(named("erf")), sympy=lambda s, x: s.erf(x), python="math.erf({0})",
    numpy="erf({0})", usage="erf(x)", group="exponential", summary="error function",
    why="The derivative of an integral by its upper end is the integrand there, "
    r"$\frac{2}{\sqrt{\pi}} e^{-x^2}$.",
)
normal_cdf = elementwise(
    "normal_cdf", lambda x: _each(_normal_cdf, x), lambda g, y, x: g * normal_pdf(x),
    named=True, in_numbers=True, sign="Φ", latex=function(r"\Phi"), sympy=lambda s, x: (1 + s.erf(x / s.sqrt(2))) / 2,
    python="normal_cdf({0})", numpy="normal_cdf({0})", note=_OF_THE_NORMAL,
)
normal_pdf = elementwise(
    "normal_pdf", lambda x: _gaussian(x, 0.5) / np.sqrt(2 * number(math.pi, x, "pi")), lambda g, y, x: g * -(x * y),
    named=True, in_numbers=True, sign="φ", latex=function(r"\varphi"), sympy=lambda s, x: s.exp(-x**2 / 2) / s.sqrt(2 * s.pi),
    python="normal_pdf({0})",
    numpy="normal_pdf({0})", note=_OF_THE_NORMAL,
)


# gates for the digits that a textbook's rule loses where a function is flat: no formula holds them
tanh_slope = elementwise(
    "tanh_slope", lambda x: _tanh_slope(np.exp(-2 * np.abs(x))), lambda g, y, x: g * (-2 * tanh(x) * y),
    sign="tanh′", latex=r"\frac{{1}}{{\cosh^{{2}}\left({0}\right)}}", binding=PRODUCT + 1, sympy=lambda s, x: s.cosh(x)**-2,
    python="tanh_slope({0})", numpy="tanh_slope({0})",
)
gaussian = elementwise(
    "gaussian", lambda x: _gaussian(x, 1.0), lambda g, y, x: g * (-2 * x * y),
    sign="e^−x²", latex=r"{exp}-{0:5}^{{2}}{end}", binding=POWER, sympy=lambda s, x: s.exp(-x**2),
    python="math.exp(-{0:5} * {0:5})", numpy="np.exp(-{0:5} * {0:5})",  # no error where it is infinite
)

# fmt: on


def wide(f: Callable[..., Any], *args: Any) -> Any:
    """f in numbers with some digits more, where the machine has them, for what cancels in f."""
    if any(np.asarray(a).dtype.char in "Og" for a in args):  # numbers that have more already
        return f(*args)
    found = f(*(np.asarray(a, dtype=np.longdouble)[()] for a in args))
    return np.asarray(found).astype(np.float64)[()]


def _semicircle(x: Any) -> Any:
    """√(1 - x²), of which 1 - x² would lose the digits near x = 1."""
    return sqrt((1 - x) * (1 + x) if is_computed(x) else 1 - x**2)


def _tanh_slope(e: Any) -> Any:
    """1 - tanh(x)², which is 4e/(1 + e)² with e = exp(-2|x|)."""
    return 4 * e / ((1 + e) * (1 + e))


def _bell(x: Any) -> Any:
    """exp(-x²); beside a node the gates that a formula shows."""
    return gaussian(x) if is_computed(x) else exp(-(x**2))


def _gaussian(x: Array, c: float) -> Array:
    """exp(-c x²): far out each rounding of x² would cost digits, so x is split where squares are exact."""
    if np.asarray(x).dtype == object:
        return np.exp(-c * x * x)
    x = np.clip(x, -40.0, 40.0)  # beyond, it is 0
    a = np.round(x * 2**20) / 2**20
    return np.exp(-c * a * a) * np.exp(-c * (x - a) * (x + a))


_HEAD, _TAIL = 47453133 / 2**26, -2.799544089368687e-09  # of 1/√2, together exact to 32 digits


def _normal_cdf(x: float) -> float:
    """erfc(-x/√2)/2; erfc is steep far out, so what -x/√2 loses by rounding is put back."""
    t = -x / math.sqrt(2)
    if not abs(x) < 40:  # where erfc is 0 or 2
        return 0.5 * math.erfc(t)
    a = round(x * 2**20) / 2**20
    lost = -(a * _HEAD + t + (a * _TAIL + (x - a) / math.sqrt(2)))
    return 0.5 * (math.erfc(t) - 2 / math.sqrt(math.pi) * math.exp(-t * t) * lost)


def _root_of_pi(like: Any) -> Any:
    """√π with the digits of numbers; beside a node as the constant that a formula shows."""
    return sqrt(number(math.pi, like, "pi"))


def _each(f: Callable[[float], float], x: Array) -> Array:
    """A function of one number applied to all: NumPy has no error function."""
    if np.asarray(x).dtype == object:  # numbers that know their own functions
        return np.frompyfunc(operator.methodcaller(f.__name__.strip("_")), 1, 1)(x)
    if not np.ndim(x):
        return np.float64(f(x))
    return np.fromiter(map(f, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)
