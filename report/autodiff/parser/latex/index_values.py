r"""Indices with their values: whole numbers, those of a sum that runs, and labels that inputs tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.graph import CONSTANT
from report.autodiff.parser.latex.indices import Linear, Run, linear
from report.autodiff.parser.latex.ranges import _Ranges
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Part
from report.autodiff.parser.latex.values import (
    OneByOne,
    Value,
)
from report.errors import shown


class _IndexValues(_Ranges):
    """Indices with their values: whole numbers, those of a sum that runs, and labels that inputs tell."""

    def index(self, tokens: Sequence[Token], part: Part | None) -> Any:
        """An index: a whole number, a Run, or the Value of a label."""
        tree = self.tree(tokens)
        form = linear(tree)
        if form is not None:
            found = self.index_of(form, tree)
            if found is not None:
                return found
        return self.label(tree)

    def index_of(self, form: Linear, tree: Part) -> Any:
        """A linear form of indices and lengths; None where one of its letters is a label."""
        number, run = form.number, None
        for name, times in form.letters.items():
            index = self.indices.get(name)
            if isinstance(index, int):
                number += times * index
            elif isinstance(index, Run):
                if run is not None or times != 1:
                    raise OneByOne
                run = index
            elif name in self.known or self.is_local(name):
                return None
            else:
                length = self.length(name, tree)
                if length is None:
                    raise self.error(
                        f"{shown(name)} is an index that belongs to no sum here, and no input", tree
                    )
                number += times * length
        return number if run is None else run.moved(number)

    def label(self, tree: Part) -> Value | int:
        """An input as an index: a label, counted from 1."""
        value = self.value(tree)
        if value.node.gate is CONSTANT and not value.shape and float(value.node.value).is_integer():
            return int(value.node.value)
        if value.shape:
            raise self.error("an index is a number; this has several entries", tree)
        node = value.node
        while node.gate.form in (Form.PICKED, Form.RESHAPED):
            node = node.args[0]
        if not node.is_input:
            raise self.error(
                "an index is a whole number, the index of a sum, or an input of labels", tree
            )
        return value

    def index_as_value(self, name: str) -> Value:
        index = self.indices[name]
        if isinstance(index, int):
            return self.number(float(index))
        return self.array([float(i) for i in index.values], (name,))

    def mask(self, compare: Any, a: Any, b: Any) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return self.number(float(bool(compare(a, b))))
        runs = [r for r in (a, b) if isinstance(r, Run)]
        if len(runs) == 2 and runs[0].name == runs[1].name:
            values = compare(np.array(list(a.values)), np.array(list(b.values)))
            return self.array(values.astype(float), (a.name,))
        x = np.array(list(a.values))[:, None] if isinstance(a, Run) else np.array(a)
        y = np.array(list(b.values)) if isinstance(b, Run) else np.array(b)
        values = compare(x, y)
        if not isinstance(b, Run):
            values = values.reshape(-1)
        return self.array(values.astype(float), tuple(r.name for r in runs))
