"""The names in a function that its inputs must give, before there are inputs, and what is told of their shapes."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from report.autodiff.form import Form
from report.autodiff.gates import GATES
from report.autodiff.inputs import CONSTANTS, NAME, ascii_name
from report.autodiff.parser.call_arguments import known
from report.autodiff.parser.dotted import libraries
from report.autodiff.parser.latex import indices, names
from report.autodiff.parser.latex.lines import lines_of
from report.autodiff.parser.latex.reader import _LatexReader
from report.autodiff.parser.latex.segments import regions
from report.autodiff.parser.latex.state import Definition
from report.autodiff.parser.latex.tokens import GREEK, Token, tokens_of
from report.autodiff.parser.latex.tree import Big, Group, Letter, Part, Product, Script
from report.autodiff.parser.names import FORMS
from report.autodiff.parser.source import Places, Source
from report.autodiff.parser.spellings import product_of_names

MATRIX, VECTOR, NUMBER = 2, 1, 0
_GREEK = re.compile(r"(?<!\w)([α-γε-ω])([A-Za-z])(?!\w)")  # δx is a name
_CLASSES = frozenset("coty")  # letters of a class or a word
_TIMES = re.compile(r"@|(?<!\*)\*(?!\*)")


@dataclass
class FreeName:
    """A name, the axes that its indices or its letter tell of, and whether they are certain."""

    name: str
    axes: int
    certain: bool = False
    at: int = 0  # where it stands first


def of_expression(text: str) -> list[FreeName]:
    """The names that an expression uses and does not define, in their order."""
    found: dict[str, FreeName] = {}
    lets: set[str] = set()
    for statement in Source(text).statements():
        parts = list(ast.walk(statement))
        passed = {id(e.func) for e in parts if isinstance(e, ast.Call)}
        passed |= set(map(id, libraries(statement)))
        passed |= {id(e.left) for e in parts if isinstance(e, ast.BinOp) and _is_euler(e)}
        named = [e for e in parts if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Load)]
        for e in sorted(named, key=lambda e: (e.lineno, e.col_offset)):
            if id(e) not in passed and e.id not in (*lets, *CONSTANTS, "inf", *FORMS):
                name = "lambda" if e.id == "lambda_" else e.id  # how Python's syntax has it
                found.setdefault(name, FreeName(name, MATRIX if name[:1].isupper() else NUMBER))
        for name in _vectors(parts):
            if name in found:
                found[name].axes = max(found[name].axes, VECTOR)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            lets.add(statement.targets[0].id)
    beside = {
        "".join(map(ascii_name, two)): [*map(ascii_name, two)] for two in _GREEK.findall(text)
    }
    return list(_with_factors(found, beside, bool(_TIMES.search(text))).values())


def _is_euler(e: ast.BinOp) -> bool:
    """Whether this is e**x."""
    return isinstance(e.op, ast.Pow) and isinstance(e.left, ast.Name) and e.left.id == "e"


def _with_factors(
    found: dict[str, FreeName], beside: dict[str, list[str]], signed: bool
) -> dict[str, FreeName]:
    """The names with factors in place of products: of those that stand `beside` each other, as λx, and of others."""
    made: dict[str, FreeName] = {}
    for name, free in found.items():
        factors = beside.get(name) or _factors(name, found, signed)
        if not factors:
            made.setdefault(name, free)
        for part in factors:
            axes = MATRIX if part.isupper() else VECTOR if name[0].isupper() else NUMBER
            known = made.setdefault(part, found.get(part, FreeName(part, axes)))
            known.axes = max(known.axes, axes)
    return made


def _factors(name: str, found: Container[str], signed: bool) -> list[str]:
    """Of what a name is the product, as Wx is of W and x; [] where it is a name.

    It is a product where its factors stand elsewhere too. Of two letters also where no product has a sign
    (`signed`) and one of them stands elsewhere, or a capital before a small letter.
    """
    ways = product_of_names(name, lambda part: part in found and part != name)
    is_pair = len(name) == 2 and name.isalpha() and name not in GREEK and not signed
    if is_pair and ((name[0].isupper() and name[1].islower()) or any(p in found for p in name)):
        return list(name)
    return ways[0] if len(ways) == 1 else []


def _vectors(parts: Iterable[ast.AST]) -> Iterator[str]:
    """The names that stand in a product of vectors or matrices, and so are no numbers."""
    sides: list[ast.expr] = []
    for e in parts:
        match e:
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                sides += [left, right]
            case ast.Call(func=ast.Name(id=name), args=args) if form := known(name):
                if form.name in GATES and GATES[form.name].form is Form.INNER:
                    sides += args
    yield from (side.id for side in sides if isinstance(side, ast.Name))


def of_latex(text: str) -> list[FreeName]:
    """The names that LaTeX uses and does not define, in their order."""
    places = Places(text)
    reader = _LatexReader(places, {}, ())
    lines, reader.ranges = lines_of(places, tokens_of(places, regions(places)[: len(places.text)]))
    reader.heads = {line.left[0].text for line in lines if line.params and line.left}
    reader.words = {t.text for line in lines for t in line.left} - reader.heads
    definitions = [reader.define(line) for line in lines]
    return _Collector(reader, definitions).names()


class _Collector:
    """Walks the trees of all lines."""

    def __init__(self, reader: _LatexReader, definitions: list[Definition]) -> None:
        self.reader, self.definitions = reader, definitions
        self.running: set[str] = {r.index for r in reader.ranges} | {
            i for d in definitions for i in d.letters
        }
        self.lengths: set[str] = set()
        for tree in reader.trees:
            for big in (p for p in reader.all_parts(tree) if isinstance(p, Big)):
                below = big.below or ()
                if any(t.text == "=" for t in below) or len(below) <= 2:
                    self.running.add(
                        indices.letters_of(below)[0] if indices.letters_of(below) else ""
                    )
                else:
                    self.running |= set(indices.letters_of(below)) - _left_out(below)
                self.lengths |= set(indices.letters_of(big.above or ()))
        self.found: dict[str, FreeName] = {}

    def names(self) -> list[FreeName]:
        bodies = [body for d in self.definitions for body in d.bodies]
        heads = [h.base if isinstance(h, Script) else h for b in bodies for h in self.heads(b)]
        applied = {h.base for h in heads if isinstance(h, Letter)}
        for definition in self.definitions:
            params = {p for p in definition.params if p not in self.reader.known}
            called = any(f"{definition.name}_".startswith(f"{head}_") for head in applied)
            for body in definition.bodies:
                # what stands high is read anew each time: all is kept while its identity is compared
                kept = [*self.heads(body)]
                here = {id(h) for h in kept}
                first, again = ([*self.reader.all_parts(body)] for _ in range(2))
                seen: set[int] = set()
                labels: set[int] = set()  # where the letters of labels stand: the t of h_{t-1}
                for part in first:
                    if isinstance(part, Script):
                        labels |= _labels(part)
                    if isinstance(part, Script) and isinstance(part.base, Letter):
                        seen.add(id(part.base))
                        self.note(part.base, part, id(part) in here, params if called else set())
                for part in again:
                    if not isinstance(part, Letter) or id(part) in seen:
                        continue
                    if part.start not in labels:
                        self.note(part, None, id(part) in here, params if called else set())
        self.tell_classes()
        if any(name.axes for name in self.found.values()):  # then a capital is a matrix
            for name in self.found.values():
                if name.name[:1].isupper() and not name.certain:
                    name.axes = MATRIX
        return sorted(self.found.values(), key=lambda name: name.at)

    def tell_classes(self) -> None:
        """z_y beside z_j, whose j runs, is the entry of z whose class y is."""
        for name in [*self.found.values()]:
            base, _, label = name.name.rpartition("_")
            if label in _CLASSES and base in self.found and self.found[base].certain:
                del self.found[name.name]
                self.found.setdefault(label, FreeName(label, NUMBER, True, name.at))

    def heads(self, body: Part) -> Iterator[Part]:
        """The letters before a bracket that are functions."""
        for part in self.reader.all_parts(body):
            if isinstance(part, Product):
                for (_, head), (op, group) in zip(part.factors, part.factors[1:], strict=False):
                    inner = group.base if isinstance(group, Script) else group
                    if op == "" and isinstance(inner, Group) and inner.kind == "(":
                        yield head

    def note(self, letter: Letter, script: Script | None, is_head: bool, params: set[str]) -> None:
        base = self.reader.base_label(letter)
        below = script.below if script else None
        above = script.above if script else None
        running = [
            t.text
            for t in (*(below or ()), *((above or ()) if above and above[0].text == "(" else ()))
            if t.text in self.running
        ]
        label = "" if running or not below else (names.label_of(below) or "")
        if above is not None and above[0].text in ("(", "[") and not running:
            label += names.label_of(above) or ""
        name = letter.base + "".join(f"_{a}" for a in letter.accents)
        name += "_prime" * (script.primes if script else 0)
        name += f"_{label}" if label else ""
        plain = name.replace("_", "")
        if script is not None and not NAME.fullmatch(name):  # h_{t-1}: as it is written
            name = self.reader.places.text[script.start : script.end]
        used_as_sign = base in ("e", "pi", "I", "delta") or (base == "sigma" and is_head)
        if (
            plain in self.reader.known or base in self.reader.known or used_as_sign or plain in params or base in params
            or letter.base in self.reader.heads or (script is None and base in self.running | self.lengths)
        ):  # fmt: skip
            return
        turned = above is not None and [t.text for t in above] in ([r"\top"], ["T"])
        capital = letter.base[:1].isupper() and len(letter.base) == 1
        bold = letter.font == "bf"
        axes = len(running) or (
            MATRIX if capital and (bold or turned) else VECTOR if bold or turned else NUMBER
        )
        known = self.found.setdefault(name, FreeName(name, axes, bool(running), letter.start))
        known.at = min(known.at, letter.start)
        if axes > known.axes:
            known.axes, known.certain = axes, bool(running)


def _left_out(below: Sequence[Token]) -> set[str]:
    """The class that a sum leaves out: the y of j ≠ y."""
    texts = [t.text for t in below]
    after = texts[texts.index(r"\ne") + 1 :] if r"\ne" in texts else []
    return {t for t in after if t in _CLASSES}


def _labels(part: Script) -> set[int]:
    """Where letters stand that are no names: below a letter, the F of the Frobenius norm, the T of a transpose."""
    norm = isinstance(part.base, Group) and part.base.kind in (r"\|", r"\lVert", r"\Vert")
    above = part.above or ()
    found = {t.start for t in above if len(above) == 1 and t.text == "T"}
    if norm or isinstance(part.base, Letter):
        found |= {t.start for t in part.below or ()}
    return found
