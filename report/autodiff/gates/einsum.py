"""Gate: sums of products of entries, by letters for the axes (Einstein's notation)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.gates import code, compounds, entries
from report.autodiff.gates.indexing import broadcast_to, reshape
from report.autodiff.gates.shapes import einsum_terms, summed_products
from report.autodiff.gates.table import gate
from report.autodiff.graph import Node, constant, shape_of


def _rule(place: int) -> Callable[..., Any]:
    """The gradient of an operand: the upstream gradient takes its place, and its letters are the result's."""

    def rule(g: Any, y: Any, *args: Any, subscripts: str) -> Any:
        operands, right = einsum_terms(subscripts)
        own, shape = operands[place], shape_of(args[place])
        given = [
            (right, g),
            *((o, a) for i, (o, a) in enumerate(zip(operands, args, strict=True)) if i != place),
        ]
        spare = (
            c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts
        )
        letters = ""
        for letter, n in zip(own, shape, strict=True):
            if letter in letters:  # a diagonal: its entries go back there
                again = next(spare)
                one = np.eye(n)
                given.append(
                    (letter + again, constant(one, name="I") if isinstance(g, Node) else one)
                )
                letters += again
            else:
                letters += letter
        known = set("".join(o for o, _ in given))
        kept = "".join(c for c in letters if c in known)
        text = ",".join(o for o, _ in given) + "->" + kept
        part = einsum(*(a for _, a in given), subscripts=text)
        if kept == letters:
            return part
        open_shape = tuple(n if c in kept else 1 for c, n in zip(letters, shape, strict=True))
        return broadcast_to(reshape(part, shape=open_shape), shape=shape)

    return rule


einsum = gate(
    "einsum",
    lambda *args, subscripts: np.einsum(subscripts, *args, optimize=len(args) > 2)[()],
    shape=summed_products, widened=compounds.einsum, rule_at=_rule, entry=entries.einsum, params={"subscripts": None}, leading="subscripts",
    sign="einsum", latex="", numpy=lambda node: f"np.einsum({node.params['subscripts']!r}, {', '.join(code.listed(node))})",
    formula=lambda node: f"einsum({node.params['subscripts']!r}, {', '.join(code.listed(node))})",
    usage='einsum("ij,jk->ik", A, B)', group="linear algebra",
    summary="sum of products of entries; letters that the result lacks are summed over",
    why="The derivative of a sum of products by one factor is the product of the others: the upstream "
    "gradient takes the place of that operand.",
)  # fmt: skip
