"""The QR codes of a page: looked for where they are printed, then everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import zxingcpp

if TYPE_CHECKING:
    from survey.scanning.registration import Gray, Sheet

#: Where the code is printed: the top right, in millimetres (x, y, width, height).
_PLACE = (95.0, 2.0, 105.0, 36.0)
#: Pixels a millimetre for a second look: a module of 0,4 mm gets 6 pixels.
_DENSE = 15.0


def read(sheet: Sheet) -> list[str]:
    """The texts of the codes on a page, [] when none can be read.

    First as scanned, then straightened and enlarged (a coarse scan has 2 pixels a module),
    sharpened, and at last the whole picture.
    """
    piece = sheet.flat(*_PLACE, max(sheet.scale, 8.0))
    if texts := _texts(piece):
        return texts
    piece = sheet.flat(*_PLACE, _DENSE)
    if texts := _texts(piece) or _texts(_sharper(piece)):
        return texts
    return _texts(sheet.gray)


def _texts(gray: Gray) -> list[str]:
    found = zxingcpp.read_barcodes(
        np.ascontiguousarray(gray), formats=zxingcpp.BarcodeFormat.QRCode
    )
    return sorted({code.text for code in found})


def _sharper(gray: Gray) -> Gray:
    soft = cv2.GaussianBlur(gray, (0, 0), 3)
    made: Gray = cv2.addWeighted(gray, 2.2, soft, -1.2, 0)
    return made
