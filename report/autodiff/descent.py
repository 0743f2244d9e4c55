"""Gradient descent from the inputs of a trace: a few steps, each with its value and gradient.

SGD: w ← w − η g. Momentum (as in PyTorch): v ← 0.9 v + g, w ← w − η v. Adam (Kingma and Ba, 2015):
m ← 0.9 m + 0.1 g, s ← 0.999 s + 0.001 g², w ← w − η m̂ / (√ŝ + 10⁻⁸) with m̂ = m / (1 − 0.9ᵗ) and
ŝ = s / (1 − 0.999ᵗ).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.backprop import backward, forward
from report.autodiff.graph import Array
from report.autodiff.trace import Trace, as_lists
from report.errors import ReportError

METHODS = {  # and what they are called
    "sgd": "gradient descent",
    "momentum": "gradient descent with momentum",
    "adam": "Adam",
}
MAX_STEPS = 1000
MEMORY, SECOND, TINY = 0.9, 0.999, 1e-8  # of momentum and Adam; Adam's second moment; its ε


@dataclass(frozen=True)
class Plan:
    """How many steps of what length, by which of METHODS."""

    steps: int
    rate: float
    method: str = "sgd"


@dataclass(frozen=True, eq=False)
class Descent:
    """The way down: `points`, `values` and `gradients` of step 0 (the inputs as given) to the last."""

    plan: Plan
    names: tuple[str, ...]
    points: tuple[Mapping[str, Array], ...]
    values: tuple[float, ...]
    gradients: tuple[Mapping[str, Array], ...]

    def length(self, step: int) -> float:
        """The norm of the gradient at a step."""
        return math.sqrt(sum(float(np.sum(g * g)) for g in self.gradients[step].values()))

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers."""
        return {
            "method": self.plan.method,
            "rate": self.plan.rate,
            "steps": [
                {"value": value, "inputs": {n: as_lists(w) for n, w in point.items()}}
                for value, point in zip(self.values, self.points, strict=True)
            ],
        }


def descend(trace: Trace, plan: Plan) -> Descent:
    """Go down from where a trace is, along the gradients by its `wrt`.

    Raises ReportError where a step leaves the function's domain.
    """
    if not trace.wrt or trace.graph.result.is_constant:
        raise ReportError("steps: the function depends on no input that a step could change")
    fixed = {q.name: q.value for q in trace.inputs}
    point = {name: fixed[name] for name in trace.wrt}
    update = _UPDATES[plan.method](plan.rate)
    points, values, gradients = [], [], []
    for step in range(plan.steps + 1):
        try:
            numbers = forward(trace.graph, fixed | point)
            slopes, _ = backward(trace.graph, numbers, trace.wrt)
        except ReportError as error:
            raise ReportError(
                f"steps: step {step} cannot be taken: {error}\nTake fewer steps, or a smaller rate."
            ) from None
        found = {name: slopes.get(trace.graph.inputs[name]) for name in trace.wrt}
        gradient = {n: np.zeros_like(point[n]) if g is None else g for n, g in found.items()}
        points.append(point)
        values.append(float(np.asarray(numbers[trace.graph.result]).item()))
        gradients.append(gradient)
        point = {name: update(name, step + 1, point[name], gradient[name]) for name in trace.wrt}
    return Descent(plan, trace.wrt, tuple(points), tuple(values), tuple(gradients))


Update = Callable[[str, int, Array, Array], Array]  # (name, step from 1, point, gradient) -> point


def _sgd(rate: float) -> Update:
    return lambda name, t, w, g: w - rate * g


def _momentum(rate: float) -> Update:
    velocity: dict[str, Array] = {}

    def update(name: str, t: int, w: Array, g: Array) -> Array:
        velocity[name] = MEMORY * velocity.get(name, 0.0) + g
        return w - rate * velocity[name]

    return update


def _adam(rate: float) -> Update:
    first: dict[str, Array] = {}
    second: dict[str, Array] = {}

    def update(name: str, t: int, w: Array, g: Array) -> Array:
        first[name] = MEMORY * first.get(name, 0.0) + (1 - MEMORY) * g
        second[name] = SECOND * second.get(name, 0.0) + (1 - SECOND) * g * g
        m, s = first[name] / (1 - MEMORY**t), second[name] / (1 - SECOND**t)
        return w - rate * m / (np.sqrt(s) + TINY)

    return update


_UPDATES: Mapping[str, Callable[[float], Update]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
}
