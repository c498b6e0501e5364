"""The pages of a scanned file, one at a time: PDF, TIFF, JPEG or PNG."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey.scanning.registration import Unreadable

#: No page of a scanner has more pixels (A4 at 600 dpi has 35 million).
_PIXELS = 80_000_000
# Read by the library when it is loaded: a small file must not unpack to gigabytes.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(_PIXELS))

import cv2  # noqa: E402
import pypdfium2  # noqa: E402
import pypdfium2.raw  # noqa: E402

Picture = NDArray[np.uint8]

#: A file of more pages, a page of PDF with a longer side (points) is no scan of forms: A4 at 600
#: dpi that was stored as 72 dpi has 7.016.
_PAGES, _SIDE = 5000, 7200
#: Pages of PDF are drawn as finely as they were scanned, between these (dpi).
_LEAST, _USUAL, _MOST = 150, 200, 300


class Unopened(Exception):
    """The file cannot be opened at all; ``code`` as in ``scans.fault.<code>``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class File:
    """An opened file: how many pages it has, and each one's picture."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises Unopened ``locked``, ``broken``, ``empty`` or ``long``."""
        self._path = path
        self._pdf = _pdf(path) if path.suffix == ".pdf" else None
        if self._pdf is not None:
            self.pages = len(self._pdf)
        else:
            self.pages = int(cv2.imcount(str(path)))
        if self.pages < 1:
            raise Unopened("empty" if self._pdf is not None else "broken")
        if self.pages > _PAGES:
            self.close()
            raise Unopened("long")

    def picture(self, number: int) -> Picture:
        """The picture of a page, counted from 1; raises Unreadable ``broken`` or ``size``."""
        try:
            made = self._drawn(number) if self._pdf is not None else self._decoded(number)
        except (pypdfium2.PdfiumError, cv2.error, ValueError, MemoryError) as fault:
            raise Unreadable("broken") from fault
        if made is None or min(made.shape[:2]) < 50:
            raise Unreadable("broken")
        return made

    def close(self) -> None:
        """Let go of the file."""
        if self._pdf is not None:
            self._pdf.close()

    def __enter__(self) -> File:
        """Use the file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.close()

    def _drawn(self, number: int) -> Picture | None:
        page = self._pdf[number - 1]  # type: ignore[index]
        try:
            width, height = page.get_size()
            if max(width, height) > _SIDE:
                raise Unreadable("size")
            scale = min(_density(page) / 72, (_PIXELS / max(width * height, 1)) ** 0.5)
            drawn = page.render(scale=scale)
            made: Picture = np.ascontiguousarray(drawn.to_numpy())
            drawn.close()
        finally:
            page.close()
        return made

    def _decoded(self, number: int) -> Picture | None:
        done, found = cv2.imreadmulti(
            str(self._path), start=number - 1, count=1, flags=cv2.IMREAD_COLOR
        )
        return found[0] if done and found else None


def _pdf(path: Path) -> Any:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as fault:
        locked = getattr(fault, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD
        raise Unopened("locked" if locked else "broken") from fault


def _density(page: Any) -> float:
    """How finely the largest picture on a page was scanned (dpi); the usual for drawn pages."""
    width, height = page.get_size()
    finest = 0.0
    for found in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        columns, rows = found.get_px_size()
        finest = max(finest, 72 * max(columns, rows) / max(width, height, 1))
    return min(_MOST, max(_LEAST, finest)) if finest else _USUAL
