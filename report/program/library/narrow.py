"""A function without the options that nobody asks for: what a program defines is what it uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

Edit = tuple[
    ast.expr | ast.keyword | ast.arg, str | None
]  # a part, and what stands there; None: nothing


def narrowed(source: str, callers: Iterable[ast.AST]) -> str:
    """The source of a function, without parameters that no call in `callers` gives a value.

    Where it reads them stand their defaults. What counts with one, as in len(x) - ddof, keeps it.
    """
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    names = [arg.arg for arg in function.args.args]
    first = len(names) - len(function.args.defaults)
    options = dict(zip(names[first:], function.args.defaults, strict=True))
    if not options:
        return source
    given = {name for tree in callers for name in _given(tree, function.name, names)}
    counted = {
        node.id
        for parent in ast.walk(function)
        if isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare)
        for node in ast.iter_child_nodes(parent)
        if isinstance(node, ast.Name)
    }
    unused = {name: ast.unparse(d) for name, d in options.items() if name not in given | counted}
    for edits in (_choices, _values):
        source = _edited(source, edits(ast.parse(source), unused))
    return source


def _given(tree: ast.AST, function: str, names: list[str]) -> Iterator[str]:
    """The parameters that the calls of a function give."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name == function:
                yield from names[: len(args)]
                yield from (str(keyword.arg) for keyword in keywords)


def _choices(tree: ast.AST, unused: dict[str, str]) -> Iterator[Edit]:
    """A choice by a parameter that is known is the one or the other."""
    for node in ast.walk(tree):
        match node:
            case ast.IfExp(test=ast.Name(id=name)) if name in unused:
                chosen = node.orelse if unused[name] in ("None", "False", "0") else node.body
                yield node, ast.unparse(chosen)


def _values(tree: ast.AST, unused: dict[str, str]) -> Iterator[Edit]:
    """Defaults in the places of parameters; `axis=None` says nothing."""
    silent: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name) if name in unused:
                yield node, None
            case ast.keyword(value=ast.Name(id=name) as value) if unused.get(name) == "None":
                silent.add(value)
                yield node, None
            case ast.Name(id=name) if name in unused and node not in silent:
                yield node, unused[name]


def _edited(source: str, edits: Iterable[Edit]) -> str:
    """A source with some of its parts written otherwise; a part that goes takes the comma before it along."""
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    for node, text in sorted(edits, key=_place, reverse=True):
        start = begins[node.lineno - 1] + node.col_offset
        end = begins[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        if text is None:
            start = source.rindex(",", 0, start)
            if isinstance(node, ast.arg):  # with its default, in which there is no comma
                end = min(i for i in (source.find(",", end), source.find(")", end)) if i > 0)
        source = source[:start] + (text or "") + source[end:]
    return source


def _place(edit: Edit) -> tuple[int, int]:
    return edit[0].lineno, edit[0].col_offset
