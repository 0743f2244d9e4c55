"""The editions of a report (all of it, a sheet to fill in, a key to mark by), and the standards of its PDF."""

EDITIONS = ("solution", "sheet", "key")
DETAILS = ("brief", "full")  # the backward pass in short, or with every step apart
STANDARDS = ("ua-1", "ua-2")  # PDF/UA-1 with PDF/A-3a, PDF/UA-2 with PDF/A-4f
