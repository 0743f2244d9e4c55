"""What the libraries only log, raised as one error in plain words."""

import contextlib
import logging
import unicodedata
from collections.abc import Iterator

from report.errors import ReportError


@contextlib.contextmanager
def strictly(refused: tuple[type[Exception], ...]) -> Iterator[None]:
    """Raise what is logged as a warning or an error inside as one ReportError.

    ``refused`` is what may be raised, instead of logged, where something would have to be loaded.
    """
    faults = _Faults(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("weasyprint", "fontTools")]
    propagating = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(faults)
        logger.propagate = False  # what is raised need not be logged too
    try:
        yield
    except RecursionError:
        raise ReportError("The document is nested too deeply to be laid out.") from None
    except refused as error:
        raise ReportError(f"The document has faults:\n{error}") from None
    finally:
        for logger, propagate in zip(loggers, propagating, strict=True):
            logger.removeHandler(faults)
            logger.propagate = propagate
    if faults.missing:
        raise ReportError(missing(faults.missing))
    if faults.messages:
        raise ReportError("\n".join(["The document has faults:", *faults.messages[:5]]))


class _Faults(logging.Handler):
    """Keeps what is logged: characters that no font has, and messages of any other kind."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.missing: list[str] = []
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        kept, entry = self.messages, record.getMessage()
        if str(record.msg).startswith(".notdef") and isinstance(record.args, tuple):
            kept, entry = self.missing, chr(int(str(record.args[1])))
        elif len(entry) > 300:
            entry = f"{entry[:200]} ... {entry[-90:]}"
        if entry not in kept:
            kept.append(entry)


def missing(characters: list[str]) -> str:
    """Which characters cannot be set, and what to do."""
    named = [describe(character) for character in characters[:8]]
    more = f" and {len(characters) - 8} others" if len(characters) > 8 else ""
    packages = sorted({_package(c) for c in characters if unicodedata.category(c)[0] in "LM"})
    install = (
        f"Install a font that has it (Debian: {' '.join(packages)}), or write"
        if packages
        else "Write"
    )
    return f"No font of the report has {', '.join(named)}{more}.\n{install} it in other letters or signs."


def _package(letter: str) -> str:
    """Debian's package of a font that has a letter of this kind."""
    is_asian = unicodedata.east_asian_width(letter) in "WFH"
    return "fonts-noto-cjk" if is_asian else "fonts-noto-core"


def describe(character: str) -> str:
    """A character for an error message: itself where it can be seen, its code and its name."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, _NAMELESS.get(unicodedata.category(character), "no name"))
    if character.isprintable() and not character.isspace():
        return f"“{character}” ({code}, {name})"
    return f"{code} ({name})"


_NAMELESS = {
    "Cc": "a control character",
    "Cn": "not assigned",
    "Co": "private use",
    "Cs": "half of a character",
}
