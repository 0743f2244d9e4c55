"""Which gates `unfold` writes out in simpler ones: those whose row has a definition."""

from __future__ import annotations

from typing import Any

from report.autodiff.gates.table import ALIASES, GATES
from report.autodiff.graph import Gate
from report.errors import ReportError, nearest, shown
from report.plain_values import as_text


def check_unfold(name: Any) -> str:
    """The name of a gate that has a definition; ReportError for one that is elementary or no gate."""
    own = as_text(name)
    if own is not None:
        wanted = ALIASES.get(own, own)
        if wanted in (names := unfoldable()):
            return wanted
        if wanted in GATES and GATES[wanted].usage and not GATES[wanted].family:
            raise ReportError(
                f"unfold: {own!r} is elementary here: no simpler gates give the same; {_known()}"
            )
        near = nearest(own, names)
    else:
        near = ""
    raise ReportError(f"unfold: {shown(name)} is no gate{near or '; ' + _known()}")


def unfolds_as(gate: Gate) -> str:
    """The name under which `unfold` writes a gate out; "" for one that is elementary."""
    name = gate.family or gate.name
    return name if gate.definition and name in unfoldable() else ""


def unfoldable() -> list[str]:
    """The names that `unfold` takes."""
    return [g.name for g in GATES.values() if g.definition and g.usage and not g.family]


def opened() -> tuple[str, ...]:
    """The gates that a report writes out unless it is told otherwise: their own rules are long to read."""
    return tuple(name for name in unfoldable() if GATES[name].opened)


def _known() -> str:
    return f"these can be unfolded: {', '.join(unfoldable())}"
