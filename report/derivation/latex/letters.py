"""The letters that may be labels of entries, in the order in which they are taken."""

LETTERS = "ijklmnprstuvabcdgh"
