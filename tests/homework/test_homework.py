"""Homework files: what is read, what is refused and with which words, overrides, the way back to TOML."""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import report
from report import ReportError, pipeline
from report.autodiff.descent import Plan
from report.homework import homework, toml
from report.homework.homework import (
    Homework,
    place,
    read_homework,
    read_homework_text,
)
from report.homework.overrides import parse_overrides
from report.homework.traces import traces_of
from report.homework.variants import draw

PROBLEMS = sorted((Path(__file__).parents[2] / "problems").glob("*.toml"))
HOMEWORK1 = Path(__file__).parents[2] / "problems" / "homework1.toml"

ONE = '[[question]]\nfunction = "x*w"\n[question.inputs]\nx = 2\nw = 3\n'
GOOD = f'title = "Test"\n{ONE}'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("hw.toml")


def read(file: Path, text: str | bytes, **options: Any) -> Homework:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_homework(file, **options)


def refusal(file: Path, text: str | bytes, **options: Any) -> str:
    with pytest.raises(ReportError) as caught:
        read(file, text, **options)
    return str(caught.value)


# ---------------------------------------------------------------- what is read


def test_the_default_homework_is_the_one_of_the_course() -> None:
    work = read_homework(HOMEWORK1)
    assert (work.title, work.course) == ("Homework 1", "DTSC740 Deep Learning")
    assert work.due == dt.date(2023, 10, 21)
    assert work.due_text == "21 October 2023"
    assert work.paper == "a4"
    assert [(q.id, q.points, q.wrt) for q in work.questions] == [
        ("q1", 25, ("w1", "w2")),
        ("q2", 25, ("W",)),
    ]
    assert work.questions[0].inputs == {"x1": -1, "w1": 3, "x2": -2, "w2": 3}
    assert place(work, work.questions[1]) == f"{HOMEWORK1}, question q2"


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.stem)
def test_every_problem_can_be_traced(path: Path) -> None:
    for question in draw(read_homework(path)).questions:
        trace = report.trace(question.function, question.inputs, question.wrt)
        assert np.isfinite(trace.value)


def test_what_is_left_out_has_its_default(file: Path) -> None:
    work = read(file, 'title = " Test "\n[[question]]\nfunction = "2"')
    assert work == Homework(
        path=file, title="Test", questions=(homework.Question("q1", "2", {}),)
    )  # fmt: skip
    assert work.due_text == ""


def test_a_byte_order_mark_and_other_line_ends_are_fine(file: Path) -> None:
    assert read(file, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()) == read(file, GOOD)


def test_ids_are_counted_where_they_are_left_out(file: Path) -> None:
    named = ONE.replace("function", 'id = "extra"\nfunction')
    work = read(file, f'title="T"\n{ONE}{named}{ONE}')
    assert [q.id for q in work.questions] == ["q1", "extra", "q3"]
    assert work.question("extra") is work.questions[1]


@pytest.mark.parametrize(
    ("due", "spoken"),
    [
        ("2026-01-05", "5 January 2026"),
        ("2026-12-31T23:59:00", "31 December 2026, 23:59"),
        ("2026-12-31T23:59:00+01:00", "31 December 2026, 23:59 UTC+01:00"),
        ('"Friday, before noon"', "Friday, before noon"),
    ],
)
def test_a_due_date_is_written_out(file: Path, due: str, spoken: str) -> None:
    assert read(file, f"due = {due}\n{GOOD}").due_text == spoken


def test_names_in_any_script_and_emoji_are_text(file: Path) -> None:
    name = "Zoë Ångström-Łukasiewicz 李明 שלום 👩‍🔬"
    assert read(file, f'author = "{name}"\n{GOOD}').author == name


# ---------------------------------------------------------------- what is refused

Q = "[[question]]\n"
F = 'title="T"\n[[question]]\nfunction = "x"\n'
REFUSED: list[tuple[str, str | bytes, list[str]]] = [
    # the file is not TOML
    ("word", "title", ["hw.toml is not TOML", "line 1, column 6", "    title\n         ^", "key = value"]),
    ("bare text", "title = Test\n", ["line 1, column 9", "    title = Test\n            ^", "quotes"]),
    ("point first", F + "[question.inputs]\nx = .5", ["line 5, column 5", "0.5"]),
    ("open quote", 'a = 1\ntitle = "Test\n', ["line 2", "    title = "]),
    ("open block", "title = '''Test\n", ["line 1", "not closed"]),
    ("open bracket", F + "wrt = [1,\n", ["is not TOML"]),
    ("backslash", 'title = "$\\sin x$"\n', ["single quotes", "line 1"]),
    ("twice", 'title="a"\ntitle="b"\n', ["line 2", "stands twice"]),
    ("table twice", "[a]\n[a]\n", ["line 2"]),
    ("no number", "x = 1/2", ["line 1, column 6"]),
    ("python", "import os\nos.system('x')", ["line 1", "key = value"]),
    ("markdown", "# Homework\n\nCalculate:", ["line 3"]),
    ("json", '{"title": "T"}', ["line 1, column 1"]),
    ("yaml", "title: T\n", ["line 1"]),
    ("html", "<html></html>", ["line 1"]),
    ("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", ["not UTF-8", "0xE2", "line 2"]),
    ("latin-1", 'author = "Zo\xeb"'.encode("latin-1"), ["not UTF-8", "0xEB", "line 1", "save it"]),
    ("utf-16", 'title = "T"'.encode("utf-16"), ["not UTF-8"]),
    ("nul", b"title\x00", ["is not TOML"]),
    ("zeros", b"\0" * 1000, ["is not TOML"]),
    ("escape", "title\x1b[2J", ["is not TOML"]),
    ("day", f"due = 2023-02-30\n{GOOD}", ["no such day", "    due = 2023-02-30\n          ^"]),
    ("digits", F + f"[question.inputs]\nx = {'9' * 5000}", ["cannot be read"]),
    ("nesting", "x = " + "[" * 100_000, ["too many brackets"]),
    ("tables", "x = " + "{a=" * 100_000, ["too many brackets"]),
    ("dots", ".".join("a" * 400_000) + " = 1", ["line 1", "32 parts"]),
    ("quoted dots", ".".join(['"a b"'] * 100_000) + " = 1", ["line 1", "32 parts"]),
    ("header dots", f"[{'.'.join('a' * 400_000)}]", ["32 parts"]),
    ("escaped quotes", F + 'statement = "' + '\\"a.' * 200_000 + '"', ["statement has 600000 characters"]),
    ("megabytes", "#" * 1_000_001, ["larger than 1000000 bytes"]),
    ("long line", "a" * 900_000, ["line 1, column 900001", "^"]),
    ("many lines", "\n" * 900_000 + "x", ["line 900001"]),
    # the heading
    ("empty", "", ["hw.toml: the title is missing", 'title = "Homework 1"']),
    ("no title", ONE, ["the title is missing"]),
    ("blank title", f'title = "  "\n{ONE}', ["the title is missing"]),
    ("number title", f"title = 3\n{ONE}", ["hw.toml: title must be text, not 3", 'title = "..."']),
    ("list author", f'author = ["Ada"]\n{GOOD}', ["author must be text"]),
    ("number id", f"student_id = 12345\n{GOOD}", ["student_id must be text, not 12345"]),
    ("long title", f'title = "{"a" * 10_000}"\n{ONE}', ["title has 10000 characters; 200"]),
    ("long author", f'author = "{"a" * 201}"\n{GOOD}', ["author has 201 characters"]),
    ("two lines", f'title = "a\\nb"\n{ONE}', ["title has several lines"]),
    ("control", f'title = "a\\u0000b"\n{ONE}', ["title holds U+0000", "remove it"]),
    ("terminal", f'author = "\\u001b[31mred"\n{GOOD}', ["author holds U+001B"]),
    ("override", f'author = "\\u202Eevil"\n{GOOD}', ["U+202E (RIGHT-TO-LEFT OVERRIDE)"]),
    ("mark", f'title = "a\\u200Fb"\n{ONE}', ["U+200F (RIGHT-TO-LEFT MARK)"]),
    ("private", f'title = "\\uE000"\n{ONE}', ["U+E000"]),
    ("separator", f'title = "a\\u2028b"\n{ONE}', ["U+2028"]),
    ("tab", f'title = "$\\theta$"\n{ONE}', ["U+0009 (a tab)", "single quotes"]),
    ("paper", f'paper = "a3"\n{GOOD}', ["paper is 'a3'", '"a4" or "letter"']),
    ("paper number", f"paper = 4\n{GOOD}", ["paper must be text, not 4"]),
    ("due number", f"due = 21\n{GOOD}", ["due must be text, not 21", "due = 2026-10-21"]),
    ("due time", f"due = 12:00:00\n{GOOD}", ["due must be text"]),
    ("near key", f'titel = "T"\n{GOOD}', ["hw.toml: unknown key 'titel'; did you mean title?"]),
    ("near table", 'title="T"\n[[questions]]\nfunction="x"', ["'questions'; did you mean question?"]),
    ("far key", f"zzz = 1\n{GOOD}", ["'zzz'", "possible are: title, course"]),
    ("long key", f"{'z' * 5000} = 1\n{GOOD}", ["unknown key"]),
    ("coloured key", f'"\\u001b[31m" = 1\n{GOOD}', ["unknown key"]),
    ("misplaced", 'title="T"\nfunction="x"', ["function belongs to a question", "[[question]]"]),
    ("inputs above", 'title="T"\n[inputs]\nx=1', ["inputs belongs to a question"]),
    # the questions
    ("no question", 'title = "T"', ["hw.toml: there is no question; add [[question]]"]),
    ("no questions", 'title = "T"\nquestion = []', ["there is no question"]),
    ("one bracket", 'title="T"\n[question]\nfunction="x"', ["[[question]] with two brackets"]),
    ("question text", 'title="T"\nquestion = "x"', ["question must be a table"]),
    ("question list", 'title="T"\nquestion = [1, 2]', ["question must be a table"]),
    ("101", 'title="T"\n' + ONE * 101, ["101 questions; 100 are possible"]),
    ("no function", f'title="T"\n{Q}title="a"', ["hw.toml, question q1: the function is missing"]),
    ("blank function", f'title="T"\n{Q}function=" \\n "', ["the function is missing"]),
    ("function number", f'title="T"\n{Q}function=3', ["function must be text, not 3"]),
    ("function list", f'title="T"\n{Q}function=["x"]', ["function must be text"]),
    ("function mark", f'title="T"\n{Q}function="x # \\u202E"', ["function holds U+202E"]),
    ("same id", f'title="T"\n{Q}id="a"\nfunction="1"\n{Q}id="a"\nfunction="1"',
     ["questions 1 and 2 have the same id 'a'"]),
    ("same id by count", f'title="T"\n{Q}id="q2"\nfunction="1"\n{Q}function="1"', ["1 and 2", "'q2'"]),
    ("same file name", f'title="T"\n{Q}id="A"\nfunction="1"\n{Q}id="a"\nfunction="1"', ["case"]),
    *[
        (f"id {value}", f'title="T"\n{Q}id={value}\nfunction="1"', ["question 1: id", 'such as "q1"'])
        for value in ['""', '"../x"', '"a b"', '"a/b"', '"a.b"', '"-o"', '"é"', '"<b>"', "1", '"a\\n"',
                      f'"{"a" * 41}"', '["a"]']
    ],
    ("near question key", F + 'functoin = "x"', ["question q1: unknown key 'functoin'; did you mean f"]),
    ("input as key", F + "x1 = 2", ["unknown key 'x1'", "[question.inputs]"]),
    ("unfold", F + 'unfold = "sigmoid"', ["unfold must be a list of names of gates", "[\"sigmoid\"]"]),
    ("hessian", F + "hessian = 1", ["hessian is true or false", "hessian = true"]),
    ("programs", F + 'programs = "numpy"', ["programs must be a list of names", '["numpy"]']),
    ("no program", F + 'programs = ["nunpy"]', ["there is no program 'nunpy'; did you mean numpy?"]),
    ("author below", F + 'author = "Ada"', ["question q1: author belongs at the top of the file"]),
    ("points text", F + 'points = "25"', ["question q1: points must be a number, not '25'", "points = 25"]),
    ("points true", F + "points = true", ["points must be a number"]),
    ("points below 0", F + "points = -1", ["points is -1", "from 0 to"]),
    ("points nan", F + "points = nan", ["points is nan"]),
    ("points inf", F + "points = inf", ["points is inf"]),
    ("points huge", F + f"points = 0x{'f' * 100_000}", ["points is a very long number"]),
    ("wrt text", F + 'wrt = "x"', ['question q1: wrt must be a list', 'wrt = ["x"]']),
    ("wrt empty", F + "wrt = []", ["wrt must be a list"]),
    ("wrt numbers", F + "wrt = [1]", ["wrt must be a list"]),
    ("wrt nested", F + 'wrt = [["x"]]', ["wrt must be a list"]),
    ("inputs list", F + "inputs = [1, 2]", ["inputs must be a table, not [1, 2]", "[question.inputs]"]),
    ("inputs tables", F + "[[question.inputs]]\nx = 1", ["inputs must be a table"]),
    ("statement number", F + "statement = 5", ["statement must be text"]),
    ("statement long", F + f"statement = '{'a' * 20_001}'", ["20001 characters; 20000 are possible"]),
    ("statement nul", F + 'statement = "a\\u0000"', ["statement holds U+0000"]),
    ("statement latex", F + 'statement = "line\\n$\\frac{1}{2}$"', ["a form feed", "line 2", "single"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_mistake_is_named_with_place_and_remedy(
    file: Path, text: str | bytes, words: list[str]
) -> None:
    message = refusal(file, text)
    for word in words:
        assert word in message
    assert message.startswith("hw.toml")
    assert len(message) < 1000
    assert list(Path().iterdir()) == [file]


def test_a_missing_file_is_named_with_its_neighbour(file: Path) -> None:
    file.write_text(GOOD)
    with pytest.raises(ReportError, match=r"there is no file hw\.tom; did you mean hw\.toml\?"):
        read_homework("hw.tom")
    with pytest.raises(ReportError, match="there is no file nowhere/at/all"):
        read_homework("nowhere/at/all")
    with pytest.raises(ReportError, match=r"there is no file hw\.toml/x"):
        read_homework("hw.toml/x")


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is a folder"):
        read_homework(tmp_path)
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: reading would wait for ever
    with pytest.raises(ReportError, match="no regular file"):
        read_homework(tmp_path / "pipe")
    for name in ["", "a\0b", "a" * 5000, 5, None]:
        with pytest.raises(ReportError):
            read_homework(name)  # type: ignore[arg-type]


def test_a_file_that_may_not_be_read_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(GOOD)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", "hw.toml")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ReportError, match=r"hw\.toml cannot be read: Permission denied"):
        read_homework(file)


# ---------------------------------------------------------------- the way back


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.stem)
def test_every_problem_reads_back_equal(path: Path, tmp_path: Path) -> None:
    work = read_homework(path)
    copy = tmp_path / "copy.toml"
    copy.write_text(work.to_toml(), encoding="utf-8")
    assert read_homework(copy) == work
    assert read_homework(copy).to_toml() == work.to_toml()


def test_overrides_are_written_too(file: Path) -> None:
    overrides = {"x": np.array([[1.5, -2.0]]), "w": 1e-300, "author": "Ada", "due": "soon"}
    work = read(file, GOOD, overrides=overrides)
    back = read(file, work.to_toml())
    assert back == work
    assert back.questions[0].inputs == {"x": [[1.5, -2.0]], "w": 1e-300}
    assert (back.author, back.due) == ("Ada", "soon")


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        10**30,
        0.1,
        -0.0,
        1e-320,
        1.7976931348623157e308,
        True,
        "",
        "plain",
        "both \" and '",
        "back\\slash",
        "two\nlines",
        "ends with '\nquote'",
        "'''\n\"\"\"\n\\",
        "tab\tdel\x7fnul\0bell\a",
        "é 李 👩‍🔬",
        [],
        [1, 2.5],
        [[1, 2], [3, 4]],
        [[[0.5] * 3] * 3] * 2,
        [0.123456789] * 100,
        ["a  b, c"] * 30,
        dt.date(2026, 1, 2),
        dt.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - a TOML local date and time
        dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ],
)
@pytest.mark.parametrize("key", ["x", "a b", 'é"\\'])
def test_a_value_reads_back_equal(key: str, value: Any) -> None:
    text = toml.write_pairs({key: value})
    assert tomllib.loads(text) == {key: value}
    if isinstance(value, float):
        assert str(tomllib.loads(text)[key]) == str(value)
    assert all(len(line) <= toml.WIDTH for line in text.splitlines())


def test_what_toml_has_no_word_for_is_refused() -> None:
    with pytest.raises(ReportError, match="cannot be written"):
        toml.write_pairs({"x": object()})


# ---------------------------------------------------------------- overrides

TWO = f'title = "T"\n{ONE}{ONE}'


def test_values_are_read_as_toml() -> None:
    assert parse_overrides(
        ["q1.x1=2", "q1.W=[[1,2],[3,4]]", " x = -0.5 ", "q1.y=1e-3", 'author="A = B"', "title=A = B",
         "student_id=0012", "due=2026-10-21", "course='C'"]
    ) == {
        "q1.x1": 2, "q1.W": [[1, 2], [3, 4]], "x": -0.5, "q1.y": 1e-3, "author": "A = B",
        "title": "A = B", "student_id": "0012", "due": dt.date(2026, 10, 21), "course": "C",
    }  # fmt: skip


@pytest.mark.parametrize(
    "setting",
    ["", "=", "q1.x1", "q1.x1=", "=2", "q1 x1=2", "q1.x[0]=2", "q1.x=1/2", "q1.x=2+3", "q1.x=.5", "q1.x=[1",
     "q1.x=__import__('os')", "q1.x=abc", "q1.x=1\nq1.y=2", "q1.x=1\n[table]", "q1.x=" + "[" * 100_000,
     "q1.x=" + "9" * 5000, "q1.x={a.b.c" + ".d" * 50_000 + "=1}", "q1.x=a" + " " * 100_000 + "b", "\0=1"],
    ids=range(20),
)  # fmt: skip
def test_what_is_no_name_and_value_is_refused(setting: str) -> None:
    with pytest.raises(ReportError, match=r"^--set .*write"):
        parse_overrides([setting])


def test_a_name_is_set_once() -> None:
    with pytest.raises(ReportError, match=r"--set q1\.x: this name is set twice"):
        parse_overrides(["q1.x=1", "q1.x=2"])


def test_an_override_takes_the_place_of_a_value(file: Path) -> None:
    work = read(file, TWO, overrides={"q2.x": (1, 2), "title": "Other", "paper": "LETTER"})
    assert [q.inputs for q in work.questions] == [{"x": 2, "w": 3}, {"x": [1, 2], "w": 3}]
    assert list(work.questions[1].inputs) == ["x", "w"]
    assert (work.title, work.paper) == ("Other", "letter")


def test_the_only_question_needs_no_name(file: Path) -> None:
    assert read(file, GOOD, overrides={"x": 7}).questions[0].inputs == {"x": 7, "w": 3}
    # where an input is called like a key of the heading, the input is meant
    text = 'title="T"\n[[question]]\nfunction="due"\ninputs={due=1}'
    assert read(file, text, overrides={"due": 7}).questions[0].inputs == {"due": 7}


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        (GOOD, {"q2.x": 1}, ["override 'q2.x': there is no question 'q2'; did you mean q1?"]),
        (TWO, {"zzz.x": 1}, ["there is no question 'zzz'; there are: q1, q2"]),
        (GOOD, {"q1.ww": 1}, ["question q1 has no input 'ww'; did you mean w?"]),
        (GOOD, {"zzz": 1}, ["question q1 has no input 'zzz'; its inputs are: x, w"]),
        (GOOD, {"": 1}, ["has no input ''"]),
        (GOOD, {"q1.": 1}, ["has no input ''"]),
        (GOOD, {"q1.x.y": 1}, ["has no input 'x.y'"]),
        (
            GOOD,
            {"q1.function": "2"},
            ["only inputs can be set; change function in the homework file"],
        ),
        (TWO, {"x": 1}, ["name the question too (q1.x)"]),
        (GOOD, {3: 1}, ["a name is text"]),
        (GOOD, {"author": 3}, ["override author must be text, not 3"]),
        (GOOD, {"author": "\x1b"}, ["U+001B"]),
        (GOOD, {"title": ""}, ["a homework needs a title"]),
        (GOOD, {"paper": "a5"}, ["paper is 'a5'"]),
        (GOOD, ["q1.x=1"], ["overrides must be a table"]),
    ],
    ids=range(15),
)
def test_an_override_of_nothing_is_refused(
    file: Path, text: str, overrides: Any, words: list[str]
) -> None:
    message = refusal(file, text, overrides=overrides)
    for word in words:
        assert word in message


def test_an_inputs_file_comes_before_overrides(file: Path) -> None:
    other = Path("other.toml")
    other.write_text('author = "Ada"\n[q1]\nx = 5\nw = 6\n[q2]\nw = 7')
    work = read(file, TWO, inputs_file=other, overrides={"q1.w": 8})
    assert [q.inputs for q in work.questions] == [{"x": 5, "w": 8}, {"x": 2, "w": 7}]
    assert work.author == "Ada"
    other.write_text("x = 5")
    assert read(file, GOOD, inputs_file=other).questions[0].inputs == {"x": 5, "w": 3}


def test_a_bad_inputs_file_is_named(file: Path) -> None:
    other = Path("other.toml")
    other.write_text("[q1]\nz = 5")
    assert refusal(file, GOOD, inputs_file=other).startswith(
        "other.toml: 'q1.z': question q1 has no"
    )
    other.write_text("[q1\nz = 5")
    assert refusal(file, GOOD, inputs_file=other).startswith("other.toml is not TOML")
    assert "there is no file none.toml" in refusal(file, GOOD, inputs_file="none.toml")


def test_asking_for_an_unknown_question_names_the_known(file: Path) -> None:
    work = read(file, TWO)
    with pytest.raises(ReportError, match=r"no question 'q3'; did you mean q"):
        work.question("q3")
    with pytest.raises(ReportError, match="name a question; there are: q1, q2"):
        work.question(None)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("steps = 0", "steps is 0; it is a whole number from 1 to 1000"),
        ("steps = 2.5", "steps is 2.5; it is a whole number"),
        ("rate = 0.1", "rate and method are those of steps; write steps = 3 too"),
        ("steps = 3\nrate = -1", "rate is -1; it is a number above 0"),
        ("steps = 3\nmethod = 'newton'", "method is 'newton'; it is sgd, momentum, adam"),
    ],
)
def test_steps_that_cannot_be(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(f"title = 'T'\n[[question]]\nfunction = 'x'\n{lines}\ninputs = {{x = 1}}\n")
    with pytest.raises(ReportError) as raised:
        read_homework(file)
    assert said in str(raised.value)


def test_steps_are_written_again(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(
        "title = 'T'\n[[question]]\nfunction = 'x'\nsteps = 3\nmethod = 'Adam'\ninputs = {x = 1}\n"
    )
    work = read_homework(file)
    assert work.questions[0].plan == Plan(3, 0.1, "adam")
    assert 'method = "adam"' in work.to_toml()


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(
        """title = "T"
papr = "a4"

[[question]]
function = '''
z = W @ y
h = foo(z)
a = sin(x) + xq
sum(h) + a
'''
wrt = "W"
[question.inputs]
W = [[1, 2], [3, 4]]
x = 1

[[question]]
function = "W x"
inputs = {x = [1, 2], W = [[1, 2], [3, 4]]}
""",
        encoding="utf-8",
    )
    with pytest.raises(ReportError) as raised:
        pipeline.trace_json(file)
    lines = str(raised.value).split("\n")
    faults = [
        ("unknown key 'papr'; did you mean paper?", "papr", 0),
        ("unknown name 'y'", "z = W @ y", 8),
        ("unknown function 'foo'", "h = foo(z)", 4),
        ("unknown name 'xq'", "a = sin(x) + xq", 13),
        ("wrt must be a list of names of inputs", 'wrt = "W"', 0),
        ("the function's result has shape (2,)", "W x", 0),
    ]
    assert len(lines) == 4 * len(faults)
    for (said, source, column), at in zip(faults, range(0, len(lines), 4), strict=True):
        assert said in lines[at]
        assert "line" in lines[at + 1]
        assert f"column {column + 1}:" in lines[at + 1]
        assert lines[at + 2].strip().startswith(source)
        assert lines[at + 3] == "    " + " " * column + "^"


def test_faults_of_all_kinds_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(
        """title = "T"
course = 3
[[question]]
function = '''
z = foo(w) + b
u = z * v
sin(u) + q
'''
wrt = ["w", "nn"]
hessian = 1
[question.inputs]
w = 1/2
b = "hello"
v = [[1, 2], [3]]
[[question]]
function = "sum(x) + ln"
inputs = {x = {uniform = [1]}}
""",
        encoding="utf-8",
    )
    with pytest.raises(ReportError) as raised:
        pipeline.trace_json(file)
    lines = str(raised.value).split("\n")
    told = ["course must be", "unknown function 'foo'", "unknown name 'q'", "'nn' is no input", "hessian is true or false",
            "is not TOML", "input b is text", "input v is ragged", "'ln' is a gate", "it takes two numbers"]  # fmt: skip
    assert len(lines) == 4 * len(told)
    for at, said in enumerate(told):
        assert said in lines[4 * at]
        assert lines[4 * at + 3].strip() == "^"


def test_how_texts_were_read_as_numbers_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    given = 'inputs = {a = "0,5", b = "0.5", M = "1 2; 3 4"}'
    file.write_text(f'title = "T"\n[[question]]\nfunction = "sum(a * M) + b"\n{given}\n')
    told = read_homework(file).questions[0].typed
    assert told == ("a = '0,5' is 0.5", "M = '1 2; 3 4' is [[1, 2], [3, 4]]")


def test_no_more_than_ten_faults_are_told(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text("".join(f"key{i} = 1\n" for i in range(20)), encoding="utf-8")
    with pytest.raises(ReportError) as raised:
        read_homework(file)
    assert str(raised.value).count("unknown key") == 10


def test_faults_of_toml_are_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text('title = T\n[[question]]\nfunction = "x\n', encoding="utf-8")
    with pytest.raises(ReportError) as raised:
        read_homework(file)
    assert "line 1, column 9" in str(raised.value)
    assert "line 3, column 14" in str(raised.value)


def test_gates_with_long_rules_are_written_out_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    text = "title = 'T'\n[[question]]\nfunction = 'sum(layer_norm(x)**3) + sigmoid(x[0])'\n{}inputs = {{x = [1, 2, 4]}}\n"
    gates = {}
    for unfold in ("", "unfold = []\n", "unfold = ['sigmoid']\n"):
        file.write_text(text.format(unfold))
        work = read_homework(file)
        assert read_homework_text(work.to_toml(), "again").questions == work.questions
        gates[unfold] = {g.node.gate.name for g in traces_of(work)["q1"].gates}
    assert "layer_norm" not in gates[""]
    assert "sigmoid" in gates[""]
    assert "layer_norm" in gates["unfold = []\n"]
    assert {"layer_norm", "exp"} <= gates["unfold = ['sigmoid']\n"]


WRONG = (
    "3", "-1", "nan", "true", '""', '"x"', "[]", '["x", 3]', "{}", "[[1, 2], [3]]", "07:32:00", '"a\\nb"', "[{a = 1}]",
    "[[[[[[1]]]]]]", "{x = {uniform = [1]}}", '{"x y" = 1}',
)  # fmt: skip
KEYS = (
    "id", "title", "points", "statement", "function", "wrt", "unfold", "hessian", "programs", "program", "entry", "jacobian",
    "direction", "steps", "rate", "method", "require", "inputs",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_value_that_a_key_cannot_have_is_told_with_its_place(tmp_path: Path, key: str) -> None:
    file, refused = tmp_path / "hw.toml", []
    for value in WRONG:
        given = {"function": '"x*w"', "inputs": "{x = 2, w = 3}", key: value}
        lines = "\n".join(f"{k} = {v}" for k, v in given.items())
        file.write_text(f'title = "T"\n[[question]]\n{lines}\n', encoding="utf-8")
        try:
            pipeline.trace_json(file)
        except ReportError as error:
            refused.append(str(error))
    assert len(refused) > 3
    assert [e for e in refused if not re.search(r"line \d+, column \d+:\n.*\n +\^", e)] == []
