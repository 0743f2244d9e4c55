"""Traces and derivations in a notebook: executed by Jupyter's own client, and looked at in a browser."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import report
from tests.live.browser import ARGUMENTS, chromium, environment

pytestmark = pytest.mark.xdist_group("notebook")
CELLS = [
    'import report\ntrace = report.trace("sum(sigmoid(W @ x)**2)", inputs={"W": [[1, 2], [3, 4]], "x": [0.1, -0.2]})\ntrace',
    "def loss(w, b):\n    h = w * 2\n    for _ in range(2):\n        h = h * b\n    return h\n\nreport.trace(loss, inputs={'w': 3, 'b': 2})",
    "report.show(trace)",
]


@pytest.fixture(scope="module")
def outputs():
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    NotebookClient(book, timeout=60, kernel_name="python3").execute()
    return [cell.outputs[-1].data for cell in book.cells]


@pytest.mark.filterwarnings("default")  # of Jupyter's own packages
def test_a_notebook_shows_traces_and_derivations(outputs):
    first, second, third = outputs
    assert first["text/plain"].startswith("f = 0.3236361280")
    assert "<svg" in first["text/html"]
    assert "<math" in first["text/html"]
    assert 'data-gate="q1"' in first["text/html"]
    assert second["text/plain"].startswith("h_3 = 24")  # read from the cell
    assert "Backward pass" in third["text/html"]
    assert "<script" not in "".join(o["text/html"] for o in outputs)


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
def test_it_looks_right_in_a_browser(outputs):
    from playwright.sync_api import sync_playwright

    body = "".join(f"<div>{o['text/html']}</div>" for o in outputs)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=ARGUMENTS, env=environment()
        )
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content(f"<!DOCTYPE html><html><body>{body}</body></html>")
        assert page.locator("svg.web").count() == 3
        box = page.locator("svg.web").first.bounding_box()
        assert 300 < box["width"] <= 600
        assert page.locator(".report-trace table").first.bounding_box()["width"] < 900
        colour = page.locator("svg.web .gradient text").first.evaluate(
            "e => getComputedStyle(e).fill"
        )
        assert colour == "rgb(184, 78, 0)"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()


def test_the_pictures_are_well_formed_and_say_what_the_trace_holds():
    trace = report.trace("x * exp(-x)", inputs={"x": 0.5})
    html = trace._repr_mimebundle_()["text/html"]
    (svg,) = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    tree = ET.fromstring(svg)
    groups = tree.findall("{http://www.w3.org/2000/svg}g")
    gates = [g.get("data-gate") for g in groups if g.get("class") == "gate"]
    assert sorted(gates) == ["q1", "q2", "q3"]
    edges = {(g.get("data-from"), g.get("data-to")) for g in groups if g.get("class") == "edge"}
    assert edges == {("x", "q1"), ("q1", "q2"), ("x", "q3"), ("q2", "q3"), ("q3", "")}


def test_a_shown_derivation_is_that_of_the_trace():
    trace = report.trace("w * x", inputs={"w": 2, "x": 3})
    assert np.allclose(trace.gradients["w"], 3)
    assert report.show(trace).html == report.show("w * x", inputs={"w": 2, "x": 3}).html
    with pytest.raises(report.ReportError):
        report.show("w * y", inputs={"w": 2})


def test_a_trace_of_many_gates_shows_as_text_alone():
    text = "h0 = x\n" + "\n".join(f"h{i} = sin(h{i - 1})" for i in range(1, 400)) + "\nh399"
    bundle = report.trace(text, inputs={"x": 1})._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
