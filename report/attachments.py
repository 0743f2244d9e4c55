"""What a PDF carries inside: its homework file, its traces, its programs with their output."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from report.homework.homework import Homework
from report.homework.traces import asked_of

if TYPE_CHECKING:
    from report.document import Answer
    from report.pdf import Attachment

HOMEWORK = "homework.toml"
MADE_WITH = "made-with.json"


def made_with() -> dict[str, str]:
    """What decides the last digit of a number: versions, and how this machine rounds.

    A PDF says beside it which fonts it has that are not of the report, with a digest of each file: the
    same bytes need the same ones.
    """
    import numpy as np

    from report.version import __version__

    return {
        "report": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "arithmetic": arithmetic(),
    }


def arithmetic() -> str:
    """A fingerprint of this machine's functions: equal where the same input gives the same bits.

    Processors differ in the instructions that NumPy uses, and so in the last bit of a sine.
    """
    import hashlib

    import numpy as np

    x = np.linspace(0.01, 3.0, 257)
    square = np.outer(x[:64], x[64:128])
    samples = [f(x) for f in (np.sin, np.cos, np.tan, np.exp, np.log, np.sqrt, np.tanh)]
    samples += [x**x, square @ np.cos(square), np.sum(square, axis=0)]
    samples += [np.array([f(v) for v in x]) for f in (math.sin, math.exp, math.log, math.tanh)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(s).tobytes() for s in samples)).hexdigest()[
        :16
    ]


def attachments(
    work: Homework,
    answers: Sequence[Answer],
    date: str = "",
    fonts: Mapping[str, str] = MappingProxyType({}),
) -> list[Attachment]:
    """The files that go into the PDF of a homework.

    `date` is the one that the pages show, `fonts` those that they need beside the report's own.
    """
    from report.pdf import Attachment

    def text(name: str, content: str, relationship: str, mime: str, what: str) -> Attachment:
        return Attachment(name, content.encode(), relationship, mime, what)

    made: dict[str, Any] = dict(made_with())
    made |= {k: v for k, v in {"date": date, "fonts": dict(fonts)}.items() if v}
    files = [
        text(HOMEWORK, work.to_toml(), "Source", "application/toml", "The homework file as used"),
        text(
            MADE_WITH,
            json.dumps(made, indent=1, ensure_ascii=False) + "\n",
            "Supplement",
            "application/json",
            "Versions that made this report",
        ),
    ]
    for a in answers:
        name = a.question.id
        files.append(
            text(
                f"{name}.trace.json",
                a.trace.to_json(asked_of(a.question, a.trace)),
                "Data",
                "application/json",
                f"The trace of {name}",
            )
        )
        for run in (*a.runs, *((a.loop,) if a.loop else ())):
            files += [
                text(run.program.name, run.program.source, "Supplement", "text/x-python", f"A program for {name}"),
                text(f"{run.program.name}.out", run.output.text, "Data", "text/plain", f"What {run.program.name} printed"),
            ]  # fmt: skip
        for own in a.own:
            kind = "application/x-ipynb+json" if own.program.notebook else "text/x-python"
            files += [
                text(own.program.name, own.program.text, "Supplement", kind, f"A program of the author's own for {name}"),
                text(f"{own.program.name}.out", own.ended.text, "Data", "text/plain", f"What {own.program.name} printed"),
            ]  # fmt: skip
    return files
