"""What is broken into lines is the same code, whatever stands in what."""

import ast
import random

from report.program.line_layout import WIDTH, statement

FORMS = (
    "({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / ({})", "({}) @ ({})", "({})**({})", "-({})",
    "f({}, {})", "g({}, axis={})", "sum(({}) for i in n if ({}) <= 3)", "[({}) for i in n for j in m]",
    "({}) if ({}) else ({})", "({}).reshape({}, 2)", "[{}, {}]", "[{}, {}][i][{}]",
)  # fmt: skip
NAMES = ("x[i][j]", "first", "second", "3.25")


def _code(depth: int, draw: random.Random) -> str:
    if not depth:
        return draw.choice(NAMES)
    form = draw.choice(FORMS)
    return form.format(*(_code(depth - 1, draw) for _ in range(form.count("{}"))))


def test_broken_lines_are_the_same_code() -> None:
    draw, broken = random.Random(1), 0
    for _ in range(600):
        code = ast.parse(_code(draw.randrange(2, 5), draw), mode="eval").body
        lines = statement("y = ", code)
        broken += len(lines) > 1
        (said,) = ast.parse("\n".join(lines)).body
        assert isinstance(said, ast.Assign)
        assert ast.dump(said.value) == ast.dump(code), "\n".join(lines)
    assert broken > 300


def test_a_long_power_and_a_long_condition_are_broken() -> None:
    text = "-sum((0.9 if first[i] == k else second[i]) ** 2 * (z[i] - log(total)) for i in n) ** -1"
    code = ast.parse(f"({text}) ** (1 / 2) if {'first[i] * ' * 9}1 else 0", mode="eval").body
    lines = statement("y = ", code)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 3
