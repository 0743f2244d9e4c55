"""The report as a web page: MathML, and everything in one file."""

import base64
import re
from html.parser import HTMLParser

import pytest

import report
from report.homework.homework import read_homework
from tests.problem_files import answered, each_problem

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The elements of a page, and whether they close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.found, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.loads += [v for k, v in attrs if k in ("src", "href", "data", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@each_problem(without="class")
def test_a_page_for_a_browser_is_one_file(problem, tmp_path):
    text = answered(problem).html
    page = Page()
    page.feed(text)
    assert not page.open
    assert page.found.count("math") > 10
    assert "svg" in page.found
    assert "img" not in page.found  # formulas are MathML, figures are inline
    assert all(address.startswith(("#", "data:")) for address in page.loads)
    assert len(text) < 700_000
    assert "width=device-width" in text
    assert "this PDF" not in text
    assert "<annotation" not in text
    assert text.count("data-tex=") > 10  # to copy; once a formula
    work = base64.b64decode(re.search(r'href="data:application/toml;base64,([^"]*)"', text)[1])
    (tmp_path / "again.toml").write_bytes(work)
    assert read_homework(tmp_path / "again.toml") == answered(problem).work  # wherever they lie
    assert "data:text/x-python;base64," in text
    assert all(a.startswith("data:font/") for a in re.findall(r"url\(([^)]*)\)", text))


def test_only_the_solution_is_a_page(tmp_path):
    with pytest.raises(report.ReportError, match="PDF"):
        report.build("problems/one-gate.toml", tmp_path / "x.html", edition="sheet")
