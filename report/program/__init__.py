"""Trace -> source of a stand-alone program -> its real output -> the numbers that it printed.

`write` prints the graph of one question as a program that a student could hand in. `run` executes it in
a process of its own (or `start` and `finish` it, to do something else meanwhile), and `read` takes the
printed numbers back.
"""

from report.program.reading import Printed, read
from report.program.running import Output, Run, finish, run, start
from report.program.writing import Program, write

__all__ = ["Output", "Printed", "Program", "Run", "finish", "read", "run", "start", "write"]
