"""A class: the same homework with other numbers for each of many students.

`python -m benchmarks.classes MAKER HOMEWORK.toml FOLDER COUNT` makes a report for each student in one
process and prints the seconds that each took, as JSON. MAKER is `report`, or the peer `latex`, which
computes what the report computes, and runs pdflatex for each student until its files stand still.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks import latex
from report import files
from report.classroom import workers
from report.homework import variants
from report.homework.homework import Homework, read_homework

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


def make(work: Homework, folder: Path) -> None:
    """One student's report, as a batch makes it."""
    result = workers.work(workers.Task(0, work, ("solution",)))
    if result.error:
        sys.exit(result.error)
    files.write(folder / "solution.pdf", result.pdfs["solution"])


def main() -> None:
    maker, homework, folder, count = sys.argv[1:]
    work, seconds = read_homework(homework), []
    target = Path(folder)
    workers.settle()
    target.mkdir(parents=True, exist_ok=True)
    for number in range(int(count)):
        start = time.perf_counter()
        student = variants.draw(work, f"s{number:04}")
        (latex.build if maker == "latex" else make)(student, target)
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
