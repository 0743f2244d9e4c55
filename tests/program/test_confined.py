"""A program of a stranger: what it may do, what it may not, and that nothing of it is left."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from report.program.confined import MAX_OUTPUT, Ended, run_confined

linux = pytest.mark.skipif(sys.platform != "linux", reason="fences of the Linux kernel")


def ran(source: str, timeout: float = 20.0) -> Ended:
    return run_confined("mine.py", [source], timeout=timeout)


def test_a_program_runs_as_by_itself() -> None:
    ended = ran(
        "import sys, os\nfrom math import sin\n"
        "if __name__ == '__main__':\n    print(sin(1.0), sys.argv, __file__, os.listdir('.'))\n"
    )
    assert ended.text == "0.8414709848078965 ['mine.py'] mine.py []\n"
    assert (ended.fault, ended.cut) == ("", False)


def test_numpy_and_sympy_and_the_files_of_its_own_folder() -> None:
    ended = ran(
        "import numpy as np, sympy\nnp.savetxt('a.txt', [0.5, 1])\nprint(np.loadtxt('a.txt'))\n"
        "print(sympy.diff(sympy.sin(sympy.Symbol('x'))))\n"
    )
    assert ended.text == "[0.5 1. ]\ncos(x)\n"
    assert not ended.fault


def test_no_environment_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    names = ran("import os\nprint(' '.join(os.environ))").text.split()
    assert "SECRET" not in names
    assert "PATH" not in names


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("open('/etc/passwd')", "may not read /etc/passwd"),
        ("import os; open(os.path.join('..', 'x'), 'w')", "may not write ../x"),
        ("import os; os.listdir('/')", "may not list /"),
        ("import os; os.remove('/etc/passwd')", "may not change /etc/passwd"),
        ("import os; os.symlink('/etc/passwd', 'p'); open('p')", "may not change /etc/passwd"),
        ("import subprocess; subprocess.run(['ls'])", "may not start or end other processes"),
        ("import os; os.system('ls')", "may not start or end other processes"),
        ("import os\nwhile True: os.fork()", "may not start or end other processes"),
        ("import os; os.kill(os.getppid(), 9)", "may not start or end other processes"),
        ("import socket; socket.create_connection(('127.0.0.1', 1))", "may not use the network"),
        ("import urllib.request as r; r.urlopen('http://localhost')", "may not use the network"),
        ("import report", "ModuleNotFoundError"),
        ("x = bytearray(10**11)", "MemoryError"),
        ("input()", "EOFError"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('no')", "no"),
    ],
)
def test_what_is_not_allowed_ends_it_with_the_reason(source: str, said: str) -> None:
    ended = ran(f"print(1, flush=True)\n{source}\nprint(2)")
    assert said in ended.fault
    assert ended.text == "1\n"
    assert "confined_main" not in ended.messages


@linux
def test_the_kernel_refuses_what_python_does_not_see() -> None:
    """Calls of the C library pass the audit hook by."""
    ended = ran(
        "import ctypes\nc = ctypes.CDLL(None)\n"
        "print(c.fork(), c.socket(2, 1, 0), c.kill(1, 0), c.open(b'/etc/passwd', 0),\n"
        "      c.open(b'/tmp/never-written', 0o101, 0o600), c.chmod(b'/tmp', 0o700),\n"
        "      c.execl(b'/bin/sh', b'sh', None), c.unshare(0))\n"
    )
    if ended.held != ("files", "network"):
        pytest.skip("this kernel has no such fences")
    assert ended.text == "-1 -1 -1 -1 -1 -1 -1 0\n".replace("-1 0", "-1 -1")
    assert not Path("/tmp/never-written").exists()


def test_threads_are_possible() -> None:
    ended = ran(
        "import threading\nt = threading.Thread(target=print, args=('a',))\nt.start()\nt.join()"
    )
    assert (ended.text, ended.fault) == ("a\n", "")


def test_very_much_output_is_cut() -> None:
    ended = ran("for _ in range(10**8 // 1000): print('a' * 999)")
    assert ended.cut
    assert len(ended.text) == MAX_OUTPUT
    assert "prints more than 4 MB" in ended.fault


def test_many_files_are_too_much_as_one_is() -> None:
    ended = ran(
        "import itertools\nfor i in itertools.count(): open(str(i), 'wb').write(b'x' * 3_999_999)"
    )
    assert ended.fault == "mine.py writes files of more than 100 MB"


def test_one_that_hangs_is_ended_with_all_its_threads() -> None:
    start = time.monotonic()
    ended = ran(
        "import os, threading\nprint(os.getpid(), flush=True)\n"
        "threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\nwhile True: pass",
        timeout=1.0,
    )
    assert ended.fault == "mine.py did not end within 1 seconds"
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.text), 0)


def test_the_cells_of_a_notebook_share_their_names_and_show_their_last_values() -> None:
    ended = run_confined(
        "n.ipynb", ["x = 1.5\nx", "x\nprint(2 * x)", "y = x;", "x;", "1/0"], display=True
    )
    assert ended.text == "1.5\n3.0\n"
    assert '"n.ipynb, cell 5", line 1' in ended.fault
