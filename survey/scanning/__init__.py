"""Reading scanned forms: pictures and a form's geometry in, answers with their doubts out."""

from __future__ import annotations

from importlib.util import find_spec

#: Written beside every page that was read, so that a better reader can tell its own from others'.
READER = "sipas-scan-1"
#: Import name -> package of the extra ``scan``.
_NEEDED = {
    "cv2": "opencv-python-headless",
    "zxingcpp": "zxing-cpp",
    "pypdfium2": "pypdfium2",
    "numpy": "numpy",
}


def missing() -> list[str]:
    """Packages of the extra ``scan`` that this machine lacks; nothing is loaded to know it."""
    return [package for name, package in _NEEDED.items() if find_spec(name) is None]
