r"""Entries, rows and columns of values, by indices that count from 1; powers and transposes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from report.autodiff.gates import Key, Place
from report.autodiff.graph import Array, constant
from report.autodiff.parser.input_roles import moves
from report.autodiff.parser.latex.index_values import _IndexValues
from report.autodiff.parser.latex.indices import Run, split
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Letter, Number, Part, Script
from report.autodiff.parser.latex.values import (
    ATOM,
    PRODUCT,
    SIGN,
    NoEntry,
    OneByOne,
    Operand,
    Unsized,
    Value,
)
from report.errors import nearest, shown

_TOP = frozenset(
    {
        (r"\top",),
        ("T",),
        (r"\intercal",),
        (r"\mathsf", "T"),
        (r"\prime",),
        ("t",),
        (r"\mathrm", "T"),
        ("tr",),
    }
)


class _Entries(_IndexValues):
    """Entries, rows and columns of values, by indices that count from 1; powers and transposes."""

    def with_scripts(self, value: Operand, script: Script) -> Operand:
        """A value's entry, power or transpose."""
        above = script.above
        if script.primes:
            raise self.error(
                "a prime is a derivative, which is no value, or part of a name (x' is the input x_prime)",
                script,
            )
        if (
            above is not None
            and script.below is not None
            and isinstance(value, Value)
            and self.picks_first(above)
        ):
            value = self.pick(value, above[1:-1], script)
            return self.pick(value, script.below, script)
        if script.below is not None:
            value = self.pick(self.sized(value, script), script.below, script)
        if above is None:
            return value
        return self.raised(value, above, script)

    def picks_first(self, above: tuple[Token, ...]) -> bool:
        return above[0].text in ("(", "[") and above[-1].text in (")", "]")

    def raised_by_entry(self, x: Value, above: tuple[Token, ...], part: Part) -> Value:
        """The power of each entry; 1/3 is the cube root, of negative entries too."""
        if "".join(t.text for t in above) == "1/3":
            return Value(self.call("cbrt", [x.node], part), f"cbrt({x.text})", ATOM, x.axes)
        return self.power(x, self.value(self.tree(above)), part, entrywise=True)

    def raised(self, value: Operand, above: tuple[Token, ...], part: Part) -> Operand:
        texts = tuple(t.text for t in above)
        if texts in _TOP and not (
            texts in (("T",), ("t",), (r"\prime",)) and self.is_exponent(value, texts[0])
        ):
            return self.turned(value, part)
        if texts in (("-", r"\top"), ("-", "T")):
            return self.turned(self.inverse(self.sized(value, part), part), part)
        if texts == ("-", "1"):
            if isinstance(value, Unsized):
                return value if value.kind == "matrix" else self.sized(value, part)
            return self.inverse(value, part)
        if texts in ((r"\circ",), (r"\degree",)):
            x = self.sized(value, part)
            return Value(self.call("radians", [x.node], part), f"radians({x.text})", ATOM, x.axes)
        if texts[0] in (r"\odot", r"\circ") and len(texts) > 1:
            return self.raised_by_entry(self.sized(value, part), above[1:], part)
        if self.picks_first(above):
            inner = self.grammar(above[1:-1]).listed()
            if (
                isinstance(value, Value)
                and len(inner) == 1
                and (
                    self.mentions_index(above)
                    or (value.shape and above[1].kind == "num" and len(above) == 3)
                )
            ):
                return self.pick(value, above[1:-1], part)
            if (
                above[0].text == "("
                and isinstance(value, Value)
                and len(inner) == 1
                and not isinstance(inner[0], (Letter, Number))
            ):
                return self.power(value, self.value(inner[0]), part)
            told = self.places.text[part.start : part.end]
            raise self.error(
                f"unknown name {shown(told)}: what stands above in brackets is a label or an index",
                part,
            )
        if texts in (("+",), (r"\dagger",)):
            raise self.error(
                r"write [x]_+ for the positive part; a pseudo-inverse is not known", part
            )
        if texts in (("*",), (r"\star",), (r"\ast",)):
            told = self.places.text[part.start : part.end]
            raise self.error(
                f"unknown name {shown(told)}: with a star it is another name (w_star)", part
            )
        exponent = self.value(self.tree(above))
        base = self.sized(value, part)
        return self.power(base, exponent, part)

    def is_exponent(self, value: Operand, letter: str) -> bool:
        """Whether a T or t above is a number: beside a number, where there is such a name."""
        if not isinstance(value, Value) or value.shape:
            return False
        return (
            letter in self.known
            or letter in self.indices
            or self.is_local(letter)
            or self.length(letter, None) is not None
        )

    def mentions_index(self, tokens: Sequence[Token]) -> bool:
        return any(t.text in self.indices for t in tokens)

    def pick(self, value: Value, below: Sequence[Token], part: Part) -> Value:
        """An entry, row or column of a value, by indices that count from 1; [0, :] is NumPy's key."""
        if below[0].text == "[" and below[-1].text == "]":
            return self.by_key(value, below, part)
        items = self.items(value, below, part)
        shape = value.shape
        if not shape:
            told = self.places.text[part.start : part.end]
            raise self.error(
                f"unknown name {shown(told)}: a number has no entries{self.nearest_entry(part)}",
                part,
            )
        if len(items) == 1 and len(shape) == 2 and 1 in shape and shape != (1, 1):
            items = [1, items[0]] if shape[0] == 1 else [items[0], 1]
        if len(items) > len(shape):
            raise self.error(f"{len(items)} indices for a value of shape {shape}", part)
        items += [slice(None)] * (len(shape) - len(items))
        return self.picked(value, items, part)

    def by_key(self, value: Value, below: Sequence[Token], part: Part) -> Value:
        """x_{[1, :]}: numbers, slices and inputs of positions, which are k + 1 where they count from 0."""
        if value.axes:
            raise OneByOne
        key, held = self.key_of(below, part)
        node = self.gate("index", [value.node, *(v.node for v in held)], part, key=key)
        shown = str(key)
        for place, index in enumerate(held, 1):
            shown = shown.replace(f"{{{place}}}", index.text)
        return Value(node, f"{value.within(ATOM)}[{shown}]")

    def written_out(self, part: Part) -> Array | None:
        """The numbers of a list; None where there are others than constants."""
        return self.value(part).node.value

    def key_of(self, below: Sequence[Token], part: Part) -> tuple[Key, list[Value]]:
        """A key in square brackets, and the inputs of positions in it."""
        key: list[Any] = []
        held: list[Value] = []
        for item in split(below[1:-1]):
            text = "".join(t.text for t in item)
            if re.fullmatch(r"[1-9]\d*", text):
                key.append(int(text) - 1)
            elif text in ("...", r"\dots", "new"):
                key.append(None if text == "new" else Ellipsis)
            elif text == ":":
                key.append(slice(None))
            elif re.fullmatch(r"[1-9]\d*:(-?\d+:)?\d+", text):
                start, *step, last = (int(n) for n in text.split(":"))
                stop = last - 1 + (-1 if step and step[0] < 0 else 1)
                key.append(slice(start - 1, None if stop < 0 else stop, *step))
            elif item[0].text in ("[", "begin", "bmatrix*") or item[0].kind == "begin":
                places = self.written_out(self.tree(item))
                if places is None:
                    raise self.error("positions are whole numbers from 1", part)
                whole = constant(np.atleast_1d(places).astype(int) - 1)
                held.append(Value(whole, repr(np.asarray(whole.value).tolist())))
                key.append(Place(len(held)))
            elif self.printed and [t.text for t in item[-2:]] != ["+", "1"]:  # any entry i
                held.append(self.value(self.tree(item)))
                key.append(Place(len(held), start=1))
            elif len(item) < 3 or [t.text for t in item[-2:]] != ["+", "1"]:
                raise self.error(
                    "positions count from 1; of an input k that counts from 0, it is k + 1", part
                )
            else:
                index = self.value(self.tree(item[:-2]))
                message = "an index is a whole number, a slice or an input of them"
                self.reader.roles.note(self.hole(part), index.node, "index", message)
                held.append(index)
                key.append(Place(len(held)))
        return Key(tuple(key)), held

    def nearest_entry(self, part: Part) -> str:
        told = (
            self.places.text[part.start : part.end]
            .replace("\\", "")
            .replace("{", "")
            .replace("}", "")
        )
        return nearest(told, [d.name for d in self.known.values() if d.is_input], 0.75)

    def items(self, value: Value, below: Sequence[Token], part: Part) -> list[Any]:
        """The indices below a name: between commas, or letters and digits side by side."""
        parts = [p for p in split(below) if p] or [[]]
        rank = len(value.shape)
        if (
            len(parts) == 1
            and rank > 1
            and len(parts[0]) > 1
            and all(t.kind in ("letter", "num") or t.text in (":", r"\cdot") for t in parts[0])
        ):
            tokens = parts[0]
            if len(tokens) == rank:
                parts = [[t] for t in tokens]
        if (
            len(parts) == 1
            and rank > 1
            and len(parts[0]) == 1
            and parts[0][0].kind == "num"
            and len(parts[0][0].text) == rank
        ):
            token = parts[0][0]
            if int(token.text) <= value.shape[0]:
                raise self.error(
                    f"this has two readings: row {token.text}, or the entry {','.join(token.text)}; write {{{','.join(token.text)}}}",
                    part,
                )
            parts = [[replace(token, text=digit)] for digit in token.text]
        if len(parts) == 1 and rank > 1 and self.label_pair(parts[0]):
            parts = [parts[0][:1], parts[0][1:]]
        return [self.item(p, part) for p in parts]

    def label_pair(self, tokens: list[Token]) -> bool:
        """z_{i y_i}: an index and a label with its own."""
        return len(tokens) > 3 and tokens[0].text in self.indices and tokens[2].text == "_"

    def item(self, tokens: list[Token], part: Part) -> Any:
        texts = [t.text for t in tokens]
        if texts in ([":"], [r"\cdot"], ["*"], [r"\bullet"], [r"\colon"]):
            return slice(None)
        if ":" in texts:
            cut = texts.index(":")
            first, last = (
                self.whole(self.tree(t)) if t else None for t in (tokens[:cut], tokens[cut + 1 :])
            )
            return slice(None if first is None else first - 1, last)
        return self.index(tokens, part)

    def picked(self, value: Value, items: list[Any], part: Part) -> Value:
        """Entries by whole numbers first, then running indices as axes, then labels."""
        shape = value.shape
        for i, (item, n) in enumerate(zip(items, shape, strict=True)):
            ends = (
                [item]
                if isinstance(item, int)
                else [item.values[0], item.values[-1]]
                if isinstance(item, Run) and len(item.values)
                else []
            )
            for end in ends:
                if not 1 <= end <= n:
                    which = f"index {end}" if len(shape) == 1 else f"index {end} in place {i + 1}"
                    why = "they count from 1" if end < 1 else f"there are {n}"
                    raise NoEntry(str(self.error(f"{which} is none: {why}", part)))
        key: list[Any] = []
        runs: list[Run] = []
        labels: list[Value] = []
        for item, n in zip(items, shape, strict=True):
            if isinstance(item, int):
                key.append(item - 1)
            elif isinstance(item, Run):
                runs.append(item)
                if not item.values:
                    raise OneByOne
                first, last = item.values[0] - 1, item.values[-1]
                key.append(slice(None) if (first, last) == (0, n) else slice(first, last))
                if labels:
                    raise OneByOne
            elif isinstance(item, Value):
                labels.append(item)
                key.append(slice(None))
            else:
                key.append(item)
        picked = (
            value if all(k == slice(None) for k in key) else self.taken(value, tuple(key), part)
        )
        if runs:
            picked = self.with_runs(picked, items, runs, part)
        for label in labels:
            picked = self.labelled(picked, label, part)
        return picked

    def with_runs(self, value: Value, items: list[Any], runs: list[Run], part: Part) -> Value:
        rest = [i for i in items if not isinstance(i, int)]
        if any(isinstance(i, Run) for i in rest[len(runs) :]):
            if len(rest) == 2 and isinstance(rest[0], slice) and not value.axes:  # A_{:, j}
                node = self.gate("transpose", [value.node], part)
                return self.named_axes(Value(node, f"{value.within(ATOM)}.T"), runs)
            raise OneByOne
        if (
            len(runs) == 2
            and runs[0] == runs[1]
            and not value.axes
            and len(value.shape) == 2
            and value.shape[0] == value.shape[1]
        ):
            return self.named_axes(
                Value(self.gate("diag", [value.node], part), f"diag({value.text})"), runs[:1]
            )
        if len({r.name for r in runs}) < len(runs) or any(r.name in value.axes for r in runs):
            raise OneByOne
        return self.named_axes(value, runs)

    def named_axes(self, value: Value, runs: list[Run]) -> Value:
        return replace(value, axes=(*value.axes, *(r.name for r in runs)), row=False)

    def told(self, value: Value, label: Value, part: Part) -> Value:
        """The entry, or one of each row, whose place is an input that counts from 1: s_y, P_{i, y_i}."""
        self.reader.roles.note(self.hole(part), label.node, "index", "")
        nodes, text, places = [value.node], f"{label.within(SIGN)} - 1", []
        if value.axes:
            rows = value.node.shape[0]
            nodes, text = [value.node, constant(np.arange(rows))], f"arange({rows}), {text}"
            places = [Place(1)]
        key = Key((*places, Place(len(nodes), start=1)))
        node = self.gate("index", [*nodes, label.node], part, key=key)
        return Value(node, f"{value.within(ATOM)}[{text}]", ATOM, label.axes)

    def labelled(self, value: Value, label: Value, part: Part) -> Value:
        """The entry whose place an input tells: the sum over all places of entry times [place = label]."""
        shape = value.shape
        n = shape[0]
        numbers = self.at_inputs(label)
        if numbers is None or not np.all(
            (numbers == np.floor(numbers)) & (numbers >= 1) & (numbers <= n)
        ):
            raise self.error(f"a label is a whole number from 1 to {n}: labels count from 1", part)
        is_given = label.node.is_input or moves(label.node)
        if is_given and value.axes in ((), label.axes) and len(label.axes) < 2:
            return self.told(value, label, part)
        places = constant(np.arange(1.0, n + 1))
        node = label.node
        if label.axes:
            node = self.gate("reshape", [node], part, shape=(*node.shape, 1))
        equal = self.gate("equal", [node, places], part)
        mask = self.gate("where", [equal, constant(1.0), constant(0.0)], part)
        text = f"where({label.text if not label.axes else label.within(ATOM) + '[:, None]'} == {list(range(1, n + 1))}, 1, 0)"
        chosen = Value(mask, text, ATOM, label.axes)
        if not value.axes:
            if not label.axes and len(shape) == 1:
                return Value(
                    self.gate("dot", [mask, value.node], part), f"dot({text}, {value.text})"
                )
            if len(shape) <= 2:
                return Value(
                    self.gate("matmul", [mask, value.node], part),
                    f"{text} @ {value.within(SIGN)}",
                    PRODUCT,
                    label.axes,
                )
            raise OneByOne
        if len(shape) != 1:
            raise OneByOne
        return self.inner(chosen, value, part)
