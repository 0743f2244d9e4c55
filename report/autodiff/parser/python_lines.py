"""The let-lines that a Python function becomes: their names, their shapes, what is wrong with one."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from report.autodiff.graph import Array, Shape
from report.autodiff.inputs import NAME, check_name
from report.autodiff.parser import python_calls
from report.autodiff.parser.parser import parse
from report.autodiff.parser.python_source import Source
from report.errors import ReportError

MAX_LINES = 20_000  # let-lines of the formula


@dataclass(eq=False)
class Scope:
    """The names of one call: nodes of the formula, numbers, words, lists of these, functions."""

    source: Source
    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None


@dataclass(frozen=True, eq=False)
class Inner:
    """A function defined inside the function, with the names it sees."""

    source: Source
    scope: Scope


class _Lines:
    """The formula as far as it is written, over inputs of which names and shapes are used."""

    def __init__(self, source: Source, inputs: Mapping[str, Array]) -> None:
        self.source = source
        self.inputs = inputs
        self.lines: list[tuple[str, Source, int]] = []
        self.taken = set(inputs)
        self.shapes: dict[str, Shape] = {name: np.shape(value) for name, value in inputs.items()}
        self.numbers: dict[str, int] = {}  # that the names of lines have got last
        self.depth = 0
        self.knows_torch = "torch" in source.around

    def check(self) -> None:
        """Read the formula, so that what is wrong with it is told at its line of the function."""
        self._parse([text for text, _, _ in self.lines])

    def _parse(self, lines: list[str]) -> Any:
        try:
            return parse("\n".join(lines), self.inputs)
        except ReportError as error:
            message, found, rest = str(error).partition("\n  in the function, line ")
            number = rest.partition(",")[0]
            if not found or not number.isdecimal() or int(number) > len(self.lines):
                raise
            _, source, line = self.lines[int(number) - 1]
            at = ast.Pass(lineno=line)
            raise source.error(at, message) from None

    def shape(self, e: ast.expr) -> Shape:
        """The shape of an expression of the formula."""
        if isinstance(e, ast.Name) and e.id in self.shapes:
            return self.shapes[e.id]
        if isinstance(e, ast.Constant):
            return ()
        name = self.fresh("shape")
        lines = [text for text, _, _ in self.lines]
        found = self._parse([*lines, f"{name} = {ast.unparse(e)}", f"sum({name})"])
        self.taken.discard(name)
        shape: Shape = found.lets[name].shape
        if isinstance(e, ast.Name):
            self.shapes[e.id] = shape
        return shape

    def fresh(self, name: str) -> str:
        """A name of a let-line that nothing has yet: h, then h_2, h_3 (h_1 where h is an input)."""
        own = name.strip("_") or "v"
        usable = NAME.fullmatch(own) is not None
        try:
            check_name(own)
        except ReportError:
            usable = False
        base = own if NAME.fullmatch(own) else "v"
        if not usable or own in self.taken or python_calls.is_gate(own):
            start = 1 if own in self.inputs or not usable or own not in self.taken else 2
            numbers = itertools.count(max(start, self.numbers.get(base, 0)))
            i = next(i for i in numbers if f"{base}_{i}" not in self.taken)
            own, self.numbers[base] = f"{base}_{i}", i
        self.taken.add(own)
        return own

    def let(self, scope: Scope, target: ast.Name, value: ast.expr) -> ast.Name:
        if len(self.lines) >= MAX_LINES:
            raise scope.source.error(target, f"this unrolls to more than {MAX_LINES} lines")
        name = self.fresh(target.id)
        self.lines.append((f"{name} = {ast.unparse(value)}", scope.source, target.lineno))
        return ast.Name(name, ast.Load())

    def written(self, e: ast.AST, value: Any, source: Source | None = None) -> ast.expr:
        """A plain value as an expression of the formula."""
        match value:
            case ast.expr():
                return value
            case bool() | int() | float() | None | str():
                return ast.parse(repr(value), mode="eval").body
            case list():
                return ast.List([self.written(e, v, source) for v in value], ast.Load())
            case tuple():
                return ast.Tuple([self.written(e, v, source) for v in value], ast.Load())
            case range():
                return self.written(e, list(value), source)
            case slice():
                ends = (value.start, value.stop, value.step)
                return ast.Slice(*(None if v is None else self.written(e, v) for v in ends))
        raise (source or self.source).error(e, "this is no number, array or list of them")


def at(name: str, e: ast.AST) -> ast.Name:
    """A name to assign to, at the line of a part of the function."""
    return ast.Name(name, ast.Store(), lineno=getattr(e, "lineno", 1))


def inner(source: Source, name: str, node: ast.FunctionDef | ast.Lambda) -> Source:
    """The source of a function defined inside another."""
    return Source(name, node, source.lines, source.around)


def refused(e: ast.AST) -> str:
    """Why syntax that is not in the closed list cannot be read."""
    words = {
        ast.Try: "try cannot be read",
        ast.With: "with cannot be read",
        ast.ClassDef: "a class cannot be read",
        ast.Import: "import stands outside the function",
        ast.ImportFrom: "import stands outside the function",
        ast.Await: "await cannot be read",
    }
    return words.get(type(e), f"this cannot be read ({type(e).__name__})")
