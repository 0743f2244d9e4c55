"""How far a printed number may be from the one that it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from report.autodiff.graph import Array
from report.autodiff.rounding_error import ROUNDING, scales
from report.autodiff.trace import Trace
from report.student.printed import Number
from report.student.walk import Key

SINGLE = 3e-6  # of the terms that a number comes from: what single precision explains
_ROUGH = 0.05  # relative: one unit of the last digit is never taken for more than this


@dataclass(frozen=True)
class Own:
    """What a student has for a value or gradient, in its shape; NaN for entries that are not there."""

    value: Array
    unit: Array
    digits: int
    line: int = 0
    text: str = field(default="", compare=False)
    reshaped: bool = False  # printed in another shape


class Ruler:
    """How far a number may be from another one: a unit of its last digit, and rounding on the way."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        found = scales(trace)
        self.scale = {
            (node, gradient): (s.gradient if gradient else s.value)
            for node, s in found.items()
            for gradient in (False, True)
        }

    def close(self, key: Key, own: Own, other: Array) -> Array:
        """For each entry whether rounding explains the difference; true where there is no entry."""
        if own.value.ndim == 0 and np.ndim(other) == 0:
            return self._near(key, float(own.value), float(own.unit), float(other))
        size = np.abs(other)
        allowed = np.maximum(np.minimum(own.unit, _ROUGH * size), 0.5001 * own.unit)
        allowed = np.maximum(allowed, 1e-9 * size) + 100 * ROUNDING * self._size(key, other)
        with np.errstate(invalid="ignore"):
            near = np.abs(own.value - other) <= allowed * (1 + 1e-9)
        return near | np.isnan(own.value)

    def _near(self, key: Key, value: float, unit: float, other: float) -> Any:
        """The same for one number, in a tenth of the time."""
        size = abs(other)
        allowed = max(min(unit, _ROUGH * size), 0.5001 * unit, 1e-9 * size)
        allowed += 100 * ROUNDING * max(self.scale.get(key, 0.0), size)
        return np.bool_(value != value or abs(value - other) <= allowed * (1 + 1e-9))

    def agrees(self, key: Key, own: Own, other: Array) -> bool:
        """Whether rounding explains all of the difference."""
        return bool(np.all(self.close(key, own, other)))

    def single(self, key: Key, own: Own, other: Array) -> bool:
        """Whether single precision explains the difference, and the number is one of it."""
        if own.digits < 7:
            return False
        value = np.where(np.isnan(own.value), other, own.value)
        near = np.abs(value - other) <= SINGLE * np.maximum(np.abs(other), self._size(key, other))
        stored = np.abs(
            value - np.asarray(value, dtype=np.float32).astype(float)
        ) <= own.unit + 1e-15 * np.abs(value)
        return bool(np.all(near & stored))

    def _size(self, key: Key, other: Array) -> float:
        largest = float(np.max(np.abs(np.asarray(other)), initial=0.0))
        return max(self.scale.get(key, 0.0), largest)


def in_shape(number: Number, key: Key, line: int) -> Own:
    """A number in the shape of what it stands for; in its own where it does not fit."""
    shape = key[0].shape
    value, unit = number.value, number.unit
    reshaped = False
    if value.shape != shape and value.size == int(np.prod(shape)):
        if value.ndim == 2 and value.shape == shape[::-1] and 1 not in shape:
            value, unit = value.T, unit.T
        else:
            value, unit = value.reshape(shape), unit.reshape(shape)
    elif value.shape != shape:
        reshaped = True
    return Own(value, unit, number.digits, line, number.text, reshaped)


def place_in(shape: tuple[int, ...], place: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where an entry or a row is; a place may leave out the axes of one entry."""
    long = [axis for axis, n in enumerate(shape) if n > 1]
    if len(place) == len(long) < len(shape):
        whole = [0] * len(shape)
        for axis, i in zip(long, place, strict=True):
            whole[axis] = i
        place = tuple(whole)
    known = len(place) <= len(shape) and all(0 <= i < n for i, n in zip(place, shape, strict=False))
    return place if known else None
