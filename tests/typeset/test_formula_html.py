"""Formulas: how large they are, what they say, and what cannot be set."""

import itertools
import re

import pytest

from report import ReportError, typeset
from report.typeset import glyphs
from report.typeset.drawing import GlyphRun, Rectangle
from report.typeset.formula_html import drawing
from tests.pdf.documents import corpus


def test_sizes_are_those_of_the_font() -> None:
    # The digit 1 of STIX Two Math is 495 units wide and 639 high, and stands on the baseline.
    one = typeset.formula("1")
    assert (one.width, one.height, one.depth) == (0.495, 0.639, 0.0)
    assert typeset.formula("11").width == 2 * one.width


def test_a_fraction_has_depth_and_is_smaller_in_running_text() -> None:
    displayed = typeset.formula(r"\frac{a}{b}", display=True)
    inline = typeset.formula(r"\frac{a}{b}")
    assert displayed.depth > inline.depth > 0.3
    assert displayed.height > inline.height > 0.7


@pytest.mark.parametrize(
    ("latex", "same"),
    [
        (r"a\frac{b}{c}", r"a{\frac{b}{c}}"),  # TeX puts no space between a letter and a fraction
        (r"-\frac{1}{1 - \frac{a}{b}}", r"-{\frac{1}{1 - {\frac{a}{b}}}}"),
        (r"f\left(x_{1}, w\right)", "f(x_{1}, w)"),
        (r"\sin{\left(x \right)}", r"\sin(x)"),
        (r"\cos^{2}{\left(x_{1} w_{1} \right)}", r"\cos^{2}(x_{1} w_{1})"),
        (r"\sigma\left(\mathbf{W}\left(a + b\right)\right)", r"\sigma(\mathbf{W}(a + b))"),
    ],
)
def test_brackets_and_fractions_have_the_space_of_tex(latex: str, same: str) -> None:
    assert typeset.formula(latex, display=True).width == pytest.approx(
        typeset.formula(same, display=True).width, abs=1e-9
    )


def test_brackets_round_what_is_high_stay_high() -> None:
    brackets = (mark for mark in drawing(r"\left(\frac{a}{b}\right)", True).marks)
    plain = (mark for mark in drawing(r"(\frac{a}{b})", True).marks)
    first, low = (next(m for m in marks if isinstance(m, GlyphRun)) for marks in (brackets, plain))
    assert first.glyphs[0] != low.glyphs[0]  # another, higher glyph


def test_formulas_are_cached_and_cannot_be_changed() -> None:
    assert typeset.formula(r"x^2") == typeset.formula(r"x^2")
    with pytest.raises(AttributeError):
        typeset.formula("x").width = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"\mathbf{W}^{\top} \mathbf{x}", "W transpose x"),
        (r"a \odot b", "a element-wise times b"),
        (r"\mathbb{1}[z > 0]", "indicator open bracket z is greater than 0 close bracket"),
        (r"\Xi \mapsto \ell", "capital xi maps to ell"),
        (r"\mathrm{softmax}(x)", "softmax open paren x close paren"),
        (r"\|u - v\|^2", "norm of u minus v end norm squared"),
        (r"a = 1 \qquad b = 2", "a equals 1; b equals 2"),
        (r"W\colon 3 \times 2,\quad x\colon 2", "W of size 3 by 2 comma x of size 2"),
        (
            r"\begin{bmatrix*}[r]1 & -2.5\end{bmatrix*}^{\top} x",
            "matrix 1 by 2: row 1: 1, negative 2.5, end matrix transpose x",
        ),
        (r"\frac{\partial f}{\partial x}", "fraction, partial f, over partial x, end fraction"),
    ],
)
def test_speech(latex: str, words: str) -> None:
    assert typeset.formula(latex).speech == words


@pytest.mark.parametrize("name", corpus())
def test_speech_is_words_and_text_is_plain(name: str) -> None:
    found = typeset.formula(corpus()[name], display=True)
    assert found.speech.isascii()
    assert found.text == glyphs.plain_letters(found.text)
    assert not any("\U0001d400" <= character <= "\U0001d7ff" for character in found.text)


def test_text_is_what_people_type() -> None:
    assert typeset.formula(r"\mathbf{W}\mathbf{x} + \boldsymbol{\theta} \in \mathbb{R}").text == (
        "Wx + θ ∈ ℝ"
    )


@pytest.mark.parametrize(
    ("latex", "character"),
    [(r"\mathbf{0}", "𝟎"), (r"\mathbb{1}", "𝟙"), (r"\boldsymbol{\nabla}", "𝛁"), (r"\bm{12}", "𝟏𝟐")],
)
def test_bold_and_double_struck_signs_are_not_light(latex: str, character: str) -> None:
    assert drawing(latex, False).marks == drawing(character, False).marks
    assert drawing(latex, False).marks != drawing(glyphs.plain_letters(character), False).marks


def test_a_scaled_formula_is_smaller_in_every_direction() -> None:
    whole = typeset.formula(r"\frac{a}{b} + \text{if $x$}", display=True)
    half = typeset.formula(r"\scalebox{0.5}{$\displaystyle \frac{a}{b} + \text{if $x$}$}")
    for name in ("width", "height", "depth"):
        assert getattr(half, name) == pytest.approx(getattr(whole, name) / 2)
    assert half.speech == whole.speech


def test_matrices_of_fractions_are_not_tight() -> None:
    one = typeset.formula(r"\begin{bmatrix} \frac{\partial f}{\partial x} \end{bmatrix}")
    two = typeset.formula(
        r"\begin{bmatrix} \frac{\partial f}{\partial x} \\ \frac{\partial f}{\partial y}"
        r" \end{bmatrix}"
    )
    assert (two.height + two.depth) - (one.height + one.depth) > 2  # em, from row to row


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\includegraphics{x}", r"unsupported command: \includegraphics"),
        (r"\input{/etc/passwd}", r"unsupported command: \input"),
        ("{x", "without a matching"),
        ("x^y^z", "double superscript"),
        (r"\text{日}", "'日' character (U+65E5)"),
        (r"\textcolor{sauerkraut}{x}", "no colour: sauerkraut"),
        (r"\def\x{\x\x}\x", "too many macros"),
        ("{" * 5000 + "x", "nesting deeper than"),
        ("a\x01", "control character U+0001"),
        ("\ud800", "surrogates"),
    ],
)
def test_what_cannot_be_set_is_named(latex: str, reason: str) -> None:
    with pytest.raises(ReportError) as error:
        typeset.formula(latex)
    written = latex[:100].replace("\x01", r"\x01").replace("\ud800", r"\ud800")  # can be printed
    assert written in str(error.value)
    assert reason in str(error.value)


def test_struts_are_not_drawn() -> None:
    found = drawing(r"\rule[-1em]{0pt}{3em} \rule{1em}{0pt} x", True)
    assert [type(mark) for mark in found.marks] == [GlyphRun]
    assert (found.height, found.depth) == (2, 1)


def test_images_carry_the_words_escaped() -> None:
    image = typeset.img(r"a < b \text{ & \"c\"}")
    assert 'alt="a is less than b &amp;' in image
    assert image.count('"') % 2 == 0
    assert 'alt="the first &lt;step&gt;"' in typeset.img("x", alt="the first <step>")
    assert 'alt="blank"' in typeset.img(r"\,")


def test_images_stand_on_the_baseline() -> None:
    depth = typeset.formula(r"\frac{a}{b}").depth
    assert f"vertical-align:{-depth:.4g}em" in typeset.img(r"\frac{a}{b}")


def test_a_name_of_several_letters_has_the_same_space_on_both_sides_of_a_sign() -> None:
    name, minus = typeset.formula(r"\operatorname{out}_{i}"), typeset.formula("x - y")
    letters = typeset.formula("x").width + typeset.formula("y").width
    found = typeset.formula(r"\operatorname{out}_{i} - y").width
    assert found == pytest.approx(
        name.width + typeset.formula("y").width + minus.width - letters, abs=0.02
    )


@pytest.mark.parametrize(
    ("tex", "rules"),
    [
        (r"\begin{array}{c|c} a & b \\ c & d \end{array}", 2),
        (r"x + \left[\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}\right]", 2),
        (r"\begin{array}{c||c} a & b \\ c & d \end{array}", 4),
        (r"\begin{array}{c|c|c} \frac{a}{b} & b & c \\ c & d & e \\ f & g & h \end{array}", 6),
    ],
)
def test_the_rules_of_an_array_stand_beside_its_rows(tex: str, rules: int) -> None:
    found = drawing(tex, True)
    upright = [m for m in found.marks if isinstance(m, Rectangle) and m.height > m.width]
    assert len(upright) == rules
    for x in {m.x for m in upright}:
        ends = sorted((m.y, m.y + m.height) for m in upright if m.x == x)
        assert -found.depth - 0.05 < ends[0][0]
        assert ends[-1][1] < found.height + 0.05
        for (_, top), (bottom, _) in itertools.pairwise(ends):
            assert top == pytest.approx(bottom)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\strut x", "<mi>x</mi>"),
        (r"\begin{array}{r|l@{}c} 1 & 2 & 3 \end{array}", "<mtext>1, 2, 3</mtext>"),
        (r"a & b < c", "<mtext>a b &lt; c</mtext>"),
    ],
)
def test_what_a_page_shows_is_no_fault_in_a_browser(tex: str, shown: str) -> None:
    assert shown in typeset.mathml(tex).replace("\n", "")


def test_what_no_page_shows_is_a_fault_in_a_browser_too() -> None:
    with pytest.raises(ReportError, match=r"cannot be typeset: \\madeup"):
        typeset.mathml(r"\madeup{x}")


def test_a_browser_may_end_a_line_before_a_relation_and_between_formulas() -> None:
    chain = r"{}= \mathbf{W} (aaaa + bbbb) = \textcolor{#0072B2}{cccc + dddd} \qquad eeee = ffff"
    found = typeset.breakable(chain, display=True)
    parts = re.findall(r"<math[^>]*>(.*?)</math>", found)
    words = ["".join(re.sub(r"<[^>]*>", "", part).split()) for part in parts]
    assert words == ["=𝐖(aaaa+bbbb)", "=cccc+dddd", "eeee", "=ffff"]
    assert all(
        "<mrow></mrow><mo>=</mo>" in part for part in parts if ">=<" in part
    )  # as wide as inside
    assert found.count("color:") == 1
    assert r"{cccc + dddd} \qquad eeee" in found  # what is copied is the whole, without our colours


def test_what_a_narrow_screen_holds_stays_together_in_a_browser() -> None:
    assert typeset.breakable("a = b").count("<math") == 1
    terms = " + ".join(f"a_{{{i}}}" for i in range(1, 20))
    assert typeset.breakable(f"a = {terms}").count("<math") == 20  # too long for one line by itself
    aligned = rf"\begin{{aligned}} a &= {terms} \\ b &= c \end{{aligned}}"
    assert typeset.breakable(aligned).count("<math") == 1
    assert (
        typeset.breakable(rf"\textstyle a = {terms}").count("<math") == 1
    )  # it holds for all of it
