"""What NumPy, PyTorch and textbooks call what the gate table has under a name of its own.

A formula may use these names; the report shows the gates. Some functions are made of gates, and some
gates take more shapes by way of others: `dot` of a matrix is a product, `kron` of two vectors an outer
product laid out in a row. `FORMS` holds all that can be called.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from report.autodiff.form import Form as GateForm
from report.autodiff.gates import GATES, compounds
from report.autodiff.gates.table import ALIASES, signature
from report.autodiff.graph import Gate, Node

# other name of an argument or option -> what gates call it
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "dim": ("axis",), "dims": ("axes", "axis"), "keepdim": ("keepdims",), "correction": ("ddof",), "unbiased": ("ddof",),
    "newshape": ("shape",), "p": ("ord",), "alpha": ("slope",), "negative_slope": ("slope",),
    "a_min": ("low",), "min": ("low",), "a_max": ("high",), "max": ("high",), "exponent": ("n",),
    "kernel_size": ("size",), "num_groups": ("groups",), "shifts": ("shift",), "bias": ("b",),
    "num_classes": ("classes",), "diagonal": ("k",), "dim0": ("axis1",), "dim1": ("axis2",), "index": ("positions",),
    "weight": ("w", "gamma", "a"), "query": ("q",), "key": ("k",), "attn_mask": ("mask",), "anchor": ("a",),
    "positive": ("p",), "negative": ("n",), "smoothing": ("label_smoothing",),
    "input": ("x", "z", "p", "a"), "logits": ("z",), "target": ("labels", "y"), "other": ("b",),
}  # fmt: skip

# known functions that are no gate -> what to write in their place
INSTEAD: Mapping[str, str] = {
    "exp2": "2**x",
    "sqr": "x**2 or sqrt(x)", "sumsq": "sum(x**2)", "hypot": "sqrt(a**2 + b**2)", "erfc": "1 - erf(x)",
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
    "moveaxis": "transpose(x, (0, 2, 1))",
    "column_stack": "stack([a, b], axis=1)",
    "cross": "[a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]]", "addmm": "A + B @ C",
    "tensordot": "A @ B", "lg": "log10(x) or log2(x)", "Sigma": "sum(x)", "linspace": "[0, 0.5, 1]",
    "matrix_power": "A @ A", "pinv": "inv(A.T @ A) @ A.T", "lstsq": "solve(A.T @ A, A.T @ b)",
    "slogdet": "logdet(A)", "quadratic_form": "x @ A @ x",
    "l2_norm": "norm(x)", "frobenius": "norm(A)",
    "smooth_l1": "huber(p, y)", "smooth_l1_loss": "huber(p, y)", "log_loss": "binary_cross_entropy(p, y)",
    "softmax_cross_entropy_with_logits": "cross_entropy(z, y), the mean over the rows",
    "sparse_softmax_cross_entropy_with_logits": "cross_entropy(z, labels), the mean over the rows",
    "dense": "W @ x + b, with W and b as inputs", "conv": "conv2d(x, w) with the filter w as an input",
    "batchnorm1d": "batch_norm(X, gamma, beta)", "batchnorm2d": "batch_norm(X, gamma, beta)",
    "lstm": "the equations of a step as let-lines", "gru": "the equations of a step as let-lines",
    "rnn": "the equations of a step as let-lines", "dropout": "x * m / (1 - p) with the mask m as an input",
    "nll_loss": "cross_entropy(z, labels) of the scores z", "softmax_cross_entropy": "cross_entropy(z, labels)",
    "hinge_loss": "hinge(s, y), the scores first",
}  # fmt: skip
NUMBERS: Mapping[str, str] = {
    "e": "exp(1)", "tau": "2*pi", "nan": "a number", "I": "the identity with its size, eye(2)",
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
    "grad": "a report derives the gradients itself; write the function, and in wrt what to derive by",
    "eig": "eigenvectors are unique up to a factor only; trace(A) and det(A) are gates",
}
NO_GATE: Mapping[str, str] = {
    **_NO_GATE, "backward": _NO_GATE["grad"], "jacobian": _NO_GATE["grad"], "hessian": _NO_GATE["grad"], "matrix_exp": _NO_GATE["expm"], "nanmedian": _NO_GATE["median"], "percentile": _NO_GATE["quantile"],
    "eigh": _NO_GATE["eig"], "eigvals": _NO_GATE["eig"], "eigvalsh": _NO_GATE["eig"],
}  # fmt: skip
STEPS = frozenset(
    {"floor", "ceil", "round", "rint", "trunc", "argmax", "argmin"}
)  # flat everywhere


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
    neutral: Mapping[str, Any] = field(default_factory=dict)  # options with the one value possible


def _widened(gate: Gate) -> Callable[..., Node]:
    widened = gate.widened
    assert widened is not None
    return lambda apply, *args, **options: widened(apply, gate.name, *args, **options)


def _more_options(gate: Gate) -> dict[str, Any]:
    """The options, with their defaults, that are those of a gate's wider form."""
    if gate.widened is None:
        return {}
    own = inspect.signature(gate.widened).parameters.values()
    return {p.name: p.default for p in own if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}


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
        {**gate.varied, **gate.params, **_more_options(gate)},
        None if gate.widened is None else _widened(gate),
        len(gate.optional),
        gate.leading,
        gate.neutral,
    )


BUILT = (
    Form("inner", "inner(a, b)", ("a", "b"), {}, compounds.inner),
    Form("vdot", "vdot(a, b)", ("a", "b"), {}, compounds.inner),
    Form("ravel", "ravel(x)", ("x",), {}, compounds.ravel),
    Form("flatten", "flatten(x)", ("x",), {}, compounds.ravel),
    Form("hstack", "hstack([a, b])", None, {}, compounds.hstack),
    Form("vstack", "vstack([a, b])", None, {}, compounds.vstack),
    Form("linear", "linear(x, W, b)", ("x", "w", "b"), {}, compounds.linear, optional=1),
    Form("eye", "eye(3)", (), {"shape": None}, compounds.eye),
    Form("identity", "identity(3)", (), {"shape": None}, compounds.eye),
    Form("ones", "ones((2, 3))", (), {"shape": None}, compounds.filled(1)),
    Form("zeros", "zeros((2, 3))", (), {"shape": None}, compounds.filled(0)),
    Form("arange", "arange(3)", (), {"shape": None}, compounds.counted),
    Form("ones_like", "ones_like(x)", ("x",), {}, compounds.filled_like(1)),
    Form("zeros_like", "zeros_like(x)", ("x",), {}, compounds.filled_like(0)),
    Form("len", "len(x)", ("x",), {}, compounds.length),
    Form("size", "size(x), size(x, 0)", ("x",), {"axis": None}, compounds.size),
    Form("bars", "", ("x",), {}, compounds.bars),  # |x|
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
