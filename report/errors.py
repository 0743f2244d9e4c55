"""The one exception that bad input raises."""


class ReportError(Exception):
    """Bad input: one or a few plain lines that name the place and the remedy."""
