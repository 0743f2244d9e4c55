"""Trace -> source of a stand-alone program -> its real output -> the numbers that it printed.

`write` prints the graph of one question as a program that a student could hand in. `run` executes it in
a process of its own (or `start` and `finish` it, to do something else meanwhile), and `read` takes the
printed numbers back.
"""

from report.program.generate import Program, generate
from report.program.parse_output import Printed, parse_output
from report.program.run import Output, Running, finish, run, start

__all__ = [
    "Output",
    "Printed",
    "Program",
    "Running",
    "finish",
    "generate",
    "parse_output",
    "run",
    "start",
]
