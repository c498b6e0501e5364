"""Finding the page in a picture: its corner marks, and the way from millimetres to pixels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

#: The paper and its marks, in millimetres from the top left corner (look/PRINT, section 5).
WIDTH, HEIGHT, SIDE, EDGE = 210.0, 297.0, 7.0, 8.0
#: Marks are looked for in a picture of so many rows: quick, and their cells still have 6 pixels.
_ROWS = 1700
#: A page is read from this many marks on; with fewer its far corners are a guess.
LEAST = 3
#: What the marks may lie off their places, in millimetres, before the page counts as crumpled.
_OFF = 1.5
#: Pixels a millimetre below which a page is too coarse: 150 dpi.
COARSE = 5.6


class Unreadable(Exception):
    """This page cannot be read; ``code`` says why (catalogue ``scans.fault.<code>``)."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page found in a picture.

    ``matrix`` takes a point in millimetres to the picture's pixels; ``page`` is the page that the
    marks name, from 1; ``off`` how far the marks lie from their places (mm); ``scale`` pixels a mm.
    """

    gray: Gray
    matrix: Floats
    page: int
    marks: int
    off: float
    scale: float

    def at(self, points: Floats) -> Floats:
        """Pixels of points given in millimetres, both (n, 2)."""
        return through(self.matrix, points)

    def flat(self, x: float, y: float, width: float, height: float, density: float) -> Gray:
        """A straightened piece of the page, ``density`` pixels a millimetre; white outside."""
        to = np.array([[density, 0, -x * density], [0, density, -y * density], [0, 0, 1.0]])
        size = (round(width * density), round(height * density))
        way = to @ np.linalg.inv(self.matrix)
        made: Gray = cv2.warpPerspective(
            self.gray, way, size, flags=cv2.INTER_LINEAR, borderValue=255
        )
        return made


def darkest(picture: Gray) -> Gray:
    """The darkest channel of a picture: pale blue and red ink stand out as black does."""
    if picture.ndim == 2:
        return picture
    blue, green, red = cv2.split(picture[:, :, :3])
    made: Gray = cv2.min(cv2.min(blue, green), red)
    return made


def register(gray: Gray) -> Sheet:
    """Find the page of a picture by its corner marks, however it lies.

    Raises Unreadable ``marks`` (fewer than three), ``pages`` (two pages in one picture),
    ``crumpled`` (the marks are not where they belong), ``coarse`` (less than 150 dpi).
    """
    found = _marks(gray)
    if len(found) < LEAST and (again := _marks(gray, careful=True)):
        found = again
    page = _page(found)
    corners = {id % 4: corner for id, corner in found if id // 4 + 1 == page}
    if len(corners) < LEAST:
        raise Unreadable("marks", found=len(corners))
    places = np.concatenate([_place(corner) for corner in corners])
    seen = np.concatenate(list(corners.values()))
    matrix, _ = cv2.findHomography(places, seen, 0)
    if matrix is None or np.linalg.det(matrix[:2, :2]) <= 0:
        raise Unreadable("crumpled", off=0)
    scale = float(np.sqrt(np.linalg.det(matrix[:2, :2])))
    off = float(np.abs(through(matrix, places) - seen).max() / scale)
    if off > _OFF:
        raise Unreadable("crumpled", off=round(off, 1))
    if scale < COARSE:
        raise Unreadable("coarse", dpi=round(scale * 25.4))
    return Sheet(gray, matrix, page, len(corners), off, scale)


def inside(sheet: Sheet, points: Floats, margin: float) -> bool:
    """Whether the picture holds all points (mm) with ``margin`` mm around them."""
    rows, columns = sheet.gray.shape
    at, rim = sheet.at(points), margin * sheet.scale
    low, high = at.min(axis=0), at.max(axis=0)
    return bool(low.min() >= rim and high[0] <= columns - rim and high[1] <= rows - rim)


def through(matrix: Floats, points: Floats) -> Floats:
    """Points (n, 2) through a homography."""
    whole = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    made: Floats = whole[:, :2] / whole[:, 2:]
    return made


def _marks(gray: Gray, *, careful: bool = False) -> list[tuple[int, Floats]]:
    """Marks as (id, four corners in pixels clockwise from its own top left)."""
    shrink = min(1.0, _ROWS / max(gray.shape)) if not careful else 1.0
    small = gray
    if shrink < 1:
        small = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    corners, ids, _ = _detector(careful).detectMarkers(small)
    if ids is None:
        return []
    found = []
    for corner, id in zip(corners, np.asarray(ids).ravel().tolist(), strict=True):
        exact = (corner.reshape(4, 1, 2) + 0.5) / shrink - 0.5
        if shrink < 1:
            reach = max(2, round(0.6 / shrink))
            stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.02)
            exact = cv2.cornerSubPix(
                gray, exact.astype(np.float32), (reach + 1, reach + 1), (-1, -1), stop
            )
        found.append((id, exact.reshape(4, 2).astype(np.float64)))
    return found


def _page(found: list[tuple[int, Floats]]) -> int:
    """The page that most marks name; two pages in one picture are none."""
    if len({id for id, _ in found}) < len(found):
        raise Unreadable("pages")
    pages = Counter(id // 4 + 1 for id, _ in found)
    if not pages:
        raise Unreadable("marks", found=0)
    [(page, most), *others] = pages.most_common()
    if others and others[0][1] >= min(most, 2):
        raise Unreadable("pages")
    return page


def _place(corner: int) -> Floats:
    """The corners of a mark in millimetres: 0 top left, 1 top right, 2 bottom left, 3 right."""
    x = EDGE if corner % 2 == 0 else WIDTH - EDGE - SIDE
    y = EDGE if corner < 2 else HEIGHT - EDGE - SIDE
    return np.array([(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE)])


@cache
def _detector(careful: bool) -> Any:
    asked = cv2.aruco.DetectorParameters()
    asked.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    asked.adaptiveThreshWinSizeMin = 15
    asked.adaptiveThreshWinSizeMax = 45 if careful else 25
    asked.adaptiveThreshWinSizeStep = 10
    asked.minMarkerPerimeterRate = 0.03
    asked.maxMarkerPerimeterRate = 0.5
    known = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    return cv2.aruco.ArucoDetector(known, asked)
