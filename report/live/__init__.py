"""The live page: a server on this machine only, the page it answers with, and what a change brings."""

from report.live.serve import serve

__all__ = ["serve"]
