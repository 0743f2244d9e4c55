"""The checks: four independent ways to every gradient entry must agree, or there is no report.

The trace is compared with central differences of the function, with the closed form evaluated by
itself, and with what the generated programs printed. The programs' values and gradients of every gate
are compared too. Where an input sits on a kink, the difference quotient says nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.backprop import gate_names
from report.autodiff.domain_errors import too_few_digits
from report.autodiff.finite_differences import ExactQuotients
from report.autodiff.kinks import kinks as kinks_of
from report.autodiff.rounding_error import in_float64, scales
from report.autodiff.trace import Trace
from report.checks.closed_forms import ClosedForms
from report.checks.comparison import PROGRAM_TOLERANCE, Comparison, compared, error_text, is_same
from report.checks.differences import MAX_ENTRIES, beside_difference, central_differences
from report.checks.program_numbers import OtherSide, PrintedNumbers, entry_of, every_gate
from report.derivation import Derivation
from report.readback import ReadBack

__all__ = [
    "CheckedEntry",
    "Comparison",
    "Verification",
    "error_text",
    "misprinted",
    "table",
    "verify",
]


MAX_LOST = 1e-6  # of a number, that rounding may take: the digits that a report shows
RESIDUE = 1e-12  # of the largest number: what may be left of terms that cancel


@dataclass(frozen=True)
class CheckedEntry:
    """One gradient entry: the trace's number and what the other ways give (None: not taken)."""

    name: str
    place: tuple[int, ...]
    trace: float
    difference: Comparison | None
    closed: Comparison | None
    programs: Mapping[str, Comparison]


@dataclass(frozen=True)
class Verification:
    """All comparisons of one question. `failures` names each number that differs, and each false formula."""

    entries: tuple[CheckedEntry, ...]
    comparisons: int
    failures: tuple[str, ...]
    kinks: tuple[str, ...]  # the gates whose input sits on a kink
    dialects: tuple[str, ...]
    sampled: bool  # whether difference quotients were taken of some entries only
    read: ReadBack | None = None  # the printed formulas, where they were read back

    @property
    def formulas(self) -> int:
        """How many printed formulas were read back."""
        return 0 if self.read is None else self.read.formulas - len(self.read.unread)

    @property
    def passed(self) -> int:
        """How many comparisons agree."""
        false = 0 if self.read is None else len(self.read.failures) + len(self.read.unreadable)
        return self.comparisons - (len(self.failures) - false)

    @property
    def largest(self) -> dict[str, float]:
        """The largest relative error of each way."""
        found: dict[str, float] = {}
        for entry in self.entries:
            ways = {"difference": entry.difference, "closed": entry.closed, **entry.programs}
            for way, comparison in ways.items():
                if comparison is not None:
                    found[way] = max(found.get(way, 0.0), comparison.error)
        return found


def verify(
    trace: Trace,
    derivation: Derivation,
    printed: Mapping[Any, PrintedNumbers],
    read: ReadBack | None = None,
) -> Verification:
    """Compare the trace with every other way; `printed` maps a dialect to what its program printed.

    `read` is what reading the printed formulas back has found.
    """
    kinks = kinks_of(trace)
    closed = ClosedForms(trace, derivation, bool(kinks))
    sizes = scales(trace)
    result = sizes.get(trace.graph.result)  # None for a constant
    terms = 0.0 if result is None else result.value  # that the function's value is rounded from
    exact = ExactQuotients(trace.graph, {q.name: q.value for q in trace.inputs}, terms)
    differences = {} if kinks else central_differences(trace, terms)
    sides = {dialect: OtherSide(trace, p, kinks, sizes) for dialect, p in printed.items()}
    entries = []
    for name in trace.wrt:
        quantity = next(q for q in trace.inputs if q.name == name)
        scale = sizes[quantity.node].gradient
        for place in np.ndindex(quantity.node.shape):
            value = float(np.asarray(quantity.gradient)[place])
            quotient = differences.get((name, place))
            entries.append(
                CheckedEntry(
                    name,
                    place,
                    value,
                    beside_difference(exact, (name, place), value, quotient, scale),
                    closed.compared(name, place, value, scale),
                    {
                        dialect: compared(
                            value, entry_of(p.gradients, name, place), PROGRAM_TOLERANCE, scale
                        )
                        for dialect, p in printed.items()
                        if not sides[dialect].has_gradient(quantity.node)
                    },
                )
            )
    count, failures = 0, []
    for entry in entries:
        ways = {
            "the central difference": entry.difference,
            "the closed form": entry.closed,
            **{f"the {dialect} program": c for dialect, c in entry.programs.items()},
        }
        for way, comparison in ways.items():
            if comparison is not None:
                count += 1
                if not comparison.agrees:
                    failures.append(
                        f"d/d{entry.name}{_place(entry.place)} is {entry.trace!r} by the trace but "
                        f"{comparison.value!r} by {way}"
                    )
    for dialect, p in printed.items():
        for what, good in every_gate(trace, p, sizes, sides[dialect]):
            count += 1
            if not good:
                failures.append(f"{what} printed by the {dialect} program differs from the trace")
    sampled = any(q.node.shape and q.value.size > MAX_ENTRIES for q in trace.inputs)
    if read is not None:
        unread = (f"the printed formula {u} cannot be read back" for u in read.unreadable)
        failures += (*read.failures, *unread)
    # a difference may have too few digits too: beside it the closed form tells
    others = [e.difference if e.closed is None else e.closed for e in entries]
    if failures and all(c is None or c.agrees for c in others) and trace.rounded and not kinks:
        _check_digits(trace)
    return Verification(
        tuple(entries), count, tuple(failures), kinks, tuple(printed), sampled, read
    )


def _check_digits(trace: Trace) -> None:
    """ReportError where float64, rounded at every step, has another number than the trace: programs have it too.

    What is left where terms cancel may be any other one: a 0, or what is small beside the largest of the trace.
    """
    values, gradients = in_float64(trace)
    quantities = (*trace.gates, *trace.inputs)
    ways = (
        ("the value", values, {q.node: q.value for q in quantities}),
        (
            "the gradient",
            gradients,
            {q.node: q.gradient for q in quantities if q.gradient is not None},
        ),
    )
    for what, rounded, exact in ways:
        residue = RESIDUE * max((float(np.max(np.abs(n))) for n in exact.values()), default=0.0)
        for node in (n for n in exact if n in rounded):
            gap, size = np.abs(rounded[node] - exact[node]), np.max(np.abs(exact[node]))
            if size and np.any(gap > MAX_LOST * size + residue):
                raise too_few_digits(
                    trace.graph, node, gate_names(trace.graph), what, rounded[node], exact[node]
                )


def misprinted(trace: Trace, printed: PrintedNumbers) -> list[str]:
    """Which values and gradients a program printed otherwise than the trace has them."""
    sizes = scales(trace)
    side = OtherSide(trace, printed, kinks_of(trace), sizes)
    wrong = [what for what, good in every_gate(trace, printed, sizes, side) if not good]
    for q in trace.inputs:
        if q.name in trace.gradients:
            gradient = trace.gradients[q.name]
            if not is_same(gradient, printed.gradients.get(q.name), sizes[q.node].gradient):
                wrong.append(f"the gradient of {q.name}")
    return wrong


def _place(place: tuple[int, ...]) -> str:
    return "".join(f"[{i}]" for i in place)


# ---------------------------------------------------------------- as text


def table(verification: Verification) -> str:
    """The comparisons as plain text for a terminal."""
    head = [
        "entry",
        "trace",
        "difference",
        "closed form",
        *(f"{d} program" for d in verification.dialects),
    ]
    lines = [head]
    for e in verification.entries:
        cells = [e.difference, e.closed, *e.programs.values()]
        lines.append(
            [
                f"d/d{e.name}{_place(e.place)}",
                f"{e.trace:.12g}",
                *(
                    "-" if c is None else f"{c.error:.1e}{'' if c.agrees else ' DIFFERS'}"
                    for c in cells
                ),
            ]
        )
    widths = [max(len(row[i]) for row in lines) for i in range(len(head))]
    text = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines
    ]
    text.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(text)
