"""How Python is started for programs: isolated, and the same on every machine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from report.program.variables import Dialect


def flags(dialect: Dialect) -> list[str]:
    """Isolated mode, UTF-8, no bytecode files; NumPy has to be found in the site's packages."""
    flags = ["-I", "-B", "-X", "utf8"]
    if dialect == "python":
        return [*flags, "-S"]
    return flags if _numpy_is_installed() else ["-P", "-s", *flags[1:]]


def interpreter_environment(dialect: Dialect) -> dict[str, str]:
    """An empty environment but for UTF-8, one order of hashes and one thread for linear algebra."""
    kept = {k: os.environ[k] for k in ("SYSTEMROOT",) if k in os.environ}  # Windows needs it
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB")}
    found = {**kept, "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", **one_thread}
    if dialect == "numpy" and not _numpy_is_installed():
        found["PYTHONPATH"] = str(Path(np.__file__).parents[1])
    return found


def _numpy_is_installed() -> bool:
    """Whether an isolated interpreter finds this NumPy: not when it came by PYTHONPATH or the like."""
    import sysconfig

    home = Path(np.__file__).parents[1]
    return home in {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
