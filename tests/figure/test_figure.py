"""The figure: what stands in it, and that nothing in it touches what it should not."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from markupsafe import Markup

from report import trace
from report.autodiff.gates import GATES
from report.autodiff.trace import Trace
from report.document import gate_html
from report.figure import Figure, Panel, draw
from tests.autodiff.test_backprop import Q1, Q1_DEGREES, Q1_INPUTS, Q2, Q2_INPUTS
from tests.figure.pictures import (
    GRADIENT,
    VALUE,
    Box,
    crossings,
    read,
    signs,
    spot,
    touching,
    words,
)

MICROGRAD = """
    c = a + b
    d = a * b + b**3
    c1 = c + c + 1
    c2 = c1 + 1 + c1 + (-a)
    d1 = d + d * 2 + relu(b + a)
    d2 = d1 + 3 * d1 + relu(b - a)
    e = c2 - d2
    f = e**2
    g = f / 2.0
    g + 10.0 / f
"""
MLP = "h = tanh(W1 @ x + b1)\nz = W2 @ h + b2\nsum((z - y)**2)"
MLP_INPUTS = {
    "W1": [[0.1, -0.2], [0.3, 0.4], [-0.5, 0.25]], "x": [1, -2], "b1": [0.1, 0, -0.1],
    "W2": [[0.2, 0.3, -0.4], [1, -0.6, 0.7]], "b2": [0.05, -0.05], "y": [1, 0],
}  # fmt: skip
LONG = "learning_rate * momentum_of_the_optimizer_today - theta_hat * x_max"


def product(first: int, last: int) -> str:
    """A balanced tree of products."""
    middle = (first + last) // 2
    if last == first + 1:
        return f"x{first}"
    return f"({product(first, middle)} * {product(middle, last)})"


def numbered(letters: str, count: int) -> dict[str, float]:
    return {f"{c}{i}": (1 + i) / 7 for i in range(count) for c in letters}


CORPUS: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {
    "homework1-q1": (Q1, Q1_INPUTS, ["w1", "w2"]),
    "homework1-q1-degrees": (Q1_DEGREES, Q1_INPUTS, None),
    "homework1-q2": (Q2, Q2_INPUTS, ["W"]),
    "one gate": ("a + a", {"a": 2}, None),
    "three edges": ("x*x*x", {"x": 1.5}, None),
    "bare input": ("x", {"x": 2}, None),
    "constant": ("3", {"x": 2, "Y": [[1, 2], [3, 4]]}, None),
    "micrograd": (MICROGRAD, {"a": -4, "b": 2}, None),
    "mlp": (MLP, MLP_INPUTS, ["W1", "b1", "W2", "b2"]),
    "chain": ("sin(" * 60 + "x" + ")" * 60, {"x": 0.7}, None),
    "sum": (" + ".join(f"x{i}" for i in range(40)), numbered("x", 40), None),
    "neuron": ("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
               {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}, None),
    "numbers": ("u*v + big/3", {"u": 1.23e-9, "v": -12345.678, "big": -12345.678}, None),
    "long names": (LONG, dict.fromkeys(re.findall(r"[a-z_]+", LONG), 0.1), None),
    "often used": ("*".join(["x"] * 20), {"x": 1.1}, None),
    "dot product": ("tanh(" + " + ".join(f"w{i}*x{i}" for i in range(12)) + ")",
                    numbered("wx", 12), None),
    "tree": (product(0, 64), numbered("x", 64), None),
    "dense": ("a = x*y + y*x\nb = a*x + a*y\nc = a*b - b/a\n(a + b*c)*(b - c*x)*(c + y*a)",
              {"x": 0.7, "y": -1.3}, None),
    "large tensors": ("h = tanh(X @ W1 + b1)\nmean((h @ W2 - Y)**2)",
                      {"X": np.linspace(-1, 1, 40).reshape(8, 5),
                       "W1": np.linspace(-0.3, 0.8, 30).reshape(5, 6), "b1": np.ones(6) / 10,
                       "W2": np.linspace(1e-9, 3e-9, 18).reshape(6, 3), "Y": np.zeros((8, 3))},
                      None),
    "wide numbers": ("sum(A @ B @ A)", {"A": np.geomspace(1e-9, 1e9, 16).reshape(4, 4),
                                        "B": -np.geomspace(1e-9, 1e9, 16).reshape(4, 4)}, None),
    "many operands": ("sum(concatenate([" + ", ".join(["v", "v*2"] * 30) + "]))",
                      {"v": [0.5, 1.5]}, None),
    "label": ("cross_entropy(Z, y) + where(x > 0, x, 2*x) + maximum(x, 0)",
              {"Z": [[1, 2], [3, 5]], "y": [0, 1], "x": 0.5}, None),
}  # fmt: skip


@cache
def traced(name: str) -> Trace:
    return trace(*CORPUS[name])


@cache
def drawn(name: str) -> Figure:
    return draw(traced(name))


# ---------------------------------------------------------------- nothing touches


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_touches(name: str) -> None:
    for panel in drawn(name).panels:
        assert touching(read(panel.svg)) == []


@st.composite
def functions(draw_one: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Let-lines over scalars and small tensors, each fed by any earlier ones."""
    values: dict[str, Any] = {}
    shape = draw_one(st.sampled_from([(), (2,), (2, 2), (3, 3), (5, 2)]))
    number = st.sampled_from([-12345.678, -1.5, -0.001, 0.0, 1.23e-9, 0.7, 2.0, 1e7])
    for i in range(draw_one(st.integers(1, 5))):
        of = draw_one(st.sampled_from([(), shape]))
        values[f"{draw_one(st.sampled_from('xwb'))}{i}"] = np.full(
            of, draw_one(number)
        ) + np.arange(float(np.prod(of, dtype=int))).reshape(of) * draw_one(number)
    names = list(values)
    lines = []
    rules = [
        "{} + {}",
        "tanh({} * {})",
        "sin({}) - {}",
        "2*{}",
        "{} - 0.5",
        "cos({})",
        "tanh({})**3",
    ]
    for i in range(draw_one(st.integers(0, 14))):
        rule = draw_one(st.sampled_from(rules))
        operands = [draw_one(st.sampled_from(names)) for _ in range(rule.count("{}"))]
        lines.append(f"h_{i} = {rule.format(*operands)}")
        names.append(f"h_{i}")
    last = draw_one(st.lists(st.sampled_from(names), min_size=1, max_size=4))
    return "\n".join([*lines, " + ".join(f"sum({n})" for n in last)]), values


@hypothesis_settings(max_examples=40)
@given(functions(), st.sampled_from([(150.0, 215.0), (120.0, 90.0)]))
def test_nothing_touches_in_any_graph(
    function: tuple[str, dict[str, Any]], room: tuple[float, float]
) -> None:
    t = trace(*function)
    figure = draw(t, width=room[0], max_height=room[1])
    for panel in figure.panels:
        assert touching(read(panel.svg)) == []
        assert panel.width <= room[0]
    assert {g.name for g in t.gates} <= {h.name for p in figure.panels for h in p.hotspots}


@pytest.mark.parametrize("name", CORPUS)
def test_panels_fit_the_page(name: str) -> None:
    for panel in drawn(name).panels:
        root = ET.fromstring(panel.svg)
        assert panel.width <= 150
        assert panel.height <= 215
        assert float(root.get("width", "")[:-2]) * 25.4 / 72 == pytest.approx(panel.width, abs=0.01)
        assert float(root.get("height", "")[:-2]) * 25.4 / 72 == pytest.approx(
            panel.height, abs=0.01
        )


@pytest.mark.parametrize("name", CORPUS)
def test_letters_and_colours(name: str) -> None:
    for panel in drawn(name).panels:
        picture = read(panel.svg)
        assert min(t.size for t in picture.texts) >= 7
        for colour in picture.colours - {"none", VALUE, GRADIENT}:
            assert len({colour[1:3], colour[3:5], colour[5:7]}) == 1, "neither grey nor black"


# ---------------------------------------------------------------- what stands in it


def four_digits(x: float) -> str:
    """2.020 for 2.01991, but -3 for -3."""
    short = f"{x:.4g}"
    return (short if float(short) == x else f"{x:#.4g}").replace("-", "−")


def test_values_and_gradients_of_the_homework() -> None:
    texts = read(drawn("homework1-q1").panels[0].svg).texts
    values = [t.text for t in texts if t.colour == VALUE]
    gradients = [t.text.strip("\u00a0") for t in texts if t.colour == GRADIENT and t.text != "∂"]
    t = traced("homework1-q1")
    edges = (*t.inputs, *t.gates)
    followed = [q.gradient for q in edges if q.node in t.needed]
    assert sorted(values) == sorted(four_digits(q.value) for q in edges)
    assert sorted(gradients) == sorted(four_digits(g) for g in followed)
    assert sum(t.text == "∂" for t in texts) == len(followed) == len(edges) - 2


def test_value_above_and_gradient_below_its_edge() -> None:
    picture = read(drawn("homework1-q1").panels[0].svg)
    level = {y for line in picture.edges for (_, y), (_, z) in itertools.pairwise(line) if y == z}
    for text in picture.texts:
        if text.colour == VALUE:
            assert any(0 < y - text.y < 4 for y in level)
        if text.colour == GRADIENT:
            assert any(0 < text.y - y < 10 for y in level)


def test_every_edge_of_a_value_used_twice_has_its_own_contribution() -> None:
    picture = read(drawn("three edges").panels[0].svg)
    found = words(picture)
    assert found.count("1.5") == 3  # three edges leave x
    assert found.count("∂ 2.25") == 3
    assert "Σ∂ 6.75" in found
    assert len(picture.edges) == 5


def test_the_edges_of_a_sum_add_up() -> None:
    t = traced("micrograd")
    for q in (*t.inputs, *t.gates):
        if len(q.contributions) > 1:
            found = [w for p in drawn("micrograd").panels for w in words(read(p.svg))]
            assert f"Σ∂ {four_digits(q.gradient)}" in found


def test_entries_and_shapes_of_tensors() -> None:
    found = words(read(drawn("homework1-q2").panels[0].svg))
    assert {"(3×3)", "(3×1)"} <= set(found)
    gradient = traced("homework1-q2").gradients["W"]
    for entry in gradient.flat:
        assert f"{entry:.4f}".replace("-", "−") in found
    assert "0.40" in found  # one precision in a matrix


def test_large_tensors_show_their_range() -> None:
    found = [w for p in drawn("large tensors").panels for w in words(read(p.svg))]
    assert {"(8×5)", "−1 … 1", "all 0.1", "1×10−9 … 3×10−9"} <= set(found)


def test_inputs_stand_at_the_left_in_the_order_of_the_formula() -> None:
    spots = {h.name: h for h in drawn("homework1-q1").panels[0].hotspots}
    assert [n for n in sorted(spots, key=lambda n: spots[n].y) if n[0] in "xw"] == [
        "x1",
        "w1",
        "x2",
        "w2",
    ]
    assert max(spots[n].x + spots[n].width for n in ("x1", "w1", "x2", "w2")) < spots["q1"].x
    t = traced("homework1-q1")
    for gate in t.gates:
        for arg in gate.node.args:
            if not arg.is_constant:
                assert spots[t.name_of(arg)].x < spots[gate.name].x


def test_result_stands_at_the_right() -> None:
    picture = read(drawn("homework1-q1").panels[0].svg)
    assert max(picture.texts, key=lambda t: t.x).text == "f"


def test_result_takes_another_letter_where_f_is_taken() -> None:
    assert words(read(draw(trace("f*2", {"f": 1})).panels[0].svg))[-1] == "F"


@pytest.mark.parametrize(
    "function",
    ["x - y", "sin(x) - x", "x - sin(x)", "x / (1 + x)", "(x - y) / x", "a = x*y\nb = a/x\nb - a"],
)
def test_first_operand_enters_above(function: str) -> None:
    t = trace(function, {n: 1.5 for n in "xy" if n in function})
    (panel,) = draw(t).panels
    picture = read(panel.svg)
    assert touching(picture) == []
    spots = {h.name: spot(h) for h in panel.hotspots}
    last = t.gates[-1]
    gate = next(g for g in picture.gates if spots[last.name].grown(0.1).holds(g))
    entering = sorted(
        (line for line in picture.edges if gate.grown(0.1).holds(Box(*line[-1], *line[-1]))),
        key=lambda line: line[-1][1],
    )
    came_from = [
        next(n for n, box in spots.items() if box.grown(0.1).holds(Box(*line[0], *line[0])))
        for line in entering
    ]
    assert came_from == [t.name_of(a) for a in last.node.args]


def test_names() -> None:
    picture = read(drawn("long names").panels[0].svg)
    faces = {t.text: t.face for t in picture.texts}
    assert faces["x"] == faces["θ"] == "STIX Two Text italic"
    assert faces["max"] == "STIX Two Text"
    assert "ˆ" in faces
    assert any("…" in t.text for t in picture.texts)
    bold = {t.text for t in read(drawn("homework1-q2").panels[0].svg).texts if "700" in t.face}
    assert {"W", "x"} <= bold


@pytest.mark.parametrize(
    ("function", "sign"),
    [
        ("2 + x", "+2"), ("x + 2", "+2"), ("x + -2", "+(−2)"), ("x - 2", "−2"), ("2 - x", "2−x"),
        ("3*x", "×3"), ("x*pi", "×π"), ("x * (2*pi)", "×2π"), ("x*1e-7", "×10−7"),
        ("x/2", "÷2"), ("2/x", "2/x"), ("1/x", "1/x"), ("x**2", "x2"), ("x**3", "x3"),
        ("x**-2", "x−2"), ("x**0.5", "x0.5"), ("2**x", "2x"), ("x**x", "xn"), ("-x", "−x"),
        ("sin(x)", "sin"), ("relu(x)", "ReLU"), ("sigmoid(x)", "σ"), ("radians(x)", "° → rad"),
        ("maximum(x, 0)", "max(x, 0)"), ("where(x > 1, x, 2)", "x > 1"), ("norm(v)", "‖·‖"),
        ("norm(v)**2", "‖·‖2"), ("dot(v, v)", "v⊤v"), ("v @ A @ v", "v⊤A"), ("sum(A.T)", "A⊤"),
        ("sum(sum(A, axis=1))", "Σ columns"), ("v[0]", "[1]"), ("sum(A[:, 1])", "[:, 2]"),
        ("sum((2*A).T)", "×2"), ("sum(A + eye(2))", "+I"), ("norm(v, 1)", "‖·‖1"), ("det(A)", "det"), ("sum(inv(A))", "A−1"),
        ("sum(A @ A)", "AA"), ("sum(outer(v, v))", "vv⊤"), ("2**x - x", "2x"), ("sum(A @ v)", "Av"),
    ],
)  # fmt: skip
def test_signs(function: str, sign: str) -> None:
    values = {"x": 1.5, "v": [1.0, 2.0], "A": [[1.0, 2.0], [3.0, 5.0]]}
    used = {n: v for n, v in values.items() if n in re.findall(r"\w+", function)}
    picture = read(draw(trace(function, used)).panels[0].svg)
    first = min(picture.gates, key=lambda g: g.left)
    assert dict(signs(picture))[first] == sign.replace(" ", "")


def test_every_sign_can_be_set() -> None:
    from report.figure.font_metrics import line
    from report.figure.gate_signs import plain_runs

    for gate in GATES.values():
        assert line(plain_runs(gate.sign, 10.0)).width > 0


def test_inputs_that_are_not_used_stand_apart() -> None:
    figure = drawn("constant")
    found = [w for p in figure.panels for w in words(read(p.svg))]
    assert found.count("not used") == 2
    assert "∂ 0" in found
    assert "Input x, not used by the result: value 2, gradient 0." in figure.alt


def test_an_index_has_no_gradient() -> None:
    figure = drawn("label")
    assert re.search(r"Input y: value \(2\) \[0; 1\], no gradient\.", figure.alt)


# ---------------------------------------------------------------- folding, large graphs


def test_rows_go_on_where_the_row_before_ends() -> None:
    found = [w for p in drawn("chain").panels for w in words(read(p.svg))]
    out = [w for w in found if w.startswith("→")]
    into = [w for w in found if w.endswith("→")]
    assert len(out) == len(into) >= 5
    for left, entered in zip(out, into, strict=True):
        assert int(left[3:]) == int(entered[1:-2]) + 1


@pytest.mark.parametrize("name", CORPUS)
def test_every_gate_and_input_is_drawn(name: str) -> None:
    t, figure = traced(name), drawn(name)
    spots = {h.name for p in figure.panels for h in p.hotspots}
    assert {q.name for q in (*t.inputs, *t.gates)} <= spots
    assert figure.note == ""


def test_a_row_is_narrower_than_the_column_or_folded() -> None:
    wide, narrow = (draw(traced("homework1-q1"), width=w) for w in (150.0, 80.0))
    assert len(wide.panels) == 1 < len(narrow.panels)
    assert all(p.width <= 80 for p in narrow.panels)


def test_rows_are_panels_of_one_width_that_say_which_they_are() -> None:
    figure = drawn("chain")
    assert len({p.width for p in figure.panels}) == 1
    assert figure.panels[0].alt == figure.alt
    of = len(figure.panels)
    for i, panel in enumerate(figure.panels[1:], 2):
        gates = [h.name for h in panel.hotspots if panel.alt.count(h.name)]
        assert panel.alt.startswith(f"The graph, continued: row {i} of {of}, gates {gates[0]}, ")


def test_many_gates_are_grouped_by_let_lines() -> None:
    lines = ["a0 = x"] + [f"a{i} = {'sin(' * 10}a{i - 1}{')' * 10}" for i in range(1, 11)]
    t = trace("\n".join([*lines, "2*a10"]), {"x": 0.3})
    figure = draw(t)
    assert len(t.gates) == 101
    assert "groups the 101 gates" in figure.note
    found = [w for p in figure.panels for w in words(read(p.svg))]
    assert found.count("10 gates") == 10
    assert touching(read(figure.panels[0].svg)) == []
    assert "Gate a3, 10 gates of a2: value" in figure.alt


def test_of_very_many_gates_the_ends_are_drawn() -> None:
    lines = ["v0 = sin(x)"] + [f"v{i} = sin(v{i - 1})" for i in range(1, 1000)]
    figure = draw(trace("\n".join([*lines, "v999*2"]), {"x": 0.3}))
    assert "901 gates between are left out" in figure.note
    spots = {h.name for p in figure.panels for h in p.hotspots}
    assert {"x", "v0", "v999", "q1001"} <= spots
    assert "v500" not in spots
    assert any("901 more" in w for p in figure.panels for w in words(read(p.svg)))
    for panel in figure.panels:
        assert touching(read(panel.svg)) == []


# ---------------------------------------------------------------- words and places


@pytest.mark.parametrize("name", CORPUS)
def test_alternative_text_tells_the_graph(name: str) -> None:
    t, alt = traced(name), drawn(name).alt
    for q in t.inputs:
        assert re.search(rf"Input {q.name}[,:]", alt)
    for gate in t.gates:
        args = ", ".join(
            t.name_of(a) if not a.is_constant else "…" for a in gate.node.args
        ).replace("…", "[^:]*")
        told = re.search(rf"Gate {gate.name}, {gate.node.gate.name} of {args}: (.*?)\.( |$)", alt)
        assert told
        if shown := re.search(r"value (−?)([\d.]+),", told[0]):
            assert float(shown[2]) == pytest.approx(abs(float(gate.value)), rel=1e-3)
    assert alt.endswith(".")


def test_caption_says_what_this_figure_needs() -> None:
    assert "Σ∂" not in drawn("homework1-q1").caption
    assert "Σ∂" in drawn("three edges").caption
    assert "row" in drawn("chain").caption
    assert "first operand" in draw(trace("x - y", {"x": 1, "y": 2})).caption


@pytest.mark.parametrize("name", CORPUS)
def test_hotspots_lie_over_what_they_name(name: str) -> None:
    for panel in drawn(name).panels:
        picture = read(panel.svg)
        gates = {q.name for q in traced(name).gates}
        covered = 0
        for h in panel.hotspots:
            assert min(h.x, h.y) >= 0
            assert h.x + h.width <= panel.width + 1e-6
            assert h.y + h.height <= panel.height + 1e-6
            box = spot(h)
            if h.name in gates:
                covered += sum(box.grown(0.1).holds(g) for g in picture.gates)
            assert any(box.grown(1.5).holds(t.box) for t in picture.texts)
        assert covered == len(picture.gates)


def test_same_bytes_in_another_process() -> None:
    program = (
        "from report import trace; from report.figure import draw; import hashlib, sys;"
        f"t = trace({MICROGRAD!r}, {{'a': -4, 'b': 2}});"
        "sys.stdout.write(hashlib.sha256(repr(draw(t)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                "PYTHONHASHSEED": seed,
                "PATH": "",
                "SOURCE_DATE_EPOCH": seed,
                "TZ": f"UTC+{seed}",
            },
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_importing_the_figure_is_free_and_pyplot_is_never_imported() -> None:
    program = (
        "import sys, report.figure; assert 'matplotlib' not in sys.modules;"
        "from report import trace; report.figure.draw(trace('x*x', {'x': 2}));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_svg_is_plain() -> None:
    (panel,) = drawn("homework1-q1").panels
    assert isinstance(panel, Panel)
    for part in ("<metadata", "<image", "<script", "href=", "opacity", "Matplotlib", "clip-path"):
        assert part not in panel.svg
    assert len(panel.svg) < 16_000


def test_nothing_is_said_where_there_is_no_home(tmp_path: Path) -> None:
    program = "from report import trace; from report.figure import draw; draw(trace('x', {'x': 1}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": "/dev/null", "TMPDIR": str(tmp_path), "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout + done.stderr == ""


def test_a_column_too_narrow_for_one_gate_gives_a_wider_picture() -> None:
    for panel in draw(traced("homework1-q2"), width=30.0).panels:
        assert touching(read(panel.svg)) == []


@pytest.mark.parametrize("name", ["homework1-q1", "homework1-q2", "micrograd", "mlp"])
def test_a_figure_to_fill_in_has_the_structure_and_no_numbers(name: str) -> None:
    function, inputs, wrt = CORPUS[name]
    found = trace(function, inputs, wrt)
    whole, blank = draw(found), draw(found, numbers=False)
    seen = [word for panel in blank.panels for word in words(read(panel.svg))]
    assert not any(re.search(r"\d\.\d", word) for word in seen)
    assert not any(colour in panel.svg for panel in blank.panels for colour in (VALUE, GRADIENT))
    gates = {s.name for panel in whole.panels for s in panel.hotspots}
    assert {s.name for panel in blank.panels for s in panel.hotspots} == gates
    assert not re.search(r"value -?\d|gradient -?\d", blank.alt)


def test_behind_its_number_no_gate_reads_as_a_sum_or_a_product_with_it() -> None:
    """Not 2 +3 or 4 10/x: the numbers stand in the definition beside. A matrix product is named, far enough away."""
    t = trace("10 / (sum(W @ x) + 3)**2", {"W": [[1.0, 2.0]], "x": [3.0, 4.0]})
    beside = [Markup(gate_html.sign(g.node, t, 46.0)).striptags() for g in t.gates]
    assert beside == ["W x", "Σ", "+", "x2", "÷"]


def test_the_log_likelihood_is_drawn_without_a_crossing() -> None:
    """p and y each feed both branches: y stands between them, to the right of p."""
    t = trace("y*log(p) + (1 - y)*log(1 - p)", {"p": 0.8, "y": 1})
    (panel,) = draw(t).panels
    assert crossings(read(panel.svg)) == 0


def test_an_overview_names_the_lines_of_a_large_graph() -> None:
    """A box for each line, with the numbers of its gates above and its inputs below."""
    lines = "h1 = tanh(W @ x + b)\nh2 = tanh(W @ h1 + b)\nh3 = tanh(W @ h2 + b)\nL = sum(h3**2)"
    figure = draw(trace(lines, {"W": [[0.5, 0.1], [0.2, 0.3]], "x": [1, 2], "b": [0.1, 0.2]}))
    assert figure.overview
    assert figure.panels[0].alt.startswith(
        "Overview of the graph, a box for each line: h1 of W, x, b;"
    )
    told = words(read(figure.panels[0].svg))
    assert [w for w in told if "–" in w] == ["1–3", "4–6", "7–9", "10–11"]
    assert not draw(trace("y = x**2\nsum(y)", {"x": [1, 2]})).overview
