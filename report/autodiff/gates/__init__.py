"""The gate table.

A gate is one row: its name (NumPy's), its forward function, how it is written, and for each argument
ONE backward rule, a vector-Jacobian product `rule(g, y, *args)`: `g` is the upstream gradient, `y` the
gate's own value. Rules are written with operators and gates, so that they take arrays and graph nodes
alike: with arrays a rule gives numbers, with nodes it gives the backward graph, which everything else
reads. Elementwise rules may ignore broadcasting: `backprop.pull_back` sums over the broadcast axes.

Columns: `sign` is what the figure shows; `latex` the notation over the printed arguments, where `{0:3}`
asks for brackets round an argument that binds weaker than 3 (`binding` is the gate's own), and `{exp}...{end}` is
e to the power of something, `{sigma}` the sigmoid, for which another notation stands beside an input e or sigma; `params` are
options that are no numbers to differentiate, such as axis, with their defaults; `sympy` the function as
sympy knows it, `steps` what leads from its derivative there to the rule; `python` the code for one
number with the standard library, `numpy` the code for arrays; `domain` what an argument must fulfil;
`kink` where the derivative is taken by `convention` (PyTorch's); `why` one sentence for the derivation;
`jacobian` the whole local derivative of a gate between vectors as a matrix, `jacobian(y, *args)` for
each argument; `integers` the arguments that are an index, a label or a mask; `rule_at` makes the rules
of a gate with any number of arguments; `form` what the gate is written as where a template will not do;
`named` a function whose name a formula keeps where sympy knows it by simpler ones, `by_sympy` one whose
entry is written as sympy writes it; `powered`: sin²(x) is a power of its value, `of_matrix`: the notation, and
how it binds, where a square matrix as a whole has this function too; `varied` the options by which the row's name means another (`variant` says which), `neutral` those with the one
value that says what the gate does anyway; `squared` the gate of its square; `widened` how it takes more shapes, by way of other gates (`compounds`); `in_numbers`: its value stands in the numbers of a rule; `ties`: equal
entries share the gradient, and `tie` says how where the gate is a bracket; `plain` the gate that is the same
for such arguments; `saturates` at an "end", on one "side" or in a "row"; `why_with` the sentence where some
arguments are constant; `note` what the legend says of its notation; `condition` what stands in the bracket
𝟙[...] of a gate that is 1 where it holds and else 0, `opposite` the gate that holds where it does not; `of_two` the
gate that a reduction is of two values, max(0, x); `torch_order` the arguments in the order in which PyTorch takes
them where an option stands second; `linear`: it adds, moves, copies or averages entries, so that a factor of all of
them may stand before it; `shares`: the values along its axis, without one along the last, add up to 1; `symmetric`: a
matrix that it gives is; `logarithm` the gate of its logarithm; `order` its weight in the order in which formulas are
rewritten, and its place among gates of one weight (`simplify.order`); `cyclic`: it repeats itself, so that a coarse
argument says nothing. A row without `usage` is for backward graphs only; the names of
the arguments in `usage` are those by which a formula may give them.
"""

from report.autodiff.gates import composites as _composites  # noqa: F401 - their rows
from report.autodiff.gates import windows as _windows  # noqa: F401
from report.autodiff.gates.activations import log_softmax, sigmoid, softmax
from report.autodiff.gates.algebra import matmul, outer
from report.autodiff.gates.arithmetic import add, multiply, negative, square
from report.autodiff.gates.indexing import broadcast_to, fit_to, index, reshape, sum_to
from report.autodiff.gates.keys import Key, Place
from report.autodiff.gates.losses import cross_entropy
from report.autodiff.gates.reductions import total
from report.autodiff.gates.shapes import axes_of, broadcast, count, kept, reduced, shapes_text
from report.autodiff.gates.table import (
    ATOM,
    CALL,
    GATES,
    MATRIX_PRODUCT,
    POWER,
    PRODUCT,
    SUM,
    apply,
)

GROUPS = (
    "arithmetic",
    "exponential",
    "trigonometry",
    "activations",
    "choices",
    "linear algebra",
    "convolutions",
    "normalisation",
    "reductions",
    "shapes",
    "losses",
    "",  # gates of backward graphs only
)
_rows = sorted(GATES.items(), key=lambda row: GROUPS.index(row[1].group))
GATES.clear()
GATES.update(_rows)

__all__ = [
    "ATOM",
    "CALL",
    "GATES",
    "GROUPS",
    "MATRIX_PRODUCT",
    "POWER",
    "PRODUCT",
    "SUM",
    "Key",
    "Place",
    "add",
    "apply",
    "axes_of",
    "broadcast",
    "broadcast_to",
    "count",
    "cross_entropy",
    "fit_to",
    "index",
    "kept",
    "log_softmax",
    "matmul",
    "multiply",
    "negative",
    "outer",
    "reduced",
    "reshape",
    "shapes_text",
    "sigmoid",
    "softmax",
    "square",
    "sum_to",
    "total",
]
