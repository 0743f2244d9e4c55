"""Tables are as wide as what stands in them, and no wider than the page."""

from typing import Any

import pytest

from report import trace
from report.checks import verify
from report.derivation import derive
from report.derivation.latex.symbols import VALUE, number_tex
from report.document import tables
from report.document.backward import scalar_gradients
from report.document.formulas import PDF, width_of
from report.document.page import environment
from report.document.precision import precision
from report.figure.font_metrics import width


@pytest.mark.parametrize("count", range(7, 24))
def test_the_number_of_entries_stands_on_one_line(count: int) -> None:
    found = trace("sum(x * sin(x))", {"x": [0.1 * i for i in range(count)]})
    table = tables.verification(PDF, verify(found, derive(found), {}), found)
    error = table["errors"][0]
    assert len(table["heads"]) == 1 + len(error["cells"]) == len(table["columns"])
    assert "trace" not in table["heads"]  # of which no number is shown
    words = width(f"{error['before']}{error['count']}", "roman", tables.TEXT) * 25.4 / 72
    assert error["count"] == f" ({count} entries)"
    assert float(table["columns"][0]) >= words
    assert float(table["width"]) <= tables.COLUMN


def test_each_small_gradient_is_checked_entry_by_entry_however_many_there_are() -> None:
    inputs = {f"x{i}": [0.1 * i, 0.2, 0.3, 0.4, 0.5, 0.6] for i in range(4)}
    found = trace(
        "x0 @ x1 + x2 @ x3 + sum(y * y * c)", {**inputs, "c": 2, "y": [0.1 * i for i in range(7)]}
    )
    table = tables.verification(PDF, verify(found, derive(found), {}), found)
    assert len(table["rows"]) == 4 * 6 + 1
    above, y = table["errors"]
    assert (above["before"], above["of"]) == ("largest relative error above", "")
    assert (y["before"], y["count"]) == ("of ", " (7 entries)")
    assert not table["short"]


def test_a_zero_keeps_room_for_decimals_as_wide_as_they_are() -> None:
    """The font's spaces are wider than its digits."""
    found = trace("sum(x * c)", {"x": [0.3, 0.7], "c": [0.25, 0.0]}, wrt=["x"])
    table = tables.verification(PDF, verify(found, derive(found), {}), found)
    template = environment(PDF).from_string("{{ cell }}")
    shown = [template.render(cell=row["cells"][0]) for row in table["rows"]]
    assert shown == ["0.25", '0<span class="room">.00</span>']


def test_a_number_that_is_put_in_keeps_its_zeros_where_it_has_more_digits() -> None:
    same = precision([0.96017028, 2.01991485, -3.0], [])
    shown = [same(number_tex(x, VALUE)).uncoloured for x in (0.96017028, -3.0)]
    assert shown == ["0.960170", "-3"]


@pytest.mark.parametrize(
    ("formula", "products"),
    [
        ("exp(x)", [r"1 \cdot 0.778801"]),  # 0.7788008 in the column of values
        ("1 / (15.5 + x)", [r"1 \cdot \left(-0.004300\right)", r"\left(-0.004300\right) \cdot 1"]),
        ("3 - exp(x)", [r"1 \cdot \left(-1\right)", r"\left(-1\right) \cdot 0.778801"]),
    ],
)
def test_a_factor_that_is_the_product_is_as_precise_as_it(
    formula: str, products: list[str]
) -> None:
    found = trace(formula, {"x": -0.25})
    derivation = derive(found)
    values = [float(q.value) for q in found.gates]
    same = precision(values, scalar_gradients(found, derivation, "brief"))
    branches = [branch for step in derivation.backward for branch in step.branches]
    shown = [same.product(b.numbers[0], float(b.value)).uncoloured for b in branches]
    assert shown == products


def told(*gradients: str, fault: str = "", number: int = 1) -> dict[str, Any]:
    """What the table of results says of a question."""
    return {
        "number": number, "f": "f", "short_value": "−0.25", "results": gradients,
        "verification": {"comparisons": 30}, "own": [{"fault": [fault] if fault else []}],
    }  # fmt: skip


def test_the_columns_of_results_fill_the_page_where_each_takes_a_line() -> None:
    one, other = r"\frac{\partial f}{\partial x} = 0.125", r"\frac{\partial f}{\partial y} = 2"
    columns = [*map(float, tables.results([told(one), told(one, other, number=2)]))]
    assert len(columns) == 4
    assert sum(columns) == pytest.approx(tables.COLUMN, abs=0.05)
    assert columns[2] > sum(map(width_of, (one, other))) * tables.EM
    assert len(tables.results([told(one)])) == 3
    most = int(columns[2] // ((width_of(one) + tables.ITEM_GAP) * tables.EM))
    assert tables.results([told(one), told(*[one] * most, number=2)])
    for much in (told(*[one] * (most + 1)), told(), told(one, fault="it is not right")):
        assert not tables.results([told(one), {**much, "number": 2}])
