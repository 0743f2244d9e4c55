"""The symbolic layer: scalar graphs as sympy expressions, closed forms of their derivatives, their LaTeX."""
