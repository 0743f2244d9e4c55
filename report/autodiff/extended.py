"""A trace computed again with 1,300 bits, where float64 may have lost digits.

Numbers of that precision hold every sum of float64 numbers, so that what is left of terms that cancel is
known, and what is left of nothing is smaller than any float64 number: it is 0. Such a number is kept
twice: as the computer has it, 0.1 being 0.1000000000000000055, and as it was written. The first decides
the digits, the second what is 0, which of two is larger, and what is equal: 0.1 + 0.2 - 0.3 is 0.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from report.autodiff import domain_errors
from report.autodiff.backprop import Arrivals, gate_names, pull_back
from report.autodiff.graph import CONSTANT, FAULTS, Array, Graph, Node, topological
from report.number_format import as_fraction

BITS = 1300
MAX_STEPS = 30_000  # numbers of all gates, and products in sums: some seconds
_TINY = -1080  # a power of 2 below all float64 numbers
_SHAKE = -1200  # a power of 2, relative; well above rounding


@lru_cache(maxsize=1)
def _context() -> Any:
    """The arithmetic; mpmath is imported where it is needed."""
    import mpmath

    context = mpmath.MPContext()
    context.prec = BITS
    return context


class Extended:
    """A number as the computer has it (`stored`) and as it was written (`meant`)."""

    __slots__ = ("meant", "stored")

    def __init__(self, stored: Any, meant: Any) -> None:
        self.stored = stored
        self.meant = meant

    def __float__(self) -> float:
        return float(self.stored)

    def __int__(self) -> int:
        return int(float(self))

    def __repr__(self) -> str:
        return f"<{float(self)!r}>"

    def __format__(self, spec: str) -> str:
        return format(float(self), spec)

    def __bool__(self) -> bool:
        return not is_tiny(self.meant)

    def __neg__(self) -> Extended:
        return _paired(operator.neg, self)

    def __abs__(self) -> Extended:
        return _paired(abs, self)

    def conjugate(self) -> Extended:
        """NumPy's variance asks for it."""
        return self

    def __floor__(self) -> int:
        return math.floor(float(self))


def extended(x: Any) -> Extended:
    """A float64 number: exactly, and as the fraction or the shortest decimal that was meant by it."""
    if isinstance(x, np.ndarray):  # without axes
        x = x[()]
    if isinstance(x, Extended):
        return x
    number, context = float(x), _context()
    stored = context.mpf(number)
    if not math.isfinite(number) or number == math.floor(number):
        return Extended(stored, stored)
    if fraction := as_fraction(number):
        return Extended(stored, context.mpf(fraction[0]) / fraction[1])
    return Extended(stored, context.mpf(repr(number)))


def e() -> Extended:
    """Euler's number."""
    number = +_context().e
    return Extended(number, number)


def _paired(f: Callable[..., Any], *args: Extended) -> Extended:
    stored = _number(f, *(a.stored for a in args))
    if all(a.stored is a.meant for a in args):
        return Extended(stored, stored)
    return Extended(stored, _number(f, *(a.meant for a in args)))


def _number(f: Callable[..., Any], *args: Any) -> Any:
    """NaN where a function gives no real number."""
    context = _context()
    try:
        value = f(*args)
    except (ZeroDivisionError, ValueError, OverflowError):
        return context.nan
    return context.nan if isinstance(value, context.mpc) else value


def moved(x: Any, step: Extended) -> Extended:
    """A number and a step from it."""
    return _paired(operator.add, extended(x), step)


def scaled(x: float, factor: float) -> Extended:
    """A product, without rounding."""
    return _paired(operator.mul, extended(x), extended(factor))


def _sides(f: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def left(self: Extended, other: Any) -> Any:
        return NotImplemented if np.ndim(other) else _paired(f, self, extended(other))

    def right(self: Extended, other: Any) -> Any:
        return NotImplemented if np.ndim(other) else _paired(f, extended(other), self)

    return left, right


def _compared(f: Callable[[Any, int], bool]) -> Callable[[Extended, Any], Any]:
    def compare(self: Extended, other: Any) -> Any:
        if np.ndim(other):
            return NotImplemented
        difference = self.meant - extended(other).meant
        return bool(f(0 if is_tiny(difference) else difference, 0))

    return compare


def is_tiny(x: Any) -> bool:
    """Whether a number is less than all float64 numbers."""
    return x == 0 or (_context().isfinite(x) and _context().mag(x) < _TINY)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _left, _right = _sides(getattr(operator, _name))
    setattr(Extended, f"__{_name}__", _left)
    setattr(Extended, f"__r{_name}__", _right)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Extended, f"__{_name}__", _compared(getattr(operator, _name)))


def _called(name: str, m: Any, x: Any) -> Any:
    return getattr(m, name)(x)


# What NumPy's functions, applied to such a number, ask it for.
_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: partial(_called, name) for name in (
        "exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf",
    )},
    "log2": lambda m, x: m.log(x, 2),
    "log10": lambda m, x: m.log(x, 10),
    "cbrt": lambda m, x: m.sign(x) * m.cbrt(abs(x)),
    "arcsin": lambda m, x: m.asin(x),
    "arccos": lambda m, x: m.acos(x),
    "arctan": lambda m, x: m.atan(x),
    "radians": lambda m, x: x * m.pi / 180,
    "degrees": lambda m, x: x * 180 / m.pi,
    "normal_cdf": lambda m, x: m.erfc(-x / m.sqrt(2)) / 2,
}  # fmt: skip


def _method(f: Callable[[Any, Any], Any]) -> Callable[[Extended], Extended]:
    return lambda self: _paired(lambda x: f(_context(), x), self)


for _name, _function in _FUNCTIONS.items():
    setattr(Extended, _name, _method(_function))


# ---------------------------------------------------------------- a whole trace


def steps(graph: Graph) -> int:
    """About how many numbers the gates of a graph compute, products in sums counted."""
    total = 0
    for node in graph.nodes:
        size = max(math.prod(node.shape), *(math.prod(a.shape) for a in node.args))
        inner = node.args[0].shape[-1:] if len(node.args) > 1 and not node.gate.elementwise else ()
        total += size * math.prod(inner)
    return total


def forward(graph: Graph, inputs: Mapping[Node, Array]) -> dict[Node, Array]:
    """The value of every node, constants among them. Raises ReportError as `backprop.forward` does."""
    numbers = {
        node: value if node.name in graph.integers else settled(value)
        for node, value in inputs.items()
    }
    for node in _with_constants(graph.nodes):
        if node in numbers:
            continue
        try:
            numbers[node] = _computed(node, numbers)
        except FAULTS as error:
            raise _fault(graph, node, numbers, error) from None
        if not np.all(np.isfinite(floats(numbers[node]))):
            raise _fault(graph, node, numbers)
    return numbers


def evaluate(roots: Iterable[Node], known: Mapping[Node, Array]) -> dict[Node, Array]:
    """Numbers for `roots` and all below them, from `known` ones; see `graph.evaluate`."""
    numbers = dict(known)
    for node in _with_constants(topological(*roots, leaves=known), roots):
        if node not in numbers:
            numbers[node] = _computed(node, numbers)
    return numbers


def _computed(node: Node, numbers: Mapping[Node, Array]) -> Any:
    if node.gate is CONSTANT:
        return _constant(node)
    args = [numbers[a] for a in node.args]
    with np.errstate(all="ignore"):
        value = _extend_all(node.gate.forward(*args, **node.params))
        if not any(map(_is_doubtful, np.ravel(value))):
            return value
        moved = map(_shaken, node.args, args, itertools.count())
        return _without_rounding(value, node.gate.forward(*moved, **node.params))


def backward(graph: Graph, numbers: Mapping[Node, Array]) -> tuple[dict[Node, Any], Arrivals]:
    """The gradients, and what they are the sums of; what rounding leaves of a 0 is 0."""
    upstreams: dict[Node, Any] = {}

    def note(node: Node, upstream: Any) -> Any:
        upstreams[node] = _extend_all(upstream)
        return upstreams[node]

    gradients, arrivals = _pulled(graph, numbers, note)
    parts = itertools.chain(gradients.values(), arrivals.parts, upstreams.values())
    if any(_is_doubtful(x) for part in parts for x in np.ravel(_extend_all(part))):
        places = itertools.count()
        shaken = {node: _shaken(node, x, next(places)) for node, x in numbers.items()}
        others, moved = _pulled(graph, shaken, note)
        away = dict(upstreams)
        gradients, arrivals = _pulled(graph, numbers, lambda node, g: _sound(g, away[node]))
        arrivals.parts[:] = map(_sound, arrivals.parts, moved.parts)
        gradients = {node: _sound(g, others[node]) for node, g in gradients.items()}
    # a rule may fill up with plain zeros
    return {node: _extend_all(g) for node, g in gradients.items()}, arrivals


def _pulled(
    graph: Graph, numbers: Mapping[Node, Array], stand_in: Callable[[Node, Any], Any]
) -> tuple[dict[Node, Any], Arrivals]:
    seed = settled(np.ones(graph.result.shape))
    with np.errstate(all="ignore"):
        return pull_back(
            graph.nodes, graph.result, seed, numbers.__getitem__, stand_in=stand_in, constants=True
        )


def _fault(
    graph: Graph, node: Node, numbers: Mapping[Node, Array], error: Exception | None = None
) -> Exception:
    args = [floats(numbers[a]) for a in node.args]
    return domain_errors.out_of_domain(graph, node, gate_names(graph), args, error)


def _with_constants(nodes: Iterable[Node], roots: Iterable[Node] = ()) -> list[Node]:
    """The nodes, in this order, and the constants that they are computed from before them."""
    order: dict[Node, None] = {}
    for node in nodes:
        for arg in node.args:
            _enter(arg, order)
        order[node] = None
    for node in roots:
        _enter(node, order)
    return list(order)


def _enter(node: Node, order: dict[Node, None]) -> None:
    if node.is_constant and node not in order:
        for arg in node.args:
            _enter(arg, order)
        order[node] = None


def _constant(node: Node) -> Any:
    if node.name == "pi":
        return Extended(_context().mpf(math.pi), +_context().pi)
    return settled(node.value)


def _is_doubtful(x: Extended) -> bool:
    """Whether a number may be what rounding left of a 0."""
    return is_tiny(x.meant) and x.stored != 0


def _shaken(node: Node, value: Any, argument: int) -> Any:
    """Numbers moved a little, each by another part; a whole constant (an exponent) is what it is."""
    if node.gate is CONSTANT and np.all(floats(value) % 1 == 0):
        return value
    places = np.arange(np.size(value)).reshape(np.shape(value))
    return _shake_all(value, places + 31 * argument)


def _shake(x: Any, place: int) -> Any:
    if not isinstance(x, Extended):  # an index
        return x
    part = (place + 1) ** 2 % 97 + 1
    return Extended(x.stored, x.meant * (1 + _context().ldexp(part, _SHAKE)))


_shake_all = np.frompyfunc(_shake, 2, 1)


def _unless_rounding(x: Extended, moved: Extended) -> Extended:
    """0 for a number that a little shake of what it is computed from moves by more than itself."""
    is_sound = not _is_doubtful(x) or abs(moved.meant - x.meant) <= abs(x.meant)
    return x if is_sound else _zero()


_without_rounding = np.frompyfunc(_unless_rounding, 2, 1)


def _sound(value: Any, moved: Any) -> Any:
    return _without_rounding(_extend_all(value), _extend_all(moved))


def _zero() -> Extended:
    return Extended(_context().zero, _context().zero)


def _settle(x: Any) -> Extended:
    x = extended(x)
    return _zero() if _is_doubtful(x) else x


_extend_all, _settle_all = np.frompyfunc(extended, 1, 1), np.frompyfunc(_settle, 1, 1)


def settled(value: Any) -> Any:
    """Numbers or a tensor of them as Extended; what is less than any float64 number is 0."""
    with np.errstate(invalid="ignore"):
        return _settle_all(value)


def floats(value: Any) -> Array:
    """The nearest float64 numbers."""
    if np.ndim(value):
        return np.asarray(value).astype(np.float64) + 0.0  # no sign of a zero
    return np.float64(float(value)) + 0.0
