"""Right programs in several styles, and the same with one mistake: how well it is found and named.

    python -m benchmarks.mutations [--most N] [--missed] [--part I/N]

A program is the generated NumPy program's forward and backward pass, printed in one of eight ways (as ours, by
name, in a class, as PyTorch prints, in another order, with three digits, bare, only the results). A mistake is
made in the syntax tree of one statement, without a look at how mistakes are looked for. Both generated programs
of every question, as they are, have to be found wholly: each value and gradient.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from report import program
from report.autodiff.trace import Quantity, Trace
from report.homework import variants
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.program.output_code import has_gradient, shown
from report.program.variables import Scope
from report.student.diagnosis import diagnose
from report.student.find import Finder
from report.student.ruler import Ruler
from report.student.walk import Key, keys_of
from report.student.work import AGREES, OwnWork

PROBLEMS = Path(__file__).parents[1] / "problems"
Make = Callable[[ast.expr], Iterator[ast.expr]]


# ---------------------------------------------------------------- programs


@dataclass(frozen=True, eq=False)
class Parts:
    """The computing part of a program by statement, and the variable of each value and gradient."""

    trace: Trace
    head: list[ast.stmt]  # imports, functions, inputs
    passes: list[ast.stmt]  # forward and backward
    tail: list[ast.stmt]  # what prints
    names: dict[str, Key]


def parts_of(trace: Trace) -> Parts:
    """The generated NumPy program of a trace, taken apart."""
    source = program.generate(trace, dialect="numpy", name="p.py").source
    body = ast.parse(source).body
    scope = Scope(trace, "numpy")
    names = {scope.names[q.node]: (q.node, False) for q in trace.gates}
    names |= {scope.slopes[q.node]: (q.node, True) for q in (*trace.gates, *trace.inputs)}
    places = [i for i, s in enumerate(body) if target(s) in names]
    first, end = places[0], places[-1] + 1
    made = {target(s) for s in body[first:end]}
    names = {name: key for name, key in names.items() if name in made}
    return Parts(trace, body[1:first], body[first:end], body[end:], names)


def target(statement: ast.stmt) -> str:
    """The variable that a statement sets."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""


def program_of(parts: Parts, style: str, changed: tuple[int, ast.expr] | None = None) -> str:
    """The source of a program in a style; `changed` puts another expression into a statement."""
    passes = copy.deepcopy(parts.passes)
    if changed is not None:
        statement = passes[changed[0]]
        assert isinstance(statement, ast.Assign)
        statement.value = changed[1]
    head = "\n".join(["import numpy as np", *map(ast.unparse, parts.head)])
    lines = [ast.unparse(s) for s in passes]
    if style == "ours":
        return "\n".join([head, *lines, *map(ast.unparse, parts.tail)]) + "\n"
    if style == "class":
        inner = "\n".join(f"        {line}" for text in lines for line in text.split("\n"))
        lines = [
            f"class Network:\n    def run(self):\n{inner}\n        vars(self).update(locals())",
            "net = Network()\nnet.run()",
        ]
    return "\n".join([head, *lines, *_prints(parts, style)]) + "\n"


def _prints(parts: Parts, style: str) -> Iterator[str]:
    """The statements that print, in a style."""
    trace = parts.trace
    variable = {key: ("net." if style == "class" else "") + n for n, key in parts.names.items()}
    gates = [(q, variable[q.node, False]) for q in trace.gates if (q.node, False) in variable]
    slopes = [
        (q, variable[q.node, True])
        for q in (*reversed(trace.gates), *trace.inputs)
        if (q.node, True) in variable
    ]
    result = variable[trace.graph.result, False]
    if style == "torch":
        yield from _as_torch(gates, slopes, result)
    elif style == "bare":
        yield from (f"print({code})" for _, code in (*gates, *slopes))
    elif style == "other order":
        yield from _in_other_order(gates, slopes)
    elif style == "results only":
        yield f"print('result:', {result})"
        yield from (f"print('d{q.name} =', {c})" for q, c in slopes if q.name in trace.wrt)
    else:
        show = "{}"
        if style == "three digits":
            show = "show({})"
            yield "def show(x): return np.array2string(np.asarray(x, float), formatter={'float': '{:.3f}'.format})"
        yield from (f"print('{q.name} =', {show.format(code)})" for q, code in gates)
        for q, code in slopes:
            yield f"print('d{trace.letter}/d{q.name} =', {show.format(code)})"


Printed = list[tuple[Quantity, str]]


def _as_torch(gates: Printed, slopes: Printed, result: str) -> Iterator[str]:
    yield "np.set_printoptions(precision=6)"
    yield "def tensor(x): return 'tensor(' + np.array2string(np.asarray(x), separator=', ') + ')'"
    yield from (f"print('{q.name}:', tensor({code}))" for q, code in gates if q.node.name)
    yield f"print('loss', tensor({result}))"
    yield from (f"print('{q.name}.grad', tensor({c}))" for q, c in slopes if q.node.is_input)


def _in_other_order(gates: Printed, slopes: Printed) -> Iterator[str]:
    own = {q.name: code for q, code in slopes}
    for q, code in sorted(slopes, key=lambda pair: pair[0].name):
        if q.node.is_input:
            yield f"print('grad_{q.name}:', np.asarray({code}).tolist())"
    for q, code in sorted(gates, key=lambda pair: pair[0].name):
        yield f"print('{q.name}:', np.asarray({code}).tolist())"
        if q.name in own:
            yield f"print('d_{q.name}:', np.asarray({own[q.name]}).tolist())"


STYLES = (
    "ours",
    "by name",
    "class",
    "torch",
    "other order",
    "three digits",
    "bare",
    "results only",
)


def unfound(trace: Trace, dialect: str) -> list[str]:
    """The values and gradients of a generated program that are not found in what it prints."""
    output = output_of(program.generate(trace, dialect=dialect, name="p.py").source)
    assert output is not None
    own = diagnose(trace, output)
    scope = Scope(trace, dialect)
    printed = {(q.node, False) for q in shown(scope)}
    printed |= {(q.node, True) for q in shown(scope) if has_gradient(scope, q)}
    found = {
        line.key
        for line in own.lines
        if line.verdict == AGREES and line.own is not None and np.isfinite(line.own.value).all()
    }
    return [line.name for line in own.lines if line.key in printed - found]


def output_of(source: str) -> str | None:
    """What a program prints, run in this process; None where it fails."""
    out = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(out), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        saved = np.get_printoptions()
        try:
            exec(compile(source, "p.py", "exec"), {"__name__": "__main__"})
        except Exception:  # noqa: BLE001 - a program with a mistake may fail in any way
            return None
        finally:
            np.set_printoptions(**saved)
    return out.getvalue()


# ---------------------------------------------------------------- mistakes


def _at(kind: type, change: Callable[[ast.AST], ast.expr | None]) -> Make:
    """The expression with one of its nodes of a kind changed, for each of them that can be."""

    def make(expression: ast.expr) -> Iterator[ast.expr]:
        count = sum(isinstance(n, kind) for n in ast.walk(expression))
        for number in range(count):
            whole = ast.Expression(copy.deepcopy(expression))
            node = [n for n in ast.walk(whole) if isinstance(n, kind)][number]
            new = change(node)
            if new is not None:
                yield _Replaced(node, new).visit(whole).body

    return make


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)


def _text(template: str) -> Make:
    def make(expression: ast.expr) -> Iterator[ast.expr]:
        yield _read(template.format(ast.unparse(expression)))

    return make


def _read(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _called(node: ast.AST, names: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names.split()


def _call(names: str, template: str) -> Make:
    def change(node: ast.AST) -> ast.expr | None:
        if not _called(node, names) or not isinstance(node, ast.Call):
            return None
        arguments = ast.unparse(node)[len(ast.unparse(node.func)) + 1 : -1]
        return _read(template.format(f=ast.unparse(node.func), x=arguments))

    return _at(ast.Call, change)


def _operation(kind: type, template: str) -> Make:
    def change(node: ast.AST) -> ast.expr | None:
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, kind):
            return None
        left, right = (f"({ast.unparse(n)})" for n in (node.left, node.right))
        return _read(template.format(a=left, b=right))

    return _at(ast.BinOp, change)


def _named(pick: Callable[[str], bool], template: str) -> Make:
    def change(node: ast.AST) -> ast.expr | None:
        return (
            _read(template.format(node.id))
            if isinstance(node, ast.Name) and pick(node.id)
            else None
        )

    return _at(ast.Name, change)


def _slope(name: str) -> bool:
    return name.startswith("d_")


def _value(name: str) -> bool:
    return not name.startswith("d_") and name != "np" and len(name) < 12


def _untransposed(node: ast.AST) -> ast.expr | None:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None


def _only_upstream(expression: ast.expr) -> Iterator[ast.expr]:
    names = [n.id for n in ast.walk(expression) if isinstance(n, ast.Name) and _slope(n.id)]
    if len(names) == 1 and not isinstance(expression, ast.Name):
        yield _read(names[0])


def _paths(template: str) -> Make:
    def change(node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = ast.unparse(node.left), ast.unparse(node.right)
            if "d_" in left and "d_" in right:
                return _read(template.format(a=f"({left})", b=f"({right})"))
        return None

    return _at(ast.BinOp, change)


def _other_side(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt):
        return _read(ast.unparse(node).replace(">", "<=", 1))
    return None


_SMOOTH = "np.sin np.cos np.tanh sigmoid np.exp np.sqrt np.log"
IN_VALUES: dict[str, tuple[tuple[str, ...], Make]] = {  # a mistake -> the kinds that name it, how it is made
    "sign": (("sign",), _text("-({})")),
    "factor 2": (("factor 2",), _text("2 * ({})")),
    "degrees": (("degrees",), _call("np.sin np.cos", "{f}(np.radians({x}))")),
    "applied twice": (("applied twice",), _call(_SMOOTH, "{f}({f}({x}))")),
    "cos for sin": (("cos for sin",), _call("np.sin", "np.cos({x})")),
    "sin for cos": (("sin for cos",), _call("np.cos", "np.sin({x})")),
    "tanh for sigmoid": (("tanh for sigmoid",), _call("sigmoid", "np.tanh({x})")),
    "function left out": (("left out",), _call(_SMOOTH, "({x})")),
    "term left out": (("left out",), _operation(ast.Add, "{a} + 0 * {b}")),
    "factor left out": (("left out",), _operation(ast.Mult, "{a} + 0 * {b}")),
    "swapped difference": (("swapped", "sign"), _operation(ast.Sub, "{b} - {a}")),
    "swapped quotient": (("swapped", "left out"), _operation(ast.Div, "{b} / {a}")),
    "swapped product": (("swapped",), _operation(ast.MatMult, "{b} @ {a}")),
    "transposed": (("transposed",), _operation(ast.MatMult, "{a}.T @ {b}")),
    "sum for product": (("add for multiply",), _operation(ast.Mult, "{a} + {b}")),
    "product for sum": (("multiply for add",), _operation(ast.Add, "{a} * {b}")),
    "mean for sum": (("mean for sum",), _call("np.sum", "np.mean({x})")),
    "sum for mean": (("sum for mean",), _call("np.mean", "np.sum({x})")),
    "log base": (("log base",), _call("np.log", "np.log10({x})")),
    "square left out": (("left out", "squared", "applied twice", "l1_norm for squared_norm", "sum for squared_norm"), _operation(ast.Pow, "{a}")),
    "rounding": (("rounding",), _named(_value, "np.round({}, 2)")),
    "integer division": (("integer division",), _operation(ast.Div, "{a} // {b}")),
    "kink": (("kink", "minimum for maximum"), _call("np.maximum", "np.minimum({x})")),
    "order": (("order",), _text("np.asarray({})[::-1]")),
}  # fmt: skip
IN_SLOPES: dict[str, tuple[tuple[str, ...], Make]] = {
    "slope: sign": (("sign",), _text("-({})")),
    "slope: factor 2": (("factor 2",), _operation(ast.Mult, "{a} * {b} / 2")),
    "slope: upstream left out": (("upstream",), _named(_slope, "np.ones_like({})")),
    "slope: local derivative forgotten": (("local derivative", "π/180 lost", "shape", "not summed"), _only_upstream),
    "slope: degrees": (("degrees",), _call("np.sin np.cos", "{f}(np.radians({x}))")),
    "slope: untransposed": (("transposed", "swapped", "order"), _at(ast.Attribute, _untransposed)),
    "slope: path left out": (("path left out", "left out"), _paths("{a}")),
    "slope: path counted twice": (("path counted twice",), _paths("{a} + 2 * {b}")),
    "slope: mean for sum": (("mean for sum",), _call("np.sum", "np.mean({x})")),
    "slope: not divided": (("sum for mean", "factor left out", "factor too many", "factor 2", "local derivative", "slope of sum", "left out"), _operation(ast.Div, "{a}")),
    "slope: kink": (("kink",), _at(ast.Compare, _other_side)),
    "slope: rounding": (("rounding",), _named(_slope, "np.round({}, 2)")),
    "slope: square left out": (("factor too many", "factor left out", "left out", "squared"), _operation(ast.Pow, "{a}")),
}  # fmt: skip


def _points(parts: Parts, index: int) -> Iterator[tuple[str, tuple[str, ...], ast.expr]]:
    """The derivative taken at the output for the input, the reverse, and factors swapped."""
    statement = parts.passes[index]
    if not isinstance(statement, ast.Assign):
        return
    key = parts.names[target(statement)]
    variable = {k: name for name, k in parts.names.items()}
    consumers = [q.node for q in parts.trace.gates if key[0] in q.node.args]
    if not key[1] or len(consumers) != 1:
        return
    gate = consumers[0]
    own = variable.get((key[0], False), parts.trace.name_of(key[0]))
    out = variable[gate, False]
    if len(gate.args) == 1 and gate.gate.elementwise:
        for old, new, kind in ((own, out, "at output"), (out, own, "at input")):
            for made in _named(lambda n, o=old: n == o, new)(statement.value):
                yield f"slope: {kind}", (kind, "at output", "at input"), made
                break
    others = [a for a in gate.args if a is not key[0] and a in parts.trace.quantities]
    if len(others) == 1 and others[0].shape == key[0].shape:
        other = variable.get((others[0], False), parts.trace.name_of(others[0]))
        for made in _named(lambda n: n == other, own)(statement.value):
            yield "slope: swapped factors", ("swapped",), made
            break


@dataclass(frozen=True, eq=False)
class Mutant:
    """A program with one mistake: which, the kinds that name it, and where it is."""

    mistake: str
    kinds: tuple[str, ...]
    at: Key
    changed: tuple[int, ast.expr]


def mutants(parts: Parts, chosen: random.Random, most: int) -> Iterator[Mutant]:
    """Every mistake in up to `most` of the statements where it can be made."""
    for table, slopes in ((IN_VALUES, False), (IN_SLOPES, True)):
        for mistake, (kinds, make) in table.items():
            found = []
            for index, statement in enumerate(parts.passes):
                key = parts.names.get(target(statement))
                if key is not None and key[1] == slopes and isinstance(statement, ast.Assign):
                    found += [(index, key, e) for e in make(statement.value)]
            for index, key, expression in chosen.sample(found, min(most, len(found))):
                yield Mutant(mistake, kinds, key, (index, expression))
    points = [
        Mutant(mistake, kinds, parts.names[target(s)], (index, e))
        for index, s in enumerate(parts.passes)
        if target(s) in parts.names
        for mistake, kinds, e in _points(parts, index)
    ]
    yield from chosen.sample(points, min(most, len(points)))


# ---------------------------------------------------------------- the measure


@dataclass
class Score:
    """How often the first wrong number was right, the gate of the mistake named, and its kind.

    Where the gate is not printed, and another gate's mistake gives the same numbers, it cannot be told.
    """

    count: int = 0
    number: int = 0
    place: int = 0
    kind: int = 0
    first: int = 0

    def __str__(self) -> str:
        n = max(self.count, 1)
        return f"{self.count:5}  number {self.number / n:6.1%}  place {self.place / n:6.1%}  kind {self.kind / n:6.1%}  first named {self.first / n:6.1%}"


def changes(trace: Trace, right: str, wrong: str) -> bool:
    """Whether a mistake changes a number that is printed by more than rounding."""
    ruler = Ruler(trace)
    before = Finder(trace, right).read
    after = Finder(trace, wrong).read
    if len(before) != len(after):
        return True
    for (a, _), (b, _) in zip(before, after, strict=True):
        x, y = a.joined(), b.joined()
        if x.value.shape != y.value.shape:
            return True
        allowed = 2.01 * np.maximum(x.unit, y.unit) + 2e-9 * np.abs(x.value)
        if np.any(~(np.abs(x.value - y.value) <= allowed)):
            return True
    return not ruler.scale


def placed(work: OwnWork, mutant: Mutant) -> bool:
    """Whether the first wrong number, or the mistake named for it, is where the mistake was made."""
    first = work.first
    if first is None:
        return False
    return first.key == mutant.at or mutant.at in [c.at for c in first.causes]


def first_changed(parts: Parts, style: str, mutant: Mutant) -> Key | None:
    """The first number that is printed and that a mistake changes by more than its digits show."""
    before, after = (_numbers(parts, changed) for changed in (None, mutant.changed))
    variable = {key: name for name, key in parts.names.items()}
    for key in keys_of(parts.trace):
        if key not in variable or not _is_printed(parts.trace, style, key):
            continue
        x, y = (np.asarray(n[variable[key]], dtype=float) for n in (before, after))
        if x.shape != y.shape:
            return key
        digits = [len(repr(float(v)).partition(".")[2]) for v in y.ravel()]
        shown = min(max(digits), {"three digits": 3, "torch": 6}.get(style, 8))
        if np.any(np.abs(x - y) > 10.0**-shown + 2e-9 * np.abs(x)):
            return key
    return None


def _is_printed(trace: Trace, style: str, key: Key) -> bool:
    node, gradient = key
    if style == "results only":
        return node is trace.graph.result if not gradient else trace.name_of(node) in trace.wrt
    if style == "torch":
        return node.is_input if gradient else bool(node.name) or node is trace.graph.result
    return True


def _numbers(parts: Parts, changed: tuple[int, ast.expr] | None) -> dict[str, Any]:
    """Every number of a program."""
    passes = [ast.unparse(s) for s in parts.passes]
    if changed is not None:
        passes[changed[0]] = f"{target(parts.passes[changed[0]])} = {ast.unparse(changed[1])}"
    found: dict[str, Any] = {}
    head = ["import numpy as np", *map(ast.unparse, parts.head)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        exec("\n".join([*head, *passes]), found)
    return found


def traces() -> Iterator[tuple[str, Trace]]:
    """The traces of all problems."""
    for file in sorted(PROBLEMS.glob("*.toml")):
        work = read_homework(file)
        work = variants.draw(work, 1 if file.stem == "class" else None)
        for name, trace in traces_of(work).items():
            yield f"{file.stem} {name}", trace


def measure(
    most: int,
    seed: int = 1,
    *,
    only: Collection[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Counter[str], dict[str, Score], dict[str, Score], list[str]]:
    """False alarms by style, scores by mistake and by style, and what was missed."""
    alarms: Counter[str] = Counter()
    by_mistake: dict[str, Score] = {}
    by_style: dict[str, Score] = {}
    missed: list[str] = []
    chosen = random.Random(seed)
    turn = 0
    for name, trace in traces():
        if only and name not in only:
            continue
        parts = parts_of(trace)
        for dialect in ("python", "numpy"):
            alarms["generated: programs"] += 1
            if lost := unfound(trace, dialect):
                alarms["generated: not found wholly"] += 1
                missed.append(f"{name}, {dialect}: not found {lost}")
        right = {s: output_of(program_of(parts, s)) for s in STYLES}
        for style, output in right.items():
            assert output is not None, (name, style)
            alarms[f"{style}: right programs"] += 1
            if not diagnose(trace, output).agrees:
                alarms[f"{style}: false alarms"] += 1
                missed.append(f"{name}, {style}: false alarm")
        for mutant in mutants(parts, chosen, most):
            turn += 1
            style = STYLES[turn % len(STYLES)]
            output = output_of(program_of(parts, style, mutant.changed))
            if (
                output is None
                or "nan" in output
                or "inf" in output
                or not changes(trace, right[style] or "", output)
            ):
                continue
            work = diagnose(trace, output)
            kinds = [c.kind for c in work.first.causes] if work.first else []
            first = first_changed(parts, style, mutant)
            named = placed(work, mutant)
            good = (
                named or (work.first is not None and work.first.key == first),
                named,
                bool({*kinds} & {*mutant.kinds}),
                kinds[:1] and kinds[0] in mutant.kinds,
            )
            for score in (
                by_mistake.setdefault(mutant.mistake, Score()),
                by_style.setdefault(style, Score()),
            ):
                score.count += 1
                score.number += good[0]
                score.place += good[1]
                score.kind += good[2]
                score.first += bool(good[3])
            if not (good[0] and good[2]):
                at = f"{'d ' if mutant.at[1] else ''}{trace.name_of(mutant.at[0])}"
                where = f"{work.first.name}" if work.first else "nothing"
                missed.append(
                    f"{name}, {style}, {mutant.mistake} at {at} ({ast.unparse(mutant.changed[1])[:60]}): {where} {kinds}"
                )
                tell(missed[-1])
        tell(f"{name} {sum(x.count for x in by_mistake.values())} {len(missed)}")
    return alarms, by_mistake, by_style, missed


def main() -> None:
    """Print the whole measure."""
    most = int(sys.argv[sys.argv.index("--most") + 1]) if "--most" in sys.argv else 2
    names = [name for name, _ in traces()]
    if "--part" in sys.argv:
        part, parts = map(int, sys.argv[sys.argv.index("--part") + 1].split("/"))
        names = names[part - 1 :: parts]
    alarms, by_mistake, by_style, missed = measure(
        most, only=names, tell=lambda n: print(n, file=sys.stderr, flush=True)
    )
    for name, count in sorted(alarms.items()):
        print(f"{name}: {count}")
    total = Score()
    for table in (by_mistake, by_style):
        for name, score in table.items():
            print(f"{name:36} {score}")
    for score in by_mistake.values():
        total = Score(
            total.count + score.count,
            total.number + score.number,
            total.place + score.place,
            total.kind + score.kind,
            total.first + score.first,
        )
    print(f"{len(by_mistake)} mistakes, all problems {total}")
    if "--missed" in sys.argv:
        print("\n".join(missed))


if __name__ == "__main__":
    main()
