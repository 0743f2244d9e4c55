"""Programs are marked as Python reads them, and unfinished ones as far as they go."""

import io
import keyword
import tokenize
from pathlib import Path

import pytest

from report.document.listings import highlighted

SOURCES = sorted(str(path) for path in Path("report/program").rglob("*.py"))


def marked(source: str) -> list[list[str]]:
    """The mark of each letter by lines, "" for plain ones and for white space."""
    return [
        ["" if letter.isspace() else mark for mark, text in line for letter in text]
        for line in highlighted(source)
    ]


def tokenized(source: str) -> list[list[str]]:
    """The same by Python's own reader; a string with values in it is one string."""
    text = source.rstrip("\n").split("\n")
    marks = [[""] * len(line) for line in text]
    begun: list[tuple[int, int]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind, start, end = tokenize.tok_name[token.type], token.start, token.end
        if kind.endswith("STRING_START"):
            begun.append(start)
        if kind.endswith("STRING_END"):
            start = begun.pop()
        is_grey = kind in ("STRING", "COMMENT") or kind.endswith("STRING_END")
        mark = "c" if is_grey else "k" if keyword.iskeyword(token.string) else ""
        if begun or not mark:
            continue
        for line in range(start[0] - 1, end[0]):
            first = start[1] if line == start[0] - 1 else 0
            last = end[1] if line == end[0] - 1 else len(text[line])
            for i in range(first, last):
                marks[line][i] = "" if text[line][i].isspace() else mark
    return marks


@pytest.mark.parametrize("name", SOURCES)
def test_programs_are_marked_as_python_reads_them(name: str) -> None:
    source = Path(name).read_text(encoding="utf-8")
    assert marked(source) == tokenized(source)


@pytest.mark.parametrize(
    ("source", "grey"),
    [
        ("x = 'open\ny = 1", ["'open"]),
        ('x = """open\ny = 1', ['"""open', "y = 1"]),
        ("x = 'a\\'b'  # it's", ["'a\\'b'", "# it's"]),
        ("x = 'a\\\nb' + y", ["'a\\", "b'"]),
        ("rf'{x}' + 1 + '#'", ["rf'{x}'", "'#'"]),
        ("for_ = 'is'", ["'is'"]),
        ("", []),
    ],
)
def test_what_is_not_closed_ends_with_its_line_or_with_the_program(
    source: str, grey: list[str]
) -> None:
    lines = highlighted(source)
    assert [text for line in lines for mark, text in line if mark == "c"] == grey
    assert ["".join(text for _, text in line) for line in lines] == source.split("\n")
    assert not [text for line in lines for mark, text in line if mark == "k"]
