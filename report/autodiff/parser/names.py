"""What NumPy, PyTorch and textbooks call what the gate table has under a name of its own.

A formula may use these names; the report shows the gates. Some functions are made of gates, and some
gates take more shapes by way of others: `dot` of a matrix is a product, `kron` of two vectors an outer
product laid out in a row. `FORMS` holds all that can be called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from report.autodiff.form import Form as GateForm
from report.autodiff.gates import GATES
from report.autodiff.gates.shapes import broadcast, pair, pair_within
from report.autodiff.gates.table import ALIASES, signature
from report.autodiff.graph import CONSTANT, Gate, Node, constant

# other name of an argument or option -> what gates call it
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "dim": ("axis",), "dims": ("axes", "axis"), "keepdim": ("keepdims",), "correction": ("ddof",),
    "newshape": ("shape",), "p": ("ord",), "alpha": ("slope",), "negative_slope": ("slope",),
    "a_min": ("low",), "min": ("low",), "a_max": ("high",), "max": ("high",), "exponent": ("n",),
    "kernel_size": ("size",), "num_groups": ("groups",), "shifts": ("shift",), "bias": ("b",),
    "num_classes": ("classes",), "diagonal": ("k",), "dim0": ("axis1",), "dim1": ("axis2",), "index": ("positions",),
    "weight": ("w", "gamma", "a"), "query": ("q",), "key": ("k",), "attn_mask": ("mask",), "anchor": ("a",),
    "positive": ("p",), "negative": ("n",), "smoothing": ("label_smoothing",),
    "input": ("x", "z", "p", "a"), "logits": ("z",), "target": ("labels", "y"), "other": ("b",),
}  # fmt: skip

# the order of the arguments in PyTorch, where an option stands second
TORCH_ORDER: Mapping[str, tuple[str, ...]] = {
    "gather": ("x", "axis", "positions"), "group_norm": ("x", "groups", "gamma", "beta", "eps"),
    "layer_norm": ("x", "", "gamma", "beta", "eps"), "rms_norm": ("x", "", "gamma", "eps"),
}  # fmt: skip

# options with the one value that says what the gate does anyway
_MEAN = {"reduction": "mean"}
NEUTRAL: Mapping[str, Mapping[str, Any]] = {
    "pad": {"mode": "constant", "constant_values": 0, "value": 0},
    "mse": _MEAN, "l1": _MEAN, "huber": _MEAN, "cross_entropy": _MEAN, "binary_cross_entropy": _MEAN,
    "binary_cross_entropy_with_logits": _MEAN,
}  # fmt: skip

# options by which a name means another gate
VARIED: Mapping[str, Mapping[str, Any]] = {
    "norm": {"ord": None}, "gelu": {"approximate": "none"}, "cross_entropy": {"label_smoothing": 0.0},
}  # fmt: skip

# known functions that are no gate -> what to write in their place
INSTEAD: Mapping[str, str] = {
    "exp2": "2**x",
    "sqr": "x**2 or sqrt(x)", "hypot": "sqrt(a**2 + b**2)", "erfc": "1 - erf(x)",
    "logaddexp": "a + softplus(b - a)", "logit": "log(x / (1 - x))", "relu6": "clip(x, 0, 6)",

    "selu": "1.0507 * elu(x, alpha=1.67326)", "heaviside": "where(x > 0, 1, 0)",
    "arcsinh": "log(x + sqrt(x**2 + 1))", "asinh": "log(x + sqrt(x**2 + 1))",
    "arccosh": "log(x + sqrt(x**2 - 1))", "acosh": "log(x + sqrt(x**2 - 1))",
    "arctanh": "log((1 + x) / (1 - x)) / 2", "atanh": "log((1 + x) / (1 - x)) / 2",
    "sec": "1 / cos(x)", "csc": "1 / sin(x)", "cot": "1 / tan(x)", "sech": "1 / cosh(x)", "coth": "1 / tanh(x)",
    "arctan2": "arctan(y / x) where x is positive", "atan2": "arctan(y / x) where x is positive",
    "sinc": "sin(pi*x) / (pi*x)", "ptp": "max(x) - min(x)", "diff": "x[1:] - x[:-1]",
    "tile": "concatenate([x, x])",
    "repeat": "concatenate([x, x])", "take": "x[i]", "embedding": "E[i]", "lookup": "E[i]",
    "index": "x[i]", "expand": "broadcast_to(x, (2, 3))",
    "moveaxis": "transpose(x, (0, 2, 1))", "diagonal": "diag(A)",
    "array": "[1, 2, 3]", "tensor": "[1, 2, 3]", "arange": "[0, 1, 2]", "column_stack": "stack([a, b], axis=1)",
    "zeros_like": "0 * x", "ones_like": "0 * x + 1", "len": "the number itself", "size": "the number itself",
    "matrix_power": "A @ A", "pinv": "inv(A.T @ A) @ A.T", "lstsq": "solve(A.T @ A, A.T @ b)",
    "slogdet": "logdet(A)", "quadratic_form": "x @ A @ x",
    "l2_norm": "norm(x)", "frobenius": "norm(A)",
    "smooth_l1": "huber(p, y)", "smooth_l1_loss": "huber(p, y)", "log_loss": "binary_cross_entropy(p, y)",
    "linear": "W @ x + b, or X @ W.T + b for rows", "dropout": "x * m / (1 - p) with the mask m as an input",
    "nll_loss": "cross_entropy(z, labels) of the scores z", "softmax_cross_entropy": "cross_entropy(z, labels)",
    "hinge_loss": "hinge(s, y), the scores first",
}  # fmt: skip
NUMBERS: Mapping[str, str] = {
    "e": "exp(1)", "tau": "2*pi", "nan": "a number",
    "inf": "maximum(x, 0) for a clip without an upper bound, -1e9 for the score of what is masked",
}  # fmt: skip
# known functions that are no gate -> why not
_NO_GATE: Mapping[str, str] = {
    "logm": "the logarithm of a matrix has no backward rule here, and log goes entry by entry; "
    "log det A is logdet(A)",
    "expm": "the exponential of a matrix has no backward rule here, and exp goes entry by entry; "
    "its series is I + A + A @ A / 2 + ...",
    "sqrtm": "the square root of a matrix has no backward rule here, and sqrt goes entry by entry",
    "median": "it follows the entry in the middle alone, and jumps where another takes its place; index that entry",
    "quantile": "it follows one entry alone, whichever stands there; index it",
    "mode": "it counts, and a count does not change with a small step",
    "svd": "singular vectors are unique up to their signs only; norm(A)**2 is the sum of the squared values",
    "eig": "eigenvectors are unique up to a factor only; trace(A) and det(A) are gates",
}
NO_GATE: Mapping[str, str] = {
    **_NO_GATE, "matrix_exp": _NO_GATE["expm"], "nanmedian": _NO_GATE["median"], "percentile": _NO_GATE["quantile"],
    "eigh": _NO_GATE["eig"], "eigvals": _NO_GATE["eig"], "eigvalsh": _NO_GATE["eig"],
}  # fmt: skip
STEPS = frozenset(
    {"floor", "ceil", "round", "rint", "trunc", "argmax", "argmin"}
)  # flat everywhere

# ---------------------------------------------------------------- functions made of gates

Apply = Callable[..., Node]  # apply(gate, *nodes, **options)


def _dot(apply: Apply, a: Node, b: Node) -> Node:
    if not a.shape or not b.shape:
        return apply("multiply", a, b)
    flat = len(a.shape) == len(b.shape) == 1 or max(len(a.shape), len(b.shape)) > 2
    return apply("dot" if flat else "matmul", a, b)


def _inner(apply: Apply, a: Node, b: Node) -> Node:
    return apply("dot", a, b) if a.shape and b.shape else apply("multiply", a, b)


def _kron(apply: Apply, a: Node, b: Node) -> Node:
    if not a.shape or not b.shape:
        return apply("multiply", a, b)
    if len(a.shape) == len(b.shape) == 1:
        return apply("reshape", apply("outer", a, b), shape=(-1,))
    rows = (apply("reshape", x, shape=(1, -1)) if len(x.shape) == 1 else x for x in (a, b))
    return apply("kron", *rows)


def _outer(apply: Apply, *args: Node) -> Node:
    """Columns and rows are vectors as well."""
    flat = (
        _ravel(apply, x) if len(x.shape) > 1 and max(x.shape) == math.prod(x.shape) else x
        for x in args
    )
    return apply("outer", *flat)


def _cumsum(apply: Apply, x: Node, axis: Any = None) -> Node:
    if axis is not None:
        return apply("cumsum", x, axis=axis)
    return apply("cumsum", x if len(x.shape) == 1 else _ravel(apply, x))


def _loss(name: str) -> Callable[..., Node]:
    def loss(apply: Apply, p: Node, y: Node, **options: Any) -> Node:
        """One of the two may be spread over the entries of the other."""
        if p.shape != y.shape:
            whole = broadcast(p.shape, y.shape)
            if whole in (p.shape, y.shape):
                p, y = (_spread(apply, x, whole) for x in (p, y))
        return apply(name, p, y, **options)

    return loss


def _spread(apply: Apply, x: Node, shape: tuple[int, ...]) -> Node:
    if x.shape == shape:
        return x
    if x.gate is CONSTANT and x.name is None:
        return constant(np.broadcast_to(x.value, shape).copy())
    return apply("broadcast_to", x, shape=shape)


def _ravel(apply: Apply, x: Node) -> Node:
    return apply("reshape", x, shape=(-1,))


def _vstack(apply: Apply, *parts: Node) -> Node:
    if all(len(part.shape) == 1 for part in parts):
        return apply("stack", *parts)
    rows = (apply("reshape", x, shape=(1, -1)) if len(x.shape) == 1 else x for x in parts)
    return apply("concatenate", *rows)


def _hstack(apply: Apply, *parts: Node) -> Node:
    if not parts[0].shape:
        return apply("stack", *parts)
    return apply("concatenate", *parts, axis=int(len(parts[0].shape) > 1))


def _eye(apply: Apply, shape: Any) -> Node:
    made = apply("diag", _filled(1)(apply, shape))  # for its checks
    return constant(np.eye(made.shape[0]), name="I")


def _filled(value: float) -> Callable[..., Node]:
    return lambda apply, shape: apply("broadcast_to", constant(value), shape=shape)


# the gates that take more shapes than their row, by way of other gates
SHAPED: Mapping[str, Callable[..., Node]] = {
    "dot": _dot,
    "outer": _outer,
    "kron": _kron,
    "cumsum": _cumsum,
    **{name: _loss(name) for name, gate in GATES.items() if gate.shape in (pair, pair_within)},
}


@dataclass(frozen=True)
class Form:
    """A function that can be called: how it is written, its arguments and options, how it is built.

    `operands` names the arguments that become nodes ("" for one that has no name), or is None where
    there is one list of them; `options` maps the others to their defaults.
    """

    name: str
    usage: str
    operands: tuple[str, ...] | None
    options: Mapping[str, Any]
    build: Callable[..., Node] | None = None
    optional: int = 0  # how many of the operands, the last ones, may be left out
    leading: str = ""  # an option that stands before the operands


def _form(gate: Gate) -> Form:
    written = re.match(rf"{gate.name}\(([^()]*)\)", gate.usage)
    parts = [part.strip() for part in written[1].split(",")] if written else []
    if gate.forward is gate.definition:
        parts = list(signature(gate.definition, gate.optional)[0])
    names = [part if part.isidentifier() else "" for part in parts]
    operands = tuple((names + [""] * len(gate.rules))[: len(gate.rules)])
    listed = gate.rule_at is not None
    return Form(
        gate.name,
        gate.usage,
        None if listed else operands,
        {**VARIED.get(gate.name, {}), **gate.params},
        SHAPED.get(gate.name),
        len(gate.optional),
        gate.leading,
    )


BUILT = (
    Form("inner", "inner(a, b)", ("a", "b"), {}, _inner),
    Form("vdot", "vdot(a, b)", ("a", "b"), {}, _inner),
    Form("ravel", "ravel(x)", ("x",), {}, _ravel),
    Form("flatten", "flatten(x)", ("x",), {}, _ravel),
    Form("hstack", "hstack([a, b])", None, {}, _hstack),
    Form("vstack", "vstack([a, b])", None, {}, _vstack),
    Form("eye", "eye(3)", (), {"shape": None}, _eye),
    Form("identity", "identity(3)", (), {"shape": None}, _eye),
    Form("ones", "ones((2, 3))", (), {"shape": None}, _filled(1)),
    Form("zeros", "zeros((2, 3))", (), {"shape": None}, _filled(0)),
)
_BUILT = {form.name: form for form in BUILT}


class _Forms(Mapping[str, Form]):
    """All that can be called, by any of its names; a row that is added to the gate table is there at once."""

    def __getitem__(self, name: str) -> Form:
        name = ALIASES.get(name, name)
        return _BUILT.get(name) or _row_form(GATES[name])

    def __contains__(self, name: object) -> bool:
        name = ALIASES.get(str(name), name)
        return name in _BUILT or (name in GATES and _is_called(GATES[str(name)]))

    def __iter__(self) -> Iterator[str]:
        yield from (g.name for g in GATES.values() if _is_called(g) and g.name not in _BUILT)
        yield from _BUILT
        yield from ALIASES

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_called(gate: Gate) -> bool:
    """Whether a gate is written as a call of its name: an index has brackets, and some share a name."""
    return bool(gate.usage) and gate.form is not GateForm.PICKED and not gate.family


@cache
def _row_form(gate: Gate) -> Form:
    if not _is_called(gate):
        raise KeyError(gate.name)
    return _form(gate)


FORMS: Mapping[str, Form] = _Forms()
