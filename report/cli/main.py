"""The command line: the only place that prints and exits.

Exit status: 0 done, 1 a check failed, 2 bad input, a missing library or an output that cannot be written,
130 interrupted. The reason stands on standard error in plain lines. With REPORT_DEBUG=1 a fault of
the program itself shows its traceback.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from report import resources
from report.cli.activity import activity
from report.cli.gate_listing import gate_table
from report.cli.options import parse_arguments
from report.errors import CheckError, ReportError

DONE, FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


def run() -> int:
    """`main` as the command, whose process then ends without taking apart what the libraries hold.

    Saves 13 % of a build of homework1.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    ended: list[int] = []
    atexit.register(_leave, ended)  # first, so that what others do at the end is done before
    ended.append(main())
    return ended[0]


def _leave(ended: Sequence[int]) -> None:
    for status in ended:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # `main` has told what cannot be written
                stream.flush()
        os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; --help and --version raise SystemExit(0)."""
    try:
        text, status = _run(list(sys.argv[1:] if arguments is None else arguments))
    except CheckError as error:
        return _fail(str(error), FAILED)
    except ReportError as error:
        return _fail(str(error), REFUSED)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}", REFUSED)
    except ImportError as error:
        if (error.name or "").startswith("report"):
            return _internal(error)
        return _fail(f"a library is missing: {error}\nInstall the package again.", REFUSED)
    except MemoryError:
        return _fail("not enough memory for this homework", REFUSED)
    except Exception as error:  # noqa: BLE001 - no one who hands in a homework wants a traceback
        return _internal(error)
    return _print(text, status)


def _run(arguments: list[str]) -> tuple[str, int]:
    # Most of what a command makes lives until it ends: garbage is looked for less often, and in a build not at all.
    gc.set_threshold(50_000, 20, 50)
    # matplotlib need not list the fonts of the system in a folder of our own: see `load_matplotlib`.
    os.environ["MPLCONFIGDIR"] = str(resources.cache("matplotlib"))
    options = parse_arguments(arguments)
    if options.command == "build":
        gc.disable()
    with (
        _beside(options),
        activity(sys.stderr, quiet=options.quiet, verbose=options.verbose),
    ):
        return _RUN[options.command](options)


def _beside(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    if options.command != "build" or (options.out or "").lower().endswith(".html"):
        return contextlib.nullcontext()  # no page of a PDF is laid out
    from report import pdf
    from report.pdf.beside import beside

    return beside(lambda: pdf.render)  # imported there


# ---------------------------------------------------------------- the commands


def _build(options: argparse.Namespace) -> tuple[str, int]:
    out = _output(options)
    overrides = _overrides(options)
    from report.pipeline import build

    summary = build(
        options.homework,
        out,
        overrides=overrides,
        inputs=options.inputs,
        seed=options.seed,
        edition=options.edition,
        draft=options.draft,
        detail=options.detail,
        standard=options.standard,
    )
    return "" if options.quiet else str(summary), DONE


def _completion(options: argparse.Namespace) -> tuple[str, int]:
    from argcomplete.shell_integration import shellcode

    return shellcode(["report"], shell=options.shell), DONE


def _serve(options: argparse.Namespace) -> tuple[str, int]:
    from report.live import serve

    path = None if options.homework is None else Path(options.homework)
    with contextlib.suppress(KeyboardInterrupt):
        serve(path, options.port, _tell, open_browser=options.open)
    return "", DONE


def _tell(words: str) -> None:
    print(words, flush=True)


def _new(options: argparse.Namespace) -> tuple[str, int]:
    from report.cli.new import new

    return new(options.formula, options.out), DONE


def _trace(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    from report.pipeline import trace_json

    text = trace_json(options.homework, options.question, overrides, options.inputs, options.seed)
    return text, DONE


def _check(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    if options.program or options.answers:
        from report.pipeline import check_own

        text, agree = check_own(
            options.homework,
            program=options.program,
            answers=options.answers,
            question=options.question,
            overrides=overrides,
            inputs=options.inputs,
            seed=options.seed,
        )
        return text, DONE if agree else FAILED
    from report.pipeline import check_table

    text, agree = check_table(options.homework, overrides, options.inputs, options.seed)
    return text, DONE if agree else FAILED


def _gates(options: argparse.Namespace) -> tuple[str, int]:
    import shutil

    from report.autodiff.gates import GATES

    width = shutil.get_terminal_size((100, 24)).columns
    return gate_table(list(GATES.values()), max(min(width, 120), 60)), DONE


def _batch(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    from report.classroom.batch import batch
    from report.classroom.progress import ProgressLine

    printer = ProgressLine(sys.stderr)
    try:
        outcome = batch(
            options.homework,
            options.roster,
            options.out or Path("build", Path(options.homework).stem),
            editions=[e.strip() for e in options.editions.split(",") if e.strip()],
            jobs=options.jobs,
            scheduler=options.scheduler,
            overrides=overrides,
            inputs=options.inputs,
            tell=(lambda progress: None) if options.quiet else printer,
        )
    finally:
        printer.close()
    return str(outcome), FAILED if outcome.failures else DONE


def _grade(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    if Path(options.answers).is_dir():
        return _grade_programs(options, overrides)
    from report.classroom import grading

    grades = grading.grade(
        options.homework,
        options.answers,
        options.roster,
        overrides=overrides,
        inputs=options.inputs,
        tolerance=options.tolerance / 100,
    )
    folder = _grades_folder(options)
    text = grading.summary(grades, grading.write(grades, folder))
    return text, FAILED if any(s.error for s in grades.students) else DONE


def _grade_programs(options: argparse.Namespace, overrides: dict[str, Any]) -> tuple[str, int]:
    from report import files
    from report.classroom import programs

    checked = programs.check_programs(
        options.homework,
        options.answers,
        options.roster,
        overrides=overrides,
        inputs=options.inputs,
    )
    folder = _grades_folder(options)
    files.write(folder / "programs.csv", programs.programs_csv(checked))
    text = f"{programs.summary(checked)}\nwritten: {folder / 'programs.csv'}"
    return text, FAILED if any(c.fault for c in checked.checked) else DONE


def _grades_folder(options: argparse.Namespace) -> Path:
    folder = Path(options.out or Path("build", f"{Path(options.homework).stem}-grades"))
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"{folder} is a file; name a folder")
    return folder


def _extract(options: argparse.Namespace) -> tuple[str, int]:
    from report.verify import extract

    return "\n".join(str(path) for path in extract(options.report, options.folder)), DONE


def _verify(options: argparse.Namespace) -> tuple[str, int]:
    from report.verify import verify

    verdict = verify(options.report, options.run_programs, options.pages)
    return str(verdict), FAILED if verdict.differences else DONE


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    if not options.set:
        return {}
    from report.homework.overrides import parse_overrides

    return parse_overrides(options.set)


def _output(options: argparse.Namespace) -> Path:
    """Where the PDF goes; refused before any work is done when it cannot be a PDF."""
    if options.out is None:
        edition = "" if options.edition == "solution" else f"-{options.edition}"
        stem = "homework" if options.homework == "-" else Path(options.homework).stem
        return Path("build", f"{stem}{edition}.pdf")
    out = Path(options.out)
    if out.is_dir():
        raise ReportError(f"{out} is a folder; name the PDF in it: {out / 'report.pdf'}")
    if out.suffix.lower() not in (".pdf", ".html"):
        raise ReportError(
            f"{options.out!r} is no name of a PDF; the output's name ends in .pdf (or .html for a browser)"
        )
    return out


_RUN: dict[str, Callable[[argparse.Namespace], tuple[str, int]]] = {
    "new": _new,
    "build": _build,
    "serve": _serve,
    "trace": _trace,
    "check": _check,
    "gates": _gates,
    "batch": _batch,
    "grade": _grade,
    "extract": _extract,
    "verify": _verify,
    "completion": _completion,
}


# ---------------------------------------------------------------- printing


def _print(text: str, status: int) -> int:
    """Write the result, in UTF-8 whatever the locale, and give the exit status."""
    if not text:
        return status
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        print(text.rstrip("\n"), flush=True)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _abandon_output()
        return PIPE_CLOSED
    except OSError as error:
        _abandon_output()
        return _fail(f"standard output cannot be written: {error.strerror}", REFUSED)
    return status


def _abandon_output() -> None:
    """Let the interpreter's own last flush succeed, so that it adds no message."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> int:
    # What a homework file holds must not steer the terminal.
    plain = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in message)
    with contextlib.suppress(OSError):
        print(f"report: {plain}", file=sys.stderr, flush=True)
    return status


def _internal(error: Exception) -> int:
    if os.environ.get("REPORT_DEBUG"):
        import traceback

        traceback.print_exception(error)
        return REFUSED
    return _fail(
        f"internal error ({type(error).__name__}): this is a fault of report, not of your homework; "
        "please report it with what REPORT_DEBUG=1 shows",
        REFUSED,
    )
