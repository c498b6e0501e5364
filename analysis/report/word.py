"""WordprocessingML in small pieces: runs, paragraphs, cells, tables, sections."""

from __future__ import annotations

from html import escape

from analysis.report.ink import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MM,
    RIGHT,
    TOP,
    WIDE_BOTTOM,
    WIDE_SIDE,
    WIDE_TOP,
    WIDTH,
)

_HAIR = "B4BFBA"


def _border(side: str, eighths: int, colour: str = "000000") -> str:
    return f'<w:{side} w:val="single" w:sz="{eighths}" w:space="0" w:color="{colour}"/>'


#: Lines of a table: a strong one above and below, hairlines between its rows.
RULED = _border("top", 8) + _border("bottom", 8) + _border("insideH", 2, _HAIR)
BARE = ""
BOXED = (
    _border("top", 6) + _border("left", 6) + _border("bottom", 6) + _border("right", 6)
    + _border("insideH", 2, _HAIR)
)  # fmt: skip


def twips(points: float) -> float:
    """Twentieths of a point, the unit of most measures."""
    return points * 20


def run(text: str, *, bold: bool = False, italic: bool = False, size: float | None = None) -> str:
    """Characters of one face."""
    look = "<w:b/><w:bCs/>" if bold else ""
    look += "<w:i/><w:iCs/>" if italic else ""
    if size is not None:
        look += f'<w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/>'
    look = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{escape(text, quote=False)}</w:t></w:r>'


def runs(text: str, *, bold: bool = False, size: float | None = None) -> str:
    """Characters with their line ends."""
    return "<w:r><w:br/></w:r>".join(run(one, bold=bold, size=size) for one in text.split("\n"))


def paragraph(
    inner: str, style: str, *, align: str = "", left: int | None = None, right: int = 0,
    before: int = 0, plain_face: bool = False, held: bool = False,
) -> str:  # fmt: skip
    """A paragraph of a style; ``left``, ``right`` and ``before`` in twips."""
    more = "<w:keepNext/>" if held else ""
    more += f'<w:spacing w:before="{before}"/>' if before else ""
    if left is not None:
        more += f'<w:ind w:left="{left}" w:firstLine="0"/>'
    elif right:
        more += f'<w:ind w:right="{right}"/>'
    more += f'<w:jc w:val="{align}"/>' if align else ""
    if plain_face:
        inner = inner.replace("<w:r>", '<w:r><w:rPr><w:b w:val="0"/><w:bCs w:val="0"/></w:rPr>')
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{inner}</w:p>'


def rule(room: int, points: float) -> str:
    """A level line in the middle of ``room`` twips, so many points long."""
    side = max(0, round((room - twips(points)) / 2))
    line = '<w:pBdr><w:bottom w:val="single" w:sz="6" w:space="0" w:color="000000"/></w:pBdr>'
    spacing = '<w:spacing w:before="0" w:after="80" w:line="60" w:lineRule="exact"/>'
    return f'<w:p><w:pPr>{line}{spacing}<w:ind w:left="{side}" w:right="{side}"/></w:pPr></w:p>'


def cell(
    inner: str, wide: int, *, fill: str = "", top: int = 0, bottom: int = 0, span: int = 1,
    pad: int | None = None, last: bool = False,
) -> str:  # fmt: skip
    """A cell of so many twips; ``top`` and ``bottom``: its own lines in eighths of a point.

    ``pad``: twips left and right, where they are not the table's; ``last``: no line is under it.
    """
    more = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    lines = (_border("top", top) if top else "") + (_border("bottom", bottom) if bottom else "")
    lines += '<w:bottom w:val="nil"/>' if last else ""
    more += f"<w:tcBorders>{lines}</w:tcBorders>" if lines else ""
    more += f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    if pad is not None:
        sides = "".join(f'<w:{side} w:w="{pad}" w:type="dxa"/>' for side in ("left", "right"))
        more += f"<w:tcMar>{sides}</w:tcMar>"
    if pad != 0:
        more += '<w:vAlign w:val="center"/>'
    return f'<w:tc><w:tcPr><w:tcW w:w="{wide}" w:type="dxa"/>{more}</w:tcPr>{inner}</w:tc>'


def table(widths: list[int], heads: list[str], rows: list[str], lines: str = RULED) -> str:
    """A table in the middle of the page; its head comes again on each page, no row is parted."""
    grid = "".join(f'<w:gridCol w:w="{wide}"/>' for wide in widths)
    borders = f"<w:tblBorders>{lines}</w:tblBorders>" if lines else ""
    margin = 0 if lines == BARE else 36
    top = f'<w:top w:w="{margin}" w:type="dxa"/>'
    bottom = f'<w:bottom w:w="{margin}" w:type="dxa"/>'
    out = [
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'{borders}<w:tblLayout w:type="fixed"/><w:tblCellMar>{top}'
        f'<w:left w:w="80" w:type="dxa"/>{bottom}<w:right w:w="80" w:type="dxa"/></w:tblCellMar>'
        f'<w:tblLook w:val="0020" w:firstRow="1"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    ]
    if heads:
        out.append(f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(heads)}</w:tr>")
    out += [f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{row}</w:tr>" for row in rows]
    return "".join(out) + "</w:tbl>"


def section(wide: bool, *, first: bool, inside: bool) -> str:
    """The properties that end a section; ``first``: it counts from 1 and hides that number."""
    across, down = (HEIGHT, WIDTH) if wide else (WIDTH, HEIGHT)
    lies = ' w:orient="landscape"' if wide else ""
    top, side, other, bottom = (
        (WIDE_TOP, WIDE_SIDE, WIDE_SIDE, WIDE_BOTTOM) if wide else (TOP, LEFT, RIGHT, BOTTOM)
    )
    head = round(twips(top - 11.5 * MM if not wide else top - 12 * MM))
    marks = (
        '<w:headerReference w:type="default" r:id="head"/>'
        '<w:headerReference w:type="first" r:id="bare"/>'
        '<w:footerReference w:type="default" r:id="foot"/>'
        '<w:footerReference w:type="first" r:id="foot"/>'
    )
    inner = (
        f'{marks}<w:type w:val="nextPage"/>'
        f'<w:pgSz w:w="{round(twips(across))}" w:h="{round(twips(down))}"{lies}/>'
        f'<w:pgMar w:top="{round(twips(top))}" w:right="{round(twips(other))}"'
        f' w:bottom="{round(twips(bottom))}" w:left="{round(twips(side))}" w:header="{head}"'
        f' w:footer="{round(twips(8 * MM))}" w:gutter="0"/>'
        + ('<w:pgNumType w:start="1"/><w:titlePg/>' if first else "")
    )
    properties = f"<w:sectPr>{inner}</w:sectPr>"
    if not inside:
        return properties
    return nothing(properties)


def nothing(properties: str = "") -> str:
    """A paragraph nobody sees: it ends a section, or keeps two tables apart."""
    tiny = '<w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>'
    return f"<w:p><w:pPr>{tiny}{properties}</w:pPr></w:p>"
