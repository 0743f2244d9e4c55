"""Graph -> LaTeX: the matrix form of a formula or of a backward graph.

`latex(node, leaf)` walks a graph down to what `leaf` names. The notation of a gate is the `latex`
column of its row; SIGNS holds that of the gates that need more than a template.
"""

from __future__ import annotations

from report.autodiff.graph import Node
from report.derivation.latex import arithmetic, conditions, indexing, reductions
from report.derivation.latex.printer import Leaf, Printer, Signs

__all__ = ["Leaf", "equation", "latex", "written"]

SIGNS: Signs = {**arithmetic.SIGNS, **reductions.SIGNS, **indexing.SIGNS, **conditions.SIGNS}


def latex(node: Node, leaf: Leaf | None = None, *, alone: bool = False) -> str:
    """The formula of a node, down to inputs or to what `leaf` writes; `alone`: nothing else tells its shape."""
    printer = Printer(leaf or (lambda _: None), SIGNS)
    if alone:
        printer.tell(node)
    return printer.write(node)[0]


def written(node: Node, leaf: Leaf | None = None) -> tuple[str, int]:
    """The formula of a node, and how tightly its outermost sign binds."""
    return Printer(leaf or (lambda _: None), SIGNS).write(node)


def equation(node: Node, leaf: Leaf) -> str:
    """One gate over its arguments: `leaf` writes every argument, as a name or as a number."""
    return Printer(lambda n: None if n is node else leaf(n), SIGNS).write(node)[0]
