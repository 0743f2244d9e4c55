"""The command line: what is printed where, exit statuses, and that bad input writes nothing."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import report
from report import pipeline, verify
from report.autodiff.gates import GATES
from report.cli import activity
from report.cli import main as cli
from report.cli.gate_listing import gate_table
from report.cli.options import COMMANDS
from report.doing import doing
from report.errors import CheckError, ReportError

ROOT = Path(__file__).parents[2]
HOMEWORK1 = str(ROOT / "problems" / "homework1.toml")
REPEATED = str(ROOT / "problems" / "repeated.toml")
ONE_GATE = str(ROOT / "problems" / "one-gate.toml")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    return status, *capsys.readouterr()


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    settings: dict[str, Any] = {"capture_output": True, "text": True, "encoding": "utf-8"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        **{**settings, **options},
        env=environment,
        check=False,
    )


# ---------------------------------------------------------------- the commands


def test_trace_writes_the_trace_of_one_question(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "trace", HOMEWORK1, "--question", "q1")
    assert (status, err) == (0, "")
    trace = json.loads(out)
    assert trace["format"] == "report-trace"
    assert trace["gradients"]["w1"] == pytest.approx(0.0314624940538, rel=1e-11)


def test_trace_writes_the_traces_of_all_questions(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "trace", HOMEWORK1)
    assert status == 0
    traces = json.loads(out)
    assert traces["format"] == "report-traces"
    assert list(traces["questions"]) == ["q1", "q2"]


def test_values_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    Path("values.toml").write_text("[q1]\nx1 = 1\nw1 = 2\n")
    arguments = ("--inputs", "values.toml", "--set", "q1.w1=0.5", "--set", "q2.x=[[1],[2],[3]]")
    status, out, _ = run(capsys, "trace", HOMEWORK1, *arguments)
    questions = json.loads(out)["questions"]
    assert status == 0
    assert [q["value"] for q in questions["q1"]["inputs"]] == [1, 0.5, -2, 3]
    assert questions["q2"]["inputs"][1]["value"] == [[1], [2], [3]]


def test_gates_lists_every_gate_that_a_formula_may_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (60, 100, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        status, out, _ = run(capsys, "gates")
        assert status == 0
        assert max(len(line) for line in out.splitlines()) <= min(columns, 120)
        words = " ".join(out.split())
        for gate in (g for g in GATES.values() if g.usage):
            for column in (gate.usage, gate.summary, gate.domain, gate.convention):
                assert " ".join(column.split()) in words


def test_build_prints_the_summary(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def build(*arguments: Any, **options: Any) -> Any:
        calls.append((arguments, options))
        return "the summary"

    monkeypatch.setattr(pipeline, "build", build)
    assert run(capsys, "build", REPEATED) == (0, "the summary\n", "")
    assert run(capsys, "build", REPEATED, "-o", "x/y.pdf", "--set", "q1.x=2")[0] == 0
    assert run(capsys, "build", REPEATED, "--edition", "sheet", "--seed", "007")[0] == 0
    nothing: dict[str, Any] = {
        "overrides": {}, "inputs": None, "seed": None, "edition": "solution", "detail": None,
        "draft": False, "standard": "ua-1",
    }  # fmt: skip
    assert calls[0] == ((REPEATED, Path("build/repeated.pdf")), nothing)
    assert calls[1] == ((REPEATED, Path("x/y.pdf")), {**nothing, "overrides": {"q1.x": 2}})
    sheet = {**nothing, "seed": "007", "edition": "sheet"}
    assert calls[2] == ((REPEATED, Path("build/repeated-sheet.pdf")), sheet)


def test_a_homework_file_alone_is_built(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Any] = []

    def build(*files: Any, **_: Any) -> str:
        built.append(files)
        return "done"

    monkeypatch.setattr(pipeline, "build", build)
    assert run(capsys, REPEATED) == (0, "done\n", "")
    assert run(capsys, REPEATED, "-o", "x/y.pdf") == (0, "done\n", "")
    assert built == [(REPEATED, Path("build/repeated.pdf")), (REPEATED, Path("x/y.pdf"))]


def test_extract_names_the_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "extract", lambda pdf, folder: [Path(folder, "homework.toml")])
    assert run(capsys, "extract", "x.pdf", "inside") == (0, "inside/homework.toml\n", "")


def test_verify_has_status_1_where_something_differs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def recompute(*arguments: Any) -> verify.Verdict:
        calls.append(arguments)
        return verify.Verdict(
            ("q1: 3 of 4 hold",), ("value is 1, computed anew it is 2",)[: len(calls) - 1]
        )

    monkeypatch.setattr(verify, "verify", recompute)
    assert run(capsys, "verify", "x.pdf") == (0, "q1: 3 of 4 hold\n", "")
    status, out, err = run(capsys, "verify", "x.pdf", "--run-programs")
    assert (status, out, err) == (1, "q1: 3 of 4 hold\nvalue is 1, computed anew it is 2\n", "")
    assert run(capsys, "verify", "x.pdf", "--pages")[0] == 1
    assert calls == [("x.pdf", False, False), ("x.pdf", True, False), ("x.pdf", False, True)]


def test_a_failed_check_has_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "check_table", lambda *_: ("a table", False))
    assert run(capsys, "check", REPEATED) == (1, "a table\n", "")
    monkeypatch.setattr(pipeline, "check_table", lambda *_: ("a table", True))
    assert run(capsys, "check", REPEATED) == (0, "a table\n", "")

    def fail(*_: Any, **__: Any) -> None:
        raise CheckError("df/dx differs:\n1 is not 2")

    monkeypatch.setattr(pipeline, "build", fail)
    assert run(capsys, "build", REPEATED) == (1, "", "report: df/dx differs:\n1 is not 2\n")


def test_help_and_version_need_no_library() -> None:
    heavy = "numpy|sympy|matplotlib|weasyprint|jinja2|markdown_it"
    code = (
        "import sys; from report.cli.main import main\n"
        "try: main([sys.argv[1]])\nexcept SystemExit as end: assert not end.code\n"
        f"found = [m for m in sys.modules if m in {heavy.split('|')!r}]; assert not found, found"
    )
    for option in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", code, option],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"report {report.__version__}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    assert not end.value.code
    assert ("--set" in capsys.readouterr().out) == (
        name not in ("new", "serve", "gates", "extract", "verify", "completion")
    )


def test_the_standard_input_is_a_homework_file() -> None:
    done = command("trace", "-", input=Path(ONE_GATE).read_text(encoding="utf-8"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["value"] == pytest.approx(0.46211715726)
    done = command("check", "-", input="title = 'T'\n[[question]]\nfunction = 'y'\n")
    assert done.returncode == 2
    assert done.stderr.startswith("report: standard input, question q1: unknown name 'y'")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("report bu", ["build "]),
        ("report build x.toml --ed", ["--edition "]),
        ("report build --edition s", ["solution", "sheet"]),
        ("report completion f", ["fish "]),
    ],
)
def test_a_shell_completes(line: str, offered: list[str]) -> None:
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    command(env={**asked, "_ARGCOMPLETE_STDOUT_FILENAME": "offered", "_ARGCOMPLETE_IFS": "\n"})
    assert Path("offered").read_text().split("\n") == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_code_for_the_shell(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    status, out, _ = run(capsys, "completion", shell)
    assert status == 0
    assert "_ARGCOMPLETE" in out
    assert "report" in out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "PATIENCE", 0.0)
    stream = Terminal()
    with activity.activity(stream):
        time.sleep(0.1)
        doing("question q1: deriving")
    assert stream.getvalue() == "\r\x1b[K\r\x1b[Kquestion q1: deriving ...\r\x1b[K"


def test_what_is_quick_or_quiet_or_no_terminal_shows_nothing() -> None:
    for stream, quiet in ((Terminal(), False), (Terminal(), True), (io.StringIO(), False)):
        with activity.activity(stream, quiet=quiet):
            doing("anything")
        assert stream.getvalue() == ""


def test_verbose_tells_every_step_and_quiet_no_summary(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "trace", ONE_GATE, "-v")
    assert (status, json.loads(out)["format"]) == (0, "report-trace")
    assert re.fullmatch(r" +\d+\.\d\d s  reading the homework\n", err)
    assert run(capsys, "build", ONE_GATE, "--edition", "sheet", "-o", "s.pdf", "-q") == (0, "", "")
    assert Path("s.pdf").read_bytes().startswith(b"%PDF")


# ---------------------------------------------------------------- mistakes on the command line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [],
            [
                "name a command: new, build, serve, trace, check, gates, batch, grade, extract, verify, completion"
            ],
        ),
        (["build", REPEATED, "--edition", "sheets"], ["--edition: invalid choice: 'sheets'"]),
        (["build", REPEATED, "--seed", "1"], ["has no random inputs"]),
        (["batch", REPEATED], ["required: ROSTER.csv"]),
        (["batch", REPEATED, "none.csv"], ["there is no file none.csv"]),
        (["batch", REPEATED, REPEATED, "--jobs", "0"], ["'0' is no number from 1 to 256"]),
        (["batch", REPEATED, REPEATED, "--job", "2"], ["did you mean --jobs?"]),
        (["grade", REPEATED, "none.csv"], ["there is no file none.csv"]),
        (["grade", REPEATED, REPEATED, "--tolerance", "nan"], ["'nan' is no number above 0"]),
        (["extract", "x.pdf"], ["required: FOLDER", "see report extract --help"]),
        (["extract", "none.pdf", "folder"], ["none.pdf: No such file or directory"]),
        (["verify", "none.pdf"], ["none.pdf: No such file or directory"]),
        (["verify", ONE_GATE], ["one-gate.toml is not a PDF"]),
        (["verify", "x.pdf", "--run-program"], ["did you mean --run-programs?"]),
        (["biuld", "x.toml"], ["unknown command 'biuld'; did you mean build?"]),
        (["\x1b[31m"], ["unknown command"]),
        (["--verison"], ["unknown option '--verison'; did you mean --version?"]),
        (["build"], ["required: HOMEWORK.toml", "see report build --help"]),
        (["build", REPEATED, "--sett", "x=1"], ["'--sett'; did you mean --set?"]),
        (["build", REPEATED, "--inp", "x"], ["unknown option '--inp'; did you mean --inputs?"]),
        (["build", REPEATED, "x"], ["unknown argument 'x'"]),
        (["build", REPEATED, "-x"], ["unknown option '-x'"]),
        (["gates", "--set", "x=1"], ["unknown option '--set'"]),
        (["build", REPEATED, "--set"], ["--set: expected one argument"]),
        (["build", REPEATED, "--set", "q1.x"], ["write NAME=VALUE"]),
        (["build", REPEATED, "--set", "q1.x=y"], ["--set q1.x: 'y' is no value"]),
        (["build", REPEATED, "--set", "q1.x=1", "--set", "q1.x=2"], ["set twice"]),
        (["build", REPEATED, "--set", "q1.y=1"], ["question q1 has no input 'y'"]),
        (["build", REPEATED, "--inputs", "none.toml"], ["there is no file none.toml"]),
        (["build", REPEATED, "-o", "x.toml"], ["'x.toml' is no name of a PDF"]),
        (["build", REPEATED, "-o", ""], ["is a folder"]),
        (["build", REPEATED, "-o", "."], [". is a folder; name the PDF in it: report.pdf"]),
        (["build", "none.toml"], ["there is no file none.toml"]),
        (["build", "."], [". is a folder"]),
        (["trace", "."], [". is a folder"]),
        (["check", "none.toml"], ["there is no file none.toml"]),
        (["trace", REPEATED, "--question", "q3"], ["there is no question 'q3'; did you mean q"]),
    ],
    ids=range(37),
)
def test_a_mistake_has_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("report: ")
    for word in words:
        assert word in err
    assert "\x1b" not in err
    assert not list(Path().iterdir())


# ---------------------------------------------------------------- mistakes in a formula

BAD_INPUTS = [
    "x = 'one'", "x = true", "x = []", "x = [[1, 2], [3]]", "x = [1, [2]]", "x = nan", "x = [1, inf]",
    "x = 1e999", "x = {a = 1}", "x = 2026-01-01", "x.y = 1", f"x = 0x{'f' * 1000}", "sin = 1", "pi = 3",
    "lambda = 1", "1x = 1", "'x y' = 1", "é = 1".replace("é", '"é"'), "_x = 1", "x-y = 1",
    f"{'x' * 41} = 1", f"x = [{'0,' * 100_000}'a']",
]  # fmt: skip
BAD_FORMULAS = [
    # syntax
    "x +", "x y", "(x", "x)", "2 3", "x**", "x ^", "x = 1", "x == 1", "x < 1", "x; y", "x, x", "[x, x]", "{x}",
    "x[0]", "x if x", "lambda: x", "(y := x)", "not x", "x and x", "x // 2", "x % 2", "~x", "x!",
    "$x", "x?", "'x'", 'f"{x}"', "1j", "True", "None", "...", "*x", "y = z = x\ny", "y, z = x, x\ny",
    "x\nx", "  y = x\nx", "y = x\n  y", "y = x\ny = x\ny", "y: int = x\ny", "x += 1", "\\", "'''", "1__0", "07",
    # names
    "z", "X", "sinn(x)", "np.sinn(x)", "x.real", "sin", "sin()", "sin(x, x)", "x(y)", "sin(x)(y)", "nan", "inf",
    "sum(x, axis=1)", "sum(x, axis=0x" + "f" * 5000 + ")", "sum(x, foo=1)", "sum(*x)", "sum(**x)",
    # Python
    "import os", "__import__('os').system('touch canary')", "open('canary', 'w')", "eval('1')", "exec('1')",
    "().__class__.__bases__[0].__subclasses__()", "x.__class__", "print(x)", "getattr(x, 'y')", "globals()",
    "def f(): return", "class A: pass", "for i in x: pass", "while True: pass", "with x: pass", "return",
    "yield x", "await x", "raise x", "assert x", "del x", "global x", "[x for x in x]", "@x\ndef f(): pass",
    # characters
    "х + 1", "x − y", "x × y", "√", "²x", "\ufeffx", "ｘ", "x\u00a0+", "x\u200b", "𝑥", "x + ١",
    # numbers
    "1/0 + x", "x/0", "x/(x - x)", "log(-x)", "log(x - x)", "sqrt(-x)", "(-x)**0.5", "(x - x)**-1",
    "9**9**9**9", "x**9**9**9", "exp(exp(exp(exp(x))))", "1e999 * x", "x * 1e308 * 1e308", "9" * 5000,
    # size
    "(" * 1_000 + "x" + ")" * 1_000, "-" * 10_000 + "x", "x" + ".T" * 9_000, "(" + "x + " * 4_999 + "x)",
    "sin(" * 3_000 + "x" + ")" * 3_000, "x" * 20_001, "x" * 19_999, "[" * 10_000, "x**" * 5_000 + "x",
    "lambda: " * 2_000 + "x", "x\n" * 200_000, "\\\n" * 10_000, "(\n" * 10_000,
]  # fmt: skip


def homework(function: str, inputs: str = "x = 2") -> str:
    return f"title = 'T'\n[[question]]\nfunction = {json.dumps(function)}\n[question.inputs]\n{inputs}\n"


@pytest.mark.parametrize(
    "text",
    [homework("x", inputs) for inputs in BAD_INPUTS] + [homework(f) for f in BAD_FORMULAS],
    ids=[f"input{i}" for i in range(len(BAD_INPUTS))] + [f"f{i}" for i in range(len(BAD_FORMULAS))],
)
def test_bad_input_is_one_message_and_no_file(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("hw.toml").write_text(text, encoding="utf-8")
    status, out, err = run(capsys, "trace", "hw.toml")
    assert (status, out) == (2, "")
    assert err.startswith("report: hw.toml")
    assert "Traceback" not in err
    assert "internal" not in err
    assert len(err) < 1500
    assert list(Path().iterdir()) == [Path("hw.toml")]


@pytest.mark.parametrize("function", ["x +", "log(-x)", "open('canary', 'w')", "x @ x"])
@pytest.mark.parametrize("name", ["build", "check"])
def test_build_and_check_refuse_it_too(
    capsys: pytest.CaptureFixture[str], name: str, function: str
) -> None:
    Path("hw.toml").write_text(homework(function))
    status, out, err = run(capsys, name, "hw.toml")
    assert (status, out) == (2, "")
    assert err.startswith("report: hw.toml, question q1: ")
    assert list(Path().iterdir()) == [Path("hw.toml")]


# ---------------------------------------------------------------- when the system refuses


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(13, "Permission denied", "out.pdf"), 2, "report: out.pdf: Permission denied\n"),
        (OSError(28, "No space left on device"), 2, "report: a file: No space left on device\n"),
        (BrokenPipeError(32, "Broken pipe"), 2, "report: a file: Broken pipe\n"),
        (KeyboardInterrupt(), 130, "report: interrupted\n"),
        (MemoryError(), 2, "report: not enough memory for this homework\n"),
        (ImportError("No module named 'sympy'", name="sympy"), 2, "a library is missing"),
        (ReportError("a \x1b[2J\u202e\x07 b"), 2, "report: a \\x1b[2J\\u202e\\x07 b\n"),
        (ZeroDivisionError("x"), 2, "report: internal error (ZeroDivisionError)"),
        (ImportError("no", name="report.pipeline"), 2, "report: internal error (ImportError)"),
        (RecursionError(), 2, "report: internal error (RecursionError)"),
    ],
)  # fmt: skip
def test_no_error_shows_a_traceback(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    words: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.delenv("REPORT_DEBUG", raising=False)
    monkeypatch.setattr(pipeline, "build", fail)
    found, out, err = run(capsys, "build", ONE_GATE)
    assert (found, out) == (status, "")
    assert words in err
    assert "Traceback" not in err


def test_a_fault_of_the_program_can_be_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("the place")

    monkeypatch.setenv("REPORT_DEBUG", "1")
    monkeypatch.setattr(pipeline, "trace_json", fail)
    status, _, err = run(capsys, "trace", ONE_GATE)
    assert status == 2
    assert "Traceback" in err
    assert "ZeroDivisionError: the place" in err


def test_the_process_ends_with_the_status() -> None:
    done = command("trace", ONE_GATE)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["value"] == pytest.approx(0.46211715726)
    done = command("trace", "none.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "report: there is no file none.toml\n"


def test_a_full_disk_and_a_closed_pipe_are_quiet() -> None:
    if (device := Path("/dev/full")).exists():
        with device.open("w") as full:
            done = command("gates", capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr == "report: standard output cannot be written: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    done = command("gates", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the streams")
def test_streams_that_the_caller_has_closed_are_no_fault() -> None:
    def ended(arguments: str) -> tuple[int, str]:
        shell = f'"{sys.executable}" -m report {arguments}'
        done = subprocess.run(
            shell, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.returncode, (done.stdout + done.stderr).partition(";")[0]

    assert ended("trace problems/one-gate.toml >&-") == (0, "")
    assert ended("trace none.toml >&-") == (2, "report: there is no file none.toml")
    assert ended("trace none.toml 2>&-") == (2, "")


def test_the_output_is_utf_8_in_any_locale() -> None:
    done = command("gates", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "−" in done.stdout


def test_output_that_is_no_file_is_written_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert cli.main(["gates"]) == 0
    assert "sigmoid(x)" in stream.getvalue()


def test_gate_table_of_rows_that_wrap() -> None:
    row = SimpleNamespace(
        group="g",
        usage="f(a, b)",
        summary="word " * 20,
        domain="d",
        convention="",
        name="f",
        definition=None,
    )
    lines = gate_table([row, SimpleNamespace(usage="")], 60).splitlines()  # type: ignore[list-item]
    assert lines[0] == "g"
    assert lines[1].startswith("  f(a, b)  word word")
    assert lines[3] == "           domain: d"
