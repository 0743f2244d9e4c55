r"""What a reader of one function knows: names, indices that have a value, lengths; and what the layers above it do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from report.autodiff.graph import Array, Node, evaluate
from report.autodiff.parser.latex import names
from report.autodiff.parser.latex.grammar import _Grammar
from report.autodiff.parser.latex.indices import Run
from report.autodiff.parser.latex.lines import Line, Range
from report.autodiff.parser.latex.products import _Products
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Letter, Part, Product
from report.autodiff.parser.latex.values import Operand, Value
from report.autodiff.parser.source import Places
from report.errors import ReportError, nearest


@dataclass(eq=False)
class Definition:
    """What a name stands for: an input's value, or a line that is read when it is needed."""

    name: str  # as it is told, and for a program
    value: Operand | None = None
    line: Line | None = None
    bodies: list[Part] = field(default_factory=list)
    letters: tuple[str, ...] = ()  # the indices of a line such as y_i = ...
    params: tuple[str, ...] = ()  # normal forms
    is_input: bool = False
    busy: bool = False
    used: bool = False
    entries: dict[tuple[int, ...], Value] = field(default_factory=dict)


class _State(_Products, ABC):
    """What a reader of one function knows: names, indices that have a value, lengths; and what the layers above it do."""

    def __init__(
        self, places: Places, inputs: Mapping[str, Array], unfold: Collection[str]
    ) -> None:
        super().__init__(places, inputs, unfold)
        self.values = inputs
        self.known: dict[str, Definition] = {}
        self.alike: dict[str, list[str]] = {}
        for key, node in self.reader.inputs.items():
            label = names.normal(key)
            self.alike.setdefault(label, []).append(key)
            self.known[label] = Definition(key, Value(node, key), is_input=True)
        self.indices: dict[str, int | Run] = {}
        self.lengths: dict[str, int] = {}
        self.solving: set[str] = set()
        self.trees: list[Part] = []
        self.ranges: list[Range] = []
        self.locals: list[dict[str, Operand]] = []
        self.terms = 1
        self.inexact: list[tuple[Value, Value, Part]] = []  # sides that must be equal
        self.must_hold: list[tuple[list[Value], Part]] = []  # cases of which one must hold
        self.lets: list[tuple[str, Value]] = []
        self.words: set[str] = set()
        self.heads: set[str] = set()

    def value(self, part: Part) -> Value:
        """The value of a part whose size is known."""
        return self.sized(self.lower(part), part)

    def at_inputs(self, value: Value) -> Any:
        """The numbers of a value; None where it has none yet."""
        waiting = {id(n) for n in self.reader.constants}
        try:
            self.reader.evaluate_constants() if waiting else None
            return (
                np.asarray(evaluate([value.node], self.given())[value.node])
                if not value.node.is_constant
                else np.asarray(value.node.value)
            )
        except (ReportError, ArithmeticError, ValueError, IndexError):
            return None

    def given(self) -> dict[Node, Array]:
        """The numbers of the inputs."""
        return {node: self.values[name] for name, node in self.reader.inputs.items()}

    def tree(self, tokens: Sequence[Token]) -> Part:
        """The tree of an expression."""
        return _Grammar(self.places, tokens, self.is_word).whole()

    def grammar(self, tokens: Sequence[Token]) -> _Grammar:
        return _Grammar(self.places, tokens, self.is_word)

    def is_word(self, word: str) -> bool:
        """Whether a word begins the name of a value; a line with params is called, as a function is."""
        plain = word.replace("_", "").replace(" ", "")
        if plain in self.known:
            return not self.known[plain].params
        if word in self.heads:
            return False
        return word in self.words or self.is_local(plain)

    def local(self, label: str) -> Operand | None:
        for given in reversed(self.locals):
            if label in given:
                return given[label]
        return None

    def is_local(self, label: str) -> bool:
        return self.local(label) is not None

    def base_label(self, letter: Letter) -> str:
        if len(letter.base) > 1 and letter.font:
            return letter.base.replace(" ", "").replace("_", "").replace("-", "").replace(
                "\\", ""
            ) + "".join(letter.accents)
        return letter.base + "".join(letter.accents)

    def nearest_name(self, base: str) -> str:
        return nearest(base, [d.name for d in self.known.values()], 0.75)

    @contextmanager
    def indexed(self, more: Mapping[str, Any]) -> Iterator[None]:
        """Indices with values, for a while."""
        before = self.indices
        self.indices = {**before, **more}
        try:
            yield
        finally:
            self.indices = before

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        before = self.indices
        self.indices = {k: v for k, v in before.items() if k != name}
        try:
            yield
        finally:
            self.indices = before

    @contextmanager
    def entries(self, on: bool = True) -> Iterator[None]:
        """Inside something that takes all entries of a tensor."""
        before, self.by_entry = self.by_entry, on
        try:
            yield
        finally:
            self.by_entry = before

    def saved(self) -> Any:
        reader = self.reader
        return (
            len(reader.constants),
            reader.gates,
            reader.entries,
            len(self.inexact),
            len(self.must_hold),
        )

    def restore(self, kept: Any) -> None:
        constants, self.reader.gates, self.reader.entries, inexact, cases = kept
        lets = {id(v.node) for _, v in self.lets}
        self.reader.constants[constants:] = [n for n in self.reader.constants[constants:] if lets]
        del self.inexact[inexact:]
        del self.must_hold[cases:]

    # what the layers above do

    @abstractmethod
    def at_once(self, body: Part, runs: list[Run]) -> Value | None: ...

    @abstractmethod
    def factors(self, part: Product) -> list[tuple[str, Operand, Part]]: ...

    @abstractmethod
    def indicator(self, condition: Part, part: Part) -> Value: ...

    @abstractmethod
    def longest(self, index: str, trees: Sequence[Part]) -> int | None: ...

    @abstractmethod
    def lower(self, part: Part) -> Operand: ...

    @abstractmethod
    def multiplied(self, factors: list[tuple[str, Operand, Part]], part: Part) -> Operand: ...

    @abstractmethod
    def whole(self, tree: Part) -> int: ...

    @abstractmethod
    def within_limit(self, count: int, part: Part) -> None: ...
