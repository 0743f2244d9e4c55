"""Graph -> index form: one entry of a tensor, as a sympy expression of the entries below it.

The printer carries index labels down the graph: a matrix product becomes a sum over a new label, an
outer product a product, a transpose exchanges labels. Axes of length 1 carry no label. A gate that
only moves or mixes entries in a way that labels cannot say has no index form (`NoIndexForm`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from report.gates import axes_of
from report.graph import CONSTANT, Node
from report.printers.latex import filled
from report.symbolic import constant, number
from report.symbolic import latex as sympy_latex

LABELS = "ijklmnprst"
Labels = tuple[Any, ...]  # per axis: a sympy index, or 0 where the axis has length 1
MAX_NODES = 60
MAX_WHOLE = 120  # characters of a part that stands in matrix form


class NoIndexForm(Exception):
    """The formula has a gate whose entries labels cannot describe, or is too long to read."""


Whole = Callable[[Node], str]


def index_form(node: Node, names: Mapping[Node, str], whole: Whole | None = None) -> str:
    """Entry (i, j, ...) of a node in LaTeX; `names` are the LaTeX of the nodes to stop at.

    In a name, the place of the labels is marked by `@`: "q_{1@}" or, for a derivative, one inside.
    `whole` writes a node in matrix form: softmax and its kin stand as softmax(z)_i.
    Raises NoIndexForm.
    """
    expression, tex = index_expression(node, names, whole)
    return sympy_latex(expression, tex)


def index_expression(
    node: Node, names: Mapping[Node, str], whole: Whole | None = None
) -> tuple[Any, dict[Any, str]]:
    """The same as a sympy expression, and how its symbols are written.

    A named tensor is a function of its labels, called e000, e001, ... in the order of `names`.
    """
    import sympy

    walk = _Walk(names, whole, node)
    entry = walk.entry(node, first_labels(node.shape))
    return sympy.factor_terms(entry, sign=False), walk.tex


def first_labels(shape: tuple[int, ...]) -> Labels:
    """i, j, ... for the axes of a shape, 0 for those of length 1."""
    import sympy

    letters = iter(LABELS)
    return tuple(0 if n == 1 else sympy.Symbol(next(letters), integer=True) for n in shape)


def labels_text(shape: tuple[int, ...]) -> str:
    """The labels as they are written below a name: ij."""
    return "".join(str(label) for label in first_labels(shape) if label != 0)


class _Walk:
    def __init__(self, names: Mapping[Node, str], whole: Whole | None, root: Node) -> None:
        self.names = names
        self.whole = whole
        self.root = root
        # sympy sorts factors by name: number them in the order in which `names` gives them
        self.order = {name: i for i, name in enumerate(dict.fromkeys(names.values()))}
        self.made: dict[tuple[Node, Labels], Any] = {}
        self.taken: set[str] = set()
        self.tex: dict[Any, str] = {}
        self.visits = 0

    def fresh(self, n: int) -> Any:
        """A new summation label over an axis of n entries (0 when there is nothing to sum)."""
        import sympy

        if n == 1:
            return 0
        letter = next((c for c in LABELS[2:] + "uvabcd" if c not in self.taken), None)
        if letter is None:
            raise NoIndexForm
        self.taken.add(letter)
        return sympy.Symbol(letter, integer=True)

    def sum(self, term: Any, *labels: tuple[Any, int]) -> Any:
        import sympy

        real = [(label, 1, n) for label, n in labels if label != 0]
        return sympy.Sum(term, *real) if real else term

    def entry(self, node: Node, ix: Labels) -> Any:
        """The entry of a node at labels; the same entry is the same expression wherever it stands."""
        key = (node, ix)
        if key not in self.made:
            self.made[key] = self.build(node, ix)
        return self.made[key]

    def build(self, node: Node, ix: Labels) -> Any:
        import sympy

        self.visits += 1
        if self.visits > MAX_NODES:
            raise NoIndexForm
        name = self.names.get(node)
        if name is not None:
            return self.named(name, ix)
        if node.gate is CONSTANT or node.is_constant:
            return self.constant(node, ix)
        if node.gate.elementwise and node.gate.sympy is not None:
            args = [self.entry(a, self.broadcast(a, ix)) for a in node.args]
            if node.gate.group in _WRITTEN_OUT or node.gate.name in ("ratio", "xlogy"):
                return node.gate.sympy(sympy, *args, **node.params)
            return _opaque(node.gate.name)(*args)  # σ stays σ
        rule = _ENTRIES.get(node.gate.name)
        if rule is not None:
            return rule(self, node, ix)
        if self.whole is None or node is self.root:
            raise NoIndexForm
        text = self.whole(node)
        if len(text) > MAX_WHOLE or not text.endswith((")", "]", "}")):
            raise NoIndexForm
        return self.named(
            rf"{text}_{{@}}" if text.endswith(")") else rf"\left({text}\right)_{{@}}", ix
        )

    def broadcast(self, arg: Node, ix: Labels) -> Labels:
        """The labels of an argument: the trailing ones, and none along an axis of length 1."""
        own = ix[len(ix) - len(arg.shape) :] if arg.shape else ()
        return tuple(0 if n == 1 else label for n, label in zip(arg.shape, own, strict=True))

    def named(self, name: str, ix: Labels) -> Any:
        import sympy

        order = self.order.setdefault(name, len(self.order))
        labels = [label for label in ix if label != 0]
        if labels:  # a sum must see its label, so the entry is a function of the labels
            return _entry_function(name, order)(*labels)
        entry = sympy.Symbol(f"e{order:03d}", real=True)
        self.tex[entry] = with_labels(name, "")
        return entry

    def constant(self, node: Node, ix: Labels) -> Any:
        import sympy

        value = np.asarray(node.value)
        if value.ndim == 0:
            return constant(node)
        if (value == value.flat[0]).all():
            return number(float(value.flat[0]))
        if value.ndim == 2 and np.array_equal(value, np.eye(*value.shape)):
            return sympy.KroneckerDelta(*ix)
        raise NoIndexForm


def with_labels(name: str, labels: str) -> str:
    """The name with labels put in its place: q_{1@} -> q_{1,ij}."""
    if not labels:
        return name.replace("_{@}", "").replace(",@", "").replace("@", "")
    return name.replace("@", labels)


@cache
def _entry_function(name: str, order: int) -> Any:
    import sympy

    class Entry(sympy.Function):
        def _latex(self, printer: Any, exp: str | None = None) -> str:
            text = with_labels(name, "".join(str(a) for a in self.args))
            if exp is None:
                return text
            return rf"{text}^{{{exp}}}" if "frac" not in text else rf"\left({text}\right)^{{{exp}}}"

    return type(f"e{order:03d}", (Entry,), {"is_real": True})


@cache
def _opaque(name: str) -> Any:
    """A gate as a function that sympy does not look into, written as in the matrix form."""
    import sympy

    from report.gates import GATES

    class Call(sympy.Function):
        def _latex(self, printer: Any, exp: str | None = None) -> str:
            inner = [printer._print(a) for a in self.args]
            text = filled(GATES[name].latex, inner)
            if exp is None:
                return text
            head, bracket, rest = text.partition(r"\left(")
            return (
                f"{head}^{{{exp}}}{bracket}{rest}" if bracket else rf"\left({text}\right)^{{{exp}}}"
            )

    return type(f"f_{name}", (Call,), {"is_real": True})


_WRITTEN_OUT = frozenset({"arithmetic", "exponential", "trigonometry"})


# ---------------------------------------------------------------- gates that move or sum entries


def _matmul(w: _Walk, node: Node, ix: Labels) -> Any:
    a, b = node.args
    k = w.fresh(a.shape[-1])
    stack = len(node.shape) - (len(a.shape) > 1) - (len(b.shape) > 1)
    row = ix[stack : stack + 1] if len(a.shape) > 1 else ()
    column = ix[-1:] if len(b.shape) > 1 else ()
    left = _stacked(a, ix[:stack], 2) + ((*row, k) if len(a.shape) > 1 else (k,))
    right = _stacked(b, ix[:stack], 2) + ((k, *column) if len(b.shape) > 1 else (k,))
    return w.sum(w.entry(a, left) * w.entry(b, right), (k, a.shape[-1]))


def _stacked(a: Node, stack: Labels, own: int) -> Labels:
    """The labels of an argument's leading axes, which broadcast."""
    n = max(len(a.shape) - own, 0)
    return tuple(
        0 if s == 1 else x for s, x in zip(a.shape[:n], stack[len(stack) - n :], strict=True)
    )


def _transpose(w: _Walk, node: Node, ix: Labels) -> Any:
    if node.params:
        raise NoIndexForm
    return w.entry(node.args[0], ix[::-1])


def _swap_last(w: _Walk, node: Node, ix: Labels) -> Any:
    return w.entry(node.args[0], (*ix[:-2], ix[-1], ix[-2]))


def _outer(w: _Walk, node: Node, ix: Labels) -> Any:
    a, b = node.args
    return w.entry(a, ix[: len(a.shape)]) * w.entry(b, ix[len(a.shape) :])


def _dot(w: _Walk, node: Node, ix: Labels) -> Any:
    a, b = node.args
    k = w.fresh(a.shape[0])
    return w.sum(w.entry(a, (k,)) * w.entry(b, (k,)), (k, a.shape[0]))


def _all(w: _Walk, a: Node) -> tuple[Labels, list[tuple[Any, int]]]:
    labels = tuple(w.fresh(n) for n in a.shape)
    return labels, list(zip(labels, a.shape, strict=True))


def _squared_norm(w: _Walk, node: Node, ix: Labels) -> Any:
    (a,) = node.args
    labels, ranges = _all(w, a)
    return w.sum(w.entry(a, labels) ** 2, *ranges)


def _norm(w: _Walk, node: Node, ix: Labels) -> Any:
    import sympy

    if node.params:
        raise NoIndexForm
    return sympy.sqrt(_squared_norm(w, node, ix))


def _reduced(w: _Walk, node: Node, ix: Labels) -> tuple[Any, int]:
    """The sum over the reduced axes and how many entries it takes together."""
    (a,) = node.args
    axes = axes_of(a.shape, node.params.get("axis"))
    outer = iter(
        ix if not node.params.get("keepdims") else [x for i, x in enumerate(ix) if i not in axes]
    )
    labels, ranges, n = [], [], 1
    for i, size in enumerate(a.shape):
        if i in axes:
            labels.append(w.fresh(size))
            ranges.append((labels[-1], size))
            n *= size
        else:
            labels.append(next(outer))
    return w.sum(w.entry(a, tuple(labels)), *ranges), n


def _sum(w: _Walk, node: Node, ix: Labels) -> Any:
    return _reduced(w, node, ix)[0]


def _mean(w: _Walk, node: Node, ix: Labels) -> Any:
    total, n = _reduced(w, node, ix)
    return total / n


def _broadcast_to(w: _Walk, node: Node, ix: Labels) -> Any:
    return w.entry(node.args[0], w.broadcast(node.args[0], ix))


def _sum_to(w: _Walk, node: Node, ix: Labels) -> Any:
    (a,) = node.args
    extra = len(a.shape) - len(node.shape)
    labels, ranges = [], []
    for i, size in enumerate(a.shape):
        summed = i < extra or node.shape[i - extra] != size
        labels.append(w.fresh(size) if summed else ix[i - extra])
        if summed:
            ranges.append((labels[-1], size))
    return w.sum(w.entry(a, tuple(labels)), *ranges)


def _index(w: _Walk, node: Node, ix: Labels) -> Any:
    """Entries picked by whole numbers and plain slices; labels count from 1."""
    if len(node.args) > 1:
        raise NoIndexForm
    (a,) = node.args
    key = list(node.params["key"])
    if Ellipsis in key or None in key:
        raise NoIndexForm
    key += [slice(None)] * (len(a.shape) - len(key))
    rest, labels = iter(ix), []
    for part, size in zip(key, a.shape, strict=True):
        if isinstance(part, slice):
            start, _, step = part.indices(size)
            label = next(rest)
            if step != 1 or (label == 0 and size != 1):
                raise NoIndexForm
            labels.append(label + start if label != 0 else 0)
        else:
            labels.append(0 if size == 1 else int(part) % size + 1)
    return w.entry(a, tuple(labels))


def _reshape(w: _Walk, node: Node, ix: Labels) -> Any:
    (a,) = node.args
    if [n for n in a.shape if n != 1] != [n for n in node.shape if n != 1]:
        raise NoIndexForm
    real = iter([x for x, n in zip(ix, node.shape, strict=True) if n != 1])
    return w.entry(a, tuple(0 if n == 1 else next(real) for n in a.shape))


_ENTRIES: dict[str, Callable[[_Walk, Node, Labels], Any]] = {
    "matmul": _matmul,
    "transpose": _transpose,
    "swap_last": _swap_last,
    "outer": _outer,
    "dot": _dot,
    "squared_norm": _squared_norm,
    "norm": _norm,
    "sum": _sum,
    "mean": _mean,
    "broadcast_to": _broadcast_to,
    "sum_to": _sum_to,
    "reshape": _reshape,
    "index": _index,
}
