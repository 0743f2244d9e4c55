"""The text of a formula: its statements one after another, and errors that point into it.

Python's own parser reads the text, a block of lines at a time, so that a fault is found early and a
text of 100 000 lines needs no more memory than its graph. Nothing here is evaluated.
"""

from __future__ import annotations

import ast
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from report.autodiff.domain_errors import underlined
from report.autodiff.parser import spellings
from report.autodiff.parser.typed_tokens import Unreadable
from report.errors import ReportError, shown
from report.plain_values import as_text

MAX_TEXT = 8_000_000  # characters
MAX_LINES = 150_000
MAX_LINE = 20_000  # characters in one line
MAX_STATEMENT = 500_000  # characters of one statement, on all its lines
BLOCK, BLOCK_SIZE = 200, 20_000  # lines, characters that are read together
_NAME_PARTS = "give parts of it names on lines of their own (z = ...)"
_INSTEAD = {
    "⊗": "outer(a, b) of two vectors, kron(A, B) of matrices",
    "∂": "the function itself",
    "∇": "the function itself",
}
_POWER = re.compile(r"\b([A-Za-z]\w*)\s*\^\s*(\w+)")
_LET = re.compile(r"\s*([A-Za-z]\w*)\s*=(?!=)")

_SYNTAX = {  # what Python says about a text, and how it is said here
    r"('.' was never closed|unmatched '.')": r"\1",
    r"closing parenthesis ('.') does not match opening parenthesis ('.')": r"\1 does not close \2",
    r"<a, b>": "an inner product is written dot(a, b)",
    r"expected an indented block": "this is no let-line (z = ...) and no expression",
    r"indent": "unexpected indent: all lines begin in one column",
    r"unterminated": "a quote mark is not closed",
    r"Exceeds the limit": "this number is too large for a float64",
    r"too many nested": f"too many brackets inside each other; {_NAME_PARTS}",
    r"leading zeros": "a number begins with no 0 but before a point: 1, not 01",
    r"continuation character": "a line goes on after \\\\ at its very end only",
    r"keyword argument repeated: (\w+)": r"\1 is given twice",
    r"positional argument follows": "an argument without a name comes before those that have one",
    r"Generator expression": "a comprehension is not possible in a function",
    r"cannot assign|'=='|\"==\"": "a name is given on a line of its own: z = ...",
}


LARGE = 1e9  # of whose negative an exponential makes 0


class Places:
    """A formula's text, and errors that point into it."""

    readings: tuple[str, ...] = ()  # what was chosen where a sign could mean something else
    above = margin = 0  # lines and columns of the text before the code that is being read
    infinity = LARGE  # what stands for an infinite number
    unbounded = ""  # why no infinite number can stand where the first one stands
    columns: Mapping[int, Sequence[int]] = MappingProxyType({})  # of code, in the text, by line

    def __init__(self, text: Any) -> None:
        own = as_text(text)
        if own is None:
            raise ReportError(f"the function must be text, not {shown(text)}")
        if len(own) > MAX_TEXT:
            raise ReportError(f"the function has {len(own)} characters; {MAX_TEXT} are possible")
        self.text = own.replace("\r\n", "\n")
        self.lines = self.text.split("\n")

    def place(self, e: ast.expr) -> tuple[int, int, int]:
        """(line, column, end column) of an expression in the text; an end on a later line is cut."""
        line = e.lineno + self.above
        end = self._column(line, e.end_col_offset or 0)
        if e.end_lineno != e.lineno:
            end = len(self.lines[line - 1])
        return line, self._column(line, e.col_offset), end

    def _column(self, line: int, column: int) -> int:
        """The column of the text in which a character of the code stands."""
        columns = self.columns.get(line)
        if columns is not None:
            column = columns[column] if column < len(columns) else columns[-1] + 1
        return column + self.margin

    def error(self, e: ast.AST, message: str, after: ast.expr | None = None) -> ReportError:
        """An error at e, or at the operator that follows `after`."""
        if after is not None and after.end_lineno is not None:
            line = after.end_lineno + self.above
            column = self._column(line, after.end_col_offset or 0)
            rest = self.lines[line - 1][column:]
            return self.placed(message, line, column + len(rest) - len(rest.lstrip(" )")))
        line, column = getattr(e, "lineno", 1), getattr(e, "col_offset", 0)
        return self.placed(message, line + self.above, self._column(line + self.above, column))

    def infinite(self, e: ast.expr) -> float:
        """The number that stands for infinity, which is noted."""
        if not self.unbounded:
            message = (
                "an infinite number can stand only where nothing of it is left: before a softmax, in a "
                "max or min, as a bound"
            )
            self.unbounded = str(self.error(e, message))
        return self.infinity

    def placed(self, message: str, line: int, column: int) -> ReportError:
        """An error at a line (from 1) and column (from 0) of the text."""
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return ReportError(
            f"{message}\n  in the function, line {line}, column {column + 1}:\n"
            + underlined(source, min(column, len(source)))
        )

    def is_respelled(self, e: ast.expr) -> bool:
        """Whether the line of an expression was written again (see `spellings`)."""
        return e.lineno + self.above in self.columns

    def last_character(self, e: ast.expr) -> str:
        """How the text writes the end of an expression."""
        line, _, end = self.place(e)
        return self.lines[line - 1][end - 1 : end]

    def line_of(self, at: int) -> tuple[int, int]:
        """The line (from 1) and column (from 0) of a character of the text."""
        before = self.text[:at]
        return before.count("\n") + 1, at - before.rfind("\n") - 1

    def at(self, message: str, at: int) -> ReportError:
        """An error at a character of the text."""
        return self.placed(message, *self.line_of(at))


class Source(Places):
    """A formula in Python's syntax. `statements` yields each; the `place` of a part is in the text."""

    def __init__(self, text: Any, names: Container[str] = ()) -> None:
        super().__init__(text)
        if len(self.lines) > MAX_LINES:
            raise ReportError(f"the function has {len(self.lines)} lines; {MAX_LINES} are possible")
        self._check_length()
        # A formula may be indented as a block, as in a TOML file; places count columns of `text`.
        self.code = textwrap.dedent(self.text).split("\n")
        self.margin = next(
            (len(a) - len(b) for a, b in zip(self.lines, self.code, strict=True) if b.strip()), 0
        )
        self._open_function()
        if "#" in self.text:  # a comment may hold what Python does not read
            self.code = [line.split("#", 1)[0] for line in self.code]
        self._spell(names)
        self._check_characters()
        self.above = 0  # lines above the block that is being read

    def _open_function(self) -> None:
        """Leave out the first line of a Python function, and the indent of the others."""
        first = next((i for i, line in enumerate(self.code) if line.strip()), 0)
        if not spellings.DEF.fullmatch(self.code[first]):
            return
        body = textwrap.dedent("\n".join(self.code[first + 1 :])).split("\n")
        inner = next(
            (x for x in zip(self.code[first + 1 :], body, strict=False) if x[1].strip()), ("", "")
        )
        self.margin += len(inner[0]) - len(inner[1])
        self.code = ["" for _ in self.code[: first + 1]] + body

    def _spell(self, names: Container[str]) -> None:
        """Write every line in Python's syntax; a line that names a value makes its name known."""
        typed = tuple(self.code)
        lets: set[str] = set()
        columns: dict[int, list[int]] = {}
        depth = 0
        matlab = any(map(spellings.is_matlab, typed))

        every = {let[1] for line in self.code if (let := _LET.match(line))}

        def is_value(name: str) -> bool:
            return name in names or name in lets or name.removesuffix("_") == "lambda"

        def products(name: str) -> list[list[str]]:
            return [] if name in every else spellings.product_of_names(name, is_value)

        read: dict[str, None] = {}

        for number, given in enumerate(self.code, 1):
            shift, line = 0, given
            if depth <= 0 and (dropped := spellings.before_expression(line)):
                shift, line = dropped, line[dropped:]
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
            plain = spellings.with_equals(line)
            head = spellings.head_of_function(plain)
            if head and not is_value(head[1]):  # f(x, w) = ...: the name of the result
                name = " " * head.start(1) + f"{head[1]} ="
                plain = name.ljust(len(head[0])) + plain[head.end() :]
            try:
                written, places = spellings.as_python(plain, is_value, products, matlab)
            except Unreadable as error:
                raise self.placed(str(error), number, error.column + shift + self.margin) from None
            except RecursionError:
                message = f"this has too many parts in a row or inside each other; {_NAME_PARTS}"
                raise self.placed(message, number, self.margin) from None
            if shift or (places is not None and written != line):
                places = [*range(len(written))] if places is None else places
                columns[number] = [column + shift for column in places]
            self.code[number - 1] = written
            read |= spellings.products_read(line, written, products)
            if let := _LET.match(written):
                lets.add(let[1])
        self.columns = columns
        if any("^" in line and number in columns for number, line in enumerate(typed, 1)):
            said = _POWER.search("\n".join(typed))
            example = f": {said[1]}^{said[2]} is {said[1]}**{said[2]}" if said else ""
            self.readings = (f"^ is a power{example}",)
        self.readings += tuple(read)
        if matlab and any(re.search(r"(?<![.*])\*(?!\*)", line) for line in typed):
            self.readings += ("a plain * is the product of matrices, as in MATLAB",)

    def _check_length(self) -> None:
        if max(map(len, self.lines)) > MAX_LINE:
            number, line = next((i, x) for i, x in enumerate(self.lines, 1) if len(x) > MAX_LINE)
            raise ReportError(
                f"line {number} of the function has {len(line)} characters; {MAX_LINE} are "
                f"possible: {_NAME_PARTS}"
            )

    def _check_characters(self) -> None:
        for number, code in enumerate(self.code, 1):
            if not code.isascii() or not code.replace("\t", "").isprintable():
                raise self._odd_character(number, code)

    def statements(self) -> Iterator[ast.stmt]:
        """Every statement in order; ReportError where the text is not Python."""
        start = 0
        while start < len(self.code):
            end = self._end_of_block(start, BLOCK)
            yield from self._parsed(start, end)
            start = end

    def _end_of_block(self, start: int, lines: int) -> int:
        """The line after a block: outside all brackets, and after no line that goes on."""
        depth = size = 0
        for at in range(start, len(self.code)):
            line = self.code[at]
            size += len(line)
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
            if depth <= 0 and not line.endswith("\\"):
                if at - start + 1 >= lines or size > BLOCK_SIZE:
                    return at + 1
            elif size > MAX_STATEMENT:
                raise self.placed(
                    f"this has more than {MAX_STATEMENT} characters; {_NAME_PARTS}", start + 1, 0
                )
        return len(self.code)

    def _parsed(self, start: int, end: int) -> Iterator[ast.stmt]:
        """The statements of a block; when it is too much for Python's parser, of one line after another."""
        self.above = start
        block = "\n".join(self.code[start:end])
        try:
            statements = _quietly(ast.parse, block).body
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (RecursionError, MemoryError):
            after = self._end_of_block(start, 1)
            if after < end:
                yield from self._parsed(start, after)
                yield from self._parsed(after, end)
                return
            chain = _quietly(_long_chain, block)
            if chain is None:
                message = f"this has too many parts in a row or inside each other; {_NAME_PARTS}"
                raise self.placed(message, start + 1, self.margin) from None
            statements = [chain]
        yield from statements

    def _syntax_error(self, error: SyntaxError) -> ReportError:
        line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
        said = error.msg or ""
        source = self.code[line + self.above - 1] if line + self.above <= len(self.code) else ""
        if re.search(r"<[^<>=]+,[^<>=]+>", source):
            said = "<a, b>"
        for pattern, words in _SYNTAX.items():
            if found := re.search(pattern, said):
                message = found.expand(words)
                break
        else:
            message = "this is not a formula; is an operator missing?"
            lines = self.code[self.above :]
            if line > len(lines) or not lines[line - 1][column:].strip():
                message = "something is missing here: an operand, or a bracket"
        return self.placed(message, line + self.above, column + self.margin)

    def _odd_character(self, number: int, code: str) -> ReportError:
        at = next(i for i, c in enumerate(code) if not (c == "\t" or " " <= c <= "~"))
        character = code[at]
        at = self._column(number, at)
        name = unicodedata.name(character, "a control character")
        instead = _INSTEAD.get(character)
        remedy = f"write {instead}" if instead else "names and signs are plain ASCII"
        shown = f"{character} " if character.isprintable() else ""
        return self.placed(
            f"{shown}U+{ord(character):04X} ({name}) cannot be read; {remedy}", number, at
        )


def _quietly(parse: Callable[[str], Any], text: str) -> Any:
    """Python warns of what is no fault here, such as a comparison of numbers by `is`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parse(text)


_TERMS = 900  # that are parsed together


_TOKEN = re.compile(
    r"(?P<operand>[A-Za-z_]\w*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<operator>\*\*|[-+*/@])|(?P<other>\S)"
)


_BEFORE = "_"  # stands for the terms before a part; no name of a formula


def _long_chain(line: str) -> ast.stmt | None:
    """The statement in a line that is such a chain (z = a + b + c ...), None for any other line.

    The places of its parts are columns of the line, as those of `ast.parse` are.
    """
    head = re.match(r"[A-Za-z]\w*\s*=(?!=)", line)
    cuts = _cuts(line, head.end() if head else 0)[_TERMS::_TERMS]
    if not cuts:
        return None
    try:
        (statement,) = ast.parse(line[: cuts[0]]).body
        if not isinstance(statement, (ast.Assign, ast.Expr)):
            return None
        for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True):
            part = ast.parse(f"({_BEFORE:>{start - 1}}{line[start:end]})", mode="eval").body
            statement.value = _joined(statement.value, part)
    except (SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    return statement


def _cuts(line: str, start: int) -> list[int]:
    """Where the operators stand that join the terms: all + and -, or all * / @ when there are none."""
    sums: list[int] = []
    products: list[int] = []
    depth, operand = 0, False
    for token in _TOKEN.finditer(line, start):
        if token["other"]:
            return []
        depth += bool(token["open"]) - bool(token["close"])
        if token["operator"] and operand and depth == 0 and token[0] != "**":
            (sums if token[0] in "+-" else products).append(token.start())
        operand = not token["operator"] and not token["open"]
    return sums or products


def _joined(before: ast.expr, part: ast.expr) -> ast.expr:
    """A part with all that comes before it put in; TypeError where it is no chain."""
    first = part
    while isinstance(first, ast.BinOp):
        first.col_offset = before.col_offset
        if isinstance(first.left, ast.Name) and first.left.id == _BEFORE:
            first.left = before
            return part
        first = first.left
    raise TypeError
