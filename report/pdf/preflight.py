"""The one way to WeasyPrint: quick to import, and plain about what the system lacks."""

import contextlib
import ctypes.util
import importlib
import io
import os
import platform
import sys
import types
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from report.errors import ReportError
from report.typeset import fonts

_COMMANDS = {
    "debian": "apt-get install -y --no-install-recommends"
    " libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "fedora": "dnf install -y pango harfbuzz",
    "suse": "zypper install -y libpango-1_0-0 libharfbuzz-subset0",
    "arch": "pacman -S --noconfirm pango",
    "alpine": "apk add pango harfbuzz-subset fontconfig",
    "macos": "brew install pango",
}
_FAMILIES = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse"}

# WeasyPrint calls these for variable and web fonts, and without HarfBuzz's subset library: never
# here. Importing them takes a third of its import time.
_RARELY_CALLED = {
    "fontTools.subset": ("Options", "Subsetter"),
    "fontTools.ttLib.woff2": ("decompress",),
    "fontTools.varLib.instancer": ("instantiateVariableFont",),
}


@cache
def load() -> types.ModuleType:
    """The module weasyprint.

    Raises ReportError with the command to run where the system lacks the native libraries that it
    needs. Prints nothing, wherever it is called.
    """
    notice = io.StringIO()  # WeasyPrint announces a missing library on standard output
    try:
        with (
            contextlib.redirect_stdout(notice),
            warnings.catch_warnings(),
            fonts.closed(),  # the fonts of the system are counted on import
            _libraries_by_file_name(),
            _later(_RARELY_CALLED),
        ):
            warnings.simplefilter("ignore")
            module = importlib.import_module("weasyprint")
    except OSError as error:
        raise ReportError(_missing(str(error).split(":", 1)[0])) from None
    if importlib.import_module("weasyprint.text.ffi").harfbuzz_subset is None:
        raise ReportError(_missing("cannot load library 'libharfbuzz-subset'"))
    return module


def _missing(reason: str) -> str:
    return (
        f"The PDF needs text libraries that this system lacks ({reason}). Install them with:\n"
        f"    {install_command()}\n"
        "then run the same command again."
    )


def install_command() -> str:
    """What installs the native text libraries on this system, to be typed in a terminal."""
    command = _COMMANDS.get(_system())
    if command is None:
        return "(the packages of your system that hold Pango and HarfBuzz's subset library)"
    needs_root = sys.platform != "darwin" and os.geteuid() != 0
    return f"sudo {command}" if needs_root else command


def _system() -> str:
    if sys.platform == "darwin":
        return "macos"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "unknown"
    for name in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        family = _FAMILIES.get(name.split("-")[0], name.split("-")[0])
        if family in _COMMANDS:
            return family
    return "unknown"


@contextlib.contextmanager
def _libraries_by_file_name() -> Iterator[None]:
    """Let libraries be found by their file names, as WeasyPrint gives them among others.

    For each other spelling ctypes would start a compiler and a linker to look for it. On macOS the
    loader looks into the folders of the package managers too.
    """
    if sys.platform == "darwin":
        folders = [Path("/opt/homebrew/lib"), Path("/usr/local/lib"), Path(sys.prefix, "lib")]
        known = os.environ.get("DYLD_FALLBACK_LIBRARY_PATH", "").split(":")
        every = [*known, *(str(folder) for folder in folders if folder.is_dir())]
        os.environ["DYLD_FALLBACK_LIBRARY_PATH"] = ":".join(filter(None, every))
        yield
        return
    find = ctypes.util.find_library
    if sys.platform.startswith("linux"):
        ctypes.util.find_library = _find_nothing
    try:
        yield
    finally:
        ctypes.util.find_library = find


def _find_nothing(name: str) -> str | None:
    return None


@contextlib.contextmanager
def _later(modules: dict[str, tuple[str, ...]]) -> Iterator[None]:
    """Put functions in the place of modules that import the real ones when they are called."""
    placed = {}
    for name, functions in modules.items():
        if name not in sys.modules:
            placed[name] = sys.modules[name] = types.ModuleType(name)
            for function in functions:
                setattr(placed[name], function, _on_call(name, function))
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
            package, _, last = name.rpartition(".")
            if getattr(sys.modules.get(package), last, None) is module:
                delattr(sys.modules[package], last)


def _on_call(module: str, function: str) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*arguments, **options)

    return call
