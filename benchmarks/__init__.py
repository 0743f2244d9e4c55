"""Benchmarks: the product against its peers, each figure as a ratio within the same run."""
