"""A document in HTML, written as PDF."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from report.errors import ReportError
from report.pdf import beside, engine, log_errors
from report.pdf.conformance import Attachment, Finisher
from report.typeset.formula_html import drawing

# Halves of characters, and those whose meaning is not public: no archive may hold these.
_UNSETTABLE = re.compile("[\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]")
_RELATIONSHIPS = frozenset({"Source", "Data", "Alternative", "Supplement", "Unspecified"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+@=,()-]{0,200}")
_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]+")


class Pdf(bytes):
    """The bytes of a PDF, which know how many pages they hold."""

    pages: int = 0


def render(
    html: str,
    *,
    base: str | None = None,
    attachments: Sequence[Attachment] = (),
    standard: str = "ua-1",
) -> Pdf:
    """Write HTML as a PDF that conforms to PDF/A-3a and PDF/UA-1, the same bytes every time.

    With the standard "ua-2" it is PDF 2.0 and conforms to PDF/A-4f and PDF/UA-2.

    The HTML says all: ``<html lang>``, ``<title>``, ``<meta name="author">``, ``<style>``, images
    from img() or as ``data:image/svg+xml;base64,`` or PNG with an ``alt`` text. Nothing else is
    loaded, from nowhere. ``base`` is the address that relative links of the text are resolved
    against. Where ``<body>`` has ``data-left`` and ``data-right``, they stand above every page (the
    left one from the second on), and the number of the page below it.

    Raises ReportError naming the fault: a character that no font has, an address that would have
    to be loaded, CSS that means nothing, an image without words.
    """
    options = {"base": base, "attachments": attachments, "standard": standard}
    if found := beside.rendered(html, options):
        return found
    if unsettable := _UNSETTABLE.findall(html):
        raise ReportError(log_errors.missing(list(dict.fromkeys(unsettable))))
    files = sorted(attachments, key=lambda attachment: attachment.name)
    _check(files)

    pages = 0

    def finish(document: Any, pdf: Any) -> None:
        nonlocal pages
        pages = len(document.pages)
        Finisher(document, pdf, files, standard).finish()

    written = Pdf(
        engine.write_pdf(
            html,
            base=base,
            drawing=drawing,
            attachments=[(file.name, file.data, file.description) for file in files],
            finish=finish,
            standard=standard,
        )
    )
    written.pages = pages
    return written


def _check(attachments: Sequence[Attachment]) -> None:
    for name, count in Counter(file.name for file in attachments).items():
        if not _NAME.fullmatch(name):
            raise ReportError(f"An attachment cannot be called {name[:80]!r}: use plain letters.")
        if count > 1:
            raise ReportError(f"Two attachments are called {name}.")
    for file in attachments:
        if file.relationship not in _RELATIONSHIPS:
            raise ReportError(
                f"{file.name}: the relationship of an attachment is one of"
                f" {', '.join(sorted(_RELATIONSHIPS))}, not {file.relationship!r}."
            )
        if not _MIME.fullmatch(file.mime):
            raise ReportError(f"{file.name}: {file.mime!r} is no MIME type.")
