"""The forms that gates take in formulas: a row says which is its own, and no printer need know its name."""

from __future__ import annotations

from enum import Enum, auto


class Form(Enum):
    """What a gate is written as, and so what may be done with it in a formula."""

    SUM = auto()  # a + b
    DIFFERENCE = auto()  # a - b
    NEGATIVE = auto()  # -a
    PRODUCT = auto()  # a b of numbers, a ⊙ b of tensors
    LOG_PRODUCT = auto()  # a log b
    QUOTIENT = auto()  # a / b
    POWER = auto()  # a², aⁿ
    UNIT = auto()  # π/180 a: a factor that changes the unit
    MATRIX_PRODUCT = auto()  # A B
    INNER = auto()  # aᵀb
    OUTER = auto()  # a bᵀ
    INVERSE = auto()  # A⁻¹, A⁻¹ b
    COFACTOR = auto()  # det(A) A⁻ᵀ
    TRANSPOSE = auto()  # Aᵀ
    TOTAL = auto()  # sum(a)
    SUMMED = auto()  # A 𝟏, 𝟏ᵀA: the sum over copies
    COPIES = auto()  # a 𝟏ᵀ: a row or a column again and again
    RESHAPED = auto()  # the same entries in another shape
    PICKED = auto()  # a[i]
    PUT_BACK = auto()  # what was picked at its old place, with zeros elsewhere
    ONE_HOT = auto()  # e_k
    JOINED = auto()  # [a; b]
    STACKED = auto()  # [aᵀ; bᵀ]
    CHOICE = auto()  # a where a condition holds, else b
    COMPARISON = auto()  # 𝟙[a < b], by the row's sign
    BRACKET = auto()  # 𝟙[...] of another condition
    AND = auto()
    OR = auto()
    NOT = auto()
    LARGEST = auto()  # 𝟙[a = max(a)]
    SMALLEST = auto()  # 𝟙[a = min(a)]
    OTHERS = auto()  # the products of all entries but one


CONDITIONS = frozenset(
    {Form.COMPARISON, Form.AND, Form.OR, Form.NOT}
)  # what may stand before where
MOVES = frozenset(  # the entries are those of the arguments, at other places
    {Form.PICKED, Form.RESHAPED, Form.TRANSPOSE, Form.JOINED, Form.STACKED, Form.COPIES}
)
