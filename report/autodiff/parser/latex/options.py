r"""What is written below a function: \text{axis }1, \text{kept}, n-1, a new shape, widths, a slope."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.graph import Gate
from report.autodiff.parser.latex.indices import split
from report.autodiff.parser.latex.tokens import Token

_SEVERAL = ("axis", "size", "stride", "padding", "shift")
_BARE = ("shape", "axes", "pad_width", "classes")  # whose meaning the gate's name says


def options_below(name: str, below: Sequence[Token]) -> dict[str, Any] | None:
    """The options of a gate as they stand below its name; None for anything else."""
    gate = GATES.get(name)
    if gate is None or not below:
        return None
    alone = _alone(gate, below)
    if alone is not None:
        return alone
    options: dict[str, Any] = {}
    last = ""
    for item in split(below):
        texts = [t.text for t in item]
        word = _word(item)
        value = _value(texts[1:] if word else texts)
        if word in gate.params and len(texts) == 1:
            options[word] = True
        elif word in gate.params and value is not None:
            options[word], last = value, word
        elif texts[:2] == ["n", "-"] and len(texts) == 3 and "ddof" in gate.params:
            options["ddof"] = value if value is None else -value
        elif not word and isinstance(value, int) and last in _SEVERAL:  # axis 1,2
            before = options[last]
            options[last] = (*before, value) if isinstance(before, tuple) else (before, value)
        elif not word and value is not None and (number := number_option(name, options)):
            options[number] = float(value)
        elif texts in (["rows"], ["columns"]) and "axis" in gate.params:
            options["axis"] = int(texts == ["columns"]) + 1
        else:
            return None
    if "axis" in options:  # axes count from 1
        axis = options["axis"]
        options["axis"] = tuple(a - 1 for a in axis) if isinstance(axis, tuple) else axis - 1
    return options


def _alone(gate: Gate, below: Sequence[Token]) -> dict[str, Any] | None:
    """The options where they are one thing; None for a list of them."""
    bare = next((option for option in _BARE if option in gate.params), "")
    if bare and all(t.kind == "num" or t.text in ("(", ")", ",", r"\times") for t in below):
        return _bare(bare, below)
    if below[0].text == "all entries" and "axis" in gate.params:
        return {}
    if below[0].text.strip() == "subscripts" and "subscripts" in gate.params:
        return {"subscripts": "".join(t.text for t in below[1:])}
    return None


def _word(item: Sequence[Token]) -> str:
    """The option that is told by its name; "" where none is."""
    if not item or not (item[0].kind == "word" or item[0].font == "text"):
        return ""
    word = item[0].text.strip().replace(" ", "_")
    return {"kept": "keepdims"}.get(word, word)


def number_option(name: str, given: Container[str] = ()) -> str:
    """The next option that is a number and needs no name: LeakyReLU's slope."""
    numbers = (o for o, v in GATES[name].params.items() if isinstance(v, float))
    return next((o for o in numbers if o not in given), "")


def _value(texts: list[str]) -> Any:
    """A number, with its sign, or several in brackets."""
    if texts[:1] == ["n"]:
        texts = texts[1:]
    if texts[:1] == ["("] and texts[-1:] == [")"]:
        numbers = [int(t) for t in texts[1:-1] if t.isdigit()]
        return tuple(numbers)
    sign = -1 if texts[:1] == ["-"] else 1
    texts = texts[1:] if texts[:1] in (["-"], ["+"]) else texts
    if len(texts) != 1:
        return _power_of_ten(texts, sign)
    try:
        return sign * (int(texts[0]) if texts[0].isdigit() else float(texts[0]))
    except ValueError:
        return None


def _power_of_ten(texts: list[str], sign: int) -> float | None:
    r"""2 \times 10^{-5}, 10^{-5}."""
    text = "".join(texts).replace(r"\times10^", "e").replace("{", "").replace("}", "")
    text = f"1e{text[3:]}" if text.startswith("10^") else text
    try:
        return sign * float(text)
    except ValueError:
        return None


def _bare(option: str, below: Sequence[Token]) -> dict[str, Any] | None:
    r"""3 \times 2 as a tuple, and axes, which count from 1; (0,0),(0,1) as pairs; a number alone."""
    numbers = tuple(int(t.text) for t in below if t.kind == "num" and t.text.isdigit())
    if option == "classes":
        return {option: numbers[0]} if len(numbers) == 1 else None
    if any(t.text == "(" for t in below):
        return {option: tuple(zip(numbers[::2], numbers[1::2], strict=True))}
    return {option: tuple(n - 1 for n in numbers) if option == "axes" else numbers}
