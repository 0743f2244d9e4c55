"""A process that stays: `python -m benchmarks.warm HOMEWORK.toml FOLDER BUILDS`.

Builds the homework again and again with other inputs, and prints JSON: the wall and processor seconds
of every build after the first, and the peak memory in MB.
"""

import json
import resource
import sys
import time
from pathlib import Path

from report.classroom import workers
from report.pipeline import build


def main() -> None:
    homework, folder, builds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    workers.settle()  # as the processes of a class that stay
    runs = []
    for i in range(builds + 1):
        overrides = {
            "q1.x1": 0.37 * i - 1,
            "q1.w2": 3 - 0.21 * i,
            "q2.x": [[-0.2], [0.11 * i], [-0.4]],
        }
        used, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        build(homework, folder / "warm.pdf", overrides=overrides)
        now = resource.getrusage(resource.RUSAGE_SELF)
        if i:
            processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
            runs.append((time.perf_counter() - start, processor))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"runs": runs, "megabytes": peak}))


if __name__ == "__main__":
    main()
