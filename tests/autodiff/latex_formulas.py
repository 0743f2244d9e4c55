# ruff: noqa: PLC3002, PLW0108
"""Formulas in LaTeX, each with inputs and the same value by NumPy; None where it must be refused."""

import math
from typing import Any

import numpy as np


def sg(z):
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.maximum(z, 0)


def sm(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


X = [[0.5, 1.0], [-0.4, 0.3], [1.2, -0.8]]
y3 = [0.5, 1.5, -1.0]
w2 = [0.7, -0.2]
W23 = [[0.4, -0.6, 1.0], [0.9, 0.2, -0.5]]
x3 = [1.2, 0.3, -0.7]
b2 = [0.1, -0.3]
A2 = [[1.5, 0.2], [0.3, 0.8]]
A3 = [[2.0, -1.0, 0.5], [0.3, 3.0, -0.6], [1.2, 0.7, 2.0]]
FORMULAS: list[Any] = []


def a(t, fn, /, **inp):
    FORMULAS.append((t, inp, fn))


a(
    r"\frac{1}{n}\|X w - y\|_2^2 + \lambda \|w\|_2^2", None, X=X, w=w2, y=y3, **{"lambda": 0.3}
)  # n unknown -> refuse
a(
    r"\frac{1}{2n}\sum_{i=1}^n (y_i - w^\top x_i)^2 + \frac{\lambda}{2}\|w\|_2^2",
    lambda x, w, y, **k: sum((y - x @ w) ** 2) / 6 + 0.15 * w @ w,
    x=X,
    w=w2,
    y=y3,
    **{"lambda": 0.3},
)
a(
    r"J(\theta) = \frac{1}{2m} \sum_{i=1}^{m} \left(h_\theta(x^{(i)}) - y^{(i)}\right)^2 \quad \text{where } h_\theta(x) = \theta^T x",
    lambda x, theta, y: sum((x @ theta - y) ** 2) / 6,
    x=X,
    theta=w2,
    y=y3,
)
a(
    r"J = -\frac{1}{m}\sum_{i=1}^m \left[ y^{(i)} \log h_\theta(x^{(i)}) + (1-y^{(i)})\log(1-h_\theta(x^{(i)}))\right] \\ h_\theta(x) = \frac{1}{1+e^{-\theta^T x}}",
    lambda x, theta, y: -np.mean(y * np.log(sg(x @ theta)) + (1 - y) * np.log(1 - sg(x @ theta))),
    x=X,
    theta=w2,
    y=[1, 0, 1],
)
a(r"\operatorname{softmax}(z)_2", lambda z: sm(z)[1], z=[0.4, 1.7, -0.6])
a(
    r"-\log \operatorname{softmax}(z)_{y}",
    lambda z, y: -np.log(sm(z)[int(y) - 1]),
    z=[0.4, 1.7, -0.6],
    y=3,
)
a(
    r"-\log \left( \frac{e^{z_y}}{\sum_{k=1}^K e^{z_k}} \right)",
    lambda z, y: -np.log(sm(z)[int(y) - 1]),
    z=[0.4, 1.7, -0.6],
    y=3,
)
a(
    r"\mathcal{L} = -\sum_{k} y_k \log \left( \mathrm{softmax}(Wx+b)_k \right)",
    lambda y, W, x, b: -sum(y * np.log(sm(W @ x + b))),
    y=[0, 1],
    W=W23,
    x=x3,
    b=b2,
)
a(r"\operatorname{tr}(A^\top B)", lambda A, B: np.trace(A.T @ B), A=A2, B=[[0.2, 1], [3, -1]])
a(r"\operatorname{tr} A B", lambda A, B: np.trace(A @ B), A=A2, B=[[0.2, 1], [3, -1]])
a(r"\langle A, B \rangle", lambda A, B: np.sum(A * B), A=A2, B=[[0.2, 1], [3, -1]])
a(r"\langle x, y \rangle", lambda x, y: x @ y, x=x3, y=y3)
a(r"\log\det A", lambda A: np.log(np.linalg.det(A)), A=A2)
a(r"\log|A|", lambda A: np.log(np.linalg.det(A)), A=A2)
a(
    r"\frac12 x^\top A x - b^\top x + c",
    lambda A, x, b, c: 0.5 * x @ A @ x - b @ x + c,
    A=A2,
    x=w2,
    b=b2,
    c=1.0,
)
a(r"x^\top A^{-1} x", lambda A, x: x @ np.linalg.inv(A) @ x, A=A2, x=w2)
a(
    r"(x-\mu)^\top \Sigma^{-1} (x-\mu)",
    lambda x, mu, Sigma: (x - mu) @ np.linalg.inv(Sigma) @ (x - mu),
    x=w2,
    mu=b2,
    Sigma=A2,
)
a(
    r"\frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{(x-\mu)^2}{2\sigma^2}\right)",
    lambda x, mu, sigma: np.exp(-((x - mu) ** 2) / 2 / sigma**2) / np.sqrt(2 * np.pi * sigma**2),
    x=0.3,
    mu=0.1,
    sigma=1.3,
)
a(
    r"-\frac{1}{2}\log|2\pi\Sigma| - \frac{1}{2}(x-\mu)^\top\Sigma^{-1}(x-\mu)",
    lambda x, mu, Sigma: (
        -0.5 * np.log(np.linalg.det(2 * np.pi * Sigma))
        - 0.5 * (x - mu) @ np.linalg.inv(Sigma) @ (x - mu)
    ),
    x=w2,
    mu=b2,
    Sigma=A2,
)
a(r"\ln \sum_{k=1}^K \pi_k \mathcal{N}", None, pi=[0.2, 0.8])  # refuse
a(
    r"\log \sum_{k=1}^{K} \pi_k \frac{1}{\sqrt{2\pi \sigma_k^2}} e^{-(x-\mu_k)^2/(2\sigma_k^2)}",
    None,
    x=0.2,
    pi=[0.3, 0.7],
    mu=[0.0, 1.0],
    sigma=[1.0, 0.5],
)  # pi clash
a(
    r"\log \sum_{k=1}^{K} \alpha_k \exp\left(-\frac{(x-\mu_k)^2}{2 s_k^2}\right)",
    lambda x, alpha, mu, s: np.log(sum(alpha * np.exp(-((x - mu) ** 2) / 2 / s**2))),
    x=0.2,
    alpha=[0.3, 0.7],
    mu=[0.0, 1.0],
    s=[1.0, 0.5],
)
a(
    r"\sum_{n=1}^N \log \sum_{k=1}^{K} \alpha_k \exp\left(-\frac{(x_n-\mu_k)^2}{2 s_k^2}\right)",
    lambda x, alpha, mu, s: sum(
        np.log((alpha * np.exp(-((x[:, None] - mu) ** 2) / 2 / s**2)).sum(1))
    ),
    x=[0.2, -0.5, 1.0],
    alpha=[0.3, 0.7],
    mu=[0.0, 1.0],
    s=[1.0, 0.5],
)
a(
    r"-\frac{1}{2}\sum_{j=1}^J \left(1+\log \sigma_j^2 - \mu_j^2 - \sigma_j^2\right)",
    lambda mu, sigma: -0.5 * sum(1 + np.log(sigma**2) - mu**2 - sigma**2),
    mu=[0.1, -0.3],
    sigma=[0.5, 1.2],
)
a(r"\frac{1}{4}\sum_{i,j} (A_{ij} - A_{ji})^2", lambda A: 0.25 * np.sum((A - A.T) ** 2), A=A3)
a(
    r"\sum_{i<j} (x_i - x_j)^2",
    lambda x: sum((x[i] - x[j]) ** 2 for i in range(3) for j in range(i + 1, 3)),
    x=x3,
)
a(
    r"\sum_{1\le i<j\le n} |x_i-x_j|",
    lambda x: sum(abs(x[i] - x[j]) for i in range(3) for j in range(i + 1, 3)),
    x=x3,
)
a(
    r"\sum_{i=1}^n\sum_{j=i+1}^n x_i x_j",
    lambda x: sum(x[i] * x[j] for i in range(3) for j in range(i + 1, 3)),
    x=x3,
)
a(r"\prod_{i=1}^n x_i", lambda x: np.prod(x), x=x3)
a(r"\max_i x_i - \min_i x_i", lambda x: x.max() - x.min(), x=x3)
a(
    r"\max_{j\neq y} s_j - s_y",
    lambda s, y: max(s[0], s[1], s[3]) - s[2],
    s=[1.3, 2.6, 2.2, 2.5],
    y=3,
)  # condition on values in max -> maybe refuse
a(
    r"\sum_{j\neq 2} \max(0, s_j - s_2 + 1)",
    lambda s: sum(max(0, s[j] - s[1] + 1) for j in (0, 2, 3)),
    s=[1.3, 2.6, 2.2, 2.5],
)
a(r"$[1 - y f]_+$", lambda y, f: max(0, 1 - y * f), y=1, f=0.3)
a(r"$(1 - y f)_+^2$", lambda y, f: max(0, 1 - y * f) ** 2, y=1, f=0.3)
a(r"\|\max(0, W x + b)\|_1", lambda W, x, b: sum(relu(W @ x + b)), W=W23, x=x3, b=b2)
a(r"\mathbf{1}^\top \sigma(W x + b)", lambda W, x, b: sum(sg(W @ x + b)), W=W23, x=x3, b=b2)
a(
    r"w_2^\top \mathrm{ReLU}(W_1 x + b_1) + b_2",
    lambda W1, x, b1, w2, b2: w2 @ relu(W1 @ x + b1) + b2,
    W1=W23,
    x=x3,
    b1=b2,
    w2=[0.3, -0.8],
    b2=0.2,
)
a(
    r"W^{(2)} \sigma(W^{(1)} x + b^{(1)}) + b^{(2)}",
    lambda W1, x, b1, W2, b2: float((W2 @ sg(W1 @ x + b1) + b2)[0]),
    W1=W23,
    x=x3,
    b1=b2,
    W2=[[0.3, -0.8]],
    b2=[0.2],
)
a(
    r"\begin{align} z^{[1]} &= W^{[1]} x + b^{[1]} \\ a^{[1]} &= \tanh(z^{[1]}) \\ z^{[2]} &= W^{[2]} a^{[1]} + b^{[2]} \\ \mathcal{L} &= \frac{1}{2}\lVert z^{[2]} - y \rVert^2 \end{align}",
    lambda W1, b1, W2, b2, x, y: 0.5 * np.sum((W2 @ np.tanh(W1 @ x + b1) + b2 - y) ** 2),
    W1=W23,
    b1=b2,
    W2=A2,
    b2=b2,
    x=x3,
    y=w2,
)
a(
    r"\operatorname{softmax}\left(\frac{q K^\top}{\sqrt{d_k}}\right) v",
    lambda q, K, v, d_k: sm(q @ K.T / np.sqrt(d_k)) @ v,
    q=w2,
    K=X,
    v=y3,
    d_k=2,
)
a(
    r"\left\| \operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V \right\|_F^2",
    lambda Q, K, V, d: np.sum((sm(Q @ K.T / np.sqrt(d)) @ V) ** 2),
    Q=X,
    K=X,
    V=X,
    d=2,
)
a(
    r"\sum_i \sum_j \left[\mathrm{softmax}(QK^T/\sqrt{d})V\right]_{ij}",
    lambda Q, K, V, d: np.sum(sm(Q @ K.T / np.sqrt(d)) @ V),
    Q=X,
    K=X,
    V=X,
    d=2,
)
a(
    r"\begin{aligned} r &= \sigma(W_r x + U_r h) \\ z &= \sigma(W_z x + U_z h) \\ \tilde h &= \tanh(W x + U (r \odot h)) \\ h_{new} &= (1-z)\odot h + z \odot \tilde h \\ L &= \tfrac12 \|h_{new} - y\|^2\end{aligned}",
    lambda W_r, U_r, W_z, U_z, W, U, x, h, y: (
        lambda r, z: (lambda ht: 0.5 * np.sum(((1 - z) * h + z * ht - y) ** 2))(
            np.tanh(W @ x + U @ (r * h))
        )
    )(sg(W_r @ x + U_r @ h), sg(W_z @ x + U_z @ h)),
    W_r=A2,
    U_r=A2,
    W_z=A2,
    U_z=A2,
    W=A2,
    U=A2,
    x=w2,
    h=b2,
    y=[0.3, 0.2],
)
a(
    r"f_t = \sigma(W_f [h_{t-1}, x_t] + b_f) \\ L = \|f_t\|^2",
    lambda W_f, b_f, **k: np.sum(sg(W_f @ np.concatenate([k["h_{t-1}"], k["x_t"]]) + b_f) ** 2),
    W_f=[[0.1, 0.2, 0.3, 0.4], [0.5, -0.1, 0.2, 0.3]],
    b_f=b2,
    x_t=w2,
    **{"h_{t-1}": b2},
)
a(
    r"f_t = \sigma(W_f \cdot [h_{t-1}; x_t] + b_f) \\ L = \sum_i f_{t,i}",
    lambda **k: (
        1 / (1 + np.exp(-(k["W_f"] @ np.concatenate([k["h_{t-1}"], k["x_t"]]) + k["b_f"])))
    ).sum(),
    W_f=[[0.1, 0.2, 0.3, 0.4], [0.5, -0.1, 0.2, 0.3]],
    b_f=b2,
    x_t=w2,
    **{"h_{t-1}": b2},
)
a(
    r"\frac{x \cdot y}{\|x\| \|y\|}",
    lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y),
    x=x3,
    y=y3,
)
a(r"\cos\theta\sin\phi", lambda theta, phi: np.cos(theta) * np.sin(phi), theta=0.3, phi=0.7)
a(r"\sin(\theta)^2 + \cos^2\theta", lambda theta: 1.0, theta=0.3)
a(r"v_0 t + \frac12 a t^2", lambda v_0, t, a: v_0 * t + 0.5 * a * t**2, v_0=2.0, t=0.5, a=-9.8)
a(
    r"\frac{v_0^2 \sin 2\theta}{g}",
    lambda v_0, theta, g: v_0**2 * np.sin(2 * theta) / g,
    v_0=3.0,
    theta=0.4,
    g=9.8,
)
a(r"G \frac{m_1 m_2}{r^2}", lambda G, m1, m2, r: G * m1 * m2 / r**2, G=2.0, m1=3.0, m2=1.5, r=0.7)
a(r"2\pi\sqrt{\frac{L}{g}}", lambda L, g: 2 * np.pi * np.sqrt(L / g), L=2.0, g=9.8)
a(r"\sin 30^\circ + x", lambda x: 0.5 + x, x=1.0)
a(
    r"a\cos(\omega t + \varphi) e^{-\gamma t}",
    lambda a, omega, t, varphi, gamma: a * np.cos(omega * t + varphi) * np.exp(-gamma * t),
    a=2.0,
    omega=3.0,
    t=0.2,
    varphi=0.1,
    gamma=0.5,
)
a(r"x^{2/3} + x^{-1/2}", lambda x: x ** (2 / 3) + x**-0.5, x=1.7)
a(r"e^{-x^2/2}", lambda x: np.exp(-(x**2) / 2), x=0.4)
a(r"\log_2 x + \log_{10} x + \lg x", lambda x: np.log2(x) + 2 * np.log10(x), x=3.0)
a(r"\ln(1+e^x)", lambda x: np.log1p(np.exp(x)), x=0.3)
a(
    r"\arctan x + \arcsin\frac{x}{2} + \sinh x + \coth x + \sec x",
    lambda x: np.arctan(x) + np.arcsin(x / 2) + np.sinh(x) + 1 / np.tanh(x) + 1 / np.cos(x),
    x=0.4,
)
a(r"\tanh^{-1} x + \sinh^{-1} x", lambda x: np.arctanh(x) + np.arcsinh(x), x=0.4)
a(r"|x - 3|", lambda x: abs(x - 3), x=1.0)
a(r"\left|\frac{x}{y}\right|^3", lambda x, y: abs(x / y) ** 3, x=1.0, y=-2.0)
a(r"\lvert x \rvert + \lVert v \rVert_2", lambda x, v: abs(x) + np.linalg.norm(v), x=-1.0, v=x3)
a(r"\|x\|_3 + \|x\|_\infty", lambda x: np.sum(abs(x) ** 3) ** (1 / 3) + max(abs(x)), x=x3)
a(r"\|A\|_F", lambda A: np.linalg.norm(A), A=A3)
a(r"$$L = \frac{1}{2}(y - \hat{y})^2$$", lambda y, y_hat: 0.5 * (y - y_hat) ** 2, y=1.0, y_hat=0.3)
a(
    r"\begin{equation}\label{eq:1} L = (wx+b-y)^2 \tag{1}\end{equation}",
    lambda w, x, b, y: (w * x + b - y) ** 2,
    w=0.5,
    x=2.0,
    b=0.1,
    y=1.0,
)
a(
    r"\begin{gather*} z = w x + b \\ L = z^2 \end{gather*}",
    lambda w, x, b: (w * x + b) ** 2,
    w=0.5,
    x=2.0,
    b=0.1,
)
a(
    r"We minimise $L = (y - wx)^2$ where $w$ is the weight.",
    lambda y, w, x: (y - w * x) ** 2,
    w=0.5,
    x=2.0,
    y=0.1,
)
a(
    r"\underbrace{(y-wx)^2}_{\text{loss}} + \overbrace{\lambda w^2}^{\text{penalty}}",
    lambda y, w, x, **k: (y - w * x) ** 2 + 0.3 * w**2,
    w=0.5,
    x=2.0,
    y=0.1,
    **{"lambda": 0.3},
)
a(
    r"L = \underbrace{\tfrac12 (wx-t)^2}_{\mathcal{E}} + \lambda \mathcal{R}, \quad \mathcal{R} = \tfrac12 w^2",
    lambda t, w, x, **k: 0.5 * (w * x - t) ** 2 + 0.3 * 0.5 * w**2,
    w=0.5,
    x=2.0,
    t=0.1,
    **{"lambda": 0.3},
)
a(
    r"f(x) = \begin{cases} x^2 & x > 0 \\ 0 & \text{otherwise}\end{cases}",
    lambda x: x**2 if x > 0 else 0,
    x=1.5,
)
a(
    r"f(x) = \left\{ \begin{array}{ll} x^2 & \text{if } x \geq 1 \\ 2x - 1 & \text{if } x < 1 \end{array} \right.",
    lambda x: x**2 if x >= 1 else 2 * x - 1,
    x=0.5,
)
a(r"f(x)=\begin{cases} -1 & x<-1\\ x & -1 \le x \le 1 \\ 1 & x>1\end{cases}", lambda x: x, x=0.5)
a(
    r"\sum_{i=1}^n \mathbb{1}[y_i = 1] \log p_i",
    lambda y, p: sum((y == 1) * np.log(p)),
    y=[1, 0, 1],
    p=[0.2, 0.5, 0.9],
)
a(
    r"\sum_{i: y_i = 1} \log p_i",
    lambda y, p: sum((y == 1) * np.log(p)),
    y=[1, 0, 1],
    p=[0.2, 0.5, 0.9],
)
a(r"\frac{1}{|B|}\sum_{i} x_i", None, x=x3)
a(r"\sum_{i=1}^{3} \sum_{j=1}^{2} W_{ij}^2", lambda W: np.sum(W**2), W=X)
a(
    r"\sum_{i=1}^{n} \left( \sum_{j=1}^{m} W_{ij} x_j + b_i \right)^2",
    lambda W, x, b: np.sum((W @ x + b) ** 2),
    W=W23,
    x=x3,
    b=b2,
)
a(
    r"\hat{y} = \sum_{j=1}^{2} v_j \sigma\left(\sum_{i=1}^{3} W_{ji} x_i + b_j\right)",
    lambda v, W, x, b: v @ sg(W @ x + b),
    v=w2,
    W=W23,
    x=x3,
    b=b2,
)
a(r"y = \sum_{k=0}^{2} c_{k+1} x^k", lambda c, x: c[0] + c[1] * x + c[2] * x**2, c=x3, x=1.4)
a(r"\sum_{k=0}^{3} \frac{x^k}{k+1}", lambda x: sum(x**k / (k + 1) for k in range(4)), x=0.7)
a(
    r"\sum_{n=1}^{5} \frac{(-1)^{n+1}}{n} x^n",
    lambda x: sum((-1) ** (n + 1) / n * x**n for n in range(1, 6)),
    x=0.5,
)
a(
    r"\sum_{k=1}^{3} w_k x_{2k-1}",
    lambda w, x: sum(w[k] * x[2 * k] for k in range(3)),
    w=x3,
    x=[1.0, 2.0, 3.0, 4.0, 5.0],
)
a(r"w_1 x_1 + w_2 x_2", lambda w, x: w[0] * x[0] + w[1] * x[1], w=w2, x=b2)
a(
    r"\sum_{i=1}^{3} w_i x_i",
    lambda w1, w2, w3, x1, x2, x3: w1 * x1 + w2 * x2 + w3 * x3,
    w1=0.1,
    w2=0.2,
    w3=0.3,
    x1=1.0,
    x2=2.0,
    x3=3.0,
)
a(
    r"\sum_i w_i x_i + b",
    lambda w1, w2, x1, x2, b: w1 * x1 + w2 * x2 + b,
    w1=0.1,
    w2=0.2,
    x1=1.0,
    x2=2.0,
    b=0.5,
)
a(
    r"\mathbf{u}^\top\mathbf{v}+\boldsymbol{\theta}^\top\bm{\phi}",
    lambda u, v, theta, phi: u @ v + theta @ phi,
    u=x3,
    v=y3,
    theta=w2,
    phi=b2,
)
a(r"\operatorname{mean}((y-\hat y)^2)", lambda y, y_hat: np.mean((y - y_hat) ** 2), y=x3, y_hat=y3)
a(r"\frac{1}{N}\sum (y - \hat y)^2", None, y=x3, y_hat=y3)
a(r"\frac{1}{3}\sum (y - \hat y)^2", lambda y, y_hat: np.mean((y - y_hat) ** 2), y=x3, y_hat=y3)
a(
    r"\|X - U V^\top\|_F^2",
    lambda X, U, V: np.sum((X - U @ V.T) ** 2),
    X=X,
    U=[[1.0], [2.0], [0.5]],
    V=[[0.2], [0.1]],
)
a(
    r"\frac{1}{2}\|XW - Y\|_F^2 + \frac{\lambda}{2}\|W\|_F^2",
    lambda X, W, Y, **k: 0.5 * np.sum((X @ W - Y) ** 2) + 0.05 * np.sum(W**2),
    X=X,
    W=A2,
    Y=X,
    **{"lambda": 0.1},
)
a(
    r"\mathbf{1}^\top (XW + \mathbf{1} b^\top) \mathbf{1}",
    lambda X, W, b: np.sum(X @ W + b),
    X=X,
    W=A2,
    b=b2,
)
a(r"\sum_{i,j} (XW + b)_{ij}", lambda X, W, b: np.sum(X @ W + b), X=X, W=A2, b=b2)
a(
    r"x^\top (A + \lambda I)^{-1} x",
    lambda x, A, **k: x @ np.linalg.inv(A + 0.3 * np.eye(2)) @ x,
    x=w2,
    A=A2,
    **{"lambda": 0.3},
)
a(
    r"x^\top (\lambda I + A)^{-1} x",
    lambda x, A, **k: x @ np.linalg.inv(A + 0.3 * np.eye(2)) @ x,
    x=w2,
    A=A2,
    **{"lambda": 0.3},
)
a(r"\|(I - A)x\|^2", lambda x, A: np.sum((x - A @ x) ** 2), x=w2, A=A2)
a(r"x^\top \left(I - \tfrac{1}{n}\mathbf{1}\mathbf{1}^\top\right) x", None, x=x3)
a(
    r"x^\top \left(I - \tfrac{1}{3}\mathbf{1}\mathbf{1}^\top\right) x",
    lambda x: x @ x - sum(x) ** 2 / 3,
    x=x3,
)
a(
    r"\operatorname{tr}(A^2) + \operatorname{tr}(A^{-\top})",
    lambda A: np.trace(A @ A) + np.trace(np.linalg.inv(A)),
    A=A2,
)
a(r"a^\top X b", lambda a, X, b: a @ X @ b, a=x3, X=X, b=w2)
a(r"\sum_{i} a_i \left(x_i^\top b\right)", lambda a, x, b: a @ (x @ b), a=x3, x=X, b=w2)
a(r"\sum_{i=1}^n \|x_i - \mu\|^2", lambda x, mu: np.sum((x - mu) ** 2), x=X, mu=w2)
a(
    r"\sum_{i=1}^n \sum_{k=1}^K r_{ik} \|x_i - \mu_k\|^2",
    lambda r, x, mu: np.sum(r * np.sum((x[:, None] - mu[None]) ** 2, -1)),
    r=[[1, 0], [0, 1], [1, 0]],
    x=X,
    mu=A2,
)
a(r"\sum_{i=1}^n \|W x_i - z_i\|_2^2", lambda W, x, z: np.sum((x @ W.T - z) ** 2), W=A2, x=X, z=X)
a(r"\left\| \frac{1}{n} \sum_{i=1}^n x_i \right\|^2", lambda x: np.sum(x.mean(0) ** 2), x=X)
a(r"\left\| \sum_{i=1}^n a_i x_i \right\|^2", lambda a, x: np.sum((a @ x) ** 2), a=x3, x=X)
a(r"\operatorname{tr}\left(\sum_{i=1}^n x_i x_i^\top\right)", lambda x: np.sum(x**2), x=X)
a(r"x^2y + 3xy^2 - xyz", lambda x, y, z: x * x * y + 3 * x * y * y - x * y * z, x=1.2, y=0.5, z=2.0)
a(r"(x+y)(x-y)/2", lambda x, y: (x + y) * (x - y) / 2, x=1.2, y=0.5)
a(r"x y^{-1}", lambda x, y: x / y, x=1.2, y=0.5)
a(r"\sqrt{x^2 + y^2}", lambda x, y: np.hypot(x, y), x=1.2, y=0.5)
a(r"\frac{\partial}{\partial x} x", None, x=1.0)
a(r"f(x') = x'^2 + x", lambda x_prime, x: x_prime**2 + x, x_prime=0.4, x=0.3)
a(r"\|w - w^*\|^2", lambda w, w_star: np.sum((w - w_star) ** 2), w=w2, w_star=b2)
a(r"\mathbf{w}_{\text{out}}^\top \mathbf{h}", lambda w_out, h: w_out @ h, w_out=w2, h=b2)
a(
    r"y \ln \frac{1}{1-p} - \ln(1-p)",
    lambda y, p: y * np.log(1 / (1 - p)) - np.log(1 - p),
    y=1.0,
    p=0.3,
)
a(
    r"\alpha \beta \gamma + \varepsilon",
    lambda alpha, beta, gamma, epsilon: alpha * beta * gamma + epsilon,
    alpha=1.1,
    beta=2.0,
    gamma=0.4,
    epsilon=0.01,
)
a("λ‖w‖² + ½", None, w=w2)
a(r"\sigma(w·x + b)²", lambda w, x, b: sg(w @ x + b) ** 2, w=w2, x=b2, b=0.1)
a(r"\sum_{i=1}^{n} α_i x_i²", lambda alpha, x: sum(alpha * x**2), alpha=x3, x=y3)
a(
    r"L_{CE} = -\sum_{c=1}^{C} y_{c} \log(\hat{y}_{c})",
    lambda y, y_hat: -sum(y * np.log(y_hat)),
    y=[0, 1, 0],
    y_hat=[0.2, 0.5, 0.3],
)
a(
    r"-\frac1N\sum_{n=1}^N\sum_{k=1}^K t_{nk}\ln y_{nk}",
    lambda t, y: -np.sum(t * np.log(y)) / 2,
    t=[[0, 1], [1, 0]],
    y=[[0.3, 0.7], [0.6, 0.4]],
)
a(
    r"-\frac{1}{N}\sum_{i=1}^N \log \frac{e^{f_{i,y_i}}}{\sum_j e^{f_{i,j}}}",
    lambda f, y: -np.mean(np.log(sm(f)[[0, 1, 2], (np.array(y) - 1).astype(int)])),
    f=X,
    y=[2, 1, 2],
)
a(
    r"\mathcal{L}_{\text{PPO}} = \min(\rho A, \mathrm{clip}(\rho, 1-\epsilon, 1+\epsilon) A)",
    lambda rho, A, epsilon: min(rho * A, np.clip(rho, 1 - epsilon, 1 + epsilon) * A),
    rho=1.4,
    A=0.7,
    epsilon=0.2,
)
a(
    r"\left(r + \gamma \max_{a} Q_a - q\right)^2",
    lambda r, gamma, Q, q: (r + gamma * max(Q) - q) ** 2,
    r=1.0,
    gamma=0.9,
    Q=x3,
    q=0.4,
)
a(
    r"(1-\alpha) \log x + \alpha \log y",
    lambda alpha, x, y: (1 - alpha) * np.log(x) + alpha * np.log(y),
    alpha=0.3,
    x=2.0,
    y=3.0,
)
a(
    r"-\alpha (1-p)^\gamma \log(p)",
    lambda alpha, p, gamma: -alpha * (1 - p) ** gamma * np.log(p),
    alpha=0.25,
    p=0.6,
    gamma=2.0,
)
a(
    r"\max(0, \|a-p\|_2^2 - \|a-n\|_2^2 + \alpha)",
    lambda a, p, n, alpha: max(0, np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + alpha),
    a=w2,
    p=b2,
    n=[0.6, 0.1],
    alpha=0.8,
)
a(
    r"\log\sigma(u_o^\top v_c) + \sum_{k=1}^K \log \sigma(-u_k^\top v_c)",
    None,
    u_o=w2,
    v_c=b2,
    u_k=X,
)
a(
    r"-\log\sigma(u_o^\top v_c) - \sum_{k=1}^K \log \sigma(-U_k^\top v_c)",
    lambda u_o, v_c, U: -np.log(sg(u_o @ v_c)) - sum(np.log(sg(-U @ v_c))),
    u_o=w2,
    v_c=b2,
    U=X,
)
a(
    r"-u_o^\top v_c + \log \sum_{w=1}^{V} \exp(u_w^\top v_c)",
    lambda u, v_c, o: -u[1] @ v_c + np.log(sum(np.exp(u @ v_c))),
    u=X,
    v_c=b2,
    o=2,
)
a(
    r"\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \gamma + \beta",
    lambda x, mu, sigma, epsilon, gamma, beta: (
        (x - mu) / np.sqrt(sigma**2 + epsilon) * gamma + beta
    ),
    x=1.0,
    mu=0.2,
    sigma=0.5,
    epsilon=0.01,
    gamma=1.2,
    beta=0.1,
)
a(
    r"\mu = \frac{1}{m}\sum_{i=1}^m x_i, \qquad \sigma^2 = \frac1m\sum_{i=1}^m (x_i-\mu)^2",
    None,
    x=x3,
)
a(
    r"\begin{aligned}\mu &= \frac{1}{m}\sum_{i=1}^m x_i \\ v &= \frac1m\sum_{i=1}^m (x_i-\mu)^2 \\ L &= \frac{x_1 - \mu}{\sqrt{v + \epsilon}}\end{aligned}",
    lambda x, epsilon: (x[0] - x.mean()) / np.sqrt(x.var() + epsilon),
    x=x3,
    epsilon=0.1,
)
a(
    r"\begin{aligned}\mu &= \frac{1}{m}\sum_{i=1}^m x_i \\ \hat{x}_i &= \frac{x_i - \mu}{s} \\ L &= \sum_{i=1}^m \hat{x}_i^3\end{aligned}",
    lambda x, s: sum(((x - x.mean()) / s) ** 3),
    x=x3,
    s=0.7,
)
a(
    r"a_i = \frac{e^{s_i}}{\sum_j e^{s_j}}, \quad c = \sum_i a_i h_i, \quad L = \|c\|^2",
    lambda s, h: np.sum((sm(s) @ h) ** 2),
    s=x3,
    h=X,
)
a(
    r"s_{ij} = q_i^\top k_j, \quad L = \sum_{i,j} s_{ij}^2",
    lambda q, k: np.sum((q @ k.T) ** 2),
    q=X,
    k=X,
)
a(r"\operatorname{vec}(A)^\top \operatorname{vec}(B)", lambda A, B: np.sum(A * B), A=A2, B=A2)
a(r"\operatorname{diag}(x)", None, x=x3)
a(r"y^\top \operatorname{diag}(x) y", lambda x, y: sum(x * y * y), x=x3, y=y3)
a(r"\|x \odot y\|_2^2", lambda x, y: np.sum((x * y) ** 2), x=x3, y=y3)
a(r"\|x \circ y\|_2^2", lambda x, y: np.sum((x * y) ** 2), x=x3, y=y3)
a(r"\|x \otimes y\|_F^2", lambda x, y: np.sum(np.outer(x, y) ** 2), x=x3, y=w2)
a(
    r"\begin{pmatrix} a & b \end{pmatrix} \begin{pmatrix} c \\ d \end{pmatrix}",
    lambda a, b, c, d: a * c + b * d,
    a=1.0,
    b=2.0,
    c=3.0,
    d=4.0,
)
a(
    r"\det\begin{bmatrix} a & b \\ c & d \end{bmatrix}",
    lambda a, b, c, d: a * d - b * c,
    a=1.0,
    b=2.0,
    c=3.0,
    d=5.0,
)
a(
    r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}",
    lambda a, b, c, d: a * d - b * c,
    a=1.0,
    b=2.0,
    c=3.0,
    d=5.0,
)
a(
    r"\left\| \begin{pmatrix}\cos\theta & -\sin\theta\\ \sin\theta & \cos\theta\end{pmatrix} x - y\right\|^2",
    lambda theta, x, y: (lambda R: np.sum((R @ x - y) ** 2))(
        np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    ),
    theta=0.4,
    x=w2,
    y=b2,
)
a(
    r"\sum_{i=1}^{n} x_i^2 - \left( \sum_{i=1}^{n} x_i \right)^2 / n",
    lambda x: sum(x**2) - sum(x) ** 2 / 3,
    x=x3,
)
a(r"\frac{\sum_{i} x_i y_i}{\sum_i x_i^2}", lambda x, y: x @ y / (x @ x), x=x3, y=y3)
a(
    r"\bar{x} = \frac1n \sum_{i=1}^n x_i \\ s^2 = \frac{1}{n-1}\sum_{i=1}^n (x_i - \bar x)^2",
    None,
    x=x3,
)
a(
    r"V = \frac{1}{n-1}\sum_{i=1}^n (x_i - \bar x)^2, \quad \bar{x} = \frac1n \sum_{i=1}^n x_i",
    lambda x: np.var(x, ddof=1),
    x=x3,
)
a(r"R_1 \parallel R_2", None, R1=1.0, R2=2.0)
a(r"\frac{1}{\frac{1}{R_1}+\frac{1}{R_2}}", lambda R1, R2: 1 / (1 / R1 + 1 / R2), R1=1.0, R2=2.0)
a(r"2x^3-5x+1", lambda x: 2 * x**3 - 5 * x + 1, x=1.3)
a(r"x^x", lambda x: x**x, x=1.3)
a(r"x^{y^z}", lambda x, y, z: x ** (y**z), x=1.3, y=2.0, z=0.5)
a(r"{\left(x+1\right)}^{2}", lambda x: (x + 1) ** 2, x=1.3)
a(r"\exp(x)^2", lambda x: np.exp(x) ** 2, x=0.3)
a(r"\nicefrac{1}{2}\,x^{2}", lambda x: x * x / 2, x=0.3)
a(r"10^{-3} x + 1.5\times 10^{2}", lambda x: 1e-3 * x + 150, x=2.0)
a(r"x\,y\;z\!\cdot\! 2", lambda x, y, z: x * y * z * 2, x=2.0, y=3.0, z=0.5)
a(
    r"\theta_0 + \theta_1 x",
    lambda theta_0, theta_1, x: theta_0 + theta_1 * x,
    theta_0=0.1,
    theta_1=0.2,
    x=3.0,
)
a(
    r"\text{loss} = (\text{pred} - \text{target})^2",
    lambda pred, target: (pred - target) ** 2,
    pred=0.3,
    target=1.0,
)
a(
    r"\mathrm{loss} = (\mathrm{pred} - y)^2, \quad \mathrm{pred} = w x",
    lambda w, x, y: (w * x - y) ** 2,
    w=0.3,
    x=2.0,
    y=1.0,
)
a(r"E = mc^2", lambda m, c: m * c * c, m=2.0, c=3.0)
a(r"f = g(h(x)), \quad g(u) = u^2, \quad h(x) = \sin x", lambda x: np.sin(x) ** 2, x=0.4)
a(r"f(x) + f(y) \\ f(t) = t^2 + 1", lambda x, y: x * x + y * y + 2, x=0.4, y=0.7)
a(
    r"\phi(w_1 x_1 + w_2 x_2) \quad \text{where} \quad \phi(z) = \frac{1}{1+e^{-z}}",
    lambda w1, w2, x1, x2: sg(w1 * x1 + w2 * x2),
    w1=0.1,
    w2=0.2,
    x1=1.0,
    x2=2.0,
)
a(r"\min(x, y) + \max(x, y, z)", lambda x, y, z: min(x, y) + max(x, y, z), x=1.0, y=2.0, z=3.0)
a(r"\operatorname{LeakyReLU}(x)", lambda x: 0.01 * x, x=-2.0)
a(
    r"\operatorname{GELU}(x) + \operatorname{Swish}(x) + \operatorname{SiLU}(x)+\operatorname{softplus}(x)",
    lambda x: x * 0.5 * (1 + math.erf(x / 2**0.5)) + 2 * x * sg(x) + np.log1p(np.exp(x)),
    x=0.7,
)
a(r"\operatorname{erf}(x)", lambda x: math.erf(x), x=0.7)
a(r"\sum_{i=1}^{n-1} (x_{i+1} - x_i)^2", lambda x: np.sum(np.diff(x) ** 2), x=x3)
a(
    r"\sum_{i=2}^{n-1} (x_{i+1} - 2x_i + x_{i-1})^2",
    lambda x: sum((x[i + 1] - 2 * x[i] + x[i - 1]) ** 2 for i in range(1, 3)),
    x=[1.0, 2.0, 0.5, 3.0],
)
a(
    r"y_{ij} = \sum_{a=1}^{2}\sum_{b=1}^{2} K_{ab} X_{i+a-1,j+b-1} \\ L = \sum_{i=1}^{2}\sum_{j=1}^2 y_{ij}^2",
    lambda K, X: sum(
        sum(K[a, b] * X[i + a, j + b] for a in range(2) for b in range(2)) ** 2
        for i in range(2)
        for j in range(2)
    ),
    K=A2,
    X=A3,
)
a(r"\sum_{i=1}^n \sum_{j=1}^n a_{ij} x_i x_j", lambda a, x: x @ a @ x, a=A3, x=x3)
a(
    r"\sum_{i}\sum_{j}\sum_{k} A_{ij}B_{jk}C_{ki}",
    lambda A, B, C: np.trace(A @ B @ C),
    A=A3,
    B=A3,
    C=A3,
)
a(r"\sum_i A_{ii}", lambda A: np.trace(A), A=A3)
a(r"A_{12} + A_{2,3}^2", lambda A: A[0, 1] + A[1, 2] ** 2, A=A3)
a(r"\sum_j A_{2j} x_j", lambda A, x: A[1] @ x, A=A3, x=x3)
a(r"\|A_{:,1}\|_2 + \|A_{2,:}\|_2", lambda A: np.linalg.norm(A[:, 0]) + np.linalg.norm(A[1]), A=A3)
a(r"\mathbb{1}_{x > 0}\, x^2", lambda x: x * x, x=2.0)
a(r"\mathbf{1}\{x>0\}x", lambda x: x, x=2.0)
a(r"I(x > 0) x", lambda x: x, x=2.0)
a(r"\delta_{ij}", None, x=1.0)
a(r"\sum_{i,j} \delta_{ij} A_{ij}", lambda A: np.trace(A), A=A3)
a(r"\sum_{i} |x_i|^p", lambda x, p: sum(abs(x) ** p), x=x3, p=1.5)
a(r"\left(\sum_{i} |x_i|^p\right)^{1/p}", lambda x, p: sum(abs(x) ** p) ** (1 / p), x=x3, p=1.5)
a(
    r"\sum_i p_i \log p_i - \sum_i p_i \log q_i",
    lambda p, q: sum(p * np.log(p)) - sum(p * np.log(q)),
    p=[0.2, 0.5, 0.3],
    q=[0.3, 0.3, 0.4],
)
a(
    r"\sum_{i=1}^n \log(1 + \exp(-y_i w^\top x_i))",
    lambda y, w, x: sum(np.log1p(np.exp(-y * (x @ w)))),
    y=[1, -1, 1],
    w=w2,
    x=X,
)
a(r"\frac{1}{n} \mathbf{1}^\top \log(1+\exp(-y \odot Xw))", None, y=[1, -1, 1], w=w2, X=X)
a(
    r"\mathbf{1}^\top \log(1+\exp(-y \odot (Xw)))",
    lambda y, w, X: sum(np.log1p(np.exp(-y * (X @ w)))),
    y=[1, -1, 1],
    w=w2,
    X=X,
)
a(r"S = -k_B \sum_i p_i \ln p_i", lambda k_B, p: -k_B * sum(p * np.log(p)), k_B=1.38, p=[0.2, 0.8])
a(
    r"P(1 + \frac{r}{n})^{nt}",
    lambda P, r, n, t: P * (1 + r / n) ** (n * t),
    P=100.0,
    r=0.05,
    n=12.0,
    t=2.0,
)
a(
    r"\left(P + \frac{a n^2}{V^2}\right)(V - nb)",
    lambda P, a, n, V, b: (P + a * n * n / V / V) * (V - n * b),
    P=1.0,
    a=0.2,
    n=1.5,
    V=2.0,
    b=0.1,
)
a(r"\oint x", None, x=1.0)
a(r"\sec x + \csc x - \cot x", lambda x: 1 / np.cos(x) + 1 / np.sin(x) - 1 / np.tan(x), x=0.7)
a(
    r"\operatorname{sech}(x) + \operatorname{csch}(x) \cdot \operatorname{coth}(x)",
    lambda x: 1 / np.cosh(x) + 1 / np.sinh(x) / np.tanh(x),
    x=0.7,
)
a(r"\operatorname{arctanh}(x) - \operatorname{arcsinh}(x)", lambda x: np.arctanh(x) - np.arcsinh(x), x=0.7)  # fmt: skip
a(r"\sinh^{-1}(x) + \cosh^{-1}(x)", lambda x: np.arcsinh(x) + np.arccosh(x), x=1.7)
a(r"\lg x + \operatorname{log2}(x)", lambda x: np.log10(x) + np.log2(x), x=1.7)
a(r"\operatorname{logit}(x)", lambda x: np.log(x / (1 - x)), x=0.7)
a(r"\operatorname{rmse}(x, y)", lambda x, y: np.sqrt(np.mean((x - y) ** 2)), x=x3, y=y3)
a(
    r"\sum_{i=1}^3 \operatorname{ReLU6}(x_i) y_i",
    lambda x, y: np.sum(np.clip(x, 0, 6) * y),
    x=[7.0, 3.0, -1.0],
    y=y3,
)
a(r"\operatorname{rmse}(x)", None, x=x3)
a(r"\sec(x, y)", None, x=0.7, y=0.2)
a(
    r"\mathbf{1}[x \in [0, 1]]\, x^2 + \mathbf{1}[y \notin [0, 1)]\, y",
    lambda x, y: (0 <= x <= 1) * x**2 + (not 0 <= y < 1) * y,
    x=0.5,
    y=2.0,
)
a(r"\mathbf{1}[x \in \{1, 2\}]\, y", lambda x, y: (x in (1, 2)) * y, x=2.0, y=3.0)
a(r"\mathbf{1}[x > 0 \lor y > 0]\, x y", lambda x, y: (x > 0 or y > 0) * x * y, x=0.5, y=-2.0)
a(r"\mathbf{1}[\lnot (x > 0)]\, y", lambda x, y: (not x > 0) * y, x=-0.5, y=2.0)
a(
    r"\left\| \begin{bmatrix} x \\ y \end{bmatrix} \right\|^2",
    lambda x, y: np.sum(np.concatenate([x, y]) ** 2),
    x=x3,
    y=w2,
)
a(
    r"\operatorname{tr}\left(\begin{bmatrix} A & b \\ b^\top & c \end{bmatrix}\right)",
    lambda A, b, c: np.trace(A) + c,
    A=A2,
    b=w2,
    c=3.0,
)
a(
    r"\mathbf 1^\top \begin{bmatrix} A & b \end{bmatrix} \mathbf 1",
    lambda A, b: np.sum(A) + np.sum(b),
    A=A2,
    b=w2,
)
a(r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}", lambda a, b, c, d: a * d - b * c, a=1.0, b=2.0, c=3.0, d=5.0)  # fmt: skip
a(r"\log_2 x + \log_{10} x", lambda x: np.log2(x) + np.log10(x), x=8.0)
a(r"\operatorname{softmax}_2(z)", lambda z: sm(z)[1], z=x3)
a(
    r"\operatorname{LeakyReLU}_{0.2}(x) + \operatorname{ELU}_{0.5}(x)",
    lambda x: 0.2 * x + 0.5 * np.expm1(x),
    x=-1.0,
)
a(r"\sum_{1 \le i < j \le 3} x_i x_j", lambda x: (np.sum(x) ** 2 - np.sum(x**2)) / 2, x=x3)
a(r"\prod_{i \le 2} x_i", lambda x: x[0] * x[1], x=x3)
a(r"\operatorname{tr}(A^{-\top} A^\top)", lambda A: 2.0, A=A2)
a(r"\|x\|_1 + \|x\|_\infty", lambda x: np.sum(np.abs(x)) + np.max(np.abs(x)), x=x3)
