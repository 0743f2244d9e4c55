"""The words before a printed number -> which value or gradient of a trace they name.

q3 =          hidden:        Output of sin:     x1: Value(data=     h_new[0]
dL/dw1        dw1            grad_w1            w1.grad             ∂f/∂w1    gradient of L w.r.t. w1
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from report.autodiff.gates.table import ALIASES
from report.autodiff.graph import Node
from report.autodiff.trace import Quantity, Trace
from report.program.syntax import formula
from report.student.printed import Item
from report.student.walk import Key

SURE, LIKELY, NONE = 2, 1, 0
_Named = tuple[Quantity, bool, tuple[int, ...], int]  # what, its gradient?, which entry, how sure
_RESULTS = (
    "f",
    "F",
    "L",
    "J",
    "E",
    "C",
    "loss",
    "Loss",
    "cost",
    "result",
    "output",
    "out",
    "y",
    "total",
)
_VAGUE = {"E", "C", "output", "out", "y", "total"}
_QUOTIENT = re.compile(
    r"(?:d|D|∂|δ|partial|\\partial)\s*_?(?:\w*|\([^()]*\))\s*/\s*\(?\s*(?:d|D|∂|δ|partial|\\partial)\s*_?\(?\s*"
    r"(?P<name>[A-Za-z]\w*)(?P<place>(?:\[[\d, ]+\])*)"
)
_WORD = re.compile(
    r"(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*'?)(?P<place>(?:\[[\d, ]+\])*)(?:\[[\"'](?P<key>\w+)[\"']\])?|[∂δ∇Δ]"
)
_FORMULA = re.compile(  # x1 * w1, sin(q1), sin^2: more than a name
    r"[\w.]+\s*\((?:[^()]|\([^()]*\))*\)(?:\s*(?:\*\*|[*/+@^-])\s*[\w.()]+)*|"
    r"[\w.]+(?:\s*(?:\*\*|[*/+@^-])\s*[\w.()]*)+"
)
_BEFORE = re.compile(
    r"(?:d[A-Za-z]{0,6}?_?[d∂]_?|d|D|g|grad|gradient|delta|deriv|der|∂\w*?∂|∂|δ|∇)_?"
)
_AFTER = re.compile(r"_?(?:grad|gradient|bar|delta|adj|adjoint|deriv)|_d|_g")
_VALUE_AFTER = re.compile(r"_?(?:val|value|data|out|output|fwd|forward)")
_GRADIENT = re.compile(
    r"(?:grad\w*|deriv\w*|partials?|backward\w*|backprop\w*|bwd|upstream|adjoint|wrt|[∂δ∇Δ])",
    re.IGNORECASE,
)
_VALUE = re.compile(r"(?:forward|values?|outputs?|data|inputs?|val|result)", re.IGNORECASE)
_FILLING = re.compile(
    r"(?:of|the|is|gate|node|pass|a|an|at|final|variable|computed|for|in|to|function|tensor|scalar|after|from|"
    r"weights?|bias|biases|matrix|vector|parameter|with|respect|w|r|t|and|by|on|step|self|shape|my|print|x|layer|"
    r"analytic\w*|our|own|equals?|flow\w*|going|into|back|node|entry|entries|all|each)", re.IGNORECASE)  # fmt: skip
_FOREIGN = re.compile(
    r"(?:numeric\w*|check\w*|finite|diff\w*|expected|torch|autograd|true|err\w*|tolerance|eps\w*|time|"
    r"seconds?|local|learning|lr|rate|updated?|new|relative|absolute|max\w*|close|should|reference|jacobian|"
    r"target|compar\w*|correct|sympy|seed)", re.IGNORECASE)  # fmt: skip
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_BASE = re.compile(r"\d+")
_ROW = re.compile(r"(\w+)\s+(?:row|entry|element)\s*#?(\d+)\b", re.IGNORECASE)
_SLOPE_HEAD = re.compile(r"[d∂]\w*/[d∂]\w*")


@dataclass(frozen=True)
class Reading:
    """What a label names: keys, the likeliest first, and how sure that is.

    `place` is the entry that a label names, as written; `gradient` whether it speaks of a gradient
    (None: of neither), `foreign` that it is about something else, such as a numerical check.
    """

    keys: tuple[Key, ...] = ()
    sure: int = NONE
    gradient: bool | None = None
    place: tuple[int, ...] = ()
    foreign: bool = False
    numbered: bool = False  # a name such as q3, which may be of another's counting
    words: bool = True  # whether there is a label


class Labels:
    """The names of a trace, as labels spell them."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        own = {*trace.graph.inputs, *trace.graph.lets}
        self.numbered = {q.name for q in trace.gates if q.name not in own}
        quantities = (*trace.inputs, *trace.gates)
        self.names: dict[str, Quantity] = {}
        folded: dict[str, list[Quantity]] = {}
        for q in quantities:
            self.names[_normal(q.name)] = q
            folded.setdefault(_normal(q.name).lower(), []).append(q)
        for name, found in folded.items():
            if len(found) == 1:
                self.names.setdefault(name, found[0])
        self.results = {
            n for n in (trace.letter, *_RESULTS) if trace.result and _normal(n) not in self.names
        }
        self.formulas = _formulas(trace)

    def read(self, label: str, heading: str = "", inherited: Quantity | None = None) -> Reading:
        """What a label names; `inherited` is what the label before it named, for "grad=" alone."""
        plain = _ROW.sub(r"\1[\2]", _left(label))
        if not plain:
            return Reading(gradient=_tendency(heading), words=False)
        if match := _QUOTIENT.search(plain):
            if found := self._named(match["name"]):
                return self._reading(found, True, SURE, _place(match["place"]))
            split = self._tensor_entry(match["name"])
            return split or Reading(gradient=True, foreign=bool(_foreign(plain)))
        match = _FORMULA.search(plain)
        if match and not self._is_name(match[0]):
            slope = bool(_GRADIENT.search(plain[: match.start()]))
            tends = slope or _tendency(heading)
            found = self.formulas.get(_squeezed(match[0]))
            if found is None:
                keys = self._by_sign(plain[match.start() :], bool(tends))
                return Reading(keys, LIKELY if keys else NONE, tends)
            return replace(self._reading(found, bool(tends), SURE), numbered=False)
        return self._by_words(plain, heading, inherited)

    def _by_words(self, plain: str, heading: str, inherited: Quantity | None) -> Reading:
        named, unknown, gradient, value = self._sorted(plain)
        foreign = any(_FOREIGN.fullmatch(w) for w in unknown)
        if not named and gradient and inherited is not None and not unknown:
            return self._reading(inherited, True, SURE)
        tends = True if gradient else False if value else _tendency(heading)
        if not named:
            keys = self._by_function([*unknown], tends)
            return Reading(keys, LIKELY if keys else NONE, tends, foreign=foreign)
        respect = re.search(r"(?:wrt|w\.r\.t\.?|respect to)\s+(\w+)", plain)
        distinct = {q for q, *_ in named}
        if len(distinct) > 1 and respect:
            named = [n for n in named if _normal(n[0].name) == _normal(respect[1])] or named
        elif len(distinct) > 1 and not any(n[1] for n in named) and not gradient:
            return Reading(gradient=tends, foreign=foreign)  # a formula of several names
        chosen = next((n for n in named if n[1]), named[-1])
        quantity, own_gradient, place, sure = chosen
        slope = own_gradient or gradient or (bool(tends) and not value)
        sure = min(sure, LIKELY if unknown else SURE)
        reading = self._reading(quantity, slope, sure, place)
        return Reading(reading.keys, reading.sure, slope, place, foreign, reading.numbered)

    def _is_name(self, text: str) -> bool:
        """Whether what looks like a formula is a name in words: f(x, w), grad(w1), pre-activation."""
        if _squeezed(text) in self.formulas:
            return False
        first, call, _ = text.partition("(")
        words = re.findall(r"[^\W\d]\w*", text)
        if call and (_GRADIENT.fullmatch(first) or self._entry(first.strip(), "")):
            return True
        if any(_GRADIENT.fullmatch(w) or _VALUE.fullmatch(w) for w in words):
            return True
        functions = any(_is_function(w.lower(), q.node) for w in words for q in self.trace.gates)
        if call and functions and not any(c in text for c in "*/+@^"):
            return not any(self._named(w) for w in words)
        return not functions and not any(self._named(w) for w in words)

    def _sorted(self, plain: str) -> tuple[list[_Named], list[str], bool, bool]:
        """The words of a label: names, what is not known, and whether gradients or values are meant."""
        named: list[_Named] = []
        unknown: list[str] = []
        gradient = value = False
        for match in _WORD.finditer(plain):
            word = match["key"] or match["name"] or match[0]
            first, _, rest = word.rpartition(".")
            if _GRADIENT.fullmatch(rest) and first:
                word, gradient = first.rpartition(".")[2], True
            elif rest in ("data", "value", "val", "item", "T") and first:
                word, value = first.rpartition(".")[2], True
            elif first:
                word = rest
            entry = self._entry(word, match["place"] or "")
            if entry is not None:
                named.append(entry)
            elif _GRADIENT.fullmatch(word):
                gradient = True
            elif _VALUE.fullmatch(word):
                value = True
            elif not _FILLING.fullmatch(word):
                unknown.append(word)
        return named, unknown, gradient, value

    def _entry(self, word: str, place: str) -> tuple[Quantity, bool, tuple[int, ...], int] | None:
        """A word as a name, with or without the affixes of a gradient or a value."""
        if found := self._named(word):
            return found, False, _place(place), SURE
        for length in range(len(word) - 1, 0, -1):
            if _BEFORE.fullmatch(word, 0, length) and (found := self._named(word[length:])):
                return found, True, _place(place), SURE
        for length in range(1, len(word)):
            found = self._named(word[:length])
            if found and _AFTER.fullmatch(word, length):
                return found, True, _place(place), SURE
            if found and _VALUE_AFTER.fullmatch(word, length):
                return found, False, _place(place), SURE
        if word in self.results and self.trace.result:
            sure = LIKELY if word in _VAGUE else SURE
            return self.trace.result, False, _place(place), sure
        bare = re.fullmatch(r"(d_?|grad_?)?([A-Za-z]+)_?(\d)_?(\d)?", word)
        if bare and (found := self._named(bare[2])) and found.node.shape:
            digits = tuple(int(d) for d in bare.groups()[2:] if d)
            return found, bool(bare[1]), digits, SURE
        return None

    def _tensor_entry(self, word: str) -> Reading | None:
        entry = self._entry(word, "")
        if entry is None:
            return None
        return self._reading(entry[0], True, SURE, entry[2])

    def _named(self, word: str) -> Quantity | None:
        normal = _normal(word)
        return self.names.get(normal) or (
            self.names.get(normal.lower()) if len(normal) > 1 else None
        )

    def _reading(
        self, quantity: Quantity, gradient: bool, sure: int, place: tuple[int, ...] = ()
    ) -> Reading:
        key = (quantity.node, gradient)
        if gradient and quantity.gradient is None:
            return Reading(gradient=True)
        numbered = quantity.name in self.numbered and quantity is not self.trace.result
        return Reading((key,), sure, gradient, place, numbered=numbered)

    def _by_function(self, words: Iterable[str], gradient: bool | None) -> tuple[Key, ...]:
        """The gates of a function that a label names: the sines for "Output of sin"."""
        found: list[Key] = []
        for word in words:
            for part in re.split(r"[_\W\d]+", word.lower()):
                if not part:
                    continue
                for q in self.trace.gates:
                    if _is_function(part, q.node):
                        found += self._at(q, bool(gradient))
            if found:
                break
        return tuple(found)

    def _by_sign(self, text: str, gradient: bool) -> tuple[Key, ...]:
        """The gates of an operation that is written by its sign: 1/, 2 +, sin^2, v**2."""
        power = re.search(r"(?:\^|\*\*)\s*2", text)
        operator = next((c for c in text if c in _SIGNS), "")
        words = [w for w in re.findall(r"[^\W\d]\w*", text) if not _FILLING.fullmatch(w)]
        numbers = [
            float(n) for n in re.findall(r"\d+\.?\d*", text[: power.start()] if power else text)
        ]
        found: list[Key] = []
        for q in self.trace.gates:
            sign, args = unicodedata.normalize("NFKC", q.node.gate.sign), q.node.args
            over_one = text.startswith("1/") and sign.startswith("1/")
            same = sign.endswith("x2") if power else over_one or sign == _SIGNS.get(operator)
            held = [float(a.value) for a in args if a.is_constant and not a.shape]
            fits = over_one or all(n in held for n in numbers)
            known = all(self._is_argument(w, args) for w in words)
            if same and fits and known:
                found += self._at(q, gradient)
        return tuple(found)

    def _is_argument(self, word: str, args: Iterable[Node]) -> bool:
        """Whether a word names an argument, or the function that it comes from."""
        named = self._named(word)
        return any((named and named.node is a) or _is_function(word.lower(), a) for a in args)

    def _at(self, gate: Quantity, gradient: bool) -> list[Key]:
        """A gate's value; a "gradient of sin" may be that of its output or of its input."""
        if not gradient:
            return [(gate.node, False)]
        near = [n for n in (gate.node, *gate.node.args) if n in self.trace.quantities]
        return [(n, True) for n in near if self.trace.quantities[n].gradient is not None]


def in_columns(items: Sequence[Item]) -> Iterator[Item]:
    """Each number of a table by itself, its head before its label; what is compared with is left out.

    A table has a value and a gradient among the words above its numbers.
    """
    row: list[Item] = []
    for item in items:
        if row and (item.label or item.line != row[0].line):
            yield from _apart(row)
            row = []
        row.append(item)
    yield from _apart(row)


def _apart(row: list[Item]) -> Iterator[Item]:
    numbers = [n for item in row for n in item.numbers]
    heads = _heads(row[0].heading) if len(numbers) > 1 and row[0].label else []
    if not {"value", "gradient"} <= {*heads} or len(numbers) > len(heads):
        yield from row
        return
    first = row[0]
    for head, number in zip(heads, numbers, strict=False):
        if head:
            yield Item(f"{head} {first.label}", "", (number,), first.line)


def _heads(heading: str) -> list[str]:
    """The heads of columns of numbers; "" for one of numbers that are no value and no gradient."""
    found = []
    for word in re.split(r"[\s|,;]+", heading.strip(" |,;:\t")):
        if _GRADIENT.fullmatch(word) or _SLOPE_HEAD.fullmatch(word):
            found.append("gradient")
        elif _VALUE.fullmatch(word):
            found.append("value")
        elif found and word.strip("-=_"):
            found.append("")
    return found


def _left(label: str) -> str:
    """What stands left of the first "=", without arrows and colons at the end."""
    text = label.rpartition("->")[2].rpartition("→")[2].strip(" \t:=≈~|-") or label.strip(
        " \t:=≈~|-"
    )
    left = text.partition("=")[0].strip(" \t:≈~|")
    return left or text


def _foreign(plain: str) -> bool:
    return any(_FOREIGN.fullmatch(w) for w in re.findall(r"[A-Za-z]+", plain))


def _tendency(heading: str) -> bool | None:
    """Whether a heading announces gradients, or values."""
    for word in re.findall(r"\w+|[∂δ∇]", heading):
        if _GRADIENT.fullmatch(word):
            return True
        if _VALUE.fullmatch(word):
            return False
    return None


def _normal(name: str) -> str:
    return name.replace("_", "").rstrip("'")


def _squeezed(text: str) -> str:
    return re.sub(r"\b(?:np|math|torch)\.|\s", "", text)


def _place(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in _BASE.findall(text))


def _is_function(word: str, node: Node) -> bool:
    """Whether a word names a gate's function: sin, sine, mul, multiplication."""
    name = node.gate.name
    wanted = ALIASES.get(word, word)
    if wanted == name:
        return True
    short = min(len(name), 5)
    summary = re.match(r"\w+", node.gate.summary)
    if summary and len(summary[0]) > 3 and word.startswith(summary[0].lower()[:5]):
        return True
    return len(word) >= 3 and (
        word.startswith(name[:short]) or (len(word) == 3 and name.startswith(word))
    )


def _formulas(trace: Trace) -> Mapping[str, Quantity]:
    """The gates by their formula, over names and written out, as far as it is short and only one's."""
    names = {q.node: q.name for q in (*trace.inputs, *trace.gates)}
    inputs = {q.node: q.name for q in trace.inputs}
    found: dict[str, Quantity | None] = {}
    if len(trace.gates) > 200:
        return {}
    whole: dict[Node, int] = {}
    for q in trace.gates:
        whole[q.node] = 1 + sum(whole.get(a, 0) for a in q.node.args)
        texts = {_squeezed(formula(q.node, names))}
        if whole[q.node] <= 6:
            texts.add(_squeezed(formula(q.node, inputs)))
        for text in texts:
            found[text] = None if text in found else q
    return {text: q for text, q in found.items() if q is not None}
