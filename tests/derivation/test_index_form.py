"""Index forms: what is printed of one entry has, at every entry, the number of the trace."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from report import trace
from report.autodiff.backprop import gradient_graph
from report.autodiff.gates import GATES, multiply
from report.autodiff.graph import Graph, Node, evaluate, input_node, make, topological
from report.autodiff.parser.latex.printed import PrintedNames
from report.autodiff.trace import Trace
from report.derivation import Derivation, derive
from report.derivation.index_form import NoIndexForm, index_form
from report.derivation.latex import Printed, latex
from tests.autodiff.gradient_checks import close, make_scalar
from tests.autodiff.test_gates import CASES
from tests.derivation.index_values import entries, entry_places

# An inverse has no entries that a sum could tell: it stands in formulas as (A⁻¹)_ij, and so det A.
NO_FORWARD = {"inv", "det", "logdet"}
# Whose gradient is told by a formula too long for a line; they stand in backward graphs only.
NO_GRADIENT = {"others", "cofactor"}
OF_A_FORM = 3  # numbers for arguments of the same shapes, which have the same form


@pytest.mark.parametrize("name", CASES)
def test_index_form_has_the_numbers_of_the_gate_and_of_its_gradient(name: str) -> None:
    gate = GATES[name]
    tried: Counter[Any] = Counter()

    @settings(max_examples=8 if gate.definition is None else 5)
    @given(CASES[name])
    def check(case: tuple[list[Any], dict[str, Any]]) -> None:
        args, params = case
        if gate.kink is not None:
            assume(not np.any(gate.kink(*map(np.asarray, args), **params)))
        shapes = (*map(np.shape, args), repr(params))
        tried[shapes] += 1
        if tried[shapes] > OF_A_FORM:
            return
        leaves = [input_node("XYZABCD"[i], np.asarray(a)) for i, a in enumerate(args)]
        node = make(gate, leaves, params)
        upstream = input_node("U", np.zeros(node.shape))
        values = np.sin(1.0 + np.arange(np.prod(node.shape, dtype=int))).reshape(node.shape)
        known = {
            n: np.float64(a) if np.ndim(a) == 0 else np.asarray(a)
            for n, a in zip(leaves, args, strict=True)
        }
        known[upstream] = values if node.shape else np.float64(values)
        names = {n: Printed(f"{n.name}_{{@}}") for n in (upstream, *leaves)}
        if name == "reshape" and params["shape"] == (3, 2):  # 2 × 3: no label has a place in both
            with pytest.raises(NoIndexForm):
                index_form(node, names, latex)
            return
        if name not in NO_FORWARD:
            check_form(node, names, known)
        result = make_scalar(multiply(upstream, node))
        gates = tuple(n for n in topological(result) if not n.is_input)
        graph = Graph("", {str(n.name): n for n in known}, gates, result)
        if name not in NO_GRADIENT:
            for leaf, formula in gradient_graph(graph).items():
                if leaf in leaves:
                    check_form(formula, names, known)

    check()


def check_form(node: Node, names: dict[Node, Printed], known: dict[Node, Any]) -> None:
    entry = index_form(node, names, latex)
    expected = evaluate([node], known)[node]
    close(entries(entry, node, known), expected, entry.latex, 1e-9)
    on_page = PrintedNames({str(n.name): np.asarray(v)[()] for n, v in known.items()})
    places = list(entry_places(entry, node))
    for place, where in (*places[:2], *places[-1:]):
        found = on_page.formula(entry.latex).at({str(x): n for x, n in place.items()})
        close(found, expected[where], f"{entry.latex} at {place}", 1e-4)


R = np.random.default_rng(11)


def t(*shape: int) -> Any:
    return R.integers(-15, 15, size=shape) / 10 + 0.05


A, B, S = t(3, 3), t(3, 2), t(3, 3) + 5 * np.eye(3)
X, Y, T = t(4, 3), t(2, 3), t(2, 3, 2)
x, y, w, b = t(3), t(4), t(3), t(2)
COLUMN = t(3, 1)
P = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])

LSTM = """v = concatenate([h, x])
f = sigmoid(F @ v)
g = sigmoid(G @ v)
o = sigmoid(O @ v)
c = f*b + g*tanh(C @ v)
norm(o*tanh(c) - w[:2])**2"""

# Whole functions, with let-lines, sums where paths meet, and stacks of matrices.
FORMULAS: list[tuple[str, dict[str, Any]]] = [
    ("sum(softmax(X, axis=0)**2)", {"X": [[1.0, -2.0, 0.5], [0.4, 1.2, 3.0]]}),
    ("sum(3*log_softmax(X, axis=0)**2)", {"X": [[1.0, -2.0, 0.5], [0.4, 1.2, 3.0]]}),
    ("sum(tanh(R) @ X)", {"R": [[-1.5, 3]], "X": [[0.2, -0.7, -0.9], [-0.6, -0.2, 1]]}),
    ("sum(group_norm(X, groups=2) * Y)", {"X": [[1, 2, 4, 7], [3, 1, 5, 2]], "Y": [[1, 2, 3, 4], [4, 2, 1, 3]]}),
    ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}),
    ("mean((tanh(W @ x + b) - y)**2)", {"W": A, "x": x, "b": w, "y": x}),
    ("norm(X @ w - y)**2 / 4 + 0.1*norm(w)**2", {"X": X, "w": w, "y": y}),
    ("x @ A @ x", {"A": A, "x": x}),
    ("x.T @ A @ x", {"A": A, "x": COLUMN}),
    ("norm(A.T @ A)", {"A": A}),
    ("sum(A.T @ A)", {"A": Y}),
    ("mean(sum(X*b, axis=0)**2)", {"X": X, "b": w}),
    ("sum(sum(X, axis=1, keepdims=True)*X)", {"X": X}),
    ("sum(exp(X) / b) * c", {"X": X, "b": [1.5, 2.5, 3.5], "c": 2.0}),
    ("sum((T @ B)**2)", {"T": t(2, 2, 3), "B": B}),
    ("sum((T @ S)**2)", {"T": t(2, 2, 3), "S": t(2, 3, 2)}),
    ("sum((x @ T)**2)", {"x": x, "T": T}),
    ("sum((T @ v)**2)", {"T": T, "v": b}),
    ("sum(softmax(Q @ K.T / sqrt(d)) @ V)", {"Q": Y, "K": t(2, 3), "V": t(2, 3), "d": 3}),
    ("Z = X @ W\nH = relu(Z)\ncross_entropy(H @ V, k)", {"X": X, "W": A, "V": t(3, 3), "k": [0, 2, 1, 1]}),
    ("cross_entropy(Z, P)", {"Z": Y, "P": P}),
    ("-log(softmax(z)[1])", {"z": x}),
    ("kl_div(P, softmax(Z))", {"P": P, "Z": Y}),
    ("x @ solve(S, x)", {"S": S, "x": x}),
    ("sum(solve(S, B)**2)", {"S": S, "B": B}),
    ("sum(inv(S)**2) + logdet(S) + det(S)/100", {"S": S}),
    ("sum(det(S)**2)/1000", {"S": np.stack([S, S.T])}),
    ("(x - mu) @ inv(S) @ (x - mu) + logdet(S)", {"x": x, "mu": w, "S": S}),
    ("sum(kron(A, B)**2)", {"A": t(2, 2), "B": Y}),
    ("sum(diag(v) @ M @ diag(v)) + trace(M @ M)", {"v": x, "M": A}),
    ("sum(diag(M @ M)**2)", {"M": A}),
    ("sum(cumsum(X, axis=1)**2)", {"X": X}),
    ("sum(cumsum(pad(x, (1, 2))**2))", {"x": x}),
    ("sum(E[i]**2) + sum(E[0])", {"E": t(4, 2), "i": [1, 3, 1]}),
    ("sum(tanh(E[i] @ W))", {"E": t(4, 2), "i": [[1, 3], [1, 0]], "W": t(2, 3)}),
    ("sum(E[[0, 2, 2]]**2)", {"E": t(4, 2)}),
    ("sum(M[i, j]**2)", {"M": A, "i": [0, 2, 2], "j": [1, 1, 1]}),
    ("E[k, 1]**2", {"E": t(4, 2), "k": 2}),
    ("sum(x[::2]**2) + sum(x[::-1]*w) + x[-1]*x[0]", {"x": x, "w": w}),
    ("sum(X[1:3, :2]**2)", {"X": X}),
    ("sum((x[1:] - x[:-1])**2)", {"x": t(5)}),
    ("sum(T[..., 1]**2)", {"T": T}),
    ("sum(x[None, :]*A)", {"x": x, "A": A}),
    ("sum(reshape(v, (2, 3))*Y)", {"v": t(6), "Y": Y}),
    ("sum(W @ reshape(X, -1))", {"W": t(2, 12), "X": X}),
    ("sum(reshape(T, (2, -1))**2 @ v)", {"T": T, "v": t(6)}),
    ("sum((W @ concatenate([h, x, h]))**2)", {"W": t(2, 7), "h": b, "x": x}),
    ("norm(stack([x, w]) @ A)", {"x": x, "w": w, "A": A}),
    ("sum(transpose(T, (1, 0, 2))**2)", {"T": T}),
    ("sum(prod(X, axis=1)**2) + prod(X[0])", {"X": X}),
    ("sum(max(X, axis=1)*y) + sum(min(X, axis=0)**2)", {"X": X, "y": y}),
    ("sum(var(X, axis=0)*w) + sum(std(X, axis=1)*y)", {"X": X, "w": w, "y": y}),
    ("sum(norm(X, axis=1)*y) + sum(norm(X, 1, axis=0)**2)", {"X": X, "y": y}),
    ("sum(logsumexp(X, axis=1)*y) + logsumexp(X)**2", {"X": X, "y": y}),
    ("sum(where(X > 0, X**2, -X)) + sum(where(m, X, 2*X)**2)", {"X": X, "m": [1, 0, 1]}),
    ("sum(clip(X, -1, 1)**2)", {"X": X}),
    ("huber(X @ w, y) + hinge(X @ w, sign(y))", {"X": X, "w": w, "y": y}),
    ("2*pi*sum(radians(x)**2) + sum(3**x) + sum(x/sqrt(2*pi))", {"x": x}),
    ("sum(g*(x - mean(x))/sqrt(var(x) + 0.01))", {"x": x, "g": w}),
    (LSTM, {"x": x, "h": b, "b": t(2), "w": w, **{name: t(2, 5) for name in "FGOC"}}),
]  # fmt: skip


each_formula = pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=formula, marks=pytest.mark.xdist_group(f"formula {number}"))
        for number, (formula, _) in enumerate(FORMULAS)
    ],
)


@lru_cache(maxsize=2)
def derived(number: int) -> tuple[Trace, Derivation]:
    """A formula with its derivation, made once for all tests of it, which share a worker."""
    traced = trace(*FORMULAS[number])
    return traced, derive(traced)


@each_formula
def test_index_form_of_a_gradient_has_its_numbers(number: int) -> None:
    traced, derivation = derived(number)
    known = {q.node: q.value for q in traced.inputs}
    assert derivation.gradients
    for gradient in derivation.gradients:
        assert gradient.indexed is not None, gradient.name
        assert gradient.formula is not None
        node = traced.graph.inputs[gradient.name]
        found = entries(gradient.indexed, node, gradient.formula.known(known))
        close(found, gradient.value, f"{gradient.left} = {gradient.indexed.latex}", 1e-9)
