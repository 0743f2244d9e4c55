"""All benchmarks: `python -m benchmarks [--runs N] [--only NAME]...`, results in build/bench/."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import classes as class_work
from benchmarks import growth, measure, peers

HOMEWORK = "problems/homework1.toml"
CLASS = "problems/class.toml"
OUT = Path("build/bench")
PYTHON = sys.executable
REPORT = [PYTHON, "-m", "report"]


@dataclass(frozen=True)
class Result:
    """One line of the table; without a peer, the ratio is to the aim itself."""

    what: str
    ours: str
    peer: str
    ratio: float | None
    aim: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds of each measurement (5)")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    machine = measure.machine()
    print(machine)
    results: list[Result] = []
    for name in options.only or PARTS:
        for result in PARTS[name](options.runs):
            results.append(result)
            print(line(result), flush=True)
    written = "\n".join([machine, "", *table(results)]) + "\n"
    (OUT / "table.md").write_text(written, encoding="utf-8")
    found = {"machine": machine, "results": [asdict(r) for r in results]}
    (OUT / "results.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"\n{OUT}/table.md, {OUT}/results.json")


def table(results: list[Result]) -> list[str]:
    head = ["| what | report | peer | ratio | aim |", "|---|---|---|---|---|"]
    return head + [line(r) for r in results]


def line(r: Result) -> str:
    ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
    return f"| {r.what} | {r.ours} | {r.peer} | {ratio} | {r.aim} |"


# ---------------------------------------------------------------- the whole report


def whole(runs: int) -> Iterator[Result]:
    """homework1 from the file to the PDF, in a new process with empty caches, and in a warm one."""
    out = str(OUT / "homework1.pdf")
    warm = [PYTHON, "-m", "benchmarks.warm", HOMEWORK, str(OUT), str(runs + 2)]
    commands = {"cold": [*REPORT, "build", HOMEWORK, "-o", out]}
    for peer, module in (("pdflatex", "latex"), ("typst", "typst")):
        if peers.has(peer):
            commands[peer] = [PYTHON, "-m", f"benchmarks.{module}", HOMEWORK, str(OUT / module)]
        else:
            print(peers.missing(peer))
    found = measure.compare(commands, runs)
    first = found["cold"]
    again = json.loads(_output(warm))
    wall, processor = (statistics.median(times) for times in zip(*again["runs"], strict=True))

    def against(
        what: str, seconds: float, used: float, peer: str, aim: str = ""
    ) -> Iterator[Result]:
        if peer in found:
            other = found[peer]
            for kind, mine, its in (
                ("", seconds, other.seconds),
                (", processor time", used, other.processor),
            ):
                yield Result(
                    f"{what}{kind}, to {peer} with compute", f"{mine:.2f} s", f"{its:.2f} s",
                    mine / its, aim,
                )  # fmt: skip

    yield from against("build, cold", first.seconds, first.processor, "pdflatex", "≤ 1.0")
    yield from against("build, cold", first.seconds, first.processor, "typst")
    yield from against("build, warm", wall, processor, "typst", "≤ 1.0")
    yield from against("build, warm", wall, processor, "pdflatex")
    peak, stays = first.megabytes, again["megabytes"]
    yield Result("memory, cold", f"{peak:.0f} MB", "", peak / 200, "< 200 MB")
    yield Result(f"memory after {runs + 3} builds", f"{stays:.0f} MB", "", stays / 200, "< 200 MB")


# ---------------------------------------------------------------- the command line


def commands(runs: int) -> Iterator[Result]:
    """How long the commands take that make no document."""
    asked = {
        "report --help": ([*REPORT, "--help"], 0.15),
        "report gates": ([*REPORT, "gates"], None),
        "report trace": ([*REPORT, "trace", HOMEWORK], 0.4),
        "report check": ([*REPORT, "check", HOMEWORK], None),
    }
    found = measure.compare({name: command for name, (command, _) in asked.items()}, runs)
    for name, (_, aim) in asked.items():
        cost = found[name]
        yield Result(
            name,
            f"{cost.seconds:.3f} s, {cost.megabytes:.0f} MB",
            "",
            cost.seconds / aim if aim else None,
            f"< {aim} s" if aim else "",
        )


# ---------------------------------------------------------------- the live page


def live(_runs: int) -> Iterator[Result]:
    """What the server takes for an update while a number is dragged: the 95th percentile of 200."""
    found = json.loads(_output([PYTHON, "-m", "benchmarks.live", HOMEWORK, "200"]))
    for what, key, aim in (("values and graph", "graph", 0.05), ("whole page", "whole", 0.2)):
        slow = statistics.quantiles(found[key], n=20)[-1]
        yield Result(
            f"live page, {what}, 95th percentile of 200 updates", f"{1e3 * slow:.0f} ms", "",
            slow / aim, f"< {1e3 * aim:.0f} ms",
        )  # fmt: skip


# ---------------------------------------------------------------- a class


def classes(_runs: int) -> Iterator[Result]:
    """Solutions a minute of a class with random inputs, by one process and by two, start included."""
    students = 40
    roster = str(class_work.roster(OUT, students))
    minute: dict[int, float] = {}
    for jobs in (1, 2):
        folder = OUT / f"class-{jobs}"
        shutil.rmtree(folder, ignore_errors=True)
        batch = [*REPORT, "batch", CLASS, roster, "-o", str(folder)]
        cost = measure.once([*batch, "--editions", "solution", "--jobs", str(jobs)])
        minute[jobs] = 60 * students / cost.seconds
        yield Result(
            f"solutions a minute, {students} students, {jobs} process{'es' * (jobs > 1)}",
            f"{minute[jobs]:.0f}", "", minute[jobs] / jobs / class_work.AIM,
            f"≥ {class_work.AIM} a process",
        )  # fmt: skip
    yield Result("projection", class_work.projected(minute[2] / 2), "", None, "")
    if not peers.has("pdflatex"):
        print(peers.missing("pdflatex"))
        return
    a_minute: dict[str, float] = {}
    for maker, count in (("report", "21"), ("latex", "8")):
        folder = str(OUT / f"class-{maker}")
        seconds = json.loads(
            _output([PYTHON, "-m", "benchmarks.classes", maker, CLASS, folder, count])
        )
        a_minute[maker] = 60 / statistics.median(seconds[1:])
    ours, theirs = a_minute["report"], a_minute["latex"]
    yield Result(
        "solutions a minute in a warm process, to one that runs pdflatex", f"{ours:.0f}",
        f"{theirs:.0f}", ours / theirs, "≥ 3",
    )  # fmt: skip


# ---------------------------------------------------------------- the engine


def engine(runs: int) -> Iterator[Result]:
    """Forward and backward of scalar gates, and of 512 x 512 tensor gates."""
    for count in (10_000, 100_000):
        seen: dict[str, list[dict[str, Any]]] = {}
        agreed: tuple[float, float] | None = None
        for name in ("report", "micrograd", "torch"):
            if name != "report" and not peers.has(name):
                print(peers.missing(name))
                continue
            python = PYTHON if name == "report" else str(peers.PYTHON)
            found = json.loads(_output([python, "benchmarks/engines.py", name, str(count)]))
            seen[name] = found["microseconds"]
            mine = (found["value"], found["slope"])
            agreed = agreed or mine
            if any(
                abs(a - b) > 1e-9 * max(abs(a), 1e-9) for a, b in zip(mine, agreed, strict=True)
            ):
                sys.exit(f"{name} computes {mine}, report {agreed}")
        both = {
            n: statistics.median(r["forward"] + r["backward"] for r in s) for n, s in seen.items()
        }
        ours = both.pop("report")
        what = f"{count} scalar gates, forward and backward"
        yield Result(what, f"{ours:.2f} µs a gate", "", ours / 3, "≤ 3 µs")
        for name, its in both.items():
            yield Result(
                f"{what}, to {name}", f"{ours:.2f} µs", f"{its:.2f} µs", ours / its, "≤ 1.0"
            )
        read = statistics.median(r["read"] for r in seen["report"])
        yield Result(f"{count} scalar gates, read from text", f"{read:.2f} µs a gate", "", None, "")
    ratios, mine, bare = [], [], []
    for _ in range(runs):
        seconds = json.loads(_output([PYTHON, "benchmarks/engines.py", "tensors", "0"]))["seconds"]
        mine.append(seconds["report"] * 1e3)
        bare.append(seconds["numpy"] * 1e3)
        ratios.append(seconds["report"] / seconds["numpy"])
    yield Result(
        "512 × 512 tensor gates, to bare NumPy", f"{statistics.median(mine):.1f} ms",
        f"{statistics.median(bare):.1f} ms", statistics.median(ratios), "≤ 1.3",
    )  # fmt: skip


# ---------------------------------------------------------------- growth


def growing(runs: int) -> Iterator[Result]:
    """Build time, memory and pages of growing work: no faster than linearly, above the start."""
    found: dict[str, list[tuple[int, measure.Cost, int]]] = {}
    for kind, size, file in growth.files(OUT / "growth"):
        out = file.with_suffix(".pdf")
        try:
            costs = [
                measure.once([*REPORT, "build", str(file), "-o", str(out)]) for _ in range(runs)
            ]
        except measure.Failed as error:
            yield Result(f"{kind} of {size}", f"failed: {str(error)[-200:]}", "", None, "")
            continue
        found.setdefault(kind, []).append((size, measure.median(costs), _pages(out)))
    for kind, points in found.items():
        for size, cost, pages in points:
            aim = "< 6 s, < 300 MB" if (kind, size) == ("chain", 1000) else ""
            shown = f"{cost.seconds:.2f} s, {cost.megabytes:.0f} MB, {pages} pages"
            yield Result(f"{kind} of {size}", shown, "", cost.seconds / 6 if aim else None, aim)
    _plot(found)


def _pages(path: Path) -> int:
    import pypdf

    return len(pypdf.PdfReader(path).pages)


def _plot(found: dict[str, list[tuple[int, measure.Cost, int]]]) -> None:
    """The growth curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    for row, (kind, points) in zip(figure.subplots(2, 3), found.items(), strict=True):
        sizes = [size for size, _, _ in points]
        for axes, (unit, values) in zip(
            row,
            {
                "seconds": [cost.seconds for _, cost, _ in points],
                "MB": [cost.megabytes for _, cost, _ in points],
                "pages": [pages for _, _, pages in points],
            }.items(),
            strict=True,
        ):
            axes.plot(sizes, values, "o-", color="#0072B2")
            axes.set_ylim(bottom=0)
            axes.set_xlabel("gates" if kind == "chain" else "width")
            axes.set_ylabel(unit)
            axes.set_title(kind)
    for kind in ("pdf", "png"):
        figure.savefig(OUT / f"growth.{kind}", dpi=150)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stderr[-2000:]}")
    return done.stdout


PARTS = {
    "whole": whole,
    "commands": commands,
    "live": live,
    "classes": classes,
    "engine": engine,
    "growth": growing,
}

if __name__ == "__main__":
    main()
