"""The editions of a report: all of it, a sheet to fill in, a key to mark by."""

EDITIONS = ("solution", "sheet", "key")
DETAILS = ("brief", "full")  # the backward pass in short, or with every step apart
