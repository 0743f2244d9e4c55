"""CSV in and out, names of files, rosters: what any spreadsheet writes is read, what harms is not written."""

from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import ReportError
from report.classroom import csv_tables
from report.classroom.file_names import MAX_BYTES, file_names
from report.classroom.roster import Roster, homeworks, read_roster
from report.homework import variants
from report.homework.homework import Homework, read_homework

WORK = """title = "T"
[[question]]
function = "sin(x) * w"
[question.inputs]
x = {uniform = [-3, 3], digits = 1}
w = {integers = [1, 9]}
[[question]]
function = "sum(W)"
inputs = {W = {normal = [0, 1], shape = [2, 2]}}
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homework:
    monkeypatch.chdir(tmp_path)
    return homework(WORK)


def homework(text: str) -> Homework:
    Path("hw.toml").write_text(text, encoding="utf-8")
    return read_homework("hw.toml")


def roster(work: Homework, text: str | bytes) -> Roster:
    Path("roster.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_roster("roster.csv", work)


def refusal(work: Homework, text: str | bytes) -> str:
    with pytest.raises(ReportError) as caught:
        roster(work, text)
    return str(caught.value)


# ---------------------------------------------------------------- reading

TABLE = "id,name,q1.x\n1815,Gauß,\n7,Ada Lovelace,2.5\n"


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        ("\ufeff" + TABLE).encode("utf-16-be"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.replace(",", ";").encode(),
        b"sep=;\r\n" + TABLE.replace(",", ";").encode(),
        b"sep=,\n" + TABLE.encode(),
        TABLE.replace(",", "\t").encode("utf-16"),
        TABLE.replace("id,name", "ID, Name ").encode(),
        ("\n\n" + TABLE.replace("\n", "\n,,\n") + "\n\n").encode(),
        TABLE.replace("1815", '"1815"').replace("Gauß", ' "Gauß"'.strip()).encode(),
    ],
    ids=range(13),
)
def test_what_spreadsheets_write_is_read(work: Homework, data: bytes) -> None:
    found = roster(work, data)
    assert [(s.id, s.name, s.inputs) for s in found.students] == [
        ("1815", "Gauß", {}),
        ("7", "Ada Lovelace", {"q1.x": "2.5"}),
    ]


def test_a_cell_may_hold_delimiters_quotes_and_lines(work: Homework) -> None:
    text = 'id,name,q2.W\n1,"Lovelace, ""Ada""","[[1, 2], [3, 4]]"\n"2\n3",B,\n'
    found = roster(work, text).students
    assert (found[0].name, found[0].inputs) == ('Lovelace, "Ada"', {"q2.W": "[[1, 2], [3, 4]]"})
    assert (found[1].id, found[1].line) == ("2\n3", 3)


def test_columns_of_other_programs_are_left_alone(work: Homework) -> None:
    found = roster(work, "email,name,group,id\na@b,Ada,1,7\n")
    assert (found.students[0].id, found.unused) == ("7", ("email", "group"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "roster.csv is empty; its first line names the columns: id, name"),
        ("\n \n", "is empty"),
        ("id\n1\n", "has no column name; its first line names: 'id'"),
        ("1815,Ada\n7,Emmy\n", "has no column id"),
        ("id,name\n", "has no students"),
        ("id,name\n,\n\n", "has no students"),
        ("id,name\n,Ada\n", "line 2 has no id"),
        ("id,name\n1,A\n2,B\n1,C\n", "lines 2 and 4 have the same id '1'"),
        ("id,name\ne\u0301,A\n\xe9,B\n", "lines 2 and 3 have the same id"),
        ("id,name\n1,A,x\n", "line 2 has 3 cells for 2 columns"),
        ("id,name,name\n1,A,B\n", "the column 'name' stands twice"),
        ("id,,name\n1,A,B\n", "column 2 has no name"),
        ('id,name\n1,"A\n2,B\n', "line 2: unexpected end of data"),
        ('id,name\n1,"A"B\n', "line 2: "),
        (
            "id,name\n1,Gauß\n".encode("latin-1"),
            "is not UTF-8: byte 0xDF in line 2; save it as CSV",
        ),
        (b"\xff\xfei\x00d\x00x", "is not UTF-16"),
        ("id,name\n1,\x00\n", "is no text: it holds zero bytes"),
        ("id,name,q1.z\n1,A,2\n", "column 'q1.z': question q1 has no input 'z'"),
        ("id,name,q3.x\n1,A,2\n", "column 'q3.x': there is no question 'q3'"),
        ("id,name,q1.function\n1,A,2\n", "only inputs can be set"),
    ],
    ids=range(20),
)
def test_a_roster_of_no_use_is_refused(work: Homework, text: str | bytes, words: str) -> None:
    message = refusal(work, text)
    assert message.startswith("roster.csv")
    assert words in message


def test_a_roster_that_is_no_file_is_refused(work: Homework) -> None:
    with pytest.raises(ReportError, match=r"there is no file none\.csv"):
        read_roster("none.csv", work)
    with pytest.raises(ReportError, match="is a folder"):
        read_roster(".", work)


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize(
    "cell",
    [
        "=cmd|' /C calc'!A0",
        "+1+cmd",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "＝1",
        "=",
        "-",
        "+x",
    ],
)
def test_no_cell_is_a_formula(cell: str) -> None:
    data = csv_tables.csv_bytes(["id", cell], [[cell, 1]])
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows == [["id", f"'{cell}"], [f"'{cell}", "1"]]


@pytest.mark.parametrize(
    "cell", ["-0.5", "+3", "-1e-7", "Ada", "", "'x", "1815", "é", "a=b", "[-1, 2]"]
)
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert csv_tables.harmless(cell) == cell
    assert csv_tables.harmless(-0.5) == -0.5


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(csv_tables.csv_bytes(["id", "name"], [["1", 'a,"b"\nc'], ["é", ""]]))
    assert [dict(r.cells) for r in csv_tables.read_csv(path, ["id"]).rows] == [
        {"id": "1", "name": 'a,"b"\nc'},
        {"id": "é", "name": ""},
    ]


# ---------------------------------------------------------------- names of files


@pytest.mark.parametrize("identity", ["1815", "a.b", "x_1-2", "李雷", "Gauß", "٣٤"])
def test_a_plain_id_is_the_name_of_its_file(identity: str) -> None:
    assert file_names([identity]) == {identity: identity}


@pytest.mark.parametrize(
    "identity",
    ["../up", "..", ".", "", "/etc/passwd", "a/b", "a\\b", "C:x", "a\0b", "a\nb", "-rf", ".hidden", "x.",
     "x ", " x", "CON", "nul", "com1.txt", "LPT9", "a" * 300, "李" * 200, "a*b?", "<a>|b", "🙂", "\u202e",
     "e\u0301", "=cmd|' /C calc'!A0", "~", "$HOME", "%PATH%", "\ud800"],
)  # fmt: skip
def test_whatever_an_id_holds_the_name_is_safe(identity: str) -> None:
    name = file_names([identity])[identity]
    assert name != identity
    assert is_safe(name)


def is_safe(name: str) -> bool:
    reserved = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
    return (
        0 < len(name.encode()) <= MAX_BYTES + 15
        and name[0] not in ".-"
        and name[-1] not in ". "
        and name.split(".", maxsplit=1)[0].casefold() not in reserved
        and all(c in "._-" or unicodedata.category(c)[0] in "LMN" for c in name)
        and unicodedata.normalize("NFC", name) == name
    )


@given(st.lists(st.text(max_size=100), unique=True, max_size=8))
def test_every_id_has_a_name_of_its_own_on_every_file_system(ids: list[str]) -> None:
    names = list(file_names(ids).values())
    assert all(map(is_safe, names))
    assert len({unicodedata.normalize("NFKC", n).casefold() for n in names}) == len(ids)


def test_ids_that_a_file_system_may_take_for_one_are_told_apart() -> None:
    ids = ["a", "A", "ﬀ", "ff", "straße", "STRASSE", "\xe9", "e\u0301", "a b", "a_b"]
    names = file_names(ids)
    folded = {unicodedata.normalize("NFKC", n).casefold() for n in names.values()}
    assert len(folded) == len(ids)
    assert file_names(ids[::-1]) == names  # whatever the order


# ---------------------------------------------------------------- the homework of each


def drawn(work: Homework, text: str) -> dict[str, Any]:
    return {student.id: found for student, found in homeworks(work, roster(work, text))}


def test_each_student_has_numbers_of_their_own(work: Homework) -> None:
    lines = "".join(f"{i},Student {i}\n" for i in range(60))
    found = drawn(work, f"id,name\n{lines}")
    assert len({variants.numbers(own) for own in found.values()}) == 60
    own = found["17"]
    assert (own.author, own.student_id, own.seed) == ("Student 17", "17", "17")
    assert own.questions == variants.draw(work, "17").questions


def test_a_value_of_the_roster_wins_over_the_draw(work: Homework) -> None:
    found = drawn(work, 'id,name,q1.x,q2.W\n1,A,0.25,\n2,B,,"[[1, 2], [3, 4]]"\n')
    plain = variants.draw(work, "1")
    assert found["1"].questions[0].inputs == {"x": 0.25, "w": plain.questions[0].inputs["w"]}
    assert found["1"].questions[1] == plain.questions[1]
    assert found["2"].questions[1].inputs == {"W": [[1, 2], [3, 4]]}


def test_the_only_question_needs_no_name(work: Homework) -> None:
    single = homework(WORK.split('[[question]]\nfunction = "sum', maxsplit=1)[0])
    found = {s.id: own for s, own in homeworks(single, roster(single, "id,name,x\n1,A,0.5\n"))}
    own = found["1"]
    assert isinstance(own, Homework)
    assert own.questions[0].inputs["x"] == 0.5


def test_a_seed_in_the_file_comes_before_the_id(work: Homework) -> None:
    seeded = homework(f'seed = "2026"\n{WORK}')
    own = drawn(seeded, "id,name\n7,A\n")["7"]
    assert own.seed == "2026/7"
    assert own.questions == variants.draw(work, "2026/7").questions


def test_no_two_students_have_the_same_numbers(work: Homework) -> None:
    """Nine values for nine students: most draws meet a value that is taken."""
    few = homework('title="T"\n[[question]]\nfunction="exp(x)"\ninputs={x={integers=[1, 9]}}')
    found = drawn(few, "id,name\n" + "".join(f"{i},S\n" for i in range(9)))
    assert {own.questions[0].inputs["x"] for own in found.values()} == set(range(1, 10))
    again = [own for own in found.values() if "." in own.seed]
    assert again
    for own in again:  # the seed that the report shows gives the same numbers
        assert variants.draw(few, own.seed).questions == own.questions


def test_fewer_variants_than_students_are_told(work: Homework) -> None:
    few = homework('title="T"\n[[question]]\nfunction="exp(x)"\ninputs={x={integers=[1, 2]}}')
    with pytest.raises(
        ReportError, match=r"allow 2 different variants, and roster\.csv has 3 students"
    ):
        drawn(few, "id,name\n1,A\n2,B\n3,C\n")


def test_variants_that_conditions_leave_too_few_are_told(work: Homework) -> None:
    few = homework(
        'title="T"\n[[question]]\nfunction="exp(x)"\nrequire="x < 3"\ninputs={x={integers=[1, 9]}}'
    )
    found = drawn(few, "id,name\n1,A\n2,B\n3,C\n")
    assert "gave only numbers that other students have" in str(found["3"])
    assert isinstance(found["2"], Homework)


def test_a_homework_without_random_inputs_is_the_same_for_all(work: Homework) -> None:
    plain = homework('title="T"\n[[question]]\nfunction="x"\ninputs={x=1}')
    found = drawn(plain, "id,name\n1,A\n2,B\n")
    assert [own.questions for own in found.values()] == [plain.questions] * 2


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,A,abc", "line 2: q1.x: 'abc' is no value"),
        ("1,A,'2'", "line 2: q1.x is \"'2'\"; give a number or a list"),
        ("1,A,true", "give a number or a list"),
        ("1,A,{integers=[1;2]}", "is no value"),
        ("1,A,nan", "input x is nan; give a finite number"),
        (f"{'1' * 201},A,", "student_id has 201 characters"),
        ("1,\x1b[31mA,", "author holds U+001B"),
        ("a\u202eb,A,", "student_id holds U+202E"),
    ],
)
def test_one_bad_student_is_told_and_the_others_are_served(
    work: Homework, row: str, words: str
) -> None:
    found = drawn(work, f"id,name,q1.x\n{row}\n2,B,\n")
    bad, good = found.values()
    assert isinstance(good, Homework)
    assert isinstance(bad, ReportError)
    assert words in str(bad)
