"""The peers: other ways to the same result, measured where they are installed.

pdflatex is looked for on the PATH. The Python ones (typst, torch, micrograd) stand in a virtual
environment of their own, `build/peers` or the folder that PEERS names.
"""

import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("PEERS", "build/peers"))
PYTHON = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
HOW = {
    "pdflatex": "apt-get install texlive-latex-recommended texlive-pictures "
    "texlive-fonts-recommended lmodern",
    **{
        name: f"python3 -m venv {FOLDER} && {PYTHON} -m pip install {package}"
        for name, package in (
            ("typst", "typst"),
            ("micrograd", "micrograd"),
            ("torch", "torch (its build without CUDA is enough)"),
        )
    },
}


def has(peer: str) -> bool:
    """Whether a peer is installed."""
    return bool(shutil.which(peer) if peer == "pdflatex" else _module(peer))


def missing(peer: str) -> str:
    """The line for a peer that is not there."""
    return f"{peer} is not installed, so it is left out. To have it: {HOW[peer]}"


def lend(module: str) -> None:
    """Let this process import a peer's module that needs no other one."""
    found = _module(module)
    if found is None:
        raise SystemExit(missing(module))
    sys.path.append(str(found))


def _module(name: str) -> Path | None:
    """The folder of packages in which a module of the peers' environment stands."""
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        for packages in FOLDER.glob(pattern):
            if (packages / name).is_dir():
                return packages
    return None
