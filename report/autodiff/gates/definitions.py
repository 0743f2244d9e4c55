"""Composite gates written out in elementary ones: what `unfold` puts in their place.

A definition is a formula over the gate's arguments in their order, with names for parts that it uses
twice. {axis} and its like stand for options; {classes} and {rows} are sizes of the first argument,
and {count} is how many entries a mean takes together. The result is the same number by other gates,
so a derivation can go through every elementary step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from report.autodiff.gates.shapes import count
from report.autodiff.gates.table import ALIASES, GATES
from report.autodiff.graph import Shape
from report.errors import ReportError, nearest, shown
from report.plain_values import as_text

# name -> (arguments, formula), or a formula for vectors and one for rows of them
DEFINITIONS: dict[str, tuple[str, str] | tuple[str, str, str]] = {
    # arithmetic
    "subtract": ("a b", "a + (-b)"),
    "divide": ("a b", "a * (1 / b)"),
    "square": ("x", "x * x"),
    "reciprocal": ("x", "x ** -1"),
    "sqrt": ("x", "x ** 0.5"),
    "log1p": ("x", "log(1 + x)"),
    "expm1": ("x", "exp(x) - 1"),
    # trigonometry
    "tan": ("x", "sin(x) / cos(x)"),
    "sinh": ("x", "(exp(x) - exp(-x)) / 2"),
    "cosh": ("x", "(exp(x) + exp(-x)) / 2"),
    "tanh": ("x", "p = exp(x); n = exp(-x); (p - n) / (p + n)"),
    "radians": ("x", "pi / 180 * x"),
    "degrees": ("x", "180 / pi * x"),
    # activations
    "sigmoid": ("x", "1 / (1 + exp(-x))"),
    "log_sigmoid": ("x", "-log(1 + exp(-x))"),
    "softplus": ("x", "log(1 + exp(x))"),
    "relu": ("x", "where(x > 0, x, 0)"),
    "leaky_relu": ("x", "where(x > 0, x, {slope} * x)"),
    "prelu": ("x a", "where(x > 0, x, a * x)"),
    "elu": ("x", "where(x > 0, x, {alpha} * (exp(x) - 1))"),
    "swish": ("x", "x * sigmoid(x)"),
    "gelu": ("x", "x * (1 + erf(x / sqrt(2))) / 2"),
    "softmax": ("x", "e = exp(x); e / sum(e, axis={along}, keepdims=True)"),
    "log_softmax": ("x", "x - log(sum(exp(x), axis={along}, keepdims=True))"),
    "logsumexp": ("x", "log(sum(exp(x), axis={axis}, keepdims={keepdims}))"),
    "clip": ("x low high", "minimum(maximum(x, low), high)"),
    # linear algebra
    "dot": ("a b", "sum(a * b)"),
    "outer": ("a b", "reshape(a, (-1, 1)) @ reshape(b, (1, -1))"),
    "solve": ("a b", "inv(a) @ b"),
    "trace": ("a", "sum(diag(a))"),
    "logdet": ("a", "log(det(a))"),
    "norm": ("x", "sqrt(sum(x * x, axis={axis}, keepdims={keepdims}))"),
    "squared_norm": ("x", "sum(x * x)"),
    "l1_norm": ("x", "sum(abs(x), axis={axis}, keepdims={keepdims})"),
    # reductions
    "mean": ("x", "sum(x, axis={axis}, keepdims={keepdims}) / {count}"),
    "var": (
        "x",
        "sum((x - mean(x, axis={axis}, keepdims=True))**2, axis={axis}, keepdims={keepdims}) / {spread}",
    ),
    "std": ("x", "sqrt(var(x, axis={axis}, ddof={ddof}, keepdims={keepdims}))"),
    # losses
    "mse": ("p y", "mean((p - y)**2)"),
    "l1": ("p y", "mean(abs(p - y))"),
    "huber": ("p y", "e = p - y; s = abs(e); mean(where(s <= {delta}, e**2 / 2, {delta} * (s - {half})))"),
    "hinge": ("s y", "m = 1 - y * s; mean(where(m > 0, m, 0))"),
    "binary_cross_entropy": ("p y", "-mean(y * log(p) + (1 - y) * log(1 - p))"),
    "binary_cross_entropy_with_logits": ("z y", "mean(softplus(z) - z * y)"),
    "cross_entropy": (
        "z k",
        "-log_softmax(z)[k]",
        "-mean(sum(one_hot(k, {classes}) * log_softmax(z), axis=-1))",
    ),
    "cross_entropy_one_hot": (
        "z y",
        "-sum(y * log_softmax(z))",
        "-mean(sum(y * log_softmax(z), axis=-1))",
    ),
    "kl_div": ("p q", "sum(p * (log(p) - log(q)))"),
}  # fmt: skip

# Gates that a formula makes under the name of another one.
FAMILY = {"cross_entropy_one_hot": "cross_entropy", "squared_norm": "norm", "l1_norm": "norm"}


def check_unfold(name: Any) -> str:
    """The name of a gate that has a definition; ReportError for one that is elementary or no gate."""
    own = as_text(name)
    if own is not None:
        wanted = ALIASES.get(own, own)
        if wanted in DEFINITIONS and wanted not in FAMILY:
            return wanted
        if wanted in GATES and GATES[wanted].usage and wanted not in FAMILY:
            raise ReportError(
                f"unfold: {own!r} is elementary here: no simpler gates give the same; {_known()}"
            )
    near = nearest(own, unfoldable()) if own is not None else ""
    raise ReportError(f"unfold: {shown(name)} is no gate{near or '; ' + _known()}")


def unfoldable() -> list[str]:
    """The names that `unfold` takes."""
    return [name for name in DEFINITIONS if name not in FAMILY]


def _known() -> str:
    return f"these can be unfolded: {', '.join(unfoldable())}"


def definition(
    name: str, params: Mapping[str, Any], shapes: Sequence[Shape]
) -> tuple[list[str], str]:
    """The arguments and the formula of a gate over arguments of these shapes."""
    arguments, *formulas = DEFINITIONS[name]
    first = shapes[0]
    options = {"axis": None, "keepdims": False, "ddof": 0, **GATES[name].params, **params}
    axis, ddof = options["axis"], options["ddof"]
    together = count(first, axis)
    options |= {
        "along": -1 if axis is None else axis,
        "count": together,
        "spread": together - ddof,
        "classes": first[-1] if first else 1,
        "half": (options.get("delta") or 0) / 2,
    }
    return arguments.split(), formulas[-1 if math.prod(first[:-1]) > 1 else 0].format(**options)


def in_short(name: str) -> str:
    """The formula of a gate without its options, as a list of gates shows it."""
    formula = DEFINITIONS[name][1]
    formula = re.sub(r", (axis|keepdims|ddof)=[^,)]*", "", formula)
    return re.sub(
        r"\{(\w+)\}",
        lambda m: {"count": "n", "spread": "n", "half": "delta / 2"}.get(m[1], m[1]),
        formula,
    )
