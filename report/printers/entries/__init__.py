"""One entry of each gate that mixes or moves entries, in terms of its arguments' entries.

`ENTRIES[name](w, node, ix)` is the sympy expression of the entry of `node` at the labels `ix`; `w` is
the walk of `report.printers.index`, which knows the entries of arguments and makes labels to sum over.
"""

from __future__ import annotations

from report.printers.entries import algebra, losses, moving, reductions
from report.printers.index import Rule

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
    "transpose": moving.transpose,
    "swap_last": moving.swap_last,
    "broadcast_to": moving.broadcast_to,
    "sum_to": moving.sum_to,
    "reshape": moving.reshape,
    "concatenate": moving.concatenate,
    "stack": moving.stack,
    "pad": moving.pad,
    "index": moving.index,
    "scatter": moving.scatter,
}
