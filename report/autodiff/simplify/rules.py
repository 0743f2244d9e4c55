"""The rules by which formulas are written: a pattern and what stands in its place, one a line.

`x`, `y` and `z` are any formulas, `a` and `b` tensors, `v` and `u` vectors, `s` and `t` numbers, `c` and `d`
coefficients, which are numbers that depend on no input, as `r` and `q` do; `m` is no 1, and `n` negative.
`k(c, x)` is x with the coefficient in front of it, which may be 1 or a sign; `all_of(s)` a tensor with the
number s in every entry; a gate that begins with a capital has options, or is one of several, the same on
both sides. `when` says what else must hold. Where a rule is no pattern, a function
from report.autodiff.simplify makes the result of what the gaps stand for.

Every rule holds in numbers, and every result comes before what it replaces in the order of
report.autodiff.simplify.order: the tests take each row by itself and show both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from report.autodiff.gates.indexing import identity
from report.autodiff.gates.table import GATES
from report.autodiff.graph import Node
from report.autodiff.simplify import sums, tensors
from report.autodiff.simplify.constants import (
    fraction,
    is_coefficient,
    is_filled,
    is_negative,
    is_number,
    split,
)
from report.autodiff.simplify.forms import (
    Call,
    Factored,
    Form,
    Gap,
    Held,
    Spread,
    form,
    gate,
    opened,
)
from report.autodiff.simplify.nodes import adds_up_to_one, is_gate, is_identity, is_symmetric
from report.autodiff.simplify.quotients import divided, multiplied


@dataclass(frozen=True, eq=False)
class Rule:
    """A pattern, what stands in its place, and what must hold of its gaps for that."""

    left: Call
    right: Form | Callable[..., Form | None]
    when: Callable[..., bool] | None = None
    names: Mapping[str, tuple[str, ...]] = field(init=False)  # the gaps that the functions ask for

    def __post_init__(self) -> None:
        asked = {}
        for key, function in (("right", self.right), ("when", self.when)):
            code = getattr(function, "__code__", None)
            needed = (
                code.co_argcount - len(getattr(function, "__defaults__", None) or ()) if code else 0
            )
            asked[key] = code.co_varnames[:needed] if code else ()
        object.__setattr__(self, "names", asked)


def rule(left: Form, right: Any, when: Callable[..., bool] | None = None) -> Rule:
    """A row of the table."""
    assert isinstance(left, Call)
    is_function = callable(right) and not isinstance(right, Form)
    return Rule(left, right if is_function else form(right), when)


# ---------------------------------------------------------------- the words of the table

x, y, z = (Gap(name) for name in "xyz")
a, b = (Gap(name, lambda n: bool(n.shape)) for name in "ab")
s, t = (Gap(name, lambda n: not n.shape) for name in "st")
c, d = (Gap(name, is_coefficient) for name in "cd")
m = Gap("m", lambda x: is_coefficient(x) and not is_number(x, 1))
n = Gap("n", lambda x: is_coefficient(x) and is_negative(x))
r, q = (Gap(name, lambda x: not x.shape and not is_coefficient(x)) for name in "rq")
made = Gap("made", lambda x: is_product(x) and (x.span is None or has_turned_factor(x)))
stacked = Gap(
    "stacked",
    lambda x: (
        is_gate(x, "matmul") and min(len(a.shape) for a in x.args) > 2 and has_turned_factor(x)
    ),
)
ONES = Gap("ONES", lambda x: is_filled(x, 1) and len(x.shape) == 1)
THREE_HALVES = Held(fraction(3, 2))
v, u = (Gap(name, lambda n: len(n.shape) == 1) for name in "vu")
I = Gap("I", is_identity)  # noqa: E741
k = Factored
all_of = Spread

exp, log, sqrt = gate("exp"), gate("log"), gate("sqrt")
square, negative, reciprocal = gate("square"), gate("negative"), gate("reciprocal")
sigmoid, tanh, softmax = gate("sigmoid"), gate("tanh"), gate("softmax")
Softmax, LogSoftmax = gate("softmax", operator="along"), gate("log_softmax", operator="along")
outer, dot, diag = gate("outer"), gate("dot"), gate("diag")
inv, solve = gate("inv"), gate("solve")
total, swap_last = gate("sum"), gate("swap_last")
Total, SumTo = gate("sum", operator="f"), gate("sum_to", operator="f")
Turned = gate("transpose", operator="f")
Divide = gate("divide", "ratio", operator="f")
Quotient = gate("divide", "ratio", operator="g")
Times = gate("multiply", operator="f")
Sum = gate("add", "subtract", operator="f")
Spread_to, Copies = (gate("broadcast_to", operator=name) for name in "fg")
Reshape = gate("reshape", operator="f")
where = gate("where")
Index, Scatter = gate("index", operator="f"), gate("scatter", operator="f")
Linear = gate(*(row.name for row in GATES.values() if row.linear), operator="f")
Bilinear = gate("outer", "matmul", "dot", "kron", operator="f")


def is_product(x: Node) -> bool:
    """Whether a node is the product of two matrices."""
    return is_gate(x, "matmul") and [len(a.shape) for a in x.args] == [2, 2]


def has_turned_factor(x: Node) -> bool:
    """Whether a product without a name has a factor Xᵀ: (Xᵀ B)ᵀ is Bᵀ X in short."""
    return x.name is None and any(is_gate(a, "transpose", "swap_last") for a in x.args)


def has_number(c: Node) -> bool:
    """Whether a coefficient is more than a sign and a constant with a name, such as 2π."""
    number, rest = split(c)
    return rest is None or not is_number(number, 1)


def is_factor(c: Node) -> bool:
    """Whether dividing by a coefficient is a factor as plain: 2, 1/4 or √(2π), but not 0.3 and not 0."""
    if c.value == 0:
        return False
    return not is_number(c) or float(c.value).is_integer() or float(1 / c.value).is_integer()


# fmt: off

RULES = [
    # nothing, one, and signs
    rule(0 * x, 0),
    rule(1 * x, x),
    rule(-1 * x, -x),
    rule(x + 0, x),
    rule(x - 0, x),
    rule(0 - x, -x),
    rule(x / 1, x),
    rule(Divide(0, x), 0),
    rule(x**1, x),
    rule(x**0, 1),
    rule(x**-1, 1 / x),
    rule(negative(-x), x),
    rule(-(x - y), y - x),
    rule(-(c * x), (-c) * x, when=has_number),
    rule(Times(-x, y), -(x * y)),
    rule(Times(x, -y), -(x * y)),
    rule(Divide(k(m, x), y), m * Divide(x, y)),
    rule(n / x, -((-n) / x)),
    rule(x + (-y), x - y),
    rule(x - (-y), x + y),
    rule(x + n, x - (-n)),
    rule(x - n, x + (-n)),
    rule(x + n * y, x - (-n) * y),
    rule(x - n * y, x + (-n) * y),

    # numbers stand in front
    rule(Times(x, y), y * x),
    rule(c * (d * x), (c * d) * x),
    rule(c * (-x), (-c) * x),
    rule(Times(c * x, y), c * (x * y)),
    rule(Times(x, c * y), c * (x * y)),
    rule(Times(s * a, b), s * (a * b)),
    rule(Times(a, s * b), s * (a * b)),
    rule(Linear(k(m, x)), m * Linear(x)),
    rule(Linear(s * a), s * Linear(a)),
    rule(Linear(Quotient(a, s)), Quotient(Linear(a), s)),
    rule(Bilinear(k(m, x), y), m * Bilinear(x, y)),
    rule(Bilinear(x, k(m, y)), m * Bilinear(x, y)),
    rule(Bilinear(s * a, y), s * Bilinear(a, y)),
    rule(Bilinear(x, s * a), s * Bilinear(x, a)),
    rule(Bilinear(Quotient(a, s), y), Quotient(Bilinear(a, y), s)),
    rule(Bilinear(x, Quotient(a, s)), Quotient(Bilinear(x, a), s)),
    rule(Times(Quotient(a, s), b), Quotient(a * b, s)),
    rule(Times(a, Quotient(b, s)), Quotient(a * b, s)),
    rule(solve(x, k(m, y)), m * solve(x, y)),
    rule(solve(x, s * a), s * solve(x, a)),
    rule(solve(x, a / s), solve(x, a) / s),
    rule(x / c, (1 / c) * x, when=is_factor),

    # one number in every entry
    rule(x * all_of(s), s * x),
    rule(all_of(s) / x, s / x),
    rule(x / all_of(s), x / s),
    rule(a + all_of(s), a + s),
    rule(a - all_of(s), a - s),
    rule(Times(a, Copies(x)), a * x),
    rule(Times(Copies(x), b), x * b),
    rule(Linear(all_of(s)), tensors.of_ones),
    rule(all_of(s) @ b, s * b, when=lambda node, b: node.args[0].shape == (1, 1) and len(b.shape) == 2),
    rule(a @ all_of(s), s * a, when=lambda node, a: node.args[1].shape == (1, 1) and len(a.shape) == 2),

    # quotients and powers
    rule(Times(x, y), multiplied),
    rule(Divide(x, y), lambda x, y, f: divided(x, y, f.gate.name)),
    rule(r * (q / t), (r * q) / t),
    rule((c / x) * y, c * (y / x)),
    rule((c / x) * d, (c * d) / x),
    rule(s * reciprocal(t), s / t),
    rule(c * (reciprocal(t) * a), (c / t) * a),
    rule(c * ((d / t) * a), ((c * d) / t) * a),
    rule(x * sqrt(x), x ** THREE_HALVES),
    rule(sqrt(x) ** 2, x),
    rule(square(sqrt(x)), x),
    rule(reciprocal(x) ** c, 1 / x**c),

    # exponentials
    rule(exp(log(x)), x),
    rule(log(exp(x)), x),
    rule(exp(LogSoftmax(x)), lambda x, along: Call("softmax", (Held(x),), options=along.params)),
    rule(exp(opened(x - gate("logsumexp")(x))), softmax(x), when=lambda x: len(x.shape) == 1),
    rule(reciprocal(opened(1 + exp(-x))), sigmoid(x)),
    rule(1 / opened(1 + exp(-x)), sigmoid(x)),
    rule(opened(exp(x)) / opened(1 + exp(x)), sigmoid(x)),
    rule(opened(exp(x) - exp(-x)) / opened(exp(x) + exp(-x)), tanh(x)),
    rule(opened(exp(x)) / opened(total(exp(x))), softmax(x), when=lambda x: len(x.shape) == 1),
    rule(opened(s / total(exp(x))) * opened(exp(x)), s * softmax(x), when=lambda x: len(x.shape) == 1),
    rule(Divide(opened(exp(x)), y), tensors.softmax_of),
    rule(Softmax(opened(x - y)), tensors.unshifted),
    rule(Softmax(opened(x + y)), tensors.unshifted),
    rule(1 - sigmoid(-x), sigmoid(x)),
    rule(sigmoid(x) * exp(-x), sigmoid(-x)),
    rule(sigmoid(-x) * exp(x), sigmoid(x)),

    # sums
    rule(Sum(x, y), sums.collected),
    rule(k(c, x) + k(c, y), c * (x + y), when=sums.is_common),
    rule(k(c, x) - k(c, y), c * (x - y), when=sums.is_common),
    rule(Sum(x, y), sums.with_common_factor),
    rule(Sum(x, y), sums.without_complements),
    rule(x / z + y / z, (x + y) / z),
    rule(x / z - y / z, (x - y) / z),
    rule(x / t + (s / t) * y, (x + s * y) / t),
    rule(x / t - (s / t) * y, (x - s * y) / t),
    rule((s / t) * y - x / t, (s * y - x) / t),
    rule(Sum(k(c, outer(x, z)), k(d, outer(y, z))), outer(Sum(c * x, d * y), z)),
    rule(Sum(k(c, outer(z, x)), k(d, outer(z, y))), outer(z, Sum(c * x, d * y))),
    rule(Sum(x, y), sums.of_products),
    rule(Sum(k(c, x @ z), k(d, y @ z)), Sum(c * x, d * y) @ z, when=lambda x, y, z: len(x.shape) == len(y.shape)),
    rule(Sum(k(c, diag(v)), k(d, diag(u))), diag(Sum(c * v, d * u)), when=lambda v, u: v.shape == u.shape),
    rule(x * (y / x - z), y - x * z),
    rule(x * (z - y / x), x * z - y),
    rule(x * (y / x + z), y + x * z),
    rule(Times(x, y), sums.multiplied_out),

    # sums over entries
    rule(total(v * u), dot(v, u), when=lambda v, u: v.shape == u.shape),
    rule(v @ u, dot(v, u)),
    rule(Total(x), tensors.total_of),
    rule(SumTo(x), tensors.summed_to),
    rule(dot(x + c, y), dot(x, y) + c, when=lambda y: adds_up_to_one(y, None)),

    # transposes
    rule(Turned(x), x, when=lambda x: len(x.shape) < 2),
    rule(x.T.T, x),
    rule(swap_last(swap_last(x)), x),
    rule(x.T, x, when=is_symmetric),
    rule(outer(x, y).T, outer(y, x)),
    rule(made.T, lambda made: Held(made.args[1]).T @ Held(made.args[0]).T),
    rule(swap_last(stacked), lambda stacked: swap_last(stacked.args[1]) @ swap_last(stacked.args[0])),
    rule(inv(x).T, inv(x.T)),
    rule(Turned(x), tensors.turned),

    # products of matrices
    rule(I @ x, x),
    rule(x @ I, x),
    rule(diag(v) @ u, v * u),
    rule(diag(v) @ diag(u), diag(u * v)),
    rule(solve(x, I), inv(x)),
    rule(diag(diag(v)), v),
    rule(diag(ONES), lambda ONES: Held(identity(ONES))),
    rule(diag(outer(x, y)), x * y, when=lambda x, y: x.shape == y.shape),

    # what is moved, picked and put back
    rule(Reshape(x), tensors.reshaped),
    rule(Spread_to(x), tensors.reshaped),
    rule(SumTo(x), tensors.reshaped),
    rule(Index(x), tensors.piece),
    rule(Scatter(all_of(s)), tensors.one_hot_rows),
    rule(Scatter(s), s * Scatter(1), when=lambda s: not is_number(s, 1)),
    rule(a * opened(Scatter(y)), lambda a, y, f: Scatter(Held(y) * tensors.picked(a, f)), when=lambda a, f: tuple(f.params["shape"]) == a.shape),
    rule(dot(x, opened(Scatter(y))), tensors.total_picked),

    # choices
    rule(where(Gap("c"), y, z), tensors.chosen),
    rule(x * where(Gap("c"), y, z), tensors.chosen_times),
    rule(x * x, x, when=tensors.is_truth),
    rule(gate("radians", operator="f")(x), lambda x, f: Held(tensors.unit(f.gate)) * Held(x)),
    rule(gate("degrees", operator="f")(x), lambda x, f: Held(tensors.unit(f.gate)) * Held(x)),
]
# fmt: on
