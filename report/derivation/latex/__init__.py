"""Graph -> LaTeX: the matrix form of a formula or of a backward graph.

`latex(node, leaf)` walks a graph down to what `leaf` names. The notation of a gate is the `latex`
column of its row; NOTATIONS holds that of the gates that need more than a template.
"""

from __future__ import annotations

from report.autodiff.graph import Node
from report.derivation.latex import arithmetic, conditions, indexing, reductions
from report.derivation.latex.printed import Printed
from report.derivation.latex.printer import NONE_TAKEN, Leaf, Notations, Printer, Taken

__all__ = ["NONE_TAKEN", "Leaf", "Printed", "Taken", "equation", "latex"]

NOTATIONS: Notations = {
    **arithmetic.NOTATIONS,
    **reductions.NOTATIONS,
    **indexing.NOTATIONS,
    **conditions.NOTATIONS,
}


def latex(
    node: Node, leaf: Leaf | None = None, taken: Taken = NONE_TAKEN, *, alone: bool = False
) -> Printed:
    """The formula of a node, down to inputs or to what `leaf` writes.

    Signs of ours that are `taken` by names of the user give way; `alone`: nothing else tells its shape.
    """
    printer = Printer(leaf or (lambda _: None), NOTATIONS, taken)
    if alone:
        printer.tell(node)
    return printer.write(node)


def equation(node: Node, leaf: Leaf, taken: Taken = NONE_TAKEN) -> Printed:
    """One gate over its arguments: `leaf` writes every argument, as a name or as a number."""
    return Printer(lambda n: None if n is node else leaf(n), NOTATIONS, taken).write(node)
