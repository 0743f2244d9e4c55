"""What bad input and failed checks raise, and how a near miss is named."""

from collections.abc import Iterable


class ReportError(Exception):
    """Bad input: one or a few plain lines that name the place and the remedy.

    What a message quotes may be of any length; a line of it keeps its beginning and its end.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(_shortened(line) for line in message.split("\n")))


def _shortened(line: str, start: int = 400, end: int = 200) -> str:
    return line if len(line) <= start + end + 5 else f"{line[:start]} ... {line[-end:]}"


class CheckError(ReportError):
    """A check failed: the lines name the numbers that do not agree."""


def nearest(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' with the known word nearest to `word`, or nothing when none is near."""
    import difflib

    folded = {k.lower(): k for k in known}
    near = difflib.get_close_matches(word.lower()[:60], folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[near[0]]}?" if near else ""
