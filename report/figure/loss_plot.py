"""The value of the function over the steps of a descent, as a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from report import number_format
from report.derivation.latex.symbols import VALUE
from report.figure.charts import chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 80.0, 34.0  # millimetres
DOTS = 30  # steps up to which each is a dot
NEAR_ZERO = 0.5  # of the largest value: the axis begins at 0 where the smallest is no larger


def loss_plot(values: Sequence[float], letter: str) -> tuple[str, str]:
    """SVG of the values over the steps, and what it shows in words."""
    svg = chart(WIDTH, HEIGHT, 8.0, lambda figure: _draw(figure, values, letter))
    words = (
        f"The value of {letter} over {len(values) - 1} steps: from {number_format.show(values[0])} "
        f"to {number_format.show(values[-1])}"
    )
    return svg, words


def _draw(figure: Figure, values: Sequence[float], letter: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_axes((0.16, 0.27, 0.82, 0.68))
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    mark = "o" if len(values) <= DOTS + 1 else ""
    axes.plot(
        range(len(values)),
        values,
        color=VALUE,
        clip_on=False,
        linewidth=1.0,
        marker=mark,
        markersize=2.5,
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    if 0 <= min(values) <= NEAR_ZERO * max(values):
        axes.set_ylim(bottom=0)
    axes.set_xlabel("step", labelpad=1.5)
    axes.set_ylabel(letter, rotation=0, labelpad=6, style="italic")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
