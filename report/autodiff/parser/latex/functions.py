r"""What functions are called in LaTeX: \sin, \operatorname{ReLU}, \mathrm{softmax} -> the name of the function here."""

from __future__ import annotations

import re

from report.autodiff.gates import GATES
from report.autodiff.gates.shapes import along, reduced
from report.autodiff.parser.names import FORMS

_SAME = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "arcsin",
    "arccos",
    "arctan",
    "exp",
    "log",
    "det",
    "sec",
    "csc",
    "cot",
    "sech",
    "csch",
    "coth",
    "arcsinh",
    "arccosh",
    "arctanh",
    "erf",
    "trace",
    "diag",
    "sigmoid",
    "relu",
    "softmax",
    "mean",
    "norm",
]
BIG = {  # signs with an index below
    r"\sum": "sum",
    r"\prod": "prod",
    r"\max": "max",
    r"\min": "min",
    r"\sup": "max",
    r"\inf": "min",
}
FUNCTIONS: dict[str, str] = {  # commands
    **{name: name for name in _SAME},
    "ln": "log", "lg": "log10", "tr": "trace", "Tr": "trace", "tg": "tan", "ctg": "cot", "arctg": "arctan",
    "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "cosec": "csc", "diag": "diag",
}  # fmt: skip
# what a command that nobody knows may have been meant for
COMMANDS = (*FUNCTIONS, "frac", "sqrt", "sum", "prod", "alpha", "lambda")
_NO_OPERATOR = frozenset({"Var", "Std", "SD", "Cov", "E", "P", "index", "where", "I"})
_OF_MATRICES = ("exponential", "trigonometry")  # groups of gates that are power series
_PRINTED = re.compile(
    r"\\operatorname\{\{([A-Za-z0-9\\_]+)\}\}\\left\("
)  # the word of a row's notation
_WORDS = {
    **{
        found[1].replace(r"\_", "").lower(): gate.name
        for gate in reversed(GATES.values())
        if (found := _PRINTED.match(gate.latex))
    },
    **{name.replace("_", ""): FORMS[name].name for name in FORMS},
    **{name.lower(): of for name, of in FUNCTIONS.items()},
    "broadcast": "broadcast_to", "sign": "sign", "sgn": "sign", "lse": "logsumexp", "logit": "logit", "min": "min", "max": "max", "log2": "log2",
    "log10": "log10", "expit": "sigmoid", "positivepart": "relu", "rmse": "rmse", "vec": "ravel", "vech": "",
    "concat": "concatenate", "hadamard": "multiply", "trace": "trace", "elu": "elu", "logsoftmax": "log_softmax",
    "leakyrelu": "leaky_relu", "lrelu": "leaky_relu", "relu6": "relu6", "heaviside": "", "bce": "binary_cross_entropy",
    "ce": "cross_entropy", "crossentropy": "cross_entropy", "kl": "kl_div", "mae": "l1", "sum": "sum", "prod": "prod",
    "avg": "mean", "silu": "swish", "dist": "", "rank": "", "span": "", "argmax": "", "argmin": "",
}  # fmt: skip


def function_name(word: str) -> str | None:
    """The name of the function that a word means, None for one that nobody knows."""
    if word in _NO_OPERATOR:
        return None
    plain = word.replace(" ", "").replace("-", "").replace(r"\_", "").replace("_", "")
    if len(plain) < 2:
        return None
    if plain in _WORDS or plain.lower() in _WORDS:
        return _WORDS.get(plain, _WORDS.get(plain.lower())) or None
    return next((name for name in FORMS if name.replace("_", "") == plain), None)


def is_along_axis(name: str) -> bool:
    """Whether a function takes the entries along an axis together, and keeps the shape."""
    return name in GATES and GATES[name].shape is along


def is_total(name: str) -> bool:
    """Whether a function adds, multiplies or compares all entries, so that a power inside is one of entries."""
    return name in GATES and GATES[name].shape is reduced and GATES[name].group == "reductions"


def is_power_series(name: str) -> bool:
    """Whether a function of one number is that of a square matrix as a whole as well."""
    gate = GATES.get(name)
    return gate is not None and bool(gate.of_matrix) and gate.group in _OF_MATRICES


def is_entrywise(name: str) -> bool:
    """Whether a function of one number takes a tensor entry by entry."""
    gate = GATES.get(name)
    return gate is not None and gate.elementwise and len(gate.rules) == 1
