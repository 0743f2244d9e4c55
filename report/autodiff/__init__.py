"""Formula -> Graph -> backprop -> Trace: the parser, the gate table, the simplifier and the passes."""

from report.autodiff import simplify

__all__ = ["simplify"]  # imported for its rules, which every reader of a backward graph expects
