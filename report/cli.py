"""The command line: the only place that prints and exits.

Exit status: 0 done, 1 a check failed, 2 bad input, a missing library or an output that cannot be written,
130 interrupted. The reason stands on standard error in plain lines. With REPORT_DEBUG=1 a fault of
the program itself shows its traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from report import __version__
from report.errors import CheckError, ReportError, nearest

if TYPE_CHECKING:
    from report.graph import Gate

DONE, FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
_OVERRIDES = """\
--set q1.x1=2 gives input x1 of question q1 another value: a number, or a list such as
[[1, 2], [3, 4]]. Where a homework has one question, --set x1=2 is enough. title, course, author,
student_id, due and paper can be set too: --set author=Ada. An inputs file has a table for each
question ([q1], under it x1 = 2); --set wins over it, and both win over the homework file."""


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
    parser = _parser()
    command = next((a for a in arguments if not a.startswith("-")), None)
    if command is not None and command not in _COMMANDS:
        known = ", ".join(_COMMANDS)
        raise ReportError(
            f"unknown command {command!r}{nearest(command, _COMMANDS)}; the commands are: {known}"
        )
    options, extra = parser.parse_known_args(arguments)
    if extra:
        word = next((e for e in extra if e.startswith("-")), extra[0])
        kind = "option" if word.startswith("-") else "argument"
        near = nearest(word.split("=")[0], _OPTIONS) if word.startswith("--") else ""
        helped = f"report {command}" if command else "report"
        raise ReportError(f"unknown {kind} {word!r}{near}; see {helped} --help")
    if command is None:
        raise ReportError(f"name a command: {', '.join(_COMMANDS)}; see report --help")
    return options.run(options)


# ---------------------------------------------------------------- the commands


def _build(options: argparse.Namespace) -> tuple[str, int]:
    out = _output(options)
    overrides = _overrides(options)
    from report.pipeline import build

    summary = build(options.homework, out, overrides=overrides, inputs=options.inputs)
    return str(summary), DONE


def _trace(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    from report.pipeline import trace_json

    return trace_json(options.homework, options.question, overrides, options.inputs), DONE


def _check(options: argparse.Namespace) -> tuple[str, int]:
    overrides = _overrides(options)
    from report.pipeline import check_table

    text, agree = check_table(options.homework, overrides, options.inputs)
    return text, DONE if agree else FAILED


def _gates(options: argparse.Namespace) -> tuple[str, int]:
    import shutil

    from report.gates import GATES

    width = shutil.get_terminal_size((100, 24)).columns
    return gate_table(list(GATES.values()), max(min(width, 120), 60)), DONE


def _extract(options: argparse.Namespace) -> tuple[str, int]:
    from report.embedded import extract

    return "\n".join(str(path) for path in extract(options.report, options.folder)), DONE


def _verify(options: argparse.Namespace) -> tuple[str, int]:
    from report.embedded import verify

    verdict = verify(options.report, options.run_programs, options.pages)
    return str(verdict), FAILED if verdict.differences else DONE


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    if not options.set:
        return {}
    from report.homework import parse_overrides

    return parse_overrides(options.set)


def _output(options: argparse.Namespace) -> Path:
    """Where the PDF goes; refused before any work is done when it cannot be a PDF."""
    if options.out is None:
        return Path("build", f"{Path(options.homework).stem}.pdf")
    out = Path(options.out)
    if out.is_dir():
        raise ReportError(f"{out} is a folder; name the PDF in it: {out / 'report.pdf'}")
    if out.suffix.lower() != ".pdf":
        raise ReportError(f"{options.out!r} is no name of a PDF; the output's name ends in .pdf")
    return out


def gate_table(gates: Sequence[Gate], width: int) -> str:
    """The gates that a formula may use, group by group, in lines of at most `width` characters.

    Each with how it is written, what it does, its domain, and its convention where it has a kink.
    """
    import itertools
    import textwrap

    shown = [gate for gate in gates if gate.usage]
    column = min(max((len(gate.usage) for gate in shown), default=0), 28, width // 2)
    lines: list[str] = []
    for group in dict.fromkeys(gate.group for gate in shown):
        lines += ["", group] if lines else [group]
        for gate in (g for g in shown if g.group == group):
            notes = [gate.summary]
            notes += [f"domain: {gate.domain}"] if gate.domain else []
            notes += [f"at a kink: {gate.convention}"] if gate.convention else []
            right = [line for note in notes for line in textwrap.wrap(note, width - column - 4)]
            left = [gate.usage]
            if len(gate.usage) > column:  # a line of its own, what it does under it
                lines += textwrap.wrap(
                    gate.usage, width, initial_indent="  ", subsequent_indent="    "
                )
                left = []
            for start, end in itertools.zip_longest(left, right, fillvalue=""):
                lines.append(f"  {start:{column}}  {end}".rstrip())
    last = "Constant: pi. A function is one expression, with let-lines such as z = W @ x before it."
    lines += ["", *textwrap.wrap(last, width)]
    return "\n".join(lines)


# ---------------------------------------------------------------- its arguments

_COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], tuple[str, int]], str]] = {
    "build": (_build, "a homework file -> the report as PDF"),
    "trace": (_trace, "every value and gradient of a homework as JSON"),
    "check": (_check, "check every gradient in several ways, as a table"),
    "gates": (_gates, "the gates that a function may use"),
    "extract": (_extract, "the files that a report carries inside -> a folder"),
    "verify": (_verify, "compute everything in a report anew and compare"),
}
_OPTIONS = (
    "--help", "--version", "--out", "--set", "--inputs", "--question", "--run-programs",
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are those of the program."""

    def error(self, message: str) -> NoReturn:
        raise ReportError(f"{message}; see {self.prog} --help")


def _parser() -> _Parser:
    parser = _Parser(
        prog="report",
        description="Turn a homework file into a finished, verified report about backpropagation.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"report {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, *groups: Callable[[_Parser], None], epilog: str = "") -> _Parser:
        run, summary = _COMMANDS[name]
        made = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(run=run)
        for group in groups:
            group(made)
        return made

    build = command("build", _homework, _values, epilog=_OVERRIDES)
    build.add_argument(
        "-o", "--out", metavar="OUT.pdf", help="where the PDF goes (build/HOMEWORK.pdf)"
    )
    trace = command("trace", _homework, _values, epilog=_OVERRIDES)
    trace.add_argument(
        "--question", metavar="ID", help="only this question (all of them, in one object)"
    )
    command("check", _homework, _values, epilog=_OVERRIDES)
    command("gates")
    extract = command("extract", _report)
    extract.add_argument("folder", metavar="FOLDER", help="where they go; made if need be")
    verify = command("verify", _report)
    verify.add_argument(
        "--run-programs",
        action="store_true",
        help="run the programs inside, and compare their output",
    )
    verify.add_argument(
        "--pages",
        action="store_true",
        help="build the report again, and compare the words of every page",
    )
    return parser


def _homework(command: _Parser) -> None:
    command.add_argument("homework", metavar="HOMEWORK.toml", help="the homework file")


def _report(command: _Parser) -> None:
    command.add_argument("report", metavar="FILE.pdf", help="a PDF that report build made")


def _values(command: _Parser) -> None:
    command.add_argument(
        "--set", metavar="NAME=VALUE", action="append", help="another value; may be repeated"
    )
    command.add_argument("--inputs", metavar="FILE.toml", help="a file of values")


# ---------------------------------------------------------------- printing


def _print(text: str, status: int) -> int:
    """Write the result, in UTF-8 whatever the locale, and give the exit status."""
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
