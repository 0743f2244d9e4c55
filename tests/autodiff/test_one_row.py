"""A gate is one row: no other file knows a gate by its name, and two rows added here have a whole report."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import report
from report.autodiff.gates import GATES

PACKAGE = Path(report.__file__).parent
# Rooms that are dictionaries: of the table itself, of what people write, of rewriting, of what is on the page.
DICTIONARIES = ("autodiff/gates", "autodiff/parser", "autodiff/simplify", "readback")
# Names that are a gate's too, but are meant of something else: where, and what.
OTHER_MEANINGS = {
    "autodiff/extended.py": "methods for which NumPy asks an object that is a number",
    "homework/conditions.py": "functions of the language in which conditions are written",
    "program/index_reader.py": "sympy's functions, and their names in Python",
    "program/variables.py": "names of the modules math and numpy that a program may not use for its own",
}
FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.relative_to(PACKAGE).as_posix().startswith((*DICTIONARIES, *OTHER_MEANINGS))
]

NAMED = re.compile(r"gate\.name|\.gate\b(?!\.)|'gate'")


def is_gate(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in GATES


def names_of_gates(tree: ast.AST) -> Iterator[str]:
    """Where names are asked of a gate, or stand side by side in a table."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                text = " ".join(ast.unparse(x) for x in (left, *others))
                if NAMED.search(text) and any(
                    is_gate(c) for x in (left, *others) for c in ast.walk(x)
                ):
                    yield f"line {node.lineno}: {ast.unparse(node)}"
            case (
                ast.Dict(keys=parts)
                | ast.Set(elts=parts)
                | ast.Tuple(elts=parts)
                | ast.List(elts=parts)
            ):
                if sum(is_gate(part) for part in parts if part is not None) > 1:
                    yield f"line {node.lineno}: {ast.unparse(node)[:80]}"
            case ast.Call(func=ast.Attribute(attr="startswith" | "endswith", value=value)):
                if ast.unparse(value).endswith("gate.name"):
                    yield f"line {node.lineno}: {ast.unparse(node)}"


def test_no_file_names_a_gate_to_treat_it_in_a_special_way() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): list(
            names_of_gates(ast.parse(path.read_text("utf-8")))
        )
        for path in FILES
    }
    assert len(found) > 150
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        'x.gate.name == "add"',
        'n.gate.name in ("sum", "add")',
        '{"sin": 1, "cos": 2}',
        'gate.name.startswith("log")',
    ],
)
def test_such_a_name_would_be_found(code: str) -> None:
    assert list(names_of_gates(ast.parse(code)))
