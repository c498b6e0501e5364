"""Whether somebody wrote into a line of the form: its words are for a person to read."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.scanning.marks import DENSITY

#: Ink is darker than this share of the paper.
_DARK = 0.72
#: A stroke of a pen is at least this high or this long and heavy (mm); printed dots are smaller.
_HIGH, _LONG = 1.2, 3.0


def written(page: NDArray[np.float32], box: tuple[float, float, float, float]) -> bool:
    """Say whether an evened page holds handwriting in a box (x, y, width, height in mm).

    Printed dotted lines are taken out first: no piece of them is as high as a letter.
    """
    x, y, width, height = (round(side * DENSITY) for side in box)
    piece = page[max(0, y) : y + height, max(0, x) : x + width]
    if not piece.size:
        return False
    dark = (piece < _DARK).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    high = stats[1:, cv2.CC_STAT_HEIGHT] >= _HIGH * DENSITY
    long = stats[1:, cv2.CC_STAT_WIDTH] >= _LONG * DENSITY
    thick = stats[1:, cv2.CC_STAT_AREA] >= 0.35 * DENSITY * stats[1:, cv2.CC_STAT_WIDTH]
    return bool((high | (long & thick)).any())
