"""How people write a rule of points down: the highest number, and thresholds such as 80=6,5."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation


def read(most: str, steps: Sequence[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the highest number of points and (from as a share, points), checked.

    Raises ValueError, in Vietnamese, for what is no number or does not hold together.
    """
    from analysis.par import BadPoints, thresholds

    top = _number(most)
    if top <= 0:
        raise ValueError(f"Điểm tối đa «{most}» phải lớn hơn 0.")
    found = []
    for step in steps:
        edge, mark, points = step.partition("=")
        if not mark:
            raise ValueError(f"Ngưỡng «{step}» phải có dạng 80=6,5.")
        found.append((_number(edge.strip().removesuffix("%")) / 100, _number(points)))
    found.sort()
    if found:
        try:
            thresholds(found)
        except BadPoints as wrong:
            raise ValueError(
                f"Các ngưỡng phải nằm trong 0–100 và điểm không được giảm ({wrong})."
            ) from None
        if found[-1][1] > top:
            raise ValueError(f"Điểm của ngưỡng cao nhất lớn hơn điểm tối đa {most}.")
    return f"{top:f}", tuple((f"{edge:f}", f"{points:f}") for edge, points in found)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"«{text}» không phải là số.") from None
    if not number.is_finite():
        raise ValueError(f"«{text}» không phải là số.")
    return number
