"""A student's own program, notebook or numbers, held against the trace down to the first wrong gate.

`read_program` reads a file, its `run` runs it where it can do no harm, `diagnose` finds its numbers in
the output and explains what differs, and `table` shows that on a terminal. `read_answers` reads numbers
that were computed by hand.
"""

from report.student.answers import parse_answers, read_answers
from report.student.check import OwnRun, causes, check_program, headline, rows, table
from report.student.diagnosis import diagnose
from report.student.sources import OwnProgram, parse_program, program_text, read_program
from report.student.work import Cause, Line, OwnWork

__all__ = [
    "Cause",
    "Line",
    "OwnProgram",
    "OwnRun",
    "OwnWork",
    "causes",
    "check_program",
    "diagnose",
    "headline",
    "parse_answers",
    "parse_program",
    "program_text",
    "read_answers",
    "read_program",
    "rows",
    "table",
]
