"""What stands above and below the line of a product of quotients, and what of it falls away."""

from __future__ import annotations

from collections.abc import Sequence

from report.autodiff.form import Form as GateForm
from report.autodiff.graph import Node, constant
from report.autodiff.simplify.constants import is_coefficient, is_number, product, quotient
from report.autodiff.simplify.forms import Call, Form, Held, Number
from report.autodiff.simplify.nodes import is_gate, same

MAX_NESTED = 6  # products in products that are looked into for what may cancel
MAX_FACTORS = 12  # below the line
MAX_POWER = 6  # that is taken as a product


def multiplied(x: Node, y: Node) -> Form | None:
    """The product of two nodes as one quotient, where something cancels or both are quotients."""
    both = _is_quotient(x) and _is_quotient(y) and not x.name and not y.name
    return _reduced([x, y], [], "divide", both)


def _is_quotient(x: Node) -> bool:
    return x.gate.form is GateForm.QUOTIENT and not x.is_constant


def divided(x: Node, y: Node, row: str) -> Form | None:
    """The quotient of two nodes with one line, where something cancels or it has more lines."""
    return _reduced([x], [y], row, row == "divide" and is_gate(x, "divide") and not x.name)


def _reduced(above: list[Node], below: list[Node], row: str, always: bool) -> Form | None:
    """What has a name is looked into only where something of it cancels."""
    for into_names in (False, True):
        whole = _Quotient(row, into_names)
        for x in above:
            whole.take(x)
        whole.below += below
        found = whole.reduced(always and not into_names)
        if found is not None:
            return found
    return None


class _Quotient:
    """What stands above and below the line of a product of quotients, as far as it is looked into."""

    def __init__(self, row: str, into_names: bool) -> None:
        self.above: list[Node | Form] = []
        self.below: list[Node] = []
        self.row = row  # ratio, where one of the quotients is
        self.into_names = into_names

    def take(self, x: Node, depth: int = MAX_NESTED) -> None:
        depth = depth if self.into_names or not x.name else 0
        if depth and is_gate(x, "multiply"):
            for factor in x.args:
                self.take(factor, depth - 1)
        elif depth and _is_quotient(x):
            self.take(x.args[0], depth - 1)
            self.below.append(x.args[1])
            self.row = "ratio" if is_gate(x, "ratio") else self.row
        else:
            self.above.append(x)

    def reduced(self, always: bool) -> Form | None:
        """The quotient without what stands on both sides; None where nothing does, unless `always`."""
        above, below, rest, number = list(self.above), list(self.below), [], constant(1)
        hits = int(always)
        while below:
            d = below.pop(0)
            parts = _factors_of(d)
            if _take_away(d, above, below):
                hits += 1
            elif is_coefficient(d):
                number = product(number, d)
            elif len(parts) > 1 and len(below) < MAX_FACTORS:
                below = [*parts, *below]
            else:
                rest.append(d)
        if not hits:
            return None
        number = quotient(constant(1), number)
        result = _product(above)
        if not is_number(number, 1):
            result = Held(number) * result
        return Call(self.row, (result, _product(rest))) if rest else result


def _take_away(d: Node, above: list[Node | Form], below: list[Node]) -> bool:
    """Whether d, which stands below the line, falls away with something above it."""
    for i, x in enumerate(above):
        if isinstance(x, Form):
            continue
        if same(_bare(x), _bare(d)):
            del above[i]
            return True
    if _is_turned(d, above):  # x / (u / v) is x v / u
        above.append(d.args[1])
        below.append(d.args[0])
        return True
    for i, x in enumerate(above):
        left = None if isinstance(x, Form) else _lowered(x, d)
        if left is not None:
            above[i] = left
            return True
    return False


def _is_turned(d: Node, above: Sequence[Node | Form]) -> bool:
    """Whether what is below is a quotient to be turned; one with a name stays, unless that cancels."""
    if not _is_quotient(d):
        return False
    return not d.name or any(same(_bare(x), _bare(d.args[0])) for x in above if isinstance(x, Node))


def _lowered(x: Node, d: Node) -> Form | None:
    """x / d, where x is a power of d, also one made a column, or d its root, or x / d an inverse."""
    bare = _bare(d)
    if is_gate(bare, "sqrt") and same(bare.args[0], x):
        return Held(bare)
    if is_gate(d, "det") and is_gate(x, "cofactor") and same(d.args[0], x.args[0]):
        return Call("inv", (Held(d.args[0]).T,)) if len(x.shape) == 2 else None
    if is_gate(x, "reshape") and is_gate(bare, "reshape") and x.shape == bare.shape:
        x, bare = x.args[0], bare.args[0]
        left = _lowered(x, bare)
        return None if left is None else Call("reshape", (left,), options={"shape": d.shape})
    if is_gate(x, "square") and same(x.args[0], bare):
        return Held(bare)
    if is_gate(x, "power") and is_number(x.args[1]) and same(x.args[0], bare):
        return Held(bare) ** float(x.args[1].value - 1)
    return None


def _factors_of(x: Node) -> list[Node]:
    """The factors of a product or of a small power."""
    if is_gate(x, "multiply"):
        return list(x.args)
    if is_gate(x, "square"):
        return [x.args[0]] * 2
    if is_gate(x, "power") and any(is_number(x.args[1], n) for n in range(2, MAX_POWER + 1)):
        return [x.args[0]] * int(x.args[1].value)
    return [x]


def _bare(x: Node) -> Node:
    return x.args[0] if x.gate.form is GateForm.COPIES else x


def _product(factors: Sequence[Node | Form]) -> Form:
    """The product of all, equal ones as a power."""
    whole: Form | None = None
    left = list(factors)
    while left:
        first = left[0]
        equal = [
            f for f in left if isinstance(first, Node) and isinstance(f, Node) and same(f, first)
        ]
        factor = first if isinstance(first, Form) else Held(first)
        if len(equal) > 1:
            factor = factor ** len(equal)
        left = [f for f in left[1:] if not any(f is e for e in equal)]
        whole = factor if whole is None else whole * factor
    return Number(1) if whole is None else whole


def factors(x: Node, depth: int = MAX_NESTED) -> list[Node]:
    """The factors of a product entry by entry, as far as it is looked into."""
    if not depth or not is_gate(x, "multiply") or x.name is not None:
        return [x]
    return [f for a in x.args for f in factors(a, depth - 1)]
