"""What a row of the gate table is made with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from report.autodiff.gates import by_definition
from report.autodiff.gates.shapes import broadcast
from report.autodiff.graph import Array, Gate, Node, Plain, make
from report.autodiff.rewrite import rewritten

GATES: dict[str, Gate] = {}
ALIASES = {  # the names of NumPy, PyTorch and textbooks
    "ln": "log", "fabs": "abs", "absolute": "abs", "sgn": "sign", "neg": "negative", "pow": "power",
    "float_power": "power", "sub": "subtract", "mul": "multiply", "div": "divide", "true_divide": "divide",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "arctg": "arctan",
    "deg2rad": "radians", "rad2deg": "degrees",
    "silu": "swish", "expit": "sigmoid", "logistic": "sigmoid", "logsigmoid": "log_sigmoid",
    "fmax": "maximum", "fmin": "minimum", "clamp": "clip",
    "amax": "max", "amin": "min", "average": "mean", "product": "prod", "variance": "var",
    "mm": "matmul", "mv": "matmul", "bmm": "matmul", "inverse": "inv", "tr": "trace", "magnitude": "norm",
    "vector_norm": "norm", "cat": "concatenate", "concat": "concatenate", "permute": "transpose",
    "mse_loss": "mse", "l1_loss": "l1", "mae": "l1", "huber_loss": "huber", "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits", "detach": "stop_gradient", "unsqueeze": "expand_dims",
    "mean_squared_error": "mse", "mean_absolute_error": "l1", "matvec": "matmul", "diagonal": "diag", "batch_matmul": "matmul",
    "sumproduct": "dot", "mmult": "matmul", "if": "where", "attention": "scaled_dot_product_attention", "focal_loss": "focal", "dice_loss": "dice",
    "triplet_margin_loss": "triplet_margin", "l2_normalize": "normalize", "take_along_axis": "gather",
}  # fmt: skip

# How strongly a notation binds; an argument that binds weaker than its place asks is bracketed.
SUM, PRODUCT, MATRIX_PRODUCT, POWER, CALL, ATOM = 1, 2, 3, 4, 5, 9


def apply(gate: Gate, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The gate applied to numbers (numbers come out) or to nodes (a simplified node comes out)."""
    for arg in args:
        if isinstance(arg, Node):
            if any(isinstance(a, Plain) for a in args):
                return make(gate, args, params, kind=Plain)
            return rewritten(make(gate, args, params))
    return gate.forward(*args, **params)


def gate(
    name: str,
    forward: Callable[..., Array] | None = None,
    *rules: Callable[..., Any] | None,
    **columns: Any,
) -> Callable[..., Any]:
    """Add a row to the table and return the function that applies the gate.

    What a row with a definition does not say is read from it: the forward function, the shape, the
    options with their defaults, and the rules.
    """
    if definition := columns.get("definition"):
        operands, options = signature(definition, columns.get("optional", ()))
        forward = forward or definition
        columns.setdefault("params", options)
        columns.setdefault("shape", by_definition.shape(definition))
        whole = columns.get("integers", ())
        rules = rules or tuple(
            None if i in whole else by_definition.rule(definition, i) for i in range(len(operands))
        )
        if columns.get("elementwise"):
            columns.setdefault("sympy", by_definition.sympy(definition))
    group = columns.get("group", "")
    columns.setdefault("sign", name)
    columns.setdefault("named", group == "activations" and "sympy" in columns)
    columns.setdefault("by_sympy", group in ("arithmetic", "exponential", "trigonometry"))
    columns.setdefault("binding", CALL)
    if condition := columns.get("condition"):
        columns.setdefault("latex", rf"𝟙\left[{condition}\right]")
    columns.setdefault("latex", notation(columns["sign"], len(rules)))
    assert forward is not None
    row = Gate(name, forward, rules, **columns)
    GATES[name] = row

    def call(*args: Any, **params: Any) -> Any:
        return apply(row, args, params)

    call.__name__ = name
    return call


def elementwise(
    name: str,
    forward: Callable[..., Array] | None = None,
    *rules: Callable[..., Any] | None,
    **columns: Any,
) -> Callable[..., Any]:
    """Add the row of a gate that works entry by entry, with broadcasting."""
    if forward is not None:
        columns.setdefault("numpy", f"np.{name}({{0}})")
    return gate(name, forward, *rules, shape=broadcast, elementwise=True, **columns)


def signature(
    definition: Callable[..., Any], optional: Collection[str] = ()
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of a definition's arguments, and its options with their defaults."""
    parameters = inspect.signature(definition).parameters.values()
    operands = [p.name for p in parameters if p.default is p.empty or p.name in optional]
    return tuple(operands), {p.name: p.default for p in parameters if p.name not in operands}


def notation(name: str, count: int) -> str:
    r"""The notation of a function by an upright word: \operatorname{name}(x, y)."""
    return (
        named(name.replace("_", r"\_"))
        + r"\left("
        + ", ".join(f"{{{i}}}" for i in range(count))
        + r"\right)"
    )


def function(name: str) -> str:
    r"""The notation \name(x)."""
    return name + r"\left({0}\right)"


def by_entries(name: str, argument: str = "{0}") -> tuple[str, int]:
    r"""The notation \name^⊙(x) of what is taken of each entry of a square matrix, and its binding."""
    return rf"{name}^{{{{\odot}}}}\left({argument}\right)", CALL


def function_of_two(name: str) -> str:
    r"""The notation \name(x, y)."""
    return name + r"\left({0}, {1}\right)"


def named(name: str) -> str:
    r"""The notation of a function by an upright word, as a piece of a template."""
    return rf"\operatorname{{{{{name}}}}}"
