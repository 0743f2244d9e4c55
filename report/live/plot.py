"""The loss of gradient descent as a small picture."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from report import number_format

WIDTH, HEIGHT, LEFT, BELOW = 300.0, 110.0, 8.0, 8.0


def losses(values: Sequence[float]) -> Markup:
    """A line through the losses, from the first to the last; empty where there are fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    points = [
        (
            LEFT + (WIDTH - 2 * LEFT) * i / (len(values) - 1),
            HEIGHT - BELOW - (HEIGHT - 2 * BELOW) * (v - low) / span,
        )
        for i, v in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    words = (
        f"The function's value in {len(values) - 1} steps of gradient descent: from "
        f"{number_format.show(values[0])} to {number_format.show(values[-1])}"
    )
    x, y = points[-1]
    return Markup(
        '<svg class="losses" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="3"/></svg>'
        "<p>{}</p>"
    ).format(int(WIDTH), int(HEIGHT), words, line, x, y, words)
