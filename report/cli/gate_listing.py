"""The gates as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report.autodiff.graph import Gate


def gate_table(gates: Sequence[Gate], width: int) -> str:
    """The gates that a formula may use, group by group, in lines of at most `width` characters.

    Each with how it is written, what it does, its domain, its convention where it has a kink, and what
    `unfold` puts in its place.
    """
    import itertools
    import textwrap

    from report.autodiff.gates.table import ALIASES
    from report.autodiff.parser.names import BUILT

    shown = [gate for gate in gates if gate.usage]
    column = min(max((len(gate.usage) for gate in shown), default=0), 28, width // 2)
    lines: list[str] = []
    for group in dict.fromkeys(gate.group for gate in shown):
        lines += ["", group] if lines else [group]
        for gate in (g for g in shown if g.group == group):
            notes = [gate.summary]
            notes += [f"domain: {gate.domain}"] if gate.domain else []
            notes += [f"at a kink: {gate.convention}"] if gate.convention else []
            notes += [f"unfolds to: {text}"] if (text := _in_short(gate)) else []
            right = [
                line
                for note in notes
                for line in textwrap.wrap(note, width - column - 4, break_on_hyphens=False)
            ]
            left = [gate.usage]
            if len(gate.usage) > column:  # a line of its own, what it does under it
                lines += textwrap.wrap(
                    gate.usage, width, initial_indent="  ", subsequent_indent="    "
                )
                left = []
            for start, end in itertools.zip_longest(left, right, fillvalue=""):
                lines.append(f"  {start:{column}}  {end}".rstrip())
    others = sorted(f"{name} ({gate})" for name, gate in ALIASES.items())
    others += sorted(form.name for form in BUILT if form.usage)
    named = (
        "Arguments and options may be named, also as NumPy and PyTorch name them: sum(X, dim=0)."
    )
    last = (
        "Constant: pi. [1, 2, 3] is a vector. A function is one expression, with let-lines such as "
    )
    last += "z = W @ x before it; such a line may name a comparison for where."
    for text in (f"Other names: {', '.join(others)}.", named, last):
        lines += ["", *textwrap.wrap(text, width)]
    return "\n".join(lines)


def _in_short(gate: Gate) -> str:
    """The definition of a gate in names: over arguments of n entries, or over square matrices."""
    import re

    from report.autodiff.gates.table import signature
    from report.autodiff.graph import INPUT, Plain, topological
    from report.errors import ReportError
    from report.program.syntax import formula

    if gate.definition is None:
        return ""
    names, options = signature(gate.definition)
    n = 89  # a number that no definition holds
    for first, rest in (((n,), (n,)), ((n, n), (n, n)), ((n,), ())):
        leaves = [Plain(INPUT, shape=rest if i else first, name=a) for i, a in enumerate(names)]
        numbers = {k: Plain(INPUT, name=k) for k, v in options.items() if isinstance(v, float)}
        try:
            whole = gate.definition(*leaves, **numbers)
        except ReportError:
            continue
        if any(n.is_constant and n.shape for n in topological(whole)):
            return ""  # a matrix of ones and zeros
        text = formula(whole, {a: str(a.name) for a in (*leaves, *numbers.values())})
        return re.sub(rf"\b{n}\b", "n", text)
    return ""
