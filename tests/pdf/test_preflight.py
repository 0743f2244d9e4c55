"""Importing WeasyPrint: quietly, quickly, and with a plain word where it cannot be."""

import subprocess
import sys

import pytest

from report.pdf import preflight

HIDDEN = """
import cffi, sys
actual = cffi.FFI.dlopen
def dlopen(self, name, flags=0):
    if {library!r} in str(name):
        raise OSError(f"cannot load library {{name!r}}: no such file")
    return actual(self, name, flags)
cffi.FFI.dlopen = dlopen
from report import ReportError
from report.pdf import preflight
try:
    preflight.load()
except ReportError as error:
    sys.exit(str(error))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("library", ["libpango-1.0", "libgobject-2.0", "libharfbuzz-subset"])
def test_a_missing_library_is_named_with_the_remedy(library: str) -> None:
    found = run(HIDDEN.format(library=library))
    assert found.returncode == 1
    assert found.stdout == ""
    first, command, last = found.stderr.strip().splitlines()
    assert library.partition("-1.")[0].partition("-2.")[0] in first
    assert preflight.install_command() == command.strip()
    assert last == "then run the same command again."


def test_the_package_is_free_to_import() -> None:
    code = (
        "import sys, report.pdf; print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'weasyprint', 'mathra', 'math_core', 'fontTools', 'pydyf', 'numpy', 'PIL'}))"
    )
    assert run(code).stdout.strip() == "[]"


def test_formulas_need_no_weasyprint() -> None:
    code = (
        "import sys; from report import pdf, typeset; typeset.img(r'\\frac{a}{b}'); typeset.fit('a + b = c', 1.5);"
        "print('weasyprint' in sys.modules, 'fontTools' in sys.modules)"
    )
    assert run(code).stdout.strip() == "False False"


def test_no_program_is_started_to_find_libraries() -> None:
    code = (
        "import subprocess, os; from report.pdf import preflight\n"
        "def refuse(*arguments, **options): raise AssertionError(arguments)\n"
        "subprocess.Popen = os.popen = os.system = refuse\n"
        "print(preflight.load().__version__)"
    )
    found = run(code)
    assert (found.stdout.strip(), found.stderr) == ("70.0", "")


def test_what_was_put_off_is_imported_when_it_is_called() -> None:
    preflight.load()
    from fontTools import subset
    from weasyprint.pdf import fonts

    assert subset.Options().__class__.__name__ == "Options"
    assert fonts.subset.Options().__class__ is subset.Options


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "apt-get install"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "apt-get install"),
        ({"ID": "fedora"}, "dnf install"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "zypper install"),
        ({"ID": "alpine"}, "apk add"),
        ({"ID": "plan9"}, "(the packages of your system"),
    ],
)
def test_the_command_is_that_of_the_system(
    release: dict[str, str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)
    assert command in preflight.install_command()
