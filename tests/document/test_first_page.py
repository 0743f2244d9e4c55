"""What stands first on the first page, and whether the rows of a graph stay together."""

import pytest

from report.document.first_page import PAGES, Heights, arranged


@pytest.mark.parametrize(
    ("heights", "arrangement"),
    [
        (Heights(100, 60, 0, 90), (False, True)),  # room for all
        (
            Heights(150, 60, 0, 120),
            (True, True),
        ),  # the table fills what the graph would leave blank
        (Heights(144, 200, 20, 220), (False, False)),  # too high for one page
        (Heights(144, 100, 20, 205), (True, True)),  # the table and the overview fill the page
        (Heights(144, 188, 20, 205), (False, False)),  # much is left before the rows either way
        (Heights(144, 188, 0, 205), (False, True)),  # a graph without overview is one
    ],
)
def test_little_of_the_first_page_stays_blank(
    heights: Heights, arrangement: tuple[bool, bool]
) -> None:
    assert arranged(heights, "a4") == arrangement


def test_a_page_of_letter_is_lower() -> None:
    assert PAGES["letter"] < PAGES["a4"]
    heights = Heights(150, 40, 0, 100)
    assert arranged(heights, "a4") == (False, True)
    assert arranged(heights, "letter") == (True, True)
