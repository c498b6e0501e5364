"""SPSS syntax that reads the CSV, labels it and lays the complex sample out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from survey.datafiles import names
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.design import Design
    from survey.datafiles.extract import Extract
    from survey.datafiles.variables import Variable

#: Letters of a line that every release takes.
LINE = 200


def script(
    extract: Extract, design: Design, data: str, widths: Mapping[str, int], *, sav: str = ""
) -> str:
    """The syntax for the CSV file called ``data``; with ``sav`` the design alone, for that file."""
    short = names.short(extract.columns)
    seen = names.Shortened()
    parts = [f"* Encoding: UTF-8.\n{_remark(extract.title)}{_remark(t('data.syntax.head'))}"]
    if sav:
        parts.append(f"GET FILE={_text(sav)}.\n")
    else:
        parts += [_read(extract, short, data, widths), _labels(extract, short, seen)]
    if extract.sampled:
        parts += [_design(extract, design, short), _index(extract, design, short)]
    else:
        parts.append(_remark(t("data.syntax.no_design")))
    return "\n".join(parts)


def _read(extract: Extract, short: Mapping[str, str], data: str, widths: Mapping[str, int]) -> str:
    rows = [f"  {short[c.name]} {_format(c, widths)}" for c in extract.columns]
    return "\n".join([
        _remark(t("data.syntax.spss")).rstrip(),
        f"GET DATA /TYPE=TXT /FILE={_text(data)} /ENCODING='UTF8' /DELCASE=LINE",
        "  /DELIMITERS=\",\" /QUALIFIER='\"' /ARRANGEMENT=DELIMITED /FIRSTCASE=2 /VARIABLES=",
        *rows[:-1], f"{rows[-1]}.", "CACHE.", "EXECUTE.", "",
    ])  # fmt: skip


def _format(column: Variable, widths: Mapping[str, int]) -> str:
    if column.kind == "text":
        return f"A{max(1, widths.get(column.name, 1))}"
    return "F1.0" if column.kind == "code" else "F20.8"


def _labels(extract: Extract, short: Mapping[str, str], seen: names.Shortened) -> str:
    lines = ["VARIABLE LABELS"]
    lines += [f"  {short[c.name]} {_text(names.label(c, 'sav', seen))}" for c in extract.columns]
    lines[-1] += "."
    for column in (c for c in extract.columns if c.kind == "code"):
        pairs = names.values(column, "sav", seen).items()
        lines.append(f"VALUE LABELS {short[column.name]}")
        lines += [f"  {code} {_text(words)}" for code, words in pairs]
        lines[-1] += "."
    silent = [short[c.name] for c in extract.columns if c.silent]
    if silent:
        lines += [*_wrapped("MISSING VALUES", silent, " (9).")]
    return "\n".join([*lines, ""])


def _design(extract: Extract, design: Design, short: Mapping[str, str]) -> str:
    lines = []
    if design.partial:
        lines.append(_remark(t("data.syntax.partial")).rstrip())
    if design.margins:
        lines.append(_remark(t("data.syntax.spss_fitted")).rstrip())
    if extract.wave.lonely != "certainty":
        lines.append(_remark(t("data.syntax.spss_lonely")).rstrip())
    estimator = (
        f"  /ESTIMATOR TYPE=EQUAL_WOR\n  /POPSIZE VARIABLE={short['fpc']}." if design.fpc
        else "  /ESTIMATOR TYPE=WR."
    )  # fmt: skip
    lines += [
        f"CSPLAN ANALYSIS /PLAN FILE='{extract.wave.key}.csaplan'",
        f"  /PLANVARS ANALYSISWEIGHT={short['weight']}",
        "  /SRSESTIMATOR TYPE=WR",
        "  /PRINT PLAN",
        f"  /DESIGN STRATA={short['stratum']} CLUSTER={short['psu']}",
        estimator,
        "",
    ]
    return "\n".join(lines)


def _index(extract: Extract, design: Design, short: Mapping[str, str]) -> str:
    """Items as 0..1 points, and the ratios the index is made of."""
    lines = [
        _remark(t("data.syntax.index")).rstrip(),
        _remark(t("data.syntax.spss_items")).rstrip(),
    ]
    items = [short[item] for item in design.items]
    if design.experienced:
        asked, only = design.experienced
        lines.append(_remark(t("data.syntax.experienced")).rstrip())
        lines.append(f"COUNT co_giao_dich = {' '.join(short[a] for a in asked)} (1).")
        lines.append("DO IF co_giao_dich = 0.")
        lines += _wrapped("RECODE", [short[o] for o in only], " (ELSE=SYSMIS).")
        lines.append("END IF.")
    points = " ".join(f"({level}={p!r})" for level, p in enumerate(design.points, 1))
    for item in items:
        lines.append(f"RECODE {item} {points} (ELSE=SYSMIS) INTO d_{item}.")
    lines.append("EXECUTE.")
    ratios = [f"d_{item}" for item in items]
    lines += _wrapped(
        f"CSDESCRIPTIVES /PLAN FILE='{extract.wave.key}.csaplan' /SUMMARY VARIABLES=", ratios, ""
    )
    lines += ["  /MEAN /STATISTICS SE CIN(95) COUNT DEFF", "  /MISSING SCOPE=ANALYSIS"
              " CLASSMISSING=EXCLUDE.", ""]  # fmt: skip
    return "\n".join(lines)


def _wrapped(start: str, words: Iterable[str], end: str) -> list[str]:
    lines, line = [], start
    for word in words:
        if len(line) + len(word) + 1 > LINE:
            lines.append(line)
            line = " "
        line += f" {word}"
    return [*lines, line + end]


def _remark(text: str) -> str:
    """A comment; SPSS ends it at a full stop before a line end."""
    return f"* {text.rstrip('.')}.\n"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''").replace("\n", " ") + "'"
