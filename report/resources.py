"""Where the files that travel with the package are: stylesheet, fonts, templates."""

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
