"""Numbers, shares and dates as Vietnamese print has them: rounded once, half up, decimal comma."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from analysis.rounding import rounded

MINUS = "\u2212"
DASH = "\u2013"  # between the ends of a range
NONE = "\u2014"  # where there is no figure

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_GROUPS = ((10**9, "tỷ"), (10**6, "triệu"), (10**3, "nghìn"))


def _printed(value: Decimal) -> str:
    text = f"{abs(value):,f}".translate(str.maketrans(",.", ".,"))
    return MINUS + text if value < 0 else text


def num(x: float, decimals: int = 2) -> str:
    """``x`` itself: 1234567.891 -> "1.234.567,89"; a true minus; never "−0,00"."""
    if isinstance(x, int) and not decimals:
        return _printed(Decimal(x))
    return _printed(rounded(x, decimals))


def share(x: float | None, decimals: int = 2) -> str:
    """A share 0..1 in percent without its sign, for columns that say (%): "84,52"; None: a dash."""
    return NONE if x is None else _printed(rounded(x, decimals, shift=2))


def pct(x: float | None, decimals: int = 2) -> str:
    """A share 0..1 as "84,52%", without a space as the Ministry prints; None: a dash."""
    return NONE if x is None else share(x, decimals) + "%"


def span(low: float | None, high: float | None, decimals: int = 2) -> str:
    """An interval of shares 0..1 in percent: "82,87–86,04"; a dash when an end is unknown."""
    if low is None or high is None:
        return NONE
    return f"{share(low, decimals)}{DASH}{share(high, decimals)}"


def places(low: int, high: int) -> str:
    """A range of ranks: "4–31", or "1" when both ends are one place."""
    return str(low) if low == high else f"{low}{DASH}{high}"


def points(later: float, earlier: float, decimals: int = 2) -> Decimal:
    """Change between two shares in percentage points: the difference of the rounded values."""
    return rounded(later, decimals, shift=2) - rounded(earlier, decimals, shift=2)


def signed(x: float | Decimal, decimals: int = 2) -> str:
    """A change as it is: "+1,28", "−0,66", "0,00"."""
    value = x if isinstance(x, Decimal) else rounded(x, decimals)
    value = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return ("+" if value > 0 else "") + _printed(value)


def day(on: date) -> str:
    """Date of a document: days below 10 and the months 1 and 2 carry a zero, other months none.

    Nghị định 30/2020/NĐ-CP, annex I: "ngày 05 tháng 02 năm 2026", "ngày 26 tháng 3 năm 2027".
    """
    month = f"{on.month:02d}" if on.month < 3 else str(on.month)
    return f"ngày {on.day:02d} tháng {month} năm {on.year}"


def short_day(on: date) -> str:
    """A date in tables and sentences: "05/02/2026"."""
    return f"{on.day:02d}/{on.month:02d}/{on.year}"


def words(n: int) -> str:
    """A count in letters: 350 -> "ba trăm năm mươi"; 0 <= n < 10**12, else ValueError."""
    if not 0 <= n < 10**12:
        raise ValueError(f"not a count that is written in letters: {n}")
    if n < 1000:
        return _hundreds(n, full=False)
    parts: list[str] = []
    for size, name in _GROUPS:
        count, n = divmod(n, size)
        if count:
            parts += [_hundreds(count, full=bool(parts)), name]
    if n:
        parts.append(_hundreds(n, full=True))
    return " ".join(parts)


def _hundreds(n: int, *, full: bool) -> str:
    """0..999 in letters; ``full`` says "không trăm" where a larger group stands before."""
    hundred, rest = divmod(n, 100)
    ten, one = divmod(rest, 10)
    out = [_DIGITS[hundred], "trăm"] if hundred or full else []
    if ten > 1:
        out += [_DIGITS[ten], "mươi"]
        if one:
            out.append({1: "mốt", 4: "tư", 5: "lăm"}.get(one, _DIGITS[one]))
    elif ten == 1:
        out.append("mười")
        if one:
            out.append("lăm" if one == 5 else _DIGITS[one])
    elif one or not out:
        out += (["linh"] if out else []) + [_DIGITS[one]]
    return " ".join(out)
