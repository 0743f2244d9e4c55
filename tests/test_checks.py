"""What is left of large terms that cancel is rounding, which no two ways of computing share."""

from types import SimpleNamespace

import pytest

import report
from report import program
from report.autodiff.gates import GATES
from report.autodiff.kinks import kinks
from report.autodiff.rounding_error import scales
from report.checks import error_text, verify
from report.derivation import derive
from tests.test_report import homework


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("cross_entropy(z + b, k)", "z = [0.3, -1.2, 0.7]\nb = 0.4\nk = 1"),
        ("cross_entropy(z + b*c, k)", "z = [0.3, -1.2, 0.7]\nb = 0.4\nc = 1000\nk = 1"),
        ("sum((x - mean(x)) / std(x))", "x = [0.3, -1.2, 0.71]"),
        ("logdet(A) - log(det(A))", "A = [[1.3, 0.2], [0.3, 5.5]]"),
        ("norm(X @ w - y)**2", "X = [[0.1, 0.2], [0.7, 0.1]]\nw = [1, 2]\ny = [0.5, 0.9]"),
        ("sum(M)", "M = [[-0.1, 1.1, -0.3], [-0.4, 2.2, -0.9], [-0.5, 0.0, -1.1]]"),
        ("(w @ v)**2", "w = [1, 1, 1]\nv = [0.1, 0.2, -0.3]"),
        ("layer_norm(x)[0]", "x = [0.2, 0.2, 0.2]"),
        ("sum(X - mean(X)) + sin(x)**2 + cos(x)**2", "X = [[0.2, 0.0], [-0.3, 0.9]]\nx = 0.3"),
        ("sin(x)", "x = 1e6"),
        ("det(sin(k - x))", "k = [[0.3], [1.2], [-0.4]]\nx = [0.9, 0.1, -0.7]"),
    ],
)
def test_gradients_that_cancel_give_a_report(function, inputs, tmp_path):
    assert report.build(homework(tmp_path, function, inputs), tmp_path / "out.pdf").checks > 0


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("z = softmax(x)\nsin(b)", "x = [1, 2]\nb = 3"),
        ("z = x @ x\nb", "x = [1, 2]\nb = 3"),
        (
            """z = log_softmax(x) - where(a < b, b, b)
log1p(square(log1p(square(binary_cross_entropy(sigmoid(z), y)))))""",
            "x = [-0.86, -0.23, -1.753]\na = 0.08\nb = -0.138\ny = [0, 1, 1]",
        ),
    ],
)
def test_inputs_that_matter_nothing_stand_beside_those_that_do(function, inputs, tmp_path):
    assert report.build(homework(tmp_path, function, inputs), tmp_path / "out.pdf").checks > 0


@pytest.mark.parametrize(
    ("function", "inputs"),
    [("x**n", "x = 0\nn = 2.0"), ("clip(x, lo, hi)", "x = 2\nlo = 1\nhi = 2")],
)
def test_what_no_formula_or_difference_reaches_is_compared_in_other_ways(
    function, inputs, tmp_path
):
    """x**n*log(x) at 0, and a gradient that is 0 wherever there is no kink."""
    assert report.build(homework(tmp_path, function, inputs), tmp_path / "out.pdf").checks > 0


def test_a_scale_is_the_size_of_what_cancels():
    """Σ(p − y) is 0, of probabilities of numbers near 1000: each is rounded a thousand times as much."""
    trace = report.trace("cross_entropy(z + b*c, k)", {"z": [0, 1, 2], "b": 1, "c": 1000, "k": 1})
    by_name = {q.name: scales(trace)[q.node] for q in (*trace.inputs, *trace.gates)}
    assert abs(trace.gradients["b"]) < 1e-9
    assert 10 < by_name["b"].gradient < 10000
    assert 0.01 < by_name["c"].gradient < 1000


@pytest.mark.parametrize("function", ["x*1.7e308 - x*y*1.7e308", "((x + 1e17) - 1e17)*1e300"])
def test_the_room_beside_the_largest_numbers_has_an_end(function):
    """An infinite one would let every number of a program pass."""
    trace = report.trace(function, {"x": 1, "y": 1})
    assert 1e300 <= scales(trace)[trace.graph.result].value < float("inf")


def test_a_tie_is_no_rounding():
    """Shaken, one of two equal numbers becomes the larger; that loosens no comparison."""
    trace = report.trace("maximum(x*1, x*2/2)**2", {"x": 0.7})
    assert all(scales(trace)[q.node].gradient < 10 for q in (*trace.inputs, *trace.gates))


@pytest.mark.parametrize("off", [1e-9, 1e-6, 1.0])
def test_a_number_that_is_a_little_wrong_is_found(off):
    trace = report.trace("sum(sigmoid(W @ x)**2)", {"W": [[0.4, 0.1], [0.2, -0.3]], "x": [0.1, 2]})
    quantities = (*trace.inputs, *trace.gates)
    right = SimpleNamespace(
        values={q.name: q.value for q in trace.gates},
        gradients={q.name: q.gradient for q in quantities},
    )
    assert not verify(trace, derive(trace), {"python": right}).failures
    for q in quantities:
        wrong = SimpleNamespace(
            values=right.values, gradients={**right.gradients, q.name: q.gradient * (1 + off)}
        )
        failures = verify(trace, derive(trace), {"python": wrong}).failures
        assert failures
        assert all(q.name in f for f in failures)


@pytest.mark.parametrize("off", [1e-9, 1e-4])
def test_what_cancels_hides_no_wrong_rule(off):
    """Terms of 1e6 leave 0.17: what is wrong by 1e-9 in one of them is 1e-3, far above rounding."""
    function, inputs = "(exp(x) - 1 - x) / x**2", {"x": 1e-3}
    assert not failures_of(report.trace(function, inputs))
    exponential = GATES["exp"]
    (rule,) = exponential.rules
    wrong = (lambda g, y, x: rule(g, y, x) * (1 + off),)
    object.__setattr__(exponential, "rules", wrong)
    try:
        found = report.trace(function, inputs)
    finally:
        object.__setattr__(exponential, "rules", (rule,))
    assert any("closed form" in f for f in failures_of(found))


@pytest.mark.parametrize(
    ("function", "inputs", "rounded", "exact"),
    [  # mpmath's numbers
        ("log(kl_div(softmax(z), softmax(y)))", {"z": [1e-9, 0.0], "y": [0.0, 0.0]}, "", "-43.526"),
        ("std(elu(x))", {"x": [-26.285, -423.913]}, "0.499986", "0.5"),
        (  # a difference has too few digits too
            "sum(batch_norm(x - 2.1e299)**3)",
            {"x": [[0.001768, 0.000534], [0.00102, 0.000563], [0.002554, 0.000261]]},
            "0", "-35.112",
        ),
    ],
)  # fmt: skip
def test_what_rounding_takes_from_a_program_is_told_by_name(function, inputs, rounded, exact):
    words = f"rounded too much for float64 numbers: they give {rounded}.* in the place of {exact}"
    with pytest.raises(report.ReportError, match=words):
        failures_of(report.trace(function, inputs, unfold=["batch_norm"]))


def failures_of(trace):
    source = program.generate(trace, dialect="python")
    printed = program.parse_output(program.run(source).text, trace)
    return verify(trace, derive(trace), {"python": printed}).failures


def test_a_wrong_number_of_a_program_is_found_where_terms_cancel():
    trace = report.trace("(exp(x) - 1 - x) / x**2", {"x": 1e-3})
    printed = program.parse_output(
        program.run(program.generate(trace, dialect="python")).text, trace
    )
    gradients = {**printed.gradients, "x": printed.gradients["x"] * 1.005}
    wrong = SimpleNamespace(values=printed.values, gradients=gradients)
    failures = verify(trace, derive(trace), {"python": wrong}).failures
    assert ["by the python program" in f for f in failures] == [True]


@pytest.mark.parametrize(
    ("function", "inputs", "beside"),
    [
        ("relu(a - b*c) + a**2", {"a": 0.3, "b": 0.1, "c": 3}, ("q3",)),  # 0.3 - 0.1 * 3 is 5.6e-17
        ("relu(a) + a**2", {"a": 1e-17}, ()),
        ("maximum(a + b, 0.3)", {"a": 0.1, "b": 0.2}, ("q2",)),
        ("abs(a - b)", {"a": 0.3, "b": 0.2999}, ()),
        ("abs(a - b)", {"a": 0.3, "b": 0.3}, ("q2",)),
    ],
)
def test_what_would_sit_on_a_kink_but_for_rounding_does(function, inputs, beside):
    assert kinks(report.trace(function, inputs)) == beside


def test_errors_have_two_digits_each() -> None:
    shown = [error_text(e) for e in (0, 5e-10, 1.23e-9, 0.25)]
    assert shown == ["0", "5.0 × 10⁻¹⁰", "1.2 × 10⁻⁹", "0.25"]


def test_programs_may_have_a_tie_that_only_rounding_makes():
    x = [[-2.8003, 4.9228], [5.0146, 11.096], [2.6634, -1.5226]]
    assert not failures_of(
        report.trace("sum(max(log_sigmoid(x) / b - b, axis=0))", {"x": x, "b": 7e7})
    )


def test_an_overflow_beside_a_kink_is_no_warning():
    found = report.trace("hinge(a, b)", {"a": [1e200, 1.0], "b": [1e200, 2.0]})
    assert kinks(found) == ()


def test_a_number_added_to_a_vector_of_one_entry_is_no_shift_of_a_softmax():
    found = report.trace("logsumexp(a + b)", {"a": [-1.5], "b": 2.0})
    assert (found.gradients["a"].tolist(), found.gradients["b"]) == ([1.0], 1.0)
    assert not failures_of(found)
