"""A process that gives up what it may do, and then runs a program that somebody else wrote.

`confined` starts it as a script, isolated and with an empty environment. Its standard input is a JSON
order: the program's name and cells, whether a cell shows the value of its last line, and the limits. It
imports nothing of `report`.

Three fences, the inner ones where the system has them: limits of the process (memory, processor time,
size of files), the kernel's own (on Linux: no capabilities; Landlock: files are read below Python's and
the system's libraries, written in the current folder; seccomp: no network, no process but this one, no
signals to others), and Python's audit hook, which every system has and which says in words what is not
allowed. What holds is written as one line to the file descriptor that the order names.
"""

import ast
import contextlib
import ctypes
import json
import linecache
import os
import struct
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types",
          "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/System", "/Library",
          "/opt/homebrew")  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_UNFLUSHED = 120  # Python's own status when the last output could not be written


def main() -> int:
    """Run what is ordered on standard input; the program's status."""
    order = json.loads(sys.stdin.buffer.read())
    with open(os.devnull) as nothing:  # noqa: PTH123 - pathlib takes time to load
        os.dup2(nothing.fileno(), 0)
    home = os.path.realpath(".")
    own = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, *order["libraries"])}
    sys.path[:] = [p for p in sys.path if _within(os.path.realpath(p), own)]
    sys.modules["report"] = None  # type: ignore[assignment] # a student's work is not made by it
    readable = [*own, *SYSTEM, *DEVICES]
    _limit(order["limits"])
    held = [
        name
        for name, fence in (("files", _landlock), ("network", _seccomp))
        if fence(home, readable)
    ]
    os.write(order["told"], " ".join(held).encode())
    os.close(order["told"])
    sys.addaudithook(_guard(home, [home, *map(os.path.realpath, readable)]))
    return _run(order["name"], order["cells"], order["display"])


def _limit(limits: dict[str, int]) -> None:
    with contextlib.suppress(ImportError):
        import resource

        for name, limit in limits.items():
            with contextlib.suppress(AttributeError, OSError, ValueError):  # a lower one is set
                resource.setrlimit(getattr(resource, name), (limit, limit))


# ---------------------------------------------------------------- the program


def _run(name: str, cells: list[str], display: bool) -> int:
    """Run the cells one after the other as `python3 name` does; the status."""
    main = types.ModuleType("__main__")
    main.__file__ = name
    sys.modules["__main__"] = main
    sys.argv = [name]
    status = 0
    try:
        for number, source in enumerate(cells, 1):
            file = f"{name}, cell {number}" if display else name
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            for code in _compiled(source, file, display):
                exec(code, main.__dict__)  # noqa: S102 - what this process is for
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException as error:  # noqa: BLE001 - told as Python tells it, without this file
        told = traceback.TracebackException.from_exception(error)
        told.stack = traceback.StackSummary.from_list(
            [frame for frame in told.stack if frame.filename != __file__]
        )
        with contextlib.suppress(OSError):
            sys.stderr.writelines(told.format())
        status = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = _UNFLUSHED
    return status


def _compiled(source: str, file: str, display: bool) -> Iterator[types.CodeType]:
    """The code of a cell; where it shows the value of its last line, that line by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = ast.parse(source, file)
    last = tree.body[-1] if display and tree.body else None
    if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
        tree.body.pop()
        yield compile(tree, file, "exec", dont_inherit=True)
        yield compile(ast.Interactive([last]), file, "single", dont_inherit=True)
    else:
        yield compile(tree, file, "exec", dont_inherit=True)


# ---------------------------------------------------------------- Python's own fence

_PROCESSES = ("subprocess.", "os.fork", "os.exec", "os.system", "os.posix_spawn", "os.spawn", "os.kill",
              "pty.", "signal.pthread_kill")  # fmt: skip
_NETWORK = (
    "socket.",
    "urllib.",
    "http.",
    "ftplib.",
    "smtplib.",
    "poplib.",
    "imaplib.",
    "telnetlib.",
)
_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink",
            "os.truncate", "os.utime", "os.setxattr", "os.chflags", "os.mkfifo", "os.mknod")  # fmt: skip
_HARMLESS = ("socket.gethostname",)


def _guard(home: str, readable: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    def guard(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if isinstance(path, (str, bytes)):
                writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
                _check(
                    path, [home, *DEVICES] if writes else readable, "write" if writes else "read"
                )
        elif event in ("os.listdir", "os.scandir"):
            _check(args[0] if args[0] is not None else ".", readable, "list")
        elif event.startswith(_CHANGES):
            for path in args:
                if isinstance(path, (str, bytes)):
                    _check(path, [home], "change")
        elif event.startswith(_PROCESSES):
            raise PermissionError("this program may not start or end other processes")
        elif event.startswith(_NETWORK) and event not in _HARMLESS:
            raise PermissionError("this program may not use the network")

    return guard


def _check(path: Any, allowed: list[str], what: str) -> None:
    if not isinstance(path, (str, bytes)):
        return
    whole = os.path.realpath(os.fsdecode(path))
    if not _within(whole, allowed):
        raise PermissionError(
            f"this program may not {what} {os.fsdecode(path)}: it runs in a folder of its own"
        )


def _within(path: str, folders: Any) -> bool:
    return any(path == f or path.startswith(f.rstrip(os.sep) + os.sep) for f in folders)


# ---------------------------------------------------------------- the kernel's fences (Linux)

_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, read a folder
_RULESET, _RULE, _RESTRICT = 444, 445, 446  # system calls, alike on all processors
_FILE_RIGHTS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # those that a rule for a file may have


def _landlock(home: str, readable: list[str]) -> bool:
    """Files below `readable` may be read, those in `home` written; whether the kernel has that."""
    if sys.platform != "linux":
        return False
    call = _system()
    version = call(_RULESET, None, 0, 1)
    if version < 1 or not _no_privileges(call):
        return False
    rights = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    network, scoped = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    whole = struct.pack("=QQQ", rights, network, scoped)
    rules = call(_RULESET, whole, 24 if version >= 6 else 16 if version >= 4 else 8, 0)
    if rules < 0:
        return False
    for path, may in [
        *((p, _READ) for p in readable),
        *((d, _READ | 2) for d in DEVICES),
        (home, rights),
    ]:
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            folder = os.path.isdir(path)  # noqa: PTH112
            given = may & rights & (rights if folder else _FILE_RIGHTS)
            call(_RULE, rules, 1, struct.pack("=Qi", given, file), 0)
            os.close(file)
    return call(_RESTRICT, rules, 0) == 0


_NUMBERS = {  # system calls that are refused, by processor
    "x86_64": (
        0xC000003E,
        {"clone": 56, "clone3": 435, "tgkill": 234},
        (41, 42, 43, 49, 50, 53, 288,  # socket, connect, accept, bind, listen, socketpair, accept4
         57, 58, 59, 322, 62, 200, 424,  # fork, vfork, execve, execveat, kill, tkill, pidfd_send_signal
         101, 310, 311, 438, 272, 308, 321, 298, 425,  # ptrace, process_vm, pidfd_getfd, unshare, setns, bpf, perf, io_uring
         29, 64, 68, 240, 248, 249, 250,  # shmget, semget, msgget, mq_open, keys: they outlive a process
         90, 91, 92, 93, 94, 260, 268, 452, 132, 235, 261, 280,  # chmod, chown, utime
         188, 189, 190, 197, 198, 199),  # attributes of files
    ),
    "aarch64": (
        0xC00000B7,
        {"clone": 220, "clone3": 435, "tgkill": 131},
        (198, 199, 200, 201, 202, 203, 242, 221, 281, 129, 130, 424, 117, 270, 271, 438, 97, 268, 280, 241, 425,
         194, 190, 186, 180, 217, 218, 219, 52, 53, 54, 55, 452, 88, 5, 6, 7, 14, 15, 16),
    ),
}  # fmt: skip
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS


def _seccomp(_home: str, _readable: list[str]) -> bool:
    """Refuse the system calls of networks, of other processes and signals; whether the kernel does."""
    if sys.platform != "linux" or os.uname().machine not in _NUMBERS or sys.maxsize < 2**32:
        return False
    call = _system()
    if not _no_privileges(call):
        return False
    arch, named, refused = _NUMBERS[os.uname().machine]
    load, equal, at_least, bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    steps = [(load, 0, 0, 4), (equal, 1, 0, arch), (give, 0, 0, _REFUSE), (load, 0, 0, 0)]
    steps += [(at_least, 0, 1, 0x40000000), (give, 0, 0, _REFUSE)]  # the numbers of x32
    for number in refused:
        steps += [(equal, 0, 1, number), (give, 0, 0, _REFUSE)]
    steps += [(equal, 0, 1, named["clone3"]), (give, 0, 0, _UNKNOWN)]  # then clone is tried
    steps += [(equal, 0, 4, named["clone"]), (load, 0, 0, 16), (bits, 1, 0, 0x10000)]  # a thread
    steps += [(give, 0, 0, _REFUSE), (give, 0, 0, _ALLOW)]
    steps += [(equal, 0, 3, named["tgkill"]), (load, 0, 0, 16), (equal, 1, 0, os.getpid())]
    steps += [(give, 0, 0, _REFUSE), (give, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(22, 2, program, 0, 0) == 0)


def _no_privileges(call: Callable[..., int]) -> bool:
    """Give up what root may do, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0:
        return False
    number = {"x86_64": 126, "aarch64": 91}.get(os.uname().machine)
    if number is not None:
        call(number, struct.pack("=Ii", 0x20080522, 0), bytes(24))
    return True


def _system() -> Callable[..., int]:
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return function


if __name__ == "__main__":
    sys.exit(main())
