"""The files in problems/. All tests of one file share a worker, so that what several need is made once."""

from pathlib import Path

import pytest

PROBLEMS = sorted((Path(__file__).parents[1] / "problems").glob("*.toml"))
HOMEWORK1 = next(path for path in PROBLEMS if path.stem == "homework1")


def of(name: str) -> pytest.MarkDecorator:
    """The mark of the tests of one file, by its name without its ending."""
    return pytest.mark.xdist_group(f"problem {name}")


def each_problem(*, without: str = "") -> pytest.MarkDecorator:
    """A test of each file, `problem`, but for one."""
    chosen = [path for path in PROBLEMS if path.stem != without]
    cases = [pytest.param(path, id=path.stem, marks=of(path.stem)) for path in chosen]
    return pytest.mark.parametrize("problem", cases)
