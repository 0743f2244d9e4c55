"""The words of the command line: commands, arguments, options, and what is said about each."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

from report.editions import DETAILS, EDITIONS, STANDARDS
from report.errors import ReportError, nearest
from report.version import __version__

MAX_JOBS = 256
COMMANDS = {
    "new": "a formula in any spelling -> a homework file to fill in",
    "build": "a homework file -> the report as PDF",
    "serve": "the live page of a homework file, on this machine only",
    "trace": "every value and gradient of a homework as JSON",
    "check": "check every gradient in several ways, as a table",
    "gates": "the gates that a function may use",
    "batch": "a homework file and a roster -> PDFs with other numbers for each student",
    "grade": "a homework file and a class's answers -> what is right, gate by gate",
    "extract": "the files that a report carries inside -> a folder",
    "verify": "compute everything in a report anew and compare",
    "completion": "what a shell needs to complete commands, options and files",
}
SHELLS = ("bash", "zsh", "fish")
_OVERRIDES = """\
--set q1.x1=2 gives input x1 of question q1 another value: a number, or a list such as
[[1, 2], [3, 4]]. Where a homework has one question, --set x1=2 is enough. title, course, author,
student_id, due, paper and detail can be set too: --set author=Ada. An inputs file has a table for each
question ([q1], under it x1 = 2); --set wins over it, and both win over the homework file."""
_OWN = """\
With --program or --answers your own values and gradients are held against the homework, gate by gate, down
to the first wrong one and the mistake that gives it. Numbers are found by name (q3 =, dL/dw1, w1.grad),
else by their order. Answers are lines name = value, or a CSV file of one row with columns as for grade."""
_ROSTER = """\
A roster is a CSV file with the columns id and name; a column such as q1.x1 gives that input a value. A
student's id is the seed of the variant. What is there already with the right content is kept, so that a
batch that was stopped goes on when it is started again."""
_ANSWERS = """\
The answers are a CSV file with the column id and a column for each quantity, named as in the trace:
q1.q3 or q1.f is a value, q1.d.q3 or q1.d.w1 a gradient, q2.d.W[0,1] an entry. The results go to
grades.csv, answers.csv and gates.pdf in the folder. Where ANSWERS is a folder of programs (ID.py, or
ID/q1.py where there are several questions), each is run by itself; the results go to programs.csv."""


_COMPLETION = """\
bash: eval "$(report completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc;
fish: report completion fish > ~/.config/fish/completions/report.fish"""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are those of the program."""

    known: ClassVar[dict[str, None]] = {}  # the long options of all commands, in their order

    def add_argument(self, *names: Any, **what: Any) -> argparse.Action:
        """As argparse does."""
        self.known.update(dict.fromkeys(n for n in names if n.startswith("--")))
        return super().add_argument(*names, **what)

    def error(self, message: str) -> NoReturn:
        raise ReportError(f"{message}; see {self.prog} --help")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, its command in `command`.

    Raises ReportError for what is no command, option or argument, SystemExit(0) after --help.
    """
    if "_ARGCOMPLETE" in os.environ:  # a shell asks, and nothing else is loaded for it
        import argcomplete

        argcomplete.autocomplete(_parser())
    command = next((a for a in arguments if not a.startswith("-") or a == "-"), None)
    if command is not None and (command == "-" or command.endswith(".toml")):
        command, arguments = "build", ["build", *arguments]
    if command is not None and command not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise ReportError(
            f"unknown command {command!r}{nearest(command, COMMANDS)}; the commands are: {known}"
        )
    options, extra = _parser().parse_known_args(arguments)
    if extra:
        word = next((e for e in extra if e.startswith("-")), extra[0])
        kind = "option" if word.startswith("-") else "argument"
        near = nearest(word.split("=")[0], _Parser.known) if word.startswith("--") else ""
        helped = f"report {command}" if command else "report"
        raise ReportError(f"unknown {kind} {word!r}{near}; see {helped} --help")
    if command is None:
        raise ReportError(f"name a command: {', '.join(COMMANDS)}; see report --help")
    return options


def _parser() -> _Parser:
    parser = _Parser(
        prog="report",
        description="Turn a homework file into a finished, verified report about backpropagation.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"report {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, *groups: Callable[[_Parser], None], epilog: str = "") -> _Parser:
        summary = COMMANDS[name]
        made = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(command=name)
        loud = made.add_mutually_exclusive_group()
        loud.add_argument(
            "-q",
            "--quiet",
            action="store_true",
            help="print nothing but what was asked for and faults",
        )
        loud.add_argument(
            "-v", "--verbose", action="store_true", help="tell every step and its time"
        )
        for group in groups:
            group(made)
        return made

    new = command("new")
    new.add_argument("formula", metavar="FORMULA", help="an expression or LaTeX")
    new.add_argument(
        "-o", "--out", metavar="HOMEWORK.toml", help="where it goes (the standard output)"
    )
    build = command("build", _homework, _values, _seed, epilog=_OVERRIDES)
    build.add_argument(
        "-o", "--out", metavar="OUT.pdf", help="where the PDF goes (build/HOMEWORK.pdf)"
    )
    build.add_argument(
        "--edition",
        choices=EDITIONS,
        default="solution",
        help="all of it, a sheet to fill in, or an answer key (solution)",
    )
    build.add_argument(
        "--detail",
        choices=DETAILS,
        help="the backward pass in short, or with every step apart (brief)",
    )
    serve = command("serve")
    serve.add_argument(
        "homework", metavar="HOMEWORK.toml", nargs="?", help="the homework file (a new one)"
    )
    serve.add_argument(
        "--port", metavar="N", type=_port, default=8000, help="the port; 0 takes a free one (8000)"
    )
    serve.add_argument("--open", action="store_true", help="open the page in the browser")
    build.add_argument(
        "--standard",
        choices=STANDARDS,
        default="ua-1",
        help="PDF/UA-1 with PDF/A-3a, or PDF/UA-2 with PDF/A-4f, which is PDF 2.0 (ua-1)",
    )
    build.add_argument(
        "--draft",
        action="store_true",
        help="a report also where a program of your own fails or differs",
    )
    trace = command("trace", _homework, _values, _seed, epilog=_OVERRIDES)
    trace.add_argument(
        "--question", metavar="ID", help="only this question (all of them, in one object)"
    )
    _add_check(command("check", _homework, _values, _seed, epilog=_OWN))
    command("gates")
    _add_batch(command("batch", _homework, epilog=_ROSTER))
    _add_grade(command("grade", _homework, epilog=_ANSWERS))
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
    completion = command("completion", epilog=_COMPLETION)
    completion.add_argument("shell", choices=SHELLS, help="the shell")
    return parser


def _add_check(check: _Parser) -> None:
    own = check.add_mutually_exclusive_group()
    own.add_argument(
        "--program", metavar="MINE.py", help="a program of your own (.py, .ipynb), which is run"
    )
    own.add_argument("--answers", metavar="MINE.csv", help="numbers that you computed by hand")
    check.add_argument("--question", metavar="ID", help="the question that they are about")


def _add_batch(batch: _Parser) -> None:
    batch.add_argument("roster", metavar="ROSTER.csv", help="the students")
    batch.add_argument("-o", "--out", metavar="OUT", help="the folder (build/HOMEWORK)")
    batch.add_argument(
        "--editions", metavar="LIST", default="sheet,solution", help=f"some of {','.join(EDITIONS)}"
    )
    batch.add_argument(
        "--jobs", metavar="N", type=_jobs, default=1, help="processes to work with (1)"
    )
    batch.add_argument(
        "--scheduler", metavar="URL", default="", help="a Dask scheduler: tcp://host:8786"
    )
    _values(batch)


def _add_grade(grade: _Parser) -> None:
    grade.add_argument(
        "answers",
        metavar="ANSWERS.csv",
        help="what the students answered, or a folder of their programs: ID.py",
    )
    grade.add_argument(
        "--roster", metavar="ROSTER.csv", help="the roster that the variants were built from"
    )
    grade.add_argument("-o", "--out", metavar="OUT", help="the folder (build/HOMEWORK-grades)")
    grade.add_argument(
        "--tolerance",
        metavar="PERCENT",
        type=_percent,
        default=0.5,
        help="how far rounding may take an answer (0.5)",
    )
    _values(grade)


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_JOBS:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1 to {MAX_JOBS}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no port; it is a number up to 65535")
    return int(text)


def _percent(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found <= 50:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number above 0 and up to 50")
    return found


def _homework(command: _Parser) -> None:
    command.add_argument(
        "homework", metavar="HOMEWORK.toml", help="the homework file; - is the standard input"
    )


def _report(command: _Parser) -> None:
    command.add_argument("report", metavar="FILE.pdf", help="a PDF that report build made")


def _seed(command: _Parser) -> None:
    command.add_argument(
        "--seed", metavar="SEED", help="decides the random inputs: a number or a text"
    )


def _values(command: _Parser) -> None:
    command.add_argument(
        "--set", metavar="NAME=VALUE", action="append", help="another value; may be repeated"
    )
    command.add_argument("--inputs", metavar="FILE.toml", help="a file of values")
