"""Long formulas fit into any width, whole."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import ReportError, typeset
from tests.pdf.documents import corpus

COLUMN = 38.6  # em: 150 mm at 11 pt


def signs(latex: str) -> Counter[str]:
    """The letters, digits and signs of a formula; a broken product shows more dots."""
    return Counter(re.sub(r"[\s·;,()\[\]{}|‖^_/√]", "", typeset.formula(latex, display=True).text))


@pytest.mark.parametrize("width", [COLUMN, 18.0, 7.0])
@pytest.mark.parametrize("name", corpus())
def test_fits_and_keeps_every_sign(name: str, width: float) -> None:
    latex = corpus()[name]
    fitted = typeset.fit(latex, width)
    assert typeset.formula(fitted, display=True).width <= width
    assert signs(fitted) == signs(latex)
    assert typeset.fit(fitted, width) == fitted


@pytest.mark.parametrize("name", corpus())
def test_fits_the_column_at_a_readable_size(name: str) -> None:
    fitted = typeset.fit(corpus()[name], COLUMN)
    scale = re.match(r"\\scalebox\{([\d.]+)\}", fitted)
    assert scale is None or float(scale[1]) >= 0.7


def test_what_fits_is_left_alone() -> None:
    assert typeset.fit(r"a = b", 10) == "a = b"


def test_breaks_at_relations_first_and_aligns_them() -> None:
    latex = "y = a + b + c + d = e + f + g + h"
    assert typeset.fit(latex, 12) == (
        r"\begin{aligned} y & {} = a + b + c + d \\ & {} = e + f + g + h \end{aligned}"
    )


def test_sums_go_on_indented_with_the_sign_first() -> None:
    latex = "y = " + " + ".join("abcdefgh")
    assert typeset.fit(latex, 12) == (
        r"\begin{aligned} y & {} = a + b + c + d + e + f \\ & \qquad {} + g + h \end{aligned}"
    )


def test_alignments_keep_their_rows() -> None:
    latex = r"\begin{aligned} y &= a + b + c + d + e + f \\ z &= g \end{aligned}"
    assert typeset.fit(latex, 9) == (
        r"\begin{aligned} y & {} = a + b + c + d + e \\ & \qquad {} + f \\ z & = g \end{aligned}"
    )


def test_a_broken_product_shows_a_dot() -> None:
    fitted = typeset.fit(r"f = \frac{a}{b} " * 1 + r"\frac{c + d}{e} \left(x + y\right)" * 3, 14)
    assert r"\cdot" in fitted


def test_the_arguments_of_a_function_stay_with_it() -> None:
    fitted = typeset.fit(r"f = " + r" \odot ".join(rf"\sigma(W_{{{i}}} x)" for i in range(9)), 12)
    assert not re.search(r"\\sigma\s*\\\\", fitted)


def test_the_bracket_of_a_condition_stays_with_its_sign() -> None:
    factors = [rf"c_{{{i}}}\,𝟙\left[x_{{{i}}} > 0\right]" for i in range(9)]
    for width in range(8, 40):
        fitted = typeset.fit("g = " + "".join(factors), width)
        assert fitted.count("𝟙") == 9
        assert not re.search(r"𝟙\s*(?:\\cdot\s*|\\\\)", fitted), fitted


def test_colours_last_over_a_break() -> None:
    fitted = typeset.fit(r"f = \textcolor{#D55E00}{" + " + ".join("abcdefgh") + "}", 10)
    assert fitted.count("#D55E00") == 8 + 7


def test_what_cannot_be_set_is_named() -> None:
    with pytest.raises(ReportError, match="unsupported command"):
        typeset.fit(r"\nonsense" * 40, 10)


@given(
    st.lists(
        st.sampled_from(
            [
                r"a",
                r"\alpha",
                r"12",
                r"=",
                r"+",
                r"-",
                r"\cdot",
                r"\odot",
                r",",
                r"\quad",
                r"\,",
                r"(",
                r")",
                r"[",
                r"|",
                r"^",
                r"_",
                r"{",
                r"}",
                r"\left(",
                r"\right)",
                r"&",
                r"\\",
                r"\sum",
                r"\text{if_so}",
                r"\frac{a}{b}",
                r"\sqrt{c+d}",
                r"\begin{bmatrix}",
                r"\end{bmatrix}",
                r"\textcolor{red}{x+y}",
                r"!",
                r"'",
                r"\big(",
            ]
        ),
        max_size=60,
    ),
    st.floats(2, 20),
)
def test_any_formula_fits_or_is_refused(words: list[str], width: float) -> None:
    latex = " ".join(words)
    try:
        typeset.formula(latex, display=True)
    except ReportError:
        return
    assert typeset.formula(typeset.fit(latex, width), display=True).width <= width


@pytest.mark.parametrize(
    "latex",
    ["(" * 3000, ")" * 3000, "|" * 2001, "+".join(["x"] * 3000), "a" * 5000, ",".join("a" * 3000)],
)
def test_very_long_formulas_fit(latex: str) -> None:
    assert typeset.formula(typeset.fit(latex, COLUMN), display=True).width <= COLUMN


def test_a_formula_taller_than_the_page_goes_on() -> None:
    latex = "y = " + " + ".join(f"x_{{{i}}}" for i in range(400))
    parts = typeset.split(latex, COLUMN, 20)
    assert len(parts) > 2
    for part in parts:
        found = typeset.formula(part, display=True)
        assert found.width <= COLUMN
        assert found.height + found.depth <= 20
    assert sum((signs(part) for part in parts), Counter()) == signs(latex)


def test_parts_are_aligned_as_the_whole_was() -> None:
    latex = r"\begin{aligned} y_{long} &= a \\ &= b \\ z &= \frac{c}{d} \\ &= e \end{aligned}"
    first, second = typeset.split(latex, COLUMN, 4.2)
    left = typeset.formula("y_{long}", display=True).width
    assert (
        typeset.formula(first, display=True).width
        == typeset.formula(
            r"\begin{aligned} y_{long} &= a \\ &= b \end{aligned}", display=True
        ).width
    )
    assert second.startswith(r"\begin{aligned} \hphantom{y_{long}}\mathllap{z} & =")
    assert typeset.formula(second, display=True).width > left


def test_what_is_low_enough_is_one_formula() -> None:
    assert typeset.split("a = b", 10, 10) == ("a = b",)


def test_a_tall_matrix_is_made_smaller() -> None:
    latex = r"\begin{bmatrix} " + r" \\ ".join("123456789") + r" \end{bmatrix}"
    [part] = typeset.split(latex, 10, 6)
    found = typeset.formula(part, display=True)
    assert found.height + found.depth == pytest.approx(6, abs=0.001)


def test_a_broken_right_side_is_several_lines() -> None:
    found = typeset.fitted_lines("{}= a + b + c + d + e + f + g + h", 12.0)
    assert found == ("{} = a + b + c + d + e + f + g", r"\qquad {} + h")
    assert typeset.fitted_lines("{}= a + b", 12.0) == ("{}= a + b",)
