"""Tables are as wide as what stands in them, and no wider than the page."""

import pytest

from report import trace
from report.checks import verify
from report.derivation import derive
from report.document import tables
from report.document.formulas import PDF
from report.figure.font_metrics import width


@pytest.mark.parametrize("count", range(7, 24))
def test_the_number_of_entries_stands_on_one_line(count: int) -> None:
    found = trace("sum(x * sin(x))", {"x": [0.1 * i for i in range(count)]})
    table = tables.verification(PDF, verify(found, derive(found), {}), found)
    error = table["errors"][0]
    assert error["cells"][0] == ""  # the trace has no error
    words = width(f"error of {error['count']}", "roman", tables.TEXT) * 25.4 / 72
    assert error["count"] == f" ({count} entries)"
    assert float(table["columns"][0]) >= words
    assert float(table["width"]) <= tables.COLUMN
