"""The local derivative of a gate with tensors is derived the first time it occurs, not only its result."""

from dataclasses import replace
from typing import Any

import pytest

from report import trace
from report.autodiff.gates.definitions import opened
from report.derivation import derive
from report.derivation.latex.printed import put
from report.readback import read_back

A, B = [[1.0, 2.0], [3.0, 5.0]], [[0.5, -1.0], [2.0, 0.25]]
S, X = [[3.0, 1.0], [1.0, 2.0]], [[1.0, 2.0, 4.0], [0.0, 1.0, 3.0]]
V, W = [0.5, -1.0, 2.0], [1.0, 2.0, 0.25]

CASES: dict[str, dict[str, Any]] = {
    "sum(A @ B)": {"A": A, "B": B},
    "dot(v, w)": {"v": V, "w": W},
    "sum(outer(v, w) * outer(w, v))": {"v": V, "w": W},
    "sum(A.T * B)": {"A": A, "B": B},
    "trace(A @ B)": {"A": A, "B": B},
    "det(A)": {"A": A},
    "logdet(S)": {"S": S},
    "sum(inv(A) * B)": {"A": A, "B": B},
    "dot(solve(A, b), b)": {"A": A, "b": [1.0, 2.0]},
    "sum(diag(v) @ diag(w))": {"v": V, "w": W},
    "prod(v)": {"v": V},
    "sum(cumsum(v) * w)": {"v": V, "w": W},
    "sum(cumsum(X, axis=0) ** 2)": {"X": X},
    "sum(kron(A, v) ** 2)": {"A": A, "v": [V]},
    "sum(var(X, axis=0) ** 2)": {"X": X},
    "sum(std(X, axis=1) ** 2)": {"X": X},
    "sum(conv1d(X, K, groups=2) ** 2)": {"X": X, "K": [[[1.0, 2.0]], [[0.5, -1.0]]]},
    "mean(v)": {"v": V},
    "var(v)": {"v": V},
    "std(v)": {"v": V},
    "max(v)": {"v": V},
    "norm(v)": {"v": V},
    "norm(v, 1)": {"v": V},
    "logsumexp(v)": {"v": V},
    "dot(softmax(v), w)": {"v": V, "w": W},
    "dot(log_softmax(v), w)": {"v": V, "w": W},
    "sum(concatenate([v, w]) * concatenate([w, v]))": {"v": V, "w": W},
    "sum(stack([v, w]) @ v)": {"v": V, "w": W},
    "sum(v[1:3] * w[0:2])": {"v": V, "w": W},
    "sum(v[[0, 2, 2]] * w)": {"v": V, "w": W},
    "sum(flip(v) * w)": {"v": V, "w": W},
    "sum(pad(v, 1) ** 2)": {"v": V},
    "sum(avg_pool2d(X, (1, 2)))": {"X": [[1.0, 2.0, 4.0, 0.5]]},
    "sum(conv2d(X, K))": {"X": X, "K": [[1.0, 2.0]]},
    "hinge(v, y)": {"v": V, "y": [1.0, -1.0, 1.0]},
    "mse(v, w)": {"v": V, "w": W},
    "cross_entropy(v, 1)": {"v": V},
    "sum(einsum('ij,j->i', A, b) ** 2)": {"A": A, "b": [1.0, 2.0]},
    "sum(reshape(X, (3, 2)) @ A)": {"X": X, "A": A},
    "sum(reshape(B3, (2, 6)) ** 2)": {"B3": [[*X, *X]]},
    "sum(reshape(R, (2, 6)) ** 2)": {"R": [*X, *X]},
    "sum(conv_transpose2d(X, K, stride=2) ** 2)": {"X": X, "K": A},
    "sum(gather(X, T, axis=1) ** 2)": {"X": X, "T": [[0, 2], [1, 1]]},
    "sum(gather(X, [[0, 2], [1, 1]], axis=1) ** 2)": {"X": X},
    "sum(v[T] ** 2)": {"v": V, "T": [[0, 2], [1, 1]]},
    "sum(normalize(X, axis=0) ** 3)": {"X": X},
    "cosine_similarity(v, w)": {"v": V, "w": W},
    "sum(cosine_similarity(X, X ** 2, axis=0) ** 2)": {"X": X},
    "sum(layer_norm(X, w) ** 2)": {"X": X, "w": W},
    "sum(batch_norm(X) ** 3)": {"X": X},
    "sum(rms_norm(v) ** 3)": {"v": V},
    "focal(v, y)": {"v": V, "y": [0.0, 1.0, 1.0]},
    "dice(p, y)": {"p": [0.2, 0.7, 0.9], "y": [0.0, 1.0, 1.0]},
    "triplet_margin(v, w, u)": {"v": V, "w": W, "u": [0.1, 0.2, 1.5]},
    "sum(attention(X, X, v) ** 2)": {"X": X, "v": [[1.0], [2.0]]},
}


@pytest.mark.parametrize("function", CASES)
def test_the_first_gate_of_a_kind_is_derived_and_read_back(function: str) -> None:
    found = trace(function, CASES[function], unfold=opened())  # as in a report
    derivation = derive(found)
    told: set[str] = set()
    for step in derivation.backward:
        gate = step.quantity.node.gate
        told.update(gate.name for branch in step.branches if branch.derived)
    tensors = {
        step.quantity.node.gate.name
        for step in derivation.backward
        if not step.quantity.node.gate.elementwise
    }
    forms = [s for step in derivation.backward for b in step.branches for s in b.symbols]
    assert not any("scatter" in form for form in forms)
    assert told >= tensors
    read = read_back(found, derivation)
    assert not read.failures
    assert not read.unreadable


def test_the_rule_gives_the_derivative_where_the_entries_have_no_name() -> None:
    (step,) = [
        s
        for s in derive(trace("sum(inv(A) * B)", {"A": A, "B": B})).backward
        if s.quantity.node.gate.name == "inv"
    ]
    (branch,) = [b for b in step.branches if b.derived]
    (local,) = branch.derived
    assert local.left == r"\frac{\partial q_{1,kl}}{\partial A_{ij}}"
    assert local.symbols == (r"-q_{1,jl} q_{1,ki}",)


def test_brackets_that_always_hold_are_left_out() -> None:
    (step,) = [
        s
        for s in derive(trace("sum(flip(v) * w)", {"v": V, "w": W}, wrt=["v"])).backward
        if s.quantity.name == "q1"
    ]
    summed = step.branches[0].summed
    assert summed is not None
    assert summed.symbols[-1] == r"\frac{\partial f}{\partial q_{1;\,4 - i}}"


def test_an_entry_in_another_shape_is_the_one_at_the_same_place_in_a_row() -> None:
    step = derive(trace("sum(reshape(X, (3, 2)) ** 2)", {"X": X})).backward[2]
    (branch,) = step.branches
    (local,) = branch.derived
    assert local.symbols == (r"𝟙\left[3 \left(i - 1\right) + j = 2 \left(k - 1\right) + l\right]",)


MISPRINTS = {  # of a function: the gate, and what is printed wrong in its lines
    "sum(inv(A) * B)": ("inv", "_{1,ki}", "_{1,ik}"),
    "sum(kron(A, v) ** 2)": ("kron", r"\delta_{jl}", r"\delta_{jk}"),
    "sum(var(X, axis=0) ** 2)": ("var", r"\frac{1}{2}", r"\frac{1}{3}"),
    "sum(cumsum(X, axis=0) ** 2)": ("cumsum", r"i \le k", r"k \le i"),
    "sum(reshape(X, (3, 2)) @ A)": ("reshape", r"3 \left(i", r"2 \left(i"),
    "sum(gather(X, T, axis=1) ** 2)": ("gather", "+ 1 = j", "+ 2 = j"),
}


@pytest.mark.parametrize("function", MISPRINTS)
@pytest.mark.parametrize("is_summed", [False, True])
def test_a_misprint_in_what_is_derived_is_found(function: str, is_summed: bool) -> None:
    gate, right, misprinted = MISPRINTS[function]
    found = trace(function, CASES[function])
    derivation = derive(found)
    (mixing,) = [s for s in derivation.backward if s.quantity.node.gate.name == gate]
    branch, *rest = mixing.branches
    line = branch.summed if is_summed else branch.derived[0]
    assert line is not None
    count = sum(right in s for s in line.symbols)
    assert count
    wrong = replace(line, symbols=tuple(put(s.replace(right, misprinted)) for s in line.symbols))
    misprint = replace(branch, summed=wrong) if is_summed else replace(branch, derived=(wrong,))
    steps = tuple(
        replace(step, branches=(misprint, *rest)) if step is mixing else step
        for step in derivation.backward
    )
    assert len(read_back(found, replace(derivation, backward=steps)).failures) == count


def test_a_label_and_its_meaning_stay_the_same_from_the_derivative_to_the_sum() -> None:
    step = derive(trace("sum((X + v) ** 2)", {"X": X, "v": V})).backward[2]
    (branch,) = [b for b in step.branches if b.derived]
    (local,) = branch.derived
    assert branch.summed is not None
    assert local.left == r"\frac{\partial q_{1,kl}}{\partial v_{i}}"
    assert branch.summed.symbols[0].endswith(r"\frac{\partial f}{\partial q_{1,kl}} \delta_{il}")


def softmax_of(function: str, **inputs: Any) -> tuple[Any, Any, Any]:
    found = trace(function, inputs)
    derivation = derive(found)
    (step,) = [s for s in derivation.backward if s.quantity.node.gate.name == "softmax"]
    return found, derivation, step


def test_from_two_cases_to_what_flows_back_it_is_one_line() -> None:
    _, _, step = softmax_of("dot(softmax(z), w)", z=V, w=W)
    (branch,) = step.branches
    assert [e.only for e in branch.derived] == ["", r"j \ne i"]
    assert branch.summed.left == r"\frac{\partial f}{\partial z_{i}}"
    upstream = r"\frac{\partial f}{\partial q_{1,k}}"
    assert branch.summed.symbols == (
        rf"\sum_{{k=1}}^{{3}} {upstream} \frac{{\partial q_{{1,k}}}}{{\partial z_{{i}}}}",
        rf"q_{{1,i}} \left(\frac{{\partial f}}{{\partial q_{{1,i}}}} - \sum_{{k=1}}^{{3}} {upstream} q_{{1,k}}\right)",
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_a_label_of_two_cases_is_none_of_a_sum_in_them(axis: int) -> None:
    _, _, step = softmax_of(f"sum(softmax(X, axis={axis}) ** 2)", X=X)
    (branch,) = step.branches
    told = " ".join(side for e in branch.derived for side in (e.left, *e.symbols))
    assert r"\sum_{l=1}" in told
    assert r"\sum_{k=1}" not in told


@pytest.mark.parametrize(
    ("right", "misprinted"),
    [
        (
            r"\frac{\partial f}{\partial q_{1,k}} \frac",
            r"\frac{\partial f}{\partial q_{1,i}} \frac",
        ),
        (r"q_{1,k}}{\partial z_{i}}", r"q_{1,i}}{\partial z_{i}}"),
    ],
)
def test_a_misprint_between_two_cases_and_what_flows_back_is_found(
    right: str, misprinted: str
) -> None:
    found, derivation, step = softmax_of("dot(softmax(z), w)", z=V, w=W)
    (branch,) = step.branches
    before, after = branch.summed.symbols
    assert right in before
    wrong = replace(branch.summed, symbols=(put(before.replace(right, misprinted)), after))
    misprint = replace(step, branches=(replace(branch, summed=wrong),))
    steps = tuple(misprint if s is step else s for s in derivation.backward)
    assert len(read_back(found, replace(derivation, backward=steps)).failures) == 1


def test_of_the_last_gate_the_gradient_is_told_once() -> None:
    step = derive(trace("f = cross_entropy(Z, y)", {"Z": X, "y": [0, 2]})).backward[0]
    (branch,) = step.branches
    assert branch.summed is None
    assert branch.entries is None
    (told,) = branch.derived
    assert told.left == r"\frac{\partial f}{\partial Z_{ij}}"
    assert not any(r"\partial f}{\partial f" in side for side in told.symbols)


def test_a_label_that_is_left_keeps_its_letter() -> None:
    step = derive(trace("sum(A @ B)", {"A": A, "B": B})).backward[1]
    assert step.branches[0].summed is not None
    assert step.branches[0].summed.symbols[-1] == (
        r"\sum_{l=1}^{2} \frac{\partial f}{\partial q_{1,il}} B_{jl}"
    )


def test_a_sum_before_an_entry_of_the_same_name_stands_in_brackets() -> None:
    (gradient,) = derive(trace("-dot(y, log(softmax(z)))", {"z": V, "y": W}, wrt=["z"])).gradients
    assert gradient.entry is not None
    assert r"\left(\sum_{k=1}^{3} y_{k}\right) - y_{i}" in gradient.entry.symbols[0]
