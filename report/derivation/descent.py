"""The update of gradient descent as formulas: the rule, and the first step of each input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from report import number_format
from report.autodiff.descent import MEMORY, SECOND, Descent, Plan
from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.derivation.latex.symbols import GRADIENT, VALUE, partial, symbol, tensor
from report.derivation.quantity_names import Notation, factor

MAX_SHOWN = 6  # inputs whose first step is written
MAX_READ = 3  # steps in whose numbers the update is read back


@dataclass(frozen=True, eq=False)
class FirstStep:
    """The first step of one input: w ← `side` = `put_in` = `numbers`, which are those of `value`.

    `put_in` has the numbers of `side`, and is empty where there are many.
    """

    left: str
    side: str
    put_in: str
    numbers: str
    value: Array

    @property
    def latex(self) -> str:
        """The whole line."""
        sides = " = ".join(filter(None, [self.side, self.put_in, self.numbers]))
        return rf"{self.left} \leftarrow {sides}"


def updates(plan: Plan) -> tuple[tuple[str, str], ...]:
    """What each quantity of the update becomes, in this order: the moments of the gradient g, then an input w."""
    rate = number_format.number_latex(plan.rate, 12)
    if plan.method == "sgd":
        return (("w", rf"w - {rate}\,g"),)
    if plan.method == "momentum":
        return (("v", rf"{MEMORY}\,v + g"), ("w", rf"w - {rate}\,v"))
    rest, second = 1 - MEMORY, 1 - SECOND
    return (
        ("m", rf"{MEMORY}\,m + {rest:.1g}\,g"),
        ("s", rf"{SECOND}\,s + {second:.1g}\,g^{{2}}"),
        (r"\hat{m}", rf"\frac{{m}}{{1 - {MEMORY}^{{t}}}}"),
        (r"\hat{s}", rf"\frac{{s}}{{1 - {SECOND}^{{t}}}}"),
        ("w", rf"w - {rate}\,\frac{{\hat{{m}}}}{{\sqrt{{\hat{{s}}}} + 10^{{-8}}}}"),
    )


def rule(plan: Plan, letter: str) -> tuple[str, ...]:
    """The update of one input w with the gradient g, as displayed lines."""
    slope = rf"g = \frac{{\partial {letter}}}{{\partial w}}"
    told = [
        " ".join((left, "=" if "hat" in left else r"\leftarrow", side))
        for left, side in updates(plan)
    ]
    if plan.method == "adam":
        return (
            r", \quad ".join([*told[:2], slope]),
            r", \quad ".join([*told[2:], r"t = 1, 2, \ldots"]),
        )
    return (r", \quad ".join([*told, slope]),)


def updates_in_numbers(
    descent: Descent,
) -> Iterator[tuple[tuple[str, str, Array], Mapping[str, Array]]]:
    """The update as it was taken: what is told, its formula, its number, and the numbers of the names in it.

    Of each input the entry with the steepest slope, in the first steps. The moments are told as sums over
    all steps before, not step by step as the update has them.
    """
    decay = {"v": (MEMORY, 1.0), "m": (MEMORY, 1 - MEMORY), "s": (SECOND, 1 - SECOND)}
    decay |= {rf"\hat{{{name}}}": decay[name] for name in "ms"}

    def moment(name: str, slopes: Sequence[float]) -> Array:
        memory, weight = decay[name]
        powers = [g * g if "s" in name else g for g in slopes]
        terms = (weight * memory**age * g for age, g in enumerate(reversed(powers)))
        whole = 1 - memory ** len(slopes) if "hat" in name else 1.0
        return np.float64(math.fsum(terms) / whole)

    for name in descent.names[:MAX_SHOWN]:
        start = np.abs(descent.gradients[0][name])
        at = np.unravel_index(int(np.argmax(start)), start.shape)
        slopes = [float(np.asarray(g[name])[at]) for g in descent.gradients]
        points = [np.float64(np.asarray(p[name])[at]) for p in descent.points]
        for t in range(1, min(len(points), MAX_READ + 1)):
            known: dict[str, Array] = {n: moment(n, slopes[: t - 1]) for n in "vms"}
            known |= {"w": points[t - 1], "g": np.float64(slopes[t - 1]), "t": np.float64(t)}
            for left, side in updates(descent.plan):
                expected = points[t] if left == "w" else moment(left, slopes[:t])
                yield (left, side, expected), dict(known)
                known[left] = expected


def first_steps(trace: Trace, descent: Descent) -> tuple[FirstStep, ...]:
    """w ← w − η ∂f/∂w of each input, with its numbers; none where another rule takes the step."""
    if descent.plan.method == "adam" or len(descent.names) > MAX_SHOWN:
        return ()
    rate = number_format.number_latex(descent.plan.rate, 12)
    f = Notation(trace).f
    found = []
    for name in descent.names:
        value = np.asarray(descent.points[1][name])
        own = symbol(name, value.shape)
        shown = tensor(value, VALUE)
        start, slope = descent.points[0][name], descent.gradients[0][name]
        put_in = rf"{tensor(start, VALUE)} - {rate} \cdot {factor(tensor(slope, GRADIENT))}"
        side = rf"{own} - {rate}\,{partial(f, own)}"
        found.append(FirstStep(own, side, "" if value.shape else put_in, shown, value))
    return tuple(found)
