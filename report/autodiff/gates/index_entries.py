"""Index form of gates that move entries: transposing, reshaping, joining, padding, indexing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from report.autodiff.gates.entries import Entry, Labels, NoIndexForm, running
from report.autodiff.gates.keys import Place
from report.autodiff.gates.shapes import axes_of, widths
from report.autodiff.graph import Node, Shape


def transpose(w: Any, node: Node, ix: Labels) -> Any:
    """The labels exchanged: a_ji."""
    (a,) = node.args
    axes = node.option("axes") if "axes" in node.gate.params else None
    if axes is None:
        return w.entry(a, ix[::-1])
    order = axes_of(a.shape, axes)
    return w.entry(a, tuple(ix[order.index(i)] for i in range(len(a.shape))))


def swap_last(w: Any, node: Node, ix: Labels) -> Any:
    """The last two labels exchanged."""
    return w.entry(node.args[0], (*ix[:-2], ix[-1], ix[-2]))


def broadcast_to(w: Any, node: Node, ix: Labels) -> Any:
    """The entry that was copied here."""
    return w.entry(node.args[0], w.broadcast(node.args[0], ix))


def sum_to(w: Any, node: Node, ix: Labels) -> Any:
    """The sum of all copies."""
    (a,) = node.args
    extra = len(a.shape) - len(node.shape)
    summed = [i < extra or node.shape[i - extra] != n for i, n in enumerate(a.shape)]
    at = tuple(
        w.fresh(n) if over else ix[i - extra]
        for i, (n, over) in enumerate(zip(a.shape, summed, strict=True))
    )
    return w.sum(w.entry(a, at), *(x for x, over in zip(at, summed, strict=True) if over))


def reshape(w: Any, node: Node, ix: Labels) -> Any:
    """Entry t of a matrix in one row is entry (i, j) of the matrix, with t = n (i - 1) + j."""
    (a,) = node.args
    row = list(zip(ix, node.shape, strict=True))
    try:
        at = w.regrouped(row, a.shape)
    except NoIndexForm:
        if not w.by_places:
            raise
        at = tuple(map(w.fresh, a.shape))
        other = list(zip(at, a.shape, strict=True))
        is_here = w.call("equal")(w.merged(other), w.merged(row))
        return w.sum(w.times(is_here, w.entry(a, at)), *at)
    return w.entry(a, at)


# ---------------------------------------------------------------- joining and padding


def concatenate(w: Any, node: Node, ix: Labels) -> Any:
    """The entry of the part in whose piece the label is."""
    (along,) = axes_of(node.shape, node.option("axis"))
    label = ix[along]
    pieces, start = [], 0
    for part in node.args:
        n = part.shape[along]
        inner = 0 if n == 1 else label - start
        at = (*ix[:along], inner, *ix[along + 1 :])
        pieces.append((at, start + 1, start + n))
        start += n
    return _choice(w, node.args, label, pieces)


def stack(w: Any, node: Node, ix: Labels) -> Any:
    """The entry of the part whose number the new label is."""
    (along,) = axes_of(node.shape, node.option("axis"))
    at = (*ix[:along], *ix[along + 1 :])
    pieces = [(at, i, i) for i in range(1, len(node.args) + 1)]
    return _choice(w, node.args, ix[along], pieces)


def _choice(
    w: Any, parts: Sequence[Node], label: Any, pieces: list[tuple[Labels, int, int]]
) -> Any:
    """The entry of the part in whose piece (labels, first, last) a label is."""
    import sympy

    if label == 0 or len(parts) == 1:
        return w.entry(parts[0], pieces[0][0])
    if label.is_Integer:
        found = next(i for i, (_, first, last) in enumerate(pieces) if first <= label <= last)
        return w.entry(parts[found], pieces[found][0])
    cases = []
    for part, (at, first, last) in zip(parts, pieces, strict=True):
        condition = sympy.Eq(label, first) if first == last else sympy.Le(label, last)
        cases.append((w.entry(part, at), condition))
    cases[-1] = (cases[-1][0], True)
    return sympy.Piecewise(*cases)


def pad(w: Any, node: Node, ix: Labels) -> Any:
    """An entry of the tensor inside the zeros, with a bracket for where it is."""
    (a,) = node.args
    at, inside = [], []
    ends = widths(a.shape, node.option("pad_width"))
    for label, n, (before, _), whole in zip(ix, a.shape, ends, node.shape, strict=True):
        at.append(0 if n == 1 else label - before)
        inside += _within(w, label, before + 1, before + n, whole)
    return w.times(*inside, w.entry(a, tuple(at)))


def _within(w: Any, label: Any, first: int, last: int, n: int) -> list[Any]:
    """Factors that are 1 where a label of an axis of n entries is from first to last, else 0."""
    import sympy

    if label == 0 or (first, last) == (1, n):
        return []
    if first == last:
        return [w.is_at(label, sympy.Integer(first))]
    if label.is_Integer:
        return [sympy.Integer(int(first <= label <= last))]
    least, most = _reach(w, label)
    if first <= least and most <= last:
        return []
    if first == 1 and n:
        return [w.call("less_equal")(label, last)]
    if last == n:
        return [w.call("greater_equal")(label, first)]
    return [w.call("within")(label, first, last)]


def _reach(w: Any, label: Any) -> tuple[float, float]:
    """The least and the greatest number that a label such as 2 (i - 1) + 1 can be."""
    import sympy

    free = list(label.free_symbols)
    if any(x not in w.sizes for x in free):
        return -math.inf, math.inf
    ends = itertools.product(*((1, w.sizes[x]) for x in free))
    at = ({x: sympy.Integer(n) for x, n in zip(free, end, strict=True)} for end in ends)
    values = [int(label.xreplace(numbers).doit()) for numbers in at]
    return min(values), max(values)


# ---------------------------------------------------------------- indexing


class _Key:
    """An index x[...] taken apart: what each axis of x is picked by, and where its labels stand.

    `parts` holds, for each axis of x, a whole number, a slice or a Place; `layout` says of each axis
    of the picked tensor what it is: ("new", 0), ("slice", axis of x) or ("index", axis of the indices).
    """

    def __init__(self, node: Node, shape: Shape, indices: Sequence[Node]) -> None:
        key = list(node.params["key"])
        used = sum(part is not None and part is not Ellipsis for part in key)
        at = key.index(Ellipsis) if Ellipsis in key else len(key)
        key[at : at + 1] = [slice(None)] * (len(shape) - used)
        if len({i.shape for i in indices}) > 1:
            raise NoIndexForm
        self.shape, self.indices = shape, indices
        self.together = indices[0].shape if indices else ()
        self.parts = [part for part in key if part is not None]
        self.layout = _layout(key, len(self.together), bool(indices))

    def progression(self, axis: int) -> tuple[int, int, int]:
        """First label, step and number of the entries that a slice picks."""
        start, stop, step = self.parts[axis].indices(self.shape[axis])
        return start + 1, step, len(range(start, stop, step))

    def label(self, w: Any, part: int, at: Labels, axis: int) -> Any:
        """The label that a whole number or an index argument is."""
        import sympy

        n = self.shape[axis]
        if isinstance(part, Place):
            return w.picked(self.indices[part - 1], at, n, part.start)
        return sympy.Integer(int(part) % n + 1)


def _layout(key: Sequence[Any], rank: int, has_indices: bool) -> list[tuple[str, int]]:
    """Where the axes of the indices go: to the first of them where they are neighbours, else in front."""
    numbers = [i for i, part in enumerate(key) if has_indices and isinstance(part, int)]
    neighbours = bool(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1
    start = numbers[0] if neighbours else 0
    layout: list[tuple[str, int]] = []
    axis = 0
    for i, part in enumerate(key):
        if i == start:
            layout += [("index", n) for n in range(rank)]
        if part is None:
            layout.append(("new", 0))
            continue
        if isinstance(part, slice):
            layout.append(("slice", axis))
        axis += 1
    return layout


def index(w: Any, node: Node, ix: Labels) -> Any:
    """What is picked: the labels of x from those of the result."""
    import sympy

    a, *indices = node.args
    key = _Key(node, a.shape, indices)
    own = dict(zip(key.layout, ix, strict=True))
    together = tuple(own["index", i] for i in range(len(key.together)))
    at: list[Any] = []
    for axis, (part, n) in enumerate(zip(key.parts, a.shape, strict=True)):
        if n == 1:
            at.append(0)
        elif isinstance(part, int):
            at.append(key.label(w, part, together, axis))
        else:
            first, step, count = key.progression(axis)
            label = own["slice", axis]
            at.append(sympy.Integer(first) if count == 1 else first + step * (label - 1))
    return w.entry(a, tuple(at))


def scatter(w: Any, node: Node, ix: Labels) -> Any:
    """What is put back: the sum over all that was picked from here.

    From a slice of neighbours that is one entry at most, with a bracket for where there is one.
    """
    g, *indices = node.args
    key = _Key(node, node.shape, indices)
    together = tuple(w.fresh(n) for n in key.together)
    sums = list(together)
    own: dict[tuple[str, int], Any] = {("new", 0): 0}
    own |= {("index", i): x for i, x in enumerate(together)}
    brackets: list[Any] = []
    for axis, (part, label, n) in enumerate(zip(key.parts, ix, node.shape, strict=True)):
        if isinstance(part, slice):
            first, step, count = key.progression(axis)
            if count > 1 and abs(step) > 1:  # a slice with gaps
                k = own["slice", axis] = w.fresh(count)
                sums.append(k)
                brackets.append(w.call("equal")(first + step * (k - 1), label))
                continue
            low, high = sorted((first, first + step * (count - 1)))
            brackets += _within(w, label, low, high, n)
            inside = label - low + 1 if step > 0 else high + 1 - label
            own["slice", axis] = 0 if count == 1 else inside
        elif n > 1:
            number = key.label(w, part, together, axis)
            is_told = not isinstance(part, Place) or number in w.sizes or not together
            equal = w.is_at(label, number) if is_told else w.call("equal")(number, label)
            brackets.append(equal)
    entry = w.entry(g, tuple(own[kind] for kind in key.layout))
    return w.sum(w.times(*brackets, entry), *sums)


def one_hot(w: Any, node: Node, ix: Labels) -> Any:
    """𝟙[label of i = j]."""
    import sympy

    if ix[-1] == 0:
        return sympy.Integer(1)
    label = w.picked(node.args[0], ix[:-1], node.shape[-1], node.option("start"))
    return w.call("equal")(ix[-1], label)


def gather(w: Any, node: Node, ix: Labels) -> Any:
    """The entry at the position that stands here."""
    a, positions = node.args
    (along,) = axes_of(a.shape, node.option("axis"))
    label = w.picked(positions, ix, a.shape[along]) if a.shape[along] > 1 else 0
    return w.entry(a, (*ix[:along], label, *ix[along + 1 :]))


def triangle(is_lower: bool) -> Entry:
    """x_ij where j ≤ i + k, or where j ≥ i + k, else 0."""

    def rule(w: Any, node: Node, ix: Labels) -> Any:
        import sympy

        i, j = (sympy.Integer(1) if x == 0 else x for x in ix[-2:])
        name = "less_equal" if is_lower else "greater_equal"
        return w.times(w.call(name)(j, i + node.option("k")), w.entry(node.args[0], ix))

    return rule


# ---------------------------------------------------------------- windows


def windows(w: Any, node: Node, ix: Labels) -> Any:
    """Entry a of window i is entry s (i - 1) + a."""
    (x,) = node.args
    n = len(node.params["size"])
    at = [
        0 if m == 1 else (0 if i == 0 else s * (i - 1)) + (1 if a == 0 else a)
        for i, a, s, m in zip(
            ix[-2 * n : -n], ix[-n:], node.params["stride"], x.shape[-n:], strict=True
        )
    ]
    return w.entry(x, (*ix[: -2 * n], *at))


def _side_by_side(w: Any, label: Any, count: int, size: int, step: int) -> Labels | None:
    """The window and the place in it of a label, where windows stand side by side; else None."""
    if step != size or size == 1 or not w.parts_windows:
        return None
    try:
        found: Labels = w.split(label, count * size, (count, size))
    except NoIndexForm:  # of a label such as i + 1
        return None
    return found


def overlap(w: Any, node: Node, ix: Labels) -> Any:
    """The sum over all places a of windows i that lie here: s (i - 1) + a is the label."""
    (x,) = node.args
    n = len(node.params["size"])
    out: list[Any] = []
    inner: list[Any] = []
    sums: list[Any] = []
    brackets: list[Any] = []
    counts = zip(
        ix[-n:],
        x.shape[-2 * n : -n],
        x.shape[-n:],
        node.params["stride"],
        node.shape[-n:],
        strict=True,
    )
    for label, count, size, step, whole in counts:
        a: Any = label
        i: Any = 0
        if count > 1 and size == step == 1:
            a, i = 0, label
        elif count == 1:
            brackets += _within(w, label, 1, size, whole)
            a = 0 if size == 1 else label
        elif whole == count * size and (found := _side_by_side(w, label, count, size, step)):
            i, a = found
        else:
            a = w.fresh(size)
            i = label - a + 1 if step == 1 else w.fresh(count)
            sums += [a] if step == 1 else [a, i]
            brackets += (
                _within(w, i, 1, count, 0)
                if step == 1
                else [w.call("equal")(step * (i - 1) + (1 if a == 0 else a), label)]
            )
        out.append(i)
        inner.append(a)
    entry = w.entry(x, (*ix[:-n], *out, *inner))
    return w.sum(w.times(*brackets, entry), *sums)


cumprod = running("Product")


def same(w: Any, node: Node, ix: Labels) -> Any:
    """The entry itself."""
    return w.entry(node.args[0], ix)
