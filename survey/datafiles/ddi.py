"""The codebook of a file as DDI-Codebook 2.5, for archives of data."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 - written, never read
from typing import TYPE_CHECKING

from survey.datafiles.variables import SILENT
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract
    from survey.datafiles.variables import Variable

SPACE = "ddi:codebook:2_5"
_SCHEMA = "http://www.ddialliance.org/Specification/DDI-Codebook/2.5/XMLSchema/codebook.xsd"


def codebook(extract: Extract, data: str) -> str:
    """The document; ``data`` is the name of the CSV file."""
    root = ET.Element("codeBook", {
        "xmlns": SPACE, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{SPACE} {_SCHEMA}", "version": "2.5", "xml:lang": "vi",
    })  # fmt: skip
    _document(root, extract)
    _study(root, extract)
    file = _in(root, "fileDscr", ID="F1")
    text = _in(file, "fileTxt")
    _in(text, "fileName", data)
    counts = _in(text, "dimensns")
    _in(counts, "caseQnty", str(extract.n))
    _in(counts, "varQnty", str(len(extract.columns)))
    _in(text, "fileType", "text/csv; charset=utf-8")
    described = _in(root, "dataDscr")
    for number, column in enumerate(extract.columns, 1):
        _variable(described, column, number)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _document(root: ET.Element, extract: Extract) -> None:
    citation = _in(_in(root, "docDscr"), "citation")
    titles = _in(citation, "titlStmt")
    _in(titles, "titl", t("data.ddi.title", name=extract.title))
    made = _in(citation, "prodStmt")
    _in(made, "producer", extract.wave.owner_name)
    _in(made, "prodDate", f"{extract.on:%d/%m/%Y}", date=extract.on.isoformat())
    _in(made, "software", "SIPAS")


def _study(root: ET.Element, extract: Extract) -> None:
    wave = extract.wave
    study = _in(root, "stdyDscr")
    citation = _in(study, "citation")
    titles = _in(citation, "titlStmt")
    _in(titles, "titl", extract.title)
    _in(titles, "IDNo", wave.key)
    _in(_in(citation, "rspStmt"), "AuthEnty", wave.owner_name)
    _in(_in(citation, "distStmt"), "distrbtr", wave.owner_name)
    info = _in(study, "stdyInfo")
    _in(info, "abstract", extract.questionnaire.title)
    summary = _in(info, "sumDscr")
    for event, day in (("start", wave.opens_on), ("end", wave.closes_on)):
        _in(summary, "collDate", day.isoformat(), date=day.isoformat(), event=event)
    _in(summary, "nation", "Việt Nam", abbr="VN")
    if wave.place:
        _in(summary, "geogCover", wave.place)
    _in(summary, "dataKind", t(f"data.ddi.{wave.kind}"))
    method = _in(study, "method")
    collected = _in(method, "dataColl")
    _in(collected, "sampProc", t(f"data.ddi.{wave.kind}.how"))
    _in(collected, "collMode", t(f"data.ddi.{wave.kind}.mode"))
    if extract.sampled:
        _in(collected, "weight", t("data.ddi.weight"))
    access = _in(_in(study, "dataAccs"), "useStmt")
    _in(access, "conditions", t(f"data.level.{extract.ask.level}.what"))


def _variable(parent: ET.Element, column: Variable, number: int) -> None:
    coded = column.kind == "code" or bool(column.words)
    facts = {"ID": f"V{number}", "name": column.name, "files": "F1",
             "intrvl": "discrete" if coded or column.kind == "text" else "contin"}  # fmt: skip
    if column.name == "weight":
        facts["wgt"] = "wgt"
    variable = _in(parent, "var", **facts)
    _in(variable, "labl", column.label, level="variable")
    pairs = [(str(code), words) for code, words in (column.values or column.words).items()]
    for code, words in pairs:
        category = _in(variable, "catgry")
        _in(category, "catValu", code)
        _in(category, "labl", words, level="category")
    if column.silent:
        category = _in(variable, "catgry", missing="Y")
        _in(category, "catValu", "9")
        _in(category, "labl", SILENT, level="category")
    kind = "character" if column.kind == "text" else "numeric"
    _in(variable, "varFormat", type=kind, schema="other")


def _in(parent: ET.Element, tag: str, text: str = "", /, **facts: str) -> ET.Element:
    found = ET.SubElement(parent, tag, facts)
    if text:
        found.text = text
    return found
