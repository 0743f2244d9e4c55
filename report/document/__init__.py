"""Answers -> HTML: what the report shows, in which order, through the Jinja templates.

Nothing here computes: a `Work` and an `Answer` hold what the other modules found about one question, and
this package puts it into words, tables and formulas that fit the column.
"""

from report.document.answer import Answer, ProgramRun, Work
from report.document.formulas import BROWSER
from report.document.page import environment, html, question_html, scoped_css
from report.document.views import view
from report.document.walk import steps

__all__ = [
    "BROWSER",
    "Answer",
    "ProgramRun",
    "Work",
    "environment",
    "html",
    "question_html",
    "scoped_css",
    "steps",
    "view",
]
