"""What a report carries inside: its homework file, its programs with their output, its traces.

`attachments` is what `build` embeds, `extract` writes the files out again, and `verify` computes
everything anew from the homework file in a PDF and compares every number of the traces.
"""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.attachments import HOMEWORK, MADE_WITH, made_with
from report.errors import ReportError
from report.homework.homework import Homework, Question, read_homework

if TYPE_CHECKING:
    from report.autodiff.trace import Trace
    from report.program import Program
    from report.program.variables import Dialect

MAX_FILE = 100_000_000  # bytes of a PDF that is read
MAX_EMBEDDED = 50_000_000  # bytes of one file inside
OTHER_MACHINE = 1e-12  # relative; another machine's sine may differ in its last digit
DIALECTS: tuple[Dialect, ...] = ("python", "numpy")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


# ---------------------------------------------------------------- reading a PDF


def read_files(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The files inside a PDF by name. Raises ReportError when it is no PDF or holds no report."""
    file = Path(path)
    try:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise ReportError(f"{file} is no regular file; save the PDF to a file first")
        if file.stat().st_size > MAX_FILE:
            raise ReportError(f"{file} is larger than {MAX_FILE // 1_000_000} MB; no report is")
        data = file.read_bytes()
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from None
    if not data.startswith(b"%PDF-"):
        raise ReportError(f"{file} is not a PDF")
    files = _embedded(file, data)
    if HOMEWORK not in files:
        raise ReportError(f"{file} carries no {HOMEWORK}: it is not a PDF that `report build` made")
    return files


def _embedded(file: Path, data: bytes) -> dict[str, bytes]:
    import io
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    found: dict[str, bytes] = {}
    try:
        for name, contents in pypdf.PdfReader(io.BytesIO(data)).attachments.items():
            if not _NAME.fullmatch(name):
                raise ReportError(
                    f"{file}: a file inside has the name {name[:80]!r}, which is not safe"
                )
            if len(contents) != 1 or len(contents[0]) > MAX_EMBEDDED:
                raise ReportError(f"{file}: {name} is inside twice, or is too large")
            found[name] = contents[0]
    except ReportError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged PDF may raise anything below pypdf
        raise ReportError(f"{file} cannot be read as a PDF: {type(error).__name__}") from None
    return found


def extract(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """Write the files inside a PDF into a folder (made if need be) and return their paths.

    A file that is there with other content is not overwritten: ReportError names it.
    """
    files = read_files(path)
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ReportError(f"{target} is a file; name a folder")
    for name, content in files.items():
        place = target / name
        if place.exists() and (not place.is_file() or place.read_bytes() != content):
            raise ReportError(f"{place} is there already with other content; name another folder")
    target.mkdir(parents=True, exist_ok=True)
    for name, content in sorted(files.items()):
        (target / name).write_bytes(content)
    return [target / name for name in sorted(files)]


# ---------------------------------------------------------------- verifying


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: a line for each thing looked at, and the differences."""

    lines: tuple[str, ...]
    differences: tuple[str, ...]

    def __str__(self) -> str:
        shown = self.differences[:20]
        more = len(self.differences) - len(shown)
        tail = [f"... and {more} more"] if more else []
        return "\n".join([*self.lines, *shown, *tail])


def verify(
    path: str | os.PathLike[str], run_programs: bool = False, pages: bool = False
) -> Verdict:
    """Compute everything anew from what is inside a PDF and compare.

    Every number of every trace must hold: bit for bit where these versions and a machine that rounds
    alike made the PDF, to 1e-12 elsewhere. The programs must be those that the traces give, and their
    output must hold the traces' numbers; with `run_programs` they are run, each in a process of its own,
    and must print what stands in the PDF. What these versions would have written otherwise is not run;
    what others wrote cannot be told from what a stranger altered, and is. With `pages` the report
    is built again and the words of every page must be the same. Raises ReportError when the PDF carries
    no report or its homework cannot be computed.
    """
    from report.answering import programs_of
    from report.homework.traces import asked_of, trace_question

    files = read_files(path)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / HOMEWORK
        file.write_bytes(files[HOMEWORK])
        try:
            work = read_homework(file)
        except ReportError as error:
            raise ReportError(str(error).replace(str(file), f"{HOMEWORK} in the PDF")) from None
    maker = _json(files, MADE_WITH)
    same = isinstance(maker, dict) and made_with() == {
        k: v for k, v in maker.items() if k not in ("date", "fonts")
    }
    tolerance = 0.0 if same else OTHER_MACHINE
    lines, differences = [], []
    expected = {HOMEWORK, MADE_WITH}
    if not same:
        lines.append(
            "made by other versions or on another machine: numbers are compared to 12 digits"
        )
    for question in work.questions:
        trace = trace_question(question)
        found = _json(files, f"{question.id}.trace.json")
        count, wrong = _compare(trace.to_dict() | asked_of(question, trace), found, tolerance)
        differences += [f"{question.id}.trace.json: {w}" for w in wrong]
        lines.append(
            f"{question.id}: {count - len(wrong)} of {count} numbers and names of the trace hold"
        )
        expected.add(f"{question.id}.trace.json")
        for again in programs_of(work, question, trace):
            if again.name in files:
                expected |= {again.name, f"{again.name}.out"}
                good, wrong = _compare_program(trace, again, files, same, run_programs)
                lines += good
                differences += wrong
            elif again.source and same:
                differences.append(f"{again.name} is missing")
        names, good, wrong = _steps(question, trace, files, same, run_programs)
        expected |= names
        lines += good
        differences += wrong
        expected |= {name for own in question.program for name in (own, f"{own}.out")}
        good, wrong = _own_programs(question.program, files, run_programs)
        lines += good
        differences += wrong
    if same:
        differences += [f"{name} is no file of this report" for name in sorted({*files} - expected)]
    if pages and any(q.program for q in work.questions):
        lines.append(
            "the pages show what a program of the author's own prints: they are not compared"
        )
    elif pages and same:
        wrong = _other_words(Path(path), work, _json(files, MADE_WITH).get("date", ""))
        differences += wrong
        if not wrong:
            lines.append("every page has the words that its homework gives")
    elif pages:
        lines.append("other versions made the pages, so they are not compared")
    return Verdict(tuple(lines), tuple(differences))


def _own_programs(
    names: Iterable[str], files: Mapping[str, bytes], run: bool
) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with programs of the author's own; they run only where asked."""
    from report.student.sources import parse_program

    good, wrong = [], []
    for name in names:
        source, stored = _text(files, name), _text(files, f"{name}.out")
        if not run:
            good.append(f"{name} is the author's own, and was not run")
        elif parse_program(Path(name), source).run().text == stored:
            good.append(f"{name} prints what stands in the PDF")
        else:
            wrong.append(f"{name} prints something else than what stands in the PDF")
    return good, wrong


def _other_words(file: Path, work: Homework, date: str) -> list[str]:
    """The pages whose words differ from those of the report built again."""
    import io

    import pypdf

    from report.pipeline import make

    data = file.read_bytes()
    again = make(work, ("solution",), date).pdfs["solution"]
    if again == data:
        return []
    old, new = (
        [page.extract_text().split() for page in pypdf.PdfReader(io.BytesIO(d)).pages]
        for d in (data, again)
    )
    wrong = [] if len(old) == len(new) else [f"it has {len(old)} pages, built anew {len(new)}"]
    for number, (there, here) in enumerate(zip(old, new, strict=False), 1):
        pairs = [(a, b) for a, b in zip(there, here, strict=False) if a != b]
        if pairs or len(there) != len(here):
            shown = f": {pairs[0][0]!r} stands where {pairs[0][1]!r} should" if pairs else ""
            wrong.append(f"page {number} has other words{shown}")
    return wrong


def _compare_program(
    trace: Trace, again: Program, files: Mapping[str, bytes], same: bool, run: bool
) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with a program inside and its output; `again` is written anew."""
    from report import program

    name = again.name
    source, stored = _text(files, name), _text(files, f"{name}.out")
    lines, wrong = [], []
    wrong += [f"{name}.out: {w}" for w in _misprinted(trace, stored)]
    if not same and again.source != source:
        lines.append(f"{name}: other versions wrote it, so it is not compared")
    if same and again.source != source:
        wrong.insert(0, f"{name} is not the program of this trace")
        return [f"{name} was not run"] if run else [], wrong
    if run:
        try:
            printed = program.run(replace(again, source=source)).text
        except ReportError as error:
            return lines, [*wrong, str(error)]
        if printed == stored or (not same and _prints_alike(trace, printed, stored)):
            lines.append(f"{name} prints what stands in the PDF")
        else:
            wrong.append(f"{name} prints something else than what stands in the PDF")
    return lines, wrong


def _steps(
    question: Question, trace: Trace, files: Mapping[str, bytes], same: bool, run: bool
) -> tuple[set[str], list[str], list[str]]:
    """The files of the steps of a question; what is right and what is wrong with them."""
    from report import program
    from report.answering import loop_of
    from report.autodiff.descent import descend
    from report.program.loop import check_loop

    if question.plan is None:
        return set(), [], []
    descent = descend(trace, question.plan)
    again = loop_of(question, trace, descent)
    if not again.source:
        return set(), [], []
    name = again.name
    expected = {name, f"{name}.out"}
    if name not in files:
        return expected, [], [f"{name} is missing"] if same else []
    if same and again.source != _text(files, name):
        return expected, [], [f"{name} is not the program of these steps"]
    try:
        count = check_loop(descent, _text(files, f"{name}.out"))
        if run:
            check_loop(descent, program.run(again).text)
    except ReportError as error:
        return expected, [], [f"{name}.out: {error}"]
    return expected, [f"{name} prints the {count} numbers of the steps"], []


def _misprinted(trace: Trace, stored: str) -> list[str]:
    """What a program's output holds otherwise than the trace."""
    from report.checks import misprinted
    from report.program import parse_output

    try:
        wrong = misprinted(trace, parse_output(stored, trace))
    except (ReportError, ValueError, OverflowError) as error:
        return [f"it cannot be read: {error}"]
    return [f"{what} is another one than in the trace" for what in wrong]


def _prints_alike(trace: Trace, printed: str, stored: str) -> bool:
    """Whether two outputs hold the same numbers to ten digits, as on machines that round apart."""
    import numpy as np

    from report.program import parse_output

    try:
        new, old = parse_output(printed, trace), parse_output(stored, trace)
        return all(
            mine.keys() == theirs.keys()
            and all(np.allclose(mine[k], theirs[k], rtol=1e-10, atol=1e-13) for k in mine)
            for mine, theirs in ((new.values, old.values), (new.gradients, old.gradients))
        )
    except (ReportError, ValueError, OverflowError):  # no output, or tensors of other shapes
        return False


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode()
    except KeyError:
        raise ReportError(f"the PDF carries no {name}") from None
    except UnicodeDecodeError:
        raise ReportError(f"{name} in the PDF is not text") from None


def _json(files: Mapping[str, bytes], name: str) -> Any:
    try:
        return json.loads(_text(files, name))
    except ValueError:
        raise ReportError(f"{name} in the PDF is not JSON") from None
    except RecursionError:
        raise ReportError(f"{name} in the PDF nests too deeply") from None


def _compare(expected: Any, found: Any, tolerance: float) -> tuple[int, list[str]]:
    """How many leaves were compared, and where they differ."""
    count, wrong = 0, []
    for place, a, b in _pairs(expected, found, ""):
        count += 1
        if not _equal(a, b, tolerance):
            wrong.append(f"{place or 'all of it'} is {_shown(b)}, computed anew it is {_shown(a)}")
    return count, wrong


_MISSING = object()


def _pairs(a: Any, b: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            yield from _pairs(
                a.get(key, _MISSING), b.get(key, _MISSING), f"{place}.{key}".lstrip(".")
            )
    elif isinstance(a, list) and isinstance(b, list):
        for i in range(max(len(a), len(b))):
            left = a[i] if i < len(a) else _MISSING
            right = b[i] if i < len(b) else _MISSING
            named = left.get("name", i) if isinstance(left, dict) else i
            yield from _pairs(left, right, f"{place}[{named}]")
    else:
        yield place, a, b


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    numbers = (int, float)
    if (
        isinstance(a, bool)
        or isinstance(b, bool)
        or not (isinstance(a, numbers) and isinstance(b, numbers))
    ):
        return type(a) is type(b) and bool(a == b)
    try:
        return a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:  # a whole number beyond all floats
        return False


def _shown(value: Any) -> str:
    return "missing" if value is _MISSING else repr(value)[:60]
