"""A student's own program and numbers, held against the trace."""
