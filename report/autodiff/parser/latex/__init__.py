r"""LaTeX as a function: text -> tokens -> lines -> trees -> values over the inputs -> Graph.

`is_latex` tells LaTeX from an expression, `parse` reads it into the same Graph that an expression makes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.graph import Array, Graph, evaluate, uncollected
from report.autodiff.parser.latex.reader import _LatexReader
from report.autodiff.parser.latex.tokens import tokens_of
from report.autodiff.parser.latex.values import Unsized
from report.autodiff.parser.source import Places

_COMMAND = re.compile(r"\\[A-Za-z,;:!|{\\]|\$|\\\[|\\\(")


def is_latex(text: str) -> bool:
    """Whether a function is LaTeX: it holds a command, or stands between signs of math."""
    return _COMMAND.search(text) is not None


def parse(
    text: Any,
    inputs: Mapping[str, Array],
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
) -> Graph:
    """Read LaTeX over `inputs` into a Graph; ReportError with line, column and a caret for what cannot be read."""
    latex = _LatexReader(Places(text), inputs, unfold)
    latex.reader.entry = entry
    return latex.graph()


def value_of(
    text: str,
    values: Mapping[str, Array],
    shape: tuple[int, ...] = (),
    labels: Mapping[str, int] = MappingProxyType({}),
) -> Array:
    """The number or array of one formula that this program printed, with the values of the names in it.

    `values` goes by plain names (q1, W, y_hat); they may be of `extended.Extended`. `shape` is that of the
    value, which I or ones alone have, `labels` are the indices that are free in it.
    ReportError for what cannot be read.
    """
    with uncollected():
        reader = _LatexReader(Places(text), values, ())
        reader.printed, reader.expected = True, shape
        reader.indices = dict(labels)
        tree = reader.tree(tokens_of(reader.places, text))
        found = reader.lower(tree)
        if isinstance(found, Unsized) and shape:
            if len(shape) > 1 and reader.is_filled(found):  # c 𝟏
                found = reader.reshaped(found.make(1), (), tree)
            elif len(shape) > 1 and found.wide is not None:
                found = found.wide(*shape)
            else:
                found = found.make(
                    shape[1 if found.kind == "columns" else -1 if found.kind == "row" else 0]
                )
        node = reader.sized(found, tree).node
        reader.reader.evaluate_constants()
        known = {n: values[name] for name, n in reader.reader.inputs.items()}
        if any(np.asarray(value).dtype == object for value in values.values()):
            return np.asarray(extended.evaluate([node], known)[node])
        return np.asarray(node.value if node.is_constant else evaluate([node], known)[node])
