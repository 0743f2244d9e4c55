"""Homework that grows: chains of gates, and networks of growing width."""

from collections.abc import Iterator
from pathlib import Path

GATES = (10, 30, 100, 300, 1000)
WIDTHS = (2, 4, 8, 16, 32, 64)


def files(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """Homework files to build: what grows, how large it is, and where it stands."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, sizes, content in (("chain", GATES, chain), ("network", WIDTHS, network)):
        for size in sizes:
            file = folder / f"{kind}-{size}.toml"
            file.write_text(content(size), encoding="utf-8")
            yield kind, size, file


def chain(gates: int) -> str:
    """A chain of that many scalar gates."""
    steps = ("{} * w", "{} + b", "sin({})", "tanh({})", "{} * x")
    lines, last = [], "x"
    for k in range(1, gates):
        lines.append(f"z{k} = " + steps[k % 5].format(last))
        last = f"z{k}"
    lines.append(f"{last} * 2")
    return _file(f"A chain of {gates} gates", lines, {"x": "0.5", "w": "0.9", "b": "0.1"})


def network(width: int) -> str:
    """A network with one hidden layer of that width and its squared error."""
    lines = ["h = tanh(W1 @ x + b1)", "y = W2 @ h + b2", "norm(y - t)**2"]
    inputs = {
        "x": _vector(4),
        "W1": _matrix(width, 4),
        "b1": _vector(width),
        "W2": _matrix(2, width),
        "b2": _vector(2),
        "t": _vector(2),
    }
    return _file(f"A network of width {width}", lines, inputs, '["W1", "b1", "W2", "b2"]')


def _file(title: str, lines: list[str], inputs: dict[str, str], wrt: str = "") -> str:
    asked = f"wrt = {wrt}\n" if wrt else ""
    given = "\n".join(f"{name} = {value}" for name, value in inputs.items())
    function = "\n".join(lines)
    return (
        f'title = "{title}"\n[[question]]\nfunction = """\n{function}\n"""\n{asked}'
        f"[question.inputs]\n{given}\n"
    )


def _entry(k: int) -> str:
    return f"{((k * 37 + 11) % 97 - 48) / 50:.2f}"


def _vector(n: int) -> str:
    return f"[{', '.join(_entry(k + n) for k in range(n))}]"


def _matrix(n: int, m: int) -> str:
    rows = (f"[{', '.join(_entry(i * m + j) for j in range(m))}]" for i in range(n))
    return f"[{', '.join(rows)}]"
