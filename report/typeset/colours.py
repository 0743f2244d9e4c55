"""Colours in LaTeX and CSS."""

from __future__ import annotations

import functools
from typing import Any


def is_colour(css: str) -> bool:
    """Whether WeasyPrint can paint with this name or value."""
    return colour(css) is not None


@functools.cache
def colour(css: str) -> Any:
    """A colour as WeasyPrint's streams take it; None where there is no such one."""
    from tinycss2.color5 import parse_color  # not where nothing has a colour

    found = parse_color(css)
    return None if found == "currentcolor" else found
