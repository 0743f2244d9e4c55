"""Gates that mix or move entries, and choices: results that a pattern alone does not tell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from report.autodiff.form import Form as GateForm
from report.autodiff.gates import Place
from report.autodiff.gates.table import GATES, apply
from report.autodiff.graph import INPUT, Gate, Node, Shape, constant, make
from report.autodiff.simplify.constants import (
    factored,
    is_coefficient,
    is_filled,
    is_number,
    product,
)
from report.autodiff.simplify.forms import Call, Form, Held, Number, Operator, filled
from report.autodiff.simplify.nodes import adds_up_to_one, is_gate, is_identity, same

# ---------------------------------------------------------------- sums over entries


def of_ones(s: Node, node: Node, f: Operator) -> Form | None:
    """A gate that adds, moves or copies entries that are all the same number."""
    ones = (constant(np.ones(node.args[0].shape)), *f.rest)
    one = make(f.gate, ones, f.params)
    if one.value is not None and np.ptp(one.value) == 0:
        value = float(np.ravel(one.value)[0])
        if f.gate.form is GateForm.COPIES:
            return None
        return Number(value) if is_number(s, 1) else Held(s) * value
    if is_number(s, 1) or is_number(s, 0) or one.value is None:
        return None
    return Held(s) * apply(f.gate, ones, dict(f.params))


def total_of(x: Node, node: Node, f: Operator) -> Form | None:
    """A sum of shares of 1, of what was put back, or of rows and columns, which is a product with 𝟏."""
    axis = f.params.get("axis")
    if adds_up_to_one(x, axis):
        return Number(1)
    if total := _total_of_identity(x, node.shape):
        return total
    if is_gate(x, "scatter") and axis is None and not f.params.get("keepdims"):
        return _total(x.args[0])
    if is_gate(x, "add", "subtract") and not f.params:
        return _total_of_parts(x)
    weighted = _weighted(x, axis)
    if weighted is not None:
        inner, c = weighted
        return Call("sum", (inner,), "f") + Held(c)
    if (
        len(x.shape) == 2
        and isinstance(axis, int)
        and (node.shape == (x.shape[1],) or f.params.get("keepdims"))
    ):
        return (
            None
            if node.shape == (x.shape[0],) and axis % 2
            else Call("sum_to", (Held(x),), options={"shape": node.shape})
        )
    return None


def _total_of_identity(x: Node, shape: Shape) -> Form | None:
    """The sum of c times the identity is c in each row and each column, and n c of all."""
    c, rest = factored(x)
    if not is_identity(rest) or shape == x.shape:
        return None
    return Held(product(c, constant(1 if math.prod(shape) > 1 else len(rest.value))))


def _total(x: Node) -> Form:
    return Call("sum", (Held(x),)) if x.shape else Held(x)


def _total_of_parts(x: Node) -> Form | None:
    """What is put back is added up where it came from."""
    parts, hits = [], 0
    for term in x.args:
        c, rest = factored(term)
        if term.shape != x.shape:
            return None
        if rest.gate.form is GateForm.PUT_BACK:
            hits += 1
            parts.append(_times(c, _total(rest.args[0])))
        elif (
            is_gate(rest, "multiply")
            and not rest.args[0].shape
            and rest.args[1].gate.form is GateForm.PUT_BACK
        ):
            hits += 1
            parts.append(_times(c, Held(rest.args[0]) * _total(rest.args[1].args[0])))
        else:
            parts.append(_total(term))
    return Call(x.gate.name, tuple(parts)) if hits else None


def _times(c: Node, x: Form) -> Form:
    return x if is_number(c, 1) else Held(c) * x


def _weighted(x: Node, axis: Any) -> tuple[Form, Node] | None:
    """The sum of (x + c) p over shares p of 1 is that of x p, plus c."""
    if not is_gate(x, "multiply") or x.args[0].shape != x.shape:
        return None
    for a, p in (x.args, x.args[::-1]):
        if is_gate(a, "add") and is_coefficient(a.args[1]) and adds_up_to_one(p, axis):
            return Held(a.args[0]) * Held(p), a.args[1]
    return None


def summed_to(x: Node, f: Operator) -> Form | None:
    """sum_to of what is the same for all that are added up, of shares, and of a vector."""
    shape = f.params["shape"]
    if shape == (*x.shape[:-1], 1) and adds_up_to_one(x, -1):
        return Number(1)
    if not shape and adds_up_to_one(x, None):
        return Number(1)
    if is_gate(x, "outer") and shape == x.shape[1:]:
        return _total(x.args[0]) * Held(x.args[1])
    if not shape and len(x.shape) == 1:
        return _total(x)
    if total := _total_of_identity(x, shape):
        return total
    if is_gate(x, "multiply", "divide", "ratio"):
        a, b = x.args
        if b.shape == shape and a.shape == x.shape:
            return Call(x.gate.name, (Call("sum_to", (Held(a),), "f"), Held(b)))
        if x.gate.form is GateForm.PRODUCT and a.shape == shape and b.shape == x.shape:
            return Held(a) * Call("sum_to", (Held(b),), "f")
    return None


# ---------------------------------------------------------------- softmax


def softmax_of(x: Node, y: Node, node: Node) -> Form | None:
    """exp(x) / Σ exp(x) is softmax(x), where the sum is over one axis."""
    axis = y.params.get("axis") if y.gate.form is GateForm.TOTAL else None
    if y.gate.form is GateForm.SUMMED and len(x.shape) == 2:
        axis = {(x.shape[0], 1): 1, (1, x.shape[1]): 0, (x.shape[1],): 0}.get(y.shape)
    is_kept = y.gate.form is GateForm.SUMMED or y.params.get("keepdims") or axis == 0
    if not isinstance(axis, int) or not is_kept or not same(y.args[0], node.args[0]):
        return None
    return Call("softmax", (Held(x),), options={"axis": axis})


def unshifted(x: Node, y: Node, along: Operator) -> Form | None:
    """softmax(x + y) is softmax(x), where y is the same along its axis, such as max(x)."""
    rank = len(x.shape)
    if rank == 0 or len(y.shape) > rank:
        return None
    axis = along.params.get("axis")
    at = (-1 if axis is None else axis) % rank - rank
    size = y.shape[at] if len(y.shape) >= -at else 1
    return Call("softmax", (Held(x),), "along") if size == 1 and x.shape[at] > 1 else None


# ---------------------------------------------------------------- what is moved


def reshaped(x: Node, f: Operator) -> Form | None:
    """broadcast_to, sum_to and reshape that change nothing, or come twice."""
    shape = f.params["shape"]
    if x.shape == shape:
        return Held(x)
    if is_filled(x, 0):
        return Number(0)
    if f.gate.form is not GateForm.SUMMED and is_gate(x, f.gate.name) and x.name is None:
        return Call(f.gate.name, (Held(x.args[0]),), "f")
    return None


def turned(x: Node, f: Operator) -> Form | None:
    """Axes in another order: none, two such orders as one, and the last two as a transpose."""
    axes = f.params.get("axes")
    if axes is None:
        return None
    order = tuple(i % len(axes) for i in axes)
    if order == tuple(range(len(axes))):
        return Held(x)
    if len(axes) == 2:
        return Held(x).T
    if order == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2):
        return Call("swap_last", (Held(x),))
    if is_gate(x, "transpose") and x.params.get("axes") is not None and x.name is None:
        inner = [i % len(axes) for i in x.params["axes"]]
        return Call(
            "transpose", (Held(x.args[0]),), options={"axes": tuple(inner[i] for i in order)}
        )
    return None


def piece(x: Node, f: Operator) -> Form | None:
    """The piece of a concatenation, stack or padded tensor that one part fills is that part.

    Of something computed entry by entry, the piece is computed from pieces, where that helps.
    """
    return None if f.rest or x.name is not None else _piece(x, f)


def _piece(x: Node, f: Operator) -> Form | None:
    if x.value is not None or x.name is not None:
        return None
    if x.gate.elementwise and x.shape:
        if any(a.shape not in ((), x.shape) for a in x.args):
            return None
        found = [_piece(a, f) if a.shape else Held(a) for a in x.args]
        if not any(p for p, a in zip(found, x.args, strict=True) if a.shape):
            return None
        parts = (p or Call("index", (Held(a),), "f") for p, a in zip(found, x.args, strict=True))
        return Call(x.gate.name, tuple(parts), options=x.params)
    if not is_gate(x, "concatenate", "stack", "pad"):
        return None
    for place, part in enumerate(x.args):
        rule = x.gate.rules_for(len(x.args))[place]
        assert rule is not None
        own = rule(Node(INPUT, shape=x.shape), x, *x.args, **x.params)
        if own.gate.form is GateForm.PICKED and own.params["key"] == f.params["key"]:
            return Held(part)
    return None


# ---------------------------------------------------------------- what is put back


def picked(a: Node, f: Operator) -> Form:
    """The entries of a tensor at the places of a scatter."""
    index = Operator(GATES["index"], {"key": f.params["key"]}, f.rest)
    return Call("index", (Held(a),), index)


def one_hot_rows(s: Node, node: Node, f: Operator) -> Form | None:
    """The same number in one place of each row, which its label names."""
    key, shape = f.params["key"], f.params["shape"]
    if len(shape) != 2 or len(f.rest) != 2 or not all(isinstance(k, Place) for k in key):
        return None
    rows, labels = (f.rest[k - 1] for k in key)
    if (
        rows.value is None
        or not np.array_equal(rows.value, np.arange(shape[0]))
        or labels.shape != rows.shape
    ):
        return None
    options = {"classes": shape[1]} | ({"start": key[1].start} if key[1].start else {})
    return Held(s) * Call("one_hot", (Held(labels),), options=options)


def total_picked(x: Node, y: Node, f: Operator) -> Form:
    """The inner product with what was put back: its entries times those at the same places."""
    product = Held(y) * picked(x, f)
    return Call("sum", (product,)) if y.shape else product


def is_put_back(x: Node) -> bool:
    """Whether x has entries in some places only, with a number in front or below."""
    _, x = factored(x)
    if is_gate(x, "divide") and not x.args[1].shape:
        _, x = factored(x.args[0])
    if is_gate(x, "multiply") and not x.args[0].shape:
        x = x.args[1]
    return x.gate.form is GateForm.PUT_BACK


def times_put_back(x: Node, y: Node) -> Form | None:
    """x times what has entries in some places only, where nothing is left of x in them."""
    if not is_put_back(y) or x.shape != y.shape:
        return None
    c, rest = factored(apply(GATES["multiply"], (x, y), {}))
    if (
        is_gate(rest, "multiply")
        and not rest.args[0].shape
        and rest.args[1].gate.form is GateForm.PUT_BACK
    ):
        return _times(c, Held(rest.args[0]) * Held(rest.args[1]))
    is_kept = rest.gate.form in (GateForm.PUT_BACK, GateForm.ONE_HOT)
    return _times(c, Held(rest)) if is_kept else None


# ---------------------------------------------------------------- choices


def chosen(c: Node, y: Node, z: Node) -> Form | None:
    """A choice between something and 0 is a product with the condition, 𝟙[c]."""
    for place, (a, b) in enumerate(((y, z), (z, y))):
        if is_filled(a, 0) or not is_filled(b, 0):
            continue
        number, rest = factored(a)
        if not is_number(number, 1) and not is_coefficient(rest):
            pair = (Held(rest), Held(b)) if place == 0 else (Held(b), Held(rest))
            return Held(number) * Call("where", (Held(c), *pair))
        if is_gate(a, "where") and same(a.args[0], c):
            own = Held(a.args[1 + place])
            return Call("where", (Held(c), *((own, Held(b)) if place == 0 else (Held(b), own))))
        if is_truth(c):  # else an input, any number
            return Held(a) * (Held(c) if place == 0 else _opposite(c))
    return None


def chosen_times(x: Node, c: Node, y: Node, z: Node) -> Form | None:
    """A choice times its own condition is what is chosen then, and with the opposite the other one."""
    if same(x, c):
        return Held(y) * Held(x)
    if c.gate.opposite and same(x, filled(_opposite(c), {})):
        return Held(z) * Held(x)
    if is_gate(x, "where") and same(x.args[0], c):
        _, yes, no = x.args
        if is_filled(no, 0):
            return Call("where", (Held(c), Held(y) * Held(yes), Number(0)))
        if is_filled(yes, 0):
            return Call("where", (Held(c), Number(0), Held(z) * Held(no)))
    return None


def is_truth(x: Node) -> bool:
    """Whether a value is 1 or 0, and nothing between."""
    joins = (GateForm.AND, GateForm.OR, GateForm.NOT)
    return (bool(x.gate.condition) and not x.gate.tie) or x.gate.form in joins


def _opposite(c: Node) -> Form:
    if c.gate.opposite:
        missing = len(GATES[c.gate.opposite].rules) - len(c.args)
        return Call(c.gate.opposite, (*map(Held, c.args), *[Number(0)] * missing))
    return Call("logical_not", (Held(c),))


# ---------------------------------------------------------------- units


def unit(gate: Gate) -> Node:
    """A change of unit as the factor that it is, such as π/180."""
    return make(gate, (constant(1),))
