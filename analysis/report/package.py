"""The parts of a Word file around its text: styles, page heads, properties, all in one archive."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from html import escape
from typing import BinaryIO

FACE = "Times New Roman"
STAMP = "DỮ LIỆU MÔ PHỎNG"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
#: Namespaces of the text.
NAMES = (
    f'xmlns:w="{_W}" xmlns:r="{_R}"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_FOOT = (
    '<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:rPr><w:b/><w:color w:val="595959"/>'
    f'<w:sz w:val="16"/></w:rPr><w:t>{STAMP}</w:t></w:r></w:p>'
)
_NUMBER = (
    '<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>2</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
)


def pack(
    text: str, images: Mapping[str, bytes], file: BinaryIO, *,
    title: str, author: str, on: date, stamped: bool,
) -> None:  # fmt: skip
    """Write the archive; ``images``: name -> bytes of a metafile, known as its name in the text."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _roots(),
        "docProps/core.xml": _core(title, author, on),
        "docProps/app.xml": _app(),
        "word/document.xml": f"{_XML}<w:document {NAMES}><w:body>{text}</w:body></w:document>",
        "word/_rels/document.xml.rels": _relations(images),
        "word/styles.xml": _styles(),
        "word/settings.xml": _settings(),
        "word/fontTable.xml": _fonts(),
        "word/header1.xml": f"{_XML}<w:hdr {NAMES}>{_NUMBER}</w:hdr>",
        "word/header2.xml": f"{_XML}<w:hdr {NAMES}><w:p/></w:hdr>",
        "word/footer1.xml": f"{_XML}<w:ftr {NAMES}>{_FOOT if stamped else '<w:p/>'}</w:ftr>",
    }
    parts |= {f"word/media/{name}.emf": image for name, image in images.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in parts.items():  # the same time inside, whenever it is made
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(entry, content)


def _types() -> str:
    overrides = {
        "word/document.xml": f"{_DOCUMENT}.document.main+xml",
        "word/styles.xml": f"{_DOCUMENT}.styles+xml",
        "word/settings.xml": f"{_DOCUMENT}.settings+xml",
        "word/fontTable.xml": f"{_DOCUMENT}.fontTable+xml",
        "word/header1.xml": f"{_DOCUMENT}.header+xml",
        "word/header2.xml": f"{_DOCUMENT}.header+xml",
        "word/footer1.xml": f"{_DOCUMENT}.footer+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        "docProps/app.xml": "application/vnd.openxmlformats-officedocument.extended-properties+xml",
    }
    listed = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in overrides.items()
    )
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="emf" ContentType="image/x-emf"/>{listed}</Types>'
    )


def _relation(id: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{id}" Type="{kind}" Target="{target}"/>'


def _roots() -> str:
    core = f"{_PACKAGE}/relationships/metadata/core-properties"
    return (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        + _relation("rId1", f"{_R}/officeDocument", "word/document.xml")
        + _relation("rId2", core, "docProps/core.xml")
        + _relation("rId3", f"{_R}/extended-properties", "docProps/app.xml")
        + "</Relationships>"
    )


def _relations(images: Mapping[str, bytes]) -> str:
    fixed = (
        ("styles", "styles", "styles.xml"),
        ("settings", "settings", "settings.xml"),
        ("fonts", "fontTable", "fontTable.xml"),
        ("head", "header", "header1.xml"),
        ("bare", "header", "header2.xml"),
        ("foot", "footer", "footer1.xml"),
    )
    listed = "".join(_relation(id, f"{_R}/{kind}", target) for id, kind, target in fixed)
    listed += "".join(_relation(name, f"{_R}/image", f"media/{name}.emf") for name in images)
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _core(title: str, author: str, on: date) -> str:
    at = f'xsi:type="dcterms:W3CDTF">{on.isoformat()}T00:00:00Z<'
    return (
        f'{_XML}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>{escape(author)}</dc:creator>"
        f"<dc:language>vi-VN</dc:language><dcterms:created {at}/dcterms:created>"
        f"<dcterms:modified {at}/dcterms:modified></cp:coreProperties>"
    )


def _app() -> str:
    names = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
    return f'{_XML}<Properties xmlns="{names}"><Application>SIPAS</Application></Properties>'


def _settings() -> str:
    return (
        f'{_XML}<w:settings {NAMES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/>'
        "<w:compat><w:compatSetting"
        ' w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word"'
        ' w:val="15"/></w:compat><w:themeFontLang w:val="vi-VN"/></w:settings>'
    )


def _fonts() -> str:
    return (
        f'{_XML}<w:fonts {NAMES}><w:font w:name="{FACE}"><w:charset w:val="00"/>'
        '<w:family w:val="roman"/><w:pitch w:val="variable"/></w:font></w:fonts>'
    )


def _style(id: str, name: str, paragraph: str = "", run: str = "", more: str = "") -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{id}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="Normal"/>{more}<w:qFormat/><w:pPr>{paragraph}</w:pPr>'
        f"<w:rPr>{run}</w:rPr></w:style>"
    )


def _styles() -> str:
    """Nghị định 30/2020/NĐ-CP: 14 pt, first line 10 mm, 6 pt before, lines of 17,5 pt."""
    exact = '<w:spacing w:before="{0}" w:after="{1}" w:line="{2}" w:lineRule="{3}"/>'.format
    body = exact(120, 0, 350, "atLeast")
    first = '<w:ind w:firstLine="567"/>'
    bold, italic = "<w:b/><w:bCs/>", "<w:i/><w:iCs/>"
    both, centre = '<w:jc w:val="both"/>', '<w:jc w:val="center"/>'
    keep = "<w:keepNext/><w:keepLines/>"

    def small(points: float) -> str:
        return f'<w:sz w:val="{round(2 * points)}"/><w:szCs w:val="{round(2 * points)}"/>'

    def head(level: int, before: int) -> str:
        spacing = exact(before, 60, 350, "atLeast")
        return _style(
            f"Heading{level}", f"heading {level}",
            f'{keep}{spacing}{first}<w:outlineLvl w:val="{level - 1}"/>', bold,
            '<w:next w:val="BodyText"/>',
        )  # fmt: skip

    faces = f'<w:rFonts w:ascii="{FACE}" w:hAnsi="{FACE}" w:eastAsia="{FACE}" w:cs="{FACE}"/>'
    own = (
        _style("BodyText", "Body Text", f"<w:widowControl/>{body}{first}{both}"),
        _style("Warning", "SIPAS Cảnh báo", f"{body}{first}{both}", italic),
        _style("Note", "SIPAS Ghi chú", exact(60, 80, 260, "atLeast") + both, small(11)),
        _style(
            "Voice", "SIPAS Ý kiến",
            exact(80, 0, 300, "atLeast") + '<w:ind w:left="567" w:hanging="227"/>', small(12),
        ),
        head(1, 200), head(2, 160),
        _style("Title", "Title", keep + exact(0, 0, 350, "atLeast") + centre, bold),
        _style(
            "AnnexTitle", "SIPAS Phụ lục",
            keep + exact(0, 0, 350, "atLeast") + centre + '<w:outlineLvl w:val="0"/>', bold,
        ),
        _style("Belongs", "SIPAS Kèm theo", exact(0, 60, 320, "atLeast") + centre,
               italic + small(13)),
        _style("Centre", "SIPAS Giữa", exact(0, 0, 310, "atLeast") + centre, small(13)),
        _style("Caption", "caption", keep + exact(200, 60, 310, "atLeast") + centre,
               bold + small(13)),
        _style("FigureCaption", "SIPAS Tên hình", exact(60, 60, 310, "atLeast") + centre,
               bold + small(13)),
        _style("Unit", "SIPAS Đơn vị tính",
               "<w:keepNext/>" + exact(0, 40, 260, "atLeast") + '<w:jc w:val="right"/>',
               italic + small(11)),
        _style("Cell", "SIPAS Ô bảng", exact(0, 0, 240, "auto"), small(11.5)),
        _style("Receivers", "SIPAS Nơi nhận", exact(0, 0, 260, "atLeast"), small(11)),
        _style("Picture", "SIPAS Hình", "<w:keepNext/>" + exact(180, 0, 240, "auto") + centre),
    )  # fmt: skip
    return (
        f"{_XML}<w:styles {NAMES}><w:docDefaults><w:rPrDefault><w:rPr>{faces}{small(14)}"
        '<w:lang w:val="vi-VN" w:eastAsia="vi-VN"/></w:rPr></w:rPrDefault>'
        "<w:pPrDefault><w:pPr/></w:pPrDefault></w:docDefaults>"
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
        '<w:qFormat/></w:style><w:style w:type="table" w:default="1" w:styleId="TableNormal">'
        '<w:name w:val="Normal Table"/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
        '<w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"</w:style>{''.join(own)}</w:styles>"
    )
