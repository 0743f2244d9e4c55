"""What a change brings: values, graph and errors, the file, other tabs, downloads."""

import asyncio
import io
import json
import re
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import report
from report import ReportError
from report.live import form, work
from report.live.homework_file import HomeworkFile
from report.live.server import LivePage
from report.live.worker import Worker
from report.readback import ReadBack

pytestmark = pytest.mark.xdist_group("live page")
TOKEN, PORT = "t", 8766
HOME = f"http://127.0.0.1:{PORT}"
FILE = """# my homework
title = "Homework 7"  # the title
author = "Ada"

[[question]]
title = "First"   # of two
function = "sum((W @ x)**2)"  # the norm
[question.inputs]
W = [  # weights
  [1, 2],
  [3, 4],
]
x = [0.5, -1]  # a vector

[[question]]
function = "1 / (2 + sin(a))"
inputs = { a = 3 } # inline
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "mine.toml"
    path.write_text(FILE)
    page = LivePage(path)
    with TestClient(page.app(TOKEN, PORT), base_url=HOME, client=("127.0.0.1", 1)) as client:
        yield client, page, path


@pytest.fixture
def fresh(live):
    """The page with the file as it was."""
    client, page, path = live
    post(client, "text", text=FILE, version=page.file.version)
    wait(lambda: path.read_text() == FILE)
    return live


def post(client, where, q="q1", **fields):
    found = client.post(f"/{TOKEN}/{where}?q={q}", data=fields, headers={"origin": HOME})
    assert found.status_code == 200
    return found.text


def wait(happens, seconds=60.0):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)


def steps(page):
    found = re.search(r'data-steps="([^"]*)"', page)
    return json.loads(found[1].replace("&#34;", '"').replace("&#39;", "'"))


def error(page):
    return re.search(r'<div id="error"[^>]*>(.*?)</div>', page, re.DOTALL)[1]


def test_a_number_changes_values_and_graph(fresh):
    client, page, _ = fresh
    answer = post(
        client, "edit", **{"version": page.file.version, "cell:x:1": "0", "cell:x:1:0": "0"}
    )
    found = steps(answer)
    assert found["value"] == 0.5**2 + 1.5**2
    assert {g["name"]: g["value"] for g in found["inputs"]}["x"] == [0.5, 0]
    assert error(answer) == ""


def test_the_file_keeps_its_comments(fresh):
    client, page, path = fresh
    base = page.file.version
    post(client, "edit", **{"version": base, "cell:W:1:0": "-2.5", "title": "Homework 8"})
    post(client, "edit", q="q2", **{"version": page.file.version, "cell:a:0:0": "1.25"})
    wait(lambda: "1.25" in path.read_text())
    changed = (
        FILE.replace("[3, 4]", "[-2.5, 4]")
        .replace("Homework 7", "Homework 8")
        .replace("a = 3", "a = 1.25")
    )
    assert path.read_text() == changed


def test_a_formula_brings_its_inputs(fresh):
    client, page, _ = fresh
    post(client, "edit", version=page.file.version, function="sum(tanh(W @ x + b)**2)")
    assert np.shape(page.file.parsed.questions[0].inputs["b"]) == (2,)  # as W @ x
    post(client, "edit", version=page.file.version, function="sum(tanh(W @ x + b) * cc)")
    post(client, "edit", version=page.file.version, function="sum(tanh(W @ x) * cc)")
    assert "b" not in page.file.parsed.questions[0].inputs  # found in a formula, and never set
    post(client, "edit", version=page.file.version, function="v @ A @ v")
    inputs = page.file.parsed.questions[0].inputs
    assert np.shape(inputs["v"]) == (2,)
    assert np.shape(inputs["A"]) == (2, 2)
    assert inputs["W"] == [[1, 2], [3, 4]]  # somebody's numbers stay


def test_errors_stand_under_the_formula_with_a_caret(fresh):
    client, page, _ = fresh
    answer = post(client, "edit", version=page.file.version, function="sum(W @@ x)")
    assert "line 1, column 8" in error(answer)
    assert "sum(W @@ x)\n" in error(answer)
    assert error(answer).rstrip("</pre>\n").endswith("^")
    assert 'id="graph"' not in answer  # the last good graph stays
    answer = post(client, "edit", version=page.file.version, **{"cell:x:0:0": "1/0"})
    assert "input x" in error(answer)
    assert "no number" in error(answer)


def test_shapes_sizes_paste_and_chance(fresh):
    client, page, _ = fresh

    def value(name):
        return page.file.parsed.questions[0].inputs[name]

    post(client, "edit", **{"version": page.file.version, "kind:x": "matrix"})
    assert value("x") == [[0.5, -1], [0.0, 0.0]]
    post(client, "edit", **{"version": page.file.version, "kind:x": "number"})
    assert value("x") == 0.5
    post(client, "input", name="W", what="size", rows=3, columns=1)
    assert value("W") == [[1], [3], [0.0]]
    for text, wanted in {
        "array([[1., 2.],\n       [3., -4.5e-1]])": [[1.0, 2.0], [3.0, -0.45]],
        "1\t2\n3\t4\n": [[1, 2], [3, 4]],
        "1 2; 3 4": [[1, 2], [3, 4]],
        "[1, 2, 3]": [1, 2, 3],
        "tensor([[0.1000]])": [[0.1]],
        "7\n8\n9": [7, 8, 9],
        "array([1., 2.], dtype=float32)": [1, 2],
        "0,5\t1,25\n-3\t4": [[0.5, 1.25], [-3, 4]],
        "0.5\t1,234.5": [0.5, 1234.5],
        r"\begin{bmatrix} 1 & 2 \\ 3 & -4 \end{bmatrix}": [[1, 2], [3, -4]],
    }.items():
        post(client, "input", name="W", what="paste", text=text)
        assert value("W") == wanted
    for text, why in {
        "1 2\n3": "equal rows",
        "[0. 0. ... 0.]": "... in the place of a number",
        "[1, nan]": "nan in the place of a number",
        "[[[1], [2]]]": "three axes",
    }.items():
        assert why in error(post(client, "input", name="W", what="paste", text=text))
    post(client, "input", what="draw", seed="7")
    first = value("W")
    post(client, "input", what="draw", seed="8")
    assert value("W") != first
    post(client, "input", what="draw", seed="7")
    assert value("W") == first


def test_which_gradients_are_asked_for(fresh):
    client, page, _ = fresh
    answer = post(client, "edit", **{"version": page.file.version, "asked:W": ""})
    assert page.file.parsed.questions[0].wrt == ("x",)
    assert "<dt>" in answer
    answer = post(client, "edit", **{"version": page.file.version, "asked:x": ""})
    assert "one input at least" in error(answer)


def test_a_gate_is_unfolded_and_folded(fresh):
    client, page, _ = fresh
    post(client, "edit", version=page.file.version, function="tanh(x[0])")
    answer = post(client, "edit", version=page.file.version, unfold="tanh")
    assert {"exp", "divide"} <= {g["gate"] for g in steps(answer)["gates"]}
    assert 'data-fold="tanh"' in answer
    answer = post(client, "edit", version=page.file.version, unfold="")
    assert [g["gate"] for g in steps(answer)["gates"]] == ["index", "tanh"]
    assert 'data-unfold="tanh"' in answer
    text = FILE.replace("sum((W @ x)**2)", "sum(layer_norm(W @ x, [1, 2], [0, 1])**3)")
    answer = post(client, "text", text=text, version=page.file.version)
    assert 'data-fold="layer_norm"' in answer  # which a report writes out by itself
    answer = post(client, "edit", version=page.file.version, unfold="")
    assert "layer_norm" in {g["gate"] for g in steps(answer)["gates"]}
    assert page.file.parsed.questions[0].unfold == ()


def test_two_tabs_change_one_file(fresh):
    client, page, _ = fresh
    base = page.file.version
    whole = {
        "title": "Homework 7",
        "author": "Ada",
        "function": "sum((W @ x)**2)",
        "cell:x:0:0": "0.5",
    }
    post(client, "edit", version=base, **{**whole, "author": "Grace"})
    post(client, "edit", version=base, **{**whole, "cell:x:0:0": "2"})  # of the form as it was
    assert page.file.parsed.author == "Grace"
    assert page.file.parsed.questions[0].inputs["x"] == [2, -1]
    assert "changed elsewhere" in error(post(client, "text", text=FILE, version=base))


def test_an_editor_saves_the_file(fresh):
    _, page, path = fresh
    before = page.file.version
    time.sleep(0.3)
    path.write_text(FILE.replace("0.5", "0.75"))
    wait(lambda: page.file.version > before)
    assert page.file.parsed.questions[0].inputs["x"] == [0.75, -1]
    path.write_text("title = ")  # half a file
    wait(lambda: page.problem)
    assert page.file.parsed.questions[0].inputs["x"] == [0.75, -1]
    path.write_text(FILE)
    wait(lambda: not page.problem and page.file.text == FILE)


def test_gradient_descent_goes_down(fresh):
    client, page, _ = fresh
    answer = post(client, "descend", rate="0.01", steps="10")
    assert 'class="losses"' in answer
    before = steps(answer)["value"]
    assert before < 12.5
    assert steps(post(client, "descend", rate="0.01", steps="1"))["value"] < before
    assert 'class="losses"' not in post(
        client, "edit", **{"version": page.file.version, "cell:x:0:0": "9"}
    )


def test_the_document_and_its_programs(fresh):
    client, _, _ = fresh
    found = client.get(f"/{TOKEN}/document?q=q1").text
    assert "<math" in found
    assert "What it prints" not in found
    assert "comparisons agree" in found
    found = client.get(f"/{TOKEN}/runs?q=q1").text
    assert "$ python q1.py" in found or "python" in found
    assert "comparisons agree" in found


def test_downloads(fresh):
    client, _, _ = fresh

    def get(kind):
        found = client.get(f"/{TOKEN}/download/{kind}?q=q1")
        assert found.status_code == 200
        assert found.headers["content-disposition"].startswith('attachment; filename="mine')
        return found.content

    for kind in ("solution", "sheet", "key"):
        assert get(kind).startswith(b"%PDF-1.7")
    assert get("html").startswith(b"<!DOCTYPE html>")
    assert b"<svg" in get("svg")
    assert json.loads(get("trace"))["format"] == "report-trace"
    assert get("toml").decode() == FILE
    with zipfile.ZipFile(io.BytesIO(get("programs"))) as archive:
        assert archive.namelist() == ["q1.py", "q1_numpy.py"]


def test_a_heavy_formula_is_ended_and_the_page_goes_on(fresh, monkeypatch):
    client, page, _ = fresh
    monkeypatch.setattr("report.live.editing.QUICK", 0.001)
    long = (
        "h0 = x\n" + "\n".join(f"h{i} = tanh(W @ h{i - 1})" for i in range(1, 300)) + "\nsum(h299)"
    )
    answer = post(client, "edit", version=page.file.version, function=long)
    assert "takes longer than 0.001 seconds and was stopped" in error(answer)
    monkeypatch.setattr("report.live.editing.QUICK", 60.0)
    answer = post(client, "edit", version=page.file.version, function="sum(W @ x)")
    assert error(answer) == ""
    assert steps(answer)["value"] == -4


def test_toml_of_the_page_is_toml(fresh):
    client, page, _ = fresh
    latex = "h = W @ x\nsum(h * h)"
    post(client, "edit", version=page.file.version, function=latex)
    assert tomllib.loads(page.file.text)["question"][0]["function"].strip() == latex
    assert "# the norm" in page.file.text
    assert 'function = """\nh = W @ x\nsum(h * h)\n"""' in page.file.text


def test_an_edit_that_is_not_saved_yet_survives_a_change_on_the_disk(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    file = HomeworkFile(path)
    file.edit("q1", {}, {"inputs": {"x": [7, 8]}})
    path.write_text(FILE.replace("Ada", "Grace"))
    assert file.follow()
    assert file.save()
    assert path.read_text() == FILE.replace("Ada", "Grace").replace("[0.5, -1]", "[7, 8]")


def test_the_ends_of_lines_stay(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(FILE.replace("\n", "\r\n").encode())
    file = HomeworkFile(path)
    file.edit("q1", {}, {"inputs": {"x": [7, 8]}})
    assert file.save()
    assert path.read_bytes().decode() == FILE.replace("[0.5, -1]", "[7, 8]").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("latex", "names"),
    [
        (r"\left\|\sigma(\mathbf{W}\mathbf{x})\right\|^2", "W x"),
        (r"f(x, w) = \frac{1}{2 + \sin^2(x_1 w_1) + \cos(x_2 w_2)}", "x1 w1 x2 w2"),
        (
            r"\frac{1}{n} \sum_{i=1}^{n} (y_i - \mathbf{w}^\top x_i)^2 + \lambda \|w\|^2",
            "y w x lambda",
        ),
        (
            r"h = \tanh(W_1 x + b_1) \\ \hat{y} = W_2 h + b_2 \\ L = \|\hat{y} - y\|^2",
            "W1 x b1 W2 b2 y",
        ),
        (r"$-\log \hat y$", "y_hat"),
    ],
)
def test_the_names_of_latex(latex, names):
    assert form.free_names(latex) == names.split()


def test_latex_is_read_and_echoed(fresh):
    client, page, _ = fresh
    answer = post(
        client,
        "edit",
        version=page.file.version,
        function=r"\left\|\sigma(\mathbf{W}\mathbf{x})\right\|^2",
    )
    assert error(answer) == ""
    assert "squared_norm" in {g["gate"] for g in steps(answer)["gates"]}
    assert r"function = '\left\|\sigma(\mathbf{W}\mathbf{x})\right\|^2'" in page.file.text
    assert "<math" in answer
    answer = post(client, "edit", version=page.file.version, function=r"\sum_{i=1}^n (v_i - c)^2")
    assert error(answer) == ""


def test_new_homework_fits_itself_to_a_formula():
    page = LivePage(None)
    with TestClient(page.app(TOKEN, PORT), base_url=HOME, client=("127.0.0.1", 1)) as client:
        text = "h = tanh(W1 @ x + b1)\nz = W2 @ h + b2\nsum((z - t)**2)"
        answer = post(client, "edit", version="1", function=text)
        assert error(answer) == ""
        inputs = page.file.parsed.questions[0].inputs
        assert list(inputs) == ["W1", "x", "b1", "W2", "b2", "t"]
        assert np.shape(inputs["W1"]) == (2, 3)
        assert np.shape(inputs["x"]) == (3,)
        post(client, "input", name="x", what="size", rows=5, columns=1)
        assert np.shape(page.file.parsed.questions[0].inputs["W1"])[1] == 5  # which nobody has set
        assert "write a formula" in error(
            post(client, "edit", version=page.file.version, function=" ")
        )
        post(client, "edit", **{"version": page.file.version, "cell:x:0:0": "3"})
        answer = post(client, "edit", version=page.file.version, function="sum(A @ x)")
        assert set(page.file.parsed.questions[0].inputs) == {"A", "x"}
        assert page.file.parsed.questions[0].inputs["x"][0] == 3
        assert error(answer) == ""
        latex = r"\frac{1}{n}\sum_{i=1}^{n}(y_i - \mathbf{w}^\top x_i)^2 + \lambda \|w\|^2"
        answer = post(client, "edit", version=page.file.version, function=latex)
        assert error(answer) == ""
        latex = r"h = \tanh(W_1 x + b_1) \\\\ \hat{y} = W_2 h + b_2 \\\\ L = \|\hat{y} - y\|^2"
        answer = post(client, "edit", version=page.file.version, function=latex)
        assert error(answer) == ""
        inputs = page.file.parsed.questions[0].inputs
        shapes = {name: np.ndim(value) for name, value in inputs.items()}
        assert shapes == {"x": 1, "W1": 2, "b1": 1, "W2": 2, "b2": 1, "y": 1}


def test_second_derivatives_are_a_switch(fresh):
    client, page, path = fresh
    post(client, "edit", q="q2", version=page.file.version, hessian="on")
    assert page.file.parsed.question("q2").hessian
    assert "hessian" in client.get(f"/{TOKEN}/document?q=q2").text.lower()
    post(client, "edit", q="q2", version=page.file.version, hessian="")
    wait(lambda: "hessian" not in path.read_text())


def test_what_else_a_report_tells_stands_on_the_page(fresh):
    client, page, path = fresh
    text = FILE.replace("sum((W @ x)**2)", "W @ x")
    answer = post(client, "text", text=text, version=page.file.version)
    assert "result has shape (2,)" in error(answer)
    fields = {"jacobian": "on", "entry": "1", "direction": "x = [1, 0]"}
    answer = post(client, "edit", version=page.file.version, **fields)
    assert error(answer) == ""
    assert steps(answer)["value"] == -2.5
    found = client.get(f"/{TOKEN}/document?q=q1").text
    assert "row 2" in found
    assert "Forward mode" in found
    post(client, "edit", q="q2", version=page.file.version, steps="3")
    post(client, "edit", q="q2", version=page.file.version, method="adam")
    found = client.get(f"/{TOKEN}/document?q=q2").text
    assert "Adam" in found
    assert "<svg" in found
    wait(lambda: 'method = "adam"' in path.read_text())
    assert "direction = {x = [1, 0]}\n" in path.read_text()
    answer = post(client, "edit", q="q2", version=page.file.version, steps="", direction="q =")
    assert "write x = [1, 0]" in error(answer)
    assert page.file.parsed.question("q2").plan is None  # what is right is taken all the same


def test_what_cannot_be_read_back_is_not_shown(monkeypatch):
    asked = []

    def nobody_reads(trace, derivation):
        asked.append(trace.value)
        (gradient,) = derivation.gradients
        return ReadBack(1, (), (f"{gradient.left} = {gradient.closed} (why)",))

    monkeypatch.setattr(work, "read_back", nobody_reads)
    monkeypatch.setattr(work, "_read", {})
    monkeypatch.setattr("report.readback.read_back", nobody_reads)
    text = 'title = "T"\n[[question]]\nfunction = "x**3"\ninputs = { x = 2 }\n'
    said = "This gradient is not written out as one formula"
    assert said in work.whole(text, "a.toml", "q1")
    assert said in work.whole(text.replace("2", "3"), "a.toml", "q1")
    assert asked == [8.0]  # numbers do not decide what can be read
    assert said in report.show("x**3", {"x": 2}).html


def test_the_last_change_is_taken_back(fresh):
    client, page, path = fresh
    page.file.past.clear()
    page.file.changed_at = 0.0
    for value in ("3", "4"):  # in one go
        post(client, "edit", q="q2", **{"version": page.file.version, "cell:a:0:0": value})
    assert "a = 4" in page.file.text
    answer = post(client, "undo", q="q2")
    assert page.file.text == FILE
    assert 'id="undo" disabled' in answer
    wait(lambda: path.read_text() == FILE)


def test_a_question_that_is_gone_takes_no_change(fresh):
    client, page, _ = fresh
    post(
        client,
        "text",
        text=FILE.replace("[[question]]\nfunction", '[[question]]\nid = "other"\nfunction'),
        version=page.file.version,
    )
    before = page.file.text
    said = post(client, "edit", q="q2", **{"version": page.file.version, "cell:a:0:0": "7"})
    assert "no question q2 any more" in said
    assert page.file.text == before
    assert "no question q2" in client.get(f"/{TOKEN}/document?q=q2").text
    assert client.get(f"/{TOKEN}/?q=q2").status_code == 200


def test_numbers_of_my_own_are_checked_and_nothing_runs(fresh):
    client, _, _ = fresh
    said = post(client, "own", what="numbers", text="q1 = [-1.5, -2.5]\ndf/dq1 = [3, 5]")
    assert "First wrong: df/dq1" in said
    assert "the sign is turned" in said
    assert "data-show=" in said
    assert "All 1 numbers found agree" in post(
        client, "own", what="numbers", text="q1 = [-1.5, -2.5]"
    )
    assert "is empty" in post(client, "own", what="numbers", text="")
    assert "found" in post(client, "own", what="numbers", text="print(open('/etc/passwd').read())")


def test_a_program_of_my_own_runs_where_i_ask_for_it(fresh):
    client, page, path = fresh
    said = post(client, "own", what="program", text="print('q1 =', [-1.5, -2.5])\nopen('../x')")
    assert "may not read ../x" in said
    assert "What it printed" in said
    assert "this is no Python" in post(client, "own", what="program", text="q1 = = 3")
    assert "names no such program" in post(client, "own", what="file:mine.py", text="")
    path.with_name("mine.py").write_text("print('q1 =', [-1.5, -2.5])")
    text = page.file.text.replace(
        "[question.inputs]\nW", 'program = "mine.py"\n[question.inputs]\nW'
    )
    post(client, "text", text=text, version=page.file.version)
    assert "All 1 numbers found agree" in post(client, "own", what="file:mine.py", text="")
    page_now = client.get(f"/{TOKEN}/").text
    assert "Run mine.py" in page_now
    assert "PDF: the solution (runs mine.py)" in page_now


def addresses(worker):
    """Bytes of a worker's address space."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmPeak:\s*(\d+)", status)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_a_program_ends_with_the_worker_that_runs_it():
    worker = Worker()
    worker.begin()
    program = "import time\ntime.sleep(60)"
    worker.pipe.send(("own_program", (FILE, "b.toml", "q2", "mine.py", program)))
    children = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
    wait(children.read_text)
    (child,) = children.read_text().split()
    wait(lambda: "confined" in Path(f"/proc/{child}/cmdline").read_text())
    time.sleep(0.1)
    worker.end()
    wait(lambda: not Path(f"/proc/{child}").exists())


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of addresses is one of Linux")
def test_work_that_needs_too_much_memory_is_refused_and_the_next_is_done():
    large = 'title="T"\n[[question]]\nfunction="sum(sin(outer(x, x)))"\n[question.inputs]\nx={uniform=[0, 1], shape=[4000]}\n'

    async def all_three():
        worker = Worker()
        await worker.ask("value", FILE, "b.toml", "q2", seconds=60)
        size = addresses(worker)
        worker.end()
        worker = Worker(memory=size + 150_000_000)  # one value of the outer product, not two
        try:
            with pytest.raises(ReportError, match="more memory than the live page may take"):
                await worker.ask("gradients", large, "a.toml", "q1", seconds=60)
            return await worker.ask("value", FILE, "b.toml", "q2", seconds=60)
        finally:
            worker.end()

    assert asyncio.run(all_three()) == pytest.approx(1 / (2 + np.sin(3)))
