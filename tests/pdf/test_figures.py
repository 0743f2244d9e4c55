"""Figures as vectors: they look as WeasyPrint's own reader of SVG draws them, and refuse other SVG."""

import base64

import numpy as np
import pypdfium2
import pytest

import report
from report import ReportError, figure, pdf, typeset
from tests.pdf import documents

FORMULA = "1 / (2 + sin(x1*w1)**2 + cos(x2*w2))"


def drawn(source: str, width: float, height: float) -> np.ndarray:
    """A page with this image, 200 dots an inch, as grey levels."""
    size = f"width:{width}mm;height:{height}mm"
    page = documents.page(
        f'<p style="margin:0"><img src="{source}" alt="graph" style="{size}"></p>'
    )
    document = pypdfium2.PdfDocument(pdf.render(page))
    found = document[0].render(scale=200 / 72, grayscale=True).to_numpy().copy()
    document.close()
    return found


def test_a_figure_looks_as_weasyprint_draws_it() -> None:
    trace = report.trace(FORMULA, inputs={"x1": -1, "w1": 3, "x2": -2, "w2": 3})
    [panel] = figure.draw(trace).panels
    data = "data:image/svg+xml;base64," + base64.b64encode(panel.svg.encode()).decode()
    ours = drawn(typeset.picture(panel.svg), panel.width, panel.height).astype(float)
    theirs = drawn(data, panel.width, panel.height).astype(float)
    assert ours.shape == theirs.shape
    inked = (theirs < 200).sum()
    assert inked > 5000
    # letters are set without kerning here, so a few pixels at the edge of letters may differ
    assert (abs(ours - theirs) > 100).sum() < 0.02 * inked


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('<circle r="3" style="fill: red"/>', "circle"),
        ('<path d="M 1 1 A 3 3 0 0 0 5 5" style="fill: none"/>', "A"),
        ('<path d="M 1 1 L 5" style="stroke: #000000"/>', "L 5"),
        ('<path d="M 1 1" style="opacity: 0.5"/>', "path"),
        ('<text style="font-size: 9px; font-family: x">a</text>', "text"),
        ("<path", "not well-formed|unclosed"),
    ],
)
def test_other_svg_is_refused(content: str, what: str) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{content}</svg>'
    page = documents.page(f'<p><img src="{typeset.picture(svg)}" alt="x"></p>')
    with pytest.raises(ReportError, match=f"cannot be drawn: .*({what})"):
        pdf.render(page)


def test_a_letter_without_a_glyph_is_named() -> None:
    text = '<text style="font-size: 9px; font-family: \'STIX Two Text\'" transform="translate(1 5)">日</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{text}</svg>'
    with pytest.raises(ReportError, match="U\\+65E5"):
        pdf.render(documents.page(f'<p><img src="{typeset.picture(svg)}" alt="x"></p>'))
