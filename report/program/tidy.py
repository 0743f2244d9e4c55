"""Expressions as one writes them by hand: signs in front, conditions without detours."""

from __future__ import annotations

import ast


def tidy(code: ast.expr) -> ast.expr:
    """The same expression, plainer: -(a / b) as -a / b, 2 * (a * b) as 2 * a * b.

    The expression is changed in place where it can be.
    """
    return _Tidy().visit(code)


class _Tidy(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not):
            condition = _condition(inner)
            if isinstance(condition, ast.Compare) and type(condition.ops[0]) in _OPPOSITE:
                opposite = _OPPOSITE[type(condition.ops[0])]()
                return ast.Compare(condition.left, [opposite], condition.comparators)
            return ast.UnaryOp(node.op, condition)
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
            return inner.operand
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Mult, ast.Div)):
            return ast.BinOp(self.visit(ast.UnaryOp(node.op, inner.left)), inner.op, inner.right)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = node.left, node.right
        if (
            isinstance(left, ast.Constant)
            and isinstance(node.op, ast.Mult)
            and isinstance(right, ast.BinOp)
            and isinstance(right.op, ast.Mult)
        ):
            product = self.visit(ast.BinOp(left, node.op, right.left))
            return ast.BinOp(product, right.op, right.right)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        node.test = _condition(node.test)
        match node.test:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if _same(left, right):
                return node.body
            case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE()], comparators=[right]):
                if _same(node.body, left) and _same(node.orelse, right):
                    return _call("max", left, right)
                if _same(node.body, right) and _same(node.orelse, left):
                    return _call("min", left, right)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        node.values = [_condition(value) for value in node.values]
        match node:
            case ast.BoolOp(
                op=ast.And(),
                values=[
                    ast.Compare(ops=[ast.Lt() | ast.LtE()], comparators=[middle]) as first,
                    ast.Compare(ops=[ast.Lt() | ast.LtE()]) as second,
                ],
            ) if _same(middle, second.left):
                ops, comparators = first.ops + second.ops, [middle, *second.comparators]
                return ast.Compare(first.left, ops, comparators)
        return node


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
}


def _same(a: ast.expr, b: ast.expr) -> bool:
    return ast.dump(a) == ast.dump(b)


def _condition(code: ast.expr) -> ast.expr:
    match code:
        case ast.Call(func=ast.Name(id="float"), args=[inner]):
            return inner
    return code


def _call(function: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])
