"""A class: the same homework with other numbers for each of many students.

`python -m benchmarks.classes latex HOMEWORK.toml FOLDER COUNT` is the peer: a process that stays computes
what the report computes, and runs pdflatex for each student until its files stand still. It prints
the seconds that each report took, as JSON.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks import latex
from report import variants
from report.homework import read_homework

AIM = 60  # reports a minute and core
CLUSTER = 10_000, 40  # students, cores: what the projection is for


def roster(folder: Path, students: int) -> Path:
    """A roster of that many students."""
    lines = ["id,name", *(f"s{number:04},Student {number}" for number in range(students))]
    file = folder / f"roster-{students}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def projected(minute: float) -> str:
    """How long the cluster takes when each core builds so many reports a minute."""
    students, cores = CLUSTER
    return f"{students / minute / cores:.1f} min for {students} students on {cores} cores"


def main() -> None:
    _, homework, folder, count = sys.argv[1:]
    work, seconds = read_homework(homework), []
    for number in range(int(count)):
        start = time.perf_counter()
        latex.build(variants.draw(work, f"s{number:04}"), Path(folder))
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
