"""Rounding as the Ministry prints: once, half up, from the shortest decimal that is the number."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def rounded(x: float, decimals: int = 2, *, shift: int = 0) -> Decimal:
    """``x`` times 10**shift, rounded once, half up, from the shortest decimal that is ``x``.

    Raises ValueError for NaN and infinities: what is not a number is never printed.
    """
    exact = Decimal(repr(float(x)))
    if not exact.is_finite():
        raise ValueError(f"not a number that can be printed: {x!r}")
    return exact.scaleb(shift).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
