"""A call in a formula: what it names, which of its arguments become nodes, and which are options."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence, Sized
from typing import Any, NamedTuple

from report.autodiff.gates import GATES
from report.autodiff.gates.table import ALIASES
from report.autodiff.parser import literals
from report.autodiff.parser.dotted import LibraryName, infinite
from report.autodiff.parser.names import (
    FORMS,
    INSTEAD,
    NO_GATE,
    OPTIONS,
    STEPS,
    Form,
)
from report.autodiff.parser.source import Places
from report.errors import ReportError, nearest, shown

MAX_PARTS = 10_000  # of one list
_REQUIRED = frozenset({"shape", "pad_width", "classes", "groups"})
_NAMED = (*STEPS, *NO_GATE, *INSTEAD)
_ALIKE = 0.8  # of two names, one of which is a slip of the pen


class Call(NamedTuple):
    """What a call names, the arguments that become nodes, in order, and its options by name."""

    form: Form
    operands: list[ast.expr]
    options: dict[str, ast.expr]


def read(source: Places, e: ast.Call, names: Container[str]) -> Call:
    """The parts of a call; `names` are values, which cannot be called.

    Raises ReportError for an unknown function, a wrong number of arguments and an unknown option.
    """
    if isinstance(e.func, ast.Call):
        e = _layer(source, e, e.func)
    form = _form(source, e, names)
    order = GATES[form.name].torch_order if form.name in GATES else ()
    if order and len(e.args) > 1 and literals.is_number_or_shape(e.args[1]):
        e = _reordered(source, e, order)
    if form.leading:
        return _with_leading(source, e, form)
    operands: list[ast.expr] = e.args
    options: dict[str, ast.expr] = {}
    if e.keywords or form.operands is None or len(operands) != len(form.operands):
        operands, options = _sorted(source, e, form)
    if form.operands is None:
        (listed,) = operands
        if not isinstance(listed, (ast.List, ast.Tuple)) or not listed.elts:
            raise source.error(listed, f"{_written(e)} takes a list: {form.usage}")
        operands = listed.elts
        check_parts(source, listed, operands)
    return Call(form, operands, options)


def _layer(source: Places, e: ast.Call, made: ast.Call) -> ast.Call:
    """A layer that is made and applied at once, nn.Softmax(dim=1)(x), as a call of its function."""
    function = made.func
    if isinstance(function, ast.Attribute):
        function = ast.copy_location(LibraryName(function.attr, ast.Load()), function)
    name = function.id if isinstance(function, ast.Name) else ""
    form = known(name)
    if form is None:
        raise source.error(made, unknown(name) if name else "only a gate's name can be called")
    if made.args and len(form.operands or ()) - form.optional > len(e.args):
        raise source.error(
            made, f"the weights of {name} are inputs here; write {form.usage} with them"
        )
    args, keywords = [*e.args, *made.args], [*made.keywords, *e.keywords]
    return ast.copy_location(ast.Call(function, args, keywords), e)


def known(name: str) -> Form | None:
    """What a name of a function means, also in capitals or as the name of a layer: SUM, ReLU, MSELoss."""
    if name in FORMS:
        return FORMS[name]
    return next((FORMS[n] for n in FORMS if _folded(n) == _folded(name)), None)


def _folded(name: str) -> str:
    return name.replace("_", "").lower().removesuffix("loss")


def _reordered(source: Places, e: ast.Call, order: Sequence[str]) -> ast.Call:
    """A call in PyTorch's order, its arguments by name; a shape that says nothing new ("") is left out."""
    if len(e.args) > len(order):
        raise source.error(e, f"{_written(e)} takes {len(order)} arguments, not {len(e.args)}")
    named = [ast.keyword(n, a) for n, a in zip(order, e.args, strict=False) if n]
    return ast.copy_location(ast.Call(e.func, [], [*named, *e.keywords]), e)


def _with_leading(source: Places, e: ast.Call, form: Form) -> Call:
    """A call whose first argument is an option: einsum("ij,jk->ik", A, B)."""
    if len(e.args) < 2 or e.keywords:
        raise source.error(e, f"{_written(e)} is written {form.usage}")
    check_parts(source, e, e.args)
    return Call(form, e.args[1:], {form.leading: e.args[0]})


def check_parts(source: Places, e: ast.expr, parts: Sized) -> None:
    """ReportError for a list of so many parts that to go back through it would take for ever."""
    if len(parts) > MAX_PARTS:
        raise source.error(e, f"this list has more than {MAX_PARTS} parts; make it an input")


def options_of(source: Places, e: ast.Call, call: Call) -> dict[str, Any]:
    """The options of a call as values, with the defaults of those that are numbers."""
    form = call.form
    if not form.options and not call.options:
        return {}
    params = {k: v for k, v in form.options.items() if isinstance(v, float)}
    for name, given in call.options.items():
        value = _value(source, e, name, given, form.options.get(name))
        if name not in form.options:
            if value != form.neutral[name]:
                raise source.error(given, f"{_written(e)} has {name}={form.neutral[name]!r} only")
        else:
            params[name] = value
    for name, default in form.options.items():
        if name in _REQUIRED and default is None and name not in params:
            raise source.error(e, f"{_written(e)} needs {name}: {form.usage}")
    return params


def _value(source: Places, e: ast.Call, name: str, given: ast.expr, default: Any) -> Any:
    """The value of an option; infinity where it is a number."""
    if isinstance(default, float) and (sign := infinite(given)):
        return sign * source.infinite(given)
    if isinstance(given, (ast.Name, ast.Call, ast.BinOp)):  # a value where an option stands
        raise source.error(
            given,
            f"{name} of {_written(e)} is an option: a number, a tuple of whole numbers, True, False or "
            "None; several values are a list: [a, b]",
        )
    return literals.option(source, given, default)


def _form(source: Places, e: ast.Call, names: Container[str]) -> Form:
    function = e.func
    if not isinstance(function, ast.Name):
        raise source.error(e, "only a gate's name can be called, as in sin(x)")
    name = function.id
    if name in names and not isinstance(function, LibraryName):
        raise source.error(
            e, f"{name!r} is a value, not a function; write {name} * (...) for a product"
        )
    form = known(name)
    if form is None:
        raise source.error(e, unknown(name))
    return form


def unknown(name: str) -> str:
    """Why there is no function of that name, and what to write."""
    name = next((n for n in _NAMED if _folded(n) == _folded(name)), name)
    if name in STEPS:
        return f"there is no gate {name}: it is flat between its steps, so no gradient flows back"
    if name in NO_GATE:
        return f"{name} is not a gate: {NO_GATE[name]}"
    if name in INSTEAD:
        return f"there is no gate {name}; write {INSTEAD[name]}"
    near = nearest(name, (n for n in FORMS if n not in ALIASES), _ALIKE)
    return f"unknown function {shown(name)}{near or '; `report gates` lists the gates'}"


def _sorted(source: Places, e: ast.Call, form: Form) -> tuple[list[ast.expr], dict[str, ast.expr]]:
    """The arguments of a call as operands and options, wherever they stand and however they are named."""
    operands = ("",) if form.operands is None else form.operands
    slots = [*operands, *form.options, *form.neutral]
    if len(e.args) > len(slots):
        raise _wrong_count(source, e, form)
    placed: dict[int, ast.expr] = dict(enumerate(e.args))
    for pair in e.keywords:
        if pair.arg is None:
            raise source.error(e, "* and ** before an argument are not possible here")
        place = _place(pair.arg, slots)
        if place is None:
            known = ", ".join(form.options) or "none"
            raise source.error(
                pair.value, f"{_written(e)} has no option {shown(pair.arg)}; it has {known}"
            )
        if place in placed:
            raise source.error(pair.value, f"{slots[place]} is given twice")
        placed[place] = pair.value
    needed = len(operands) - form.optional
    given = sum(place in placed for place in range(len(operands)))
    if any(place not in placed for place in range(max(needed, given))):
        raise _wrong_count(source, e, form)
    first = len(operands)
    options = {slots[place]: value for place, value in placed.items() if place >= first}
    return [placed[place] for place in range(given)], options


def _place(name: str, slots: list[str]) -> int | None:
    """Where the argument of that name belongs, or of another name for the same."""
    for known in (name, *OPTIONS.get(name, ())):
        for place, slot in enumerate(slots):
            if slot and known in (slot, slot.lower()):
                return place
    return None


def _wrong_count(source: Places, e: ast.Call, form: Form) -> ReportError:
    wanted = 1 if form.operands is None else len(form.operands)
    given = len(e.args) + sum(
        _place(str(pair.arg), list(form.operands or ())) is not None for pair in e.keywords
    )
    arguments = f"{wanted} argument{'s' * (wanted != 1)}"
    return source.error(e, f"{_written(e)} takes {arguments}, not {given}: {form.usage}")


def _written(e: ast.Call) -> str:
    """The name as the formula has it, which may be another one than the gate's."""
    function: ast.expr = e
    while isinstance(function, ast.Call):
        function = function.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ast.unparse(function)
