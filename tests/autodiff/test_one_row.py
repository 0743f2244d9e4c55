"""A gate is one row: no other file knows a gate by its name, and two rows added here have a whole report."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import report
from report.autodiff.gates import GATES
from report.autodiff.gates.arithmetic import square
from report.autodiff.gates.functions import exp, sqrt
from report.autodiff.gates.reductions import mean
from report.autodiff.gates.table import elementwise, gate
from report.autodiff.trace import Trace
from report.derivation import derive
from report.figure import draw
from report.readback import read_back
from report.typeset import formula

PACKAGE = Path(report.__file__).parent
GATES_THEMSELVES = "autodiff/gates"
PATTERNS = "autodiff/simplify"  # may ask `is_gate`: what a rule of rewriting stands for, where it is no row
# Tables of spellings: what is typed -> the gate that is meant, and what may be typed without brackets.
SPELLINGS = {
    ("autodiff/parser/latex/calls.py", "_WRITTEN_OUT"),
    ("autodiff/parser/latex/calls.py", "_INVERSES"),
    ("autodiff/parser/latex/calls.py", "_WITH_ENTRY"),
    ("autodiff/parser/latex/functions.py", "COMMANDS"),
    ("autodiff/parser/latex/functions.py", "_NO_OPERATOR"),
    ("autodiff/parser/latex/functions.py", "_SAME"),
    ("autodiff/parser/latex/functions.py", "_WORDS"),
    ("autodiff/parser/latex/heads.py", "_ANGLES"),
    ("autodiff/parser/latex/heads.py", "_NUMBERS_OF_MATRICES"),
}
# Tables and functions with names that are a gate's too, but are meant of something else: where, and what.
OTHER_MEANINGS = {
    (
        "autodiff/extended.py",
        "_FUNCTIONS",
    ): "methods for which NumPy asks an object that is a number",
    ("autodiff/parser/names.py", "OPTIONS"): "options, and what libraries call them",
    ("autodiff/parser/python_calls.py", "_BUILTIN"): "functions of Python",
    ("autodiff/parser/python_calls.py", "_ANYWHERE"): "functions and methods of the libraries",
    ("autodiff/parser/python_entries.py", "VIEWS"): "functions and methods of the libraries",
    ("homework/conditions.py", "_OF_NUMBERS"): "functions of the language of conditions",
    ("homework/conditions.py", "_arguments"): "functions of the language of conditions",
    ("program/index_reader.py", "_FUNCTIONS"): "sympy's functions, and their names in Python",
    (
        "program/variables.py",
        "math_names",
    ): "names of modules that a program may not use for its own",
}
FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.relative_to(PACKAGE).as_posix().startswith(GATES_THEMSELVES)
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
            case ast.Call(func=ast.Name(id="is_gate"), args=[_, *names]) if any(
                map(is_gate, names)
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.Match(subject=subject, cases=cases) if NAMED.search(ast.unparse(subject)):
                if any(is_gate(c) for case in cases for c in ast.walk(case.pattern)):
                    yield f"line {node.lineno}: match {ast.unparse(subject)}"


def names_in(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Where a file names gates: the file, the table or function of it, and the line."""
    for part in ast.parse(path.read_text("utf-8")).body:
        match part:
            case (
                ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                at = path.relative_to(PACKAGE).as_posix(), name
            case _:
                at = path.relative_to(PACKAGE).as_posix(), ""
        yield from ((at, line) for line in names_of_gates(part))


def is_pattern(at: tuple[str, str], line: str) -> bool:
    """Whether a rule of rewriting asks which gate a node is."""
    return at[0].startswith(PATTERNS) and ": is_gate(" in line


def test_no_file_names_a_gate_to_treat_it_in_a_special_way() -> None:
    assert len(FILES) > 150
    found = [one for path in FILES for one in names_in(path) if not is_pattern(*one)]
    allowed = SPELLINGS | OTHER_MEANINGS.keys()
    assert [one for one in found if one[0] not in allowed] == []
    assert {at for at, _ in found} == allowed


@pytest.mark.parametrize(
    "code",
    [
        'x.gate.name == "add"',
        'n.gate.name in ("sum", "add")',
        '{"sin": 1, "cos": 2}',
        'gate.name.startswith("log")',
        'is_gate(x, "add")',
        'match x.gate.name, x.args:\n    case "add", _: pass',
    ],
)
def test_such_a_name_would_be_found(code: str) -> None:
    assert list(names_of_gates(ast.parse(code)))


# ---------------------------------------------------------------- two rows more

FUNCTION = "sum(bump(W @ x, width=2.0)) + dot(quadratic_mean(W, axis=1), y)"
INPUTS = {"W": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], "x": [0.1, -0.2, 0.3], "y": [0.5, -1.0]}
HOMEWORK = f"""
title = "Two rows"
author = "Ada Lovelace"
[[question]]
title = "One"
function = "{FUNCTION}"
inputs = {{W = {INPUTS["W"]}, x = {INPUTS["x"]}, y = {INPUTS["y"]}}}
"""


@pytest.fixture
def _two_rows() -> Iterator[None]:
    elementwise("bump", definition=lambda x, width=1.0: exp(-square(x / width)), usage="bump(x, width=1.0)",
                group="activations", summary="a bell", why="The chain rule.")  # fmt: skip
    gate("quadratic_mean", definition=lambda x, axis=None: sqrt(mean(square(x), axis=axis)), usage="quadratic_mean(x)",
         group="reductions", summary="the root of the mean square", why="All entries share one root.")  # fmt: skip
    yield
    del GATES["bump"], GATES["quadratic_mean"]


@pytest.fixture
def found(_two_rows: None) -> Trace:
    return report.trace(FUNCTION, INPUTS)


def test_two_rows_have_the_gradients_of_what_they_are(found: Trace) -> None:
    plain = "sum(exp(-square(W @ x / 2))) + dot(sqrt(mean(square(W), axis=1)), y)"
    same = report.trace(plain, INPUTS)
    for name, gradient in same.gradients.items():
        np.testing.assert_allclose(found.gradients[name], gradient, rtol=1e-13)
    unfolded = report.trace(FUNCTION, INPUTS, unfold=["bump", "quadratic_mean"])
    assert {q.node.gate.name for q in unfolded.gates} >= {"exp", "sqrt", "mean"}


def test_two_rows_are_told_in_formulas_that_are_true(found: Trace) -> None:
    derivation = derive(found)
    forward = {row.symbols for row in derivation.forward}
    assert r"\operatorname{bump}_{2}\left(\mathbf{q}_{1}\right)" in forward
    assert r"\operatorname{quadratic\_mean}_{\text{columns}}\left(\mathbf{W}\right)" in forward
    assert any("columns" in said for said in derivation.legend)
    assert all(g.indexed is not None for g in derivation.gradients)
    back = read_back(found, derivation)
    assert (back.failures, back.unread) == ((), ())
    assert back.formulas > 20
    for row in derivation.forward:
        assert "\\" not in formula(row.symbols).speech
    assert "quadratic_mean of W" in draw(found).alt


def test_two_rows_are_read_from_latex_as_well(found: Trace) -> None:
    text = r"\sum_{i=1}^2 \operatorname{bump}((W x)_i)"
    assert report.trace(text, INPUTS).value == pytest.approx(
        report.trace("sum(bump(W @ x))", INPUTS).value
    )


def test_two_rows_make_a_whole_report(found: Trace, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(HOMEWORK, encoding="utf-8")
    assert report.build(file, tmp_path / "two.pdf").checks > 100
