"""Which gates a class gets wrong, as a picture: one bar for each value and each gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from report.derivation.latex.symbols import GRADIENT, VALUE
from report.figure.charts import chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 60  # bars; of more, those that most students have wrong
WIDTH = 150.0  # millimetres
ROW = 5.2
AROUND = 14.0  # the scale under the bars and the legend above
LABELS = 0.17  # of the width
GREY = "#dddddd"
VALUE_TINT, GRADIENT_TINT = "#a8cfe5", "#f0c3a2"


def plot(tally: Mapping[str, Mapping[str, int]]) -> tuple[str, float]:
    """SVG of the share of answers that are wrong, follow from an earlier error, or are missing.

    `tally` maps a column's name (q1.q3, q1.d.w1) to the number of answers with each verdict. The picture
    is 150 mm wide; its height in millimetres is the second of the two.
    """
    shown = worst(tally)
    height = AROUND + ROW * max(len(shown), 1)

    def draw(figure: Figure) -> None:
        figure.patch.set_alpha(0.0)
        _bars(figure.add_axes((LABELS, 7.5 / height, 0.96 - LABELS, 1 - AROUND / height)), shown)

    return chart(WIDTH, height, 9.0, draw), height


def worst(tally: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """All in their order, or the worst of very many."""
    if len(tally) <= MOST:
        return dict(tally)
    chosen = set(sorted(tally, key=lambda name: -tally[name]["wrong"])[:MOST])
    return {name: counts for name, counts in tally.items() if name in chosen}


def label(name: str) -> str:
    """A column's name as a reader says it: q1: q3, q1: ∂f/∂w1."""
    question, _, rest = name.partition(".")
    return f"{question}: {rest.replace('d.', '∂f/∂', 1) if rest.startswith('d.') else rest}"


def _bars(axes: Any, shown: Mapping[str, Mapping[str, int]]) -> None:
    for y, (name, counts) in enumerate(shown.items()):
        total = max(sum(counts.values()), 1)
        full, tint = (GRADIENT, GRADIENT_TINT) if ".d." in name else (VALUE, VALUE_TINT)
        left = 0.0
        for count, colour in (
            (counts["wrong"], full),
            (counts["follows"], tint),
            (counts["missing"] + counts["unreadable"], GREY),
        ):
            if count:
                axes.barh(y, count / total, left=left, height=0.7, color=colour)
                left += count / total
    axes.set_yticks(range(len(shown)), [label(name) for name in shown])
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)  # the first gate on top
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    _legend(axes)


def _legend(axes: Any) -> None:
    from matplotlib.patches import Patch

    said = {
        "value wrong": VALUE,
        "follows from before": VALUE_TINT,
        "gradient wrong": GRADIENT,
        "follows from above": GRADIENT_TINT,
        "missing": GREY,
    }
    axes.legend(
        handles=[Patch(facecolor=colour, label=text) for text, colour in said.items()],
        loc="lower left",
        bbox_to_anchor=(-LABELS, 1.0),
        borderaxespad=0.2,
        ncols=len(said),
        frameon=False,
        fontsize=8.5,
        handlelength=1.0,
        columnspacing=1.2,
    )
