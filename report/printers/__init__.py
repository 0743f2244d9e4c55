"""Readers of a graph: what a formula or a backward graph is in LaTeX, by index, and as a program."""
