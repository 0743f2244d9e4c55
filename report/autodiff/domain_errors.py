"""What goes wrong in a forward or backward pass, in words: the gate, the value, the place, the remedy.

A gate that gives no finite number is either outside its domain (log of -2) or too large for a float64
(exp of 1000); which of the two, NumPy's own error flags say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from report.autodiff.graph import CONSTANT, FAULTS, Array, Gate, Graph, Node, OutOfDomain
from report.errors import ReportError

MAX_SHOWN = 76  # columns of a line of the formula in a message
KEEP = (
    "\n  Only the float64 numbers of programs are too short for it; norm, log1p, expm1, log_softmax, "
    "log_sigmoid and losses with logits keep what is lost."
)


def out_of_domain(
    graph: Graph,
    node: Node,
    names: Mapping[Node, str],
    args: Sequence[Array],
    error: Exception | None = None,
) -> ReportError:
    """The error for a gate whose value is not finite, or which refuses its arguments with `error`."""
    gate = node.gate
    value = None
    if error is None and gate.elementwise:
        with np.errstate(all="ignore"):
            value = gate.forward(*args, **node.params)
    given = _given(node, names, args, _entry(value))
    if is_outside(gate, args, node.params):
        detail = f" ({error})" if isinstance(error, (IndexError, OutOfDomain)) else ""
        what = (
            f"gate {names[node]} ({gate.name}) is outside its domain{given}: {gate.domain}{detail}"
        )
    else:
        what = (
            f"gate {names[node]} ({gate.name}) overflows{given}: the value is too large for a "
            "float64 number; choose smaller inputs"
        )
    return ReportError(what + _place(graph, node))


def underflow(
    graph: Graph, node: Node, names: Mapping[Node, str], args: Sequence[Array]
) -> ReportError:
    """The error for a gate whose value is too small for a float64 number, where others need it."""
    with np.errstate(all="ignore"):
        value = np.asarray(node.gate.forward(*args, **node.params))
    small = np.argwhere(value == 0)
    at = tuple(map(int, small[0])) if value.ndim and len(small) else ()
    what = (
        f"gate {names[node]} ({node.gate.name}) underflows{_given(node, names, args, at)}: the value is "
        "too small for a float64 number; choose larger inputs"
    )
    return ReportError(what + _place(graph, node))


def rounded_angle(
    graph: Graph, node: Node, names: Mapping[Node, str], args: Sequence[Array]
) -> ReportError:
    """The error for a sine, cosine or tangent of a number so large that it is rounded too far."""
    at = np.unravel_index(np.argmax(np.abs(args[0])), np.shape(args[0]))
    what = (
        f"gate {names[node]} ({node.gate.name}) has an angle that is too large"
        f"{_given(node, names, args, tuple(map(int, at)))}: its rounding to a float64 number leaves no "
        "digit of the value; choose smaller inputs"
    )
    return ReportError(what + _place(graph, node))


def is_outside(gate: Gate, args: Sequence[Array], params: Mapping[str, Any]) -> bool:
    """Whether a gate without a finite value was given what is outside its domain, or overflowed."""
    try:
        with np.errstate(divide="raise", invalid="raise", over="ignore"):
            gate.forward(*args, **params)
    except (FloatingPointError, *FAULTS):
        return bool(gate.domain)
    return False


def no_derivative(
    graph: Graph,
    node: Node,
    argument: Node,
    names: Mapping[Node, str],
    args: Sequence[Array],
    pull: Callable[[], Array],
) -> ReportError:
    """The error for a gate that sends what `pull` gives, which is not finite, back to `argument`."""
    gate = node.gate
    with np.errstate(all="ignore"):
        part = pull()
    given = _given(node, names, args, _entry(part) if np.shape(part) == node.shape else ())
    remedy = "; choose other inputs"
    if _is_too_large(pull):
        remedy = ": it is too large for a float64 number" + remedy
    elif gate.domain:
        remedy = f": {gate.domain}"
    if argument.is_input:
        remedy += f" (or leave {argument.name} out of wrt)"
    what = (
        f"gate {names[node]} ({gate.name}) has no finite derivative by {_name(argument, names)}"
        f"{given}{remedy}"
    )
    return ReportError(what + _place(graph, node))


def _is_too_large(pull: Callable[[], Array]) -> bool:
    """Whether a derivative leaves the float64 numbers before anything is divided by 0."""
    try:
        with np.errstate(all="raise"):
            pull()
    except FloatingPointError as error:
        return "flow" in str(error)  # overflow or underflow, whichever NumPy met first
    except FAULTS:
        pass
    return False


def gradient_overflow(graph: Graph, node: Node, names: Mapping[Node, str]) -> ReportError:
    """The error for contributions that are finite but whose sum is not."""
    return ReportError(
        f"the gradient of {names[node]} is too large for a float64 number; choose other inputs"
        + _place(graph, node)
    )


def gradient_underflow(graph: Graph, node: Node, names: Mapping[Node, str]) -> ReportError:
    """The error for a gradient that is too small for a float64 number, where others need it."""
    return ReportError(
        f"the gradient of {names[node]} underflows: it is too small for a float64 number; choose "
        "other inputs" + _place(graph, node)
    )


def derivative_underflow(
    graph: Graph, node: Node, argument: Node, names: Mapping[Node, str]
) -> ReportError:
    """The error for a local derivative that is too small for a float64 number, where others need it."""
    return ReportError(
        f"the derivative of gate {names[node]} ({node.gate.name}) by {_name(argument, names)} underflows: "
        "it is too small for a float64 number; choose other inputs" + _place(graph, node)
    )


def too_few_digits(
    graph: Graph, node: Node, names: Mapping[Node, str], what: str, rounded: Array, exact: Array
) -> ReportError:
    """The error for a `what` of a gate or an input that float64 numbers, rounded at every step, give wrong."""
    at = np.unravel_index(np.argmax(np.abs(rounded - exact)), np.shape(exact))
    return ReportError(
        f"{what} of {names[node]} is rounded too much for float64 numbers: they give "
        f"{rounded[at]:.6g} in the place of {exact[at]:.6g}; choose other inputs"
        f"{_place(graph, node)}{KEEP}"
    )


def _entry(value: Array | None) -> tuple[int, ...]:
    """Where the first entry is that is not finite; () for a number or when every one is."""
    if value is None or not np.ndim(value):
        return ()
    bad = np.argwhere(~np.isfinite(value))
    return tuple(int(i) for i in bad[0]) if len(bad) else ()


def _given(
    node: Node, names: Mapping[Node, str], args: Sequence[Array], at: tuple[int, ...]
) -> str:
    """What the gate was given: its scalar arguments, and of tensors the entry that matters."""
    shown: list[str] = []
    for arg, value in zip(node.args, args, strict=True):
        shape = np.shape(value)
        if not shape:
            entry, index = value, ""
        elif node.gate.elementwise and (at or math.prod(node.shape) == 1):
            own = _own_entry(at or (0,) * len(node.shape), shape)
            entry, index = value[own], f"[{', '.join(map(str, own))}]"
        else:
            continue
        if arg.gate is CONSTANT and arg.name is None:
            if len(node.args) > 1:
                shown.append(f"{entry:.12g}")
        else:
            shown.append(f"{_name(arg, names)}{index} = {entry:.12g}")
    return f" at {', '.join(shown)}" if shown else ""


def _own_entry(at: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The entry of an argument that broadcasting brings to `at`."""
    return tuple(0 if n == 1 else i for i, n in zip(at[len(at) - len(shape) :], shape, strict=True))


def _name(node: Node, names: Mapping[Node, str]) -> str:
    return names.get(node) or node.name or "a constant"


def _place(graph: Graph, node: Node) -> str:
    """Where in the formula a gate stands, underlined."""
    if node.span is None:
        return ""
    line, start, end = node.span
    return f"\n  in the function, line {line}, column {start + 1}:\n" + underlined(
        graph.text.split("\n")[line - 1], start, end
    )


def underlined(source: str, start: int, end: int | None = None) -> str:
    """A line with carets under the columns `start` to `end`; a long line is cut round the place."""
    cut = max(0, start - MAX_SHOWN // 2) if len(source) > MAX_SHOWN else 0
    shown = source[cut : cut + MAX_SHOWN].replace("\t", " ").rstrip()
    shown = "".join(c if c.isprintable() else "\ufffd" for c in shown)
    width = max(1, min((end or start + 1) - start, len(shown) + cut - start))
    indent = len(shown) - len(shown.lstrip())
    if start - cut >= indent:  # the formula's own indentation says nothing here
        shown, cut = shown[indent:], cut + indent
    return f"    {shown}\n    {' ' * (start - cut)}{'^' * width}"
