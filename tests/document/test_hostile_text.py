"""Text of any kind comes out as text, or as a clear error; never as markup, never past the margin."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest

import report

TEXTS = {
    "html": ("<script>alert(1)</script>", "<img src=x onerror=1>", "<iframe src='file:///etc/passwd'></iframe> <b>x</b>"),
    "jinja": ("{{ 7*7 }} {% for x in y %}", "{{ config }}", "{% include 'x' %} {{ self }}"),
    "css": ("a \" b \\ c", "'; content: url(file:///x)", "</style> */ }"),
    "letters": ("Übung Σ αβγ — “quotes” …", "Łukasz Ørsted Ñandú", "naïve café ½ € №"),
    "dollars": ("Costs $5 to $6", "A", "It costs $5, or \\$6."),
    "long": ("W" * 200, "A" * 200, "w" * 3000),
    "words": ("T", "A", "word " * 1900),
    "wide": ("T", "A", f"see ${' + '.join(f'x_{{{i}}}' for i in range(60))}$ here"),
}  # fmt: skip


def written(tmp_path: Path, title: str, author: str, statement: str) -> Path:
    path = tmp_path / "work.toml"
    lines = [
        f"title = {json.dumps(title, ensure_ascii=False)}",
        f"author = {json.dumps(author, ensure_ascii=False)}",
        "[[question]]",
        f"statement = {json.dumps(statement, ensure_ascii=False)}",
        'function = "sin(x)"',
        "[question.inputs]",
        "x = 1",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", TEXTS)
def test_text_stays_text_within_the_margins(kind, tmp_path):
    title, author, statement = TEXTS[kind]
    out = tmp_path / "out.pdf"
    report.build(written(tmp_path, title, author, statement), out)
    reader = pypdf.PdfReader(out)
    text = "".join(page.extract_text() for page in reader.pages)
    squeezed = "".join(text.split())
    assert "".join(title.split()) in squeezed
    assert "".join(author.split()) in squeezed
    assert str(reader.metadata.title) == title
    document = pypdfium2.PdfDocument(out)
    for page in document:
        grey = np.asarray(page.render(scale=1).to_pil().convert("L"))
        inked = np.argwhere(grey < 200)[:, 1]
        assert grey.shape[1] - inked.max() >= 52  # points; the margin is 57
        page.close()
    document.close()


@pytest.mark.parametrize(
    ("title", "statement", "message"),
    [
        ("a\u202eb", "x", "U\\+202E"),
        ("a\u0000b", "x", "U\\+0000|control|TOML"),
        ("作业", "x", "U\\+4F5C"),
        ("T", r"$\frac{1}{$", "cannot be typeset"),
        ("T", r"$\unknowncommand{x}$", "unknowncommand"),
        ("T" * 201, "x", "201 characters"),
    ],
)
def test_what_cannot_be_shown_is_refused(title, statement, message, tmp_path):
    path = written(tmp_path, title, "A", statement)
    with pytest.raises(report.ReportError, match=message):
        report.build(path, tmp_path / "out.pdf")
    assert [p.name for p in tmp_path.iterdir()] == ["work.toml"]


def test_names_that_no_font_has_cost_neither_memory_nor_time(tmp_path):
    """Such a letter has a number of its own, up to which no list may be made."""
    code = (
        "import resource, sys, report\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "for work in sys.argv[2:]:\n"
        "    try: report.build(work, sys.argv[1])\n"
        "    except report.ReportError as error: print(repr(str(error)))\n"
    )
    told = {"ཀ": r"U\+0F40", "Ada ཁག": r"U\+0F41.*U\+0F42", "👩\u200d💻": r"U\+1F469"}
    works = []
    for number, author in enumerate(told):
        folder = tmp_path / str(number)
        folder.mkdir()
        works.append(str(written(folder, "T", author, "x")))
    command = [sys.executable, "-c", code, str(tmp_path / "out.pdf"), *works]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    lines = done.stdout.splitlines()
    for line, message in zip(lines, told.values(), strict=True):
        assert re.search(message, line)


def test_a_character_that_shows_nothing_may_stand_in_a_name(tmp_path):
    report.build(written(tmp_path, "T", "Ada\u200dLovelace", "x"), tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").exists()
