"""Graph -> index form: one entry of a tensor, such as Σ_k W_ik x_k, in terms of the entries below it.

`ENTRIES[name](w, node, ix)` is the sympy expression of the entry of `node` at the labels `ix`; `w` is
the walk, which knows the entries of arguments and makes labels to sum over.
"""

from __future__ import annotations

from collections.abc import Mapping

from report.autodiff.graph import Node
from report.derivation.index_form import algebra, indexing, losses, reductions
from report.derivation.index_form.walk import (
    LETTERS,
    IndexForm,
    NoIndexForm,
    Rule,
    Split,
    Walk,
    Whole,
)

__all__ = ["IndexForm", "NoIndexForm", "index_form"]

ENTRIES: dict[str, Rule] = {
    "matmul": algebra.matmul,
    "outer": algebra.outer,
    "dot": algebra.dot,
    "kron": algebra.kron,
    "solve": algebra.solve,
    "cofactor": algebra.cofactor,
    "trace": algebra.trace,
    "diag": algebra.diag,
    "norm": reductions.norm,
    "squared_norm": reductions.reduced(lambda x: x**2),
    "l1_norm": reductions.l1_norm,
    "sum": reductions.reduced(lambda x: x),
    "mean": reductions.reduced(lambda x: x, mean=True),
    "var": reductions.var,
    "std": reductions.std,
    "prod": reductions.prod,
    "others": reductions.others,
    "max": reductions.extreme("max"),
    "min": reductions.extreme("min"),
    "is_largest": reductions.is_extreme("max"),
    "is_smallest": reductions.is_extreme("min"),
    "cumsum": reductions.cumsum(from_start=True),
    "reverse_cumsum": reductions.cumsum(from_start=False),
    "softmax": reductions.softmax,
    "log_softmax": reductions.log_softmax,
    "logsumexp": reductions.logsumexp,
    "mse": losses.loss(lambda p, y: (p - y) ** 2),
    "l1": losses.loss(losses.l1),
    "huber": losses.loss(losses.huber),
    "hinge": losses.loss(losses.hinge),
    "binary_cross_entropy": losses.loss(losses.binary_cross_entropy, sign=-1),
    "binary_cross_entropy_with_logits": losses.loss(losses.with_logits),
    "kl_div": losses.kl_div,
    "cross_entropy": losses.cross_entropy,
    "cross_entropy_one_hot": losses.cross_entropy_one_hot,
    "one_hot": losses.one_hot,
    "transpose": indexing.transpose,
    "swap_last": indexing.swap_last,
    "broadcast_to": indexing.broadcast_to,
    "sum_to": indexing.sum_to,
    "reshape": indexing.reshape,
    "concatenate": indexing.concatenate,
    "stack": indexing.stack,
    "pad": indexing.pad,
    "index": indexing.index,
    "scatter": indexing.scatter,
}


def index_form(
    node: Node, names: Mapping[Node, str], whole: Whole | None = None, letters: str = LETTERS
) -> IndexForm:
    """Entry (i, j, ...) of a node; `names` are the LaTeX of the nodes to stop at.

    In a name, the place of the labels is marked by `@`: "q_{1@}" or, for a derivative, one inside.
    `whole` writes a node in matrix form: softmax and its kin stand as softmax(z)_i. `letters` are
    those that may be a label. Raises NoIndexForm.
    """
    splits: dict[str, tuple[int, ...]] = {}
    while True:
        walk = Walk(node, ENTRIES, names, whole, splits)
        try:
            entry = walk.entry(node, walk.root)
        except Split as split:
            splits[split.key] = split.sizes
        else:
            return walk.finished(entry, letters)
