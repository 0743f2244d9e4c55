"""Setting up: what is declared, locked, packed, and what `make report` does with what it is given."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import report

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def canonical(requirement: str) -> str:
    """The distribution's name in a requirement, as package indexes compare names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def locked(lock: str) -> set[str]:
    """Every "name==version" of a lock file."""
    return set(re.findall(r"^[\w.-]+==\S+", (ROOT / lock).read_text(), re.MULTILINE))


def declared() -> set[str]:
    extras = (name for extra in PROJECT["optional-dependencies"].values() for name in extra)
    return {canonical(requirement) for requirement in (*PROJECT["dependencies"], *extras)}


def imported(path: Path) -> set[str]:
    """The first names of a module's absolute imports, wherever in the file they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_one_version():
    assert report.__version__ == PROJECT["version"]


@pytest.mark.xdist_group("one worker")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one process")
def test_the_tests_of_a_group_share_a_worker(request):
    assert request.node.nodeid.endswith("@one worker")  # by which pytest-xdist knows the group


@pytest.mark.parametrize("path", sorted((ROOT / "report").rglob("*.py")), ids=lambda p: p.name)
def test_every_import_is_declared(path):
    outside = imported(path) - sys.stdlib_module_names - {"report"}
    distributions = packages_distributions()
    assert {canonical(distributions[name][0]) for name in outside} <= declared()


@pytest.mark.parametrize("package", ["mathra", "pydyf", "weasyprint"])
def test_packages_with_touched_inner_parts_are_pinned(package):
    [requirement] = (text for text in PROJECT["dependencies"] if canonical(text) == package)
    assert re.fullmatch(rf"{package}==[\d.]+", requirement)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_and_hashes_everything_and_names_no_host(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+ (; .+ )?\\\n    --hash=sha256:[0-9a-f]{64}", entry), entry


def test_locks_hold_what_is_declared_and_agree():
    runtime, development = map(locked, LOCKS)
    assert runtime < development
    base = {canonical(requirement) for requirement in PROJECT["dependencies"]}
    assert base <= {canonical(pin) for pin in runtime}
    groups = PYPROJECT["dependency-groups"]
    extra = {
        canonical(text) for texts in groups.values() for text in texts if isinstance(text, str)
    }
    assert declared() | extra <= {canonical(pin) for pin in development}


def test_lock_never_takes_a_stranger_of_our_name():
    for lock in LOCKS:
        assert PROJECT["name"] not in {canonical(pin) for pin in locked(lock)}


@pytest.fixture
def wheel(tmp_path):
    [path] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    return zipfile.ZipFile(path)


def test_wheel_carries_templates_and_assets(wheel):
    names = set(wheel.namelist())
    for folder in ("templates", "assets"):
        files = [path for path in (ROOT / folder).rglob("*.*") if path.parent.name != "__pycache__"]
        assert files
        assert {f"report/{path.relative_to(ROOT).as_posix()}" for path in files} <= names
    metadata = f"report-{report.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"report", metadata}
    assert b"report = report.cli.main:run" in wheel.read(f"{metadata}/entry_points.txt")


def test_wheel_builds_a_report_in_any_folder(wheel, tmp_path):
    wheel.extractall(tmp_path / "installed")
    shutil.copy(ROOT / "problems" / "homework1.toml", tmp_path)
    code = "import report; report.build('homework1.toml', 'one.pdf'); print(report.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == str(tmp_path / "installed" / "report" / "__init__.py")
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF-")


def test_command_for_text_libraries_is_known_before_any_package_is_there():
    code = "from report.pdf.preflight import install_command; print(install_command())"
    bare = [sys.executable, "-S", "-B", "-c", code]
    done = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1


class Checkout:
    """The set-up's files in a folder of their own, ready to run `make` in."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("Makefile", "pyproject.toml", "scripts", "report", *LOCKS):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)

    def set_up(self, report_status: int = 0) -> None:
        """A finished set-up, whose `report` prints what it is given, an argument a line."""
        programs = self.folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "python").symlink_to(sys.executable)
        (programs / "report").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@"\nexit {report_status}\n')
        (programs / "report").chmod(0o755)
        lock = (self.folder / "requirements-dev.lock").read_text()
        (self.folder / ".venv/made-from").write_text(f"{self.folder.resolve()}\n{lock}")
        shutil.copy(self.folder / "pyproject.toml", self.folder / ".venv/pyproject.toml")

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
        return subprocess.run(
            ["make", *words],
            cwd=self.folder,
            env={**inherited, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    return Checkout(folder)


@pytest.mark.parametrize(
    ("words", "problem", "out", "settings"),
    [
        ([], "problems/homework1.toml", "build/homework1.pdf", []),
        (["PROBLEM=my own/second one.toml"], "my own/second one.toml", "build/second one.pdf", []),
        (
            ["OUT=build/it's mine.pdf", "SET= q1.x1=2  q1.w1=0.5 "],
            "problems/homework1.toml",
            "build/it's mine.pdf",
            ["q1.x1=2", "q1.w1=0.5"],
        ),
        (
            [
                'SET=W=[[1, 2], [3]] b={normal = [0, 1], digits=2}\tθ.α=-1 name=O\'Neil B  t="a b=c; *"',
            ],
            "problems/homework1.toml",
            "build/homework1.pdf",
            [
                "W=[[1, 2], [3]]",
                "b={normal = [0, 1], digits=2}",
                "θ.α=-1",
                "name=O'Neil B",
                't="a b=c; *"',
            ],
        ),
    ],
)
def test_make_report_passes_on_what_it_is_given(checkout, words, problem, out, settings):
    checkout.set_up()
    done = checkout.make("report", *words)
    assert (done.returncode, done.stderr) == (0, "")
    given = [word for setting in settings for word in ("--set", setting)]
    assert done.stdout.splitlines() == ["build", problem, "-o", out, *given]


def test_make_report_takes_nothing_from_the_environment(checkout):
    checkout.set_up()
    done = checkout.make("report", OUT="elsewhere.pdf", SET="q1.x1=3", PROBLEM="other.toml")
    assert done.stdout.splitlines() == [
        "build",
        "problems/homework1.toml",
        "-o",
        "build/homework1.pdf",
    ]


def test_make_report_fails_where_report_fails(checkout):
    checkout.set_up(report_status=1)
    done = checkout.make("report")
    assert done.returncode == 2  # make's own status for every failure
    assert re.search(r"\breport\] Error 1$", done.stderr.strip())


def test_without_python_the_remedy_is_told_and_nothing_made(checkout):
    done = checkout.make("report", "PYTHON=python-of-nobody")
    assert done.returncode == 2
    assert done.stderr.startswith("Python 3.11 or newer is needed, and python-of-nobody was not")
    assert not (checkout.folder / ".venv").exists()


def test_an_old_python_is_named(checkout):
    old = checkout.folder / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 || echo False\n')
    old.chmod(0o755)
    done = checkout.make("report", f"PYTHON={old}")
    assert done.returncode == 2
    assert "is Python 3.9.2. Install a newer one with:" in done.stderr
    assert not (checkout.folder / ".venv").exists()


def test_failed_set_up_leaves_nothing_half_made(checkout):
    done = checkout.make("report", PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert done.returncode == 2
    assert "Setting up failed: packages of requirements.lock." in done.stderr
    assert done.stdout == ""
    assert not list(checkout.folder.glob(".venv*"))
