"""Arrays that a Python function fills entry by entry, as `y = np.zeros(3)` and then `y[i] = ...` do."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from report.autodiff.graph import Shape
from report.autodiff.parser.python_lines import Scope, _Lines, at

FILLED = {"zeros": 0.0, "zeros_like": 0.0, "ones": 1.0, "ones_like": 1.0}
EMPTY = frozenset(("empty", "empty_like"))  # of which no entry has a value

VIEWS = frozenset(
    [
        "asarray",
        "contiguous",
        "detach",
        "diagonal",
        "double",
        "expand_dims",
        "flip",
        "float",
        "permute",
        "ravel",
        "requires_grad_",
        "reshape",
        "squeeze",
        "swapaxes",
        "t",
        "transpose",
        "unsqueeze",
        "view",
    ]
)  # functions and methods whose result may share its entries with their argument


@dataclass(eq=False)
class Cells:
    """An array by its parts along the first axis: Cells, parts of the formula, numbers, None where nothing is yet."""

    shape: Shape
    parts: list[Any]
    line: ast.expr | None = None  # the whole as a part of the formula, until an entry changes
    held: set[int] = field(
        default_factory=set
    )  # places along the first axis that another name or a list sees


def filled(shape: Shape, value: Any) -> Any:
    """The same value at every place."""
    if not shape:
        return value
    return Cells(shape, [filled(shape[1:], value) for _ in range(shape[0])])


def are_set(body: list[ast.stmt]) -> set[str]:
    """The names of which statements set entries."""
    targets = [
        n
        for s in body
        for n in ast.walk(s)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)
    ]
    return {root.id for root, _ in map(place_of, targets) if isinstance(root, ast.Name)}


def place_of(target: ast.expr) -> tuple[ast.expr, list[ast.expr]]:
    """What an entry is one of, and its keys: y[i][j] and y[i, j] alike."""
    keys: list[ast.expr] = []
    while isinstance(target, ast.Subscript):
        own = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        keys = [*own, *keys]
        target = target.value
    return target, keys


def seen(e: ast.expr) -> tuple[list[ast.expr], list[ast.expr]]:
    """What an expression may be a view of, not a copy, and the keys where it is a part of the first of these."""
    keys: list[ast.expr] = []
    while True:
        match e:
            case ast.Subscript():
                e, keys = place_of(e)
            case ast.Attribute(value=owner):
                e, keys = owner, []
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args) if name in VIEWS:
                return [root for part in (owner, *args[:1]) for root in seen(part)[0]], []
            case _:
                return [e], keys


class _Entries(_Lines):
    """Reads and sets entries of Cells."""

    def whole(self, scope: Scope, e: ast.expr, cells: Cells, name: str) -> ast.expr:
        """All of it as one part of the formula; ReportError where an entry has no value yet."""
        if cells.line is None:
            parts = [self.part(scope, e, part, name) for part in cells.parts]
            written = ast.List([self.written(e, part, scope.source) for part in parts], ast.Load())
            computed = any(isinstance(n, ast.Name) for n in ast.walk(written))
            cells.line = self.let(scope, at(name, e), written) if computed else written
        return cells.line

    def part(self, scope: Scope, e: ast.expr, part: Any, name: str) -> Any:
        """A part of it as the formula has it."""
        if part is None:
            raise scope.source.error(e, f"an entry of {name} has no value yet")
        if not isinstance(part, Cells):
            return part
        inner = [self.part(scope, e, p, name) for p in part.parts]
        return ast.List([self.written(e, p, scope.source) for p in inner], ast.Load())

    def entry(self, scope: Scope, e: ast.expr, cells: Cells, keys: list[Any], name: str) -> Any:
        """What stands at a place, or at the places of a slice."""
        if all(type(key) is int for key in keys):
            found: Any = cells
            for i, key in enumerate(keys):
                if not isinstance(found, Cells):
                    rest = [self.written(e, k) for k in keys[i:]]
                    key_of = rest[0] if len(rest) == 1 else ast.Tuple(rest, ast.Load())
                    return ast.Subscript(found, key_of, ast.Load())
                found = found.parts[self.index(scope, e, found, key)]
            return self.part(scope, e, found, name)
        whole = self.whole(scope, e, cells, name)
        return ast.Subscript(whole, self.written(e, tuple(keys), scope.source), ast.Load())

    def index(self, scope: Scope, e: ast.expr, cells: Cells, key: Any) -> int:
        """A place along the first axis, from 0."""
        count = cells.shape[0]
        if type(key) is not int or not -count <= key < count:
            raise scope.source.error(
                e, f"there is no entry {key} in an array of shape {cells.shape}"
            )
        return key % count

    def put(self, scope: Scope, e: ast.expr, cells: Cells, keys: list[Any], value: Any) -> None:
        """Set an entry, a row, or the entries of a slice."""
        cells.line = None
        first, *more = keys
        rest = cells.shape[1:]
        if isinstance(first, slice):
            places = range(cells.shape[0])[first]
            axes = 1 + len(rest) - sum(type(key) is int for key in more)
            split = isinstance(value, ast.expr) and len(self.shape(value)) == axes
            if split and self.shape(value)[0] != len(places):
                raise scope.source.error(
                    e, f"{self.shape(value)[0]} values for {len(places)} entries"
                )
            for k, i in enumerate(places):
                one = ast.Subscript(value, ast.Constant(k), ast.Load()) if split else value
                self.put(scope, e, cells, [i, *more], one)
            return
        i = self.index(scope, e, cells, first)
        if more:
            cells.parts[i] = self.opened(cells.parts[i], rest)
            self.put(scope, e, cells.parts[i], more, value)
        elif not isinstance(value, ast.expr) or (rest and not self.shape(value)):
            cells.parts[i] = filled(rest, value)
        elif self.shape(value) == rest:
            cells.parts[i] = value
        else:
            raise scope.source.error(e, f"an entry of shape {rest} cannot hold {self.shape(value)}")

    def opened(self, part: Any, shape: Shape) -> Cells:
        """A row as Cells, of which an entry can be set."""
        if isinstance(part, Cells):
            return part
        parts: list[Any] = [
            ast.Subscript(part, ast.Constant(i), ast.Load()) for i in range(shape[0])
        ]
        return Cells(shape, parts)
