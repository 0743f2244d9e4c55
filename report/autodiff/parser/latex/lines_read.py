r"""Lines as definitions: which is the result, and the value of each, read when its name is met."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from report.autodiff.parser.latex import indices, names
from report.autodiff.parser.latex.indices import Run, walk
from report.autodiff.parser.latex.lines import Line
from report.autodiff.parser.latex.state import Definition, _State
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Big, Letter, Part, Script
from report.autodiff.parser.latex.values import ATOM, Operand, Value
from report.errors import ReportError


class _Lines(_State):
    """Lines as definitions: which is the result, and the value of each, read when its name is met."""

    def is_acronym(self, tokens: Sequence[Token]) -> bool:
        """Whether capitals side by side are one name, as KL and MSE on a left side: none of them is another's."""
        return all(
            t.kind == "letter" and t.text.isupper() and t.text not in self.known for t in tokens
        )

    def define(self, line: Line) -> Definition:
        """Note a line under its name; its trees are made now, its values later."""
        bodies = [self.tree(tokens) for tokens in line.right]
        self.trees += bodies
        if not line.left:
            return Definition("", line=line, bodies=bodies)
        label = names.label_of([t for t in line.left if not (t.kind == "cmd" and t.text == r"\,")])
        start = line.left[0].start
        if label is None or any(
            t.text in ("+", "-", "/", "^") and not _in_script(line.left, i)
            for i, t in enumerate(line.left)
            if t.text != "^"
        ):
            raise self.places.at(
                "this is an equation: a line has one name on its left side, as in z = w x + b",
                start,
            )
        if _is_product(line.left) and not self.is_acronym(line.left):
            raise self.places.at(
                "this is an equation: a line has one name on its left side, as in z = w x + b",
                start,
            )
        if label in self.known:
            if self.known[label].is_input:
                raise self.places.at(
                    f"{self.known[label].name!r} is an input; give this line another name, or leave the input out",
                    start,
                )
            raise self.places.at("this name stands on the left of two lines", start)
        taken = [d.name for d in self.known.values()]
        definition = Definition(names.identifier(line.left, taken), line=line, bodies=bodies)
        if line.params is not None:
            definition.params = tuple(names.label_of(p) or "" for p in line.params)
        below = _below(line.left)
        definition.letters = (
            tuple(indices.letters_of(below))
            if below and all(t.kind == "letter" or t.text == "," for t in below)
            else ()
        )
        self.known[label] = definition
        if definition.letters:
            base = names.label_of(_without_below(line.left)) or ""
            if base not in self.known and self.runs(definition):
                del self.known[label]
                definition.name = names.identifier(_without_below(line.left), taken)
                self.known[base] = definition
            else:
                definition.letters = ()
        return definition

    def runs(self, definition: Definition) -> bool:
        """Whether the letters below a line's name are indices: they stand below a tensor in the line too."""
        for script in (p for body in definition.bodies for p in self.all_parts(body)):
            if not isinstance(script, Script) or not isinstance(script.base, Letter):
                continue
            found = {
                *indices.letters_of(script.below or ()),
                *indices.letters_of(script.above or ()),
            }
            if not found & set(definition.letters):
                continue
            if script.below and names.label_of(script.below) in self.known:
                continue  # s_{y_i} where y_i is an input
            base = self.base_label(script.base)
            whole = base + (names.label_of(script.below or ()) or "")
            if (
                whole in self.known
                and not self.known[whole].letters
                and self.known[whole] is not definition
            ):
                return False
            if base in self.known:
                known = self.known[base]
                if (
                    known.letters
                    or (isinstance(known.value, Value) and known.value.shape)
                    or known.line
                ):
                    return True
        return any(r.index in definition.letters for r in self.ranges)

    def result(self, bare: list[Definition]) -> Definition:
        """The line that is the function: the one without a name, or the one that no other line uses."""
        named = [d for d in dict.fromkeys(self.known.values()) if d.line is not None]
        if len(bare) > 1:
            raise self.error(
                "there are two values here, and neither has a name; give a line a name (z = ...)",
                bare[1].bodies[0],
            )
        if bare:
            return bare[0]
        used = {d.name for line in named for d in self.mentioned(line)}
        last = [d for d in named if d.name not in used]
        if len(last) == 1:
            return last[0]
        if not last:
            raise self.error(
                "each line uses another one, so none is the result", named[0].bodies[0]
            )
        told = ", ".join(d.name for d in last)
        raise self.error(
            f"several lines are used by no other line ({told}): leave one of them as the function",
            last[-1].bodies[0],
        )

    def mentioned(self, definition: Definition) -> Iterator[Definition]:
        """The lines whose names stand in a line."""
        for body in definition.bodies:
            for part in self.all_parts(body):
                if isinstance(part, (Letter, Script)):
                    base = part.base if isinstance(part, Script) else part
                    if isinstance(base, Letter):
                        for label in self.labels(base, part if isinstance(part, Script) else None):
                            if label[0] in self.known and self.known[label[0]] is not definition:
                                yield self.known[label[0]]
                                break

    def all_parts(self, part: Part) -> Iterator[Part]:
        """All parts, also those in scripts."""
        for p in walk(part):
            yield p
            for tokens in (getattr(p, "below", None), getattr(p, "above", None)):
                if isinstance(tokens, tuple):
                    try:
                        inner = self.tree(
                            [t for t in tokens if t.text not in ("=", r"\ne", "<", ":", ",")]
                        )
                    except ReportError:
                        continue
                    yield from self.all_parts(inner)

    def line_value(self, definition: Definition) -> Operand:
        """What a line gives, read once."""
        if definition.value is not None:
            return definition.value
        if definition.busy:
            raise self.error(
                f"{definition.name or 'this line'} is defined by itself", definition.bodies[0]
            )
        definition.busy = True
        outside = self.indices, self.locals, self.terms
        self.indices, self.locals, self.terms = {}, [], 1
        try:
            if definition.letters:
                value: Operand = self.indexed_line(definition)
            else:
                value = self.lower(definition.bodies[0])
                for other in definition.bodies[1:]:
                    self.inexact.append(
                        (self.sized(value, other), self.sized(self.lower(other), other), other)
                    )
        finally:
            self.indices, self.locals, self.terms = outside
            definition.busy = False
        if definition.name and isinstance(value, Value):
            value = self.let(definition.name, value)
        definition.value = value
        return value

    def let(self, name: str, value: Value) -> Value:
        """A value under the name of its line."""
        node = value.node
        if node.name is None and not node.is_constant:
            node.name = name
        self.reader.fresh.discard(node)
        self.reader.lets[name] = node
        self.lets.append((name, value))
        return replace(value, text=name, binding=ATOM)

    def indexed_line(self, definition: Definition) -> Value:
        """y_i = ... for every i: one tensor."""
        body = definition.bodies[0]
        sizes = [self.extent(body, letter, definition) for letter in definition.letters]
        runs = [Run(name, 1, n) for name, n in zip(definition.letters, sizes, strict=True)]
        value = self.at_once(body, runs)
        if value is not None and value.axes == definition.letters:
            return replace(value, axes=())
        self.within_limit(math.prod(sizes), body)

        def rows(done: tuple[int, ...]) -> Value:
            if len(done) == len(sizes):
                with self.indexed(dict(zip(definition.letters, done, strict=True))):
                    return self.sized(self.lower(body), body)
            return self.stacked([rows((*done, i)) for i in range(1, sizes[len(done)] + 1)], body)

        return rows(())

    def extent(self, body: Part, letter: str, definition: Definition) -> int:
        """How far the index of a line runs."""
        for told in self.ranges:
            if told.index == letter:
                return self.whole(self.tree(told.last))
        found = self.longest(letter, [body])
        if found is None:
            for tree in self.trees:  # how far sums over its entries go
                for big in (p for p in walk(tree) if isinstance(p, Big) and p.above and p.below):
                    names_below = indices.letters_of(big.below or ())
                    if names_below and self.stands_below(big.body, definition.name, names_below[0]):
                        return self.whole(self.tree(big.above or ()))
            raise self.error(f"nothing says how far {letter} runs", body)
        return found

    def stands_below(self, part: Part, name: str, letter: str) -> bool:
        return any(
            isinstance(s.base, Letter)
            and self.base_label(s.base) == name.replace("_", "")
            and letter in indices.letters_of(s.below or ())
            for s in indices.scripts_in(part)
        )

    def check_equal(self) -> None:
        """The sides of f = a = b must be equal at these inputs."""
        for a, b, part in self.inexact:
            x, y = self.at_inputs(a), self.at_inputs(b)
            if (
                x is None
                or y is None
                or x.size != y.size
                or not np.allclose(x.ravel(), y.ravel(), rtol=1e-9, atol=1e-12)
            ):
                raise self.error(
                    "the two sides of this = differ at these inputs; leave one of them", part
                )

    def check_cases(self) -> None:
        """Of cases without an otherwise one must hold at these inputs."""
        for conditions, part in self.must_hold:
            found = [self.at_inputs(c) for c in conditions]
            if any(f is None for f in found) or not np.all(
                sum(np.asarray(f, dtype=float) for f in found) > 0
            ):
                raise self.error(
                    r"none of these cases holds at these inputs; end them with \text{otherwise}",
                    part,
                )

    def labels(
        self, letter: Letter, script: Script | None
    ) -> Iterator[tuple[str, tuple[Token, ...] | None, tuple[Token, ...] | None]]:
        """The names that a letter with scripts may be, the longest first, and the scripts that are left."""
        base = self.base_label(letter)
        bare = letter.base
        accents = "".join(letter.accents)
        if script is None:
            yield base, None, None
            if letter.base == "ell":
                yield "l", None, None
            return
        prime = "prime" * script.primes
        below = self.plain_label(script.below)
        above = self.raised_label(script.above)
        if above is not None and below is not None:
            for label in (
                base + prime + below + above,
                base + prime + above + below,
                base + below + prime + above,
                bare + below + accents + prime + above,
            ):
                yield label, None, None
        if below is not None:
            for label in (
                base + prime + below,
                base + below + prime,
                bare + below + accents + prime,
            ):
                yield label, None, script.above
        if above is not None:
            for label in (
                base + prime + above,
                base + above + prime,
                bare + above + accents + prime,
            ):
                yield label, script.below, None
        for cut, token in reversed(list(enumerate(script.below or ()))):
            if (
                token.text in (",", ";") and script.below is not None and cut
            ):  # x_{1,i}: entry i of x_1
                own = names.label_of(script.below[:cut])
                if own is not None and script.below[cut + 1 :]:
                    yield base + prime + own, script.below[cut + 1 :], script.above
        yield base + prime, script.below, script.above

    def plain_label(self, tokens: tuple[Token, ...] | None) -> str | None:
        if tokens is None:
            return None
        return names.label_of(tokens)

    def raised_label(self, tokens: tuple[Token, ...] | None) -> str | None:
        """What stands above as part of a name: (1), [l], a word, a star; a single letter may be one."""
        if tokens is None:
            return None
        texts = [t.text for t in tokens]
        if texts and texts[0] in ("(", "[", r"\langle") and texts[-1] in (")", "]", r"\rangle"):
            return names.label_of(tokens[1:-1])
        if len(tokens) == 1 and (
            tokens[0].text in ("*", r"\star", r"\ast", r"\dagger", "+", "-")
            or tokens[0].kind in ("word", "letter")
        ):
            return {"-": "minus"}.get(tokens[0].text) or names.label_of(tokens)
        if len(tokens) > 1 and all(t.kind in ("letter", "word") for t in tokens):
            return names.label_of(tokens)
        if any(t.text in ("(", "[") for t in tokens):
            return None
        return None


def _in_script(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token stands inside braces of a script."""
    depth = 0
    for token in tokens[:at]:
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "char" else 0
    return depth > 0


def _below(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """What stands below a name."""
    for i, token in enumerate(tokens):
        if token.text == "_" and token.kind == "char":
            if i + 1 < len(tokens) and tokens[i + 1].text == "{":
                end = next((j for j in range(i, len(tokens)) if tokens[j].text == "}"), len(tokens))
                return tuple(tokens[i + 2 : end])
            return tuple(tokens[i + 1 : i + 2])
    return ()


def _without_below(tokens: Sequence[Token]) -> list[Token]:
    for i, token in enumerate(tokens):
        if token.text == "_" and token.kind == "char":
            if i + 1 < len(tokens) and tokens[i + 1].text == "{":
                end = next((j for j in range(i, len(tokens)) if tokens[j].text == "}"), len(tokens))
                return [*tokens[:i], *tokens[end + 1 :]]
            return [*tokens[:i], *tokens[i + 2 :]]
    return list(tokens)


def _is_product(tokens: Sequence[Token]) -> bool:
    """Whether a left side holds two letters side by side, or a power: an equation."""
    depth = 0
    names_found = 0
    previous = ""
    for token in tokens:
        if token.kind == "char" and token.text in "{}":
            depth += 1 if token.text == "{" else -1
        elif depth == 0 and previous not in ("_", "^"):
            if token.kind == "num":
                return True
            if token.kind in ("letter", "word"):
                names_found += 1
        if depth == 0 and previous == "^" and token.kind == "num":
            return True
        if token.text not in "{}":
            previous = token.text
        elif token.text == "}":
            previous = ""
    return names_found > 1
