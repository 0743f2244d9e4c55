"""The steps of gradient descent on a page: the rule, a table, the loss as a picture, the program."""

from __future__ import annotations

import base64
from typing import Any

from report import number_format
from report.autodiff.descent import METHODS, Descent
from report.autodiff.trace import Trace
from report.derivation.descent import first_steps, rule
from report.derivation.latex.symbols import entry_symbol, symbol
from report.derivation.quantity_names import Notation
from report.document.answer import ProgramRun
from report.document.formulas import Setter, safe
from report.document.listings import highlighted
from report.figure.loss_plot import HEIGHT, WIDTH, loss_plot
from report.program.loop import columns

FIRST, LAST = 12, 4  # rows that are shown of many
MAX_COLUMNS = 8  # of the table


def descent_view(setter: Setter, trace: Trace, descent: Descent) -> dict[str, Any]:
    """What the page shows of the steps that needs no output of the program."""
    f = Notation(trace).f
    told = columns(descent)[: MAX_COLUMNS - 2]
    shapes = {name: trace.graph.inputs[name].shape for name in descent.names}
    heads = [f, rf"\left\|\nabla {f}\right\|"]
    heads += [
        entry_symbol(name, place, shapes[name])
        if place is not None
        else rf"\left\|{symbol(name, shapes[name])}\right\|"
        for name, place, _ in told
    ]
    steps = range(len(descent.values))
    shown = [*steps] if len(steps) <= FIRST + LAST else [*steps[:FIRST], *steps[-LAST:]]
    lengths = [descent.length(step) for step in shown]
    numbers = [[descent.values[s] for s in shown], lengths]
    numbers += [[column[s] for s in shown] for _, _, column in told]
    cells = list(zip(*map(number_format.column, numbers), strict=True))
    svg, words = loss_plot(descent.values, trace.letter)
    first = [setter.display(step.latex) for step in first_steps(trace, descent)]
    told_by_first = bool(first) and descent.plan.method == "sgd"
    return {
        "method": METHODS[descent.plan.method].capitalize(),
        "rule": [] if told_by_first else [setter.display(line) for line in rule(descent.plan, f)],
        "first": first,
        "heads": [setter.tex(head) for head in heads],
        "rows": list(zip(shown, cells, strict=True)),
        "left_out": len(steps) - len(shown),
        "after": FIRST - 1,
        "plot": {
            "svg": safe(svg[svg.index("<svg") :]) if setter.browser else "",
            "src": "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode(),
            "alt": words,
            "width": WIDTH,
            "height": HEIGHT,
        },
    }


def loop_view(setter: Setter, run: ProgramRun, confirmed: int) -> dict[str, Any]:
    """The program of the steps and what it prints."""
    return {
        "name": run.program.name,
        "source": setter.listing(highlighted(run.program.source.rstrip("\n")), numbered=True),
        "output": setter.terminal(run.output.command, run.output.text),
        "confirmed": confirmed,
    }
