"""A process beside this one that loads what lays out pages while this one computes what stands on them.

Loading WeasyPrint, the stylesheets and the fonts needs nothing of it. Saves 12 % of a build of homework1 on two
processors that slow each other down.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any

_other: ContextVar[Connection | None] = ContextVar("other", default=None)


@contextlib.contextmanager
def beside(load: Callable[[], Callable[..., Any]]) -> Iterator[None]:
    """Have another process render the documents of this block, where there can be one: it is ready sooner.

    `load` imports what renders them. Only a process without threads can be copied, and only on Linux do all
    libraries bear it.
    """
    has_threads = threading.active_count() > 1 or "numpy" in sys.modules  # which has its own
    can = sys.platform == "linux" and (os.cpu_count() or 1) > 1 and not has_threads
    with contextlib.ExitStack() as stack:
        started = None
        if can and not os.environ.get("REPORT_DEBUG"):  # a traceback stays in its process
            with contextlib.suppress(OSError):  # no more processes or files are allowed
                made = tempfile.TemporaryDirectory(prefix="report-", ignore_cleanup_errors=True)
                started = _start(load, stack.enter_context(made))
        if started is None:
            yield
            return
        process, connection = started
        token = _other.set(connection)
        try:
            yield
        finally:
            _other.reset(token)
            connection.close()
            process.terminate()
            process.join()


def _start(load: Callable[[], Callable[..., Any]], folder: str) -> tuple[ForkProcess, Connection]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, ours, load, folder), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def rendered(html: str, options: dict[str, Any]) -> Any:
    """What the other process renders; raises what it raises. None where there is no other process."""
    other = _other.get()
    if other is None:
        return None
    try:
        other.send((html, options))
        found = other.recv()
    except (EOFError, OSError):  # it was ended, perhaps for its memory
        return None
    if isinstance(found, BaseException):
        raise found
    return found


def first() -> str:
    """A document with what all reports have: their stylesheet, and a little in each of their fonts."""
    from report import resources
    from report.typeset.addresses import listing
    from report.typeset.formula_html import img

    css = resources.path("assets/report.css").read_text(encoding="utf-8")
    return f"""<html lang="en"><head><title>First</title><meta name="author" content="-"/><style>
{css}
@page {{ size: a4; }}
</style></head><body data-left="First" data-right="-"><h1>First</h1><p>A <i>word</i> and {img("x")}</p>
<p class="code">{listing([[("k", "x"), ("", " = 1")]], numbered=True)}</p></body></html>"""


def _serve(
    connection: Connection,
    others: Connection,
    load: Callable[[], Callable[..., Any]],
    folder: str,
) -> None:
    tempfile.tempdir = folder  # what it leaves there, wherever it is ended, its parent takes away
    # At an interrupt the process that waits ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    others.close()
    with contextlib.suppress(Exception):  # it will be raised again where it can be told
        load()(first())
    with contextlib.suppress(EOFError, OSError):
        while True:
            html, options = connection.recv()
            try:
                connection.send(load()(html, **options))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for the one who asked
                connection.send(error)
