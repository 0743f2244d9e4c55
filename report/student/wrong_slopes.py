"""Known mistakes in a backward rule, each as another rule in the place of the right one.

A rule takes the upstream gradient, the gate's value and its arguments, and gives what the gate sends back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import Array, Node
from report.student.mistakes import (
    ANGLES,
    BASES,
    DIGITS,
    PRECISIONS,
    TURN,
    Mistake,
    alike,
    counts,
    derivative,
    has_log,
    in_precision,
)


def in_slope(node: Node, place: int, told: str, before: Mistake | None) -> Iterator[Mistake]:
    """Mistakes in what a gate sends back to an argument, the usual ones first.

    `before` is the mistake in its value, if any: the right derivative of that is no new mistake.
    """
    gate, params = node.gate, dict(node.params)
    rules = gate.rules_for(len(node.args))
    rule = rules[place]
    if rule is None:
        return

    def right(g: Array, y: Array, *xs: Array) -> Array:
        return rule(g, y, *xs, **params)

    if before is not None and before.smooth:
        yield Mistake("", "", derivative(before.function, place))
    if gate.group == ANGLES:
        yield from _slopes_of_angles(right, before)
    one = len(node.args) == 1
    yield Mistake(
        "local derivative", "the local derivative is forgotten", lambda g, y, *xs: g + 0 * y
    )
    yield Mistake("upstream", "the upstream gradient is left out",
                  lambda g, y, *xs: right(np.ones_like(g), y, *xs))  # fmt: skip
    yield Mistake("sign", "the sign is turned", lambda *ns: -right(*ns))
    if one and gate.elementwise:
        yield from _points(node, right)
    yield Mistake("factor 2", "a factor 2 is left out", lambda *ns: right(*ns) / 2)
    yield Mistake("factor 2", "a factor 2 is too many", lambda *ns: 2 * right(*ns))
    yield from _crossed(node, place, right, rules)
    if gate.kink is not None:
        side = f"the slope is that of the other side of the kink of {gate.name}"
        yield Mistake("kink", side, lambda g, y, *xs: right(g, -y, *(-x for x in xs)))
        for step in (1e-9, -1e-9):
            yield Mistake(
                "kink", side, lambda g, y, *xs, s=step: right(g, y + s, *(x + s for x in xs))
            )
    yield from _sizes(node, right)
    yield from _slopes_of_others(node, place, told)
    yield from _slopes_along(node, rule, params)
    yield from _factors(node, right)
    if gate.group in ("arithmetic", "reductions"):
        yield Mistake(
            "integer division", "the rest is cut off, as // does", lambda *ns: np.floor(right(*ns))
        )
    for digits in DIGITS:
        words = f"rounded to {digits} digit{'s' * (digits > 1)} before the slope of {told}"
        yield Mistake(
            "rounding", words, lambda g, *ns, d=digits: right(g, *(np.round(n, d) for n in ns))
        )
        yield Mistake("rounding", words, lambda g, *ns, d=digits: right(np.round(g, d), *ns))
        yield Mistake("rounding", words, lambda *ns, d=digits: right(*(np.round(n, d) for n in ns)))
        yield Mistake("rounding", words, lambda *ns, d=digits: np.round(right(*ns), d))
    for words, number in PRECISIONS:
        yield Mistake(
            "float32", f"computed in {words}", lambda *ns, k=number: in_precision(k, right, ns)
        )


def _slopes_of_angles(right: Callable[..., Array], before: Mistake | None) -> Iterator[Mistake]:
    lost = "the slope is taken of degrees, and its factor π/180 is lost"
    kind = "π/180 lost" if before is not None and before.kind == "degrees" else "degrees"
    yield Mistake(kind, lost, lambda g, y, *xs: right(g, y, *(x * TURN for x in xs)))
    yield Mistake("degrees", "the slope is taken of degrees",
                  lambda g, y, *xs: TURN * right(g, y, *(x * TURN for x in xs)))  # fmt: skip
    yield Mistake("π/180 lost", "the factor π/180 of the change to radians is lost",
                  lambda *ns: right(*ns) / TURN)  # fmt: skip
    yield Mistake("degrees", "a factor π/180 is too many", lambda *ns: right(*ns) * TURN)


def _points(node: Node, right: Callable[..., Array]) -> Iterator[Mistake]:
    """The derivative at the wrong point: at the output for the input, or the reverse."""

    def again(y: Array) -> Array:
        return node.gate.forward(y, **node.params)

    at = f"the derivative of {node.gate.name} is taken at its output, not at its input"
    yield Mistake("at output", at, lambda g, y, x: right(g, y, y))
    yield Mistake("at output", at, lambda g, y, x: right(g, again(y), y))
    yield Mistake("at input", f"the slope of {node.gate.name} is computed from its input, not from its output",
                  lambda g, y, x: right(g, x, x))  # fmt: skip
    yield Mistake("function for slope", f"{node.gate.name} itself stands in the place of its derivative",
                  lambda g, y, x: g * y)  # fmt: skip


def _crossed(
    node: Node, place: int, right: Callable[..., Array], rules: Sequence[Any]
) -> Iterator[Mistake]:
    """Factors swapped and transposed."""
    params = dict(node.params)
    for other, rule in enumerate(rules):
        if other != place and rule is not None:
            yield Mistake("swapped", "the factors are swapped: each argument gets its own, not the other's",
                          lambda g, y, *xs, r=rule: r(g, y, *xs, **params))  # fmt: skip
    if len(node.args) == 2:
        yield Mistake(
            "swapped", "the two arguments are swapped", lambda g, y, a, b: right(g, y, b, a)
        )
    for i, arg in enumerate(node.args):
        if len(arg.shape) == 2 and max(arg.shape) > 1:
            yield Mistake("transposed", "a factor is not transposed as it should be",
                          lambda g, y, *xs, i=i: right(g, y, *(x.T if j == i else x for j, x in enumerate(xs))))  # fmt: skip
    yield Mistake("transposed", "the result is transposed", lambda *ns: right(*ns).T)
    yield Mistake(
        "transposed", "the upstream gradient is transposed", lambda g, *ns: right(g.T, *ns)
    )
    yield Mistake("swapped", "the factors of the matrix product are swapped",
                  lambda g, y, *xs: right(g.T, y.T, *(x.T for x in xs)).T)  # fmt: skip
    yield Mistake("transposed", "the product is taken the other way round",
                  lambda g, y, *xs: (right(g, y, *(x.T for x in xs))))  # fmt: skip


def _slopes_of_others(node: Node, place: int, told: str) -> Iterator[Mistake]:
    for other in GATES.values():
        if not alike(node.gate, other):
            continue
        rule = other.rules[place]
        if rule is None:
            continue
        own = {k: v for k, v in node.params.items() if k in other.params}
        yield Mistake(f"slope of {other.name}", f"the derivative of {other.name} is taken for that of {told}",
                      lambda g, y, *xs, r=rule, p=own: r(g, y, *xs, **p))  # fmt: skip
        yield Mistake(f"slope of {other.name}", f"the derivative of {other.name} is taken for that of {told}",
                      lambda g, y, *xs, r=rule, p=own, o=other: r(g, o.forward(*xs, **p), *xs, **p))  # fmt: skip


def _slopes_along(
    node: Node, rule: Callable[..., Array], params: dict[str, Any]
) -> Iterator[Mistake]:
    """Along another axis; of a whole Jacobian its diagonal only."""
    if "axis" in node.gate.params and node.args[0].shape:
        for axis in range(len(node.args[0].shape)):
            if axis != params.get("axis"):
                yield Mistake("axis", f"the slope of {node.gate.name} goes along axis {axis}",
                              lambda g, y, *xs, a=axis: rule(g, y, *xs, **{**params, "axis": a}))  # fmt: skip
    if node.gate.jacobian and node.shape and node.shape == node.args[0].shape:
        yield Mistake("diagonal only", f"of the Jacobian of {node.gate.name} only the diagonal is used",
                      lambda g, y, *xs: g * y * (1 - y))  # fmt: skip
    if has_log(node.gate):
        for base, size in BASES.items():
            words = f"the logarithm is taken to base {base}"
            yield Mistake(
                "log base", words, lambda g, y, *xs, s=size: rule(g, y, *xs, **params) / s
            )
            yield Mistake(
                "log base", words, lambda g, y, *xs, s=size: rule(g, y, *xs, **params) * s
            )


def _factors(node: Node, right: Callable[..., Array]) -> Iterator[Mistake]:
    """One factor too few or too many: the square of 1/x² forgotten, the x of 2x."""
    for i in range(1, len(node.args) + 2):
        what = (
            "its value"
            if i == 1
            else "its argument"
            if len(node.args) == 1
            else f"argument {i - 1}"
        )
        yield Mistake("factor left out", f"one factor, {what}, is left out",
                      lambda *ns, i=i: right(*ns) / ns[i])  # fmt: skip
        yield Mistake("factor too many", f"one factor, {what}, is too many",
                      lambda *ns, i=i: right(*ns) * ns[i])  # fmt: skip
        yield Mistake("factor left out", f"a factor, the square of {what}, is left out",
                      lambda *ns, i=i: right(*ns) / ns[i] ** 2)  # fmt: skip
        yield Mistake("factor left out", f"it is not divided by the square of {what}",
                      lambda *ns, i=i: right(*ns) * ns[i] ** 2)  # fmt: skip


def _sizes(node: Node, right: Callable[..., Array]) -> Iterator[Mistake]:
    for n in counts(node):
        yield Mistake(
            "sum for mean", f"not divided by {n}, as the mean asks", lambda *ns, n=n: right(*ns) * n
        )
        yield Mistake(
            "mean for sum", f"divided by {n}, as for a mean", lambda *ns, n=n: right(*ns) / n
        )
