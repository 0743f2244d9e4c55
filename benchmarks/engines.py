"""One engine on one graph of scalar gates: `python engines.py ENGINE GATES`, alone, with any Python.

Prints JSON: the gates, the result, its derivative by the weight, and the microseconds a gate of each of
five runs: `forward` and `backward`, and `read` for report, which reads its graph from text. A quarter
of the gates are products with a weight, a quarter sums, a quarter relus and a quarter products of two
gates; all values stay below 1. torch runs on one thread, with float64 scalars.
"""

import json
import sys
import threading
import time

X, W, B = 0.3, 0.7, 0.25


def chain(x, w, b, count, relu):
    """The graph, in the operators of any engine."""
    z = before = x
    for _ in range(count // 4):
        t = z * w
        u = t + b
        v = relu(u)
        z, before = v * before, v
    return z


def text(count):
    """The same as a formula of report."""
    lines = ["r0 = x", "z0 = x"]
    for k in range(1, count // 4 + 1):
        before = "x" if k == 1 else f"v{k - 1}"
        lines += [f"t{k} = {'x' if k == 1 else f'z{k - 1}'} * w", f"u{k} = t{k} + b"]
        lines += [f"v{k} = relu(u{k})", f"z{k} = v{k} * {before}"]
    return "\n".join([*lines[2:-1], lines[-1].partition(" = ")[2]])


def report(count):
    from report.autodiff.backprop import backward, forward
    from report.autodiff.inputs import read_inputs
    from report.autodiff.parser.parser import parse

    formula, values = text(count), read_inputs({"x": X, "w": W, "b": B})
    start = time.perf_counter()
    graph = parse(formula, values)
    middle = time.perf_counter()
    numbers = forward(graph, values)
    end = time.perf_counter()
    gradients, _ = backward(graph, numbers)
    done = time.perf_counter()
    slope = gradients[graph.inputs["w"]]
    times = {"read": middle - start, "forward": end - middle, "backward": done - end}
    return float(numbers[graph.result]), float(slope), times


def micrograd(count):
    from micrograd.engine import Value

    x, w, b = Value(X), Value(W), Value(B)
    start = time.perf_counter()
    result = chain(x, w, b, count, Value.relu)
    middle = time.perf_counter()
    result.backward()
    done = time.perf_counter()
    return result.data, w.grad, {"forward": middle - start, "backward": done - middle}


def torch(count):
    import torch

    torch.set_num_threads(1)
    x, w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (X, W, B))
    start = time.perf_counter()
    result = chain(x, w, b, count, torch.relu)
    middle = time.perf_counter()
    result.backward()
    done = time.perf_counter()
    return result.item(), w.grad.item(), {"forward": middle - start, "backward": done - middle}


def tensors(_):
    """512 x 512 gates: report's forward and backward beside the bare NumPy calls, in seconds."""
    import numpy as np

    from report.autodiff.backprop import backward, forward
    from report.autodiff.parser.parser import parse

    draw = np.random.default_rng(1)
    values = {name: draw.normal(size=(512, 512)) / 20 for name in ("A", "B", "C")}
    graph = parse("h = tanh(A @ B)\ny = h @ C\nsum(y * y)", values)
    a, b, c = values.values()
    seen = []
    for _ in range(7):
        start = time.perf_counter()
        numbers = forward(graph, values)
        gradients, _ = backward(graph, numbers)
        middle = time.perf_counter()
        h = np.tanh(a @ b)
        y = h @ c
        f = (y * y).sum()
        d = np.ones_like(y) * y
        dy = d + d
        dh, dc = dy @ c.T, h.T @ dy
        dz = dh * (1 - h * h)
        da, db = dz @ b.T, a.T @ dz
        seen.append((middle - start, time.perf_counter() - middle))
    assert np.allclose(numbers[graph.result], f)
    for name, slope in (("A", da), ("B", db), ("C", dc)):
        assert np.allclose(gradients[graph.inputs[name]], slope)
    ours, bare = (sorted(times)[3] for times in zip(*seen, strict=True))
    return float(f), 0.0, {"report": ours, "numpy": bare}


def main():
    name, count = sys.argv[1], int(sys.argv[2])
    engine = {"report": report, "micrograd": micrograd, "torch": torch, "tensors": tensors}[name]
    if name == "tensors":
        value, slope, times = engine(count)
        print(json.dumps({"value": value, "seconds": times}))
        return
    engine(400)
    runs = []
    for _ in range(5):
        value, slope, times = engine(count)
        runs.append({key: seconds / count * 1e6 for key, seconds in times.items()})
    print(json.dumps({"gates": count, "value": value, "slope": slope, "microseconds": runs}))


if __name__ == "__main__":  # micrograd sorts its graph by recursion
    sys.setrecursionlimit(10_000_000)
    threading.stack_size(1 << 30)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
