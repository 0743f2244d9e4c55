"""All that is wrong with a homework file, in the order of its lines: its TOML, its keys, its inputs, its formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from report.autodiff.differentiate import check_unfold, check_wrt, split_wrt
from report.autodiff.inputs import ascii_name, check_name, read_value
from report.autodiff.parser import formula_faults, is_latex
from report.errors import MAX_FAULTS, Faults, ReportError, joined
from report.homework import toml
from report.homework.homework import FileFaults, Homework, Question, located
from report.homework.random_inputs import is_random, read_random

_LINE = re.compile(r"^ *(in the function, )?line (\d+), column", re.MULTILINE)
Placed = tuple[int, ReportError]  # a fault, and the line of the file that it is about (0: unknown)


def all_faults(error: FileFaults) -> ReportError:
    """What is wrong with a file, and with the questions of it that can be read."""
    work = error.readable
    return together(
        [(_row(e), e) for e in error.faults]
        + [placed for question in work.questions for placed in faults_of(work, question)]
    )


def together(placed: Iterable[Placed]) -> ReportError:
    """One error of the first ten, in the order of the file."""
    ordered = sorted(placed, key=lambda found: found[0])
    return joined([error for _, error in ordered[:MAX_FAULTS]])


def faults_of(work: Homework, question: Question, known: ReportError | None = None) -> list[Placed]:
    """What is wrong with a question before anything of it is computed; `known` where that is nothing."""
    found = Faults()
    latex = is_latex(question.function)
    values: dict[str, Any] = {}
    unfold: tuple[str, ...] = ()
    for name, given in question.inputs.items():
        with found.noted():
            own = check_name(name, latex=latex)
            random = read_random(given, f"input {name}") if is_random(given) else None
            values[own] = read_value(own, random.draw(name) if random else given)
    with found.noted():
        unfold = check_unfold(question.unfolded)
    missing = {ascii_name(n) for n in (*question.lost, *question.inputs)} - values.keys()
    formula = formula_faults(question.function, values, unfold, question.start, missing)
    found.found += formula
    with found.noted():
        names = values | dict.fromkeys(missing)
        asked, parts = split_wrt(question.wrt, names)
        lines = [name for name, at in parts if not at and name not in question.function]
        check_wrt([*asked, *lines] if asked or lines else None, names)
    errors = [located(work, question, e) for e in found.found]
    if not errors and known is not None:
        errors = [located(work, question, known)]
    first = toml.row_of(work.source, question.number, "function")
    return [(_row(e, first), e) for e in errors]


def _row(error: ReportError, function: int = 0) -> int:
    """The line of the file that a fault points at; `function` is that where the formula begins."""
    found = _LINE.search(str(error))
    if found is None:
        return 0
    return int(found[2]) + (function - 1 if found[1] else 0)
