"""What people type first, in NumPy's, PyTorch's, TensorFlow's, JAX's, MATLAB's and Excel's spelling: the value is NumPy's."""

from __future__ import annotations

import re

import numpy as np
import pytest

import report
from report.errors import ReportError

INPUTS = {
    "W": [[0.5, -0.3], [0.2, 0.8], [-0.7, 0.4]], "x": [1.5, -0.5], "b": [0.1, 0.2, -0.3], "y": [0.2, 0.5, 0.3],
    "X": [[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]], "A": [[2.0, 0.5], [0.3, 1.5]], "S": [[1.0, 0.2], [0.2, 2.0]],
    "M": [[1, 0], [0, 1]], "Q": [[1.0, 0.2], [0.3, -0.5], [0.7, 0.1]], "K": [[0.3, 0.1], [-0.2, 0.6], [0.5, 0.5]],
    "V": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "w": [0.4, -0.6], "u": [0.3, 0.9], "a": 1.2, "c": -0.7, "t": 0.4,
    "n": 3, "labels": [0, 1, 1], "T3": [[[0.0, 0.2], [0.4, 0.6]], [[0.8, 1.0], [1.2, 1.4]]],
}  # fmt: skip


def sm(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """The softmax."""
    e = np.exp(z - z.max(axis, keepdims=True))
    return np.asarray(e / e.sum(axis, keepdims=True))


NUMPY = {
    "np": np, "sm": sm, "relu": lambda z: np.maximum(z, 0), "sg": lambda z: 1 / (1 + np.exp(-z)),
    **{name: np.array(value) for name, value in INPUTS.items()},
}  # fmt: skip


def used(text: str) -> dict[str, object]:
    """The inputs that a text names."""
    found = {
        n: v for n, v in INPUTS.items() if re.search(rf"(?<![A-Za-z]){n}(?![A-Za-z0-9])", text)
    }
    return found or {"a": INPUTS["a"]}


READ = [
    ("x' * w", 'x@w'), ("x' A x", 'x@A@x'), ("(x - w)'*(x - w)", '(x-w)@(x-w)'), ("x'*A*x", 'x@A@x'), ('sum(A*x .* w)', '((A@x)*w).sum()'),
    ('where(M, S, -inf).max()', 'np.where(M,S,-1e9).max()'), ('softmax(where(M, S, -inf))[0,0]', '1.0'),
    ('sum(softmax(np.where(M == 0, -np.inf, S)) @ x)', '(np.eye(2)@x).sum()'),
    ('softmax(masked_fill(S, M == 0, -inf), 1).sum()', '2.0'),
    ("S.masked_fill(M == 0, float('-inf')).softmax(dim=-1).sum()", '2.0'),
    ('torch.softmax(S.masked_fill(M.bool() == 0, -1e9), dim=-1).sum()', '2.0'), ('minimum(a, inf)', 'a'),
    ('maximum(a, -inf)', 'a'), ('max(-inf, a)', 'a'), ('X.transpose(0,1).sum()', 'X.sum()'),
    ('sum(X.transpose(0, 1) @ X)', '(X.T@X).sum()'), ('(X.transpose(-2,-1) @ X).sum()', '(X.T@X).sum()'),
    ('sum(X)/x.shape[0]', 'X.sum()/2'), ('sum(X)/X.shape[0]', 'X.sum()/3'), ('sum(X)/len(X)', 'X.sum()/3'),
    ('sum(X)/X.size(0)', 'X.sum()/3'), ('sum(X)/X.size', 'X.sum()/6'), ('sum(X)/X.numel()', 'X.sum()/6'),
    ('sum(X)/np.size(X)', 'X.sum()/6'), ('sum(X)/X.shape[1]', 'X.sum()/2'), ('sum(X)/X.shape[-1]', 'X.sum()/2'),
    ('1/len(y) * sum((X @ w - y)**2)', '((X@w-y)**2).mean()'),
    ('sum(softmax(Q @ K.T / sqrt(K.shape[1])) @ V)', '(sm(Q@K.T/np.sqrt(2))@V).sum()'),
    ('sum(softmax(Q @ K.transpose(-2, -1) / math.sqrt(K.size(-1)), dim=-1) @ V)', '(sm(Q@K.T/np.sqrt(2))@V).sum()'),
    ('(Q @ K.T / K.shape[-1]**0.5).softmax(dim=-1).matmul(V).sum()', '(sm(Q@K.T/np.sqrt(2))@V).sum()'),
    ('nn.ReLU()(W @ x).sum()', 'relu(W@x).sum()'), ('torch.nn.functional.relu(W @ x).sum()', 'relu(W@x).sum()'),
    ('torch.nn.Sigmoid()(W @ x).sum()', 'sg(W@x).sum()'), ('nn.Softmax(dim=1)(S).sum()', '2.0'),
    ('F.linear(x, W, b).sum()', '(W@x+b).sum()'), ('F.linear(X, A).sum()', '(X@A.T).sum()'),
    ('torch.nn.functional.mse_loss(X @ w, y)', '((X@w-y)**2).mean()'), ('nn.MSELoss()(X @ w, y)', '((X@w-y)**2).mean()'),
    ("nn.MSELoss(reduction='sum')(X @ w, y)", '((X@w-y)**2).sum()'),
    ("F.mse_loss(X @ w, y, reduction='sum')", '((X@w-y)**2).sum()'),
    ("F.mse_loss(X @ w, y, reduction='mean')", '((X@w-y)**2).mean()'), ('sum(X.T @ y)', '(X.T@y).sum()'),
    ('sum(X.t() @ y)', '(X.T@y).sum()'), ('torch.t(X).sum()', 'X.sum()'),
    ('torch.transpose(X,0,1).matmul(y).sum()', '(X.T@y).sum()'), ('np.transpose(X).dot(y).sum()', '(X.T@y).sum()'),
    ('X.permute(1,0).mv(y).sum()', '(X.T@y).sum()'), ('torch.mm(X.T, X).sum()', '(X.T@X).sum()'),
    ('torch.bmm(T3, T3).sum()', '(T3@T3).sum()'), ('(x.unsqueeze(-1) * w.unsqueeze(0)).sum()', 'np.outer(x,w).sum()'),
    ('(x.unsqueeze(-1) @ w.unsqueeze(0)).sum()', 'np.outer(x,w).sum()'),
    ('sum(x[:, np.newaxis] * w[np.newaxis, :])', 'np.outer(x,w).sum()'), ('sum(x[:, None] * w[None])', 'np.outer(x,w).sum()'),
    ("np.einsum('ij,j->i', W, x).sum()", '(W@x).sum()'), ("np.einsum('ij,j', W, x).sum()", '(W@x).sum()'),
    ("einsum('ij,jk->ik', W, A).sum()", '(W@A).sum()'), ("torch.einsum('i,i->', x, w)", 'x@w'), ("einsum('i,i', x, w)", 'x@w'),
    ("einsum('ij->ji', X).sum()", 'X.sum()'), ("einsum('ii', A)", 'np.trace(A)'),
    ("einsum('ij, j -> i', W, x).sum()", '(W@x).sum()'), ("einsum('...ij,...jk->...ik', T3, T3).sum()", '(T3@T3).sum()'),
    ("torch.einsum('bij,bjk->bik', [T3, T3]).sum()", '(T3@T3).sum()'), ('np.linalg.norm(W @ x - b, 2)**2', '((W@x-b)**2).sum()'),
    ("np.linalg.norm(W, 'fro')", 'np.linalg.norm(W)'), ('np.linalg.norm(x, ord=1)', 'abs(x).sum()'),
    ('np.linalg.norm(x, np.inf)', 'abs(x).max()'), ('W.norm()', 'np.linalg.norm(W)'),
    ('W.pow(2).sum().sqrt()', 'np.linalg.norm(W)'), ('x.dot(w)', 'x@w'), ('x @ w.T', 'x@w'), ('x.T @ w', 'x@w'),
    ('torch.dot(x, w)', 'x@w'), ('np.inner(x, w)', 'x@w'), ('np.vdot(x,w)', 'x@w'), ('sum(x .* w)', 'x@w'),
    ('sum(x.^2)', '(x**2).sum()'), ('sum(x.*w.^2)', '(x*w**2).sum()'), ('sum(exp(-x.^2./2))', 'np.exp(-x**2/2).sum()'),
    ('sum(sum(W.*W))', '(W*W).sum()'), ('a^2', 'a**2'), ('a**2 + 3a - c', 'a**2+3*a-c'), ('a*c^2', 'a*c**2'), ('-a^2', '-a**2'),
    ('2^a', '2**a'), ('(a+c)(a-c)', '(a+c)*(a-c)'), ('a(c+1)', 'a*(c+1)'), ('3(a+1)', '3*(a+1)'), ('sin a', 'np.sin(a)'),
    ('sin(a)cos(c)', 'np.sin(a)*np.cos(c)'), ('sin²(a)', 'np.sin(a)**2'), ('√a', 'np.sqrt(a)'), ('√(a²+1)', 'np.sqrt(a*a+1)'),
    ('∛a', 'np.cbrt(a)'), ('a²c³', 'a**2*c**3'), ('π·a', 'np.pi*a'), ('|c|', 'abs(c)'), ('ln(a)', 'np.log(a)'),
    ('log10(a)', 'np.log10(a)'), ('log_2(a)', 'np.log2(a)'), ('log2 a', 'np.log2(a)'), ('e^-a', 'np.exp(-a)'),
    ('e^(-a²/2)', 'np.exp(-a**2/2)'), ('exp(-a)', 'np.exp(-a)'), ('=SUM(x)', 'x.sum()'), ('SUM(x)', 'x.sum()'),
    ('SUMPRODUCT(x,w)', 'x@w'), ('=SUMPRODUCT(x;w)', 'x@w'), ('AVERAGE(x)', 'x.mean()'), ('POWER(a;2)', 'a**2'),
    ('=a^2+1', 'a**2+1'), ('SQRT(a)', 'np.sqrt(a)'), ('=1/(1+EXP(-a))', 'sg(a)'), ('IF(a>0,a,0)', 'max(a,0)'),
    ('f = a*c', 'a*c'), ('f(a,c) = a*c', 'a*c'), ('L = (a*c - t)**2', '(a*c-t)**2'), ('return a*c', 'a*c'), ('a*c;', 'a*c'),
    ('lambda a, c: a*c', 'a*c'), ('def f(a, c):\n  return a*c', 'a*c'), ('loss = a*c\nloss', 'a*c'),
    ('z = a*c\nreturn z', 'a*c'), ('z = a*c\nL = z**2', '(a*c)**2'), ('z = a*c; z**2', '(a*c)**2'),
    ('z = a * c  # product\nz**2', '(a*c)**2'), ('z := a*c\nz**2', '(a*c)**2'), ('x1 = a; x2 = c; x1*x2', 'a*c'),
    ('a if a > 0 else 0', 'max(a,0)'), ('max(a, 0)', 'max(a,0)'), ('max(0,c)', '0*a'), ('np.where(a > 0, a, 0.01*a)', 'a'),
    ('torch.where(a > 0, a, 0)', 'a'), ('relu(W@x).sum()', 'relu(W@x).sum()'), ('ReLU(W@x).sum()', 'relu(W@x).sum()'),
    ('ReLU(W x + b)ᵀ y', 'relu(W@x+b)@y'), ('Sigmoid(a)', 'sg(a)'), ('σ(a)', 'sg(a)'), ('sigma(W @ x).sum()', 'sg(W@x).sum()'),
    ('‖W x − b‖²', '((W@x-b)**2).sum()'), ('||W x - b||^2', '((W@x-b)**2).sum()'), ('||W x - b||_2^2', '((W@x-b)**2).sum()'),
    ('‖x‖₁', 'abs(x).sum()'), ('‖x‖₂²', 'x@x'), ('∥x∥', 'np.sqrt(x@x)'), ('½‖W x − b‖²', '((W@x-b)**2).sum()/2'),
    ('xᵀ A x', 'x@A@x'), ('x^T A x', 'x@A@x'), ('⟨x, w⟩', 'x@w'), ('∑(x)', 'x.sum()'), ('tr(A)', 'np.trace(A)'),
    ('Tr(A)', 'np.trace(A)'), ('det A', 'np.linalg.det(A)'), ('log det A', 'np.log(np.linalg.det(A))'),
    ('sum(A⁻¹ x)', '(np.linalg.inv(A)@x).sum()'), ('np.linalg.inv(A).sum()', 'np.linalg.inv(A).sum()'),
    ('torch.inverse(A).sum()', 'np.linalg.inv(A).sum()'), ('np.linalg.solve(A, x).sum()', 'np.linalg.solve(A,x).sum()'),
    ('np.linalg.det(A)', 'np.linalg.det(A)'), ('tf.linalg.det(A)', 'np.linalg.det(A)'),
    ('torch.logdet(A)', 'np.log(np.linalg.det(A))'), ('np.trace(A)', 'np.trace(A)'),
    ('tf.reduce_mean(tf.square(y - tf.matmul(X, tf.expand_dims(w, 1))[:,0]))', '((X@w-y)**2).mean()'),
    ('tf.reduce_sum(tf.nn.sigmoid(W @ x))', 'sg(W@x).sum()'), ('tf.math.log(a)', 'np.log(a)'),
    ('tf.linalg.matvec(W, x)[0]', '(W@x)[0]'), ('keras.losses.mean_squared_error(y, X@w)', '((X@w-y)**2).mean()'),
    ('tf.constant(2.0) * a', '2*a'), ('tf.transpose(X)[0,0]', 'X[0,0]'), ('tf.cast(a, tf.float32)', 'a'),
    ('jnp.sum(jax.nn.relu(W @ x))', 'relu(W@x).sum()'), ('jax.nn.log_softmax(W@x)[0]', 'np.log(sm(W@x))[0]'),
    ('jax.scipy.special.logsumexp(x)', 'np.log(np.exp(x).sum())'), ('scipy.special.expit(a)', 'sg(a)'),
    ('torch.logsumexp(x, dim=0)', 'np.log(np.exp(x).sum())'), ('jnp.dot(x, w)', 'x@w'),
    ('lax.stop_gradient(x).sum()', 'x.sum()'), ('torch.sum((y - X.mv(w)).pow(2)) / (2 * X.shape[0])', '((X@w-y)**2).sum()/6'),
    ('((X @ w - y) ** 2).mean()', '((X@w-y)**2).mean()'),
    ('np.mean((y - X.dot(w))**2) + a*np.sum(np.abs(w))', '((X@w-y)**2).mean()+a*abs(w).sum()'),
    ('torch.cat([x, w]).sum()', '(x+w).sum()'), ('torch.cat((x, w), dim=0).sum()', '(x+w).sum()'),
    ('np.concatenate((x, w)).sum()', '(x+w).sum()'), ('np.vstack((x, w)).sum()', '(x+w).sum()'),
    ('torch.stack((x, w)).max(dim=0)[0].sum()', 'np.maximum(x,w).sum()'), ('x.view(-1,1).sum()', 'x.sum()'),
    ('X.reshape(-1).sum()', 'X.sum()'), ('X.flatten()[0]', 'X[0,0]'), ('X[:, 0].sum()', 'X[:,0].sum()'), ('X[0][1]', 'X[0,1]'),
    ('X[-1, :].sum()', 'X[-1].sum()'), ('X[::2].sum()', 'X[::2].sum()'), ('x[0]*x[1]', 'x[0]*x[1]'), ('W[0,:] @ x', 'W[0]@x'),
    ('clip(a, 0, 1)', '1.0+0*a'), ('a.clamp(min=0)', 'a'), ('torch.clamp(a, 0, inf)', 'a'), ('np.clip(a, 0, None)', 'a'),
    ('np.sum([a*c, a])', 'a*c+a'), ('a c', 'a*c'), ('a × c', 'a*c'), ('a ⋅ c', 'a*c'), ('a ∗ c', 'a*c'), ('a÷c', 'a/c'),
    ('1.5a', '1.5*a'), ('mean(x)', 'x.mean()'), ('var(x)', 'x.var()'), ('std(x)', 'x.std()'),
    ('np.var(x, ddof=1)', 'x.var(ddof=1)'), ('x.var(unbiased=False)', 'x.var()'), ('x.std(correction=0)', 'x.std()'),
    ('np.max(x)', 'x.max()'), ('x.max()', 'x.max()'), ('max(x)', 'x.max()'), ('torch.max(X, dim=1)[0].sum()', 'X.max(1).sum()'),
    ('amax(X, 1).sum()', 'X.max(1).sum()'), ('1_000*a', '1000*a'), ('np.array([1, 2]) @ x', 'np.array([1,2])@x'),
    ('torch.tensor([1., 2.]) @ x', 'np.array([1,2])@x'), ('np.eye(2) @ x @ w', 'x@w'), ('np.ones(2) @ x', 'x.sum()'),
    ('torch.ones(2, 2)[0] @ x', 'x.sum()'), ('np.zeros_like(x).sum() + a', 'a'), ('torch.ones_like(x) @ x', 'x.sum()'),
    ('np.arange(2) @ x', 'x[1]'), ('np.power(a, 2)', 'a**2'), ('pow(a, 2)', 'a**2'), ('np.float64(a)', 'a'), ('float(a)', 'a'),
    ('a.item()', 'a'), ('x.detach().numpy().sum()', 'x.sum()'), ('np.multiply(x, w).sum()', 'x@w'),
    ('torch.mul(x, w).sum()', 'x@w'), ('np.add(a, c)', 'a+c'), ('torch.add(a, c)', 'a+c'), ('np.subtract(a,c)', 'a-c'),
    ('np.divide(a, c)', 'a/c'), ('torch.div(a, c)', 'a/c'), ('a.add(c).mul(2)', '(a+c)*2'), ('np.negative(a)', '-a'),
    ('torch.neg(a)', '-a'), ('np.square(a)', 'a*a'), ('np.reciprocal(a)', '1/a'), ('torch.rsqrt(a)', '1/np.sqrt(a)'),
    ('x.square().sum()', 'x@x'), ('x.sum().item()', 'x.sum()'), ('torch.outer(x, w).sum()', 'np.outer(x,w).sum()'),
    ('np.outer(x, w)[0,1]', 'x[0]*w[1]'), ('np.diag(A).sum()', 'np.trace(A)'), ('torch.diagonal(A).sum()', 'np.trace(A)'),
    ('torch.tril(A).sum()', 'np.tril(A).sum()'), ('A.expand(3,2,2).sum()', '3*A.sum()'), ('x.expand(3,2).sum()', '3*x.sum()'),
    ('np.squeeze(X[:, 0:1]).sum()', 'X[:,0].sum()'), ('a.sigmoid()', 'sg(a)'), ('a.tanh()', 'np.tanh(a)'),
    ('a.exp().log()', 'a'), ('F.softplus(a)', 'np.log1p(np.exp(a))'), ('F.leaky_relu(c, 0.1)', '0.1*c'), ('F.elu(a)', 'a'),
    ('F.silu(a)', 'a*sg(a)'), ('F.log_softmax(W@x, dim=0)[0]', 'np.log(sm(W@x))[0]'),
    ('F.softmax(W@x, dim=-1) @ y', 'sm(W@x)@y'), ('softmax(X, axis=1)[0,0]', 'sm(X)[0,0]'),
    ('torch.nn.functional.normalize(x, dim=0)[0]', 'x[0]/np.sqrt(x@x)'), ('F.one_hot(labels, 2).sum() + a', '3+a'),
    ('F.cosine_similarity(x, w, dim=0)', 'x@w/np.sqrt(x@x)/np.sqrt(w@w)'), ('x.softmax(0)[1]', 'sm(x)[1]'),
    ('x.log_softmax(-1)[1]', 'np.log(sm(x))[1]'), ('x.abs().sum()', 'abs(x).sum()'), ('x.mean(dim=0)', 'x.mean()'),
    ('X.mean(0).sum()', 'X.mean(0).sum()'), ('X.sum(axis=-1, keepdims=True)[0,0]', 'X.sum(-1)[0]'),
    ('X.sum(1, keepdim=True).sum()', 'X.sum()'), ('np.sum(X, 0)[1]', 'X.sum(0)[1]'), ('np.prod(x)', 'x.prod()'),
    ('x.prod()', 'x.prod()'), ('np.cumsum(x)[1]', 'x.sum()'), ('np.matmul(W, x)[0]', '(W@x)[0]'), ('W.dot(x)[0]', '(W@x)[0]'),
    ('W.mm(A)[0,0]', '(W@A)[0,0]'), ('W.matmul(x)[0]', '(W@x)[0]'), ('(W * x).sum()', '(W*x).sum()'),
    ('sum(W x)', '(W@x).sum()'), ('sum(W·x)', '(W@x).sum()'), ('x·w', 'x@w'), ('sum(x∘w)', 'x@w'), ('sum(x⊙w)', 'x@w'),
    ('where(a ≥ 0, a, 0)', 'a'), ('trace(W @ W.T + I)', 'np.trace(W@W.T)+3'), ('sum((A.T @ A - I)**2)', '((A.T@A-np.eye(2))**2).sum()'),
    ('log(det(S + 0.5I))', 'np.log(np.linalg.det(S+np.eye(2)/2))'), ('w @ inv(I/a - A*c) @ w', 'w@np.linalg.inv(np.eye(2)/a-A*c)@w'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), READ, ids=[text for text, _ in READ])
def test_first_tries_have_the_value_that_numpy_gives(text: str, value: str) -> None:
    expected = float(eval(value, dict(NUMPY)))
    assert report.trace(text, used(text)).value == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(x) + inf", "an infinite number can stand only where nothing of it is left"),
        ("sum(where(M, S, -inf))", "an infinite number can stand only"),
        ("nn.Linear(2, 3)(x)", "the weights of Linear are inputs here; write linear(x, W, b)"),
        ("x(1) * x(2)", "x(1) can be read as an entry, x[1] (counted from 0), or as a product, x * 1"),
        ("x_0 * x_1", "an entry is written x[0], counted from 0"),
        ("Wx.sum()", "a product is written W x, or W @ x of matrices"),
        ("|A|", "can be read as its determinant, det(A), or entry by entry, abs(A)"),
        ("[a c] @ x", "in a list can be read as two entries, a, c, or as a product, a * c"),
        ("sum(x * w .* x)", "can be read entry by entry or as another product"),
        ("∑ᵢ x", r"with an index it is LaTeX: \sum_{i=1}^n x_i"),
        ("a > 0 ? a : 0", "a choice is written where(x > 0, a, b)"),
        ("x⊗w", "write outer(a, b) of two vectors"),
        ("lg a", "write log10(x) or log2(x)"),
        ("a.backward()", "a report derives the gradients itself"),
        ("sum(a, c)", "axis of sum is an option"),
        ("1,5*a", "a decimal number 1.5"),
        ("W @ x", "the function's result has shape (3,)"),
        ("trace(A @ I)", "write the identity with its size, eye(2)"),
        ("sum(x + 2*I)", "write the identity with its size, eye(2)"),
        ("F.mse_loss(X @ w, y, reduction='none')", "reduction is 'mean' or 'sum'"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_told_with_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(ReportError) as raised:
        report.trace(text, used(text.replace("Wx", "W x")))
    said, place, source, caret = str(raised.value).split("\n")
    assert message in said
    assert re.fullmatch(r"  in the function, line 1, column \d+:", place)
    assert text in source
    assert caret.strip() == "^"


def test_the_weight_of_what_is_masked_is_0() -> None:
    found = report.trace("softmax(where(M, S, -inf))[0, 1] + sum(S)", used("M S"))
    np.testing.assert_array_equal(found.gradients["S"], np.ones((2, 2)))
    assert found.graph.readings == ("inf is read as 10^9, of which nothing is left in the value",)


def test_a_vector_by_its_transpose_is_told_to_be_a_number() -> None:
    found = report.trace("x @ x.T", {"x": [1.0, 2.0]})
    assert (found.value, found.gradients["x"].tolist()) == (5.0, [2.0, 4.0])
    assert found.graph.readings == ("x @ x.T of vectors is a number; the matrix is outer(x, x)",)
    assert not report.trace("sum(A @ A.T)", {"A": [[1.0, 2.0]]}).graph.readings


def test_infinity_in_a_python_function_is_read_as_well() -> None:
    def masked(S, M):
        s = np.where(M == 0, float("-inf"), S)
        e = np.exp(s - np.max(s))
        return e[0] / e.sum()

    found = report.trace(masked, {"S": [1.0, 2.0, 3.0], "M": [1, 0, 1]})
    assert found.value == pytest.approx(1 / (1 + np.exp(2)), rel=1e-15)
    assert found.gradients["S"][1] == 0


def test_a_name_that_is_a_function_on_paper_gives_way() -> None:
    with pytest.raises(ReportError, match="the name sum_ would be sum, as this function is"):
        report.trace("sum_ * sum(x)", {"sum_": 2.0, "x": [1.0, 2.0]})
    assert report.trace("sum_ * mean(x)", {"sum_": 2.0, "x": [1.0, 2.0]}).value == 3.0


def test_a_position_that_is_given_counts_from_the_front() -> None:
    with pytest.raises(ReportError, match=r"input k\[1\] is -1; positions count from 0"):
        report.trace("sum(X[k])", {"X": [[1.0, 2.0], [3.0, 4.0]], "k": [0, -1]})
    assert report.trace("sum(X[-1])", {"X": [[1.0, 2.0], [3.0, 4.0]]}).value == 7.0
    found = report.trace("sum(X[..., [-1, 0]]**2)", {"X": [[1.0, 2.0], [3.0, 5.0]]})
    assert found.value == 39.0
    lists = [n.value.tolist() for q in found.gates for n in q.node.args if n.is_constant]
    assert [1.0, 0.0] in lists
