"""What Python, NumPy and PyTorch print, read back as numbers with the words before them."""

from __future__ import annotations

import numpy as np
import pytest

from report.student.printed import read_output


def numbers(text: str) -> list[tuple[str, object]]:
    return [(i.label, i.joined().value.tolist()) for i in read_output(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dw1 = 0.0315", [("dw1 =", 0.0315)]),
        ("q3: -1.2e-3", [("q3:", -0.0012)]),
        ("\N{MINUS SIGN}3", [("", -3.0)]),
        ("x1=-1, w1=3 -> q1 = -3", [("x1=", -1.0), ("w1=", 3.0), ("-> q1 =", -3.0)]),
        ("q4 = 2 + q3      2.0199", [("q4 = 2 + q3", 2.0199)]),
        ("f = 1/(2+0.0027+0.9945) = 0.3336", [("f = 1/(2+0.0027+0.9945) =", 0.3336)]),
        ("mu = mean(X, axis=0)  0.5", [("mu = mean(X, axis=0", 0.5)]),
        ("Step 3: 0.5", [("Step 3:", 0.5)]),
        ("dW[0][1]: 0.25", [("dW[0][1]:", 0.25)]),
        ("W.grad tensor([[ 0.1000,  0.2000],\n        [-0.3000,  4.0000]], dtype=torch.float64)",
         [("W.grad", [[0.1, 0.2], [-0.3, 4.0]])]),
        ("tensor(0.7717, grad_fn=<SumBackward0>)", [("", 0.7717)]),
        ("dW:\n[[1. 2.]\n [3. 4.]]", [("dW:", [[1.0, 2.0], [3.0, 4.0]])]),
        ("x = array([1., 2.])", [("x =", [1.0, 2.0])]),
        ("[np.float64(0.5), np.float64(0.7)]", [("", [0.5, 0.7])]),
        ("h (2, 1)\n  0.5\n -0.7", [("h (2, 1", [0.5, -0.7])]),
        ("Value(data=0.5, grad=0.1)", [("Value(data=", 0.5), ("grad=", 0.1)]),
    ],
)  # fmt: skip
def test_numbers_and_their_labels(text: str, found: list) -> None:
    assert numbers(text) == found


def test_numpy_and_python_as_they_really_print() -> None:
    array = np.array([[0.123456789, -1e-5], [3.0, 4.25]])
    for text in (str(array), repr(array), str(array.tolist())):
        ((_, value),) = numbers(f"W = {text}")
        np.testing.assert_allclose(np.asarray(value, dtype=float), array, rtol=1e-6)


def test_the_unit_of_the_last_digit() -> None:
    rounded, whole, scientific = (n for i in read_output("0.30\n3\n1.50e-7") for n in i.numbers)
    assert float(rounded.unit) == 0.01
    assert float(whole.unit) == 0.0
    assert float(scientific.unit) == pytest.approx(1e-9)


def test_text_without_numbers_and_very_long_text() -> None:
    assert not read_output("no numbers here, q1 and W[0] are names")
    assert len(read_output("x = 0.5\n" * 30_000)) <= 20_000
