"""Random formulas over all gates, shapes and magnitudes: none that is right may be refused, no digit wrong.

    python -m benchmarks.random_formulas [COUNT] [SEED]

Each formula goes the whole way of a build: trace, derivation, figure, both programs, the printed formulas
read back, the checks and the page; every tenth page becomes a PDF. Every number of the trace that a report
shows is compared with extended precision, to the six digits that are shown. Refused may be bad input
only: a value outside a gate's domain, or too large or rounded too much for a float64 number.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from report import ReportError, answering, document, pdf, pipeline
from report.autodiff import extended
from report.autodiff.graph import Node
from report.autodiff.kinks import kinks
from report.autodiff.trace import Trace
from report.homework.homework import Homework, Question

SHAPES = ((), (), (), (1,), (2,), (3,), (2, 2), (3, 3), (2, 3), (1, 3), (2, 1))
EXTREME = (1e-300, 1e-200, 1e-150, 1e-60, 1e60, 1e150, 1e200, 1e300)
SCALES = (1e-12, 1e-6, 1e-3, 0.1, 1, 1, 1, 1, 10, 30, 100, 700, 1e4, 1e8)
BAD_INPUT = (
    "outside its domain",
    "overflows",
    "no finite derivative",
    "too large",
    "underflows",
    "rounded too much",
)
ONE = [
    "exp", "log", "log1p", "expm1", "log2", "log10", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "tanh", "radians", "degrees", "sqrt", "cbrt", "rsqrt", "erf", "sigmoid",
    "log_sigmoid", "softplus", "relu", "leaky_relu", "elu", "swish", "gelu", "softsign", "mish",
    "hardtanh", "abs", "square", "sign",
]  # fmt: skip
TWO = ["+", "-", "*", "/", "maximum", "minimum", "prelu"]
TO_NUMBER = ["sum", "mean", "prod", "max", "min", "var", "std", "norm", "logsumexp"]
SAME = [
    "softmax",
    "log_softmax",
    "cumsum",
    "cumprod",
    "normalize",
    "rms_norm",
    "layer_norm",
    "flip",
]
# What takes tensors of certain shapes to a number: a letter is a tensor, a capital one an input.
FORMS: list[tuple[str, dict[str, tuple[int, ...]]]] = [
    ("norm({a}, 1)", {"a": (3,)}),
    ("sum(norm({a}, axis=1))", {"a": (2, 3)}),
    ("sum(max({a}, axis=0))", {"a": (3, 2)}),
    ("sum(std({a}, axis=1))", {"a": (2, 3)}),
    ("var({a}, ddof=1)", {"a": (4,)}),
    ("sum(logsumexp({a}, axis=0))", {"a": (2, 2)}),
    ("sum({a}[1:] * {B})", {"a": (3,), "B": (2,)}),
    ("sum({a}[[0, 2, 0]])", {"a": (3,)}),
    ("{a}[1, 0]", {"a": (2, 2)}),
    ("sum(({a}.T @ {B})**2)", {"a": (2, 3), "B": (2, 2)}),
    ("sum(reshape({a}, (3, 2)) @ {B})", {"a": (2, 3), "B": (2,)}),
    ("sum(outer({a}, {B})**2)", {"a": (2,), "B": (3,)}),
    ("sum(concatenate([{a}, {B}])**2)", {"a": (2,), "B": (3,)}),
    ("sum(stack([{a}, {B}]) @ {C})", {"a": (2,), "B": (2,), "C": (2,)}),
    ("sum(kron(stack([{a}, {B}]), {C})**2)", {"a": (2,), "B": (2,), "C": (2, 2)}),
    ("sum(tril({a}) @ {B})", {"a": (2, 2), "B": (2,)}),
    ("sum(triu({a}, k=1) * {B})", {"a": (3, 3), "B": (3, 3)}),
    ("sum(diag({a}) @ {B})", {"a": (2,), "B": (2,)}),
    ("sum(pad({a}, 1) * {B})", {"a": (2,), "B": (4,)}),
    ("sum(roll({a}, shift=1) * {B})", {"a": (3,), "B": (3,)}),
    ("sum(clip({a}, -0.5, 0.5) * {B})", {"a": (3,), "B": (3,)}),
    ("sum(stop_gradient({a}) * {a})", {"a": (2,)}),
    ("sum(masked_fill({a}, [1, 0, 1], 0) ** 2)", {"a": (3,)}),
    ("sum(broadcast_to({a}, (2, 3)) * {B})", {"a": (3,), "B": (2, 3)}),
    ("sum(swapaxes({a}, axis1=0, axis2=1) @ {B})", {"a": (2, 3), "B": (2,)}),
    ('sum(einsum("ij,jk->ik", {a}, {B})**2)', {"a": (2, 2), "B": (2, 1)}),
    ("sum(conv1d({a}, {B})**2)", {"a": (4,), "B": (2,)}),
    ("sum(conv1d({a}, {B}, stride=2, padding=1) ** 2)", {"a": (4,), "B": (3,)}),
    ("sum(conv2d({a}, {B})**2)", {"a": (3, 3), "B": (2, 2)}),
    ("sum(conv_transpose1d({a}, {B})**2)", {"a": (2,), "B": (2,)}),
    ("sum(max_pool1d({a})**2)", {"a": (4,)}),
    ("sum(avg_pool1d({a})**2)", {"a": (4,)}),
    ("sum(max_pool2d({a}))", {"a": (2, 2)}),
    ("cosine_similarity({a}, {B})", {"a": (3,), "B": (3,)}),
    ("sum(layer_norm({a}, {B}, {C})**2)", {"a": (2, 3), "B": (3,), "C": (3,)}),
    ("sum(rms_norm({a}, {B})**2)", {"a": (3,), "B": (3,)}),
    ("sum(batch_norm({a})**3)", {"a": (3, 2)}),
    ("sum(attention({a}, {B}, {C})**2)", {"a": (2, 2), "B": (2, 2), "C": (2, 2)}),
    ("cross_entropy({a}, [0, 1])", {"a": (2, 3)}),
    ("cross_entropy({a}, 1, label_smoothing=0.1)", {"a": (3,)}),
    ("cross_entropy({a}, [[0, 1, 0], [1, 0, 0]])", {"a": (2, 3)}),
    ("focal({a}, [1, 0])", {"a": (2,)}),
    ("dice(sigmoid({a}), [1, 0, 1])", {"a": (3,)}),
    ("triplet_margin({a}, {B}, {C})", {"a": (2,), "B": (2,), "C": (2,)}),
    ("logdet({a} @ {a}.T + 3 * eye(2))", {"a": (2, 2)}),
    ("sum(gelu({a}, approximate='tanh'))", {"a": (2,)}),
    ("sum(conv_transpose2d({a}, {B})**2)", {"a": (2, 2), "B": (2, 2)}),
    ("sum(avg_pool2d({a})**2)", {"a": (2, 2)}),
    ("sum(group_norm({a}, groups=2)**3)", {"a": (2, 4)}),
    ("sum(one_hot([1, 0], classes=2) @ {a})", {"a": (2,)}),
    ("sum(gather({a}, [[0], [2]], axis=1) * {B})", {"a": (2, 3), "B": (2, 1)}),
    ("sum(squeeze({a}) * {B})", {"a": (1, 3), "B": (3,)}),
    ("sum(expand_dims({a}, axis=1) @ {B})", {"a": (2,), "B": (1, 3)}),
    ("sum(where(({a} < {B}) & ~({B} >= 0.5), {a}, {B}))", {"a": (3,), "B": (3,)}),
    ("sum(where(({a} <= 0) | ({a} > {B}), {a}, 1 / {B}))", {"a": (2,), "B": (2,)}),
    ("sum(where({a} != {B}, {a} * {B}, -{a}))", {"a": (2,), "B": (2,)}),
    ("norm({a})**2", {"a": (2, 2)}),
]


class Formula:
    """A formula made from a seed: the text and the inputs."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.inputs: dict[str, Any] = {}
        self.text = self.number(int(self.random.integers(2, 5)))

    def pick(self, choices: Any) -> Any:
        """One of several."""
        return choices[int(self.random.integers(len(choices)))]

    def input(self, shape: tuple[int, ...], positive: bool = False) -> str:
        """A new input, or one of this shape that there is."""
        known = [n for n, v in self.inputs.items() if np.shape(v) == shape and not positive]
        if known and self.random.random() < 0.4:
            return str(self.pick(known))
        digits = int(self.random.integers(1, 6))
        scale = self.pick(EXTREME if self.random.random() < 0.03 else SCALES)
        values = np.round(self.random.normal(size=shape), digits) * scale
        if self.random.random() < 0.15:
            values = np.full(shape, np.ravel(values)[0])  # equal entries
        values = np.abs(values) + 0.1 if positive else values
        name = f"x{len(self.inputs) + 1}"
        self.inputs[name] = np.float64(values) if not shape else values
        return name

    def number(self, depth: int) -> str:
        """A formula with a number as its value."""
        if depth <= 0:
            return self.input(())
        match int(self.random.integers(13)):
            case 10 | 11 | 12:
                return self.form(depth)
            case 0 | 1:
                return self.one((), depth)
            case 2 | 3:
                return self.two((), depth)
            case 4 | 5:
                return f"{self.pick(TO_NUMBER)}({self.tensor(self.pick(SHAPES[3:]), depth - 1)})"
            case 6:
                return self.loss(depth)
            case 7:
                return self.algebra(depth)
            case 8:
                return f"({self.number(depth - 1)})**{self.pick((2, 3, -1, 0.5))}"
            case _:
                a, b = self.number(depth - 1), self.number(0)
                return f"where({self.number(0)} < {b}, {a}, {b})"

    def tensor(self, shape: tuple[int, ...], depth: int) -> str:
        """A formula with a value of this shape."""
        if depth <= 0 or not shape:
            return self.input(shape) if shape else self.number(depth)
        choice = int(self.random.integers(7))
        if choice < 2:
            return self.one(shape, depth)
        if choice < 4:
            return self.two(shape, depth)
        if choice == 4 and shape[-1] > 1:
            return (
                f"{self.pick(SAME)}({self.tensor(shape, depth - 1)}{', axis=0' * (len(shape) > 1)})"
            )
        if choice == 5 and len(shape) == 2:
            n = int(self.random.integers(1, 4))
            left, right = self.tensor((shape[0], n), depth - 1), self.tensor((n, shape[1]), 0)
            return f"({left} @ {right})"
        if choice == 6 and len(shape) == 1:
            return f"({self.input((shape[0], 2))} @ {self.tensor((2,), depth - 1)})"
        return f"({self.tensor(shape, depth - 1)} - mean({self.input(shape)}))"

    def one(self, shape: tuple[int, ...], depth: int) -> str:
        """A function of one argument."""
        return f"{self.pick(ONE)}({self.tensor(shape, depth - 1)})"

    def two(self, shape: tuple[int, ...], depth: int) -> str:
        """An operator or function of two."""
        sign, a = self.pick(TWO), self.tensor(shape, depth - 1)
        b = self.tensor(shape, depth - 2) if self.random.random() < 0.7 else self.input(())
        return f"({a} {sign} {b})" if len(sign) == 1 else f"{sign}({a}, {b})"

    def loss(self, depth: int) -> str:
        """A loss of a vector."""
        n = int(self.random.integers(2, 5))
        z = self.tensor((n,), depth - 1)
        match int(self.random.integers(5)):
            case 0:
                return f"cross_entropy({z}, {int(self.random.integers(n))})"
            case 1:
                return f"binary_cross_entropy_with_logits({z}, {[int(i % 2) for i in range(n)]})"
            case 2:
                return f"{self.pick(('mse', 'l1', 'huber', 'hinge'))}({z}, {self.input((n,))})"
            case 3:
                return f"kl_div(softmax({z}), softmax({self.input((n,))}))"
            case _:
                return f"binary_cross_entropy(sigmoid({z}), {[int(i % 2) for i in range(n)]})"

    def form(self, depth: int) -> str:
        """A number from one of FORMS."""
        text, shapes = self.pick(FORMS)
        made = {
            name: self.tensor(shape, depth - 1) if name.islower() else self.input(shape)
            for name, shape in shapes.items()
        }
        return str(text.format_map(made))

    def algebra(self, depth: int) -> str:
        """A number from matrices."""
        a = self.tensor((2, 2), depth - 1)
        match int(self.random.integers(6)):
            case 0:
                return f"det({a})"
            case 1:
                return f"sum(inv({a}))"
            case 2:
                return f"trace({a})"
            case 3:
                return f"sum(solve({a}, {self.input((2,))}))"
            case 4:
                return f"dot({self.tensor((3,), depth - 1)}, {self.input((3,))})"
            case _:
                return f"sum(kron({a}, {self.input((2, 2))}))"


def wrong_digits(found: Trace) -> list[str]:
    """Numbers of a trace whose six digits shown are not those of extended precision."""
    exact = extended.forward(found.graph, {q.node: q.value for q in found.inputs})
    slopes, _ = extended.backward(found.graph, exact)
    wrong = []
    by_rounding = any(_is_off_kink(found, name, exact) for name in kinks(found))
    for q in (*found.inputs, *found.gates):
        pairs = [("value", q.value, exact[q.node])]
        if q.gradient is not None and q.node in slopes and not by_rounding:
            pairs.append(("gradient", q.gradient, slopes[q.node]))
        for what, number, right in pairs:
            if not np.allclose(number, extended.floats(right), rtol=1e-9, atol=1e-300):
                wrong.append(f"{what} of {q.name}: {number!r}, not {extended.floats(right)!r}")
    return wrong


def _is_off_kink(found: Trace, name: str, exact: Mapping[Node, Any]) -> bool:
    """Whether a gate is on a kink by rounding alone, where a convention decides for every way."""
    node = next(q.node for q in found.gates if q.name == name)
    assert node.gate.kink is not None
    return not np.any(node.gate.kink(*(exact[a] for a in node.args), **node.params))


def failures(text: str, inputs: Mapping[str, Any], *, as_pdf: bool = False) -> list[str]:
    """What is wrong with the report of a formula; raises ReportError where it is refused."""
    given = {name: np.asarray(value).tolist() for name, value in inputs.items()}
    work = Homework(Path("random.toml"), "A random formula", (Question("q1", text, given),))
    answers = answering.answers_of(work, document.view)
    page = document.html(work, answers, pipeline.making(work))
    if as_pdf:
        pdf.render(page)
    (answer,) = answers
    return [*answer.verification.failures, *wrong_digits(answer.trace)]


def judged(seed: int) -> list[str] | None:
    """What is wrong with a random formula; None where its input is bad."""
    formula = Formula(seed)
    try:
        return failures(formula.text, formula.inputs, as_pdf=seed % 10 == 0)
    except ReportError as error:
        return None if any(words in str(error) for words in BAD_INPUT) else [f"refused: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of a build
        return [f"crash: {type(error).__name__}: {error}"]


def main(count: int, first: int) -> None:
    right = bad_input = 0
    for seed in range(first, first + count):
        wrong = judged(seed)
        right += wrong == []
        bad_input += wrong is None
        if wrong:
            formula = Formula(seed)
            given = {k: np.asarray(v).tolist() for k, v in formula.inputs.items()}
            print(f"seed {seed}: {formula.text} {given}", *wrong[:3], sep="\n    ", flush=True)
    print(
        f"{count} formulas: {right} right, {bad_input} bad input, {count - right - bad_input} wrong"
    )


if __name__ == "__main__":
    main(*(int(a) for a in (*sys.argv[1:], *("300", "0")[len(sys.argv) - 1 :])))
