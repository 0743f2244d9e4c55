"""`report new`: the file that it writes is a homework whose formula has a value and gradients."""

from pathlib import Path

import numpy as np
import pytest

from report import ReportError
from report.autodiff.parser.free_names import of_latex
from report.cli.main import main
from report.cli.new import draft
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.homework.variants import draw


@pytest.mark.parametrize(
    ("formula", "shapes", "line"),
    [
        ("x*w + b", {"x": (), "w": (), "b": ()}, "#   x*w + b"),
        ("np.mean((W@x + b - y)**2)", {"W": (2, 3), "x": (3,), "b": (2,), "y": (2,)}, "#   np.mean((W@x + b - y)**2)"),
        ("-log(softmax(z / T)[k])", {"z": (3,), "T": (), "k": ()}, "#   -log(softmax(z / T)[k])"),
        ("np.linalg.norm(K.T @ q) + K.sum()", {"K": (2, 3), "q": (2,)}, "#   np.linalg.norm(K.T @ q) + K.sum()"),
        ("norm(x - c)**2", {"x": (3,), "c": (3,)}, "#   norm(x - c)**2"),
        ("softmax(W @ x)", {"W": (2, 3), "x": (3,)}, "jacobian = true"),
        (r"\frac{1}{N}\sum_{i=1}^N \max(0, 1 - y_i(w^T x_i + b))", {"y": (2,), "w": (3,), "x": (2, 3), "b": ()}, "#   1 / 2 * sum(relu(1 - y * (x @ w + b)))"),
        ("‖σ(Wx)‖²", {"W": (2, 3), "x": (3,)}, "#   ‖σ(Wx)‖²"),
        ("xᵀAx + λx + e^-x", {"x": (3,), "A": (3, 3), "lambda": ()}, "entry = [0]"),
        ("xy + x", {"x": (), "y": ()}, "#   xy + x"),
        ("X @ Wq", {"X": (2, 3), "Wq": (3, 2)}, "entry = [0, 0]"),
        ("sum(sigmoid(W @ x)**2)", {"W": (2, 3), "x": (3,)}, "#   sum(sigmoid(W @ x)**2)"),
        (r"\left\|\sigma(\mathbf{W}\mathbf{x})\right\|^2", {"W": (2, 3), "x": (3,)}, "#   norm(sigmoid(W @ x))**2"),
        (r"\sum_{i=1}^n (y_i - w^\top x_i)^2", {"y": (2,), "w": (3,), "x": (2, 3)}, "#   sum((y - x @ w)**2)"),
        (r"z = w x + b \\ L = -y\log\sigma(z)", {"w": (), "x": (), "b": (), "y": ()}, "#   z = w * x + b"),
        (r"x^\top A x + \lambda", {"x": (3,), "A": (3, 3), "lambda": ()}, r"#   dot(x @ A, x) + lambda"),
        (r"-\log \frac{e^{z_y}}{\sum_j e^{z_j}}", {"z": (3,), "y": ()}, "#   -log(exp(z[y - 1]) / sum(exp(z)))"),
        (r"-\log \frac{\exp(u_o^T v_c)}{\sum_w \exp(u_w^T v_c)}", {"o": (), "v_c": (3,), "u": (2, 3)}, "#   -log(exp(dot(u[o - 1], v_c)) / sum(exp(u @ v_c)))"),
        (r"-\frac{1}{n}\sum_{i=1}^n \log P_{i, y_i}", {"P": (2, 3), "y": (2,)}, "#   -1 / 2 * sum(log(P[arange(2), y - 1]))"),
        (r"\sum_{j \ne y} \max(0, s_j - s_y + 1)", {"y": (), "s": (3,)}, "#   sum(where([1, 2, 3] != y, relu(s - s[y - 1] + 1), 0))"),
        (r"\sqrt{x} + \ln y", {"x": (), "y": ()}, "#   sqrt(x) + log(y)"),
    ],
)  # fmt: skip
def test_a_draft_has_inputs_that_fit(
    tmp_path: Path, formula: str, shapes: dict[str, tuple[int, ...]], line: str
) -> None:
    path = tmp_path / "work.toml"
    assert main(["new", formula, "-o", str(path)]) == 0
    assert line in path.read_text().split("\n")
    (trace,) = traces_of(draw(read_homework(path), None)).values()
    found = {q.name: np.shape(q.value) for q in trace.inputs}
    assert list(found) == list(shapes)
    assert found == shapes
    assert main(["new", formula, "-o", str(path)]) == 2  # nothing is written over


def test_what_is_no_formula_is_refused() -> None:
    with pytest.raises(ReportError):
        draft(r"\int_0^1 x dx")
    with pytest.raises(ReportError):
        draft("x +")


def test_the_letters_of_a_label_are_no_inputs() -> None:
    names = [n.name for n in of_latex(r"\tanh(W h_{t-1} + U x_t)^2")]
    assert names == ["W", "h_{t-1}", "U", "x_t"]
    names = [
        n.name for n in of_latex(r"h_\theta(x) = \sigma(\theta^\top x), L = -\log h_\theta(x_1)")
    ]
    assert names == ["theta", "x_1"]
    assert [n.name for n in of_latex("f(x, w) = x_1 w_1")] == ["x_1", "w_1"]
    assert [n.name for n in of_latex(r"\left\|W\right\|_F^2 + \lVert b \rVert_F")] == ["W", "b"]
