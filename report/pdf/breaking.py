"""Images in lines that may break over pages: what WeasyPrint asks of an image, and how it lays one out.

With `blocks` and `patches`, this is what touches WeasyPrint's inner parts.
"""

from abc import ABC, abstractmethod
from typing import Any


class Block(ABC):
    """An image in lines, as WeasyPrint asks for images: a size, and a way to be drawn."""

    first = 0
    last: int | None = None  # one after the last line; None: not laid out yet
    gap = 0.0  # between equations in CSS pixels

    @abstractmethod
    def heights(self, width: float, style: Any) -> list[float]:
        """The height of each line in CSS pixels, in a column of that width."""

    def cut(self, _first: int, last: int, _waits: bool) -> int:
        """The best line from `_first` to `last` to break before; 0 where it `_waits` for the next page rather."""
        return last

    def repeated(self, _first: int) -> float:
        """The height of what is drawn once more over a part that begins with the line `_first`."""
        return 0.0

    def next(self, last: int) -> int:
        """The line that goes on behind a break before the line `last`."""
        return last

    def part(self, **changes: Any) -> "Block":
        """The same with these `gap`, `first` and `last`."""
        found = type(self).__new__(type(self))
        found.__dict__.update(self.__dict__, **changes)
        return found

    def get_intrinsic_size(self, _resolution: Any, font_size: float) -> tuple[float, float, Any]:
        """As wide as a column of text; `lay_out` gives the true size."""
        return 40 * font_size, font_size, None

    @abstractmethod
    def draw(self, stream: Any, _width: float, _height: float, style: Any) -> None:
        """Draw into the page, from the upper left corner, in CSS pixels with y down."""


def lay_out(
    context: Any,
    box: Any,
    bottom_space: float,
    skip_stack: dict[int, None] | None,
    containing_block: Any,
    page_is_empty: bool,
    absolute_boxes: Any,
    fixed_boxes: Any,
    adjoining_margins: Any,
    first_letter_style: Any,
    first_line_style: Any,
    discard: Any,
    max_lines: Any,
) -> tuple[Any, ...]:
    """Lay out a block as WeasyPrint's block_level_layout_switch() does its boxes.

    As many lines as fit stand on this page; the others follow as its orphans and widows allow.
    """
    part = box.copy()
    outside = (
        getattr(box, f"{name}_{side}{'_width' if name == 'border' else ''}")
        for name in ("margin", "border", "padding")
        for side in ("left", "right")
    )
    part.width = containing_block.width - sum(length for length in outside if length != "auto")
    part.margin_left, part.margin_right = (
        0 if margin == "auto" else margin for margin in (box.margin_left, box.margin_right)
    )
    begins = context.current_page > 1 and page_is_empty and not context.forced_break
    if begins and containing_block.top_margin_collapses():
        part.margin_top = 0
    block = box.replacement.part(gap=box.margin_bottom)  # lines stand apart as blocks do
    heights = block.heights(part.width, box.style)
    first = 0 if skip_stack is None else next(iter(skip_stack))
    repeated = block.repeated(first)
    last, height, top = first, repeated, part.content_box_y()
    while last < len(heights) and not context.overflows_page(
        bottom_space, top + height + heights[last]
    ):
        height += heights[last]
        last += 1
    if last < len(heights):
        kept = box.style["break_inside"] in ("avoid", "avoid-page")
        last = min(last, len(heights) - box.style["widows"])
        if last - first < box.style["orphans"] or (kept and not page_is_empty):
            if not page_is_empty:
                return None, None, {"break": "any", "page": None}, [], False, max_lines
            last = min(first + box.style["orphans"], len(heights))
        waits = skip_stack is None and not page_is_empty
        last = block.cut(first + box.style["orphans"], last, waits)
        if not last:
            return None, None, {"break": "any", "page": None}, [], False, max_lines
    rest = block.next(last)
    part.replacement = block.part(first=first, last=last)
    part.height = repeated + sum(heights[first:last])
    resume_at = {rest: None} if rest < len(heights) else None
    return part, resume_at, {"break": "any", "page": None}, [], False, max_lines
