r"""What stands before a bracket: a letter that is a function, as σ(z), a line h(x) = ... with other things put in, 1[x > 0]."""

from __future__ import annotations

from report.autodiff.inputs import CONSTANTS
from report.autodiff.parser.latex import names
from report.autodiff.parser.latex.calls import _Calls
from report.autodiff.parser.latex.state import Definition
from report.autodiff.parser.latex.tree import (
    Applied,
    Compared,
    Group,
    Joined,
    Letter,
    Number,
    Part,
    Script,
    Sign,
)
from report.autodiff.parser.latex.values import (
    Operand,
)
from report.errors import shown


class _Applications(_Calls):
    """A letter that is a function, as σ(z), a line h(x) = ... with other things put in, 1[x > 0]."""

    def application(self, head: Part, argument: Part) -> Operand | None:
        """f(x), 1[x > 0], σ(z)_k^2; None where the two parts are factors."""
        inner = argument.base if isinstance(argument, Script) else argument
        if not isinstance(inner, Group) or inner.kind not in ("(", "[", r"\{"):
            return None
        condition = len(inner.parts) == 1 and isinstance(inner.parts[0], (Compared, Joined))
        applied: Operand | None = None
        if condition and self.is_indicator(head):
            applied = self.indicator(inner.parts[0], argument)
        elif isinstance(head, (Letter, Script)):
            applied = self.called(head, inner)
        if applied is None or not isinstance(argument, Script):
            return applied
        return self.with_scripts(applied, argument)

    def is_indicator(self, head: Part) -> bool:
        if isinstance(head, Script) and head.below is None and head.above is None:
            head = head.base
        return (
            (isinstance(head, Sign) and head.text == r"\indicator")
            or (isinstance(head, Number) and head.text == "1")
            or (
                isinstance(head, Letter)
                and head.base in ("I", "1", "mathbb1", "Ind", "indicator")
                and (head.font == "bb" or "I" not in self.known)
            )
        )

    def called(self, head: Letter | Script, group: Group) -> Operand | None:
        """A function that is a letter or a line: σ(z), h_θ(x); None where the name is a value."""
        letter = head.base if isinstance(head, Script) else head
        if not isinstance(letter, Letter):
            return None
        script = head if isinstance(head, Script) else None
        for label, below, above in self.labels(letter, script):
            definition = self.known.get(label)
            if definition is None or self.local(label) is not None:
                continue
            if (
                definition.line is not None
                and definition.params
                and len(definition.params) == len(group.parts)
            ):
                applied = self.with_params(definition, group)
                rest = Script(head.start, head.end, letter, below, above, 0)
                return (
                    applied if below is None and above is None else self.with_scripts(applied, rest)
                )
            return None
        base = self.base_label(letter)
        if self.local(base) is not None or self.is_index(letter.base):
            return None
        power = script.above if script is not None else None
        below = script.below if script is not None else None
        if script is not None and script.primes:
            raise self.error(
                "this is a derivative, not a value that can be computed from the inputs", head
            )
        if base == "sigma" or (base in ("Phi", "varphi", "phi") and self.printed):
            name = {"sigma": "sigmoid", "Phi": "normal_cdf"}.get(base, "normal_pdf")
            return self.apply_function(
                Applied(head.start, group.end, name, group, below, power, True)
            )
        if letter.base in ("e", "i") or base in CONSTANTS or base == "I":
            return None
        named = self.nearest_name(base)
        raise self.error(
            f"{shown(letter.base)} is no input, no line and no function that is known{named}", head
        )

    def with_params(self, definition: Definition, group: Group) -> Operand:
        """A line's value with other things in place of what it is a function of."""
        assert definition.params is not None
        same = all(
            isinstance(part, (Letter, Script))
            and self.label_of_part(part) == param
            and not self.is_local(param)
            for part, param in zip(group.parts, definition.params, strict=True)
        )
        known = all(param in self.known for param in definition.params)
        if same and known:
            return self.line_value(definition)
        if definition.busy:
            raise self.error(f"{definition.name} is defined by itself", group)
        given = {
            param: self.lower(part)
            for param, part in zip(definition.params, group.parts, strict=True)
        }
        definition.busy = True
        self.locals.append(given)
        try:
            return self.lower(definition.bodies[0])
        finally:
            self.locals.pop()
            definition.busy = False

    def label_of_part(self, part: Part) -> str:
        if isinstance(part, Letter):
            return self.base_label(part)
        assert isinstance(part, Script)
        if isinstance(part.base, Letter):
            return self.base_label(part.base) + (
                names.label_of((*(part.below or ()), *(part.above or ()))) or "?"
            )
        return "?"
