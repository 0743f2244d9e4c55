"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from report.errors import ReportError

_PART = ".part"


def check_target(target: Path, *given: Path) -> None:
    """ReportError where a file is not to be written: over a folder, a device, a pipe, or a file of `given`."""
    try:
        if not target.exists():
            return
        if target.is_dir():
            raise ReportError(f"{target} is a folder; name a file, such as {target / 'report.pdf'}")
        if not target.is_file():
            raise ReportError(f"{target} is no regular file; name another one")
        if any(file.exists() and target.samefile(file) for file in given):
            raise ReportError(f"{target} is what the report is made from; name another file")
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror or error}") from None


def write(target: Path, data: bytes) -> None:
    """Write to a temporary file beside the target, then rename: all of it or none of it.

    A symbolic link stays: the file that it points to is written. Raises ReportError where that cannot
    be done.
    """
    try:
        _write(target.resolve() if target.is_symlink() else target, data)
    except (OSError, RuntimeError) as error:  # a link that leads to itself is one or the other
        reason = getattr(error, "strerror", None) or error
        raise ReportError(f"{target} cannot be written: {reason}") from None


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Remove what a `write` that was killed left behind in a folder."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
