"""The identity I in a sum, A + c I: it is as large as the square matrix beside it."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class BesideIdentity:
    """A sum or difference of which one side is a multiple of I."""

    other: ast.expr
    name: ast.Name
    scale: tuple[ast.expr, ...]  # what I is multiplied by, if anything
    is_left: bool  # whether I stands on the left


def beside_identity(e: ast.BinOp, names: Collection[str]) -> BesideIdentity | None:
    """The parts of A + c I; None for another operation, and where I is a name of the formula."""
    if "I" in names or not isinstance(e.op, (ast.Add, ast.Sub)):
        return None
    left, right = _multiple(e.left), _multiple(e.right)
    if left is not None and right is None:
        return BesideIdentity(e.right, *left, is_left=True)
    if right is not None and left is None:
        return BesideIdentity(e.left, *right, is_left=False)
    return None


def _multiple(e: ast.expr) -> tuple[ast.Name, tuple[ast.expr, ...]] | None:
    """The I of c I, I c or I/c, and what it is multiplied by; None where e is no multiple of I."""
    match e:
        case ast.Name(id="I"):
            return e, ()
        case ast.BinOp(left=scale, op=ast.Mult() | ast.Mod(), right=ast.Name(id="I") as name):
            return name, (scale,)
        case ast.BinOp(left=ast.Name(id="I") as name, op=ast.Mult() | ast.Mod(), right=scale):
            return name, (scale,)
        case ast.BinOp(left=ast.Name(id="I") as name, op=ast.Div(), right=below):
            one = ast.copy_location(ast.Constant(1), name)
            return name, (ast.copy_location(ast.BinOp(one, e.op, below), e),)
    return None
