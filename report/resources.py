"""Where the files that travel with the package are, and what may be kept for the next run."""

import os
from pathlib import Path

from report.errors import ReportError

_PACKAGE = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The file or folder ``name``, such as ``"assets/fonts"`` or ``"templates"``.

    In an installed package they are inside it; in a checkout they stand beside it.
    Raises ReportError where the installation lacks it.
    """
    for folder in (_PACKAGE, _PACKAGE.parent):
        if (found := folder / name).exists():
            return found
    raise ReportError(
        f"This installation of report is incomplete: {name} is missing beside {_PACKAGE}.\n"
        "Install it again."
    )


def cache(name: str) -> Path:
    """The user's folder for what need not be found out again, such as ``"fontconfig"``; it may not exist."""
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not home.is_absolute():
        home = Path(os.path.expanduser("~/.cache"))  # noqa: PTH111 - that of pathlib fails without a home
    return home / "report" / name
