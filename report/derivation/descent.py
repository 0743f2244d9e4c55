"""The update of gradient descent as formulas: the rule, and the first step of each input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from report import number_format
from report.autodiff.descent import MEMORY, SECOND, Descent, Plan
from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.derivation.latex.symbols import VALUE, partial, symbol, tensor
from report.derivation.quantity_names import Notation

MAX_SHOWN = 6  # inputs whose first step is written


@dataclass(frozen=True, eq=False)
class FirstStep:
    """The first step of one input: w ← `side` = `numbers`, which are those of `value`."""

    left: str
    side: str
    numbers: str
    value: Array

    @property
    def latex(self) -> str:
        """The whole line."""
        return rf"{self.left} \leftarrow {self.side} = {self.numbers}"


def rule(plan: Plan, letter: str) -> tuple[str, ...]:
    """The update of one input w with the gradient g, as displayed lines."""
    rate = number_format.number_latex(plan.rate)
    slope = rf"g = \frac{{\partial {letter}}}{{\partial w}}"
    if plan.method == "sgd":
        return (rf"w \leftarrow w - {rate}\,g, \quad {slope}",)
    if plan.method == "momentum":
        return (rf"v \leftarrow {MEMORY}\,v + g, \quad w \leftarrow w - {rate}\,v, \quad {slope}",)
    rest, second = 1 - MEMORY, 1 - SECOND
    return (
        rf"m \leftarrow {MEMORY}\,m + {rest:.1g}\,g, \quad s \leftarrow {SECOND}\,s + {second:.1g}\,g^{{2}}, \quad {slope}",
        rf"t = 1, 2, \ldots\colon\quad w \leftarrow w - {rate}\,\frac{{m / (1 - {MEMORY}^{{t}})}}{{\sqrt{{s / (1 - {SECOND}^{{t}})}} + 10^{{-8}}}}",
    )


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
        shown = tensor(value, VALUE)[0]
        found.append(FirstStep(own, rf"{own} - {rate}\,{partial(f, own)}", shown, value))
    return tuple(found)
