"""Commands measured from outside: seconds, processor seconds, peak memory.

Commands that are compared run in turn, round after round, so that whatever else the machine does
falls on all of them alike. The first round only fills the caches of the file system.
"""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Medians over the rounds: wall seconds, processor seconds, and the highest memory in MB.

    Processor seconds and memory count every descendant that the command waited for; the memory is
    that of the largest process.
    """

    seconds: float
    processor: float
    megabytes: float


class Failed(Exception):
    """A command that did not end well, with the end of what it printed."""


def compare(
    commands: Mapping[str, Sequence[str]], rounds: int, cold: bool = True
) -> dict[str, Cost]:
    """The cost of each command, by its name. With `cold`, each run has an empty user's cache."""
    seen: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            cost = once(command, cold)
            if turn:
                seen[name].append(cost)
    return {name: median(costs) for name, costs in seen.items()}


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(c.seconds for c in costs),
        statistics.median(c.processor for c in costs),
        statistics.median(c.megabytes for c in costs),
    )


def once(command: Sequence[str], cold: bool = True) -> Cost:
    """One run of a command. Raises Failed with its last lines when its status is not 0."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        environment = dict(os.environ)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # files are compiled, as pip leaves them
        if cold:
            environment["XDG_CACHE_HOME"] = home
            environment["MPLCONFIGDIR"] = f"{home}/report/matplotlib"  # as the command line has it
        with Path(home, "output").open("w+b") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read().decode(errors="replace")
    if process.returncode:
        raise Failed(f"{' '.join(command)}: {' '.join(text.split()[-40:])}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} processors, {system}, Python {platform.python_version()}{load}"
    )
