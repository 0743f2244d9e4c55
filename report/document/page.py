"""The whole page of HTML, and the templates that make it."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import pickle
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from report import number_format, resources
from report.document import tables
from report.document.answer import Answer
from report.document.first_page import arranged
from report.document.formulas import BROWSER, PDF, Setter, safe
from report.document.views import outcome
from report.document.web_fonts import faces
from report.homework.homework import Homework

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from jinja2.bccache import Bucket


def html(
    homework: Homework,
    answers: Sequence[Answer],
    making: Mapping[str, Any],
    *,
    browser: bool = False,
    contents: bool = False,
) -> str:
    """The whole report as one HTML page: for `report.pdf`, or with MathML for a browser.

    `contents` puts a list of contents first. `making` tells how to make it again: `command`, `file` (the
    homework with its inputs) and `versions` (name -> version). A page for a browser holds its fonts, and its
    programs and homework file to download. Raises ReportError for text or LaTeX that cannot be set.
    """
    setter = BROWSER if browser else PDF
    css = resources.path("assets/report.css").read_text(encoding="utf-8")
    shown = _shown(setter, answers, homework.paper)
    page = (
        environment(setter)
        .get_template("report.html.j2")
        .render(
            homework=homework,
            answers=shown,
            results=() if browser else tables.results(shown),
            making=making,
            css=safe(css),
            browser=browser,
            contents=contents,
            screen=_own("stepper.css", "screen.css") if browser else "",
            scripts=_own("stepper.js", "copying.js") if browser else "",
            downloads=_downloads(making, answers) if browser else (),
        )
    )
    if browser:
        page = page.replace("</style>", f"{faces(page)}\n</style>", 1)
    return page


def _shown(setter: Setter, answers: Sequence[Answer], paper: str) -> list[dict[str, Any]]:
    """What each question shows; how to read a figure and the reason of a kind of scalar gate are said once."""
    shown = []
    told: set[str] = set()
    for number, answer in enumerate(answers, 1):
        caption = answer.shown["figure"]["caption"]
        figure = {**answer.shown["figure"], "caption": [s for s in caption if s not in told]}
        told.update(caption)
        steps = [_news(step, told) for step in answer.shown["steps"]]
        more = {"number": number, "figure": figure, "steps": steps}
        if number == 1 and not setter.browser:
            more["graph_later"], figure["whole"] = arranged(answer.shown["heights"], paper)
        shown.append({**answer.shown, **more, **outcome(setter, answer)})
    return shown


def _news(step: Mapping[str, Any], told: set[str]) -> Mapping[str, Any]:
    """A table of the backward pass with the reasons that no table before it gave."""
    if not step["is_table"]:
        return step
    news = [(sign, why) for sign, why in step["reasons"] if why not in told]
    told.update(why for _, why in step["reasons"])
    return {**step, "reasons": news}


def _downloads(making: Mapping[str, Any], answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """The homework file and the programs: name, and an address that holds the content."""
    files = {"homework.toml": ("application/toml", making["file"] + "\n")}
    for answer in answers:
        for run in answer.runs:
            files[run.program.name] = ("text/x-python", run.program.source)
    return [
        (name, f"data:{mime};base64,{base64.b64encode(text.encode()).decode()}")
        for name, (mime, text) in files.items()
    ]


def question_html(answer: Answer) -> str:
    """One question as it stands in a page for a browser."""
    shown = {"number": 1, **answer.shown, **outcome(BROWSER, answer)}
    template = environment(BROWSER).get_template("question.html.j2")
    return template.render(q=shown, answers=[shown])


@cache
def scoped_css(selector: str) -> str:
    """The report's stylesheet for the part of a web page that a selector names."""
    css = resources.path("assets/report.css").read_text(encoding="utf-8")
    css = re.sub(r"@page[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", css)
    css = re.sub(r"(?m)^(html|body)\b", "&", css)
    return f"{selector} {{\n{css}\n}}\n"


@cache
def environment(setter: Setter) -> Environment:
    """The templates, with what they call on.

    They are compiled once, as Python's own files are: saves 3 % of a build. So nothing of what they call on
    may be called while they are compiled, as Jinja does with constants.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

    folder = resources.path("templates")
    environment = Environment(
        loader=FileSystemLoader(folder),
        bytecode_cache=_compiled(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
        finalize=pass_context(lambda _, shown: _with_room(shown)),
    )
    environment.filters["tex"] = setter.tex
    environment.filters["terminal"] = setter.terminal
    environment.filters["unhighlighted"] = setter.unhighlighted
    environment.filters["display"] = setter.display
    environment.filters["sentence"] = setter.sentence
    environment.filters["show"] = number_format.show
    environment.globals["page_of"] = setter.page_of
    return environment


def _compiled(folder: Path) -> BytecodeCache:
    """Where compiled templates are kept: beside them, as Python's compiled files are."""
    from jinja2 import FileSystemBytecodeCache

    class Compiled(FileSystemBytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            with contextlib.suppress(OSError, EOFError, pickle.PickleError):  # it is written anew
                super().load_bytecode(bucket)

        def dump_bytecode(self, bucket: Bucket) -> None:
            if sys.dont_write_bytecode:
                return
            with contextlib.suppress(OSError):  # there is no room, or no right to write
                Path(self.directory).mkdir(parents=True, exist_ok=True)
                super().dump_bytecode(bucket)

    beside = importlib.util.cache_from_source(str(folder / "templates.py"))
    return Compiled(str(Path(beside).parent), "%s.jinja")


def _with_room(shown: Any) -> Any:
    """What a template shows; a zero of a column stands under the units of the others."""
    if not isinstance(shown, str) or shown[-1:] != number_format.DIGIT_SPACE:
        return shown
    return Markup('{}<span class="room">{}</span>').format(*number_format.with_room(shown))


@cache
def _own(*names: str) -> Markup:
    """What the page needs on a screen, to stand in it."""
    files = (resources.path(f"assets/live/{name}") for name in names)
    return safe("\n".join(file.read_text(encoding="utf-8") for file in files))
