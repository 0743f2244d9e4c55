"""A formula whose numbers are put into the layout of another one is what mathra draws of it."""

import pytest

from report.typeset import formula_html, numbers
from report.typeset.drawing import Drawing

LIKE = 0.025  # em by which figures are higher or lower than others: 1 than 0
PUT_IN = [
    r"\left(-0.112601\right) \cdot \left(-0.279415\right)\;\mathord{=}",
    r"\frac{1}{\textcolor{#0072B2}{2.980085}}",
    r"\begin{bmatrix*}[r]0.8 & 1.0 \\ -1.0 & 0.7 \\ 3 & 12.5\end{bmatrix*}",
    r"\sqrt{0.5 + 1.25}\,x_{1} = 3.1 \cdot 10^{-5}",
    r"\begin{bmatrix*}[r]" + r" \\ ".join(f"{n / 10}" for n in range(100)) + r"\end{bmatrix*}",
]
AS_IT_IS = [
    r"x^{0.5}",  # small figures are not equally wide
    r"x \rule{0.5em}{1.5em}",  # a length is no number
    r"\begin{bmatrix*}[r]" + r" \\ ".join(f"{n % 100 / 10}" for n in range(101)) + r"\end{bmatrix*}",
]  # fmt: skip


def is_like(found: Drawing, expected: Drawing) -> bool:
    lengths = zip(
        (found.width, found.height, found.depth),
        (expected.width, expected.height, expected.depth),
        strict=True,
    )
    return all(abs(a - b) < LIKE for a, b in lengths) and len(found.marks) == len(expected.marks)


@pytest.mark.parametrize("tex", PUT_IN)
def test_a_formula_with_numbers_put_in_is_as_mathra_draws_it(tex: str) -> None:
    found = numbers.put_in(tex, True, formula_html._laid_out)
    expected = formula_html._laid_out(tex, True)
    assert found is not None
    assert (found.text, found.speech) == (expected.text, expected.speech)
    assert found.glyphs == expected.glyphs
    assert is_like(found, expected)
    assert [getattr(m, "codes", "") for m in found.marks] == [
        getattr(m, "codes", "") for m in expected.marks
    ]


@pytest.mark.parametrize("tex", AS_IT_IS)
def test_what_does_not_stand_in_a_row_is_drawn_as_it_is(tex: str) -> None:
    assert numbers.put_in(tex, True, formula_html._laid_out) is None
    assert formula_html.drawing(tex, True).text


def test_rows_that_differ_in_their_numbers_are_laid_out_once() -> None:
    laid: list[str] = []

    def lay(tex: str, display: bool) -> Drawing:
        laid.append(tex)
        return formula_html._laid_out(tex, display)

    found = [numbers.put_in(f"{n}.5 - x = 0.2{n}", True, lay) for n in range(10)]
    assert [f and f.text for f in found] == [f"{n}.5 − x = 0.2{n}" for n in range(10)]
    assert laid == ["0.0 - x = 0.01", "0123456789."]
