"""The live page and an exported page in a real Chromium: what a user does, sees, and hears."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from report.live.homework_file import TOGETHER
from tests.live.browser import ARGUMENTS, chromium, environment

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="Chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]
DOCUMENT = re.compile(r"/(document|runs)\?")
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other tests
HOMEWORK = """# keep me
title = "Homework 1"
author = "Ada"

[[question]]
title = "One neuron"
statement = "Differentiate $f$."
function = "(sigmoid(w*x + b) - y)**2"
wrt = ["w", "b"]
inputs = { w = 0.5, x = 2, b = -1, y = 1 }

[[question]]
title = "A layer"
function = "sum(tanh(W @ x)**2)"
[question.inputs]
W = [[0.1, -0.2], [0.3, 0.4]]
x = [1.0, 2.0]
"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=ARGUMENTS, env=environment()
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "mine.toml"
    path.write_text(HOMEWORK)
    command = [sys.executable, "-m", "report", "serve", str(path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1], path
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


class Tab:
    """A page that fails the test when the console says anything."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(
            **{"viewport": {"width": 1300, "height": 900}, **options}
        )
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda e: self.said.append(str(e)))
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(address)

    def hear(self, message):
        # htmx tells of a request that a newer one has replaced, which is meant
        if not message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            self.said.append(message.text)

    def close(self):
        said = list(self.said)
        self.context.close()
        assert said == []

    def says(self, selector, text):
        """Wait until a place of the page holds a text, or fits a pattern."""
        expect(self.page.locator(selector).first).to_contain_text(text, timeout=PATIENCE)

    def count(self, selector, many):
        """Wait until the page has so many of these."""
        expect(self.page.locator(selector)).to_have_count(many, timeout=PATIENCE)

    def holds(self, selector, value):
        """Wait until a field holds a value."""
        expect(self.page.locator(selector)).to_have_value(value, timeout=PATIENCE)

    def hides(self, selector, many):
        """Wait until so many of these cannot be seen, for a step that is still to come."""
        wait(lambda: self.hidden(selector) == many)

    def hidden(self, selector):
        """How many of these cannot be seen now."""
        return self.page.locator(selector).evaluate_all(
            "es => es.filter(e => getComputedStyle(e).opacity === '0').length"
        )

    def settle(self, path):
        """Wait until the page, its document and the file are what HOMEWORK says, whatever was changed before."""

        def settled():
            if path.read_text() != HOMEWORK:  # of the test before, saved only now
                path.write_text(HOMEWORK)
            return self.page.evaluate(
                """text => {
                  const shown = (id) => document.getElementById(id)?.dataset.version;
                  return document.getElementById("file-text").value === text
                    && document.getElementById("status").textContent.startsWith("saved in")
                    && document.querySelector("#document .terminal")
                    && shown("graph-box") === shown("document-version")
                    && shown("graph-box") === document.getElementById("version").value;
                }""",
                HOMEWORK,
            )

        wait(settled)


@pytest.fixture
def tab(browser, server):
    address, path = server
    path.write_text(HOMEWORK)
    found = Tab(browser, address, reduced_motion="reduce")
    found.settle(path)
    yield found
    found.close()


def wait(happens, seconds=PATIENCE / 1000):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_typing_a_formula(tab, server):
    page = tab.page
    page.fill("#function", "(tanh(w*x + b) - y)**2 + 0.5*lam*w**2")
    tab.says("#echo", "tanh")
    page.wait_for_selector("#cell-lam-0-0")
    tab.says("#graph", "tanh")
    page.fill("#cell-lam-0-0", "0.3")
    tab.says("#document", "0.3")
    page.fill("#function", "(tanh(w*x + b - y)**2")
    tab.says("#error", "'(' was never closed")
    tab.says("#error", "^")
    tab.count("#graph.stale", 1)
    page.fill("#function", "(sigmoid(w*x + b) - y)**2")
    page.wait_for_selector("#graph:not(.stale)")
    page.click("#input-lam .unused button")
    tab.count("#cell-lam-0-0", 0)
    wait(lambda: "lam" not in server[1].read_text())
    assert server[1].read_text().startswith("# keep me\n")


def test_dragging_a_number(tab, server):
    page = tab.page
    before = page.inner_text("#results .value")
    box = page.locator("#cell-w-0-0").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 21):
        page.mouse.move(x + 5 * i, y)
    page.mouse.up()
    tab.holds("#cell-w-0-0", "2.5")
    wait(lambda: page.inner_text("#results .value") != before)
    tab.says("#graph", "2.5")
    tab.says("#document", "2.5")
    wait(lambda: "w = 2.5" in server[1].read_text())
    page.focus("#cell-x-0-0")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    tab.holds("#cell-x-0-0", "2.09")


def test_stepping_with_the_arrow_keys(tab):
    page = tab.page
    values, gradients = "#graph .edge .value", "#graph .edge .gradient"
    tab.hides(values, 0)
    tab.hides(gradients, 0)
    edges, gates = page.locator("#graph .edge").count(), page.locator("#graph .gate").count()
    page.locator("#graph-title").click()
    page.keyboard.press("ArrowRight")  # the inputs alone
    tab.hides(gradients, page.locator(gradients).count())
    tab.hides(values, gates)
    page.keyboard.press("ArrowRight")
    tab.hides(values, gates - 1)
    tab.says("#step", "Forward, step 1 of")
    tab.count("#graph .gate.current[data-gate=q1]", 1)
    tab.count("#graph .lit-value", 3)
    for _ in range(gates):
        page.keyboard.press("ArrowRight")
    tab.says("#step", "the gradient of f by itself is 1")
    page.keyboard.press("ArrowRight")
    tab.says("#step", f"Backward, step 1 of {gates}")
    tab.count("#document .here", 1)
    tab.count("#step .row-copy", 1)
    for _ in range(gates - 1):
        page.keyboard.press("ArrowRight")
    tab.hides(gradients, 0)
    tab.count("#graph .edge", edges)
    page.keyboard.press("ArrowLeft")
    wait(lambda: tab.hidden(gradients) > 0)
    page.keyboard.press("Escape")
    tab.hides(gradients, 0)
    page.locator("#graph .gate[data-gate=q3]").click()
    tab.says("#step", "Gate q3")
    page.locator("#graph .gate[data-gate=q1]").focus()
    page.keyboard.press("Enter")
    tab.says("#step", "Gate q1")
    page.locator("#stepper input[type=range]").focus()
    page.keyboard.press("End")
    tab.says("#step", f"Backward, step {gates} of {gates}")


def test_a_step_shows_its_rows_when_the_document_comes_later(tab):
    page = tab.page
    held: list[Route] = []
    free = False

    def hold(route):
        if free:
            route.continue_()
        else:
            held.append(route)

    page.locator("#graph .gate[data-gate=q1]").click()
    tab.count("#step .row-copy", 2)
    tab.count("#document .here", 2)
    page.route(DOCUMENT, hold)
    page.fill("#cell-w-0-0", "0.75")
    tab.says("#graph", "0.75")
    tab.says("#step", "value 1.5")
    tab.count("#step .row-copy", 0)  # the rows are still of w = 0.5
    tab.count("#document .here", 0)
    wait(
        lambda: page.evaluate("1") and held
    )  # what it evaluates lets playwright hear of the request
    free = True
    for route in held:
        route.continue_()
    tab.count("#step .row-copy", 2)
    tab.count("#document .here", 2)
    tab.says("#step", "1.5")


def test_predict_then_reveal(tab):
    page = tab.page
    page.check("#stepper input[type=checkbox]")
    page.get_by_label("Step forward").click()
    page.get_by_label("Step forward").click()
    tab.hides("#graph .edge[data-from=q1] .value", 1)
    page.get_by_label("The value of q1").fill("7")
    page.get_by_role("button", name="Reveal").click()
    tab.says("#step", "Not quite")
    tab.hides("#graph .edge[data-from=q1] .value", 0)
    page.get_by_label("Step forward").click()
    page.get_by_label("The value of q2").fill("0")
    page.keyboard.press("Enter")
    tab.says("#step", "That is right")


def test_a_gate_is_written_out_and_folded(tab, server):
    page = tab.page
    page.locator("#graph .gate[data-gate=q3]").click()
    page.locator("#step").get_by_role("button", name="Write sigmoid out").click()
    page.wait_for_selector("g.fold[data-fold=sigmoid]")
    tab.says("#graph", "exp")
    page.locator("g.fold[data-fold=sigmoid]").click()  # on the gate itself
    page.wait_for_selector("[data-fold=sigmoid]", state="detached")
    wait(lambda: "unfold" not in server[1].read_text())
    time.sleep(TOGETHER)  # so that the next change is taken back by itself
    page.locator("g.fold[data-unfold=sigmoid]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("g.fold[data-fold=sigmoid]")
    wait(lambda: page.evaluate("document.activeElement.dataset.fold") == "sigmoid")
    page.click("#undo")
    page.wait_for_selector("[data-fold=sigmoid]", state="detached")


def test_the_file_changes_on_the_disk_and_in_another_tab(tab, server, browser):
    page, (address, path) = tab.page, server
    path.write_text(HOMEWORK.replace("w = 0.5", "w = 0.625"))
    tab.holds("#cell-w-0-0", "0.625")
    tab.says("#graph", "0.625")
    other = Tab(browser, address)
    other.page.fill("#cell-b-0-0", "-3")
    tab.holds("#cell-b-0-0", "-3")
    other.page.fill("#function", "tanh(w*x + b) - y")
    tab.holds("#function", "tanh(w*x + b) - y")
    other.close()
    page.fill("#cell-x-0-0", "abc")
    tab.says("#error", "no number")
    page.fill("#cell-y-0-0", "7")  # what is right is taken
    wait(lambda: "y = 7" in path.read_text() and "tanh" in path.read_text())
    tab.holds("#cell-x-0-0", "abc")
    page.fill("#cell-x-0-0", "2")
    expect(page.locator("#error")).to_be_empty(timeout=PATIENCE)
    page.click("#as-text")
    text = page.input_value("#file-text")
    assert "b = -3" in text
    page.fill("#file-text", text.replace("b = -3", "b = -4"))
    wait(lambda: "b = -4" in path.read_text())
    page.fill("#file-text", "title = ")
    tab.says("#error", "line 1")
    assert "b = -4" in path.read_text()


def test_a_matrix_is_typed_pasted_and_grown(tab, server):
    page = tab.page
    page.get_by_role("navigation").get_by_text("A layer").click()
    page.wait_for_selector("#cell-W-1-1")
    page.get_by_label("W: one row more").click()
    page.wait_for_selector("#cell-W-2-1")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text", "1\\t2\\n3\\t4\\n5\\t6");
          document.getElementById("cell-W-0-0").dispatchEvent(
            new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    tab.holds("#cell-W-2-1", "6")
    page.select_option("#kind-x", "number")
    page.wait_for_selector("#cell-x-1-0", state="detached")
    tab.says("#error", "shape")
    page.select_option("#kind-x", "vector")
    page.wait_for_selector("#cell-x-1-0")
    page.get_by_role("button", name="One step of gradient descent").click()
    page.get_by_role("button", name="Ten steps").click()
    tab.says("#losses", "11 steps of gradient descent")  # each click counts, however quick


def test_my_own_numbers_lead_to_the_wrong_gate(tab):
    page = tab.page
    page.get_by_text("My own work").click()
    page.fill("#own-text", "q1 = 1\nq3 = 0.5\ndf/dq4 = 1")
    page.get_by_role("button", name="Check the numbers").click()
    tab.says("#own-result", "First wrong: df/dq4 is 1, not -1")
    page.get_by_role("button", name="Show it in the graph").click()
    tab.says("#step", "Gate q5")
    page.fill("#own-text", "print('q1 =', 1.0)")
    page.get_by_role("button", name="Run the program").click()
    tab.says("#own-result", "All 1 numbers found agree")


def test_downloads_and_copying(tab):
    page = tab.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Download").click()
    with page.expect_download() as got:
        page.get_by_role("link", name="PDF: the solution").click()
    assert Path(got.value.path()).read_bytes().startswith(b"%PDF")
    assert got.value.suggested_filename == "mine.pdf"
    page.locator("#echo math").first.click()
    page.get_by_role("button", name="Copy LaTeX").click()
    wait(lambda: r"\sigma" in page.evaluate("navigator.clipboard.readText()"))
    page.get_by_role("button", name="Copy MathML").click()
    wait(lambda: page.evaluate("navigator.clipboard.readText()").startswith("<math"))


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ({}, ("plain", "step", "error")),
        ({"color_scheme": "dark"}, ("step",)),
        ({"viewport": {"width": 390, "height": 844}}, ("step",)),
    ],
    ids=["desk", "dark", "phone"],
)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, server, options, states):
    from axe_playwright_python.sync_playwright import Axe

    address, path = server
    path.write_text(HOMEWORK)
    tab = Tab(browser, address, **options, bypass_csp=True)
    page = tab.page
    tab.settle(path)
    for state in states:
        if state == "step":
            page.get_by_label("Step forward").click()
            page.get_by_label("Step forward").click()
            page.get_by_text("Download").click()
            page.get_by_text("My own work").click()
            page.fill("#own-text", "q1 = 7")
            page.get_by_role("button", name="Check the numbers").click()
            tab.says("#own-result", "First wrong")
        if state == "error":
            page.fill("#function", "w * (")
            tab.says("#error", "closed")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()


ENDS_OF_NUMBERS = r"""() => [...document.querySelectorAll("mtable")]
  .map(table => [...table.querySelectorAll("mtr")].map(row => [...row.children]))
  .filter(rows => rows.flat().every(cell => /^[−-]?[\d.]+$/.test(cell.textContent)))
  .flatMap(rows => rows[0].map((_, i) => rows.map(row => row[i])))
  .map(cells => cells.map(cell => [cell.firstElementChild, cell.lastElementChild].map(e => e.getBoundingClientRect())))
  .map(boxes => [boxes.map(([a, b]) => Math.round(b.right - a.left)), boxes.map(([_, b]) => b.right)])"""


def test_the_exported_page_steps_from_a_file(browser, tmp_path):
    source = tmp_path / "mine.toml"
    source.write_text(HOMEWORK)
    page_file = tmp_path / "page.html"
    command = [sys.executable, "-m", "report", "build", str(source), "-o", str(page_file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert not re.search(r'(?:src|href)="https?:', page_file.read_text())
    tab = Tab(browser, page_file.as_uri(), reduced_motion="reduce")
    page = tab.page
    tab.count(".stepper", 2)
    figure = page.locator("figure.steppable").first
    page.locator(".stepper").first.get_by_label("Step forward").click()
    tab.hides("figure.steppable >> nth=0 >> .gradient", figure.locator(".gradient").count())
    page.locator(".stepper").first.get_by_label("Step forward").click()
    tab.says(".step-view", "Forward, step 1 of 5: gate q1")
    page.locator("h1").first.click()
    page.keyboard.press("ArrowRight")
    tab.says(".step-view", "Forward, step 2 of 5: gate q2")
    tab.count("figure.steppable.stepping", 1)
    tab.count("figure.steppable >> nth=0 >> .gate.current", 1)
    page.locator(".stepper").first.get_by_text("Show all").click()
    tab.hides("figure.steppable .gradient", 0)
    page.locator("math").first.click()
    page.get_by_role("button", name="Copy LaTeX").wait_for()
    columns = page.evaluate(ENDS_OF_NUMBERS)
    assert any(len({*widths}) > 1 for widths, _ in columns)
    assert all(max(ends) - min(ends) < 1 for _, ends in columns)
    tab.close()


def test_the_exported_page_is_legible_in_the_dark_and_its_matrices_are_aligned(browser, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    source, page_file = tmp_path / "mine.toml", tmp_path / "page.html"
    source.write_text(
        'title = "A sheet"\ncourse = "Deep Learning"\n[[question]]\nfunction = "norm(W @ x)**2"\nwrt = ["W"]\n'
        "[question.inputs]\nW = [[0.5, -12.25], [10, 0]]\nx = [1, -0.5]\n"
    )
    command = [sys.executable, "-m", "report", "build", str(source), "-o", str(page_file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    tab = Tab(browser, page_file.as_uri(), color_scheme="dark", bypass_csp=True)
    found = Axe().run(tab.page).response["violations"]
    assert [n["html"][:200] for v in found if v["id"] == "color-contrast" for n in v["nodes"]] == []
    apart = tab.page.evaluate(
        """[...document.querySelectorAll("mtable")].map(t => Math.max(...[0, 1].map(i => {
          const ends = [...t.rows ?? t.querySelectorAll("mtr")].map(r => r.children[i]?.lastElementChild)
            .filter(Boolean).map(e => e.getBoundingClientRect().right);
          return ends.length ? Math.max(...ends) - Math.min(...ends) : 0;
        })))"""
    )
    assert apart
    assert max(apart) < 1
    tab.close()


WIDE = """() => [...document.querySelectorAll(".document :is(.eq, .box, .glance, .forward, .backward, td, th)")]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    page_file = tmp_path_factory.mktemp("exported") / "page.html"
    command = [sys.executable, "-m", "report", "build", "problems/homework1.toml", "-o"]
    subprocess.run([*command, str(page_file)], check=True, capture_output=True, timeout=120)
    return page_file.as_uri()


def test_a_phone_shows_formulas_whole_and_a_wide_screen_in_one_line(browser, exported):
    phone = Tab(browser, exported, viewport={"width": 390, "height": 844})
    assert phone.page.evaluate(WIDE) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.close()
    desk = Tab(browser, exported)
    for found in desk.page.locator(".eq").all():
        sides = found.evaluate(
            """e => [...e.querySelectorAll("math")].map(m => m.getBoundingClientRect())
              .map(box => [box.top, box.bottom])"""
        )
        assert max(top for top, _ in sides) < min(bottom for _, bottom in sides)  # side by side
    desk.close()


def test_an_exported_page_brings_every_letter_of_its_formulas(browser, exported):
    """Greek ones and ∂ too, which a browser shows in italics by itself."""
    tab = Tab(browser, exported)
    asked = tab.context.new_cdp_session(tab.page)
    asked.send("DOM.enable")
    asked.send("CSS.enable")
    root = asked.send("DOM.getDocument", {"depth": -1})["root"]["nodeId"]
    letters = asked.send(
        "DOM.querySelectorAll", {"nodeId": root, "selector": "math :is(mi, mo, mn)"}
    )
    fonts = [
        font
        for node in letters["nodeIds"]
        for font in asked.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    ]
    assert {(font["familyName"], font["isCustomFont"]) for font in fonts} == {
        ("STIX Two Math", True)
    }
    tab.said.clear()  # Chromium says that it reads the stylesheet again
    tab.close()
