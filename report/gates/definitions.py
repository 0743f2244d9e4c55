"""Composite gates written out in elementary ones: what `unfold` puts in their place.

A definition is a formula over the gate's arguments in their order; {axis} stands for the option. The
result is the same number by other gates, so a derivation can go through every elementary step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# name -> (arguments, formula)
DEFINITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "square": (("x",), "x * x"),
    "reciprocal": (("x",), "x ** -1"),
    "tan": (("x",), "sin(x) / cos(x)"),
    "sinh": (("x",), "(exp(x) - exp(-x)) / 2"),
    "cosh": (("x",), "(exp(x) + exp(-x)) / 2"),
    "tanh": (("x",), "(exp(x) - exp(-x)) / (exp(x) + exp(-x))"),
    "sigmoid": (("x",), "1 / (1 + exp(-x))"),
    "log_sigmoid": (("x",), "-log(1 + exp(-x))"),
    "softplus": (("x",), "log(1 + exp(x))"),
    "relu": (("x",), "maximum(x, 0)"),
    "swish": (("x",), "x * sigmoid(x)"),
    "gelu": (("x",), "x * (1 + erf(x / sqrt(2))) / 2"),
    "softmax": (("x",), "exp(x) / sum(exp(x), axis={axis}, keepdims=True)"),
    "log_softmax": (("x",), "x - log(sum(exp(x), axis={axis}, keepdims=True))"),
    "logsumexp": (("x",), "log(sum(exp(x), axis={axis}, keepdims={keepdims}))"),
    "mean": (("x",), "sum(x, axis={axis}, keepdims={keepdims}) / {count}"),
    "var": (("x",), "mean((x - mean(x, axis={axis}, keepdims=True))**2, axis={axis}, keepdims={keepdims})"),
    "std": (("x",), "sqrt(var(x, axis={axis}, keepdims={keepdims}))"),
    "norm": (("x",), "sqrt(sum(x * x, axis={axis}, keepdims={keepdims}))"),
    "squared_norm": (("x",), "sum(x * x)"),
    "dot": (("a", "b"), "sum(a * b)"),
    "mse": (("a", "b"), "mean((a - b)**2)"),
    "l1": (("a", "b"), "mean(abs(a - b))"),
    "hinge": (("s", "t"), "mean(maximum(0, 1 - t * s))"),
    "binary_cross_entropy": (("p", "y"), "-mean(y * log(p) + (1 - y) * log(1 - p))"),
    "binary_cross_entropy_with_logits": (("z", "y"), "mean(softplus(z) - z * y)"),
    "kl_div": (("p", "q"), "sum(p * (log(p) - log(q)))"),
}  # fmt: skip


def definition(name: str, params: Mapping[str, Any], count: int) -> tuple[tuple[str, ...], str]:
    """The arguments and the formula of a gate; `count` is how many entries a mean takes together."""
    arguments, formula = DEFINITIONS[name]
    options = {"axis": None, "keepdims": False, **params, "count": count}
    return arguments, formula.format(**options)
