"""The editions of a report: all of it, a sheet to fill in, a key to mark by."""

EDITIONS = ("solution", "sheet", "key")
