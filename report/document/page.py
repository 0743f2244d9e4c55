"""The whole page of HTML, and the templates that make it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from report import number_format, resources
from report.document.answer import Answer
from report.document.formulas import display, for_browser, safe, sentence, tex
from report.document.listings import page_of, terminal, unhighlighted
from report.document.views import outcome
from report.homework.homework import Homework

if TYPE_CHECKING:
    from jinja2 import Environment


def html(
    homework: Homework,
    answers: Sequence[Answer],
    making: Mapping[str, Any],
    *,
    browser: bool = False,
    contents: bool = False,
) -> str:
    """The whole report as one HTML page: for `report.pdf`, or with MathML for a browser.

    `contents` puts a list of contents first. `making` tells how to make it again: `command`, `file` (the homework with its inputs) and
    `versions` (name -> version). Raises ReportError for text or LaTeX that cannot be set.
    """
    token = for_browser.set(browser)
    try:
        return (
            environment()
            .get_template("report.html.j2")
            .render(
                homework=homework,
                answers=[{"number": i, **a.shown, **outcome(a)} for i, a in enumerate(answers, 1)],
                making=making,
                css=safe(resources.path("assets/report.css").read_text(encoding="utf-8")),
                browser=browser,
                contents=contents,
                faces=_faces() if browser else "",
                screen=_own("stepper.css", "screen.css") if browser else "",
                scripts=_own("stepper.js", "copying.js") if browser else "",
            )
        )
    finally:
        for_browser.reset(token)


def question_html(answer: Answer) -> str:
    """One question as it stands in a page for a browser."""
    token = for_browser.set(True)
    try:
        shown = {"number": 1, **answer.shown, **outcome(answer)}
        template = environment().get_template("question.html.j2")
        return template.render(q=shown, answers=[shown])
    finally:
        for_browser.reset(token)


@cache
def scoped_css(selector: str) -> str:
    """The report's stylesheet for the part of a web page that a selector names."""
    css = resources.path("assets/report.css").read_text(encoding="utf-8")
    css = re.sub(r"@page[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", css)
    css = re.sub(r"(?m)^(html|body)\b", "&", css)
    return f"{selector} {{\n{css}\n}}\n"


@cache
def environment() -> Environment:
    """The templates, with what they call on."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resources.path("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tex"] = tex
    environment.filters["terminal"] = terminal
    environment.filters["unhighlighted"] = unhighlighted
    environment.filters["display"] = display
    environment.filters["sentence"] = sentence
    environment.filters["show"] = number_format.show
    environment.globals["page_of"] = page_of  # a filter of a constant would be called once
    return environment


@cache
def _own(*names: str) -> Markup:
    """What the page needs on a screen, to stand in it."""
    files = (resources.path(f"assets/live/{name}") for name in names)
    return safe("\n".join(file.read_text(encoding="utf-8") for file in files))


_FACES = {  # file in assets/fonts -> what a stylesheet calls it
    "STIXTwoText-Regular.otf": ("STIX Two Text", "400", "normal"),
    "STIXTwoText-Italic.otf": ("STIX Two Text", "400", "italic"),
    "STIXTwoText-Bold.otf": ("STIX Two Text", "700", "normal"),
    "STIXTwoMath-Regular.otf": ("STIX Two Math", "400", "normal"),
    "SourceCodePro-Regular.ttf": ("Source Code Pro", "400", "normal"),
}


@cache
def _faces() -> Markup:
    """The fonts inside the stylesheet, so that a page for a browser is one file as well."""
    rules = []
    for file, (family, weight, style) in _FACES.items():
        data = base64.b64encode(resources.path(f"assets/fonts/{file}").read_bytes()).decode()
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
            f"src: url(data:font/otf;base64,{data}); }}"
        )
    return safe("\n".join(rules))
