"""Graph -> index form: one entry of a tensor, such as Σ_k W_ik x_k, in terms of the entries below it."""

from __future__ import annotations

from collections.abc import Mapping

from report.autodiff.gates.entries import NoIndexForm
from report.autodiff.graph import Node
from report.derivation.index_form.gathered import gathered
from report.derivation.index_form.walk import IndexForm, Split, Walk, Whole
from report.derivation.latex import NONE_TAKEN, Printed, Taken
from report.derivation.latex.letters import LETTERS

__all__ = ["IndexForm", "NoIndexForm", "index_form"]


def index_form(
    node: Node,
    names: Mapping[Node, Printed],
    whole: Whole | None = None,
    letters: str = LETTERS,
    taken: Taken = NONE_TAKEN,
) -> IndexForm:
    """Entry (i, j, ...) of a node; `names` are the LaTeX of the nodes to stop at.

    In a name, the place of the labels is marked by `@`: "q_{1@}" or, for a derivative, one inside.
    `whole` writes a node in matrix form: softmax and its kin stand as softmax(z)_i. `letters` are
    those that may be a label, `taken` signs of ours that are names of the user. Raises NoIndexForm.
    """
    splits: dict[str, tuple[int, ...]] = {}
    parts_windows = True
    while True:
        walk = Walk(node, names, whole, splits, taken)
        walk.parts_windows = parts_windows
        try:
            entry = walk.entry(node, walk.root)
        except Split as split:
            splits[split.key] = split.sizes
        except NoIndexForm:  # a sum over windows may do where labels cannot be split
            if not (splits and parts_windows):
                raise
            splits, parts_windows = {}, False
        else:
            return walk.finished(gathered(walk, entry), letters)
