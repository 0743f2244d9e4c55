"""The table of the math font."""

from report import resources
from report.typeset import fonts, glyphs


def test_table_is_that_of_the_bundled_font() -> None:
    font = resources.path(f"{fonts.FOLDER}/{fonts.MATH_FILE}")
    assert glyphs.table() == glyphs.derive(font)


def test_letters_are_plain() -> None:
    assert glyphs.plain_letters("𝐖𝑥𝟙𝛉 ℝ ⊙ é") == "Wx1θ ℝ ⊙ é"


def test_forms_of_a_character_count_as_it() -> None:
    characters = glyphs.table().characters
    assert characters.count("(") > 10  # brackets of all heights
    assert characters.count("∑") > 1
