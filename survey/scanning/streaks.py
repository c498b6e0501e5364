"""Dirt on a scanner's glass draws a line down every page: found and painted over."""

from __future__ import annotations

import cv2
import numpy as np

from survey.scanning.registration import Gray

#: Darker than its neighbours by this much, over this share of the rows: no printed matter is.
_DARKER, _ROWS = 0.93, 0.7
#: A line is at most this wide, in shares of the picture's width (0,6 mm of a page).
_WIDE = 0.003


def swept(gray: Gray) -> Gray:
    """The picture without straight vertical lines from edge to edge."""
    columns = gray.shape[1]
    around = cv2.blur(gray, (max(9, columns // 60) | 1, 1))
    darker = cv2.compare(gray, cv2.convertScaleAbs(around, alpha=_DARKER), cv2.CMP_LT)
    share = cv2.reduce(darker, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / 255
    line = np.flatnonzero(share > _ROWS)
    if not line.size:
        return gray
    made = gray.copy()
    for run in np.split(line, np.flatnonzero(np.diff(line) > 1) + 1):
        first, last = int(run[0]) - 2, int(run[-1]) + 2
        if last - first > max(6, columns * _WIDE + 4) or first < 1 or last > columns - 2:
            continue
        mix = np.linspace(0, 1, last - first + 1)
        left, right = gray[:, first - 1, None], gray[:, last + 1, None]
        made[:, first : last + 1] = np.rint(left * (1 - mix) + right * mix)
    return made
