"""The losses of gradient descent as a small chart that is drawn while somebody clicks.

`report.figure.loss_plot` draws the chart of the document by matplotlib, which takes a few hundredths of a
second and the server's one thread; this one takes less than a thousandth, and the page's colours are its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from report import number_format

WIDTH, HEIGHT, LEFT, ABOVE, BELOW = 300.0, 120.0, 62.0, 10.0, 18.0


def losses(values: Sequence[float]) -> Markup:
    """A line through the losses, with the highest, the lowest and the number of steps; empty for fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    floor, steps = HEIGHT - BELOW, len(values) - 1
    points = [
        (LEFT + (WIDTH - LEFT - 8) * i / steps, floor - (floor - ABOVE) * (v - low) / span)
        for i, v in enumerate(values)
    ]
    x, y = points[-1]
    shown = [number_format.show(v) for v in (high, low, values[0], values[-1])]
    said = (
        f"The function’s value in {steps} steps of gradient descent: from {shown[2]} to {shown[3]}"
    )
    texts = [(LEFT - 6, ABOVE + 4, shown[0], "end")]
    texts += [(LEFT - 6, floor + 2, shown[1], "end")] if low < high else []
    texts += [(LEFT, HEIGHT - 4, "0", "middle"), (x, HEIGHT - 4, str(steps), "middle")]
    return Markup(
        '<svg class="losses" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path d="M{} {}V{}H{}"/><polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="3"/>{}</svg>'
        "<p>{}</p>"
    ).format(
        int(WIDTH),
        int(HEIGHT),
        said,
        LEFT,
        ABOVE - 6,
        floor + 4,
        WIDTH,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        x,
        y,
        Markup("").join(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
                tx, ty, anchor, text
            )
            for tx, ty, text, anchor in texts
        ),
        said,
    )
