"""The reader that reads printed formulas back, as tests use it."""

from report.readback.arrays import Unread
from report.readback.reading import Known, read, words

__all__ = ["Known", "Unread", "read", "words"]
