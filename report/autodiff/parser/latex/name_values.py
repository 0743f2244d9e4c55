r"""The value of a name with its scripts: an input, a line, an entry, an index, a constant."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from report.autodiff.graph import constant
from report.autodiff.parser.latex import indices
from report.autodiff.parser.latex.entries import _Entries
from report.autodiff.parser.latex.indices import split, walk
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Big, Compared, Joined, Letter, Part, Script
from report.autodiff.parser.latex.values import ATOM, OneByOne, Operand, Unsized, Value
from report.autodiff.parser.names import FORMS
from report.errors import ReportError, nearest, shown


class _Names(_Entries):
    """The value of a name with its scripts: an input, a line, an entry, an index, a constant."""

    def lower_letter(self, part: Letter) -> Operand:
        return self.name(part, None)

    def name(self, letter: Letter, script: Script | None) -> Operand:
        """A name with its scripts: an input, a line, an index, a constant, an entry of one of these."""
        part: Part = script or letter
        is_bare = script is None or (script.below is None and not script.primes)
        if is_bare and letter.base in self.indices and not letter.accents and not letter.font:
            value: Operand = self.index_as_value(letter.base)
            return self.with_scripts(value, script) if script else value
        if (
            letter.base == "e"
            and script is not None
            and script.above
            and script.below is None
            and not letter.accents
            and "e" not in self.known
            and not self.is_local("e")
        ):
            return self.exponential(script)
        if self.printed and letter.font == "bb":  # the identity, beside an input I
            return self.constant_or_error(letter, script, part)
        found = self.find(letter, script)
        if found is not None:
            value, rest = found
            return value if rest is None else self.with_scripts(value, rest)
        return self.constant_or_error(letter, script, part)

    def find(self, letter: Letter, script: Script | None) -> tuple[Operand, Script | None] | None:
        """The value of the longest name that is known, and the scripts left to read."""
        candidates = list(self.labels(letter, script))
        if script is not None and script.below is not None:
            digits = self.numbered(script.below)
            if digits is not None:
                base = self.base_label(letter) + "prime" * script.primes
                candidates.insert(len(candidates) - 1, (base + digits, None, script.above))
        for label, below, above in candidates:
            value = self.local(label)
            definition = self.known.get(label)
            if value is None and definition is None:
                continue
            part: Part = script or letter
            if value is None:
                assert definition is not None
                if definition.is_input and len(self.alike.get(label, ())) > 1:
                    both = " and ".join(self.alike[label])
                    raise self.error(
                        f"the inputs {both} are one name in LaTeX; rename one of them", part
                    )
                self.check_one_reading(letter, script, label, below, part)
                value = self.line_value(definition)
            rest = None
            if below is not None or above is not None:
                assert script is not None
                rest = Script(script.start, script.end, letter, below, above)
            return value, rest
        return None

    def check_one_reading(
        self, letter: Letter, script: Script | None, label: str, below: Any, part: Part
    ) -> None:
        """x_1 is the input x1 or the entry of x, where both are there; so is x_{1,2} an entry of either."""
        if script is None or script.below is None or below == script.below or self.printed:
            return
        base = self.known.get(self.base_label(letter) + "prime" * script.primes)
        if (
            base is None
            or base.letters
            or not isinstance(base.value, Value)
            or not base.value.shape
        ):
            return
        if all(t.kind == "num" for t in script.below) or any(
            t.text in self.indices for t in script.below
        ):
            raise self.error(
                f"this has two readings: the input {self.known[label].name}, or an entry of {base.name}; rename one of them",
                part,
            )

    def numbered(self, below: tuple[Token, ...]) -> str | None:
        """The label x1 of x_i where i is 1 now."""
        if not any(t.text in self.indices for t in below):
            return None
        try:
            found = [self.index(p, None) for p in split(below)]
        except (ReportError, OneByOne):
            return None
        return "".join(str(i) for i in found) if all(isinstance(i, int) for i in found) else None

    def exponential(self, script: Script) -> Operand:
        assert script.above is not None
        texts = [t.text for t in script.above]
        if texts in (["*"], [r"\circ"]):
            raise self.error("'e' is Euler's number here", script)
        tokens = script.above
        entrywise = False
        inner = self.value(self.tree(tokens))
        square = len(inner.shape) == 2 and inner.shape[0] == inner.shape[1] > 1
        if square and not entrywise:
            raise self.error(
                "this has two readings: the exponential of each entry (write \\exp^{\\odot}(A)), or that of the matrix "
                "(a power series, which is not known here)", script,
            )  # fmt: skip
        return Value(
            self.call("exp", [inner.node], script),
            f"exp({inner.text})",
            ATOM,
            inner.axes,
            inner.row,
        )

    def constant_or_error(self, letter: Letter, script: Script | None, part: Part) -> Operand:
        base = self.base_label(letter)
        value: Operand
        if base == "pi":
            value = Value(constant(math.pi, name="pi"), "pi")
        elif (
            self.printed
            and letter.font == "bf"
            and base in ("e", "u")
            and script is not None
            and script.below is not None
            and script.below[0].text == "["
        ):
            unit = self.picked_rows(script.below, "column", part)
            return self.with_scripts(unit, replace(script, below=None)) if script.above else unit
        elif base == "e":
            value = Value(constant(math.e), "exp(1)")
        elif base == "I":
            if script is not None and script.below is not None:
                if self.printed and script.below[0].text == "[":
                    rows = self.picked_rows(script.below, "columns", part)
                    bare = replace(script, below=None)
                    return self.with_scripts(rows, bare) if script.above else rows
                size, *key = split(script.below)
                if key and key[0][0].text == "[":  # some rows of it
                    eye = self.identity(self.whole(self.tree(size)))
                    rest = script.below[len(size) + 1 :]
                    return self.with_scripts(eye, replace(script, below=rest))
                found = self.grammar(script.below).condition()
                if isinstance(found, (Compared, Joined)):
                    return self.indicator(found, part)
                eye = self.identity(self.whole(found))
                return self.with_scripts(eye, replace(script, below=None)) if script.above else eye
            value = Unsized("matrix", self.identity)
        elif (
            base == "delta"
            and script is not None
            and script.below is not None
            and (kronecker := self.kronecker(script)) is not None
        ):
            return kronecker
        elif (base in self.words and (length := self.length(base, part)) is not None) or (
            (length := self.length(letter.base, part)) is not None and not letter.accents
        ):
            value = self.number(float(length))
        else:
            raise self.unknown(letter, script, part)
        return value if script is None else self.with_scripts(value, script)

    def identity(self, n: int) -> Value:
        return Value(constant(np.eye(n), name="I"), f"eye({n})")

    def ones(self, value: float) -> Unsized:
        name = "ones" if value else "zeros"
        return Unsized("column", lambda n: Value(constant(np.full(n, value)), f"{name}({n})"), True)

    def picked_rows(self, below: tuple[Token, ...], kind: str, part: Part) -> Operand:
        """Rows of an identity that is as large as need be: e_[2] and I_[2:3]."""
        key, held = self.key_of(below, part)

        def make(n: int) -> Value:
            nodes = [self.identity(n).node, *(v.node for v in held)]
            return Value(self.gate("index", nodes, part, key=key), f"eye({n})[{key}]")

        return Unsized(kind, make)

    def kronecker(self, script: Script) -> Value | None:
        assert script.below is not None
        items = (
            split(script.below)
            if "," in [t.text for t in script.below]
            else [[t] for t in script.below]
        )
        if len(items) != 2:
            return None
        a, b = (self.index(i, None) for i in items)
        return self.mask(np.equal, a, b)

    def unknown(self, letter: Letter, script: Script | None, part: Part) -> ReportError:
        base = self.base_label(letter)
        told = self.places.text[part.start : part.end]
        if script is not None and script.primes:
            return self.error(
                "a prime is a derivative, which is no value, or part of a name (x' is the input x_prime)",
                part,
            )
        if base == "sigma":
            return self.error(
                r"sigma is the sigmoid where it is applied, as in \sigma(z), and no input has that name",
                part,
            )
        if letter.font in ("op", "word", "rm", "text") and len(letter.base) > 1:
            near = nearest(letter.base, list(FORMS), 0.7)
            return self.error(
                f"{shown(letter.base)} is no input, no line and no function that is known{near}",
                part,
            )
        if letter.font == "bb" and letter.base == "E":
            return self.error(
                "this is an expectation, not a value that can be computed from the inputs", part
            )
        if letter.base == "d" and script is None:
            return self.error(
                "d is no input; a derivative or an integral is not a value here", part
            )
        inputs = ", ".join(list(self.reader.inputs)[:12]) or "none"
        is_index = (script is None and letter.base in "ijklmn") or any(
            letter.base in indices.letters_of(b.below or ())
            for tree in self.trees
            for b in walk(tree)
            if isinstance(b, Big)
        )
        why = "; as an index it belongs to no sum here" if is_index else ""
        if letter.accents == ("bar",) and letter.base in self.known:
            why = rf"; the mean of {letter.base} is written \frac{{1}}{{n}} \sum_{{i=1}}^n {letter.base}_i"
        return self.error(
            f"unknown name {shown(told)}{self.nearest_name(base) or why}; the inputs are: {inputs}",
            part,
        )

    def is_index(self, letter: str) -> bool:
        return letter in self.indices
