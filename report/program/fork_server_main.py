"""A process with NumPy loaded, which runs each program that it is given in a copy of itself.

`copies` starts it as a script: isolated and with an empty environment, as any program is started, so
that a copy finds what a process of its own would find, but for the time that NumPy takes to load. It
reads orders from the socket that is its standard input and ends when nobody holds the other end. It
imports nothing of `report`.

An order is JSON with the folder, the file's name and the limits, and three open files: for the output,
for the messages, and for the fate of the program: a line with its process id, later one with its status.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import sys
import types
from typing import Any, NoReturn

import numpy as np  # noqa: F401 - what a copy need not load again

MAX_ORDER = 10_000  # bytes
_UNFLUSHED = 120  # Python's own status when the last output could not be written


def serve() -> None:
    """Run what is ordered, side by side, until there are no more orders."""
    orders = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    while True:
        order, files, _, _ = socket.recv_fds(orders, MAX_ORDER, 3)
        if not order:
            return
        if not os.fork():
            orders.close()
            _keep(json.loads(order), *files)
        for file in files:
            os.close(file)


def _keep(order: dict[str, Any], output: int, messages: int, fate: int) -> NoReturn:
    """Run a program and tell how it ended, in a process between it and the one that serves."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        os.setsid()
        os.write(fate, b"%d\n" % os.getpid())
        os.dup2(output, 1)
        os.dup2(messages, 2)
        os.closerange(3, max(output, messages, fate) + 1)
        os._exit(_run(order))
    for file in (output, messages):
        os.close(file)
    _, ended = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(fate, b"%d\n" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _run(order: dict[str, Any]) -> int:
    """Run a file as `python3 file` does; its status."""
    os.chdir(order["folder"])
    for name, limit in order["limits"].items():
        with contextlib.suppress(OSError, ValueError):  # a lower one is set already
            resource.setrlimit(getattr(resource, name), (limit, limit))
    file = f"./{order['file']}"
    main = types.ModuleType("__main__")
    main.__file__ = file
    sys.modules["__main__"] = main
    sys.argv = [file]
    status = 0
    try:
        with open(file, encoding="utf-8") as source:  # noqa: PTH123 - pathlib is not loaded yet
            code = compile(source.read(), file, "exec", dont_inherit=True)
        exec(code, main.__dict__)  # noqa: S102 - what this process is for
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - told as Python tells it
        sys.excepthook(*sys.exc_info())
        status = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = _UNFLUSHED
    return status


if __name__ == "__main__":
    serve()
