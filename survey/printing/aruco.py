"""The registration marks of forms: patterns of the ArUco dictionary DICT_4X4_50, as data.

A scanner finds them in any position; the number of a mark says which page and which corner it
is, so a sheet that was put in upside down is known from a single mark.

References
----------
Garrido-Jurado et al. (2014), Automatic generation and detection of highly reliable fiducial
markers under occlusion; the patterns are those of OpenCV's predefined dictionary.
"""

from __future__ import annotations

#: The inner 4 × 4 cells of marks 0..49, row by row, 1 = white.
PATTERNS = (
    0xB532, 0x0F9A, 0x332D, 0x9946, 0x549E, 0x79CD, 0x9E2E, 0xC4F2, 0xFEDA, 0xCF56,
    0xF991, 0x11A7, 0x0EB7, 0x2A0F, 0x24B1, 0x263E, 0x4665, 0x6600, 0x6C5E, 0x76AF,
    0x868B, 0xB02B, 0xCCD5, 0xDD82, 0xFE47, 0x9471, 0xACE4, 0xA554, 0x2123, 0x346F,
    0x4415, 0x57B2, 0x9ECF, 0xF0CB, 0x08AE, 0x0929, 0x1875, 0x04FF, 0x0DF6, 0x1C5A,
    0x1718, 0x2A28, 0x328C, 0x38B2, 0x24E8, 0x2EEB, 0x2D3F, 0x4B64, 0x502E, 0x5013,
)  # fmt: skip
#: Corners in the order of their numbers: upper left, upper right, lower left, lower right.
CORNERS = 4
#: Pages that can be told apart.
PAGES = len(PATTERNS) // CORNERS
#: Cells of a mark's side, its black border included.
CELLS = 6


def number(page: int, corner: int) -> int:
    """The number of the mark in a corner (0..3) of a page (from 1)."""
    return CORNERS * (page - 1) + corner


def white(ident: int) -> list[tuple[int, int]]:
    """The white cells of a mark as (row, column) inside its 6 × 6 cells."""
    bits = PATTERNS[ident]
    return [
        (row + 1, column + 1)
        for row in range(4)
        for column in range(4)
        if bits >> (15 - 4 * row - column) & 1
    ]
